"""Sealed calls: runs of calls that follow each other in number, kept column by column.

The row table stays the place where calls change: one that does goes back into it, and its segment notes that
it is gone. So a call is in the row table or in one segment, never in both.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
import orjson

from tui_monitor.model.errors import StoreError
from tui_monitor.model.timerange import Span
from tui_monitor.store import blobs
from tui_monitor.store.blobs import UNKNOWN, Damaged, Integers, Texts
from tui_monitor.store.decoded import Decoded, Sized
from tui_monitor.store.head import COLUMNS, TERMS

TEXTS: tuple[str, ...] = (
    "source_key", "trace_id", "span_id", "parent_span_id", "call_keys", "media", "attrs",
)  # fmt: skip
INTEGERS: tuple[str, ...] = tuple(name for name in COLUMNS if name not in TEXTS)
_STEPS = frozenset(("id", "booked", "arrived"))
_NEAR: Mapping[str, tuple[str, ...]] = {
    "ts_end": ("booked",), "ts_start": ("booked", "latency"),
    "list_cost": ("cost",), "cost_reported": ("cost",), "cost_computed": ("cost",),
}  # fmt: skip
"""Columns that are nearly what others say (the first less the second) are kept as what is left."""
_ZONED = ("series", *(f"{name}_t" for name in TERMS))
_FEW = 64
_FEW_SETS = 2_048
"""Different values of a column, and different label sets, up to which the segment's row names them."""
_BOUNDED = (
    "in_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "out_total", "reasoning", "cost",
    "list_cost", "latency", "ttft", "queue_wait", "http_status", "attempts",
)  # fmt: skip
"""Columns whose lowest and highest value the segment's row names."""
_SELECT = "SELECT id, first, rows, booked_low, booked_high, arrived_low, zones, gone, stamp FROM segments"
_ALL = slice(None)


T = TypeVar("T", bound=Sized)


