"""The façade over HTTP where something is in the way: no right, no certificate, no line, nobody there."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
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
from tui_monitor.model.errors import Forbidden, Unreachable, UsageError
from tui_monitor.model.states import AlertState
from tui_monitor.model.timerange import TimeRange
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
