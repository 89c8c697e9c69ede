"""One rollout file of Codex, line by line: which lines are calls, and how large each is.

The counters in a rollout are cumulative, are written again when nothing was called, start anew after a
compaction, and belong to several conversations where agents work side by side. What is decided here rests
on the file alone; what it shares with other files is `codex_family`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

from tui_monitor.model.clock import SECOND, Micros, iso
from tui_monitor.recorder.checks import MAX_COUNT
from tui_monitor.sources.agents.objects import Object
from tui_monitor.sources.agents.values import Table, count, first_text, table, text, when

_NEEDLES = (b'"token_count"', b'"turn_context"', b'"session_meta"', b'"usage"', b'"thread.started"')
_SHORT, _EDGE = 4096, 512
"""Bytes of a line that is searched whole, and of each end of a longer one: there its type stands."""
SPAWN_HEAD = 16 * 1024
"""Bytes in which a sub-agent's file says that it is one."""
GUESSED_MODEL = "gpt-5"
_ALIAS = "codex-auto-review"
_ALIAS_FROM = (
    ("2026-04-23", "gpt-5.5"),
    ("2026-03-05", "gpt-5.4"),
    ("2026-02-05", "gpt-5.3-codex"),
    ("2025-12-11", "gpt-5.2-codex"),
    ("2025-11-13", "gpt-5.1-codex"),
    ("2025-09-15", "gpt-5-codex"),
)
"""The day (UTC) from which the alias stood for a model, the newest first; before, for `GUESSED_MODEL`."""


class Usage(NamedTuple):
    """Tokens of one call or of all so far. `cached` lies within `input`, `reasoning` within `output`."""

    input: int
    cached: int
    output: int
    reasoning: int
    total: int

    @classmethod
    def of(cls, value: Any) -> "Usage | None":
        """What a usage object says, `None` if it is none. Raises ValueError for what is no token count."""
        if not isinstance(value, dict):
            return None
        parts = [value.get(names[0]) for names in _NAMES]
        for at, part in enumerate(parts):
            if type(part) is not int or not 0 <= part <= MAX_COUNT:
                parts[at] = _tokens(value, _NAMES[at])
        return cls._make(parts)

    @property
    def empty(self) -> bool:
        """Whether nothing was called; some lines after a compaction have a total and no parts."""
        return not (self.input or self.cached or self.output)

    def since(self, before: "Usage") -> "Usage":
        """What came on top, part by part and never below 0."""
        return Usage(*(max(0, now - then) for now, then in zip(self, before, strict=True)))

    def within(self, bound: "Usage") -> "Usage":
        """No part larger than the bound's."""
        return Usage(*map(min, self, bound))

    def over(self, other: "Usage") -> "Usage":
        """The larger of each part."""
        return Usage(*map(max, self, other))

    def below(self, mark: "Usage") -> bool:
        """Whether any part lies below the mark's; the sum of them is no part."""
        return any(now < then for now, then in zip(self[:4], mark[:4], strict=True))


_NAMES = (
    ("input_tokens", "prompt_tokens", "input"),
    ("cached_input_tokens", "cache_read_input_tokens", "cached_tokens"),
    ("output_tokens", "completion_tokens", "output"),
    ("reasoning_output_tokens", "reasoning_tokens"),
    ("total_tokens", "total"),
)


def _tokens(of: Table, names: tuple[str, ...]) -> int:
    value = next((of[name] for name in names if of.get(name) is not None), 0)
    found = count(value)
    if found is None:
        raise ValueError(f"{names[0]} is no number of tokens")
    return found


def tells(line: bytes) -> bool:
    """Whether a line may say something about usage; most say what was said, and are never parsed."""
    ends = line if len(line) <= _SHORT else line[:_EDGE] + line[-_EDGE:]
    return any(needle in ends for needle in _NEEDLES)


