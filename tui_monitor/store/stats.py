"""What the database is made of: rows, bytes, time span and growth of each layer."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tui_monitor.config.settings import Retention
from tui_monitor.model.clock import DAY, WEEK, Micros
from tui_monitor.model.timerange import Span
from tui_monitor.store import blocks, calls, cells, identity, retention, sampled, zones
from tui_monitor.store.api import Layer
from tui_monitor.store.dictionary import SERIES_BITS
from tui_monitor.store.series import reading
from tui_monitor.store.upkeep import log_bytes

_TABLES: Mapping[str, tuple[str, ...]] = {
    "raw": ("calls", "parts", "segments", "segment_columns"),
    "minute": ("minute", "minute_blocks", "minute_columns"),
    "hour": ("hour", "hour_blocks", "hour_columns"),
    "day": ("day", "day_blocks", "day_columns"),
    "samples": (
        "samples",
        "sample_series",
        "sample_chunks",
        "histogram_chunks",
        "sample_times",
        "sample_labels",
        "sample_postings",
    ),
    "steps": ("sample_steps", "histogram_steps"),
    "events": ("events", "starts"),
    "identities": ("identities", "identity_runs", "identity_chunks"),
    "labels": ("terms", "series_keys", "attribute_names"),
}
"""Layer → its tables; what is in none of them is `other`."""
_EVER = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class LayerStats:
    """One layer. `bytes` is unknown where SQLite was built without `dbstat`."""

    name: str
    rows: int | None = None
    bytes: int | None = None
    first: Micros | None = None
    last: Micros | None = None
    rows_per_day: float | None = None
    """Rows of the seven days before now, per day; of the time since the first where that is shorter."""


@dataclass(frozen=True, slots=True)
class StoreStats:
    """The whole database; sizes in bytes."""

    path: str
    file_bytes: int
    wal_bytes: int
    used_bytes: int
    """Without pages that are free and wait to be used again."""
    cap_bytes: int
    """`retention.size`; 0 is no limit."""
    cap_unmet: bool = False
    """Whether more is in use than the cap allows, and no raw call is left that could go."""
    layers: tuple[LayerStats, ...] = field(default=())
    sampled_out: int = 0
    """Calls that sampling left out of the raw layer, of the times that it still holds."""
    growth_per_day: float | None = None
    """Bytes that came in per day over the last seven days; what retention takes away is not subtracted."""
    cap_reached: Micros | None = None
    """When the cap is reached at that pace; `None` where there is no cap, no growth, or none is known."""


def stats(path: Path, conn: sqlite3.Connection, settings: Retention, now: Micros) -> StoreStats:
    """Look at every layer; reads each of its pages, so it takes about a second per GB."""
    sizes = _sizes(conn)
    found = {name: _layer(conn, name, sizes, now) for name in _TABLES}
    # Every call brings an identity at least, and nothing tells when.
    found["identities"] = replace(found["identities"], rows_per_day=found["raw"].rows_per_day)
    rest = (LayerStats("other", bytes=sizes.get("other")),) if sizes else ()
    layers = (*found.values(), *rest)
    used, growth = retention.used_bytes(conn), _growth(layers)
    return StoreStats(
        path=str(path),
        file_bytes=path.stat().st_size,
        wal_bytes=log_bytes(path),
        used_bytes=used,
        cap_bytes=settings.size,
        cap_unmet=bool(settings.size) and used > settings.size and not found["raw"].rows,
        layers=layers,
        sampled_out=sampled.total(conn),
        growth_per_day=growth,
        cap_reached=_reached(used, settings.size, growth, now),
    )


def _sizes(conn: sqlite3.Connection) -> dict[str, int]:
    """Bytes of each layer with its indexes; empty where SQLite cannot tell."""
    owner = {table: layer for layer, tables in _TABLES.items() for table in tables}
    try:
        rows = conn.execute(
            """SELECT ifnull(m.tbl_name, s.name), sum(s.pgsize) FROM dbstat s
            LEFT JOIN sqlite_master m ON m.name = s.name WHERE s.aggregate = TRUE GROUP BY 1"""
        ).fetchall()
    except sqlite3.OperationalError:
        return {}
    sizes: dict[str, int] = {}
    for table, size in rows:
        layer = owner.get(table, "other")
        sizes[layer] = sizes.get(layer, 0) + size
    return sizes


def _layer(conn: sqlite3.Connection, name: str, sizes: Mapping[str, int], now: Micros) -> LayerStats:
    rows = _rows(conn, name)
    first, last, recent = _times(conn, name, now)
    if name == "samples":
        rows, first, last, recent = reading.shape(conn, now - WEEK)
    per_day = None
    if first is not None and recent is not None:
        per_day = recent / (min(WEEK, max(DAY, now - first)) / DAY)
    size = sizes.get(name, 0) if sizes else None
    return LayerStats(name, rows, size, first, last, per_day)


def _rows(conn: sqlite3.Connection, name: str) -> int:
    if name == "raw":
        return calls.total(conn)
    if name in ("minute", "hour", "day"):
        return blocks.count(conn, Layer(name))
    if name == "identities":
        return identity.count(conn)
    # Texts, sets of labels and names of attributes are all labels; elsewhere the first table has the rows.
    tables = _TABLES[name] if name == "labels" else _TABLES[name][:1]
    return sum(conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)


def _times(
    conn: sqlite3.Connection, name: str, now: Micros
) -> tuple[Micros | None, Micros | None, int | None]:
    """First and last instant, and how many rows belong to the last seven days."""
    match name:
        case "raw":
            return (*calls.bounds(conn), calls.count(conn, Span(now - WEEK, _EVER)))
        case "events":
            return _of_column(conn, "events", "ts", now)
        case "minute" | "hour":
            return _of_cells(conn, Layer(name), now)
        case "day":
            return _of_days(conn, now)
        case _:
            return None, None, None


def _of_column(
    conn: sqlite3.Connection, table: str, column: str, now: Micros
) -> tuple[Micros | None, Micros | None, int]:
    first, last, recent = conn.execute(
        f"SELECT min({column}), max({column}), sum({column} > ?) FROM {table}", (now - WEEK,)
    ).fetchone()
    return first, last, recent or 0


def _of_cells(
    conn: sqlite3.Connection, layer: Layer, now: Micros
) -> tuple[Micros | None, Micros | None, int]:
    ends = blocks.bounds(conn, layer)
    if ends is None:
        return None, None, 0
    recent = blocks.count(conn, layer, cells.cell_of(layer, now - WEEK) << SERIES_BITS)
    first, last = (cells.cell_span(layer, key >> SERIES_BITS) for key in ends)
    return first.start, last.end, recent


def _of_days(conn: sqlite3.Connection, now: Micros) -> tuple[Micros | None, Micros | None, int]:
    """Over all zones whose days are kept."""
    first: Micros | None = None
    last: Micros | None = None
    recent = 0
    for zone, name in zones.names(conn).items():
        bounds = (zone << cells.DAY_BITS << SERIES_BITS, (zone + 1) << cells.DAY_BITS << SERIES_BITS)
        keys = blocks.bounds(conn, Layer.DAY, *bounds)
        if keys is None:
            continue
        begins, ends = (cells.cell_span(Layer.DAY, key >> SERIES_BITS, name) for key in keys)
        first = begins.start if first is None else min(first, begins.start)
        last = ends.end if last is None else max(last, ends.end)
        since = cells.day_cell(zone, cells.day_of(now - WEEK, name)) << SERIES_BITS
        recent += blocks.count(conn, Layer.DAY, since, bounds[1])
    return first, last, recent


def _growth(layers: tuple[LayerStats, ...]) -> float | None:
    """Bytes per day: what each layer's row takes on average, at its pace."""
    known = [layer for layer in layers if layer.rows and layer.bytes is not None]
    paced = [layer for layer in known if layer.rows_per_day is not None]
    if not paced:
        return None
    return sum((layer.rows_per_day or 0.0) * (layer.bytes or 0) / (layer.rows or 1) for layer in paced)


def _reached(used: int, cap: int, growth: float | None, now: Micros) -> Micros | None:
    if not cap or not growth or growth <= 0:
        return None
    return now if used >= cap else now + round((cap - used) / growth * DAY)
