"""What the Query pane asks for a text: numbers over the range and at its end, or the calls of a filter."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_monitor.model.timerange import TimeRange
from tui_monitor.tui.link import Look
from tui_monitor.tui.panes.base import Question
from tui_monitor.tui.panes.charts import Course
from tui_monitor.tui.panes.earlier import Past, against

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.query.result import CallList, Result


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The answer over the shown range, and the one at its end."""

    text: str
    over: "Result"
    now: "Result"
    took: float
    """Seconds that both took, without the way there and back."""
    promql: str
    """What it is in PromQL, or why it is not."""
    course: "Course | None" = None
    """The answer over an earlier span, where one is drawn beside it, and the one at its end."""
    then: "Result | None" = None


@dataclass(frozen=True, slots=True)
class CallsAnswer:
    """The newest calls that pass a filter."""

    text: str
    found: "CallList"
    shown: TimeRange
    took: float
    """As above."""


def question_of_numbers(
    text: str, look: Look, points: int, timer: Callable[[], float], past: Past | None = None
) -> Question:
    """A query, over the range in about so many steps and at its end; `timer` counts seconds.

    With a `past` also over the earlier span that the look compares with, where one is wanted.
    """
    shown = look.shown

    async def ask(monitor: "Monitor") -> QueryAnswer:
        from tui_monitor.query.desugar import explained
        from tui_monitor.query.variables import filled

        began = timer()
        over = await monitor.query_range(text, shown, points)
        now = await monitor.query(text, at=shown.end, shown=shown, points=points)
        took = timer() - began
        course = await past.course(monitor, text, look, points) if past else None
        then = await past.value(monitor, text, look, points, now) if past else None
        promql, why = explained(filled(text, shown.length, look.step(points)).text)
        return QueryAnswer(text, over, now, took, promql or f"not in PromQL: {why}", course, then)

    return Question((text, shown, look.step(points), *against(look)), look.moment(points), ask)


def question_of_calls(
    text: str, look: Look, points: int, wanted: int, timer: Callable[[], float]
) -> Question:
    """The newest calls that pass a filter, so many at most."""
    shown = look.shown

    async def ask(monitor: "Monitor") -> CallsAnswer:
        began = timer()
        found = await monitor.calls(text, shown, wanted)
        return CallsAnswer(text, found, shown, timer() - began)

    return Question((text, shown, wanted), look.moment(points), ask)
