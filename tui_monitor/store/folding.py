"""A block's cells with those label sets put together that differ only in what is not asked for.

Hours and days are kept by user, project, team and more; most questions ask by provider and model alone, and
then look at a tenth of the rows. What was put together is kept with the other columns read lately.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tui_monitor.model.arrays import distinct, merged
from tui_monitor.store.blobs import UNKNOWN, Integers
from tui_monitor.store.dictionary import SERIES_MASK
from tui_monitor.store.spreads import Spread, Spreads

if TYPE_CHECKING:
    from tui_monitor.store.blocks import Block

Alike = Callable[[np.ndarray], np.ndarray]
"""For the numbers of label sets, ascending: the least of those that are alike, for each."""
_ROOM = 32
"""Places of a table for each count that is put together."""
_LATEST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class _Order:
    """The rows of a block in order of their new keys."""

    order: np.ndarray
    starts: np.ndarray
    """Where the rows of each new key begin."""
    key: np.ndarray

    @property
    def size(self) -> int:
        """Bytes it takes."""
        return self.order.nbytes + self.starts.nbytes + self.key.nbytes


@dataclass(frozen=True, slots=True)
class Folded:
    """A block read so; a label set stands for all that are alike. Reading may raise `StoreError`."""

    block: "Block"
    alike: Alike

    def integers(self, conn: sqlite3.Connection, name: str, at: slice) -> np.ndarray:
        """Some rows of a column: sums, and extremes of `_low` and `_high`; `UNKNOWN` where there is none."""
        found: Integers = self.block.once(f"{name} folded", lambda: self._column(conn, name))
        return found.at(at)

    def histogram(self, conn: sqlite3.Connection, name: str, at: slice) -> Spread:
        """(row, bucket, count) of some rows of a column of histograms."""
        found: Spreads = self.block.once(f"{name} folded", lambda: self._spreads(conn, name))
        return found.at(at)

    def _column(self, conn: sqlite3.Connection, name: str) -> Integers:
        by = self._order(conn)
        if name == "key":
            return Integers.of(by.key)
        values = self._unkept.integers(conn, name)[by.order]
        if name.endswith("_high"):
            # What is unknown is less than everything.
            return Integers.of(np.maximum.reduceat(values, by.starts))
        if name.endswith("_low"):
            least = np.minimum.reduceat(np.where(values == UNKNOWN, _LATEST, values), by.starts)
            return Integers.of(np.where(least == _LATEST, UNKNOWN, least))
        return Integers.of(np.add.reduceat(values, by.starts))

    def _spreads(self, conn: sqlite3.Connection, name: str) -> Spreads:
        by = self._order(conn)
        sizes = np.diff(by.starts, append=len(by.order))
        new = np.empty(len(by.order), dtype=np.int64)
        new[by.order] = np.repeat(np.arange(len(sizes)), sizes)
        row, bucket, count = self._unkept.histogram(conn, name)
        row, bucket, count = merged(new[row], bucket, count, _ROOM)
        order = np.argsort(row, kind="stable")
        narrow = count[order].astype(np.min_scalar_type(int(count.max(initial=0))))
        return Spreads(row[order].astype(np.int32), bucket[order].astype(np.int16), Integers.of(narrow))

    def _order(self, conn: sqlite3.Connection) -> _Order:
        return self.block.once("order folded", lambda: self._ordered(conn))

    def _ordered(self, conn: sqlite3.Connection) -> _Order:
        keys = self._unkept.integers(conn, "key")
        sets, which = distinct(keys & SERIES_MASK)
        keys = (keys & ~np.int64(SERIES_MASK)) + self.alike(sets)[which]
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        starts = np.flatnonzero(np.diff(keys, prepend=-1))
        return _Order(order.astype(np.int32), starts, keys[starts])

    @property
    def _unkept(self) -> "Block":
        """The block itself, of which nothing is kept: its columns are needed once."""
        return replace(self.block, kept=None)
