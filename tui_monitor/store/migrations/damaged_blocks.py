"""Packed roll-ups that were found damaged and set aside."""

import sqlite3

NAME = "damaged_blocks"
AFTER: tuple[str, ...] = ("blocks",)


def up(conn: sqlite3.Connection) -> None:
    """Create the tables: blocks as they were, when that was found, and when they were made anew (µs UTC)."""
    conn.execute(
        """CREATE TABLE damaged_blocks (
        id INTEGER PRIMARY KEY, layer TEXT NOT NULL, zone INTEGER NOT NULL, start INTEGER NOT NULL,
        end INTEGER NOT NULL, rows INTEGER NOT NULL, calls INTEGER NOT NULL, constants TEXT NOT NULL,
        found INTEGER NOT NULL, mended INTEGER, reason TEXT NOT NULL)"""
    )
    conn.execute(
        """CREATE TABLE damaged_block_columns (block INTEGER NOT NULL, name TEXT NOT NULL,
        data BLOB NOT NULL)"""
    )
