"""The dialog for the time range that all panes share."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui_monitor.config import resources
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import UsageError
from tui_monitor.model.timerange import PRESETS, TimeRange
from tui_monitor.tui.travel import ending_at, read_range
from tui_monitor.tui.widgets.grid import Cell, Column, Grid, GridRow
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.prompt import Field, Prompt
from tui_monitor.tui.words import length_words, moment_words, range_words

_COLUMNS = (Column("length", "", width=14), Column("end", "", min=20, max=40))


class TimeRangeDialog(ModalScreen[TimeRange | None]):
    """A preset, or a range as one types it; live, or with the end it has now."""

    CSS_PATH = str(resources.style("dialogs.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Close", show=False, id="timerange.close"),
        Binding("t,slash,i", "type", "Type a range", show=False, id="timerange.type"),
        Binding("l", "live", "Live", show=False, id="timerange.live"),
        Binding("f", "fix", "Fixed", show=False, id="timerange.fix"),
        Binding("n", "newest", "Newest data", show=False, id="timerange.newest"),
    ]

    def __init__(self, shown: TimeRange, now: Micros, newest: Micros | None, calendar: Calendar) -> None:
        super().__init__()
        self._shown = shown
        self._now = now
        self._newest = newest
        self._calendar = calendar
        self._state = Lines()
        self._list = Grid(_COLUMNS)
        self._prompt = Prompt(placeholder="90m, 6h to 2026-03-18 14:00, 2026-03-18")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "time range"
            yield self._state
            yield Lines([Line()])
            yield self._list
            yield self._prompt
            keys = (
                (" enter", " take"), ("   t", " type"), ("   l", " live"), ("   f", " fixed"),
                ("   n", " newest data"), ("   esc", " close"),
            )  # fmt: skip
            yield Lines([Line(tuple(p for k, w in keys for p in ((k, "accent bold"), (w, "dim"))))])

    def on_mount(self) -> None:
        self._draw()
        nearest = min(PRESETS, key=lambda preset: abs(preset[1] - self._shown.length))
        self._list.move_to(nearest[0])
        if not isinstance(self.focused, Field):
            # Whoever was quick is in a line already.
            self._list.focus()

    def _draw(self) -> None:
        mode = "live" if self._shown.live else "fixed"
        words = range_words(self._shown, self._now, self._calendar)
        self._state.show([Line((("  now shown  ", "dim"), (words, "bright"), (f"  {mode}", "dim")))])
        end = self._shown.end
        until = "to now" if end is None else f"to {moment_words(end, self._now, self._calendar)}"
        self._list.show(
            [
                GridRow(name, {"length": Cell(f"last {length_words(length)}"), "end": Cell(until, "dim")})
                for name, length in PRESETS
            ]
        )

    @on(Grid.Opened)
    def _chosen(self, event: Grid.Opened) -> None:
        self.dismiss(TimeRange(dict(PRESETS)[event.key], self._shown.end))

    @on(Prompt.Submitted)
    def _typed(self, event: Prompt.Submitted) -> None:
        if not event.value.strip():
            self._list.focus()
            return
        try:
            shown = read_range(event.value, self._shown, self._now, self._calendar)
        except UsageError as error:
            self._prompt.show_error(0, len(event.value), error.message)
            return
        self.dismiss(shown)

    @on(Prompt.Changed)
    def _changed(self) -> None:
        self._prompt.clear_error()

    def action_type(self) -> None:
        """Go to the line."""
        self._prompt.focus()

    def action_live(self) -> None:
        """The end moves with the clock."""
        self._shown = TimeRange(self._shown.length)
        self._draw()

    def action_fix(self) -> None:
        """The end stays where it is now."""
        self._shown = TimeRange(self._shown.length, self._shown.end or self._now)
        self._draw()

    def action_newest(self) -> None:
        """The end is the newest data there is."""
        if self._newest is not None:
            self._shown = ending_at(self._shown, self._newest, self._now)
            self._draw()
