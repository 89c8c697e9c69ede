"""Sums and histograms per minute, hour and day, kept along with every change of the raw calls.

All sums are of integers, so taking a call out again is exact. Only the extremes cannot be subtracted: when
one leaves, it is looked up among the raw calls of the cell.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import itemgetter
from typing import Any

import numpy as np

from tui_monitor.store import blocks, calls, cells, histogram
from tui_monitor.store.api import HISTOGRAMS, MEASURES, Layer
from tui_monitor.store.blobs import UNKNOWN
from tui_monitor.store.dictionary import SERIES_BITS, SERIES_MASK, SeriesKeys
from tui_monitor.store.head import Row
from tui_monitor.store.measures import CELL_COLUMNS as COLUMNS
from tui_monitor.store.measures import SUMMED, measured

_MOST = np.iinfo(np.int64).max
_AT = {name: i for i, name in enumerate(MEASURES)}
_SUMMED_AT = [_AT[name] for name in SUMMED]


def _assignment(column: str) -> str:
    new = f"excluded.{column}"
    if column in ("born", "touched"):
        return f"{column} = {'min' if column == 'born' else 'max'}({column}, {new})"
    if column.endswith("_hist"):
        # Most calls know one of the three latencies: the function is not called for the others.
        return f"{column} = CASE WHEN {new} IS NULL THEN {column} ELSE hist_add({column}, {new}) END"
    if column.endswith(("_low", "_high")):
        pick = "min" if column.endswith("_low") else "max"
        return f"{column} = ifnull({pick}({column}, {new}), ifnull({column}, {new}))"
    return f"{column} = {column} + {new}"


_ALWAYS = 5
"""The first columns, of which each row has a value."""
_SPREAD = len(COLUMNS) - 3 * len(HISTOGRAMS)
"""Where those columns begin that may be NULL; before them stand sums."""


@lru_cache(256)
def _upsert(table: str, known: tuple[int, ...]) -> str:
    """Adds rows with values in some of the columns; the other sums are 0 and the rest unknown."""
    names = [COLUMNS[at] for at in known]
    zeros = [name for at, name in enumerate(COLUMNS[:_SPREAD]) if at not in known]
    values = ", ".join(["?"] * len(names) + ["0"] * len(zeros))
    return f"""INSERT INTO {table} ({", ".join((*names, *zeros))}) VALUES ({values})
        ON CONFLICT (key) DO UPDATE SET {", ".join(_assignment(name) for name in names[1:])}"""


def _add_rows(conn: sqlite3.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows of `COLUMNS` to the cells of a table.

    What none of them knows is neither bound nor added: of most calls that is half of the columns.
    """
    if not rows:
        return
    known = tuple(
        at
        for at, column in enumerate(zip(*rows, strict=True))
        if at < _ALWAYS or (any(column) if at < _SPREAD else column.count(None) < len(rows))
    )
    conn.executemany(_upsert(table, known), map(itemgetter(*known), rows))


@dataclass(slots=True)
class Deltas:
    """Calls that come (sign 1) and go (−1); arrays of one length."""

    sign: np.ndarray
    arrived: np.ndarray
    booked: np.ndarray
    series: np.ndarray
    fine: np.ndarray
    values: np.ndarray
    """One column per measure; `UNKNOWN` where a call does not know it."""
    in_place: bool = False
    """Whether nothing but values changes: then a call that a cell does not count does not come into it."""
    by_set: list[tuple[Any, ...]] | None = None
    """The rows of `_cell_rows` by label set alone, once they were asked for."""

    @classmethod
    def of(
        cls, old: Sequence[Row], new: Sequence[Row], keys: SeriesKeys, *, in_place: bool = False
    ) -> "Deltas":
        """The change from some rows to others, which are stored or loaded already."""
        rows = [*old, *new]
        series = [row.series for row in rows]
        values = [[UNKNOWN if v is None else v for v in measured(row.call)] for row in rows]
        return cls(
            sign=np.array([-1] * len(old) + [1] * len(new), dtype=np.int64),
            arrived=np.array([row.arrived for row in rows], dtype=np.int64),
            booked=np.array([row.call.booked for row in rows], dtype=np.int64),
            series=np.array(series, dtype=np.int64),
            fine=np.array([keys.fine(number) for number in series], dtype=np.int64),
            values=np.array(values, dtype=np.int64).reshape(len(rows), len(MEASURES)),
            in_place=in_place,
        )

    def only(self, kept: np.ndarray) -> "Deltas":
        """A part of it."""
        return Deltas(
            self.sign[kept], self.arrived[kept], self.booked[kept], self.series[kept], self.fine[kept],
            self.values[kept], self.in_place,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.sign)


