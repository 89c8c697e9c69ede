"""What most adapters share: places by name, and readers that differ only in how they see a record."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from tui_monitor.model.call import Call
from tui_monitor.model.clock import Micros
from tui_monitor.model.feed import Record
from tui_monitor.sources.agents.api import Block, Found, Kind, LogFile, Reader, Shelf
from tui_monitor.sources.agents.objects import Object, load, misshapen
from tui_monitor.sources.agents.values import digest, parse

NO_TIME = "a call has no time"
TOLD = 20_000
"""Calls of one file of which is known that they were given; the store knows all others."""
PORTION = 1000
"""Records of a database that are handed over at once."""

Environ = Mapping[str, str]
Made = Record | str
"""A record, or why something cannot be read; with nothing of the text."""
Make = Callable[[LogFile, Any, Shelf], Reader]


def _anywhere(place: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Agent:
    """An adapter put together from parts."""

    name: str
    title: str
    places: Callable[[Environ, Path], list[Path]]
    judge: Callable[[str], Kind | None]
    """How a file is read, by its place below a root."""
    make: Make
    inside: Callable[[str], bool] = _anywhere
    """Whether a folder is looked into, by its place below a root."""
    estimate: bool = False

    def roots(self, environ: Environ, home: Path) -> list[Path]:
        """Folders that may hold its logs."""
        return self.places(environ, home)

    def kind(self, place: str) -> Kind | None:
        """How a file is read."""
        return self.judge(place)

    def enters(self, place: str) -> bool:
        """Whether a folder is looked into."""
        return self.inside(place)

    def reader(self, file: LogFile, state: Any, shelf: Shelf) -> Reader:
        """What reads a file on from `state`."""
        return self.make(file, state, shelf)


def flat(place: str) -> bool:
    """For agents whose logs lie beside folders of other things: no folder is looked into."""
    return False


def homes(environ: Environ, variable: str, *usual: Path) -> list[Path]:
    """The folders in a variable, with commas between them, else the usual ones."""
    named = [part.strip() for part in environ.get(variable, "").split(",") if part.strip()]
    return [Path(part).expanduser() for part in named] or list(usual)


def data_home(environ: Environ, home: Path) -> Path:
    """Where programs keep their data."""
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")


def written(path: Path) -> Micros | None:
    """When a file was written last, for records without a time."""
    try:
        return path.stat().st_mtime_ns // 1000
    except OSError:
        return None


def named(place: str) -> str:
    """The name of a file, by its place."""
    return place.rpartition("/")[2]


@dataclass(slots=True)
class Lines:
    """Reads lines one by one. `take` gives what an object says."""

    take: Callable[[Object], Iterable[Made]]
    needles: tuple[bytes, ...]
    memory: Callable[[], Any] = lambda: None

    def feed(self, block: Block) -> Found:
        """The records of some lines."""
        found = Found()
        for offset, line in block.lines():
            problem, value = misshapen(line), None
            if any(needle in line for needle in self.needles):
                value, problem = load(line, _is_record)
            if problem is not None:
                found.bad.append((offset, problem))
            for made in self.take(value) if value is not None else ():
                if isinstance(made, str):
                    found.bad.append((offset, made))
                else:
                    found.records.append(made)
        return found

    def state(self) -> Any:
        """What it must know to go on."""
        return self.memory()


def _is_record(value: Object) -> bool:
    return "type" in value or "id" in value


@dataclass(slots=True)
class Told:
    """Which calls were given already, so that a file that is written anew gives only what is new in it."""

    seen: dict[str, str] = field(default_factory=dict)

    def sort(self, made: Iterable[Call | str], found: Found) -> None:
        """Add what is said for the first time."""
        for each in made:
            if isinstance(each, str):
                found.bad.append((0, each))
                continue
            now = digest(each)
            if self.seen.pop(each.source_key, None) != now:
                found.records.append(each)
            self.seen[each.source_key] = now
            if len(self.seen) > TOLD:
                del self.seen[next(iter(self.seen))]


@dataclass(slots=True)
class Whole:
    """Reads a file of one JSON value. `take` gives what it says."""

    take: Callable[[Any], Iterable[Call | str]]
    told: Told = field(default_factory=Told)

    def read(self, data: bytes) -> Found:
        """What is new in it."""
        value = parse(data)
        if value is None:
            return Found(bad=[(0, "the file is cut off or no JSON")])
        found = Found()
        self.told.sort(self.take(value), found)
        return found

    def state(self) -> Any:
        """Nothing: after a restart all is given once more."""
        return None


@dataclass(slots=True)
class Rows:
    """Reads the rows of one table. `take` gives what a row says, by the names of its columns."""

    table: str
    take: Callable[[Mapping[str, Any]], Iterable[Call | str]]
    told: Told = field(default_factory=Told)

    def poll(self, conn: Connection) -> Iterator[Found]:
        """What is new. Raises `sqlite3.Error`."""
        conn.text_factory = lambda raw: raw.decode("utf-8", "replace")
        rows = conn.execute(f'SELECT * FROM "{self.table}"')
        names = [column[0] for column in rows.description]
        while portion := rows.fetchmany(PORTION):
            found = Found()
            for row in portion:
                self.told.sort(self.take(dict(zip(names, row, strict=True))), found)
            yield found

    def state(self) -> Any:
        """Nothing: after a restart all is given once more."""
        return None
