"""Raw calls go: whole segments at once, single rows some hundred at a time. Sums keep counting them.

What stays known of sealed calls is worked out beside the writer; each step is one short transaction.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from tui_monitor.model.clock import DAY, Micros
from tui_monitor.model.timerange import Span
from tui_monitor.store import (
    blocks,
    calls,
    cells,
    head,
    identity,
    imports,
    marks,
    opening,
    packs,
    runs,
    segments,
    upkeep,
)
from tui_monitor.store.api import Layer
from tui_monitor.store.blobs import UNKNOWN
from tui_monitor.store.changes import Kind
from tui_monitor.store.dictionary import SERIES_BITS
from tui_monitor.store.head import Row
from tui_monitor.store.packs import Packed
from tui_monitor.store.segments import Segment
from tui_monitor.store.work import row_hashes
from tui_monitor.store.writing import WriteSide

_STEP = 500
"""Rows of the row table that go in one transaction."""
_TRIES = 3
_DEAD = 8
"""Runs are made anew when one entry in so many is dead."""
_ENTRY_BYTES = 10
"""What an entry of a run takes at least."""
_EVER = (1 << 63) - 1
Mark = tuple[int, int | None, int]
"""A hash that outlives its row, what tells the content, and the day of arrival from the epoch."""


def drop_old(side: WriteSide, cutoff: Micros) -> int:
    """Drop raw calls that happened and arrived up to the cutoff; how many."""
    dropped = 0
    while some := _drop_rows(side, "booked <= ?1 AND arrived <= ?1 ORDER BY booked, id", cutoff):
        dropped += some
    with closing(opening.connect_reader(side.path)) as reader:
        found = reader.execute(
            "SELECT id FROM segments WHERE booked_low <= ?1 AND arrived_low <= ?1 ORDER BY id", (cutoff,)
        ).fetchall()
        for (number,) in found:
            dropped += _drop_sealed(side, reader, number, cutoff)
    return dropped


def drop_first(side: WriteSide, excess: Callable[[sqlite3.Connection], int]) -> int:
    """Drop the raw calls that came first, while there are bytes in excess; how many calls.

    The excess is asked for with a reading connection.
    """
    dropped = dead = 0
    with closing(opening.connect_reader(side.path)) as reader:
        if excess(reader) > 0:
            _drop_dead(side, reader)
        while (over := excess(reader)) > 0:
            # What dead identities take is about to go: it is no reason to drop more calls.
            if dead and (over <= dead * _ENTRY_BYTES or dead * _DEAD >= runs.total(reader)):
                _drop_dead(side, reader)
                dead = 0
                continue
            some = _drop_next(side, reader)
            if not some:
                break
            dropped += some
            dead += some
            upkeep.tidy(side)
        if dead:
            _drop_dead(side, reader)
    return dropped


def _drop_next(side: WriteSide, reader: sqlite3.Connection) -> int:
    (number,) = reader.execute("SELECT min(id) FROM segments").fetchone()
    some = _drop_rows(side, "id <= ? ORDER BY id", _EVER if number is None else number)
    if some or number is None:
        return some
    return _drop_sealed(side, reader, number, _EVER)


def drop_dead(side: WriteSide) -> None:
    """Make the runs of identities anew that lead in part to calls that are gone."""
    with closing(opening.connect_reader(side.path)) as reader:
        _drop_dead(side, reader)


def _drop_dead(side: WriteSide, reader: sqlite3.Connection) -> None:
    for part in range(packs.SLICES):
        # Runs change only where `upkeep` is held.
        with side.upkeep:
            for run, packed in runs.outdated(reader, part, identity.lowest_call(reader)):
                with side.transaction():
                    runs.rewrite(side.conn, run, packed)
                    side.packs.forget()
        upkeep.tidy(side)


def _drop_rows(side: WriteSide, which: str, bound: int) -> int:
    """Drop some rows of the row table."""
    with side.upkeep, side.transaction():
        conn = side.conn
        found = conn.execute(f"SELECT id FROM calls WHERE {which} LIMIT {_STEP}", (bound,)).fetchall()
        if not found:
            return 0
        numbers = [number for (number,) in found]
        rows = list(head.load(conn, numbers).values())
        kept = marks_of(rows)
        conn.executemany("DELETE FROM calls WHERE id = ?", found)
        conn.executemany("DELETE FROM parts WHERE call = ?", found)
        identity.drop(conn, {n for row in rows for n in row_hashes(row)} - {mark[0] for mark in kept})
        identity.outlive(conn, kept)
        booked = [row.call.booked for row in rows]
        _note(side, Span(min(booked) - 1, max(booked)), batches_of(rows))
    return len(numbers)


def marks_of(rows: Iterable[Row]) -> list[Mark]:
    """What stays known of rows that go."""
    found: list[Mark] = []
    for row in rows:
        if not any(part.remember for part in row.parts):
            continue
        contents: dict[int, int | None] = dict.fromkeys(row_hashes(row))
        for part in row.parts:
            own = identity.source_hash(part.call.source, part.call.source_key)
            contents[own] = identity.content_mark(part.call)
        found += [(number, mark, row.arrived // DAY) for number, mark in contents.items()]
    return found


def batches_of(rows: Iterable[Row]) -> Counter[str]:
    """How many records of these rows each import brought."""
    return Counter(p.call.batch_id for row in rows for p in row.parts if p.call.batch_id is not None)


@dataclass(slots=True)
class _Leaving:
    """Calls of a segment that go, and what is written then."""

    numbers: np.ndarray
    whole: bool
    """Whether nothing is left of the segment."""
    composed: list[int]
    """Those that several sources know."""
    booked: Span
    brought: Counter[str]
    packed: list[Packed]
    """Runs of identities that outlive them."""


def _drop_sealed(side: WriteSide, reader: sqlite3.Connection, number: int, cutoff: Micros) -> int:
    """Drop the calls of a segment that are due; how many."""
    with side.upkeep:
        for _ in range(_TRIES):
            with opening.moment(reader):
                seen = segments.get(reader, number)
                leaving = _leaving(reader, seen, cutoff) if seen else None
            if seen is None or leaving is None:
                return 0
            with side.transaction():
                now = segments.get(side.conn, number)
                # A call goes out of its segment when it changes; nothing else of a segment does.
                if now is not None and now.gone == seen.gone:
                    return _put(side, number, leaving)
        with side.transaction():
            segment = segments.get(side.conn, number)
            leaving = _leaving(side.conn, segment, cutoff) if segment else None
            return _put(side, number, leaving) if leaving else 0


def _leaving(conn: sqlite3.Connection, segment: Segment, cutoff: Micros) -> _Leaving | None:
    left = segment.left()
    due = left & (segment.integers("booked") <= cutoff) & (segment.integers("arrived") <= cutoff)
    at = np.flatnonzero(due)
    if not len(at):
        return None
    numbers, booked, flags = (segment.integers(name)[at] for name in ("id", "booked", "flags"))
    several = flags & head.PARTS != 0
    composed: list[int] = numbers[several].tolist()
    rows = list(calls.load(conn, composed).values())
    alone = at[~several]
    kept = marks.entries(segment, at[~several & (flags & head.REMEMBER != 0)])
    entries = marks.together(kept, marks_of(rows))
    return _Leaving(
        numbers=numbers,
        whole=len(at) == int(left.sum()),
        composed=composed,
        booked=Span(int(booked.min()) - 1, int(booked.max())),
        brought=batches_of(rows) + _batches(conn, segment.integers("batch_id_t")[alone]),
        packed=list(runs.of_slices(conn, entries, identity.lowest_call(conn))),
    )


def _batches(conn: sqlite3.Connection, terms: np.ndarray) -> Counter[str]:
    unique, counts = np.unique(terms[terms != UNKNOWN], return_counts=True)
    found = zip(unique.tolist(), counts.tolist(), strict=True)
    sql = "SELECT text FROM terms WHERE id = ?"
    return Counter({conn.execute(sql, (number,)).fetchone()[0]: count for number, count in found})


def _put(side: WriteSide, number: int, leaving: _Leaving) -> int:
    conn = side.conn
    numbers: list[int] = leaving.numbers.tolist()
    if leaving.whole:
        segments.delete(conn, number)
    else:
        segments.take_out(conn, numbers)
    conn.executemany("DELETE FROM parts WHERE call = ?", [(call,) for call in leaving.composed])
    # Those that are packed already lead nowhere, or are taken over by what is packed now.
    waiting = conn.execute(
        "SELECT hash, call FROM identities WHERE call BETWEEN ? AND ?", (numbers[0], numbers[-1])
    ).fetchall()
    going = set(numbers) if waiting else set()
    identity.drop(conn, [found for found, call in waiting if call in going])
    for packed in leaving.packed:
        runs.store(conn, packed)
    side.packs.renew()
    _note(side, leaving.booked, leaving.brought)
    return len(numbers)


def _note(side: WriteSide, booked: Span, brought: Counter[str]) -> None:
    imports.lose(side.conn, brought)
    for span in note_dropped(side.conn, Layer.RAW, booked):
        side.changes.within(Kind.RAW, span)
    side.changes.save(side.conn)


def note_dropped(
    conn: sqlite3.Connection, layer: Layer, span: Span, zone: int = 0, name: str = "UTC"
) -> list[Span]:
    """Remember that something of a span is gone; spans that meet or have nothing between them are one.

    The spans, the given one among them, of which that is known only now, or once more.
    """
    known = conn.execute(
        "SELECT start, end FROM dropped WHERE layer = ? AND zone = ? ORDER BY start", (layer.value, zone)
    ).fetchall()
    conn.execute("DELETE FROM dropped WHERE layer = ? AND zone = ?", (layer.value, zone))
    merged: list[Span] = []
    fresh = [span]
    for start, end in sorted([*known, (span.start, span.end)]):
        last = merged[-1] if merged else None
        if last and (start <= last.end or _empty(conn, layer, Span(last.end, start), zone, name)):
            merged[-1] = Span(last.start, max(last.end, end))
            if start > last.end:
                fresh.append(Span(last.end, start))
        else:
            merged.append(Span(start, end))
    conn.executemany(
        "INSERT INTO dropped VALUES (?, ?, ?, ?)", [(layer.value, zone, s.start, s.end) for s in merged]
    )
    return fresh


def _empty(conn: sqlite3.Connection, layer: Layer, span: Span, zone: int, name: str) -> bool:
    if layer is Layer.RAW:
        return not calls.any_in(conn, span)
    run = cells.whole_cells(layer, span, zone, name)
    return not blocks.count(conn, layer, run.start << SERIES_BITS, run.stop << SERIES_BITS)
