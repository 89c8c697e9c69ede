"""Request bodies: bounded in size and time, before and after they are unpacked."""

import asyncio
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import Message, Receive

from tui_monitor.server.refusal import Refusal

_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_STEP = 65_536
_MEMBERS = 10_000
"""Files that may stand one behind another in a gzip body; empty ones are work all the same."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take: bytes of its body, seconds between two parts of it, and in all."""

    max_body: int = 16_000_000
    idle: float = 10.0
    whole: float = 60.0


class Held:
    """Bytes of bodies that are in memory at once, over all requests."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0

    def take(self, size: int) -> None:
        """Raises `Refusal` when that would be too much together."""
        if self._bytes + size > self._limit:
            raise Refusal(
                503, "unavailable", "too many large requests at once", reason="busy", retry_after=1.0
            )
        self._bytes += size

    def give_back(self, size: int) -> None:
        """The bytes are no longer needed."""
        self._bytes -= size


class Body:
    """Stands between the server and the application: `receive` hands on the unpacked body in parts."""

    def __init__(
        self, receive: Receive, encoding: str, declared: int | None, limits: Limits, held: Held
    ) -> None:
        self._receive = receive
        self._limits = limits
        self._held = held
        self._unpack = _unpacker(encoding, self._check)
        self._packed = 0
        self._deadline: float | None = None
        self._ended = False
        self.size = 0
        """Unpacked bytes handed on so far."""
        if declared is not None and declared > limits.max_body:
            raise self._too_large()

    async def receive(self) -> Message:
        """The next part. Raises `Refusal` when it is too much, too slow or not what it says to be."""
        if self._ended:
            return await self._receive()
        message = await self._next()
        if message["type"] != "http.request":
            return message
        data = message.get("body", b"")
        self._packed += len(data)
        if self._packed > self._limits.max_body:
            raise self._too_large()
        self._ended = not message.get("more_body", False)
        data = self._unpack(data, self._ended)
        self._held.take(len(data))
        self.size += len(data)
        return {"type": "http.request", "body": data, "more_body": not self._ended}

    def release(self) -> None:
        """The request is over."""
        self._held.give_back(self.size)
        self.size = 0

    async def _next(self) -> Message:
        now = asyncio.get_running_loop().time()
        if self._deadline is None:
            self._deadline = now + self._limits.whole
        try:
            async with asyncio.timeout(min(self._limits.idle, self._deadline - now)):
                return await self._receive()
        except TimeoutError:
            raise Refusal(408, "timeout", "the request body came too slowly", reason="slow") from None

    def _check(self, fresh: int) -> None:
        if self.size + fresh > self._limits.max_body:
            raise self._too_large()

    def _too_large(self) -> Refusal:
        return Refusal(
            413,
            "bad_data",
            f"the request body is larger than {self._limits.max_body} bytes",
            reason="size",
            hint="send it in several requests, or raise server.max_body",
        )


Unpack = Callable[[bytes, bool], bytes]


def _unpacker(encoding: str, check: Callable[[int], None]) -> Unpack:
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return _as_it_is(check)
    if encoding not in _WINDOW:
        raise Refusal(
            415, "bad_data", "unknown Content-Encoding", reason="encoding", hint="send gzip, deflate or none"
        )
    return _Inflater(_WINDOW[encoding], check).feed


def _as_it_is(check: Callable[[int], None]) -> Unpack:
    def feed(data: bytes, last: bool) -> bytes:
        check(len(data))
        return data

    return feed


class _Inflater:
    """Unpacks in small steps and asks before each whether that much may still come."""

    def __init__(self, window: int, check: Callable[[int], None]) -> None:
        self._window = window
        self._check = check
        self._zlib = zlib.decompressobj(window)
        self._fed = False
        self._members = 0

    def feed(self, data: bytes, last: bool) -> bytes:
        out = bytearray()
        self._fed = self._fed or bool(data)
        try:
            while data or not self._zlib.eof:
                part = self._zlib.decompress(data, _STEP)
                out += part
                self._check(len(out))
                data = self._zlib.unconsumed_tail
                if self._zlib.eof and self._zlib.unused_data:
                    # Gzip files may stand one behind another.
                    self._members += 1
                    if self._members > _MEMBERS:
                        raise self._broken("the request body has too many gzip files in it")
                    data = self._zlib.unused_data
                    self._zlib = zlib.decompressobj(self._window)
                elif not data and len(part) < _STEP:
                    break
        except zlib.error:
            raise self._broken("the request body is not what its Content-Encoding says") from None
        if last and self._fed and not self._zlib.eof:
            raise self._broken("the packed request body ends too early")
        return bytes(out)

    def _broken(self, words: str) -> Refusal:
        return Refusal(400, "bad_data", words, reason="encoding")
