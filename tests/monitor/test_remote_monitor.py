"""The façade over HTTP where something is in the way: no right, no certificate, no line, nobody there."""

import asyncio
import gzip
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.monitor.test_viewing import firing, store_alert
from tests.runtime.collecting import opened, ready, until
from tests.server.conftest import Start
from tests.server.conftest import start as start
from tests.server.test_tls import make as make
from tests.server.test_tls import url_of
from tui_monitor.config import places
from tui_monitor.model.clock import MINUTE
from tui_monitor.model.errors import Busy, Forbidden, QueryError, Unreachable, UsageError
from tui_monitor.model.states import AlertState
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor import reading
from tui_monitor.monitor.events import Events, Lost
from tui_monitor.monitor.overhttp import RemoteMonitor
from tui_monitor.query.promql.limits import QueryCancelled
from tui_monitor.runtime import Collector
from tui_monitor.server.named import NamedTokens
from tui_monitor.server.roles import Role

Asked = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def test_who_may_only_read_reads_and_is_told_what_is_missing(tmp_path: Path, start: Start) -> None:
    await store_alert(tmp_path / "monitor.db", firing("abc"))
    collector = await start(alerts={"rules": [{"name": "r", "expr": "eror_rate > 1"}], "shipped": False})
    where = await opened(collector, "http")
    token = NamedTokens(places.named_tokens_file()).add("eyes", Role.READ, 1)
    async with RemoteMonitor(where, token=token) as monitor:
        assert (await monitor.alert("abc")).state is AlertState.FIRING
        with pytest.raises(
            Forbidden, match="the token eyes may read, and this needs one that may operate"
        ) as no:
            await monitor.acknowledge("abc", "ana")
        assert "--role operate" in (no.value.hint or "")
    assert (await collector.monitor.alert("abc")).state is AlertState.FIRING
    for wrong in ("", "nonsense"):
        async with RemoteMonitor(where, token=wrong) as monitor:
            with pytest.raises(Forbidden) as no:
                await monitor.snapshot(TimeRange())
            assert "tui-monitor token" in (no.value.hint or "")


async def test_tls_by_the_servers_own_certificate(start: Start, make: Any) -> None:
    cert, key = make()
    collector = await start(server={"tls_cert": str(cert), "tls_key": str(key)})
    where = await url_of(collector)
    token = places.token_file().read_text().strip()
    async with RemoteMonitor(where, token=token, ca_file=cert) as monitor:
        assert (await monitor.status()).collector.running
    async with RemoteMonitor(where, token=token) as monitor:
        with pytest.raises(Unreachable, match="certificate"):
            await monitor.status()
    async with RemoteMonitor(where, token=token, ca_file=key.parent / "none.crt") as monitor:
        with pytest.raises(UsageError, match=r"none\.crt"):
            await monitor.status()


@pytest.mark.parametrize("door", ["http", "socket"])
async def test_a_question_that_nobody_waits_for_ends(
    door: str, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, cancelled = threading.Event(), threading.Event()

    def slow(text: str, *, cancel: threading.Event, **_: Any) -> Any:
        begun.set()
        assert cancel.wait(20)
        cancelled.set()
        raise QueryCancelled("the query was cancelled")

    monkeypatch.setattr(collector.engine, "instant", slow)
    where = await opened(collector, door)
    token = places.token_file().read_text().strip()
    async with RemoteMonitor(Path(where) if door == "socket" else where, token=token) as monitor:
        asking = asyncio.create_task(monitor.query("requests"))
        await until(begun.is_set)
        asking.cancel()
        await until(cancelled.is_set)
        assert (await monitor.imports()) == []


@asynccontextmanager
async def answering(asked: Asked) -> AsyncIterator[str]:
    """A server on loopback that is no collector."""
    server = await asyncio.start_server(asked, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_what_changes_nothing_is_asked_again_where_the_line_broke() -> None:
    seen: list[bytes] = []

    async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head)
        if len(seen) % 2 == 0:
            body = b'{"status":"success","data":7,"warnings":[]}'
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
            )
        writer.close()

    async with answering(asked) as where, RemoteMonitor(where, token="t") as monitor:
        assert await monitor.count_calls("where", TimeRange(90 * MINUTE + 1)) == 7
        assert len(seen) == 2
        assert b"range=5400000.001ms" in seen[0]
        assert b"authorization: bearer t" in seen[0].lower()


