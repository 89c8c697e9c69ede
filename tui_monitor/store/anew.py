"""Roll-ups of some days made anew from the raw calls, beside the stored ones, and where the two differ.

A slice is some days of one zone. That of UTC has the minutes and hours of these days too.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from tui_monitor.model.clock import DAY, Micros
from tui_monitor.model.timerange import Span
from tui_monitor.store import blocks, cells, damagedcells, facts, rollups, segments
from tui_monitor.store.api import MEASURES, Layer
from tui_monitor.store.blobs import UNKNOWN
from tui_monitor.store.dictionary import SERIES_BITS
from tui_monitor.store.measuring import column_of, measured
from tui_monitor.store.segments import DamagedSegment

_CHUNK = 20_000
"""Calls that are summed up at a time."""
_CALLS = 100_000
"""Calls up to which a slice has more than one day."""
_DAYS = 32
_COMPARED = tuple(column for column in rollups.COLUMNS if column not in ("key", "born", "touched"))
_COLUMNS = ", ".join(rollups.COLUMNS)
Cell = tuple[object, ...]
"""A row of a layer's table, the key first."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The days `first` up to `stop` (counted from 1970-01-01) of a zone."""

    zone: int
    name: str
    first: int
    stop: int

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What is looked at."""
        utc = self.zone == cells.UTC_ZONE
        return (Layer.MINUTE, Layer.HOUR, Layer.DAY) if utc else (Layer.DAY,)

    @property
    def bounds(self) -> tuple[Micros, Micros]:
        """The first midnight, and the one after the last day; minutes and hours hold their ends."""
        return cells.midnight(self.name, self.first), cells.midnight(self.name, self.stop)

    def keys(self, layer: Layer) -> tuple[int, int]:
        """The first key of a layer that is looked at, and the first after it that is not."""
        if layer is Layer.DAY:
            first, stop = (cells.day_cell(self.zone, day) for day in (self.first, self.stop))
        else:
            first, stop = (cells.cell_of(layer, at + 1) for at in self.bounds)
        return first << SERIES_BITS, stop << SERIES_BITS


@dataclass(slots=True)
class Difference:
    """One layer of a slice: what was compared, and cells as they are stored and as they should be, by key."""

    layer: Layer
    checked: int
    left: int
    wrong: dict[int, tuple[Cell | None, Cell | None]] = field(default_factory=dict)


def following(conn: sqlite3.Connection, zone: int, name: str, day: int | None) -> Slice | None:
    """The next slice from a day on (`None`: from the first) that has calls or cells."""
    first = _next_day(conn, zone, name, day)
    if first is None:
        return None
    days = 1
    while days < _DAYS and _calls_at_most(conn, name, first, first + days * 2) <= _CALLS:
        days *= 2
    return Slice(zone, name, first, first + days)


def _next_day(conn: sqlite3.Connection, zone: int, name: str, day: int | None) -> int | None:
    since = -(1 << 61) if day is None else cells.midnight(name, day)
    (head,) = conn.execute("SELECT min(booked) FROM calls WHERE booked >= ?", (since,)).fetchone()
    packed = _next_sealed(conn, since)
    # A call at midnight begins a day, and ends the last hour of the day before.
    found = [cells.day_of(booked - 1, name) for booked in (head, packed) if booked is not None]
    low = zone << cells.DAY_BITS if day is None else cells.day_cell(zone, day)
    bounds = (low << SERIES_BITS, (zone + 1) << cells.DAY_BITS << SERIES_BITS)
    key = blocks.lowest(conn, Layer.DAY, *bounds)
    if key is not None:
        found.append(cells.split_day(key >> SERIES_BITS)[1])
    for layer in (Layer.MINUTE, Layer.HOUR) if zone == cells.UTC_ZONE else ():
        low = -(1 << 62) if day is None else cells.cell_of(layer, since + 1) << SERIES_BITS
        key = blocks.lowest(conn, layer, low)
        if key is not None:
            found.append(cells.cell_span(layer, key >> SERIES_BITS).start // DAY)
    return None if not found else min(found) if day is None else max(day, min(found))


def _next_sealed(conn: sqlite3.Connection, since: Micros) -> Micros | None:
    """The first booking of a sealed call from an instant on, or one of the same day."""
    (found,) = conn.execute("SELECT min(booked_low) FROM segments WHERE booked_low >= ?", (since,)).fetchone()
    for (number,) in conn.execute(
        "SELECT id FROM segments WHERE booked_low < ?1 AND booked_high >= ?1", (since,)
    ).fetchall():
        if found is not None and found < since + DAY:
            break
        segment = segments.get(conn, number)
        assert segment is not None
        try:
            booked = segment.integers("booked")[segment.left()]
            here = int(booked[booked >= since].min())
        except DamagedSegment:
            # Who sums up the day meets it, and names it.
            here = since
        found = here if found is None else min(found, here)
    return found


def _calls_at_most(conn: sqlite3.Connection, name: str, first: int, stop: int) -> int:
    """As many calls as these days have, or more."""
    bounds = (cells.midnight(name, first), cells.midnight(name, stop))
    (rows,) = conn.execute("SELECT count(*) FROM calls WHERE booked BETWEEN ? AND ?", bounds).fetchone()
    (packed,) = conn.execute(
        "SELECT ifnull(sum(left), 0) FROM segments WHERE booked_high >= ? AND booked_low <= ?", bounds
    ).fetchone()
    return rows + packed


def compare(conn: sqlite3.Connection, part: Slice) -> tuple[int, list[Difference]]:
    """How many calls the days have, and the difference of each layer; at one moment, in a transaction.

    The connection must have the roll-ups' functions, and be allowed to make tables of its own.
    """
    _begin(conn, part)
    try:
        fine = dict(conn.execute("SELECT id, fine FROM series_keys WHERE fine IS NOT NULL"))
        count = 0
        start, end = part.bounds
        for deltas in _raw(conn, Span(start - 1, end), fine):
            _add(conn, part, deltas)
            count += int((deltas.booked < end).sum())
        return count, [_differences(conn, part, layer) for layer in part.layers]
    finally:
        _end(conn)


def _begin(conn: sqlite3.Connection, part: Slice) -> None:
    for layer in (Layer.MINUTE, Layer.HOUR, Layer.DAY):
        (sql,) = conn.execute("SELECT sql FROM sqlite_master WHERE name = ?", (layer.value,)).fetchone()
        for table in (f"anew_{layer.value}", f"kept_{layer.value}"):
            conn.execute(f"DROP TABLE IF EXISTS temp.{table}")
            conn.execute(sql.replace(f"CREATE TABLE {layer.value}", f"CREATE TEMP TABLE {table}", 1))
    for layer in part.layers:
        blocks.unpack_into(conn, layer, *part.keys(layer), f"temp.kept_{layer.value}")
    conn.execute("CREATE TEMP TABLE IF NOT EXISTS holes (low INTEGER NOT NULL, high INTEGER NOT NULL)")


def _end(conn: sqlite3.Connection) -> None:
    for layer in (Layer.MINUTE, Layer.HOUR, Layer.DAY):
        for table in ("anew", "kept"):
            conn.execute(f"DROP TABLE IF EXISTS temp.{table}_{layer.value}")
    conn.execute("DROP TABLE IF EXISTS temp.holes")


def _raw(conn: sqlite3.Connection, span: Span, fine: dict[int, int]) -> Iterator[rollups.Deltas]:
    """The raw calls of a span, some at a time, as things that come."""
    expressions = facts.measure_expressions(conn, MEASURES)
    columns = ", ".join(f"ifnull({column}, {UNKNOWN})" for column in expressions)
    cursor = conn.execute(
        f"SELECT arrived, booked, series, {columns} FROM calls WHERE booked > ? AND booked <= ?",
        (span.start, span.end),
    )
    while rows := cursor.fetchmany(_CHUNK):
        found = np.array(rows, dtype=np.int64)
        yield _coming(fine, found[:, :3], found[:, 3:])
    unpriced = facts.unpriced(conn)
    for segment in segments.overlapping(conn, span):
        at = np.flatnonzero(segment.within(span))
        if len(at):
            column = column_of(segment, at, unpriced)
            keys = np.stack([column(name) for name in ("arrived", "booked", "series")], axis=1)
            yield _coming(fine, keys, measured(column))


def _coming(fine: dict[int, int], keys: np.ndarray, values: np.ndarray) -> rollups.Deltas:
    """Calls that come; `keys` are arrival, booking and label set."""
    unique, inverse = np.unique(keys[:, 2], return_inverse=True)
    coarser = np.array([fine[number] for number in unique.tolist()], dtype=np.int64)
    return rollups.Deltas(
        sign=np.ones(len(keys), dtype=np.int64),
        arrived=keys[:, 0],
        booked=keys[:, 1],
        series=keys[:, 2],
        fine=coarser[inverse],
        values=values,
    )


def _add(conn: sqlite3.Connection, part: Slice, deltas: rollups.Deltas) -> None:
    start, end = part.bounds
    if part.zone == cells.UTC_ZONE:
        inside = deltas.only(deltas.booked > start)
        for layer, sets in ((Layer.MINUTE, inside.fine), (Layer.HOUR, inside.series)):
            rollups.add_cells(conn, f"anew_{layer.value}", cells.cells_of(layer, inside.booked), sets, inside)
    inside = deltas.only(deltas.booked < end)
    numbers = cells.days_of(inside.booked, part.name) + cells.day_cell(part.zone, 0)
    rollups.add_cells(conn, "anew_day", numbers, inside.series, inside)


def _differences(conn: sqlite3.Connection, part: Slice, layer: Layer) -> Difference:
    """Compare the stored cells with those made anew, where all calls are kept."""
    table, anew = f"kept_{layer.value}", f"anew_{layer.value}"
    _note_holes(conn, part, layer)
    low, high = part.keys(layer)
    inside = f"key >= {low:d} AND key < {high:d}"
    whole = f"{inside} AND NOT EXISTS (SELECT 1 FROM temp.holes h WHERE key >= h.low AND key < h.high)"
    (checked,) = conn.execute(
        f"""SELECT count(*) FROM (
        SELECT key FROM {anew} WHERE {whole} UNION SELECT key FROM {table} WHERE {whole})"""
    ).fetchone()
    (stored,) = conn.execute(f"SELECT count(*) FROM {table} WHERE {inside}").fetchone()
    (seen,) = conn.execute(f"SELECT count(*) FROM {table} WHERE {whole}").fetchone()
    compared = ", ".join(("key", *_COMPARED))
    ours, theirs = (f"SELECT {compared} FROM {name} WHERE {whole}" for name in (anew, table))
    rows = conn.execute(
        f"""SELECT key FROM (SELECT * FROM ({ours} EXCEPT {theirs})
        UNION ALL SELECT * FROM ({theirs} EXCEPT {ours})) GROUP BY key"""
    ).fetchall()
    return Difference(
        layer,
        checked,
        stored - seen,
        {key: (cell(conn, table, key), cell(conn, anew, key)) for (key,) in rows},
    )


def cell(conn: sqlite3.Connection, table: str, key: int) -> Cell | None:
    """One cell of a layer's table, in the order of its columns."""
    return conn.execute(f"SELECT {_COLUMNS} FROM {table} WHERE key = ?", (key,)).fetchone()


