"""Which rollout files share events, and whose they are.

A fork starts as a copy of its parent, with other times perhaps; so what two files share is the run of equal
counters at their start. It counts once: for the parent, or where that is gone, for the child that began
first. Any file may turn up at any time, so a file that finds its events in one read before takes them back
there.
"""

import re
from array import array
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tui_monitor.model.clock import Micros
from tui_monitor.sources.agents.api import Block, LogFile, Shelf
from tui_monitor.sources.agents.codex_packed import packed, unpacked
from tui_monitor.sources.agents.codex_rollout import SPAWN_HEAD, Event, Head, Rollout, tells
from tui_monitor.sources.agents.objects import Object, load, misshapen

CHAINS = 64
"""Files whose events are kept in mind, 8 bytes each."""
_PEEK = 64 * 1024
"""Bytes at the start of a file in which it says whose it is."""
_NAME = re.compile(r"rollout-.*?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.jsonl$")


def events(
    rollout: Rollout, block: Block, written: Micros | None = None
) -> Iterator[tuple[int, Event | str]]:
    """(offset, event or why the line cannot be read) for the lines of a block that tell something.

    `written` is when the file was.
    """
    if block.offset < SPAWN_HEAD and not rollout.head.spawned:
        rollout.head.spawned = b"thread_spawn" in block.data[: SPAWN_HEAD - block.offset]
    for offset, line in block.lines():
        problem, value = misshapen(line), None
        if tells(line):
            value, problem = load(line, _is_line)
        if problem is not None:
            yield offset, problem
        if value is None:
            continue
        try:
            event = rollout.line(value, written)
        except ValueError as error:
            yield offset, str(error)
        else:
            if event is not None:
                yield offset, event


def _is_line(value: Object) -> bool:
    return "type" in value and "payload" in value


@dataclass(slots=True)
class Member:
    """A file and whose it is."""

    path: Path
    session: str
    parents: tuple[str, ...]
    rank: tuple[int, str]
    """Of siblings, the least owns what they share."""


