"""Single calls over HTTP: page by page, and how many there are."""

import re
import zlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import Span, TimeRange
from tui_monitor.monitor.api import CallView
from tui_monitor.query.filters.rows import MOST
from tui_monitor.query.result import After, CallList
from tui_monitor.server.declare import Group, get
from tui_monitor.server.needs import Need
from tui_monitor.server.params import Text, Whole, bad
from tui_monitor.server.usual import END, RANGE, SINCE, looked_at

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

_FILTER = Text(
    name="filter",
    key="text",
    about="What the calls must be, as in the Calls pane; `where` alone is every call.",
    default="where",
    example="status=error AND latency>2s",
)
_LIMIT = Whole(name="limit", about="Calls on a page, at most.", default=100, low=1, high=MOST, example="20")
_AFTER = Text(
    name="after",
    about="Where the page before ended: its `next`, as it is. It holds the time range too.",
    longest=100,
)
_ID = Text(
    name="id",
    about="Its id of 16 digits, `SOURCE:KEY`, or what any source calls it: a response id, a request id.",
    place="path",
    longest=1_000,
)
_CURSOR = re.compile(
    r"(?P<booked>\d{1,18}):(?P<number>\d{1,18})(:(?P<start>-?\d{1,18}):(?P<end>\d{1,18}):(?P<filter>[0-9a-f]{8}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class CallsPage(CallList):
    """Calls that pass a filter, the newest first, and where the next ones are."""

    next: str | None = None
    """To be handed back as `after` for the next page; null where this was the last."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended, and of what it was a page.

    The range of time goes along, so that a range up to now does not move between two pages: what is booked
    meanwhile lies outside of it, and no call is told twice or left out. One that comes late and belongs
    among those that were told already is not told any more.
    """

    after: After
    span: Span | None = None
    filter: str | None = None
    """Checksum of the filter as it was written."""

    @classmethod
    def behind(cls, page: CallList) -> "Cursor | None":
        """Where the page after this one begins; None where there is none."""
        return None if page.after is None else cls(page.after, page.span, _digest(page.query))

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """From its text. Raises `Refusal` for what is none."""
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise bad("after is no place where a page ended", "give the `next` of the page before, as it is")
        after = After(int(found["booked"]), int(found["number"]))
        if found["end"] is None:
            return cls(after)
        return cls(after, Span(int(found["start"]), int(found["end"])), found["filter"])

    def text(self) -> str:
        """As a page gives it out."""
        place = f"{self.after.booked}:{self.after.number}"
        if self.span is None:
            return place
        return f"{place}:{self.span.start}:{self.span.end}:{self.filter}"

    def shown(self, text: str, asked: TimeRange) -> TimeRange:
        """The range of the next page of a filter. Raises `Refusal` where it was of another filter."""
        if self.span is None:
            return asked
        if self.filter != _digest(text):
            raise bad("after is of a page of another filter", "begin anew, without `after`")
        if self.span.length <= 0:
            raise bad("after is no place where a page ended")
        return TimeRange(self.span.length, self.span.end)


class Calls:
    """Routes about single calls."""

    def __init__(self, collector: "Collector") -> None:
        self._monitor = collector.monitor

    @get(
        "/monitor/v1/calls",
        Need.READ,
        Group.CALLS,
        CallsPage,
        params=(_FILTER, RANGE, END, SINCE, _LIMIT, _AFTER),
    )
    async def calls(
        self,
        text: str,
        length: Micros,
        end: Micros | None,
        since: Micros | None,
        limit: int,
        after: str | None,
    ) -> CallsPage:
        """Calls that pass a filter, the newest first, page by page.

        Hand `next` of a page back as `after` for the page behind it: it goes on in the same range of time,
        and calls that come in meanwhile move nothing. One call is found by its id: `source_key="r-1"`.
        """
        shown = looked_at(length, end, since)
        cursor = None if after is None else Cursor.read(after)
        if cursor is not None:
            shown = cursor.shown(text, shown)
        page = await self._monitor.calls(text, shown, limit, after=cursor and cursor.after)
        behind = Cursor.behind(page)
        plain = {field.name: getattr(page, field.name) for field in fields(page)}
        return CallsPage(**plain, next=behind and behind.text())

    @get("/monitor/v1/calls/count", Need.READ, Group.CALLS, int, params=(_FILTER, RANGE, END, SINCE))
    async def count(self, text: str, length: Micros, end: Micros | None, since: Micros | None) -> int:
        """How many calls pass a filter."""
        return await self._monitor.count_calls(text, looked_at(length, end, since))

    @get("/monitor/v1/calls/{id}", Need.READ, Group.CALLS, CallView, params=(_ID,))
    async def call(self, id: str) -> CallView:
        """One call whole: what each source said of it, its price explained, and the calls around it.

        The parts of the price add up to what is stored, or `differs` says why they do not.
        """
        return await self._monitor.call(id)


def _digest(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"
