"""System: this host, the programs on it, what waits, and what is under way."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from tui_monitor.model.states import SourceState
from tui_monitor.model.units import change, count, ratio, share_of_change, show, significant, size
from tui_monitor.tui import commands
from tui_monitor.tui.drawing import Glyphs, Span, curve, fit, lane, safe, width_of
from tui_monitor.tui.link import Look
from tui_monitor.tui.messages import QueryWanted
from tui_monitor.tui.panes.base import Question
from tui_monitor.tui.panes.earlier import Past, against, means, trend
from tui_monitor.tui.panes.sifting import SiftingPane
from tui_monitor.tui.panes.upkeeplines import one_line, took
from tui_monitor.tui.widgets.grid import Cell, Column, Grid, GridRow
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.sifted import SiftedGrid
from tui_monitor.tui.words import ago, length_words

if TYPE_CHECKING:
    from tui_monitor.health.views import CollectorStatus, Gauge, Program, Progress, SystemView
    from tui_monitor.monitor.api import Monitor

BAR, NARROW_BAR, SPARK, MIDDLE_SPARK, WIDE_SPARK = 16, 10, 16, 24, 40
_MOVED = 0.05
"""Share by which a mean differs before an arrow says so."""
_FULL, _FILLING = 0.9, 0.75
_PROGRESS, _FINISHED = 4, 3
_NAME = 40
"""Cells of the longest name of a piece of work."""
_PROGRAM = "program "
"""Before the key of a program's row."""
_WANTED = "hw_gpu_utilization"
_BROKEN = ("failed", "cancelled")


@dataclass(frozen=True, slots=True)
class System:
    """Answers of this pane."""

    view: "SystemView"
    before: Mapping[str, float]
    """The mean of each figure over the span that is compared with."""


def gauge_columns(width: int, *, compared: bool = False) -> tuple[Column, ...]:
    """The host's columns for a screen of so many cells; where it is compared, with means and their change."""
    means = (
        Column("mean", "mean", width=11, align="right", rank=1),
        Column("before", "before", width=11, align="right"),
        Column("change", "change", width=7, align="right"),
    )
    return (
        Column("name", "figure", min=14, max=24),
        Column("value", "now  ", width=13, align="right"),
        *(means if compared else ()),
        Column("bar", "", width=_bar_cells(width), rank=2),
        Column("spark", "", width=_spark_cells(width, compared), rank=1),
        Column("detail", "", min=12, max=60, rank=3),
    )


def _bar_cells(width: int) -> int:
    return BAR if width >= 100 else NARROW_BAR


def _spark_cells(width: int, compared: bool) -> int:
    if compared or width < 120:
        return SPARK
    return WIDE_SPARK if width >= 150 else MIDDLE_SPARK


class SystemPane(SiftingPane[System]):
    """Gauges, the collector in lines, and what is under way."""

    PRESENT = "collector and what is under way"
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("system")

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._past = Past()
        self._head = Lines([Line.of(" HOST", "accent bold")], classes="head")
        self._gauges = SiftedGrid(gauge_columns(120), id="system-gauges")
        self._collector = Lines(id="system-collector")
        self._doing = Lines(id="system-progress")

    def body(self) -> ComposeResult:
        yield self._head
        yield self._gauges
        yield self._collector
        yield self._doing

    def question(self, look: Look) -> Question:
        shown = look.shown
        points = _spark_cells(self.app.size.width, compared=False)

        past = self._past

        async def ask(monitor: "Monitor") -> System:
            # Together: where the collector is far away, each question takes a while.
            view, before = await asyncio.gather(
                monitor.system(shown, points), past.host(monitor, look, points)
            )
            return System(view, before)

        return Question((shown, points, *against(look)), (look.moment(points), look.collector), ask)

    def show(self, answer: System, look: Look) -> None:
        width, glyphs, view = self.app.size.width, self.glyphs, answer.view
        cells = _bar_cells(width), _spark_cells(width, look.beside)
        step = f"sparks: {length_words(view.step)} a step, each to its own peak" if view.gauges else ""
        self._head.show([Line(((" HOST  ", "accent bold"), (view.host, "bright")), ((step, "dim"),))])
        self._gauges.set_columns(gauge_columns(width, compared=look.beside))
        self._gauges.say_empty(no_gauges(view, look, self.keymap.key("range.live")))
        self._gauges.show(rows_of(view, answer.before, cells, glyphs))
        key = self.keymap.key("pane.collector")
        self._collector.show(collector_lines(view.collector, look, glyphs, key))
        self._doing.show(progress_lines(view, look, glyphs))

    @on(Grid.Opened)
    def _gauge_opened(self, event: Grid.Opened) -> None:
        if self.answer is not None and (text := queries(self.answer.view).get(event.key)):
            self.post_message(QueryWanted(text))


def no_gauges(view: "SystemView", look: Look, live: str) -> str:
    """Why there is nothing about the host; `live` is the key that goes back to now."""
    if not look.shown.live:
        return f"No sample of this host in this time range, which ends in the past: {live} goes back to now."
    if silent := view.collector.silent:
        return f"No sample of this host: {silent} writes this database and does not answer."
    if not view.collector.running:
        return "No sample of this host: nobody collects. `tui-monitor` without --no-collect does."
    return "No sample of this host in this time range; the first comes within the collector's interval."


def queries(view: "SystemView") -> dict[str, str]:
    """Row → the query behind it."""
    gauges = {gauge.name: gauge.query for gauge in (*view.gauges, *view.queues)}
    return gauges | {_PROGRAM + program.name: program.query for program in view.programs}