class Family:
    """What is known of all rollout files on one shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self.version = 0
        """Grows whenever a file may have got relatives."""
        self._shelf = shelf
        self._members: dict[Path, Member] = {}
        self._of: dict[str, set[Path]] = {}
        """Session → its files."""
        self._below: dict[str, set[Path]] = {}
        """Session → files that name it as an ancestor."""
        self._named: dict[str, Path] = {}
        self._active: dict[str, Path] = {}
        self._paths: set[Path] = set()
        self._unmet: list[tuple[str, Path]] = []
        """Files that have not said whose they are, by age: newer names last."""
        self._skipped: dict[Path, int] = {}
        """File → how many of its first events count elsewhere, of files read in this run."""
        self._chains: OrderedDict[Path, tuple[int, array[int]]] = OrderedDict()

    def join(self, path: Path, head: Head, session: str) -> None:
        """A file says whose it is."""
        member = Member(path, session, tuple(head.parents), (head.started or 1 << 62, session))
        before = self._members.get(path)
        if before == member:
            return
        if before is not None:
            self._leave(before)
        self._members[path] = member
        self._of.setdefault(session, set()).add(path)
        for parent in member.parents:
            self._below.setdefault(parent, set()).add(path)
        if member.parents or session in self._below:
            self.version += 1

    def active_twin(self, file: LogFile) -> Path | None:
        """The file in use under an archived one's name."""
        self._look(file.path)
        found = self._active.get(file.path.name)
        return found if found != file.path else None

    def relatives(self, path: Path) -> tuple[set[Path], set[Path]]:
        """Files that own what this one shares with them, and files for which this one does."""
        member = self._members[path]
        self._look(path)
        self._meet_newer(path)
        ancestors = self._ancestors(member)
        missing = {session for session in ancestors if not self._files(session)}
        earlier = {file for session in ancestors for file in self._files(session)}
        later = self._descendants(member.session)
        for session in missing:
            for file in self._below.get(session, ()):
                if file not in earlier and file not in later:
                    (earlier if self._members[file].rank < member.rank else later).add(file)
        for file in earlier & later:
            # Each names the other as its ancestor.
            (later if self._members[file].rank < member.rank else earlier).discard(file)
        same = self._of[member.session]
        return earlier - same, later - same

    def begin(self, path: Path) -> None:
        """A file is read from its start."""
        self._skipped.pop(path, None)

    def skipped(self, path: Path, event: Event) -> None:
        """A file's reader left an event to a relative."""
        self._skipped[path] = event.ordinal + 1

    def counted(self, path: Path, event: Event) -> str | None:
        """What a relative's call would be named that is this event; `None` where it left the event out."""
        member = self._members.get(path)
        if member is None or event.ordinal < self._skipped.get(path, 0):
            return None
        return source_key(member.session, event)

    def chain(self, path: Path, ordinal: int) -> "array[int]":
        """A file's events, at least up to that one if it has it."""
        size, found = self._chains.get(path, (-1, array("Q")))
        if len(found) <= ordinal and (now := _size(path)) != size:
            rollout = Rollout()
            found = array("Q")
            for block in unpacked(path) if packed(path) else self._shelf.blocks(path):
                found.extend(
                    e.chain for _, e in events(rollout, block, 0) if isinstance(e, Event) and e.ordinal >= 0
                )
            size = now
        self._chains[path] = size, found
        self._chains.move_to_end(path)
        while len(self._chains) > CHAINS:
            self._chains.popitem(last=False)
        return found

    def _look(self, path: Path) -> None:
        """Note files by their names, when there are others than before."""
        files = self._shelf.files()
        if len(files) == len(self._paths) and path in self._paths:
            return
        new = [file for file in files if file.path not in self._paths]
        self._paths = {file.path for file in files}
        self._named = {found[1]: file.path for file in files if (found := _NAME.search(file.path.name))}
        self._active = {file.path.name: file.path for file in files if not archived(file)}
        self._unmet = sorted(
            [entry for entry in self._unmet if entry[1] in self._paths]
            + [(_age(file.path), file.path) for file in new if file.kind == "lines"]
        )
        for gone in self._members.keys() - self._paths:
            self._leave(self._members.pop(gone))

    def _leave(self, member: Member) -> None:
        self._of[member.session].discard(member.path)
        for parent in member.parents:
            self._below[parent].discard(member.path)

    def _meet_newer(self, path: Path) -> None:
        """Know whose the files are that this one may own a part of: those read before a restart, say."""
        age = "" if _NAME.search(path.name) is None else path.name
        while self._unmet and self._unmet[-1][0] > age:
            file = self._unmet.pop()[1]
            if file not in self._members:
                self._meet(file)

    def _meet(self, path: Path) -> None:
        rollout = Rollout()
        try:
            with path.open("rb") as file:
                data = file.read(_PEEK)
        except OSError:
            return
        for _ in events(rollout, Block(data[: data.rfind(b"\n") + 1], 0)):
            if rollout.ordinal:
                break
        self.join(path, rollout.head, rollout.head.session or session_of(path))

    def _files(self, session: str) -> set[Path]:
        found = self._of.get(session) or set()
        named = self._named.get(session)
        return found | {named} if named is not None else found

    def _ancestors(self, member: Member) -> dict[str, None]:
        """Sessions it comes from, the nearest first."""
        found: dict[str, None] = {}
        waiting = list(member.parents)
        while waiting:
            session = waiting.pop(0)
            if session in found or session == member.session:
                continue
            found[session] = None
            for file in self._files(session):
                if file not in self._members:
                    self._meet(file)
                if file in self._members:
                    waiting += self._members[file].parents
        return found

    def _descendants(self, session: str) -> set[Path]:
        found: set[Path] = set()
        waiting = [session]
        while waiting:
            for file in self._below.get(waiting.pop(), set()) - found:
                found.add(file)
                waiting.append(self._members[file].session)
        return found


def source_key(session: str, event: Event) -> str:
    """The identity of a call: its session, its place there, and what led up to it.

    With the last, two files of one session that went apart stay apart.
    """
    return f"{session}:{event.ordinal}:{event.chain:016x}"


def session_of(path: Path) -> str:
    """The session that a file's name tells, else the name."""
    found = _NAME.search(path.name)
    return found[1] if found else path.name.partition(".")[0]


def archived(file: LogFile) -> bool:
    """Whether a file was put aside."""
    return "archived_sessions" in file.path.parts


def _age(path: Path) -> str:
    """Sorts by when a session began, as far as names tell; without that, as the newest."""
    return path.name if _NAME.search(path.name) else "~"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
