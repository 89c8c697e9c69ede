"""What knows the logs of one coding agent: where they lie, and how records are made of them.

An `Adapter` names places and makes a reader for each file; finding, tailing, resuming and storing are the
framework's. Readers run on a thread, one at a time, and keep no text of prompts or answers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Literal, Protocol, runtime_checkable

from tui_monitor.model.feed import Record

Kind = Literal["lines", "whole", "database"]
"""`lines`: JSON lines that are appended to. `whole`: a file that is written anew. `database`: SQLite."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file of an agent. `root` is the folder it was found under."""

    path: Path
    root: Path
    kind: Kind

    @property
    def place(self) -> str:
        """Where it lies below its root, with `/`: the same on every machine."""
        return self.path.relative_to(self.root).as_posix()


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of a file. The last of a file may come without its end, when it is complete JSON."""

    data: bytes
    offset: int
    """Where `data` begins in the file, in bytes."""

    def lines(self, *needles: bytes) -> Iterator[tuple[int, bytes]]:
        """(offset in the file, line without its end) of lines that contain one of the needles; all without.

        Blank lines are left out. Searching costs a fraction of parsing: most lines are never looked at.
        """
        at = self.offset
        for line in self.data.split(b"\n"):
            # From the end: figures stand behind what was said.
            if any(line.rfind(needle) >= 0 for needle in needles) if needles else line and not line.isspace():
                yield at, line
            at += len(line) + 1


@dataclass(slots=True)
class Found:
    """What a reader made of a piece of its file."""

    records: list[Record] = field(default_factory=list)
    """Calls have the adapter's name as `source`. A call may be given again, larger, under its key.

    A `Retract` counts after all calls of the same piece.
    """
    bad: list[tuple[int, str]] = field(default_factory=list)
    """What could not be read: (offset, reason). Counted and shown; reasons hold nothing of the text."""
    reread: list[Path] = field(default_factory=list)
    """Other files whose meaning changed by this one: they are read again from their start."""


class Shelf(Protocol):
    """The other files of the same agent, for readers whose file means something only beside them."""

    def files(self) -> Sequence[LogFile]:
        """Every file known now, in no particular order."""
        ...

    def blocks(self, path: Path) -> Iterator[Block]:
        """Another file from its start to its present end, in blocks of whole lines; none if it is gone."""
        ...


@runtime_checkable
class LineReader(Protocol):
    """Reads one file of lines from where its state left off."""

    def feed(self, block: Block) -> Found:
        """The next lines, each exactly once and in order."""
        ...

    def state(self) -> Any:
        """What it must know to go on after a restart: small, of JSON types, `None` for nothing.

        Stored with the offset in the transaction of the records.
        """
        ...


@runtime_checkable
class WholeReader(Protocol):
    """Reads a file that is written anew, each time it changed."""

    def read(self, data: bytes) -> Found:
        """All of it. May give every record each time: equal ones are duplicates in the store."""
        ...

    def state(self) -> Any:
        """As `LineReader.state`."""
        ...


@runtime_checkable
class DatabaseReader(Protocol):
    """Asks an SQLite file for what is new, each time it changed."""

    def poll(self, conn: Connection) -> Iterator[Found]:
        """What is new, some thousand records at a time. `conn` is read-only (`mode=ro`).

        The state is asked for, and stored, after each portion. `sqlite3.Error` may be raised: a file that
        is busy or of another layout is a problem of that file, and is tried again when it changes.
        """
        ...

    def state(self) -> Any:
        """As `LineReader.state`."""
        ...


Reader = LineReader | WholeReader | DatabaseReader


class Adapter(Protocol):
    """One coding agent."""

    @property
    def name(self) -> str:
        """In settings, as `--format`, and the `source` of its calls: `claude-code`."""
        ...

    @property
    def title(self) -> str:
        """For people: `Claude Code`."""
        ...

    @property
    def estimate(self) -> bool:
        """Whether its logs are known to differ from the bill: shown as "local estimate"."""
        ...

    def roots(self, environ: Mapping[str, str], home: Path) -> list[Path]:
        """Folders that may hold its logs; those that do not exist are left out by the caller."""
        ...

    def kind(self, place: str) -> Kind | None:
        """How a file is read, by its place below a root; `None` if it is no log.

        Imports give any folder as root: judge by the last parts of the place.
        """
        ...

    def enters(self, place: str) -> bool:
        """Whether a folder is looked into, by its place below a root; some hold thousands without a log."""
        ...

    def reader(self, file: LogFile, state: Any, shelf: Shelf) -> Reader:
        """What reads this file on from `state`, or from the start where that is `None`.

        `kind` of the file says which reader. A state that is not understood counts as `None` only if
        reading from the present offset is still right; else raise `ValueError`, and the file is read anew.

        Calls keep `cost_status` "unpriced", and `agents.billing` decides; one whose log tells is given
        "subscription", "free", or "computed" for one that is paid by the token.
        """
        ...
