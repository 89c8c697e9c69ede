"""Clients that mean no good: they say nothing, speak slowly, come in thousands, ask for what is no path."""

import asyncio
import gzip
import socket
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import cramjam
import httpx
import pytest
import zstandard

from tests.runtime.collecting import opened, row, until
from tests.server.conftest import Start
from tests.server.test_doors import raw
from tui_monitor.config import places
from tui_monitor.runtime import Collector
from tui_monitor.server import accepting, guard, serving
from tui_monitor.server.app import declared
from tui_monitor.server.crawl import Crawl
from tui_monitor.server.needs import Need
from tui_monitor.server.tokens import read_or_make

EVENTS = "/monitor/v1/events"


def bearer() -> dict[str, str]:
    return {"authorization": f"Bearer {read_or_make(places.token_file())}"}


def head(line: str, *more: str) -> bytes:
    """A request without a body, with the token."""
    lines = (line, "Host: localhost", f"Authorization: {bearer()['authorization']}", *more, "", "")
    return "\r\n".join(lines).encode("latin-1")


@asynccontextmanager
async def client(collector: Collector) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=await opened(collector, "http"), headers=bearer()) as web:
        yield web


async def connect(collector: Collector, number: int) -> list[socket.socket]:
    """So many connections on which nobody says anything."""
    url = httpx.URL(await opened(collector, "http"))
    loop = asyncio.get_running_loop()
    found = []
    for _ in range(number):
        sock = socket.socket()
        sock.setblocking(False)
        await loop.sock_connect(sock, (url.host, url.port))
        found.append(sock)
    return found


def ended(sock: socket.socket) -> bool:
    """Whether the other side has closed it by now."""
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


async def test_thousands_that_say_nothing_keep_nobody_out(start: Start) -> None:
    collector = await start(server={"max_connections": 16})
    idle = await connect(collector, 400)
    async with client(collector) as web:
        assert (await web.get("/live")).status_code == 200
        assert (await web.get("/monitor/v1/alerts")).status_code == 200
    # Those that came first have waited longest.
    await until(lambda: all(ended(sock) for sock in idle[:300]))
    assert collector.refused["crowd"] >= 384
    assert row(collector, "http").last_error == "503: too many connections (from 127.0.0.1)"
    for sock in idle:
        sock.close()


