"""The time range that all panes share, and what moves it."""

from typing import TYPE_CHECKING

from textual import on

from tui_monitor.model.clock import Micros
from tui_monitor.model.comparison import AGAINST, Against
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.timerange import TimeRange
from tui_monitor.tui import travel
from tui_monitor.tui.gathered import Gathered
from tui_monitor.tui.link import Backend
from tui_monitor.tui.messages import RangeChosen, RangeMoved, RangeZoomed
from tui_monitor.tui.words import moment_words

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Snapshot


COMPARED: tuple[tuple[Against, bool], ...] = (("previous", False), *((one, True) for one in AGAINST))
"""With which span figures are compared, and whether charts draw it too."""


LATE = 10.0
"""Seconds after which a question about the frame that is still under way is told of."""


def unanswered(snapshot: "Snapshot") -> MonitorError:
    """That nothing was answered for a while: what stands there is of the last snapshot."""
    when = moment_words(snapshot.at, snapshot.at, snapshot.calendar, seconds=True)
    return MonitorError(
        f"no answer since {when}: what stands here is of then",
        hint="the disk or the machine is busy, or a long query is under way",
    )


class RangedScreen(Gathered[None]):
    """A screen that looks at one range of time, live or fixed, and may stand still."""

    def __init__(self, backend: Backend, *, id: str) -> None:
        super().__init__(id=id)
        self.backend = backend
        self.shown = TimeRange()
        self.compared = 0
        """Which of `COMPARED` it is."""
        self.paused: Micros | None = None
        self.snapshot: Snapshot | None = None
        self._journey = travel.Journey()

    def range_changed(self) -> None:
        """Another range is shown from now on."""
        raise NotImplementedError

    def show_range(self, shown: TimeRange) -> None:
        """Look at another range from now on; the one before is remembered."""
        if shown != self.shown:
            self._journey.leave(self.shown)
        self._show(shown)

    def _show(self, shown: TimeRange) -> None:
        self.backend.knock()
        self.shown = shown
        self.range_changed()

    def action_compare(self) -> None:
        """Compare with the period before, then with the same time a day and a week before; then draw none."""
        self.backend.knock()
        self.compared = (self.compared + 1) % len(COMPARED)
        self.range_changed()

    @property
    def now(self) -> Micros | None:
        """The present as the screen knows it: where it stands still while paused."""
        if self.paused is not None:
            return self.paused
        return None if self.snapshot is None else self.snapshot.at

    @on(RangeZoomed)
    def _range_zoomed(self, event: RangeZoomed) -> None:
        if self.now is not None:
            self.show_range(travel.zoomed(self.shown, event.factor, event.at, self.now))

    @on(RangeMoved)
    def _range_moved(self, event: RangeMoved) -> None:
        if self.now is not None:
            self.show_range(travel.moved(self.shown, event.share, self.now))

    @on(RangeChosen)
    def _range_chosen(self, event: RangeChosen) -> None:
        if self.now is not None:
            self.show_range(travel.chosen(event.span, self.now))

    def action_resize_range(self, step: int) -> None:
        """The next longer or shorter preset."""
        self.show_range(travel.resized(self.shown, step))

    def action_shift_range(self, halves: int) -> None:
        """Back or on in time."""
        if self.now is not None:
            self.show_range(travel.shifted(self.shown, halves, self.now))

    def action_range_back(self) -> None:
        """The range that was shown before."""
        self._go(self._journey.back(self.shown), "this is the first range that was shown")

    def action_range_on(self) -> None:
        """The range that was gone back from."""
        self._go(self._journey.on(self.shown), "this is the last range that was shown")

    def _go(self, shown: TimeRange | None, why_not: str) -> None:
        if shown is None:
            self.app.notify(why_not, timeout=3)
        else:
            self._show(shown)

    def action_live(self) -> None:
        """Back to the present."""
        self.show_range(TimeRange(self.shown.length))

    def action_newest(self) -> None:
        """Travel to the newest call."""
        if self.snapshot is not None and self.snapshot.extent.last is not None:
            newest = self.snapshot.extent.last
            shown = travel.ending_at(self.shown, newest, self.snapshot.at)
            if shown == self.shown:
                self.notify("the newest data is shown already")
            self.show_range(shown)

    def action_choose_range(self) -> None:
        """Open the dialog for the time range."""
        if self.snapshot is None or self.now is None:
            return
        from tui_monitor.tui.screens.timerange import TimeRangeDialog

        def take(shown: TimeRange | None) -> None:
            if shown is not None:
                self.show_range(shown)

        newest = self.snapshot.extent.last
        self.app.push_screen(TimeRangeDialog(self.shown, self.now, newest, self.snapshot.calendar), take)