def prepare(conn: sqlite3.Connection) -> None:
    """Give a writing connection the functions that the roll-ups need."""
    conn.create_function("hist_add", 2, histogram.add, deterministic=True)


def apply(conn: sqlite3.Connection, deltas: Deltas, zones: Mapping[int, str], keys: SeriesKeys) -> None:
    """Bring every layer up to date; the raw rows are changed already. `zones`: number → name."""
    if not len(deltas):
        return
    for layer, sets in ((Layer.MINUTE, deltas.fine), (Layer.HOUR, deltas.series)):
        numbers = cells.cells_of(layer, deltas.booked)
        apply_cells(conn, layer, numbers, sets, deltas, zones, keys)
    for zone, name in zones.items():
        apply_days(conn, zone, deltas, {zone: name}, keys)


def apply_days(
    conn: sqlite3.Connection, zone: int, deltas: Deltas, zones: Mapping[int, str], keys: SeriesKeys
) -> None:
    """Bring the days of one zone up to date."""
    days = cells.days_of(deltas.booked, zones[zone])
    numbers = days + cells.day_cell(zone, 0)
    apply_cells(conn, Layer.DAY, numbers, deltas.series, deltas, zones, keys)


def apply_cells(
    conn: sqlite3.Connection, layer: Layer, numbers: np.ndarray, sets: np.ndarray, deltas: Deltas,
    zones: Mapping[int, str], keys: SeriesKeys,
) -> None:  # fmt: skip
    """Add the deltas to the cells of one layer."""
    key = (numbers << SERIES_BITS) + sets
    blocks.spread(conn, layer, key)
    leaving = deltas.sign < 0
    if leaving.any():
        counted = _counted(conn, layer, key, deltas)
        kept = counted if deltas.in_place else ~leaving | counted
        numbers, sets, key, deltas = numbers[kept], sets[kept], key[kept], deltas.only(kept)
        leaving = deltas.sign < 0
    if not len(deltas):
        return
    rows = _cell_rows(key, deltas) if leaving.any() else _coming_rows(numbers, sets, deltas)
    _add_rows(conn, layer.value, rows)
    if leaving.any():
        touched = json.dumps(np.unique(key[leaving]).tolist())
        table = layer.value
        conn.execute(
            f"DELETE FROM {table} WHERE calls = 0 AND key IN (SELECT value FROM json_each(?))", (touched,)
        )
        _mend_extremes(conn, layer, key[leaving], deltas.values[leaving], zones, keys)


