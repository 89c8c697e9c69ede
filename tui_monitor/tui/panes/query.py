"""Query: ask anything. The answer keeps up with the data: chart and series, a table, or single calls."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.timer import Timer
from textual.widget import Widget

from tui_monitor.model.errors import MonitorError, QueryError
from tui_monitor.model.timerange import TimeRange
from tui_monitor.query.filters.reading import is_filter
from tui_monitor.tui import commands
from tui_monitor.tui.exporting import Export
from tui_monitor.tui.link import Look, ask
from tui_monitor.tui.messages import HintsChanged
from tui_monitor.tui.panes import queryhints
from tui_monitor.tui.panes.answers import series_columns, series_rows, table_columns, table_rows
from tui_monitor.tui.panes.base import Question
from tui_monitor.tui.panes.callexport import calls_export, calls_table, result_table
from tui_monitor.tui.panes.calllist import call_columns, call_rows, key_of
from tui_monitor.tui.panes.callsheet import CallSheet
from tui_monitor.tui.panes.charts import chart_of, firing_marks
from tui_monitor.tui.panes.earlier import Past
from tui_monitor.tui.panes.queryasking import (
    CallsAnswer,
    QueryAnswer,
    question_of_calls,
    question_of_numbers,
)
from tui_monitor.tui.panes.queryexamples import EXAMPLES
from tui_monitor.tui.panes.querykeeping import KeepingPane
from tui_monitor.tui.panes.querykept import asked_before, remember_asked
from tui_monitor.tui.panes.querylines import MOST, Total, answer_lines, other_lines
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.grid import Cell, Column, Grid, GridRow
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.prompt import Prompt
from tui_monitor.tui.widgets.syntax import painted

if TYPE_CHECKING:
    from tui_monitor.model.call import Call
    from tui_monitor.query.result import Completion

_EXAMPLE_COLUMNS = (Column("text", "try one of these", min=30, max=60), Column("help", "", min=10, max=70))
PAGE = 200
"""Calls that are listed at first, and how many come with each step down."""
PAUSE = 0.3
"""Seconds without a key after which a line is asked that was not sent."""
_AHEAD = 50
"""More are asked for when so many are left below."""


class QueryPane(KeepingPane):
    """The line, what came of it, the chart, the series; of a filter the calls, and one of them whole."""

    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("query")

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._text = ""
        self._table = False
        self._past = Past()
        self._prompt = Prompt(
            placeholder="latency{} [1h] p95 by(model)",
            completer=self._complete,
            painter=painted,
            id="query-line",
        )
        self._state = Lines([Line()], id="query-state")
        self._chart = Chart(id="query-chart")
        self._list = Grid(_EXAMPLE_COLUMNS, id="query-list")
        self._sheet = CallSheet(id="query-call")
        self._wanted = PAGE
        self._total: Total | None = None
        self._counting = False
        self._explaining = False
        self._waiting: Timer | None = None
        """Until somebody who types has paused for so long that the line is asked."""
        self._trying = False
        """Whether what is asked was not sent, only typed: what is wrong with it is not said yet."""

    def body(self) -> ComposeResult:
        yield self._prompt
        yield self._state
        yield self._chart
        yield self._list
        yield self._sheet
        yield self.pinned

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self._know_history, group="history")
        self._list.show(
            [
                GridRow(text, {"text": Cell(text, "bright"), "help": Cell(what, "dim")})
                for text, what in EXAMPLES
            ]
        )
        self.add_class("-unasked")

    def first(self) -> Widget:
        """The line while nothing was asked; then the answer, so that keys are keys."""
        if self.on_pinned and self.pinned.panels:
            return self.pinned.chosen or self.pinned.panels[0]
        return self._sheet if self._sheet.call else self._list if self._text else self._prompt

    @property
    def asked(self) -> str:
        return "" if self.answer is None else self.answer.text

    @property
    def as_table(self) -> bool:
        return self._table

    def skipped(self) -> tuple[str, ...]:
        """While one types, only keys that are not letters do anything."""
        if self._typing:
            return (*queryhints.while_typing(), *self.keymap.letters())
        if self.on_pinned:
            return queryhints.on_pinned()
        if self._sheet.call is not None:
            return queryhints.on_call()
        return queryhints.on_answer(self.answer, table=self._table)

    @property
    def _typing(self) -> bool:
        focused = self.screen.focused
        return focused is not None and self._prompt in focused.ancestors

    # Asking.

    def ask_for(self, text: str) -> None:
        """Ask this, and have it in the line."""
        self._prompt.value = text
        self._submit(text)
        self._list.focus()

    @on(Prompt.Submitted)
    def _submitted(self, event: Prompt.Submitted) -> None:
        self._submit(event.value)

    @on(Prompt.Changed)
    def _edited(self, event: Prompt.Changed) -> None:
        self._prompt.clear_error()
        if event.value != self._text and self.asking:
            # Whoever types on does not wait for the answer to what stood there.
            self.drop_question()
            self._go_back()
        self._wait(event.value)
        if self.answer is not None:
            self._show_state(self.answer)

    def _go_back(self) -> None:
        """What is asked again is what has its answer there."""
        self._text, self._trying = self.asked, False

    def _wait(self, text: str) -> None:
        """Ask what is typed once nobody types on, where that is wanted."""
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None
        settings = self.backend.settings
        wanted = settings is not None and settings.screen.ask_while_typing
        if wanted and self._typing and text.strip() and text.strip() != self._text.strip():
            self._waiting = self.set_timer(PAUSE, self._try)

    def _try(self) -> None:
        text = self._prompt.value
        if self._typing and not self._prompt.searching and text.strip() and not self.on_pinned:
            self._wanted = PAGE
            self._text, self._trying = text, True
            self.ask_again()

    @on(Grid.Opened, "#query-list")
    def _opened(self, event: Grid.Opened) -> None:
        if self.answer is None:
            self.ask_for(event.key)
        elif isinstance(self.answer, CallsAnswer):
            self._show_call(self._call(event.key))

    @on(Grid.Opened, "#query-call")
    def _neighbour(self, event: Grid.Opened) -> None:
        near = self._sheet.near(event.key)
        if near is not None:
            self._list.move_to(key_of(near))
            self._show_call(near)

    def _call(self, key: str | None) -> "Call | None":
        calls = self.answer.found.calls if isinstance(self.answer, CallsAnswer) else ()
        return next((call for call in calls if key_of(call) == key), None)

    @on(Grid.Moved, "#query-list")
    @on(Grid.Scrolled, "#query-list")
    def _went_down(self) -> None:
        answer = self.answer
        if not isinstance(answer, CallsAnswer) or answer.found.after is None:
            return
        loaded = len(answer.found.calls)
        if self._list.bottom >= loaded - _AHEAD and self._wanted <= loaded < MOST:
            self._wanted = min(MOST, loaded + PAGE)
            self.changed()

    def _submit(self, text: str) -> None:
        if not text.strip():
            return
        if text != self._text:
            self._wanted = PAGE
        self._wait("")
        self._text, self._trying = text, False
        self.leave_pinned()
        self._show_call(None)
        self._prompt.clear_error()
        self._remember(text)
        self.ask_again()

    def _remember(self, text: str) -> None:
        """For the next time too, of every window of this user."""
        self._prompt.history.add(text)
        # Not `exclusive`: each of them is to be kept.
        self.run_worker(partial(remember_asked, text), group="history", thread=True)

    async def _know_history(self) -> None:
        self._prompt.history.know(await asyncio.to_thread(asked_before))

    async def _complete(self, text: str, cursor: int) -> "Sequence[Completion]":
        try:
            return await ask(self.backend, lambda monitor: monitor.complete(text, cursor))
        except MonitorError:
            return ()

    def question(self, look: Look) -> Question | None:
        if not self._text:
            return None
        timer = cast(Any, self.app).timer
        if is_filter(self._text):
            return question_of_calls(self._text, look, self.points, self._wanted, timer)
        return question_of_numbers(self._text, look, self.points, timer, self._past)

    # Showing.

    def show(self, answer: QueryAnswer | CallsAnswer, look: Look) -> None:
        self._trying = False
        self.remove_class("-unasked")
        self.set_class(isinstance(answer, CallsAnswer), "-calls")
        self._show_state(answer)
        if isinstance(answer, CallsAnswer):
            self._show_calls(answer, look)
        else:
            self._show_numbers(answer, look)

    def _show_numbers(self, answer: QueryAnswer, look: Look) -> None:
        marks, course = firing_marks(look), answer.course
        chart = chart_of(
            answer.over, look, self.colours, now=answer.now, about=answer.text, marks=marks, before=course
        )
        self._chart.show(chart)
        self.set_class(self._table, "-table")
        self._list.say_empty("no data in this time range")
        if self._table:
            width = self.app.size.width
            self._list.set_columns(table_columns(answer.now, width, answer.then))
            self._list.show(table_rows(answer.now, self.glyphs, width, answer.then))
        else:
            # Buckets have shades.
            colours = {} if chart.bounds else {line.name: line.index for line in chart.series}
            self._list.set_columns(series_columns(answer.now.unit, answer.then))
            self._list.show(series_rows(answer.over, answer.now, colours, self.glyphs, answer.then))

    def _show_calls(self, answer: CallsAnswer, look: Look) -> None:
        self._list.say_empty("no such call in this time range")
        self._list.set_columns(call_columns(answer.found, self.app.size.width))
        self._list.show(call_rows(answer.found, look, self.glyphs))
        if answer.found.after is not None and not self._counting:
            self._counting = True
            self.run_worker(partial(self._count, answer.text, answer.shown), group="count")

    async def _count(self, text: str, shown: TimeRange) -> None:
        """How many calls there are may take longer than to find the newest."""
        try:
            total = await ask(self.backend, lambda monitor: monitor.count_calls(text, shown))
        except MonitorError:
            return
        finally:
            self._counting = False
        self._total = (text, shown, total)
        if self.answer is not None:
            self._show_state(self.answer)

    def _show_call(self, call: "Call | None") -> None:
        """One call whole, or the list again."""
        if self.look is None or (call is None and self._sheet.call is None):
            return
        self._sheet.open(call, self.look)
        self.set_class(call is not None, "-detail")
        self.first().focus()
        self.hints_changed()

    def _show_state(self, answer: QueryAnswer | CallsAnswer) -> None:
        """The line about the answer; what answers another line than the one that stands there is dim."""
        self.set_class(answer.text.strip() != self._prompt.value.strip(), "-other")
        self._state.show(self._state_lines(answer))

    def _state_lines(self, answer: QueryAnswer | CallsAnswer) -> list[Line]:
        if self.has_class("-other"):
            return other_lines(answer.text)
        return answer_lines(
            answer, self.glyphs, self.app.size.width, turns=self.keymap.key("query.view"),
            table=self._table, explaining=self._explaining, total=self._total,
        )  # fmt: skip

    def trouble(self, error: MonitorError) -> None:
        """An error in the text stands under its character; any other where all panes have it."""
        if isinstance(error, QueryError):
            # No source failed: it is this text that has no answer.
            self.forget_trouble()
            if self._trying:
                # Half a line is no mistake: the last good answer stays, with its text.
                self._go_back()
            elif self._prompt.value == self._text:
                # What was filled in for a variable has no place in the line.
                whole = error.text != self._text
                place = (0, len(self._text)) if whole else (error.position, error.length)
                self._prompt.show_error(*place, error.message, error.hint or "")
        else:
            super().trouble(error)
        if self.answer is not None:
            self._show_state(self.answer)

    # Taking something along.

    def exported(self) -> Export:
        """The answer as the API gives it; over time, one column for each series."""
        if self.on_pinned:
            return self.pinned.exported()
        answer = self.answer
        if isinstance(answer, CallsAnswer):
            if self._sheet.call is not None:
                return Export("call", calls_table([self._sheet.call]), self._sheet.view)
            return calls_export(answer.found.filter, answer.found.calls)
        shown = None if answer is None else answer.now if self._table else answer.over
        return Export("query", shown and result_table(shown), shown and shown.prometheus())

    def named(self, grid: Grid, row: GridRow) -> tuple[str, str]:
        """The query; of one of many calls its id."""
        if isinstance(self.answer, CallsAnswer):
            call = self._call(row.key) if grid is self._list else self._sheet.near(row.key)
            return super().named(grid, row) if call is None else ("id", call.id)
        return "query", row.key if self.answer is None else self._text

    def copied(self) -> tuple[str, str] | None:
        """Of the pinned queries the chosen one."""
        panel = self.pinned.chosen if self.on_pinned else None
        return super().copied() if panel is None else ("query", panel.pin.text)

    # Commands.

    def action_line(self) -> None:
        """Go to the query line."""
        self._prompt.focus()

    def action_leave_line(self) -> None:
        """Go from the line to the answer, from a call back to the list."""
        if self.on_pinned:
            self.leave_pinned()
        elif self._sheet.call is not None:
            self._show_call(None)
        else:
            self._list.focus()

    def action_step(self, step: int) -> None:
        """The sheet of the next call down the list, or up."""
        if self._sheet.call is not None:
            self._list.action_move(step)
            self._show_call(self._call(self._list.cursor))

    def action_explain(self) -> None:
        """Show how the query was read, or hide it."""
        self._explaining = not self._explaining
        if self.answer is not None:
            self._show_state(self.answer)

    async def action_view(self) -> None:
        """Table or chart."""
        if self.on_pinned:
            await self.turn_panel()
        elif isinstance(self.answer, QueryAnswer) and self.look is not None:
            self._table = not self._table
            self.show(self.answer, self.look)
            self.post_message(HintsChanged())
