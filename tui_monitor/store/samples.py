"""Samples of series: a plain table behind the interface of series."""

import json
import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_monitor.model.clock import HOUR, Micros
from tui_monitor.model.feed import Sample
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import SeriesInfo
from tui_monitor.store.dictionary import Terms
from tui_monitor.store.jsontext import to_json

if TYPE_CHECKING:
    import numpy as np

_Row = tuple[int, Micros, float, int | None, Micros | None]
"""Series, time, value, import and late arrival."""
_LATE = HOUR
"""A sample that arrives this long after its time is kept from its arrival on."""


class SeriesTable:
    """The writer's side: finds the number of a series, and makes new ones up to a limit."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._ids: dict[tuple[str, str], int] = {}
        self._loaded = False

    def forget(self) -> None:
        """Empty the cache, after a rollback or a deletion."""
        self._ids.clear()
        self._loaded = False

    def write(self, samples: Sequence[Sample], limit: int, now: Micros, terms: Terms) -> list[int]:
        """Store samples; the indexes of those that would have made one series too many.

        A sample of a time that the series has already replaces that one. Observations of a histogram that
        come together are all kept.
        """
        rows: list[_Row] = []
        observed: set[int] = set()
        rejected: list[int] = []
        for index, sample in enumerate(samples):
            number = self._id(sample, limit)
            if number is None:
                rejected.append(index)
            else:
                if sample.type == "histogram":
                    observed.add(number)
                arrived = now if now - sample.ts > _LATE else None
                rows.append((number, sample.ts, sample.value, terms.id(sample.batch_id), arrived))
        # In order, neighbours share pages; stable, so that the last of equal times wins.
        rows.sort(key=lambda row: row[:2])
        if observed:
            _set_apart(rows, observed)
        self._conn.executemany(
            """INSERT OR REPLACE INTO samples (series, ts, value, batch_id_t, arrived)
            VALUES (?, ?, ?, ?, ?)""",
            rows,
        )
        return rejected

    def _id(self, sample: Sample, limit: int) -> int | None:
        if not self._loaded:
            known = self._conn.execute("SELECT name, labels, id FROM sample_series")
            self._ids = {(name, labels): number for name, labels, number in known}
            self._loaded = True
        key = (sample.name, to_json(sample.labels))
        number = self._ids.get(key)
        if number is None and len(self._ids) < limit:
            number = self._conn.execute(
                "INSERT INTO sample_series (name, labels, type) VALUES (?, ?, ?)", (*key, sample.type)
            ).lastrowid
            assert number is not None
            self._ids[key] = number
        return number


def _set_apart(rows: list[_Row], observed: set[int]) -> None:
    """Let observations of one instant stand a µs apart; the rows are in order."""
    before = (0, 0)
    for at, (number, ts, *_) in enumerate(rows):
        if number in observed and number == before[0] and ts <= before[1]:
            rows[at] = (number, before[1] + 1, *rows[at][2:])
        before = rows[at][:2]


def series(conn: sqlite3.Connection, name: str | None) -> list[SeriesInfo]:
    """Series of that name, or all."""
    condition, bound = ("WHERE name = ?", (name,)) if name is not None else ("", ())
    rows = conn.execute(f"SELECT id, name, labels, type FROM sample_series {condition} ORDER BY id", bound)
    return [SeriesInfo(number, text, json.loads(labels), kind) for number, text, labels, kind in rows]


def samples(
    conn: sqlite3.Connection, ids: Sequence[int], span: Span
) -> "dict[int, tuple[np.ndarray, np.ndarray]]":
    """Times and values of each series in the span, by time; a value that is no number is NaN."""
    import numpy as np

    found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for number in ids:
        rows = conn.execute(
            "SELECT ts, value FROM samples WHERE series = ? AND ts > ? AND ts <= ? ORDER BY ts",
            (number, span.start, span.end),
        ).fetchall()
        times, values = zip(*rows, strict=True) if rows else ((), ())
        found[number] = (np.array(times, dtype=np.int64), np.array(values, dtype=np.float64))
    return found


def expire(conn: sqlite3.Connection, before: Micros) -> int:
    """Drop samples that happened and arrived up to a time, and series that have none left; how many samples.

    The time of arrival is kept of late ones only, so the others go by their own time.
    """
    numbers = [(number, before) for (number,) in conn.execute("SELECT id FROM sample_series").fetchall()]
    dropped = conn.executemany(
        "DELETE FROM samples WHERE series = ?1 AND ts <= ?2 AND (arrived IS NULL OR arrived <= ?2)", numbers
    ).rowcount
    if dropped:
        drop_empty(conn)
    return dropped


def drop_empty(conn: sqlite3.Connection) -> None:
    """Drop series that have no samples left."""
    conn.execute("DELETE FROM sample_series WHERE NOT EXISTS (SELECT 1 FROM samples WHERE series = id)")
