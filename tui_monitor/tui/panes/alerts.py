"""Alerts: what fires, who takes it, why, and since when. An action is about the alert of its key press."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from tui_monitor.model.alert import Alert, AlertsView, Change
from tui_monitor.model.clock import SECOND
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.identity import actor
from tui_monitor.model.states import AlertState
from tui_monitor.tui import commands
from tui_monitor.tui.link import Look, ask
from tui_monitor.tui.messages import QueryWanted
from tui_monitor.tui.panes.alertlines import (
    COLUMNS,
    detail_lines,
    head_line,
    left_of,
    nothing,
    row_of,
    rule_lines,
)
from tui_monitor.tui.panes.base import Pane, Question
from tui_monitor.tui.panes.charts import Colours, chart_of
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.grid import Grid
from tui_monitor.tui.widgets.lines import Line, Lines

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.query.result import Result

_MEMORY = 5 * SECOND
"""States change without new data: how often they are looked at."""


@dataclass(frozen=True, slots=True)
class Alerts:
    """Answers of this pane: all alerts, and what is known of the one under the cursor."""

    view: AlertsView
    alert: Alert | None = None
    history: tuple[Change, ...] = ()
    chart: "Result | None" = None


class AlertsPane(Pane[Alerts]):
    """The list above, the alert under the cursor below."""

    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("alerts")

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._colours = Colours()
        self._taken: list[Alert] = []
        """Acknowledged from here, the newest last: what `undo` takes back."""
        self._head = Lines([Line.of(" ALERTS", "accent bold")], classes="head")
        self._list = Grid(COLUMNS, id="alerts-list")
        self._rules = Lines(id="alerts-rules")
        self._detail = Lines(id="alerts-detail")
        self._chart = Chart(id="alerts-chart")

    def body(self) -> ComposeResult:
        yield self._head
        yield self._list
        yield self._rules
        with Horizontal(id="alerts-below"):
            yield self._detail
            yield self._chart

    def question(self, look: Look) -> Question:
        chosen, shown, points = self._list.cursor, look.shown, self.points // 2

        async def ask(monitor: "Monitor") -> Alerts:
            view = await monitor.alerts(resolved=True)
            alert = next((a for a in view.alerts if a.id == chosen), None)
            alert = alert or next(iter(view.alerts), None)
            if alert is None:
                return Alerts(view)
            history = tuple(await monitor.history(alert.id))
            try:
                chart = await monitor.query_range(left_of(alert.expr), shown, points)
            except MonitorError:
                # The rule may be another one by now; the alert is still there.
                chart = None
            return Alerts(view, alert, history, chart)

        moment = (*look.moment(points), look.alerts, look.at // _MEMORY)
        return Question((chosen, shown, look.step(points)), moment, ask)

    def show(self, answer: Alerts, look: Look) -> None:
        glyphs = self.glyphs
        self._head.show([head_line(answer.view, look, self.app.size.width)])
        self._list.say_empty(nothing(answer.view))
        self._list.show([row_of(alert, look, glyphs) for alert in answer.view.alerts])
        self._rules.show(rule_lines(answer.view, glyphs))
        self.set_class(answer.alert is None, "-quiet")
        if answer.alert is None:
            return
        self._detail.show(detail_lines(answer.alert, answer.history, look, glyphs))
        alert = answer.alert
        threshold = () if alert.threshold is None else (("threshold", alert.threshold),)
        if answer.chart is not None:
            mine = concerning(answer.chart, alert)
            chart = chart_of(mine, look, self._colours, thresholds=threshold)
            self._chart.show(chart)
        self._chart.display = answer.chart is not None

    @on(Grid.Moved)
    def _row_changed(self) -> None:
        self.changed()

    @on(Grid.Opened)
    def _row_opened(self, event: Grid.Opened) -> None:
        alert = self._alert(event.key)
        if alert is not None:
            self.post_message(QueryWanted(left_of(alert.expr)))

    def _alert(self, key: str | None) -> Alert | None:
        alerts = self.answer.view.alerts if self.answer else ()
        return next((alert for alert in alerts if alert.id == key), None)

    # Acting. The alert is the one of the key press, whatever the list does meanwhile.

    def action_acknowledge(self) -> None:
        """Take the alert under the cursor."""
        alert = self._alert(self._list.cursor)
        if alert is None:
            return
        if alert.state is AlertState.ACKNOWLEDGED:
            self._tell(f"{alert.rule} is taken by {alert.acked_by or 'somebody'} already")
            return
        self.run_worker(self._acknowledge(alert), group="acting")

    def action_undo(self) -> None:
        """Take an acknowledgement back: of the alert under the cursor, else the last one made here."""
        alert = self._alert(self._list.cursor)
        if alert is None or alert.state is not AlertState.ACKNOWLEDGED:
            alert = self._taken[-1] if self._taken else None
        if alert is None:
            self._tell("nothing to take back: the alert under the cursor is not taken")
            return
        self.run_worker(self._undo(alert), group="acting")

    async def _acknowledge(self, alert: Alert) -> None:
        who = self._who()
        try:
            await ask(self.backend, lambda monitor: monitor.acknowledge(alert.id, who))
        except MonitorError as error:
            self._tell_error(error)
            return
        self._taken.append(alert)
        self._tell(f"{alert.rule} is yours now – u takes that back")
        self.ask_again()

    async def _undo(self, alert: Alert) -> None:
        who = self._who()
        try:
            await ask(self.backend, lambda monitor: monitor.unacknowledge(alert.id, who))
        except MonitorError as error:
            self._tell_error(error)
            return
        self._taken = [taken for taken in self._taken if taken.id != alert.id]
        self._tell(f"{alert.rule} is nobody's again")
        self.ask_again()

    def _who(self) -> str:
        settings = self.backend.settings
        return actor(settings.general.name if settings else None)

    def _tell(self, text: str) -> None:
        self.app.notify(text)

    def _tell_error(self, error: MonitorError) -> None:
        text = f"{error.message}\n{error.hint}" if error.hint else error.message
        self.app.notify(text, severity="error")


def concerning(result: "Result", alert: Alert) -> "Result":
    """Only the series that the alert is about: those whose labels are its own."""
    from dataclasses import replace

    mine = tuple(
        series
        for series in result.series
        if all(
            alert.labels.get(name) == value for name, value in series.labels if value and name != "__name__"
        )
    )
    return replace(result, series=mine or result.series)
