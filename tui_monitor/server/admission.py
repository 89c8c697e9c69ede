"""Whom a door lets in: by the name it was called, the page that asks, and the token that is shown."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from starlette.types import Scope

from tui_monitor.model.errors import MonitorError
from tui_monitor.server.callers import Caller, Callers
from tui_monitor.server.needs import Need, Needs
from tui_monitor.server.rates import Rates, origin_of
from tui_monitor.server.refusal import Refusal
from tui_monitor.server.tokens import offered_token


@dataclass(frozen=True, slots=True)
class Door:
    """One way in. The socket is for the same user, so it asks for no token and knows no Host."""

    name: str
    trusted: bool = False
    loopback: bool = True
    hosts: frozenset[str] = frozenset()
    """Further values of Host, without port, in lower case."""
    names: Callable[[], frozenset[str]] = frozenset
    """Those that its certificate is made out to at this moment."""


class Admission:
    """Checked of every request before any route sees it."""

    def __init__(self, door: Door, callers: Callers, needs: Needs, rates: Rates | None = None) -> None:
        self._door = door
        self._callers = callers
        self._needs = needs
        self._rates = rates

    @property
    def trusted(self) -> bool:
        """Whether only the same user comes in here."""
        return self._door.trusted

    def admit(self, scope: Scope, headers: Mapping[str, str]) -> Caller | None:
        """Who asks, where a token tells. Raises `Refusal` for whom the door stays shut."""
        if self._door.trusted:
            return None
        need = self._needs.of(scope["method"], scope["path"])
        free = need is not None and need.open_here and self._door.loopback
        caller = self._who(headers, free=free)
        self._charge(caller, scope)
        self._check_names(scope, headers)
        if not free:
            _allow(caller, need, headers)
        return caller

    def still(self, scope: Scope, headers: Mapping[str, str]) -> bool:
        """Whether who came in with these headers may stay: tokens are replaced and taken away."""
        if self._door.trusted:
            return True
        try:
            caller = self._callers.who(headers.get("authorization", ""))
            _allow(caller, self._needs.of(scope["method"], scope["path"]), headers)
        except (Refusal, MonitorError):
            return False
        return True

    def _who(self, headers: Mapping[str, str], *, free: bool) -> Caller | None:
        try:
            return self._callers.who(headers.get("authorization", ""))
        except MonitorError:
            if free:
                return None
            raise

    def _charge(self, caller: Caller | None, scope: Scope) -> None:
        """Count the request for its token, or for the address where there is none."""
        if self._rates is None:
            return
        client = scope.get("client")
        who = f"token {caller.name}" if caller else origin_of(client[0]) if client else ""
        wait = self._rates.wait(who, asyncio.get_running_loop().time())
        if wait:
            raise Refusal(
                429, "unavailable", "too many requests", reason="rate", retry_after=wait,
                hint="send more in one, or raise server.rate_limit",
            )  # fmt: skip

    def _check_names(self, scope: Scope, headers: Mapping[str, str]) -> None:
        host = headers.get("host", "")
        if not known_host(host, self._door.hosts | self._door.names(), scope.get("server")):
            raise Refusal(
                403, "forbidden", "unknown Host header", reason="host", hint="add it to server.allowed_hosts"
            )
        origin = headers.get("origin")
        if origin is not None and not own_origin(origin, host):
            raise Refusal(403, "forbidden", "requests from other web pages are refused", reason="origin")


def _allow(caller: Caller | None, need: Need | None, headers: Mapping[str, str]) -> None:
    if caller is None:
        if offered_token(headers.get("authorization", "")) is None:
            words, reason, hint = "a token is needed", "token", "`tui-monitor token` prints it"
        else:
            words, reason = "this token opens nothing", "wrong_token"
            hint = "it was replaced or taken away; `tui-monitor token list` names those that hold"
        raise Refusal(401, "unauthorized", words, reason=reason, hint=hint)
    wanted = need.role if need is not None else None
    if wanted is not None and not caller.role.covers(wanted):
        raise Refusal(
            403,
            "forbidden",
            f"the token {caller.name} may {caller.role}, and this needs one that may {wanted}",
            reason="role",
            hint=f"`tui-monitor token add NAME --role {wanted}` makes one there",
        )


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
