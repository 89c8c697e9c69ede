"""Texts and label sets, each stored once and meant by a number."""

import json
import sqlite3
import threading
from collections.abc import Iterable

from tui_monitor.model.call import DIMENSIONS, FINE_DIMENSIONS, Call
from tui_monitor.store.decoded import Decoded
from tui_monitor.store.labelsets import LabelSet, LabelSets

SERIES_BITS = 32
SERIES_MASK = (1 << SERIES_BITS) - 1
"""The part of a cell's key that is the number of a label set."""
_ENOUGH = 200_000
"""Entries a cache may hold before it starts anew."""


def label_set(call: Call) -> LabelSet:
    """The labels that a call is summed under."""
    return (
        call.provider, call.model, call.operation, call.status, call.error_category,
        call.user, call.project, call.team, call.key, call.agent, call.host, call.app,
    )  # fmt: skip


class Terms:
    """Texts for the writer: finds their numbers, makes new ones. `forget` after a rollback."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._ids: dict[str, int] = {}
        self.handed: set[int] | None = None
        """Numbers looked up since this was made a set; `forget` leaves them."""

    def id(self, text: str | None) -> int | None:
        """The number of a text, new if need be; `None` for unknown."""
        if text is None:
            return None
        number = self._ids.get(text)
        if number is None:
            row = self._conn.execute("SELECT id FROM terms WHERE text = ?", (text,)).fetchone()
            number = row[0] if row else self._make(text)
            if len(self._ids) >= _ENOUGH:
                self._ids.clear()
            self._ids[text] = number
            if self.handed is not None:
                self.handed.add(number)
        return number

    def find(self, text: str) -> int | None:
        """The number of a text that is stored already."""
        row = self._conn.execute("SELECT id FROM terms WHERE text = ?", (text,)).fetchone()
        return row[0] if row else None

    def forget(self) -> None:
        """Empty the cache."""
        self._ids.clear()

    def _make(self, text: str) -> int:
        number = self._conn.execute("INSERT INTO terms (text) VALUES (?)", (text,)).lastrowid
        assert number is not None
        return number


class SeriesKeys:
    """Label sets for the writer. `forget` after a rollback."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._ids: dict[LabelSet, int] = {}
        self._fine: dict[int, int] = {}
        self.handed: set[int] | None = None
        """Numbers looked up since this was made a set; `forget` leaves them."""

    def id(self, labels: LabelSet) -> int:
        """The number of a whole label set, new if need be."""
        number = self._ids.get(labels)
        if number is None:
            if len(self._ids) >= _ENOUGH:
                self.forget()
            fine = self._find_or_make(labels[: len(FINE_DIMENSIONS)], None)
            number = self._find_or_make(labels, fine)
            self._ids[labels] = number
            self._fine[number] = fine
            if self.handed is not None:
                self.handed |= {number, fine}
        return number

    def fine(self, number: int) -> int:
        """The number of the coarser set that a whole one is part of."""
        fine = self._fine.get(number)
        if fine is None:
            (fine,) = self._conn.execute("SELECT fine FROM series_keys WHERE id = ?", (number,)).fetchone()
            self._fine[number] = fine
        return fine

    def members(self, fine: int) -> list[int]:
        """Whole label sets that belong to a coarser one."""
        return [n for (n,) in self._conn.execute("SELECT id FROM series_keys WHERE fine = ?", (fine,))]

    def forget(self) -> None:
        """Empty the caches."""
        self._ids.clear()
        self._fine.clear()

    def _find_or_make(self, labels: LabelSet, fine: int | None) -> int:
        text = json.dumps(labels, ensure_ascii=False, separators=(",", ":"))
        row = self._conn.execute("SELECT id FROM series_keys WHERE labels = ?", (text,)).fetchone()
        if row:
            return row[0]
        cursor = self._conn.execute("INSERT INTO series_keys (labels, fine) VALUES (?, ?)", (text, fine))
        assert cursor.lastrowid is not None
        return cursor.lastrowid


class Lookup:
    """What readers of any thread share: texts and label sets, whose numbers never change, and columns."""

    def __init__(self) -> None:
        self.columns = Decoded()
        self.sets = LabelSets()
        self._lock = threading.Lock()
        self._terms: dict[int, str] = {}

    def terms(self, conn: sqlite3.Connection, ids: Iterable[int]) -> dict[int, str]:
        """The texts of these numbers."""
        wanted = set(ids)
        with self._lock:
            found = {n: self._terms[n] for n in wanted if n in self._terms}
        missing = list(wanted - found.keys())
        if missing:
            rows = conn.execute(
                "SELECT id, text FROM terms WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(missing),),
            )
            fresh = dict(rows.fetchall())
            found |= fresh
            with self._lock:
                if len(self._terms) > _ENOUGH:
                    self._terms.clear()
                self._terms |= fresh
        return found


def highest(conn: sqlite3.Connection) -> int:
    """No label set has a higher number, nor had one."""
    row = conn.execute("SELECT seq FROM sqlite_sequence WHERE name = 'series_keys'").fetchone()
    return row[0] if row else 0


def values(conn: sqlite3.Connection, label: str) -> Iterable[tuple[str | None]]:
    """The different values of a dimension, as rows."""
    path = f"$[{DIMENSIONS.index(label)}]"
    return conn.execute(
        "SELECT DISTINCT json_extract(labels, ?) FROM series_keys WHERE fine IS NOT NULL", (path,)
    )


def sweep(conn: sqlite3.Connection, sealed: Iterable[int], fine: Iterable[int]) -> None:
    """Forget label sets that no call and no cell has any more.

    `sealed` are those of sealed calls and of packed hours and days, `fine` those of packed minutes. Looks
    at all of them.
    """
    conn.execute(
        """DELETE FROM series_keys WHERE fine IS NOT NULL AND id NOT IN (SELECT series FROM calls
        UNION SELECT value FROM json_each(?2)
        UNION SELECT key & ?1 FROM hour UNION SELECT key & ?1 FROM day)""",
        (SERIES_MASK, json.dumps(sorted(sealed))),
    )
    conn.execute(
        """DELETE FROM series_keys WHERE fine IS NULL AND id NOT IN (
        SELECT fine FROM series_keys WHERE fine IS NOT NULL
        UNION SELECT value FROM json_each(?2) UNION SELECT key & ?1 FROM minute)""",
        (SERIES_MASK, json.dumps(sorted(fine))),
    )