def move(conn: sqlite3.Connection, counted: Deltas, sets: np.ndarray, zones: Mapping[int, str]) -> int:
    """Count calls under other label sets (`sets`) with the same minutes' set; how many cells that empties.

    The lowest and highest stay with their old cells too: whoever moves calls moves what is left of those
    cells afterwards.
    """
    days = {zone: cells.days_of(counted.booked, name) for zone, name in zones.items()}
    places = [(Layer.HOUR, cells.cells_of(Layer.HOUR, counted.booked))]
    places += [(Layer.DAY, numbers + cells.day_cell(zone, 0)) for zone, numbers in days.items()]
    going, count = replace(counted, sign=-counted.sign), 0
    for layer, numbers in places:
        old, new = ((numbers << SERIES_BITS) + found for found in (counted.series, sets))
        blocks.spread(conn, layer, np.concatenate((old, new)))
        here = _counted(conn, layer, old, going)
        if here.any():
            _add_rows(conn, layer.value, _cell_rows(old[here], going.only(here)))
            _add_rows(conn, layer.value, _cell_rows(new[here], counted.only(here)))
            touched = json.dumps(np.unique(old[here]).tolist())
            count += conn.execute(
                f"DELETE FROM {layer.value} WHERE calls = 0 AND key IN (SELECT value FROM json_each(?))",
                (touched,),
            ).rowcount
    return count


def add_cells(
    conn: sqlite3.Connection, table: str, numbers: np.ndarray, sets: np.ndarray, deltas: Deltas
) -> None:
    """Add calls that come to the cells of a table of that form."""
    _add_rows(conn, table, _cell_rows((numbers << SERIES_BITS) + sets, deltas))


def merge_cells(conn: sqlite3.Connection, table: str, keys: str, shift: int) -> None:
    """Add these cells (`keys` is a JSON array) to those whose keys are greater by `shift`."""
    columns = ", ".join(COLUMNS[1:])
    conn.execute(
        f"""INSERT INTO {table} (key, {columns}) SELECT key + {shift:d}, {columns} FROM {table}
        WHERE key IN (SELECT value FROM json_each(?))
        ON CONFLICT (key) DO UPDATE SET {", ".join(_assignment(column) for column in COLUMNS[1:])}""",
        (keys,),
    )


def _counted(conn: sqlite3.Connection, layer: Layer, key: np.ndarray, deltas: Deltas) -> np.ndarray:
    """Whether the cell as it is now counts the call: it may have been dropped, and begun anew since."""
    wanted = json.dumps(np.unique(key[deltas.sign < 0]).tolist())
    born = dict(
        conn.execute(
            f"SELECT key, born FROM {layer.value} WHERE key IN (SELECT value FROM json_each(?))", (wanted,)
        ).fetchall()
    )
    return np.array(
        [born.get(k, _MOST) <= t for k, t in zip(key.tolist(), deltas.arrived.tolist(), strict=True)]
    )


def _coming_rows(numbers: np.ndarray, sets: np.ndarray, deltas: Deltas) -> list[tuple[Any, ...]]:
    """`_cell_rows` of calls that only come: those of one moment lie in one hour and in one day.

    Then hour and days gain the same, and it is summed up once for all.
    """
    first = int(numbers[0])
    if sets is not deltas.series or (numbers != first).any():
        return _cell_rows((numbers << SERIES_BITS) + sets, deltas)
    if deltas.by_set is None:
        deltas.by_set = _cell_rows(deltas.series, deltas)
    cell = first << SERIES_BITS
    return [(cell + row[0], *row[1:]) for row in deltas.by_set]


def _cell_rows(key: np.ndarray, deltas: Deltas) -> list[tuple[Any, ...]]:
    """One row for each touched cell, in the order of `COLUMNS`."""
    order = np.argsort(key, kind="stable")
    unique, first = np.unique(key[order], return_index=True)
    sign = deltas.sign[order]
    born = np.minimum.reduceat(deltas.arrived[order], first)
    touched = np.maximum.reduceat(deltas.arrived[order], first)
    sums, counts = _summed(deltas.values, order, sign, first)
    columns: list[Sequence[object]] = [unique.tolist(), born.tolist(), touched.tolist()]
    columns += [sums[_AT["calls"]], sums[_AT["unpriced"]]]
    for at in _SUMMED_AT:
        columns += [sums[at], counts[at]]
    cell = np.repeat(np.arange(len(unique)), np.diff(first, append=len(order)))
    for name in HISTOGRAMS:
        values = deltas.values[:, _AT[name]][order]
        columns += _spread(values, values != UNKNOWN, sign, first, cell)
    return list(zip(*columns, strict=True))


