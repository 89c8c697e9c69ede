"""Reads an agent's logs into a store as the source does, in steps that a test controls."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tui_monitor.model.call import Call
from tui_monitor.model.clock import ManualClock
from tui_monitor.model.timerange import Span
from tui_monitor.recorder.commit import commit
from tui_monitor.sources.agents.api import Adapter
from tui_monitor.sources.agents.logs import Logs, bad_lines, prefix
from tui_monitor.sources.agents.table import ADAPTERS
from tui_monitor.sources.agents.tail import Slice
from tui_monitor.store.api import Layer, Measure
from tui_monitor.store.database import Store

EVER = Span(0, 4 * 10**15)
TOKENS: tuple[Measure, ...] = ("calls", "input", "cache_read", "cache_write", "output")


class AgentRun:
    """One run after another over the same folders and the same database."""

    def __init__(self, store: Store, *roots: Path, adapter: Adapter | None = None) -> None:
        self.store = store
        self.roots = roots
        self.adapter = adapter or ADAPTERS["claude-code"]
        self.problems: list[str] = []
        self.read_bytes = 0
        self.restart()

    def restart(self) -> None:
        """As after a kill: only what is in the database is known."""
        saved = self.store.offsets(prefix(self.adapter))
        self.logs = Logs(self.adapter, self.roots, ManualClock(0), saved)

    def step(self, slices: int | None = None, *, final: bool = False) -> int:
        """Look, and store what is new, or only so many slices of it; how many records there were."""
        self.logs.look()
        count = 0
        for part in islice(self.parts(final=final), slices):
            count += self.put(part)
        self.problems += self.logs.problems
        self.logs.problems.clear()
        forgotten = dict.fromkeys(self.logs.forgotten, "")
        self.logs.forgotten.clear()
        commit(self.store, [], remember=True, offsets=forgotten)
        return count

    def parts(self, *, final: bool = False) -> Iterator[Slice]:
        """What waits to be read."""
        return self.logs.read(self.logs.waiting(), final=final)

    def put(self, part: Slice) -> int:
        """Store a slice with its place."""
        self.problems += bad_lines(part)
        self.read_bytes += part.bytes
        offsets = {part.tail.key: part.place}
        commit(self.store, part.found.records, remember=True, offsets=offsets)
        return len(part.found.records)

    def settle(self) -> None:
        """Look until nothing comes any more."""
        for _ in range(6):
            self.step()

    def sums(self) -> dict[str, int]:
        """What the database holds in all."""
        return sums(self.store)


def sums(store: Store) -> dict[str, int]:
    """Calls and tokens in a database."""
    facts = store.facts(Layer.RAW, EVER, (), TOKENS)
    return {name: int(facts.numbers[name].total.sum()) for name in TOKENS}


def labels(store: Store, *names: str) -> list[tuple[str | None, ...]]:
    """These labels of every call, sorted."""
    facts = store.facts(Layer.RAW, EVER, names, ())
    columns = [facts.labels[name] for name in names]
    rows = [tuple(c.values[c.codes[row]] for c in columns) for row in range(len(facts))]
    return sorted(rows, key=repr)


def calls(adapter: Adapter, root: Path) -> list[Call]:
    """Every call as it is read, before the store."""
    logs = Logs(adapter, [root], ManualClock(0))
    logs.look()
    found: Sequence[Any] = [r for part in logs.read(logs.waiting(), final=True) for r in part.found.records]
    return [record for record in found if isinstance(record, Call)]
