"""Forgetting a person: one label's value is taken out of every layer, and every sum stays what it was."""

import json
import re
import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from tui_monitor.model.clock import Micros
from tui_monitor.store import blocks, relabel
from tui_monitor.store.jsontext import to_json
from tui_monitor.store.relabel import Forgotten, in_json, without
from tui_monitor.store.series import reading
from tui_monitor.store.writing import WriteSide

FORGOTTEN = "(forgotten)"
"""Stands in sentences for the value that was taken out."""
_KEPT = frozenset(("id", "fingerprint", "rule", "severity", "state", "op", "unit", "silenced_by"))
"""Fields of an alert that name no person."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What somebody had done to the stored data, and when (µs UTC); `detail` counts rows by kind."""

    at: Micros
    who: str
    what: str
    detail: dict[str, Any]


def audit(conn: sqlite3.Connection) -> list[AuditEntry]:
    """Every entry, newest first."""
    rows = conn.execute("SELECT at, who, what, detail FROM audit ORDER BY id DESC")
    return [AuditEntry(at, who, what, orjson.loads(detail)) for at, who, what, detail in rows]


def forget(side: WriteSide, label: str, value: str, who: str) -> Forgotten:
    """Take a value of one of the hour's labels out of every layer, bit by bit; noted in the audit at the end.

    Calls, sums and histograms stay, without a value for that label. What is deleted is overwritten, in the
    file and in its log. Copies made before know the value still. Each step is a short transaction that leaves
    calls and sums in agreement; what was stopped halfway is finished by doing it again.
    """
    done = Forgotten()
    with side.upkeep:
        relabel.relabel(side, label, value, done)
        with side.transaction() as now:
            conn = side.conn
            relabel.finish(side, label, value, done)
            done.attributes += _clear_attributes(conn, value)
            done.events = _clear_events(conn, value)
            done.series = _move_series(conn, value)
            done.alerts = _clear_alerts(conn, value)
            blocks.sweep_sets(conn)
            _note(conn, now, who, label, done)
            side.forget()
            side.bump()
    with side.guard:
        side.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return done


def _clear_attributes(conn: sqlite3.Connection, value: str) -> int:
    changed = len(_rewrite(conn, "calls", "id", "attrs", value))
    for row in conn.execute(
        "SELECT call, seq, record FROM parts WHERE instr(record, ?)", (in_json(value),)
    ).fetchall():
        record = orjson.loads(row[2])
        record["attrs"] = without(record.get("attrs") or {}, value)
        conn.execute("UPDATE parts SET record = ? WHERE call = ? AND seq = ?", (to_json(record), *row[:2]))
    return changed


def _clear_events(conn: sqlite3.Connection, value: str) -> int:
    """Take the value out of labels, and out of sentences like the text of a mark."""
    whole_word = _whole_word(value)
    named: dict[int, str] = {
        number: whole_word.sub(FORGOTTEN, text)
        for number, text in conn.execute("SELECT hash, name FROM events WHERE instr(name, ?)", (value,))
        if whole_word.search(text)
    }
    conn.executemany("UPDATE events SET name = ? WHERE hash = ?", [(text, n) for n, text in named.items()])
    return len(named.keys() | _rewrite(conn, "events", "hash", "labels", value))


def _rewrite(conn: sqlite3.Connection, table: str, key: str, column: str, value: str) -> set[int]:
    """Take the value out of the JSON objects that hold it; the keys of their rows."""
    changes: list[tuple[str, int]] = []
    for number, text in conn.execute(
        f"SELECT {key}, {column} FROM {table} WHERE instr({column}, ?)", (in_json(value),)
    ):
        before = orjson.loads(text)
        after = without(before, value)
        if after != before:
            changes.append((to_json(after), number))
    conn.executemany(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", changes)
    return {number for _, number in changes}


def _whole_word(value: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(value)}(?!\w)")


def _move_series(conn: sqlite3.Connection, value: str) -> int:
    """Series of samples with the value in a label become those without it."""
    quoted = json.dumps(value, ensure_ascii=False)
    found = conn.execute(
        "SELECT id, name, labels, type FROM sample_series WHERE instr(labels, ?)", (quoted,)
    ).fetchall()
    count = 0
    for number, name, text, kind in found:
        labels = without(json.loads(text), value)
        if len(labels) == len(json.loads(text)):
            continue
        count += 1
        conn.execute(
            "INSERT OR IGNORE INTO sample_series (name, labels, type) VALUES (?, ?, ?)",
            (name, to_json(labels), kind),
        )
        (target,) = conn.execute(
            "SELECT id FROM sample_series WHERE name = ? AND labels = ?", (name, to_json(labels))
        ).fetchone()
        conn.execute("UPDATE OR IGNORE samples SET series = ? WHERE series = ?", (target, number))
        conn.execute("DELETE FROM samples WHERE series = ?", (number,))
        for table in reading.TABLES:
            conn.execute(f"UPDATE {table} SET series = ? WHERE series = ?", (target, number))
        conn.execute("DELETE FROM sample_series WHERE id = ?", (number,))
    return count


def _clear_alerts(conn: sqlite3.Connection, value: str) -> int:
    """Alerts about the value keep their history; the value goes out of labels, sentences and names."""
    whole_word = _whole_word(value)

    def cleared(found: Any) -> Any:
        if isinstance(found, dict):
            return {name: cleared(inner) for name, inner in found.items()}
        if isinstance(found, list):
            return [cleared(inner) for inner in found]
        return whole_word.sub(FORGOTTEN, found) if isinstance(found, str) else found

    count = 0
    for table in ("alerts", "silences", "outbox"):
        rows = conn.execute(
            f"SELECT id, record FROM {table} WHERE instr(record, ?)", (in_json(value),)
        ).fetchall()
        for number, text in rows:
            record = orjson.loads(text)
            after = {name: inner if name in _KEPT else cleared(inner) for name, inner in record.items()}
            if after != record:
                conn.execute(f"UPDATE {table} SET record = ? WHERE id = ?", (to_json(after), number))
                count += 1
    for number, who, note in conn.execute("SELECT id, who, note FROM alert_changes").fetchall():
        if (cleared(who), cleared(note)) != (who, note):
            conn.execute(
                "UPDATE alert_changes SET who = ?, note = ? WHERE id = ?",
                (cleared(who), cleared(note), number),
            )
    return count


def _note(conn: sqlite3.Connection, now: Micros, who: str, label: str, done: Forgotten) -> None:
    detail = to_json({"label": label, **asdict(done)})
    conn.execute("INSERT INTO audit (at, who, what, detail) VALUES (?, ?, 'forget', ?)", (now, who, detail))
