"""The alerts as the store knows them: for reading and acknowledging while no collector runs."""

from typing import TYPE_CHECKING

from tui_monitor.alerts import machine
from tui_monitor.alerts.evaluator import find
from tui_monitor.alerts.rules import compile_rules
from tui_monitor.config.settings import Alerts
from tui_monitor.model.alert import Alert, AlertsView, Change
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Clock
from tui_monitor.query.engine import Engine

if TYPE_CHECKING:
    from tui_monitor.store.alerts import AlertStore


class AlertBook:
    """Alerts without an evaluator: nothing is looked at anew, so states are those of the last collector.

    To acknowledge, the store must be open for writing, under the database's lock.
    """

    def __init__(
        self, store: "AlertStore", settings: Alerts, calendar: Calendar, clock: Clock, engine: Engine
    ) -> None:
        self._store = store
        self._calendar = calendar
        self._clock = clock
        self._rules = compile_rules(settings.rules, engine)

    async def view(self, resolved: bool = False) -> AlertsView:
        """The Alerts pane; `evaluated` is unknown. Raises `StoreError`."""
        alerts = await self._store.load()
        counts = [alert.rule for alert in alerts]
        now = self._clock.now()
        if resolved:
            ended = await self._store.resolved_since(self._calendar.day(now)[0])
            alerts = [*alerts, *(alert for alert in ended if alert.fired is not None)]
        rules = tuple(rule.state(counts.count(rule.name)) for rule in self._rules)
        return AlertsView(now, machine.in_order(alerts), rules)

    async def history(self, alert_id: str) -> list[Change]:
        """An alert's history, oldest first."""
        return await self._store.history(alert_id)

    async def acknowledge(self, alert_id: str, who: str, note: str = "") -> Alert:
        """Say that somebody takes care of an alert. Raises `MonitorError` unless it is firing."""
        alert = await self._find(alert_id)
        return await self._keep(*machine.acknowledge(alert, self._clock.now(), who, note))

    async def unacknowledge(self, alert_id: str, who: str) -> Alert:
        """Take an acknowledgement back. Raises `MonitorError` where there is none."""
        alert = await self._find(alert_id)
        return await self._keep(*machine.unacknowledge(alert, self._clock.now(), who))

    async def _find(self, alert_id: str) -> Alert:
        known = await self._store.get(alert_id)
        return known or find(alert_id, await self._store.load())

    async def _keep(self, alert: Alert, change: Change) -> Alert:
        await self._store.save([alert], [change])
        return alert
