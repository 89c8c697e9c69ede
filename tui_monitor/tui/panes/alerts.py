"""Alerts: what fires, who takes it, why, and since when. An action is about the alert of its key press."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from tui_monitor.model.alert import Alert, AlertsView, Change, Silence
from tui_monitor.model.clock import SECOND
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.states import AlertState
from tui_monitor.tui import commands
from tui_monitor.tui.link import Look, ask, who_acts
from tui_monitor.tui.messages import GivenBack, QueryWanted
from tui_monitor.tui.panes.alertdeeds import Deed, Deeds
from tui_monitor.tui.panes.alertdetail import HISTORY, chart_of, detail_lines, history_rows, silence_lines
from tui_monitor.tui.panes.alertlines import (
    NARROW,
    NO_SILENCES,
    ORDERS,
    SILENCE_COLUMNS,
    columns,
    head_line,
    left_of,
    nothing,
    rows_of,
    rule_lines,
    silence_rows,
)
from tui_monitor.tui.panes.base import Pane, Question
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.grid import Grid, GridRow
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from tui_monitor.model.timerange import TimeRange
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.query.result import Result
    from tui_monitor.tui.screens.acting import AlertDialog, Quiet

_OF_ALERTS = ("alerts.acknowledge", "alerts.silence", "alerts.detail", "alerts.query", "alerts.sort")
"""Commands that silences have not."""
_MEMORY = 5 * SECOND
"""States change without new data: how often they are looked at."""


@dataclass(frozen=True, slots=True)
class Alerts:
    """Answers of this pane: all alerts, and what is known of the one under the cursor."""

    view: AlertsView
    alert: Alert | None = None
    history: tuple[Change, ...] = ()
    chart: "Result | None" = None


async def _about(
    monitor: "Monitor", id: str, shown: "TimeRange", points: int
) -> "tuple[tuple[Change, ...], Result | None]":
    """An alert's history and its chart."""

    async def chart() -> "Result | None":
        try:
            return await monitor.alert_chart(id, shown, points)
        except MonitorError:
            # The rule may be another one by now; the alert is still there.
            return None

    changes, drawn = await asyncio.gather(monitor.history(id), chart())
    return tuple(changes), drawn


