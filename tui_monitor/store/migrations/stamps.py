"""Stamps of segments and of packed roll-ups, by which what was read of them is kept."""

import sqlite3

NAME = "stamps"
AFTER: tuple[str, ...] = ("segments", "blocks")


def up(conn: sqlite3.Connection) -> None:
    """Add the column: a random number drawn whenever one is made, also anew under the same number."""
    for table in ("segments", "minute_blocks", "hour_blocks", "day_blocks"):
        conn.execute(f"ALTER TABLE {table} ADD COLUMN stamp INTEGER NOT NULL DEFAULT 0")
        conn.execute(f"UPDATE {table} SET stamp = random()")
