"""What people had done under a name of its own, so that it is not done again."""

import sqlite3

NAME = "acts"
AFTER: tuple[str, ...] = ("alerts",)


def up(conn: sqlite3.Connection) -> None:
    """Create the table: `body` is what was asked, in short, `answer` the first answer as JSON; `at` µs."""
    conn.execute(
        """CREATE TABLE acts (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE,
        body TEXT NOT NULL, answer TEXT NOT NULL, at INTEGER NOT NULL)"""
    )
    conn.execute("CREATE INDEX acts_at ON acts (at)")