async def test_an_act_that_is_sent_again_has_the_same_name() -> None:
    keys: list[bytes] = []

    async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        keys.extend(line for line in head.lower().split(b"\r\n") if line.startswith(b"idempotency-key:"))
        writer.close()

    async with answering(asked) as where, RemoteMonitor(where) as monitor:
        for _ in range(2):
            with pytest.raises(Unreachable, match="does not answer"):
                await monitor.acknowledge("abc", "ana")
    assert (len(keys), len(set(keys)), keys[0] == keys[1]) == (4, 2, True)


async def test_nobody_and_somebody_else(tmp_path: Path) -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>")
        writer.close()

    async with RemoteMonitor(tmp_path / "none.sock") as monitor:
        with pytest.raises(Unreachable, match=r"none\.sock"):
            await monitor.status()
    async with answering(page) as where, RemoteMonitor(where) as monitor:
        with pytest.raises(Unreachable, match="no collector \\(HTTP 502\\)"):
            await monitor.status()
    for wrong in ("", "host:4319", "ftp://host", "http://", "https://host:99999", "https://host:x"):
        with pytest.raises(UsageError, match="not an address"):
            RemoteMonitor(wrong)


@pytest.fixture
async def collector(tmp_path: Path, start: Start) -> Collector:
    collector = await start()
    await ready(collector)
    return collector


def replying(status: int, body: bytes, *headers: bytes) -> Asked:
    """A server that says the same to everybody."""

    async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        lines = [b"HTTP/1.1 %d X" % status, b"Content-Length: %d" % len(body), b"Connection: close", *headers]
        writer.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        writer.close()

    return asked


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"[1, 2]"),
        (200, b'{"status":"success"}'),
        (200, b'{"status":"error","error":"x"}'),
        (200, b'{"status":"success","data":' + b"[" * 100_000),
        (302, b"{}"),
    ],
)
async def test_a_form_that_is_not_ours_is_told_as_such(status: int, body: bytes) -> None:
    async with answering(replying(status, body)) as where, RemoteMonitor(where) as monitor:
        with pytest.raises(Unreachable, match="is no collector"):
            await monitor.imports()


async def test_errors_of_any_form_are_read() -> None:
    date = b"Retry-After: Wed, 21 Oct 2026 07:28:00 GMT"
    busy = replying(429, b'{"status":"error","error":"x"}', date)
    async with answering(busy) as where, RemoteMonitor(where) as monitor:
        with pytest.raises(Busy) as told:
            await monitor.imports()
        assert told.value.retry_after == 1
    odd = b'{"status":"error","error":["a"],"hint":7,"position":-1,"length":"q","query":7,"metric":[]}'
    async with answering(replying(400, odd)) as where, RemoteMonitor(where) as monitor:
        with pytest.raises(QueryError, match="HTTP 400") as wrong:
            await monitor.query("x")
        assert (wrong.value.text, wrong.value.position, wrong.value.length) == ("", 0, 1)


async def test_an_answer_without_end_and_one_that_unpacks_to_too_much_are_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "CAP", 100_000)

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(OSError):
            while True:
                writer.write(b" " * 60_000)
                await writer.drain()

    bomb = replying(200, gzip.compress(b" " * 200_000), b"Content-Encoding: gzip")
    for asked in (endless, bomb):
        async with answering(asked) as where, RemoteMonitor(where) as monitor:
            with pytest.raises(Unreachable, match="longer than"):
                await monitor.imports()


async def test_nothing_from_there_reaches_into_the_terminal() -> None:
    evil = "a\\u001b]0;x\\u0007b\u202ec\u009b2Jd\\ne"
    body = f'{{"status":"success","data":[{{"{evil}":"{evil}"}}],"warnings":[]}}'.encode()
    async with answering(replying(200, body)) as where, RemoteMonitor(where, harmless=True) as monitor:
        found = await monitor._connection.data("GET", "/monitor/v1/imports")
    assert found == [{"a]0;xbc2Jd\ne": "a]0;xbc2Jd\ne"}]


async def test_a_redirect_of_the_events_leads_nowhere() -> None:
    heads: list[bytes] = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async with AsyncExitStack() as open_:
        there = await open_.enter_async_context(answering(elsewhere))
        location = f"Location: {there.replace('http', 'ws')}/ws".encode()
        where = await open_.enter_async_context(answering(replying(302, b"", location)))
        told = await open_.enter_async_context(aclosing(aiter(Events(where, token="secret"))))
        first = await anext(told)
    assert isinstance(first, Lost)
    assert "302" in first.error.message
    assert heads == []
