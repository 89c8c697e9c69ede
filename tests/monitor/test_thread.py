"""The thread behind the screen: it collects, or looks on, or says why it can do neither."""

import asyncio
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.collecting import settings_for, until
from tui_monitor.config import places
from tui_monitor.model.call import Call
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.errors import MonitorError, QueryError, StoreError, UsageError
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor import thread as monitor_thread
from tui_monitor.monitor.api import Monitor
from tui_monitor.monitor.thread import CollectorThread, ThreadState
from tui_monitor.server import serve
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

Make = Callable[..., CollectorThread]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes threads on `monitor.db`; they are stopped at the end."""
    threads: list[CollectorThread] = []

    def begin(**options: Any) -> CollectorThread:
        options.setdefault("settings", settings_for(tmp_path / "monitor.db"))
        thread = CollectorThread(serve=serve, **options)
        threads.append(thread)
        thread.start()
        return thread

    yield begin
    for thread in threads:
        assert thread.stop(5)


async def frame(monitor: Monitor):
    return await monitor.snapshot(TimeRange())


async def test_collecting(make: Make) -> None:
    thread = make()
    snapshot = await thread.call(frame)
    assert snapshot.collector.running
    assert thread.state == ThreadState("collecting")
    assert thread.stop(2)
    assert thread.state.mode == "stopped"
    with pytest.raises(MonitorError, match="stopped"):
        await thread.call(frame)


async def test_answers_are_made_on_the_other_thread(make: Make) -> None:
    async def where(monitor: Monitor) -> str:
        return threading.current_thread().name

    assert await make().call(where) == "collector"


async def test_errors_cross_over(make: Make) -> None:
    async def ask(monitor: Monitor):
        return await monitor.query("latency{")

    with pytest.raises(QueryError):
        await make().call(ask)


async def test_cancelling_a_call_cancels_it_over_there(make: Make) -> None:
    thread = make()
    began, ended = threading.Event(), threading.Event()

    async def slow(monitor: Monitor) -> None:
        began.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.set()
            raise

    task = asyncio.create_task(thread.call(slow))
    await until(began.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(ended.is_set)
    assert (await thread.call(frame)).collector.running


async def test_a_call_under_way_when_it_stops_is_an_error_and_no_cancellation(make: Make) -> None:
    thread = make()
    began = threading.Event()

    async def slow(monitor: Monitor) -> None:
        began.set()
        await asyncio.sleep(30)

    task = asyncio.create_task(thread.call(slow))
    await until(began.is_set)
    assert await asyncio.to_thread(thread.stop, 20)
    with pytest.raises(MonitorError, match="stopped"):
        await task


async def test_states_are_told(make: Make) -> None:
    thread = make()
    told: list[str] = []
    end = thread.subscribe(lambda state: told.append(state.mode))
    await thread.call(frame)
    assert told[-1] == "collecting"
    end()
    thread.stop(2)
    assert told[-1] == "collecting"


async def test_a_listener_that_breaks_disturbs_nobody(make: Make) -> None:
    thread = make()
    told: list[str] = []

    def broken(state: ThreadState) -> None:
        if state.mode != "starting":
            raise RuntimeError("Event loop is closed")

    thread.subscribe(broken)
    thread.subscribe(lambda state: told.append(state.mode))
    assert (await thread.call(frame)).collector.running
    assert thread.stop(2)
    assert told[-2:] == ["collecting", "stopped"]


async def test_a_second_one_looks_on_and_acts_through_the_first(make: Make, tmp_path: Path) -> None:
    rule = {"name": "always", "expr": "requests{} [1h] sum >= 0", "severity": "warning"}
    settings = settings_for(tmp_path / "monitor.db", alerts={"rules": [rule], "interval": "1s"})
    first = make(settings=settings)
    assert (await first.call(frame)).collector.running
    second = make(settings=settings)
    snapshot = await second.call(frame)
    assert second.state.mode == "viewing"
    assert second.state.owner == snapshot.collector.pid
    await until(lambda: first.state.mode == "collecting")


async def test_it_sees_what_the_first_collects(make: Make, tmp_path: Path) -> None:
    first = make(settings=settings_for(tmp_path / "monitor.db", collector={"interval": "1s"}))
    await first.call(frame)
    second = make()
    before = await second.call(frame)
    assert before.collector.running
    assert {row.name for row in before.collector.sources} >= {"http", "socket", "host", "alerts"}
    async with asyncio.timeout(5):
        while (await second.call(frame)).version == before.version:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_without_collecting_and_without_a_database(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor_thread, "RETRY_SECONDS", 0.1)
    thread = make(collect=False)
    with pytest.raises(StoreError):
        await thread.call(frame)
    assert thread.state.mode == "failed"
    error = thread.state.error
    assert isinstance(error, StoreError)
    for _ in range(30):
        with suppress(StoreError):
            await thread.call(frame)
    assert len(list(traceback.walk_tb(error.__traceback__))) < 20, "it grows with each question"
    Store.open(tmp_path / "monitor.db", write=True, clock=SystemClock()).close()
    await until(lambda: thread.state.mode == "viewing")
    snapshot = await thread.call(frame)
    assert not snapshot.collector.running
    assert snapshot.extent.calls == 0


async def test_a_stored_database_without_a_collector(make: Make, tmp_path: Path) -> None:
    store = Store.open(tmp_path / "monitor.db", write=True, clock=SystemClock())
    store.write(WriteBatch(calls=[Call("test", "a", ts_end=SystemClock().now())]))
    store.close()
    snapshot = await make(collect=False).call(frame)
    assert not snapshot.collector.running
    assert snapshot.collector.database_bytes
    assert snapshot.extent.calls == 1


async def test_wrong_settings_reach_the_caller(make: Make, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[collector]\nintervall = '30s'\n")
    thread = make(settings=None, config=config)
    with pytest.raises(UsageError, match="intervall"):
        await thread.call(frame)
    assert isinstance(thread.state.error, UsageError)


async def test_a_file_that_is_no_database_is_an_error_with_its_name(make: Make, tmp_path: Path) -> None:
    (tmp_path / "monitor.db").write_text("certainly no database" * 100)
    with pytest.raises(StoreError, match=r"monitor\.db"):
        await make().call(frame)


def test_what_goes_wrong_is_in_the_log_and_not_on_the_screen(tmp_path: Path) -> None:
    script = """
import sys, time
from tui_monitor.monitor.thread import CollectorThread
from tui_monitor.server import serve
tables = {"database": {"path": sys.argv[1]}, "server": {"listen": "203.0.113.1:1"}}
thread = CollectorThread(overrides=tables, serve=serve)
thread.start()
while thread.state.mode == "starting":
    time.sleep(0.01)
time.sleep(0.3)
print(thread.state.mode, thread.stop(2))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "monitor.db"], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("collecting True\n", "")
    assert "203.0.113.1:1 can be reached from other hosts" in places.log_file().read_text()


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = (
        "numpy",
        "httpx",
        "starlette",
        "uvicorn",
        "pydantic",
        "genai_prices",
        "textual",
        "sqlite3",
        "psutil",
    )
    script = (
        "import sys, tui_monitor.monitor.thread, tui_monitor.server;"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
