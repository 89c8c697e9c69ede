"""Roll-up cells of times that are over: many series and cells packed together, column by column.

The cells of a run of time are either all rows of their layer's table or all in one block. Who changes one
of them spreads the block out into rows first; the upkeep packs them anew when they are quiet.
"""

import json
import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from tui_monitor.model.clock import DAY, Micros
from tui_monitor.model.errors import StoreError
from tui_monitor.store import blobs, calls, cells, dictionary, histogram, spreads
from tui_monitor.store.api import CELL, Layer, Measure
from tui_monitor.store.blobs import UNKNOWN, Damaged, Integers
from tui_monitor.store.decoded import Decoded, Sized
from tui_monitor.store.dictionary import SERIES_BITS, SERIES_MASK
from tui_monitor.store.folding import Alike, Folded
from tui_monitor.store.measures import CELL_COLUMNS as COLUMNS
from tui_monitor.store.spreads import Spread

LAYERS = (Layer.MINUTE, Layer.HOUR, Layer.DAY)
_CELLS: Mapping[Layer, int] = {Layer.MINUTE: 64, Layer.HOUR: 32, Layer.DAY: 32}
"""Cells of a block. They divide the numbers of a zone's days, so no block has days of two zones."""
_HISTOGRAMS = frozenset(name for name in COLUMNS if name.endswith("_hist"))
_STEPS = frozenset(("key", "touched"))
_EVER = 1 << 62
_ALL = slice(None)
T = TypeVar("T", bound=Sized)