class DamagedSegment(StoreError):
    """A segment cannot be read; `segment` is its number."""

    def __init__(self, message: str, segment: int, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.segment = segment


@dataclass(frozen=True, slots=True)
class _Zones:
    zones: dict[str, Any]
    size: int


@dataclass(frozen=True, slots=True)
class _Names:
    names: set[str]
    size: int = 2_048


@dataclass
class Segment:
    """One segment; its columns are read when they are asked for. Every method may raise `StoreError`."""

    conn: sqlite3.Connection
    id: int
    first: int
    rows: int
    booked_low: int
    booked_high: int
    arrived_low: int
    zoned: str
    gone: bytes | None
    stamp: int
    kept: Decoded | None = None
    """Where columns are looked for, and kept."""
    _read: dict[str, Sized] = field(default_factory=dict)

    @cached_property
    def zones(self) -> dict[str, Any]:
        """The different values of columns that have few, by column, and `bounds`."""
        return self._once("zones", lambda: _Zones(orjson.loads(self.zoned), 8 * len(self.zoned))).zones

    def bounds(self, column: str) -> tuple[int, int] | None:
        """No value of a column of numbers is below the first or above the second; `None` where none is known.

        Raises `KeyError` where the segment does not tell.
        """
        return self.zones["bounds"].get(column)

    def integers(self, name: str, at: "np.ndarray | slice" = _ALL) -> np.ndarray:
        """A column of integers, or some rows of it, `UNKNOWN` where there is none; gone rows are in it."""
        found = self._once(name, lambda: self._integers(name))
        values = found.at(at)
        # What no call knows is near nothing.
        if name in _NEAR and not (found.is_constant and found.low == UNKNOWN):
            near = _near(lambda base: self.integers(base, at), name)
            return np.where(values == UNKNOWN, UNKNOWN, values + near)
        return values

    def narrow(self, name: str) -> Integers:
        """A column of integers as it is stored; read it only."""
        if name in _NEAR:
            return Integers.of(self.integers(name))
        return self._once(name, lambda: self._integers(name))

    def _integers(self, name: str) -> Integers:
        blob = self._blob(name)
        if blob is None:
            return Integers.constant(UNKNOWN, self.rows)
        return self._checked(name, blobs.unpack_narrow, blob)

    def texts(self, name: str) -> Texts:
        """A column of texts; read it only."""
        return self._once(name, lambda: self._texts(name))

    def _texts(self, name: str) -> Texts:
        blob = self._blob(name)
        if blob is None:
            return Texts(Integers.constant(UNKNOWN, self.rows), b"", np.zeros(0, dtype=np.int64))
        return self._checked(name, blobs.unpack_texts, blob)

    def _once(self, name: str, read: Callable[[], T]) -> T:
        """What was read already, of this segment or in a question before."""
        found = self._read.get(name)
        if found is None:
            found = read() if self.kept is None else self.kept.get(self.stamp, name, read)
            self._read[name] = found
        return cast(T, found)

    def left(self) -> np.ndarray:
        """Which rows are still here."""
        if self.gone is None:
            return np.ones(self.rows, dtype=bool)
        bits = self._checked("gone", blobs.unseal, self.gone)
        return np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=self.rows) == 0

    def within(self, span: Span) -> np.ndarray:
        """Which rows are here and booked in the span."""
        found = self.left()
        if self.booked_low <= span.start or self.booked_high > span.end:
            found &= self.narrow("booked").between(span.start + 1, span.end)
        return found

    def may_hold(self, column: str, values: Iterable[int | None]) -> bool:
        """Whether one of these values of a column can be here."""
        zone = self.zones.get(column)
        return zone is None or not set(zone).isdisjoint(values)

    def positions(self, ids: Iterable[int]) -> np.ndarray:
        """Where those of these calls are that are here."""
        numbers = self.integers("id")
        wanted = np.fromiter(ids, dtype=np.int64)
        at = np.minimum(np.searchsorted(numbers, wanted), len(numbers) - 1)
        at = np.unique(at[numbers[at] == wanted])
        return at[self.left()[at]]

    def tuples(self, at: np.ndarray) -> list[tuple[Any, ...]]:
        """The values of `COLUMNS` of some rows."""
        columns: list[list[Any]] = []
        present = self._once("present", lambda: _Names(self._present())).names
        for name in COLUMNS:
            if name not in present:
                columns.append([None] * len(at))
            elif name in TEXTS:
                columns.append(self.texts(name).at(at))
            else:
                values: list[int] = self.integers(name, at).tolist()
                columns.append([None if v == UNKNOWN else v for v in values])
        return list(zip(*columns, strict=True))

    def faults(self) -> list[str]:
        """What is damaged."""
        found: list[str] = []
        for name in sorted(self._present()):
            try:
                self.texts(name) if name in TEXTS else self.integers(name)
            except StoreError as error:
                found.append(error.message)
        try:
            self.left()
        except StoreError as error:
            found.append(error.message)
        return found

    def _present(self) -> set[str]:
        sql = "SELECT name FROM segment_columns WHERE segment = ?"
        return {name for (name,) in self.conn.execute(sql, (self.id,))}

    def _blob(self, name: str) -> bytes | None:
        row = self.conn.execute(
            "SELECT data FROM segment_columns WHERE segment = ? AND name = ?", (self.id, name)
        ).fetchone()
        return row[0] if row else None

    def _checked(self, name: str, unpack: Any, blob: bytes) -> Any:
        try:
            return unpack(blob)
        except Damaged as error:
            raise DamagedSegment(
                f"column {name!r} of segment {self.id} (calls {self.first} to {self.id}) is damaged",
                self.id,
                hint="put a copy back (`tui-monitor db restore FILE`); `tui-monitor db check` names all",
            ) from error


def _near(column: Any, name: str) -> np.ndarray:
    """What a column is nearly equal to."""
    base, *less = (np.where(found == UNKNOWN, 0, found) for found in map(column, _NEAR[name]))
    for found in less:
        base = base - found
    return base


def overlapping(conn: sqlite3.Connection, span: Span, kept: Decoded | None = None) -> Iterator[Segment]:
    """Segments with calls booked in the span, by number; columns that are `kept` are not read again."""
    rows = conn.execute(
        f"{_SELECT} WHERE booked_low <= ? AND booked_high > ? ORDER BY id", (span.end, span.start)
    ).fetchall()
    return (_segment(conn, row, kept) for row in rows)


def every(conn: sqlite3.Connection) -> Iterator[Segment]:
    """All segments, by number."""
    return (_segment(conn, row) for row in conn.execute(f"{_SELECT} ORDER BY id").fetchall())


def get(conn: sqlite3.Connection, number: int) -> Segment | None:
    """One segment."""
    row = conn.execute(f"{_SELECT} WHERE id = ?", (number,)).fetchone()
    return _segment(conn, row) if row else None


def covering(conn: sqlite3.Connection, ids: Iterable[int]) -> Iterator[tuple[Segment, list[int]]]:
    """Segments in whose range some of these calls lie, with those calls."""
    wanted = sorted(ids)
    while wanted:
        row = conn.execute(f"{_SELECT} WHERE id >= ? ORDER BY id LIMIT 1", (wanted[0],)).fetchone()
        if row is None:
            return
        segment = _segment(conn, row)
        inside = [number for number in wanted if segment.first <= number <= segment.id]
        if inside:
            yield segment, inside
        wanted = [number for number in wanted if number > segment.id]


