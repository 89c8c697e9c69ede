"""What is too old goes, layer by layer, in steps that hold up no writer for long.

Age counts from the later of event and arrival, so an old trace that was just imported stays.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tui_monitor.config.settings import Retention
from tui_monitor.model.clock import DAY, Micros
from tui_monitor.model.timerange import Span
from tui_monitor.store import (
    blocks,
    calls,
    cells,
    events,
    identity,
    imports,
    pastalerts,
    rollups,
    sampled,
    segments,
    zones,
)
from tui_monitor.store.api import Layer
from tui_monitor.store.dictionary import SERIES_BITS
from tui_monitor.store.head import Row
from tui_monitor.store.series import reading, sealing, steps
from tui_monitor.store.sweep import sweep
from tui_monitor.store.work import row_hashes
from tui_monitor.store.writing import WriteSide

IDENTITIES_KEPT = 400 * DAY
"""How long a file's or a poll's records are known again."""
_STEP = 2_000
_PAGES = 2_000
"""Free pages given back to the file system per transaction."""


@dataclass(slots=True)
class RetentionReport:
    """What was dropped."""

    calls: int = 0
    cells: dict[Layer, int] = field(default_factory=dict)
    samples: int = 0
    steps: int = 0
    """Chunks of thinned out samples."""
    events: int = 0
    identities: int = 0
    alerts: int = 0
    """Those that were over."""
    labels: int = 0
    """Texts and label sets that nothing refers to any more; they are not in the total."""

    @property
    def total(self) -> int:
        """Rows of all kinds."""
        others = self.samples + self.steps + self.events + self.identities + self.alerts
        return self.calls + sum(self.cells.values()) + others


def retain(side: WriteSide, settings: Retention, now: Micros) -> RetentionReport:
    """Drop what is too old, then the oldest raw calls while the database is too large."""
    with side.upkeep:
        return _retain(side, settings, now)


def _retain(side: WriteSide, settings: Retention, now: Micros) -> RetentionReport:
    report = RetentionReport()
    while _build_day(side):
        pass
    report.calls = _drop_calls(side, now - settings.raw)
    _once(side, lambda: _drop_sampled(side.conn, now - settings.raw))
    lengths = {Layer.MINUTE: settings.minute, Layer.HOUR: settings.hour, Layer.DAY: settings.day}
    for layer, length in lengths.items():
        report.cells[layer] = _once(side, lambda at=layer, old=now - length: _drop_cells(side.conn, at, old))
    report.samples, report.steps = _drop_samples(side, settings, now)
    report.events = _once(side, lambda: events.expire(side.conn, now - settings.raw))
    report.identities = _expire_identities(side, now)
    report.alerts = pastalerts.expire(side, now)
    if settings.size:
        report.calls += _shrink(side, settings.size)
    report.labels = sweep(side)
    _give_back(side)
    return report


def used_bytes(conn: sqlite3.Connection) -> int:
    """Bytes of the database in use; free pages do not count."""
    return _pragma(conn, "page_size") * (_pragma(conn, "page_count") - _pragma(conn, "freelist_count"))


def _pragma(conn: sqlite3.Connection, name: str) -> int:
    return conn.execute(f"PRAGMA {name}").fetchone()[0]


def _once(side: WriteSide, drop: Callable[[], int]) -> int:
    with side.transaction():
        dropped = drop()
        if dropped:
            side.bump()
    return dropped


def _drop_calls(side: WriteSide, cutoff: Micros) -> int:
    """Drop raw calls that happened and arrived up to the cutoff. Numbers grow with arrival."""
    dropped, after = 0, 0
    while True:
        with side.transaction():
            found = calls.after(side.conn, after, _STEP)
            old = [number for number, booked, arrived in found if max(booked, arrived) <= cutoff]
            _drop_rows(side, old)
            dropped += len(old)
        if not found or min(arrived for _, _, arrived in found) > cutoff:
            return dropped
        after = found[-1][0]


def _shrink(side: WriteSide, size: int) -> int:
    """Drop the raw calls that arrived first until the database is small enough."""
    dropped = 0
    while True:
        with side.transaction():
            if used_bytes(side.conn) <= size:
                return dropped
            numbers = [number for number, _, _ in calls.after(side.conn, 0, _STEP)]
            if not numbers:
                return dropped
            _drop_rows(side, numbers)
            dropped += len(numbers)


def _drop_sampled(conn: sqlite3.Connection, cutoff: Micros) -> int:
    """What was sampled goes with the raw rows of its time."""
    spans = sampled.expire(conn, cutoff)
    for span in spans:
        note_dropped(conn, Layer.RAW, span)
    return len(spans)


def _drop_samples(side: WriteSide, settings: Retention, now: Micros) -> tuple[int, int]:
    """Seal samples that wait for it, thin out what is too old; how many samples and chunks of steps went."""
    old = now - settings.samples
    for find in (lambda conn: sealing.due(conn, now), lambda conn: sealing.with_rows_until(conn, old)):
        while side.seal_samples(find):
            pass
    dropped, thin = 0, settings.samples_steps > settings.samples
    while some := _once(side, lambda: steps.expire_step(side.conn, old, thin=thin)):
        dropped += some
    gone = _once(side, lambda: steps.expire_steps(side.conn, now - settings.samples_steps))
    if dropped or gone:
        with side.transaction():
            reading.drop_empty(side.conn)
            side.series.forget()
    return dropped, gone


def _drop_rows(side: WriteSide, numbers: Sequence[int]) -> None:
    """Drop raw rows only: roll-ups keep counting them, and remembered identities stay."""
    if not numbers:
        return
    conn = side.conn
    rows = list(calls.load(conn, numbers).values())
    booked = [row.call.booked for row in rows]
    for table, column in (("calls", "id"), ("parts", "call")):
        conn.execute(
            f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (json.dumps(numbers),)
        )
    segments.take_out(conn, numbers)
    _drop_identities(conn, rows)
    brought = Counter(p.call.batch_id for row in rows for p in row.parts if p.call.batch_id is not None)
    imports.lose(conn, brought)
    note_dropped(conn, Layer.RAW, Span(min(booked) - 1, max(booked)))
    side.bump()


def _drop_identities(conn: sqlite3.Connection, rows: Sequence[Row]) -> None:
    marks: list[tuple[int, int | None, int]] = []
    forgotten: list[int] = []
    for row in rows:
        if not any(part.remember for part in row.parts):
            forgotten += row_hashes(row)
            continue
        contents: dict[int, int | None] = dict.fromkeys(row_hashes(row))
        for part in row.parts:
            own = identity.source_hash(part.call.source, part.call.source_key)
            contents[own] = identity.content_mark(part.call)
        marks += [(number, mark, row.arrived // DAY) for number, mark in contents.items()]
    identity.drop(conn, forgotten)
    identity.outlive(conn, marks)


def note_dropped(
    conn: sqlite3.Connection, layer: Layer, span: Span, zone: int = 0, name: str = "UTC"
) -> None:
    """Remember that something of a span is gone; spans that meet or have nothing between them are one."""
    known = conn.execute(
        "SELECT start, end FROM dropped WHERE layer = ? AND zone = ? ORDER BY start", (layer.value, zone)
    ).fetchall()
    conn.execute("DELETE FROM dropped WHERE layer = ? AND zone = ?", (layer.value, zone))
    merged: list[Span] = []
    for start, end in sorted([*known, (span.start, span.end)]):
        last = merged[-1] if merged else None
        if last and (start <= last.end or _empty(conn, layer, Span(last.end, start), zone, name)):
            merged[-1] = Span(last.start, max(last.end, end))
        else:
            merged.append(Span(start, end))
    conn.executemany(
        "INSERT INTO dropped VALUES (?, ?, ?, ?)", [(layer.value, zone, s.start, s.end) for s in merged]
    )


def _empty(conn: sqlite3.Connection, layer: Layer, span: Span, zone: int, name: str) -> bool:
    if layer is Layer.RAW:
        return not calls.any_in(conn, span)
    run = cells.whole_cells(layer, span, zone, name)
    return not blocks.count(conn, layer, run.start << SERIES_BITS, run.stop << SERIES_BITS)


def _drop_cells(conn: sqlite3.Connection, layer: Layer, cutoff: Micros) -> int:
    """Drop cells that ended and were last added to up to the cutoff."""
    if layer is not Layer.DAY:
        # The first cell that is not over at the cutoff.
        last = cells.cell_of(layer, cutoff + 1)
        return _drop_run(conn, layer, 0, "UTC", range(-(1 << 30), last), cutoff)
    dropped = 0
    for zone, name in zones.names(conn).items():
        days = range(zone << cells.DAY_BITS, cells.day_cell(zone, cells.day_of(cutoff, name)))
        dropped += _drop_run(conn, layer, zone, name, days, cutoff)
    return dropped


def _drop_run(
    conn: sqlite3.Connection, layer: Layer, zone: int, name: str, run: range, cutoff: Micros
) -> int:
    low, high = run.start << SERIES_BITS, run.stop << SERIES_BITS
    ends, count = [], 0
    for block in blocks.within(conn, layer, low, high):
        if low <= block.first and block.last < high and block.touched <= cutoff:
            blocks.delete(conn, block)
            ends += [block.first, block.last]
            count += block.rows
    blocks.spread_range(conn, layer, low, high)
    condition = f"FROM {layer.value} WHERE key >= ? AND key < ? AND touched <= ?"
    bounds = (low, high, cutoff)
    first, last, rows = conn.execute(f"SELECT min(key), max(key), count(*) {condition}", bounds).fetchone()
    if rows:
        conn.execute(f"DELETE {condition}", bounds)
        ends += [first, last]
        count += rows
    if ends:
        start, end = (cells.cell_span(layer, key >> SERIES_BITS, name) for key in (min(ends), max(ends)))
        note_dropped(conn, layer, Span(start.start, end.end), zone, name)
    return count


def _expire_identities(side: WriteSide, now: Micros) -> int:
    """Once a day: every identity is looked at."""
    today = now // DAY
    with side.transaction():
        row = side.conn.execute("SELECT value FROM meta WHERE name = 'identities_expired'").fetchone()
        if row is not None and row[0] == today:
            return 0
        side.conn.execute("INSERT OR REPLACE INTO meta VALUES ('identities_expired', ?)", (today,))
        expired = identity.expire(side.conn, (now - IDENTITIES_KEPT) // DAY)
        side.packs.forget()
        return expired


def _build_day(side: WriteSide) -> bool:
    """Make one day of a zone that is new here; whether there was one to make."""
    with side.transaction():
        zone = zones.unbuilt(side.conn)
        if zone is None:
            return False

        def add(number: int, name: str, span: Span) -> None:
            found = calls.ids_in(side.conn, span)
            for at in range(0, len(found), _STEP):
                rows = list(calls.load(side.conn, found[at : at + _STEP]).values())
                deltas = rollups.Deltas.of((), rows, side.keys)
                rollups.apply_days(side.conn, number, deltas, {number: name}, side.keys)

        zones.build_day(side.conn, zone, add)
        side.bump()
    return True


def _give_back(side: WriteSide) -> None:
    """Return free pages to the file system, some at a time; small remains are left for new rows."""
    while True:
        with side.transaction():
            if _pragma(side.conn, "freelist_count") <= _PAGES:
                return
            side.conn.execute(f"PRAGMA incremental_vacuum({_PAGES})").fetchall()
