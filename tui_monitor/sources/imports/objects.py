"""Objects of the event feed, one on each line, read block by block into columns.

Lines of one shape, which have the same names in the same order, are taken by name. Calls that are equal in
everything but their numbers, times and ids are made once. Whatever is not plain comes line by line.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from tui_monitor.model.clock import SECOND
from tui_monitor.model.columns import UNKNOWN, CallColumns
from tui_monitor.model.feed import Record
from tui_monitor.model.text import MAX_TEXT
from tui_monitor.recorder.checks import MAX_COUNT, Invalid
from tui_monitor.sources.fields import MONEY, NUMBERS, TIMES, TOKENS
from tui_monitor.sources.imports.bytewise import Cells, instants, since_epoch
from tui_monitor.sources.imports.chunks import Chunk, Models, NotPlain, give_keys, identified, too_many
from tui_monitor.sources.imports.files import BOM, MAX_LINE
from tui_monitor.sources.imports.identity import Occurrences
from tui_monitor.sources.imports.numbers import nano_dollars, readable, split

_NUMBERED = {*TIMES, *TOKENS, *NUMBERS, MONEY, "id"}
"""Names whose values are not part of what calls have in common."""
_ALIKE = (str, int, bool)
"""Types whose equal values are the same; others are compared as they are written."""
_SECONDS = 1e11
"""Numbers below this are seconds since 1970."""
_GOOD = np.iinfo(np.int64)


@dataclass(slots=True)
class _Shape:
    """Lines of one shape: their rows in the block and the columns of those that are plain."""

    rows: np.ndarray
    given: list[bytes] = field(default_factory=list)
    model: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    integers: dict[str, np.ndarray] = field(default_factory=dict)
    lengths: dict[str, np.ndarray] = field(default_factory=dict)


def chunk(
    block: bytes, first: int, line: Callable[[bytes], Record], models: Models, occurrences: Occurrences
) -> Chunk:
    """The objects of whole lines, the first of which has the number `first`. Raises `NotPlain`.

    `line` reads one by itself.
    """
    if first == 1:
        block = block.removeprefix(BOM)
    if b"\r\n" in block:
        block = block.replace(b"\r\n", b"\n")
    raw = block.split(b"\n")
    raw.pop()
    if max(map(len, raw)) > MAX_LINE:
        raise NotPlain
    items = _items(raw)
    shapes: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, item in enumerate(items):
        if type(item) is dict:
            shapes[tuple(item)].append(row)
    plain = [
        shape
        for names, rows in shapes.items()
        if (shape := _shape(names, np.array(rows), [items[row] for row in rows], raw, line, models))
    ]
    found = Chunk(lines=len(raw))
    _odd(raw, first, plain, line, found)
    _together(raw, first, plain, models, occurrences, found)
    return found


def _items(raw: Sequence[bytes]) -> list[Any]:
    """What each line says; `None` where it is not JSON."""
    try:
        return list(map(orjson.loads, raw))
    except orjson.JSONDecodeError:
        return [_item(each) for each in raw]


def _item(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None


def _shape(
    names: tuple[str, ...], rows: np.ndarray, items: Sequence[dict[str, Any]], raw: Sequence[bytes],
    line: Callable[[bytes], Record], models: Models,
) -> _Shape | None:  # fmt: skip
    """The plain lines of a shape; `None` where there are none."""
    if not readable({name: at for at, name in enumerate(names)}):
        return None
    columns = dict(zip(names, zip(*(item.values() for item in items), strict=True), strict=True))
    numbers: dict[tuple[Any, ...], int] = {}
    alike = [_comparable(values) for name, values in columns.items() if name not in _NUMBERED]
    which = [numbers.setdefault(same, len(numbers)) for same in zip(*alike, strict=True)] if alike else []
    model = np.array(which or [0] * len(rows), dtype=np.int64)
    if too_many(len(numbers), len(rows)):
        return None
    found = _Shape(rows, model=model)
    good = _read_numbers(columns, found)
    given, named = _ids(columns.get("id"), len(rows))
    good &= named
    listed = list(numbers) or [()]
    at, wanted = np.unique(model[good], return_index=True)
    known = np.full(len(listed), -1, dtype=np.int64)
    for number, row in zip(at.tolist(), rows[good][wanted].tolist(), strict=True):
        known[number] = models.number((names, listed[number]), lambda row=row: line(raw[row]))
    found.model = known[model]
    good &= found.model >= 0
    kept = np.flatnonzero(good)
    if not len(kept):
        return None
    return _Shape(
        rows[kept], [given[row] for row in kept.tolist()], found.model[kept],
        {name: column[kept] for name, column in found.integers.items()},
        {name: column[kept] for name, column in found.lengths.items()},
    )  # fmt: skip


def _comparable(values: Sequence[Any]) -> Sequence[Any]:
    """The same values where equal ones are the same, else as they are written."""
    types = set(map(type, values)) - {type(None)}
    return values if len(types) < 2 and types.issubset(_ALIKE) else list(map(repr, values))


def _read_numbers(columns: Mapping[str, Sequence[Any]], found: _Shape) -> np.ndarray:
    """Set the columns of integers and lengths; which rows could be read."""
    good = np.ones(len(found.rows), dtype=bool)
    tokens: dict[str, np.ndarray] = {}
    for name, values in columns.items():
        if name in TIMES:
            found.integers[TIMES[name]], fine = _times(values)
        elif name in TOKENS:
            tokens[name], fine = _counts(values)
        elif name in NUMBERS:
            found.lengths[name], fine = _floats(values)
        elif name == MONEY:
            found.integers["cost_reported"], fine = nano_dollars(*_floats(values))
        else:
            continue
        good &= fine
    if tokens:
        good &= split(tokens, found.integers)
    return good


def _counts(values: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers that a call may have, `UNKNOWN` for none; and which are that."""
    if set(map(type, values)) != {int}:
        values = [v if type(v) is int else UNKNOWN if v is None or v == "" else -1 for v in values]
    try:
        counts = np.array(values, dtype=np.int64)
    except OverflowError:
        counts = np.array([v if v <= _GOOD.max else -1 for v in values], dtype=np.int64)
    return counts, (counts == UNKNOWN) | ((counts >= 0) & (counts <= MAX_COUNT))


