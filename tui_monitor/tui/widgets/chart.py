"""The chart widget."""

from typing import ClassVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.events import Blur
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from tui_monitor.model.clock import Micros
from tui_monitor.tui.widgets.base import Drawn
from tui_monitor.tui.widgets.legend import ChartData, ChartSeries
from tui_monitor.tui.widgets.plot import Plot, nearest

__all__ = ["Chart", "ChartData", "ChartSeries"]


class Chart(Drawn, can_focus=True):
    """Draws lines over time. With focus, `left` and `right` move a crosshair that reads the values off.

    Equal data is not drawn again; other data repaints the lines that changed.
    """

    DEFAULT_CSS = """
    Chart { width: 1fr; height: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "point(-1)", "Earlier", show=False, id="chart.earlier"),
        Binding("right", "point(1)", "Later", show=False, id="chart.later"),
        Binding("home", "point_end(0)", "First point", show=False, id="chart.first"),
        Binding("end", "point_end(-1)", "Last point", show=False, id="chart.last"),
        Binding("escape", "leave", "Leave the crosshair", show=False, id="chart.leave"),
    ]

    class Pointed(Message):
        """The crosshair moved; `instant` (µs) is none when it was left."""

        def __init__(self, chart: "Chart", instant: Micros | None) -> None:
            super().__init__()
            self.chart = chart
            self.instant = instant

        @property
        def control(self) -> "Chart":
            """The chart, for selectors."""
            return self.chart

    def __init__(
        self, data: ChartData | None = None, *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        # Nothing was read yet, which is not the same as nothing being there.
        self._data = data or ChartData(empty="reading")
        self._pointed: Micros | None = None
        self._plot: tuple[Size, list[Strip]] | None = None

    @property
    def data(self) -> ChartData:
        """What is shown."""
        return self._data

    @property
    def pointed(self) -> Micros | None:
        """The instant under the crosshair, µs; none without a crosshair."""
        return self._pointed

    def show(self, data: ChartData) -> None:
        """Show this from now on. The crosshair stays on its instant, and goes when that is out of sight."""
        if data == self._data:
            return
        self._data = data
        if self._pointed is not None and not (
            data.times and data.times[0] <= self._pointed <= data.times[-1]
        ):
            self._point(None)
        self._update()

    # Drawing.

    def _plotted(self) -> list[Strip]:
        width, height = self.size
        plot = Plot(self._data, width, height, self.glyphs, pointed=self._pointed, mono=self.app.no_color)
        return [self.strip(line, width) for line in plot.lines()]

    def _update(self) -> None:
        """Repaint what differs; what nobody sees is drawn when it is seen."""
        if not self._strips or not self.is_on_screen:
            self.refresh()
            return
        self._plot = None
        for y in range(self.size.height):
            self.repaint(y)

    def forget(self) -> None:
        """Let go of what was drawn."""
        self._plot = None
        super().forget()

    def draw(self, y: int) -> Strip:
        """A line of the chart, which is plotted as a whole."""
        if self._plot is None or self._plot[0] != self.size:
            self._plot = (self.size, self._plotted())
        lines = self._plot[1]
        return lines[y] if y < len(lines) else self.blank(self.size.width)

    # The crosshair.

    def on_blur(self, event: Blur) -> None:
        """Leave the crosshair with the focus."""
        self._point(None)

    def _point(self, time: Micros | None) -> None:
        if time == self._pointed:
            return
        self._pointed = time
        self.post_message(self.Pointed(self, time))
        self._update()

    def action_point(self, step: int) -> None:
        """Move the crosshair one point to a side, or one cell where points lie closer; first it comes up."""
        times = self._data.times
        if not times:
            return
        if self._pointed is None:
            self._point(times[-1])
            return
        at = nearest(times, self._pointed) or 0
        at += step * max(1, len(times) // max(1, self.size.width))
        self._point(times[max(0, min(at, len(times) - 1))])

    def action_point_end(self, index: int) -> None:
        """Move the crosshair to the first point (0) or the last (-1)."""
        if self._data.times:
            self._point(self._data.times[index])

    def action_leave(self) -> None:
        """Leave the crosshair; without one the key is for somebody else."""
        if self._pointed is None:
            raise SkipAction
        self._point(None)
