"""`anchored` and `smoothed`: ranges whose edges have values of their own.

An anchored range begins with the sample that stands at its beginning. A smoothed one has at both its edges
what lies on the line between the samples around them. So nothing is drawn out.
"""

from dataclasses import dataclass

import numpy as np

from tui_monitor.model.histogram import CounterReset, NativeHistogram
from tui_monitor.query.promql.ast import Range, Selector
from tui_monitor.query.promql.evaluate import selecting
from tui_monitor.query.promql.evaluate.context import Context
from tui_monitor.query.promql.native import arithmetic
from tui_monitor.query.promql.values import SeriesSet, Vector, Windows, there


def anchored(context: Context, node: Range) -> Windows:
    """The windows, each with the sample before it where that is within the look-back."""
    at = context.moved(node.selector.offset, node.selector.at)
    starts = at - node.length
    series = _around(context, node.selector, node.length, ahead=False)
    low, high = series.positions(starts, after=True), series.positions(at, after=True)
    before, known = _before(context, series, starts)
    low = np.where(known & (low < high), before, low)
    return Windows(series, low, high, starts, at)


def _around(context: Context, node: Selector, length: int, *, ahead: bool) -> SeriesSet:
    """Samples as far as the look-back reaches from the edges."""
    lookback = context.semantics.lookback
    return selecting.samples(context, node, length + lookback, lookback if ahead else 0)


def _before(context: Context, series: SeriesSet, instants: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The last sample at or before each instant, and whether it is within the look-back."""
    last = series.positions(instants, after=True) - 1
    known = last >= series.offsets[:-1, None]
    last = np.where(known, last, 0)
    return last, known & (_times(series)[last] > instants - context.semantics.lookback)


def _times(series: SeriesSet) -> np.ndarray:
    return np.append(series.times, 0)


def _after(context: Context, series: SeriesSet, instants: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first sample after each instant, and whether it is within the look-back."""
    first = series.positions(instants, after=True)
    known = first < series.offsets[1:, None]
    first = np.where(known, first, 0)
    return first, known & (_times(series)[first] <= instants + context.semantics.lookback)


@dataclass(slots=True)
class Smoothed:
    """A range with a value at each of its edges; (series, steps) where nothing else is said."""

    windows: Windows
    known: np.ndarray
    """bool: whether there is a sample on both sides to go by."""
    start: "Edge"
    end: "Edge"


@dataclass(slots=True)
class Edge:
    """Where instants lie between samples: places in the series, equal where only one side is known."""

    before: np.ndarray
    after: np.ndarray
    share: np.ndarray
    """How far it is on the way from one to the other, 0–1."""

    def floats(self, series: SeriesSet, *, counter: bool) -> np.ndarray:
        """The values on the line; that of a counter begins at 0 after a reset."""
        values = np.append(series.values, np.nan)
        before, after = values[self.before], values[self.after]
        fell = after < before if counter else np.zeros(before.shape, dtype=bool)
        return np.where(fell, after * self.share, before + (after - before) * self.share)

    def histogram(self, series: SeriesSet, row: int, step: int, *, counter: bool) -> NativeHistogram:
        """The histogram on the line. Raises `Incompatible`."""
        assert series.histograms is not None
        before: NativeHistogram = series.histograms.item(int(self.before[row, step]))
        after: NativeHistogram = series.histograms.item(int(self.after[row, step]))
        share = float(self.share[row, step])
        if share == 0 or before is after:
            return before
        if counter and arithmetic.fell(after, before):
            arithmetic.aligned([before, after])
            return arithmetic.scaled(after, share)
        return arithmetic.total(
            [arithmetic.scaled(before, 1 - share), arithmetic.unhinted(arithmetic.scaled(after, share))]
        )


def _edge(context: Context, series: SeriesSet, instants: np.ndarray) -> tuple[Edge, np.ndarray, np.ndarray]:
    """The edge at each instant, and whether there is a sample before and after it."""
    before, has_before = _before(context, series, instants)
    after, has_after = _after(context, series, instants)
    times = _times(series)
    with np.errstate(all="ignore"):
        share = (instants - times[before]) / (times[after] - times[before])
    both = has_before & has_after
    return (
        Edge(
            np.where(has_before, before, after),
            np.where(has_after, after, before),
            np.where(both, share, 0.0),
        ),
        has_before,
        has_after,
    )


def smoothed(context: Context, node: Range) -> Smoothed:
    """The windows and their edges."""
    at = context.moved(node.selector.offset, node.selector.at)
    starts = at - node.length
    series = _around(context, node.selector, node.length, ahead=True)
    start, _, begins = _edge(context, series, starts)
    end, ends, _ = _edge(context, series, at)
    low, high = series.positions(starts, after=True), series.positions(at, after=True)
    return Smoothed(Windows(series, low, high, starts, at), begins & ends, start, end)


def smoothed_instant(context: Context, node: Selector) -> Vector:
    """What lies on the line between the samples around each instant; the last one where none follows."""
    at = context.moved(node.offset, node.at)
    series = _around(context, node, 0, ahead=True)
    edge, known, _ = _edge(context, series, at)
    with np.errstate(all="ignore"):
        values = edge.floats(series, counter=False)
    if series.histograms is None:
        return Vector(series.labels, values, known).pruned()
    histograms = np.full(known.shape, None, dtype=object)
    some = np.append(there(series.histograms), False)
    kinds = some[edge.before].astype(int) + some[edge.after]
    for row, step in np.argwhere(known & (kinds > 0)).tolist():
        known[row, step] = False
        first = series.histograms.item(int(edge.before[row, step]))
        try:
            if kinds[row, step] == 1:
                raise arithmetic.Incompatible
            counter = first.reset is not CounterReset.GAUGE
            histograms[row, step] = edge.histogram(series, row, step, counter=counter)
        except arithmetic.Incompatible:
            context.annotations.warn("samples of different kinds cannot be smoothed", node.place)
            continue
        known[row, step] = True
    return Vector(series.labels, values, known, histograms).pruned()
