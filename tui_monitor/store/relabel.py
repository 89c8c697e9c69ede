"""Calls and their sums go from label sets that name a value to those without it, a little at a time.

Each transaction moves calls together with what counts them, so that one can stop after any of them.
"""

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import orjson

from tui_monitor.model.call import DIMENSIONS
from tui_monitor.store import blocks, facts, head, opening, rollups, segments, zones
from tui_monitor.store.api import Layer
from tui_monitor.store.dictionary import SERIES_MASK, LabelSet
from tui_monitor.store.head import COLUMNS
from tui_monitor.store.jsontext import to_json
from tui_monitor.store.measuring import column_of, measured
from tui_monitor.store.rollups import Deltas
from tui_monitor.store.segments import Encoded, Segment
from tui_monitor.store.writing import WriteSide

_LAYERS = (Layer.HOUR, Layer.DAY)
_STEP = 500
"""Cells, and calls of the row table, that are moved in one transaction."""
_TRIES = 3
_SERIES, _ATTRS = COLUMNS.index("series"), COLUMNS.index("attrs")


@dataclass(slots=True)
class Forgotten:
    """Rows of each kind that named the value."""

    calls: int = 0
    cells: int = 0
    attributes: int = 0
    """Calls with a free attribute of that value."""
    events: int = 0
    series: int = 0
    alerts: int = 0

    @property
    def total(self) -> int:
        """Rows of all kinds."""
        return sum(asdict(self).values())


def relabel(side: WriteSide, label: str, value: str, done: Forgotten) -> None:
    """Move calls, then cells, in short transactions; `upkeep` is held. `finish` moves what came meanwhile."""
    while _move_some_rows(side, label, value, done):
        pass
    with closing(opening.connect_reader(side.path)) as reader:
        for (number,) in reader.execute("SELECT id FROM segments ORDER BY id").fetchall():
            _clear_segment(side, reader, number, label, value, done)
        for layer in _LAYERS:
            keys = _keys(reader, layer, list(_sets(reader, label, value)))
            for at in range(0, len(keys), _STEP):
                with side.transaction():
                    _move_cells(side, layer, keys[at : at + _STEP], _moved(side, label, value), done)


def finish(side: WriteSide, label: str, value: str, done: Forgotten) -> None:
    """Move what came while others were moved; inside a transaction."""
    moved = _moved(side, label, value)
    for layer in _LAYERS:
        _move_cells(side, layer, _keys(side.conn, layer, list(moved)), moved, done)
    # What each source said of a call that several sources know.
    side.conn.execute(
        f"""UPDATE parts SET record = json_set(record, '$.{label}', NULL)
        WHERE json_extract(record, '$.{label}') = ?""",
        (value,),
    )


def _sets(conn: sqlite3.Connection, label: str, value: str) -> dict[int, LabelSet]:
    """The label sets with the value."""
    place = f"$[{DIMENSIONS.index(label)}]"
    rows = conn.execute(
        "SELECT id, labels FROM series_keys WHERE fine IS NOT NULL AND json_extract(labels, ?) = ?",
        (place, value),
    )
    return {number: tuple(json.loads(text)) for number, text in rows.fetchall()}


def _moved(side: WriteSide, label: str, value: str) -> dict[int, int]:
    """The number of each label set with the value → that of the same set without it; in a transaction."""
    at = DIMENSIONS.index(label)
    found = _sets(side.conn, label, value)
    return {number: side.keys.id((*labels[:at], None, *labels[at + 1 :])) for number, labels in found.items()}


def _move_some_rows(side: WriteSide, label: str, value: str, done: Forgotten) -> int:
    with side.transaction():
        return _move_rows(side, _moved(side, label, value), done, _STEP)


def _move_rows(side: WriteSide, moved: Mapping[int, int], done: Forgotten, limit: int = -1) -> int:
    """Move calls of the row table, with what counts them; how many."""
    conn = side.conn
    found = conn.execute(
        "SELECT id FROM calls WHERE series IN (SELECT value FROM json_each(?)) LIMIT ?",
        (json.dumps(list(moved)), limit),
    ).fetchall()
    if not found:
        return 0
    rows = list(head.load(conn, [number for (number,) in found]).values())
    counted = Deltas.of((), rows, side.keys)
    done.cells += rollups.move(conn, counted, _mapped(counted.series, moved), zones.names(conn))
    conn.executemany(
        "UPDATE calls SET series = ? WHERE id = ?", [(moved[row.series], row.id) for row in rows]
    )
    side.bump()
    done.calls += len(rows)
    return len(rows)


def _mapped(series: np.ndarray, moved: Mapping[int, int]) -> np.ndarray:
    return np.array([moved[number] for number in series.tolist()], dtype=np.int64)


@dataclass(slots=True)
class _Cleared:
    """A segment without the value."""

    encoded: Encoded
    counted: Deltas
    sets: np.ndarray
    attributes: int


