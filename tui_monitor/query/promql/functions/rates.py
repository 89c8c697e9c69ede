"""How fast counters and gauges change.

A rate is the difference of a range's first and last sample, counter resets added, drawn out to the whole
range: https://prometheus.io/docs/prometheus/latest/querying/functions/#rate
"""

import numpy as np

from tui_monitor.query.promql.evaluate.blocks import Block, Computed, by_block
from tui_monitor.query.promql.evaluate.calling import Calling, Implementation
from tui_monitor.query.promql.evaluate.extrapolation import drawn_out, edges_of
from tui_monitor.query.promql.evaluate.selecting import seconds
from tui_monitor.query.promql.evaluate.windowing import (
    by_matrix,
    filled,
    segments,
    spread,
    steps_of,
)
from tui_monitor.query.promql.functions.over_time import floats_of
from tui_monitor.query.promql.native import ranges
from tui_monitor.query.promql.values import SeriesSet, Vector, Windows, columns

_EXACT = 1 << 52
"""Whole sums below it keep what is added to them; of others they lose no more than rounding does."""
_FEW = 64


def falls(series: SeriesSet) -> np.ndarray:
    """int64: the places of samples that are less than the one before in their series."""
    values = series.values
    with np.errstate(invalid="ignore"):
        fallen = np.flatnonzero(values[1:] < values[:-1]) + 1
    return fallen[~np.isin(fallen, series.offsets)]


