"""System: this host, and what is under way."""

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from tui_monitor.model.states import SourceState
from tui_monitor.model.units import count, show, significant
from tui_monitor.tui import commands
from tui_monitor.tui.drawing import Glyphs, Span, bar, curve
from tui_monitor.tui.link import Look
from tui_monitor.tui.messages import QueryWanted
from tui_monitor.tui.panes.base import Question
from tui_monitor.tui.panes.sifting import SiftingPane
from tui_monitor.tui.panes.upkeeplines import one_line, took
from tui_monitor.tui.widgets.grid import Cell, Column, Grid, GridRow
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.sifted import SiftedGrid
from tui_monitor.tui.words import ago, length_words

if TYPE_CHECKING:
    from tui_monitor.health.views import CollectorStatus, Gauge, Progress, SystemView
    from tui_monitor.monitor.api import Monitor

BAR, SPARK, WIDE_SPARK = 16, 16, 40
_FULL, _FILLING = 0.9, 0.75
_PROGRESS, _FINISHED = 4, 3
_WANTED = "hw_gpu_utilization"
_BROKEN = ("failed", "cancelled")


def gauge_columns(width: int) -> tuple[Column, ...]:
    """The host's columns for a screen of so many cells."""
    return (
        Column("name", "figure", min=14, max=24),
        Column("value", "now", width=11, align="right"),
        Column("bar", "", width=BAR, rank=2),
        Column("spark", "", width=WIDE_SPARK if width >= 120 else SPARK, rank=1),
        Column("detail", "", min=12, max=60, rank=3),
    )


class SystemPane(SiftingPane["SystemView"]):
    """Gauges, the collector in lines, and what is under way."""

    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("system")

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._head = Lines([Line.of(" HOST", "accent bold")], classes="head")
        self._gauges = SiftedGrid(gauge_columns(120), empty="No sample of this host yet.", id="system-gauges")
        self._collector = Lines(id="system-collector")
        self._doing = Lines(id="system-progress")

    def body(self) -> ComposeResult:
        yield self._head
        yield self._gauges
        yield self._collector
        yield self._doing

    def question(self, look: Look) -> Question:
        shown = look.shown
        points = WIDE_SPARK if self.app.size.width >= 120 else SPARK

        async def ask(monitor: "Monitor") -> "SystemView":
            return await monitor.system(shown, points)

        return Question((shown, points), (look.moment(points), look.collector), ask)

    def show(self, answer: "SystemView", look: Look) -> None:
        width, glyphs = self.app.size.width, self.glyphs
        cells = WIDE_SPARK if width >= 120 else SPARK
        step = f"sparks: {length_words(answer.step)} a step, each to its own peak" if answer.gauges else ""
        self._head.show([Line(((" HOST  ", "accent bold"), (answer.host, "bright")), ((step, "dim"),))])
        self._gauges.set_columns(gauge_columns(width))
        self._gauges.say_empty(no_gauges(answer, look, self.keymap.key("range.live")))
        self._gauges.show([_gauge_row(gauge, cells, glyphs) for gauge in answer.gauges])
        key = self.keymap.key("pane.collector")
        self._collector.show(collector_lines(answer.collector, look, glyphs, key))
        self._doing.show(progress_lines(answer, look, glyphs))

    @on(Grid.Opened)
    def _gauge_opened(self, event: Grid.Opened) -> None:
        gauges = self.answer.gauges if self.answer else ()
        gauge = next((gauge for gauge in gauges if gauge.name == event.key), None)
        if gauge is not None and gauge.query:
            self.post_message(QueryWanted(gauge.query))


def no_gauges(view: "SystemView", look: Look, live: str) -> str:
    """Why there is nothing about the host; `live` is the key that goes back to now."""
    if not look.shown.live:
        return f"No sample of this host in this time range, which ends in the past: {live} goes back to now."
    if silent := view.collector.silent:
        return f"No sample of this host: {silent} writes this database and does not answer."
    if not view.collector.running:
        return "No sample of this host: nobody collects. `tui-monitor` without --no-collect does."
    return "No sample of this host in this time range; the first comes within the collector's interval."


