"""What lately changed, to the microsecond, beside the days of `changes`."""

import sqlite3

NAME = "changed-spans"
AFTER: tuple[str, ...] = ("changes",)


def up(conn: sqlite3.Connection) -> None:
    """Create the table, empty: of each version, kind and day the first and last instant that changed.

    Every version behind the one that stands in `meta` as `noted` is told of.
    """
    conn.execute(
        """CREATE TABLE changed_spans (version INTEGER NOT NULL, kind INTEGER NOT NULL, day INTEGER NOT NULL,
        low INTEGER NOT NULL, high INTEGER NOT NULL, PRIMARY KEY (version, kind, day)) WITHOUT ROWID"""
    )
    conn.execute("INSERT INTO meta SELECT 'noted', value FROM meta WHERE name = 'version'")
