"""Lines of a table as rows of cells."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field

from tui_monitor.sources.imports.files import Lines, TextFile

_DELIMITERS = (",", "\t", ";", "|")
_LONGEST_ROW = 1 << 16
"""Bytes of a row that goes over several lines."""


@dataclass(slots=True)
class Rows:
    """Some rows of a table."""

    numbers: list[int] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)


def find_delimiter(header: bytes) -> str:
    """What separates the names of a header."""
    text = header.decode("utf-8", "replace")
    return max(_DELIMITERS, key=text.count)


def split_row(raw: bytes, delimiter: str) -> list[str]:
    """The cells of one row."""
    return cells_of(raw, delimiter, strict=False) or []


def cells_of(raw: bytes, delimiter: str, *, strict: bool) -> list[str] | None:
    """The cells of a row; `None` while a quoted cell has not ended.

    A quote inside a cell that does not begin with one is a character like any other. Raises `csv.Error`,
    where it is strict also for what follows the end of a quoted cell.
    """
    text = raw.decode("utf-8", "replace")
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        if "end of data" in str(error):
            return None
        if strict:
            raise
        return next(csv.reader([text], delimiter=delimiter))


def rows(file: TextFile, delimiter: str, number: int = 1) -> Iterator[Rows]:
    """The rows of a file, the header too, some thousand at a time; `number` is that of the first line."""
    open_row = _OpenRow(delimiter)
    for lines in file.lines(number):
        some = Rows(bad=lines.bad)
        if not open_row.raw and not any(b'"' in raw for raw in lines.raw):
            # Without a quote there is nothing to a row but its separators.
            some.numbers, some.raw = lines.numbers, lines.raw
            text = b"\n".join(lines.raw).decode("utf-8", "replace")
            some.cells = [line.split(delimiter) for line in text.split("\n")] if lines.raw else []
        else:
            _quoted(lines, open_row, some)
        yield some
    last = Rows()
    open_row.give_up(last)
    if last.bad:
        yield last


def _quoted(lines: Lines, open_row: "_OpenRow", some: Rows) -> None:
    for number, raw in zip(lines.numbers, lines.raw, strict=True):
        open_row.add(number, raw, some)


class _OpenRow:
    """A row whose quoted cell has not ended yet."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._number = 0
        self._later: list[tuple[int, bytes]] = []
        self.raw = b""

    def add(self, number: int, raw: bytes, some: Rows) -> None:
        """Take the next line; whole rows go to `some`."""
        if not self.raw:
            self._number = number
        else:
            self._later.append((number, raw))
        self.raw = self.raw + b"\n" + raw if self.raw else raw
        try:
            cells = cells_of(self.raw, self._delimiter, strict=bool(self._later))
        except csv.Error as error:
            if self._later:
                self.give_up(some)
                return
            some.bad.append((self._number, f"not a row: {error}"))
        else:
            if cells is None:
                if len(self.raw) > _LONGEST_ROW:
                    self.give_up(some)
                return
            some.numbers.append(self._number)
            some.raw.append(self.raw)
            some.cells.append(cells)
        self.raw, self._later = b"", []

    def give_up(self, some: Rows) -> None:
        """The quote is a stray one: its line is bad, the lines after it are rows of their own."""
        if not self.raw:
            return
        some.bad.append((self._number, "a quote that is never closed"))
        later, self._later, self.raw = self._later, [], b""
        for number, raw in later:
            self.add(number, raw, some)
