"""Codex CLI: the rollouts of its sessions, with what several of them share counted once."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from tui_monitor.model.call import Call
from tui_monitor.model.feed import Retract
from tui_monitor.model.providers import canonical
from tui_monitor.sources.agents.api import Block, Found, Kind, LogFile, Reader, Shelf
from tui_monitor.sources.agents.codex_family import Family, archived, events, session_of, source_key
from tui_monitor.sources.agents.codex_limits import Limits, billing, plan
from tui_monitor.sources.agents.codex_packed import CannotUnpack, packed, unpack
from tui_monitor.sources.agents.codex_rollout import Event, Rollout, Usage
from tui_monitor.sources.agents.simple import homes, written

NAME = "codex"
_NOT_ROLLOUTS = frozenset({"history.jsonl", "session_index.jsonl"})
_FAST = frozenset({"fast", "priority"})


class Codex:
    """The adapter."""

    name = NAME
    title = "Codex CLI"
    estimate = False

    def __init__(self) -> None:
        self._families: WeakKeyDictionary[Shelf, Family] = WeakKeyDictionary()

    def roots(self, environ: Mapping[str, str], home: Path) -> list[Path]:
        """Sessions in use and archived ones of each home."""
        found = homes(environ, "CODEX_HOME", home / ".codex")
        return [each / folder for each in found for folder in ("sessions", "archived_sessions")]

    def kind(self, place: str) -> Kind | None:
        """Any JSON lines but the two lists that Codex keeps beside them."""
        name = place.rpartition("/")[2]
        if name.endswith(".jsonl"):
            return None if name in _NOT_ROLLOUTS else "lines"
        return "whole" if name.endswith(".jsonl.zst") else None

    def enters(self, place: str) -> bool:
        """Every folder: there is one for each day."""
        return True

    def reader(self, file: LogFile, state: Any, shelf: Shelf) -> Reader:
        """Reads a rollout. Raises ValueError for a state of another layout."""
        family = self._families.get(shelf)
        if family is None:
            family = self._families[shelf] = Family(shelf)
        if packed(file.path):
            return PackedReader(file, family)
        if archived(file) and family.active_twin(file) is not None:
            return TwinReader()
        return RolloutReader(file, state, family)


class TwinReader:
    """For an archived file that is still in use under the same name: the one in use counts."""

    def feed(self, block: Block) -> Found:
        """Nothing."""
        return Found()

    def state(self) -> Any:
        """Nothing."""
        return None


class RolloutReader:
    """Reads one rollout on from where it was left."""

    def __init__(self, file: LogFile, state: Any, family: Family) -> None:
        self._path = file.path
        self._family = family
        self._rollout = Rollout()
        self._plan: str | None = None
        self._own = False
        """Whether an event of this file alone was read."""
        self._first: str | None = None
        """The call of a sub-agent's first event, until it is known whether that was the parent's."""
        told = None
        if state is not None:
            if not isinstance(state, dict) or "rollout" not in state:
                raise ValueError("not the state of a rollout")
            self._rollout = Rollout.resumed(state["rollout"])
            self._plan, self._own = state.get("plan"), bool(state.get("own"))
            self._first, told = state.get("first"), state.get("limits")
        else:
            family.begin(file.path)
        self._limits = Limits(told)
        self._tier = _tier(file)
        self._seen = -1
        self._earlier: dict[Path, tuple[int, int] | None] = {}
        """Files that may own the next events; with an event of ours that they had not at the time."""
        self._ancestors: set[Path] = set()
        self._later: set[Path] = set()

    def state(self) -> Any:
        """What to go on from."""
        return {
            "rollout": self._rollout.state(),
            "plan": self._plan,
            "own": self._own,
            "first": self._first,
            "limits": self._limits.told,
        }

    def feed(self, block: Block) -> Found:
        """The calls and limits of some lines."""
        found = Found()
        for offset, event in events(self._rollout, block, written(self._path)):
            if isinstance(event, str):
                found.bad.append((offset, event))
            else:
                self._take(event, found)
        return found

    @property
    def _session(self) -> str:
        return self._rollout.head.session or session_of(self._path)

    def _take(self, event: Event, found: Found) -> None:
        self._plan = plan(event.limits) or self._plan
        if event.ordinal >= 0:
            self._meet()
            if event.unsay:
                self._unsay(found)
            if not event.replayed:
                self._count(event, found)
        # Limits that came with a copied event were told when they were true.
        if event.limits and (self._own or not self._of_others):
            found.records += self._limits.samples(event.ts, event.limits)

    def _count(self, event: Event, found: Found) -> None:
        if self._copied(event):
            self._family.skipped(self._path, event)
            return
        self._own |= event.ordinal > 0 or not self._rollout.head.spawned
        if event.usage is None:
            return
        call = self._call(event, event.usage)
        found.records.append(call)
        if self._rollout.head.spawned and event.ordinal < 2:
            # Of the first, only the second tells whether it is its own.
            if event.ordinal == 0:
                self._first = call.source_key
                return
            if self._first is not None:
                self._first = None
                found.records += self._taken_back(0, event.before)
        found.records += self._taken_back(event.ordinal, event.chain)

    @property
    def _of_others(self) -> bool:
        """Whether the file starts with what belongs to another."""
        head = self._rollout.head
        return head.spawned or bool(head.parents)

    def _meet(self) -> None:
        """Know the relatives, when there may be others than before."""
        if not self._seen < self._family.version:
            return
        self._family.join(self._path, self._rollout.head, self._session)
        found = self._family.relatives(self._path)
        self._seen = self._family.version
        self._ancestors, self._later = found.ancestors, found.later
        self._earlier = {path: self._earlier.get(path) for path in found.ancestors | found.siblings}

    def _copied(self, event: Event) -> bool:
        """Whether the event counts in another file."""
        for path, waiting in list(self._earlier.items()):
            chain = self._family.chain(path, event.ordinal)
            known = chain.events
            if len(known) > event.ordinal:
                if known[event.ordinal] != event.chain:
                    del self._earlier[path]
                elif path in self._ancestors or event.ordinal >= chain.repeated:
                    return True
            elif waiting is None:
                self._earlier[path] = event.ordinal, event.chain
            elif len(known) > waiting[0] and known[waiting[0]] != waiting[1]:
                del self._earlier[path]
        return False

    def _taken_back(self, ordinal: int, here: int) -> Iterable[Retract]:
        """Of files read before that counted this event as their own."""
        for path in list(self._later):
            known = self._family.chain(path, ordinal).events
            if len(known) <= ordinal:
                continue
            if known[ordinal] != here:
                self._later.discard(path)
            elif (key := self._family.counted(path, ordinal, here)) is not None:
                yield Retract(NAME, key)

    def _unsay(self, found: Found) -> None:
        """The first event turned out to be the parent's."""
        key, self._first = self._first, None
        if key is None:
            return
        for record in found.records:
            if isinstance(record, Call) and record.source_key == key:
                found.records.remove(record)
                return
        found.records.append(Retract(NAME, key))

    def _call(self, event: Event, usage: Usage) -> Call:
        head = self._rollout.head
        cached = min(usage.cached, usage.input)
        call = Call(
            NAME,
            source_key(self._session, event.ordinal, event.chain),
            ts_end=event.ts,
            call_keys=(f"{NAME}:{event.mark}",),
            provider=canonical(head.provider or "openai"),
            model_served=event.model,
            model_requested=event.asked,
            in_uncached=usage.input - cached,
            cache_read=cached,
            out_total=usage.output,
            reasoning=min(usage.reasoning, usage.output),
            model_guessed=event.guessed,
            status="success",
            agent=NAME,
            session=self._session,
            project=head.cwd or self._rollout.cwd,
        )
        paid = billing(self._plan)
        if paid is not None:
            call.cost_status = paid
        if paid != "subscription":
            call.service_tier = self._tier
        if head.version is not None:
            call.attrs["version"] = head.version
        return call


class PackedReader:
    """Reads a compressed rollout whole."""

    def __init__(self, file: LogFile, family: Family) -> None:
        self._file = file
        self._family = family

    def read(self, data: bytes) -> Found:
        """Its calls, or why there are none."""
        try:
            content = unpack(data)
        except CannotUnpack as error:
            return Found(bad=[(0, str(error))])
        return RolloutReader(self._file, None, self._family).feed(Block(content, 0))

    def state(self) -> Any:
        """Nothing: it is read once."""
        return None


def _tier(file: LogFile) -> str | None:
    """What `service_tier` of the home's settings means for the price."""
    for folder in file.path.parents:
        if folder.name in ("sessions", "archived_sessions"):
            try:
                with (folder.parent / "config.toml").open("rb") as settings:
                    tier = tomllib.load(settings).get("service_tier")
            except (OSError, ValueError, RecursionError):
                return None
            return "priority" if tier in _FAST else None
    return None
