"""Sealed calls that were found damaged and set aside."""

import sqlite3

NAME = "damage"
AFTER: tuple[str, ...] = ("segments",)


def up(conn: sqlite3.Connection) -> None:
    """Create the table: segments as they were, when that was found (µs UTC), and what is wrong.

    Their columns stay in `segment_columns`, under the negative number.
    """
    conn.execute(
        """CREATE TABLE damaged_segments (
        id INTEGER PRIMARY KEY, first INTEGER NOT NULL, rows INTEGER NOT NULL, left INTEGER NOT NULL,
        booked_low INTEGER NOT NULL, booked_high INTEGER NOT NULL,
        arrived_low INTEGER NOT NULL, arrived_high INTEGER NOT NULL, zones TEXT NOT NULL, gone BLOB,
        found INTEGER NOT NULL, reason TEXT NOT NULL)"""
    )
