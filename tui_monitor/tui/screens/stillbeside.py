"""What stands beside the lines of a still chart: thresholds and what happened, with their names."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.tui.drawing import Glyphs, safe, width_of
from tui_monitor.tui.widgets.axes import Scale, label
from tui_monitor.tui.widgets.figure import Mark

if TYPE_CHECKING:
    from textual_plotext.plot import Plot

Colour = tuple[int, int, int]
Painter = Callable[[str], Colour | None]
"""The colour of a style token; none where there is no colour."""
Side = Literal["left", "right"]
_AROUND = (8, 5)
"""Cells across and down that labels of the axes and the head take, about."""
_KEY = 6
"""Cells of the key beside its names."""
_ROWS = 4
"""Rows from the top in which marks are named."""


class Beside:
    """Draws into a plot, and keeps in mind which cells of its top rows have words already."""

    def __init__(
        self,
        plt: "Plot",
        reach: tuple[Micros, Micros],
        axis: Scale,
        paint: Painter,
        glyphs: Glyphs,
        size: tuple[int, int],
        key: Sequence[str],
    ) -> None:
        """`size` is that of the screen, `key` the names that stand in the upper left corner."""
        self._plt, self._reach, self._axis, self._paint, self._glyphs = plt, reach, axis, paint, glyphs
        self._columns, self._rows = (max(2, cells - less) for cells, less in zip(size, _AROUND, strict=True))
        wide = max(map(width_of, key), default=0) + _KEY
        self._taken = [(row, 0, wide) for row in range(len(key))]

    def levels(self, thresholds: Sequence[tuple[str, float]], unit: str) -> None:
        """Thresholds as lines across with their names at the right; an arrow where one is out of sight."""
        axis, glyphs = self._axis, self._glyphs
        for name, value in thresholds:
            text = safe(f"{name} {label(value, unit)}", glyphs)
            if axis.low <= value <= axis.high:
                self._plt.hline(value, color=self._paint("warn"))
                self._write(text, self._reach[1], value, "right", "warn")
                row = round((1 - axis.share(value)) * (self._rows - 1))
                self._taken.append((row, self._columns - width_of(text), self._columns))
            else:
                arrow = glyphs.above if value > axis.high else glyphs.below
                self._name(f"{arrow} {text}", self._reach[1], "warn")

    def marks(self, happened: Sequence[Mark]) -> None:
        """Each mark as an upright in its place; the newest come first to the room for words."""
        for mark in sorted(happened, key=lambda mark: -mark.at):
            if self._reach[0] <= mark.at <= self._reach[1]:
                self._plt.vline(mark.at / SECOND, color=self._paint(mark.token))
                self._name(safe(mark.text, self._glyphs), mark.at, mark.token)

    def _name(self, text: str, at: Micros, token: str) -> None:
        """Words beside an instant in one of the top rows, if they have room."""
        start, end = self._reach
        column = round((at - start) / (end - start) * (self._columns - 1))
        size = width_of(text) + 2
        for row in range(len(self._taken) + _ROWS):
            sides: tuple[tuple[int, Side], ...] = ((column, "left"), (column - size, "right"))
            for left, side in sides:
                if row < self._rows // 2 and self._free(row, left, left + size):
                    self._taken.append((row, left, left + size))
                    height = self._axis.high - self._axis.low
                    padded = f" {text}" if side == "left" else f"{text} "
                    self._write(padded, at, self._axis.high - height * row / (self._rows - 1), side, token)
                    return

    def _free(self, row: int, left: int, right: int) -> bool:
        inside = left >= 0 and right <= self._columns
        return inside and all(row != r or right <= a or left >= b for r, a, b in self._taken)

    def _write(self, text: str, at: Micros, value: float, side: Side, token: str) -> None:
        self._plt.text(text, at / SECOND, value, color=self._paint(token) or "default", alignment=side)
