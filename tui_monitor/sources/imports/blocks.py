"""Tables read block by block into columns; what is not plain comes row by row, as from any other reader.

Rows that are equal in everything but their numbers and times are made a call of once. So a row costs little,
and still every word in it goes through the same functions as ever.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tui_monitor.model.columns import CallColumns
from tui_monitor.model.feed import Record
from tui_monitor.model.text import MAX_TEXT
from tui_monitor.recorder.checks import Invalid
from tui_monitor.recorder.identities import identities
from tui_monitor.sources.imports.bytewise import Cells
from tui_monitor.sources.imports.chunks import Chunk, Models, NotPlain, give_keys, too_many
from tui_monitor.sources.imports.files import BOM, MAX_LINE
from tui_monitor.sources.imports.identity import Occurrences
from tui_monitor.sources.imports.numbers import number_columns, read_numbers
from tui_monitor.sources.imports.tables import cells_of

_LONGEST = 256
"""Bytes of a cell up to which it is compared here."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
_LF, _CR, _QUOTE = b"\n", b"\r", b'"'


@dataclass(frozen=True, slots=True)
class Table:
    """How the rows of one table are read."""

    row: Callable[[list[str]], Record]
    delimiter: str
    width: int
    source: str
    fields: dict[str, int]
    """Our field → index of its column."""
    naive: bool
    """Whether times without an offset are UTC."""


def chunk(
    block: bytes, first: int, table: Table, models: Models, occurrences: Occurrences, *, header: bool
) -> Chunk:
    """The rows of whole lines, the first of which has the number `first`. Raises `NotPlain`.

    `header` says that the first row is one.
    """
    if first == 1:
        block = block.removeprefix(BOM)
    if _CR in block:
        block = block.replace(b"\r\n", _LF)
    lines = _Lines(block, table)
    if header:
        lines.skip_header()
    numbers = read_numbers(table.fields, lines.cells, len(lines.end), naive=table.naive)
    plain = lines.plain & numbers.good
    if "id" in table.fields:
        plain &= _plain_ids(lines.cells(table.fields["id"]))
    rows = np.flatnonzero(plain)
    model = _models(lines, rows, table, models)
    plain[rows[model < 0]] = False
    rows, model = rows[model >= 0], model[model >= 0]
    found = Chunk(lines=len(lines.end))
    _odd_rows(lines, plain, first, table, found)
    keys = _keys(lines, rows, first, table, found, occurrences)
    if keys:
        found.numbers = rows + first
        found.columns = CallColumns(
            models.listed, model, np.array(keys), identities(table.source, keys),
            {name: column[rows] for name, column in numbers.integers.items()},
            {name: column[rows] for name, column in numbers.lengths.items()},
        ).used()  # fmt: skip
    return found


class _Lines:
    """Where the lines of a block and their cells are."""

    def __init__(self, block: bytes, table: Table) -> None:
        self.data = np.frombuffer(block, dtype=np.uint8)
        ends = np.flatnonzero(self.data == _LF[0])
        self.end = ends
        self.start = np.concatenate(([0], ends[:-1] + 1))
        if int((ends - self.start).max()) > MAX_LINE:
            raise NotPlain
        marks = np.flatnonzero(self.data == ord(table.delimiter))
        per_line = np.diff(np.searchsorted(marks, ends), prepend=0)
        self.plain = per_line == table.width - 1
        if _QUOTE in block:
            quotes = np.searchsorted(ends, np.flatnonzero(self.data == _QUOTE[0]))
            self.plain[quotes] = False
        first = np.cumsum(per_line) - per_line
        self._marks = np.append(marks, 0)
        self._first = np.where(self.plain, first, 0)
        self._width = table.width
        self.header = -1

    def cells(self, at: int) -> Cells:
        """The cells of one column; of rows that are not plain, empty ones."""
        last = len(self._marks) - 1
        start = self.start if at == 0 else self._marks[np.minimum(self._first + at - 1, last)] + 1
        end = self.end if at == self._width - 1 else self._marks[np.minimum(self._first + at, last)]
        return Cells(self.data, np.where(self.plain, start, 0), np.where(self.plain, end, 0))

    def raw(self, row: int) -> bytes:
        """One line."""
        return self.data[self.start[row] : self.end[row]].tobytes()

    def skip_header(self) -> None:
        """Pass over the first line that is not blank. Raises `NotPlain` where it goes on in the next."""
        for row in range(len(self.end)):
            raw = self.raw(row)
            if raw and not raw.isspace():
                if _QUOTE in raw:
                    raise NotPlain
                self.plain[row] = False
                self.header = row
                return
        raise NotPlain