class DamagedBlock(StoreError):
    """A block cannot be read; `low` is its low end."""

    def __init__(self, message: str, layer: Layer, low: int, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.layer = layer
        self.low = low


@dataclass(frozen=True, slots=True)
class Block:
    """One block; its columns are read when they are asked for. Reading may raise `StoreError`."""

    layer: Layer
    low: int
    high: int
    first: int
    last: int
    rows: int
    calls: int
    touched: int
    stamp: int
    constants: Mapping[str, int]
    kept: Decoded | None = None
    """Where columns are looked for, and kept."""

    def integers(self, conn: sqlite3.Connection, name: str, at: slice = _ALL) -> np.ndarray:
        """A column of integers, or some rows of it, `UNKNOWN` where there is none."""
        if name in self.constants:
            return Integers.constant(self.constants[name], self.rows).at(at)
        return self.once(name, lambda: _checked(self, name, blobs.unpack_narrow, _data(conn, self, name))).at(
            at
        )

    def histogram(self, conn: sqlite3.Connection, name: str, at: slice = _ALL) -> Spread:
        """(row, bucket, count) of a column of histograms, or of some rows of it."""
        if name in self.constants:
            nothing = np.zeros(0, dtype=np.int64)
            return nothing, nothing.astype(np.int32), nothing
        return self.once(name, lambda: _checked(self, name, spreads.unpack, _data(conn, self, name))).at(at)

    def once(self, name: str, read: Callable[[], T]) -> T:
        """What is kept of the block under a name, or else read now."""
        return read() if self.kept is None else self.kept.get(self.stamp, name, read)


@dataclass(slots=True)
class Cells:
    """Some cells of one layer as columns."""

    integers: dict[str, np.ndarray]
    histograms: Mapping[Measure, Spread]


def read(
    conn: sqlite3.Connection, memory: Decoded, layer: Layer, low: int, high: int,
    sets: Sequence[int] | None, columns: Sequence[str], histograms: Sequence[Measure],
    alike: Alike | None = None,
) -> Iterator[Cells]:  # fmt: skip
    """Packed cells with keys from `low` up to below `high`, of these label sets if any are named.

    `columns` are of integers; `key` is one of them. What `memory` keeps is not read again. With `alike` cells
    of label sets that are alike are put together.
    """
    wanted = None if sets is None else np.array(sets, dtype=np.int64)
    for block in within(conn, layer, low, high):
        whole = replace(block, kept=memory)
        block = whole if alike is None else Folded(whole, alike)
        keys = block.integers(conn, "key", _ALL)
        at = slice(*np.searchsorted(keys, (low, high)).tolist())
        keys = keys[at]
        kept = None if wanted is None else np.isin(keys & SERIES_MASK, wanted)
        if not (len(keys) if kept is None else kept.any()):
            continue
        found = {name: keys if name == "key" else block.integers(conn, name, at) for name in columns}
        spread: dict[Measure, Spread] = {
            name: block.histogram(conn, f"{name}_hist", at) for name in histograms
        }
        if kept is None:
            yield Cells(found, spread)
        else:
            yield Cells(
                {name: values[kept] for name, values in found.items()},
                {name: _some(values, kept) for name, values in spread.items()},
            )


def _some(spread: Spread, kept: np.ndarray) -> Spread:
    """The histograms of the rows that are kept."""
    row, bucket, count = spread
    mine = kept[row]
    return (np.cumsum(kept) - 1)[row[mine]], bucket[mine], count[mine]


def low_of(layer: Layer, key: int) -> int:
    """The lowest key of the block that a cell belongs to."""
    return key - key % _width(layer)


def high_of(layer: Layer, key: int) -> int:
    """The key after the last of the block that a cell belongs to."""
    return low_of(layer, key) + _width(layer)


def _width(layer: Layer) -> int:
    return _CELLS[layer] << SERIES_BITS


def covering(conn: sqlite3.Connection, layer: Layer, low: int = -_EVER, high: int = _EVER) -> list[Block]:
    """The blocks to which cells with keys from `low` up to below `high` belong, or would."""
    rows = conn.execute(
        f"""SELECT low, high, first, last, rows, calls, touched, stamp, constants FROM {layer.value}_blocks
        WHERE low > ? AND low < ? ORDER BY low""",
        (low - _width(layer), high),
    )
    return [Block(layer, *numbers, constants=json.loads(text)) for *numbers, text in rows]


def within(conn: sqlite3.Connection, layer: Layer, low: int = -_EVER, high: int = _EVER) -> list[Block]:
    """The blocks that may have cells with keys from `low` up to below `high`."""
    return [b for b in covering(conn, layer, low, high) if b.last >= low and b.first < high]


def sets_in(conn: sqlite3.Connection, layers: Iterable[Layer]) -> set[int]:
    """The label sets that packed cells have."""
    found: set[int] = set()
    for layer in layers:
        for block in within(conn, layer):
            found.update(np.unique(block.integers(conn, "key") & SERIES_MASK).tolist())
    return found


def sweep_sets(conn: sqlite3.Connection) -> None:
    """Forget label sets that no call and no cell has any more."""
    coarse = sets_in(conn, (Layer.HOUR, Layer.DAY))
    dictionary.sweep(conn, calls.series_used(conn) | coarse, sets_in(conn, (Layer.MINUTE,)))


def count(conn: sqlite3.Connection, layer: Layer, low: int = -_EVER, high: int = _EVER) -> int:
    """How many cells have a key from `low` up to below `high`, packed or not."""
    (found,) = conn.execute(
        f"SELECT count(*) FROM {layer.value} WHERE key >= ? AND key < ?", (low, high)
    ).fetchone()
    for block in within(conn, layer, low, high):
        if low <= block.first and block.last < high:
            found += block.rows
        else:
            keys = block.integers(conn, "key")
            found += int(np.searchsorted(keys, high) - np.searchsorted(keys, low))
    return found


def lowest(conn: sqlite3.Connection, layer: Layer, low: int, high: int = _EVER) -> int | None:
    """The lowest key of a cell from `low` up to below `high`, packed or not; `low` for one nearby."""
    (key,) = conn.execute(
        f"SELECT min(key) FROM {layer.value} WHERE key >= ? AND key < ?", (low, high)
    ).fetchone()
    packed = next(iter(within(conn, layer, low, high)), None)
    if packed is None:
        return key
    first = max(packed.first, low)
    return first if key is None else min(first, key)


def bounds(
    conn: sqlite3.Connection, layer: Layer, low: int = -_EVER, high: int = _EVER
) -> tuple[int, int] | None:
    """The lowest and the highest key of all cells of whole blocks from `low` up to below `high`."""
    first, last = conn.execute(
        f"SELECT min(key), max(key) FROM {layer.value} WHERE key >= ? AND key < ?", (low, high)
    ).fetchone()
    ends = [key for block in within(conn, layer, low, high) for key in (block.first, block.last)]
    ends += [first, last] if first is not None else []
    return (min(ends), max(ends)) if ends else None


def spread(conn: sqlite3.Connection, layer: Layer, keys: np.ndarray) -> None:
    """Make rows again of the blocks that these cells belong to."""
    if not len(keys):
        return
    found = covering(conn, layer, int(keys.min()), int(keys.max()) + 1)
    if found:
        lows = set(np.unique(keys - keys % _width(layer)).tolist())
        _spread(conn, [block for block in found if block.low in lows])


def spread_range(conn: sqlite3.Connection, layer: Layer, low: int = -_EVER, high: int = _EVER) -> None:
    """Make rows again of the blocks that cells from `low` up to below `high` belong to."""
    _spread(conn, covering(conn, layer, low, high))


def _spread(conn: sqlite3.Connection, found: Sequence[Block]) -> None:
    for block in found:
        _insert(conn, block, block.layer.value)
        delete(conn, block)


def unpack_into(conn: sqlite3.Connection, layer: Layer, low: int, high: int, table: str) -> None:
    """Copy all cells with keys from `low` up to below `high` into a table of the same form."""
    conn.execute(
        f"INSERT INTO {table} SELECT * FROM main.{layer.value} WHERE key >= ? AND key < ?", (low, high)
    )
    for block in within(conn, layer, low, high):
        _insert(conn, block, table)
    conn.execute(f"DELETE FROM {table} WHERE key < ? OR key >= ?", (low, high))


def _insert(conn: sqlite3.Connection, block: Block, table: str) -> None:
    columns: list[list[Any]] = []
    for name in COLUMNS:
        if name in _HISTOGRAMS:
            row, bucket, count = block.histogram(conn, name)
            columns.append(list(histogram.pack(row, bucket, count, block.rows)))
        else:
            values: list[int] = block.integers(conn, name).tolist()
            columns.append([None if value == UNKNOWN else value for value in values])
    marks = ", ".join("?" * len(COLUMNS))
    conn.executemany(
        f"INSERT INTO {table} ({', '.join(COLUMNS)}) VALUES ({marks})", zip(*columns, strict=True)
    )


def delete(conn: sqlite3.Connection, block: Block) -> None:
    """Take a block out with its cells."""
    conn.execute(f"DELETE FROM {block.layer.value}_columns WHERE block = ?", (block.low,))
    conn.execute(f"DELETE FROM {block.layer.value}_blocks WHERE low = ?", (block.low,))


def rows_of(conn: sqlite3.Connection, layer: Layer, low: int) -> list[tuple[Any, ...]]:
    """The rows that one block is to be made of, by key."""
    return conn.execute(
        f"SELECT {', '.join(COLUMNS)} FROM {layer.value} WHERE key >= ? AND key < ? ORDER BY key",
        (low, low + _width(layer)),
    ).fetchall()


def quiet(conn: sqlite3.Connection, layer: Layer, now: Micros, *, age: Micros, least: int) -> Iterator[int]:
    """The low ends of runs of `least` rows or more that are over and that nobody added to for `age`."""
    after = -_EVER
    while True:
        (key,) = conn.execute(f"SELECT min(key) FROM {layer.value} WHERE key >= ?", (after,)).fetchone()
        if key is None:
            return
        low, after = low_of(layer, key), high_of(layer, key)
        rows, touched = conn.execute(
            f"SELECT count(*), max(touched) FROM {layer.value} WHERE key >= ? AND key < ?", (low, after)
        ).fetchone()
        if rows >= least and touched <= now - age and _over(layer, after, now):
            yield low


def _over(layer: Layer, high: int, now: Micros) -> bool:
    """Whether the time of a block is past."""
    cell = high >> SERIES_BITS
    if layer is Layer.DAY:
        # No zone is a whole day away from UTC.
        return (cells.split_day(cell)[1] + 1) * DAY <= now
    return cell * CELL[layer] <= now


@dataclass(frozen=True, slots=True)
class Encoded:
    """The columns of a block as bytes, and those that need none."""

    columns: dict[str, bytes]
    constants: dict[str, int]
    summary: tuple[int, int, int, int, int]
    """First and last key, rows, calls, and when one was touched last."""


def encode(rows: Sequence[tuple[Any, ...]]) -> Encoded:
    """Pack the values of `rollups.COLUMNS`, by key."""
    columns: dict[str, bytes] = {}
    constants: dict[str, int] = {}
    found: dict[str, np.ndarray] = {}
    for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True):
        if name in _HISTOGRAMS:
            if any(values):
                columns[name] = spreads.pack(list(values))
            else:
                constants[name] = UNKNOWN
            continue
        numbers = np.array([UNKNOWN if value is None else value for value in values], dtype=np.int64)
        found[name] = numbers
        if (numbers == numbers[0]).all():
            constants[name] = int(numbers[0])
        else:
            columns[name] = blobs.pack_integers(numbers, steps=name in _STEPS)
    keys = found["key"]
    summary = (
        int(keys[0]), int(keys[-1]), len(rows), int(found["calls"].sum()), int(found["touched"].max()),
    )  # fmt: skip
    return Encoded(columns, constants, summary)


