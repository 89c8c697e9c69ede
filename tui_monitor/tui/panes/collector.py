"""Collector: how the program itself is doing, what makes it slow, and what of it does not work."""

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from tui_monitor.tui import commands
from tui_monitor.tui.link import Look
from tui_monitor.tui.messages import QueryWanted
from tui_monitor.tui.panes.base import Question
from tui_monitor.tui.panes.sifting import SiftingPane
from tui_monitor.tui.panes.upkeeplines import SPARK, WIDE_SPARK, columns, head_lines, query_of, rows_of
from tui_monitor.tui.widgets.grid import Grid
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.sifted import SiftedGrid

if TYPE_CHECKING:
    from tui_monitor.health.upkeep import Upkeep
    from tui_monitor.monitor.api import Monitor

_EVERY = 2_000_000
"""µs between two looks while nothing else changes: its own state does."""
_NOTHING = "Nothing is known of a collector: nobody collects, and nobody did in this time range."


class CollectorPane(SiftingPane["Upkeep"]):
    """Its state in lines, and below them slow queries, figures, rules and parts in one list."""

    PRESENT = "the collector"
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("collector")

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._head = Lines([Line.of(" COLLECTOR", "accent bold")], classes="head")
        self._list = SiftedGrid(columns(120), id="collector-list")

    def body(self) -> ComposeResult:
        yield self._head
        yield self._list

    def question(self, look: Look) -> Question:
        shown = look.shown
        points = WIDE_SPARK if self.app.size.width >= 150 else SPARK

        async def ask(monitor: "Monitor") -> "Upkeep":
            return await monitor.upkeep(shown, points)

        return Question((shown, points), (look.moment(points), look.collector, look.at // _EVERY), ask)

    def show(self, answer: "Upkeep", look: Look) -> None:
        width = self.app.size.width
        self._head.show(head_lines(answer, look, self.glyphs, width))
        self._list.set_columns(columns(width))
        self._list.say_empty(_NOTHING)
        self._list.show(rows_of(answer, look, self.glyphs, width))

    @on(Grid.Opened)
    def _opened(self, event: Grid.Opened) -> None:
        query = query_of(self.answer, event.key) if self.answer else ""
        if query:
            self.post_message(QueryWanted(query))
