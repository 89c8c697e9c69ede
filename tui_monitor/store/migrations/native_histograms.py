"""Native histograms in chunks and steps of their own, beside those of floats."""

import sqlite3

NAME = "native_histograms"
AFTER: tuple[str, ...] = ("series",)


def up(conn: sqlite3.Connection) -> None:
    """Create the tables; times are shared with the chunks of floats, so each looks at all before one goes."""
    for table in _NEW:
        conn.execute(
            f"""CREATE TABLE {table} (id INTEGER PRIMARY KEY, series INTEGER NOT NULL,
            start INTEGER NOT NULL, end INTEGER NOT NULL, n INTEGER NOT NULL, times INTEGER NOT NULL,
            batch_id_t INTEGER, arrived INTEGER, body BLOB NOT NULL)"""
        )
        conn.execute(f"CREATE INDEX {table}_series ON {table} (series, start, end)")
        conn.execute(f"CREATE INDEX {table}_times ON {table} (times)")
        conn.execute(f"CREATE INDEX {table}_batch ON {table} (batch_id_t) WHERE batch_id_t IS NOT NULL")
    unused = " ".join(
        f"AND NOT EXISTS (SELECT 1 FROM {table} WHERE times = old.times)" for table in (*_OLD, *_NEW)
    )
    for table in (*_OLD, *_NEW):
        conn.execute(f"DROP TRIGGER IF EXISTS {table}_gone")
        conn.execute(
            f"""CREATE TRIGGER {table}_gone AFTER DELETE ON {table} BEGIN
            DELETE FROM sample_times WHERE id = old.times {unused}; END"""
        )


_OLD = ("sample_chunks", "sample_steps")
_NEW = ("histogram_chunks", "histogram_steps")
