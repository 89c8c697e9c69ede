"""Roll-up cells go when they are old enough: blocks as a whole, rows some thousand at a time."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import Span
from tui_monitor.store import blocks, cells, opening, zones
from tui_monitor.store.api import Layer
from tui_monitor.store.changes import Kind
from tui_monitor.store.dictionary import SERIES_BITS
from tui_monitor.store.dropping import note_dropped
from tui_monitor.store.writing import WriteSide

_STEP = 2_000
"""Cells that go in one transaction, where they are rows."""


def drop_cells(side: WriteSide, layer: Layer, cutoff: Micros) -> int:
    """Drop cells that ended and were last added to up to the cutoff, some at a time; how many."""
    if layer is not Layer.DAY:
        # The first cell that is not over at the cutoff.
        last = cells.cell_of(layer, cutoff + 1)
        return _drop_run(side, _Run(layer, 0, "UTC", range(-(1 << 30), last)), cutoff)
    with side.transaction():
        kept = zones.names(side.conn)
    dropped = 0
    for zone, name in kept.items():
        days = range(zone << cells.DAY_BITS, cells.day_cell(zone, cells.day_of(cutoff, name)))
        dropped += _drop_run(side, _Run(layer, zone, name, days), cutoff)
    return dropped


@dataclass(frozen=True, slots=True)
class _Run:
    """Cells of one layer, and of one zone where they are days."""

    layer: Layer
    zone: int
    name: str
    cells: range

    @property
    def keys(self) -> tuple[int, int]:
        """The first key, and the one after the last."""
        return self.cells.start << SERIES_BITS, self.cells.stop << SERIES_BITS

    def note(self, side: WriteSide, first: int, last: int) -> None:
        """Remember that cells from one key to another are gone."""
        start, end = (cells.cell_span(self.layer, key >> SERIES_BITS, self.name) for key in (first, last))
        gone = Span(start.start, end.end)
        for span in note_dropped(side.conn, self.layer, gone, self.zone, self.name):
            side.changes.within(Kind.CELLS, span)


def _drop_run(side: WriteSide, run: _Run, cutoff: Micros) -> int:
    """What is old is looked for beside the writer; a block that has nothing old stays packed."""
    dropped, after = 0, run.keys[0]
    with side.upkeep, closing(opening.connect_reader(side.path)) as reader:
        with opening.moment(reader):
            found = _old_blocks(reader, run, cutoff)
        for low in found:
            dropped += _drop(side, lambda low=low: _drop_block(side, run, low, cutoff))
        find = f"""SELECT key FROM {run.layer.value} WHERE key >= ? AND key < ? AND touched <= ?
            ORDER BY key LIMIT ?"""
        while keys := [k for (k,) in reader.execute(find, (after, run.keys[1], cutoff, _STEP))]:
            dropped += _drop(side, lambda keys=keys: _drop_keys(side, run, keys, cutoff))
            after = keys[-1] + 1
    return dropped


def _drop(side: WriteSide, do: Callable[[], int]) -> int:
    with side.transaction():
        dropped = do()
        if dropped:
            side.changes.save(side.conn)
    return dropped


def _old_blocks(reader: sqlite3.Connection, run: _Run, cutoff: Micros) -> list[int]:
    """The low ends of the blocks that have cells to drop."""
    low, high = run.keys
    found: list[int] = []
    for block in blocks.within(reader, run.layer, low, high):
        if low <= block.first and block.last < high and block.touched <= cutoff:
            found.append(block.low)
            continue
        keys, touched = block.integers(reader, "key"), block.integers(reader, "touched")
        if ((keys >= low) & (keys < high) & (touched <= cutoff)).any():
            found.append(block.low)
    return found


def _drop_block(side: WriteSide, run: _Run, low: int, cutoff: Micros) -> int:
    """Drop a block that is old as a whole; another becomes rows."""
    conn = side.conn
    for block in blocks.covering(conn, run.layer, low, low + 1):
        if run.keys[0] <= block.first and block.last < run.keys[1] and block.touched <= cutoff:
            blocks.delete(conn, block)
            run.note(side, block.first, block.last)
            return block.rows
        blocks.spread_range(conn, run.layer, low, low + 1)
    return 0


def _drop_keys(side: WriteSide, run: _Run, keys: Sequence[int], cutoff: Micros) -> int:
    """Drop those of these cells that nobody added to meanwhile; `keys` are in order."""
    condition = f"FROM {run.layer.value} WHERE key IN (SELECT value FROM json_each(?)) AND touched <= ?"
    bounds = (json.dumps(keys), cutoff)
    first, last, rows = side.conn.execute(
        f"SELECT min(key), max(key), count(*) {condition}", bounds
    ).fetchone()
    if rows:
        side.conn.execute(f"DELETE {condition}", bounds)
        run.note(side, first, last)
    return rows