def lost(series: SeriesSet, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """What a counter had counted before each reset within the windows."""
    places = falls(series)
    drops = series.values[places - 1]
    lost = np.zeros(low.shape)
    begin, end = np.searchsorted(places, low, "right"), np.searchsorted(places, high, "left")
    some = begin < end
    if some.any():
        lost[some] = segments(np.add, drops, begin[some], end[some])
    return lost


def _lost_in(block: Block, first: np.ndarray, last: np.ndarray) -> np.ndarray | float:
    """The same for a part, between the places of first and last samples."""
    if not block.is_grid:
        return lost(block.series, first, last + 1)
    rows, places = np.nonzero(block.values[:, 1:] < block.values[:, :-1])
    if not len(rows):
        return 0.0
    drops = block.values[rows, places]
    found = np.zeros((len(block.rows), first.shape[1]))
    at = np.unique(places)
    if len(at) > _FEW and drops.sum() < _EXACT:
        table = np.zeros(block.values.shape)
        table[rows, places + 1] = drops
        before = np.cumsum(table, axis=1)
        return columns(before, last[0]) - columns(before, first[0])
    # Series of one scrape begin anew together, so mostly there are few places.
    for place in at.tolist():
        mine = places == place
        within = (first[0] <= place) & (last[0] > place)
        found[rows[mine]] += np.where(within, drops[mine, None], 0.0)
    return found


def _extrapolated(*, counter: bool, per_second: bool) -> Implementation:
    def applied(call: Calling) -> Vector:
        windows = call.windows()
        if windows.series.histograms is not None:
            return ranges.rates(call, windows, _of_floats, counter=counter, per_second=per_second)
        return _of_floats(call, windows, counter, per_second)

    return applied


def _of_floats(call: Calling, windows: Windows, counter: bool, per_second: bool) -> Vector:
    closed = call.context.semantics.closed

    def compute(block: Block) -> Computed:
        first, last = block.first(2), block.last(2)
        begin = block.at(first)
        risen = block.at(last) - begin
        if counter:
            risen += _lost_in(block, first, last)
        edges = edges_of(block, windows, first, last)
        factor = drawn_out(edges, begin, risen, counter=counter, closed=closed)
        risen *= factor / edges.length if per_second else factor
        return risen, block.counts >= 2

    return by_block(call, windows, compute)


def _between_last(*, counter: bool) -> Implementation:
    def applied(call: Calling) -> Vector:
        windows = call.windows()
        if windows.series.histograms is not None:
            return ranges.instant_rates(call, windows, _of_last, counter=counter)
        return _of_last(call, windows, counter)

    return applied


def _of_last(call: Calling, windows: Windows, counter: bool) -> Vector:
    def compute(block: Block) -> Computed:
        place = block.last(2)
        last, before = block.at(place), block.at(place - 1)
        known = block.counts >= 2
        if not counter:
            return last - before, known
        risen = np.where(last < before, last, last - before)
        return risen / seconds(block.at_times(place) - block.at_times(place - 1)), known

    return by_block(call, windows, compute)


def _counted(windows: Windows, places: np.ndarray) -> Vector:
    """How many of these places are in each window, its first sample not counted."""
    known, low, high = filled(windows)
    count = np.searchsorted(places, high, "left") - np.searchsorted(places, low, "right")
    return spread(windows, known, count.astype(np.float64))


def _resets(call: Calling) -> Vector:
    windows = call.windows()
    return _counted(windows, ranges.resets(windows.series, falls(windows.series)))


def _changes(call: Calling) -> Vector:
    windows = call.windows()
    values = windows.series.values
    unknown = np.isnan(values)
    differ = (values[1:] != values[:-1]) & ~(unknown[1:] & unknown[:-1])
    places = np.flatnonzero(differ) + 1
    return _counted(windows, ranges.changes(windows.series, places))


def _line(values: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope and value at 0 of the line through each row's points by least squares; none through infinity."""
    middle_time = times.mean(axis=1)
    finite = np.isfinite(values).all(axis=1, keepdims=True)
    values = np.where(finite, values, np.nan)
    base = values[:, 0]
    moved, away = values - base[:, None], times - middle_time[:, None]
    slope = (away * moved).sum(axis=1) / (away * away).sum(axis=1)
    flat = (moved == 0).all(axis=1)
    slope = np.where(flat, 0.0, slope)
    return slope, base + np.where(flat, 0.0, moved.mean(axis=1)) - slope * middle_time


def _deriv(call: Calling) -> Vector:
    windows = floats_of(call)
    series = windows.series

    def compute(places: np.ndarray, _: np.ndarray) -> np.ndarray:
        times = series.times[places]
        return _line(series.values[places], seconds(times - times[:, :1]))[0]

    return by_matrix(call, windows, compute, 2)


def _predict(call: Calling) -> Vector:
    windows = floats_of(call)
    series, ahead = windows.series, call.scalar(1)
    steps = steps_of(windows.counts >= 2)

    def compute(places: np.ndarray, part: np.ndarray) -> np.ndarray:
        at = steps[part]
        times = seconds(series.times[places] - call.context.instants[at][:, None])
        slope, now = _line(series.values[places], times)
        return slope * ahead[at] + now

    return by_matrix(call, windows, compute, 2)


def _smoothed(call: Calling) -> Vector:
    windows = floats_of(call)
    levels, trends = call.scalar(1), call.scalar(2)
    for index, factors in ((1, levels), (2, trends)):
        if (~((factors > 0) & (factors < 1))).any():
            call.fail("a smoothing factor is between 0 and 1", index)
    steps = steps_of(windows.counts >= 2)

    def compute(places: np.ndarray, part: np.ndarray) -> np.ndarray:
        values = windows.series.values[places]
        level, trend = levels[steps[part]], trends[steps[part]]
        smoothed, slope = values[:, 0], values[:, 1] - values[:, 0]
        for column in range(1, values.shape[1]):
            before = smoothed
            smoothed = level * values[:, column] + (1 - level) * (before + slope)
            slope = trend * (smoothed - before) + (1 - trend) * slope
        return smoothed

    return by_matrix(call, windows, compute, 2)


FUNCTIONS: dict[str, Implementation] = {
    "rate": _extrapolated(counter=True, per_second=True),
    "increase": _extrapolated(counter=True, per_second=False),
    "delta": _extrapolated(counter=False, per_second=False),
    "irate": _between_last(counter=True),
    "idelta": _between_last(counter=False),
    "resets": _resets,
    "changes": _changes,
    "deriv": _deriv,
    "predict_linear": _predict,
    "double_exponential_smoothing": _smoothed,
    "holt_winters": _smoothed,
}
"""By name."""
