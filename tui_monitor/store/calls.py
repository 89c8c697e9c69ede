"""Stored calls wherever they are: in the row table or sealed."""

import heapq
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from tui_monitor.model.call import Call
from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import Span
from tui_monitor.store import head, segments
from tui_monitor.store.blobs import UNKNOWN
from tui_monitor.store.head import Row
from tui_monitor.store.segments import Segment

_STEP = 2_000
"""Sealed calls that are put together at a time."""


def load(conn: sqlite3.Connection, ids: Iterable[int]) -> dict[int, Row]:
    """The rows with these numbers."""
    wanted = set(ids)
    found = head.load(conn, wanted)
    for segment, inside in segments.covering(conn, wanted - found.keys()):
        values = segment.tuples(segment.positions(inside))
        found |= head.rows(conn, head.with_texts(conn, values))
    return found


def booked_in(conn: sqlite3.Connection, span: Span) -> Iterator[tuple[Call, int]]:
    """The calls booked in a span, oldest first, with how many each stands for.

    Read some at a time, in the caller's transaction.
    """
    # A segment is opened when its first call is due, so that few are open at once.
    waiting = [(s.booked_low, s.id, s) for s in segments.overlapping(conn, span)]
    waiting.sort(key=lambda entry: entry[:2])
    streams: list[tuple[int, int, int, tuple[Call, int], Iterator[tuple[int, int, Call, int]]]] = []

    def push(stream: Iterator[tuple[int, int, Call, int]], order: int) -> None:
        for booked, number, call, weight in stream:
            heapq.heappush(streams, (booked, number, order, (call, weight), stream))
            return

    push(head.booked_in(conn, span), 0)
    while streams or waiting:
        while waiting and (not streams or waiting[0][0] <= streams[0][0]):
            _, order, segment = waiting.pop(0)
            push(_sealed_in(segment, span), order)
        if streams:
            _, _, order, call, stream = heapq.heappop(streams)
            yield call
            push(stream, order)


def _sealed_in(segment: Segment, span: Span) -> Iterator[tuple[int, int, Call, int]]:
    at = np.flatnonzero(segment.within(span))
    booked = segment.integers("booked")[at]
    at = at[np.argsort(booked, kind="stable")]
    for start in range(0, len(at), _STEP):
        values = segment.tuples(at[start : start + _STEP])
        for full in head.with_texts(segment.conn, values):
            yield full[1], full[0], head.decode(full), head.weight_of(full)


def count(conn: sqlite3.Connection, span: Span) -> int:
    """How many calls are booked in a span."""
    sql = "SELECT count(*) FROM calls WHERE booked > ? AND booked <= ?"
    (found,) = conn.execute(sql, (span.start, span.end)).fetchone()
    return found + sum(int(segment.within(span).sum()) for segment in segments.overlapping(conn, span))


def total(conn: sqlite3.Connection) -> int:
    """How many calls are kept."""
    sql = "SELECT (SELECT count(*) FROM calls) + (SELECT ifnull(sum(left), 0) FROM segments)"
    return conn.execute(sql).fetchone()[0]


def bounds(conn: sqlite3.Connection) -> tuple[Micros | None, Micros | None]:
    """First and last booking."""
    # Asked one by one, each reads one end of the index; together they would read all of it.
    (first,) = conn.execute("SELECT min(booked) FROM calls").fetchone()
    (last,) = conn.execute("SELECT max(booked) FROM calls").fetchone()
    low, high = conn.execute("SELECT min(booked_low), max(booked_high) FROM segments").fetchone()
    firsts, lasts = ([t for t in pair if t is not None] for pair in ((first, low), (last, high)))
    return min(firsts, default=None), max(lasts, default=None)


def newest_before(conn: sqlite3.Connection, instant: Micros) -> Micros | None:
    """The last booking before an instant."""
    found = [
        *conn.execute("SELECT max(booked) FROM calls WHERE booked < ?", (instant,)).fetchone(),
        *conn.execute("SELECT max(booked_high) FROM segments WHERE booked_high < ?", (instant,)).fetchone(),
    ]
    for segment in segments.overlapping(conn, Span(instant - 1, instant)):
        if segment.booked_low < instant:
            booked = segment.integers("booked")[segment.left()]
            found.append(int(booked[booked < instant].max()))
    return max((t for t in found if t is not None), default=None)


