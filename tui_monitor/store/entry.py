"""Opening a database for writing, and closing it: the lock, the tables, a look after a crash."""

import sqlite3
from contextlib import suppress
from pathlib import Path

from tui_monitor.model.clock import Clock
from tui_monitor.model.errors import StoreLocked
from tui_monitor.store import opening, upgrade, zones
from tui_monitor.store.lock import WriteLock
from tui_monitor.store.upgrade import Update, Updated
from tui_monitor.store.writing import WriteSide


def enter(
    path: Path, clock: Clock, zone: str, synchronous: str, max_series: int, update: Update
) -> tuple[WriteLock, WriteSide, Updated | None]:
    """Take the lock, bring the database up to date, and look for damage where it was not closed cleanly.

    Raises `StoreLocked` and `StoreError`; then the lock is free again.
    """
    try:
        lock = WriteLock.take(path)
    except StoreLocked as error:
        raise upgrade.refused(path, error) from error
    try:
        with opening.explained(path):
            side, updated = _open(path, clock, zone, synchronous, max_series, update, lock)
    except BaseException:
        lock.release()
        raise
    return lock, side, updated


def leave(side: WriteSide) -> None:
    """Close it; `guard` is held."""
    # Where even this cannot be written, the next start looks for damage, and that is right.
    with suppress(sqlite3.Error):
        _mark_clean(side.conn, clean=True)
    side.conn.close()


def _open(
    path: Path, clock: Clock, zone: str, synchronous: str, max_series: int, update: Update, lock: WriteLock
) -> tuple[WriteSide, Updated | None]:
    conn = opening.connect_writer(path, synchronous)
    try:
        updated = upgrade.bring_up_to_date(path, conn, update, lock)
        if not _was_closed_cleanly(conn):
            opening.check_after_crash(path, conn)
        _mark_clean(conn, clean=False)
        side = WriteSide(path, conn, clock, max_series)
        with side.transaction() as now:
            if zones.use(conn, zone, now):
                side.bump()
        return side, updated
    except BaseException:
        conn.close()
        raise


def _was_closed_cleanly(conn: sqlite3.Connection) -> bool:
    return bool(conn.execute("SELECT value FROM meta WHERE name = 'clean'").fetchone()[0])


def _mark_clean(conn: sqlite3.Connection, *, clean: bool) -> None:
    conn.execute("UPDATE meta SET value = ? WHERE name = 'clean'", (int(clean),))
