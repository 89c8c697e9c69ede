"""The dialogs about one alert: taking it with a note, and keeping it quiet for a while.

They name the alert they are about and say so when it ends or somebody else takes it meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from tui_monitor.alerts.silences import matchers_of
from tui_monitor.config import resources
from tui_monitor.model.alert import Alert, Matcher
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import UsageError
from tui_monitor.model.states import AlertState
from tui_monitor.tui.dialogkeys import bindings
from tui_monitor.tui.drawing import BRAILLE, Glyphs, wrap
from tui_monitor.tui.gathered import Dialog
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.panes.alertlines import against, glyph_of, matcher_words, name_of
from tui_monitor.tui.until import FORMS, LENGTHS, read_end
from tui_monitor.tui.widgets.grid import Cell, Column, Grid, GridRow
from tui_monitor.tui.widgets.keyline import key_line
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.prompt import Field, Prompt
from tui_monitor.tui.words import length_words, moment_words, plural

R = TypeVar("R")
_LEAVE = "dialog.alert.leave"


class AlertDialog(Dialog[R | None], Generic[R]):
    """About one alert, as it was when the key was pressed; `follow` tells how it is doing since."""

    CSS_PATH = str(resources.style("dialogs.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = bindings("alert")

    def __init__(self, alert: Alert, now: Micros, calendar: Calendar) -> None:
        super().__init__()
        self.alert = alert
        self.now = now
        self.calendar = calendar
        self._meanwhile = Lines(id="acting-meanwhile")

    @property
    def glyphs(self) -> Glyphs:
        """The app's set of characters."""
        return getattr(self.app, "glyphs", BRAILLE)

    @property
    def room(self) -> int:
        """Cells of a line."""
        return max(20, min(66, self.app.size.width - 10))

    def named(self) -> list[Line]:
        """The alert that it is about."""
        alert = self.alert
        glyph, token = glyph_of(alert, self.glyphs)
        lines = [
            Line(
                (
                    (f"{glyph} ", token),
                    (alert.rule, f"{token} bold"),
                    (f"   {against(alert, alert.value)}", ""),
                )
            )
        ]
        if name_of(alert) != alert.rule:
            lines += [Line.of(f"  {text}") for text in wrap(name_of(alert), self.room - 2, self.glyphs)[:3]]
        return lines

    def follow(self, alert: Alert, now: Micros) -> None:
        """The alert is like this now."""
        before, self.alert, self.now = self.alert, alert, now
        if alert.state is not before.state:
            self._meanwhile.show(self.meanwhile())

    def meanwhile(self) -> list[Line]:
        """What happened to the alert since the dialog was opened, where it matters."""
        alert = self.alert
        if alert.resolved is not None:
            when = moment_words(alert.resolved, self.now, self.calendar)
            return [Line.of(f"{self.glyphs.ok} resolved meanwhile, at {when}", "ok bold")]
        if alert.state is AlertState.ACKNOWLEDGED:
            when = (
                ""
                if alert.acked_at is None
                else f" at {moment_words(alert.acked_at, self.now, self.calendar)}"
            )
            return [Line.of(f"{alert.acked_by} took it{when}", "accent")]
        return []


class AcknowledgeDialog(AlertDialog[str]):
    """Take care of an alert, with a note for the others; the answer is the note."""

    def __init__(self, alert: Alert, now: Micros, calendar: Calendar) -> None:
        super().__init__(alert, now, calendar)
        self._note = Prompt(placeholder="a note for the others, if you like")
        self._foot = Lines([Line()])

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "take care of"
            yield Lines(self.named())
            yield self._meanwhile
            yield Lines([Line()])
            yield self._note
            yield self._foot

    def on_mount(self) -> None:
        self._meanwhile.show(self.meanwhile())
        self._show_keys()
        self._note.focus()

    def _show_keys(self) -> None:
        keys = (("enter", "takes it"), (_LEAVE, "leaves it"))
        over = (("enter", "closes: nothing is left to take care of"),)
        self._foot.show([key_line(keymap_of(self.app), *(keys if self.alert.resolved is None else over))])

    def follow(self, alert: Alert, now: Micros) -> None:
        super().follow(alert, now)
        self._show_keys()

    @on(Prompt.Submitted)
    def _take(self, event: Prompt.Submitted) -> None:
        self.dismiss(None if self.alert.resolved is not None else event.value.strip())