def _plain_ids(cells: Cells) -> np.ndarray:
    """Which are stored as they are, or empty."""
    width = int(cells.length.max(initial=0))
    text = cells.matrix(min(width, MAX_TEXT + 1))
    printable = ((text >= ord(" ")) & (text <= ord("~")) | (text == 0)).all(axis=1)
    blank = (text <= ord(" ")).all(axis=1) & (cells.length > 0)
    return printable & ~blank & (cells.length <= MAX_TEXT) & ((text != 0).sum(axis=1) == cells.length)


def _keys(
    lines: _Lines, rows: np.ndarray, first: int, table: Table, found: Chunk, occurrences: Occurrences
) -> list[bytes]:
    """The keys of these rows; odd records without an id get theirs here too, all in the order of the file."""
    data, at = lines.data.tobytes(), table.fields.get("id")
    given = [b""] * len(rows)
    if at is not None:
        cells = lines.cells(at).some(rows)
        given = [data[a:b] for a, b in zip(cells.start.tolist(), cells.end.tolist(), strict=True)]
    starts, ends = lines.start, lines.end

    def raw(some: np.ndarray) -> list[bytes]:
        return [data[a:b] for a, b in zip(starts[some].tolist(), ends[some].tolist(), strict=True)]

    give_keys(given, rows, first, raw, found, occurrences)
    return given


def _models(lines: _Lines, rows: np.ndarray, table: Table, models: Models) -> np.ndarray:
    """Which of the models each row is; -1 where it is none."""
    hashed = np.zeros(len(rows), dtype=np.uint64)
    passed = {*number_columns(table.fields), table.fields.get("id")}
    matrices: list[np.ndarray] = []
    for at in range(table.width):
        if at in passed:
            continue
        cells = lines.cells(at).some(rows)
        width = int(cells.length.max(initial=0))
        if width > _LONGEST:
            raise NotPlain
        # The length keeps cells apart that differ in zeros at their end.
        hashed = (hashed ^ cells.length.astype(np.uint64)) * _MIX
        words = np.ascontiguousarray(cells.matrix(max(8, -(-width // 8) * 8))).view(np.uint64)
        matrices += [words, cells.length[:, None]]
        for word in words.T:
            hashed = (hashed ^ word) * _MIX
            hashed ^= hashed >> np.uint64(29)
    _, where, which = np.unique(hashed, return_index=True, return_inverse=True)
    if too_many(len(where), len(rows)) or any((m != m[where][which]).any() for m in matrices):
        raise NotPlain
    known = np.zeros(len(where), dtype=np.int64)
    for number, row in enumerate(rows[where].tolist()):
        cells = _cells(lines.raw(row), table)
        same = tuple(cell for at, cell in enumerate(cells) if at not in passed)
        known[number] = models.number(same, lambda cells=cells: table.row(cells))
    return known[which]


def _cells(raw: bytes, table: Table) -> list[str]:
    return raw.decode("utf-8", "replace").split(table.delimiter)


def _odd_rows(lines: _Lines, plain: np.ndarray, first: int, table: Table, found: Chunk) -> None:
    """Read those rows one by one that are not plain."""
    for row in np.flatnonzero(~plain).tolist():
        raw = lines.raw(row)
        if row <= lines.header or not raw or raw.isspace():
            continue
        _odd_row(raw, first + row, table, found)


def _odd_row(raw: bytes, number: int, table: Table, found: Chunk) -> None:
    try:
        cells = cells_of(raw, table.delimiter, strict=False)
        if cells is None:
            raise NotPlain
        if len(cells) != table.width:
            raise Invalid(f"{len(cells)} cells where the header has {table.width}")
        found.odd.append((number, table.row(cells)))
    except csv.Error as error:
        found.bad.append((number, f"not a row: {error}"))
    except Invalid as error:
        found.bad.append((number, str(error)))
