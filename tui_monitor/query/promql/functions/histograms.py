"""What native histograms tell of themselves. Floats are left out."""

import math
from collections.abc import Callable

import numpy as np

from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.query.promql.evaluate.calling import Calling, Implementation
from tui_monitor.query.promql.native import estimates
from tui_monitor.query.promql.native.matrix import Table
from tui_monitor.query.promql.values import Vector


def of_histograms(vector: Vector, what: Callable[[NativeHistogram, int], float]) -> Vector:
    """A number for every histogram of a vector, which is given with its step."""
    present = vector.is_histogram()
    values = np.zeros(present.shape)
    if vector.histograms is not None:
        for row, step in np.argwhere(present).tolist():
            values[row, step] = what(vector.histograms[row, step], step)
    return Vector(vector.labels, values, present, None, vector.unnamed)


def of_table(vector: Vector, values: np.ndarray) -> Vector:
    """The vector with what was estimated for each cell of its table."""
    return Vector(vector.labels, np.where(vector.present, values, 0.0), vector.present, None, vector.unnamed)


def _each(
    what: Callable[[NativeHistogram], float], of_all: Callable[[Table], np.ndarray] | None = None
) -> Implementation:
    def applied(call: Calling) -> Vector:
        vector = call.vector()
        if vector.table is not None and of_all is not None:
            return of_table(vector, of_all(vector.table))
        return of_histograms(vector, lambda histogram, _: what(histogram))

    return applied


def _mean(histogram: NativeHistogram) -> float:
    with np.errstate(all="ignore"):
        return float(np.float64(histogram.sum) / histogram.count)


def _means(table: Table) -> np.ndarray:
    with np.errstate(all="ignore"):
        return table.sum / table.count


FUNCTIONS: dict[str, Implementation] = {
    "histogram_count": _each(lambda histogram: histogram.count, lambda table: table.count),
    "histogram_sum": _each(lambda histogram: histogram.sum, lambda table: table.sum),
    "histogram_avg": _each(_mean, _means),
    "histogram_stdvar": _each(estimates.variance),
    "histogram_stddev": _each(lambda histogram: math.sqrt(estimates.variance(histogram))),
}
"""By name."""
