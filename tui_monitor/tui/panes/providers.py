"""Providers: is anything wrong, how fast, how much, what does it cost today."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from tui_monitor.model.states import Health
from tui_monitor.model.units import UNKNOWN, count, milliseconds, ratio, share_of_change, usd
from tui_monitor.monitor.before import FIGURES, Before
from tui_monitor.tui import commands
from tui_monitor.tui.drawing import Span, about_spans, curve, safe, size_of, width_of, wrap
from tui_monitor.tui.link import Look
from tui_monitor.tui.messages import QueryWanted
from tui_monitor.tui.panes import providers_beside as beside
from tui_monitor.tui.panes.base import Question
from tui_monitor.tui.panes.charts import LATENCY_BUCKETS, Course, chart_of, firing_marks
from tui_monitor.tui.panes.earlier import Past, against, riskier, safer, slower, total_words
from tui_monitor.tui.panes.feeding import no_calls, taught_by
from tui_monitor.tui.panes.overviewlines import last_cell, quiet_mark
from tui_monitor.tui.panes.sifting import SiftingPane
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.columns import lay_out
from tui_monitor.tui.widgets.grid import EDGE, MARGIN, Cell, Column, Grid, GridRow
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.sifted import SiftedGrid
from tui_monitor.tui.words import ago, change, length_words, moment_words

if TYPE_CHECKING:
    from tui_monitor.health.views import ProviderRow, ProvidersView
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.query.result import Result

TOKENS = {Health.HEALTHY: "ok", Health.DEGRADED: "warn", Health.UNAVAILABLE: "crit", Health.UNKNOWN: "dim"}
SPARK, WIDE_SPARK = 8, 24
"""Cells of a sparkline."""
ARROWS = 130
"""Cells across from which on figures have arrows."""
_REASONS = 4
"""Lines of reasons at most."""
_FIGURES = {
    "p50": "p50_ms", "p95": "p95_ms", "p99": "p99_ms", "success": "success_rate", "errors": "error_rate",
    "requests": "requests", "tokens": "tokens", "today": "cost_today", "spark": "requests",
    "probe": "probe", "page": "page", "limit": "headroom",
}  # fmt: skip
"""Column → the view's name of its query."""
METRICS: tuple[tuple[str, str], ...] = (
    ("LATENCY p95 by provider", "latency{} p95 by(provider)"),
    ("TIME TO FIRST TOKEN p95 by provider", "ttft{} p95 by(provider)"),
    ("ERROR RATE by provider", "error_rate{} avg by(provider)"),
    ("REQUESTS by provider", "requests{} sum by(provider)"),
    ("TOKENS by provider", "tokens{} sum by(provider)"),
    ("COST by provider", "cost{} sum by(provider)"),
    ("LATENCY of all calls", LATENCY_BUCKETS),
)
"""What the chart can show."""
DEFAULTS = (0, 3)
"""What it shows while nobody chose: traces often have no latency, but requests there are always."""


@dataclass(frozen=True, slots=True)
class Providers:
    """Answers of this pane."""

    view: "ProvidersView"
    chart: "Result | None"
    metric: int
    """Which of `METRICS` the chart is about."""
    before: Before
    course: "Course | None" = None
    """The chart's course in an earlier span, where one is drawn beside it."""


def columns(width: int, rows: "Sequence[ProviderRow]" = ()) -> tuple[Column, ...]:
    """The list's columns for a screen of so many cells; the highest rank goes first."""
    # An arrow and a cell before it.
    more, gap = (2, "  ") if width >= ARROWS else (0, "")
    return (
        Column("provider", "provider", min=10, max=28),
        Column("state", "state", width=13),
        Column("p50", f"p50{gap}", width=8 + more, align="right", rank=5),
        Column("p95", f"p95{gap}", width=14 + more, align="right"),
        Column("p99", f"p99{gap}", width=8 + more, align="right", rank=7),
        Column("success", f"success{gap}", width=12 + more, align="right"),
        Column("errors", f"errors{gap}", width=7 + more, align="right", rank=10),
        Column("requests", "requests", width=8, align="right", rank=1),
        Column("change", "change", width=7, align="right", rank=9),
        Column("tokens", "tokens", width=8, align="right", rank=8),
        Column("today", "today", width=9, align="right", rank=2),
        Column("last", "last", width=6, align="right", rank=11),
        *beside.columns(rows),
        Column("spark", "requests", width=WIDE_SPARK if width >= 150 else SPARK, rank=6),
    )


