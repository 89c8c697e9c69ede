"""Roll-up cells of times that are over, packed."""

import sqlite3

NAME = "blocks"
AFTER: tuple[str, ...] = ("rollups",)


def up(conn: sqlite3.Connection) -> None:
    """Create the tables; cells of before are packed bit by bit, like new ones."""
    for layer in ("minute", "hour", "day"):
        # All cells with keys from `low` up to below `high`, of which `first` and `last` are the outermost;
        # `touched` is their latest. `constants` is JSON: columns whose values are all the same.
        conn.execute(
            f"""CREATE TABLE {layer}_blocks (low INTEGER PRIMARY KEY, high INTEGER NOT NULL,
            first INTEGER NOT NULL, last INTEGER NOT NULL, rows INTEGER NOT NULL, calls INTEGER NOT NULL,
            touched INTEGER NOT NULL, constants TEXT NOT NULL)"""
        )
        conn.execute(
            f"""CREATE TABLE {layer}_columns (block INTEGER NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL,
            UNIQUE (block, name))"""
        )
