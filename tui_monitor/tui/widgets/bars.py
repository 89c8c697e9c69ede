"""A chart of upright bars: one value per day, in parts where it has any, or an estimate."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from textual.strip import Strip

from tui_monitor.tui.drawing import Glyphs, Span, fit, safe, width_of
from tui_monitor.tui.widgets.axes import Scale, scale
from tui_monitor.tui.widgets.base import Drawn
from tui_monitor.tui.widgets.field import Frame
from tui_monitor.tui.widgets.figure import ChartSeries
from tui_monitor.tui.widgets.stacked import pile


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; `None` is no data. `label` stands below where there is room."""

    label: str
    value: float | None
    token: str = "accent"
    estimate: bool = False
    parts: tuple[tuple[float, int], ...] = ()
    """From the floor up, each with the number of its series; -1 is all the rest."""


@dataclass(frozen=True, slots=True)
class BarData:
    """What a bar chart shows."""

    bars: tuple[Bar, ...] = ()
    unit: str = ""
    empty: str = "no data"


def draw_bars(
    data: BarData, width: int, height: int, glyphs: Glyphs, *, mono: bool = False
) -> list[list[Span]]:
    """`height` lines of at most `width` cells: the bars, and below them an axis with labels."""
    known = [bar.value for bar in data.bars if bar.value is not None]
    if not known or height < 3 or width < 12:
        return [[("  " + fit(data.empty, max(0, width - 2), "left", glyphs), "dim")]] if not known else []
    rows = height - 2
    axis = scale(0.0, max(known), data.unit, max(1, min(4, rows // 2)))
    left = max(width_of(safe(text, glyphs)) for _, text in axis.ticks)
    slot, size = _slots(len(data.bars), width - left - 2)
    shown = data.bars[-((width - left - 2) // slot) :]
    labels = {rows - 1 - _row(tick, axis, rows): text for tick, text in axis.ticks[1:]}
    frame = Frame(1, rows, axis, (0, 0), glyphs, mono)
    drawn = [_drawn(bar, frame) for bar in shown]
    lines = [
        [*_wall(labels.get(row, ""), left, glyphs), *_cells(drawn, rows - 1 - row, slot, size)]
        for row in range(rows)
    ]
    floor = glyphs.floor * (slot * len(shown))
    lines.append([(f"{'0':>{left}} {glyphs.corner}{floor}", "dim")])
    lines.append([(" " * (left + 2), ""), (_labels(shown, slot), "dim")])
    return lines


def _slots(count: int, room: int) -> tuple[int, int]:
    """Cells from one bar to the next, and of a bar."""
    slot = max(1, min(6, room // max(1, count)))
    return slot, max(1, slot - 1)


def _row(value: float, axis: Scale, rows: int) -> int:
    """The row, counted from the floor, in which a value ends."""
    return max(0, min(rows - 1, math.ceil(axis.share(value) * rows - 1e-9) - 1))


def _wall(text: str, left: int, glyphs: Glyphs) -> list[Span]:
    return [(f"{fit(text, left, 'right', glyphs)} {glyphs.wall if text else glyphs.post}", "dim")]


def _cells(drawn: Sequence[Sequence[Span]], row: int, slot: int, size: int) -> list[Span]:
    spans: list[Span] = []
    for bar in drawn:
        text, token = bar[row] if row < len(bar) else (" ", "")
        spans += [(text * size, token), (" " * (slot - size), "")]
    return spans


def _drawn(bar: Bar, frame: Frame) -> list[Span]:
    """A bar from the floor up."""
    glyphs = frame.glyphs
    if bar.value is None:
        return [(glyphs.gap, "dim")]
    if bar.parts:
        return pile([value for value, _ in bar.parts], [ChartSeries("", (), n) for _, n in bar.parts], frame)
    token = "dim" if bar.estimate else bar.token
    return [(text, token) for row in range(frame.rows) if (text := _cell(bar, row, frame)).strip()]


def _cell(bar: Bar, row: int, frame: Frame) -> str:
    """What stands in one row of a bar; something is never drawn as nothing."""
    assert bar.value is not None
    glyphs, steps = frame.glyphs, len(frame.glyphs.levels)
    filled = frame.scale.share(bar.value) * frame.rows * steps - row * steps
    if bar.value > 0 and row == 0:
        filled = max(1.0, filled)
    if filled < 0.5:
        return " "
    if bar.estimate:
        return glyphs.track
    return glyphs.levels[min(steps, max(1, round(filled))) - 1]


def _labels(bars: Sequence[Bar], slot: int) -> str:
    """The labels that do not touch each other, each under the start of its bar."""
    line = ""
    for index, bar in enumerate(bars):
        at = index * slot
        room = not line or at > len(line) + 1
        if bar.label and room and at + len(bar.label) <= slot * len(bars):
            line = line.ljust(at) + bar.label
    return line


class Bars(Drawn):
    """Draws bars and repaints the lines that changed."""

    DEFAULT_CSS = """
    Bars { width: 1fr; height: 1fr; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._data = BarData()
        self._lines: list[list[Span]] | None = None
        """All lines as they are drawn at this size."""

    @property
    def data(self) -> BarData:
        """What is shown."""
        return self._data

    def show(self, data: BarData) -> None:
        """Show this from now on."""
        if data != self._data:
            self._data, self._lines = data, None
            self.repaint_all()

    def sized(self) -> None:
        """Its lines are as high and as wide as it is."""
        self._lines = None

    def forget(self) -> None:
        """Let go of what was drawn."""
        self._lines = None
        super().forget()

    def draw(self, y: int) -> Strip:
        """A line of the chart."""
        width, height = self.size
        lines = self._lines
        if lines is None:
            lines = draw_bars(self._data, width, height, self.glyphs, mono=self.app.no_color)
            self._lines = lines
        return self.strip(lines[y], width) if y < len(lines) else self.blank(width)