class ProvidersPane(SiftingPane[Providers]):
    """The list of providers, why each is in its state, and a chart."""

    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("providers")
    CHOICES: ClassVar[Mapping[str, Sequence[str]]] = {"_metric": tuple(title for title, _ in METRICS)}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._past = Past()
        self._metric: int | None = None
        """What the chart shows; of the defaults the first that there is while nobody chose."""
        self._head = Lines([Line.of(" PROVIDERS", "accent bold")], classes="head")
        self._list = SiftedGrid(columns(120), id="providers-list")
        self._why = Lines(id="providers-why")
        self._chart = Chart(id="providers-chart")

    def body(self) -> ComposeResult:
        yield self._head
        yield self._list
        yield self._why
        yield self._chart

    def question(self, look: Look) -> Question:
        shown, points, metric, past = look.shown, self.points, self._metric, self._past
        sparks = WIDE_SPARK if self.app.size.width >= 150 else SPARK

        async def ask(monitor: "Monitor") -> Providers:
            first, *others = DEFAULTS if metric is None else (metric,)
            # Together: where the collector is far away, each question takes a while.
            view, chart, before = await asyncio.gather(
                monitor.providers(shown, sparks),
                monitor.query_range(METRICS[first][1], shown, points),
                past.figures(monitor, look, tuple(FIGURES)),
            )
            at = first
            for index in (first, *others):
                if index != first:
                    chart = await monitor.query_range(METRICS[index][1], shown, points)
                if any(value is not None for series in chart.series for value in series.values):
                    at = index
                    break
            course = await past.course(monitor, METRICS[at][1], look, points)
            return Providers(view, chart, at, before, course)

        return Question(
            (shown, metric, sparks, look.step(points), *against(look)),
            (*look.moment(points), taught_by(look)),
            ask,
        )

    def show(self, answer: Providers, look: Look) -> None:
        view = answer.view
        sparks = WIDE_SPARK if self.app.size.width >= 150 else SPARK
        top = max((v for row in view.rows for v in row.spark if v is not None), default=None)
        self._list.set_columns(columns(self.app.size.width, view.rows))
        self.set_class(not view.rows, "-empty")
        self._list.say_empty(no_calls(self.backend, look, self.keymap))
        self._list.show([self._row(row, answer.before, sparks, top) for row in view.rows])
        places = lay_out(self._list.columns, self.app.size.width - MARGIN - EDGE)
        drawn = top and any(column.key == "spark" for column, _ in places)
        scale = f"bars: requests per {length_words(view.spark_step)}, to {count(top)}" if drawn else ""
        about = about_spans(view.approximate, self.glyphs)
        total = total_words(view, answer.before, look)
        self._head.show([Line(((" PROVIDERS", "accent bold"), *about, *total), ((scale, "dim"),))])
        self._show_reasons()
        another = self.keymap.key("providers.metric")
        title, empty = (
            METRICS[answer.metric][0],
            f"no data in this time range; {another} shows another figure",
        )
        if answer.chart is not None:
            marks = firing_marks(look)
            self.colours.give(sorted(row.provider or UNKNOWN for row in answer.view.rows), "provider")
            self._chart.show(
                chart_of(
                    answer.chart,
                    look,
                    self.colours,
                    title,
                    empty=empty,
                    marks=marks,
                    before=answer.course,
                )
            )

    def _row(self, row: "ProviderRow", before: Before, cells: int, top: float | None) -> GridRow:
        token, name, glyphs = TOKENS[row.state], _name(row), self.glyphs
        shown = before if self.app.size.width >= ARROWS else None
        failed = row.flag == "success"
        success = f"[LOW] {ratio(row.success_rate)}" if failed else ratio(row.success_rate)
        slow = row.flag == "p95"
        p95 = f"[HIGH] {milliseconds(row.p95_ms)}" if slow else milliseconds(row.p95_ms)
        flagged = f"{token} bold"
        return GridRow(
            _name(row),
            {
                "provider": Cell(_name(row), "bright", sort=row.provider, mark=quiet_mark(row, self.glyphs)),
                "state": Cell(row.state.value, token, glyph=self.glyphs.state(token), sort=row.state.value),
                "p50": Cell(
                    milliseconds(row.p50_ms), sort=row.p50_ms,
                    mark=shown and slower(row.p50_ms, before.p50_ms.get(name), glyphs),
                ),
                "p95": Cell(
                    p95, flagged if slow else "", sort=row.p95_ms,
                    mark=shown and slower(row.p95_ms, before.p95_ms.get(name), glyphs),
                ),
                "p99": Cell(
                    milliseconds(row.p99_ms), sort=row.p99_ms,
                    mark=shown and slower(row.p99_ms, before.p99_ms.get(name), glyphs),
                ),
                "success": Cell(
                    success, flagged if failed else "", sort=row.success_rate,
                    mark=shown and safer(row.success_rate, before.success_rate.get(name), glyphs),
                ),
                "errors": Cell(
                    ratio(row.error_rate), flagged if failed else "", sort=row.error_rate,
                    mark=shown and riskier(row.error_rate, before.error_rate.get(name), glyphs),
                ),
                "requests": Cell(count(row.requests), sort=row.requests),
                "change": Cell(
                    change(row.requests, before.requests.get(name))[0], "dim",
                    sort=share_of_change(row.requests, before.requests.get(name)),
                ),
                "tokens": Cell(count(row.tokens), sort=row.tokens),
                "today": Cell(usd(row.cost_today), sort=row.cost_today),
                "last": last_cell(row, self.answer.view.at if self.answer else 0),
                **beside.cells(row),
                "spark": Cell(curve(row.spark, cells, top, self.glyphs), "accent", sort=row.requests),
            },
        )  # fmt: skip

    def _show_reasons(self) -> None:
        """Why: for all that are ill, and for the one under the cursor."""
        if self.answer is None or self.look is None:
            return
        told = self.answer.view.rows
        ill = [row for row in told if row.state in (Health.DEGRADED, Health.UNAVAILABLE) or row.quiet_since]
        ill = ill[:_REASONS]
        here = next((row for row in told if _name(row) == self._list.cursor), None)
        if here is not None and here not in ill:
            ill = [*ill[: _REASONS - 1], here]
        lines = [line for row in ill for line in self._reason(row, row is here)]
        warnings = [Line.of(f"   {text}", "warn") for text in self.answer.view.warnings[:2]]
        self._why.show([*lines, *warnings])

    def _reason(self, row: "ProviderRow", here: bool) -> list[Line]:
        """Why one is in its state, on two lines where it must be; under the cursor also all else."""
        assert self.look is not None
        token, name = TOKENS[row.state], _name(row)
        head: list[Span] = [(f"   {self.glyphs.state(token)} ", token), (name, "bright" if here else "")]
        more = self._beside(row) if here else []
        right: tuple[Span, ...] = ()
        if self.app.size.width >= 100:
            unpriced = f"{count(row.unpriced)} unpriced today   " if row.unpriced else ""
            right = ((unpriced, "warn"), self._last_call(row))
        room = self.app.size.width - 8 - width_of(safe(name)) - size_of(right)
        first, *rest = wrap(row.reason, room, self.glyphs)
        said = [Line((*head, (f"  {first}", "")), right), *(Line.of(f"     {text}") for text in rest[:1])]
        return [*said, *more]

    def _last_call(self, row: "ProviderRow") -> Span:
        assert self.look is not None
        if row.quiet_since is None:
            return (f"last call {ago(row.last_call, self.look.at)}", "dim")
        since = moment_words(row.quiet_since, self.look.at, self.look.calendar)
        return (f"{self.glyphs.stale} no call since {since}", "stale")

    def _beside(self, row: "ProviderRow") -> list[Line]:
        """What else is known of the provider under the cursor: side by side where there is room."""
        assert self.look is not None
        lines: list[list[Span]] = []
        room = self.app.size.width - 3
        for part in beside.details(row, self.look.at):
            gap: Span = ("   ", "")
            if lines and size_of([*lines[-1], gap, *part]) <= room:
                lines[-1] += [gap, *part]
                continue
            line = [("     ", ""), *part]
            while len(line) > 3 and size_of(line) > room:
                # An address that is cut is none: what comes last goes first.
                line.pop()
            lines.append(line)
        return [Line(tuple(line)) for line in lines]

    @on(Grid.Moved)
    def _moved(self) -> None:
        self._show_reasons()

    @on(Grid.Opened)
    def _opened(self, event: Grid.Opened) -> None:
        """The query behind the chosen value; behind the row, its p95."""
        if self.answer is not None:
            text = query_behind(self.answer.view.queries, event.column, event.key)
            self.post_message(QueryWanted(text))

    def action_metric(self) -> None:
        """The next figure on the chart."""
        shown = self._metric if self._metric is not None else self.answer.metric if self.answer else 0
        self._metric = (shown + 1) % len(METRICS)
        self.changed()


def _name(row: "ProviderRow") -> str:
    return row.provider or UNKNOWN


def query_behind(queries: Mapping[str, str], column: str | None, provider: str) -> str:
    """The text that a cell's number is the answer of."""
    from tui_monitor.query.language import quote

    name = _FIGURES.get(column or "", "p95_ms")
    value = "" if provider == UNKNOWN else provider
    return queries.get(name, "latency{provider={provider}} p95").replace("{provider}", quote(value))
