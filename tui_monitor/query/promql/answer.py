"""What a query answers, and its form in Prometheus's HTTP API."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tui_monitor.model.clock import SECOND
from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.query.promql.ast import ValueType
from tui_monitor.query.promql.evaluate.aggregating import number_text
from tui_monitor.query.promql.labels import Labels
from tui_monitor.query.promql.native.writing import boundaries, buckets
from tui_monitor.query.promql.values import Scalar, Text, Vector, Windows, there


@dataclass(slots=True)
class Answer:
    """The value of an expression over the instants of a query."""

    kind: ValueType
    """Of the answer: a range query gives a matrix."""
    instants: np.ndarray
    """int64 µs (steps)."""
    value: Scalar | Text | Vector | Windows
    warnings: list[str] = field(default_factory=list)
    infos: list[str] = field(default_factory=list)

    def api(self) -> dict[str, Any]:
        """The whole answer as the HTTP API gives it."""
        out: dict[str, Any] = {
            "status": "success",
            "data": {"resultType": str(self.kind), "result": _result(self)},
        }
        remarks = {"warnings": self.warnings, "infos": self.infos}
        return out | {name: found for name, found in remarks.items() if found}


def _result(answer: Answer) -> Any:
    times = [time / SECOND for time in answer.instants.tolist()]
    value = answer.value
    if isinstance(value, Text):
        return [times[0], value.value]
    if isinstance(value, Windows):
        return _samples(value)
    if isinstance(value, Scalar):
        if answer.kind is ValueType.SCALAR:
            return [times[0], number_text(float(value.values[0]))]
        points = zip(times, map(number_text, value.values.tolist()), strict=True)
        return [{"metric": {}, "values": [list(point) for point in points]}]
    if answer.kind is ValueType.VECTOR:
        return [_single(value, row, times[0]) for row in range(len(value))]
    return [_row(value, row, times) for row in range(len(value))]


def _single(vector: Vector, row: int, time: float) -> dict[str, Any]:
    histogram = None if vector.histograms is None else vector.histograms[row, 0]
    if histogram is not None:
        return {"metric": dict(vector.labels[row]), "histogram": [time, histogram_json(histogram)]}
    return {"metric": dict(vector.labels[row]), "value": [time, number_text(float(vector.values[row, 0]))]}


def _row(vector: Vector, row: int, times: list[float]) -> dict[str, Any]:
    histograms = None if vector.histograms is None else vector.histograms[row]
    return _points(vector.labels[row], times, vector.values[row], vector.present[row], histograms)


def _points(
    labels: Labels,
    times: list[float],
    values: np.ndarray,
    present: np.ndarray,
    histograms: np.ndarray | None,
) -> dict[str, Any]:
    out: dict[str, Any] = {"metric": dict(labels)}
    some = np.zeros_like(present) if histograms is None else present & there(histograms)
    floats = np.flatnonzero(present & ~some).tolist()
    if floats:
        out["values"] = [[times[at], number_text(float(values[at]))] for at in floats]
    if histograms is not None and some.any():
        out["histograms"] = [
            [times[at], histogram_json(histograms[at])] for at in np.flatnonzero(some).tolist()
        ]
    return out


def _samples(windows: Windows) -> list[dict[str, Any]]:
    """The samples of the windows at the only instant."""
    series = windows.series
    out = []
    for row, labels in enumerate(series.labels):
        part = slice(int(windows.low[row, 0]), int(windows.high[row, 0]))
        times = [time / SECOND for time in series.times[part].tolist()]
        if times:
            histograms = None if series.histograms is None else series.histograms[part]
            out.append(_points(labels, times, series.values[part], np.ones(len(times), bool), histograms))
    return out


def histogram_json(histogram: NativeHistogram) -> dict[str, Any]:
    """A native histogram as the HTTP API gives it."""
    return {
        "count": number_text(histogram.count),
        "sum": number_text(histogram.sum),
        "buckets": [
            [boundaries(histogram, low, high), number_text(low), number_text(high), number_text(count)]
            for low, high, count in buckets(histogram)
        ],
    }
