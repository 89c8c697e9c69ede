"""Calls that were sampled: how many a raw row stands for, and when some got none."""

import sqlite3

NAME = "sampling"
AFTER: tuple[str, ...] = ("calls",)


def up(conn: sqlite3.Connection) -> None:
    """Add the column, empty for a row that stands for itself; and the table, one row for each hour."""
    conn.execute("ALTER TABLE calls ADD COLUMN weight INTEGER")
    # Of calls without a raw row: first and last booking, last arrival; where fewest were kept, 1 in so many.
    conn.execute(
        """CREATE TABLE sampled (hour INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL,
        arrived INTEGER NOT NULL, calls INTEGER NOT NULL, one_in INTEGER NOT NULL)"""
    )
