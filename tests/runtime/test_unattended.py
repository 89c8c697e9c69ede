"""A collector that nobody looks after: parts that fail, parts that hang, files that are taken away."""

import asyncio
import os
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.runtime.collecting import opened, ready, row, settings_for, until
from tests.runtime.test_collector import call
from tui_monitor.alerts import evaluator
from tui_monitor.alerts.channels.sender import Sender
from tui_monitor.alerts.evaluator import Evaluator
from tui_monitor.config import places
from tui_monitor.forward.gather import Gatherer
from tui_monitor.model.bus import EventBus
from tui_monitor.model.clock import DAY, Micros, SystemClock
from tui_monitor.model.errors import StoreError
from tui_monitor.model.states import SourceState
from tui_monitor.monitor.local import LocalMonitor
from tui_monitor.monitor.remote import SocketClient
from tui_monitor.recorder.recorder import Recorder
from tui_monitor.runtime import (
    Backoff,
    Collector,
    Handle,
    Worker,
    disk,
    forwarding,
    health,
    intake,
    loops,
    run_until_signal,
    supervisor,
)
from tui_monitor.runtime.supervisor import Supervisor
from tui_monitor.server import doors, serve
from tui_monitor.server.accepting import Accepting
from tui_monitor.sources.host import HostProbe, HostSource
from tui_monitor.store.database import Store
from tui_monitor.store.lock import held_by

Start = Callable[..., Awaitable[Collector]]
FORWARD = {"receivers": [{"name": "far", "url": "http://127.0.0.1:9/api/v1/write"}]}


