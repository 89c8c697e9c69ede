"""Other settings in a running collector: taken over without closing a door, or not at all."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.runtime.collecting import CALL, opened, ready, row, settings_for, until
from tui_monitor.config import places
from tui_monitor.config.load import Settings, load
from tui_monitor.model.errors import MonitorError, UsageError
from tui_monitor.model.sampling import SampledScope
from tui_monitor.model.states import SourceState
from tui_monitor.monitor.remote import SocketClient
from tui_monitor.runtime import Collector, configured, loops, own
from tui_monitor.server import serve
from tui_monitor.store.database import Store

RULE = {"name": "many", "expr": "requests{} [1h] sum > 0"}


class Reader:
    """A source that tells what settings it was started with."""

    name = "reader"

    def __init__(self) -> None:
        self.saw: list[tuple[Any, int]] = []

    async def run(self, ctx: Any) -> None:
        self.saw.append((ctx.settings.consent.agent_logs, ctx.settings.collector.interval))
        await asyncio.Event().wait()


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    running: list[Collector] = []

    async def begin(*sources: Any, configure: Any = None, file: Any = None, **sections: Any) -> Collector:
        settings = settings_for(tmp_path / "monitor.db", **sections)
        collector = Collector(
            settings, settings.database_path(), serve=serve, sources=sources, configure=configure, file=file
        )
        running.append(collector)
        await collector.start()
        await ready(collector)
        return collector

    yield begin
    for collector in running:
        await collector.stop()


def changed(running: Collector, /, budgets: Any = None, **sections: Any) -> Settings:
    return settings_for(running.path, budgets=budgets, **sections)


async def test_rules_budgets_and_health_hold_at_once(start: Any) -> None:
    collector = await start(alerts={"interval": "1h"})
    await until(lambda: row(collector, "alerts").records)
    door = await opened(collector, "http")
    async with httpx.AsyncClient(base_url=door) as web:
        await web.post("/monitor/v1/events", json=CALL)
        reloaded = await collector.reload(
            changed(
                collector,
                [{"name": "month", "amount_usd": 5}],
                alerts={"rules": [RULE], "interval": "1h"},
                health={"min_calls": 3},
                general={"name": "Ana"},
            )
        )
        assert set(reloaded.changed) == {"general.name", "budgets", "alerts.rules", "health.min_calls"}
        assert reloaded.restart == ()
        # The same connection: the door was never closed.
        assert (await web.post("/monitor/v1/events", json=CALL)).json()["accepted"] == 1
    assert await opened(collector, "http") == door
    assert [budget.name for budget in (await collector.monitor.costs()).budgets] == ["month"]
    # The grid is an hour wide: the rule is there without waiting for it.
    await until(lambda: row(collector, "alerts").records >= 2)
    assert "many" in [rule.name for rule in (await collector.monitor.alerts()).rules]
    assert row(collector, "config").detail.endswith("changed")
    again = await collector.reload(collector.settings)
    assert (again.changed, again.restart) == ((), ())


async def test_what_needs_a_restart_is_named_and_not_half_done(start: Any) -> None:
    collector = await start()
    other = changed(
        collector,
        server={"listen": "127.0.0.1:1", "max_body": "1 MB"},
        general={"timezone": "Asia/Tokyo"},
        collector={"interval": "5s", "queue_size": 5000},
        costs={"month_starts_on": 5},
    )
    other = other.model_copy(
        update={"database": other.database.model_copy(update={"path": Path("/nowhere/x.db")})}
    )
    reloaded = await collector.reload(other)
    assert reloaded.changed == ("collector.interval",)
    assert set(reloaded.restart) == {
        "database.path", "server.listen", "server.max_body", "general.timezone", "collector.queue_size",
        "costs.month_starts_on",
    }  # fmt: skip
    assert collector.settings.calendar() == changed(collector).calendar()
    assert collector.settings.database_path() == collector.path
    assert collector.settings.collector.queue_size == changed(collector).collector.queue_size
    assert "after a restart" in row(collector, "config").detail
    # Asked again, it still says what waits.
    assert "server.listen" in (await collector.reload(other)).restart


async def test_sources_begin_anew_only_when_they_are_concerned(start: Any) -> None:
    source = Reader()
    collector = await start(source)
    await until(lambda: source.saw)
    await collector.reload(changed(collector, health={"min_calls": 3}))
    await collector.reload(changed(collector, consent={"agent_logs": True}))
    await collector.reload(changed(collector, consent={"agent_logs": True}, collector={"interval": "7s"}))
    await until(lambda: len(source.saw) == 3)
    assert source.saw[1:] == [(True, 30_000_000), (True, 7_000_000)]


async def test_retention_is_that_of_now(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "RETENTION_DELAY", 400_000)
    asked: list[int] = []
    monkeypatch.setattr(Store, "retain", lambda self, settings, now: asked.append(settings.raw))
    collector = await start(retention={"raw": "3d"})
    await collector.reload(changed(collector, retention={"raw": "4d"}))
    await until(lambda: asked)
    assert asked == [4 * 86_400_000_000]


async def test_who_follows_the_spend_is_told_of_the_budgets_of_now(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = await start()
    monkeypatch.setattr(collector.store, "version", lambda: 7)
    assert (await collector.pulse.start())["costs"]["budget_status"] == []
    await collector.reload(changed(collector, costs={"daily_budget": 5.0}))
    (budget,) = (await collector.pulse.start())["costs"]["budget_status"]
    assert (budget["budget"], budget["amount"]) == ("daily", 5.0)


async def test_prices_of_now_and_a_broken_file_changes_nothing(start: Any, tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    collector = await start()
    prices.write_text(
        '[[prices]]\nprovider = "openai"\nmodel = "gpt-4o"\nvalid_from = 2020-01-01\n'
        "input = 1000.0\noutput = 0.0\n"
    )
    priced = changed(collector, prices={"file": str(prices)}, health={"min_calls": 3})
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as web:
        await collector.reload(priced)
        await web.post("/monitor/v1/events", json={**CALL, "input_tokens": 1_000_000})
        assert (await collector.monitor.costs()).spends[0].cost == pytest.approx(1000)
        prices.write_text("[[models]\n")
        with pytest.raises(UsageError, match=r"prices\.toml"):
            await collector.reload(changed(collector, prices={"file": str(prices)}, health={"min_calls": 9}))
        assert collector.settings.health.min_calls == 3
        assert row(collector, "prices").state is SourceState.RUNNING


async def test_a_broken_configuration_keeps_the_old_one_and_is_seen(start: Any, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    tables = {
        "database": {"path": str(tmp_path / "monitor.db")},
        "server": {"listen": "127.0.0.1:0"},
        "general": {"timezone": "UTC"},
        "collector": {"flush_interval": "5ms"},
    }
    config.write_text("[health]\nmin_calls = 4\n")
    collector = await start(configure=lambda: load(config, tables))
    await collector.reload_config()
    assert collector.settings.health.min_calls == 4
    config.write_text("[health]\nmin_calls = 4\nmin_cals = 5\n")
    async with SocketClient(places.socket_path(collector.path)) as client:
        with pytest.raises(UsageError, match="min_cals"):
            await client.reload()
        shown = row(collector, "config")
        assert shown.state is SourceState.FAILED
        assert "min_cals" in shown.last_error
        assert "the settings of before hold" in shown.detail
        assert collector.settings.health.min_calls == 4
        config.write_text("[health]\nmin_calls = 6\n[server]\nsocket = false\n")
        reloaded = await client.reload()
    assert (reloaded.changed, reloaded.restart) == (("health.min_calls",), ("server.socket",))
    assert row(collector, "config").state is SourceState.RUNNING
    assert collector.settings.health.min_calls == 6


async def test_a_file_that_says_something_else_is_seen(
    start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configured, "EVERY_S", 0.01)
    config = tmp_path / "config.toml"
    wanted: list[Settings] = []

    def read() -> Settings:
        if not wanted:
            raise UsageError("min_cals is no setting\nmore")
        return wanted[0]

    file = configured.Configured.by(config, read)
    collector = await start(configure=read, file=file)
    warned = lambda: row(collector, "config").warning  # noqa: E731
    config.write_text("[health]\nmin_cals = 4\n")
    await until(lambda: warned() == "not taken over: min_cals is no setting")
    wanted.append(changed(collector, health={"min_calls": 4}, server={"socket": False}))
    config.write_text("[health]\nmin_calls = 4\n[server]\nsocket = false\n")
    await until(lambda: warned().startswith("changed: health.min_calls in config.toml; `tui-monitor collect"))
    await collector.reload_config()
    await until(lambda: warned() == "changed: server.socket in config.toml takes effect at a restart")
    # What only a dashboard reads is no matter of the collector's.
    wanted[:] = [changed(collector, health={"min_calls": 4}, screen={"theme": "light"})]
    config.write_text("[health]\nmin_calls = 4\n[screen]\ntheme = 'light'\n")
    await until(lambda: not warned())
    assert row(collector, "config").state is SourceState.RUNNING


async def test_one_that_was_given_its_settings_says_so(start: Any) -> None:
    collector = await start()
    with pytest.raises(MonitorError, match="knows no file"):
        await collector.monitor.reload()


async def test_sampling_begins_with_what_was_pushed_today(start: Callable[..., Any]) -> None:
    collector = await start(collector={"interval": "100ms"})
    door, moment = await opened(collector, "http"), time.time()
    async with httpx.AsyncClient(base_url=door) as http:

        async def push(first: int, count: int) -> int:
            items = [CALL | {"id": str(n), "ts_end": moment} for n in range(first, first + count)]
            answer = await http.post("/monitor/v1/events", json=items)
            return answer.json()["accepted"]

        assert await push(0, 100) == 100
        assert collector.status().sampling == ()
        changed = {"sampling": {"max_rows_per_day": 110}, "collector": {"interval": "100ms"}}
        now = settings_for(collector.path, **changed)
        assert (await collector.reload(now)).restart == ()
        assert collector.status().sampling == (SampledScope("", "", 4),)
        assert await push(100, 100) == 100
        assert await push(0, 200) == 0
    await until(lambda: "sampling 1 in 4 of all calls" in row(collector, "collector").detail)
    status = collector.status()
    assert status.left_out == collector.store.stats(now.retention, collector.clock.now()).sampled_out > 50
    assert collector.store.extent().calls == 200
    names = {sample.name: sample.value for sample in own.samples(collector, collector.clock.now())}
    assert names["tui_monitor_sampling_one_in"] == 4
    assert names["tui_monitor_sampling_left_out_total"] == status.left_out
