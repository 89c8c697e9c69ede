"""Imports, and where sources go on."""

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import MonitorError, NotFound
from tui_monitor.model.feed import Retract
from tui_monitor.store import calls
from tui_monitor.store.api import ImportInfo
from tui_monitor.store.series import reading, sealing

_SERIES_AT_ONCE = 100_000


def begin(conn: sqlite3.Connection, info: ImportInfo) -> None:
    """Note an import; one of the same batch id goes on."""
    conn.execute(
        """INSERT INTO imports (batch_id, started, files, format, stored, shift_us) VALUES (?, ?, ?, ?, 0, ?)
        ON CONFLICT (batch_id) DO UPDATE SET undone = NULL""",
        (info.batch_id, info.started, json.dumps(info.files), info.format, info.shift_us),
    )


def count(conn: sqlite3.Connection, batches: Mapping[str | None, int]) -> None:
    """Add to the calls of imports: how many by batch id."""
    rows = [(n, batch_id) for batch_id, n in batches.items() if n and batch_id is not None]
    conn.executemany("UPDATE imports SET stored = stored + ? WHERE batch_id = ?", rows)


def lose(conn: sqlite3.Connection, batches: Mapping[str, int]) -> None:
    """Note that retention took raw calls: how many by batch id."""
    rows = [(n, batch_id) for batch_id, n in batches.items()]
    conn.executemany("UPDATE imports SET gone = gone + ? WHERE batch_id = ?", rows)


def listed(conn: sqlite3.Connection) -> list[ImportInfo]:
    """All imports, newest first."""
    rows = conn.execute(
        """SELECT batch_id, started, files, format, stored, shift_us, undone FROM imports
        ORDER BY started DESC, rowid DESC"""
    )
    return [
        ImportInfo(batch_id, started, tuple(json.loads(files)), form, stored, shift, undone)
        for batch_id, started, files, form, stored, shift, undone in rows
    ]


def check_undo(path: Path, conn: sqlite3.Connection, batch_id: str) -> None:
    """Raises `NotFound`, and `MonitorError` where an import cannot be taken back whole."""
    row = conn.execute("SELECT undone, gone FROM imports WHERE batch_id = ?", (batch_id,)).fetchone()
    if row is None:
        raise NotFound(f"no import {batch_id!r} in {path}", hint="tui-monitor import list names them")
    undone, gone = row
    if undone is not None:
        raise MonitorError(f"import {batch_id!r} was taken back already")
    if gone:
        raise MonitorError(
            f"import {batch_id!r} cannot be taken back: {gone:,} of its calls are no longer kept one by one",
            hint="retention.raw says how long they are; their sums stay until their own time is over",
        )


def next_calls(conn: sqlite3.Connection, batch_id: str, limit: int) -> list[Retract]:
    """Some calls that the import brought, by time."""
    batch = conn.execute("SELECT id FROM terms WHERE text = ?", (batch_id,)).fetchone()
    found = [
        Retract(source, source_key)
        for source, source_key in conn.execute(
            """SELECT source.text, c.source_key FROM calls c JOIN terms source ON source.id = c.source_t
            WHERE c.batch_id_t = (SELECT id FROM terms WHERE text = ?1) AND c.flags & 2 = 0
            UNION ALL
            SELECT json_extract(record, '$.source'), json_extract(record, '$.source_key') FROM parts
            WHERE batch_id_t = (SELECT id FROM terms WHERE text = ?1)
            LIMIT ?2""",
            (batch_id, limit),
        )
    ]
    if batch is not None and len(found) < limit:
        sealed = calls.keys_of_batch(conn, batch[0], limit - len(found))
        found += [Retract(source, source_key) for source, source_key in sealed]
    return found


def drop_feed(conn: sqlite3.Connection, batch_id: str) -> None:
    """Take out the events and samples that the import brought."""
    known = conn.execute("SELECT id FROM terms WHERE text = ?", (batch_id,)).fetchone()
    if known is None:
        return
    conn.execute("DELETE FROM events WHERE batch_id_t = ?", known)
    sealing.seal_batch(conn, known[0])
    reading.drop_batch(conn, known[0])
    after = 0
    while looked := reading.drop_empty(conn, after, _SERIES_AT_ONCE):
        after = looked[0]


def finish_undo(conn: sqlite3.Connection, batch_id: str, now: Micros) -> None:
    """Note that an import was taken back."""
    conn.execute("UPDATE imports SET undone = ?, stored = 0 WHERE batch_id = ?", (now, batch_id))


def save_offsets(conn: sqlite3.Connection, offsets: Mapping[str, str]) -> None:
    """Keep where sources go on; an empty text removes a key."""
    kept = [(key, text) for key, text in offsets.items() if text]
    conn.executemany("INSERT OR REPLACE INTO offsets VALUES (?, ?)", kept)
    conn.executemany(
        "DELETE FROM offsets WHERE key = ?", [(key,) for key, text in offsets.items() if not text]
    )


def offset(conn: sqlite3.Connection, key: str) -> str | None:
    """Where a source goes on."""
    row = conn.execute("SELECT text FROM offsets WHERE key = ?", (key,)).fetchone()
    return row[0] if row else None


def offsets(conn: sqlite3.Connection, prefix: str) -> dict[str, str]:
    """Every key that begins so, with its text."""
    rows = conn.execute("SELECT key, text FROM offsets WHERE substr(key, 1, ?) = ?", (len(prefix), prefix))
    return dict(rows.fetchall())
