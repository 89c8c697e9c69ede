"""A chart as it was at one moment, on the whole screen, or how its values are distributed."""

from collections.abc import Callable, Sequence
from itertools import groupby
from math import inf
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.text import Text
from textual.app import ComposeResult, RenderResult
from textual.binding import BindingType
from textual.color import Color, ColorParseError
from textual.containers import Vertical
from textual_plotext import PlotextPlot

from tui_monitor.config import resources
from tui_monitor.model.clock import SECOND
from tui_monitor.tui.dialogkeys import bindings
from tui_monitor.tui.drawing import BRAILLE, Glyphs, safe
from tui_monitor.tui.gathered import Dialog
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.theme import colours
from tui_monitor.tui.widgets.axes import label, moment, scale, time_ticks
from tui_monitor.tui.widgets.figure import ChartData, ChartSeries, Values, cleaned, total
from tui_monitor.tui.widgets.keyline import key_spans
from tui_monitor.tui.widgets.lines import Line, Lines

if TYPE_CHECKING:
    from textual_plotext.plot import Plot

Colour = tuple[int, int, int]
Painter = Callable[[ChartSeries], Colour | None]
View = Literal["over time", "distribution"]
BINS = 40
"""Bars of a distribution at most."""
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
            draw_lines(plt, data, self._paint, self._glyphs, self.app.size.width)
        name = f" {data.title or 'CHART'}  "
        span = ""
        if data.times:
            length = data.times[-1] - data.times[0]
            first, last = (moment(t, max(length, 1), data.calendar) for t in (data.times[0], data.times[-1]))
            steps = " of the steps" if self._view == "distribution" and not data.bounds else ""
            span = f"{self._view}{steps}, {first} to {last}, still"
        other = "distribution" if self._view == "over time" else "over time"
        keys = key_spans(keymap_of(self.app), (("dialog.still.turn", other), ("dialog.still.close", "")))
        self._head.show([Line(((name, "accent bold"), (span, "dim")), keys)])
        self._plot.refresh()

    def _paint(self, series: ChartSeries) -> Colour | None:
        """The colour of a series; none where the terminal has colours of its own, or shall have none."""
        if self.app.no_color:
            return None
        try:
            return Color.parse(colours(self.app.theme_variables)[series.token]).rgb
        except ColorParseError:
            return None


def _marker(series: ChartSeries, paint: Colour | None, glyphs: Glyphs) -> str:
    """Without colour only the markers tell lines apart."""
    return glyphs.marker(series.index) if glyphs.plain or paint is None else "braille"


def draw_lines(plt: "Plot", data: ChartData, paint: Painter, glyphs: Glyphs, width: int) -> None:
    """The series over time; gaps stay gaps."""
    known = {s.name: cleaned(s.values, len(data.times)) for s in data.series}
    values = [v for line in known.values() for v in line if v is not None]
    if not values:
        return
    for series in data.series:
        colour = paint(series)
        name: str | None = safe(series.name, glyphs)
        points = zip(data.times, known[series.name], strict=True)
        for there, run in groupby(points, key=lambda point: point[1] is not None):
            if there:
                xs, ys = zip(*run, strict=True)
                seconds = [t / SECOND for t in xs]
                plt.plot(seconds, ys, marker=_marker(series, colour, glyphs), color=colour, label=name)
                name = None
    axis = scale(min(values), max(values), data.unit, 6)
    plt.ylim(axis.low, axis.high)
    plt.yticks([tick for tick, _ in axis.ticks], [safe(text, glyphs) for _, text in axis.ticks])
    ticks = time_ticks(data.times[0], data.times[-1], max(20, width - _MARGIN), data.calendar)
    plt.xticks([t / SECOND for t, _ in ticks], [safe(text, glyphs) for _, text in ticks])


def distribution(values: Sequence[Values], bins: int) -> tuple[list[float], list[list[int]]]:
    """The middles of equal bins from the lowest to the highest value, and how many of each lie in them."""
    known = [[v for v in line if v is not None] for line in values]
    every = [v for line in known for v in line]
    if not every:
        return [], []
    low, high = min(every), max(every)
    size = (high - low) / bins if high > low else 1.0
    counts = [[0] * bins for _ in known]
    for n, line in enumerate(known):
        for v in line:
            counts[n][min(bins - 1, int((v - low) / size))] += 1
    return [low + (i + 0.5) * size for i in range(bins)], counts


def draw_distribution(plt: "Plot", data: ChartData, paint: Painter, glyphs: Glyphs) -> None:
    """How many steps have which value; of a histogram how many lie in each bucket, all times together."""
    values = [cleaned(series.values, len(data.times)) for series in data.series]
    if data.bounds:
        sums = [total(line) or 0.0 for line in values]
        names = [
            safe(f"{label(bound, data.unit)}" if bound < inf else "more", glyphs) for bound in data.bounds
        ]
        plt.bar(names, sums, marker="#" if glyphs.plain else "sd", color=paint(data.series[0]))
        return
    middles, counts = distribution(values, BINS)
    if not middles:
        return
    for series, line in zip(data.series, counts, strict=True):
        colour, name = paint(series), safe(series.name, glyphs)
        if len(counts) == 1:
            mark = "#" if glyphs.plain else "sd"
            plt.bar(middles, line, marker=mark, color=colour, label=name, width=0.8)
            continue
        plt.plot(middles, line, marker=_marker(series, colour, glyphs), color=colour, label=name)
    axis = scale(middles[0], middles[-1], data.unit, 8, zero=False)
    plt.xticks([tick for tick, _ in axis.ticks], [safe(text, glyphs) for _, text in axis.ticks])
    height = scale(0, max(map(max, counts)), "", 6)
    plt.ylim(0, height.high)
    whole = [tick for tick, _ in height.ticks if tick == int(tick)]
    plt.yticks(whole, [f"{tick:.0f}" for tick in whole])
