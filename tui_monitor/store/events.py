"""Dated facts that are no calls, and calls that began."""

import json
import sqlite3
from collections.abc import Sequence

from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, MINUTE, Micros
from tui_monitor.model.feed import Event, EventKind, Start
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import Outcome
from tui_monitor.store.changes import Changes, Kind
from tui_monitor.store.dictionary import Terms
from tui_monitor.store.identity import source_hash
from tui_monitor.store.jsontext import to_json

START_KEPT = 10 * MINUTE
"""How long a start is believed when nothing more is heard of its call."""
_NEWEST = 50_000
"""Events that are looked through for the newest of each label value."""
_COLUMNS = "kind, ts, source, source_key, name, value, labels"


def write(
    conn: sqlite3.Connection, events: Sequence[Event], now: Micros, terms: Terms, changes: Changes
) -> list[Outcome]:
    """Store events; one outcome each."""
    return [_write_one(conn, event, now, terms.id(event.batch_id), changes) for event in events]


def _write_one(
    conn: sqlite3.Connection, event: Event, now: Micros, batch: int | None, changes: Changes
) -> Outcome:
    number = source_hash(event.source, event.source_key)
    labels = to_json(event.labels)
    values = (event.kind, event.ts, event.source, event.source_key, event.name, event.value, labels)
    known = conn.execute(f"SELECT {_COLUMNS} FROM events WHERE hash = ?", (number,)).fetchone()
    if known == values:
        return Outcome.DUPLICATE
    changes.days(Kind.EVENTS, (ts // DAY for ts in (event.ts, known[1] if known else event.ts)))
    conn.execute(
        f"""INSERT OR REPLACE INTO events (hash, arrived, batch_id_t, {_COLUMNS})
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (number, now, batch, *values),
    )
    return Outcome.CORRECTED if known else Outcome.STORED


def _event(values: Sequence) -> Event:
    return Event(*values[:6], labels=json.loads(values[6]))


def events(conn: sqlite3.Connection, kind: EventKind, span: Span, limit: int) -> list[Event]:
    """Events in the span, oldest first; beyond the limit the newest ones."""
    rows = conn.execute(
        f"""SELECT {_COLUMNS} FROM events WHERE kind = ? AND ts > ? AND ts <= ?
        ORDER BY ts DESC, hash DESC LIMIT ?""",
        (kind, span.start, span.end, limit),
    ).fetchall()
    return [_event(values) for values in reversed(rows)]


def latest(conn: sqlite3.Connection, kind: EventKind, keys: Sequence[str]) -> list[Event]:
    """The newest event for each set of values of these labels, or of the name, in their order."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM events WHERE kind = ? ORDER BY ts DESC, hash DESC LIMIT ?", (kind, _NEWEST)
    )
    found: dict[tuple[str, ...], Event] = {}
    for values in rows:
        event = _event(values)
        told = tuple(event.name if key == "name" else event.labels.get(key, "") for key in keys)
        found.setdefault(told, event)
    return [found[value] for value in sorted(found)]


def begin(conn: sqlite3.Connection, starts: Sequence[Start], now: Micros) -> None:
    """Note calls that began, and forget those nothing was heard of."""
    conn.execute("DELETE FROM starts WHERE ts <= ?", (now - START_KEPT,))
    conn.executemany(
        "INSERT OR REPLACE INTO starts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (source_hash(s.source, s.source_key), s.ts, s.source, s.source_key, s.provider, s.model,
             s.operation, s.app)
            for s in starts
        ],
    )  # fmt: skip


def end(conn: sqlite3.Connection, calls: Sequence[Call]) -> None:
    """These calls have been reported."""
    if conn.execute("SELECT 1 FROM starts LIMIT 1").fetchone():
        ended = [(source_hash(call.source, call.source_key),) for call in calls]
        conn.executemany("DELETE FROM starts WHERE hash = ?", ended)


def starts(conn: sqlite3.Connection, since: Micros) -> list[Start]:
    """Calls that began after `since` and are not reported yet, oldest first."""
    rows = conn.execute(
        """SELECT source, source_key, ts, provider, model, operation, app FROM starts
        WHERE ts > ? ORDER BY ts, hash""",
        (since,),
    )
    return [Start(*values) for values in rows]


def expire(conn: sqlite3.Connection, before: Micros, changes: Changes) -> int:
    """Drop events that happened and arrived up to a time; how many."""
    old = "FROM events WHERE ts <= ?1 AND arrived <= ?1"
    first, last = conn.execute(f"SELECT min(ts), max(ts) {old}", (before,)).fetchone()
    if first is None:
        return 0
    changes.within(Kind.EVENTS, Span(first - 1, last))
    return conn.execute(f"DELETE {old}", (before,)).rowcount
