"""Samples read lately, unpacked: the series of a name, those of one scrape side by side as a matrix.

What is kept is what was asked for, up to the newest sample where that was asked for, and what came behind it
since is read into it. Anything else that changes samples changes their version, and all begins anew. The
names that were not asked for the longest make room.
"""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tui_monitor.model.clock import Micros
from tui_monitor.model.feed import STALE
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import SeriesInfo
from tui_monitor.store.series import reading, versions
from tui_monitor.store.series.sampled import Afford, Choose, Sampled, SampleGrid, any_number
from tui_monitor.store.series.versions import Version

ROOM = 64 << 20
"""Bytes that are kept."""
_SERIES = 1_500
"""Bytes that a series takes beside its samples, about: its labels, and what is worked out of them."""
_EVER = (1 << 63) - 1
_SPARE = 64
"""Columns for what comes."""
_FEW = 2
"""Chunks of a series behind what is asked for that are read with it."""
_LOOK = 0.05
"""Seconds between two looks whether who waits for another question still wants the answer."""
_FLOAT = 8
_SHARE = 8
"""Where no more than this part of the series is asked for, the others are not read."""


_STALE_BITS = np.array(STALE).view(np.uint64)


@dataclass(slots=True)
class _Matrix:
    """Series with the same times, and room for more of them at the end."""

    ids: np.ndarray
    rows: np.ndarray
    times: np.ndarray
    values: np.ndarray
    used: int
    living: bool

    @property
    def size(self) -> int:
        """Bytes it takes."""
        return self.times.nbytes + self.values.nbytes

    @property
    def end(self) -> Micros:
        """The newest time."""
        return int(self.times[self.used - 1])

    def grow(self, times: np.ndarray, values: np.ndarray) -> None:
        """Put samples behind the others. Who was given the matrix sees none of it."""
        room = self.used + len(times)
        if room > len(self.times):
            more = room + max(_SPARE, room // 8) - self.used
            self.times = np.concatenate([self.times[: self.used], np.zeros(more, dtype=np.int64)])
            blank = np.zeros((len(self.rows), more))
            self.values = np.concatenate([self.values[:, : self.used], blank], axis=1)
        self.times[self.used : room] = times
        self.values[:, self.used : room] = values
        self.used = room
        self.living = self.living and not _ended(values)

    def grid(self) -> SampleGrid:
        """As it is now."""
        return SampleGrid(self.rows, self.times[: self.used], self.values[:, : self.used], self.living)


@dataclass(slots=True)
class _Name:
    """The series of one name, and their samples in a span as far as they were read."""

    series: list[SeriesInfo]
    steps_until: Micros | None
    histograms: bool
    grown: int
    span: Span | None = None
    matrices: list[_Matrix] = field(default_factory=list)
    memo: dict[Hashable, Any] = field(default_factory=dict)
    counted: int = 0
    """Bytes that the cache counts for it."""

    @property
    def size(self) -> int:
        """Bytes it takes, about."""
        return sum(matrix.size for matrix in self.matrices) + _SERIES * len(self.series)

    def sampled(self, matrices: list[_Matrix]) -> Sampled:
        """As who asks gets it."""
        grids = tuple(matrix.grid() for matrix in matrices)
        return Sampled(self.series, grids, self.steps_until, self.histograms, self.memo)


@dataclass(frozen=True, slots=True)
class _Costs:
    """What reading may take."""

    room: int
    """Bytes that can be kept."""
    afford: Afford


class SampleCache:
    """Of one database file. Any thread may ask."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._names: OrderedDict[str, _Name] = OrderedDict()
        self._changed: int | None = None
        self._taken = 0

    def sampled(
        self, conn: sqlite3.Connection, name: str, span: Span, choose: Choose, afford: Afford = any_number
    ) -> Sampled:
        """The chosen series of a name with their floats in a span at least; more of both may be there.

        Raises `StoreError` for damaged chunks, and what `choose` and `afford` raise.
        """
        version = versions.of(conn)
        while not self._lock.acquire(timeout=_LOOK):
            afford(0)
        try:
            return self._sampled(conn, version, name, span, choose, afford)
        finally:
            self._lock.release()

    def _sampled(
        self, conn: sqlite3.Connection, version: Version, name: str, span: Span, choose: Choose,
        afford: Afford,
    ) -> Sampled:  # fmt: skip
        if version.changed != self._changed:
            self._names.clear()
            self._taken, self._changed = 0, version.changed
        found = self._names.pop(name, None)
        self._taken -= found.counted if found is not None else 0
        if found is None or not _up_to_date(conn, name, found, version):
            found = _listed(conn, name, version)
        chosen = choose(found.series, found.memo)
        matrices = found.matrices
        if found.span is None or found.span.start > span.start or found.span.end < span.end:
            matrices = _read(conn, found, span, chosen, version, _Costs(self._room, afford))
        found.counted = found.size
        if found.counted <= self._room:
            self._names[name] = found
            self._taken += found.counted
            self._make_room()
        return found.sampled(matrices)

    @property
    def taken(self) -> int:
        """Bytes in use, about."""
        with self._lock:
            return self._taken

    def _make_room(self) -> None:
        while self._taken > self._room:
            _, oldest = self._names.popitem(last=False)
            self._taken -= oldest.counted


def _up_to_date(conn: sqlite3.Connection, name: str, found: _Name, version: Version) -> bool:
    """Whether what is kept is all there is, once what came since is put there."""
    # An older moment than what is kept was read at is as good as now.
    if found.grown >= version.grown:
        return True
    if _count(conn, name) != len(found.series) or found.histograms:
        return False
    span = found.span
    if span is not None and (span.end != _EVER or not _went_on(conn, found, span)):
        # The series are what they were, and with them what is worked out of them.
        found.span, found.matrices = None, []
    found.grown = version.grown
    return True


def _count(conn: sqlite3.Connection, name: str) -> int:
    return conn.execute("SELECT count(*) FROM sample_series WHERE name = ?", (name,)).fetchone()[0]


def _went_on(conn: sqlite3.Connection, found: _Name, span: Span) -> bool:
    """Whether what came for the series of each matrix came at the same times, and is put there.

    Where it is not, some of it may be.
    """
    ends = dict.fromkeys(_kept(found.series), span.start)
    for matrix in found.matrices:
        ends.update(dict.fromkeys(matrix.ids.tolist(), matrix.end))
    came = reading.came(conn, ends)
    if came is None:
        return False
    series, times, values = came
    put = 0
    for matrix in found.matrices:
        first = series.searchsorted(matrix.ids)
        many = series.searchsorted(matrix.ids, "right") - first
        if (many != many[0]).any():
            return False
        places = first[:, None] + np.arange(many[0])
        at = times[places]
        if (at != at[0]).any():
            return False
        if len(at[0]):
            matrix.grow(at[0], values[places])
        put += places.size
    return put == len(series)


def _kept(series: list[SeriesInfo]) -> list[int]:
    return [info.id for info in series if info.type != "histogram"]


def _listed(conn: sqlite3.Connection, name: str, version: Version) -> _Name:
    series = reading.series(conn, name)
    ids = _kept(series)
    native = any(info.type == "native_histogram" for info in series) or reading.has_histograms(conn, ids)
    return _Name(series, reading.steps_until(conn, ids), native, version.grown)


def _read(
    conn: sqlite3.Connection, found: _Name, span: Span, chosen: np.ndarray, version: Version, costs: _Costs
) -> list[_Matrix]:
    """The chosen series alone where they are few, or all too large; these are not kept. Else all."""
    if found.histograms:
        return []
    rows = _places(found)
    wanted = [found.series[row].id for row in chosen.tolist()]
    many = reading.count(conn, wanted, span)
    costs.afford(many)
    if len(chosen) * _SHARE <= len(found.series) or _FLOAT * many > costs.room:
        read, found.histograms = reading.floats(conn, wanted, span, costs.afford)
        return _matrices(rows, read)
    ids, asked = _kept(found.series), span
    span = Span(_start(conn, ids, span), span.end)
    going_on = found.span is not None and found.span.end >= span.end and found.grown == version.grown
    if not going_on and reading.chunks_after(conn, ids, span.end) <= _FEW * len(ids):
        span = Span(span.start, _EVER)
    if _FLOAT * reading.count(conn, ids, span) > costs.room:
        read, found.histograms = reading.floats(conn, wanted, asked, costs.afford)
        return _matrices(rows, read)
    if going_on and found.span is not None:
        return _lengthened(conn, found, ids, span.start, found.span)
    read, found.histograms = reading.floats(conn, ids, span, costs.afford)
    # Who sees an older moment reads no more than was there.
    found.span, found.matrices, found.grown = span, _matrices(rows, read), version.grown
    return found.matrices


def _lengthened(
    conn: sqlite3.Connection, found: _Name, ids: list[int], start: Micros, kept: Span
) -> list[_Matrix]:
    """What is kept, with what lies between `start` and its own beginning."""
    read, found.histograms = reading.floats(conn, ids, Span(start, kept.start))
    found.span = Span(start, kept.end)
    if any(len(times) for times, _ in read.values()):
        for matrix in found.matrices:
            grid = matrix.grid()
            for number, values in zip(matrix.ids.tolist(), grid.values, strict=True):
                times, before = read[number]
                read[number] = (np.concatenate([times, grid.times]), np.concatenate([before, values]))
        found.matrices = _matrices(_places(found), read)
    return found.matrices


def _places(found: _Name) -> dict[int, int]:
    return {info.id: row for row, info in enumerate(found.series)}


def _start(conn: sqlite3.Connection, ids: list[int], span: Span) -> Micros:
    """Where the chunks begin in which a span does, for they are unpacked whole, and a longer window asks for
    what is before; but no more than half as much again."""
    first = reading.start_of_chunks(conn, ids, span.start)
    if first is None:
        return span.start
    return max(first - 1, span.start - (span.end - span.start) // 2)


def _matrices(rows: dict[int, int], read: dict[int, reading.Read]) -> list[_Matrix]:
    together: dict[bytes, list[int]] = {}
    for number, (times, _) in read.items():
        if len(times):
            together.setdefault(times.tobytes(), []).append(number)
    return [_matrix(rows, members, read) for members in together.values()]


def _matrix(rows: dict[int, int], members: list[int], read: dict[int, reading.Read]) -> _Matrix:
    values = np.array([read[number][1] for number in members])
    places = np.array([rows[number] for number in members], dtype=np.int64)
    times = read[members[0]][0]
    ids = np.array(members, dtype=np.int64)
    return _Matrix(ids, places, times, values, len(times), not _ended(values))


def _ended(values: np.ndarray) -> bool:
    return bool((values.view(np.uint64) == _STALE_BITS).any())
