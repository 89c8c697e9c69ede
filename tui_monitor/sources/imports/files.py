"""Reading files as they are: plain or gzipped, of any size, a bounded piece at a time."""

import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from tui_monitor.sources.imports.api import ImportFailure

CHUNK = 1 << 18
_PACKED = 1 << 16
MAX_LINE = 1 << 20
"""Bytes of one line; a longer one is rejected and the rest goes on."""
_GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Lines:
    """Some whole lines of a file, without their ends; blank ones are left out."""

    numbers: list[int] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    """Lines that cannot be taken, and why."""


class _Gunzip:
    """Unpacks as far as the data goes: a file that was cut off gives all that came before the cut."""

    def __init__(self, disk: BinaryIO) -> None:
        self._disk = disk
        self._packed = b""
        self._inflate = zlib.decompressobj(wbits=31)

    def read(self, most: int) -> bytes:
        """The next bytes, `most` at most; none at the end. Raises `EOFError` where the end is missing."""
        while True:
            packed = self._packed or self._disk.read(_PACKED)
            if not packed:
                if self._inflate.eof:
                    return b""
                raise EOFError("it was cut off")
            if self._inflate.eof:
                # Some tools fill the last block with zeros.
                packed = packed.lstrip(b"\0")
                if not packed:
                    self._packed = b""
                    continue
                # Archives may be put together from several.
                self._inflate = zlib.decompressobj(wbits=31)
            data = self._inflate.decompress(packed, most)
            self._packed = self._inflate.unconsumed_tail or self._inflate.unused_data
            if data:
                return data


class TextFile:
    """A text file that is read once from the start; `done` is how far, in bytes on disk."""

    def __init__(self, path: Path, disk: BinaryIO, packed: bool) -> None:
        self.path = path
        self.error = ""
        """Set when the file ended before its data did."""
        self._disk = disk
        self._text = _Gunzip(disk) if packed else disk
        self._unread = b""

    @property
    def done(self) -> int:
        """Bytes on disk that were read."""
        return self._disk.tell()

    def lines(self, number: int = 1) -> Iterator[Lines]:
        """The lines, some thousand at a time; `number` is that of the first one."""
        rest = b""
        skipping = False
        while chunk := self.read():
            parts = (rest + chunk).split(b"\n")
            rest = parts.pop()
            some = Lines()
            if skipping and parts:
                # The end of a line whose beginning was too long to keep.
                parts.pop(0)
                number += 1
                skipping = False
            for line in parts:
                _take(some, number, line)
                number += 1
            if len(rest) > MAX_LINE:
                if not skipping:
                    some.bad.append((number, f"longer than {MAX_LINE:,} bytes"))
                rest, skipping = b"", True
            yield some
        if rest and not skipping:
            some = Lines()
            if self.error:
                # What is left of a number may look like one.
                some.bad.append((number, "cut off"))
            else:
                _take(some, number, rest)
            yield some

    def read(self) -> bytes:
        """The next bytes of the text; none at its end, or where `error` says why it ended."""
        if self._unread:
            data, self._unread = self._unread[:CHUNK], self._unread[CHUNK:]
            return data
        try:
            return self._text.read(CHUNK)
        except (EOFError, OSError, zlib.error) as error:
            self.error = f"the file ends before its data does: {error}"
            return b""

    def unread(self, data: bytes) -> None:
        """Put bytes back: they are read again first."""
        self._unread = data + self._unread


def _take(some: Lines, number: int, line: bytes) -> None:
    if number == 1:
        line = line.removeprefix(BOM)
    if line.endswith(b"\r"):
        line = line[:-1]
    if len(line) > MAX_LINE:
        some.bad.append((number, f"longer than {MAX_LINE:,} bytes"))
    elif line and not line.isspace():
        some.numbers.append(number)
        some.raw.append(line)


@contextmanager
def open_text(path: Path) -> Iterator[TextFile]:
    """Open a file, unpacking it where it is gzipped. Raises `ImportFailure`."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            # It is read more than once, and a pipe forgets.
            raise ImportFailure(f"{path} is no regular file", hint="write it to a file first")
        disk = path.open("rb")
    except OSError as error:
        raise ImportFailure(f"cannot read {path}: {error.strerror or error}") from error
    with disk:
        packed = disk.read(2) == _GZIP
        disk.seek(0)
        yield TextFile(path, disk, packed)


def first_line(path: Path) -> bytes:
    """The first line that is not blank. Raises `ImportFailure` for what is no text with anything in it."""
    if path.is_dir():
        hint = "name the files in it, or with --format the agent whose logs it holds"
        raise ImportFailure(f"{path} is a folder", hint=hint)
    with open_text(path) as file:
        head = file.read()[:MAX_LINE]
        if file.error:
            raise ImportFailure(f"cannot read {path}: not a gzip file, or damaged")
    if b"\0" in head:
        raise ImportFailure(
            f"{path} is a binary file", hint="imports take CSV or JSON lines, plain or gzipped"
        )
    for line in head.removeprefix(BOM).split(b"\n"):
        if line.strip():
            return line.rstrip(b"\r")
    raise ImportFailure(f"{path} is empty")
