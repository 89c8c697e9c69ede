"""The façade over a database that this process reads, and perhaps writes."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from tui_monitor.alerts.book import AlertBook
from tui_monitor.alerts.course import chart, instants
from tui_monitor.alerts.evaluator import Evaluator
from tui_monitor.config.load import Settings
from tui_monitor.costs.summary import costs_view
from tui_monitor.costs.views import CostsView
from tui_monitor.health.judging import Judging, believed_for
from tui_monitor.health.providers import providers_view
from tui_monitor.health.state import Verdict
from tui_monitor.health.status import status_view
from tui_monitor.health.system import own_gauges, system_view
from tui_monitor.health.upkeep import Upkeep
from tui_monitor.health.views import CollectorStatus, ProvidersView, StatusView, SystemView
from tui_monitor.model.alert import Alert, AlertsView, Change, Matcher, Silence
from tui_monitor.model.clock import Clock, Micros
from tui_monitor.model.comparison import Against
from tui_monitor.model.demo import MARK, origin_of
from tui_monitor.model.happened import Happened
from tui_monitor.model.once import Once
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.model.timerange import TimeRange, step_for
from tui_monitor.monitor.api import CallView, Fired, Reloaded, Snapshot
from tui_monitor.monitor.threads import InThreads
from tui_monitor.pricing.explaining import Explaining
from tui_monitor.query.asking import Asking
from tui_monitor.query.engine import Engine
from tui_monitor.query.engines.choose import close, own
from tui_monitor.query.neighbours import around
from tui_monitor.query.panels import PanelAnswer, PanelQuery
from tui_monitor.query.panels import answers as panel_answers
from tui_monitor.query.promql.limits import Budget
from tui_monitor.query.result import After, CallList, Completion, Result
from tui_monitor.query.variables import answered
from tui_monitor.store.alerts import AlertStore
from tui_monitor.store.api import Extent, ImportInfo, Reader

_MOST_FIRING = 100
_NEEDS_SOMEBODY = (AlertState.FIRING, AlertState.ACKNOWLEDGED)


class Actions(Protocol):
    """Who acts on the database: the collector here, the one that runs elsewhere, or we ourselves."""

    async def status(self) -> CollectorStatus:
        """The collector; `running` is false where there is none."""
        ...

    async def upkeep(self, shown: TimeRange, points: int) -> Upkeep:
        """How the collector is doing; without its own figures over time where they are to be read here."""
        ...

    async def happened(self, names: Sequence[str] = (), limit: int = 50) -> Happened:
        """The newest events of its log; nothing where none runs."""
        ...

    async def acknowledge(
        self, alert_id: str, who: str, note: str = "", *, once: Once | None = None
    ) -> Alert:
        """Say that somebody takes care of an alert."""
        ...

    async def unacknowledge(self, alert_id: str, who: str, *, once: Once | None = None) -> Alert:
        """Take an acknowledgement back."""
        ...

    async def silence(
        self,
        matchers: Sequence[Matcher],
        ends: Micros,
        who: str,
        note: str = "",
        *,
        starts: Micros | None = None,
        once: Once | None = None,
    ) -> Silence:
        """Keep the alerts quiet that all matchers fit."""
        ...

    async def unsilence(self, silence_id: str, who: str, *, once: Once | None = None) -> Silence:
        """End a silence now."""
        ...

    async def undo_import(self, batch_id: str, *, once: Once | None = None) -> int:
        """Take an import back whole."""
        ...

    async def pause_source(self, name: str, who: str, *, once: Once | None = None) -> None:
        """Let a source wait until it is resumed."""
        ...

    async def resume_source(self, name: str, who: str, *, once: Once | None = None) -> None:
        """Let a source go on, or try it again."""
        ...

    async def reload(self, *, once: Once | None = None) -> Reloaded:
        """Read the configuration again."""
        ...


class LocalMonitor(InThreads):
    """`Monitor` over one database. Questions run in a few threads of its own, never on the loop.

    `alerts` is the running evaluator where this process collects, and the stored alerts elsewhere.
    """

    def __init__(
        self,
        settings: Settings,
        reader: Reader,
        engine: Engine,
        alert_store: AlertStore,
        alerts: Evaluator | AlertBook,
        actions: Actions,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._calendar = settings.calendar()
        super().__init__(reader)
        self._engine = engine
        self._own = own(engine)
        self._alert_store = alert_store
        self._alerts = alerts
        self._actions = actions
        self._clock = clock
        self._prices = Explaining()
        self._frame: tuple[tuple[int, Micros], Extent, float, str] | None = None

    async def snapshot(self, shown: TimeRange) -> Snapshot:
        """The frame; what is read from the database is read again only when that has changed."""
        now = self._clock.now()
        version, extent, unpriced, demo = await self._in_thread(self._read_frame, now)
        alerts = [a for a in (await self.alerts()).alerts if a.state in _NEEDS_SOMEBODY]
        firing = [
            Fired(a.id, a.severity, a.summary or a.rule, a.fired or a.since, a.rule)
            for a in alerts
            if a.state is AlertState.FIRING
        ]
        worst = max((alert.severity for alert in alerts), key=lambda s: s.rank, default=None)
        return Snapshot(
            at=now,
            calendar=self._calendar,
            span=shown.span(now),
            collector=replace(await self._actions.status(), calls=extent.calls),
            extent=extent,
            open_alerts=len(alerts),
            worst_alert=_text(worst),
            unpriced_today=unpriced,
            version=version,
            firing=tuple(sorted(firing, key=lambda fired: -fired.fired)[:_MOST_FIRING]),
            demo=demo,
        )

    async def providers(self, shown: TimeRange, points: int = 24) -> ProvidersView:
        """The Providers pane."""
        return await self._in_thread(self._providers, shown, points, self._clock.now())

    def _providers(self, shown: TimeRange, points: int, now: Micros) -> ProvidersView:
        health = self._settings.health
        return providers_view(
            self._engine, self._reader, health, self._calendar, shown, points, now, believed=self._believed
        )

    @property
    def _believed(self) -> Micros:
        settings = self._settings
        return believed_for(settings.health, settings.probes.interval, settings.status_pages.interval)

    async def verdicts(self) -> dict[str, Verdict]:
        """The state of every provider of which something is known at this moment, and why."""
        settings, now = self._settings, self._clock.now()
        judging = Judging(Asking(self._engine), self._reader, settings.health, self._calendar, self._believed)
        verdicts, _ = await self._in_thread(judging.at, now, now)
        return verdicts

    async def costs(
        self,
        by: str = "model",
        period: str = "month",
        *,
        at: Micros | None = None,
        against: Against = "previous",
    ) -> CostsView:
        """The Costs pane: the periods around now, or around the instant `at`, and what they compare with."""
        return await self._in_thread(self._costs, by, period, at, against)

    def _costs(
        self, by: str, period: str, at: Micros | None = None, against: Against = "previous"
    ) -> CostsView:
        first = self._reader.extent().first
        now = self._clock.now() if at is None else at
        return costs_view(self._engine, self._settings, self._calendar, by, period, now, first, against)

    async def alerts(self, *, resolved: bool = False) -> AlertsView:
        """The Alerts pane; with `resolved`, those that ended today too."""
        if isinstance(self._alerts, Evaluator):
            return self._alerts.view(resolved)
        return await self._alerts.view(resolved)

    async def system(self, shown: TimeRange, points: int = 24) -> SystemView:
        """The System pane."""
        collector = await self.collector()
        return await self._in_thread(
            system_view, self._own, self._reader, shown, points, self._clock.now(), collector,
            self._settings.collector.queue_size,
        )  # fmt: skip

    async def upkeep(self, shown: TimeRange, points: int = 24) -> Upkeep:
        """The Collector pane: its parts, slow queries, rules by their time, and its own figures over time."""
        view = await self._actions.upkeep(shown, points)
        if not view.gauges:
            now = self._clock.now()
            gauges, step = await self._in_thread(own_gauges, self._own, shown, points, now)
            view = replace(view, gauges=gauges, step=step)
        if view.collector.calls:
            return view
        extent = await self._in_thread(self._reader.extent)
        return replace(view, collector=replace(view.collector, calls=extent.calls))

    async def happened(self, names: Sequence[str] = (), limit: int = 50) -> Happened:
        """The newest events of these names, of those that tell of states where none is named."""
        return await self._actions.happened(names, limit)

    async def status(self, against: Against = "previous") -> StatusView:
        """One look at everything; `against` says what figures are compared with."""
        alerts, collector = await asyncio.gather(self.alerts(), self._actions.status())
        return await self._in_thread(self._status, alerts, collector, against)

    def _status(self, alerts: AlertsView, collector: CollectorStatus, against: Against) -> StatusView:
        # One moment for all: what its parts have in common is then read once.
        now = self._clock.now()
        return status_view(
            self._engine,
            self._reader,
            now,
            providers=self._providers(TimeRange(), 24, now),
            costs=self._costs("model", "month", now, against),
            alerts=alerts,
            collector=replace(collector, calls=self._reader.extent().calls),
            own=self._own,
        )

    async def collector(self) -> CollectorStatus:
        """The collector, with how many calls the database holds."""
        extent = await self._in_thread(self._reader.extent)
        return replace(await self._actions.status(), calls=extent.calls)

    async def query(
        self, text: str, *, at: Micros | None = None, shown: TimeRange | None = None, points: int = 60
    ) -> Result:
        """An instant answer, now unless `at` is given; variables in it are those of `shown`."""
        instant = self._clock.now() if at is None else at
        length = (shown or TimeRange()).span(instant).length
        step = step_for(length, points)
        return await self._until_cancelled(
            lambda cancel: answered(
                text, length, step, partial(self._engine.instant, at=instant, cancel=cancel)
            )
        )

    async def query_range(self, text: str, shown: TimeRange, points: int) -> Result:
        """An answer over time, in at most about `points` steps; variables in it are of them."""
        span = shown.span(self._clock.now())
        step = step_for(span.length, points)
        ask = partial(self._engine.range, start=span.start, end=span.end, step=step)
        return await self._until_cancelled(
            lambda cancel: answered(text, span.length, step, partial(ask, cancel=cancel))
        )

    async def panels(self, asked: Sequence[PanelQuery], shown: TimeRange) -> tuple[PanelAnswer, ...]:
        """Many queries, all answered from one moment; what is wrong with one is in its answer."""
        now = self._clock.now()
        return await self._until_cancelled(
            lambda cancel: panel_answers(self._engine, asked, shown, now, cancel)
        )

    async def calls(self, text: str, shown: TimeRange, limit: int, *, after: After | None = None) -> CallList:
        """At most `limit` calls that pass a filter, the newest first; behind `after` the next ones."""
        span = shown.span(self._clock.now())
        return await self._until_cancelled(
            lambda cancel: self._engine.calls(text, span, limit, after=after, cancel=cancel)
        )

    async def count_calls(self, text: str, shown: TimeRange) -> int:
        """How many calls pass a filter."""
        span = shown.span(self._clock.now())
        return await self._until_cancelled(lambda cancel: self._engine.count_calls(text, span, cancel=cancel))

    async def call(self, call_id: str) -> CallView:
        """One call by its `Call.id`, by `SOURCE:SOURCE_KEY`, or by what any source calls it."""
        return await self._until_cancelled(partial(self._call, call_id))

    def _call(self, call_id: str, cancel: threading.Event) -> CallView:
        check = Budget(clock=self._clock, cancel=cancel).check
        found = self._reader.one_call(call_id)
        price = self._prices.explained(self._settings.prices, found.call)
        near = around(found.call, self._reader, check)
        return CallView(found.call, price, found.arrived, found.stands_for, found.told_by, near)

    async def complete(self, text: str, cursor: int) -> list[Completion]:
        """Ways to go on with a query."""
        return await self._in_thread(self._engine.complete, text, cursor)

    async def alert(self, alert_id: str) -> Alert:
        """One alert, open or of any time ago, by its id or a beginning that only it has."""
        return await self._alerts.find(alert_id)

    async def alert_chart(self, alert_id: str, shown: TimeRange, points: int) -> Result:
        """What the alert's rule compared over time; see `Monitor.alert_chart`."""
        alert = await self._alerts.find(alert_id)
        times = instants(shown.span(self._clock.now()), points, self._settings.alerts.interval)
        return await self._in_thread(chart, self._alerts.rule_of(alert), alert, self._engine, times)

    async def history(self, alert_id: str) -> list[Change]:
        """An alert's history, oldest first."""
        return await self._alert_store.history(alert_id)

    async def acknowledge(
        self, alert_id: str, who: str, note: str = "", *, once: Once | None = None
    ) -> Alert:
        """Say that somebody takes care of an alert."""
        return await self._actions.acknowledge(alert_id, who, note, once=once)

    async def unacknowledge(self, alert_id: str, who: str, *, once: Once | None = None) -> Alert:
        """Take an acknowledgement back."""
        return await self._actions.unacknowledge(alert_id, who, once=once)

    async def silence(
        self,
        matchers: Sequence[Matcher],
        ends: Micros,
        who: str,
        note: str = "",
        *,
        starts: Micros | None = None,
        once: Once | None = None,
    ) -> Silence:
        """Keep the alerts quiet that all matchers fit, until `ends`."""
        return await self._actions.silence(matchers, ends, who, note, starts=starts, once=once)

    async def unsilence(self, silence_id: str, who: str, *, once: Once | None = None) -> Silence:
        """End a silence now."""
        return await self._actions.unsilence(silence_id, who, once=once)

    async def silences(self, *, ended: bool = False) -> list[Silence]:
        """Silences in force or to come; with `ended`, those of the last 30 days too."""
        return await self._alerts.silences(ended=ended)

    async def imports(self) -> list[ImportInfo]:
        """Imports, newest first."""
        return await self._in_thread(self._reader.imports)

    async def undo_import(self, batch_id: str, *, once: Once | None = None) -> int:
        """Take an import back; the number of calls taken out."""
        return await self._actions.undo_import(batch_id, once=once)

    async def pause_source(self, name: str, who: str, *, once: Once | None = None) -> None:
        """Let a source wait until it is resumed, over restarts too."""
        await self._actions.pause_source(name, who, once=once)

    async def resume_source(self, name: str, who: str, *, once: Once | None = None) -> None:
        """Let a paused source go on, or try a failed one again at once."""
        await self._actions.resume_source(name, who, once=once)

    async def reload(self, *, once: Once | None = None) -> Reloaded:
        """Read the configuration again."""
        return await self._actions.reload(once=once)

    def reconfigure(self, settings: Settings) -> None:
        """Show everything by other settings from now on; days stay cut as they are."""
        self._settings = settings

    def close(self) -> None:
        """Take no more questions; those under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        close(self._engine)

    def _read_frame(self, now: Micros) -> tuple[int, Extent, float, str]:
        key = (self._reader.version(), self._calendar.day(now)[0])
        if self._frame is None or self._frame[0] != key:
            unpriced = self._own.instant("unpriced{} [today] sum", now).scalar or 0.0
            self._frame = (key, self._reader.extent(), unpriced, origin_of(self._reader.offset(MARK)))
        (version, _), extent, unpriced, demo = self._frame
        return version, extent, unpriced, demo


def _text(severity: Severity | None) -> str | None:
    return None if severity is None else severity.value
