"""The event log: what the bus told lately, numbered and written down once for everybody who follows it."""

import asyncio
import heapq
import logging
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import get_args

from tui_monitor.model.bus import BusEvent, EventBus, EventName
from tui_monitor.model.clock import Clock
from tui_monitor.model.merging import Item, Subject, joined, merge, subject
from tui_monitor.runtime.telling import gone, together, written

log = logging.getLogger(__name__)

NAMES: frozenset[str] = frozenset(get_args(EventName))
"""Every event there is."""
ASKED_FOR = frozenset({"metric_recorded"})
"""Told only to who names them: a scrape brings thousands."""
USUAL = NAMES - ASKED_FOR
"""What is told to who names nothing."""
STATES = frozenset({"alert_update", "source_update", "provider_status", "system_alert", "budget_update"})
"""Noted at all times, and the newest of each subject outlasts the log."""

WINDOW = 0.1
"""Seconds: after something was written down, what comes within them is written down together."""
_CROWD = 8
"""More events than these in one window become one per subject."""
_PACED = {"data_changed": 1.0}
"""Event → seconds between two of it."""
_QUEUED = 10_000
"""Events that may wait for the end of a window."""
_ENTRIES = 4_096
_BYTES = 4_000_000
_STATES_KEPT = 2_000
_SINGLE = 64
"""When more than these wait for a reader, they are merged."""
_ROOM = 32_000
"""Bytes of messages that are given out at once."""
_IDLE_SECONDS = 600.0
"""How long after its last reader the log still notes everything."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. A hole has no body: `names` says of which events some are missing there."""

    id: int
    item: Item
    body: bytes = b""
    """The message as JSON."""
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Gone:
    """Ids that are no longer known, both ends included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What comes after an id: messages as JSON, and the id up to which they tell everything."""

    bodies: tuple[bytes, ...]
    through: int
    merged: bool = False
    """Whether what waited was made one message."""


