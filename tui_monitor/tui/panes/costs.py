"""Costs: the month and its budget, what changed, and who causes it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from tui_monitor.costs.labels import BY
from tui_monitor.model.calendar import PERIODS
from tui_monitor.model.units import UNKNOWN, count, ratio, share_of_change, usd
from tui_monitor.tui import commands
from tui_monitor.tui.drawing import Glyphs, Span, about_spans, lane
from tui_monitor.tui.link import Look
from tui_monitor.tui.messages import QueryWanted, RangeChosen, RangeMoved, RangeZoomed
from tui_monitor.tui.panes.base import Question
from tui_monitor.tui.panes.earlier import Past
from tui_monitor.tui.panes.feeding import no_calls, taught_by
from tui_monitor.tui.panes.money import (
    change_span,
    daily_bars,
    fact_lines,
    month_lines,
    parts_of,
    running_total,
    spend_line,
)
from tui_monitor.tui.panes.sifting import SiftingPane
from tui_monitor.tui.widgets.bars import Bars
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.figure import ChartSeries
from tui_monitor.tui.widgets.grid import Cell, Column, Grid, GridRow
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.sifted import SiftedGrid
from tui_monitor.tui.words import spend_before

if TYPE_CHECKING:
    from tui_monitor.costs.views import CostRow, CostsView
    from tui_monitor.monitor.api import Monitor

SHARE, WIDE_SHARE, LONGEST_SHARE = 12, 40, 60
"""Cells of a share bar: usually, on a wide screen, and at most."""
WIDE = 150
_FIGURES = 86
"""Cells of what stands between name and bar, gaps and edges included."""
_NAME = 60
"""Cells of a name at most, on a wide screen."""
ROOMY = ("-tall", "-wide")
"""The screen's classes where the days have the running total beside them."""
DRAWN = ("whole", "divided", "running total")
"""How the days are drawn."""
PERIOD_WORDS = {
    "today": "today", "yesterday": "yesterday", "week": "this week", "month": "this month",
    "last_week": "last week", "last_month": "last month",
}  # fmt: skip
_METRICS: Mapping[str, tuple[str, str]] = {
    "calls": ("requests", "sum"),
    "in": ("input_tokens", "sum"),
    "out": ("output_tokens", "sum"),
    "cached": ("cache_hit_rate", "avg"),
    "unpriced": ("unpriced", "sum"),
}


def share_cells(width: int) -> int:
    """Cells of a share bar on a screen of so many: what names and figures leave."""
    return SHARE if width < WIDE else max(WIDE_SHARE, min(LONGEST_SHARE, width - _NAME - _FIGURES))


def columns(width: int) -> tuple[Column, ...]:
    """The list's columns for a screen of so many cells; the highest rank goes first."""
    wide = width >= WIDE
    return (
        Column("name", "", min=20, max=_NAME if wide else 44),
        Column("calls", "calls", width=8, align="right", rank=2),
        Column("in", "in", width=8, align="right", rank=5),
        Column("out", "out", width=8, align="right", rank=6),
        Column("cached", "cached", width=8, align="right", rank=7),
        Column("unpriced", "unpriced", width=8, align="right", rank=1),
        Column("cost", "cost", width=10, align="right"),
        Column("change", "change", width=8, align="right", rank=3),
        Column("share", "share", width=7, align="right", rank=1),
        Column("bar", "", width=share_cells(width), rank=4),
    )


