"""The supervisor: what fails is started again, alone, ever more slowly, and says why."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.runtime.collecting import until
from tui_monitor.health.views import SourceRow
from tui_monitor.model.bus import EventBus
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.errors import MonitorError, UsageError
from tui_monitor.model.states import SourceState
from tui_monitor.runtime.supervisor import Backoff, Handle, Supervisor, Worker

QUICK = Backoff(first=0.01, longest=0.03)


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(SystemClock(), EventBus(), QUICK)
    yield supervisor
    await supervisor.stop()


def row(supervisor: Supervisor, name: str) -> SourceRow:
    return next(row for row in supervisor.rows() if row.name == name)


async def steady(handle: Handle) -> None:
    handle.running("at work")
    await asyncio.Event().wait()


async def test_a_failed_worker_is_started_again_and_its_neighbour_never_notices(
    supervisor: Supervisor,
) -> None:
    tries = 0

    async def shaky(handle: Handle) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise MonitorError("no luck", hint="plug it in")
        await steady(handle)

    supervisor.start(Worker("steady", steady))
    supervisor.start(Worker("shaky", shaky))
    await until(lambda: row(supervisor, "shaky").state is SourceState.RUNNING)
    assert tries == 3
    assert row(supervisor, "shaky").errors == 2
    assert row(supervisor, "shaky").last_error == "no luck"
    assert row(supervisor, "steady").state is SourceState.RUNNING
    assert row(supervisor, "steady").errors == 0


async def test_only_what_works_is_told_to_work_again() -> None:
    bus = EventBus()
    listener = bus.listen("system_alert", "source_update")
    supervisor = Supervisor(SystemClock(), bus, QUICK)
    errors = ["in use", "in use", "in use", "no rights"]

    async def shut(handle: Handle) -> None:
        if errors:
            raise MonitorError(errors.pop(0))
        await steady(handle)

    supervisor.start(Worker("http", shut, kind="door"))
    await until(lambda: row(supervisor, "http").state is SourceState.RUNNING)
    await supervisor.stop()
    told = [
        (event.event, event.data["state"], event.data.get("last_error"))
        for event in listener.drain()
        if event.data.get("state") != "starting"
    ]
    # Tries that end as the one before did are no news.
    assert told == [
        ("system_alert", "firing", None),
        ("source_update", "failed", "in use"),
        ("source_update", "failed", "no rights"),
        ("system_alert", "resolved", None),
        ("source_update", "running", "no rights"),
        ("source_update", "off", "no rights"),
    ]


async def test_what_is_off_is_not_told_to_work_again() -> None:
    bus = EventBus()
    listener = bus.listen("system_alert")
    supervisor = Supervisor(SystemClock(), bus, QUICK)

    async def shut(handle: Handle) -> None:
        raise UsageError("no such address")

    supervisor.start(Worker("http", shut, kind="door"))
    await until(lambda: row(supervisor, "http").state is SourceState.FAILED)
    await supervisor.stop()
    told = [(event.data["state"], event.data["summary"]) for event in listener.drain()]
    assert told == [("firing", "no such address"), ("resolved", "off")]


async def test_an_error_in_keeping_a_worker_going_does_not_end_it(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    async def shaky(handle: Handle) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise MonitorError("no luck")
        await steady(handle)

    def no_room(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("tui_monitor.runtime.supervisor._log_failure", no_room)
    supervisor.start(Worker("shaky", shaky))
    await until(lambda: row(supervisor, "shaky").state is SourceState.RUNNING)
    assert tries == 3


async def test_a_failure_says_what_to_do_and_when_it_goes_on(supervisor: Supervisor) -> None:
    supervisor = Supervisor(SystemClock(), EventBus(), Backoff(first=60, longest=300))

    async def broken(handle: Handle) -> None:
        raise MonitorError("port taken", hint="take another")

    supervisor.start(Worker("broken", broken))
    await until(lambda: row(supervisor, "broken").state is SourceState.FAILED)
    found = row(supervisor, "broken")
    assert found.detail == "take another; tries again in 1 m"
    assert found.last_error == "port taken"
    await supervisor.stop()


async def test_wrong_settings_are_not_tried_again(supervisor: Supervisor) -> None:
    tries = 0

    async def wrong(handle: Handle) -> None:
        nonlocal tries
        tries += 1
        raise UsageError("no such thing", hint="write it otherwise")

    supervisor.start(Worker("wrong", wrong))
    await asyncio.sleep(0.1)
    assert tries == 1
    assert row(supervisor, "wrong").state is SourceState.FAILED


@pytest.mark.parametrize("error", [SystemExit(3), asyncio.CancelledError(), ValueError("[/red]\x1b[31m")])
async def test_even_what_would_end_a_program_ends_only_its_worker(
    supervisor: Supervisor, error: BaseException
) -> None:
    tries = 0

    async def rude(handle: Handle) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise error
        await steady(handle)

    supervisor.start(Worker("rude", rude))
    await until(lambda: tries == 2 and row(supervisor, "rude").state is SourceState.RUNNING)
    assert "\x1b" not in row(supervisor, "rude").last_error


async def test_one_that_is_off_says_why_and_never_runs(supervisor: Supervisor) -> None:
    supervisor.start(Worker("closed", steady, off="the setting is empty"))
    await asyncio.sleep(0.02)
    assert row(supervisor, "closed").state is SourceState.OFF
    assert row(supervisor, "closed").detail == "the setting is empty"


async def test_a_silent_worker_counts_as_running_after_a_while(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Supervisor, "GRACE", 0.05)

    async def silent(handle: Handle) -> None:
        await asyncio.Event().wait()

    supervisor.start(Worker("silent", silent))
    assert row(supervisor, "silent").state is SourceState.STARTING
    await until(lambda: row(supervisor, "silent").state is SourceState.RUNNING)


async def test_changes_of_state_reach_the_bus() -> None:
    bus = EventBus()
    listener = bus.listen("source_update")
    supervisor = Supervisor(SystemClock(), bus, QUICK)
    supervisor.start(Worker("steady", steady))
    await until(lambda: row(supervisor, "steady").state is SourceState.RUNNING)
    await supervisor.stop()
    states = [event.data["state"] for event in listener.drain()]
    assert states == ["running", "off"]


async def test_stopping_does_not_wait_for_one_that_will_not_end() -> None:
    supervisor = Supervisor(SystemClock(), EventBus(), QUICK)

    async def deaf(handle: Handle) -> None:
        while True:
            try:
                await asyncio.sleep(0.2)
                return
            except asyncio.CancelledError:
                continue

    supervisor.start(Worker("deaf", deaf))
    await asyncio.sleep(0.01)
    began = asyncio.get_running_loop().time()
    await supervisor.stop(within=0.05)
    assert asyncio.get_running_loop().time() - began < 0.15
    await asyncio.sleep(0.25)


def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff()
    waits = [backoff.wait(failures) for failures in range(40)]
    assert waits[0] == 1.0
    assert all(1.0 <= wait <= 300.0 for wait in waits)
    assert 0.7 * 8 <= waits[3] <= 8
    assert all(210 <= wait <= 300 for wait in waits[9:])


async def test_a_door_that_takes_long_to_open_does_not_count_as_open(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Supervisor, "GRACE", 0.0)
    bound = asyncio.Event()

    async def door(handle: Handle) -> None:
        await bound.wait()
        handle.running("http://127.0.0.1:4319")
        await asyncio.Event().wait()

    supervisor.start(Worker("http", door, kind="door"))
    supervisor.start(Worker("loop", steady))
    await until(lambda: row(supervisor, "loop").state is SourceState.RUNNING)
    assert row(supervisor, "http").state is SourceState.STARTING
    bound.set()
    await until(lambda: row(supervisor, "http").detail == "http://127.0.0.1:4319")
