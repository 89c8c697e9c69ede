"""The façade is the same wherever it is asked: here, through the socket, and over TCP with a token."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import fields, is_dataclass, replace
from difflib import unified_diff
from pathlib import Path
from pprint import pformat
from typing import Any

import httpx
import pytest

from tests.monitor.test_viewing import firing
from tests.runtime.collecting import CALL, opened, ready, row, settings_for, until
from tests.runtime.test_pausing import NOW
from tui_monitor.config import places
from tui_monitor.health.upkeep import OwnProcess, Upkeep
from tui_monitor.model.alert import Change, Matcher
from tui_monitor.model.call import NANO, Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock
from tui_monitor.model.errors import MonitorError, UsageError
from tui_monitor.model.feed import Sample
from tui_monitor.model.states import AlertState, SourceState
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor.api import Monitor
from tui_monitor.monitor.local import LocalMonitor
from tui_monitor.monitor.overhttp import RemoteMonitor
from tui_monitor.query.panels import MOST, PanelQuery
from tui_monitor.query.result import After
from tui_monitor.query.timing import QueryStats, SlowQuery
from tui_monitor.runtime import Collector
from tui_monitor.server import serve
from tui_monitor.store.alerts import AlertStore
from tui_monitor.store.api import ImportInfo, WriteBatch
from tui_monitor.store.database import Store

Ask = Callable[[Monitor], Awaitable[Any]]
FACES = ("socket", "tcp")
OPENAI = Matcher("provider", "openai")
ODD = 'a "quoted" <b>, ümläut, \x1b[31m, \u2028 and 🦊'
OLD = TimeRange(7 * HOUR + 1, NOW - 3)
"""Lengths and ends are exact to the µs."""
GROWING = TimeRange(15 * MINUTE, None, NOW - 14 * MINUTE - 30 * SECOND - 1)
"""Its length is to the minute, what it is asked for is not."""
LONG = " or ".join(f'vector({n}) * on() label_replace(vector(1), "n", "{n}", "", "")' for n in range(40))


async def still(upkeep: Awaitable[Upkeep]) -> Upkeep:
    """The collector's upkeep but for what goes on with every question."""
    view = await upkeep
    assert view.process is not None
    return replace(
        view, process=OwnProcess(1.5, 60.25, 1, 2, 3, NOW),
        checks=tuple(replace(check, seconds=0.5) for check in view.checks), queries=QueryStats(1, 2, p50=0.1),
        slow=(SlowQuery(ODD, "rule x", NOW, 0.7, "cancelled"),), cache_hits=0, cache_misses=0, requests=0,
        connections={}, rules=tuple(replace(time, last=0.1, longest=0.2, sum=0.3) for time in view.rules),
    )  # fmt: skip


