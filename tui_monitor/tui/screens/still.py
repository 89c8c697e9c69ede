"""A chart as it was at one moment, on the whole screen, or how its values are distributed."""

from collections.abc import Sequence
from itertools import groupby
from math import cbrt, ceil, inf
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from rich.text import Text
from textual.app import ComposeResult, RenderResult
from textual.binding import BindingType
from textual.color import Color, ColorParseError
from textual.containers import Vertical
from textual_plotext import PlotextPlot

from tui_monitor.config import resources
from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.tui.dialogkeys import bindings
from tui_monitor.tui.drawing import BRAILLE, Glyphs, safe
from tui_monitor.tui.gathered import Dialog
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.naming import told_apart
from tui_monitor.tui.screens.stillbeside import Beside, Colour, Painter
from tui_monitor.tui.theme import colours
from tui_monitor.tui.widgets.axes import label, moment, scale, time_ticks
from tui_monitor.tui.widgets.figure import ChartData, ChartSeries, Values, cleaned, finite, total, with_near
from tui_monitor.tui.widgets.keyline import key_spans
from tui_monitor.tui.widgets.lines import Line, Lines

if TYPE_CHECKING:
    from textual_plotext.plot import Plot

View = Literal["over time", "distribution"]
BINS = 40
"""Bars of a distribution at most."""
_FILLED = 0.8
"""Share of its bin that a bar is wide."""
_FRAME = str.maketrans("┌┐└┘├┤┬┴┼│─", "+++++++++|-")
_MARGIN = 14
"""Cells beside the lines: labels of the values, and the frame."""


class _Drawing(PlotextPlot):
    """The library's widget, with its frame in the terminal's characters."""

    def render(self) -> RenderResult:
        drawn = super().render()
        if getattr(self.app, "glyphs", BRAILLE).plain and isinstance(drawn, Text):
            drawn.plain = drawn.plain.translate(_FRAME)
        return drawn


