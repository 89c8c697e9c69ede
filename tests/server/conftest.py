"""A collector with both doors open, on loopback and a port of its own."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.runtime.collecting import opened, ready, settings_for
from tui_monitor.runtime import Collector
from tui_monitor.server import serve

Start = Callable[..., Awaitable[Collector]]


@pytest.fixture
async def start(tmp_path: Path, empty_database: Path) -> AsyncIterator[Start]:
    """Starts collectors on `monitor.db`, without sources; they are stopped at the end."""
    running: list[Collector] = []
    shutil.copy(empty_database, tmp_path / "monitor.db")

    async def begin(**sections: dict[str, Any]) -> Collector:
        settings = settings_for(tmp_path / "monitor.db", **sections)
        collector = Collector(settings, settings.database_path(), serve=serve, sources=())
        await collector.start()
        running.append(collector)
        return collector

    yield begin
    for collector in running:
        await collector.stop()


@pytest.fixture
async def collector(start: Start) -> Collector:
    """One that is ready to take data."""
    collector = await start()
    await ready(collector)
    return collector


@pytest.fixture
async def web(collector: Collector) -> AsyncIterator[httpx.AsyncClient]:
    """A client of its TCP door, without a token."""
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as client:
        yield client


@pytest.fixture
async def local(collector: Collector) -> AsyncIterator[httpx.AsyncClient]:
    """A client of its socket."""
    transport = httpx.AsyncHTTPTransport(uds=await opened(collector, "socket"))
    async with httpx.AsyncClient(transport=transport, base_url="http://collector") as client:
        yield client
