"""HTTP to a collector elsewhere over a thin and unsteady line. Loading this loads httpx.

Answers are asked for packed, and as what changed since the last one like it: RFC 9842, which
`tui_monitor.server.packing` speaks on the other side. What is heard, and what is not, is told to whoever
watches the line.
"""

import asyncio
import base64
import hashlib
import socket
import ssl
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass

import httpx

from tui_monitor.model.text import clean
from tui_monitor.monitor.line import LineLost, lost_by
from tui_monitor.monitor.reading import CAP, form_in, too_large, unpack

QUIET = 5.0
"""Seconds without a byte, while answers are due, after which it is tried whether anybody is there."""
_ALIVE_WITHIN = 5.0
WHOLE_WITHIN = 300.0
"""Seconds after which an answer that still comes, byte by byte, is given up."""
_CONNECT_WITHIN = 10.0
_KEPT_IDLE = 12.0
"""Seconds that a connection is kept for the next question: the server closes it after 15."""
_ENCODINGS = "dcz, zstd, gzip"
_LARGEST_DICTIONARY = 512_000
_BASES = 24
_OURS = "/monitor/"
_READING = ("GET", "HEAD")
_SPARED = ("accept", "user-agent", "connection")
"""Headers of the library that say what holds without them."""
_LINE = 32
"""Bytes of a status or request line, and of the empty line, beside what can be counted."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told: of bytes that went over the line, of a usable answer, of none."""

    moved: Callable[[int], None]
    answered: Callable[[], None]
    lost: Callable[[LineLost], None]
    barred: Callable[[], LineLost | None]
    """Why nothing is to be asked at this moment."""


