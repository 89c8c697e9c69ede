"""The alerts as the store knows them: for reading and acting while no collector runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_monitor.alerts import channels, machine
from tui_monitor.alerts.keeper import RULES, Keeper
from tui_monitor.alerts.rules import Rule, compile_rules
from tui_monitor.config.settings import Alerts, BudgetSettings, RuleSettings
from tui_monitor.model.alert import Alert, AlertsView, Matcher, Silence
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Clock
from tui_monitor.model.once import Once
from tui_monitor.query.engine import Engine

if TYPE_CHECKING:
    from tui_monitor.store.alerts import AlertStore


class AlertBook:
    """Alerts without an evaluator: nothing is looked at anew, so states are those of the last collector,
    but that silences begin and end as they are to.

    To act, the store must be open for writing, under the database's lock. What is to be told waits there
    for the next collector.
    """

    def __init__(
        self,
        store: "AlertStore",
        settings: Alerts,
        calendar: Calendar,
        clock: Clock,
        engine: Engine,
        *,
        shipped: Sequence[RuleSettings] = (),
        budgets: Sequence[BudgetSettings] = (),
    ) -> None:
        self._store = store
        self._calendar = calendar
        self._clock = clock
        self._channels = channels.configured(settings)
        self._rules = compile_rules(
            settings.rules,
            engine,
            shipped=shipped,
            disabled=settings.disabled,
            budgets=budgets,
            calendar=calendar,
        )

    async def view(self, resolved: bool = False) -> AlertsView:
        """The Alerts pane; `evaluated` is unknown. Raises `StoreError`."""
        keeper = await self._keeper()
        now = self._clock.now()
        known = [machine.hush(alert, keeper.quieter(alert), now, RULES)[0] for alert in keeper.open.values()]
        counts = [alert.rule for alert in known]
        alerts = machine.in_order([*known, *(keeper.ended if resolved else ())])
        rules = tuple(rule.state(counts.count(rule.name)) for rule in self._rules)
        return AlertsView(now, alerts, rules, silences=keeper.quiet.in_order(now))

    async def find(self, start: str) -> Alert:
        """The alert with this id, or the only one whose id begins so. Raises `MonitorError`."""
        keeper = await self._keeper()
        alert = await keeper.find(start)
        return machine.hush(alert, keeper.quieter(alert), self._clock.now(), RULES)[0]

    async def acknowledge(
        self, alert_id: str, who: str, note: str = "", *, once: Once | None = None
    ) -> Alert:
        """Say that somebody takes care of an alert. Raises `MonitorError` unless it is firing."""
        return await (await self._acting()).acknowledge(alert_id, who, note, once=once)

    async def unacknowledge(self, alert_id: str, who: str, *, once: Once | None = None) -> Alert:
        """Take an acknowledgement back. Raises `MonitorError` where there is none."""
        return await (await self._acting()).unacknowledge(alert_id, who, once=once)

    async def silence(
        self,
        matchers: Sequence[Matcher],
        ends: int,
        who: str,
        note: str = "",
        *,
        starts: int | None = None,
        once: Once | None = None,
    ) -> Silence:
        """Keep the alerts quiet that all matchers fit; see `Keeper.silence`."""
        return await (await self._acting()).silence(matchers, ends, who, note, starts=starts, once=once)

    async def unsilence(self, silence_id: str, who: str, *, once: Once | None = None) -> Silence:
        """End a silence now. Raises `MonitorError` where it is over already or not known."""
        return await (await self._acting()).unsilence(silence_id, who, once=once)

    async def silences(self, *, ended: bool = False) -> list[Silence]:
        """Silences in force or to come; with `ended` those of the last 30 days too."""
        return await (await self._keeper()).silences(ended=ended)

    def rule_of(self, alert: Alert) -> Rule | None:
        """The rule that raised an alert, where there is one of that name that can be asked."""
        return next((r for r in self._rules if r.name == alert.rule and r.condition is not None), None)

    async def _keeper(self) -> Keeper:
        keeper = Keeper(self._store, self._clock, self._channels)
        await keeper.load(self._calendar.day(self._clock.now())[0])
        return keeper

    async def _acting(self) -> Keeper:
        keeper = await self._keeper()
        await keeper.mind()
        return keeper
