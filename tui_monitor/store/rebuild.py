"""Roll-ups made anew from the raw calls, and compared with what is stored.

Only cells whose raw calls are all kept are looked at; the others are left as they are, and named.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from tui_monitor.model.timerange import Span
from tui_monitor.store import calls, cells, facts, rollups, sealed, segments, zones
from tui_monitor.store.api import MEASURES, Layer
from tui_monitor.store.blobs import UNKNOWN
from tui_monitor.store.dictionary import SERIES_BITS
from tui_monitor.store.segments import Segment
from tui_monitor.store.writing import WriteSide

Progress = Callable[[int, int], None]
"""Called with calls done and calls in all."""
_CHUNK = 50_000
"""Calls that are summed up at a time."""
_COMPARED = tuple(column for column in rollups.COLUMNS if column not in ("key", "born", "touched"))


@dataclass(slots=True)
class LayerReport:
    """One layer, and for days one zone."""

    layer: str
    zone: str | None = None
    checked: int = 0
    """Cells that were made anew."""
    wrong: int = 0
    """Those that differed, were missing, or should not have been there; mended unless only looked at."""
    left: int = 0
    """Cells of times whose raw calls are not all kept."""


@dataclass(slots=True)
class RebuildReport:
    """What came of it."""

    calls: int = 0
    layers: list[LayerReport] = field(default_factory=list)
    gone: tuple[Span, ...] = ()
    """Times of which raw calls were dropped."""

    @property
    def wrong(self) -> int:
        """Cells of all layers that differed."""
        return sum(layer.wrong for layer in self.layers)


def rebuild(side: WriteSide, *, mend: bool, progress: Progress | None = None) -> RebuildReport:
    """Make every roll-up anew and compare; with `mend`, put right what differs. One transaction."""
    with side.upkeep, side.transaction():
        conn = side.conn
        report = RebuildReport(gone=zones.holdings(conn, "UTC")[Layer.RAW].gone)
        total = calls.total(conn)
        names = zones.names(conn)
        _begin(conn)
        try:
            for deltas in _raw(side):
                _add(side, deltas, names)
                report.calls += len(deltas)
                if progress is not None:
                    progress(report.calls, total)
            for layer in (Layer.MINUTE, Layer.HOUR):
                report.layers.append(_compare(conn, layer, None, mend))
            report.layers += [_compare(conn, Layer.DAY, zone, mend) for zone in _whole_zones(conn, names)]
        finally:
            _end(conn)
        if mend and report.wrong:
            side.bump()
    return report


def _begin(conn: sqlite3.Connection) -> None:
    for layer in (Layer.MINUTE, Layer.HOUR, Layer.DAY):
        (sql,) = conn.execute("SELECT sql FROM sqlite_master WHERE name = ?", (layer.value,)).fetchone()
        conn.execute(f"DROP TABLE IF EXISTS temp.anew_{layer.value}")
        conn.execute(sql.replace(f"CREATE TABLE {layer.value}", f"CREATE TEMP TABLE anew_{layer.value}", 1))
    conn.execute("CREATE TEMP TABLE IF NOT EXISTS holes (low INTEGER NOT NULL, high INTEGER NOT NULL)")


def _end(conn: sqlite3.Connection) -> None:
    for layer in (Layer.MINUTE, Layer.HOUR, Layer.DAY):
        conn.execute(f"DROP TABLE IF EXISTS temp.anew_{layer.value}")
    conn.execute("DROP TABLE IF EXISTS temp.holes")


def _raw(side: WriteSide) -> Iterator[rollups.Deltas]:
    """All raw calls, some at a time, as things that come."""
    expressions = facts.measure_expressions(side.conn, MEASURES)
    columns = ", ".join(f"ifnull({column}, {UNKNOWN})" for column in expressions)
    after = -1
    while True:
        rows = side.conn.execute(
            f"SELECT id, arrived, booked, series, {columns} FROM calls WHERE id > ? ORDER BY id LIMIT ?",
            (after, _CHUNK),
        ).fetchall()
        if not rows:
            break
        after = rows[-1][0]
        found = np.array(rows, dtype=np.int64)
        yield _coming(side, found[:, 1:4], found[:, 4:])
    unpriced = facts.unpriced(side.conn)
    for segment in segments.every(side.conn):
        at = np.flatnonzero(segment.left())

        def column(name: str, segment: Segment = segment, at: np.ndarray = at) -> np.ndarray:
            return segment.integers(name)[at]

        keys = np.stack([column(name) for name in ("arrived", "booked", "series")], axis=1)
        yield _coming(
            side, keys, np.stack([sealed.measure(name, column, unpriced) for name in MEASURES], axis=1)
        )


def _coming(side: WriteSide, keys: np.ndarray, values: np.ndarray) -> rollups.Deltas:
    """Calls that come; `keys` are arrival, booking and label set."""
    unique, inverse = np.unique(keys[:, 2], return_inverse=True)
    fine = np.array([side.keys.fine(number) for number in unique.tolist()], dtype=np.int64)
    return rollups.Deltas(
        sign=np.ones(len(keys), dtype=np.int64),
        arrived=keys[:, 0],
        booked=keys[:, 1],
        series=keys[:, 2],
        fine=fine[inverse],
        values=values,
    )


def _add(side: WriteSide, deltas: rollups.Deltas, names: dict[int, str]) -> None:
    conn = side.conn
    for layer, sets in ((Layer.MINUTE, deltas.fine), (Layer.HOUR, deltas.series)):
        rollups.add_cells(conn, f"anew_{layer.value}", cells.cells_of(layer, deltas.booked), sets, deltas)
    for zone, name in names.items():
        numbers = cells.days_of(deltas.booked, name) + cells.day_cell(zone, 0)
        rollups.add_cells(conn, "anew_day", numbers, deltas.series, deltas)


def _whole_zones(conn: sqlite3.Connection, names: dict[int, str]) -> list[tuple[int, str]]:
    """Zones all of whose days are made; a new one's past is still to come."""
    unbuilt = {number for (number,) in conn.execute("SELECT id FROM zones WHERE built IS NOT NULL")}
    return [(number, name) for number, name in names.items() if number not in unbuilt]