@dataclass(slots=True)
class Event:
    """A line with usage or limits. `usage` is what to count, `None` where the line is no call."""

    ts: Micros
    usage: Usage | None = None
    ordinal: int = -1
    """The how-manieth of the file's events with usage; they are numbered whether or not they count."""
    chain: int = 0
    """Stands for all the counters up to this event: equal in two files only where they share all of them."""
    before: int = 0
    """The chain up to the event before."""
    mark: str = ""
    """Stands for the line itself, wherever it was copied to unchanged."""
    model: str = GUESSED_MODEL
    asked: str | None = None
    """The name in the file, where it is an alias."""
    guessed: bool = False
    limits: Table = field(default_factory=dict)
    replayed: bool = False
    """It is one of the parent's that a sub-agent's file begins with."""
    unsay: bool = False
    """So was the first event, which nothing told before this one."""


@dataclass(slots=True)
class Head:
    """Whose file it is. Complete when the first usage is read."""

    session: str | None = None
    parents: list[str] = field(default_factory=list)
    """The session it was forked from, then that one's …, as far as the file tells."""
    started: Micros | None = None
    cwd: str | None = None
    provider: str | None = None
    version: str | None = None
    originator: str | None = None
    spawned: bool = False
    """Whether it is the file of a sub-agent."""

    def take(self, payload: Table) -> None:
        """One `session_meta`: the first is the file's own, the others are its ancestors'."""
        name, parent = text(payload.get("id")), text(payload.get("forked_from_id"))
        if self.session is None:
            self.session = name
            self.started = when(payload.get("timestamp"))
            self.cwd = text(payload.get("cwd"))
            self.provider = text(payload.get("model_provider"))
            self.version = text(payload.get("cli_version"))
            self.originator = text(payload.get("originator"))
        for found in (name, parent):
            if found is not None and found != self.session and found not in self.parents:
                self.parents.append(found)


