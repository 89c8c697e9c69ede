"""Differences over anchored and smoothed ranges: nothing is drawn out, as the edges have values."""

import numpy as np

from tui_monitor.model.clock import SECOND
from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.query.promql.ast import Range, bare
from tui_monitor.query.promql.evaluate.calling import Calling
from tui_monitor.query.promql.evaluate.edges import Smoothed, anchored, smoothed
from tui_monitor.query.promql.evaluate.windowing import filled, spread
from tui_monitor.query.promql.functions.rates import FUNCTIONS as PLAIN
from tui_monitor.query.promql.functions.rates import lost
from tui_monitor.query.promql.native import arithmetic, ranges
from tui_monitor.query.promql.values import Vector, Windows

_COUNTERS = frozenset({"rate", "increase"})


def extended(call: Calling) -> Vector:
    """The call of a function whose only argument is an anchored or smoothed range."""
    node = bare(call.node.args[0])
    assert isinstance(node, Range)
    if node.selector.edges == "anchored":
        call.args = [anchored(call.context, node)]
        if call.node.function in ("changes", "resets"):
            result = PLAIN[call.node.function](call)
            assert isinstance(result, Vector)
            return result
        return _anchored(call)
    edges = smoothed(call.context, node)
    call.args = [edges.windows]
    return _smoothed(call, edges)


def _lengths(call: Calling, windows: Windows) -> np.ndarray:
    """What a difference is divided by at each step."""
    whole = (windows.end - windows.start) / SECOND
    return whole if call.node.function == "rate" else np.ones_like(whole)


def _anchored(call: Calling) -> Vector:
    windows, counter = call.windows(), call.node.function in _COUNTERS
    known, low, high = filled(windows)
    values = windows.series.values
    with np.errstate(all="ignore"):
        risen = values[high - 1] - values[low]
        if counter:
            risen = risen + lost(windows.series, low, high)
    lengths = _lengths(call, windows)
    base = spread(windows, known, risen)
    base.values = base.values / lengths

    remarks = ranges.Remarks(call)

    def one(row: int, step: int) -> NativeHistogram | None:
        histograms = ranges.window(windows, row, step)
        found = ranges.risen_of(histograms, remarks, row, counter=counter)
        return None if found is None else arithmetic.divided(found, float(lengths[step]))

    return base if windows.series.histograms is None else ranges.with_histograms(call, windows, base, 1, one)


def _smoothed(call: Calling, edges: Smoothed) -> Vector:
    windows, counter = edges.windows, call.node.function in _COUNTERS
    series, lengths = windows.series, _lengths(call, windows)
    with np.errstate(all="ignore"):
        start, end = edges.start.floats(series, counter=counter), edges.end.floats(series, counter=counter)
        risen = end - start
        if counter:
            risen = risen + _lost_within(windows, end)
    base = Vector(series.labels, risen / lengths, edges.known)
    if series.histograms is None:
        return base

    remarks = ranges.Remarks(call)

    def one(row: int, step: int) -> NativeHistogram | None:
        try:
            first = edges.start.histogram(series, row, step, counter=counter)
            last = edges.end.histogram(series, row, step, counter=counter)
        except arithmetic.Incompatible:
            remarks.warn(ranges.MIXED_SCHEMAS, row)
            return None
        # A reset before the next sample is in the value of the edge already.
        following, *rest = [*ranges.window(windows, row, step), last]
        histograms = [first, arithmetic.unhinted(following), *rest]
        found = ranges.risen_of(histograms, remarks, row, counter=counter)
        return None if found is None else arithmetic.divided(found, float(lengths[step]))

    low = np.where(edges.known, edges.start.before, 0)
    around = Windows(series, low, np.where(edges.known, edges.end.after + 1, low), windows.start, windows.end)
    return ranges.with_histograms(call, around, base, 1, one)


def _lost_within(windows: Windows, end: np.ndarray) -> np.ndarray:
    """What a counter lost within each window, the way to the edge's value among it."""
    known, low, high = filled(windows)
    out = np.zeros(known.shape)
    last = windows.series.values[high - 1]
    out[known] = lost(windows.series, low, high) + np.where(end[known] < last, last, 0.0)
    return out
