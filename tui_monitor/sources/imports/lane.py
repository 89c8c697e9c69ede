"""Files whose plain rows come as columns, by a process of its own where they are large."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

from tui_monitor.model.call import Call
from tui_monitor.sources.imports import objects, process
from tui_monitor.sources.imports.api import ImportOptions
from tui_monitor.sources.imports.blocks import Table, chunk
from tui_monitor.sources.imports.chunks import Chunk, Models, NotPlain, blocks, keep_order
from tui_monitor.sources.imports.files import TextFile, open_text
from tui_monitor.sources.imports.general import GeneralCsv, columns_of
from tui_monitor.sources.imports.identity import Occurrences
from tui_monitor.sources.imports.jsonl import JsonLines
from tui_monitor.sources.imports.numbers import readable
from tui_monitor.sources.imports.reading import LineReader, Records, TableReader, layout
from tui_monitor.sources.imports.table import FORMATS, FileFormat
from tui_monitor.sources.times import utc_or

OWN_PROCESS = 8 << 20
"""Bytes of a file from which on a second process is worth its start."""
_Block = Callable[[bytes, int, Models, Occurrences], Chunk]
_Handed = tuple[Chunk, bool, list[Call], list[int]]
"""A chunk without its models, whether their numbers begin anew, the new ones, and the numbers of its own."""
_MODELS = 50_000
"""Models that both sides remember."""
_Rest = Callable[[TextFile, int, Occurrences], Iterator[Records]]
_PROGRAM = "from tui_monitor.sources.imports.lane import send; send(*given)"


def has_columns(form: FileFormat, path: Path, options: ImportOptions) -> bool:
    """Whether a file of this format can come as columns. Raises `ImportFailure` where it is of another."""
    if isinstance(form, JsonLines):
        return True
    if not isinstance(form, GeneralCsv):
        return False
    delimiter, header = layout(path, options)
    return len(header) > 1 and delimiter.isascii() and readable(columns_of(header, options))


def chunks(form: FileFormat, path: Path, options: ImportOptions) -> Iterator[Chunk]:
    """Everything in a file that `has_columns`. Raises `ImportFailure`."""
    if path.stat().st_size >= OWN_PROCESS:
        yield from _received(process.read(_PROGRAM, form.name, path, options))
    else:
        yield from _chunks(form, path, options)


def send(name: str, path: Path, options: ImportOptions) -> None:
    """The body of a process of its own."""
    process.send(_handed(_chunks(FORMATS[name], path, options)))


def _handed(found: Iterable[Chunk]) -> Iterator[_Handed]:
    """Models that were sent before are sent by their numbers alone."""
    sent: dict[int, int] = {}
    kept: list[Call] = []
    for each in found:
        models = [] if each.columns is None else each.columns.models
        anew = len(kept) > _MODELS
        if anew:
            sent, kept = {}, []
        before = len(kept)
        for model in models:
            if id(model) not in sent:
                sent[id(model)] = len(kept)
                kept.append(model)
        numbers = [sent[id(model)] for model in models]
        if each.columns is not None:
            each.columns.models = []
        yield each, anew, kept[before:], numbers


def _received(found: Iterable[_Handed]) -> Iterator[Chunk]:
    """The chunks with their models again: one object for each model, however often it comes."""
    known: list[Call] = []
    for each, anew, fresh, numbers in found:
        known = fresh if anew else known + fresh
        if each.columns is not None:
            each.columns.models = [known[number] for number in numbers]
        yield each


def _chunks(form: FileFormat, path: Path, options: ImportOptions) -> Iterator[Chunk]:
    read, rest = _lines(form, options) if isinstance(form, JsonLines) else _rows(form, path, options)
    models, occurrences = Models(), Occurrences()
    number = 1
    with open_text(path) as file:
        for block in blocks(file):
            models.bound()
            try:
                found = read(block, number, models, occurrences)
            except NotPlain:
                file.unread(block)
                break
            number += found.lines
            keep_order(found)
            yield _at(found, file)
        for some in rest(file, number, occurrences):
            odd = list(zip(some.numbers, some.records, strict=True))
            yield _at(Chunk(odd=odd, bad=some.bad), file)
        yield _at(Chunk(), file)


def _rows(form: FileFormat, path: Path, options: ImportOptions) -> tuple[_Block, _Rest]:
    """What reads a block of a table, and what reads the rest row by row."""
    assert isinstance(form, GeneralCsv), "no other table has columns"
    delimiter, header = layout(path, options)
    row = form.row(header, options)
    naive = utc_or(ZoneInfo(options.timezone)) is UTC
    table = Table(row, delimiter, len(header), f"import:{form.name}", columns_of(header, options), naive)
    reader = TableReader(row, delimiter, len(header))
    return (
        lambda block, number, *kept: chunk(block, number, table, *kept, header=number == 1),
        lambda file, number, kept: reader(file, number, kept, header=number == 1),
    )


def _lines(form: JsonLines, options: ImportOptions) -> tuple[_Block, _Rest]:
    """The same for lines of JSON."""
    line = form.line(options)
    return lambda block, number, *kept: objects.chunk(block, number, line, *kept), LineReader(line)


def _at(found: Chunk, file: TextFile) -> Chunk:
    found.done, found.error = file.done, file.error
    return found
