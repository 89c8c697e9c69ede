"""Reading a file of lines in blocks of bounded size, whatever the length of a line."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import orjson

from tui_monitor.sources.agents.api import Block

BLOCK = 1 << 17
"""Bytes that are read at once: what stays in the processor's own memory is searched in half the time."""
MAX_LINE = 32 << 20
"""Bytes of a line that is kept; a longer one is passed over, counted and told."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The next part of a file: a block of whole lines, or a line that cannot be taken."""

    block: Block | None
    end: int
    """The first byte behind it."""
    bad: tuple[int, str] | None = None
    """(offset, reason) of a line that is passed over."""
    skipping: int | None = None
    """Where a line began whose end has not been seen yet, and which is too long already."""


def pieces(
    file: BinaryIO, offset: int, skipping: int | None = None, max_line: int = MAX_LINE
) -> Iterator[Piece]:
    """From the offset to the last end of a line. What comes behind that is left for the next time."""
    size = BLOCK
    while True:
        file.seek(offset)
        data = file.read(size)
        if skipping is not None:
            if not data:
                return
            end = data.find(b"\n")
            offset += len(data) if end < 0 else end + 1
            if end < 0:
                yield Piece(None, offset, skipping=skipping)
            else:
                yield Piece(None, offset, bad=(skipping, _too_long(max_line)))
                skipping = None
            continue
        cut = data.rfind(b"\n") + 1
        if cut:
            yield Piece(Block(data if cut == len(data) else data[:cut], offset), offset + cut)
            offset += cut
            size = BLOCK
        elif len(data) < size:
            return
        elif size > max_line:
            skipping = offset
            size = BLOCK
        else:
            size = min(size * 4, max_line + 1)


def last_line(file: BinaryIO, offset: int) -> bytes:
    """What stands behind the last end of a line."""
    file.seek(offset)
    return file.read(MAX_LINE)


def is_json(line: bytes) -> bool:
    """Whether the line is a whole JSON object."""
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _too_long(max_line: int) -> str:
    return f"a line is longer than {max_line:,} bytes"
