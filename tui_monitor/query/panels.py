"""Many queries at once, as the panels of a board ask them: each has its own answer, or its own trouble."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import MonitorError, QueryError, UnknownMetric, UsageError
from tui_monitor.model.timerange import TimeRange, step_for
from tui_monitor.query.engine import Engine
from tui_monitor.query.promql.limits import QueryCancelled, QueryLimit, QueryTimeout
from tui_monitor.query.result import Result
from tui_monitor.query.variables import answered

MOST = 150
"""Queries that are answered at once."""
_STEPS = 60
"""Steps by which `$__interval` is reckoned where an answer has one instant only."""


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """One query of a board. `length` (µs) is its own range of time, 0 the one that is shown.

    With `points` the answer is over time, in at most about so many steps; with 0 it is of the end.
    """

    text: str
    length: Micros = 0
    points: int = 0


@dataclass(frozen=True, slots=True)
class PanelTrouble:
    """Why a query has no answer: `position` and `length` are its place in `text`, where it has one."""

    message: str
    hint: str = ""
    text: str = ""
    position: int = 0
    length: int = 1
    unknown: bool = False
    """Whether it asks for a metric of which nothing is known: perhaps nobody has sent it yet."""

    def pointed(self) -> str:
        """The query with carets under the place, then the message; plain text."""
        return QueryError(self.message, text=self.text, position=self.position, length=self.length).pointed()


@dataclass(frozen=True, slots=True)
class PanelAnswer:
    """What came of one query: an answer or a trouble."""

    result: Result | None = None
    trouble: PanelTrouble | None = None


def answers(
    engine: Engine, asked: Sequence[PanelQuery], shown: TimeRange, now: Micros, cancel: threading.Event
) -> tuple[PanelAnswer, ...]:
    """One answer for each query, in their order. Raises `StoreError`, `QueryCancelled`, and `UsageError`
    for more queries than are answered at once; what is wrong with one query is in its answer.
    """
    if len(asked) > MOST:
        raise UsageError(f"{len(asked)} queries at once; {MOST} are the most")
    return tuple(_answer(engine, one, shown, now, cancel) for one in asked)


def _answer(
    engine: Engine, one: PanelQuery, shown: TimeRange, now: Micros, cancel: threading.Event
) -> PanelAnswer:
    span = (TimeRange(one.length, shown.end) if one.length else shown).span(now)
    step = step_for(span.length, one.points or _STEPS)
    ask = (
        partial(engine.range, start=span.start, end=span.end, step=step, cancel=cancel)
        if one.points
        else partial(engine.instant, at=span.end, cancel=cancel)
    )
    try:
        return PanelAnswer(answered(one.text, span.length, step, ask))
    except QueryCancelled:
        raise
    except (QueryError, QueryLimit, QueryTimeout) as error:
        return PanelAnswer(trouble=trouble(error))


def trouble(error: MonitorError) -> PanelTrouble:
    """An error of a query as what a panel says."""
    if not isinstance(error, QueryError):
        return PanelTrouble(error.message, error.hint or "")
    return PanelTrouble(
        error.message, error.hint or "", error.text, error.position, error.length,
        isinstance(error, UnknownMetric),
    )  # fmt: skip
