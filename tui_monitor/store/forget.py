"""Forgetting a person: one label's value is taken out of every layer, and every sum stays what it was."""

import json
import re
import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import orjson

from tui_monitor.model.call import DIMENSIONS
from tui_monitor.model.clock import Micros
from tui_monitor.store import blocks, rollups, segments
from tui_monitor.store.api import Layer
from tui_monitor.store.dictionary import SERIES_MASK, LabelSet
from tui_monitor.store.head import COLUMNS
from tui_monitor.store.jsontext import to_json
from tui_monitor.store.series import reading
from tui_monitor.store.writing import WriteSide

FORGOTTEN = "(forgotten)"
"""Stands in sentences for the value that was taken out."""
_CELLS = ("hour", "day")
_KEPT = frozenset(("id", "fingerprint", "rule", "severity", "state", "op", "unit", "silenced_by"))
"""Fields of an alert that name no person."""


@dataclass(slots=True)
class Forgotten:
    """Rows of each kind that named the value."""

    calls: int = 0
    cells: int = 0
    attributes: int = 0
    """Calls with a free attribute of that value."""
    events: int = 0
    series: int = 0
    alerts: int = 0

    @property
    def total(self) -> int:
        """Rows of all kinds."""
        return sum(asdict(self).values())


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
    """Take a value of one of the hour's labels out of every layer; one transaction, noted in the audit.

    Calls, sums and histograms stay, without a value for that label. What is deleted is overwritten, in the
    file and in its log. Copies made before know the value still.
    """
    conn, done = side.conn, Forgotten()
    with side.upkeep, side.transaction() as now:
        moved = _moved(side, label, value)
        done.calls = _move_calls(conn, moved, label, value)
        _clear_segments(conn, moved, value, done)
        done.cells = sum(_move_cells(conn, table, moved) for table in _CELLS)
        done.attributes += _clear_attributes(conn, value)
        done.events = _clear_events(conn, value)
        done.series = _move_series(conn, value)
        done.alerts = _clear_alerts(conn, value)
        blocks.sweep_sets(conn)
        _note(conn, now, who, label, done)
        side.forget()
        side.bump()
    with side.guard:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return done


def _moved(side: WriteSide, label: str, value: str) -> dict[int, int]:
    """The number of each label set with the value → that of the same set without it."""
    at = DIMENSIONS.index(label)
    rows = side.conn.execute(
        "SELECT id, labels FROM series_keys WHERE fine IS NOT NULL AND json_extract(labels, ?) = ?",
        (f"$[{at}]", value),
    ).fetchall()
    moved: dict[int, int] = {}
    for number, text in rows:
        labels: LabelSet = tuple(json.loads(text))
        moved[number] = side.keys.id((*labels[:at], None, *labels[at + 1 :]))
    return moved


def _move_calls(conn: sqlite3.Connection, moved: dict[int, int], label: str, value: str) -> int:
    count = 0
    for old, new in moved.items():
        count += conn.execute("UPDATE calls SET series = ? WHERE series = ?", (new, old)).rowcount
    # What each source said of a call that several sources know.
    conn.execute(
        f"""UPDATE parts SET record = json_set(record, '$.{label}', NULL)
        WHERE json_extract(record, '$.{label}') = ?""",
        (value,),
    )
    return count


def _clear_segments(conn: sqlite3.Connection, moved: dict[int, int], value: str, done: Forgotten) -> None:
    """Make segments anew that name the value, be it in a call that is no longer theirs."""

    def cleared(text: str | None) -> str | None:
        if text is None or _in_json(value) not in text:
            return text
        labels = orjson.loads(text)
        left = _without(labels, value)
        return text if left == labels else to_json(left)

    series, attrs = COLUMNS.index("series"), COLUMNS.index("attrs")
    for segment in segments.every(conn):
        named = segment.may_hold("series", moved) and np.isin(segment.integers("series"), list(moved)).any()
        if not named and all(cleared(text) == text for text in segment.texts("attrs").values()):
            continue
        rows = [list(row) for row in segment.tuples(np.flatnonzero(segment.left()))]
        for row in rows:
            if row[series] in moved:
                row[series] = moved[row[series]]
                done.calls += 1
            before, row[attrs] = row[attrs], cleared(row[attrs])
            done.attributes += row[attrs] != before
        segments.store(conn, segment.id, segment.first, segments.encode(rows))


def _move_cells(conn: sqlite3.Connection, table: str, moved: dict[int, int]) -> int:
    """Add the cells of the old label sets to those of the new ones."""
    count = 0
    for old, new in moved.items():
        blocks.spread_sets(conn, Layer(table), [old])
        keys = [k for (k,) in conn.execute(f"SELECT key FROM {table} WHERE key & {SERIES_MASK} = ?", (old,))]
        for at in range(0, len(keys), 500):
            part = json.dumps(keys[at : at + 500])
            rollups.merge_cells(conn, table, part, new - old)
            conn.execute(f"DELETE FROM {table} WHERE key IN (SELECT value FROM json_each(?))", (part,))
        count += len(keys)
    return count


def _clear_attributes(conn: sqlite3.Connection, value: str) -> int:
    changed = len(_rewrite(conn, "calls", "id", "attrs", value))
    for row in conn.execute(
        "SELECT call, seq, record FROM parts WHERE instr(record, ?)", (_in_json(value),)
    ).fetchall():
        record = orjson.loads(row[2])
        record["attrs"] = _without(record.get("attrs") or {}, value)
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
        f"SELECT {key}, {column} FROM {table} WHERE instr({column}, ?)", (_in_json(value),)
    ):
        before = orjson.loads(text)
        after = _without(before, value)
        if after != before:
            changes.append((to_json(after), number))
    conn.executemany(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", changes)
    return {number for _, number in changes}


def _in_json(value: str) -> str:
    """What text in JSON holds wherever the value is part of one of its strings, however deep."""
    return max((json.dumps(part, ensure_ascii=False)[1:-1] for part in re.split(r'["\\]', value)), key=len)


def _without(labels: dict[str, Any], value: str) -> dict[str, Any]:
    return {name: text for name, text in labels.items() if not _holds(text, value)}


def _holds(found: Any, value: str) -> bool:
    """Whether it is the value, or a list written as JSON with the value in it."""
    if found == value:
        return True
    if isinstance(found, str):
        if not found.startswith("[") or _in_json(value) not in found:
            return False
        try:
            found = orjson.loads(found)
        except ValueError:
            return False
    if isinstance(found, dict):
        return any(_holds(inner, value) for inner in found.values())
    return isinstance(found, list) and any(_holds(inner, value) for inner in found)


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
        labels = _without(json.loads(text), value)
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
            f"SELECT id, record FROM {table} WHERE instr(record, ?)", (_in_json(value),)
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
