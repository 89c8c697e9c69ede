"""The event log over plain HTTP, for those who ask now and then and hold no line open."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_monitor.model.happened import FeedEvent, Happened
from tui_monitor.runtime.eventlog import NAMES, USUAL, Gone
from tui_monitor.server.declare import Group, get
from tui_monitor.server.needs import Need
from tui_monitor.server.params import Text, Whole, bad

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

_LATEST = 2**53 - 1
_AFTER = Whole(
    name="after",
    about="The id up to which you have read: `through` of the answer before. Without it nothing is told but "
    "where the log ends, from where the next request goes on.",
    low=0,
    high=_LATEST,
)
_LIMIT = Whole(name="limit", about="The most events of one answer.", default=100, low=1, high=1_000)
_RUN = Text(
    name="run",
    about="`run` of the answer before: ids of another collector are then never taken for this one's.",
    default="",
    longest=64,
)
_TYPES = Text(
    name="event_types",
    about="Names of events with commas between them; all but `metric_recorded` unless given.",
    default="",
    longest=2_000,
    example="alert_update,budget_update",
)
_STATES = Text(
    name="event_types",
    about="Names of events with commas between them; those that tell of states unless given.",
    default="",
    longest=2_000,
    example="alert_update,provider_status",
)


@dataclass(frozen=True, slots=True)
class FeedGap:
    """Ids whose events are no longer known, or were not noted because nobody asked; both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class FeedPage:
    """What comes behind an id."""

    run: str
    """The run of the collector whose ids these are."""
    events: tuple[FeedEvent, ...]
    gone: tuple[FeedGap, ...]
    through: int
    """The id up to which this tells everything: `after` of the next request."""
    newest: int
    """The id of the newest event there is."""


class Feed:
    """The log as pages."""

    def __init__(self, collector: "Collector") -> None:
        self._events = collector.events
        self._monitor = collector.monitor

    @get("/monitor/v1/feed", Need.READ, Group.VIEWS, FeedPage, params=(_AFTER, _LIMIT, _RUN, _TYPES))
    async def feed(self, after: int | None, limit: int, run: str, event_types: str) -> FeedPage:
        """What happened behind an id: the log that the WebSocket tells, page by page.

        Events of calls and spend are noted while somebody follows: from the first request on, until ten
        minutes after the last one.
        """
        names = _named(event_types) or USUAL
        events = self._events
        events.note_use(names)
        place = events.newest if after is None else events.place(after, run)
        found, through = events.read(place, names, limit)
        told = tuple(
            FeedEvent(one.id, one.item.ts, one.item.event, one.item.data, one.item.merged)
            for one in found
            if not isinstance(one, Gone)
        )
        gaps = tuple(FeedGap(one.first, one.last) for one in found if isinstance(one, Gone))
        return FeedPage(events.run, told, gaps, through, events.newest)

    @get("/monitor/v1/feed/newest", Need.READ, Group.VIEWS, Happened, params=(_LIMIT, _STATES))
    async def newest(self, limit: int, event_types: str) -> Happened:
        """What happened last, the newest first: the same log from its end backwards."""
        return await self._monitor.happened(sorted(_named(event_types)), limit)


def _named(event_types: str) -> frozenset[str]:
    names = frozenset(name for name in event_types.split(",") if name)
    if not names <= NAMES:
        raise bad("event_types names an event that there is not", f"there are {', '.join(sorted(NAMES))}")
    return names
