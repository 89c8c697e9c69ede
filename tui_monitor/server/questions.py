"""Queries in the short form or in PromQL, answered in Prometheus's form or as our own panes get them."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from tui_monitor.model.clock import HOUR, Micros
from tui_monitor.model.errors import UsageError
from tui_monitor.model.timerange import parse_duration
from tui_monitor.query.panels import PanelAnswer, PanelQuery
from tui_monitor.query.result import Result
from tui_monitor.server.declare import Group, get, post
from tui_monitor.server.needs import Need
from tui_monitor.server.params import MAX_POINTS, Body, Choice, Instant, Length, Moment, Text, bad
from tui_monitor.server.refusal import success
from tui_monitor.server.usual import END, POINTS, SINCE, looked_at

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

Form = Literal["prometheus", "full"]


class _Query(Text):
    """A query: what is wrong with a blank one is said where queries are read."""

    def read(self, text: str) -> str:
        return self.bounded(text)


_QUERY = _Query(
    name="query",
    key="text",
    about="A query in the short form or in PromQL.",
    required=True,
    example="cost{} [1h] sum by(provider)",
)
_TIME = Instant(
    name="time",
    key="at",
    about="The instant of the answer: RFC 3339, or seconds since 1970. Now unless given.",
)
_OVER = Length(
    name="range", key="length", about="Makes it an answer over time, of this length.", example="6h"
)
_SHOWN = Length(
    name="shown",
    about="Of an answer at one instant: the range that `$__range` in the query stands for. 1h unless given.",
)
_FORM = Choice(
    name="form",
    about="`prometheus`: values are texts, times seconds, and what is not known is left out. "
    "`full`: everything that is known of the answer.",
    words=("prometheus", "full"),
    default="prometheus",
)


class Answered(TypedDict):
    """An answer in Prometheus's form."""

    resultType: Literal["vector", "matrix"]
    result: list[dict[str, object]]
    unit: str


@dataclass(frozen=True, slots=True)
class Question:
    """A query with what belongs to it, as the parameters of the other way have it."""

    query: str
    time: Moment | None = None
    range: str = ""
    end: Moment | None = None
    since: Moment | None = None
    shown: str = ""
    points: int = 100
    form: Form = "prometheus"


@dataclass(frozen=True, slots=True)
class OneOfMany:
    """A query of a board: `range` is its own, and with `points` the answer is over time."""

    query: str
    range: str = ""
    points: Annotated[int, Field(strict=True, ge=0, le=MAX_POINTS)] = 0


@dataclass(frozen=True, slots=True)
class Many:
    """Queries answered from one moment, over `range` up to `end` where they have none of their own."""

    queries: list[OneOfMany]
    range: str = "1h"
    end: Moment | None = None
    since: Moment | None = None


_EITHER: Any = Answered | Result


class Questions:
    """Routes of queries."""

    def __init__(self, collector: "Collector") -> None:
        self._monitor = collector.monitor

    @get(
        "/monitor/v1/query", Need.READ, Group.QUERIES, _EITHER,
        params=(_QUERY, _TIME, _OVER, END, SINCE, _SHOWN, POINTS, _FORM),
    )  # fmt: skip
    async def query(
        self, text: str, at: Micros | None, length: Micros | None, end: Micros | None,
        since: Micros | None, shown: Micros | None, points: int, form: Form,
    ) -> Response:  # fmt: skip
        """The answer to a query, at one instant or over time.

        Without `range` it is of one instant, `time`; with it, over that range in about `points` steps. Who
        hangs up ends the query.
        """
        if length is not None:
            result = await self._monitor.query_range(text, looked_at(length, end, since), points)
        else:
            over = None if shown is None else looked_at(shown, None, since)
            result = await self._monitor.query(text, at=at, shown=over, points=points)
        # Millions of points take a second to write down.
        return await asyncio.to_thread(_answer, result, form)

    @post(
        "/monitor/v1/query", Need.READ, Group.QUERIES, _EITHER, reads=True,
        body=Body(Question, {"query": "cost{} [1h] sum by(provider)"}, required=True),
    )  # fmt: skip
    async def long_query(self, body: Question) -> Response:
        """The same for a query that is too long for an address."""
        if not 1 <= body.points <= MAX_POINTS:
            raise bad(f"points must be a whole number from 1 to {MAX_POINTS}")
        length, shown = _length("range", body.range), _length("shown", body.shown)
        return await self.query(
            body.query, body.time, length, body.end, body.since, shown, body.points, body.form
        )

    @post(
        "/monitor/v1/panels", Need.READ, Group.QUERIES, list[PanelAnswer], reads=True,
        body=Body(Many, {"queries": [{"query": "cost{} [today] sum"}], "range": "6h"}, required=True),
    )  # fmt: skip
    async def panels(self, body: Many) -> Response:
        """Answers to many queries, 150 at most, all from one moment: what the panels of a board show.

        Each has a `result`, or a `trouble` with the place in the query; one that fails takes no other along.
        """
        asked = [_panel(number, one) for number, one in enumerate(body.queries)]
        length = _length("range", body.range) or HOUR
        found = await self._monitor.panels(asked, looked_at(length, body.end, body.since))
        return await asyncio.to_thread(success, found)


def _panel(number: int, one: OneOfMany) -> PanelQuery:
    place = f"queries.{number}"
    text = _QUERY.read(one.query)
    return PanelQuery(text, _length(f"{place}.range", one.range) or 0, one.points)


def _length(name: str, text: str) -> Micros | None:
    try:
        return parse_duration(text) if text else None
    except UsageError as error:
        raise bad(f"{name}: {error.message}", error.hint) from error


def _answer(result: Result, form: Form) -> Response:
    data: Any = result if form == "full" else {**result.prometheus(), "unit": result.unit}
    return success(data, result.warnings)
