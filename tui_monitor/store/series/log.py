"""The log: samples as they came, one row each, until they are sealed into chunks."""

import math
import sqlite3
from collections.abc import Iterable, Sequence
from struct import Struct

import numpy as np

from tui_monitor.model.clock import HOUR, Micros
from tui_monitor.model.feed import Sample
from tui_monitor.model.timerange import Span
from tui_monitor.store.dictionary import Terms
from tui_monitor.store.jsontext import to_json

_FLOAT = Struct("<d")
_Row = tuple[int, Micros, float | bytes, int | None, Micros | None]
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
                rows.append((number, sample.ts, _kept(sample.value), terms.id(sample.batch_id), arrived))
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


def _kept(value: float) -> float | bytes:
    """SQLite knows neither NaN nor the sign of 0: those are kept as their bytes."""
    if value == value and (value or math.copysign(1.0, value) > 0):
        return value
    return _FLOAT.pack(value)


def floats(values: Sequence[float | bytes | None]) -> np.ndarray:
    """Values of rows as float64, bit for bit; one that was stored as nothing is NaN."""
    if set(map(type, values)) <= {float}:
        return np.array(values, dtype=np.float64)
    out = np.empty(len(values), dtype=np.float64)
    bits = out.view(np.uint64)
    for at, value in enumerate(values):
        if isinstance(value, bytes):
            bits[at] = int.from_bytes(value, "little")
        else:
            out[at] = math.nan if value is None else value
    return out


def rows(
    conn: sqlite3.Connection, ids: Iterable[int], span: Span
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Times and values of the series that have rows in the span, by time."""
    found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for number in ids:
        # One series at a time is quicker than all of them in one answer with a third column.
        mine = conn.execute(
            "SELECT ts, value FROM samples WHERE series = ? AND ts > ? AND ts <= ? ORDER BY ts",
            (number, span.start, span.end),
        ).fetchall()
        if mine:
            times, values = zip(*mine, strict=True)
            found[number] = (np.array(times, dtype=np.int64), floats(values))
    return found