def _note_holes(conn: sqlite3.Connection, part: Slice, layer: Layer) -> None:
    """Runs of keys that cannot be judged: raw calls are not all kept there, or the cells are dropped."""
    number = part.zone if layer is Layer.DAY else 0
    raw = conn.execute(
        "SELECT start, end FROM dropped WHERE layer = ? UNION ALL SELECT first - 1, last FROM sampled",
        (Layer.RAW.value,),
    )
    own = conn.execute("SELECT start, end FROM dropped WHERE layer = ? AND zone = ?", (layer.value, number))
    # What was set aside comes again here.
    again = [w.span for w in damagedcells.rebuildable(conn) if (w.layer, w.zone) == (layer, number)]
    spans = [Span(*span) for span in raw]
    spans += [left for span in own for left in damagedcells.outside(Span(*span), again)]
    conn.execute("DELETE FROM temp.holes")
    for span in spans:
        if layer is Layer.DAY:
            first = cells.day_cell(number, cells.day_of(span.start + 1, part.name))
            last = cells.day_cell(number, cells.day_of(span.end, part.name))
        else:
            first, last = cells.cell_of(layer, span.start + 1), cells.cell_of(layer, span.end)
        conn.execute(
            "INSERT INTO temp.holes VALUES (?, ?)", (first << SERIES_BITS, (last + 1) << SERIES_BITS)
        )
