"""Facts into groups × windows, with numpy. Cost grows with the rows, not with the windows."""

from collections.abc import Mapping, Sequence

import numpy as np

from tui_monitor.model.arrays import distinct
from tui_monitor.model.errors import QueryError
from tui_monitor.model.histogram import SCALE, ZERO_BUCKET, middle
from tui_monitor.query.result import Labels
from tui_monitor.query.windows import Windows
from tui_monitor.store.api import LabelColumn

MAX_VALUES = 3_000_000
"""Groups × windows of one answer."""
MAX_SERIES = 100_000
"""Groups of one answer."""
_DENSE = 1 << 20
"""Cells × different buckets up to which each has a place of its own; more are sorted."""
_FEW_CELLS = 1_000
"""Cells up to which each is looked at by itself."""
_BUCKET_BITS = 17
_BUCKET_ZERO = 1 << (_BUCKET_BITS - 1)


class Grid:
    """Numbers the cells of groups × windows; groups are found as rows come."""

    def __init__(self, windows: Windows, by: Sequence[str]) -> None:
        self.windows = windows
        self._by = tuple(by)
        self._groups: dict[tuple[str, ...], int] = {}

    @property
    def size(self) -> int:
        """Cells."""
        return len(self._groups) * len(self.windows)

    def place(self, ends: np.ndarray, columns: Mapping[str, LabelColumn], text: str = "") -> np.ndarray:
        """The cell of each row. Raises `QueryError` when there are too many."""
        groups = self._group(columns, len(ends), text)
        if self.size > MAX_VALUES:
            raise QueryError(
                f"the answer has more than {MAX_VALUES:,} values",
                text=text, length=len(text),
                hint="group by fewer labels, or take a longer step",
            )  # fmt: skip
        return groups * len(self.windows) + self.windows.index(ends)

    def group(self, values: tuple[str, ...]) -> int:
        """The number of a group, by the values of its labels."""
        return self._groups.setdefault(values, len(self._groups))

    def labels(self, names: Sequence[str]) -> list[Labels]:
        """The groups' labels under these names, in order of their numbers."""
        return [tuple(sorted(zip(names, values, strict=True))) for values in self._groups]

    def table(self, flat: np.ndarray) -> np.ndarray:
        """Cells as groups × windows."""
        return flat.reshape(len(self._groups), len(self.windows))

    def _group(self, columns: Mapping[str, LabelColumn], rows: int, text: str) -> np.ndarray:
        if not rows:
            return np.zeros(0, dtype=np.int64)
        found, code = np.zeros(1, dtype=np.int64), np.zeros(rows, dtype=np.int64)
        for name in self._by:
            column = columns[name]
            # Numbered anew each time, the codes of many labels never outgrow an integer.
            found, code = distinct(code * len(column.values) + column.codes)
        first = np.zeros(len(found), dtype=np.int64)
        # Of several that are put in one place the last stays.
        first[code[::-1]] = np.arange(rows - 1, -1, -1)
        if max(len(first), len(self._groups)) > MAX_SERIES:
            raise QueryError(
                f"the answer has more than {MAX_SERIES:,} series",
                text=text, length=len(text),
                hint="group by fewer labels, or ask for less with {label=\"…\"}",
            )  # fmt: skip
        chosen = [[columns[n].values[columns[n].codes[i]] or "" for n in self._by] for i in first.tolist()]
        return np.array([self.group(tuple(values)) for values in chosen], dtype=np.int64)[code]


