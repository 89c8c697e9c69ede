"""When something last changed, by kind and day of UTC: what tells whether an answer still holds.

Whoever changes what a query could see says of which days, or that it may be anything. A version is that of
the whole database (`Reader.version`): a day has the one with which it changed last. Of the latest versions it
is known between which instants of a day something changed, so that calls which come now leave the hour before
as it was.
"""

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from tui_monitor.model.clock import DAY, Micros
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import Part, PartKind

if TYPE_CHECKING:
    import numpy as np

_MANY = 2_000
"""Days noted one by one; where more change at once, everything is said to."""
_FEW = 16
"""Days of which the instants are noted too; where more change at once, only the days are."""
_LATELY = 4_096
"""Versions of which instants are noted."""
_SWEEP = 256
"""Older ones are forgotten once in so many versions."""
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
        self._days: dict[tuple[Kind, int], tuple[Micros, Micros]] = {}
        """The first and last instant of each."""
        self._all = False

    def clear(self) -> None:
        """A transaction begins."""
        self._days.clear()
        self._all = False

    def at(self, kind: Kind, instants: "np.ndarray") -> None:
        """Something changed at these times (int64 µs)."""
        if not len(instants):
            return
        first, last = int(instants.min()), int(instants.max())
        # Calls and samples come in order of time, nearly always all of one day.
        if first // DAY == last // DAY:
            self._between(kind, first // DAY, first, last)
        else:
            self.days(kind, set((instants // DAY).tolist()))

    def days(self, kind: Kind, days: Iterable[int]) -> None:
        """Something changed on these days, counted from the epoch."""
        for day in days:
            self._between(kind, day, day * DAY, (day + 1) * DAY - 1)

    def within(self, kind: Kind, span: Span) -> None:
        """Something changed in this span."""
        first, last = (span.start + 1) // DAY, span.end // DAY
        if last - first >= _MANY:
            self.everything()
            return
        for day in range(first, last + 1):
            low, high = max(span.start + 1, day * DAY), min(span.end, (day + 1) * DAY - 1)
            self._between(kind, day, low, high)

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
            self._save_instants(conn, version)
        if version % _SWEEP == 0:
            conn.execute("DELETE FROM changed_spans WHERE version <= ?", (version - _LATELY,))
            conn.execute("UPDATE meta SET value = max(value, ?) WHERE name = 'noted'", (version - _LATELY,))
        self.clear()

    def _save_instants(self, conn: sqlite3.Connection, version: int) -> None:
        if len(self._days) > _FEW:
            conn.execute("UPDATE meta SET value = ? WHERE name = 'noted'", (version,))
            return
        conn.executemany(
            "INSERT INTO changed_spans VALUES (?, ?, ?, ?, ?)",
            [(version, int(kind), day, *between) for (kind, day), between in self._days.items()],
        )

    def _between(self, kind: Kind, day: int, low: Micros, high: Micros) -> None:
        known = self._days.get((kind, day), (low, high))
        self._days[kind, day] = min(known[0], low), max(known[1], high)


def version(conn: sqlite3.Connection) -> int:
    """The version of the database."""
    return conn.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()[0]


@dataclass(frozen=True, slots=True)
class Since:
    """What changed after a version, as one moment of the database has it."""

    version: int
    everything: bool
    spans: tuple[tuple[Kind, Micros, Micros], ...] | None
    """First and last instants; `None` where only days are known."""


def since(conn: sqlite3.Connection, version: int) -> Since:
    """What changed after a version."""
    stored = dict(conn.execute("SELECT name, value FROM meta WHERE name IN ('changed', 'noted')").fetchall())
    if stored["changed"] > version or stored["noted"] > version:
        return Since(version, stored["changed"] > version, None)
    found = conn.execute("SELECT kind, low, high FROM changed_spans WHERE version > ?", (version,))
    return Since(version, False, tuple(found.fetchall()))


def changed(conn: sqlite3.Connection, after: Since, parts: Collection[Part]) -> bool:
    """Whether something of these parts changed."""
    if after.everything or after.spans is None:
        return after.everything or any(_day_changed(conn, after.version, part) for part in parts)
    return any(
        low <= part.span.end and high > part.span.start and kind in _RESTS_ON[part.kind]
        for part in parts
        for kind, low, high in after.spans
    )


def _day_changed(conn: sqlite3.Connection, version: int, part: Part) -> bool:
    first, last = (part.span.start + 1) // DAY, part.span.end // DAY
    bounds = (max(first, _LEAST), min(last, _MOST), version)
    return any(
        conn.execute(
            "SELECT 1 FROM changes WHERE kind = ? AND day BETWEEN ? AND ? AND version > ? LIMIT 1",
            (int(kind), *bounds),
        ).fetchone()
        for kind in _RESTS_ON[part.kind]
    )