QUESTIONS: dict[str, tuple[Ask, ...]] = {
    "upkeep": (
        lambda m: still(m.upkeep(TimeRange())),
        lambda m: still(m.upkeep(OLD, 3)),
        lambda m: still(m.upkeep(GROWING)),
    ),
    "snapshot": (lambda m: m.snapshot(TimeRange()), lambda m: m.snapshot(OLD)),
    "providers": (
        lambda m: m.providers(TimeRange()),
        lambda m: m.providers(OLD, 7),
        lambda m: m.providers(GROWING),
    ),
    "costs": (
        lambda m: m.costs(),
        lambda m: m.costs("provider", "today"),
        lambda m: m.costs("team", "last_week", at=NOW - 40 * DAY - 7),
        lambda m: m.costs("no such label"),
    ),
    "alerts": (lambda m: m.alerts(), lambda m: m.alerts(resolved=True)),
    "system": (lambda m: m.system(TimeRange()), lambda m: m.system(OLD, 3), lambda m: m.system(GROWING)),
    "happened": (
        lambda m: m.happened(),
        lambda m: m.happened(limit=1),
        lambda m: m.happened(("alert_update", "source_update"), 3),
    ),
    "status": (lambda m: m.status(),),
    "query": (
        lambda m: m.query("cost{} [1h] sum by(provider)"),
        lambda m: m.query("requests{} [$__range] sum", shown=TimeRange(30 * MINUTE), points=5),
        lambda m: m.query("requests{} [$__range] sum", shown=GROWING),
        lambda m: m.query("requests{} [1h] sum", at=NOW - 20 * MINUTE - 1),
        # Not a number, both infinities, minus nothing, and nothing at all.
        lambda m: m.query("vector(0) / 0"),
        lambda m: m.query("vector(1) / 0 or on() vector(-1) / 0"),
        lambda m: m.query("vector(-1) / 0"),
        lambda m: m.query("vector(-0.0)"),
        lambda m: m.query("vector(1) > 2"),
        lambda m: m.query("vector(0.1) + 0.2"),
        lambda m: m.query('label_replace(vector(1), "odd", "a \\"b\\" \\u2028 ü", "", "")'),
        lambda m: m.query(LONG),
        lambda m: m.query("latency{"),
        lambda m: m.query(""),
        lambda m: m.query("latncy{} [1h] p95"),
        lambda m: m.query(f"{LONG} or latncy"),
    ),
    "query_range": (
        lambda m: m.query_range("requests{} sum by(model)", TimeRange(), 12),
        lambda m: m.query_range("load / 0", OLD, 9),
        lambda m: m.query_range("requests{} sum", GROWING, 9),
        lambda m: m.query_range("latency{} p95", TimeRange(DAY, NOW), 500),
        lambda m: m.query_range("sum(", TimeRange(), 60),
    ),
    "panels": (
        lambda m: m.panels([], TimeRange()),
        lambda m: m.panels(
            [
                PanelQuery("cost{} [today] sum"),
                PanelQuery("requests{} [$__range] sum", DAY + 1),
                PanelQuery("requests{} sum by(model)", points=12),
                PanelQuery("latncy{} [1h] p95"),
                PanelQuery("latency{", 0, 5),
                PanelQuery(LONG),
                PanelQuery(""),
                PanelQuery("load", HOUR, 7),
                PanelQuery("requests{} [$__rang] sum"),
            ],
            OLD,
        ),
        lambda m: m.panels([PanelQuery("requests{} [$__range] sum")], GROWING),
        lambda m: m.panels([PanelQuery("requests{}")] * (MOST + 1), TimeRange()),
    ),
    "calls": (
        lambda m: m.calls("where", TimeRange(), 5),
        lambda m: m.calls("where", TimeRange(), 5, after=After(NOW - 10 * SECOND, 1)),
        lambda m: m.calls("status=error", TimeRange(DAY), 50),
        lambda m: m.calls("where", OLD, 1_000),
        lambda m: m.calls("where", GROWING, 1_000),
        lambda m: m.calls("latency >", TimeRange(), 5),
    ),
    "count_calls": (
        lambda m: m.count_calls("provider=openai", TimeRange(DAY)),
        lambda m: m.count_calls("where", OLD),
        lambda m: m.count_calls("where", GROWING),
        lambda m: m.count_calls("status=", TimeRange()),
    ),
    "call": (
        lambda m: m.call(CALLS[4].id),
        lambda m: m.call("test:r-7"),
        lambda m: m.call("id-9"),
        lambda m: m.call("r-10"),
        lambda m: m.call("nobody's"),
        lambda m: m.call("a b?%ü"),
    ),
    "complete": (
        lambda m: m.complete("laten", 5),
        lambda m: m.complete("", 0),
        lambda m: m.complete("cost{provider=}", 14),
    ),
    "alert": (lambda m: m.alert("xyz"), lambda m: m.alert("xy"), lambda m: m.alert("a b?%ü")),
    "alert_chart": (
        lambda m: m.alert_chart("xyz", TimeRange(), 10),
        lambda m: m.alert_chart("xyz", GROWING, 10),
        lambda m: m.alert_chart("none", TimeRange(), 10),
    ),
    "history": (lambda m: m.history("xyz"), lambda m: m.history("none")),
    "silences": (lambda m: m.silences(), lambda m: m.silences(ended=True)),
    "imports": (lambda m: m.imports(),),
}
"""Method → what is asked of it; nothing of it changes anything."""


async def end_the_first(monitor: Monitor) -> Any:
    return await monitor.unsilence((await monitor.silences())[0].id[:6], "bob")


ACTS: tuple[tuple[str, Ask], ...] = (
    ("acknowledge", lambda m: m.acknowledge("xy", "ana", ODD)),
    ("acknowledge", lambda m: m.acknowledge("xyz", "bob")),
    ("acknowledge", lambda m: m.acknowledge("none", "ana")),
    ("unacknowledge", lambda m: m.unacknowledge("xyz", "cleo")),
    ("unacknowledge", lambda m: m.unacknowledge("xyz", "cleo")),
    ("silence", lambda m: m.silence([OPENAI, Matcher("severity", "c.*", "=~")], NOW + HOUR + 1, "ana", "x")),
    ("unsilence", end_the_first),
    ("unsilence", lambda m: m.unsilence("none", "ana")),
    ("silence", lambda m: m.silence([OPENAI], NOW + DAY, "ana", starts=NOW + HOUR + 7)),
    ("silence", lambda m: m.silence([], NOW + HOUR, "ana")),
    ("silence", lambda m: m.silence([OPENAI], NOW - 1, "ana")),
    ("pause_source", lambda m: m.pause_source("one", ODD)),
    ("resume_source", lambda m: m.resume_source("one", "ben")),
    ("pause_source", lambda m: m.pause_source("none", "ana")),
    ("resume_source", lambda m: m.resume_source("none", "ana")),
    ("undo_import", lambda m: m.undo_import("batch 1?%")),
    ("undo_import", lambda m: m.undo_import("batch 1?%")),
    ("undo_import", lambda m: m.undo_import("none")),
    ("reload", lambda m: m.reload()),
)
"""What is done, in this order."""