class StillScreen(Dialog[None]):
    """Drawn once: whatever comes in meanwhile, it stays as it is for reading."""

    CSS_PATH = str(resources.style("dialogs.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = bindings("still")

    def __init__(self, data: ChartData) -> None:
        super().__init__()
        self._data = data
        self._view: View = "over time"
        self._head = Lines([Line()], id="still-head")
        self._plot = _Drawing(id="still-plot")
        # Axes and labels then have the colours of the style sheet.
        self._plot.theme = "clear"

    def compose(self) -> ComposeResult:
        with Vertical(id="still"):
            yield self._head
            yield self._plot

    @property
    def _glyphs(self) -> Glyphs:
        return getattr(self.app, "glyphs", BRAILLE)

    def on_mount(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def action_turn(self) -> None:
        """Values over time, or how many of them are how large."""
        self._view = "distribution" if self._view == "over time" else "over time"
        self._draw()

    def _draw(self) -> None:
        data, plt = self._data, self._plot.plt
        plt.clear_figure()
        plt.xaxes(True, False)
        plt.yaxes(True, False)
        if self._view == "distribution":
            draw_distribution(plt, data, self._paint, self._glyphs)
        else:
            draw_lines(plt, data, self._paint, self._glyphs, self.app.size)
        # What it is of may be long, and when it was must be seen.
        most = max(12, self.app.size.width // 2 - 8)
        name = f" {told_apart([data.title or data.about or 'CHART'], most, self._glyphs)[0]}  "
        span = ""
        if data.times:
            start, end = reach(data)
            first, last = (moment(t, end - start, data.calendar) for t in (start, end))
            steps = " of the steps" if self._view == "distribution" and not data.bounds else ""
            span = f"{self._view}{steps}, {first} to {last}, still"
        other = "distribution" if self._view == "over time" else "over time"
        named = (("dialog.still.turn", other), ("help", ""), ("dialog.still.close", ""))
        keys = key_spans(keymap_of(self.app), named)
        self._head.show([Line(((name, "accent bold"), (span, "dim")), keys)])
        self._plot.refresh()

    def _paint(self, token: str) -> Colour | None:
        """The colour of a style token; none where the terminal has colours of its own, or shall have none."""
        if self.app.no_color:
            return None
        try:
            return Color.parse(colours(self.app.theme_variables)[token]).rgb
        except ColorParseError:
            return None


def _marker(series: ChartSeries, paint: Painter, glyphs: Glyphs) -> str:
    """Without colour only the markers tell lines apart."""
    return glyphs.marker(series.index) if glyphs.plain or paint(series.token) is None else "braille"


def reach(data: ChartData) -> tuple[Micros, Micros]:
    """The range that is shown, whether or not something is known of all of it."""
    if not data.times:
        return 0, 0
    first = data.times[0] if data.span is None else min(data.span.start, data.times[0])
    return min(first, data.times[-1] - SECOND), data.times[-1]


def draw_lines(plt: "Plot", data: ChartData, paint: Painter, glyphs: Glyphs, size: tuple[int, int]) -> None:
    """The series over time with all that stands beside them, in so many cells; gaps stay gaps."""
    count = len(data.times)
    known = [cleaned(series.values, count) for series in data.series]
    before = [cleaned(course, count) for course in data.before]
    values = [v for line in (*known, *before) for v in line if v is not None]
    if not values:
        return
    names = [safe(series.name, glyphs) for series in data.series]
    for n, course in enumerate(before):
        name = safe(data.before_name, glyphs) if n == 0 else None
        _plot(plt, data.times, course, name, glyphs.dot, paint("dim"))
    for series, line, name in zip(data.series, known, names, strict=True):
        _plot(plt, data.times, line, name, _marker(series, paint, glyphs), paint(series.token))
    thresholds = [(name, v) for name, value in data.thresholds if (v := finite(value)) is not None]
    low, high = with_near(min(values), max(values), thresholds)
    axis = scale(low, high, data.unit, 6)
    plt.ylim(axis.low, axis.high)
    plt.yticks([tick for tick, _ in axis.ticks], [safe(text, glyphs) for _, text in axis.ticks])
    first, last = reach(data)
    plt.xlim(first / SECOND, last / SECOND)
    ticks = time_ticks(first, last, max(20, size[0] - _MARGIN), data.calendar)
    plt.xticks([t / SECOND for t, _ in ticks], [safe(text, glyphs) for _, text in ticks])
    key = [*names, *([safe(data.before_name, glyphs)] if before else [])]
    beside = Beside(plt, (first, last), axis, paint, glyphs, size, key)
    beside.levels(thresholds, data.unit)
    beside.marks(data.marks)


def _plot(
    plt: "Plot", times: Sequence[Micros], values: Values, name: str | None, marker: str, colour: Colour | None
) -> None:
    """One line, of which the first stretch without a gap has the name."""
    for there, run in groupby(zip(times, values, strict=True), key=lambda point: point[1] is not None):
        if there:
            xs, ys = zip(*run, strict=True)
            plt.plot([t / SECOND for t in xs], ys, marker=marker, color=colour, label=name)
            name = None


def bins_for(count: int) -> int:
    """Bars for so many values by Rice's rule, twice the cube root: few values are few bars."""
    return max(1, min(BINS, ceil(2 * cbrt(count))))


def distribution(values: Sequence[Values], bins: int) -> tuple[list[float], list[list[int]]]:
    """The middles of equal bins from the lowest to the highest value, and how many of each lie in them."""
    known = [[v for v in line if v is not None] for line in values]
    every = [v for line in known for v in line]
    if not every:
        return [], []
    low, high = min(every), max(every)
    if high <= low:
        bins = 1
    size = (high - low) / bins if high > low else 1.0
    counts = [[0] * bins for _ in known]
    for n, line in enumerate(known):
        for v in line:
            counts[n][min(bins - 1, int((v - low) / size))] += 1
    start = low if high > low else low - size / 2
    return [start + (i + 0.5) * size for i in range(bins)], counts


def draw_distribution(plt: "Plot", data: ChartData, paint: Painter, glyphs: Glyphs) -> None:
    """How many steps have which value; of a histogram how many lie in each bucket, all times together."""
    values = [cleaned(series.values, len(data.times)) for series in data.series]
    if data.bounds:
        sums = [total(line) or 0.0 for line in values]
        names = [
            safe(f"{label(bound, data.unit)}" if bound < inf else "more", glyphs) for bound in data.bounds
        ]
        plt.bar(names, sums, marker="#" if glyphs.plain else "sd", color=paint(data.series[0].token))
        _whole_ticks(plt, max(sums))
        return
    middles, counts = distribution(values, bins_for(sum(v is not None for line in values for v in line)))
    if not middles:
        return
    size = middles[1] - middles[0] if len(middles) > 1 else 1.0
    _piles(plt, data.series, middles, counts, size, paint, glyphs)
    edges = middles[0] - size / 2, middles[-1] + size / 2
    plt.xlim(*edges)
    axis = scale(*edges, data.unit, 8, zero=False)
    ticks = [(tick, text) for tick, text in axis.ticks if edges[0] <= tick <= edges[1]]
    plt.xticks([tick for tick, _ in ticks], [safe(text, glyphs) for _, text in ticks])
    _whole_ticks(plt, max(map(sum, zip(*counts, strict=True))))


def _piles(
    plt: "Plot",
    series: Sequence[ChartSeries],
    middles: Sequence[float],
    counts: Sequence[Sequence[int]],
    size: float,
    paint: Painter,
    glyphs: Glyphs,
) -> None:
    """Bars of counts, series on top of each other: from the last one down, each covers the one before."""
    # The library says of both that they are one number each, and takes the two sides of a rectangle.
    rectangle = cast(Any, plt).rectangle
    for n in range(len(counts) - 1, -1, -1):
        colour = paint(series[n].token)
        marker = _bar_marker(series[n], paint, glyphs, alone=len(counts) == 1)
        name: str | None = safe(series[n].name, glyphs)
        for i, middle in enumerate(middles):
            if not counts[n][i]:
                continue
            sides = [middle - _FILLED * size / 2, middle + _FILLED * size / 2]
            height = [0, sum(line[i] for line in counts[: n + 1])]
            rectangle(sides, height, marker=marker, color=colour, fill=True, label=name)
            name = None


def _bar_marker(series: ChartSeries, paint: Painter, glyphs: Glyphs, *, alone: bool) -> str:
    """What fills a bar: a full cell, unless that would not tell series apart."""
    if alone or paint(series.token) is not None:
        return "#" if glyphs.plain else "sd"
    return glyphs.marker(series.index)


def _whole_ticks(plt: "Plot", highest: float) -> None:
    """A scale of counts from 0 on: there is nothing between two whole numbers."""
    height = scale(0, max(highest, 1), "", 6)
    plt.ylim(0, height.high)
    whole = [tick for tick, _ in height.ticks if tick == int(tick)]
    plt.yticks(whole, [safe(label(tick, "")) for tick in whole])
