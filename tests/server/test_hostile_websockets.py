"""WebSocket clients that mean no good, or are half gone: they are cut off and counted."""

import asyncio
import base64
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.runtime.collecting import opened, ready, until
from tests.server.conftest import Start
from tests.server.test_following import followed, heard
from tests.server.test_hostile_clients import bearer
from tui_monitor.config import places
from tui_monitor.model.clock import SystemClock
from tui_monitor.runtime import Collector
from tui_monitor.server import doors, live, serving, websocket
from tui_monitor.server.crawl import Crawl
from tui_monitor.server.following import Following
from tui_monitor.server.named import NamedTokens
from tui_monitor.server.roles import Role
from tui_monitor.server.tokens import replace

MASK = b"\x01\x02\x03\x04"


def masked(opcode: int, payload: bytes = b"", *, fin: bool = True, mask: bool = True) -> bytes:
    """A frame as a client sends it."""
    head = bytes([(0x80 if fin else 0) | opcode])
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head += bytes([bit | len(payload)])
    elif len(payload) < 65_536:
        head += bytes([bit | 126]) + struct.pack("!H", len(payload))
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", len(payload))
    if not mask:
        return head + payload
    whole = int.from_bytes(payload) ^ int.from_bytes((MASK * (len(payload) // 4 + 1))[: len(payload)])
    return head + MASK + whole.to_bytes(len(payload))


@asynccontextmanager
async def raw_socket(
    collector: Collector, *headers: str
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A WebSocket whose frames we make ourselves."""
    url = httpx.URL(await opened(collector, "http"))
    reader, writer = await asyncio.open_connection(url.host, url.port)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        "GET /ws HTTP/1.1", f"Host: {url.host}:{url.port}", "Connection: Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
        f"Authorization: {bearer()['authorization']}", *headers, "", "",
    )  # fmt: skip
    writer.write("\r\n".join(lines).encode("latin-1"))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def closed_with(reader: asyncio.StreamReader) -> int:
    """The code of the close frame with which the server ends."""
    async with asyncio.timeout(30):
        try:
            await reader.readuntil(b"\r\n\r\n")
            while True:
                first, second = await reader.readexactly(2)
                size = second & 0x7F
                if size == 126:
                    size = struct.unpack("!H", await reader.readexactly(2))[0]
                payload = await reader.readexactly(size)
                if first & 0x0F == 0x8:
                    return struct.unpack("!H", payload[:2])[0]
        except asyncio.IncompleteReadError:
            return 0


WRONG = {
    "unmasked": (masked(1, b"{}", mask=False), 1002, "malformed"),
    "reserved bits": (b"\xf1" + masked(1, b"{}")[1:], 1002, "malformed"),
    "reserved opcode": (masked(3), 1002, "malformed"),
    "fragmented ping": (masked(9, fin=False), 1002, "malformed"),
    "continuation of nothing": (masked(0, b"x"), 1002, "malformed"),
    "text within a text": (masked(1, b"{", fin=False) + masked(1, b"}"), 1002, "malformed"),
    "invalid UTF-8": (masked(1, b"\xff\xfe"), 1007, "malformed"),
    "a megabyte": (masked(1, b"x" * 1_000_000), 1009, "size"),
    "a length that wraps": (b"\x81\xff" + b"\xff" * 8 + MASK, 1009, "size"),
    "a terabyte announced": (b"\x81\xff" + struct.pack("!Q", 2**40) + MASK, 1009, "size"),
    "a megabyte in pieces": (
        masked(1, b"x" * 9_000, fin=False) + masked(0, b"x" * 9_000, fin=False), 1009, "size",
    ),
    "empty pieces without end": (masked(1, fin=False) + masked(0, fin=False) * 200, 1008, "flood"),
    "a flood of pings": (masked(9, b"x") * 2_000, 1008, "flood"),
    "the log anew and anew": (masked(1, b'{"type":"subscribe","last_event_id":0}') * 40, 1008, "flood"),
    "a flood of messages": (masked(1, b'{"type":"ping"}') * 2_000, 1008, "flood"),
}  # fmt: skip


async def test_what_is_no_conversation_is_ended_with_the_right_code(
    collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    for what, (data, code, reason) in WRONG.items():
        before = collector.refused.copy()
        async with raw_socket(collector) as (reader, writer):
            writer.write(data)
            found = await closed_with(reader)
        assert found == code, what
        assert collector.refused - before == {reason: 1}, what
        assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == [], what
        async with followed(collector) as socket:
            await heard(socket, "initial_status")


SAYING_NOTHING: tuple[str | bytes, ...] = (
    "", "{", "[]", '"text"', '{"type":"open sesame"}', "{}", '{"type":"subscribe","event_types":"all"}',
    '{"type":"subscribe","event_types":[1]}', '{"type":"subscribe","last_event_id":"x"}',
    '{"type":"subscribe","last_event_id":-1}', '{"type":"subscribe","last_event_id":1e300}',
    "[" * 5_000, b"\x00\x01",
)  # fmt: skip


async def test_a_message_that_says_nothing_gets_an_error_and_the_line_holds(collector: Collector) -> None:
    for number, message in enumerate(SAYING_NOTHING, 1):
        async with followed(collector) as socket:
            await socket.send(message)
            assert (await heard(socket, "error"))["error"], message
            await socket.send('{"type":"ping"}')
            await heard(socket, "pong")
        assert collector.refused == {"data": number}, message


async def test_a_wrong_address_is_told_before_anything_is_opened(collector: Collector) -> None:
    for query in ("last_event_id=x", "last_event_id=-1", "last_event_id=", "event_types=no"):
        with pytest.raises(InvalidStatus) as refused:
            async with followed(collector, f"?{query}"):
                pass
        assert refused.value.response.status_code == 400, query


@pytest.mark.parametrize(
    "header",
    ["X: " + "y" * 9_000, "\r\n".join(f"X-{n}: y" for n in range(140)), "Sec-WebSocket-Version: 99"],
    ids=["long", "many", "version"],
)
async def test_a_handshake_that_is_none_is_refused_and_fills_no_log(
    collector: Collector, header: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with raw_socket(collector, header) as (reader, _):
        line = await reader.readline()
    assert line.startswith(b"HTTP/1.1 4")
    assert collector.refused["malformed"] == 1
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


async def test_a_token_that_is_taken_away_ends_what_it_opened(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "LOOK_EVERY", 0.05)
    await ready(collector := await start())
    named = NamedTokens(places.named_tokens_file())
    secret = named.add("guest", Role.READ, SystemClock().now())
    async with followed(collector) as stays:
        await heard(stays, "connected")
        async with followed(collector, additional_headers={"authorization": f"Bearer {secret}"}) as socket:
            await heard(socket, "initial_status")
            named.remove("guest")
            with pytest.raises(ConnectionClosed):
                await heard(socket, "nothing")
            assert socket.close_code == live.NO_TOKEN
        await stays.send('{"type":"ping"}')
        await heard(stays, "pong")
        replace(places.token_file())
        with pytest.raises(ConnectionClosed):
            await heard(stays, "nothing")
        assert stays.close_code == live.NO_TOKEN


async def test_a_token_that_may_only_push_opens_nothing(
    collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    secret = NamedTokens(places.named_tokens_file()).add("app", Role.PUSH, SystemClock().now())
    with pytest.raises(InvalidStatus) as refused:
        async with followed(collector, additional_headers={"authorization": f"Bearer {secret}"}):
            pass
    assert refused.value.response.status_code == 403
    assert collector.refused["role"] == 1
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


async def test_half_of_the_connections_are_kept_for_requests(start: Start) -> None:
    await ready(collector := await start(server={"max_connections": 8}))
    held = [followed(collector) for _ in range(4)]
    for one in held:
        await heard(await one.__aenter__(), "connected")
    with pytest.raises(InvalidStatus) as refused:
        async with followed(collector):
            pass
    assert refused.value.response.status_code == 503
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as web:
        assert (await web.get("/live")).status_code == 200
    await held[0].__aexit__(None, None, None)
    await until(lambda: collector.traffic.open()["websocket"] == 3)
    async with followed(collector) as socket:
        await heard(socket, "connected")
    for one in held[1:]:
        await one.__aexit__(None, None, None)


async def test_who_reads_nothing_delays_nobody_and_is_cut_off(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_LOOK_EVERY", 0.1)
    monkeypatch.setattr(websocket, "_GOODBYE_SECONDS", 0.2)
    url = httpx.URL(await opened(collector, "http"))
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    deaf.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(deaf, (url.host, url.port))
    lines = (
        "GET /ws HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        f"Authorization: {bearer()['authorization']}", "", "",
    )  # fmt: skip
    await loop.sock_sendall(deaf, "\r\n".join(lines).encode())
    async with (
        followed(collector, "?event_types=metric_recorded") as quick,
        httpx.AsyncClient(base_url=url) as web,
    ):
        await loop.sock_sendall(deaf, masked(1, b'{"type":"subscribe","event_types":["metric_recorded"]}'))
        await heard(quick, "initial_status")
        monkeypatch.setattr(Crawl, "read_seconds", 1.0)
        for batch in range(20):
            samples = [
                {"kind": "sample", "name": f"m{n}", "value": batch, "labels": {"text": "x" * 200}}
                for n in range(200)
            ]
            assert (await web.post("/monitor/v1/events", json=samples)).status_code == 200
        found: dict[str, Any] = {}
        while len([name for name, value in found.items() if value == 19]) < 200:
            message = await heard(quick, "event")
            several = message["data"]["events"] if message["event"] == "merged" else [message]
            found |= {
                one["data"]["metric"]: one["data"]["value"] for one in several if "metric" in one["data"]
            }
    await until(lambda: collector.refused["slow"] >= 1, 15)
    deaf.close()


@pytest.mark.parametrize(
    "said",
    [masked(1, b'{"type":"subscribe","last_event_id":0}'), masked(9, b"x" * 125)],
    ids=["asks", "pings"],
)
async def test_answers_do_not_heap_up_for_who_asks_and_does_not_read(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(websocket, "_PER_SECOND", 10_000_000)
    monkeypatch.setattr(websocket, "_BURST", 10_000_000)
    lines: list[websocket.PatientWebSocket] = []

    def joined(self: live.Live, client: live.Client) -> None:
        lines.append(client.line)
        join(self, client)

    join = live.Live.join
    monkeypatch.setattr(live.Live, "join", joined)
    async with raw_socket(collector) as (reader, writer):
        await reader.readuntil(b"initial_status")
        # The buffers of loopback take megabytes: as if they were full.
        line = lines[0]
        line.pause_writing()
        sent: list[bytes] = []
        monkeypatch.setattr(line.transport, "write", sent.append)
        for _ in range(200):
            writer.write(said)
            await asyncio.sleep(0.001)
        assert not sent
        line.resume_writing()
        await until(lambda: bool(sent))


async def test_between_many_messages_others_have_their_turn(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[int] = []
    handled = 0

    def heard_one(self: Following, client: live.Client, message: dict[str, Any]) -> None:
        nonlocal handled
        handled += 1
        asyncio.get_running_loop().call_soon(lambda: turns.append(handled))

    async with raw_socket(collector) as (reader, writer):
        await reader.readuntil(b"initial_status")
        monkeypatch.setattr(Following, "_heard", heard_one)
        writer.write(masked(1, b'{"type":"ping"}') * 200)
        await until(lambda: len(turns) == 200)
    assert turns == sorted(set(turns))


async def test_who_answers_no_ping_is_forgotten(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "PING_SECONDS", 0.2)
    await ready(collector := await start())
    async with raw_socket(collector) as (reader, _):
        # Nothing is answered, as by somebody whose cable was pulled.
        assert await closed_with(reader) == 1011
    assert collector.refused["silent"] == 1
