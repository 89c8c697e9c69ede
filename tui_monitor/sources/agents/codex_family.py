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
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Relatives:
    """Files that may hold the same events as one: all but `later` come first."""

    ancestors: set[Path] = field(default_factory=set)
    siblings: set[Path] = field(default_factory=set)
    """Forks of the same parent, which is gone."""
    later: set[Path] = field(default_factory=set)
    """Forks of it, and younger siblings."""


@dataclass(slots=True)
class Chain:
    """The events of a file of some size, each by what led up to it."""

    size: int = -1
    events: "array[int]" = field(default_factory=lambda: array("Q"))
    repeated: int = 0
    """How many of the first are its parent's, or may be, as those of a sub-agent."""

    def note(self, event: Event, spawned: bool) -> None:
        """Add an event."""
        self.events.append(event.chain)
        if event.replayed or (spawned and event.ordinal == 0):
            # Of the first, only the second tells.
            self.repeated = event.ordinal + 1
        elif event.ordinal == 1:
            self.repeated = 0


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
        self._named: dict[str, set[Path]] = {}
        self._active: dict[str, Path] = {}
        self._paths: set[Path] = set()
        self._unmet: list[tuple[str, Path]] = []
        """Files that have not said whose they are, by age: newer names last."""
        self._skipped: dict[Path, int] = {}
        """File → how many of its first events count elsewhere, of files read in this run."""
        self._chains: OrderedDict[Path, Chain] = OrderedDict()

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

    def relatives(self, path: Path) -> Relatives:
        """The files that share events with one."""
        member = self._members[path]
        self._look(path)
        self._meet_newer(path.name if _NAME.search(path.name) else "")
        names = self._ancestors(member)
        if any(not self._files(session) for session in names):
            # Siblings may be older.
            self._meet_newer("")
            names = self._ancestors(member)
        same = self._of[member.session]
        found = Relatives()
        found.ancestors = {file for session in names for file in self._files(session)} - same
        found.later = self._descendants(member.session) - same
        for file in found.ancestors & found.later:
            # Each names the other.
            elder = self._members[file].rank < member.rank
            (found.later if elder else found.ancestors).discard(file)
        for session in names:
            if not self._files(session):
                for file in self._below.get(session, set()) - same - found.ancestors - found.later:
                    elder = self._members[file].rank < member.rank
                    (found.siblings if elder else found.later).add(file)
        return found

    def begin(self, path: Path) -> None:
        """A file is read from its start."""
        self._skipped.pop(path, None)

    def skipped(self, path: Path, event: Event) -> None:
        """A file's reader left an event to a relative."""
        # What it took for its own before it knew the relative was not left out.
        if event.ordinal == self._skipped.get(path, 0):
            self._skipped[path] = event.ordinal + 1

    def counted(self, path: Path, ordinal: int, chain: int) -> str | None:
        """What a relative's call would be named that is this event; `None` where it left the event out."""
        member = self._members.get(path)
        if member is None or ordinal < self._skipped.get(path, 0):
            return None
        return source_key(member.session, ordinal, chain)

    def chain(self, path: Path, ordinal: int) -> Chain:
        """A file's events, at least up to that one if it has it."""
        found = self._chains.pop(path, None) or Chain()
        if len(found.events) <= ordinal and (now := _size(path)) != found.size:
            found = Chain(now)
            rollout = Rollout()
            for block in unpacked(path) if packed(path) else self._shelf.blocks(path):
                for _, event in events(rollout, block, 0):
                    if isinstance(event, Event) and event.ordinal >= 0:
                        found.note(event, rollout.head.spawned)
        self._chains[path] = found
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
        self._named = {}
        for file in files:
            if (found := _NAME.search(file.path.name)) is not None:
                self._named.setdefault(found[1], set()).add(file.path)
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

    def _meet_newer(self, age: str) -> None:
        """Know whose the files are that began after that: they may have been read before a restart."""
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
        return self._of.get(session, set()) | self._named.get(session, set())

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


def source_key(session: str, ordinal: int, chain: int) -> str:
    """The identity of a call: its session, its place there, and what led up to it.

    With the last, two files of one session that went apart stay apart.
    """
    return f"{session}:{ordinal}:{chain:016x}"


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
