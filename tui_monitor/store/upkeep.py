"""Looking for damage, and giving unused space back."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tui_monitor.store import blocks, cells, damage, damagedcells, migrations, opening, runs, segments
from tui_monitor.store.api import Layer
from tui_monitor.store.dictionary import SERIES_BITS
from tui_monitor.store.series import reading
from tui_monitor.store.writing import WriteSide

Progress = Callable[[int, int], None]
_PAGES = 1_000
"""Pages that are given back in one transaction."""
SPARE = 2_000
"""Free pages that are left for new rows."""
_LOG = 8 << 20
"""Bytes of the log from which on it is emptied while much goes."""
_MOST = 100
"""Faults that are listed; a damaged file may have any number."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """Bytes of the file and its log, before and after."""

    before: int
    after: int


def faults(path: Path) -> list[str]:
    """What SQLite finds wrong with the file; empty for a sound one. Reads all of it, beside others.

    Raises `StoreError` where it cannot be opened at all, and `Older` for sound pages of an older version.
    """
    opening.check_file(path, write=False)
    with opening.explained(path), closing(opening.connect_reader(path)) as conn:
        opening.check_ours(path, conn)
        older = migrations.check(path, conn)
        try:
            found = opening.verdicts(conn, f"integrity_check({_MOST})")
            if older and not found:
                # What its tables hold is only known of those of this version.
                migrations.refuse_older(path, conn)
            return found or [*_strays(conn), *reading.damaged(conn, _MOST)]
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorname.startswith("SQLITE_CORRUPT"):
                # Too damaged even to list what is wrong.
                return [str(error)]
            raise


def _strays(conn: sqlite3.Connection) -> list[str]:
    """Rows that contradict each other."""
    told: list[str] = []
    utc = [(zone << cells.DAY_BITS) << SERIES_BITS for zone in (cells.UTC_ZONE, cells.UTC_ZONE + 1)]
    (counted,) = conn.execute(
        "SELECT ifnull(sum(calls), 0) FROM day WHERE key >= ? AND key < ?", utc
    ).fetchone()
    counted += sum(block.calls for block in blocks.within(conn, Layer.DAY, *utc))
    (noted,) = conn.execute("SELECT value FROM meta WHERE name = 'calls'").fetchone()
    (dropped,) = conn.execute("SELECT count(*) FROM dropped WHERE layer = 'day'").fetchone()
    if counted != noted and not dropped:
        told.append(f"the days count {counted} calls, {noted} were stored; `db rebuild-rollups` mends that")
    rows = conn.execute(
        """SELECT call FROM identities i WHERE call IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM calls WHERE id = i.call)"""
    ).fetchall()
    aside = [*(found.words for found in damage.listed(conn)), *damagedcells.listed(conn)]
    damaged = [fault for segment in segments.every(conn) for fault in segment.faults()]
    damaged += runs.faults(conn) + blocks.faults(conn)
    if damaged:
        return [*told, *aside, *damaged][:_MOST]
    elsewhere = [number for (number,) in rows]
    sealed = {
        number
        for segment, inside in segments.covering(conn, set(elsewhere))
        for number in segment.integers("id")[segment.positions(inside)].tolist()
    }
    sealed |= segments.hidden(conn, elsewhere)
    lost = sum(number not in sealed for number in elsewhere)
    if lost:
        told.append(f"{lost} identities lead to calls that are not there")
    return [*told, *aside]


def compact(side: WriteSide, progress: Progress | None = None) -> Compacted:
    """Give every free page back to the file system, some at a time, and empty the log."""
    before = size(side.path)
    give_back(side, progress=progress)
    with side.guard, opening.explained(side.path):
        side.conn.execute("PRAGMA optimize").fetchall()
        side.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return Compacted(before, size(side.path))


def give_back(side: WriteSide, spare: int = 0, progress: Progress | None = None) -> None:
    """Give free pages back to the file system, some at a time, until no more than the spare ones are left."""
    with side.guard:
        left = total = _free(side.conn)
    while left > spare:
        if progress is not None:
            progress(total - left, total)
        with side.guard, opening.explained(side.path):
            # As a single statement Python would take but one step of it, and that is one page.
            side.conn.executescript(f"PRAGMA incremental_vacuum({min(_PAGES, left - spare)})")
            before, left = left, _free(side.conn)
        if left >= before:
            # Made without incremental vacuum: what is free is used again, but not given back.
            return


def tidy(side: WriteSide) -> None:
    """Give pages back and empty the log where they are many: what is to shrink should not grow first."""
    with side.guard:
        free = _free(side.conn)
    if free > 2 * SPARE:
        give_back(side, SPARE)
    if log_bytes(side.path) > _LOG:
        side.empty_log()


def log_bytes(path: Path) -> int:
    """Bytes of the log beside a database."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except OSError:
        return 0


def _free(conn: sqlite3.Connection) -> int:
    return conn.execute("PRAGMA freelist_count").fetchone()[0]


def size(path: Path) -> int:
    """Bytes of a database's file and its log."""
    return path.stat().st_size + log_bytes(path)
