"""The collector as a whole: what one part does never stops another, and nothing waits in vain."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.runtime.collecting import CALL, opened, ready, row, settings_for, until
from tui_monitor.model.call import Call
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.errors import Busy, MonitorError, StoreLocked
from tui_monitor.model.feed import Sample
from tui_monitor.model.states import SourceState
from tui_monitor.model.timerange import Span, TimeRange
from tui_monitor.runtime import Backoff, Collector, loops
from tui_monitor.server import serve
from tui_monitor.store.api import Layer
from tui_monitor.store.database import Store

NOW = SystemClock().now()
Start = Callable[..., Awaitable[Collector]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    running: list[Collector] = []

    async def begin(sources: Any = (), doors: Any = None, **sections: dict[str, Any]) -> Collector:
        settings = settings_for(tmp_path / "monitor.db", **sections)
        backoff = Backoff(first=0.05)
        collector = Collector(
            settings, settings.database_path(), serve=doors, sources=sources, backoff=backoff
        )
        running.append(collector)
        await collector.start()
        return collector

    yield begin
    for collector in running:
        await collector.stop()


def call(key: str) -> Call:
    return Call(
        "test", key, ts_end=NOW, provider="openai", model_served="gpt-4o", in_uncached=100, out_total=10
    )


class Source:
    """A source that does what it is told."""

    def __init__(self, name: str, act: Callable[[Any], Awaitable[None]]) -> None:
        self.name = name
        self.run = act


async def test_one_source_fails_and_the_other_goes_on(start: Start) -> None:
    async def good(ctx: Any) -> None:
        await ctx.submit([Sample("temperature", NOW, 20.0)])
        ctx.running("one figure")
        await asyncio.Event().wait()

    async def bad(ctx: Any) -> None:
        await ctx.submit([Sample("", NOW, 1.0)])
        raise MonitorError("the cable is cut", hint="mend it")

    collector = await start([Source("good", good), Source("bad", bad)])
    await until(lambda: row(collector, "bad").errors >= 3)
    good_row, bad_row = row(collector, "good"), row(collector, "bad")
    assert (good_row.state, good_row.records, good_row.errors) == (SourceState.RUNNING, 1, 0)
    assert good_row.last_seen is not None
    assert bad_row.records == 0
    assert bad_row.last_error in ("the cable is cut", "name of sample is missing")


async def test_its_own_figures_are_samples(start: Start) -> None:
    collector = await start(collector={"flush_interval": "5ms", "interval": "100ms"})
    await ready(collector)
    await collector.submit([call("a"), call("a"), call("b")])
    await until(lambda: row(collector, "collector").records > 30)
    store = collector.store
    names = {series.name for series in store.series()}
    assert {
        "tui_monitor_ingest_rate",
        "tui_monitor_ingest_lag_seconds",
        "tui_monitor_queue_length",
        "tui_monitor_database_bytes",
        "tui_monitor_records_total",
        "tui_monitor_source_up",
    } <= names
    results = {series.labels["result"]: series.id for series in store.series("tui_monitor_records_total")}
    values = store.samples(list(results.values()), Span(0, SystemClock().now()))
    assert values[results["duplicate"]][1][-1] == 1
    assert values[results["accepted"]][1][-1] > 2


async def test_what_comes_before_the_prices_waits_for_them(start: Start) -> None:
    collector = await start(collector={"queue_size": 1000})
    assert collector.not_ready() == ("prices are being loaded",)
    early = asyncio.create_task(collector.submit([call("early")]))
    await asyncio.sleep(0)
    assert collector.status().queued >= 1
    with pytest.raises(Busy):
        await collector.submit([call(str(n)) for n in range(1000)])
    assert (await early).accepted == 1
    facts = collector.store.facts(Layer.RAW, Span(NOW - 1, NOW), [], ["cost", "unpriced"])
    assert facts.numbers["cost"].total.sum() == 350_000
    assert facts.numbers["unpriced"].total.sum() == 0


async def test_a_broken_price_file_stops_nothing(start: Start, tmp_path: Path) -> None:
    broken = tmp_path / "prices.toml"
    broken.write_text("[[models]\n")
    collector = await start(prices={"file": str(broken)})
    assert (await collector.submit([call("a")])).accepted == 1
    prices = row(collector, "prices")
    assert prices.state is SourceState.RUNNING
    assert "broken" in prices.detail
    assert str(broken) in prices.last_error


async def test_two_collectors_on_one_database(start: Start) -> None:
    first = await start()
    with pytest.raises(StoreLocked) as locked:
        await start()
    assert locked.value.owner is not None
    await ready(first)
    assert (await first.submit([call("a")])).accepted == 1
    await first.stop()
    second = await start()
    await ready(second)
    assert (await second.submit([call("a")])).duplicate == 1


async def test_stopping_writes_what_waits_and_takes_no_more(start: Start) -> None:
    collector = await start(collector={"flush_interval": "10s"})
    await ready(collector)
    waiting = asyncio.create_task(collector.submit([call("a")]))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    began = asyncio.get_running_loop().time()
    await collector.stop()
    assert asyncio.get_running_loop().time() - began < 2
    assert (await waiting).accepted == 1
    with pytest.raises(Busy):
        await collector.submit([call("b")])
    await collector.stop()
    store = Store.open(collector.path, write=False, clock=SystemClock())
    assert store.extent().calls == 1
    store.close()


async def test_stopping_before_the_prices_are_loaded_sends_away_what_waits(start: Start) -> None:
    collector = await start()
    waiting = asyncio.create_task(collector.submit([call("a")]))
    await asyncio.sleep(0)
    await collector.stop()
    try:
        assert (await waiting).accepted == 1
    except Busy:
        assert not _calls(collector.path)


def _calls(path: Path) -> int:
    store = Store.open(path, write=False, clock=SystemClock())
    try:
        return store.extent().calls
    finally:
        store.close()


async def test_a_request_under_way_is_answered_before_the_doors_close(start: Start) -> None:
    collector = await start(doors=serve, collector={"flush_interval": "300ms"})
    await ready(collector)
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as web:
        await until(lambda: collector.status().accepted and not collector.status().queued)
        posting = asyncio.create_task(web.post("/monitor/v1/events", json=CALL))
        await until(lambda: collector.status().queued)
        await collector.stop()
        assert (await posting).json()["accepted"] == 1


async def test_a_client_that_holds_on_does_not_hold_up_the_end(start: Start) -> None:
    collector = await start(doors=serve)
    url = httpx.URL(await opened(collector, "http"))
    _reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"POST /monitor/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
    await writer.drain()
    await asyncio.sleep(0.05)
    began = asyncio.get_running_loop().time()
    await collector.stop()
    assert asyncio.get_running_loop().time() - began < 2
    writer.close()


async def test_retention_runs_by_itself(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "RETENTION_DELAY", 20_000)
    asked: list[int] = []
    monkeypatch.setattr(Store, "retain", lambda self, settings, now: asked.append(settings.raw))
    collector = await start(retention={"raw": "3d"})
    await until(lambda: asked)
    assert asked == [3 * 86_400_000_000]
    assert row(collector, "retention").state is SourceState.RUNNING


async def test_rules_are_looked_at(start: Start) -> None:
    rule = {"name": "many", "expr": "requests{} [1h] sum > 0", "severity": "critical"}
    collector = await start(alerts={"rules": [rule], "interval": "1s", "shipped": False})
    await ready(collector)
    await collector.submit([call("a")])
    async with asyncio.timeout(5):
        while not (alerts := (await collector.monitor.alerts()).alerts):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    snapshot = await collector.monitor.snapshot(TimeRange())
    assert (snapshot.open_alerts, snapshot.worst_alert) == (1, "critical")
    assert row(collector, "alerts").detail == "1 rule"
    taken = await collector.monitor.acknowledge(alerts[0].id, "ada", "mine")
    assert taken.acked_by == "ada"
    assert [change.who for change in await collector.monitor.history(taken.id)][-1] == "ada"
