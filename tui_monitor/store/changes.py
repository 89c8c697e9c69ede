"""When something last changed, by kind and day of UTC: what tells whether an answer still holds.

Whoever changes what a query could see says of which days, or that it may be anything. A version is that of
the whole database (`Reader.version`): a day has the one with which it changed last.
"""

import sqlite3
from collections.abc import Collection, Iterable
from enum import IntEnum
from typing import TYPE_CHECKING

from tui_monitor.model.clock import DAY
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import Part, PartKind

if TYPE_CHECKING:
    import numpy as np

_MANY = 2_000
"""Days noted one by one; where more change at once, everything is said to."""
_LEAST, _MOST = -(1 << 62), 1 << 62


class Kind(IntEnum):
    """What changed. Numbers are stored."""

    CALLS = 0
    """Calls, in every layer."""
    RAW = 1
    """Single calls alone: they went, and their sums stayed."""
    CELLS = 2
    """Sums alone."""
    SAMPLES = 3
    EVENTS = 4


_RESTS_ON: dict[PartKind, tuple[Kind, ...]] = {
    "raw": (Kind.CALLS, Kind.RAW),
    "cells": (Kind.CALLS, Kind.CELLS),
    "samples": (Kind.SAMPLES,),
    "events": (Kind.EVENTS,),
}


class Changes:
    """What one transaction changes."""

    def __init__(self) -> None:
        self._days: set[tuple[Kind, int]] = set()
        self._all = False

    def clear(self) -> None:
        """A transaction begins."""
        self._days.clear()
        self._all = False

    def at(self, kind: Kind, instants: "np.ndarray") -> None:
        """Something changed at these times (int64 µs)."""
        if len(instants):
            low, high = int(instants.min()) // DAY, int(instants.max()) // DAY
            # Calls and samples come in order of time, nearly always all of one day.
            self.days(kind, (low,) if low == high else set((instants // DAY).tolist()))

    def days(self, kind: Kind, days: Iterable[int]) -> None:
        """Something changed on these days, counted from the epoch."""
        self._days.update((kind, day) for day in days)

    def within(self, kind: Kind, span: Span) -> None:
        """Something changed in this span."""
        first, last = (span.start + 1) // DAY, span.end // DAY
        if last - first >= _MANY:
            self.everything()
        else:
            self.days(kind, range(first, last + 1))

    def everything(self) -> None:
        """Anything may have changed."""
        self._all = True

    def save(self, conn: sqlite3.Connection) -> None:
        """Give the database its next version, and what changed that version; inside the transaction."""
        conn.execute("UPDATE meta SET value = value + 1 WHERE name = 'version'")
        (version,) = conn.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
        if self._all or len(self._days) > _MANY:
            conn.execute("UPDATE meta SET value = ? WHERE name = 'changed'", (version,))
        else:
            conn.executemany(
                "INSERT OR REPLACE INTO changes VALUES (?, ?, ?)",
                [(int(kind), day, version) for kind, day in self._days],
            )
        self.clear()


def changed(conn: sqlite3.Connection, version: int, parts: Collection[Part]) -> bool:
    """Whether something of these parts changed after a version."""
    (anything,) = conn.execute("SELECT value FROM meta WHERE name = 'changed'").fetchone()
    return anything > version or any(_changed(conn, version, part) for part in parts)


def _changed(conn: sqlite3.Connection, version: int, part: Part) -> bool:
    first, last = (part.span.start + 1) // DAY, part.span.end // DAY
    bounds = (max(first, _LEAST), min(last, _MOST), version)
    return any(
        conn.execute(
            "SELECT 1 FROM changes WHERE kind = ? AND day BETWEEN ? AND ? AND version > ? LIMIT 1",
            (int(kind), *bounds),
        ).fetchone()
        for kind in _RESTS_ON[part.kind]
    )
