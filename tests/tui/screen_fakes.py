"""A monitor made of plain data and what stands for the collector's thread: no clock, database or threads."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, TypeVar

from textual._compositor import Compositor
from textual._context import visible_screen_stack

from tui_monitor.config import places
from tui_monitor.config.load import Settings, load
from tui_monitor.costs.views import BudgetStatus, CostRow, CostsView, Projection, Spend
from tui_monitor.health.upkeep import Check, OwnProcess, Upkeep, Wellness
from tui_monitor.health.views import (
    CollectorStatus,
    Gauge,
    Headroom,
    PageLook,
    ProbeLook,
    Program,
    Progress,
    ProviderRow,
    ProvidersView,
    SourceRow,
    SystemView,
)
from tui_monitor.model.alert import Alert, AlertsView, Change, Matcher, RuleState, Silence
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.callprice import CallPrice, PricePart
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, Micros
from tui_monitor.model.errors import MonitorError, NotFound
from tui_monitor.model.happened import FeedEvent, Happened
from tui_monitor.model.ruletime import RuleTime
from tui_monitor.model.states import AlertState, Health, Severity, SourceState
from tui_monitor.model.timerange import Span, TimeRange, step_for
from tui_monitor.monitor.api import CallView, Fired, Monitor, Snapshot
from tui_monitor.monitor.thread import ThreadState
from tui_monitor.query.filters.parser import parse
from tui_monitor.query.panels import PanelAnswer, PanelQuery
from tui_monitor.query.result import After, CallList, Completion, Neighbours, Result, Series, labels_of
from tui_monitor.query.timing import QueryStats, SlowQuery
from tui_monitor.store.api import Extent
from tui_monitor.tui.app import MonitorApp
from tui_monitor.tui.panes.table import PANES

T = TypeVar("T")
NOON = 1_773_835_200 * SECOND
"""Wednesday 2026-03-18 12:00 UTC."""
HOST = "gpu-box-2"
KEY = {entry.id: entry.key for entry in PANES}
"""Pane → the key that shows it."""
CALENDAR = Calendar("UTC")
WAVE = (3.0, 4.0, 6.0, 5.0, None, 4.0, 7.0, 9.0, 8.0, 6.0)


def collector(**changes: Any) -> CollectorStatus:
    status = CollectorStatus(
        running=True, pid=4242, started=NOON - 3 * HOUR, rate=42.0, lag_ms=400.0, accepted=120_400,
        duplicates=12, database="/home/ana/monitor.db", database_bytes=48_000_000, calls=120_400,
        sources=(
            SourceRow("prices", SourceState.RUNNING, "1 204 prices", last_seen=NOON - HOUR),
            SourceRow("http", SourceState.RUNNING, "http://127.0.0.1:4319", kind="door"),
            SourceRow(
                "host", SourceState.RUNNING, "19 figures", 4_100, last_seen=NOON - 5 * SECOND, kind="source",
                rate=0.4, lag_s=0.01, pausable=True, since=NOON - 3 * HOUR,
            ),
            SourceRow(
                "claude-code", SourceState.RUNNING, "1 204 of 2 689 files", 184_000, 3,
                "projects/x/1.jsonl:7: cut in the middle of a line", NOON - SECOND, "source", NOON - HOUR,
                1_240.0, 86_400.0, 0.45, 0, True, NOON - 3 * MINUTE,
            ),
            SourceRow(
                "probes", SourceState.FAILED, "tries again in 40 s", 12, 2,
                "openai: no answer within 5 s", NOON - HOUR, "source", NOON - MINUTE, restarts=2,
                pausable=True, last_error_at=NOON - MINUTE,
            ),
            SourceRow(
                "codex", SourceState.OFF, "not read without consent: set consent.agent_logs = true",
                kind="source", pausable=True,
            ),
            SourceRow("alerts", SourceState.RUNNING, "2 rules", last_seen=NOON - 20 * SECOND),
        ),
    )  # fmt: skip
    return replace(status, **changes)


def providers(span: Span) -> ProvidersView:
    spark = tuple(WAVE)
    rows = (
        ProviderRow(
            "openai", Health.UNAVAILABLE, "12 of the last 20 calls failed: server 12", "success", 2100, 4840,
            9800, 0.4, 0.6, 250, 1_350_000, 67.89, 12, NOON - 40 * SECOND, spark,
            ProbeLook(False, None, 2, "no answer in time", ("api.openai.com",), NOON - 30 * SECOND),
            PageLook(2, "Elevated error rates", "https://status.openai.com/incidents/01"),
            Headroom("requests", 0.87, 4350, 5000),
        ),
        ProviderRow(
            "google", Health.DEGRADED, "p95 1.20 s is 2.4 × the usual 500 ms", "p95", 640, 1200, 7640, 0.998,
            0.002, 291, 1_530_000, 12.45, None, NOON - 3 * MINUTE, spark,
        ),
        ProviderRow(
            "anthropic", Health.HEALTHY, "none of the last 31 calls failed", "", 850, 2140, 2450, 0.992,
            0.008, 440, 2_260_000, 45.23, None, NOON - MINUTE, spark,
            ProbeLook(True, 120.0, 0, "", ("api.anthropic.com",), NOON - 20 * SECOND), PageLook(0),
            Headroom("5h window", 0.04),
        ),
        ProviderRow("mistral", Health.UNKNOWN, "no calls in 5m", cost_today=None, unpriced=3),
    )  # fmt: skip
    queries = {
        "p95_ms": "latency{provider={provider}} [1h] p95",
        "requests": "requests{provider={provider}} [1h] sum",
        "cost_today": "cost{provider={provider}} [today] sum",
    }
    return ProvidersView(NOON, span, rows, 10 * MINUTE, ("15 calls have no price",), queries=queries)


def costs(by: str = "model", period: str = "month") -> CostsView:
    day, month = NOON // DAY * DAY, NOON // DAY * DAY - 17 * DAY
    spends = (
        Spend("today", Span(day, day + DAY), 125.57, 793, 3, 4_000, None, 112.0),
        Spend("week", Span(day - 2 * DAY, day + 5 * DAY), 388.0, 2_400, 9, 12_000, None, 402.5),
        Spend("month", Span(month, month + 31 * DAY), 425.67, 14_652, 12, 48_100, 512.0, 380.0),
    )
    rows = (
        CostRow("claude-sonnet-4-5", 8_412, 41.2e6, 3.1e6, 0.78, 189.23, 0.444, 0, 169.0),
        CostRow("gpt-5", 3_120, 12.9e6, 1.88e6, 0.31, 98.45, 0.231, 0, 101.5),
        CostRow("my-own-model", 12, 48_100, 9_000, None, None, None, 12),
        CostRow("–", 40, None, None, None, 1.2, 0.003, 0, None),
    )
    daily = tuple((month + n * DAY, None if n == 7 else 15.0 + (n * 7) % 23) for n in range(18))
    shares = (("claude-sonnet-4-5", 0.6), ("gpt-5", 0.3))
    daily_by = tuple((name, tuple(v and v * share for _, v in daily)) for name, share in shares)
    budgets = (
        BudgetStatus("month", "month", 500, 425.67, Span(month, month + 31 * DAY), {}, 548.0, NOON + 9 * DAY),
        BudgetStatus("search", "day", 20, 5.84, Span(day, day + DAY), {"project": "search"}, 11.0),
    )
    return CostsView(
        NOON, by, period, spends, rows, daily, daily_by, Projection(548.0), budgets, month + 31 * DAY,
        queries=(("rows", f"cost{{}} [{period}] sum by({by})"),),
    )  # fmt: skip


def alert(id: str = "a1", **changes: Any) -> Alert:
    made = Alert(
        id, f"f-{id}", "openai fails", Severity.CRITICAL, AlertState.FIRING, {"provider": "openai"},
        "12 of 20 calls to openai failed", "error_rate{} [5m] by(provider) > 0.5", 0.6, 0.5, ">", "ratio",
        NOON - 11 * MINUTE, NOON - 11 * MINUTE, spark=(0.1, 0.2, 0.5, 0.6),
    )  # fmt: skip
    return replace(made, **changes)


def alerts() -> list[Alert]:
    return [
        alert(),
        alert(
            "a2", rule="month budget", severity=Severity.WARNING, state=AlertState.ACKNOWLEDGED,
            labels={"budget": "month"}, summary="85 % of the month's budget is spent", value=425.67,
            threshold=400.0, op=">=", unit="usd", expr="cost{} [month] sum >= 400", since=NOON - 80 * MINUTE,
            acked_by="ana", acked_at=NOON - 56 * MINUTE, note="ordered more",
        ),
        alert(
            "a3", rule="slow", severity=Severity.WARNING, state=AlertState.PENDING, fired=None, value=4100.0,
            labels={"model": "gpt-5"}, summary="slow: 4.10 s > 3.90 s", threshold=3900.0, unit="ms",
            expr="latency{} [5m] p95 by(model) > 3900", since=NOON - 2 * MINUTE,
        ),
        alert("a4", state=AlertState.RESOLVED, resolved=NOON - 90 * MINUTE, since=NOON - 2 * HOUR, value=0.1),
    ]  # fmt: skip


HISTORY = (
    Change("a2", NOON - 90 * MINUTE, AlertState.FIRING, "rules", "", 401.0),
    Change("a2", NOON - 56 * MINUTE, AlertState.ACKNOWLEDGED, "ana", "ordered more", 418.0),
)
RULES = (
    RuleState("openai fails", "error_rate{} [5m] by(provider) > 0.5", Severity.CRITICAL, 0, alerts=1),
    RuleState("slow", "latency{} [5m] p95 by(model) > 3900", Severity.WARNING, 5 * MINUTE, alerts=1),
    RuleState(
        "typo", "latancy > 3", Severity.WARNING, 0, error='latancy > 3\n^^^^^^^ unknown metric "latancy"'
    ),
)
GAUGES = (
    Gauge("processor", 0.41, "ratio", "", 0.41, (0.2, 0.3, None, 0.41), "system_cpu_utilization{} avg"),
    Gauge(
        "memory", 0.93, "ratio", "58.2 GiB used", 0.93, (0.9, 0.91, 0.92, 0.93), "system_memory_utilization"
    ),
    Gauge("network in", 12_400.0, "bytes/s", "", None, (1.0, 2.0, 3.0, 2.0), "system_network_io{} rate"),
    Gauge("load", None, "", "", None, (), ""),
)


PROGRAMS = (
    Program("ollama", 0.25, 8.0 * 2**30, 0.5, 2, (0.2, 0.2, 0.3, 0.3), "system_program_cpu_utilization avg"),
    Program("postgres", None, 2.0**30, None, 1),
)
OWN = (
    Gauge("records", 42.0, "/s", "", None, (40.0, 41.0, None, 42.0), "tui_monitor_ingest_rate{} avg"),
    Gauge("processor", 0.031, "ratio", "", 0.031, (0.02, 0.03), "process_cpu_utilization{} avg"),
    Gauge("memory", 99_000_000.0, "bytes", "", None, (9.0e7, 9.9e7), "process_memory_usage{} avg"),
)


def upkeep(status: CollectorStatus, **changes: Any) -> Upkeep:
    view = Upkeep(
        NOON, status, Wellness.DEGRADED,
        (
            Check("store", Wellness.HEALTHY, "", True),
            Check("sources", Wellness.DEGRADED, "failed: probes: openai: no answer within 5 s"),
        ),
        OwnProcess(12.4, 10_800.0, 99_000_000, 10, 23, NOON - 3 * HOUR),
        QueryStats(1_204, 3, 1, 2, 0.5, 0.003, 0.042, 1.2), 81, 19,
        (
            SlowQuery(
                "sum by (user) (increase(llm_cost_usd_total[30d]))", "http grafana", NOON - 3 * MINUTE, 1.2,
                steps=60, series=12, samples=1_200_000,
            ),
            SlowQuery("latency{} [30d] p95 by(user)", "rule p95 too high", NOON - HOUR, 0.61, "cancelled",
                      "the query was cancelled"),
        ),
        (RuleTime("app silent", 120, 0, 0.18, 0.3, 12.0), RuleTime("error rate", 120, 2, 0.004, 0.009, 0.6)),
        {"http": 2, "socket": 1, "websocket": 3}, 1_204, 12, OWN, 2 * MINUTE,
    )  # fmt: skip
    return replace(view, **changes)


def call_at(at: Micros, number: int) -> Call:
    """One of many calls."""
    failed = number % 5 == 3
    return Call(
        "otlp", f"c{number}", ts_start=at - SECOND, ts_end=at, provider=("openai", "anthropic")[number % 2],
        model_served=("gpt-5-mini", "claude-sonnet-4-5")[number % 2], in_uncached=1200 + 10 * number,
        cache_read=800, out_total=None if failed else 300, cost=None if failed else 4_250_000 + number,
        list_cost=4_250_000 + number, cost_status="unpriced" if failed else "computed",
        price_source="genai-prices", price_version="0.2.3", status="error" if failed else "success",
        error_category="rate_limit" if failed else None, http_status=429 if failed else 200,
        latency_ms=850.0 + 113.5 * number, ttft_ms=None if failed else 210.0, user="ana", project="search",
        attrs={"document_id": "annual report", "chunk_count": 12},
    )  # fmt: skip


def call_price(call: Call) -> CallPrice:
    """How the price of such a call is made up."""
    parts = (
        PricePart("input", call.in_uncached, "1.25", "0.0015"),
        PricePart("cache_read", 800, "0.125", "0.0001"),
    )
    why = "unpriced: its tokens are not known" if call.cost is None else "computed from its tokens"
    return CallPrice(
        why, call.provider, call.model, "genai-prices", "0.2.3", "2025-08-07", None, None, "0", parts,
        "0.0016",
        call.list_cost, call.list_cost, call.cost,
    )  # fmt: skip


def events() -> list[FeedEvent]:
    """What happened, the newest first."""
    told: list[tuple[int, str, dict[str, Any]]] = [
        (20, "request_failed", {"provider": "openai", "calls": 3, "error_category": "server"}),
        (60, "source_update", {"source": "probes", "state": "failed", "last_error": "openai: no answer"}),
        (11 * 60, "alert_update", {
            "id": "a1", "rule": "openai fails", "severity": "critical", "state": "firing",
            "summary": "12 of 20 calls to openai failed", "who": "rules", "note": "",
        }),
        (12 * 60, "provider_status", {
            "provider": "openai", "state": "unavailable", "before": "healthy", "reason": "12 of 20 failed",
        }),
        (56 * 60, "alert_update", {
            "id": "a2", "rule": "month budget", "severity": "warning", "state": "acknowledged",
            "summary": "", "who": "ana", "note": "ordered more",
        }),
        (90 * 60, "benchmark_completed", {"task": "mmlu", "done": 100.0, "unit": "questions"}),
        (95 * 60, "source_update", {"source": "probes", "state": "running", "detail": "3 addresses"}),
    ]  # fmt: skip
    return [FeedEvent(900 - n, NOON - s * SECOND, name, data) for n, (s, name, data) in enumerate(told)]


class FakeMonitor:
    """Answers with plain data and keeps what was asked. `gate` holds answers back, `error` is raised."""

    def __init__(self) -> None:
        self.at = NOON
        self.version = 1
        self.newest: Micros | None = NOON - 30 * SECOND
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: MonitorError | None = None
        self.empty = False
        self.alert_list = alerts()
        self.rings = True
        """Whether it tells which alerts fire."""
        self.silence_list: list[Silence] = []
        self.status = collector()
        self.unpriced = 12.0
        self.events = events()
        self.values: tuple[str, ...] = ("anthropic", "google", "openai")
        """Label values of query answers."""
        self.held = 12
        """Calls that pass any filter."""
        self.change: Callable[[Any], Any] = lambda answer: answer
        """Applied to every answer of a pane."""

    def count(self, method: str) -> int:
        """How often it was asked."""
        return sum(name == method for name, _ in self.asked)

    async def _answer(self, method: str, answer: Any, *args: Any) -> Any:
        self.asked.append((method, args))
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.change(answer)

    async def snapshot(self, shown: TimeRange) -> Snapshot:
        open_ = [a for a in self.alert_list if a.state in (AlertState.FIRING, AlertState.ACKNOWLEDGED)]
        worst = max((a.severity for a in open_), key=lambda s: s.rank, default=None)
        first = None if self.newest is None else self.newest - 20 * DAY
        self.asked.append(("snapshot", (shown,)))
        return Snapshot(
            at=self.at, calendar=CALENDAR, span=shown.span(self.at), collector=self.status,
            extent=Extent(self.status.calls, first, self.newest), open_alerts=len(open_),
            worst_alert=worst.value if worst else None, unpriced_today=self.unpriced, version=self.version,
            firing=tuple(
                Fired(a.id, a.severity, a.summary, a.fired or a.since, a.rule)
                for a in self.alert_list
                if a.state is AlertState.FIRING and self.rings
            ),
        )  # fmt: skip

    async def providers(self, shown: TimeRange, points: int = 24) -> ProvidersView:
        view = providers(shown.span(self.at))
        return await self._answer("providers", replace(view, rows=()) if self.empty else view, shown, points)

    async def costs(
        self, by: str = "model", period: str = "month", *, at: int | None = None, against: str = "previous"
    ) -> CostsView:
        view = replace(costs(by, period), against=against)  # type: ignore[arg-type]
        if self.empty:
            none = tuple(
                replace(s, cost=None, previous=None, unpriced=0, list_cost=None) for s in view.spends
            )
            view = replace(
                view, spends=none, rows=(), daily=(), daily_by=(), projection=None, budgets=(),
                warnings=("no projection yet: the month has just begun",),
            )  # fmt: skip
        return await self._answer("costs", view, by, period)

    async def alerts(self, *, resolved: bool = False) -> AlertsView:
        view = AlertsView(
            self.at, tuple(self.alert_list), RULES, self.at - 20 * SECOND, tuple(self.silence_list)
        )
        return await self._answer("alerts", AlertsView(self.at) if self.empty else view, resolved)

    async def system(self, shown: TimeRange, points: int = 24) -> SystemView:
        view = SystemView(
            self.at, shown.span(self.at), HOST, () if self.empty else GAUGES, self.status, 2 * MINUTE, 3,
            (Progress("bench", 40, 100, "calls", "running", self.at - MINUTE),),
            programs=() if self.empty else PROGRAMS,
        )  # fmt: skip
        return await self._answer("system", view, shown, points)

    async def upkeep(self, shown: TimeRange, points: int = 24) -> Upkeep:
        view = Upkeep(self.at, self.status)
        if self.status.running:
            view = upkeep(self.status)
        return await self._answer("upkeep", view, shown, points)

    async def happened(self, names: Sequence[str] = (), limit: int = 50) -> Happened:
        wanted = [one for one in self.events if one.event in names]
        return await self._answer("happened", Happened("run", tuple(wanted[:limit]), len(wanted) > limit))

    async def query(
        self, text: str, *, at: Micros | None = None, shown: TimeRange | None = None, points: int = 60
    ) -> Result:
        series = tuple(
            Series(labels_of(provider=name), (1000.0 * (n + 1),)) for n, name in enumerate(self.values)
        )
        result = Result(text, "vector", (self.at if at is None else at,), series, "ms", "latency")
        return await self._answer("query", result, text, at)

    async def query_range(self, text: str, shown: TimeRange, points: int) -> Result:
        span, step = shown.span(self.at), step_for(shown.length, points)
        times = tuple(range(span.start // step * step + step, span.end + 1, step))
        series = tuple(
            Series(labels_of(provider=name), tuple(_wave(i, n) for i in range(len(times))))
            for n, name in enumerate(() if self.empty else self.values)
        )
        result = Result(text, "matrix", times, series, "ms", "latency", span=span, layers=("minute",))
        return await self._answer("query_range", result, text, shown, points)

    async def panels(self, asked: Sequence[PanelQuery], shown: TimeRange) -> tuple[PanelAnswer, ...]:
        self.asked.append(("panels", (tuple(asked), shown)))
        found = []
        for one in asked:
            span = TimeRange(one.length or shown.length, shown.end)
            over = self.query_range(one.text, span, one.points) if one.points else self.query(one.text)
            found.append(PanelAnswer(await over))
        return tuple(found)

    async def calls(self, text: str, shown: TimeRange, limit: int, *, after: After | None = None) -> CallList:
        span = shown.span(self.at)
        more = min(limit, 0 if self.empty else self.held)
        found = tuple(call_at(self.at - n * 7 * SECOND, n) for n in range(more))
        behind = After(found[-1].booked, 1) if more < self.held and found else None
        answer = CallList(text, str(parse(text)), span, found, behind)
        return await self._answer("calls", answer, text, shown, limit)

    async def count_calls(self, text: str, shown: TimeRange) -> int:
        return await self._answer("count_calls", self.held, text, shown)

    async def call(self, call_id: str) -> CallView:
        at = next((n for n in range(5000) if call_at(0, n).id == call_id), None)
        if at is None:
            raise NotFound(f"there is no call {call_id}")
        call = call_at(self.at - at * 7 * SECOND, at)
        near = Neighbours(
            "user", "ana", tuple(call_at(call.booked - n * 7 * SECOND, at + n) for n in (1, 2)),
            () if at == 0 else (call_at(call.booked + 7 * SECOND, at - 1),),
        )  # fmt: skip
        return await self._answer(
            "call", CallView(call, call_price(call), call.booked, 1, (), (near,)), call_id
        )

    async def complete(self, text: str, cursor: int) -> list[Completion]:
        return await self._answer(
            "complete", [Completion("latency", cursor, "metric", "in ms")], text, cursor
        )

    async def history(self, alert_id: str) -> list[Change]:
        mine = [change for change in HISTORY if change.alert_id == alert_id]
        began = self.alert_list[self._at(alert_id)]
        first = Change(alert_id, began.since, AlertState.FIRING, "rules", "", began.value)
        return await self._answer("history", mine or [first], alert_id)

    async def alert(self, alert_id: str) -> Alert:
        if self.error is not None:
            raise self.error
        return self.alert_list[self._at(alert_id)]

    async def alert_chart(self, alert_id: str, shown: TimeRange, points: int) -> Result:
        alert, span = self.alert_list[self._at(alert_id)], shown.span(self.at)
        step = max(MINUTE, step_for(shown.length, min(points, 60)))
        times = tuple(range(span.start // step * step + step, span.end + 1, step))
        top = alert.value or 1.0
        values = tuple(
            None if i % 37 == 20 else top * (0.4 + 0.6 * i / len(times)) for i in range(len(times))
        )
        series = (
            Series(labels_of(series="value"), values),
            Series(labels_of(series="threshold"), (alert.threshold,) * len(times)),
        )
        result = Result(alert.expr, "matrix", times, series, alert.unit, "", span=span)
        return await self._answer("alert_chart", result, alert_id, shown, points)

    async def acknowledge(self, alert_id: str, who: str, note: str = "") -> Alert:
        return await self._set(
            AlertState.ACKNOWLEDGED, alert_id, who, note,
            acked_by=who, acked_at=self.at, note=note,
        )  # fmt: skip

    async def unacknowledge(self, alert_id: str, who: str) -> Alert:
        return await self._set(AlertState.FIRING, alert_id, who, acked_by=None, acked_at=None, note="")

    async def _set(self, state: AlertState, alert_id: str, *told: str, **changes: Any) -> Alert:
        self.asked.append((state.value, (alert_id, *told)))
        if self.error is not None:
            raise self.error
        at = self._at(alert_id)
        if self.alert_list[at].state is AlertState.RESOLVED:
            raise MonitorError(f"{self.alert_list[at].rule} is resolved already")
        self.alert_list[at] = replace(self.alert_list[at], state=state, **changes)
        return self.alert_list[at]

    def _at(self, alert_id: str) -> int:
        return next(i for i, alert in enumerate(self.alert_list) if alert.id == alert_id)

    async def silence(
        self, matchers: Any, ends: Micros, who: str, note: str = "", *, starts: Micros | None = None
    ) -> Silence:
        silence = Silence(f"s{len(self.asked)}", tuple(matchers), starts or self.at, ends, self.at, who, note)
        await self._answer("silence", silence, silence.matchers, ends, who, note)
        self.silence_list.append(silence)
        wanted = {(m.name, m.value) for m in matchers if m.name != "alertname"}
        self.alert_list = [
            replace(a, state=AlertState.SILENCED, silenced_by=silence.id, silenced_until=ends)
            if Matcher("alertname", a.rule) in silence.matchers and wanted <= set(a.labels.items()) and a.open
            else a
            for a in self.alert_list
        ]
        return silence

    async def unsilence(self, silence_id: str, who: str) -> Silence:
        silence = next(one for one in self.silence_list if one.id == silence_id)
        await self._answer("unsilence", silence, silence_id, who)
        self.silence_list.remove(silence)
        self.alert_list = [
            replace(a, state=AlertState.FIRING, silenced_by="", silenced_until=None)
            if a.silenced_by == silence_id
            else a
            for a in self.alert_list
        ]
        return silence

    async def pause_source(self, name: str, who: str) -> None:
        await self._answer("pause_source", None, name, who)
        self._become(name, SourceState.PAUSED, f"paused by {who} 12:00")

    async def resume_source(self, name: str, who: str) -> None:
        await self._answer("resume_source", None, name, who)
        self._become(name, SourceState.RUNNING, "")

    def _become(self, name: str, state: SourceState, detail: str) -> None:
        rows = self.status.sources
        changed = (replace(r, state=state, detail=detail) if r.name == name else r for r in rows)
        self.status = replace(self.status, sources=tuple(changed))


def _wave(i: int, n: int) -> float | None:
    if i % 37 == 20:
        return None
    return 800.0 * (n + 1) + 350.0 * ((i * (n + 3)) % 11) / 10


class FakeBackend:
    """The thread's interface over a fake monitor, on the caller's own loop."""

    def __init__(self, monitor: FakeMonitor, settings: Settings | None = None) -> None:
        self.monitor: Any = monitor
        self.settings: Settings | None = settings or settings_of()
        self.state = ThreadState("collecting")
        self.started = False
        self.config_file = places.config_file()
        self._listeners: list[Callable[[ThreadState], None]] = []
        self.taken_over = 0
        self.knocks = 0

    def start(self) -> None:
        self.started = True

    def take_over(self) -> None:
        self.taken_over += 1

    def knock(self) -> None:
        self.knocks += 1

    def subscribe(self, callback: Callable[[ThreadState], None]) -> Callable[[], None]:
        self._listeners.append(callback)
        callback(self.state)
        return lambda: self._listeners.remove(callback)

    def become(self, state: ThreadState) -> None:
        self.state = state
        for listener in self._listeners:
            listener(state)

    async def call(self, ask: Callable[[Monitor], Awaitable[T]]) -> T:
        return await ask(self.monitor)

    def stop(self, timeout: float = 2.0) -> bool:
        return True


def settings_of(**screen: Any) -> Settings:
    """Settings under which only the test's own ticks count."""
    refused = {"agent_logs": False, "provider_keys": False, "status_pages": False}
    sections = {
        "consent": refused,
        "general": {"timezone": "UTC", "name": "ana"},
        "screen": {"update_interval": "30d", "ask_while_typing": False, **screen},
    }
    return load(None, sections)


