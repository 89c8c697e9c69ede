"""Sources: each way in, each door and each loop of the collector; pausing and trying again."""

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from tui_monitor.model.errors import MonitorError
from tui_monitor.model.states import SourceState
from tui_monitor.tui import commands
from tui_monitor.tui.link import Look, ask, who_acts
from tui_monitor.tui.panes.base import Question
from tui_monitor.tui.panes.sifting import SiftingPane
from tui_monitor.tui.panes.sourcelines import columns, detail_lines, head_line, rows_of
from tui_monitor.tui.widgets.grid import Grid
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.sifted import SiftedGrid

if TYPE_CHECKING:
    from tui_monitor.health.views import CollectorStatus, SourceRow
    from tui_monitor.monitor.api import Monitor

_NOBODY = """Nobody collects into this database, so there is no way in.

tui-monitor                    collects while this dashboard is open
tui-monitor collect --detach   goes on without one"""

_SILENT = """{} writes this database and does not answer: how its ways in are doing is not known.

tui-monitor collect --stop     ends it, if it still can"""


class SourcesPane(SiftingPane["CollectorStatus | None"]):
    """The list, and below it what is known of the one under the cursor."""

    PRESENT = "sources"
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("sources")

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._head = Lines([Line.of(" SOURCES", "accent bold")], classes="head")
        self._list = SiftedGrid(columns(120), id="sources-list")
        self._detail = Lines(id="sources-detail")

    def body(self) -> ComposeResult:
        yield self._head
        yield self._list
        yield self._detail

    def question(self, look: Look) -> Question:
        status = look.collector

        async def ask(_: "Monitor") -> "CollectorStatus | None":
            # The frame's snapshot has told it already.
            return status

        return Question((look.shown, look.frozen), (status, look.at // 60_000_000, self.app.size), ask)

    def skipped(self) -> tuple[str, ...]:
        """`esc` is offered where there is something to leave."""
        return () if self.has_class("-detail") and not self._typing else super().skipped()

    def show(self, answer: "CollectorStatus | None", look: Look) -> None:
        width = self.app.size.width
        rows = answer.sources if answer else ()
        self._head.show([head_line(answer, look, self.glyphs)])
        self._list.set_columns(columns(width))
        silent = answer.silent if answer else ""
        self._list.say_empty(_SILENT.format(silent.capitalize()) if silent else _NOBODY)
        self._list.show(rows_of(rows, look, width, self.glyphs))
        self._show_detail()

    def _show_detail(self) -> None:
        row, look = self._here(), self.look
        if row is None or look is None:
            self._detail.show([])
            return
        width, height = self.app.size
        lines = detail_lines(row, look, width, self.glyphs, self.keymap)
        self._detail.show(lines if self.has_class("-detail") else lines[: max(4, height // 5)])

    def _here(self) -> "SourceRow | None":
        """What is under the cursor."""
        rows = self.answer.sources if self.answer else ()
        return next((row for row in rows if row.name == self._list.cursor), None)

    @on(Grid.Moved)
    def _moved(self) -> None:
        self._show_detail()

    @on(Grid.Opened)
    def _opened(self) -> None:
        self._turn(not self.has_class("-detail"))

    def action_leave(self) -> None:
        """From the detail back to the list, from a filter to all rows."""
        if self.has_class("-detail") and not self._typing:
            self._turn(False)
        else:
            super().action_leave()

    def _turn(self, whole: bool) -> None:
        self.set_class(whole, "-detail")
        self._show_detail()
        self.hints_changed()

    # Acting. The source is the one of the key press, whatever the list does meanwhile.

    def action_pause_source(self) -> None:
        """Pause the source under the cursor, or let it go on."""
        row = self._here()
        if row is None:
            return
        if not row.pausable:
            self.app.notify(f"{row.name} is no source: it cannot be paused", severity="warning")
        elif row.state is SourceState.OFF:
            self.app.notify(f"{row.name} is off: {row.detail}" if row.detail else f"{row.name} is off")
        elif row.state is SourceState.PAUSED:
            self.run_worker(partial(self._resume, row.name, "goes on"), group="acting")
        else:
            self.run_worker(partial(self._pause, row.name), group="acting")

    def action_retry(self) -> None:
        """Try again at once what failed or waits."""
        row = self._here()
        if row is None:
            return
        if row.state not in (SourceState.FAILED, SourceState.PAUSED):
            self.app.notify(f"{row.name} is {row.state.value}: there is nothing to try again")
            return
        self.run_worker(partial(self._resume, row.name, "is tried again"), group="acting")

    async def _pause(self, name: str) -> None:
        who = who_acts(self.backend)
        try:
            await ask(self.backend, lambda monitor: monitor.pause_source(name, who))
        except MonitorError as error:
            self.tell_error(error)
            return
        self.app.notify(f"{name} is paused – p lets it go on")

    async def _resume(self, name: str, words: str) -> None:
        who = who_acts(self.backend)
        try:
            await ask(self.backend, lambda monitor: monitor.resume_source(name, who))
        except MonitorError as error:
            self.tell_error(error)
            return
        self.app.notify(f"{name} {words}")
