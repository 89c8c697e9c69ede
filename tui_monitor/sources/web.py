"""Short questions to servers of others: on a thread of its own, within a deadline, and never more than asked.

The thread has an event loop of its own, so a busy collector does not stretch what is measured here; what the
whole process holds up is measured beside it (`Answer.lag`).
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin, urlsplit

from tui_monitor import __version__
from tui_monitor.model.clock import Clock
from tui_monitor.model.trust import Trust
from tui_monitor.model.unanswered import Unanswered, told_by

if TYPE_CHECKING:
    import ssl

    import httpx

T = TypeVar("T")
AGENT = f"tui-monitor/{__version__}"
_TICK = 0.01
"""Seconds between two looks at how late we are."""
_SLACK = 0.002
"""Seconds that every timer is late."""
_WAITS = 20
"""Turns of the loop and calls of the system in one question: each may have to wait for the interpreter."""
_ENDING_WITHIN = 1.0
_LOOPBACK = ("all://localhost", "all://127.0.0.1", "all://[::1]")


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask. `headers` may hold a key: nothing here is ever printed."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 10.0
    """Seconds for everything: name, connection, handshake, headers and body."""
    cap: int = 1_000_000
    """Bytes of the body that are read; a longer one is refused."""
    redirects: int = 0
    """How many redirects are followed: to https only, or within the same origin."""
    body: bool = True
    """Whether the body matters."""
    direct: bool = False
    """Whether it goes straight there, past every proxy of the environment."""
    content: bytes | None = field(default=None, repr=False)
    """What is sent along; with it the request is a POST."""
    cut: bool = False
    """Whether of a longer body the beginning is enough."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes
    elapsed: float
    """Seconds from the question to the last byte."""
    lag: float
    """Seconds of it that we may have caused ourselves."""
    url: str
    """Where it came from, after redirects."""


