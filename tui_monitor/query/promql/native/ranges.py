"""Functions of ranges that have native histograms: window by window, as histograms are few."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from tui_monitor.model.clock import SECOND
from tui_monitor.model.histogram import CUSTOM, CounterReset, NativeHistogram
from tui_monitor.query.promql.ast import NAME
from tui_monitor.query.promql.evaluate.calling import Calling
from tui_monitor.query.promql.evaluate.extrapolation import Edges, drawn_out
from tui_monitor.query.promql.labels import value
from tui_monitor.query.promql.native import arithmetic
from tui_monitor.query.promql.values import SeriesSet, Vector, Windows, there

_OfFloats = Callable[[Calling, Windows, bool, bool], Vector]
_OfLast = Callable[[Calling, Windows, bool], Vector]
_Differ = Callable[[NativeHistogram, NativeHistogram], bool]
Window = Callable[[int, int], NativeHistogram | None]
MIXED = "histograms and floats in one range give no result"
MIXED_SCHEMAS = "exponential histograms and those with bounds of their own in one range give no result"
NO_COUNTER = "a counter is expected, this histogram is a gauge"
NO_GAUGE = "a gauge is expected, this histogram is a counter"


class Remarks:
    """Annotations about the series of a call's range."""

    def __init__(self, call: Calling) -> None:
        self._call = call
        index = next(i for i, one in enumerate(call.args) if isinstance(one, Windows))
        self._place = call.place(index)
        self._windows = call.windows(index)

    def warn(self, message: str, row: int) -> None:
        """A warning that names the metric."""
        name = value(self._windows.series.labels[row], NAME)
        self._call.context.annotations.warn(f"{message}: {name}" if name else message, self._place)

    def reconciled(self, histograms: list[NativeHistogram]) -> None:
        """An info where bounds differ."""
        if not arithmetic.same_bounds(histograms):
            self._call.context.annotations.inform(
                "different bounds were brought together for a subtraction", self._place
            )


def with_histograms(call: Calling, windows: Windows, base: Vector, least: int, what: Window) -> Vector:
    """The results of floats, with those of the windows that have histograms in their place."""
    remarks = Remarks(call)
    counts, found = windows.counts, windows.histogram_counts()
    present = base.present & (found == 0)
    histograms = np.full(present.shape, None, dtype=object)
    for row, step in np.argwhere((found > 0) & (counts >= least)).tolist():
        call.context.budget.check()
        if found[row, step] < counts[row, step]:
            remarks.warn(MIXED, row)
            continue
        result = what(row, step)
        if result is not None:
            present[row, step], histograms[row, step] = True, result
    return Vector(base.labels, base.values, present, histograms, base.unnamed)


def window(windows: Windows, row: int, step: int) -> list[NativeHistogram]:
    """The histograms of one window that has nothing else."""
    assert windows.series.histograms is not None
    return windows.series.histograms[windows.low[row, step] : windows.high[row, step]].tolist()


def totals(call: Calling, windows: Windows, floats: Vector, *, mean: bool) -> Vector:
    """`sum_over_time` and `avg_over_time`; `floats` are their results without histograms."""
    remarks = Remarks(call)

    def one(row: int, step: int) -> NativeHistogram | None:
        histograms = window(windows, row, step)
        try:
            return arithmetic.total(histograms, len(histograms) if mean else 1.0)
        except arithmetic.Incompatible:
            remarks.warn(MIXED_SCHEMAS, row)
            return None

    return with_histograms(call, windows, floats, 1, one)


def rates(
    call: Calling, windows: Windows, of_floats: _OfFloats, *, counter: bool, per_second: bool
) -> Vector:
    """`rate`, `increase` and `delta`."""
    remarks = Remarks(call)

    def one(row: int, step: int) -> NativeHistogram | None:
        histograms = window(windows, row, step)
        risen = risen_of(histograms, remarks, row, counter=counter)
        if risen is None:
            return None
        factor = _factor(call, windows, row, step, histograms[0].count, risen.count, counter=counter)
        return arithmetic.scaled(risen, factor / (_length(windows, step) if per_second else 1.0))

    return with_histograms(call, windows, of_floats(call, windows, counter, per_second), 2, one)


def _length(windows: Windows, step: int) -> float:
    return float(windows.end[step] - windows.start[step]) / SECOND