def store(conn: sqlite3.Connection, layer: Layer, encoded: Encoded) -> None:
    """Put a block in the place of its rows."""
    first, last, *rest = encoded.summary
    low, high = low_of(layer, first), high_of(layer, first)
    conn.execute(
        f"INSERT INTO {layer.value}_blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?, random())",
        (low, high, first, last, *rest, json.dumps(encoded.constants)),
    )
    conn.executemany(
        f"INSERT INTO {layer.value}_columns VALUES (?, ?, ?)",
        [(low, name, data) for name, data in encoded.columns.items()],
    )
    conn.execute(f"DELETE FROM {layer.value} WHERE key >= ? AND key < ?", (low, high))


def faults(conn: sqlite3.Connection) -> list[str]:
    """What is damaged."""
    return [fault for layer in LAYERS for block in within(conn, layer) for fault in faults_of(conn, block)]


def faults_of(conn: sqlite3.Connection, block: Block) -> list[str]:
    """What is damaged of one block."""
    found: list[str] = []
    for name in COLUMNS:
        try:
            block.histogram(conn, name) if name in _HISTOGRAMS else block.integers(conn, name)
        except StoreError as error:
            found.append(str(error))
    return found


def _data(conn: sqlite3.Connection, block: Block, name: str) -> bytes | None:
    row = conn.execute(
        f"SELECT data FROM {block.layer.value}_columns WHERE block = ? AND name = ?", (block.low, name)
    ).fetchone()
    return row[0] if row else None


def _checked(block: Block, name: str, unpack: Any, data: bytes | None) -> Any:
    try:
        if data is None:
            raise Damaged
        return unpack(data)
    except (Damaged, ValueError, IndexError, struct.error) as error:
        raise DamagedBlock(
            f"column {name} of the packed {block.layer.value} roll-ups of {block.rows} cells is damaged",
            block.layer,
            block.low,
            hint="`tui-monitor db rebuild-rollups` makes them anew where the calls are kept",
        ) from error
