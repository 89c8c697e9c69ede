"""The chart widget."""

from dataclasses import replace
from typing import ClassVar

from textual.actions import SkipAction
from textual.binding import BindingType
from textual.events import Blur, Leave, MouseDown, MouseMove, MouseScrollDown, MouseScrollUp, MouseUp
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import Span
from tui_monitor.tui import commands
from tui_monitor.tui.messages import RangeChosen, RangeMoved, RangeZoomed
from tui_monitor.tui.widgets.base import Drawn
from tui_monitor.tui.widgets.figure import DRAWINGS, ChartData, ChartSeries, Drawing, drawings, nearest
from tui_monitor.tui.widgets.plot import Plot

__all__ = ["Chart", "ChartData", "ChartSeries"]

_FAR = 10
"""Into how many big steps a chart is cut."""
_SLIDES = 8
"""A chart that moved by less of its length than one of so many parts went with the clock."""
_DRAGGED = 2
"""Cells from which on a pressed mouse chooses a stretch of time."""


class Chart(Drawn, can_focus=True):
    """Draws values over time. With focus, keys move a crosshair that reads them off, and the time range.

    Equal data is not drawn again; other data repaints the lines that changed. Which time range is shown is
    not the chart's to say: it posts what the person wants to see.
    """

    DEFAULT_CSS = """
    Chart { width: 1fr; height: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("chart")

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

    class Redrawn(Message):
        """The person chose another drawing, for which other steps may suit."""

    def __init__(
        self, data: ChartData | None = None, *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        # Nothing was read yet, which is not the same as nothing being there.
        self._data = data or ChartData(empty="reading")
        self.chosen: Drawing | None = None
        """How the person wants it drawn, where that suits the data."""
        self._pointed: Micros | None = None
        self._travelling = False
        """Whether the person has asked for another time range, which is not there yet."""
        self._hovered = False
        """Whether the crosshair is where the mouse is, and goes with it."""
        self._pressed: int | None = None
        """The column in which the mouse was pressed."""
        self._plot: tuple[Size, Plot, list[Strip]] | None = None

    @property
    def data(self) -> ChartData:
        """What is shown."""
        return self._data

    @property
    def drawing(self) -> Drawing:
        """How it is drawn: as the person chose where that suits the data, else as the data asks for."""
        able = drawings(self._data)
        wanted = self.chosen or self._data.drawing
        return wanted if wanted in able else able[0]

    @property
    def pointed(self) -> Micros | None:
        """The instant under the crosshair, µs; none without a crosshair."""
        return self._pointed

    def show(self, data: ChartData) -> None:
        """Show this from now on. The crosshair stays on its instant, and goes when that is out of sight.

        Where the person moved the time range, here or for all panes, it goes along to the nearest end.
        """
        if data == self._data:
            return
        travelled = self._travelling and data.span != self._data.span
        jumped = travelled or _jumped(self._data, data)
        self._data = data
        if self._pointed is not None and not self._in_sight(self._pointed):
            near = nearest(data.times, self._pointed) if jumped else None
            self._point(None if near is None else data.times[near])
        self._travelling = self._travelling and not travelled
        self._update()

    def _in_sight(self, time: Micros) -> bool:
        times = self._data.times
        return bool(times) and times[0] <= time <= times[-1]

    # Drawing.

    def _plotted(self) -> tuple[Size, Plot, list[Strip]]:
        width, height = self.size
        data = replace(self._data, drawing=self.drawing)
        plot = Plot(data, width, height, self.glyphs, pointed=self._pointed, mono=self.app.no_color)
        return self.size, plot, [self.strip(line, width) for line in plot.lines()]

    def _drawn(self) -> tuple[Size, Plot, list[Strip]]:
        if self._plot is None or self._plot[0] != self.size:
            self._plot = self._plotted()
        return self._plot

    def _update(self) -> None:
        """Repaint what differs."""
        self._plot = None
        self.repaint_all()

    def forget(self) -> None:
        """Let go of what was drawn."""
        self._plot = None
        super().forget()

    def draw(self, y: int) -> Strip:
        """A line of the chart, which is plotted as a whole."""
        lines = self._drawn()[2]
        return lines[y] if y < len(lines) else self.blank(self.size.width)

    def action_drawing(self, step: int) -> None:
        """Draw it another way that suits the data, and say which."""
        able = drawings(self._data)
        if not able[1:]:
            self.app.notify(f"this is drawn as {DRAWINGS[self.drawing]} only", timeout=3)
            return
        self.chosen = able[(able.index(self.drawing) + step) % len(able)]
        self._update()
        self.post_message(self.Redrawn())

    # The crosshair.

    def on_blur(self, event: Blur) -> None:
        """Leave the crosshair with the focus."""
        self._pressed = None
        self._point(None)

    def _point(self, time: Micros | None) -> None:
        if self._hovered:
            # Whoever presses a key or the mouse has taken it over.
            self._hovered = False
        elif time == self._pointed:
            return
        self._pointed = time
        self.post_message(self.Pointed(self, time))
        self._update()

    def _hover(self, time: Micros | None) -> None:
        """The crosshair where the mouse is; nobody is told, for nothing was chosen."""
        self._hovered = time is not None
        if time != self._pointed:
            self._pointed = time
            self._update()

    def action_point(self, step: int, far: bool = False) -> None:
        """Move the crosshair one point to a side, or one cell where points lie closer; first it comes up.

        A `far` step is a tenth of the chart.
        """
        times = self._data.times
        if not times:
            return
        if self._pointed is None:
            self._point(times[-1])
            return
        at = nearest(times, self._pointed) or 0
        at += step * max(1, len(times) // (_FAR if far else max(1, self.size.width)))
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

    # The time range.

    def action_zoom(self, factor: float) -> None:
        """Another length of time, with the crosshair staying where it is; without one, or on the newest
        value, with the same end."""
        times = self._data.times
        at = self._pointed
        self._travelling = True
        self.post_message(RangeZoomed(factor, None if not times or at == times[-1] else at))

    def action_pan(self, share: float) -> None:
        """The same length of time, moved by this share of it."""
        self._travelling = True
        self.post_message(RangeMoved(share))

    def action_still(self) -> None:
        """Show it as it is now on the whole screen."""
        # The library that draws it is not needed before: 0.1 s of loading.
        from tui_monitor.tui.screens.still import StillScreen

        self.app.push_screen(StillScreen(self._data))

    # The mouse.

    def _time_at(self, column: int) -> Micros | None:
        return self._drawn()[1].time_at(column)

    def on_mouse_down(self, event: MouseDown) -> None:
        """Put the crosshair there; who goes on with the button pressed chooses a stretch of time."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        time = self._time_at(offset.x)
        if time is not None:
            self._pressed = offset.x
            self.capture_mouse()
            self._point(time)

    def on_mouse_move(self, event: MouseMove) -> None:
        """The crosshair follows the mouse, unless the keys have it."""
        if self._pressed is not None:
            self._point(self._time_at(event.get_content_offset_capture(self).x))
        elif self._pointed is None or self._hovered:
            offset = event.get_content_offset(self)
            self._hover(None if offset is None else self._time_at(offset.x))

    def on_leave(self, event: Leave) -> None:
        """A crosshair that came with the mouse goes with it."""
        if self._hovered:
            self._hover(None)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Half the time range about the mouse; with shift a quarter of it back."""
        self._scroll(event, 0.5, -0.25)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Twice the time range about the mouse; with shift a quarter of it on."""
        self._scroll(event, 2.0, 0.25)

    def _scroll(self, event: MouseScrollUp | MouseScrollDown, factor: float, share: float) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        event.prevent_default()
        if event.shift:
            self.action_pan(share)
            return
        self._travelling = True
        self.post_message(RangeZoomed(factor, self._time_at(offset.x)))

    def on_mouse_up(self, event: MouseUp) -> None:
        """Ask for the stretch of time between where the mouse was pressed and where it is now."""
        began, self._pressed = self._pressed, None
        self.release_mouse()
        if began is None:
            return
        column = event.get_content_offset_capture(self).x
        ends = sorted(t for x in (began, column) if (t := self._time_at(x)) is not None)
        if abs(column - began) >= _DRAGGED and len(ends) == 2 and ends[0] < ends[1]:
            self._travelling = True
            self.post_message(RangeChosen(Span(ends[0], ends[1])))


def _jumped(before: ChartData, now: ChartData) -> bool:
    """Whether another time was chosen: a chart that only goes with the clock moves by little of itself."""
    if not before.times or not now.times:
        return False
    length = before.times[-1] - before.times[0]
    moved = max(abs(now.times[end] - before.times[end]) for end in (0, -1))
    return moved > length // _SLIDES