def _factor(
    call: Calling, windows: Windows, row: int, step: int, first: float, risen: float, *, counter: bool
) -> float:
    times = windows.series.times[windows.low[row, step] : windows.high[row, step]]
    lengths = (
        times[0] - windows.start[step], times[-1] - times[0], windows.end[step] - times[-1],
    )  # fmt: skip
    to_start, sampled, to_end = (np.array([float(length) / SECOND]) for length in lengths)
    edges = Edges(to_start, sampled, to_end, np.array([len(times)]), np.array([_length(windows, step)]))
    closed = call.context.semantics.closed
    return float(drawn_out(edges, np.array([first]), np.array([risen]), counter=counter, closed=closed)[0])


def risen_of(
    histograms: list[NativeHistogram], remarks: Remarks, row: int, *, counter: bool
) -> NativeHistogram | None:
    """The difference of the last and the first, with what was lost by resets of a counter."""
    gauges = [one.reset is CounterReset.GAUGE for one in histograms]
    if counter and any(gauges):
        remarks.warn(NO_COUNTER, row)
    if not counter and not (gauges[0] and gauges[-1]):
        remarks.warn(NO_GAUGE, row)
    first, last = histograms[0], histograms[-1]
    between = histograms[1:-1] if counter else []
    if counter and len(histograms) > 1 and arithmetic.fell(histograms[1], first):
        # What was before a reset right at the beginning is not looked at.
        first = NativeHistogram(histograms[1].schema, 0.0, 0.0, bounds=histograms[1].bounds)
    if len({one.schema == CUSTOM for one in (first, *between, last)}) > 1:
        remarks.warn(MIXED_SCHEMAS, row)
        return None
    lost = [
        before if before is not histograms[0] else first
        for before, after in pairwise(histograms)
        if counter and arithmetic.fell(after, before)
    ]
    remarks.reconciled([first, *between, last])
    risen = arithmetic.difference(last, first)
    return arithmetic.as_gauge(arithmetic.total([risen, *lost])) if lost else risen


def instant_rates(call: Calling, windows: Windows, of_last: _OfLast, *, counter: bool) -> Vector:
    """`irate` and `idelta`: of the last two samples alone."""
    remarks = Remarks(call)
    low = np.maximum(windows.low, windows.high - 2)
    pairs = Windows(windows.series, low, windows.high, windows.start, windows.end)

    def one(row: int, step: int) -> NativeHistogram | None:
        before, last = window(pairs, row, step)
        gauges = (before.reset is CounterReset.GAUGE, last.reset is CounterReset.GAUGE)
        if counter and any(gauges):
            remarks.warn(NO_COUNTER, row)
        if not counter and not all(gauges):
            remarks.warn(NO_GAUGE, row)
        if counter and arithmetic.fell(last, before):
            risen = arithmetic.as_gauge(last)
        else:
            try:
                risen = arithmetic.difference(last, before)
            except arithmetic.Incompatible:
                remarks.warn(MIXED_SCHEMAS, row)
                return None
            remarks.reconciled([before, last])
        if not counter:
            return risen
        times = pairs.series.times[pairs.low[row, step] : pairs.high[row, step]]
        return arithmetic.divided(risen, float(times[1] - times[0]) / SECOND)

    return with_histograms(call, pairs, of_last(call, pairs, counter), 2, one)


def _neighbours(series: SeriesSet) -> np.ndarray:
    """Places of samples of which they or the one before are histograms, of one series."""
    assert series.histograms is not None
    some = there(series.histograms)
    places = np.flatnonzero(some[1:] | some[:-1]) + 1
    return places[~np.isin(places, series.offsets)]


def resets(series: SeriesSet, falls: np.ndarray) -> np.ndarray:
    """Places where a counter fell: those of floats, and those of histograms; from one to the other it did."""
    return _places(series, falls, arithmetic.fell)


def changes(series: SeriesSet, places: np.ndarray) -> np.ndarray:
    """Places where the value is another: those of floats, and those of histograms."""
    return _places(series, places, lambda after, before: not arithmetic.equal(after, before))


def _differ(after: object, before: object, differ: _Differ) -> bool:
    if isinstance(after, NativeHistogram) and isinstance(before, NativeHistogram):
        return differ(after, before)
    return True


def _places(series: SeriesSet, floats: np.ndarray, differ: _Differ) -> np.ndarray:
    if series.histograms is None:
        return floats
    looked_at = _neighbours(series)
    kept = [
        place
        for place in looked_at.tolist()
        if _differ(series.histograms[place], series.histograms[place - 1], differ)
    ]
    return np.union1d(floats[~np.isin(floats, looked_at)], np.array(kept, dtype=np.int64))
