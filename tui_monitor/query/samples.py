"""Metrics that are stored as samples: gauges, counters, and histograms of single observations."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tui_monitor.model.clock import DAY, MINUTE, SECOND
from tui_monitor.model.feed import STALE
from tui_monitor.model.timerange import Span
from tui_monitor.query import aggregate
from tui_monitor.query.aggregate import Grid
from tui_monitor.query.context import Context, Vector
from tui_monitor.query.language import quantile_of
from tui_monitor.query.matching import Matching
from tui_monitor.query.metrics import Sampled
from tui_monitor.query.promql.ast import Summary
from tui_monitor.query.windows import Windows
from tui_monitor.store.series.sampled import Steps

LOOKBACK = 5 * MINUTE
"""Two samples further apart than this have a gap between them."""

STEP = 5 * MINUTE
"""Of samples past their retention one point stays for so long."""

Points = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Times (int64 µs, ascending), values (float64), and how many samples each stands for."""
Cells = tuple[np.ndarray, np.ndarray]
"""Cells and one value for each."""
_STALE_BITS = np.array(STALE).view(np.uint64)


@dataclass(slots=True)
class Read:
    """One series: which group it belongs to, its samples, and when it ended."""

    group: int
    points: Points
    ended: np.ndarray
    """Times of staleness markers; int64 µs, ascending."""

    def over(self, instants: np.ndarray) -> np.ndarray:
        """Whether the newest that is known of the series at each instant is that it ended."""
        if not len(self.ended):
            return np.zeros(len(instants), dtype=bool)
        times = self.points[0]
        marker, sample = _last_before(self.ended, instants), _last_before(times, instants)
        return (marker >= 0) & ((sample < 0) | (self.ended[marker] > times[sample]))

    def broken(self, places: np.ndarray) -> np.ndarray:
        """Whether the series ended between each of these samples and the one before."""
        times = self.points[0]
        before, at = (np.searchsorted(self.ended, times[p]) for p in (places - 1, places))
        return at > before


def answer(sampled: Sampled, node: Summary, how: str, windows: Windows, context: Context) -> Vector:
    """One series per group that has samples. Raises `QueryError` or `StoreError`."""
    context.layers.add("samples")
    context.spans.append(windows.span)
    grid = Grid(windows, node.by)
    read = list(_read(sampled, node, how, windows, context, grid))
    if sampled.type == "counter":
        flat = _counters(how, read, windows, grid)
    elif sampled.type == "histogram" or quantile_of(how) is not None:
        flat = _pooled(how, read, windows, grid)
    else:
        flat = _gauges(how, read, windows, grid)
    return Vector(grid.labels(node.by), grid.table(flat))


def _read(
    sampled: Sampled, node: Summary, how: str, windows: Windows, context: Context, grid: Grid
) -> Iterator[Read]:
    """Each series that has a sample in the windows or shortly before."""
    matching = Matching(node.matchers, {}, context.text)
    taken = {s.id: s for s in context.reader.series(sampled.name, matching.tests())}
    context.budget.spend(len(taken), len(taken))
    span = windows.span
    back = max(LOOKBACK, min(span.length, DAY)) if sampled.type == "counter" else LOOKBACK
    wider = Span(span.start - back, span.end)
    found = context.reader.samples(list(taken), wider)
    old = context.reader.sample_steps(list(taken), wider)
    if any(steps.times[-1] > span.start for steps in old.values()):
        _warn(sampled, how, windows, context)
    for number, (times, values) in found.items():
        context.budget.check()
        known = ~np.isnan(values)
        points = (times[known], values[known], np.ones(np.count_nonzero(known)))
        ended = times[np.ascontiguousarray(values).view(np.uint64) == _STALE_BITS]
        if number in old:
            points = _with_steps(old[number], how, points)
            ended = np.sort(np.append(old[number].times[old[number].weight == 0], ended))
        if len(points[0]) and points[0][-1] > span.start:
            labels = taken[number].labels
            group = grid.group(tuple(labels.get(name, "") for name in node.by))
            yield Read(group, points, ended)


def _with_steps(steps: Steps, how: str, points: Points) -> Points:
    value = {"min": steps.low, "max": steps.high}.get(how, steps.mean)
    stand = steps.weight > 0
    both = zip((steps.times[stand], value[stand], steps.weight[stand]), points, strict=True)
    times, values, weights = (np.concatenate(column) for column in both)
    order = np.argsort(times, kind="stable")
    return times[order], values[order], weights[order]


def _warn(sampled: Sampled, how: str, windows: Windows, context: Context) -> None:
    """Say so where 5-minute steps are not as good as the samples that they were made of."""
    inexact = {"gauge": ("last",), "counter": ("count",), "histogram": ("sum", "avg")}[sampled.type]
    if how in inexact or quantile_of(how) is not None:
        context.warn(f"{sampled.name} is older than its single samples: {how} is made of 5-minute steps")
    elif (windows.edges % STEP).any():
        context.warn(f"{sampled.name} is older than its single samples: windows are cut to 5-minute steps")


def _gauges(how: str, read: list[Read], windows: Windows, grid: Grid) -> np.ndarray:
    """Each series is first put into one value per window; `sum` and `avg` are over the series.

    A series that ended has no last value, and none that holds until the next.
    """
    found: list[tuple[np.ndarray, ...]] = []
    for series in read:
        group, (times, points, _) = series.group, series.points
        index, inside, weight = _inside(series.points, windows)
        count = np.bincount(index, weight, minlength=len(windows))
        one = _reduce(how, index, inside, weight, count)
        over = series.over(windows.edges[1:])
        held = _held(times, windows, count) & ~over
        last = _last_before(times, windows.edges[1:])
        one[held.nonzero()] = points[last][held]
        if how == "last":
            one[over] = np.nan
        filled = np.flatnonzero(~np.isnan(one))
        found.append((filled + group * len(windows), one[filled], count[filled], times[last][filled]))
    cells, values, counts, ages = _joined(found, 4)
    if how == "last":
        return _newest(cells, values, ages, grid.size)
    if how == "count":
        return _or_nothing(cells, counts, grid.size)
    if how == "min":
        return aggregate.least(cells, values, grid.size)
    if how == "max":
        return aggregate.greatest(cells, values, grid.size)
    total = _or_nothing(cells, values, grid.size)
    return total if how == "sum" else aggregate.divide(total, np.bincount(cells, minlength=grid.size))