def _segment(conn: sqlite3.Connection, row: Sequence[Any], kept: Decoded | None = None) -> Segment:
    return Segment(conn, *row, kept=kept)


@dataclass(slots=True)
class Encoded:
    """Rows as columns, ready to be stored."""

    rows: int
    booked: tuple[int, int]
    arrived: tuple[int, int]
    zones: str
    columns: list[tuple[str, bytes]]


def encode(rows: Sequence[Sequence[Any]], names: Sequence[str] = COLUMNS) -> Encoded:
    """Values of these of `COLUMNS`, by number, as columns; there must be some, and the others are unknown."""
    by_name = dict(zip(names, zip(*rows, strict=True), strict=True))
    known = {name: v for name, v in by_name.items() if v[0] is not None or v.count(None) < len(rows)}
    nothing = np.full(len(rows), UNKNOWN, dtype=np.int64)
    numbers = {name: _integers(known[name]) if name in known else nothing for name in INTEGERS}
    return encode_columns(numbers, [(name, blobs.pack_texts(known[name])) for name in TEXTS if name in known])


def _integers(values: Sequence[int | None]) -> np.ndarray:
    try:
        return np.array(values, dtype=np.int64)
    except TypeError:
        return np.array([UNKNOWN if value is None else value for value in values], dtype=np.int64)


def encode_columns(numbers: Mapping[str, np.ndarray], texts: Sequence[tuple[str, bytes]]) -> Encoded:
    """All of `INTEGERS`, by number, and the packed ones of `TEXTS` that any row knows."""
    columns: list[tuple[str, bytes]] = []
    for name, values in numbers.items():
        if not (values == UNKNOWN).all():
            rest = (
                np.where(values == UNKNOWN, UNKNOWN, values - _near(numbers.get, name))
                if name in _NEAR
                else values
            )
            columns.append((name, blobs.pack_integers(rest, steps=name in _STEPS)))
    bounds = [(int(numbers[name].min()), int(numbers[name].max())) for name in ("booked", "arrived")]
    return Encoded(len(numbers["id"]), bounds[0], bounds[1], _zones(numbers), [*columns, *texts])


def _zones(numbers: Mapping[str, np.ndarray]) -> str:
    zones: dict[str, Any] = {}
    for name in _ZONED:
        values = np.unique(numbers[name])
        if len(values) <= (_FEW_SETS if name == "series" else _FEW):
            zones[name] = [None if v == UNKNOWN else v for v in values.tolist()]
    zones["bounds"] = bounds = {}
    for name in _BOUNDED:
        known = numbers[name][numbers[name] != UNKNOWN]
        if len(known):
            bounds[name] = int(known.min()), int(known.max())
    return orjson.dumps(zones).decode()


def store(conn: sqlite3.Connection, number: int, first: int, encoded: Encoded) -> None:
    """Put a segment in, or in the place of the one of that number; inside a transaction."""
    delete(conn, number)
    conn.execute(
        "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, random())",
        (number, first, encoded.rows, encoded.rows, *encoded.booked, *encoded.arrived, encoded.zones),
    )
    conn.executemany(
        "INSERT INTO segment_columns VALUES (?, ?, ?)",
        [(number, name, blob) for name, blob in encoded.columns],
    )


def delete(conn: sqlite3.Connection, number: int) -> None:
    """Drop a segment; inside a transaction."""
    conn.execute("DELETE FROM segments WHERE id = ?", (number,))
    conn.execute("DELETE FROM segment_columns WHERE segment = ?", (number,))


def take_out(conn: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Note of calls that they are no longer in their segments; of others nothing. Inside a transaction."""
    for segment, inside in covering(conn, ids):
        at = segment.positions(inside)
        if not len(at):
            continue
        left = segment.left()
        left[at] = False
        if not left.any():
            delete(conn, segment.id)
            continue
        booked, arrived = segment.integers("booked")[left], segment.integers("arrived")[left]
        conn.execute(
            """UPDATE segments SET left = ?, booked_low = ?, booked_high = ?, arrived_low = ?,
            arrived_high = ?, gone = ? WHERE id = ?""",
            (
                int(left.sum()), int(booked.min()), int(booked.max()), int(arrived.min()), int(arrived.max()),
                blobs.seal(np.packbits(~left).tobytes()), segment.id,
            ),
        )  # fmt: skip


def hidden(conn: sqlite3.Connection, calls: Iterable[int]) -> set[int]:
    """Those of these calls that are in a segment that was set aside, or were."""
    spans = conn.execute("SELECT first, id FROM damaged_segments").fetchall()
    return {number for number in calls if any(first <= number <= last for first, last in spans)}