def _summed(
    values: np.ndarray, order: np.ndarray, sign: np.ndarray, first: np.ndarray
) -> tuple[list[list[int]], list[list[int]]]:
    """For each measure the sum of what is known and how many that are, by cell."""
    known = values != UNKNOWN
    # Most calls know but half of the measures.
    here = np.flatnonzero(known.any(axis=0))
    values, known = values[:, here][order], known[:, here][order]
    nothing = [0] * len(first)
    sums, counts = ([nothing] * len(MEASURES) for _ in range(2))
    added = np.add.reduceat(np.where(known, values, 0) * sign[:, None], first, axis=0)
    counted = np.add.reduceat(known * sign[:, None], first, axis=0)
    for at, sum_, count in zip(here.tolist(), added.T.tolist(), counted.T.tolist(), strict=True):
        sums[at], counts[at] = sum_, count
    return sums, counts


def _spread(
    values: np.ndarray, known: np.ndarray, sign: np.ndarray, first: np.ndarray, cell: np.ndarray
) -> list[Sequence[object]]:
    """Lowest, highest and histogram per cell."""
    if not known.any():
        empty = [None] * len(first)
        return [empty, empty, empty]
    coming = known & (sign > 0)
    low = np.minimum.reduceat(np.where(coming, values, _MOST), first).tolist()
    high = np.maximum.reduceat(np.where(coming, values, UNKNOWN), first).tolist()
    blobs = histogram.pack(cell[known], histogram.buckets(values[known]), sign[known], len(first))
    return [
        [None if v == _MOST else v for v in low],
        [None if v == UNKNOWN else v for v in high],
        blobs,
    ]


def _mend_extremes(
    conn: sqlite3.Connection, layer: Layer, key: np.ndarray, values: np.ndarray, zones: Mapping[int, str],
    keys: SeriesKeys,
) -> None:  # fmt: skip
    """Look up anew the lowest or highest of each cell that may just have lost it."""
    for name in HISTOGRAMS:
        column = values[:, _AT[name]]
        known = column != UNKNOWN
        gone: dict[int, tuple[int, int]] = {}
        for k, v in zip(key[known].tolist(), column[known].tolist(), strict=True):
            low, high = gone.get(k, (v, v))
            gone[k] = (min(low, v), max(high, v))
        found = conn.execute(
            f"""SELECT key, {name}_low, {name}_high, {name}_n FROM {layer.value}
            WHERE key IN (SELECT value FROM json_each(?))""",
            (json.dumps(list(gone)),),
        ).fetchall()
        for k, low, high, n in found:
            if n and low < gone[k][0] and high > gone[k][1]:
                continue
            extremes = _raw_extremes(conn, layer, k, name, n, zones, keys) if n else (None, None)
            if extremes is not None:
                conn.execute(
                    f"UPDATE {layer.value} SET {name}_low = ?, {name}_high = ? WHERE key = ?", (*extremes, k)
                )


def _raw_extremes(
    conn: sqlite3.Connection, layer: Layer, key: int, name: str, n: int, zones: Mapping[int, str],
    keys: SeriesKeys,
) -> tuple[int, int] | None:  # fmt: skip
    """(lowest, highest) of a cell's raw calls; `None` when some of them are no longer kept."""
    cell, series = key >> SERIES_BITS, key & SERIES_MASK
    zone = zones[cells.split_day(cell)[0]] if layer is Layer.DAY else "UTC"
    span = cells.cell_span(layer, cell, zone)
    members = keys.members(series) if layer is Layer.MINUTE else [series]
    values = calls.columns_in(conn, span, [name], "series", members)
    values = values[values != UNKNOWN]
    return (int(values.min()), int(values.max())) if len(values) == n else None
