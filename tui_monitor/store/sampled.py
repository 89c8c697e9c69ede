"""Calls that were left out by sampling: counted in every sum and known again, but without a raw row."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress

from tui_monitor.model.clock import DAY, HOUR, Micros
from tui_monitor.model.timerange import Span
from tui_monitor.store import cells, head, identity, segments
from tui_monitor.store.api import Layer, SampledSpan
from tui_monitor.store.head import Row


def leave_out(conn: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Note calls that get no raw row, and keep their identities; inside a transaction."""
    marks: list[tuple[int, int | None, int]] = []
    for row in rows:
        (part,) = row.parts
        own, *keys = identity.hashes(part.call)
        day = row.arrived // DAY
        marks.append((own, identity.content_mark(part.call), day))
        marks += [(number, None, day) for number in keys]
    identity.outlive(conn, marks)
    hours: dict[int, list[Row]] = {}
    for row in rows:
        hours.setdefault(cells.cell_of(Layer.HOUR, row.call.booked), []).append(row)
    conn.executemany(
        """INSERT INTO sampled VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (hour) DO UPDATE SET
        first = min(first, excluded.first), last = max(last, excluded.last),
        arrived = max(arrived, excluded.arrived), calls = calls + excluded.calls,
        one_in = max(one_in, excluded.one_in)""",
        [
            (
                hour, min(row.call.booked for row in here), max(row.call.booked for row in here),
                max(row.arrived for row in here), len(here), max(row.weight for row in here),
            )
            for hour, here in hours.items()
        ],
    )  # fmt: skip


def spans(conn: sqlite3.Connection, since: Micros = 0) -> tuple[SampledSpan, ...]:
    """When some calls booked at or after an instant got no raw row, by time; an hour at a time at most."""
    rows = conn.execute(
        "SELECT first, last, calls, one_in FROM sampled WHERE last >= ? ORDER BY hour", (since,)
    )
    return tuple(SampledSpan(Span(first - 1, last), n, one_in) for first, last, n, one_in in rows)


def together(found: Iterable[SampledSpan]) -> tuple[SampledSpan, ...]:
    """Spans with less than an hour between them as one, to be named."""
    merged: list[SampledSpan] = []
    for one in found:
        last = merged[-1] if merged else None
        if last is not None and one.span.start - last.span.end < HOUR:
            merged[-1] = SampledSpan(
                Span(last.span.start, one.span.end), last.calls + one.calls, max(last.one_in, one.one_in)
            )
        else:
            merged.append(one)
    return tuple(merged)


def total(conn: sqlite3.Connection) -> int:
    """How many calls got no raw row, of the times whose raw rows are kept."""
    return conn.execute("SELECT ifnull(sum(calls), 0) FROM sampled").fetchone()[0]


def extremes(conn: sqlite3.Connection) -> tuple[Micros | None, Micros | None]:
    """First and last booking of calls without a raw row."""
    return conn.execute("SELECT min(first), max(last) FROM sampled").fetchone()


def expire(conn: sqlite3.Connection, cutoff: Micros) -> list[Span]:
    """Forget the hours that happened and arrived up to the cutoff; their spans."""
    condition = "FROM sampled WHERE last <= ?1 AND arrived <= ?1"
    rows = conn.execute(f"SELECT first, last {condition} ORDER BY hour", (cutoff,)).fetchall()
    conn.execute(f"DELETE {condition}", (cutoff,))
    return [Span(first - 1, last) for first, last in rows]


def pushed_since(conn: sqlite3.Connection, instant: Micros) -> int:
    """Raw rows that arrived at or after an instant and could have been sampled: not those of files."""
    (count,) = conn.execute(
        "SELECT count(*) FROM calls WHERE arrived >= ? AND flags & ? = 0", (instant, head.REMEMBER)
    ).fetchone()
    for (number,) in conn.execute("SELECT id FROM segments WHERE arrived_high >= ?", (instant,)).fetchall():
        segment = segments.get(conn, number)
        assert segment is not None
        # What cannot be read is not counted: collecting goes on.
        with suppress(segments.DamagedSegment):
            here = segment.left() & (segment.integers("arrived") >= instant)
            count += int((here & (segment.integers("flags") & head.REMEMBER == 0)).sum())
    return count
