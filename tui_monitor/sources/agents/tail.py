"""One file that is read on and on: what is new in it, in slices that are stored each with its place."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import quote

from tui_monitor.sources.agents.api import (
    Adapter,
    Block,
    DatabaseReader,
    Found,
    LineReader,
    LogFile,
    Reader,
    Shelf,
    WholeReader,
)
from tui_monitor.sources.agents.lines import is_json, last_line, pieces
from tui_monitor.sources.agents.place import Place, mark

log = logging.getLogger(__name__)

MAX_WHOLE = 128 << 20
"""Bytes of a file that is read as a whole."""
SETTLED = 4
"""Looks without a change after which a last line without its end is taken, if it is complete."""
_BUSY_S = 0.5
_NEW_FILE = "another file lies in its place now: read from its start"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file looks like from outside."""

    device: int
    inode: int
    size: int
    changed: int
    """Time of its last change, ns."""

    @classmethod
    def of(cls, found: os.stat_result) -> "Stamp":
        """From the answer of `stat`."""
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Slice:
    """What some bytes of a file brought, and where to go on behind them."""

    tail: "Tail"
    found: Found
    place: str
    """To be stored with the records."""
    bytes: int = 0
    """How many were read."""


class Tail:
    """One file. Blocking: on one thread at a time."""

    def __init__(self, file: LogFile, key: str, stamp: Stamp, place: Place | None) -> None:
        self.file = file
        self.key = key
        self.stamp = stamp
        self.place = place or Place(stamp.inode)
        self.quiet = 0
        """Looks since it changed."""
        self.due = self._is_due()
        """Whether there is something to read."""
        self._reader: Reader | None = None

    @property
    def unread(self) -> int:
        """Bytes that are still to be read."""
        if self.file.kind != "lines":
            return self.stamp.size if self.due else 0
        same = self.place.inode == self.stamp.inode and self.place.offset <= self.stamp.size
        return self.stamp.size - self.place.offset if same else self.stamp.size

    def seen(self, stamp: Stamp) -> None:
        """It looks like this now."""
        if stamp != self.stamp:
            self.stamp, self.quiet, self.due = stamp, 0, True
        elif self.file.kind == "database":
            # What is written stands in the log beside it first.
            self.due |= self._is_due()
        elif self.quiet <= SETTLED:
            self.quiet += 1
            # A last line without its end, once it seems that nothing more comes.
            self.due |= self.quiet == SETTLED and self.file.kind == "lines" and self.unread > 0

    def restart(self) -> None:
        """Read it again from the start."""
        self.place = Place(self.stamp.inode)
        self._reader = None
        self.due = True

    def release(self) -> None:
        """Keep nothing but the place; the reader is made anew from its state."""
        self._reader = None

    def slices(self, adapter: Adapter, shelf: Shelf, *, final: bool = False) -> Iterator[Slice]:
        """What is new. `final` takes the last line as it is. Raises `OSError` and `sqlite3.Error`."""
        self.due = False
        match self.file.kind:
            case "lines":
                yield from self._lines(adapter, shelf, final)
            case "whole":
                yield from self._whole(adapter, shelf, final)
            case "database":
                yield from self._database(adapter, shelf)

    def _is_due(self) -> bool:
        if self.file.kind == "lines":
            return self.unread > 0 or self.place.inode != self.stamp.inode
        return self.place.stamp != _look(self.file.path, self.file.kind == "database")

    def _reading(self, adapter: Adapter, shelf: Shelf) -> Any:
        """The reader for the present place. It is made anew where its state is not understood."""
        if self._reader is None:
            try:
                self._reader = adapter.reader(self.file, self.place.state, shelf)
            except ValueError:
                self.restart()
                self.due = False
                self._reader = adapter.reader(self.file, None, shelf)
        return self._reader

    def _slice(self, reader: Reader, found: Found, bytes_: int = 0) -> Slice:
        self.place.state = reader.state()
        return Slice(self, found, self.place.dump(), bytes_)

    def _lines(self, adapter: Adapter, shelf: Shelf, final: bool) -> Iterator[Slice]:
        with self.file.path.open("rb", buffering=0) as file:
            yield from self._noticed(file, adapter, shelf)
            place = self.place
            for piece in pieces(file, place.offset, place.skipping):
                reader = cast(LineReader, self._reading(adapter, shelf))
                found = reader.feed(piece.block) if piece.block is not None else Found()
                if piece.bad is not None:
                    found.bad.append(piece.bad)
                read = piece.end - place.offset
                place.offset, place.skipping = piece.end, piece.skipping
                place.mark = mark(file, place.offset)
                yield self._slice(reader, found, read)
            if final or self.quiet >= SETTLED:
                yield from self._rest(file, adapter, shelf, final)

    def _noticed(self, file: BinaryIO, adapter: Adapter, shelf: Shelf) -> Iterator[Slice]:
        """Notice that this is not the file, or not the content, that was read so far."""
        now = Stamp.of(os.fstat(file.fileno()))
        place = self.place
        if now.size < place.offset:
            why = f"it shrank from {place.offset:,} to {now.size:,} bytes: read from its start"
        elif place.offset and mark(file, place.offset) != place.mark:
            why = _NEW_FILE
        else:
            place.inode = now.inode
            return
        self.restart()
        self.due = False
        self.place.inode = now.inode
        yield self._slice(self._reading(adapter, shelf), Found(bad=[(0, why)]))

    def _rest(self, file: BinaryIO, adapter: Adapter, shelf: Shelf, final: bool) -> Iterator[Slice]:
        place = self.place
        rest = last_line(file, place.offset)
        if not rest.strip() or place.skipping is not None:
            return
        reader = cast(LineReader, self._reading(adapter, shelf))
        if is_json(rest):
            found = reader.feed(Block(rest, place.offset))
            place.offset += len(rest)
            place.mark = mark(file, place.offset)
            yield self._slice(reader, found, len(rest))
        elif final:
            yield self._slice(reader, Found(bad=[(place.offset, "the last line is cut off")]), len(rest))

    def _whole(self, adapter: Adapter, shelf: Shelf, final: bool) -> Iterator[Slice]:
        looks = _look(self.file.path, False)
        data = b""
        size = self.stamp.size
        if size <= MAX_WHOLE:
            data = self.file.path.read_bytes()
        reader = cast(WholeReader, self._reading(adapter, shelf))
        found = reader.read(data) if data else Found()
        if size > MAX_WHOLE:
            found.bad.append((0, f"the file is larger than {MAX_WHOLE:,} bytes"))
        if found.bad and self.quiet < SETTLED and not found.records and not final:
            # Perhaps it is being written at this moment.
            self.due = True
            return
        self.place.stamp = looks
        yield self._slice(reader, found, len(data))

    def _database(self, adapter: Adapter, shelf: Shelf) -> Iterator[Slice]:
        looks = _look(self.file.path, True)
        reader = cast(DatabaseReader, self._reading(adapter, shelf))
        address = f"file:{quote(str(self.file.path))}?mode=ro"
        if _at_rest(self.file.path):
            # Else reading alone would leave a log of nothing beside their file.
            address += "&immutable=1"
        with closing(sqlite3.connect(address, uri=True, timeout=_BUSY_S)) as conn:
            for found in reader.poll(conn):
                yield self._slice(reader, found)
        self.place.stamp = looks
        yield self._slice(reader, Found(), self.stamp.size)


def _at_rest(path: Path) -> bool:
    """Whether a database writes ahead, and nobody has it open: then all of it is in the file."""
    with path.open("rb") as file:
        head = file.read(20)
    return head[18:20] == b"\x02\x02" and not path.with_name(path.name + "-wal").exists()


def _look(path: Path, database: bool) -> str:
    """A text that changes whenever the file does; of a database, with its write-ahead log."""
    looks: list[str] = []
    for each in (path, path.with_name(path.name + "-wal")) if database else (path,):
        try:
            found = os.stat(each)
        except OSError:
            looks.append("-")
        else:
            looks.append(f"{found.st_ino:x}.{found.st_size:x}.{found.st_mtime_ns:x}")
    return " ".join(looks)


def carried(place: Place, path: Path) -> Place | None:
    """The place of a file that lies elsewhere now, where it is still that file."""
    try:
        with path.open("rb", buffering=0) as file:
            same = place.offset > 0 and mark(file, place.offset) == place.mark
    except OSError:
        return None
    return replace(place) if same else None