CALLS = [
    Call(
        "test", f"r-{n}", ts_start=NOW - n * 10 * SECOND - 5, ts_end=NOW - n * 10 * SECOND,
        call_keys=(f"id-{n}", f"trace:{n}"), provider=("openai", "anthropic")[n % 2], model_served="gpt-4o",
        in_uncached=100, out_total=10 if n % 3 else None, cost=NANO // 100, cost_status="computed",
        status="success" if n % 5 else "error", error_category=None if n % 5 else "rate_limit",
        latency_ms=100.25 + n, user=ODD if n % 4 == 0 else None, stream=(None, True, False)[n % 3],
        attrs={"n": n, "list": [1, 2.5, None], "deep": {"a": ODD}},
    )
    for n in range(30)
]  # fmt: skip
PUSHED = [
    CALL | {"model": "nobody-knows", "ts": NOW / SECOND - 60},
    {"kind": "cache", "ts": NOW / SECOND - 5, "result": "hit", "saved_usd": 0.02, "saved_tokens": 900},
    {
        "kind": "rate_limit", "ts": NOW / SECOND - 5, "result": "denied", "key": "acme", "limit_type": "rpm",
        "limit": 60, "remaining": 0, "reset_s": 12, "provider": "openai",
    },
    {
        "kind": "progress", "ts": NOW / SECOND - 5, "name": "mmlu", "done": 30, "total": 100, "unit": "q",
        "state": "running",
    },
    {"kind": "start", "id": "open", "ts": NOW / SECOND - 5, "provider": "openai", "model": "gpt-4o"},
]  # fmt: skip


class Still:
    """A source that has nothing."""

    name = "one"

    async def run(self, ctx: Any) -> None:
        ctx.running("waits")
        await asyncio.Event().wait()


async def fill(path: Path) -> None:
    """Something of everything that a database holds."""
    alert = replace(firing("xyz"), since=NOW - HOUR, fired=NOW - HOUR, value=float("inf"), summary=ODD)
    done = replace(alert, id="done", state=AlertState.RESOLVED, resolved=NOW - MINUTE)
    store = Store.open(path, write=True, clock=ManualClock(NOW))
    store.begin_import(ImportInfo("batch 1?%", NOW - DAY, ("a.csv", ODD), "csv", 0, shift_us=-5))
    imported = [Call("import", f"i-{n}", ts_end=NOW - DAY - n, batch_id="batch 1?%") for n in range(3)]
    samples = [Sample("load", NOW - n * MINUTE, n / 3, {"room": ODD}) for n in range(60)]
    store.write(WriteBatch(calls=[*CALLS, *imported], samples=samples))
    store.close()
    alerts = await AlertStore.open(path, write=True)
    await alerts.save([alert, done], [Change("xyz", NOW - HOUR, AlertState.FIRING, "rules", ODD, 0.1)])
    await alerts.close()


@asynccontextmanager
async def collecting(folder: Path) -> AsyncIterator[Collector]:
    """A collector whose clock stands, with something of everything."""
    folder.mkdir()
    rules = [
        {"name": "r", "expr": "requests [5m] sum by(provider) > 2"},
        {"name": "misspelt", "expr": "eror_rate > 1"},
    ]
    settings = settings_for(
        folder / "monitor.db",
        alerts={"rules": rules, "shipped": False, "interval": "1h"},
        budgets=[
            {"name": "ümläut <b>", "period": "month", "amount_usd": 1.0, "scope": {"provider": "openai"}}
        ],
    )
    changed = settings.model_copy(
        update={
            "health": settings.health.model_copy(update={"min_calls": 3}),
            "query": settings.query.model_copy(update={"at_once": 3}),
        }
    )
    path = settings.database_path()
    await fill(path)
    collector = Collector(
        settings, path, serve=serve, sources=[Still()], clock=ManualClock(NOW), configure=lambda: changed
    )
    await collector.start()
    try:
        await ready(collector)
        socket = httpx.AsyncHTTPTransport(uds=await opened(collector, "socket"))
        async with httpx.AsyncClient(transport=socket, base_url="http://collector") as web:
            assert (await web.post("/monitor/v1/events", json=PUSHED)).json()["rejected"] == []
        await until(lambda: row(collector, "alerts").state is SourceState.RUNNING)
        yield collector
    finally:
        await collector.stop()