def _compare(conn: sqlite3.Connection, layer: Layer, zone: tuple[int, str] | None, mend: bool) -> LayerReport:
    """Compare the stored cells with those made anew."""
    table, anew = layer.value, f"anew_{layer.value}"
    _note_holes(conn, layer, zone)
    number = zone[0] if zone else None
    low, high = (-(1 << 62), 1 << 62) if number is None else (_key(number, 0), _key(number + 1, 0))
    inside = f"key >= {low:d} AND key < {high:d}"
    whole = f"{inside} AND NOT EXISTS (SELECT 1 FROM temp.holes h WHERE key >= h.low AND key < h.high)"
    checked, wrong = _differences(conn, table, anew, whole)
    (stored,) = conn.execute(f"SELECT count(*) FROM {table} WHERE {inside}").fetchone()
    (seen,) = conn.execute(f"SELECT count(*) FROM {table} WHERE {whole}").fetchone()
    if mend:
        for at in range(0, len(wrong), 500):
            _mend(conn, table, anew, wrong[at : at + 500])
    return LayerReport(table, zone[1] if zone else None, checked, len(wrong), stored - seen)


def _key(zone: int, day: int) -> int:
    return (zone << cells.DAY_BITS << SERIES_BITS) + (day << SERIES_BITS)


def _note_holes(conn: sqlite3.Connection, layer: Layer, zone: tuple[int, str] | None) -> None:
    """Runs of keys that cannot be judged: raw calls were dropped there, or the cells themselves."""
    number, name = zone or (0, "UTC")
    spans = [
        Span(start, end)
        for start, end in conn.execute(
            "SELECT start, end FROM dropped WHERE layer = ? OR (layer = ? AND zone = ?)",
            (Layer.RAW.value, layer.value, number),
        )
    ]
    conn.execute("DELETE FROM temp.holes")
    for span in spans:
        if layer is Layer.DAY:
            first = cells.day_cell(number, cells.day_of(span.start + 1, name))
            last = cells.day_cell(number, cells.day_of(span.end, name))
        else:
            first, last = cells.cell_of(layer, span.start + 1), cells.cell_of(layer, span.end)
        conn.execute(
            "INSERT INTO temp.holes VALUES (?, ?)", (first << SERIES_BITS, (last + 1) << SERIES_BITS)
        )


def _differences(conn: sqlite3.Connection, table: str, anew: str, whole: str) -> tuple[int, list[int]]:
    """How many cells were compared, and the keys of those that are not the same on both sides."""
    columns = ", ".join(("key", *_COMPARED))
    ours, theirs = (f"SELECT {columns} FROM {name} WHERE {whole}" for name in (anew, table))
    (checked,) = conn.execute(
        f"""SELECT count(*) FROM (
        SELECT key FROM {anew} WHERE {whole} UNION SELECT key FROM {table} WHERE {whole})"""
    ).fetchone()
    rows = conn.execute(
        f"""SELECT key FROM (SELECT * FROM ({ours} EXCEPT {theirs})
        UNION ALL SELECT * FROM ({theirs} EXCEPT {ours})) GROUP BY key"""
    )
    return checked, [key for (key,) in rows]


def _mend(conn: sqlite3.Connection, table: str, anew: str, keys: list[int]) -> None:
    """Put the cells made anew in the place of those stored; the time a cell began is kept."""
    wanted = (json.dumps(keys),)
    chosen = "key IN (SELECT value FROM json_each(?))"
    conn.execute(
        f"""UPDATE {anew} SET born = min(born, (SELECT b.born FROM {table} b WHERE b.key = {anew}.key)),
        touched = max(touched, (SELECT b.touched FROM {table} b WHERE b.key = {anew}.key))
        WHERE {chosen} AND key IN (SELECT key FROM {table})""",
        wanted,
    )
    conn.execute(f"DELETE FROM {table} WHERE {chosen}", wanted)
    names = ", ".join(rollups.COLUMNS)
    conn.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {anew} WHERE {chosen}", wanted)