class Bases:
    """The last answers, by what was asked: what later ones are told apart from."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[str, tuple[str, bytes]] = OrderedDict()

    def find(self, url: httpx.URL) -> tuple[str, bytes] | None:
        """Name and body of the last answer to this question, or to one on the same path."""
        return self._bodies.get(_whole(url)) or self._bodies.get(url.path)

    def keep(self, url: httpx.URL, body: bytes) -> None:
        """This was answered."""
        if len(body) > _LARGEST_DICTIONARY:
            return
        named = f":{base64.b64encode(hashlib.sha256(body).digest()).decode()}:", body
        for key in (_whole(url), url.path):
            self._bodies[key] = named
            self._bodies.move_to_end(key)
        while len(self._bodies) > _BASES:
            self._bodies.popitem(last=False)


class Transport(httpx.AsyncBaseTransport):
    """Asks one server. Raises `LineLost`, whatever it was that went wrong on the way."""

    def __init__(self, verify: ssl.SSLContext | None, watch: Watch) -> None:
        """`verify` is for https."""
        self._verify = verify
        self._watch = watch
        self._inner = self._made()
        self._bases = Bases()
        self._heard = 0.0
        self._trying: asyncio.Task[bool] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, unpacked and whole."""
        if barred := self._watch.barred():
            raise barred
        base = self._ask_for_less(request)
        try:
            response, packed = await self._once_more(request)
            body = unpack(response.headers.get("content-encoding", ""), packed, base and base[1])
            self._is_ours(request, response, body)
        except LineLost as lost:
            self._watch.lost(lost)
            raise
        except Exception as error:
            lost = lost_by(error)
            self._watch.lost(lost)
            raise lost from None
        if "use-as-dictionary" in response.headers:
            self._bases.keep(request.url, body)
        self._watch.answered()
        headers = [pair for pair in response.headers.raw if pair[0].lower() not in _OF_THE_WIRE]
        return httpx.Response(response.status_code, headers=headers, content=body)

    async def start_over(self) -> None:
        """Drop all connections; those that seem open may lead nowhere."""
        before, self._inner = self._inner, self._made()
        with suppress(Exception):
            await before.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._trying is not None:
            self._trying.cancel()
        await self._inner.aclose()

    def _made(self) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=_KEPT_IDLE)
        verify = self._verify or False
        return httpx.AsyncHTTPTransport(verify=verify, limits=limits, socket_options=list(_socket_options()))

    def _ask_for_less(self, request: httpx.Request) -> tuple[str, bytes] | None:
        for name in _SPARED:
            request.headers.pop(name, None)
        request.headers["accept-encoding"] = _ENCODINGS
        base = self._bases.find(request.url) if _OURS in request.url.path else None
        if base is not None:
            request.headers["available-dictionary"] = base[0]
        return base

    async def _once_more(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        """The answer; asked for again where the connection in use was closed by the other side."""
        used = self._inner
        try:
            return await self._patiently(request)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            if request.method not in _READING and "idempotency-key" not in request.headers:
                raise
            if used is self._inner:
                # Otherwise somebody has begun anew since, and asks over what must not be dropped again.
                await self.start_over()
            return await self._patiently(request)

    async def _patiently(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        """The answer, however long it takes, unless nobody is there any more."""
        request.extensions["timeout"] = {"connect": _CONNECT_WITHIN, "write": _CONNECT_WITHIN, "pool": 60.0}
        loop = asyncio.get_running_loop()
        latest = loop.time() + WHOLE_WITHIN
        task = asyncio.create_task(self._exchange(self._inner, request))
        try:
            while True:
                done, _ = await asyncio.wait({task}, timeout=QUIET)
                if done:
                    return task.result()
                if loop.time() >= latest:
                    raise LineLost("timeout", f"its answer was not whole after {WHOLE_WITHIN:g} s")
                if loop.time() - self._heard >= QUIET and not await self._anybody_there(request.url):
                    waited = QUIET + _ALIVE_WITHIN
                    raise LineLost("timeout", f"nothing was heard for {waited:g} s")
        finally:
            task.cancel()

    async def _exchange(
        self, inner: httpx.AsyncHTTPTransport, request: httpx.Request
    ) -> tuple[httpx.Response, bytes]:
        self._moved(request.headers, len(request.url.raw_path) + len(request.content))
        response = await inner.handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._moved(response.headers, 0)
        body = bytearray()
        async with aclosing(response):
            async for chunk in response.stream:
                self._heard = asyncio.get_running_loop().time()
                self._watch.moved(len(chunk))
                body += chunk
                if len(body) > CAP:
                    raise too_large()
        return response, bytes(body)

    def _moved(self, headers: httpx.Headers, rest: int) -> None:
        self._heard = asyncio.get_running_loop().time()
        self._watch.moved(sum(len(name) + len(value) + 4 for name, value in headers.raw) + rest + _LINE)

    async def _anybody_there(self, url: httpx.URL) -> bool:
        """Whether a new connection brings an answer; tried once for all that wait."""
        if self._trying is None or self._trying.done():
            self._trying = asyncio.create_task(self._try(url))
        return await asyncio.shield(self._trying)

    async def _try(self, url: httpx.URL) -> bool:
        live = f"{url.path.partition(_OURS)[0]}/live"
        request = httpx.Request("GET", url.copy_with(path=live, query=None))
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), _ALIVE_WITHIN)
        transport = self._made()
        try:
            async with asyncio.timeout(_ALIVE_WITHIN):
                await self._exchange(transport, request)
        except Exception:
            return False
        finally:
            await transport.aclose()
        return True

    def _is_ours(self, request: httpx.Request, response: httpx.Response, body: bytes) -> None:
        """Raises `LineLost` where another server answered, or one that lets us in no more."""
        status, kind = response.status_code, response.headers.get("content-type", "")
        form = form_in(body) if kind.startswith("application/json") else None
        if form is None or form.get("status") not in ("success", "error"):
            raise LineLost("stranger", f"what answers there is no collector (HTTP {status})")
        # What one may read, one may not always change: that is no matter of the line.
        if status == 401 or (status == 403 and request.method in _READING):
            hint = form.get("hint") or "`tui-monitor token add NAME --role read` there makes one"
            words = clean(str(form.get("error", "not let in")), 200)
            raise LineLost("token", words, hint=clean(str(hint), 200), settled=True)


_OF_THE_WIRE = (b"content-encoding", b"content-length", b"transfer-encoding")


def _whole(url: httpx.URL) -> str:
    return url.raw_path.decode("ascii", "replace")


def _socket_options() -> Iterator[tuple[int, int, int]]:
    """So that the system notices a peer that is gone without a word: within about 20 s."""
    yield socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
    yield socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1
    for name, value in (
        ("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 2), ("TCP_USER_TIMEOUT", 20_000),
    ):  # fmt: skip
        if hasattr(socket, name):
            yield socket.IPPROTO_TCP, getattr(socket, name), value
