"""Sources that people pause: clean, told with who and when, over restarts, and never touching another."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.runtime.collecting import opened, ready, row, settings_for, until
from tui_monitor.config import places
from tui_monitor.model.clock import DAY, Micros, SystemClock
from tui_monitor.model.errors import MonitorError, NotFound, UsageError
from tui_monitor.model.feed import Sample
from tui_monitor.model.states import SourceState
from tui_monitor.monitor.remote import SocketClient
from tui_monitor.monitor.viewing import viewing
from tui_monitor.runtime import Backoff, Collector
from tui_monitor.server import serve
from tui_monitor.server.named import NamedTokens
from tui_monitor.server.roles import Role

NOW = 1_800_000_000_000_000
"""2027-01-15 08:00 UTC."""


class Wall(SystemClock):
    """A wall clock that is set by hand, over a monotonic one that goes on."""

    def __init__(self) -> None:
        self.at: Micros = NOW

    def now(self) -> Micros:
        return self.at


class Ticking:
    """Hands over a figure as often as it can, and counts its beginnings and ends."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.begun = 0
        self.ended = 0

    async def run(self, ctx: Any) -> None:
        self.begun += 1
        try:
            while True:
                await ctx.submit([Sample("tick", ctx.clock.now(), 1.0, {"source": self.name})])
                ctx.running("ticking")
                ctx.progress(1, 2)
                await asyncio.sleep(0.005)
        finally:
            self.ended += 1
            ctx.running("says this while it ends")


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
async def start(tmp_path: Path, wall: Wall) -> AsyncIterator[Callable[..., Any]]:
    running: list[Collector] = []

    async def begin(*sources: Any, **sections: Any) -> Collector:
        settings = settings_for(tmp_path / "monitor.db", **sections)
        collector = Collector(
            settings, settings.database_path(), serve=serve, sources=sources, clock=wall,
            backoff=Backoff(first=60, longest=60),
        )  # fmt: skip
        running.append(collector)
        await collector.start()
        await ready(collector)
        return collector

    yield begin
    for collector in running:
        await collector.stop()


async def test_a_paused_source_ends_says_who_and_its_neighbour_goes_on(start: Any) -> None:
    one, other = Ticking("one"), Ticking("other")
    collector = await start(one, other)
    await until(lambda: row(collector, "one").records and row(collector, "other").records)
    await collector.pause_source("one", "ana")
    assert one.ended == 1
    paused = row(collector, "one")
    assert (paused.state, paused.detail) == (SourceState.PAUSED, "paused by ana 08:00")
    assert (paused.progress, paused.errors, paused.since) == (None, 0, NOW)
    before = row(collector, "other").records
    await until(lambda: row(collector, "other").records > before + 3)
    assert row(collector, "one").records == paused.records
    assert other.begun == 1
    await collector.resume_source("one", "ben")
    resumed = row(collector, "one")
    assert (resumed.state, resumed.detail) == (SourceState.STARTING, "")
    await until(lambda: row(collector, "one").records > paused.records)
    assert (one.begun, row(collector, "one").detail) == (2, "ticking")


async def test_it_stays_paused_over_restarts_and_reloads(start: Any, wall: Wall) -> None:
    collector = await start(Ticking("one"))
    await collector.pause_source("one", "ana\x1b[31m")
    await collector.stop()
    wall.at += DAY
    source = Ticking("one")
    again = await start(source)
    assert row(again, "one").detail.startswith("paused by ana")
    assert row(again, "one").detail.endswith("15 Jan 08:00")
    assert "\x1b" not in row(again, "one").detail
    await again.reload(settings_for(again.path, consent={"agent_logs": True}))
    assert row(again, "one").state is SourceState.PAUSED
    assert source.begun == 0
    await again.resume_source("one", "ana")
    await until(lambda: source.begun)
    await again.stop()
    third = Ticking("one")
    await start(third)
    await until(lambda: third.begun)


async def test_one_that_will_not_end_is_held_and_never_runs_twice(start: Any) -> None:
    let_go, at_work, most = asyncio.Event(), 0, 0

    class Deaf:
        name = "deaf"

        async def run(self, ctx: Any) -> None:
            nonlocal at_work, most
            at_work += 1
            most = max(most, at_work)
            while not let_go.is_set():
                try:
                    await let_go.wait()
                except asyncio.CancelledError:
                    ctx.running("did not hear")
            at_work -= 1

    collector = await start(Deaf())
    await until(lambda: at_work)
    began = asyncio.get_running_loop().time()
    await collector.pause_source("deaf", "ana")
    assert asyncio.get_running_loop().time() - began < 1.5
    assert row(collector, "deaf").state is SourceState.PAUSED
    await collector.resume_source("deaf", "ana")
    await asyncio.sleep(0.05)
    assert (at_work, most) == (1, 1)
    let_go.set()
    await until(lambda: row(collector, "deaf").detail == "has ended")
    assert most == 1