def _floats(values: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, NaN for none; and which are that."""
    if {float, int}.issuperset(map(type, values)):
        return np.array(values, dtype=np.float64), np.ones(len(values), dtype=bool)
    good = np.array([v is None or v == "" or type(v) in (float, int) for v in values], dtype=bool)
    numbers = [v if type(v) in (float, int) else np.nan for v in values]
    return np.array(numbers, dtype=np.float64), good


def _times(values: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Times as µs, `UNKNOWN` for none; and which could be read."""
    types = set(map(type, values)) - {type(None)}
    unread = np.full(len(values), UNKNOWN, dtype=np.int64), np.zeros(len(values), dtype=bool)
    if types <= {str}:
        texts = [value or "" for value in values]
        ends = np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))
        # One byte for each character; what is replaced is no digit.
        data = np.frombuffer(("".join(texts) + "\n").encode("ascii", "replace"), dtype=np.uint8)
        return instants(Cells(data, np.concatenate(([0], ends[:-1])), ends), naive=False)
    if types == {int} and None not in values and max(values) <= _GOOD.max:
        numbers = np.array(values, dtype=np.int64)
        return since_epoch(np.maximum(numbers, 0)), numbers >= 0
    if types == {float} and None not in values:
        seconds = np.array(values, dtype=np.float64)
        good = (seconds >= 0) & (seconds < _SECONDS)
        return np.rint(np.where(good, seconds, 0) * SECOND).astype(np.int64), good
    return unread


def _ids(values: Sequence[Any] | None, count: int) -> tuple[list[bytes], np.ndarray]:
    """The ids, empty where there are none; and which are stored as they are."""
    if values is None:
        return [b""] * count, np.ones(count, dtype=bool)
    good = np.array([value is None or value == "" or _plain(value) for value in values], dtype=bool)
    listed = zip(values, good.tolist(), strict=True)
    return [value.encode() if fine and value else b"" for value, fine in listed], good


def _plain(value: Any) -> bool:
    return (
        type(value) is str
        and len(value) <= MAX_TEXT
        and value.isascii()
        and value.isprintable()
        and not value.isspace()
    )


def _odd(
    raw: Sequence[bytes], first: int, plain: Sequence[_Shape], line: Callable[[bytes], Record], found: Chunk
) -> None:
    """Read those lines one by one that are not plain."""
    left = np.ones(len(raw), dtype=bool)
    for shape in plain:
        left[shape.rows] = False
    for row in np.flatnonzero(left).tolist():
        if not raw[row] or raw[row].isspace():
            continue
        try:
            found.odd.append((first + row, line(raw[row])))
        except Invalid as error:
            found.bad.append((first + row, str(error)))


def _together(
    raw: Sequence[bytes], first: int, plain: Sequence[_Shape], models: Models, occurrences: Occurrences,
    found: Chunk,
) -> None:  # fmt: skip
    """The plain lines of all shapes in the order of the file, and who those are that have no id."""
    rows = np.concatenate([shape.rows for shape in plain]) if plain else np.zeros(0, dtype=np.int64)
    order = np.argsort(rows)
    rows = rows[order]
    unordered = [key for shape in plain for key in shape.given]
    keys = [unordered[at] for at in order.tolist()]
    give_keys(keys, rows, first, lambda some: [raw[row] for row in some.tolist()], found, occurrences)
    if not keys:
        return
    model = np.concatenate([shape.model for shape in plain])[order]
    integers = {name for shape in plain for name in shape.integers}
    lengths = {name for shape in plain for name in shape.lengths}
    found.numbers = rows + first
    found.columns = CallColumns(
        models.listed, model, np.array(keys), identified(models.listed, model, keys),
        {name: _joined(plain, "integers", name, UNKNOWN)[order] for name in integers},
        {name: _joined(plain, "lengths", name, np.nan)[order] for name in lengths},
    ).used()  # fmt: skip


def _joined(plain: Sequence[_Shape], kind: str, name: str, absent: float) -> np.ndarray:
    parts = [(shape.rows, getattr(shape, kind).get(name)) for shape in plain]
    dtype = np.int64 if kind == "integers" else np.float64
    return np.concatenate(
        [np.full(len(rows), absent, dtype=dtype) if part is None else part for rows, part in parts]
    )
