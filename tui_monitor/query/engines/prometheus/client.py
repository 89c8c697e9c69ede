"""Asking the server over HTTP: one thread with an event loop, so that every question has its own deadline.

Credentials go in headers to the one configured address; redirects are not followed, and nothing here is
printed or logged.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError as Cancelled
from concurrent.futures import TimeoutError as StillRunning
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tui_monitor import __version__
from tui_monitor.config.connecting import credentials
from tui_monitor.config.querying import RemotePrometheus
from tui_monitor.config.redact import Redactor
from tui_monitor.model.clock import SECOND, Clock
from tui_monitor.model.errors import UsageError
from tui_monitor.model.trust import Trust
from tui_monitor.model.unanswered import Unanswered, told_by
from tui_monitor.query.engines.prometheus.trouble import RemoteError, data_of, unanswered
from tui_monitor.query.promql.limits import QueryCancelled

if TYPE_CHECKING:
    import httpx

Params = Sequence[tuple[str, str]]
_AT_ONCE = 4
"""Questions that are under way together; further ones wait, and their waiting counts."""
_REST = 5.0
"""Seconds for which a server of which nothing was heard is left alone."""
_LOOK = 0.05
"""Seconds between two looks at whether somebody called the question off."""


@dataclass(slots=True)
class _Heard:
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Server:
    """One remote server. Any number of threads may ask; the connection is made at the first question."""

    def __init__(
        self, settings: RemotePrometheus, clock: Clock, environment: Mapping[str, str] = os.environ
    ) -> None:
        assert settings.url is not None
        self._environment = environment
        self._redactor = Redactor()
        self._settings = settings
        self._clock = clock
        self._url = settings.url
        self.place = f"the server {urlsplit(settings.url).netloc}"
        self._timeout = settings.timeout / SECOND
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: httpx.AsyncClient | None = None
        self._slots: asyncio.Semaphore | None = None
        self._gone: tuple[float, RemoteError] | None = None

    def ask(self, path: str, params: Params, cancel: threading.Event | None = None) -> dict[str, Any]:
        """The answer to one question, below `/api/v1/`.

        Raises `RemoteError` within the timeout, `Refused` for a query it does not take, `QueryCancelled`, and
        `UsageError` for secrets and certificates that are not there.
        A server of which nothing was heard is not asked again for some seconds.
        """
        gone = self._gone
        if gone is not None and self._clock.monotonic() - gone[0] < _REST:
            raise gone[1]
        try:
            heard = self._wait(path, params, cancel)
        except Unanswered as error:
            trouble = unanswered(self.place, error)
            if trouble.gone:
                self._gone = (self._clock.monotonic(), trouble)
            raise trouble from None
        self._gone = None
        found = data_of(self.place, heard.status, heard.headers, heard.body, self._redactor.clean)
        return {**found, "server": heard.headers.get("x-server-hostname", "")}

    def close(self) -> None:
        """End the thread; questions under way are called off."""
        with self._lock:
            loop, client, self._loop = self._loop, self._client, None
        if loop is not None and client is not None:
            with contextlib.suppress(RuntimeError):
                asyncio.run_coroutine_threadsafe(_end(client), loop)

    def _wait(self, path: str, params: Params, cancel: threading.Event | None) -> _Heard:
        loop = self._running()
        future = asyncio.run_coroutine_threadsafe(self._within(path, params), loop)
        # The loop keeps the deadline; this one is for a loop that was closed meanwhile.
        last = self._clock.monotonic() + self._timeout + 1.0
        while True:
            try:
                return future.result(_LOOK if cancel is not None else self._timeout + 1.0)
            except StillRunning:
                if cancel is not None and cancel.is_set():
                    future.cancel()
                    raise QueryCancelled("the query was cancelled") from None
                if self._clock.monotonic() > last:
                    future.cancel()
                    raise Unanswered("timeout", f"no answer within {self._timeout:g} s") from None
            except Cancelled:
                raise Unanswered("closed", "we are stopping") from None

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._client = _client(self._settings, self._headers())
                self._slots = asyncio.Semaphore(_AT_ONCE)
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name="remote", daemon=True).start()
            return self._loop

    def _headers(self) -> dict[str, str]:
        """Raises `UsageError` for a secret that is not there."""
        # Nothing unpacks itself into more than was sent.
        headers = {"user-agent": f"tui-monitor/{__version__}", "accept-encoding": "identity"}
        for name, value in self._settings.headers.items():
            headers[name] = value.get_secret_value()
            self._redactor.learn(headers[name])
        own = credentials("query.prometheus", self._settings, self._environment, self._redactor.learn)
        return headers | own

    # On the thread.

    async def _within(self, path: str, params: Params) -> _Heard:
        assert self._slots is not None
        try:
            async with asyncio.timeout(self._timeout), self._slots:
                return await self._once_more(path, params)
        except TimeoutError:
            raise Unanswered("timeout", f"no answer within {self._timeout:g} s") from None

    async def _once_more(self, path: str, params: Params) -> _Heard:
        """Ask, and again over a new connection where the one in use was closed by the other side."""
        try:
            return await self._post(path, params)
        except Unanswered as error:
            if error.why != "reset":
                raise
            return await self._post(path, params)

    async def _post(self, path: str, params: Params) -> _Heard:
        assert self._client is not None
        url, form = f"{self._url}/api/v1/{path}", dict(params)
        # A form is not written into logs of servers and proxies; what only reads takes no form.
        posted = path.startswith("query")
        request = self._client.build_request(
            "POST" if posted else "GET", url, data=form if posted else None, params=None if posted else form
        )
        try:
            response = await self._client.send(request, stream=True)
            async with contextlib.aclosing(response):
                body = await _body(response, self._settings.max_answer)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return _Heard(response.status_code, headers, body)
        except (Unanswered, asyncio.CancelledError, TimeoutError):
            raise
        except Exception as error:
            raise told_by(error) from None


async def _end(client: "httpx.AsyncClient") -> None:
    """Call off what is under way, close the connections, and end the loop."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await client.aclose()
    asyncio.get_running_loop().stop()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    loop.close()


async def _body(response: "httpx.Response", cap: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > cap:
            raise Unanswered("too large", f"its answer is longer than {cap:,} bytes")
    return bytes(body)


def _client(settings: RemotePrometheus, headers: Mapping[str, str]) -> "httpx.AsyncClient":
    """Raises `UsageError` for certificates that cannot be read, and a proxy that cannot be used."""
    import httpx

    trust = Trust(settings.ca_file, settings.cert_file, settings.key_file, settings.insecure_skip_verify)
    verify = trust.context()
    try:
        return httpx.AsyncClient(
            follow_redirects=False,
            timeout=None,
            limits=httpx.Limits(max_connections=_AT_ONCE, keepalive_expiry=120.0),
            verify=verify,
            headers=headers,
            mounts=dict.fromkeys(("all://localhost", "all://127.0.0.1", "all://[::1]")),
        )
    except (ValueError, ImportError, httpx.InvalidURL):
        # What the library says of it may hold the proxy's password.
        raise UsageError("the proxy that the environment names cannot be used; only http ones can") from None
