"""Sealing: rows of the log become chunks, in the same transaction, some at a time.

A row counts before a chunk's sample of the same time, so a stop between two steps changes no answer.
"""

import sqlite3
from dataclasses import dataclass

import numpy as np

from tui_monitor.model.clock import DAY, HOUR, MINUTE, Micros
from tui_monitor.model.errors import StoreError
from tui_monitor.model.timerange import Span
from tui_monitor.store.series import log
from tui_monitor.store.series.chunks import LONGEST, MOST, Chunk, Group, Points, Table, joined, of_histograms

FULL = 120
"""Rows of a series that are worth a chunk."""
_OLD = DAY
"""Fewer are sealed when the first is this old."""
STEP = 10_000
"""Rows sealed in one transaction, about."""
LOOK = 10_000
"""Rows looked at in one transaction, about; of a series no more than `FULL`."""
SERIES = 50
"""Series sealed in one transaction: each costs as much as many rows."""
_OFTEN = 10 * MINUTE
_MANY = 50_000


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did."""

    sealed: int
    """Rows."""
    after: int | None
    """The series that the next step goes on behind; `None` after the last."""


class Pace:
    """When it is worth taking a step: all series are gone through after so many samples or so much time."""

    def __init__(self) -> None:
        self._since = 0
        self._next: Micros = 0
        self.after = 0
        """The series that the next step goes on behind."""

    def due(self, written: int, now: Micros) -> bool:
        """Whether to take a step now, after so many more samples; also after the clock was put back."""
        self._since += written
        return bool(written) and (self._since >= _MANY or now >= self._next or self._next - now > 2 * _OFTEN)

    def took(self, now: Micros, step: Step) -> None:
        """A step was taken."""
        self.rest(now)
        if step.after is not None:
            self._since, self.after = _MANY, step.after

    def rest(self, now: Micros) -> None:
        """All series were gone through, or are just now by another."""
        self._since, self.after, self._next = 0, 0, now + _OFTEN


def old(now: Micros) -> Micros:
    """The time up to which rows are sealed however few they are."""
    return now - _OLD


def seal_some(conn: sqlite3.Connection, until: Micros, after: int = 0) -> Step:
    """Seal rows of series behind one that have enough of them, or some up to a time; the oldest first.

    Takes only so much time however many series there are; the step tells where to go on. Rows of a series
    that meet a damaged chunk stay where they are.
    """
    tables, sealed, looked, series = _tables(conn), 0, 0, 0
    while sealed < STEP and looked < LOOK and series < SERIES:
        row = conn.execute(_NEXT, (after,)).fetchone()
        if row is None:
            return Step(sealed, None)
        after, first = row
        rows = 1 if first <= until else conn.execute(_ROWS, (after, FULL)).fetchone()[0]
        looked += rows
        if first > until and rows < FULL:
            continue
        moved = _seal_safely(tables, after)
        sealed, series = sealed + moved, series + 1
        if moved >= STEP // 2:
            # There may be more of it.
            after -= 1
    return Step(sealed, after)


_NEXT = "SELECT series, ts FROM samples WHERE series > ? ORDER BY series, ts LIMIT 1"
_ROWS = "SELECT count(*) FROM (SELECT 1 FROM samples WHERE series = ? LIMIT ?)"


def _seal_safely(tables: tuple[Table, Table], series: int) -> int:
    conn, sealed = tables[0].conn, 0
    conn.execute("SAVEPOINT sealing")
    try:
        sealed = _seal_one(tables, series)
    except StoreError:
        # What is damaged is told to who reads it; the rows lose nothing by waiting.
        conn.execute("ROLLBACK TO sealing")
    conn.execute("RELEASE sealing")
    return sealed


def seal_batch(conn: sqlite3.Connection, batch: int) -> None:
    """Seal every series with rows that an import brought, so that chunks alone tell what it brought.

    Raises `StoreError` where a chunk they meet is damaged.
    """
    series = conn.execute("SELECT DISTINCT series FROM samples WHERE batch_id_t = ?", (batch,)).fetchall()
    tables = _tables(conn)
    for (number,) in series:
        while _seal_one(tables, number):
            pass


def _tables(conn: sqlite3.Connection) -> tuple[Table, Table]:
    return Table(conn), of_histograms(conn)


def _seal_one(tables: tuple[Table, Table], series: int) -> int:
    conn = tables[0].conn
    rows = conn.execute(
        "SELECT ts, value, batch_id_t, arrived FROM samples WHERE series = ? ORDER BY ts LIMIT ?",
        (series, STEP // 2),
    ).fetchall()
    if not rows:
        return 0
    times, values, batches, arrivals = zip(*rows, strict=True)
    logged = log.logged(times, values)
    groups = [
        (batch, None if late is None else -(-late // HOUR) * HOUR)
        for batch, late in zip(batches, arrivals, strict=True)
    ]
    at, numbers = logged.floats()
    others, bodies = logged.histograms()
    for table, points in zip(tables, (Points(at, (numbers,)), Points(others, (), bodies)), strict=True):
        # What is new may replace a sample of the other kind, so each table looks at all times.
        _merge(table, series, logged.times, _grouped(points, logged.times, groups))
    conn.execute("DELETE FROM samples WHERE series = ? AND ts <= ?", (series, times[-1]))
    return len(rows)


def _grouped(points: Points, times: np.ndarray, groups: list[Group]) -> dict[Group, list[Points]]:
    """Points that are at some of the times, by the group of each."""
    if not len(points):
        return {}
    if len(set(groups)) == 1:
        return {groups[0]: [points]}
    members: dict[Group, list[int]] = {}
    for place, at in enumerate(np.searchsorted(times, points.times).tolist()):
        members.setdefault(groups[at], []).append(place)
    return {group: [points.take(np.array(places))] for group, places in members.items()}


def _merge(table: Table, series: int, times: np.ndarray, fresh: dict[Group, list[Points]]) -> None:
    """Write new points; where they replace samples of chunks, or lie among them, those are written anew."""
    first, last = int(times[0]), int(times[-1])
    met = table.meeting([series], Span(first - 1, last))
    changed: list[Chunk] = []
    for chunk, old in zip(met, table.read(met), strict=True):
        kept = ~np.isin(old.times, times)
        if chunk.group in fresh or not kept.all():
            changed.append(chunk)
            if kept.any():
                # Before the new ones, so that these come later where times are equal.
                fresh.setdefault(chunk.group, []).insert(0, old.take(kept))
    small = _small_before(table, series, first, fresh) if fresh else None
    if small is not None:
        changed.append(small)
        fresh[small.group].insert(0, table.read([small])[0])
    table.delete(changed)
    for group, parts in fresh.items():
        table.add(series, group, joined(parts))


def _small_before(table: Table, series: int, first: Micros, fresh: dict[Group, list[Points]]) -> Chunk | None:
    """The last chunk before, where it has room for more of its kind."""
    found = table.find("series = ? AND start < ? ORDER BY start DESC LIMIT 1", (series, first))
    for chunk in found:
        parts = fresh.get(chunk.group)
        room = chunk.n + FULL <= MOST and chunk.end < first
        if room and parts and int(parts[-1].times[0]) - chunk.start <= LONGEST:
            return chunk
    return None
