"""The dialog for the time range that all panes share."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from tui_monitor.config import resources
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import PRESETS, TimeRange
from tui_monitor.model.timewords import NotATime, following, last_word, read_range
from tui_monitor.query.result import Completion
from tui_monitor.tui.dialogkeys import bindings
from tui_monitor.tui.gathered import Dialog
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.travel import ending_at
from tui_monitor.tui.widgets.grid import Cell, Column, Grid, GridRow
from tui_monitor.tui.widgets.keyline import key_line
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.prompt import Field, Prompt
from tui_monitor.tui.words import length_words, moment_words, range_preview, range_words

_COLUMNS = (Column("length", "", width=14), Column("end", "", min=20, max=44))
_OTHERS = 10
"""Rows of the dialog besides the list, and free ones around it."""
PERIODS = ("today", "yesterday", "this week", "last week", "this month", "last month")
"""Periods of the calendar that are offered below the lengths."""


class TimeRangeDialog(Dialog[TimeRange | None]):
    """A preset, or a range as one types it; live, or with the end it has now."""

    CSS_PATH = str(resources.style("dialogs.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = bindings("time")

    def __init__(self, shown: TimeRange, now: Micros, newest: Micros | None, calendar: Calendar) -> None:
        super().__init__()
        self._shown = shown
        self._now = now
        self._newest = newest
        self._calendar = calendar
        self._state = Lines()
        self._list = Grid(_COLUMNS)
        self._prompt = Prompt(
            placeholder="yesterday 14:00 to 15:30, last monday, 3 days ago", completer=self._complete
        )

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "time range"
            yield self._state
            yield self._list
            yield self._prompt
            own = (f"dialog.time.{id}" for id in ("type", "live", "fix", "newest", "close"))
            yield Lines([key_line(keymap_of(self.app), ("list.open", "take"), *((id, "") for id in own))])

    def on_mount(self) -> None:
        self._draw()
        nearest = min(PRESETS, key=lambda preset: abs(preset[1] - self._shown.length))
        self._list.move_to(nearest[0])
        if not isinstance(self.focused, Field):
            # Whoever was quick is in a line already.
            self._list.focus()

    def on_resize(self) -> None:
        """The line stays to be seen where the screen is low."""
        rows = len(PRESETS) + len(PERIODS)
        self._list.styles.max_height = max(2, min(rows, self.app.size.height - _OTHERS))

    def _draw(self) -> None:
        mode = "live" if self._shown.live else "fixed"
        words = range_words(self._shown, self._now, self._calendar)
        self._state.show([Line((("  now shown  ", "dim"), (words, "bright"), (f"  {mode}", "dim")))])
        end = self._shown.end
        until = "to now" if end is None else f"to {moment_words(end, self._now, self._calendar)}"
        lengths = [(name, f"last {length_words(length)}", until) for name, length in PRESETS]
        periods = [(name, name, self._preview(self._period(name))) for name in PERIODS]
        self._list.show(
            [
                GridRow(key, {"length": Cell(name), "end": Cell(said, "dim")})
                for key, name, said in (*lengths, *periods)
            ]
        )

    def _preview(self, shown: TimeRange) -> str:
        return range_preview(shown, self._now, self._calendar)

    def _period(self, words: str) -> TimeRange:
        return read_range(words, self._shown, self._now, self._calendar)

    @on(Grid.Opened)
    def _chosen(self, event: Grid.Opened) -> None:
        length = dict(PRESETS).get(event.key)
        self.dismiss(self._period(event.key) if length is None else TimeRange(length, self._shown.end))

    # The line.

    async def _complete(self, text: str, cursor: int) -> Sequence[Completion]:
        word = last_word(text[:cursor])
        found = following(text[:cursor], self._now, self._calendar) if word else ()
        return [
            Completion(one, len(word), "keyword")
            for one in found
            if one.startswith(word.lower()) and one != word.lower()
        ]

    @on(Prompt.Submitted)
    def _typed(self, event: Prompt.Submitted) -> None:
        if not event.value.strip():
            self._list.focus()
            return
        try:
            shown = self._period(event.value)
        except NotATime as error:
            self._prompt.show_error(error.position, error.length, error.message, error.hint or "")
            return
        self.dismiss(shown)

    @on(Prompt.Changed)
    def _changed(self, event: Prompt.Changed) -> None:
        """Say what is understood so far, or what is not."""
        if not event.value.strip():
            self._prompt.clear_error()
            return
        try:
            shown = self._period(event.value)
        except NotATime as error:
            if error.unfinished:
                self._prompt.say(error.message)
            else:
                self._prompt.show_error(error.position, error.length, error.message)
            return
        self._prompt.say(self._preview(shown))

    def action_type(self) -> None:
        """Go to the line."""
        self._prompt.focus()

    def action_live(self) -> None:
        """The end moves with the clock."""
        self._shown = TimeRange(self._shown.length)
        self._draw()

    def action_fix(self) -> None:
        """The end stays where it is now."""
        self._shown = self._shown.until(self._now)
        self._draw()

    def action_newest(self) -> None:
        """The end is the newest data there is."""
        if self._newest is not None:
            self._shown = ending_at(self._shown, self._newest, self._now)
            self._draw()
