"""Windows in parts: series with the same times as a matrix, cut so that a part stays in a processor's cache.

Where the edges of windows lie is found once for each grid of series; what is computed of them has one row
then, and is spread over the series by numpy. Series that are in no grid make one part, by their places.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tui_monitor.query.promql.evaluate.calling import Calling
from tui_monitor.query.promql.evaluate.windowing import segments, sums
from tui_monitor.query.promql.sums import exact_sum
from tui_monitor.query.promql.values import Grid, SeriesSet, Vector, Windows, columns

_CELLS = 1 << 16
"""Cells of one part, about."""
_LOST = 1e-9


@dataclass(slots=True)
class Block:
    """Some series of a range vector. Places are int64 (1 or rows, steps), in what `values` has."""

    rows: np.ndarray
    """Which series of the set."""
    values: np.ndarray
    """float64: (rows, times) of a grid, else those of the whole set one after another."""
    times: np.ndarray
    """int64 µs: of the columns, or of all samples."""
    low: np.ndarray
    high: np.ndarray
    series: SeriesSet

    @property
    def is_grid(self) -> bool:
        """Whether all have the same times."""
        return self.values.ndim == 2

    @property
    def counts(self) -> np.ndarray:
        """How many samples there are."""
        return self.high - self.low

    def first(self, least: int) -> np.ndarray:
        """The place of the first sample; any place where there are fewer than so many."""
        return np.where(self.counts >= least, self.low, 0)

    def last(self, least: int) -> np.ndarray:
        """The place of the last sample; any place where there are fewer than so many."""
        return np.where(self.counts >= least, self.high - 1, min(least, len(self.times)) - 1)

    def at(self, places: np.ndarray) -> np.ndarray:
        """float64 (rows, steps): the values at these places."""
        return columns(self.values, places[0]) if self.is_grid else self.values[places]

    def at_times(self, places: np.ndarray) -> np.ndarray:
        """int64 µs (1 or rows, steps): the times at these places."""
        return self.times[places]


def blocks(call: Calling, windows: Windows) -> Iterator[Block]:
    """The parts with any sample at all; cancelling is looked for between them."""
    series, steps = windows.series, len(windows.end)
    edges = [windows.edges_in(grid) for grid in series.grids or ()]
    if series.grids is None or None in edges:
        if series.size:
            rows = np.arange(len(series))
            yield Block(rows, series.values, series.times, windows.low, windows.high, series)
        return
    for grid, found in zip(series.grids, edges, strict=True):
        assert found is not None
        yield from _parts(call, series, grid, found, steps)


def _parts(
    call: Calling, series: SeriesSet, grid: Grid, edges: tuple[np.ndarray, np.ndarray], steps: int
) -> Iterator[Block]:
    low, high = edges
    # Instants ascend, so places do.
    first, last = int(low[0]), int(high[-1])
    if first >= last:
        return
    times = grid.times[first:last]
    low, high = (low - first)[None], (high - first)[None]
    size = max(1, _CELLS // max(steps, last - first))
    for at in range(0, len(grid.rows), size):
        call.context.budget.check()
        part = slice(at, at + size)
        yield Block(grid.rows[part], grid.values[part, first:last], times, low, high, series)


Computed = tuple[np.ndarray, np.ndarray]
"""float64 and bool, each (1 or rows, steps): results, and which of them are known."""


def by_block(call: Calling, windows: Windows, compute: Callable[[Block], Computed]) -> Vector:
    """What is computed of each part, as one vector."""
    shape = (len(windows.series), len(windows.end))
    values, present = np.zeros(shape), np.zeros(shape, dtype=bool)
    with np.errstate(all="ignore"):
        for block in blocks(call, windows):
            values[block.rows], present[block.rows] = compute(block)
    return Vector(windows.series.labels, values, present, None, windows.series.unnamed)


def extremes(block: Block, operation: np.ufunc) -> Computed:
    """The least or greatest of each window. `operation` may see a value twice."""
    known = block.counts > 0
    if not block.is_grid:
        out = np.zeros(known.shape)
        out[known] = segments(operation, block.values, block.low[known], block.high[known])
        return out, known
    out = np.zeros((len(block.rows), known.shape[1]))
    low, high, counts = block.low[0], block.high[0], block.counts[0]
    table, size = block.values, 1
    # Each window is two runs of a power of two samples, which overlap.
    while size <= counts.max():
        steps = np.flatnonzero((counts >= size) & (counts < 2 * size))
        if len(steps):
            out[:, steps] = operation(columns(table, low[steps]), columns(table, high[steps] - size))
        if 2 * size <= counts.max():
            table = operation(table[:, :-size], table[:, size:])
        size *= 2
    return out, known


def totals(block: Block) -> Computed:
    """The sum of each window, as exact as floats go also where great parts cancel out."""
    known = block.counts > 0
    if not block.is_grid:
        out = np.zeros(known.shape)
        out[known] = sums(block.values, block.low[known], block.high[known])
        return out, known
    steps = np.flatnonzero(known[0])
    low, high = block.low[0, steps], block.high[0, steps]
    out = np.zeros((len(block.rows), known.shape[1]))
    found = _summed(block.values, low, high)
    if not (block.values >= 0).all():
        parts = _summed(np.abs(block.values), low, high)
        suspect = np.argwhere(np.isfinite(parts) & (np.abs(found) < _LOST * parts))
        for row, step in suspect.tolist():
            found[row, step] = exact_sum(block.values[row, low[step] : high[step]])
    out[:, steps] = found
    return out, known


def _summed(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    pairs = np.empty(2 * len(low), dtype=np.int64)
    pairs[::2], pairs[1::2] = low, high
    if len(high) and high.max() == values.shape[1]:
        # An index may not be the number of columns.
        values = np.append(values, values[:, -1:], axis=1)
    return np.add.reduceat(values, pairs, axis=1)[:, ::2]
