"""Query: ask anything. The answer keeps up with the data: chart and series, a table, or single calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widget import Widget

from tui_monitor.model.errors import MonitorError, QueryError
from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.units import milliseconds
from tui_monitor.query.filters.reading import as_filter, is_filter
from tui_monitor.tui import commands
from tui_monitor.tui.drawing import wrap
from tui_monitor.tui.exporting import Export
from tui_monitor.tui.link import Look, ask
from tui_monitor.tui.messages import HintsChanged
from tui_monitor.tui.panes.answers import series_columns, series_rows, table_columns, table_rows
from tui_monitor.tui.panes.base import Pane, Question
from tui_monitor.tui.panes.callexport import calls_export, result_table
from tui_monitor.tui.panes.calllist import FACT_COLUMNS, call_columns, call_rows, fact_rows, key_of
from tui_monitor.tui.panes.charts import Colours, chart_of, firing_marks
from tui_monitor.tui.panes.queryexamples import EXAMPLES
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.grid import Cell, Column, Grid, GridRow
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from tui_monitor.model.call import Call
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.query.result import CallList, Completion, Result

_EXAMPLE_COLUMNS = (Column("text", "try one of these", min=30, max=60), Column("help", "", min=10, max=70))
_WARNINGS = 3
PAGE = 200
"""Calls that are listed at first, and how many come with each step down."""
MOST = 2_000
"""Calls that are listed at most."""
_AHEAD = 50
"""More are asked for when so many are left below."""


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


@dataclass(frozen=True, slots=True)
class CallsAnswer:
    """The newest calls that pass a filter."""

    text: str
    found: "CallList"
    shown: TimeRange
    took: float
    """As above."""


class QueryPane(Pane[QueryAnswer | CallsAnswer]):
    """The line, what came of it, the chart, the series; of a filter the calls, and one of them whole."""

    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("query")

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._text = ""
        self._table = False
        self._colours = Colours()
        self._prompt = Prompt(
            placeholder="latency{} [1h] p95 by(model)", completer=self._complete, id="query-line"
        )
        self._state = Lines([Line()], id="query-state")
        self._chart = Chart(id="query-chart")
        self._list = Grid(_EXAMPLE_COLUMNS, id="query-list")
        self._facts = Grid(FACT_COLUMNS, id="query-call")
        self._wanted = PAGE
        self._total: tuple[str, TimeRange, int] | None = None
        """How many calls pass a filter in a range."""
        self._counting = False
        self._call: Call | None = None
        """The call that is shown whole."""
        self._explaining = False

    def body(self) -> ComposeResult:
        yield self._prompt
        yield self._state
        yield self._chart
        yield self._list
        yield self._facts

    def on_mount(self) -> None:
        super().on_mount()
        self._list.show(
            [
                GridRow(text, {"text": Cell(text, "bright"), "help": Cell(what, "dim")})
                for text, what in EXAMPLES
            ]
        )
        self.add_class("-unasked")

    def first(self) -> Widget:
        """The line while nothing was asked; then the answer, so that keys are keys."""
        return self._facts if self._call else self._list if self._text else self._prompt

    def skipped(self) -> tuple[str, ...]:
        """While one types, only keys that are not letters do anything."""
        if self._call:
            return (
                "query.ask",
                "query.detail",
                "query.view",
                "query.chart",
                "query.drawing",
                "query.explain",
            )
        if not self._typing:
            return ("query.leave", "query.ask", *self._useless())
        return ("query.detail", *self._letters())

    def _useless(self) -> tuple[str, ...]:
        """What does nothing with the answer that is shown."""
        if self.answer is None:
            return ("query.detail", "query.view", "query.chart", "query.drawing", "query.explain")
        if isinstance(self.answer, CallsAnswer):
            return ("query.view", "query.chart", "query.drawing")
        return ("query.detail", "query.chart", "query.drawing") if self._table else ("query.detail",)

    def _letters(self) -> tuple[str, ...]:
        return tuple(c.id for c in commands.COMMANDS if len(c.key) == 1 or c.keys == "space")

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
        if event.value != self._text:
            # Whoever types on does not wait for the answer to what stood there.
            self.drop_question()
        if self.answer is not None:
            self._show_state(self.answer)

    @on(Grid.Opened, "#query-list")
    def _opened(self, event: Grid.Opened) -> None:
        if self.answer is None:
            self.ask_for(event.key)
        elif isinstance(self.answer, CallsAnswer):
            self._show_call(next((c for c in self.answer.found.calls if key_of(c) == event.key), None))

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
        self._text = text
        self._show_call(None)
        self._prompt.clear_error()
        self._prompt.remember(text)
        self.ask_again()

    async def _complete(self, text: str, cursor: int) -> "Sequence[Completion]":
        try:
            return await ask(self.backend, lambda monitor: monitor.complete(text, cursor))
        except MonitorError:
            return ()

    def question(self, look: Look) -> Question | None:
        if not self._text:
            return None
        text, shown, points = self._text, look.shown, self.points
        timer = cast(Any, self.app).timer
        if is_filter(text):
            return self._question_of_calls(text, look, timer)

        async def ask(monitor: "Monitor") -> QueryAnswer:
            from tui_monitor.query.desugar import explained
            from tui_monitor.query.variables import filled

            began = timer()
            over = await monitor.query_range(text, shown, points)
            now = await monitor.query(text, at=shown.end, shown=shown, points=points)
            took = timer() - began
            promql, why = explained(filled(text, shown.length, look.step(points)).text)
            return QueryAnswer(text, over, now, took, promql or f"not in PromQL: {why}")

        return Question((text, shown, look.step(points)), look.moment(points), ask)

    def _question_of_calls(self, text: str, look: Look, timer: Callable[[], float]) -> Question:
        shown, wanted = look.shown, self._wanted

        async def ask(monitor: "Monitor") -> CallsAnswer:
            began = timer()
            found = await monitor.calls(text, shown, wanted)
            return CallsAnswer(text, found, shown, timer() - began)

        return Question((text, shown, wanted), look.moment(self.points), ask)

    # Showing.

    def show(self, answer: QueryAnswer | CallsAnswer, look: Look) -> None:
        self.remove_class("-unasked")
        self.set_class(isinstance(answer, CallsAnswer), "-calls")
        self._show_state(answer)
        if isinstance(answer, CallsAnswer):
            self._show_calls(answer, look)
        else:
            self._show_numbers(answer, look)

    def _show_numbers(self, answer: QueryAnswer, look: Look) -> None:
        chart = chart_of(answer.over, look, self._colours, now=answer.now, marks=firing_marks(look))
        self._chart.show(chart)
        self.set_class(self._table, "-table")
        self._list.say_empty("no data in this time range")
        if self._table:
            width = self.app.size.width
            self._list.set_columns(table_columns(answer.now, width))
            self._list.show(table_rows(answer.now, self.glyphs, width))
        else:
            # Buckets have shades, and what is counted in them has not the unit of their bounds.
            colours = {} if chart.bounds else {line.name: line.index for line in chart.series}
            over = replace(answer.over, unit="") if chart.bounds else answer.over
            self._list.set_columns(series_columns(answer.now))
            self._list.show(series_rows(over, answer.now, colours, self.glyphs))

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
        if call is self._call:
            return
        self._call = call
        self.set_class(call is not None, "-detail")
        if call is not None and self.look is not None:
            self._facts.show(fact_rows(call, self.look, self.app.size.width, self.glyphs))
            self._facts.focus()
        elif call is None:
            self._list.focus()
        self.hints_changed()

    def _show_state(self, answer: QueryAnswer | CallsAnswer) -> None:
        """The line about the answer; what answers another line than the one that stands there is dim."""
        self.set_class(answer.text.strip() != self._prompt.value.strip(), "-other")
        self._state.show(self._state_lines(answer))

    def _state_lines(self, answer: QueryAnswer | CallsAnswer) -> list[Line]:
        if self.has_class("-other"):
            return [Line((("  below: the answer to ", "dim"), (answer.text, "dim bold")))]
        if isinstance(answer, CallsAnswer):
            first, why, warnings = (
                self._calls_line(answer),
                f"calls where {answer.found.filter}",
                answer.found.warnings,
            )
        else:
            first, why = self._numbers_line(answer), answer.promql
            warnings = (answer.now if self._table else answer.over).warnings
        lines = [first, *(Line.of(f"  {self.glyphs.warn} {text}", "warn") for text in warnings[:_WARNINGS])]
        if self._explaining:
            room = max(20, self.app.size.width - 6)
            lines[1:1] = [Line.of(f"  {line}", "dim") for line in wrap(why, room, self.glyphs)]
        instead = as_filter(answer.text)
        if instead:
            lines.append(Line.of(f"  this compares metrics; single calls are listed by  {instead}", "dim"))
        return lines

    def _calls_line(self, answer: CallsAnswer) -> Line:
        loaded, took = len(answer.found.calls), milliseconds(answer.took * 1000)
        counted = self._total is not None and self._total[:2] == (answer.text, answer.shown)
        words = f"{loaded:,} call{'s' * (loaded != 1)}"
        if answer.found.after is not None:
            words = f"newest {loaded:,}"
            if self._total is not None and counted:
                words += f" of {max(loaded, self._total[2]):,} calls"
        few = "  a narrower filter or range shows the rest" if loaded >= MOST else ""
        return Line(((f"  {words}  {took}", "bright"), (few, "dim")), (("calls ", "bright"),))

    def _numbers_line(self, answer: QueryAnswer) -> Line:
        shown = answer.now if self._table else answer.over
        number = sum(any(v is not None for v in series.values) for series in shown.series)
        words = f"  {number} series  {milliseconds(answer.took * 1000)}"
        layers = ", ".join(dict.fromkeys((*answer.over.layers, *answer.now.layers)))
        right = (("table" if self._table else "chart", "bright"), ("  ctrl+t ", "dim"))
        about = answer.over.approximate or answer.now.approximate
        mark = f"  {self.glyphs.about}" if about else " "
        return Line(((words + mark, "bright"), (f" from {layers}" if layers else "", "dim")), right)

    def trouble(self, error: MonitorError) -> None:
        """An error in the text stands under its character; any other where all panes have it."""
        if isinstance(error, QueryError):
            # No source failed: it is this text that has no answer.
            self.forget_trouble()
            if self._prompt.value == self._text:
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
        answer = self.answer
        if isinstance(answer, CallsAnswer):
            return calls_export(answer.found.filter, (self._call,) if self._call else answer.found.calls)
        shown = None if answer is None else answer.now if self._table else answer.over
        return Export("query", shown and result_table(shown), shown and shown.prometheus())

    def named(self, grid: Grid, row: GridRow) -> tuple[str, str]:
        """The query; of one of many calls its id."""
        if isinstance(self.answer, CallsAnswer):
            call = next((c for c in self.answer.found.calls if key_of(c) == row.key), None)
            return super().named(grid, row) if call is None else ("id", call.id)
        return "query", row.key if self.answer is None else self._text

    # Commands.

    def action_line(self) -> None:
        """Go to the query line."""
        self._prompt.focus()

    def action_leave_line(self) -> None:
        """Go from the line to the answer, from a call back to the list."""
        if self._call is not None:
            self._show_call(None)
        else:
            self._list.focus()

    def action_explain(self) -> None:
        """Show how the query was read, or hide it."""
        self._explaining = not self._explaining
        if self.answer is not None:
            self._show_state(self.answer)

    def action_view(self) -> None:
        """Table or chart."""
        if isinstance(self.answer, QueryAnswer) and self.look is not None:
            self._table = not self._table
            self.show(self.answer, self.look)
            self.post_message(HintsChanged())