async def test_where_the_server_is_at_work_for_all_a_new_one_is_told_to_come_back(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = await start(server={"max_connections": 8})
    go, begun = asyncio.Event(), 0

    async def slow(*_: object) -> object:
        nonlocal begun
        begun += 1
        await go.wait()
        return {}

    async with client(collector) as web:
        monkeypatch.setattr(collector.monitor, "status", slow)
        asked = [asyncio.create_task(web.get("/monitor/v1/status")) for _ in range(8)]
        await until(lambda: begun == 8)
        turned = await raw(str(web.base_url), b"")
        assert turned.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"retry-after: 1\r\n" in turned
        assert b'"error":"too many connections"' in turned
        go.set()
        assert {answered.status_code for answered in await asyncio.gather(*asked)} == {200}


async def test_one_other_host_does_not_take_all_connections(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "_of_this_host", lambda client: False)
    collector = await start(server={"max_connections": 100, "max_connections_per_client": 5})
    idle = await connect(collector, 20)
    await until(lambda: [ended(sock) for sock in idle].count(True) == 15)
    assert collector.refused["crowd"] == 15
    for sock in idle:
        sock.close()


async def test_who_reads_his_answer_a_byte_at_a_time_is_let_go(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_LOOK_EVERY", 0.0)
    monkeypatch.setattr(Crawl, "read_seconds", 0.5)
    collector = await start()
    url = httpx.URL(await opened(collector, "http"))

    async def much(*_against: object) -> dict[str, str]:
        return {"text": "x" * 30_000_000}

    monkeypatch.setattr(collector.monitor, "status", much)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect((url.host, url.port or 0))
    sock.sendall(head("GET /monitor/v1/status HTTP/1.1"))
    sock.setblocking(False)
    got = 0
    async with asyncio.timeout(20):
        while not collector.refused["slow"]:
            with suppress(BlockingIOError):
                got += len(sock.recv(1))
            await asyncio.sleep(0.05)
    assert 0 < got < 1000
    assert row(collector, "http").last_error.startswith("408: an answer was read too slowly")
    # Who reads steadily is served, however long it takes.
    async with client(collector) as web, web.stream("GET", "/monitor/v1/status") as slow:
        size = 0
        async for part in slow.aiter_bytes(1_000_000):
            size += len(part)
            await asyncio.sleep(0.03)
    assert size > 30_000_000
    sock.close()


async def test_a_huge_body_is_answered_before_it_has_come(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "_LINGER_SECONDS", 0.5)
    collector = await start()
    url = await opened(collector, "http")
    huge = b"POST /monitor/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n"
    asks = await raw(url, huge + b"Expect: 100-continue\r\n\r\n")
    assert asks.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in asks
    sends = await raw(url, huge + b"\r\n" + bytes(200_000))
    assert sends.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in sends


async def test_who_sends_on_after_the_answer_still_gets_it(start: Start) -> None:
    collector = await start(server={"max_body": 100_000})
    url = httpx.URL(await opened(collector, "http"))
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n")
    for _ in range(50):
        writer.write(bytes(100_000))
        await writer.drain()
    assert (await reader.read()).startswith(b"HTTP/1.1 401 ")
    writer.close()


BOMBS: dict[str, tuple[Callable[[], bytes], int]] = {
    "gzip": (lambda: gzip.compress(bytes(50_000_000)), 413),
    "deflate": (lambda: zlib.compress(bytes(50_000_000)), 413),
    "zstd": (lambda: zstandard.compress(bytes(50_000_000)), 415),
    "snappy": (lambda: bytes(cramjam.snappy.compress_raw(bytes(3_000_000))), 415),
    "gzip, gzip": (lambda: gzip.compress(gzip.compress(bytes(50_000_000))), 415),
    "br": (lambda: b"\x00", 415),
}
"""Made by the test that sends them: reading the tests is not to take seconds."""


@pytest.mark.parametrize("encoding", BOMBS)
async def test_no_path_unfolds_a_bomb(start: Start, encoding: str) -> None:
    collector = await start(server={"max_body": 1_000_000})
    made, status = BOMBS[encoding]
    bomb = made()
    transport = httpx.AsyncHTTPTransport(uds=await opened(collector, "socket"))
    async with client(collector) as web, httpx.AsyncClient(transport=transport, base_url="http://x") as local:
        for one in declared():
            method, path, need = one.method, one.path, one.need
            if method != "POST":
                continue
            form = path.startswith("/api/v1/")
            kind = "application/x-www-form-urlencoded" if form else "application/json"
            asked = local if need is Need.OWNER else web
            path = path.replace("{", "").replace("}", "")
            headers = {"content-encoding": encoding, "content-type": kind}
            given = await asked.post(path, content=bomb, headers=headers)
            # The socket takes 16 MB in one request: imports come that way. Some paths read no body.
            read = form or one.body is not None
            may = (status,) if asked is web and read else (status, 200, 404, 422)
            assert given.status_code in may, (path, given.text)
        assert (await web.get("/live")).status_code == 200


EVENT = "POST /monitor/v1/events HTTP/1.1\r\n"


LINES: tuple[tuple[str, int], ...] = (
    ("GET /monitor/v1/../v1/alerts HTTP/1.1", 404), ("GET /live/../monitor/v1/alerts HTTP/1.1", 404),
    ("GET //live HTTP/1.1", 404), ("GET /live/ HTTP/1.1", 404), ("GET /live;x HTTP/1.1", 404),
    ("GET /monitor/v1/alerts%2fx HTTP/1.1", 404), ("GET /monitor/v1/alerts/..%2f..%2fx HTTP/1.1", 404),
    ("GET /live%00 HTTP/1.1", 400), ("GET /live%0d%0aX:%20y HTTP/1.1", 400), ("GET /%ff HTTP/1.1", 404),
    ("GET live HTTP/1.1", 400), ("OPTIONS * HTTP/1.1", 400), ("CONNECT localhost:80 HTTP/1.1", 405),
    ("GET http://localhost/live HTTP/1.1", 200), ("GET HTTP://127.0.0.1:1 HTTP/1.1", 404),
    ("GET http://evil.example/ HTTP/1.1", 403), ("GET http://localhost@evil.example/ HTTP/1.1", 403),
    ("GET https://localhost/live?x=1 HTTP/1.1", 200), ("GET ftp://localhost/live HTTP/1.1", 400),
    ("BREW /live HTTP/1.1", 405), ("GET /live HTTP/1.1\r\nHost: x", 400), ("GET /live HTTP/3.0", 505),
    ("GET /live HTTP/1.1 extra", 400), ("GET /li\x00ve HTTP/1.1", 400), ("PRI * HTTP/2.0", 505),
    ("\x16\x03\x01\x02\x00\x01\x00", 400), (EVENT + "Transfer-Encoding: gzip", 501),
    (EVENT + "Content-Length: -5", 400), (EVENT + "Content-Length: 5\r\nContent-Length: 6", 400),
    ("GET /live HTTP/1.1\r\nX: " + "y" * 400_000, 431),
)  # fmt: skip


async def test_paths_and_heads_that_are_none(web: httpx.AsyncClient) -> None:
    for line, status in LINES:
        given = await raw(str(web.base_url), head(line, "Connection: close"))
        top, _, body = given.partition(b"\r\n\r\n")
        assert top.split(b" ")[1] == str(status).encode(), (line[:80], given[:300])
        if status >= 400:
            assert b"content-type: application/json" in top, line[:80]
            assert b'"status":"error"' in body, line[:80]
        assert (await web.get("/live")).status_code == 200, line[:80]


async def test_what_is_malformed_is_counted_and_fills_no_log(
    web: httpx.AsyncClient, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        assert (await raw(str(web.base_url), b"\x00\x01\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    chunked = (
        b"POST /monitor/v1/events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    )
    assert (await raw(str(web.base_url), chunked)).startswith(b"HTTP/1.1 400 ")
    assert collector.refused["malformed"] == 4
    assert row(collector, "http").last_error.startswith("400: this is no HTTP request")
    assert "bytearray" not in row(collector, "http").last_error
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


async def test_who_asks_too_often_is_told_when_to_come_again(start: Start) -> None:
    collector = await start(server={"rate_limit": 1})
    async with client(collector) as web:
        statuses = [(await web.get("/monitor/v1/alerts")).status_code for _ in range(4)]
        assert statuses[:2] == [200, 200]
        assert 429 in statuses
        # Another client is not held up: without a token it is the address that counts.
        del web.headers["authorization"]
        assert (await web.get("/live")).status_code == 200
        assert (await web.get("/monitor/v1/alerts")).status_code == 401
        told = await web.get("/live")
        assert (told.status_code, told.headers["retry-after"]) == (429, "1")
        assert told.json()["errorType"] == "unavailable"
    assert collector.refused["rate"] >= 2
    transport = httpx.AsyncHTTPTransport(uds=await opened(collector, "socket"))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as local:
        assert {(await local.get("/live")).status_code for _ in range(10)} == {200}
