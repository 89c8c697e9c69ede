"""From the pieces of a file to records with identities, whatever the format."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tui_monitor.model.feed import Record
from tui_monitor.recorder.checks import Invalid
from tui_monitor.sources.imports.api import ImportFailure, ImportOptions
from tui_monitor.sources.imports.files import TextFile, first_line
from tui_monitor.sources.imports.identity import Occurrences, digest, with_key
from tui_monitor.sources.imports.table import FORMATS, FileFormat
from tui_monitor.sources.imports.tables import find_delimiter, rows, split_row


@dataclass(slots=True)
class Records:
    """Some records of a file, each with the number of its line."""

    numbers: list[int] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)


Reader = Callable[[TextFile], Iterator[Records]]


def detect(path: Path) -> FileFormat:
    """The format of a file by its first line. Raises `ImportFailure`."""
    head = first_line(path)
    if head.lstrip()[:1] in (b"{", b"["):
        return FORMATS["jsonl"]
    header = set(_header(path, head, find_delimiter(head)))
    for form in FORMATS.values():
        wanted = getattr(form, "header", ())
        if wanted and header.issuperset(wanted):
            return form
    return FORMATS["csv"]


def reader(form: FileFormat, path: Path, options: ImportOptions) -> Reader:
    """What reads this file. Raises `ImportFailure` where it is of another format."""
    if hasattr(form, "line"):
        first_line(path)
        return LineReader(form.line(options))  # type: ignore[union-attr]
    delimiter, header = layout(path, options)
    try:
        row = form.row(header, options)  # type: ignore[union-attr]
    except ImportFailure as error:
        raise ImportFailure(f"{path} as {form.name}: {error.message}", hint=error.hint) from None
    return TableReader(row, delimiter, len(header))


def layout(path: Path, options: ImportOptions) -> tuple[str, list[str]]:
    """What separates a table's cells, and the names of its columns. Raises `ImportFailure`."""
    head = first_line(path)
    delimiter = options.delimiter or find_delimiter(head)
    return delimiter, _header(path, head, delimiter)


def _header(path: Path, head: bytes, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in split_row(head, delimiter)]
    except csv.Error as error:
        raise ImportFailure(f"{path} begins with no header: {error}") from None


class TableReader:
    """Reads a table row by row."""

    def __init__(self, row: Callable[[list[str]], Record], delimiter: str, width: int) -> None:
        self._row = row
        self._delimiter = delimiter
        self._width = width

    def __call__(
        self, file: TextFile, number: int = 1, occurrences: Occurrences | None = None, *, header: bool = True
    ) -> Iterator[Records]:
        """The records from where the file stands: at line `number`; `header` is still to come."""
        occurrences = occurrences or Occurrences()
        for some in rows(file, self._delimiter, number):
            if header and some.raw:
                header = False
                del some.numbers[0], some.raw[0], some.cells[0]
            found = Records(bad=some.bad)
            raw: list[bytes] = []
            for number, line, cells in zip(some.numbers, some.raw, some.cells, strict=True):
                try:
                    if len(cells) != self._width:
                        raise Invalid(f"{len(cells)} cells where the header has {self._width}")
                    record = self._row(cells)
                except Invalid as error:
                    found.bad.append((number, str(error)))
                    continue
                found.numbers.append(number)
                found.records.append(record)
                raw.append(line)
            _identify(found, raw, occurrences)
            yield found


class LineReader:
    """Reads a file line by line."""

    def __init__(self, line: Callable[[bytes], Record]) -> None:
        self._line = line

    def __call__(
        self, file: TextFile, number: int = 1, occurrences: Occurrences | None = None
    ) -> Iterator[Records]:
        """The records from where the file stands: at line `number`."""
        occurrences = occurrences or Occurrences()
        for some in file.lines(number):
            found = Records(bad=some.bad)
            raw: list[bytes] = []
            for number, line in zip(some.numbers, some.raw, strict=True):
                try:
                    record = self._line(line)
                except Invalid as error:
                    found.bad.append((number, str(error)))
                    continue
                found.numbers.append(number)
                found.records.append(record)
                raw.append(line)
            _identify(found, raw, occurrences)
            yield found


def _identify(found: Records, raw: Sequence[bytes], occurrences: Occurrences) -> None:
    """Give each record without an id the identity of its row."""
    nameless = [i for i, record in enumerate(found.records) if not getattr(record, "source_key", "-")]
    if not nameless:
        return
    keys = occurrences.keys([digest(raw[i]) for i in nameless])
    for i, key in zip(nameless, keys, strict=True):
        found.records[i] = with_key(found.records[i], key)