def dashboard(
    monitor: FakeMonitor | None = None, environ: dict[str, str] | None = None, **screen: Any
) -> MonitorApp:
    """The app over a fake monitor."""
    backend = FakeBackend(monitor or FakeMonitor(), settings_of(**screen))
    return MonitorApp(backend, host=HOST, environ=environ or {"LANG": "C.UTF-8"}, timer=lambda: 0.0)


DRAW = Compositor.render_update
_changes = count()
_changed = 0


def not_drawn(compositor: Compositor, full: bool = False, **named: Any) -> Any:
    """What changed is settled, and drawn only where all of it is asked for, as for a picture."""
    global _changed
    if full:
        return DRAW(compositor, full=True, **named)
    if compositor._dirty_regions:
        _changed = next(_changes)
    compositor._dirty_regions.clear()
    return None


def at_work_beside() -> bool:
    """Whether a thread of the loop's own is doing something, such as writing a file."""
    threads: Any = getattr(asyncio.get_running_loop(), "_default_executor", None)
    return threads is not None and threads._idle_semaphore._value < len(threads._threads)


def under_way(app: Any) -> bool:
    """Whether messages or keys wait, a pane is not made yet, or a paint is being gathered."""
    if getattr(app, "_taking_turns", None) is not None:
        return True
    nodes = [app, *(node for screen in app.screen_stack for node in screen.walk_children(with_self=True))]
    if any(node._message_queue is not None and node.message_queue_size for node in nodes):
        return True
    made = all(getattr(node, "ready", True) for node in nodes)
    return not made or any(getattr(screen, "_painting", None) is not None for screen in app.screen_stack)


async def settle(pilot: Any, *keys: str) -> None:
    """Press keys, each when what the one before brought has come, and let everything come to rest."""
    for key in keys:
        before = _changed
        await pilot.press(key)
        if _changed != before or under_way(pilot.app) or any(w.is_running for w in pilot.app.workers):
            await rest(pilot)
    await rest(pilot)


async def rest(pilot: Any) -> None:
    """Wait until nothing goes on; of work that does not end, a while."""
    quiet, left, most = 0, 20, 400
    while left and most and quiet < 3:
        before = _changed
        await pilot.pause()
        beside = at_work_beside() or under_way(pilot.app)
        left -= not beside
        most -= 1
        busy = beside or _changed != before or any(worker.is_running for worker in pilot.app.workers)
        quiet = 0 if busy else quiet + 1


async def tick(pilot: Any) -> None:
    """What the clock does."""
    pilot.app.get_default_screen().tick()
    await settle(pilot)


def lines(app: Any) -> list[str]:
    """The screen as text."""
    # A dialog shows what is behind it.
    visible_screen_stack.set(app._background_screens)
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]


def text(app: Any) -> str:
    """The screen as one text."""
    return "\n".join(line.rstrip() for line in lines(app))