def _clear_segment(
    side: WriteSide, reader: sqlite3.Connection, number: int, label: str, value: str, done: Forgotten
) -> None:
    """Make a segment anew if it names the value, be it in a call that is no longer its own."""
    for _ in range(_TRIES):
        with side.transaction():
            moved = _moved(side, label, value)
        with opening.moment(reader):
            seen = segments.get(reader, number)
            cleared = _cleared(seen, moved, value) if seen else None
        if seen is None or cleared is None:
            return
        with side.transaction():
            now = segments.get(side.conn, number)
            if now is not None and now.gone == seen.gone and _moved(side, label, value) == moved:
                _put(side, seen, cleared, done)
                return
    with side.transaction():
        now = segments.get(side.conn, number)
        cleared = _cleared(now, _moved(side, label, value), value) if now else None
        if now is not None and cleared is not None:
            _put(side, now, cleared, done)


def _put(side: WriteSide, segment: Segment, cleared: _Cleared, done: Forgotten) -> None:
    if len(cleared.counted):
        done.cells += rollups.move(side.conn, cleared.counted, cleared.sets, zones.names(side.conn))
    segments.store(side.conn, segment.id, segment.first, cleared.encoded)
    side.bump()
    done.calls += len(cleared.counted)
    done.attributes += cleared.attributes


def _cleared(segment: Segment, moved: Mapping[int, int], value: str) -> _Cleared | None:
    series = segment.integers("series")
    named = np.isin(series, list(moved)) if segment.may_hold("series", moved) else np.zeros(len(series), bool)
    texts = {text: _text_without(text, value) for text in segment.texts("attrs").values()}
    if not named.any() and all(text == left for text, left in texts.items()):
        return None
    here = segment.left()
    at = np.flatnonzero(here & named)
    rows = [list(row) for row in segment.tuples(np.flatnonzero(here))]
    attributes = 0
    for row in rows:
        row[_SERIES] = moved.get(row[_SERIES], row[_SERIES])
        before, row[_ATTRS] = row[_ATTRS], texts.get(row[_ATTRS])
        attributes += row[_ATTRS] != before
    return _Cleared(segments.encode(rows), _counted(segment, at), _mapped(series[at], moved), attributes)


def _counted(segment: Segment, at: np.ndarray) -> Deltas:
    """Some calls of a segment, as roll-ups count them."""
    column = column_of(segment, at, facts.unpriced(segment.conn))
    return Deltas(
        sign=np.ones(len(at), dtype=np.int64), arrived=column("arrived"), booked=column("booked"),
        series=column("series"), fine=column("series"), values=measured(column),
    )  # fmt: skip


def _text_without(text: str, value: str) -> str:
    if in_json(value) not in text:
        return text
    labels = orjson.loads(text)
    left = without(labels, value)
    return text if left == labels else to_json(left)


def _keys(conn: sqlite3.Connection, layer: Layer, sets: list[int]) -> list[int]:
    """The cells of these label sets, packed or not, ascending."""
    rows = conn.execute(
        f"SELECT key FROM {layer.value} WHERE key & {SERIES_MASK} IN (SELECT value FROM json_each(?))",
        (json.dumps(sets),),
    )
    found = {key for (key,) in rows}
    for block in blocks.within(conn, layer):
        keys = block.integers(conn, "key")
        found.update(keys[np.isin(keys & SERIES_MASK, sets)].tolist())
    return sorted(found)


def _move_cells(
    side: WriteSide, layer: Layer, keys: list[int], moved: Mapping[int, int], done: Forgotten
) -> None:
    """Add what is left of these cells to those of the new label sets."""
    conn = side.conn
    # First what counts single calls: what is left then counts calls that have no row.
    _move_rows(side, moved, done)
    blocks.spread(conn, layer, np.array(keys, dtype=np.int64))
    by_shift: dict[int, list[int]] = {}
    for key in keys:
        old = key & SERIES_MASK
        if old in moved:
            by_shift.setdefault(moved[old] - old, []).append(key)
    for shift, part in by_shift.items():
        chosen = json.dumps(part)
        rollups.merge_cells(conn, layer.value, chosen, shift)
        done.cells += conn.execute(
            f"DELETE FROM {layer.value} WHERE key IN (SELECT value FROM json_each(?))", (chosen,)
        ).rowcount
    side.bump()


def in_json(value: str) -> str:
    """What text in JSON holds wherever the value is part of one of its strings, however deep."""
    return max((json.dumps(part, ensure_ascii=False)[1:-1] for part in re.split(r'["\\]', value)), key=len)


def without(labels: dict[str, Any], value: str) -> dict[str, Any]:
    return {name: text for name, text in labels.items() if not _holds(text, value)}


def _holds(found: Any, value: str) -> bool:
    """Whether it is the value, or a list written as JSON with the value in it."""
    if found == value:
        return True
    if isinstance(found, str):
        if not found.startswith("[") or in_json(value) not in found:
            return False
        try:
            found = orjson.loads(found)
        except ValueError:
            return False
    if isinstance(found, dict):
        return any(_holds(inner, value) for inner in found.values())
    return isinstance(found, list) and any(_holds(inner, value) for inner in found)
