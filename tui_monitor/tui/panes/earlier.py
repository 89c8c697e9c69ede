"""What panes compare with: figures and courses of an earlier span, and the words and arrows for them."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from tui_monitor.model.clock import MINUTE
from tui_monitor.model.comparison import comparable, earlier
from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.units import UNKNOWN, count
from tui_monitor.monitor.before import Before, figures_of
from tui_monitor.query.beside import asked_of
from tui_monitor.tui.drawing import Glyphs
from tui_monitor.tui.drawing import Span as Piece
from tui_monitor.tui.link import Look
from tui_monitor.tui.panes.charts import Course
from tui_monitor.tui.words import change, earlier_words

if TYPE_CHECKING:
    from tui_monitor.costs.views import CostsView
    from tui_monitor.health.views import ProvidersView, SystemView
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.query.result import Result

_KEPT = 12
"""Answers about earlier spans that a pane keeps."""
_SAMPLED = 0.9
"""Share of the steps of a span that have samples, from which its mean counts."""
_SLOWER = 0.05
"""Share by which a latency differs before an arrow says so."""
_SAFER = 0.005
"""Difference of two rates before an arrow says so: half a percentage point."""


class Past:
    """Answers about earlier spans. What is over seldom changes: each is asked once a minute at most."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}
        self.month: CostsView | None = None
        """The month before, where it was wanted last."""

    async def figures(self, monitor: "Monitor", look: Look, names: Sequence[str]) -> Before:
        """These figures in the span that the look compares with."""
        span = look.earlier()
        if not comparable(look.oldest, span):
            return Before()
        return await self._once(
            (*_key(look), tuple(names)), lambda: figures_of(monitor, span, look.oldest, names)
        )

    async def course(self, monitor: "Monitor", text: str, look: Look, points: int) -> Course | None:
        """The course of a query over that span, where one is wanted beside the present."""
        if not look.beside:
            return None
        span, present = look.earlier(), look.shown.span(look.at)

        async def ask() -> Course:
            result = await monitor.query_range(text, TimeRange(span.length, span.end), points)
            words = earlier_words(look.shown, look.against, look.at, look.calendar)
            return Course(result, present.start - span.start, words)

        return await self._once((*_key(look), text, points), ask)

    async def value(
        self, monitor: "Monitor", text: str, look: Look, points: int, found: "Result"
    ) -> "Result | None":
        """The answer about the span before the one that `found` is about, where it is wanted beside that."""
        if not look.beside:
            return None
        # A query may have a range of its own, which is not the one that is shown.
        span = earlier(found.span or look.shown.span(look.at), look.against, look.calendar)
        length = look.earlier().length

        async def ask() -> "Result":
            result = await asked_of(
                span, lambda at: monitor.query(text, at=at, shown=TimeRange(length, at), points=points)
            )
            whole = result is not None and (result.span is None or comparable(look.oldest, result.span))
            return result if result is not None and whole else replace(found, series=())

        return await self._once((*_key(look), text, points, "value"), ask)

    async def calls(self, monitor: "Monitor", text: str, look: Look) -> int | None:
        """How many calls passed a filter in that span; unknown where it was not recorded whole."""
        span = look.earlier()
        if not comparable(look.oldest, span):
            return None
        then = TimeRange(span.length, span.end)
        return await self._once((*_key(look), text, "calls"), lambda: monitor.count_calls(text, then))

    async def host(self, monitor: "Monitor", look: Look, points: int) -> Mapping[str, float]:
        """The mean of each figure of the host over that span, by its name."""
        span = look.earlier()

        async def ask() -> Mapping[str, float]:
            then = await monitor.system(TimeRange(span.length, span.end), points)
            return means(then)

        return await self._once((*_key(look), points, "host"), ask)

    async def last_month(self, monitor: "Monitor", look: Look, *, wanted: bool) -> None:
        """Have the spend of the month before, by days, or none where it is not wanted."""
        at = look.shown.end

        async def ask() -> "CostsView":
            return await monitor.costs("provider", "last_month", at=at)

        key = "last_month", at, look.at // MINUTE
        self.month = await self._once(key, ask) if wanted else None

    async def _once(self, key: Hashable, ask: Callable[[], Awaitable[Any]]) -> Any:
        if key not in self._known:
            answer = await ask()
            while len(self._known) >= _KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[key] = answer
        return self._known[key]


def means(view: "SystemView") -> Mapping[str, float]:
    """The mean of each figure of the host over the span, by its name, where it was sampled throughout."""
    found: dict[str, float] = {}
    for gauge in (*view.gauges, *view.queues, *view.programs):
        known = [value for value in gauge.spark if value is not None]
        # A mean over a part of a span says nothing about the whole of another.
        if known and len(known) >= _SAMPLED * len(gauge.spark):
            found[gauge.name] = sum(known) / len(known)
    return found


def _key(look: Look) -> tuple[Hashable, ...]:
    return look.shown, look.against, look.at // MINUTE, look.oldest


def against(look: Look) -> tuple[Hashable, ...]:
    """What the person chose to compare with, as part of what a pane asks."""
    return look.against, look.beside


def trend(
    value: float | None, before: float | None, good: Literal["up", "down"], glyphs: Glyphs, least: float
) -> Piece:
    """An arrow where an average moved by more than `least`, in the colour that says whether that is good."""
    if value is None or before is None or abs(value - before) <= least:
        return (" ", "")
    rises = value > before
    return (glyphs.up if rises else glyphs.down, "ok" if rises == (good == "up") else "warn")


def slower(value: float | None, before: float | None, glyphs: Glyphs) -> Piece:
    """The arrow of a latency."""
    return trend(value, before, "down", glyphs, _SLOWER * (before or 0.0))


def safer(value: float | None, before: float | None, glyphs: Glyphs) -> Piece:
    """The arrow of a share of success."""
    return trend(value, before, "up", glyphs, _SAFER)


def riskier(value: float | None, before: float | None, glyphs: Glyphs) -> Piece:
    """The arrow of a share of errors."""
    return trend(value, before, "down", glyphs, _SAFER)


def total_words(view: "ProvidersView", before: Before, look: Look) -> list[Piece]:
    """All requests of the range, with their change against the earlier span where that is known."""
    known = [row.requests for row in view.rows if row.requests is not None]
    if not known:
        return []
    said: list[Piece] = [("   ", ""), (count(sum(known)), "bright"), (" requests", "dim")]
    words, _ = change(sum(known), sum(before.requests.values()) if before.requests else None)
    if words != UNKNOWN:
        than = earlier_words(look.shown, look.against, look.at, look.calendar)
        said += [(f" {words}", ""), (f" against {than}", "dim")]
    return said