def any_in(conn: sqlite3.Connection, span: Span) -> bool:
    """Whether a call is booked in a span."""
    sql = "SELECT 1 FROM calls WHERE booked > ? AND booked <= ? LIMIT 1"
    if conn.execute(sql, (span.start, span.end)).fetchone() is not None:
        return True
    return any(segment.within(span).any() for segment in segments.overlapping(conn, span))


def ids_in(conn: sqlite3.Connection, span: Span) -> list[int]:
    """Numbers of the calls booked in a span."""
    rows = conn.execute("SELECT id FROM calls WHERE booked > ? AND booked <= ?", (span.start, span.end))
    found = [number for (number,) in rows]
    for segment in segments.overlapping(conn, span):
        found += segment.integers("id")[segment.within(span)].tolist()
    return found


def after(conn: sqlite3.Connection, number: int, limit: int) -> list[tuple[int, Micros, Micros]]:
    """(number, booked, arrived) of the calls after a number, by number."""
    found: list[tuple[int, Micros, Micros]] = conn.execute(
        "SELECT id, booked, arrived FROM calls WHERE id > ? ORDER BY id LIMIT ?", (number, limit)
    ).fetchall()
    at, sealed = number, 0
    while sealed < limit:
        row = conn.execute("SELECT id FROM segments WHERE id > ? ORDER BY id LIMIT 1", (at,)).fetchone()
        segment = segments.get(conn, row[0]) if row else None
        if segment is None:
            break
        here = np.flatnonzero(segment.left() & (segment.integers("id") > number))[: limit - sealed]
        columns = (segment.integers(name)[here].tolist() for name in ("id", "booked", "arrived"))
        found += zip(*columns, strict=True)
        sealed += len(here)
        at = segment.id
    return sorted(found)[:limit]


def columns_in(
    conn: sqlite3.Connection, span: Span, names: Sequence[str], column: str, values: Sequence[int]
) -> np.ndarray:
    """Columns of the calls booked in a span that have one of these values in another column; one row each."""
    selected = ", ".join(f"ifnull({name}, {UNKNOWN})" for name in names)
    # Numbers of label sets and terms only.
    chosen = ", ".join(f"{value:d}" for value in values)
    rows = conn.execute(
        f"SELECT {selected} FROM calls WHERE booked > ? AND booked <= ? AND {column} IN ({chosen})",
        (span.start, span.end),
    ).fetchall()
    found = [np.array(rows, dtype=np.int64).reshape(-1, len(names))]
    for segment in segments.overlapping(conn, span):
        if segment.may_hold(column, values):
            here = segment.within(span) & np.isin(segment.integers(column), values)
            found.append(np.stack([segment.integers(name)[here] for name in names], axis=1))
    return np.concatenate(found)


def keys_of_batch(conn: sqlite3.Connection, batch: int, limit: int) -> list[tuple[str, str]]:
    """(source, source key) of sealed calls of one source that an import brought; some of them."""
    found: list[tuple[str, str]] = []
    for segment in segments.every(conn):
        if len(found) >= limit:
            break
        if segment.may_hold("batch_id_t", [batch]):
            here = segment.left() & (segment.integers("batch_id_t") == batch)
            here &= segment.integers("flags") & head.PARTS == 0
            at = np.flatnonzero(here)[: limit - len(found)]
            sources = dict(conn.execute("SELECT id, text FROM terms"))
            numbers: list[int] = segment.integers("source_t")[at].tolist()
            keys = segment.texts("source_key").at(at)
            found += [(sources[n], key or "") for n, key in zip(numbers, keys, strict=True)]
    return found


def series_used(conn: sqlite3.Connection) -> set[int]:
    """Numbers of the label sets that sealed calls have."""
    used: set[int] = set()
    for segment in segments.every(conn):
        zone = segment.zones.get("series")
        if zone is None or segment.gone is not None:
            zone = segment.integers("series")[segment.left()].tolist()
        used.update(number for number in zone if number is not None)
    return used
