"""Texts and label sets that nothing refers to any more are taken out, some thousand at a time.

What is referred to is gathered beside the writer; what the writer handed out since then is spared, and its
caches are emptied before it goes on. The highest number of a text is never taken out: numbers of texts would
be given anew, and readers remember what each means.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress

import numpy as np

from tui_monitor.store import blobs, blocks, opening, segments
from tui_monitor.store.dictionary import SERIES_MASK, SeriesKeys, Terms
from tui_monitor.store.segments import Segment
from tui_monitor.store.writing import WriteSide

_STEP = 2_000
"""Rows looked at in one transaction."""


def sweep(side: WriteSide) -> int:
    """Take out what is unused; how many. `upkeep` is held, so that nothing is sealed meanwhile."""
    with side.guard:
        # What is asked for from now on is asked of the table, and noted.
        side.forget()
        side.terms.handed, side.keys.handed = set(), set()
    try:
        with closing(opening.connect_reader(side.path)) as reader:
            reader.execute("BEGIN")
            terms, sets = _terms(reader), _sets(reader)
            reader.execute("ROLLBACK")
        # A set leads to its coarser one, so that goes after it.
        return (
            _take(side, "terms", "", terms, side.terms)
            + _take(side, "series_keys", "fine IS NOT NULL", sets, side.keys)
            + _take(side, "series_keys", "fine IS NULL", sets, side.keys)
        )
    finally:
        with side.guard:
            side.terms.handed = side.keys.handed = None


class _Used:
    """Numbers that are referred to: a byte each. Those beyond the highest came since, and are not judged."""

    def __init__(self, conn: sqlite3.Connection, table: str) -> None:
        (self.highest,) = conn.execute(f"SELECT ifnull(max(id), 0) FROM {table}").fetchone()
        self._marks = np.zeros(self.highest + 1, dtype=bool)

    def add(self, numbers: Iterable[int]) -> None:
        """These are."""
        found = np.fromiter(numbers, dtype=np.int64)
        self._marks[found[(found >= 0) & (found <= self.highest)]] = True

    def select(self, conn: sqlite3.Connection, sql: str) -> None:
        """Those that a query of one column finds are."""
        for (number,) in conn.execute(sql):
            if number is not None and number <= self.highest:
                self._marks[number] = True

    def __contains__(self, number: int) -> bool:
        return number > self.highest or bool(self._marks[number])


def _terms(conn: sqlite3.Connection) -> _Used:
    """Every column whose name ends in _t holds numbers of texts, in tables and in segments."""
    used = _Used(conn, "terms")
    used.add([used.highest])
    used.select(conn, "SELECT session FROM sessions")
    for (table,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for row in conn.execute(f"PRAGMA table_info({table})").fetchall():
            if row[1].endswith("_t"):
                used.select(conn, f"SELECT DISTINCT {row[1]} FROM {table}")
    names = [name for name in segments.INTEGERS if name.endswith("_t")]
    for segment in segments.every(conn):
        for name in names:
            used.add(_values(segment, name))
    for name in names:
        _add_set_aside(conn, name, used)
    return used


def _sets(conn: sqlite3.Connection) -> _Used:
    used = _Used(conn, "series_keys")
    used.select(conn, "SELECT series FROM calls")
    for table in ("minute", "hour", "day"):
        used.select(conn, f"SELECT DISTINCT key & {SERIES_MASK} FROM {table}")
    used.add(blocks.sets_in(conn, blocks.LAYERS))
    for segment in segments.every(conn):
        used.add(_values(segment, "series"))
    _add_set_aside(conn, "series", used)
    for number, fine in conn.execute("SELECT id, fine FROM series_keys WHERE fine IS NOT NULL"):
        if number in used:
            used.add([fine])
    return used


def _values(segment: Segment, name: str) -> Iterable[int]:
    zone = segment.zones.get(name)
    if zone is not None:
        return [number for number in zone if number is not None]
    return np.unique(segment.integers(name)[segment.left()]).tolist()


def _add_set_aside(conn: sqlite3.Connection, name: str, used: _Used) -> None:
    """What can be read of segments that were set aside may be wanted again."""
    rows = conn.execute("SELECT data FROM segment_columns WHERE segment < 0 AND name = ?", (name,))
    for (blob,) in rows:
        with suppress(blobs.Damaged):
            used.add(np.unique(blobs.unpack_integers(blob)).tolist())


def _take(side: WriteSide, table: str, which: str, used: _Used, cache: Terms | SeriesKeys) -> int:
    """Take out the rows of a table that are not used, and that the writer did not ask for since."""
    taken, after = 0, 0
    condition = f" AND {which}" if which else ""
    while True:
        with side.transaction():
            conn = side.conn
            rows = conn.execute(
                f"SELECT id FROM {table} WHERE id > ?{condition} ORDER BY id LIMIT ?", (after, _STEP)
            ).fetchall()
            handed = cache.handed or set()
            unused = [row for row in rows if row[0] not in used and row[0] not in handed]
            if unused:
                conn.executemany(f"DELETE FROM {table} WHERE id = ?", unused)
                # Nothing that is left is read otherwise; who looks on sees that there is less.
                side.changes.save(side.conn)
        if not rows:
            return taken
        taken, after = taken + len(unused), rows[-1][0]
