"""The reader of a collector's events, over real doors: it goes on where a line broke off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.runtime.collecting import CALL, opened, ready
from tests.server.conftest import Start
from tui_monitor.config import places
from tui_monitor.model.errors import Forbidden, NotFound, UsageError
from tui_monitor.monitor import events as reader
from tui_monitor.monitor.events import Events, Lost, Missed, Told
from tui_monitor.runtime import Collector
from tui_monitor.server.tokens import read_or_make

Items = AsyncIterator[Told | Missed | Lost]


def token() -> str:
    return read_or_make(places.token_file())


async def push(collector: Collector, model: str) -> None:
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as web:
        assert (await web.post("/monitor/v1/events", json={**CALL, "model": model})).status_code == 200


async def the_next(items: Items, kind: Any, event: str = "") -> Any:
    async with asyncio.timeout(30):
        async for item in items:
            if isinstance(item, kind) and (not event or item.event == event):
                return item
    raise AssertionError


@pytest.mark.parametrize("door", ["http", "socket"])
async def test_how_things_stand_and_what_happens(collector: Collector, door: str) -> None:
    where = await opened(collector, door)
    events = Events(where if door == "http" else Path(where), token=token())
    async with aclosing(aiter(events)) as items:
        assert "costs" in (await the_next(items, Told, "initial_status")).data
        await push(collector, "m")
        told = await the_next(items, Told, "request_completed")
        assert (told.data["model"], told.data["calls"]) == ("m", 1)


class Line:
    """A way to a collector that can be cut."""

    def __init__(self, to: str) -> None:
        self._to = httpx.URL(to)
        self._open: list[asyncio.StreamWriter] = []

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._to.host, self._to.port)
        self._open += [writer, back]
        await asyncio.gather(self._pipe(reader, back), self._pipe(there, writer), return_exceptions=True)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)

    def cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self.cut()


async def test_nothing_is_lost_over_a_break_and_nothing_comes_twice(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_FIRST_WAIT", 0.05)
    line = Line(await opened(collector, "http"))
    heard: list[str] = []
    lost = 0
    async with line.laid() as where:
        events = Events(where, token=token(), names=["request_completed"])
        async with aclosing(aiter(events)) as items:
            await the_next(items, Told, "initial_status")
            for number in range(9):
                await push(collector, str(number))
                if number % 3 == 1:
                    line.cut()
            async with asyncio.timeout(30):
                while len(heard) < 9:
                    item = await anext(items)
                    lost += isinstance(item, Lost)
                    if isinstance(item, Told) and item.event == "request_completed":
                        heard.append(item.data["model"])
    assert heard == [str(number) for number in range(9)]
    assert lost


async def test_another_collector_in_its_place_says_what_is_gone(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_FIRST_WAIT", 0.05)
    collector = await start()
    await ready(collector)
    async with aclosing(aiter(Events(Path(await opened(collector, "socket"))))) as items:
        await the_next(items, Told, "initial_status")
        await collector.stop()
        assert (await the_next(items, Lost)).again > 0
        await ready(other := await start())
        await opened(other, "socket")
        missed = await the_next(items, Missed)
        assert missed.first <= missed.last


async def test_where_nobody_is_let_in_it_does_not_try_for_ever(collector: Collector) -> None:
    where = await opened(collector, "http")
    for wrong, error in (({"token": "x"}, Forbidden), ({"token": token(), "names": ["nothing"]}, UsageError)):
        with pytest.raises(error):
            await anext(aiter(Events(where, **wrong)))
    with pytest.raises(NotFound, match="no WebSocket"):
        await anext(aiter(Events(where + "/elsewhere", token=token())))
    with pytest.raises(UsageError):
        Events("not an address")
