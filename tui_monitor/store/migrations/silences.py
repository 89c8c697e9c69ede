"""Silences of alerts, and what is to be told to the channels."""

import sqlite3

NAME = "silences"
AFTER: tuple[str, ...] = ("alerts",)


def up(conn: sqlite3.Connection) -> None:
    """Create the tables; `record` is the whole silence or alert as JSON, times are µs UTC."""
    conn.execute(
        """CREATE TABLE silences (id TEXT PRIMARY KEY, starts INTEGER NOT NULL, ends INTEGER NOT NULL,
        record TEXT NOT NULL) WITHOUT ROWID"""
    )
    conn.execute("CREATE INDEX silences_ends ON silences (ends)")
    # `change` is a row of alert_changes; a notice goes once its channel has taken it.
    conn.execute(
        """CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL,
        alert_id TEXT NOT NULL, change INTEGER NOT NULL, record TEXT NOT NULL, queued INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL, error TEXT NOT NULL DEFAULT '')"""
    )
    conn.execute("CREATE INDEX outbox_alert ON outbox (channel, alert_id, id)")
