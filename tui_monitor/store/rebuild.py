"""Roll-ups made anew from the raw calls, and compared with what is stored, some days at a time.

Only cells whose raw calls are all kept are looked at; the others are left as they are, and named. What is
compared is one moment that a reader sees, so nobody waits; what is put right is put right in one short
transaction for each slice, if it is still as it was then.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tui_monitor.model.errors import StoreError
from tui_monitor.model.timerange import Span
from tui_monitor.store import anew, blocks, calls, cells, damagedcells, opening, rollups, sampled, zones
from tui_monitor.store.anew import Cell, Difference, Slice
from tui_monitor.store.api import Layer, SampledSpan
from tui_monitor.store.blocks import DamagedBlock
from tui_monitor.store.segments import DamagedSegment
from tui_monitor.store.writing import WriteSide

Progress = Callable[[int, int], None]
"""Called with calls done and calls in all; each counts once for every zone."""
_TRIES = 3
_FOUND = (DamagedSegment, DamagedBlock, sqlite3.DatabaseError)
"""How damage shows itself."""
_BORN, _TOUCHED = (rollups.COLUMNS.index(name) for name in ("born", "touched"))


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
    sampled: tuple[SampledSpan, ...] = ()
    """Times of which some calls were left out by sampling."""
    damaged: list[str] = field(default_factory=list)
    """What could not be read, in words; only where nothing may be set aside."""
    not_compared: list[Span] = field(default_factory=list)
    """Days that were not compared because of that, in every zone."""

    @property
    def wrong(self) -> int:
        """Cells of all layers that differed."""
        return sum(layer.wrong for layer in self.layers)


def rebuild(side: WriteSide, progress: Progress | None = None) -> RebuildReport:
    """Make every roll-up anew, compare, and put right what differs. Short transactions.

    Raises `DamagedSegment` and `DamagedBlock`.
    """
    return _work(side.path, side, progress)


def compare(path: Path, progress: Progress | None = None) -> RebuildReport:
    """Make every roll-up anew and compare; writes nothing, and names what is too damaged to be compared."""
    return _work(path, None, progress)


def _work(path: Path, side: WriteSide | None, progress: Progress | None) -> RebuildReport:
    report = RebuildReport()
    with closing(_connect(path)) as reader:
        raw = zones.holdings(reader, "UTC")[Layer.RAW]
        report.gone, report.sampled = raw.gone, sampled.together(raw.sampled)
        chosen = _whole_zones(reader)
        again = [w for w in damagedcells.rebuildable(reader) if not w.zone or w.zone in dict(chosen)]
        done, total = 0, calls.total(reader) * len(chosen)
        for zone, name in chosen:
            found = {layer: LayerReport(layer.value) for layer in (Layer.MINUTE, Layer.HOUR)}
            if zone == cells.UTC_ZONE:
                report.layers += found.values()
            found[Layer.DAY] = LayerReport(Layer.DAY.value, name)
            report.layers.append(found[Layer.DAY])
            slices = _seen(reader, zone, name, report) if side is None else _slices(side, reader, zone, name)
            for count, differences in slices:
                for one in differences:
                    _count(found[one.layer], one)
                report.calls += count if zone == cells.UTC_ZONE else 0
                done += count
                if progress is not None:
                    progress(done, max(done, total))
    report.not_compared = _joined(report.not_compared)
    if side is not None:
        damagedcells.mended(side, again)
    return report


def _connect(path: Path) -> sqlite3.Connection:
    """A reader that may make tables of its own, in memory."""
    conn = opening.connect_reader(path)
    conn.execute("PRAGMA query_only = OFF")
    conn.execute("PRAGMA temp_store = MEMORY")
    rollups.prepare(conn)
    return conn


def _whole_zones(conn: sqlite3.Connection) -> list[tuple[int, str]]:
    """Zones all of whose days are made; a new one's past is still to come."""
    return conn.execute("SELECT id, name FROM zones WHERE built IS NULL ORDER BY id").fetchall()


