"""Computing over windows without a loop over steps: sums by segment, windows of equal count as matrices."""

from collections.abc import Callable, Iterator

import numpy as np

from tui_monitor.query.promql.evaluate.calling import Calling
from tui_monitor.query.promql.sums import exact_sum
from tui_monitor.query.promql.values import Vector, Windows

_CHUNK = 4_000_000
"""Samples that are gathered at a time."""
_LOST = 1e-9
"""Share of the greatest part that a sum must keep, or it is summed exactly."""


def segments(operation: np.ufunc, values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The operation over `values[low:high]` for each pair; only where there is something."""
    pairs = np.empty(2 * len(low), dtype=np.int64)
    pairs[::2], pairs[1::2] = low, high
    # An index may not be the length of the array.
    return operation.reduceat(np.append(values, values[-1:]), pairs)[::2]


def sums(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The sum of each segment, as exact as floats go also where great parts cancel out."""
    with np.errstate(all="ignore"):
        total = segments(np.add, values, low, high)
        parts = segments(np.add, np.abs(values), low, high)
    suspect = np.flatnonzero(np.isfinite(parts) & (np.abs(total) < _LOST * parts))
    for at in suspect.tolist():
        total[at] = exact_sum(values[low[at] : high[at]])
    return total


def filled(windows: Windows, least: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which windows have so many samples (series, steps), and their first and after-last places (flat)."""
    known = windows.counts >= least
    return known, windows.low[known], windows.high[known]


def spread(windows: Windows, known: np.ndarray, results: np.ndarray) -> Vector:
    """A vector with the results of the windows that are known."""
    values = np.zeros(known.shape)
    values[known] = results
    return Vector(windows.series.labels, values, known, None, windows.series.unnamed)


def matrices(call: Calling, low: np.ndarray, high: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Windows of equal count together: which they are, and the places of their samples (windows, count)."""
    counts = high - low
    order = np.argsort(counts, kind="stable")
    bounds = np.flatnonzero(np.diff(counts[order])) + 1
    for group in np.split(order, bounds):
        if not len(group):
            continue
        count = int(counts[group[0]])
        size = max(1, _CHUNK // count)
        for begin in range(0, len(group), size):
            call.context.budget.check()
            part = group[begin : begin + size]
            yield part, low[part][:, None] + np.arange(count)


def by_matrix(
    call: Calling, windows: Windows, compute: Callable[[np.ndarray, np.ndarray], np.ndarray], least: int = 1
) -> Vector:
    """A result for each window with so many samples; `compute` gets places (windows, count), and which."""
    known, low, high = filled(windows, least)
    results = np.empty(len(low))
    with np.errstate(all="ignore"):
        for part, places in matrices(call, low, high):
            results[part] = compute(places, part)
    return spread(windows, known, results)


def steps_of(known: np.ndarray) -> np.ndarray:
    """The step of each window that is known, in their order."""
    return np.nonzero(known)[1]
