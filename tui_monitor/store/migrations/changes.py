"""When something last changed, by kind and day, so that answers that are kept can be judged."""

import sqlite3

NAME = "changes"
AFTER: tuple[str, ...] = ("calls",)


def up(conn: sqlite3.Connection) -> None:
    """Create the table, empty: nothing is kept of a database that is brought up to date."""
    conn.execute(
        """CREATE TABLE changes (kind INTEGER NOT NULL, day INTEGER NOT NULL, version INTEGER NOT NULL,
        PRIMARY KEY (kind, day)) WITHOUT ROWID"""
    )
    conn.execute("INSERT INTO meta SELECT 'changed', value FROM meta WHERE name = 'version'")