def _reduce(
    how: str, index: np.ndarray, values: np.ndarray, weight: np.ndarray, count: np.ndarray
) -> np.ndarray:
    if how == "min":
        return aggregate.least(index, values, len(count))
    if how == "max":
        return aggregate.greatest(index, values, len(count))
    if how == "last":
        return _newest(index, values, np.arange(len(values)), len(count))
    return aggregate.divide(aggregate.sums(index, values * weight, len(count)), count)


def _newest(cells: np.ndarray, values: np.ndarray, times: np.ndarray, size: int) -> np.ndarray:
    """The value with the latest time of each cell; NaN where there is none."""
    out = np.full(size, np.nan)
    order = np.argsort(times, kind="stable")
    # Of several values for one cell the last one stays.
    out[cells[order]] = values[order]
    return out


def _held(times: np.ndarray, windows: Windows, count: np.ndarray) -> np.ndarray:
    """Windows of a chart without a sample, shorter than the time between samples: the last value holds."""
    if not windows.step or len(times) < 2:
        return np.zeros(len(windows), dtype=bool)
    usual = min(LOOKBACK, 2 * int(np.median(np.diff(times))))
    ends = windows.edges[1:]
    at = _last_before(times, ends)
    return (count == 0) & (at >= 0) & (ends - times[at] <= usual)


def _last_before(times: np.ndarray, instants: np.ndarray) -> np.ndarray:
    """The last sample at or before each instant; -1 where there is none."""
    return np.searchsorted(times, instants, side="right") - 1


def _pooled(how: str, read: list[Read], windows: Windows, grid: Grid) -> np.ndarray:
    """All samples of a group together."""
    found: list[tuple[np.ndarray, ...]] = []
    for series in read:
        index, inside, weight = _inside(series.points, windows)
        found.append((index + series.group * len(windows), inside, weight))
    cells, values, weights = _joined(found, 3)
    q = quantile_of(how)
    if q is not None:
        times = weights.astype(np.int64)
        return aggregate.rank_of_values(q, np.repeat(cells, times), np.repeat(values, times), grid.size)
    count = np.bincount(cells, weights, minlength=grid.size)
    if how == "count":
        return np.where(count > 0, count, np.nan)
    if how == "sum":
        return _or_nothing(cells, values * weights, grid.size)
    return _reduce(how, cells, values, weights, count)


def _inside(points: Points, windows: Windows) -> Points:
    """The window of each point that lies in one, its value and its weight."""
    times, values, weights = points
    kept = times > windows.span.start
    return windows.index(times[kept]), values[kept], weights[kept]


def _counters(how: str, read: list[Read], windows: Windows, grid: Grid) -> np.ndarray:
    """Growth over each window. Between two samples a counter is taken to grow evenly.

    A value below the one before is a restart from 0. Before the first and after the last sample nothing
    is assumed; a rate is over the part of the window that lies between them. Where it ended between two
    samples nothing is known of the windows without any.
    """
    found: list[tuple[np.ndarray, ...]] = []
    for series in read:
        if how == "count":
            index, _, _ = _inside(series.points, windows)
            count = np.bincount(index, minlength=len(windows))
            one = np.where(count > 0, count.astype(np.float64), np.nan)
        else:
            one = _growth(series, windows, per_second=how == "rate")
        filled = np.flatnonzero(~np.isnan(one))
        found.append((filled + series.group * len(windows), one[filled]))
    cells, values = _joined(found, 2)
    return _or_nothing(cells, values, grid.size)


def _growth(series: Read, windows: Windows, *, per_second: bool) -> np.ndarray:
    times, points, _ = series.points
    step = np.diff(points)
    grown = np.concatenate(([0.0], np.cumsum(np.where(step < 0, points[1:], step))))
    edges = np.clip(windows.edges, times[0], times[-1])
    covered = np.diff(edges) / SECOND
    growth = np.diff(np.interp(edges, times, grown))
    at = np.clip(np.searchsorted(times, windows.edges[1:], side="left"), 1, max(1, len(times) - 1))
    apart = times[at] - times[at - 1] if len(times) > 1 else np.zeros(len(windows), dtype=np.int64)
    seen = np.diff(_last_before(times, windows.edges)) > 0
    between = apart <= LOOKBACK
    if len(times) > 1 and len(series.ended):
        between &= ~series.broken(at)
    known = (covered > 0) & (seen | between)
    if per_second:
        growth = aggregate.divide(growth, covered)
    return np.where(known, growth, np.nan)


def _or_nothing(cells: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """Sums; NaN for cells that nothing was added to."""
    filled = np.bincount(cells, minlength=size) > 0
    return np.where(filled, aggregate.sums(cells, values, size), np.nan)


def _joined(found: list[tuple[np.ndarray, ...]], width: int) -> list[np.ndarray]:
    """Cells of all series, and what goes with each: together, as one by one copies all each time."""
    if not found:
        return [np.zeros(0, dtype=np.int64), *(np.zeros(0) for _ in range(width - 1))]
    return [np.concatenate(column) for column in zip(*found, strict=True)]