def _slices(
    side: WriteSide, reader: sqlite3.Connection, zone: int, name: str
) -> Iterator[tuple[int, list[Difference]]]:
    """(calls, differences) of each slice of a zone, put right."""
    day: int | None = None
    while True:
        with side.upkeep:
            with opening.moment(reader):
                part = anew.following(reader, zone, name, day)
                if part is None or (zone, name) not in _whole_zones(reader):
                    return
                count, differences = anew.compare(reader, part)
            if any(one.wrong for one in differences):
                _mend(side, reader, part, differences)
        yield count, differences
        day = part.stop


def _seen(
    reader: sqlite3.Connection, zone: int, name: str, report: RebuildReport
) -> Iterator[tuple[int, list[Difference]]]:
    """(calls, differences) of each slice of a zone; where something is damaged, of each day without it."""
    day: int | None = None
    while True:
        with opening.moment(reader):
            part = anew.following(reader, zone, name, day)
            if part is None or (zone, name) not in _whole_zones(reader):
                return
            try:
                found = anew.compare(reader, part)
            except _FOUND as error:
                # Of the days of the slice most can be compared still.
                part = replace(part, stop=part.first + 1)
                found = _first_day(reader, part, _words(error), report)
        yield found
        day = part.stop


def _first_day(
    reader: sqlite3.Connection, part: Slice, words: str, report: RebuildReport
) -> tuple[int, list[Difference]]:
    """What one day gives, in a slice with damage."""
    if words not in report.damaged:
        report.damaged.append(words)
    try:
        return anew.compare(reader, part)
    except _FOUND as error:
        words = _words(error)
        if words not in report.damaged:
            report.damaged.append(words)
        report.not_compared.append(Span(*part.bounds))
        return 0, []


def _words(error: Exception) -> str:
    """What is damaged. Raises the error again where it tells of something else."""
    if isinstance(error, StoreError):
        return error.message
    if not getattr(error, "sqlite_errorname", "").startswith("SQLITE_CORRUPT"):
        raise error
    return "a page of the file is damaged (`tui-monitor db check` names it)"


def _joined(spans: list[Span]) -> list[Span]:
    """Spans that touch as one, in order."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def _count(layer: LayerReport, one: Difference) -> None:
    layer.checked += one.checked
    layer.wrong += len(one.wrong)
    layer.left += one.left


def _mend(side: WriteSide, reader: sqlite3.Connection, part: Slice, differences: list[Difference]) -> None:
    """Put the cells right; while others write to the same ones, look again, at last while they wait."""
    for _ in range(_TRIES):
        with side.transaction():
            left = sum(_replace(side.conn, one) for one in differences)
            side.bump()
        if not left:
            return
        with opening.moment(reader):
            _, differences = anew.compare(reader, part)
    with side.transaction():
        _, differences = anew.compare(side.conn, part)
        for one in differences:
            _replace(side.conn, one)
        side.bump()


def _replace(conn: sqlite3.Connection, one: Difference) -> int:
    """Put right what is as it was when it was compared; how many cells are not."""
    changed = 0
    blocks.spread(conn, one.layer, np.fromiter(one.wrong, dtype=np.int64))
    for key, (seen, right) in one.wrong.items():
        if anew.cell(conn, one.layer.value, key) != seen:
            changed += 1
            continue
        conn.execute(f"DELETE FROM {one.layer.value} WHERE key = ?", (key,))
        if right is not None:
            marks = ", ".join("?" * len(rollups.COLUMNS))
            conn.execute(f"INSERT INTO {one.layer.value} ({', '.join(rollups.COLUMNS)}) VALUES ({marks})",
                         _with_times(right, seen))  # fmt: skip
    return changed


def _with_times(right: Cell, seen: Cell | None) -> Cell:
    """The time a cell began, and was last added to, are kept."""
    if seen is None:
        return right
    cell = list(right)
    cell[_BORN], cell[_TOUCHED] = min(right[_BORN], seen[_BORN]), max(right[_TOUCHED], seen[_TOUCHED])  # type: ignore[type-var]
    return tuple(cell)
