"""Charts in the output of a command, drawn as the dashboard draws them."""

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_monitor.cli.output import Output
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.text import clean
from tui_monitor.model.units import show

if TYPE_CHECKING:
    from rich.text import Text

    from tui_monitor.tui.drawing import Span

MAX_SERIES = 8
_STYLES = {
    "series-1": "cyan", "series-2": "yellow", "series-3": "green", "series-4": "magenta",
    "series-5": "blue", "series-6": "red", "series-7": "white", "series-8": "bright_yellow",
    "dim": "dim", "bright": "bold", "accent": "cyan", "bold": "bold",
}  # fmt: skip
"""Word of a style token → the terminal's own style."""
_HEIGHT = 16
_WIDTH = 100
_MARGIN = 14
"""Columns beside the lines: labels of the values, and the axis."""
_NAME = 40
_SPOKEN = 24
"""Steps of an answer over time that is not drawn."""

Line = tuple[str, Sequence[float | None], Sequence[float | None]]
"""A name, values at the chart's times, and those of an earlier span or none; `None` is a gap."""


def points(out: Output) -> int:
    """How many steps a chart has room for, or a person can listen to."""
    if out.plain:
        return _SPOKEN
    return (_columns() - _MARGIN) * (1 if out.glyphs.plain else 2)


def draw(
    out: Output,
    times: Sequence[Micros],
    lines: Sequence[Line],
    unit: str,
    calendar: Calendar,
    before: str = "",
) -> None:
    """Draw lines over time with their key; one line of text where there is nothing to draw.

    `before` is what the span is called that the earlier values are of.
    """
    from tui_monitor.tui.widgets.figure import ChartData, ChartSeries
    from tui_monitor.tui.widgets.plot import Plot

    known = [line for line in lines if any(value is not None for value in line[1])]
    drawn = known[:MAX_SERIES]
    if not drawn:
        out.line("no data in this range")
        return
    data = ChartData(
        times=tuple(times),
        series=tuple(
            ChartSeries(clean(name, _NAME) or "all", tuple(values), n)
            for n, (name, values, _) in enumerate(drawn)
        ),
        unit=unit,
        calendar=calendar,
        before=tuple(tuple(old) for _, _, old in drawn) if before else (),
        before_name=before,
    )
    plot = Plot(data, _columns(), _HEIGHT, out.glyphs, mono=out.console.color_system is None)
    for pieces in plot.lines():
        out.line(_styled(pieces))
    if len(known) > len(drawn):
        out.note(f"note: {len(known) - len(drawn)} more series are not drawn")


def _styled(pieces: "Sequence[Span]") -> "Text":
    from rich.text import Text

    text = Text()
    for words, token in pieces:
        text.append(words, " ".join(style for word in token.split() if (style := _STYLES.get(word))))
    text.rstrip()
    return text


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
