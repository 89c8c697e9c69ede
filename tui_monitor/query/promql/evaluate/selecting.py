"""Selectors: which samples stand at which instants, and which lie in which windows."""

import numpy as np

from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.query.promql.ast import Range, Selector, Subquery
from tui_monitor.query.promql.evaluate.context import Context
from tui_monitor.query.promql.joining import concatenated
from tui_monitor.query.promql.native.arithmetic import unhinted
from tui_monitor.query.promql.storage import Asked, Grouping, Hints, Source, bounded
from tui_monitor.query.promql.values import (
    Grid,
    Scalar,
    SeriesSet,
    Text,
    Value,
    Vector,
    Windows,
    columns,
    empty,
    joined,
    masked,
    stale,
)


def instant(
    context: Context, node: Selector, *, with_times: bool = False, summed: Grouping | None = None
) -> Vector:
    """The newest sample of each series that is no older than the look-back, at each instant.

    `summed` is of what becomes of them: series that are in one group may be one already.
    """
    at = context.moved(node.offset, node.at)
    lookback = context.semantics.lookback
    found: list[Vector] = []
    for source in context.storage.sources:
        given = None if with_times else _given(context, source, node, at, summed)
        if given is None:
            given = _standing(context, source, node, at, lookback, with_times=with_times)
        found.append(given)
    return joined(found, context.steps)


def _given(
    context: Context, source: Source, node: Selector, at: np.ndarray, summed: Grouping | None
) -> Vector | None:
    """What the source answers itself."""
    semantics = context.semantics
    found = source.answer(Asked("", node.tests(), at, semantics.lookback, semantics.closed, summed=summed))
    if found is not None:
        context.budget.spend(len(found), found.present.size)
        return bounded(found, context.budget)
    return None


def _standing(
    context: Context, source: Source, node: Selector, at: np.ndarray, lookback: Micros, *, with_times: bool
) -> Vector:
    series = _selected(context, source, node, at, lookback, "", at)
    if not len(series):
        return empty(context.steps)
    oldest = at - lookback
    if series.grids is not None:
        return _on_grids(context, series, at, oldest, with_times=with_times)
    last = series.positions(at, after=True) - 1
    known = last >= series.offsets[:-1, None]
    last = np.where(known, last, 0)
    times = series.times[last]
    known &= (times >= oldest) if context.semantics.closed else (times > oldest)
    known &= ~series.is_stale()[last]
    return Vector(
        series.labels,
        series.values[last],
        known,
        None if series.histograms is None else masked(series.histograms[last], known),
        times=times if with_times else None,
    ).pruned()


def _on_grids(
    context: Context, series: SeriesSet, at: np.ndarray, oldest: np.ndarray, *, with_times: bool
) -> Vector:
    shape = (len(series), len(at))
    values, known = np.zeros(shape), np.zeros(shape, dtype=bool)
    times = np.zeros(shape, dtype=np.int64) if with_times else None
    for grid in series.grids or ():
        last = grid.times.searchsorted(at, "right") - 1
        there = last >= 0
        last = np.maximum(last, 0)
        sampled = grid.times[last]
        there &= (sampled >= oldest) if context.semantics.closed else (sampled > oldest)
        found = columns(grid.values, last)
        values[grid.rows] = found
        known[grid.rows] = there if grid.living else there & ~stale(found)
        if times is not None:
            times[grid.rows] = sampled
    return Vector(series.labels, values, known, times=times).pruned()


def _selected(
    context: Context, source: Source, node: Selector, at: np.ndarray, back: Micros, function: str,
    instants: np.ndarray | None = None,
) -> SeriesSet:  # fmt: skip
    step = int(at[1] - at[0]) if len(at) > 1 else 0
    hints = Hints(step, back if function else 0, function, instants, context.budget)
    found = source.select(node.tests(), int(at[0]) - back, int(at[-1]), hints)
    context.budget.spend(len(found), found.size + len(found) * len(at))
    for remark in found.remarks:
        context.annotations.warn(remark, node.place)
    return found


def answered(
    context: Context, node: Range, function: str, args: "list[Value | None]", summed: Grouping | None
) -> tuple[list[Vector], list[Source]]:
    """What sources answer themselves, and the sources of which the samples are needed."""
    parameters = tuple(one.values for one in args if isinstance(one, Scalar))
    texts = tuple(one.value for one in args if isinstance(one, Text))
    given: list[Vector] = []
    rest: list[Source] = []
    selector = node.selector
    asked = Asked(
        function, selector.tests(), context.moved(selector.offset, selector.at), node.length,
        context.semantics.closed, parameters, texts, summed,
    )  # fmt: skip
    for source in context.storage.sources:
        answer = source.answer(asked)
        if answer is None:
            rest.append(source)
        else:
            context.budget.spend(len(answer), answer.present.size)
            given.append(bounded(answer, context.budget))
    return given, rest


def windows(context: Context, node: Range, sources: "list[Source]", function: str = "") -> Windows:
    """The samples in the range before each instant."""
    at = context.moved(node.selector.offset, node.selector.at)
    sets = [_selected(context, source, node.selector, at, node.length, function) for source in sources]
    series = concatenated([found for found in sets if len(found)])
    return cut(context, series.living(), at, node.length)


def samples(context: Context, node: Selector, back: Micros, ahead: Micros) -> SeriesSet:
    """The samples from so long before the first instant to so long after the last; no stale markers."""
    at = context.moved(node.offset, node.at)
    wide = np.array([at[0], at[-1] + ahead], dtype=np.int64)
    sets = [_selected(context, source, node, wide, back, "") for source in context.storage.sources]
    series = concatenated([found for found in sets if len(found)])
    return series.living()


def cut(context: Context, series: SeriesSet, ends: np.ndarray, length: Micros) -> Windows:
    """The windows of one length that end at these instants."""
    return Windows.cut(series, ends - length, ends, closed=context.semantics.closed)


def resolution(context: Context, node: Subquery) -> np.ndarray:
    """The instants at which a subquery's expression is evaluated: multiples of its step, int64 µs."""
    ends = context.moved(node.offset, node.at)
    step = node.step or context.semantics.default_step
    start, end = int(ends[0]) - node.length, int(ends[-1])
    first = -(-start // step) * step
    if first == start and not context.semantics.closed:
        first += step
    context.budget.steps_within((end - first) // step + 1)
    return np.arange(first, end + 1, step, dtype=np.int64)


def resampled(context: Context, node: Subquery, inner: Vector, at: np.ndarray) -> Windows:
    """The cells of a vector as samples, in windows."""
    ends = context.moved(node.offset, node.at)
    if inner.histograms is None and inner.present.all() and len(at):
        grid = Grid(np.arange(len(inner)), at, inner.values)
        return cut(context, SeriesSet.of_grids(inner.labels, [grid], inner.unnamed), ends, node.length)
    rows, steps = np.nonzero(inner.present)
    histograms = None if inner.histograms is None else _unhinted(inner.histograms[rows, steps])
    series = SeriesSet(
        inner.labels,
        np.searchsorted(rows, np.arange(len(inner) + 1)),
        at[steps],
        inner.values[rows, steps],
        histograms,
        inner.unnamed,
    )
    return cut(context, series, ends, node.length)


def _unhinted(histograms: np.ndarray) -> np.ndarray:
    """What is known of the sample before does not hold at other instants."""
    known = {id(one): None if one is None else unhinted(one) for one in histograms}
    out = np.empty(len(histograms), dtype=object)
    out[:] = [known[id(one)] for one in histograms]
    return out


def seconds(times: np.ndarray) -> np.ndarray:
    """µs as seconds, float64."""
    return times / SECOND
