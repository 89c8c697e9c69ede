"""Alerts and their history."""

import sqlite3

NAME = "alerts"
AFTER: tuple[str, ...] = ()


def up(conn: sqlite3.Connection) -> None:
    """Create the tables; `record` is the whole alert as JSON."""
    conn.execute(
        """CREATE TABLE alerts (id TEXT PRIMARY KEY, state TEXT NOT NULL, since INTEGER NOT NULL,
        resolved INTEGER, record TEXT NOT NULL) WITHOUT ROWID"""
    )
    conn.execute("CREATE INDEX alerts_state ON alerts (state, resolved)")
    conn.execute(
        """CREATE TABLE alert_changes (id INTEGER PRIMARY KEY, alert_id TEXT NOT NULL, at INTEGER NOT NULL,
        state TEXT NOT NULL, who TEXT NOT NULL, note TEXT NOT NULL, value REAL)"""
    )
    conn.execute("CREATE INDEX alert_changes_alert ON alert_changes (alert_id, id)")