class AlertsPane(Pane[Alerts]):
    """The list above, the alert under the cursor below; or the silences in place of the list."""

    PRESENT = "alerts and silences"
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("alerts")

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._deeds = Deeds()
        self._order = ORDERS[0]
        self._dialog: AlertDialog[str] | AlertDialog[Quiet] | None = None
        self._head = Lines([Line.of(" FIRING", "accent bold")], classes="head")
        self._filter = Prompt(placeholder="words of rule, labels or summary", id="alerts-filter")
        self._list = Grid(columns(120), id="alerts-list")
        self._silences = Grid(SILENCE_COLUMNS, id="alerts-silences")
        self._rules = Lines(id="alerts-rules")
        self._detail = Lines(id="alerts-detail")
        self._chart = Chart(id="alerts-chart")
        self._history = Grid(HISTORY, empty="Nothing is written of it.", id="alerts-history")

    def body(self) -> ComposeResult:
        yield self._head
        self._filter.display = False
        yield self._filter
        yield self._list
        yield self._silences
        yield self._rules
        with Horizontal(id="alerts-below"):
            yield self._detail
            yield self._chart
        yield self._history

    def first(self) -> Widget:
        """The list that is shown."""
        return self._silences if self.has_class("-silences") else self._list

    def skipped(self) -> tuple[str, ...]:
        """While one types, only keys that are not letters do anything; `esc` where there is a way back."""
        if self._typing:
            letters = self.keymap.letters()
            return (*letters, "alerts.detail")
        hidden = () if self._away else ("alerts.leave",)
        return (*hidden, *_OF_ALERTS) if self.has_class("-silences") else hidden

    @property
    def _typing(self) -> bool:
        focused = self.screen.focused
        return focused is not None and self._filter in focused.ancestors

    @property
    def _away(self) -> bool:
        """Whether something else than the plain list is shown."""
        return bool(self._filter.value) or self.has_class("-silences") or self.has_class("-detail")

    def question(self, look: Look) -> Question:
        chosen, shown, points = self._list.cursor, look.shown, self.points

        async def ask(monitor: "Monitor") -> Alerts:
            # With the list: where the collector is far away, each question takes a while.
            ahead = chosen and asyncio.create_task(_about(monitor, chosen, shown, points))
            try:
                view = await monitor.alerts(resolved=True)
                alert = next((a for a in view.alerts if a.id == chosen), None)
                alert = alert or next(iter(view.alerts), None)
                if alert is None:
                    return Alerts(view)
                about = ahead if ahead and alert.id == chosen else _about(monitor, alert.id, shown, points)
                return Alerts(view, alert, *await about)
            finally:
                if ahead:
                    ahead.cancel()
                    await asyncio.gather(ahead, return_exceptions=True)

        moment = (*look.moment(points), look.alerts, look.at // _MEMORY)
        return Question((chosen, shown, look.step(points)), moment, ask)

    def show(self, answer: Alerts, look: Look) -> None:
        self._show_list(answer.view, look)
        self._rules.show(rule_lines(answer.view, self.glyphs))
        self.set_class(answer.alert is None, "-quiet")
        if self.has_class("-silences"):
            self._detail.show(self._silence_lines(answer.view, look))
        elif answer.alert is not None:
            self._show_detail(answer, answer.alert, look)

    def _show_detail(self, answer: Alerts, alert: Alert, look: Look) -> None:
        width = self.app.size.width
        room = width if width < NARROW or self.has_class("-detail") else width // 2
        whole = self.has_class("-detail")
        history = () if whole else answer.history
        self._detail.show(detail_lines(alert, answer.view, history, look, room, self.glyphs))
        self._history.show(history_rows(answer.history, alert, look))
        if answer.chart is not None:
            self._chart.show(chart_of(answer.chart, alert, answer.history, look))
        self.set_class(answer.chart is None, "-chartless")

    def _show_list(self, view: AlertsView, look: Look) -> None:
        width, words = self.app.size.width, self._filter.value.strip()
        self._head.show([head_line(view, look, width, self._order, words)])
        self._list.set_columns(columns(width))
        self._list.say_empty(nothing(view, look, words, width, self.glyphs, self.keymap))
        self._list.show(rows_of(view, words, self._order, look, width, self.glyphs))
        self._silences.say_empty(self.keymap.filled(NO_SILENCES))
        self._silences.show(silence_rows(view, look))

    def _silence_lines(self, view: AlertsView, look: Look) -> list[Line]:
        silence = self._silence_here(view)
        return silence_lines(silence, view, look, self.app.size.width, self.glyphs) if silence else []

    def _silence_here(self, view: AlertsView) -> Silence | None:
        return next((one for one in view.silences if one.id == self._silences.cursor), None)

    def _show_again(self) -> None:
        if self.answer is not None and self.look is not None:
            self.show(self.answer, self.look)

    @on(Grid.Moved, "#alerts-list")
    def _row_changed(self) -> None:
        self.changed()

    @on(Grid.Opened, "#alerts-list")
    def _row_opened(self) -> None:
        self._turn("-detail", not self.has_class("-detail"))

    @on(Grid.Moved, "#alerts-silences")
    def _other_silence(self) -> None:
        self._show_again()

    @on(Prompt.Changed)
    def _words_changed(self, event: Prompt.Changed) -> None:
        event.stop()
        self._show_again()

    @on(Prompt.Submitted)
    def _words_taken(self) -> None:
        self._list.focus()
        self._filter.display = bool(self._filter.value)

    def _turn(self, view: str, on: bool) -> None:
        """Show another view of the pane, or not any more."""
        self.set_class(on, view)
        self._show_again()
        self.first().focus()
        self.hints_changed()

    def action_open(self) -> None:
        """The alert under the cursor in full, and back."""
        self._list.action_open()

    def named(self, grid: Grid, row: GridRow) -> tuple[str, str]:
        """The alert's id, which the command line takes."""
        return ("id", row.key) if grid is self._list else super().named(grid, row)

    def action_filter(self) -> None:
        """Go to the line of words that alerts must have."""
        self.remove_class("-silences")
        self._filter.display = True
        self._show_again()
        self._filter.focus()

    def action_silences(self) -> None:
        """The silences in place of the list, and back."""
        self._turn("-silences", not self.has_class("-silences"))

    def action_leave(self) -> None:
        """One step back to the plain list."""
        if self._typing or self._filter.value:
            self._filter.value = ""
            self._filter.display = False
            self._show_again()
            self._list.focus()
            self.hints_changed()
        elif self.has_class("-silences"):
            self._turn("-silences", False)
        else:
            self._turn("-detail", False)

    def action_order(self) -> None:
        """By the chosen value, or the next order where none is chosen."""
        if self._list.chosen is not None or self._list.order is not None:
            super().action_order()
            return
        self._order = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
        self._show_again()

    def action_query(self) -> None:
        """The rule's expression in the Query pane."""
        alert = self._here()
        if alert is not None:
            self.post_message(QueryWanted(left_of(alert.expr)))

    # Acting. The alert is the one of the key press, whatever the list does meanwhile.

    def _here(self) -> Alert | None:
        """The alert under the cursor."""
        alerts = self.answer.view.alerts if self.answer else ()
        return next((alert for alert in alerts if alert.id == self._list.cursor), None)

    def _meant(self) -> Alert | None:
        """The alert that something is to be done about; says so where there is none."""
        if (alert := self._here()) is None and not self.has_class("-silences"):
            self.app.notify("alerts are not known yet" if self.answer is None else "no alert is chosen")
        return None if self.has_class("-silences") else alert

    def action_acknowledge(self) -> None:
        """Ask for a note and take the alert under the cursor."""
        alert, look = self._meant(), self.look
        if alert is None or look is None:
            return
        if not alert.open:
            self.app.notify(f"{alert.rule} is resolved: nothing is left to take care of")
            return
        if alert.fired is None:
            self.app.notify(f"{alert.rule} has not fired yet: there is nothing to take care of")
            return
        from tui_monitor.tui.screens.acting import AcknowledgeDialog

        def taken(note: str | None) -> None:
            told = self._dialog_closed()
            if note is not None:
                self.run_worker(partial(self._acknowledge, told or alert, note), group="acting")

        self._dialog = AcknowledgeDialog(alert, look.at, look.calendar)
        self.app.push_screen(self._dialog, taken)

    def action_silence(self) -> None:
        """Ask for how long and keep the alert under the cursor quiet."""
        alert, look = self._meant(), self.look
        if alert is None or look is None or self.answer is None:
            return
        from tui_monitor.tui.screens.acting import SilenceDialog

        def told(quiet: "Quiet | None") -> None:
            self._dialog_closed()
            if quiet is not None:
                self.run_worker(partial(self._silence, alert, quiet), group="acting")

        open_ = [one for one in self.answer.view.alerts if one.open]
        self._dialog = SilenceDialog(alert, open_, look.at, look.calendar)
        self.app.push_screen(self._dialog, told)

    def _dialog_closed(self) -> Alert | None:
        """The dialog is gone; the alert as it was known last."""
        dialog, self._dialog = self._dialog, None
        return dialog.alert if dialog else None

    def covered(self, look: Look) -> None:
        """A dialog is open: tell it how its alert is doing."""
        if self._dialog is not None:
            self.run_worker(partial(self._follow, self._dialog, look), exclusive=True, group="following")

    async def _follow(self, dialog: "AlertDialog[str] | AlertDialog[Quiet]", look: Look) -> None:
        id = dialog.alert.id
        try:
            alert = await ask(self.backend, lambda monitor: monitor.alert(id))
        except MonitorError:
            # It will be told when somebody acts on it.
            return
        if dialog is self._dialog:
            dialog.follow(alert, look.at)

    def action_undo(self) -> None:
        """Take back what was done to the alert under the cursor, else the last thing done here."""
        view = self.answer.view if self.answer else AlertsView(0)
        if self.has_class("-silences"):
            silence = self._silence_here(view)
            deed = Deed.silenced(silence) if silence else None
        else:
            alert = self._here()
            deed = Deed.of(alert, view) if alert else None
        deed = deed or self._deeds.last()
        if deed is None:
            self.app.notify("nothing to take back: the alert under the cursor is not taken or silenced")
            return
        self.run_worker(partial(self._undo, deed), group="acting")

    async def _acknowledge(self, alert: Alert, note: str) -> None:
        who = who_acts(self.backend)
        try:
            taken = await ask(self.backend, lambda monitor: monitor.acknowledge(alert.id, who, note))
        except MonitorError as error:
            self.tell_error(error)
            return
        self._deeds.add(Deed.acknowledged(taken))
        still = "; it stays silenced" if taken.state is AlertState.SILENCED else ""
        self.app.notify(
            f"{alert.rule} is yours now{still} – {self.keymap.key('alerts.undo')} takes that back"
        )
        self.ask_again()

    async def _silence(self, alert: Alert, quiet: "Quiet") -> None:
        who = who_acts(self.backend)
        try:
            made = await ask(
                self.backend,
                lambda monitor: monitor.silence(quiet.matchers, quiet.ends, who, quiet.note),
            )
        except MonitorError as error:
            self.tell_error(error)
            return
        self._deeds.add(Deed.silenced(made))
        undo, silences = (self.keymap.key(f"alerts.{id}") for id in ("undo", "silences"))
        self.app.notify(f"{alert.rule} is silenced – {undo} takes that back, {silences} shows the silences")
        self.ask_again()

    async def _undo(self, deed: Deed) -> None:
        who = who_acts(self.backend)
        alerts = self.answer.view.alerts if self.answer else ()
        quiet = [alert.id for alert in alerts if deed.silence and alert.silenced_by == deed.silence]
        # Whether it works or not, it is not there to be taken back once more.
        self._deeds.forget(deed)
        try:
            await ask(self.backend, lambda monitor: deed.undo(monitor, who))
        except MonitorError as error:
            self.tell_error(error)
            return
        self.post_message(GivenBack([*quiet, deed.alert]))
        self.app.notify(deed.undone)
        self.ask_again()
