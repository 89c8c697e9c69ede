"""A viewer knows who collects, since when nobody does, and collects itself when it is told to."""

import asyncio
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.collecting import settings_for, until
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.errors import StoreLocked
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor import thread as monitor_thread
from tui_monitor.monitor.api import Monitor
from tui_monitor.monitor.thread import CollectorThread
from tui_monitor.server import serve
from tui_monitor.store.database import Store
from tui_monitor.store.lock import WriteLock, held_by, lock_file

Make = Callable[..., CollectorThread]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(monitor_thread, "WATCH_SECONDS", 0.02)
    threads: list[CollectorThread] = []

    def begin(**options: Any) -> CollectorThread:
        thread = CollectorThread(
            serve=serve, **{"settings": settings_for(tmp_path / "monitor.db"), **options}
        )
        threads.append(thread)
        thread.start()
        return thread

    yield begin
    for thread in threads:
        assert thread.stop(5)


async def frame(monitor: Monitor):
    return await monitor.snapshot(TimeRange())


async def test_blind_then_taken_over(make: Make) -> None:
    first = make()
    await first.call(frame)
    viewer = make()
    assert (await viewer.call(frame)).collector.running
    assert (viewer.state.mode, viewer.state.owner, viewer.state.blind) == ("viewing", os.getpid(), None)
    before = SystemClock().now()
    assert first.stop(5)
    await until(lambda: viewer.state.owner is None)
    assert viewer.state.blind is not None
    assert before <= viewer.state.blind <= SystemClock().now()
    # What is stored can be read all the while.
    assert (await viewer.call(frame)).extent.calls == 0
    viewer.take_over()
    await until(lambda: viewer.state.mode == "collecting")
    assert viewer.state.blind is None
    assert (await viewer.call(frame)).collector.running
    viewer.take_over()
    assert viewer.state.mode == "collecting"


async def test_one_that_comes_back_is_seen(make: Make) -> None:
    first = make()
    await first.call(frame)
    viewer = make()
    await viewer.call(frame)
    assert first.stop(5)
    await until(lambda: viewer.state.blind)
    second = make()
    await second.call(frame)
    await until(lambda: viewer.state.owner == os.getpid())
    assert viewer.state.blind is None
    async with asyncio.timeout(5):
        while not (await viewer.call(frame)).collector.running:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_of_two_that_take_over_one_collects_and_the_other_looks_on(make: Make) -> None:
    first = make()
    await first.call(frame)
    viewers = [make(), make()]
    for viewer in viewers:
        await viewer.call(frame)
    assert first.stop(5)
    await until(lambda: all(viewer.state.owner is None for viewer in viewers))
    for viewer in viewers:
        viewer.take_over()
    await until(lambda: sorted(v.state.mode for v in viewers) == ["collecting", "viewing"])
    loser = next(viewer for viewer in viewers if viewer.state.mode == "viewing")
    await until(lambda: loser.state.owner == os.getpid())
    async with asyncio.timeout(5):
        while not (await loser.call(frame)).collector.running:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_question_under_way_is_answered_across_the_change(make: Make, tmp_path: Path) -> None:
    Store.open(tmp_path / "monitor.db", write=True, clock=SystemClock()).close()
    viewer = make(collect=False)
    await viewer.call(frame)
    begun, go_on = threading.Event(), threading.Event()

    async def slow(monitor: Monitor):
        begun.set()
        await asyncio.to_thread(go_on.wait, 5)
        return await monitor.snapshot(TimeRange())

    asking = asyncio.create_task(viewer.call(slow))
    await until(begun.is_set)
    viewer.take_over()
    await until(lambda: viewer.state.mode == "collecting")
    go_on.set()
    assert (await asking).extent.calls == 0
    assert (await viewer.call(frame)).collector.running


async def test_an_asked_reload_reads_the_viewers_own_settings_too(make: Make, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[server]\nlisten = ""\n[screen]\nmouse = true\n')
    options: dict[str, Any] = {
        "settings": None, "config": config, "overrides": {"database": {"path": tmp_path / "monitor.db"}},
    }  # fmt: skip
    first = make(**options)
    await first.call(frame)
    viewer = make(**options)
    await viewer.call(frame)
    async with asyncio.timeout(5):
        while not (await viewer.call(frame)).collector.running:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    config.write_text('[server]\nlisten = ""\n[health]\nmin_calls = 3\n[consent]\nagent_logs = false\n')
    reloaded = await viewer.call(lambda monitor: monitor.reload())
    assert set(reloaded.changed) == {"health.min_calls", "consent.agent_logs"}
    for thread in (first, viewer):
        assert thread.settings is not None
        assert thread.settings.health.min_calls == 3
        assert thread.settings.consent.agent_logs is False


def test_who_asks_for_the_lock_is_in_nobodys_way(tmp_path: Path) -> None:
    database = tmp_path / "m.db"
    assert held_by(database) is None
    lock = WriteLock.take(database)
    assert held_by(database) == os.getpid()
    with pytest.raises(StoreLocked):
        WriteLock.take(database)
    lock.release()
    assert held_by(database) is None
    # One that looks just now holds it for a moment: who wants to write waits for that.
    fd = os.open(lock_file(database), os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_SH)
    threading.Timer(0.03, lambda: os.close(fd)).start()
    WriteLock.take(database).release()