def sums(cells: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """The sum of each cell's values, exact for integers."""
    out = np.zeros(size, dtype=values.dtype)
    np.add.at(out, cells, values)
    return out


def least(cells: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """The least of each cell's values; NaN where there is none. NaN values do not count."""
    out = np.full(size, np.nan)
    np.fmin.at(out, cells, values)
    return out


def greatest(cells: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """The greatest of each cell's values; NaN where there is none."""
    out = np.full(size, np.nan)
    np.fmax.at(out, cells, values)
    return out


def rank_of_values(
    q: float, cells: np.ndarray, values: np.ndarray, size: int, counts: np.ndarray | None = None
) -> np.ndarray:
    """The value of rank ⌈q·n⌉ of each cell (nearest rank); NaN where there is none.

    `counts` tells how often each value counts, where that is not once.
    """
    if counts is None:
        counts = np.ones(len(values), dtype=np.int64)
    if size <= _FEW_CELLS and len(values) and (counts == counts[0]).all():
        # Each as often as the others: the rank among them is the same, and nothing needs to be in order.
        return _ranks_apart(q, cells, values, size)
    order = np.lexsort((values, cells))
    ranked = values[order]
    total = sums(cells, counts, size)
    out = np.full(size, np.nan)
    filled = np.flatnonzero(total)
    start = (np.cumsum(total) - total)[filled]
    at = np.searchsorted(np.cumsum(counts[order]), start + _rank(q, total[filled]), side="left")
    out[filled] = ranked[at]
    return out


def _ranks_apart(q: float, cells: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """`rank_of_values` of few cells: each cell's values are parted at the rank."""
    out = np.full(size, np.nan)
    # Numbers of two bytes are sorted by their digits.
    apart = values[np.argsort(cells.astype(np.uint16), kind="stable")]
    total = np.bincount(cells, minlength=size)
    ends = np.cumsum(total)
    for cell in np.flatnonzero(total).tolist():
        mine = apart[ends[cell] - total[cell] : ends[cell]]
        rank = int(_rank(q, total[cell : cell + 1])[0]) - 1
        out[cell] = np.partition(mine, rank)[rank]
    return out


def rank_of_buckets(
    q: float, cells: np.ndarray, buckets: np.ndarray, counts: np.ndarray, size: int
) -> np.ndarray:
    """The middle of the bucket that holds the value of rank ⌈q·n⌉ of each cell; NaN where there is none."""
    out = np.full(size, np.nan)
    if not len(buckets):
        return out
    low = int(buckets.min())
    there = np.zeros(int(buckets.max()) - low + 1, dtype=bool)
    there[buckets - low] = True
    found = np.flatnonzero(there) + low
    if size * len(found) <= _DENSE:
        codes = cells * len(found) + (np.cumsum(there) - 1)[buckets - low]
        table = sums(codes, counts.astype(np.int64), size * len(found)).reshape(size, len(found))
        reached = np.cumsum(table, axis=1)
        filled = np.flatnonzero(reached[:, -1])
        before = reached[filled] < _rank(q, reached[filled, -1])[:, None]
        out[filled] = middles(found[before.sum(axis=1)])
        return out
    code, inverse = np.unique(
        (cells.astype(np.int64) << _BUCKET_BITS) + (buckets.astype(np.int64) + _BUCKET_ZERO),
        return_inverse=True,
    )
    merged = sums(inverse, counts.astype(np.int64), len(code))
    cell = code >> _BUCKET_BITS
    upto = np.cumsum(merged)
    total = sums(cell, merged, size)
    filled = np.flatnonzero(total)
    start = (np.cumsum(total) - total)[filled]
    at = np.searchsorted(upto, start + _rank(q, total[filled]), side="left")
    out[filled] = middles((code[at] & ((1 << _BUCKET_BITS) - 1)) - _BUCKET_ZERO)
    return out


def middles(buckets: np.ndarray) -> np.ndarray:
    """`model.histogram.middle` for an array."""
    values = middle(0) * np.exp2(buckets / (1 << SCALE))
    return np.where(buckets == ZERO_BUCKET, 0.0, values)


def clamp(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The values brought between the extremes; NaN where a value or its extremes are NaN."""
    return np.minimum(np.maximum(values, low), high)


def divide(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Quotients; NaN where nothing is divided by nothing, or anything by 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below != 0, np.divide(above, below), np.nan)


def _rank(q: float, counts: np.ndarray) -> np.ndarray:
    return np.maximum(1, np.ceil(q * counts - 1e-9)).astype(np.int64)
