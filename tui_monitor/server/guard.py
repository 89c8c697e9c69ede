"""Who may come in: checked before any route sees the request."""

import asyncio
import ipaddress
import logging
import socket
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui_monitor.model.errors import MonitorError
from tui_monitor.server.bodies import Body, Held, Limits
from tui_monitor.server.refusal import Refusal, refusal_of
from tui_monitor.server.tokens import TokenFile

log = logging.getLogger(__name__)

_WELL = ("/live", "/ready", "/health", "/-/healthy", "/-/ready")
_OPEN: frozenset[tuple[str, str]] = frozenset(
    {
        ("POST", "/monitor/v1/events"),
        *((method, path) for method in ("GET", "HEAD") for path in _WELL),
    }
)
"""What needs no token on loopback: pushing data, and whether we are well."""
_REQUEST_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Door:
    """One way in. The socket is for the same user, so it asks for no token and knows no Host."""

    name: str
    trusted: bool = False
    loopback: bool = True
    hosts: frozenset[str] = frozenset()
    """Further values of Host, without port, in lower case."""


class Guard:
    """ASGI middleware: Host, Origin, token, body and time; errors in one form, counted by reason."""

    def __init__(
        self, app: ASGIApp, door: Door, token: TokenFile, *, refused: Counter[str], limits: Limits, held: Held
    ) -> None:
        self._app = app
        self._door = door
        self._token = token
        self._refused = refused
        self._limits = limits
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        answer = _Answer(scope, receive, send)
        body: Body | None = None
        try:
            headers = _headers(scope)
            self._admit(scope, headers)
            body = Body(
                receive, headers.get("content-encoding", ""), _length(headers), self._limits, self._held
            )
            async with asyncio.timeout(_REQUEST_SECONDS):
                await self._app(scope, body.receive, answer.send)
        except Refusal as refusal:
            await self._refuse(refusal, answer)
        except MonitorError as error:
            # The token cannot be read: without it nobody is let in.
            await self._refuse(refusal_of(error), answer)
        except TimeoutError:
            words = "the request took too long"
            await self._refuse(Refusal(503, "timeout", words, reason="slow", retry_after=5.0), answer)
        except asyncio.CancelledError:
            # The door closes, and has waited for this request as long as it could. The task ends here,
            # so nobody is kept from being cancelled.
            await self._refuse(
                Refusal(503, "unavailable", "the collector is stopping", reason="busy", retry_after=2.0),
                answer,
            )
        finally:
            if body is not None:
                body.release()

    async def _refuse(self, refusal: Refusal, answer: "_Answer") -> None:
        self._refused[refusal.reason] += 1
        if not answer.began:
            await answer.refuse(refusal)

    def _admit(self, scope: Scope, headers: dict[str, str]) -> None:
        """Raises `Refusal` for whom the door stays shut."""
        if self._door.trusted:
            return
        host = headers.get("host", "")
        if not known_host(host, self._door.hosts, scope.get("server")):
            raise Refusal(
                403, "forbidden", "unknown Host header", reason="host", hint="add it to server.allowed_hosts"
            )
        origin = headers.get("origin")
        if origin is not None and not own_origin(origin, host):
            raise Refusal(403, "forbidden", "requests from other web pages are refused", reason="origin")
        if self._door.loopback and (scope["method"], scope["path"]) in _OPEN:
            return
        if not self._token.opens(headers.get("authorization", "")):
            raise Refusal(
                401, "unauthorized", "a token is needed", reason="token", hint="`tui-monitor token` prints it"
            )


class _Answer:
    """Notes whether an answer has begun: then there is no room for another."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self.began = False

    async def send(self, message: Message) -> None:
        self.began = self.began or message["type"] == "http.response.start"
        await self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with a refusal."""
        await refusal.response()(self._scope, self._receive, self._send)


def _headers(scope: Scope) -> dict[str, str]:
    """Headers by name. One that decides who may come in must not come twice."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        if name in found and name in ("host", "origin", "authorization", "content-encoding"):
            raise Refusal(400, "bad_data", f"the header {name} is there twice", reason="request")
        found[name] = raw_value.decode("latin-1")
    return found


def _length(headers: dict[str, str]) -> int | None:
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def known_host(host: str, allowed: Iterable[str], server: tuple[str, int | None] | None) -> bool:
    """Whether a Host header names this host.

    A web page that points its own name at 127.0.0.1 sends that name here, so a name must be one of ours;
    an address must be loopback or the one that was connected to.
    """
    name = _host_name(host)
    if name is None:
        return False
    if name in ("localhost", socket.gethostname().lower()) or name in allowed:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or (server is not None and name == server[0].lower())


def own_origin(origin: str, host: str) -> bool:
    """Whether an Origin header is the host itself that the request goes to."""
    scheme, _, rest = origin.strip().lower().partition("://")
    return scheme in ("http", "https") and bool(rest) and rest == host.strip().lower()


def _host_name(host: str) -> str | None:
    """The name or address of a Host header, without port and brackets, in lower case."""
    host = host.strip().lower()
    if host.startswith("["):
        name, closed, port = host[1:].partition("]")
        port = port.removeprefix(":") if port else ""
        return name if closed and (not port or port.isdigit()) else None
    name, colon, port = host.partition(":")
    if colon and not port.isdigit():
        return None
    return name.removesuffix(".") or None
