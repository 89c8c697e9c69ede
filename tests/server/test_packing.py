"""Answers travel small: what is packed, how, for whom, and that it is what it was when it is unpacked."""

import asyncio
import base64
import contextlib
import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.runtime.collecting import opened
from tui_monitor.config import places
from tui_monitor.model.unanswered import Unanswered
from tui_monitor.monitor import reading as client_side
from tui_monitor.monitor.line import LineLost
from tui_monitor.monitor.transport import Transport, Watch, unpack
from tui_monitor.runtime import Collector
from tui_monitor.server.callers import Caller
from tui_monitor.server.packing import SMALLEST, Dictionaries, Packing, pack
from tui_monitor.server.roles import Role
from tui_monitor.server.tokens import read_or_make

LONG = json.dumps({"rows": [{"provider": f"p{n}", "p95_ms": 100 + n} for n in range(60)]}).encode()


def named(body: bytes) -> str:
    return f":{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


@pytest.fixture
async def served() -> AsyncIterator[tuple[httpx.AsyncClient, Dictionaries, dict[str, Any]]]:
    """An application behind the middleware; what it answers can be changed."""
    says: dict[str, Any] = {
        "body": LONG, "status": 200, "headers": {}, "caller": Caller("ana", Role.READ)
    }  # fmt: skip

    async def whole(_: Request) -> Response:
        return Response(says["body"], says["status"], says["headers"], media_type="application/json")

    async def pieces(_: Request) -> Response:
        return StreamingResponse(iter([LONG, LONG]))

    kept = Dictionaries(room=20_000)
    inner = Packing(
        Starlette(routes=[Route("/monitor/v1/x", whole), Route("/x", whole), Route("/pieces", pieces)]), kept
    )

    async def app(scope: Any, receive: Any, send: Any) -> None:
        # As the guard says who asks.
        await inner({**scope, "state": {"caller": says["caller"]}}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as web:
        yield web, kept, says


async def raw(
    web: httpx.AsyncClient, path: str = "/monitor/v1/x", **headers: str
) -> tuple[httpx.Response, bytes]:
    """The answer and its body as it came over the line."""
    request = web.build_request("GET", path, headers={n.replace("_", "-"): v for n, v in headers.items()})
    response = await web.send(request, stream=True)
    return response, b"".join([chunk async for chunk in response.aiter_raw()])


@pytest.mark.parametrize(
    ("accepted", "way"),
    [
        ("gzip, deflate, br", "gzip"),
        ("gzip;q=0.9, zstd;q=0.1", "zstd"),
        ("gzip, zstd;q=0", "gzip"),
        ("gzip;q=x", ""),
        ("identity", ""),
        ("*", ""),
    ],
)
async def test_the_client_says_what_it_takes(served: Any, accepted: str, way: str) -> None:
    web, _, _ = served
    response, body = await raw(web, accept_encoding=accepted)
    assert response.headers.get("content-encoding", "") == way
    assert unpack(way, body) == LONG
    assert int(response.headers["content-length"]) == len(body)
    if way:
        assert len(body) < len(LONG) / 4
        assert "accept-encoding" in response.headers["vary"]
        assert "use-as-dictionary" not in response.headers


async def test_what_is_small_packed_already_or_made_in_pieces_goes_as_it_is(served: Any) -> None:
    web, kept, says = served
    says["body"] = b"x" * (SMALLEST - 1)
    response, body = await raw(web, accept_encoding="dcz, zstd")
    assert "content-encoding" not in response.headers
    assert body == says["body"]
    says |= {"body": gzip.compress(LONG * 20), "headers": {"content-encoding": "gzip"}}
    _, body = await raw(web, accept_encoding="zstd")
    assert body == says["body"]
    response, body = await raw(web, "/pieces", accept_encoding="zstd")
    assert "content-encoding" not in response.headers
    assert body == LONG * 2
    assert kept.held == 0


async def test_an_answer_is_told_apart_from_the_one_before(served: Any) -> None:
    web, kept, says = served
    response, first = await raw(web, accept_encoding="dcz, zstd")
    assert response.headers["content-encoding"] == "zstd"
    assert response.headers["use-as-dictionary"] == 'match="/monitor/v1/*"'
    says["body"] = LONG.replace(b'"p95_ms": 117', b'"p95_ms": 9117')
    response, second = await raw(web, accept_encoding="dcz, zstd", available_dictionary=named(LONG))
    assert response.headers["content-encoding"] == "dcz"
    assert "available-dictionary" in response.headers["vary"]
    assert len(second) < len(first) / 2
    assert unpack("dcz", second, LONG) == says["body"]
    # RFC 9842, section 5: the hash of the dictionary stands in front, and what reads zstd skips it.
    assert second[8:40] == hashlib.sha256(LONG).digest()
    known = zstandard.ZstdCompressionDict(LONG, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    whole = zstandard.ZstdDecompressor(dict_data=known).stream_reader(second, read_across_frames=True).read()
    assert whole == says["body"]
    assert kept.held == len(LONG) + len(says["body"])


@pytest.mark.parametrize("said", ["", ":AAAA:", "nonsense", named(b"never sent"), ":%%%:", "::"])
async def test_a_dictionary_that_is_not_here_is_done_without(served: Any, said: str) -> None:
    web, _, _ = served
    await raw(web, accept_encoding="dcz, zstd")
    response, body = await raw(web, accept_encoding="dcz, zstd", available_dictionary=said)
    assert response.headers["content-encoding"] == "zstd"
    assert unpack("zstd", body) == LONG


async def test_an_answer_is_nobody_elses_dictionary(served: Any) -> None:
    web, kept, says = served
    await raw(web, accept_encoding="dcz, zstd")
    for caller in (Caller("ben", Role.READ), None):
        says["caller"] = caller
        response, _ = await raw(web, accept_encoding="dcz, zstd", available_dictionary=named(LONG))
        assert response.headers["content-encoding"] == "zstd"
        # Who shows no token takes no room.
        assert ("use-as-dictionary" in response.headers) is (caller is not None)
    says["caller"] = Caller("ana", Role.READ)
    response, _ = await raw(web, "/x", accept_encoding="dcz, zstd", available_dictionary=named(LONG))
    assert "use-as-dictionary" not in response.headers
    assert kept.held == 2 * len(LONG)


async def test_errors_are_no_dictionaries(served: Any) -> None:
    web, kept, says = served
    says["status"] = 503
    response, _ = await raw(web, accept_encoding="dcz, zstd")
    assert "use-as-dictionary" not in response.headers
    assert kept.held == 0


def test_dictionaries_are_bounded_and_the_oldest_goes() -> None:
    kept = Dictionaries(room=3_000)
    bodies = [bytes([n]) * 1_000 for n in range(4)]
    for body in bodies[:3]:
        kept.keep("ana", body)
    assert kept.find("ana", hashlib.sha256(bodies[0]).digest()) == bodies[0]
    kept.keep("ana", bodies[3])
    kept.keep("ana", b"x" * 4_000)
    assert kept.held == 3_000
    assert kept.find("ana", hashlib.sha256(bodies[1]).digest()) is None
    assert kept.find("ana", hashlib.sha256(bodies[0]).digest()) == bodies[0]


@given(st.binary(max_size=3_000), st.binary(min_size=1, max_size=3_000))
def test_whatever_is_packed_is_unpacked(body: bytes, base: bytes) -> None:
    assert unpack("gzip", pack("gzip", body)) == body
    assert unpack("zstd", pack("zstd", body)) == body
    assert unpack("dcz", pack("dcz", body, base), base) == body
    assert unpack("", pack("", body)) == body


@given(st.sampled_from(["gzip", "zstd", "dcz", "br"]), st.binary(max_size=200), st.integers(0, 60))
def test_rubbish_is_an_answer_that_cannot_be_read(way: str, rubbish: bytes, cut: int) -> None:
    packed = pack(way if way != "br" else "", LONG, b"base")
    for broken in (rubbish, packed[:-3], packed[:cut] + rubbish):
        with contextlib.suppress(Unanswered):
            unpack(way, broken, b"base")
    with pytest.raises(Unanswered):
        unpack(way, packed[:-3], b"base")


@pytest.mark.parametrize("way", ["gzip", "zstd"])
def test_bombs_are_not_unpacked(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_side, "CAP", 100_000)
    assert len(unpack(way, pack(way, bytes(100_000)))) == 100_000
    with pytest.raises(Unanswered, match="longer than"):
        unpack(way, pack(way, bytes(100_001)))


async def test_a_real_collector_sends_less_each_time(collector: Collector) -> None:
    url = await opened(collector, "http")
    moved: list[int] = []
    lost: list[LineLost] = []
    transport = Transport(None, Watch(moved.append, lambda: None, lost.append, lambda: None))
    headers = {"Authorization": f"Bearer {read_or_make(places.token_file())}"}
    async with httpx.AsyncClient(transport=transport, base_url=url, headers=headers) as web:
        sizes = []
        for _ in range(3):
            before = sum(moved)
            answer = await web.get("/monitor/v1/snapshot", params={"range": "1h"})
            assert answer.json()["status"] == "success"
            sizes.append(sum(moved) - before)
            await asyncio.sleep(0)
        assert sizes[1] < sizes[0] * 0.75
        assert sizes[2] < sizes[0] * 0.75
    assert lost == []
    async with httpx.AsyncClient(transport=transport, base_url=url) as web:
        with pytest.raises(LineLost, match="token"):
            await web.get("/monitor/v1/snapshot")
    assert [one.settled for one in lost] == [True]
