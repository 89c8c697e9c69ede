"""Bodies: what is unpacked never grows beyond its bound, whatever was sent."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from starlette.types import Message, Receive

from tui_monitor.server.bodies import Body, Held, Limits
from tui_monitor.server.refusal import Refusal

LIMIT = 100_000


def sent(*parts: bytes) -> Receive:
    """A client that sends these parts."""
    rest = list(parts)

    async def receive() -> Message:
        data = rest.pop(0)
        return {"type": "http.request", "body": data, "more_body": bool(rest)}

    return receive


async def read(body: Body) -> bytes:
    """The whole body, as an application reads it."""
    data = b""
    while True:
        message = await body.receive()
        data += message["body"]
        if not message["more_body"]:
            return data


def make(receive: Receive, encoding: str = "", *, declared: int | None = None, limit: int = LIMIT) -> Body:
    return Body(receive, encoding, declared, Limits(max_body=limit), Held(6 * limit))


def deflate(data: bytes) -> bytes:
    return zlib.compress(data)


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", deflate), ("GZIP ", gzip.compress)]
)
@pytest.mark.parametrize("size", [0, 1, 65_536, 99_999, LIMIT])
async def test_what_is_packed_arrives_whole(encoding: str, pack: Callable[[bytes], bytes], size: int) -> None:
    data = (bytes(range(256)) * (size // 256 + 1))[:size]
    packed = pack(data)
    middle = len(packed) // 2
    assert await read(make(sent(packed[:middle], packed[middle:], b""), encoding)) == data


async def test_gzip_members_one_behind_another() -> None:
    assert await read(make(sent(gzip.compress(b"one ") + gzip.compress(b"two")), "gzip")) == b"one two"
    empty = gzip.compress(b"")
    assert await read(make(sent(empty * 10_000 + gzip.compress(b"end")), "gzip", limit=1_000_000)) == b"end"
    with pytest.raises(Refusal, match="too many"):
        await read(make(sent(*[empty * 1_000] * 11), "gzip", limit=1_000_000))


async def test_one_byte_at_a_time() -> None:
    packed = gzip.compress(b"drop by drop")
    parts = [packed[i : i + 1] for i in range(len(packed))]
    assert await read(make(sent(*parts), "gzip")) == b"drop by drop"


async def test_a_bomb_is_stopped_before_it_unfolds() -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    assert len(bomb) < 300_000
    tracemalloc.start()
    try:
        with pytest.raises(Refusal) as refused:
            await read(make(sent(bomb), "gzip", limit=1_000_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.status == 413
    assert peak < 5_000_000


async def test_too_large_as_declared_is_refused_unread() -> None:
    with pytest.raises(Refusal) as refused:
        make(sent(), declared=LIMIT + 1)
    assert refused.value.status == 413


async def test_too_large_without_saying_so() -> None:
    with pytest.raises(Refusal) as refused:
        await read(make(sent(bytes(60_000), bytes(60_000))))
    assert refused.value.status == 413


@pytest.mark.parametrize(
    "data",
    [b"not gzip at all", gzip.compress(b"x" * 1000)[:-9], gzip.compress(b"x") + b"trash"],
    ids=["another form", "cut off", "with more behind"],
)
async def test_broken_packing_is_a_bad_request(data: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        await read(make(sent(data), "gzip"))
    assert refused.value.status == 400


async def test_an_unknown_packing_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        make(sent(b""), "zstd")
    assert refused.value.status == 415


async def test_bodies_of_all_requests_together_are_bounded() -> None:
    held = Held(150)
    first = Body(sent(bytes(100)), "", None, Limits(), held)
    second = Body(sent(bytes(100)), "", None, Limits(), held)
    await read(first)
    with pytest.raises(Refusal) as refused:
        await read(second)
    assert refused.value.status == 503
    assert refused.value.retry_after is not None
    second.release()
    first.release()
    assert await read(Body(sent(bytes(100)), "", None, Limits(), held)) == bytes(100)