class Web:
    """A thread with one client. `async with` it; `get` may be awaited on any event loop.

    `idle` is how many seconds a connection is kept open for the next question, `at_once` how many questions
    are under way together; further ones wait, and their time counts from when it is their turn. Entering it
    raises `UsageError` for certificates that cannot be read.
    """

    def __init__(
        self, clock: Clock, *, idle: float = 120.0, at_once: int = 4, trust: Trust | None = None
    ) -> None:
        self._clock = clock
        self._idle = idle
        self._at_once = at_once
        self._trust = trust or Trust()
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._end: Callable[[], None] = lambda: None

    async def __aenter__(self) -> "Web":
        self._thread.start()
        await asyncio.to_thread(self._ready.wait)
        if self._failure is not None:
            raise self._failure
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._end()
        # A name that is being looked up cannot be called off; the thread is a daemon and ends with it.
        await asyncio.to_thread(self._thread.join, _ENDING_WITHIN)

    async def get(self, request: Request) -> Answer:
        """Ask. Raises `Unanswered`."""
        return await self._there(self._get(request))

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the thread's loop, and wait for it here."""
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            raise Unanswered("closed", "we are stopping") from None
        return await asyncio.wrap_future(future)

    # On the thread.

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _live(self) -> None:
        self._loop = loop = asyncio.get_running_loop()
        stop = asyncio.Event()

        def end() -> None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(stop.set)

        self._end = end
        self._slots = asyncio.Semaphore(self._at_once)
        async with AsyncExitStack() as clients:
            trusted = self._trust.context()
            self._direct = await clients.enter_async_context(_client(self._idle, trusted, direct=True))
            client = _proxied(self._idle, trusted)
            self._client = await clients.enter_async_context(client) if client is not None else None
            self._ready.set()
            await stop.wait()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    async def _get(self, request: Request) -> Answer:
        async with self._slots:
            try:
                async with asyncio.timeout(request.timeout):
                    return await self._follow(request)
            except TimeoutError:
                raise Unanswered("timeout", f"no answer within {request.timeout:g} s") from None
            except ValueError:
                raise Unanswered("request", "its address is none") from None

    async def _follow(self, request: Request) -> Answer:
        url = request.url
        for hop in range(request.redirects + 1):
            # Credentials go to the address they were given for, and to no other.
            headers = request.headers if _origin(url) == _origin(request.url) else {}
            answer = await self._once_more(request, url, headers)
            target = answer.headers.get("location")
            if not _leads_on(answer.status, request) or not target or hop == request.redirects:
                return answer
            url = _allowed(urljoin(url, target), url)
        raise AssertionError("every hop returns or goes on")

    async def _once_more(self, request: Request, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask, and once more over a new connection where the one in use was closed by the other side."""
        try:
            return await self._ask(request, url, headers)
        except Unanswered as error:
            if error.why != "reset":
                raise
            return await self._ask(request, url, headers)

    async def _ask(self, request: Request, url: str, headers: Mapping[str, str]) -> Answer:
        client = self._direct if request.direct else self._client
        if client is None:
            raise Unanswered(
                "proxy", "the proxy that the environment names cannot be used; only http ones can"
            )
        lateness = _Lateness(self._clock)
        watch = asyncio.create_task(lateness.watch())
        began = self._clock.monotonic()
        try:
            method = "GET" if request.content is None else "POST"
            async with client.stream(method, url, headers=dict(headers), content=request.content) as response:
                body = await _body(response, request)
                elapsed = self._clock.monotonic() - began
                known = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status_code, known, body, elapsed, lateness.cost(), url)
        except (Unanswered, asyncio.CancelledError):
            raise
        except Exception as error:
            raise told_by(error) from None
        finally:
            watch.cancel()


class _Lateness:
    """How late this thread comes to its turn while something is measured."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._worst = 0.0
        self._sum = 0.0
        self._looks = 0
        self._last = clock.monotonic()

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(_TICK)
            self._look()

    def _look(self) -> None:
        now = self._clock.monotonic()
        late = max(0.0, now - self._last - _TICK - _SLACK)
        self._last = now
        self._worst = max(self._worst, late)
        self._sum += late
        self._looks += 1

    def cost(self) -> float:
        """Seconds that a question may have lost through us."""
        # What is being held up right now shows only in a look of this moment.
        self._look()
        return max(self._worst, self._sum / self._looks * _WAITS)


def _leads_on(status: int, request: Request) -> bool:
    """Whether an answer says to ask elsewhere. What is sent along goes on only where that is meant."""
    return status in (307, 308) or (request.content is None and 300 <= status < 400 and status != 304)


def _proxied(idle: float, trusted: "ssl.SSLContext") -> "httpx.AsyncClient | None":
    """A client that keeps to the proxies of the environment; `None` where one is named that it cannot use."""
    import httpx

    try:
        return _client(idle, trusted)
    except (ValueError, ImportError, httpx.InvalidURL):
        # What the library says of it may hold the proxy's password.
        return None


def _client(idle: float, trusted: "ssl.SSLContext", *, direct: bool = False) -> "httpx.AsyncClient":
    from http.cookiejar import DefaultCookiePolicy

    import httpx

    client = httpx.AsyncClient(
        follow_redirects=False,
        # The deadline is ours, over everything; a client's own is over single steps.
        timeout=None,
        limits=httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=idle),
        verify=trusted,
        # Nothing unpacks itself into more than was sent.
        headers={"user-agent": AGENT, "accept-encoding": "identity"},
        mounts=dict.fromkeys(_LOOPBACK),
        trust_env=not direct,
    )
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


async def _body(response: "httpx.Response", request: Request) -> bytes:
    if not request.body:
        return b""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > request.cap and request.cut:
            return bytes(body[: request.cap])
        if len(body) > request.cap:
            raise Unanswered("too large", f"the answer is longer than {request.cap:,} bytes")
    return bytes(body)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _allowed(target: str, source: str) -> str:
    parts = urlsplit(target)
    if (parts.scheme != "https" and _origin(target) != _origin(source)) or "@" in parts.netloc:
        raise Unanswered("redirect", "it redirects to an address that is not https")
    return target
