"""Acting on a database from outside: through the collector that runs, or under the lock where none does."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.runtime.collecting import ready, settings_for, until
from tui_monitor.config import places
from tui_monitor.config.load import Settings
from tui_monitor.model.alert import Alert
from tui_monitor.model.call import Call
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.errors import MonitorError, NotFound, StoreError, StoreLocked
from tui_monitor.model.feed import Event, Sample
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor.remote import SocketClient
from tui_monitor.monitor.viewing import viewing
from tui_monitor.runtime import Collector
from tui_monitor.server import serve
from tui_monitor.store.alerts import AlertStore
from tui_monitor.store.api import ImportInfo
from tui_monitor.store.database import Store

CLOCK = SystemClock()
NOW = CLOCK.now()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "monitor.db")


@pytest.fixture
async def collector(settings: Settings) -> AsyncIterator[Collector]:
    collector = Collector(settings, settings.database_path(), serve=serve, sources=())
    await collector.start()
    await ready(collector)
    await until(lambda: _socket(collector).exists())
    yield collector
    await collector.stop()


def _socket(collector: Collector) -> Path:
    return places.socket_path(collector.path)


def firing(alert_id: str) -> Alert:
    return Alert(
        id=alert_id, fingerprint="f", rule="r", severity=Severity.CRITICAL, state=AlertState.FIRING,
        labels={"provider": "openai"}, summary="too slow", expr="latency > 1", value=2.0, threshold=1.0,
        op=">", unit="ms", since=NOW, fired=NOW,
    )  # fmt: skip


async def store_alert(path: Path, alert: Alert) -> None:
    Store.open(path, write=True, clock=CLOCK).close()
    alerts = await AlertStore.open(path, write=True)
    await alerts.save([alert], [])
    await alerts.close()


async def test_the_size_is_that_of_a_collector_log_included(settings: Settings) -> None:
    path = settings.database_path()
    store = Store.open(path, write=True, clock=CLOCK)
    try:
        async with viewing(settings, path, CLOCK) as monitor:
            told = (await monitor.status()).collector.database_bytes
        log = path.with_name(path.name + "-wal").stat().st_size
        assert (log > 0, told) == (True, path.stat().st_size + log)
    finally:
        store.close()


async def test_acknowledging_without_a_collector(settings: Settings) -> None:
    await store_alert(settings.database_path(), firing("abc"))
    async with viewing(settings, settings.database_path(), CLOCK) as monitor:
        assert (await monitor.snapshot(TimeRange())).open_alerts == 1
        taken = await monitor.acknowledge("abc", "ada", "looking")
        assert (taken.state, taken.acked_by) == (AlertState.ACKNOWLEDGED, "ada")
        assert (await monitor.alerts()).alerts[0].note == "looking"
        assert (await monitor.unacknowledge("abc", "ada")).state is AlertState.FIRING
        with pytest.raises(MonitorError, match="nobody"):
            await monitor.acknowledge("nobody", "ada")


async def test_without_a_collector_it_waits_for_no_lock(settings: Settings) -> None:
    await store_alert(settings.database_path(), firing("abc"))
    other = Store.open(settings.database_path(), write=True, clock=CLOCK)
    try:
        async with viewing(settings, settings.database_path(), CLOCK) as monitor:
            with pytest.raises(StoreLocked):
                await monitor.acknowledge("abc", "ada")
    finally:
        other.close()


async def test_one_that_writes_and_does_not_answer_is_not_nobody(settings: Settings) -> None:
    path = settings.database_path()
    other = Store.open(path, write=True, clock=CLOCK)
    async with viewing(settings, path, CLOCK) as monitor:
        status = await monitor.collector()
        assert (status.running, status.pid) == (False, os.getpid())
        assert status.silent == f"process {os.getpid()}"
        other.close()
    async with viewing(settings, path, CLOCK) as monitor:
        status = await monitor.collector()
        assert (status.running, status.pid, status.silent) == (False, None, "")


async def test_a_missing_database_says_so(settings: Settings) -> None:
    with pytest.raises(StoreError):
        async with viewing(settings, settings.database_path(), CLOCK):
            pass


async def test_an_import_through_the_collector_and_back(settings: Settings, collector: Collector) -> None:
    calls = [
        Call("import", f"row-{i}", ts_end=NOW - i, provider="openai", model_served="gpt-4o", in_uncached=1)
        for i in range(2_500)
    ]
    bad = Call("import", "bad", ts_end=NOW, out_total=-1)
    records = [
        *calls,
        bad,
        Sample("load", NOW, 1.5, {"room": "a"}),
        Event("mark", NOW, "import", "m", "deploy"),
    ]
    async with SocketClient(_socket(collector)) as client:
        await client.begin_import(ImportInfo("batch-1", NOW, ("trace.csv",), "csv", 0))
        told = await client.record("batch-1", records)
        assert (told["accepted"], told["duplicate"], told["late"]) == (2_502, 0, 0)
        assert [rejected["index"] for rejected in told["rejected"]] == [2_500]
        again = await client.record("batch-1", records)
        assert (again["accepted"], again["duplicate"]) == (1, 2_501)
        calls[0].out_total = 7
        changed = await client.record("batch-1", calls[:2])
        assert (changed["accepted"], changed["corrected"], changed["duplicate"]) == (1, 1, 1)
    async with viewing(settings, settings.database_path(), CLOCK) as monitor:
        assert [found.batch_id for found in await monitor.imports()] == ["batch-1"]
        assert (await monitor.imports())[0].stored == 2_500
        assert (await monitor.snapshot(TimeRange())).extent.calls == 2_500
        assert await monitor.undo_import("batch-1") == 2_500
        with pytest.raises(MonitorError, match="already"):
            await monitor.undo_import("batch-1")
        with pytest.raises(NotFound, match="none"):
            await monitor.undo_import("none")
    assert collector.store.extent().calls == 0


async def test_the_client_tells_at_once_when_nobody_is_there(tmp_path: Path) -> None:
    async with SocketClient(tmp_path / "none.sock") as client:
        assert not await client.alive()
        with pytest.raises(MonitorError, match="does not answer"):
            await client.status()


async def test_the_client_sees_the_collector(collector: Collector) -> None:
    async with SocketClient(_socket(collector)) as client:
        assert await client.alive()
        status = await client.status()
        assert status.running
        assert status.pid == collector.status().pid
        assert [row.name for row in status.sources] == [row.name for row in collector.rows()]
        with pytest.raises(MonitorError, match="no alert"):
            await client.acknowledge("a b?", "ada")
