"""What people had done to the stored data."""

import sqlite3

NAME = "audit"
AFTER: tuple[str, ...] = ("calls",)


def up(conn: sqlite3.Connection) -> None:
    """Create the table; `detail` is JSON, and names nobody."""
    conn.execute(
        """CREATE TABLE audit (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL,
        what TEXT NOT NULL, detail TEXT NOT NULL)"""
    )
