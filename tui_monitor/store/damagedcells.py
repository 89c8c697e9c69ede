"""Damaged blocks of roll-up cells are set aside, and made anew where all their calls are still kept.

Until then their time counts as no longer kept in that layer: questions go to another one, or carry a warning.
"""

import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tui_monitor.model.clock import Micros, iso
from tui_monitor.model.timerange import Span
from tui_monitor.store import blocks, cells, sampled, zones
from tui_monitor.store.api import Layer
from tui_monitor.store.blocks import DamagedBlock
from tui_monitor.store.dictionary import SERIES_BITS
from tui_monitor.store.writing import WriteSide

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Window:
    """The time of a block that was set aside."""

    number: int
    layer: Layer
    zone: int
    span: Span


def set_aside(side: WriteSide, error: DamagedBlock) -> None:
    """Raises the error where there is nothing to set aside: it would only come again."""
    with side.upkeep, side.transaction() as now:
        conn, layer = side.conn, error.layer
        found = blocks.covering(conn, layer, error.low, error.low + 1)
        if not found or not blocks.faults_of(conn, found[0]):
            raise error
        _keep(conn, found[0], error.message, now)
        side.bump()
    log.error(
        "%s: its %s cells are set aside in the database, and nothing is deleted; `tui-monitor db "
        "rebuild-rollups` makes them anew where all their calls are kept; `tui-monitor db check` names them",
        error.message,
        f"{found[0].rows:,}",
    )


def _keep(conn: sqlite3.Connection, block: blocks.Block, reason: str, now: Micros) -> None:
    layer = block.layer.value
    zone, name = 0, "UTC"
    if block.layer is Layer.DAY:
        zone, _ = cells.split_day(block.first >> SERIES_BITS)
        name = zones.names(conn).get(zone, name)
    start, end = (cells.cell_span(block.layer, key >> SERIES_BITS, name) for key in (block.first, block.last))
    constants = json.dumps(dict(block.constants))
    number = conn.execute(
        """INSERT INTO damaged_blocks (layer, zone, start, end, rows, calls, constants, found, reason)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (layer, zone, start.start, end.end, block.rows, block.calls, constants, now, reason),
    ).lastrowid
    conn.execute(
        f"INSERT INTO damaged_block_columns SELECT ?, name, data FROM {layer}_columns WHERE block = ?",
        (number, block.low),
    )
    blocks.delete(conn, block)
    conn.execute(
        """INSERT INTO dropped VALUES (?, ?, ?, ?)
        ON CONFLICT (layer, zone, start) DO UPDATE SET end = max(end, excluded.end)""",
        (layer, zone, start.start, end.end),
    )


def listed(conn: sqlite3.Connection) -> list[str]:
    """Those that are not made anew yet, in words."""
    rows = conn.execute("SELECT rows, found, reason FROM damaged_blocks WHERE mended IS NULL ORDER BY id")
    return [
        f"{reason}: its {count:,} cells are set aside since {iso(found)}" for count, found, reason in rows
    ]


def rebuildable(conn: sqlite3.Connection) -> list[Window]:
    """Those whose raw calls are all kept."""
    holes = [
        *conn.execute("SELECT start, end FROM dropped WHERE layer = ?", (Layer.RAW.value,)),
        *((one.span.start, one.span.end) for one in sampled.spans(conn)),
    ]
    rows = conn.execute("SELECT id, layer, zone, start, end FROM damaged_blocks WHERE mended IS NULL")
    return [
        Window(number, Layer(layer), zone, Span(start, end))
        for number, layer, zone, start, end in rows.fetchall()
        if not any(low < end and start < high for low, high in holes)
    ]


def mended(side: WriteSide, made: Sequence[Window]) -> None:
    """Note that the cells of these were made anew, of those for which that is still so."""
    wanted = {window.number for window in made}
    if not wanted:
        return
    with side.transaction() as now:
        conn = side.conn
        for window in rebuildable(conn):
            if window.number not in wanted:
                continue
            key = (window.layer.value, window.zone)
            known = conn.execute(
                "SELECT start, end FROM dropped WHERE layer = ? AND zone = ?", key
            ).fetchall()
            left = {s for span in known for s in outside(Span(*span), [window.span])}
            conn.execute("DELETE FROM dropped WHERE layer = ? AND zone = ?", key)
            rows = [(*key, span.start, span.end) for span in left]
            conn.executemany("INSERT INTO dropped VALUES (?, ?, ?, ?)", rows)
            conn.execute("UPDATE damaged_blocks SET mended = ? WHERE id = ?", (now, window.number))
        side.bump()


def outside(span: Span, windows: Iterable[Span]) -> Iterator[Span]:
    """The parts of a span that are in none of these."""
    start = span.start
    for window in sorted(windows, key=lambda window: window.start):
        if window.end <= start or window.start >= span.end:
            continue
        if window.start > start:
            yield Span(start, window.start)
        start = max(start, window.end)
    if start < span.end:
        yield Span(start, span.end)
