"""Calls go from the row table into segments, and identities into runs: a little at a time, beside the writer.

Each step reads and packs without the write lock, then puts everything in its new place in one short
transaction; where a call changed meanwhile, it begins anew.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from tui_monitor.model.clock import HOUR, Micros
from tui_monitor.store import blocks, head, identity, opening, packs, runs, segments
from tui_monitor.store.api import Layer
from tui_monitor.store.writing import WriteSide

_TRIES = 3
_PACKED = 1 << 14
"""Identities that are packed at a time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When something is packed."""

    rows: int = 1 << 14
    """Calls of a segment."""
    head: int = 100_000
    """Calls the row table may hold."""
    age: Micros = HOUR
    """Older calls are sealed, as soon as they fill a segment."""
    identities: int = 1 << 17
    """Identities that may wait to be packed."""
    cells: int = 24
    """Roll-up cells of a block; fewer take less room as rows."""


USUAL = Limits()


@dataclass(slots=True)
class Sealed:
    """What was done."""

    segments: int = 0
    calls: int = 0
    runs: int = 0
    blocks: int = 0


@dataclass(frozen=True, slots=True)
class _Job:
    """A segment to be made of the calls with these numbers, wherever they are now."""

    number: int
    first: int
    last: int
    sealed: int | None = None
    """The segment that is made anew."""


def seal(side: WriteSide, now: Micros, limits: Limits) -> Sealed:
    """Pack what is old or too much; may take a while, in short transactions."""
    done = Sealed()
    with side.upkeep, closing(opening.connect_reader(side.path)) as reader:
        while _step(side, reader, now, limits, done):
            pass
        _leave_nothing(side, reader, done)
        _pack_identities(side, reader, limits, done)
        for layer in blocks.LAYERS:
            _pack_cells(side, reader, layer, now, limits, done)
    return done


def seal_some(side: WriteSide, now: Micros, limits: Limits) -> None:
    """Make one segment if there is too much, for a writer that is faster than the upkeep."""
    if not side.upkeep.acquire(blocking=False):
        return
    try:
        with closing(opening.connect_reader(side.path)) as reader:
            _step(side, reader, now, limits, Sealed())
            _pack_some(side, reader, limits)
    finally:
        side.upkeep.release()


def reseal(side: WriteSide, reader: sqlite3.Connection, number: int, first: int) -> None:
    """Make a segment anew of what is left of it and of its calls in the row table; `upkeep` is held."""
    _make(side, reader, _Job(number, first, number, number))


def _step(side: WriteSide, reader: sqlite3.Connection, now: Micros, limits: Limits, done: Sealed) -> bool:
    job = _job(reader, now, limits)
    if job is None:
        return False
    done.calls += _make(side, reader, job)
    done.segments += 1
    return True


def _leave_nothing(side: WriteSide, reader: sqlite3.Connection, done: Sealed) -> None:
    """Make segments anew from which calls were taken out, so that the file does not say any more what those
    said."""
    found = reader.execute("SELECT id, first FROM segments WHERE gone IS NOT NULL").fetchall()
    for number, first in found:
        done.calls += _make(side, reader, _Job(number, first, number, number))
        done.segments += 1
    if found:
        side.empty_log()


def _make(side: WriteSide, reader: sqlite3.Connection, job: _Job) -> int:
    """Make a segment; the number of its calls."""
    for attempt in range(_TRIES):
        touched: set[int] = set()
        with side.guard:
            side.touched = touched
        try:
            with opening.moment(reader):
                encoded = _encoded(reader, job)
            with side.transaction():
                if any(job.first <= number <= job.last for number in touched):
                    if attempt + 1 < _TRIES:
                        continue
                    encoded = _encoded(side.conn, job)
                _put(side.conn, job, encoded)
        finally:
            side.touched = None
        return encoded.rows if encoded else 0
    raise AssertionError("the last try does it under the lock")


def _encoded(conn: sqlite3.Connection, job: _Job) -> segments.Encoded | None:
    segment = segments.get(conn, job.sealed) if job.sealed is not None else None
    if segment is None:
        # Most columns nobody knows; to look which costs less than to read them.
        names = head.known(conn, job.first, job.last)
        return segments.encode(head.between(conn, job.first, job.last, names), names) if names else None
    rows = [
        *head.between(conn, job.first, job.last),
        *segment.tuples(np.flatnonzero(segment.left())),
    ]
    return segments.encode(sorted(rows, key=itemgetter(0))) if rows else None


def _job(conn: sqlite3.Connection, now: Micros, limits: Limits) -> _Job | None:
    """What to do next, if anything."""
    (newest,) = conn.execute("SELECT ifnull(max(id), 0) FROM segments").fetchone()
    row = conn.execute(
        "SELECT id, arrived FROM calls WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?", (newest, limits.rows - 1)
    ).fetchone()
    if row is not None:
        (waiting,) = conn.execute("SELECT count(*) FROM calls WHERE id > ?", (newest,)).fetchone()
        if row[1] <= now - limits.age or waiting > limits.head:
            return _Job(row[0], newest + 1, row[0])
    lowest, strays = conn.execute("SELECT min(id), count(*) FROM calls WHERE id <= ?", (newest,)).fetchone()
    if strays > limits.rows // 4:
        return _home(conn, lowest, limits)
    row = conn.execute("SELECT id, first FROM segments WHERE left * 2 < rows LIMIT 1").fetchone()
    return _Job(row[0], row[1], row[0], row[0]) if row else None


def _home(conn: sqlite3.Connection, number: int, limits: Limits) -> _Job:
    """Where a call belongs that came back from a segment: that segment, or a new one in its place."""
    above, first = conn.execute(
        "SELECT id, first FROM segments WHERE id >= ? ORDER BY id LIMIT 1", (number,)
    ).fetchone()
    if first <= number:
        return _Job(above, first, above, above)
    row = conn.execute(
        "SELECT max(id) FROM (SELECT id FROM calls WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?)",
        (number, first - 1, limits.rows),
    ).fetchone()
    return _Job(row[0], number, row[0])


def _put(conn: sqlite3.Connection, job: _Job, encoded: segments.Encoded | None) -> None:
    if encoded is None:
        segments.delete(conn, job.number)
    else:
        segments.store(conn, job.number, job.first, encoded)
    conn.execute("DELETE FROM calls WHERE id BETWEEN ? AND ?", (job.first, job.last))


def _pack_cells(
    side: WriteSide, reader: sqlite3.Connection, layer: Layer, now: Micros, limits: Limits, done: Sealed
) -> None:
    """Pack the roll-up cells of one layer that are over."""
    with opening.moment(reader):
        lows = list(blocks.quiet(reader, layer, now, age=limits.age, least=limits.cells))
    for low in lows:
        with opening.moment(reader):
            rows = blocks.rows_of(reader, layer, low)
        encoded = blocks.encode(rows) if rows else None
        # Under the lock it is only seen whether they are still the same: most often nobody touched them.
        with side.transaction():
            if encoded is not None and blocks.rows_of(side.conn, layer, low) == rows:
                blocks.store(side.conn, layer, encoded)
                done.blocks += 1


def _pack_identities(side: WriteSide, reader: sqlite3.Connection, limits: Limits, done: Sealed) -> None:
    if _waiting(reader) <= limits.identities:
        return
    for part in range(packs.SLICES):
        while _pack_slice(side, reader, part):
            done.runs += 1


def _pack_some(side: WriteSide, reader: sqlite3.Connection, limits: Limits) -> None:
    """Pack as few slices as bring the waiting ones below the limit, each in its turn."""
    for _ in range(packs.SLICES):
        if _waiting(reader) <= limits.identities:
            return
        _pack_slice(side, reader, side.packs.turn())


def _waiting(reader: sqlite3.Connection) -> int:
    return reader.execute("SELECT count(*) FROM identities").fetchone()[0]


def _pack_slice(side: WriteSide, reader: sqlite3.Connection, part: int) -> bool:
    with opening.moment(reader):
        rows = identity.waiting(reader, part, _PACKED)
        if not rows:
            return False
        packed = runs.with_older(reader, part, identity.entries(rows), identity.lowest_call(reader))
    with side.transaction():
        runs.store(side.conn, packed)
        _drop_packed(side.conn, rows)
        side.packs.renew()
    return len(rows) == _PACKED


def _drop_packed(
    conn: sqlite3.Connection, rows: Sequence[tuple[int, int | None, int | None, int | None]]
) -> None:
    """Delete what is packed now; what changed meanwhile stays, and is believed before the run."""
    conn.executemany(
        "DELETE FROM identities WHERE hash = ? AND call IS ? AND content IS ? AND day IS ?", rows
    )
