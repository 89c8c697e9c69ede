"""What is too old goes, layer by layer, in steps that hold up no writer for long.

Age counts from the later of event and arrival, so an old trace that was just imported stays.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field

from tui_monitor.config.settings import Retention
from tui_monitor.model.clock import DAY, Micros
from tui_monitor.model.timerange import Span
from tui_monitor.store import (
    calls,
    dropping,
    events,
    identity,
    pastalerts,
    rollups,
    sampled,
    upkeep,
    zones,
)
from tui_monitor.store.api import Layer
from tui_monitor.store.changes import Kind
from tui_monitor.store.dropping import note_dropped
from tui_monitor.store.oldcells import drop_cells
from tui_monitor.store.series import reading, sealing, steps
from tui_monitor.store.sweep import sweep
from tui_monitor.store.writing import WriteSide

IDENTITIES_KEPT = 400 * DAY
"""How long a file's or a poll's records are known again."""
_STEP = 2_000
_SERIES_AT_ONCE = 5_000
"""Series looked at in one transaction for whether anything is left of them."""
_EMPTY_AFTER = "empty_series_after"
"""Name of how far that has come, while it is under way."""


@dataclass(slots=True)
class RetentionReport:
    """What was dropped."""

    calls: int = 0
    calls_for_size: int = 0
    """Of those, the ones that were not too old: the database was too large."""
    over_cap: int = 0
    """Bytes in use beyond the cap that dropping raw calls does not bring."""
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
        return self.calls_for_size + self.too_old

    @property
    def too_old(self) -> int:
        """Rows of all kinds that went for their age."""
        others = self.samples + self.steps + self.events + self.identities + self.alerts
        return self.calls - self.calls_for_size + sum(self.cells.values()) + others


def retain(side: WriteSide, settings: Retention, now: Micros) -> RetentionReport:
    """Drop what is too old, then the oldest raw calls while the database is too large."""
    report = RetentionReport()
    while _build_day(side):
        pass
    report.calls = dropping.drop_old(side, now - settings.raw)
    if report.calls:
        dropping.drop_dead(side)
    _once(side, lambda: _drop_sampled(side, now - settings.raw))
    lengths = {Layer.MINUTE: settings.minute, Layer.HOUR: settings.hour, Layer.DAY: settings.day}
    for layer, length in lengths.items():
        report.cells[layer] = drop_cells(side, layer, now - length)
    report.samples, report.steps = _drop_samples(side, settings, now)
    report.events = _once(side, lambda: events.expire(side.conn, now - settings.raw, side.changes))
    report.identities = _expire_identities(side, now)
    report.alerts = pastalerts.expire(side, now)
    if settings.size:
        cap = settings.size
        report.calls_for_size = dropping.drop_first(side, lambda conn: used_bytes(conn) - cap)
        report.calls += report.calls_for_size
    with side.upkeep:
        report.labels = sweep(side)
    upkeep.give_back(side, upkeep.SPARE)
    if settings.size:
        report.over_cap = max(0, _excess(side, settings.size))
    return report


def used_bytes(conn: sqlite3.Connection) -> int:
    """Bytes of the database in use; free pages do not count."""
    return _pragma(conn, "page_size") * (_pragma(conn, "page_count") - _pragma(conn, "freelist_count"))


def _excess(side: WriteSide, cap: int) -> int:
    with side.guard:
        return used_bytes(side.conn) - cap


def _pragma(conn: sqlite3.Connection, name: str) -> int:
    return conn.execute(f"PRAGMA {name}").fetchone()[0]


def _once(side: WriteSide, drop: Callable[[], int]) -> int:
    with side.upkeep, side.transaction():
        dropped = drop()
        if dropped:
            side.changes.save(side.conn)
    return dropped


def _drop_sampled(side: WriteSide, cutoff: Micros) -> int:
    """What was sampled goes with the raw rows of its time."""
    spans = sampled.expire(side.conn, cutoff)
    for span in spans:
        for gone in note_dropped(side.conn, Layer.RAW, span):
            side.changes.within(Kind.RAW, gone)
    return len(spans)


def _drop_samples(side: WriteSide, settings: Retention, now: Micros) -> tuple[int, int]:
    """Seal samples that wait for it, thin out what is too old; how many samples and chunks of steps went."""
    old = now - settings.samples
    side.seal_all_samples(max(old, sealing.old(now)))

    def noted(span: Span) -> None:
        side.changes.within(Kind.SAMPLES, span)

    def all_of(drop: Callable[[], int]) -> int:
        def some_of() -> int:
            some = drop()
            if some:
                side.conn.execute("INSERT OR REPLACE INTO meta VALUES (?, 0)", (_EMPTY_AFTER,))
            return some

        dropped = 0
        while some := _once(side, some_of):
            dropped += some
        return dropped

    thin = settings.samples_steps > settings.samples
    dropped = all_of(lambda: steps.expire_step(side.conn, old, noted, thin=thin))
    gone = all_of(lambda: steps.expire_steps(side.conn, now - settings.samples_steps, noted))
    _drop_empty(side)
    return dropped, gone


def _drop_empty(side: WriteSide) -> None:
    """Drop series that have nothing left, some at a time; what was broken off goes on."""
    while True:
        with side.upkeep, side.transaction():
            row = side.conn.execute("SELECT value FROM meta WHERE name = ?", (_EMPTY_AFTER,)).fetchone()
            if row is None:
                return
            looked = reading.drop_empty(side.conn, row[0], _SERIES_AT_ONCE)
            if looked is None:
                side.conn.execute("DELETE FROM meta WHERE name = ?", (_EMPTY_AFTER,))
                return
            after, gone = looked
            side.conn.execute("UPDATE meta SET value = ? WHERE name = ?", (after, _EMPTY_AFTER))
            if gone:
                side.series.forget()
                side.changes.save(side.conn)


def _expire_identities(side: WriteSide, now: Micros) -> int:
    """Once a day: every identity is looked at."""
    today = now // DAY
    with side.upkeep, side.transaction():
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
