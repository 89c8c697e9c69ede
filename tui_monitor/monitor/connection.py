"""HTTP to a collector that runs elsewhere: through the Unix socket of the same user, or over TCP."""

import asyncio
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

from tui_monitor.model.errors import (
    Busy,
    Forbidden,
    MonitorError,
    NotFound,
    QueryError,
    StoreError,
    UnknownMetric,
    Unreachable,
    UsageError,
)
from tui_monitor.model.unanswered import Unanswered
from tui_monitor.monitor.line import lost_by

if TYPE_CHECKING:
    import ssl

    import httpx
    from pydantic import TypeAdapter

    from tui_monitor.model.once import Once

T = TypeVar("T")

ANSWER_SECONDS = 130.0
"""A little more than the server gives itself."""
_CONNECT_SECONDS = 10.0
_KEPT_SECONDS = 60.0
"""How long a connection without a request is kept: over a slow line a new one takes seconds."""
_AT_ONCE = 8
_PACKED = {"Accept-Encoding": "gzip"}
_LONGEST_WORDS = 10_000
"""Characters of what an error says, and of the query that it is about."""
_LONGEST_WAIT = 3_600.0
"""Seconds that a server can ask to wait."""
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_TRIES = 2


class Connection:
    """Asks one collector. Use it as `async with`, or `close` it; it belongs to one event loop.

    `where` is the path of a Unix socket, or an address like `https://host:4319`, perhaps with a path before
    `/monitor`. `token` is sent as a bearer token. `ca_file` holds the certificates that are trusted besides
    those of the system; the server's own, where it signed itself. `timeout` is in seconds of silence. A
    `transport` takes requests over in place of httpx's own, certificates included. With `harmless` texts come
    without what controls terminals: for whoever writes them there as they are. Raises `UsageError` for an
    address that is none.
    """

    def __init__(
        self,
        where: Path | str,
        *,
        token: str = "",
        ca_file: Path | None = None,
        timeout: float = ANSWER_SECONDS,
        transport: "httpx.AsyncBaseTransport | None" = None,
        harmless: bool = False,
    ) -> None:
        self.where = where
        self._harmless = harmless
        self._transport = transport
        if isinstance(where, str):
            check_address(where)
        self._token = token
        self._ca_file = ca_file
        self._timeout = timeout
        self._http: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """Close its connections."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def data(self, method: str, path: str, **options: Any) -> Any:
        """What is in the envelope of an answer; see `ask`."""
        answer = await self.ask(method, path, **options)
        if "data" not in answer:
            raise self._stranger(200)
        return answer["data"]

    async def ask(
        self, method: str, path: str, *, once: "Once | None" = None, **options: Any
    ) -> dict[str, Any]:
        """The answer to one request, with httpx's options.

        Where the line breaks before the answer is there, what changes nothing and what is done `once` is
        asked again. Raises `Unreachable` where nobody answers, and the error that the collector met.
        """
        if once is not None:
            options["headers"] = {**options.get("headers", {}), "Idempotency-Key": once.key}
        tries = _TRIES if once is not None or method == "GET" else 1
        from tui_monitor.monitor.reading import form_in

        response, body = await self._sent(method, path, tries, options)
        answer = form_in(body, harmless=self._harmless)
        # Not all answers have an envelope: /live, and what became of records. `data` looks for what it needs.
        if answer is None or (answer.get("status") != "error") is not response.is_success:
            raise self._stranger(response.status_code)
        if response.is_success:
            return answer
        raise error_of(response.status_code, response.headers.get("retry-after"), answer)

    def _stranger(self, status: int) -> Unreachable:
        words = f"what answers on {self.where} is no collector (HTTP {status})"
        return Unreachable(words, hint="is the address right?")

    async def _sent(
        self, method: str, path: str, tries: int, options: dict[str, Any]
    ) -> "tuple[httpx.Response, bytes]":
        import httpx

        http = await self._client()
        while True:
            tries -= 1
            try:
                async with http.stream(method, path, **options) as response:
                    return response, await _whole(response)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
                if tries <= 0:
                    raise self._unreachable(error) from error
            except httpx.HTTPError as error:
                raise self._unreachable(error) from error
            except Unanswered as error:
                raise Unreachable(f"the collector on {self.where} cannot be understood: {error}") from error

    def _unreachable(self, error: Exception) -> Unreachable:
        return unreachable(self.where, error)

    async def _client(self) -> "httpx.AsyncClient":
        async with self._opening:
            if self._http is None:
                self._http = await asyncio.to_thread(self._made)
            return self._http

    def _made(self) -> "httpx.AsyncClient":
        """Reading the certificates takes a while, so this is done off the loop."""
        import httpx

        timeout = httpx.Timeout(self._timeout, connect=min(self._timeout, _CONNECT_SECONDS))
        limits = httpx.Limits(max_connections=_AT_ONCE, keepalive_expiry=_KEPT_SECONDS)
        if isinstance(self.where, Path):
            transport = httpx.AsyncHTTPTransport(uds=os.fspath(self.where), limits=limits)
            return httpx.AsyncClient(
                transport=transport, base_url="http://collector", timeout=timeout, headers=_PACKED
            )
        address = urlsplit(self.where)
        secure = address.scheme == "https" and self._transport is None
        return httpx.AsyncClient(
            transport=self._transport,
            base_url=self.where,
            timeout=timeout,
            limits=limits,
            verify=trusted(self._ca_file) if secure else False,
            headers={**_PACKED, **({"Authorization": f"Bearer {self._token}"} if self._token else {})},
            # A proxy is for what is far away.
            trust_env=not is_here(address.hostname),
        )


async def _whole(response: "httpx.Response") -> bytes:
    """The body, unpacked. Raises `Unanswered` where it is longer than is taken."""
    from tui_monitor.monitor.reading import CAP, too_large, unpack

    if response.is_stream_consumed:
        # A transport of ours has read it, within bounds of its own.
        return response.content
    packed = bytearray()
    # As it came: the library would unpack it without a bound.
    async for chunk in response.aiter_raw():
        packed += chunk
        if len(packed) > CAP:
            raise too_large()
    return unpack(response.headers.get("content-encoding", ""), bytes(packed))


def unreachable(where: Path | str, error: Exception) -> Unreachable:
    """That nobody answers there, why, and what to do."""
    words, hint = f"the collector does not answer on {where}", "is it still running?"
    if isinstance(where, Path):
        return Unreachable(words, hint=hint)
    lost = lost_by(error)
    return Unreachable(f"{words}: {lost.message}", hint=lost.hint or hint)


def trusted(ca_file: Path | None) -> "ssl.SSLContext":
    """Whose certificates are taken: the system's, and those of a file. Blocks. Raises `UsageError`."""
    import ssl

    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            # An SSLError is one too.
            raise UsageError(
                f"no certificates can be read from {ca_file}: {error}",
                hint="it must be a PEM file with the certificate of who signed the server's",
            ) from error
    return context


