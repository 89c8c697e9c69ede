"""All log files of one agent: which there are, which have something new, and what it is."""

import heapq
import logging
import os
import sqlite3
import stat
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tui_monitor.model.clock import Clock
from tui_monitor.sources.agents.api import Adapter, Block, LogFile
from tui_monitor.sources.agents.folders import Folders
from tui_monitor.sources.agents.lines import is_json, last_line, pieces
from tui_monitor.sources.agents.place import Place
from tui_monitor.sources.agents.tail import Slice, Stamp, Tail, carried

log = logging.getLogger(__name__)

HOT = 256
"""Files, the most recently changed ones, that are looked at every time."""
READERS = 256
"""Readers that are kept between two looks."""
_SHARE = 50
"""Looking at everything takes at most this part of the time: what takes 10 ms is done every half second."""
_LONGEST_S = 5.0
"""Time between two looks at everything at most, however busy the machine is; seconds."""


class Logs:
    """Blocking: on one thread at a time. `saved` are the places of an earlier run, by key."""

    def __init__(
        self, adapter: Adapter, roots: Sequence[Path], clock: Clock, saved: Mapping[str, str] | None = None
    ) -> None:
        self.problems: list[str] = []
        """What went wrong since it was asked for last: (place, reason) as one text."""
        self.forgotten: list[str] = []
        """Keys of places whose files are gone."""
        self._adapter = adapter
        self._clock = clock
        self._folders = Folders(roots, adapter.kind, adapter.enters)
        self._saved = {key: place for key, text in (saved or {}).items() if (place := Place.load(text))}
        self._inodes: dict[int, Place] | None = None
        """Places by inode, while there are new files to look for among them."""
        self._tails: dict[Path, Tail] = {}
        self._twins: dict[tuple[int, int], Path] = {}
        self._with_reader: OrderedDict[Path, Tail] = OrderedDict()
        self._told: dict[Path, str] = {}
        self._denied: set[Path] = set()
        """Files that were not allowed to be opened."""
        self._next_round = 0.0
        self._full = False
        self._checked = False

    # Shelf

    def files(self) -> Sequence[LogFile]:
        """Every file known now."""
        return list(self._folders.files.values())

    def blocks(self, path: Path) -> Iterator[Block]:
        """Another file from its start to its present end, with a last line that only lacks its own."""
        end = 0
        try:
            with path.open("rb", buffering=0) as file:
                for piece in pieces(file, 0):
                    end = piece.end
                    if piece.block is not None:
                        yield piece.block
                rest = last_line(file, end)
                if is_json(rest):
                    yield Block(rest, end)
        except OSError:
            return

    # What is new

    @property
    def broken(self) -> Mapping[Path, str]:
        """Folders and files that cannot be read, and why."""
        return self._told

    def look(self) -> None:
        """See which files came, went and changed."""
        now = self._clock.monotonic()
        if now < self._next_round:
            for tail in heapq.nsmallest(HOT, self._tails.values(), key=_newest):
                self._look_at(tail.file)
            return
        self._folders.look()
        for path in self._tails.keys() - self._folders.files.keys():
            self._forget(path)
        for file in list(self._folders.files.values()):
            self._look_at(file)
        self._inodes = None
        self._tell_folders()
        self._forget_deleted()
        took = self._clock.monotonic() - now
        self._next_round = now + min(took * _SHARE, _LONGEST_S)

    def waiting(self) -> list[Tail]:
        """Files with something to read, the most recently changed first."""
        return sorted((tail for tail in self._tails.values() if tail.due), key=_newest)

    def read(self, tails: Sequence[Tail], *, final: bool = False) -> Iterator[Slice]:
        """What is new in these files, and in those that must be read again because of them."""
        queue = deque(tails)
        again: set[Path] = set()
        while queue:
            tail = queue.popleft()
            for part in self._read_one(tail, final):
                yield part
                for path in part.found.reread:
                    other = self._tails.get(path)
                    if other is not None and path not in again:
                        again.add(path)
                        other.restart()
                        queue.append(other)

    def _read_one(self, tail: Tail, final: bool) -> Iterator[Slice]:
        path = tail.file.path
        try:
            yield from tail.slices(self._adapter, self, final=final)
            self._told.pop(path, None)
            self._denied.discard(path)
        except FileNotFoundError:
            # It went between the look and now; the next look sees that.
            pass
        except PermissionError as error:
            self._denied.add(path)
            self._tell(path, error.strerror or str(error))
        except (OSError, sqlite3.Error) as error:
            self._tell(path, getattr(error, "strerror", None) or str(error))
        except Exception as error:
            # A file that its reader chokes on must not hold up the others.
            log.exception("%s cannot be read", path)
            tail.release()
            self._tell(path, f"cannot be understood: {type(error).__name__}")
        self._with_reader[path] = tail
        self._with_reader.move_to_end(path)
        while len(self._with_reader) > READERS:
            self._with_reader.popitem(last=False)[1].release()

    def _look_at(self, file: LogFile) -> None:
        path = file.path
        try:
            found = os.stat(path)
        except FileNotFoundError:
            self._forget(path)
            return
        except OSError as error:
            self._tell(path, error.strerror or str(error))
            return
        if not stat.S_ISREG(found.st_mode):
            return
        stamp = Stamp.of(found)
        identity = (stamp.device, stamp.inode)
        if self._twins.setdefault(identity, path) != path:
            return
        tail = self._tails.get(path)
        if tail is None:
            self._tails[path] = self._begin(file, stamp)
            return
        if tail.stamp.inode != stamp.inode:
            self._twins.pop((tail.stamp.device, tail.stamp.inode), None)
        tail.seen(stamp)
        if path in self._denied and os.access(path, os.R_OK):
            # What is allowed does not show in the time of change.
            tail.due = True

    def _begin(self, file: LogFile, stamp: Stamp) -> Tail:
        key = f"{prefix(self._adapter)}{file.path}"
        place = self._saved.pop(key, None)
        if place is None and file.kind == "lines" and (known := self._of_inode(stamp.inode)) is not None:
            # It was moved, into an archive perhaps.
            place = carried(known, file.path)
        return Tail(file, key, stamp, place)

    def _of_inode(self, inode: int) -> Place | None:
        if self._inodes is None:
            self._inodes = {place.inode: place for place in self._saved.values()}
            self._inodes |= {tail.place.inode: tail.place for tail in self._tails.values()}
        return self._inodes.get(inode)

    def _forget(self, path: Path) -> None:
        tail = self._tails.pop(path, None)
        self._told.pop(path, None)
        self._denied.discard(path)
        self._with_reader.pop(path, None)
        if tail is None:
            return
        self._twins.pop((tail.stamp.device, tail.stamp.inode), None)
        self._saved[tail.key] = tail.place
        if self._folders.standing(path):
            self.forgotten.append(tail.key)

    def _forget_deleted(self) -> None:
        """Places of files that went while nobody looked."""
        if self._checked:
            return
        self._checked = True
        for key in self._saved:
            if self._folders.standing(Path(key.removeprefix(prefix(self._adapter)))):
                self.forgotten.append(key)

    def _tell_folders(self) -> None:
        for path, why in self._folders.unreadable.items():
            self._tell(path, why)
        for path in [p for p in self._told if p not in self._folders.unreadable and p not in self._tails]:
            del self._told[path]
        if self._folders.full and not self._full:
            self._full = True
            self.problems.append("there are more folders or files than are looked into")

    def _tell(self, path: Path, why: str) -> None:
        """A problem of a file or folder, once until it is another."""
        if self._told.get(path) != why:
            self._told[path] = why
            self.problems.append(f"{path}: {why}")


def prefix(adapter: Adapter) -> str:
    """What the keys of an agent's places begin with."""
    return f"{adapter.name}:"


def bad_lines(part: Slice) -> Iterator[str]:
    """What could not be read in a slice, in words."""
    for offset, reason in part.found.bad:
        yield f"{part.tail.file.path}: at byte {offset:,}: {reason}"


def _newest(tail: Tail) -> tuple[int, str]:
    return -tail.stamp.changed, tail.key