@pytest.fixture
async def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Starts collectors with all parts, whose rests are short."""
    monkeypatch.setattr(loops, "RETENTION_DELAY", 1_000)
    monkeypatch.setattr(loops, "_SEALED_EVERY", 20_000)
    monkeypatch.setattr(disk, "_LOOK_S", 0.02)
    monkeypatch.setattr(disk, "_LOOKS", 2)
    monkeypatch.setattr(health, "EVERY", 50_000)
    monkeypatch.setattr(forwarding, "INTERVAL", 100_000)
    monkeypatch.setattr(forwarding, "_AFTER", 0)
    running: list[Collector] = []

    async def begin(*, sources: Any = (), clock: Any = None) -> Collector:
        settings = settings_for(
            tmp_path / "monitor.db", collector={"interval": "50ms"}, forward=FORWARD,
            alerts={"interval": "100ms", "command": ["/bin/true"]},
        )  # fmt: skip
        collector = Collector(
            settings, settings.database_path(), serve=serve, sources=sources, backoff=Backoff(first=0.02),
            clock=clock,
        )  # fmt: skip
        running.append(collector)
        await collector.start()
        return collector

    yield begin
    for collector in running:
        await collector.stop()


def once(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, wanted: Callable[..., bool]) -> list[str]:
    """Let something fail the first time that it is asked for; what has failed."""
    before, failed = getattr(place, name), []

    def fails(*args: Any, **kwargs: Any) -> Any:
        if not failed and wanted(*args):
            failed.append(name)
            raise RuntimeError("a bug of ours")
        return before(*args, **kwargs)

    monkeypatch.setattr(place, name, fails)
    return failed


def always(*_: Any) -> bool:
    return True


PARTS = [
    ("prices", Recorder, "_take", always),
    ("http", Accepting, "_take", lambda _self, sock, _peer: sock.family != 1),
    ("socket", Accepting, "_take", lambda _self, sock, _peer: sock.family == 1),
    ("host", HostProbe, "sample", always),
    ("alerts", Evaluator, "run_once", always),
    ("alert command", Sender, "_round", always),
    ("health", LocalMonitor, "verdicts", always),
    ("retention", Store, "seal", always),
    ("database", Store, "set_aside", always),
    ("collector", loops.own, "samples", always),
    ("forward", Gatherer, "look", always),
]


async def test_each_part_that_fails_is_begun_anew_and_shown(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = await start(sources=[HostSource()])
    await ready(collector)
    await opened(collector, "http")
    await opened(collector, "socket")
    for part, place, name, wanted in PARTS:
        before = {it.name: it.restarts for it in collector.rows()}
        failed = once(monkeypatch, place, name, wanted)
        await _knock(collector, part)
        await until(lambda part=part, before=before: row(collector, part).restarts > before[part], 30)
        assert failed == [name]
        assert "a bug of ours" in row(collector, part).last_error
        # The receiver of what is sent on is not there: its row says that again.
        await until(
            lambda part=part: part == "forward" or row(collector, part).state is SourceState.RUNNING, 30
        )
        assert {it.name for it in collector.rows() if it.restarts != before[it.name]} == {part}
        assert (await asyncio.wait_for(collector.submit([call(part)]), 30)).accepted == 1


async def _knock(collector: Collector, part: str) -> None:
    """Come to a door that will not let us in."""
    if part == "http":
        with pytest.raises(httpx.HTTPError):
            await _get((await opened(collector, "http")).split(" ")[0], 0.3)
    if part == "socket":
        async with SocketClient(Path(await opened(collector, "socket"))) as client:
            await client.alive()
    if part == "alert command":
        # It looks once a minute, and when there is something to tell.
        collector.bus.publish("alert_update", collector.clock.now())


async def _get(url: str, seconds: float) -> httpx.Response:
    async with httpx.AsyncClient(timeout=seconds) as client:
        return await client.get(f"{url}/health")


async def test_who_waits_for_the_writer_is_answered_when_that_breaks(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = await start()
    await ready(collector)
    # Before it is written: it stays in the queue, and is written when that goes on.
    once(monkeypatch, Recorder, "_take", always)
    assert (await asyncio.wait_for(collector.submit([call("one")]), 10)).accepted == 1
    # After that: it is written, and told so.
    monkeypatch.undo()
    once(monkeypatch, Recorder, "_count", lambda _self, jobs: any(job.remember for job in jobs))
    receipt = await asyncio.wait_for(collector.submit([call("two")], remember=True), 30)
    assert receipt.accepted == 1
    assert (await asyncio.wait_for(collector.submit([call("two")]), 10)).duplicate == 1


HANGING = [
    ("host", HostProbe, "sample"),
    ("alerts", evaluator, "read"),
    ("health", LocalMonitor, "verdicts"),
    ("retention", Store, "seal"),
    ("database", Store, "set_aside"),
    ("forward", Gatherer, "look"),
]


async def test_each_part_that_hangs_is_shown(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_LOOK_S", 0.05)
    parts, expect = {part for part, _, _ in HANGING}, Handle.expect
    monkeypatch.setattr(Handle, "expect", lambda self, s: expect(self, 0.5 if self.name in parts else s))
    go_on = threading.Event()
    for _, place, name in HANGING:
        before = getattr(place, name)
        monkeypatch.setattr(place, name, _hanging(before, go_on))
    collector = await start(sources=[HostSource()])
    url = (await opened(collector, "http")).split(" ")[0]
    try:
        await until(lambda: all("hangs" in row(collector, part).last_error for part in parts), 30)
        told = (await _get(url, 30)).json()
        assert set(told["broken"]) == parts
        assert all(row(collector, part).state is SourceState.FAILED for part in parts)
    finally:
        go_on.set()
    # The receiver of what is sent on is not there: its row says that again.
    for part in parts - {"forward"}:
        await until(lambda part=part: row(collector, part).state is SourceState.RUNNING, 30)
    await until(lambda: "goes on by itself" not in row(collector, "forward").detail, 30)


def _hanging(before: Callable[..., Any], go_on: threading.Event) -> Callable[..., Any]:
    """The same, as soon as it may go on; a thread that hangs is one of its own."""

    def hangs(*args: Any, **kwargs: Any) -> Any:
        go_on.wait(30)
        return before(*args, **kwargs)

    async def hangs_here(*args: Any) -> Any:
        while not go_on.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return await before(*args)

    return hangs_here if asyncio.iscoroutinefunction(before) else hangs


async def test_a_process_that_was_stopped_blames_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(SystemClock):
        ahead = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.ahead

    monkeypatch.setattr(supervisor, "_LOOK_S", 0.02)
    clock = Clock()
    watching = Supervisor(clock, EventBus())

    async def work(handle: Handle) -> None:
        handle.running("at work")
        handle.expect(1.0)
        await asyncio.Event().wait()

    handle = watching.start(Worker("part", work))
    await until(lambda: handle.state is SourceState.RUNNING, 30)
    clock.ahead += 3600
    await asyncio.sleep(0.2)
    assert handle.state is SourceState.RUNNING
    await until(lambda: handle.state is SourceState.FAILED, 30)
    await watching.stop()


async def test_a_write_that_does_not_end_is_shown_and_nothing_more_is_taken(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_STUCK_S", 0.2)
    collector = await start()
    await ready(collector)
    url = (await opened(collector, "http")).split(" ")[0]
    before, go_on = Store.write, threading.Event()
    monkeypatch.setattr(Store, "write", lambda self, batch: (go_on.wait(30), before(self, batch))[1])
    sending = asyncio.create_task(collector.submit([call("slow")]))
    try:
        await until(lambda: row(collector, "database").state is SourceState.FAILED, 30)
        assert "the disk hangs" in row(collector, "database").last_error
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{url}/ready")).status_code == 503
    finally:
        go_on.set()
    assert (await sending).accepted == 1
    await until(lambda: row(collector, "database").state is SourceState.RUNNING, 30)


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_database_that_is_taken_away_is_not_written_any_more(
    tmp_path: Path, replaced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_LOOK_S", 0.02)
    settings = settings_for(tmp_path / "monitor.db")
    collector = Collector(settings, settings.database_path(), serve=serve, sources=())
    running = asyncio.create_task(run_until_signal(collector))
    await until(lambda: collector.running, 30)
    await ready(collector)
    assert (await collector.submit([call("one")])).accepted == 1
    aside = tmp_path / "aside"
    aside.mkdir()
    for path in tmp_path.glob("monitor.db*"):
        if path.suffix != ".lock":
            path.rename(aside / path.name)
    if replaced:
        shutil.copy(aside / "monitor.db", tmp_path / "monitor.db")
    with pytest.raises(StoreError, match="was removed or replaced"):
        await collector.submit([call("two")])
    # Who runs it is told, and may begin anew.
    with pytest.raises(StoreError, match="was removed or replaced"):
        await asyncio.wait_for(running, 30)
    assert held_by(tmp_path / "monitor.db") is None


async def test_a_lock_whose_file_is_removed_is_taken_anew(start: Start, tmp_path: Path) -> None:
    collector = await start()
    database = tmp_path / "monitor.db"
    (tmp_path / "monitor.db.lock").unlink()
    assert held_by(database) is None
    await until(lambda: held_by(database) == os.getpid(), 30)
    assert row(collector, "database").restarts == 0


async def test_socket_and_address_that_are_removed_come_back(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(doors, "_TOLD_EVERY", 0.05)
    collector = await start()
    await opened(collector, "http")
    socket = Path(await opened(collector, "socket"))
    url = places.url_path(collector.path)
    said = url.read_text()
    shutil.rmtree(socket.parent)
    await until(url.exists, 30)
    assert url.read_text() == said
    await until(socket.exists, 30)
    async with SocketClient(socket) as client:
        assert await client.alive()


async def test_a_clock_that_is_set_back_puts_nothing_off(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(SystemClock):
        step: Micros = 0
        ahead = 0.0

        def now(self) -> Micros:
            return super().now() + self.step

        def monotonic(self) -> float:
            return super().monotonic() + self.ahead

    tidied: list[Micros] = []
    sealed: list[Micros] = []
    monkeypatch.setattr(Store, "retain", lambda self, settings, now: tidied.append(now))
    monkeypatch.setattr(Store, "seal", lambda self, now: sealed.append(now))
    clock = Clock()
    collector = await start(clock=clock)
    # It seals when it knows when the next day is due; a clock moved before that moves that, too.
    await until(lambda: tidied and sealed, 30)
    clock.step = -365 * DAY
    clock.ahead = 86_401.0
    await until(lambda: len(tidied) == 2, 30)
    seen = row(collector, "alerts").last_seen
    await until(lambda: row(collector, "alerts").last_seen != seen, 30)
