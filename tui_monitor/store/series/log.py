"""The log: samples as they came, one row each, until they are sealed into chunks."""

import math
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from struct import Struct

import numpy as np

from tui_monitor.model.clock import DAY, HOUR, Micros
from tui_monitor.model.errors import StoreError
from tui_monitor.model.feed import Sample
from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.model.timerange import Span
from tui_monitor.store.dictionary import Terms
from tui_monitor.store.jsontext import to_json
from tui_monitor.store.series import versions
from tui_monitor.store.series.histograms import Histograms
from tui_monitor.store.series.sampled import Afford, any_number

_FLOAT = Struct("<d")
_Row = tuple[int, Micros, float | bytes, int | None, Micros | None]
"""Series, time, value, import and late arrival."""
Value = float | bytes | None
"""A number, its bytes where SQLite does not know it, or those of a native histogram, which are longer."""
TABLES = ("sample_chunks", "sample_steps", "histogram_chunks", "histogram_steps")
"""Where samples are once they left the log."""
_NEVER = -(1 << 63)
_LATE = HOUR
"""A sample that arrives this long after its time is kept from its arrival on."""


class SeriesTable:
    """The writer's side: finds the number of a series, and makes new ones up to a limit."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._ids: dict[tuple[str, str], int] = {}
        self._ends: dict[int, Micros] = {}
        """The newest time of a series."""
        self._loaded = False

    def forget(self) -> None:
        """Empty the cache, after a rollback or a deletion."""
        self._ids.clear()
        self._ends.clear()
        self._loaded = False

    def write(
        self, samples: Sequence[Sample], limit: int, now: Micros, terms: Terms
    ) -> tuple[list[int], set[int]]:
        """Store samples; the indexes of those that would have made one series too many, and the days (UTC,
        from the epoch) of the others.

        A sample of a time that the series has already replaces that one. Observations of a histogram that
        come together are all kept.
        """
        rows: list[_Row] = []
        observed: set[int] = set()
        rejected: list[int] = []
        behind = True
        for index, sample in enumerate(samples):
            number = self._id(sample, limit)
            if number is None:
                rejected.append(index)
            else:
                if sample.type == "histogram":
                    observed.add(number)
                behind = self._is_behind(number, sample.ts) and behind
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
        if rows:
            versions.grow(self._conn)
        if not behind:
            versions.change(self._conn)
        return rejected, {row[1] // DAY for row in rows}

    def _is_behind(self, number: int, ts: Micros) -> bool:
        """Whether a sample comes behind all others of its series, which is noted."""
        end = self._ends.get(number)
        if end is None:
            end = newest(self._conn, number)
        self._ends[number] = max(end, ts)
        return ts > end

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


def newest(conn: sqlite3.Connection, series: int) -> Micros:
    """The time of a series' newest sample, in whatever form it is kept; before all times without any."""
    (found,) = conn.execute(
        f"""SELECT max(ts) FROM (SELECT max(ts) AS ts FROM samples WHERE series = ?1
        {" ".join(f"UNION ALL SELECT max(end) FROM {table} WHERE series = ?1" for table in TABLES)})""",
        (series,),
    ).fetchone()
    return _NEVER if found is None else found


def _set_apart(rows: list[_Row], observed: set[int]) -> None:
    """Let observations of one instant stand a µs apart; the rows are in order."""
    before = (0, 0)
    for at, (number, ts, *_) in enumerate(rows):
        if number in observed and number == before[0] and ts <= before[1]:
            rows[at] = (number, before[1] + 1, *rows[at][2:])
        before = rows[at][:2]


def _kept(value: float | NativeHistogram) -> float | bytes:
    """SQLite knows neither histograms nor NaN nor the sign of 0: those are kept as their bytes."""
    if isinstance(value, NativeHistogram):
        return value.to_bytes()
    if value == value and (value or math.copysign(1.0, value) > 0):
        return value
    return _FLOAT.pack(value)


def _are_histograms(values: Sequence[Value]) -> np.ndarray | None:
    """Which values of rows are native histograms; `None` where none is."""
    if set(map(type, values)) <= {float}:
        return None
    found = np.array([isinstance(value, bytes) and len(value) > _FLOAT.size for value in values])
    return found if found.any() else None


def _histograms(values: Sequence[Value]) -> Histograms:
    """Values of rows that are all native histograms. Raises `StoreError` for one that is damaged."""
    try:
        return Histograms.of([NativeHistogram.from_bytes(v) for v in values if isinstance(v, bytes)])
    except ValueError as error:
        raise StoreError(f"a sample in the log is damaged: {error}") from error


def _floats(values: Sequence[Value]) -> np.ndarray:
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


@dataclass(slots=True)
class Logged:
    """Rows of one series in a span, by time: floats, and native histograms where there are any."""

    times: np.ndarray
    values: Sequence[Value]
    others: np.ndarray | None
    """Which values are native histograms."""

    def floats(self) -> tuple[np.ndarray, np.ndarray]:
        """Times and values of those that are floats."""
        if self.others is None:
            return self.times, _floats(self.values)
        kept = [v for v, other in zip(self.values, self.others.tolist(), strict=True) if not other]
        return self.times[~self.others], _floats(kept)

    def histograms(self) -> tuple[np.ndarray, Histograms]:
        """Times and values of those that are native histograms."""
        if self.others is None:
            return self.times[:0], _histograms(())
        kept = [v for v, other in zip(self.values, self.others.tolist(), strict=True) if other]
        return self.times[self.others], _histograms(kept)


def logged(times: Sequence[Micros], values: Sequence[Value]) -> Logged:
    """Rows of one series by time."""
    return Logged(np.array(times, dtype=np.int64), values, _are_histograms(values))


def rows(
    conn: sqlite3.Connection, ids: Iterable[int], span: Span, afford: Afford = any_number
) -> dict[int, Logged]:
    """The rows of each series that has some in the span."""
    found: dict[int, Logged] = {}
    for number in ids:
        afford(0)
        # One series at a time is quicker than all of them in one answer with a third column.
        mine = conn.execute(
            "SELECT ts, value FROM samples WHERE series = ? AND ts > ? AND ts <= ? ORDER BY ts",
            (number, span.start, span.end),
        ).fetchall()
        if mine:
            times, values = zip(*mine, strict=True)
            found[number] = logged(times, values)
    return found
