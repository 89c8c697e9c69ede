"""Query: ask anything. The answer keeps up with the data, as a chart with its series or as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widget import Widget

from tui_monitor.model.errors import MonitorError, QueryError
from tui_monitor.model.units import milliseconds
from tui_monitor.tui import commands
from tui_monitor.tui.link import Look, ask
from tui_monitor.tui.messages import HintsChanged
from tui_monitor.tui.panes.answers import series_columns, series_rows, table_columns, table_rows
from tui_monitor.tui.panes.base import Pane, Question
from tui_monitor.tui.panes.charts import Colours, chart_of
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.grid import Cell, Column, Grid, GridRow
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.query.result import Completion, Result

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("latency{} [1h] p95 by(model)", "95 of 100 calls were at most so slow, by model"),
    ('latency{provider="openai"} [1h] avg', "mean latency of one provider; claude, gemini … are understood"),
    ("cost{} [today] sum by(project)", "what each project has cost since midnight"),
    ("error_rate{} [15m] by(provider)", "share of calls that failed"),
    ("requests{status=\"error\"} [24h] sum by(error_category)", "why calls failed"),
    ("cache_hit_rate{} [7d] by(model)", "share of input tokens from the provider's cache"),
    ("rate(llm_tokens_output_total[5m])", "tokens per second, as Prometheus would ask"),
    ("system_cpu_utilization", "this host"),
)  # fmt: skip
_EXAMPLE_COLUMNS = (Column("text", "try one of these", min=30, max=60), Column("help", "", min=10, max=70))
_WARNINGS = 3


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The answer over the shown range, and the one at its end."""

    text: str
    over: "Result"
    now: "Result"
    took: float
    """Seconds that both took, without the way there and back."""


class QueryPane(Pane[QueryAnswer]):
    """The line, what came of it, the chart, the series."""

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

    def body(self) -> ComposeResult:
        yield self._prompt
        yield self._state
        yield self._chart
        yield self._list

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
        return self._list if self._text else self._prompt

    def skipped(self) -> tuple[str, ...]:
        """While one types, only keys that are not letters do anything."""
        if not self._typing:
            return ("query.leave", "query.ask")
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
    def _edited(self) -> None:
        self._prompt.clear_error()

    @on(Grid.Opened)
    def _example_chosen(self, event: Grid.Opened) -> None:
        if not self._text:
            self.ask_for(event.key)

    def _submit(self, text: str) -> None:
        if not text.strip():
            return
        self._text = text
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

        async def ask(monitor: "Monitor") -> QueryAnswer:
            began = timer()
            over = await monitor.query_range(text, shown, points)
            now = await monitor.query(text, at=shown.end)
            return QueryAnswer(text, over, now, timer() - began)

        return Question((text, shown, look.step(points)), look.moment(points), ask)

    # Showing.

    def show(self, answer: QueryAnswer, look: Look) -> None:
        self.remove_class("-unasked")
        self._state.show(self._state_lines(answer))
        chart = chart_of(answer.over, look, self._colours)
        self._chart.show(chart)
        self.set_class(self._table, "-table")
        self._list.say_empty("no data in this time range")
        if self._table:
            self._list.set_columns(table_columns(answer.now))
            self._list.show(table_rows(answer.now, self.glyphs))
        else:
            colours = {line.name: line.index for line in chart.series}
            self._list.set_columns(series_columns(answer.now))
            self._list.show(series_rows(answer.over, answer.now, colours, self.glyphs))

    def _state_lines(self, answer: QueryAnswer) -> list[Line]:
        shown = answer.now if self._table else answer.over
        number = sum(any(v is not None for v in series.values) for series in shown.series)
        words = f"  {number} series  {milliseconds(answer.took * 1000)}"
        layers = ", ".join(dict.fromkeys((*answer.over.layers, *answer.now.layers)))
        right = (("table" if self._table else "chart", "bright"), ("  ctrl+t ", "dim"))
        first = Line(((words, "bright"), (f"  from {layers}" if layers else "", "dim")), right)
        return [
            first,
            *(Line.of(f"  {self.glyphs.warn} {text}", "warn") for text in shown.warnings[:_WARNINGS]),
        ]

    def trouble(self, error: MonitorError) -> None:
        """An error in the text stands under its character; any other where all panes have it."""
        if isinstance(error, QueryError) and error.text == self._prompt.value:
            hint = f" – {error.hint}" if error.hint else ""
            self._prompt.show_error(error.position, error.length, f"{error.message}{hint}")
            return
        super().trouble(error)

    # Commands.

    def action_line(self) -> None:
        """Go to the query line."""
        self._prompt.focus()

    def action_leave_line(self) -> None:
        """Go from the line to the answer."""
        self._list.focus()

    def action_view(self) -> None:
        """Table or chart."""
        if self.answer is not None and self.look is not None:
            self._table = not self._table
            self.show(self.answer, self.look)
            self.post_message(HintsChanged())