class CostsPane(SiftingPane["CostsView"]):
    """The month above, the days beside what changed, and the rows of one dimension."""

    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("costs")
    CHOICES: ClassVar[Mapping[str, Sequence[str]]] = {"_by": BY, "_period": PERIODS, "_drawing": DRAWN}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._past = Past()
        self._by = BY.index("model")
        self._period = PERIODS.index("month")
        self._month = Lines([Line.of(" MONTH", "accent bold")], id="costs-month")
        self._spends = Lines(id="costs-spends")
        self._drawing = 0
        """Which of `DRAWN` shows the days."""
        self._bars = Bars(id="costs-bars")
        self._chart = Chart(id="costs-chart")
        self._facts = Lines(id="costs-facts")
        self._head = Lines([Line.of(" BY", "accent bold")], classes="head")
        self._list = SiftedGrid(columns(120), id="costs-list")

    def body(self) -> ComposeResult:
        yield self._month
        yield self._spends
        with Horizontal(id="costs-days"):
            yield self._bars
            yield self._chart
            yield self._facts
        yield self._head
        yield self._list

    def question(self, look: Look) -> Question:
        by, period, past = BY[self._by], PERIODS[self._period], self._past
        # The course of a month has none a day or a week before: it is a part of itself.
        beside = look.beside and self._adds_up and look.against == "previous"

        async def ask(monitor: "Monitor") -> "CostsView":
            view, _ = await asyncio.gather(
                monitor.costs(by, period, at=look.shown.end, against=look.against),
                past.last_month(monitor, look, wanted=beside),
            )
            return view

        return Question(
            (by, period, look.shown.end, look.against, beside),
            (look.version, look.at // 60_000_000, taught_by(look)),
            ask,
        )

    def show(self, answer: "CostsView", look: Look) -> None:
        width, glyphs = self.app.size.width, self.glyphs
        self._month.show(month_lines(answer, look, width, glyphs))
        self.set_class(all(value is None for _, value in answer.daily), "-empty")
        self._spends.show([Line(), spend_line(answer)])
        drawn = DRAWN[self._drawing]
        parts = parts_of(answer, self.colours) if drawn == "divided" else {}
        self.set_class(drawn == "running total", "-running")
        self._chart.show(running_total(answer, look, self._past.month))
        self._bars.show(daily_bars(answer, look, parts))
        self._facts.show(fact_lines(answer))
        period = PERIOD_WORDS.get(answer.period, answer.period)
        head: tuple[Span, ...] = ((" BY ", "accent bold"), (answer.dimension, "accent bold"))
        head = (*head, (f"   {period}", "dim"), *about_spans(answer.approximate, glyphs))
        if look.beside:
            # The frame names what the range is compared with; a period has its own.
            head = (*head, (f" against {spend_before(answer.period, answer.against)}", "bright"))
        by, period_key = self.keymap.key("costs.by"), self.keymap.key("costs.period")
        hint = ((by, "accent bold"), (" by  ", "dim"), (period_key, "accent bold"), (" period", "dim"))
        self._head.show([Line(head, hint)])
        self._list.set_columns(columns(width))
        self._list.say_empty(
            no_calls(self.backend, look, self.keymap) if look.newest is None else f"No calls {period}."
        )
        self._list.show([self._row(row, parts.get(row.name)) for row in answer.rows])

    @property
    def _adds_up(self) -> bool:
        """Whether the running total is drawn: instead of the days, and beside them where there is room."""
        return DRAWN[self._drawing] == "running total" or self.screen.has_class(*ROOMY)

    def skipped(self) -> tuple[str, ...]:
        left = super().skipped()
        return left if self._adds_up else (*left, "costs.chart")

    def _row(self, row: "CostRow", colour: int | None = None) -> GridRow:
        change, token = change_span(row.cost, row.previous)
        cells = share_cells(self.app.size.width)
        return GridRow(
            row.name,
            {
                "name": Cell(row.name, *_key(colour, self.glyphs), sort=row.name),
                "calls": Cell(count(row.calls), sort=row.calls),
                "in": Cell(count(row.input_tokens), sort=row.input_tokens),
                "out": Cell(count(row.output_tokens), sort=row.output_tokens),
                "cached": Cell(ratio(row.cache_hit_rate), sort=row.cache_hit_rate),
                "unpriced": Cell(count(row.unpriced) if row.unpriced else "", "warn", sort=row.unpriced),
                "cost": Cell(usd(row.cost), "bright" if row.cost else "dim", sort=row.cost),
                "change": Cell(change, token, sort=share_of_change(row.cost, row.previous)),
                "share": Cell(ratio(row.share), sort=row.share),
                "bar": Cell(lane(row.share, cells, self.glyphs, way=False), "accent", sort=row.share),
            },
        )

    @on(Grid.Opened)
    def _opened(self, event: Grid.Opened) -> None:
        if self.answer is not None:
            text = query_behind(self.answer.dimension, self.answer.period, event.column, event.key)
            self.post_message(QueryWanted(text))

    @on(RangeZoomed)
    @on(RangeMoved)
    @on(RangeChosen)
    def _whole_months_only(self, event: RangeZoomed | RangeMoved | RangeChosen) -> None:
        """What is drawn is a month, whatever the time range of the other panes is."""
        event.stop()

    def action_drawing(self, step: int) -> None:
        """The days whole, divided into the rows, or added up."""
        able = [
            n for n, name in enumerate(DRAWN) if name != "divided" or (self.answer and self.answer.daily_by)
        ]
        at = able.index(self._drawing) if self._drawing in able else 0
        self._drawing = able[(at + step) % len(able)]
        if self.answer is not None and self.look is not None:
            self.show(self.answer, self.look)
            self.changed()
        self.hints_changed()

    def action_by(self, step: int) -> None:
        """Another dimension."""
        self._by = (self._by + step) % len(BY)
        self.changed()

    def action_period(self, step: int) -> None:
        """Another period."""
        self._period = (self._period + step) % len(PERIODS)
        self.changed()


def _key(colour: int | None, glyphs: Glyphs) -> tuple[str, str]:
    """The token and the glyph of a row's name: as its part of the days has them."""
    return ("bright", "") if colour is None else (ChartSeries("", (), colour).token, glyphs.marker(colour))


def query_behind(by: str, period: str, column: str | None, name: str) -> str:
    """The text that a cell's number is the answer of."""
    from tui_monitor.query.language import quote, spelled

    metric, how = _METRICS.get(column or "", ("cost", "sum"))
    value = "" if name == UNKNOWN else name
    return f"{metric}{{{spelled(by)}={quote(value)}}} [{period}] {how}"
