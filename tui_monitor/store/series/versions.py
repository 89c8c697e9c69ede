"""What tells that samples are not what they were: more came behind all others, or anything else changed."""

import sqlite3
from typing import NamedTuple


class Version(NamedTuple):
    """Of all samples at one moment."""

    changed: int
    """A random number, drawn anew whenever samples came among others, were replaced or went."""
    grown: int
    """Counts the commits that brought samples."""


def of(conn: sqlite3.Connection) -> Version:
    """The version that a connection sees."""
    found = dict(
        conn.execute("SELECT name, value FROM meta WHERE name IN ('samples_changed', 'samples_grown')")
    )
    return Version(found["samples_changed"], found["samples_grown"])


def grow(conn: sqlite3.Connection) -> None:
    """Samples came; inside a transaction."""
    conn.execute("UPDATE meta SET value = value + 1 WHERE name = 'samples_grown'")


def change(conn: sqlite3.Connection) -> None:
    """Samples changed otherwise than by more that came behind all others of their series."""
    conn.execute("UPDATE meta SET value = random() WHERE name = 'samples_changed'")