async def test_a_failed_one_is_tried_again_at_once(start: Any) -> None:
    tries = 0

    class Broken:
        name = "broken"

        async def run(self, ctx: Any) -> None:
            nonlocal tries
            tries += 1
            raise (MonitorError if tries == 1 else UsageError)("the cable is cut")

    collector = await start(Broken())
    await until(lambda: row(collector, "broken").state is SourceState.FAILED)
    await collector.resume_source("broken", "ana")
    await until(lambda: tries == 2)
    await collector.resume_source("broken", "ana")
    await until(lambda: tries == 3 and row(collector, "broken").errors == 3)


async def test_only_sources_are_paused(start: Any) -> None:
    collector = await start(Ticking("one"))
    for name in ("alerts", "http", "no\x1bbody"):
        with pytest.raises(NotFound, match="no source is called") as error:
            await collector.pause_source(name, "ana")
        assert error.value.hint == "there are one"
        assert "\x1b" not in error.value.message
    with pytest.raises(NotFound):
        await collector.resume_source("nobody", "ana")


async def test_one_that_does_not_run_with_these_settings_says_so(start: Any) -> None:
    class Shy(Ticking):
        def off(self, settings: Any) -> str:
            return "" if settings.consent.agent_logs else "not allowed: consent.agent_logs = true"

    source = Shy("shy")
    collector = await start(source)
    assert (row(collector, "shy").state, row(collector, "shy").detail) == (
        SourceState.OFF,
        "not allowed: consent.agent_logs = true",
    )
    await collector.reload(settings_for(collector.path, consent={"agent_logs": True}))
    await until(lambda: row(collector, "shy").records)
    await collector.reload(settings_for(collector.path))
    assert row(collector, "shy").state is SourceState.OFF
    assert source.ended == 1


async def test_through_the_socket_and_from_a_viewer(start: Any, wall: Wall) -> None:
    source = Ticking("one")
    collector = await start(source)
    transport = httpx.AsyncHTTPTransport(uds=await opened(collector, "socket"))
    async with httpx.AsyncClient(transport=transport, base_url="http://collector") as local:
        answer = await local.post("/monitor/v1/sources/one/pause", json={"who": "ana"})
        assert (answer.status_code, answer.json()["data"]["state"]) == (200, "paused")
        rows = {each["name"]: each for each in (await local.get("/monitor/v1/sources")).json()["data"]}
        assert (rows["one"]["detail"], rows["one"]["pausable"]) == ("paused by ana 08:00", True)
        assert not rows["http"]["pausable"]
        unknown = await local.post("/monitor/v1/sources/two/pause", json={"who": "ana"})
        assert (unknown.status_code, unknown.json()["errorType"]) == (404, "not_found")
    async with viewing(collector.settings, collector.path, wall) as monitor:
        await monitor.resume_source("one", "ben")
        await until(lambda: source.begun == 2)
        await monitor.pause_source("one", "ben")
        assert row(collector, "one").detail == "paused by ben 08:00"
        with pytest.raises(NotFound, match="no source"):
            await monitor.pause_source("two", "ben")
    await collector.stop()
    async with viewing(collector.settings, collector.path, wall) as monitor:
        await monitor.resume_source("one", "ben")
        with pytest.raises(MonitorError, match="no collector"):
            await monitor.reload()
    again = Ticking("one")
    await start(again)
    await until(lambda: again.begun)


async def test_the_network_steers_with_a_token_that_may(start: Any) -> None:
    tokens = NamedTokens(places.named_tokens_file())
    look, steer = (
        {"authorization": f"Bearer {tokens.add(name, role, 1)}"}
        for name, role in (("grafana", Role.READ), ("ops", Role.OPERATE))
    )
    collector = await start(Ticking("one"))
    pause = "/monitor/v1/sources/one/pause"
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as web:
        assert (await web.get("/monitor/v1/sources")).status_code == 401
        assert (await web.get("/monitor/v1/sources", headers=look)).status_code == 200
        for path in (pause, "/monitor/v1/reload"):
            assert (await web.post(path)).status_code == 401
            assert (await web.post(path, headers=look)).status_code == 403
        # Who does not say who he is, is called by the token's name.
        paused = await web.post(pause, headers=steer)
        assert paused.json()["data"]["detail"].startswith("paused by ops ")
        resumed = await web.post("/monitor/v1/sources/one/resume", headers=steer, json={"who": "ana"})
        assert resumed.json()["data"]["name"] == "one"
        await until(lambda: row(collector, "one").state is SourceState.RUNNING)
        no_file = await web.post("/monitor/v1/reload", headers=steer)
        assert (no_file.status_code, no_file.json()["errorType"]) == (422, "execution")


async def test_an_import_that_is_not_there_is_not_found(start: Any) -> None:
    collector = await start()
    transport = httpx.AsyncHTTPTransport(uds=await opened(collector, "socket"))
    async with httpx.AsyncClient(transport=transport, base_url="http://collector") as local:
        answer = await local.delete("/monitor/v1/imports/none")
        assert (answer.status_code, answer.json()["errorType"]) == (404, "not_found")
    async with SocketClient(places.socket_path(collector.path)) as client:
        with pytest.raises(NotFound, match="no import 'none'"):
            await client.undo_import("none")