@asynccontextmanager
async def facing(face: str, collector: Collector) -> AsyncIterator[Monitor]:
    """The façade of a collector, from where it is asked."""
    if face == "here":
        yield collector.monitor
        return
    where = await opened(collector, "http")
    token = places.token_file().read_text().strip()
    async with (
        RemoteMonitor(places.socket_path(collector.path))
        if face == "socket"
        else RemoteMonitor(where, token=token)
    ) as monitor:
        yield monitor


def plain(value: Any) -> Any:
    """All there is in it: also what does not count when two are compared. 3 calls are 3.0 calls."""
    if is_dataclass(value) and not isinstance(value, type):
        return type(value).__name__, {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, list | tuple):
        return type(value).__name__, [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in sorted(value.items())}
    return repr(float(value) if type(value) is int else value)


async def told(ask: Ask, monitor: Monitor) -> str:
    """What comes of it, to the last field; errors with all they say."""
    try:
        return pformat(plain(await ask(monitor)), width=100)
    except MonitorError as error:
        return f"{type(error).__name__} {vars(error)}"


def taken(method: Callable[..., Any]) -> list[tuple[Any, ...]]:
    """What a method is called with; the types are checked by pyright."""
    return [(one.name, one.kind, one.default) for one in inspect.signature(method).parameters.values()]


def test_every_method_has_a_case() -> None:
    methods = {name for name in vars(Monitor) if not name.startswith("_")}
    assert methods == QUESTIONS.keys() | {name for name, _ in ACTS}
    for kind in (LocalMonitor, RemoteMonitor):
        for name in methods:
            assert taken(getattr(kind, name)) == taken(getattr(Monitor, name)), name


@pytest.mark.parametrize("face", FACES)
async def test_questions(face: str, tmp_path: Path) -> None:
    async with collecting(tmp_path / "a") as collector, facing(face, collector) as monitor:
        different = {}
        for name, asks in QUESTIONS.items():
            for number, ask in enumerate(asks):
                for _ in range(5):
                    here, there = await told(ask, collector.monitor), await told(ask, monitor)
                    if here == there:
                        break
                    # Rates and sizes may have moved on between the two.
                else:
                    lines = unified_diff(here.splitlines(), there.splitlines(), lineterm="", n=0)
                    different[f"{name} {number}"] = "\n".join(lines)
        assert not different, different


async def test_questions_are_about_something(tmp_path: Path) -> None:
    async with collecting(tmp_path / "a") as collector, facing("tcp", collector) as monitor:
        assert len((await monitor.calls("where", TimeRange(), 50)).calls) == 31
        assert (await monitor.calls("where", TimeRange(), 5)).after is not None
        assert {row.provider for row in (await monitor.providers(TimeRange())).rows} >= {
            "openai",
            "anthropic",
        }
        costs = await monitor.costs("provider", "today")
        assert (costs.budgets[0].spent, len(costs.rows)) == (pytest.approx(0.15), 2)
        upkeep = await monitor.upkeep(TimeRange())
        assert {check.name for check in upkeep.checks} >= {"store", "alerts"}
        system = await monitor.system(TimeRange())
        assert (system.active, system.progress[0].name) == (1, "mmlu")
        assert (await monitor.status()).rate_limits[0].key == "acme"
        assert {"xyz", "done"} <= {alert.id for alert in (await monitor.alerts(resolved=True)).alerts}
        assert {one.label("series") for one in (await monitor.alert_chart("xyz", TimeRange(), 9)).series} == {
            "value", "threshold",
        }  # fmt: skip
        happened = await monitor.happened(limit=2)
        assert (len(happened.events), happened.more) == (2, True)
        assert happened.events[0].id > happened.events[1].id
        assert await monitor.count_calls("provider=openai", TimeRange(DAY)) == 16
        with pytest.raises(UsageError):
            await monitor.costs("model", "century")


async def transcript(face: str, folder: Path) -> list[tuple[str, str]]:
    """What came of each act, and how alerts, silences and sources were then."""
    lines: list[tuple[str, str]] = []
    async with collecting(folder) as collector, facing(face, collector) as monitor:
        for name, ask in ACTS:
            answer = await told(ask, monitor)
            here = collector.monitor
            after = (
                await here.alert("xyz"), await here.history("xyz"), await here.silences(ended=True),
                await here.imports(), row(collector, "one"),
            )  # fmt: skip
            line = f"{answer}\n{pformat(plain(after))}".replace(str(folder), "")
            for number, silence in enumerate(after[2]):
                line = line.replace(silence.id, f"silence-{silence.starts}-{number}")
            lines.append((name, line))
    return lines


@pytest.mark.parametrize("face", FACES)
async def test_acts(face: str, tmp_path: Path) -> None:
    here, there = await transcript("here", tmp_path / "a"), await transcript(face, tmp_path / "b")
    for (name, one), (_, other) in zip(here, there, strict=True):
        assert one == other, name
