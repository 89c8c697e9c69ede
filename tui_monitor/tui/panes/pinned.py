"""Queries that are pinned: each a chart or a table of its own, side by side where there is room, all live."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message

from tui_monitor.model.errors import MonitorError
from tui_monitor.tui.link import Look
from tui_monitor.tui.panes.answers import table_columns, table_rows
from tui_monitor.tui.panes.base import Pane, Question
from tui_monitor.tui.panes.charts import chart_of, firing_marks
from tui_monitor.tui.panes.earlier import Past
from tui_monitor.tui.panes.queryasking import QueryAnswer, question_of_numbers
from tui_monitor.tui.panes.querykept import Pin
from tui_monitor.tui.panes.querylines import how_many
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.figure import ChartData
from tui_monitor.tui.widgets.grid import Grid
from tui_monitor.tui.widgets.lines import Line, Lines

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.query.result import Result
    from tui_monitor.tui.exporting import Export

_WIDE = 58
"""Cells of a panel at least, where there is more than one beside each other."""
_AT_ONCE = 2
"""Panels that ask at the same time: slow ones leave room for the frame and for what is typed."""
_HIGH = 12
"""Lines of a panel at least; what has no room is scrolled to."""


class Pinned(VerticalScroll):
    """The pinned queries on one grid. A panel has the focus; what it knows of keys is the pane's."""

    can_focus = False

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._pins: tuple[Pin, ...] = ()
        self._gate = asyncio.Semaphore(_AT_ONCE)

    @property
    def panels(self) -> "list[Panel]":
        """All of them, in their order."""
        return list(self.query_children(Panel))

    @property
    def chosen(self) -> "Panel | None":
        """The one that has the focus, or whose chart has it."""
        focused = self.screen.focused
        ours = (one for one in self.panels if focused is one or (focused and one in focused.ancestors))
        return next(ours, None)

    async def put(self, pins: tuple[Pin, ...]) -> None:
        """Show these, those that are there already as they are."""
        if pins == self._pins:
            return
        self._pins = pins
        there = {panel.pin.text: panel for panel in self.panels}
        wanted = {pin.text for pin in pins}
        for text, panel in there.items():
            if text not in wanted:
                await panel.remove()
        await self.mount_all(Panel(pin, self._gate) for pin in pins if pin.text not in there)
        self._arrange()

    def step(self, step: int) -> None:
        """Give the focus to another panel."""
        panels, chosen = self.panels, self.chosen
        if panels:
            at = panels.index(chosen) if chosen in panels else -1
            panels[(at + step) % len(panels)].focus()

    def update(self, look: Look, *, force: bool = False) -> None:
        """Each asks for itself: one that is slow or fails keeps none of the others waiting."""
        for panel in self.panels:
            panel.update(look, force=force)

    def exported(self) -> "Export":
        """The chosen one as a table, and all of them for programs."""
        from tui_monitor.tui.exporting import Export
        from tui_monitor.tui.panes.callexport import result_table

        shown = None if self.chosen is None else self.chosen.shown
        data = {"pinned": [panel.data() for panel in self.panels]}
        return Export("query", shown and result_table(shown), data)

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """As many beside each other as have room, and as high as they all have room, if they have."""
        count, size = len(self._pins), self.size
        columns = max(1, min(count, size.width // _WIDE))
        rows = max(1, -(-count // columns))
        self.styles.grid_size_columns = columns
        between = rows - 1
        self.styles.grid_rows = f"{max(_HIGH, (size.height - between) // rows)}"


class Panel(Pane[QueryAnswer]):
    """One pinned query: its text, what came of it, its chart or table."""

    can_focus = True
    DEFAULT_CLASSES = "panel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Ask it in the query line", show=False, id="panel.open"),
        Binding("down,j,right", "step(1)", "The next panel", show=False, id="panel.next"),
        Binding("up,k,left", "step(-1)", "The panel before", show=False, id="panel.previous"),
    ]

    class Opened(Message):
        """Somebody wants to see this query in the line."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, pin: Pin, gate: asyncio.Semaphore) -> None:
        """`gate` lets some of all panels ask at once; it is waited for on the collector's loop only."""
        super().__init__(id=f"pin-{abs(hash(pin.text))}")
        self.pin = pin
        self._gate = gate
        self._table = pin.table
        self._past = Past()
        self._error: MonitorError | None = None
        self._head = Lines([self._title()], classes="panel--head")
        self._chart = Chart()
        self._list = Grid(())
        self._list.can_focus = False

    def compose(self) -> ComposeResult:
        yield self._head
        yield self._trouble
        yield self._chart
        yield self._list

    @property
    def points(self) -> int:
        return self._steps_in(self.size.width or self.app.size.width)

    def question(self, look: Look) -> Question | None:
        asked = question_of_numbers(self.pin.text, look, self.points, cast(Any, self.app).timer, self._past)

        async def ask(monitor: "Monitor") -> QueryAnswer:
            async with self._gate:
                return await asked.ask(monitor)

        return replace(asked, ask=ask)

    def show(self, answer: QueryAnswer, look: Look) -> None:
        self._error = None
        self.set_class(self._table, "-table")
        warned = (*answer.over.warnings, *answer.now.warnings)
        about = answer.over.approximate or answer.now.approximate
        shown = answer.now if self._table else answer.over
        words = f"{how_many(shown)}{f' {self.glyphs.about}' if about else ''}"
        glyph = ((f"  {self.glyphs.warn} {warned[0]}", "warn"),) if warned else ()
        self._head.show([self._title(words), *([Line(glyph)] if glyph else [])])
        if self._table:
            width = max(30, self.size.width)
            self._list.say_empty("no data in this time range")
            self._list.set_columns(table_columns(answer.now, width, answer.then))
            self._list.show(table_rows(answer.now, self.glyphs, width, answer.then))
        else:
            marks, course = firing_marks(look), answer.course
            about = self.pin.text
            chart = chart_of(
                answer.over, look, self.colours, now=answer.now, about=about, marks=marks, before=course
            )
            self._chart.show(chart)

    def trouble(self, error: MonitorError) -> None:
        """Say it below the query; what is wrong with one keeps none of the others waiting."""
        super().trouble(error)
        self._error = error
        if self.answer is None:
            self._chart.show(ChartData(empty="no answer"))

    def _title(self, right: str = "") -> Line:
        text = " ".join(self.pin.text.split())
        return Line(((" ", ""), (text, "bright bold")), ((right, "dim"),) if right else ())

    @property
    def shown(self) -> "Result | None":
        """What of its answer is to be seen."""
        if self.answer is None:
            return None
        return self.answer.now if self._table else self.answer.over

    def data(self) -> dict[str, Any]:
        """For programs: its query and what came of it, in Prometheus's form."""
        form: dict[str, Any] = {"query": self.pin.text, "widget": "table" if self._table else "chart"}
        if self.shown is not None:
            form |= {**self.shown.prometheus(), "unit": self.shown.unit}
        return form if self._error is None else {**form, "error": self._error.message}

    def turn(self) -> Pin:
        """Table instead of chart, or the other way; the pin as it is now."""
        self._table = not self._table
        self.pin = Pin(self.pin.text, self._table)
        if self.answer is not None and self.look is not None:
            self.show(self.answer, self.look)
        return self.pin

    def action_open(self) -> None:
        """Ask it in the line."""
        self.post_message(self.Opened(self.pin.text))

    def action_step(self, step: int) -> None:
        """Go to another panel."""
        for node in self.ancestors:
            if isinstance(node, Pinned):
                node.step(step)
