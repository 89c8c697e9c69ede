"""Sealed calls, column by column, and packed identities."""

import sqlite3

NAME = "segments"
AFTER: tuple[str, ...] = ("calls",)


def up(conn: sqlite3.Connection) -> None:
    """Create the tables; calls of before are sealed bit by bit, like new ones."""
    for statement in _TABLES:
        conn.execute(statement)


_TABLES = (
    # Calls with the numbers `first` to `id`, but for those in `gone`; the bounds are those of what is left.
    # `zones` is JSON: columns of few different values, with those values.
    """CREATE TABLE segments (
        id INTEGER PRIMARY KEY, first INTEGER NOT NULL, rows INTEGER NOT NULL, left INTEGER NOT NULL,
        booked_low INTEGER NOT NULL, booked_high INTEGER NOT NULL,
        arrived_low INTEGER NOT NULL, arrived_high INTEGER NOT NULL, zones TEXT NOT NULL, gone BLOB)""",
    """CREATE TABLE segment_columns (segment INTEGER NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL,
        UNIQUE (segment, name))""",
    # Sorted hashes with their calls; `slice` is the part of all hashes that a run belongs to, a later run is
    # believed before an earlier one. `day` is that of the oldest hash whose call is gone.
    """CREATE TABLE identity_runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, slice INTEGER NOT NULL, count INTEGER NOT NULL,
        call_high INTEGER NOT NULL, day INTEGER, firsts BLOB NOT NULL, filter BLOB NOT NULL)""",
    "CREATE INDEX identity_runs_slice ON identity_runs (slice)",
    "CREATE TABLE identity_chunks (id INTEGER PRIMARY KEY, data BLOB NOT NULL)",
)
