"""The doors over real sockets: who comes in, who does not, and what happens when they cannot open."""

import asyncio
import base64
import contextlib
import gzip
import os
import socket
import stat
import time
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.runtime.collecting import opened, row, until
from tests.server.conftest import Start
from tui_monitor.config import places
from tui_monitor.model.errors import MonitorError, UsageError
from tui_monitor.model.states import SourceState
from tui_monitor.query.result import Result
from tui_monitor.runtime import Collector
from tui_monitor.server import bodies, doors, protocol
from tui_monitor.server.listening import Address, bind_socket, parse_listen
from tui_monitor.server.tokens import read_or_make

EVENTS = "/monitor/v1/events"
STATUS = "/monitor/v1/alerts"


def token() -> str:
    return read_or_make(places.token_file())


async def raw(url: str, request: bytes, *, wait: float = 5.0) -> bytes:
    """What the server says to these bytes, until it closes."""
    host, port = httpx.URL(url).host, httpx.URL(url).port
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        async with asyncio.timeout(wait):
            return await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_pushing_and_health_are_open_and_the_rest_is_not(web: httpx.AsyncClient) -> None:
    for path in ("/live", "/health"):
        assert (await web.get(path)).status_code == 200
    for path in (STATUS, "/monitor/v1/costs", "/monitor/v1/snapshot", "/nowhere"):
        answer = await web.get(path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["errorType"] == "unauthorized"
    assert (await web.post("/monitor/v1/alerts/x/ack")).status_code == 401


async def test_the_token_opens_as_bearer_and_as_password(
    web: httpx.AsyncClient, collector: Collector
) -> None:
    assert (await web.get(STATUS, headers={"authorization": f"Bearer {token()}"})).status_code == 200
    assert (await web.get(STATUS, auth=("promtool", token()))).status_code == 200
    for wrong in (f"Bearer {token()}x", "Bearer é", "Bearer", "Basic " + base64.b64encode(b":").decode()):
        answer = await web.get(STATUS, headers={"authorization": wrong.encode()})
        assert answer.status_code == 401, wrong
    # Without a secret in it, a header is as good as none.
    assert (collector.refused["wrong_token"], collector.refused["token"]) == (2, 2)
    assert row(collector, "http").errors == 4
    assert row(collector, "http").last_error == "401: a token is needed (from 127.0.0.1)"


async def test_the_socket_asks_for_nothing(local: httpx.AsyncClient) -> None:
    assert (await local.get(STATUS)).status_code == 200
    assert (await local.get("/monitor/v1/collector")).json()["data"]["running"] is True


async def test_what_is_for_the_same_user_is_not_on_the_network(web: httpx.AsyncClient) -> None:
    bearer = {"authorization": f"Bearer {token()}"}
    assert (await web.get("/monitor/v1/reprice", headers=bearer)).status_code == 404
    assert (await web.post("/monitor/v1/imports", headers=bearer)).status_code == 405
    assert (await web.post("/monitor/v1/imports/x/records", headers=bearer)).status_code == 404


async def test_other_names_and_other_pages_are_refused(web: httpx.AsyncClient, collector: Collector) -> None:
    rebound = await web.post(EVENTS, json={}, headers={"host": "evil.example"})
    assert rebound.status_code == 403
    foreign = await web.post(EVENTS, json={}, headers={"origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert (await web.get("/health", headers={"origin": "null"})).status_code == 403
    own = str(web.base_url).rstrip("/")
    assert (await web.get("/health", headers={"origin": own})).status_code == 200
    assert (collector.refused["host"], collector.refused["origin"]) == (1, 2)
    assert collector.store.extent().calls == 0


async def test_a_host_may_be_allowed(start: Start) -> None:
    collector = await start(server={"allowed_hosts": ["Monitor.lan"]})
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as web:
        assert (await web.get("/live", headers={"host": "monitor.lan:80"})).status_code == 200


async def test_a_header_that_decides_must_not_come_twice(web: httpx.AsyncClient) -> None:
    request = b"GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nOrigin: http://x\r\n"
    request += b"Connection: close\r\n\r\n"
    assert (await raw(str(web.base_url), request)).startswith(b"HTTP/1.1 400")


async def test_a_bomb_and_a_huge_body_get_413_and_the_door_stays_open(start: Start) -> None:
    collector = await start(server={"max_body": 1_000_000})
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as web:
        bomb = gzip.compress(bytes(100_000_000), 9)
        packed = {"content-type": "application/json", "content-encoding": "gzip"}
        assert (await web.post(EVENTS, content=bomb, headers=packed)).status_code == 413
        with contextlib.suppress(httpx.WriteError, httpx.ReadError):
            assert (await web.post(EVENTS, content=bytes(1_000_001))).status_code == 413

        async def endless():
            for _ in range(2_000):
                yield bytes(1_000)

        with contextlib.suppress(httpx.WriteError, httpx.ReadError):
            assert (await web.post(EVENTS, content=endless())).status_code == 413
        assert (await web.get("/health")).status_code == 200
        assert collector.refused["size"] == 3


@pytest.mark.parametrize(("idle", "whole"), [(0.1, 60.0), (60.0, 0.3)])
async def test_a_body_that_trickles_is_given_up(
    start: Start, monkeypatch: pytest.MonkeyPatch, idle: float, whole: float
) -> None:
    monkeypatch.setattr(doors, "Limits", partial(bodies.Limits, idle=idle, whole=whole))
    url = httpx.URL(await opened(await start(), "http"))
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"POST /monitor/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n")
    # Whoever still sends when the door is shut may be told so by a reset, behind the answer.
    answering = asyncio.create_task(reader.readuntil(b'"errorType":"timeout"'))
    if whole < idle:
        while not answering.done():
            writer.write(b" ")
            await asyncio.sleep(0.05)
    async with asyncio.timeout(20):
        assert (await answering).startswith(b"HTTP/1.1 408")
    writer.close()


@pytest.mark.parametrize(
    ("head", "answer"), [(b"", b""), (b"GET /health HTTP/1.1\r\nHost: loc", b"HTTP/1.1 408 Request Timeout")]
)
async def test_a_head_that_never_ends_is_hung_up_on(
    start: Start, monkeypatch: pytest.MonkeyPatch, head: bytes, answer: bytes
) -> None:
    monkeypatch.setattr(protocol.PatientProtocol, "head_seconds", 0.1)
    collector = await start()
    began = asyncio.get_running_loop().time()
    assert (await raw(await opened(collector, "http"), head)).partition(b"\r\n")[0] == answer
    assert collector.refused["slow"] == bool(head)
    assert asyncio.get_running_loop().time() - began < 2


async def test_a_patient_client_is_not_hung_up_on_while_it_is_served(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol.PatientProtocol, "head_seconds", 0.1)
    collector = await start(collector={"flush_interval": "400ms"})
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as web:
        for _ in range(2):
            assert (await web.post(EVENTS, json={"provider": "openai"})).status_code == 200


async def test_what_is_no_http_is_answered_and_forgotten(web: httpx.AsyncClient) -> None:
    assert (await raw(str(web.base_url), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n")).startswith(
        b"HTTP/1.1 400"
    )
    assert (await web.get("/live")).status_code == 200


async def test_a_page_that_asks_for_a_websocket_fills_no_log(
    web: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    assert (await web.get("/ws", headers={**headers, "Origin": "http://evil.example"})).status_code == 403
    assert (await web.get("/live", headers=headers)).status_code == 200
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == []


async def test_errors_have_one_form(local: httpx.AsyncClient) -> None:
    for method, path, status, kind in (
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", EVENTS, 405, "bad_data"),
        ("GET", "/monitor/v1/query", 400, "bad_data"),
        ("GET", "/monitor/v1/query?query=latency{", 400, "bad_data"),
        ("GET", "/monitor/v1/snapshot?range=soon", 400, "bad_data"),
        ("GET", "/monitor/v1/costs?period=century", 400, "bad_data"),
        ("POST", "/monitor/v1/alerts/none/ack", 404, "not_found"),
        ("DELETE", "/monitor/v1/imports/none", 404, "not_found"),
    ):
        answer = await local.request(method, path)
        assert (answer.status_code, answer.json()["errorType"]) == (status, kind), path
        assert answer.json()["status"] == "error"
        assert answer.json()["error"]


@pytest.mark.parametrize(
    "asked",
    [
        "snapshot?end=1e300", "snapshot?end=1e14", "snapshot?end=-1",
        "query?query=requests&time=250000000000", "query?query=requests&time=9999-01-01T00:00:00Z",
        "query?query=requests&range=1h&end=1e12",
        "query?query=requests&range=1h&points=00000000000199999999", "query?query=requests&range=1h&points=0",
    ],
)  # fmt: skip
async def test_numbers_out_of_range_are_the_clients_mistake(local: httpx.AsyncClient, asked: str) -> None:
    answer = await local.get(f"/monitor/v1/{asked}")
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data"), answer.text
    assert any(name in answer.json()["error"] for name in ("end", "time", "points"))


async def test_a_token_that_cannot_be_read_lets_nobody_in_and_says_why(web: httpx.AsyncClient) -> None:
    path = places.token_file()
    path.unlink(missing_ok=True)
    path.mkdir(parents=True)
    try:
        answer = await web.get(STATUS, headers={"Authorization": "Bearer x"})
    finally:
        path.rmdir()
    assert answer.status_code >= 400
    assert "token file" in answer.json()["error"]


async def test_writing_a_large_answer_does_not_hold_up_the_others(
    local: httpx.AsyncClient, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = asyncio.Event()
    loop = asyncio.get_running_loop()
    plain = Result.prometheus

    def slow(self: Result) -> dict[str, object]:
        loop.call_soon_threadsafe(writing.set)
        time.sleep(0.5)
        return plain(self)

    monkeypatch.setattr(Result, "prometheus", slow)
    large = asyncio.create_task(local.get("/monitor/v1/query?query=requests"))
    await writing.wait()
    assert (await web.get("/live")).status_code == 200
    assert not large.done()
    assert (await large).status_code == 200


async def test_a_port_in_use_is_a_broken_source_and_heals(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        collector = await start(server={"listen": f"127.0.0.1:{port}"})
        await until(lambda: row(collector, "http").state is SourceState.FAILED)
        assert row(collector, "http").last_error == f"127.0.0.1:{port} is in use by another program"
        assert "server.listen" in row(collector, "http").detail
        await opened(collector, "socket")
    await opened(collector, "http")


async def test_an_empty_address_turns_the_door_off(start: Start) -> None:
    collector = await start(server={"listen": "", "socket": False})
    assert row(collector, "http").state is SourceState.OFF
    assert row(collector, "socket").state is SourceState.OFF


async def test_off_loopback_needs_a_word_of_consent_and_then_a_token_for_all(start: Start) -> None:
    refused = await start(server={"listen": "0.0.0.0:0"})
    await until(lambda: row(refused, "http").state is SourceState.FAILED)
    assert "server.insecure" in row(refused, "http").detail
    await refused.stop()
    collector = await start(server={"listen": "0.0.0.0:0", "insecure": True})
    detail = await opened(collector, "http")
    assert "insecure" in detail
    url = detail.split()[0].replace("0.0.0.0", "127.0.0.1")
    async with httpx.AsyncClient(base_url=url) as web:
        assert (await web.get("/live")).status_code == 401
        assert (await web.post(EVENTS, json={"provider": "openai"})).status_code == 401
        bearer = {"authorization": f"Bearer {token()}"}
        assert (await web.post(EVENTS, json={"provider": "openai"}, headers=bearer)).status_code == 200


async def test_the_socket_is_private_and_goes_when_the_collector_does(collector: Collector) -> None:
    path = Path(await opened(collector, "socket"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await collector.stop()
    assert not path.exists()


def test_a_socket_left_behind_is_removed_but_not_one_that_answers(tmp_path: Path) -> None:
    path = tmp_path / "s"
    left = bind_socket(path)
    left.close()
    again = bind_socket(path)
    try:
        with pytest.raises(MonitorError, match="another collector answers"):
            bind_socket(path)
    finally:
        again.close()


def test_a_file_in_the_way_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("mine")
    with pytest.raises(MonitorError, match="in the way"):
        bind_socket(path)
    assert path.read_text() == "mine"
    os.mkfifo(tmp_path / "f")
    with pytest.raises(MonitorError, match="in the way"):
        bind_socket(tmp_path / "f")


def test_addresses() -> None:
    assert parse_listen(" 127.0.0.1:4319 ") == Address("127.0.0.1", 4319)
    assert parse_listen("[::1]:80").text == "[::1]:80"
    assert [parse_listen(text).loopback for text in ("127.9.9.9:1", "[::1]:1", "localhost:1")] == [True] * 3
    assert [parse_listen(text).loopback for text in (":1", "10.0.0.1:1", "host.example:1")] == [False] * 3
    for text in ("4319", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:http"):
        with pytest.raises(UsageError):
            parse_listen(text)
