"""What arrives beside calls: samples, events, starts; and where sources go on."""

import sqlite3

NAME = "feed"
AFTER: tuple[str, ...] = ("calls",)


def up(conn: sqlite3.Connection) -> None:
    """Create the tables."""
    for statement in _TABLES:
        conn.execute(statement)


_TABLES = (
    """CREATE TABLE sample_series (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, labels TEXT NOT NULL, type TEXT NOT NULL,
        UNIQUE (name, labels))""",
    """CREATE TABLE samples (series INTEGER NOT NULL, ts INTEGER NOT NULL, value REAL,
        PRIMARY KEY (series, ts)) WITHOUT ROWID""",
    """CREATE TABLE events (
        hash INTEGER PRIMARY KEY, kind TEXT NOT NULL, ts INTEGER NOT NULL, arrived INTEGER NOT NULL,
        source TEXT NOT NULL, source_key TEXT NOT NULL, name TEXT NOT NULL, value REAL,
        labels TEXT NOT NULL)""",
    "CREATE INDEX events_kind ON events (kind, ts)",
    """CREATE TABLE starts (
        hash INTEGER PRIMARY KEY, ts INTEGER NOT NULL, source TEXT NOT NULL, source_key TEXT NOT NULL,
        provider TEXT, model TEXT, operation TEXT NOT NULL, app TEXT)""",
    "CREATE TABLE offsets (key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID",
)