def is_here(host: str | None) -> bool:
    """Whether a host is this one, which no proxy is asked for."""
    return host in _HERE


def check_address(where: str) -> None:
    """Raises `UsageError` for what is no address of a collector."""
    try:
        address = urlsplit(where)
        known = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        known = False
    if not known:
        raise UsageError(f"not an address: {where!r}", hint="write it like https://host:4319")


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> "TypeAdapter[Any]":
    """Making one takes some ms, so each is made once."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def read_as(kind: type[T], data: Any) -> T:
    """Plain data as one of our data classes: what it was before it was written as JSON.

    Raises `MonitorError` where it is none: a collector of another version wrote it.
    """
    from pydantic import ValidationError

    try:
        return _adapter(kind).validate_python(data)
    except ValidationError as error:
        raise MonitorError(
            f"the collector's answer cannot be read: {error.error_count()} fields are not as expected",
            hint="it is of another version; update both to the same",
        ) from error


def segment(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


def error_of(status: int, retry_after: str | None, form: dict[str, Any]) -> MonitorError:
    """The error that the collector met, as it would have been raised here."""
    words, hint = _words(form.get("error")) or f"HTTP {status}", _words(form.get("hint")) or None
    if isinstance(form.get("position"), int):
        return _query_error(words, hint, form)
    match status:
        case 400:
            return UsageError(words, hint=hint)
        case 401 | 403:
            return Forbidden(words, hint=hint)
        case 404:
            return NotFound(words, hint=hint)
        case 429:
            return Busy(words, retry_after=_seconds(retry_after))
        case 503:
            return StoreError(words, hint=hint)
        case _:
            return MonitorError(words, hint=hint)


def _words(found: Any) -> str:
    return found[:_LONGEST_WORDS] if isinstance(found, str) else ""


def _seconds(retry_after: str | None) -> float:
    """What a server asks to wait; 1 where it does not say, or not in seconds."""
    asked = retry_after or ""
    return min(float(asked), _LONGEST_WAIT) if asked.isdecimal() and asked.isascii() else 1.0


def _query_error(words: str, hint: str | None, form: dict[str, Any]) -> QueryError:
    kind = UnknownMetric if isinstance(form.get("metric"), str) else QueryError
    text, length = _words(form.get("query")), form.get("length")
    position = min(max(0, form["position"]), len(text) or _LONGEST_WORDS)
    length = length if isinstance(length, int) and 0 < length <= _LONGEST_WORDS else 1
    error = kind(words, text=text, position=position, length=length, hint=hint)
    if isinstance(error, UnknownMetric):
        error.name, error.meant = _words(form["metric"]), _words(form.get("meant"))
    return error
