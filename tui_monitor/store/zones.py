"""The zones that days are cut in: UTC always, and those the user has been in."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace

from tui_monitor.model.calendar import plain_zone
from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import Span
from tui_monitor.store import blocks, calls, cells, sampled
from tui_monitor.store.api import Holding, Layer
from tui_monitor.store.dictionary import SERIES_BITS

_KEPT = 4
_EVER = 1 << 60
"""µs; further than any instant."""


def names(conn: sqlite3.Connection) -> dict[int, str]:
    """Zones that are kept along, by number."""
    return dict(conn.execute("SELECT id, name FROM zones ORDER BY id"))


def find(conn: sqlite3.Connection, name: str) -> tuple[int, str] | None:
    """A zone's number and name, if its days are kept."""
    row = conn.execute("SELECT id FROM zones WHERE name = ?", (name,)).fetchone()
    return (row[0], name) if row else None


def use(conn: sqlite3.Connection, name: str, now: Micros) -> bool:
    """Keep a zone from now on; the one not used for longest makes room. Its past is built by `build_day`.

    Whether other zones are kept than before.
    """
    before = names(conn)
    conn.execute("INSERT OR IGNORE INTO zones VALUES (?, 'UTC', ?, NULL)", (cells.UTC_ZONE, now))
    for number, other in names(conn).items():
        # An earlier version kept the days of UTC once more under its other names.
        if other != "UTC" and plain_zone(other) == "UTC":
            drop(conn, number)
    if find(conn, name) is None:
        kept = conn.execute("SELECT id FROM zones WHERE id <> ? ORDER BY used", (cells.UTC_ZONE,)).fetchall()
        if len(kept) >= _KEPT - 1:
            drop(conn, kept[0][0])
        taken = names(conn)
        number = next(n for n in range(cells.UTC_ZONE, 127) if n not in taken)
        _, last = calls.bounds(conn)
        built = None if last is None else last // cells.DAY + 3
        conn.execute("INSERT INTO zones VALUES (?, ?, ?, ?)", (number, name, now, built))
    conn.execute("UPDATE zones SET used = ? WHERE name = ?", (now, name))
    return names(conn) != before


def drop(conn: sqlite3.Connection, zone: int) -> None:
    """Keep a zone no longer."""
    delete_days(conn, zone)
    conn.execute("DELETE FROM dropped WHERE layer = 'day' AND zone = ?", (zone,))
    conn.execute("DELETE FROM zones WHERE id = ?", (zone,))


def delete_days(conn: sqlite3.Connection, zone: int, day: int | None = None) -> None:
    """Delete the cells of one day of a zone, or of all."""
    first, last = (cells.day_cell(zone, day or 0), cells.day_cell(zone, (day or 0) + 1))
    if day is None:
        first, last = zone << cells.DAY_BITS, (zone + 1) << cells.DAY_BITS
    bounds = (first << SERIES_BITS, last << SERIES_BITS)
    if day is None:
        for block in blocks.within(conn, Layer.DAY, *bounds):
            blocks.delete(conn, block)
    blocks.spread_range(conn, Layer.DAY, *bounds)
    conn.execute("DELETE FROM day WHERE key >= ? AND key < ?", bounds)


def unbuilt(conn: sqlite3.Connection) -> tuple[int, str, int] | None:
    """(number, name, day): a zone whose days before that one are still to be made from the raw calls."""
    return conn.execute(
        "SELECT id, name, built FROM zones WHERE built IS NOT NULL ORDER BY used DESC"
    ).fetchone()


def build_day(
    conn: sqlite3.Connection, zone: tuple[int, str, int], add: Callable[[int, str, Span], None]
) -> None:
    """Make the newest day that a zone lacks; `add(number, name, span)` sums up the raw calls of the span."""
    number, name, built = zone
    newest = calls.newest_before(conn, cells.midnight(name, built))
    if newest is None:
        conn.execute(
            "INSERT OR IGNORE INTO dropped SELECT 'day', ?, start, end FROM dropped WHERE layer = 'raw'",
            (number,),
        )
        conn.execute("INSERT OR IGNORE INTO dropped SELECT 'day', ?, first - 1, last FROM sampled", (number,))
        conn.execute("UPDATE zones SET built = NULL WHERE id = ?", (number,))
        return
    day = cells.day_of(newest, name)
    delete_days(conn, number, day)
    add(number, name, Span.half_open(cells.midnight(name, day), cells.midnight(name, day + 1)))
    conn.execute("UPDATE zones SET built = ? WHERE id = ?", (day, number))


def holdings(conn: sqlite3.Connection, zone: str) -> dict[Layer, Holding]:
    """What each layer still holds; of the days, those of this zone."""
    gone: dict[tuple[str, int], list[Span]] = {}
    for layer, number, start, end in conn.execute("SELECT layer, zone, start, end FROM dropped"):
        gone.setdefault((layer, number), []).append(Span(start, end))
    held = {layer: Holding(layer, tuple(gone.get((layer.value, 0), ()))) for layer in Layer}
    held[Layer.RAW] = replace(held[Layer.RAW], sampled=sampled.spans(conn))
    row = conn.execute("SELECT id, built FROM zones WHERE name = ?", (zone,)).fetchone()
    if row is None:
        missing = [Span(-_EVER, _EVER)]
    else:
        number, built = row
        missing = gone.get(("day", number), [])
        if built is not None:
            missing = [*missing, Span(-_EVER, cells.midnight(zone, built) - 1)]
    held[Layer.DAY] = Holding(Layer.DAY, tuple(missing), zone)
    return held