def _gauge_row(gauge: "Gauge", cells: int, glyphs: Glyphs) -> GridRow:
    token = "accent"
    # A card is bought to be busy: that it is worries nobody.
    wanted = gauge.query.startswith(_WANTED)
    if gauge.fraction is not None and gauge.fraction >= _FILLING and not wanted:
        token = "crit" if gauge.fraction >= _FULL else "warn"
    mark = f" {glyphs.state(token)}" if token in ("warn", "crit") else ""
    filled = "" if gauge.fraction is None else bar(gauge.fraction, BAR, glyphs)
    return GridRow(
        gauge.name,
        {
            "name": Cell(f"{gauge.name}{mark}", "bright"),
            "value": Cell(show(gauge.value, gauge.unit), "" if token == "accent" else token),
            "bar": Cell(filled, token),
            "spark": Cell(
                curve(gauge.spark, cells, 1.0 if gauge.unit == "ratio" else None, glyphs),
                "accent",
            ),
            "detail": Cell(gauge.detail, "dim"),
        },
    )


def collector_lines(status: "CollectorStatus", look: Look, glyphs: Glyphs, key: str) -> list[Line]:
    """Who collects, and that its own pane tells more."""
    line = one_line(status, look, glyphs)
    lines = [Line(), Line(line.left, ((key, "accent bold"), (" more", "dim")))]
    card = next((row for row in status.sources if row.name == "gpu" and row.state is SourceState.OFF), None)
    if card is not None:
        lines.append(Line(((" GPU  ", "accent bold"), ("none  ", "dim"), (card.detail, "dim"))))
    return [*lines, Line()]


def progress_lines(view: "SystemView", look: Look, glyphs: Glyphs) -> list[Line]:
    """Requests under way, benchmarks and evaluations."""
    lines: list[Line] = []
    if view.active:
        lines.append(Line(((" UNDER WAY  ", "accent bold"), (f"{count(view.active)} requests", "bright"))))
    elif view.progress:
        lines.append(Line.of(" UNDER WAY", "accent bold"))
    lines += [_progress(item, look, glyphs) for item in view.progress[:_PROGRESS]]
    if view.finished:
        gap = [Line()] if lines else []
        lines += [*gap, Line.of(" FINISHED  in the last day", "accent bold")]
    return [*lines, *(_finished(item, look, glyphs) for item in view.finished[:_FINISHED])]


def _finished(item: "Progress", look: Look, glyphs: Glyphs) -> Line:
    """What is over: how it ended, how much of it was done, its score, how long it took, when."""
    token = "crit" if item.state.lower() in _BROKEN else "ok"
    of = f" of {count(item.total)}" if item.total and item.done < item.total else ""
    right: list[Span] = [(f"{count(item.done)}{of} {item.unit}", "")]
    if item.score is not None:
        right.append((f"   score {significant(item.score)}", "bright"))
    if item.seconds:
        right.append((f"   in {took(item.seconds)}", "dim"))
    right.append((f"   {ago(item.at, look.at)}", "dim"))
    return Line(
        ((f"   {glyphs.state(token)} ", token), (f"{item.name}  ", "bright"), (item.state, "dim")),
        tuple(right),
    )


def _progress(item: "Progress", look: Look, glyphs: Glyphs) -> Line:
    share = item.done / item.total if item.total else None
    of = f" of {count(item.total)}" if item.total else ""
    return Line(
        ((f"   {item.name}  ", "bright"), (item.state, "dim")),
        (
            (f"{count(item.done)}{of} {item.unit}  ", ""),
            (bar(share, BAR, glyphs) if share is not None else "", "accent"),
            (f"  {ago(item.at, look.at)}", "dim"),
        ),
    )
