"""The façade on a real database: what each pane asks, and that an unchanged database is not read again."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.collecting import settings_for
from tui_monitor.model.call import NANO, Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, ManualClock
from tui_monitor.model.errors import QueryError, UsageError
from tui_monitor.model.feed import Sample
from tui_monitor.model.states import Health
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor.local import LocalMonitor
from tui_monitor.monitor.viewing import viewing
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store


def calls(clock: ManualClock) -> list[Call]:
    """Twenty good ones of one provider in the last minutes, and one of another that nobody can price."""
    now = clock.now()
    good = [
        Call(
            "test",
            str(i),
            ts_end=now - i * 10_000_000,
            provider="openai",
            model_served="gpt-4o",
            in_uncached=100,
            out_total=10,
            cost=NANO // 100,
            cost_status="computed",
            status="success",
            latency_ms=100.0 + i,
        )
        for i in range(20)
    ]
    return [
        *good,
        Call("test", "x", ts_end=now, provider="odd", model_served="m", status="error", out_total=5),
    ]


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    store = Store.open(tmp_path / "monitor.db", write=True, clock=clock)
    store.write(WriteBatch(calls=calls(clock), samples=[Sample("load", clock.now() - MINUTE, 2.5)]))
    yield store
    store.close()


@pytest.fixture
async def monitor(store: Store, clock: ManualClock) -> AsyncIterator[LocalMonitor]:
    budgets: Any = [{"name": "all", "period": "day", "amount_usd": 1.0}]
    settings = settings_for(store.path, budgets=budgets)
    async with viewing(settings, store.path, clock) as monitor:
        yield monitor


async def test_the_frame(monitor: LocalMonitor, store: Store, clock: ManualClock) -> None:
    snapshot = await monitor.snapshot(TimeRange(6 * HOUR))
    assert snapshot.at == clock.now()
    assert snapshot.span == TimeRange(6 * HOUR).span(clock.now())
    assert (snapshot.extent.calls, snapshot.extent.last) == (21, clock.now())
    assert snapshot.collector.calls == 21
    assert not snapshot.collector.running
    assert snapshot.unpriced_today == 1
    assert (snapshot.open_alerts, snapshot.worst_alert) == (0, None)
    assert snapshot.version == store.version()


async def test_an_unchanged_database_is_not_asked_again(
    monitor: LocalMonitor, store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    instant = monitor._engine.instant
    monkeypatch.setattr(
        monitor._engine, "instant", lambda text, at: (asked.append(text), instant(text, at))[1]
    )
    first = await monitor.snapshot(TimeRange())
    assert len(asked) == 1
    assert (await monitor.snapshot(TimeRange())).version == first.version
    assert len(asked) == 1
    store.write(WriteBatch(calls=[Call("test", "new", ts_end=clock.now(), out_total=5)]))
    later = await monitor.snapshot(TimeRange())
    assert later.version != first.version
    assert (later.extent.calls, later.unpriced_today) == (22, 2)
    clock.advance(24 * HOUR)
    assert (await monitor.snapshot(TimeRange())).unpriced_today == 0


async def test_the_panes(monitor: LocalMonitor) -> None:
    providers = {row.provider: row for row in (await monitor.providers(TimeRange())).rows}
    assert set(providers) == {"openai", "odd"}
    assert providers["openai"].state is Health.HEALTHY
    assert (providers["openai"].requests, providers["openai"].tokens) == (20, 2200)
    assert providers["openai"].cost_today == pytest.approx(0.2)
    assert providers["odd"].cost_today is None or providers["odd"].unpriced == 1
    costs = await monitor.costs("provider", "today")
    assert {row.name: row.cost for row in costs.rows}["openai"] == pytest.approx(0.2)
    assert costs.budgets[0].spent == pytest.approx(0.2)
    system = await monitor.system(TimeRange())
    assert not system.collector.running
    status = await monitor.status()
    assert status.providers.rows
    assert status.collector.calls == 21


async def test_questions(monitor: LocalMonitor, clock: ManualClock) -> None:
    assert (await monitor.query("requests{} [1h] sum")).scalar == 21
    assert (await monitor.query("requests{} [1h] sum", at=clock.now() - 2 * HOUR)).scalar in (None, 0)
    over = await monitor.query_range("requests{} sum", TimeRange(HOUR), 60)
    assert sum(value or 0 for value in over.series[0].values) == 21
    assert len(over.times) <= 62
    assert any(found.text.startswith("latency") for found in await monitor.complete("laten", 5))
    with pytest.raises(QueryError):
        await monitor.query("latency{")
    with pytest.raises(UsageError):
        await monitor.costs("model", "century")


async def test_costs_are_those_of_the_periods_around_a_moment(
    store: Store, monitor: LocalMonitor, clock: ManualClock
) -> None:
    then = clock.now() - 40 * DAY
    fields: Any = {"provider": "openai", "model_served": "gpt-4o", "status": "success"}
    old = [
        Call("test", f"old{n}", ts_end=at, cost=2 * NANO, cost_status="computed", **fields)
        for n, at in enumerate((then - HOUR, then + HOUR))
    ]
    store.write(WriteBatch(calls=old))
    now, before = await monitor.costs(), await monitor.costs(at=then)
    assert before.at == then
    assert now.spends[2].cost == pytest.approx(0.2)
    # What came after that moment had not happened yet.
    assert [spend.cost for spend in before.spends] == [2.0, 2.0, 2.0]
    assert before.spends[0].span.start <= then < before.spends[0].span.end
    assert [row.name for row in before.rows] == ["gpt-4o"]
    assert before.rows[0].cost == 2.0
    assert before.budgets[0].spent == 2.0