class EventLog:
    """Bounded, and shared by all readers: a reader is no more than the id up to which it has read.

    Ids grow by one while a collector runs. They begin at the time of its start in µs, so that the next
    collector's are greater and none is taken for another; `run` tells two collectors apart if the clock lies.
    All methods belong to one event loop, on which `start` was called.
    """

    def __init__(self, bus: EventBus, clock: Clock) -> None:
        self.run = secrets.token_hex(6)
        self.newest = clock.now()
        """The id of the newest entry."""
        self.newest_state = 0
        """The id of the newest entry that tells of a state; 0 where there is none."""
        self._clock = clock
        self._listener = bus.listen(size=_QUEUED)
        self._listener.want(STATES)
        self._floor = self.newest
        """Of ids up to this one only states are left."""
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._states: OrderedDict[Subject, Entry] = OrderedDict()
        self._held: dict[str, Item] = {}
        self._paced: dict[str, float] = {}
        self._missed = 0
        self._failed: frozenset[str] = frozenset()
        """Events of which some could not be written down."""
        self._readers: set[Callable[[], None]] = set()
        self._asked: set[str] = set()
        self._until = 0.0
        self._following = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._flushed = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._later: asyncio.TimerHandle | None = None
        """For what waits for its time."""
        self._woken = False

    def start(self) -> None:
        """Begin to write down, on this event loop."""
        self._loop = asyncio.get_running_loop()
        self._listener.wake = self._wake
        self._wake()

    def close(self) -> None:
        """Write down nothing more."""
        self._listener.close()
        for timer in (self._timer, self._later):
            if timer is not None:
                timer.cancel()
        self._loop = None

    @property
    def oldest(self) -> int:
        """The oldest id after which nothing is missing yet."""
        return self._floor

    @property
    def followed(self) -> bool:
        """Whether everything is noted, because somebody reads, or did a while ago."""
        return self._following.is_set()

    async def until_followed(self) -> None:
        """Return as soon as everything is noted."""
        await self._following.wait()

    def follow(self, told: Callable[[], None]) -> None:
        """Have `told` called after each new entry."""
        self._readers.add(told)
        self.note_use()

    def unfollow(self, told: Callable[[], None]) -> None:
        """No longer."""
        self._readers.discard(told)

    def note_use(self, names: frozenset[str] = frozenset()) -> None:
        """Somebody reads: from now on all that is usual is noted, and of the rest what is in `names`."""
        assert self._loop is not None
        asked = self._asked | (names & ASKED_FOR)
        if not self.followed or asked != self._asked:
            missing = (asked - self._asked) if self.followed else (USUAL - STATES) | asked
            self._asked = asked
            self._flush()
            self._hole(frozenset(missing))
            self._listener.want(USUAL | asked)
            self._following.set()
        self._until = self._loop.time() + _IDLE_SECONDS

    def settle(self) -> None:
        """Note only states again where nobody has read for long; to be called now and then."""
        assert self._loop is not None
        if not self.followed or self._readers or self._loop.time() < self._until:
            return
        self._following.clear()
        self._asked.clear()
        self._listener.want(STATES)

    def place(self, after: int, run: str = "") -> int:
        """From where on to read for who has read up to `after`; `run` is whose id that is, if that is told.

        Behind an id of another collector comes all there is, and that what was before is gone.
        """
        known = after <= self.newest and run in ("", self.run)
        return after if known else min(after, self._floor - 1)

    def read(self, after: int, wanted: frozenset[str], limit: int) -> tuple[list[Gone | Entry], int]:
        """At most `limit` entries behind the id `after`, with what is gone; and the id they go up to."""
        found: list[Gone | Entry] = []
        through, left = after, limit
        for entry in self._behind(after):
            if isinstance(entry, Gone):
                found.append(entry)
                continue
            if not left:
                return found, through
            if entry.names & wanted:
                found.append(Gone(entry.id, entry.id))
            elif entry.item.event in wanted:
                found.append(entry)
                left -= 1
            through = entry.id
        return found, self.newest

    def last(self, wanted: frozenset[str], limit: int) -> tuple[list[Entry], bool]:
        """At most `limit` of the newest entries, the newest first, and whether there are older ones.

        In the order in which things happened: an alert is told of some time after the instant it is due to.
        """
        outlasting = (e for e in self._states.values() if e.id <= self._floor)
        known = (e for e in chain(self._entries, outlasting) if e.item.event in wanted)
        found = heapq.nlargest(limit + 1, known, key=lambda e: (e.item.ts, e.id))
        return found[:limit], len(found) > limit

    def take(self, after: int, wanted: frozenset[str]) -> Taken:
        """What a reader gets next: single messages, or one in which those that waited are merged.

        A merged one stands for all ids up to its own, so that who has read it can go on behind it.
        """
        found, through = self.read(after, wanted, _SINGLE + 1)
        waiting = sum(isinstance(entry, Entry) for entry in found)
        if waiting <= _SINGLE:
            return self._single(found, after, through)
        return self._merged(after, wanted)

    def _single(self, found: list[Gone | Entry], after: int, through: int) -> Taken:
        bodies: list[bytes] = []
        size, last = 0, after
        for entry in found:
            if isinstance(entry, Gone):
                bodies.append(gone(entry.first, entry.last, self._clock.now()))
                continue
            if size and size + len(entry.body) > _ROOM:
                return Taken(tuple(bodies), last)
            bodies.append(entry.body)
            size += len(entry.body)
            last = entry.id
        return Taken(tuple(bodies), through)

    def _merged(self, after: int, wanted: frozenset[str]) -> Taken:
        missing: list[bytes] = []
        items: list[Item] = []
        known: set[Subject] = set()
        size, through = 0, after
        for entry in self._behind(after):
            if isinstance(entry, Gone):
                missing.append(gone(entry.first, entry.last, self._clock.now()))
                continue
            if entry.names & wanted:
                missing.append(gone(entry.id, entry.id, self._clock.now()))
            elif entry.item.event in wanted:
                about = subject(entry.item.event, entry.item.data)
                if about not in known:
                    known.add(about)
                    size += len(entry.body)
                if items and size > _ROOM:
                    break
                items.append(entry.item)
            through = entry.id
        return Taken((*missing, together(merge(items), after, through)), through, merged=True)

    def _behind(self, after: int) -> Iterator[Gone | Entry]:
        if after >= self._floor:
            return iter(self._from(after))
        kept = [entry for entry in self._states.values() if after < entry.id <= self._floor]
        kept.sort(key=lambda entry: entry.id)
        return chain((Gone(after + 1, self._floor),), kept, self._entries)

    def _from(self, after: int) -> list[Entry]:
        found: list[Entry] = []
        for entry in reversed(self._entries):
            if entry.id <= after:
                break
            found.append(entry)
        found.reverse()
        return found

    def _wake(self) -> None:
        # On the thread of whoever published.
        loop = self._loop
        if not self._woken and loop is not None and not loop.is_closed():
            self._woken = True
            loop.call_soon_threadsafe(self._schedule)

    def _schedule(self) -> None:
        if self._loop is None:
            return
        wait = self._flushed + WINDOW - self._loop.time()
        if wait <= 0:
            self._flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(wait, self._flush)

    def _flush(self) -> None:
        """Write down what has come."""
        if self._loop is None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._woken = False
        before, now = self.newest, self._loop.time()
        self._flushed = now
        events = self._listener.drain()
        if self._listener.missed > self._missed:
            self._missed = self._listener.missed
            self._hole(NAMES)
        for item in self._prepared(events, now):
            self._note(item)
        if self.newest > before:
            for told in tuple(self._readers):
                try:
                    told()
                except Exception:
                    log.exception("a reader of the event log could not be told")

    def _prepared(self, events: list[BusEvent], now: float) -> list[Item]:
        """What is to be written down now. What cannot be merged leaves a hole instead."""
        waiting = frozenset(self._held)
        try:
            paced = [self._pace(Item.of(event)) for event in events]
            items = [item for item in paced if item is not None] + self._due(now)
            return merge(items) if len(items) > _CROWD else items
        except Exception as error:
            self._fail(waiting | {event.event for event in events}, error)
            return []

    def _note(self, item: Item) -> None:
        try:
            self._write(item)
        except Exception as error:
            self._fail(frozenset({item.event}), error)

    def _fail(self, names: frozenset[str], error: Exception) -> None:
        """Say that something is missing, since it could not be written down."""
        if not names <= self._failed:
            # Once for each event: it may happen ten times a second.
            self._failed |= names
            log.error("events could not be written down: %s", ", ".join(sorted(names)), exc_info=error)
        self._hole(names)

    def _pace(self, item: Item) -> Item | None:
        """None where the event waits for its time."""
        if item.event not in _PACED:
            return item
        held = self._held.get(item.event)
        self._held[item.event] = item if held is None else joined(held, item)
        return None

    def _due(self, now: float) -> list[Item]:
        assert self._loop is not None
        due = [name for name in self._held if now - self._paced.get(name, 0.0) >= _PACED[name]]
        for name in due:
            self._paced[name] = now
        found = [self._held.pop(name) for name in due]
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._held:
            soonest = min(self._paced[name] + _PACED[name] for name in self._held)
            self._later = self._loop.call_later(max(WINDOW, soonest - now), self._flush)
        return found

    def _write(self, item: Item) -> None:
        item.id = self.newest + 1
        entry = Entry(item.id, item, written(item))
        self.newest = item.id
        if item.event in STATES:
            about = subject(item.event, item.data)
            self.newest_state = self.newest
            self._states[about] = entry
            self._states.move_to_end(about)
            if len(self._states) > _STATES_KEPT:
                self._states.popitem(last=False)
        self._append(entry)

    def _hole(self, names: frozenset[str]) -> None:
        self.newest += 1
        self._append(Entry(self.newest, Item("", self._clock.now(), {}, id=self.newest), names=names))

    def _append(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._bytes += len(entry.body)
        while len(self._entries) > _ENTRIES or self._bytes > _BYTES:
            oldest = self._entries.popleft()
            self._bytes -= len(oldest.body)
            self._floor = oldest.id
