"""Imports: what was loaded, when, and what came of it."""

import sqlite3

NAME = "imports"
AFTER: tuple[str, ...] = ("calls",)


def up(conn: sqlite3.Connection) -> None:
    """Create the table; `gone` counts calls that retention took."""
    conn.execute(
        """CREATE TABLE imports (
        batch_id TEXT PRIMARY KEY, started INTEGER NOT NULL, files TEXT NOT NULL, format TEXT NOT NULL,
        stored INTEGER NOT NULL, shift_us INTEGER NOT NULL, undone INTEGER,
        gone INTEGER NOT NULL DEFAULT 0)"""
    )
