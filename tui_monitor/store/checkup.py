"""A look at a database file that takes little time, disturbs nobody and writes nothing."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tui_monitor.model.clock import Micros
from tui_monitor.store import damage, damagedcells, migrations, opening

_NEWEST = """SELECT max(booked) FROM (
    SELECT max(booked) AS booked FROM calls UNION ALL SELECT max(booked_high) FROM segments)"""


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was found. `whole` is False where time ran out before all pages were looked at."""

    faults: tuple[str, ...] = ()
    whole: bool = True
    outdated: bool = False
    """An older version wrote it; the next collector brings it up to date."""
    newest: Micros | None = None
    """The newest call."""
    set_aside: tuple[str, ...] = ()
    """Damaged parts that were set aside."""


def check_up(path: Path, seconds: float) -> Checkup:
    """Look for damage for so many seconds at most.

    Raises `StoreError` for what is no database of ours, or one of a newer version.
    """
    opening.check_file(path, write=False)
    with opening.explained(path), closing(opening.connect_quietly(path)) as conn:
        opening.check_ours(path, conn)
        steps = migrations.check(path, conn)
        newest = None if steps else conn.execute(_NEWEST).fetchone()[0]
        faults, whole = _faults(conn, seconds)
        aside = () if steps else (*(found.words for found in damage.listed(conn)), *damagedcells.listed(conn))
        return Checkup(tuple(faults), whole, bool(steps), newest, aside)


def sqlite_version() -> str:
    """The version of SQLite itself."""
    return sqlite3.sqlite_version


def _faults(conn: sqlite3.Connection, seconds: float) -> tuple[list[str], bool]:
    opening.stop_after(conn, seconds)
    try:
        return opening.verdicts(conn, "quick_check(20)"), True
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorname", "") != "SQLITE_INTERRUPT":
            raise
        return [], False
