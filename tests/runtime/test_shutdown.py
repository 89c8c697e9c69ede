"""What was acknowledged is there afterwards, exactly once, however the collector ended."""

import asyncio
import signal
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.runtime.collecting import CALL
from tui_monitor.config import places
from tui_monitor.model.clock import DAY, SystemClock
from tui_monitor.model.timerange import Span
from tui_monitor.monitor.remote import SocketClient, somebody_listens
from tui_monitor.store.api import Layer
from tui_monitor.store.database import Store

EVENTS = "/monitor/v1/events"


STUCK = """
import sys, time
from tui_monitor.query.local import LocalEngine
asked = LocalEngine.instant
def stuck(self, text, **rest):
    # Rules ask too: were they stuck as well, they would take the threads that this question needs.
    if "stuck" not in text:
        return asked(self, text, **rest)
    print("asked", flush=True)
    time.sleep(600)
LocalEngine.instant = stuck
from tui_monitor.__main__ import main
sys.exit(main())
"""
"""The program, but for a question that nobody can stop."""


async def launch(tmp_path: Path, *program: str) -> asyncio.subprocess.Process:
    """`tui-monitor collect` as people start it, ready to take data."""
    config = tmp_path / "config.toml"
    config.write_text('[server]\nlisten = "127.0.0.1:0"\n[collector]\nflush_interval = "20ms"\n')
    database = tmp_path / "monitor.db"
    process = await asyncio.create_subprocess_exec(
        sys.executable, *(program or ("-m", "tui_monitor")), "--config", config, "--db", database, "collect",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    socket = places.socket_path(database)
    async with asyncio.timeout(50):
        while not somebody_listens(socket):
            assert process.returncode is None, await process.communicate()
            await asyncio.sleep(0.05)
    return process


async def _line(stream: asyncio.StreamReader, wanted: bytes) -> None:
    """Reads until that line has come, or the end."""
    while await stream.readline() not in (wanted, b""):
        pass


async def address(client: SocketClient) -> str:
    """Where its TCP door stands."""
    async with asyncio.timeout(10):
        while True:
            doors = {row.name: row.detail for row in (await client.status()).sources}
            if doors["http"].startswith("http://"):
                return doors["http"]
            await asyncio.sleep(0.02)


async def push(client: httpx.AsyncClient, name: str, acknowledged: list[str], many: asyncio.Event) -> None:
    """One small batch after another until nobody answers; tells when many were taken."""
    number = 0
    while True:
        ids = [f"{name}-{number}-{i}" for i in range(5)]
        number += 1
        try:
            answer = await client.post(EVENTS, json=[{**CALL, "id": key, "n": key} for key in ids])
        except httpx.HTTPError:
            return
        if answer.status_code == 200 and answer.json()["accepted"] == len(ids):
            acknowledged += ids
            if len(acknowledged) >= 60:
                many.set()


def stored(database: Path) -> Counter[str]:
    """How often each pushed call is there."""
    store = Store.open(database, write=True, clock=SystemClock())
    try:
        now = SystemClock().now()
        facts = store.facts(Layer.RAW, Span(now - DAY, now + DAY), ["n"], ["calls"])
        column = facts.labels["n"]
        assert store.extent().calls == len(facts)
        return Counter(str(column.values[code]) for code in column.codes)
    finally:
        store.close()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
async def test_nothing_acknowledged_is_lost_or_doubled(tmp_path: Path, sent: signal.Signals) -> None:
    process = await launch(tmp_path)
    database = tmp_path / "monitor.db"
    socket = places.socket_path(database)
    acknowledged: list[str] = []
    many = asyncio.Event()
    async with (
        SocketClient(socket) as client,
        httpx.AsyncClient(base_url=await address(client)) as web,
        httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(socket)), base_url="http://x") as local,
    ):
        pushers = [
            asyncio.create_task(push(door, f"{name}{i}", acknowledged, many))
            for name, door in (("web", web), ("local", local))
            for i in range(2)
        ]
        await asyncio.wait_for(many.wait(), 50)
        process.send_signal(sent)
        _out, err = await asyncio.wait_for(process.communicate(), 50)
        await asyncio.gather(*pushers)
    if sent is signal.SIGTERM:
        assert process.returncode == 0, err.decode()
        assert not socket.exists()
    found = stored(database)
    assert [key for key in acknowledged if found[key] != 1] == []
    assert set(found.values()) == {1}


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
async def test_a_question_under_way_does_not_hold_up_the_end(tmp_path: Path, sent: signal.Signals) -> None:
    process = await launch(tmp_path, "-c", STUCK)
    database = tmp_path / "monitor.db"
    socket = places.socket_path(database)
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://x", timeout=100) as client:
        asked = asyncio.create_task(
            client.get("/monitor/v1/query", params={"query": 'requests{app="stuck"}'})
        )
        assert process.stdout is not None
        told = asyncio.create_task(_line(process.stdout, b"asked\n"))
        await asyncio.wait([told, asked], timeout=50, return_when=asyncio.FIRST_COMPLETED)
        assert told.done(), asked
        process.send_signal(sent)
        process.send_signal(sent)
        # Long before the question would have been answered.
        _out, err = await asyncio.wait_for(process.communicate(), 50)
        assert process.returncode == 0, err.decode()
        answer = await asked
    assert (answer.status_code, answer.json()["errorType"]) == (503, "unavailable")
    assert not socket.exists()
    assert Store.open(database, write=True, clock=SystemClock()).close() is None


async def test_a_second_collector_says_who_the_first_is(tmp_path: Path) -> None:
    process = await launch(tmp_path)
    try:
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tui_monitor", "--db", tmp_path / "monitor.db", "collect",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _out, err = await asyncio.wait_for(second.communicate(), 50)
        assert second.returncode == 1
        assert str(process.pid) in err.decode()
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0