def rows_of(
    view: "SystemView", before: Mapping[str, float], cells: tuple[int, int], glyphs: Glyphs
) -> list[GridRow]:
    """The host's figures, the programs that take most of it, and what waits; `before` has earlier means."""
    present = means(view)
    rows = [_gauge_row(gauge, present, before, cells, glyphs) for gauge in view.gauges]
    if view.programs:
        rows.append(GridRow("programs", heading="PROGRAMS  processor and memory"))
        rows += [_program_row(program, present, before, cells, glyphs) for program in view.programs]
    if view.queues:
        rows.append(GridRow("queues", heading="QUEUES"))
        rows += [_gauge_row(gauge, present, before, cells, glyphs) for gauge in view.queues]
    return rows


def _compared(
    name: str, unit: str, present: Mapping[str, float], before: Mapping[str, float]
) -> dict[str, Cell]:
    """The means of the two spans, and how the one differs from the other."""
    mean, then = present.get(name), before.get(name)
    return {
        "mean": Cell(show(mean, unit), sort=mean),
        "before": Cell(show(then, unit), "dim", sort=then),
        "change": Cell(change(mean, then)[0], "dim", sort=share_of_change(mean, then)),
    }


def _moved(name: str, present: Mapping[str, float], before: Mapping[str, float], glyphs: Glyphs) -> Span:
    """An arrow where the mean is another one; whether that is good nobody knows."""
    then = before.get(name)
    return (trend(present.get(name), then, "up", glyphs, _MOVED * abs(then or 0.0))[0], "dim")


def _program_row(
    program: "Program",
    present: Mapping[str, float],
    before: Mapping[str, float],
    cells: tuple[int, int],
    glyphs: Glyphs,
) -> GridRow:
    share = "" if program.share is None else f", {ratio(program.share)}"
    number = f", {program.processes} processes" if program.processes > 1 else ""
    taken = f"{size(program.memory)}{share}{number}"
    if cells[0] == NARROW_BAR:
        taken = size(program.memory) + (f" x{program.processes}" if program.processes > 1 else "")
    return GridRow(
        _PROGRAM + program.name,
        {
            "name": Cell(program.name, "bright", sort=program.name),
            "value": Cell(
                ratio(program.cpu), sort=program.cpu, mark=_moved(program.name, present, before, glyphs)
            ),
            **_compared(program.name, "ratio", present, before),
            "bar": Cell("" if program.cpu is None else lane(program.cpu, cells[0], glyphs), "accent"),
            "spark": Cell(curve(program.spark, cells[1], 1.0, glyphs), "accent"),
            "detail": Cell(taken, "dim", sort=program.memory),
        },
    )


def _gauge_row(
    gauge: "Gauge",
    present: Mapping[str, float],
    before: Mapping[str, float],
    cells: tuple[int, int],
    glyphs: Glyphs,
) -> GridRow:
    token = "accent"
    # A card is bought to be busy: that it is worries nobody.
    wanted = gauge.query.startswith(_WANTED)
    if gauge.fraction is not None and gauge.fraction >= _FILLING and not wanted:
        token = "crit" if gauge.fraction >= _FULL else "warn"
    mark = f" {glyphs.state(token)}" if token in ("warn", "crit") else ""
    filled = "" if gauge.fraction is None else lane(gauge.fraction, cells[0], glyphs)
    return GridRow(
        gauge.name,
        {
            "name": Cell(f"{gauge.name}{mark}", "bright", sort=gauge.name),
            "value": Cell(
                show(gauge.value, gauge.unit),
                "" if token == "accent" else token,
                sort=gauge.value,
                mark=_moved(gauge.name, present, before, glyphs),
            ),
            **_compared(gauge.name, gauge.unit, present, before),
            "bar": Cell(filled, token),
            "spark": Cell(
                curve(gauge.spark, cells[1], 1.0 if gauge.unit == "ratio" else None, glyphs),
                "accent",
            ),
            "detail": Cell(gauge.detail, "dim"),
        },
    )


def collector_lines(status: "CollectorStatus", look: Look, glyphs: Glyphs, key: str) -> list[Line]:
    """Who collects, and that its own pane tells more."""
    line = one_line(status, look, glyphs)
    lines = [Line(), Line(line.left, ((key, "accent bold"), (" Collector", "dim")))]
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
    going, over = view.progress[:_PROGRESS], view.finished[:_FINISHED]
    wide = min(_NAME, max((width_of(safe(item.name, glyphs)) for item in (*going, *over)), default=0))
    lines += [_progress(item, look, glyphs, wide) for item in going]
    if view.finished:
        gap = [Line()] if lines else []
        lines += [*gap, Line.of(" FINISHED  in the last day", "accent bold")]
    return [*lines, *(_finished(item, look, glyphs, wide) for item in over)]


def _finished(item: "Progress", look: Look, glyphs: Glyphs, wide: int) -> Line:
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
        (
            (f"   {glyphs.state(token)} ", token),
            (f"{fit(item.name, wide, 'left', glyphs)}  ", "bright"),
            (item.state, "dim"),
        ),
        tuple(right),
    )


def _progress(item: "Progress", look: Look, glyphs: Glyphs, wide: int) -> Line:
    share = item.done / item.total if item.total else None
    of = f" of {count(item.total)}" if item.total else ""
    return Line(
        ((f"     {fit(item.name, wide, 'left', glyphs)}  ", "bright"), (item.state, "dim")),
        (
            (f"{count(item.done)}{of} {item.unit}  ", ""),
            (lane(share, BAR, glyphs) if share is not None else "", "accent"),
            (f"  {ago(item.at, look.at)}", "dim"),
        ),
    )
