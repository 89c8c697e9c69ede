"""Stored calls priced anew by a running collector, which goes on collecting."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.collecting import opened, ready, settings_for
from tui_monitor.config import places
from tui_monitor.model.call import NANO, Call
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.errors import MonitorError, NotFound, UsageError
from tui_monitor.monitor.remote import SocketClient
from tui_monitor.runtime import Collector
from tui_monitor.server import serve
from tui_monitor.store import reprice
from tui_monitor.store.reprice import RepriceReport

NOW = SystemClock().now()


def call(number: int) -> Call:
    return Call(
        "test", f"c{number}", ts_end=NOW - number, provider="acme", model_served="one", in_uncached=1_000_000
    )


def write_prices(path: Path, dollars: float) -> None:
    path.write_text(f'[[prices]]\nprovider = "acme"\nmodel = "one"\ninput = {dollars}\noutput = 0.0\n')


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    path = tmp_path / "prices.toml"
    write_prices(path, 1.0)
    return path


@pytest.fixture
async def collector(tmp_path: Path, prices: Path) -> AsyncIterator[Collector]:
    settings = settings_for(tmp_path / "monitor.db", prices={"file": str(prices)})
    collector = Collector(settings, settings.database_path(), serve=serve, sources=())
    await collector.start()
    await ready(collector)
    await opened(collector, "socket")
    yield collector
    await collector.stop()


async def test_by_the_prices_of_now_with_progress(
    collector: Collector, prices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reprice, "_STEP", 10)
    monkeypatch.setattr("tui_monitor.monitor.remote._LOOK_SECONDS", 0.0)
    await collector.submit([call(number) for number in range(200)])
    write_prices(prices, 3.0)
    told: list[tuple[int, int]] = []
    async with SocketClient(places.socket_path(collector.path)) as client:
        asking = asyncio.create_task(client.reprice(NOW - 150, lambda *of: told.append(of)))
        # What comes meanwhile is taken, by the new prices.
        assert (await collector.submit([call(1_000)])).accepted == 1
        report = await asking
        assert (report.looked_at, report.changed) == (151, 151)
        assert (report.cost_before, report.cost_after) == (151 * NANO, 453 * NANO)
        assert told == sorted(told)
        assert all(done <= total for done, total in told)
        assert (await client.reprice(NOW - 150)).changed == 0
    assert (await collector.monitor.costs()).spends[0].cost in (49 + 453 + 3, 49 + 453 + 1)


async def test_a_broken_price_file_changes_nothing(collector: Collector, prices: Path) -> None:
    await collector.submit([call(1)])
    prices.write_text("[[prices]\n")
    async with SocketClient(places.socket_path(collector.path)) as client:
        with pytest.raises(UsageError, match=r"prices\.toml"):
            await client.reprice(0)
    with pytest.raises(NotFound):
        _ = collector.repricing.state


async def test_one_at_a_time(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, whole = threading.Event(), collector.store.reprice

    def held(*args: Any) -> RepriceReport:
        assert gate.wait(10)
        return whole(*args)

    monkeypatch.setattr(collector.store, "reprice", held)
    collector.repricing.begin(0, collector.settings)
    try:
        with pytest.raises(MonitorError, match="already"):
            await collector.reprice(0)
    finally:
        gate.set()