@dataclass(frozen=True, slots=True)
class Quiet:
    """What is to be kept quiet: until when (µs UTC), and why."""

    matchers: tuple[Matcher, ...]
    ends: Micros
    note: str


class SilenceDialog(AlertDialog[Quiet]):
    """Keep an alert, and those like it, quiet for a while."""

    def __init__(self, alert: Alert, open_alerts: Sequence[Alert], now: Micros, calendar: Calendar) -> None:
        super().__init__(alert, now, calendar)
        self._matchers = matchers_of(alert)
        self._open = open_alerts
        self._list = Grid((Column("length", "", width=8), Column("until", "", min=16, max=40)))
        self._other = Prompt(placeholder="or 2h30m, until 14:00, 2026-03-18 09:00", id="silence-other")
        self._note = Prompt(placeholder="a note for the others, if you like", id="silence-note")
        self._what = Lines()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "silence"
            yield Lines(self.named())
            yield self._meanwhile
            yield Lines([Line()])
            yield self._list
            yield self._other
            yield self._note
            yield self._what
            keys = (
                ("enter", "silences"),
                ("dialog.alert.other", ""),
                ("dialog.alert.note", ""),
                (_LEAVE, ""),
            )
            yield Lines([key_line(keymap_of(self.app), *keys)])

    def on_mount(self) -> None:
        self._meanwhile.show(self.meanwhile())
        self._draw()
        self._list.move_to("1h")
        if not isinstance(self.focused, Field):
            # Whoever was quick is in a line already.
            self._list.focus()

    def follow(self, alert: Alert, now: Micros) -> None:
        super().follow(alert, now)
        self._draw()

    def action_part(self, name: str) -> None:
        """Go to a line."""
        (self._other if name == "other" else self._note).focus()

    def _ends(self) -> Micros:
        """Until when, as it stands there. Raises `UsageError`."""
        if self._other.value.strip():
            return read_end(self._other.value, self.now, self.calendar)
        return self.now + dict(LENGTHS)[self._list.cursor or "1h"]

    def _draw(self) -> None:
        self._list.show(
            [
                GridRow(
                    name,
                    {
                        "length": Cell(length_words(length)),
                        "until": Cell(f"until {self._moment(length)}", "dim"),
                    },
                )
                for name, length in LENGTHS
            ]
        )
        try:
            until = moment_words(self._ends(), self.now, self.calendar)
        except UsageError:
            until = "–"
        wanted = {(m.name, m.value) for m in self._matchers[1:]}
        quiet = sum(a.rule == self.alert.rule and wanted <= set(a.labels.items()) for a in self._open)
        told = f"keeps quiet until {until}, now {plural(quiet, 'alert')}: {matcher_words(self._matchers)}"
        self._what.show(
            [Line.of(text, "bright") for text in wrap(told, self.room, self.glyphs)[:4]] + [Line()]
        )

    def _moment(self, length: Micros) -> str:
        return moment_words(self.now + length, self.now, self.calendar)

    @on(Grid.Moved)
    def _moved(self) -> None:
        self._draw()

    @on(Prompt.Changed)
    def _typed(self) -> None:
        self._other.clear_error()
        self._draw()

    @on(Grid.Opened)
    @on(Prompt.Submitted)
    def _silence(self) -> None:
        try:
            ends = self._ends()
        except UsageError as error:
            self._other.show_error(0, len(self._other.value), f"{error.message}; {error.hint or FORMS}")
            self._other.focus()
            return
        self.dismiss(Quiet(self._matchers, ends, self._note.value.strip()))
