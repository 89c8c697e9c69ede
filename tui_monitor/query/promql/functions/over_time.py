"""Aggregations over the samples of a range."""

import numpy as np

from tui_monitor.query.promql.evaluate.blocks import Block, Computed, by_block, extremes, totals
from tui_monitor.query.promql.evaluate.calling import Calling, Implementation
from tui_monitor.query.promql.evaluate.selecting import seconds
from tui_monitor.query.promql.evaluate.windowing import by_matrix, filled, steps_of
from tui_monitor.query.promql.native import ranges
from tui_monitor.query.promql.quantile import quantiles
from tui_monitor.query.promql.values import Vector, Windows


def floats_of(call: Calling, index: int = 0) -> Windows:
    """The range without its histograms, which is remarked where a series has both."""
    windows = call.windows(index)
    if windows.series.histograms is None:
        return windows
    rest = windows.floats()
    if ((rest.counts > 0) & (rest.counts < windows.counts)).any():
        call.context.annotations.inform(
            f"{call.node.function} left out histograms in ranges that have floats too", call.place(index)
        )
    return rest


def _count(call: Calling) -> Vector:
    return by_block(call, call.windows(), lambda block: (block.counts, block.counts > 0))


def _present(call: Calling) -> Vector:
    return by_block(call, call.windows(), lambda block: (np.ones(1), block.counts > 0))


def _sum(call: Calling) -> Vector:
    windows = call.windows()
    floats = by_block(call, windows, totals)
    if windows.series.histograms is None:
        return floats
    return ranges.totals(call, windows, floats, mean=False)


def _avg(call: Calling) -> Vector:
    windows = call.windows()
    floats = by_block(call, windows, _means)
    if windows.series.histograms is None:
        return floats
    return ranges.totals(call, windows, floats, mean=True)


def _means(block: Block) -> Computed:
    """The mean of each window, also where the sum is beyond the greatest float."""
    total, known = totals(block)
    counts = np.maximum(block.counts, 1)
    results = total / counts
    low, counts = (np.broadcast_to(one, results.shape) for one in (block.low, counts))
    for row, step in np.argwhere(np.isinf(total)).tolist():
        values = block.values[row] if block.is_grid else block.values
        part = values[low[row, step] : low[row, step] + counts[row, step]]
        if np.isfinite(part).all():
            results[row, step] = float(np.sum(part / counts[row, step]))
    return results, known


def _extreme(operation: np.ufunc) -> Implementation:
    # fmin and fmax look past NaN while there is another value.
    return lambda call: by_block(call, floats_of(call), lambda block: extremes(block, operation))


def _end(*, last: bool) -> Implementation:
    def place(block: Block) -> np.ndarray:
        return block.last(1) if last else block.first(1)

    def applied(call: Calling) -> Vector:
        windows = call.windows()
        vector = by_block(call, windows, lambda block: (block.at(place(block)), block.counts > 0))
        if windows.series.histograms is not None:
            known, low, high = filled(windows)
            found = np.full(known.shape, None, dtype=object)
            found[known] = windows.series.histograms[high - 1 if last else low]
            vector.given = found
        return vector

    return applied


def _time_of_end(*, last: bool) -> Implementation:
    def compute(block: Block) -> Computed:
        return seconds(block.at_times(block.last(1) if last else block.first(1))), block.counts > 0

    return lambda call: by_block(call, call.windows(), compute)


def _time_of_extreme(sign: float) -> Implementation:
    def applied(call: Calling) -> Vector:
        windows = floats_of(call)
        series = windows.series

        def compute(places: np.ndarray, _: np.ndarray) -> np.ndarray:
            values = series.values[places] * sign
            values = np.where(np.isnan(values), -np.inf, values)[:, ::-1]
            # The last of equal ones: the first from behind.
            best = values.shape[1] - 1 - values.argmax(axis=1)
            return seconds(series.times[places[np.arange(len(places)), best]])

        return by_matrix(call, windows, compute)

    return applied


def variances(values: np.ndarray) -> np.ndarray:
    """The variance of each row, as of a whole population; exactly 0 where all values are equal."""
    moved = values - values[:, :1]
    return ((moved - moved.mean(axis=1, keepdims=True)) ** 2).mean(axis=1)


def _deviation(*, root: bool) -> Implementation:
    def applied(call: Calling) -> Vector:
        windows = floats_of(call)

        def compute(places: np.ndarray, _: np.ndarray) -> np.ndarray:
            found = variances(windows.series.values[places])
            return np.sqrt(found) if root else found

        return by_matrix(call, windows, compute)

    return applied


def _mad(call: Calling) -> Vector:
    windows = floats_of(call)

    def compute(places: np.ndarray, _: np.ndarray) -> np.ndarray:
        values = windows.series.values[places]
        middle = np.median(values, axis=1, keepdims=True)
        return np.median(np.abs(values - middle), axis=1)

    return by_matrix(call, windows, compute)


def _quantile(call: Calling) -> Vector:
    windows = floats_of(call, 1)
    wanted = call.scalar(0)
    if (~((wanted >= 0) & (wanted <= 1))).any():
        call.context.annotations.warn("a quantile is between 0 and 1", call.place(0))
    steps = steps_of(windows.counts > 0)

    def compute(places: np.ndarray, part: np.ndarray) -> np.ndarray:
        return quantiles(windows.series.values[places], wanted[steps[part]])

    return by_matrix(call, windows, compute)


FUNCTIONS: dict[str, Implementation] = {
    "avg_over_time": _avg,
    "sum_over_time": _sum,
    "min_over_time": _extreme(np.fmin),
    "max_over_time": _extreme(np.fmax),
    "count_over_time": _count,
    "last_over_time": _end(last=True),
    "first_over_time": _end(last=False),
    "present_over_time": _present,
    "stddev_over_time": _deviation(root=True),
    "stdvar_over_time": _deviation(root=False),
    "mad_over_time": _mad,
    "quantile_over_time": _quantile,
    "ts_of_first_over_time": _time_of_end(last=False),
    "ts_of_last_over_time": _time_of_end(last=True),
    "ts_of_max_over_time": _time_of_extreme(1.0),
    "ts_of_min_over_time": _time_of_extreme(-1.0),
}
"""By name."""
