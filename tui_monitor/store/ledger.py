"""What is kept of everything: one row per session, and how much there is in all."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui_monitor.model.call import Call
from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import Span
from tui_monitor.store import calls, sampled
from tui_monitor.store.api import Extent
from tui_monitor.store.dictionary import Terms
from tui_monitor.store.head import Row


@dataclass(slots=True)
class Change:
    """What happens to one session: sums, and the times that come and go."""

    calls: int = 0
    tokens: int = 0
    cost: int = 0
    came: tuple[Micros, Micros] | None = None
    went: tuple[Micros, Micros] | None = None


def add(
    conn: sqlite3.Connection, sessions: Mapping[str, Change], calls: int, booked: tuple[Micros, Micros],
    terms: Terms,
) -> None:  # fmt: skip
    """Keep the ledger along with calls that come: how many, and when the first and last are booked."""
    for session, change in sessions.items():
        number = terms.id(session)
        assert number is not None
        _apply_session(conn, number, change)
    known = extent(conn)
    first = booked[0] if known.first is None else min(known.first, booked[0])
    last = booked[1] if known.last is None else max(known.last, booked[1])
    _note_extent(conn, known.calls + calls, first, last)


def apply(conn: sqlite3.Connection, old: Sequence[Row], new: Sequence[Row], terms: Terms) -> None:
    """Keep the ledger along with a change of rows; the raw rows are changed already."""
    signed = [(sign, row.call) for sign, rows in ((-1, old), (1, new)) for row in rows]
    _apply_sessions(conn, signed, terms)
    _apply_extent(conn, [row.call for row in old], [row.call for row in new])


def come(conn: sqlite3.Connection, new: Sequence[Call], terms: Terms) -> None:
    """Keep the ledger along with calls that come."""
    _apply_sessions(conn, [(1, call) for call in new if call.session is not None], terms)
    _apply_extent(conn, (), new)


def extent(conn: sqlite3.Connection) -> Extent:
    """How much there is."""
    stored = dict(conn.execute("SELECT name, value FROM meta WHERE name IN ('calls', 'first', 'last')"))
    return Extent(stored["calls"], stored.get("first"), stored.get("last"))


def _wider(span: tuple[Micros, Micros] | None, instant: Micros) -> tuple[Micros, Micros]:
    return (min(span[0], instant), max(span[1], instant)) if span else (instant, instant)


def _apply_sessions(conn: sqlite3.Connection, signed: Sequence[tuple[int, Call]], terms: Terms) -> None:
    changes: dict[str, Change] = {}
    for sign, call in signed:
        if call.session is None:
            continue
        change = changes.setdefault(call.session, Change())
        change.calls += sign
        change.tokens += sign * (call.total_tokens or 0)
        change.cost += sign * (call.cost or 0)
        if sign > 0:
            change.came = _wider(change.came, call.booked)
        else:
            change.went = _wider(change.went, call.booked)
    for session, change in changes.items():
        number = terms.id(session)
        assert number is not None
        _apply_session(conn, number, change)


def _apply_session(conn: sqlite3.Connection, session: int, change: Change) -> None:
    row = conn.execute("SELECT first, last, calls FROM sessions WHERE session = ?", (session,)).fetchone()
    if (row[2] if row else 0) + change.calls <= 0:
        conn.execute("DELETE FROM sessions WHERE session = ?", (session,))
        return
    # What goes without coming was stored before, so there is a row or something comes.
    spans = [span for span in (row[:2] if row else None, change.came) if span]
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    if _may_shrink(change, first, last):
        first, last = _raw_span(conn, session, first, last, row[2] + change.calls)
    conn.execute(
        """INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (session) DO UPDATE SET
        first = excluded.first, last = excluded.last, calls = calls + excluded.calls,
        tokens = tokens + excluded.tokens, cost = cost + excluded.cost""",
        (session, first, last, change.calls, change.tokens, change.cost),
    )


def _may_shrink(change: Change, first: Micros, last: Micros) -> bool:
    """Whether the first or last call went, and none came that is as early or as late."""
    if change.went is None:
        return False
    came = change.came or (last + 1, first - 1)
    starts_later = change.went[0] <= first < came[0]
    ends_earlier = change.went[1] >= last > came[1]
    return starts_later or ends_earlier


def _raw_span(
    conn: sqlite3.Connection, session: int, first: Micros, last: Micros, count: int
) -> tuple[Micros, Micros]:
    """First and last booking of the session's calls, or as known before where not all are kept raw."""
    booked = calls.columns_in(conn, Span(first - 1, last), ["booked"], "session_t", [session])
    return (int(booked.min()), int(booked.max())) if len(booked) == count else (first, last)


def _apply_extent(conn: sqlite3.Connection, old: Sequence[Call], new: Sequence[Call]) -> None:
    known = extent(conn)
    first, last = known.first, known.last
    went = [call.booked for call in old]
    if went and (min(went) == first or max(went) == last):
        first, last = _kept_span(conn)
    came = [call.booked for call in new]
    if came:
        first = min(came) if first is None else min(first, *came)
        last = max(came) if last is None else max(last, *came)
    _note_extent(conn, known.calls + len(new) - len(old), first, last)


def _note_extent(conn: sqlite3.Connection, calls: int, first: Micros | None, last: Micros | None) -> None:
    values = (("calls", calls), ("first", first), ("last", last))
    conn.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values)


def _kept_span(conn: sqlite3.Connection) -> tuple[Micros | None, Micros | None]:
    """First and last booking of what is kept raw, widened by what retention dropped or sampling left out."""
    first, last = calls.bounds(conn)
    dropped = conn.execute("SELECT min(start) + 1, max(end) FROM dropped WHERE layer = 'raw'").fetchone()
    left_out = sampled.extremes(conn)
    starts = [t for t in (first, dropped[0], left_out[0]) if t is not None]
    ends = [t for t in (last, dropped[1], left_out[1]) if t is not None]
    return (min(starts) if starts else None), (max(ends) if ends else None)