class Rollout:
    """The state of one file between two lines."""

    def __init__(self) -> None:
        self.head = Head()
        self.ordinal = 0
        """Events with usage so far."""
        self.chain = 0
        self.model: str | None = None
        self.cwd: str | None = None
        self.previous: Usage | None = None
        self.mark: Usage | None = None
        """The highest that each counter has been."""
        self.interleaved = False
        """Whether the counters were found to belong to several conversations."""
        self.second: int | None = None
        """The second of the first event, as long as what follows may be a replay."""

    def state(self) -> dict[str, Any]:
        """All of it, as JSON."""
        head = self.head
        return {
            "session": head.session, "parents": head.parents, "started": head.started, "cwd": head.cwd,
            "provider": head.provider, "version": head.version, "originator": head.originator,
            "spawned": head.spawned, "ordinal": self.ordinal, "chain": self.chain, "model": self.model,
            "now": self.cwd, "interleaved": self.interleaved, "second": self.second,
            "previous": self.previous and [*self.previous], "mark": self.mark and [*self.mark],
        }  # fmt: skip

    @classmethod
    def resumed(cls, state: Mapping[str, Any]) -> "Rollout":
        """As it was. Raises ValueError for what `state` did not give."""
        self = cls()
        try:
            self.head = Head(
                state["session"], list(state["parents"]), state["started"], state["cwd"], state["provider"],
                state["version"], state["originator"], state["spawned"],
            )  # fmt: skip
            self.ordinal, self.chain = int(state["ordinal"]), int(state["chain"])
            self.model, self.cwd = state["model"], state["now"]
            self.previous = None if state["previous"] is None else Usage(*state["previous"])
            self.mark = None if state["mark"] is None else Usage(*state["mark"])
            self.interleaved, self.second = bool(state["interleaved"]), state["second"]
        except (KeyError, TypeError) as error:
            raise ValueError("not the state of a rollout") from error
        return self

    def line(self, value: Object, written: Micros | None = None) -> Event | None:
        """What one line says; `None` if it has neither usage nor limits.

        `written` is when the file was, for lines without a time. Raises ValueError for a line that cannot be
        understood; the reason holds nothing of the text.
        """
        kind, payload = value.get("type"), table(value.get("payload"))
        if kind == "event_msg":
            return self._token_count(value, payload) if payload.get("type") == "token_count" else None
        if kind == "session_meta":
            if not self.ordinal:
                self.head.take(payload)
        elif kind == "turn_context":
            self.model = text(payload.get("model")) or self.model
            self.cwd = text(payload.get("cwd")) or self.cwd
        elif kind == "thread.started" and self.head.session is None:
            self.head.session = text(value.get("thread_id"))
        elif not payload:
            return self._printed(value, written)
        return None

    def _token_count(self, value: Table, payload: Table) -> Event:
        info = table(payload.get("info"))
        last, total = Usage.of(info.get("last_token_usage")), Usage.of(info.get("total_token_usage"))
        ts = when(value.get("timestamp"))
        if ts is None:
            raise ValueError("timestamp is no time")
        event = Event(ts, limits=table(payload.get("rate_limits")))
        before, self.previous = self.previous, total or self.previous
        if total is not None and total == before:
            # The same counters again: the limits were refreshed, nothing was called.
            return event
        said = last or (total.since(self.mark) if total and self.mark else total)
        if said is None or said.empty:
            self._raise_mark(total)
            return event
        self._number(event, last, total)
        self._name(event, payload, info)
        event.mark = _hash(value.get("timestamp"), event.model, *said, *(total or ()))
        event.usage = self._counted(event, said, last, total)
        return event

    def _printed(self, value: Table, written: Micros | None) -> Event | None:
        """What `codex exec --json` prints when a turn is over: its own usage, and often no time."""
        for holder in (value, *(table(value.get(name)) for name in ("data", "result", "response"))):
            usage = Usage.of(holder.get("usage"))
            if usage is None or usage.empty:
                continue
            ts = when(
                *(of.get(n) for of in (holder, value) for n in ("timestamp", "created_at", "createdAt"))
            )
            if ts is None and written is None:
                raise ValueError("a turn without a time cannot be booked")
            event = Event(ts or written or 0, usage)
            self._number(event, usage, None)
            self._name(event, holder, table(holder.get("metadata")))
            event.mark = _hash(ts, event.model, self.ordinal, *usage)
            return event
        return None

    def _number(self, event: Event, last: Usage | None, total: Usage | None) -> None:
        event.ordinal = self.ordinal
        self.ordinal += 1
        event.before = self.chain
        event.chain = self.chain = int(_hash(self.chain, last, total), 16)

    def _name(self, event: Event, payload: Table, info: Table) -> None:
        named = first_text(
            payload.get("model"), payload.get("model_name"), info.get("model"), info.get("model_name")
        )
        if named is not None:
            self.model = named
        event.model, event.guessed = self.model or GUESSED_MODEL, self.model is None
        if event.model == _ALIAS:
            event.asked, event.guessed = _ALIAS, True
            day = iso(event.ts)[:10]
            event.model = next((name for first, name in _ALIAS_FROM if day >= first), GUESSED_MODEL)

    def _counted(self, event: Event, said: Usage, last: Usage | None, total: Usage | None) -> Usage | None:
        if not event.ordinal or self.second is not None:
            if self._replayed(event):
                # The parent's counters: they go on from here, and count in the parent's file.
                self.mark = total or self.mark
                return None
            if event.ordinal > 1 and total == last:
                # The first call after a replay, on counters of its own.
                self.mark = None
        mark = self.mark
        self._raise_mark(total)
        if total is None or mark is None:
            return said
        if total.below(mark):
            self.interleaved = True
        if not self.interleaved:
            return said
        # Too little rather than twice: only what rises above everything seen can be new for certain.
        counted = said.within(total.since(mark))
        return None if counted.empty else counted

    def _replayed(self, event: Event) -> bool:
        """Whether it belongs to the burst in which a sub-agent's file repeats its parent's events."""
        second = event.ts // SECOND
        if event.ordinal == 0:
            self.second = second if self.head.spawned else None
        elif self.second == second:
            event.replayed, event.unsay = True, event.ordinal == 1
        else:
            self.second = None
        return event.replayed

    def _raise_mark(self, total: Usage | None) -> None:
        if total is not None:
            self.mark = total.over(self.mark) if self.mark else total


def _hash(*parts: Any) -> str:
    return blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
