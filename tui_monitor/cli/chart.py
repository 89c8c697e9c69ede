"""Charts in the output of a command, drawn by plotext."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from tui_monitor.cli.output import Output
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.text import clean
from tui_monitor.model.units import show

MAX_SERIES = 8
_COLORS = ("cyan", "yellow", "green", "magenta", "blue", "red", "white", "bright_yellow")
_MARKS = "*o+x#@%&"
_HEIGHT = 16
_WIDTH = 100
_MARGIN = 14
"""Columns beside the lines: labels of the values, and the frame."""
_STEPS = 4
"""Between the lowest and the highest label, about."""
_NAME = 40
_SPOKEN = 24
"""Steps of an answer over time that is not drawn."""

Line = tuple[str, Sequence[float | None]]
"""A name, and values at the chart's times; `None` is a gap."""


def points(out: Output) -> int:
    """How many steps a chart has room for, or a person can listen to."""
    if out.plain:
        return _SPOKEN
    return (_columns() - _MARGIN) * (1 if out.glyphs.plain else 2)


def draw(out: Output, times: Sequence[Micros], lines: Sequence[Line], unit: str, calendar: Calendar) -> None:
    """Draw lines over time and name them below; one line of text where there is nothing to draw."""
    known = [line for line in lines if any(value is not None for value in line[1])]
    drawn = known[:MAX_SERIES]
    if not drawn:
        out.line("no data in this range")
        return
    import plotext as plt

    plt.clear_figure()
    plt.theme("clear")
    # It would look for a terminal by itself, and find none in a pipe.
    plt.limit_size(False, False)
    plt.plot_size(_columns(), _HEIGHT)
    for index, (_, values) in enumerate(drawn):
        for xs, ys in _runs(times, values):
            plt.plot(xs, ys, marker=_mark(out, index, len(drawn)), color=_COLORS[index])
    _axes(plt, times, drawn, unit, calendar)
    _print(out, plt.build())
    for index, (name, values) in enumerate(drawn):
        _legend(out, index, len(drawn), name, values, unit)
    if len(known) > len(drawn):
        out.note(f"note: {len(known) - len(drawn)} more series are not drawn")


def bars(out: Output, names: Sequence[str], values: Sequence[float | None], unit: str) -> None:
    """Horizontal bars with their figures behind them; nothing where there is nothing to compare.

    Figures alone where nothing is to be drawn.
    """
    from tui_monitor.tui.drawing import bar, fit

    top = max((value for value in values if value is not None), default=0.0)
    if top <= 0:
        return
    width = min(_NAME, max(len(clean(name)) for name in names))
    room = _columns() - width - 14
    for name, value in zip(names, values, strict=True):
        drawn = "" if out.plain else f"{bar((value or 0) / top, room, out.glyphs, track=False)}  "
        out.line(f"{fit(name, width, glyphs=out.glyphs)}  {drawn}{show(value, unit)}")


def _columns() -> int:
    return max(40, shutil.get_terminal_size().columns) if sys.stdout.isatty() else _WIDTH


def _runs(
    times: Sequence[Micros], values: Sequence[float | None]
) -> Iterator[tuple[list[float], list[float]]]:
    """Stretches without a gap."""
    xs: list[float] = []
    ys: list[float] = []
    for time, value in zip(times, values, strict=True):
        if value is not None:
            xs.append(time / SECOND)
            ys.append(value)
        elif xs:
            yield xs, ys
            xs, ys = [], []
    if xs:
        yield xs, ys


def _mark(out: Output, index: int, count: int) -> str:
    # Without colour only the marks tell lines apart.
    if out.glyphs.plain or (count > 1 and out.console.color_system is None):
        return _MARKS[index]
    return "braille"


def _axes(plt: Any, times: Sequence[Micros], drawn: Sequence[Line], unit: str, calendar: Calendar) -> None:
    from tui_monitor.tui.widgets.axes import scale, time_ticks

    values = [value for _, line in drawn for value in line if value is not None]
    heights = scale(min(values), max(values), unit, _STEPS)
    plt.ylim(heights.low, heights.high)
    plt.yticks([tick for tick, _ in heights.ticks], [text for _, text in heights.ticks])
    start, end = times[0], times[-1]
    plt.xlim(start / SECOND, end / SECOND if end > start else start / SECOND + 1)
    ticks = time_ticks(start, end, _columns() - _MARGIN, calendar)
    plt.xticks([tick / SECOND for tick, _ in ticks], [text for _, text in ticks])


def _print(out: Output, drawn: str) -> None:
    from rich.text import Text

    for row in drawn.rstrip("\n").split("\n"):
        text = Text.from_ansi(row)
        text.rstrip()
        out.line(text)


def _legend(
    out: Output, index: int, count: int, name: str, values: Sequence[float | None], unit: str
) -> None:
    from rich.text import Text

    known = [value for value in values if value is not None]
    mark = _mark(out, index, count)
    line = Text(out.glyphs.dot * 2 if mark == "braille" else mark, style=_COLORS[index])
    line.append(f" {clean(name, _NAME) or 'all'}  ")
    line.append(f"last {show(known[-1], unit)}, peak {show(max(known), unit)}", style="dim")
    out.line(line)
