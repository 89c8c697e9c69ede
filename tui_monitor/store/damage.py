"""Damaged segments are set aside, so that everything else goes on; nothing of them is deleted.

Sums over them stay, questions to their single calls carry a warning, and what is sent of one of them again is
counted as late, so that no sum counts it twice.
"""

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tui_monitor.model.clock import iso
from tui_monitor.store import damagedcells, segments
from tui_monitor.store.api import Layer
from tui_monitor.store.blocks import DamagedBlock
from tui_monitor.store.segments import DamagedSegment
from tui_monitor.store.writing import WriteSide

log = logging.getLogger(__name__)

T = TypeVar("T")
_COLUMNS = "id, first, rows, left, booked_low, booked_high, arrived_low, arrived_high, zones, gone"


@dataclass(frozen=True, slots=True)
class SetAside:
    """A segment that was set aside; `calls` is how many single calls are missing by it."""

    segment: int
    first: int
    calls: int
    words: str


def going_on(side: WriteSide, do: Callable[[], T]) -> T:
    """Do it; a damaged segment or block that is in its way is set aside, and it is done again."""
    while True:
        try:
            return do()
        except DamagedSegment as error:
            _set_aside(side, error)
        except DamagedBlock as error:
            damagedcells.set_aside(side, error)


def _set_aside(side: WriteSide, error: DamagedSegment) -> None:
    """Raises the error where there is nothing to set aside: it would only come again."""
    with side.upkeep, side.transaction() as now:
        conn, number = side.conn, error.segment
        segment = segments.get(conn, number)
        if segment is None or not segment.faults():
            raise error
        (left,) = conn.execute("SELECT left FROM segments WHERE id = ?", (number,)).fetchone()
        conn.execute(
            f"INSERT OR REPLACE INTO damaged_segments SELECT {_COLUMNS}, ?, ? FROM segments WHERE id = ?",
            (now, error.message, number),
        )
        conn.execute("DELETE FROM segments WHERE id = ?", (number,))
        conn.execute("UPDATE segment_columns SET segment = -segment WHERE segment = ?", (number,))
        conn.execute(
            """INSERT INTO dropped VALUES (?, 0, ?, ?)
            ON CONFLICT (layer, zone, start) DO UPDATE SET end = max(end, excluded.end)""",
            (Layer.RAW.value, segment.booked_low - 1, segment.booked_high),
        )
        side.bump()
    log.error(
        "%s: its %s single calls are set aside in the database, and nothing is deleted; sums over them stay; "
        "`tui-monitor db check` names them, `tui-monitor db restore FILE` brings them back with a copy",
        error.message,
        f"{left:,}",
    )


def listed(conn: sqlite3.Connection) -> list[SetAside]:
    """What was set aside, by number."""
    rows = conn.execute("SELECT id, first, left, found, reason FROM damaged_segments ORDER BY id")
    return [
        SetAside(number, first, left, f"{reason}: {left:,} single calls are set aside since {iso(found)}")
        for number, first, left, found, reason in rows
    ]
