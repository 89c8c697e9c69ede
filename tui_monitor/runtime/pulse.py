"""What is computed for those who follow: spend, work and health, at most once a second, and only for them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui_monitor.costs.views import BudgetStatus, CostsView
from tui_monitor.health.state import Verdict
from tui_monitor.health.status import level_of
from tui_monitor.model.alert import Alert
from tui_monitor.model.bus import EventName
from tui_monitor.model.call import NANO, Call
from tui_monitor.model.clock import MINUTE
from tui_monitor.model.errors import Busy, QueryError, StoreError
from tui_monitor.model.states import SourceState
from tui_monitor.model.timerange import TimeRange
from tui_monitor.runtime.supervisor import Handle, Worker

if TYPE_CHECKING:
    from tui_monitor.config.load import Settings
    from tui_monitor.runtime.collector import Collector

_EVERY = 1.0
"""Seconds between two looks."""
_PATIENCE_S = 300.0
"""Longest time that a look takes where nothing hangs."""
_SHARE = 10
"""How many times longer than its looks take it rests."""
_ANY = "status=success OR NOT status=success"
"""The filter that every call passes."""
_OPEN_ALERTS = 50
"""So many are named at the start."""

Data = dict[str, Any]


@dataclass(slots=True)
class _Kept:
    """The spend as of a version of the data, a minute and the settings."""

    key: tuple[int, int]
    settings: "Settings"
    view: CostsView
    data: Data


class Pulse:
    """The events about sums and states, from the façade that every pane asks."""

    def __init__(self, collector: "Collector") -> None:
        self.verdicts: Mapping[str, Verdict] = {}
        """Provider → its state, as of the last look."""
        self._collector = collector
        self._said: dict[str, Data] = {}
        self._budgets: dict[str, Data] = {}
        self._kept: _Kept | None = None
        self._asking = asyncio.Lock()
        self._starting = asyncio.Lock()
        self._next: asyncio.Task[Data] | None = None
        """The look for those who come now; it has not begun."""

    def worker(self) -> Worker:
        """Looks for as long as somebody follows."""
        return Worker("broadcast", self._run)

    async def _run(self, handle: Handle) -> None:
        loop, events = asyncio.get_running_loop(), self._collector.events
        while True:
            handle.expect(None)
            if not events.followed:
                handle.running("nobody follows")
                await events.until_followed()
                handle.running("somebody follows")
            handle.expect(_PATIENCE_S)
            began = loop.time()
            try:
                await self._look()
                handle.heard()
            except (Busy, QueryError, StoreError) as error:
                handle.problem(error.message)
            events.settle()
            await asyncio.sleep(max(_EVERY, _SHARE * (loop.time() - began)))

    async def _look(self) -> None:
        bus = self._collector.bus
        self._say("processing_update", await self.processing())
        self._say("health_update", await self.health())
        if bus.wanted("cost_update") or bus.wanted("budget_update"):
            view, data = await self._costs()
            self._say("cost_update", data)
            for budget in view.budgets:
                self._say_budget(budget)

    async def start(self) -> Data:
        """What somebody who begins to follow is told first. Raises `QueryError` and `StoreError`.

        All who come while another look is under way share the next one, which begins after they came.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._start(), name="initial status")
        return await asyncio.shield(self._next)

    async def _start(self) -> Data:
        async with self._starting:
            self._next = None
            return await self._standing()

    async def _standing(self) -> Data:
        collector = self._collector
        alerts = (await collector.monitor.alerts()).alerts
        return {
            "health": await self.health(),
            "processing": await self.processing(),
            "costs": (await self._costs())[1],
            "alerts": [_alert(alert) for alert in alerts[:_OPEN_ALERTS]],
            "sources": [
                {"source": row.name, "state": row.state.value, "detail": row.detail}
                for row in collector.rows()
            ],
        }

    async def health(self) -> Data:
        """How providers, alerts and the collector's own parts are."""
        collector = self._collector
        verdicts, alerts = self.verdicts, (await collector.monitor.alerts()).alerts
        level = level_of((verdict.state for verdict in verdicts.values()), alerts)
        return {
            "status": ("healthy", "warning", "critical", "unknown")[level],
            "providers": {
                name: {"state": verdict.state.value, "reason": verdict.reason}
                for name, verdict in verdicts.items()
            },
            "open_alerts": len(alerts),
            "failed": [row.name for row in collector.rows() if row.state is SourceState.FAILED],
            "trouble": collector.trouble,
        }

    async def processing(self) -> Data:
        """The write path at this moment; `active` are requests that began and have not ended."""
        status = self._collector.status()
        active = (await self._collector.monitor.query("requests_active{}")).scalar
        return {
            "active": round(active or 0),
            "rate": None if status.rate is None else round(status.rate, 1),
            "lag_ms": None if status.lag_ms is None else round(status.lag_ms, 1),
            "queued": status.queued,
            "accepted": status.accepted,
            "rejected": status.rejected,
            "duplicates": status.duplicates,
            "left_out": status.left_out,
        }

    async def _costs(self) -> tuple[CostsView, Data]:
        """The spend, computed anew where the data or the settings have changed, and every minute.

        Days begin at full minutes, and projections move with the time alone.
        """
        collector = self._collector
        async with self._asking:
            settings = collector.settings
            key = (await asyncio.to_thread(collector.store.version), collector.clock.now() // MINUTE)
            if self._kept is None or self._kept.key != key or self._kept.settings is not settings:
                view = await collector.monitor.costs()
                self._kept = _Kept(key, settings, view, {**await self._latest(), **_spend(view)})
            return self._kept.view, self._kept.data

    async def _latest(self) -> Data:
        calls = (await self._collector.monitor.calls(_ANY, TimeRange(), 1)).calls
        return {"latest_operation": _operation(calls[0]) if calls else None}

    def _say(self, name: EventName, data: Data) -> None:
        if self._said.get(name) != data:
            self._said[name] = data
            self._collector.bus.publish(name, self._collector.clock.now(), **data)

    def _say_budget(self, budget: BudgetStatus) -> None:
        data = _budget(budget)
        if self._budgets.get(budget.name) != data:
            self._budgets[budget.name] = data
            self._collector.bus.publish("budget_update", self._collector.clock.now(), **data)


def _spend(view: CostsView) -> Data:
    spends = {spend.period: spend for spend in view.spends}
    today = spends["today"]
    return {
        "daily_total": today.cost,
        "daily_calls": round(today.calls),
        "daily_unpriced": round(today.unpriced),
        "monthly_total": spends["month"].cost,
        "monthly_projection": view.projection.amount if view.projection else None,
        "budget_status": [_budget(budget) for budget in view.budgets],
        "approximate": view.approximate,
    }


def _operation(call: Call) -> Data:
    """The newest call."""
    return {
        "ts": call.booked,
        "provider": call.provider,
        "model": call.model,
        "operation": call.operation,
        "status": call.status,
        "latency_ms": call.latency_ms,
        "cost_usd": None if call.cost is None else call.cost / NANO,
    }


def _budget(budget: BudgetStatus) -> Data:
    return {
        "budget": budget.name,
        "period": budget.period,
        "amount": budget.amount,
        "spent": budget.spent,
        "used": budget.used,
        "projected": budget.projected,
        "used_up": budget.used_up,
        "unpriced": budget.unpriced,
    }


def _alert(alert: Alert) -> Data:
    return {
        "id": alert.id,
        "rule": alert.rule,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "summary": alert.summary,
        "since": alert.since,
    }
