"""Connections as they come in: capped in all and for each client, before TLS and HTTP see them.

When no more fit, the one that has waited longest for its client is closed: who opens thousands and says
nothing keeps nobody else out. Only where the server is at work for all of them is a new one turned away.
"""

import asyncio
import ipaddress
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tui_monitor.server.protocol import PatientProtocol
from tui_monitor.server.rates import origin_of
from tui_monitor.server.refusal import Refusal, Refusals
from tui_monitor.server.websocket import PatientWebSocket

log = logging.getLogger(__name__)

_HANDSHAKE_SECONDS = 10.0
_GOODBYE_SECONDS = 5.0
"""How long TLS may take to say goodbye."""
_PAUSE_SECONDS = 0.2
"""How long none is taken in when the process has no file descriptor left."""
_AT_ONCE = 32
"""So many are taken in before others have a turn."""


@dataclass(frozen=True, slots=True)
class Caps:
    """How many connections a door has at most; `per_client` counts those of other hosts."""

    connections: int
    per_client: int | None = None


@dataclass(eq=False, slots=True)
class _Guest:
    """One connection."""

    sock: socket.socket
    client: str
    since: float
    transport: asyncio.Transport | None = None
    opening: "asyncio.Task[None] | None" = field(default=None, repr=False)
    begun: bool = False
    """Whether `opening` has come to run; what is cancelled before never does."""

    @property
    def here(self) -> bool:
        """Whether it is still open."""
        return self.sock.fileno() != -1

    @property
    def waits_since(self) -> float | None:
        """Since when it waits for its client; None while the server is at work for it."""
        if self.transport is None:
            return self.since
        protocol: Any = self.transport.get_protocol()
        return protocol.waits_since if isinstance(protocol, PatientProtocol | PatientWebSocket) else None

    def drop(self) -> None:
        """Close it without a word."""
        if self.transport is not None:
            self.transport.abort()
            return
        if self.opening is not None:
            self.opening.cancel()
        if not self.begun:
            self.sock.close()


class Accepting:
    """Takes connections from a listening socket and gives each its protocol, until cancelled."""

    def __init__(
        self,
        caps: Caps,
        refusals: Refusals,
        protocol: Callable[[], PatientProtocol],
        tls: ssl.SSLContext | None,
    ) -> None:
        self._caps = caps
        self._refusals = refusals
        self._protocol = protocol
        self._tls = tls
        self._guests: list[_Guest] = []

    async def run(self, sock: socket.socket) -> None:
        """Until cancelled; connections that are open stay so, those that shake hands do not."""
        loop = asyncio.get_running_loop()
        taken = 0
        try:
            while True:
                try:
                    connection, peer = await loop.sock_accept(sock)
                except ConnectionError:
                    continue
                except OSError as error:
                    log.warning("no connection can be taken in: %s", error.strerror)
                    self._make_room(self._guests)
                    await asyncio.sleep(_PAUSE_SECONDS)
                    continue
                self._take(connection, peer)
                taken += 1
                if taken % _AT_ONCE == 0:
                    await asyncio.sleep(0)
        finally:
            for guest in self._guests:
                if guest.transport is None:
                    guest.drop()

    def hurry(self) -> None:
        """Let go of those who read their answer too slowly; to be called every few seconds."""
        for guest in self._guests:
            protocol: Any = guest.transport.get_protocol() if guest.transport and guest.here else None
            if isinstance(protocol, PatientProtocol | PatientWebSocket) and protocol.hurry():
                self._note(
                    Refusal(408, "timeout", "an answer was read too slowly", reason="slow"), guest.client
                )

    def _take(self, connection: socket.socket, peer: object) -> None:
        client = origin_of(str(peer[0])) if isinstance(peer, Sequence) and len(peer) > 1 else ""
        self._guests = [guest for guest in self._guests if guest.here]
        refusal = self._full(client)
        if refusal is not None:
            _turn_away(connection, None if self._tls else refusal)
            self._note(refusal, client)
            return
        guest = _Guest(connection, client, asyncio.get_running_loop().time())
        self._guests.append(guest)
        guest.opening = asyncio.create_task(self._open(guest))

    def _full(self, client: str) -> Refusal | None:
        """Makes room; why there is none, otherwise."""
        own = self._guests
        if self._caps.per_client is not None and not _of_this_host(client):
            own = [guest for guest in self._guests if guest.client == client]
            if len(own) >= self._caps.per_client and not self._make_room(own):
                return Refusal(
                    429, "unavailable", "too many connections of one client", reason="crowd", retry_after=5.0
                )
        if len(self._guests) >= self._caps.connections and not self._make_room(self._guests):
            return Refusal(503, "unavailable", "too many connections", reason="crowd", retry_after=1.0)
        return None

    def _make_room(self, guests: Sequence[_Guest]) -> bool:
        waiting = [(since, n) for n, guest in enumerate(guests) if (since := guest.waits_since) is not None]
        if not waiting:
            return False
        longest = guests[min(waiting)[1]]
        longest.drop()
        self._guests = [guest for guest in self._guests if guest is not longest]
        self._note(Refusal(503, "unavailable", "too many connections", reason="crowd"), longest.client)
        return True

    async def _open(self, guest: _Guest) -> None:
        guest.begun = True
        limits: dict[str, Any] = {}
        if self._tls is not None:
            limits = {
                "ssl": self._tls,
                "ssl_handshake_timeout": _HANDSHAKE_SECONDS,
                "ssl_shutdown_timeout": _GOODBYE_SECONDS,
            }
        try:
            guest.transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol, guest.sock, **limits
            )
        except (ConnectionResetError, BrokenPipeError):
            # Who only looks whether the door is there hangs up.
            pass
        except OSError as error:
            # Not TLS at all, a version that is too old; asyncio gives up a slow handshake by itself.
            reason = "slow" if isinstance(error, ConnectionAbortedError) else "tls"
            self._note(Refusal(400, "bad_data", "no TLS connection came about", reason=reason), guest.client)
        finally:
            guest.opening = None
            if guest.transport is None:
                guest.sock.close()

    def _note(self, refusal: Refusal, client: str) -> None:
        self._refusals.note(refusal, client)


def _turn_away(connection: socket.socket, refusal: Refusal | None) -> None:
    """Close a connection; with an answer where it can be sent at once."""
    with suppress(OSError):
        if refusal is not None:
            connection.send(refusal.bytes())
            connection.shutdown(socket.SHUT_WR)
    connection.close()


def _of_this_host(client: str) -> bool:
    try:
        return ipaddress.ip_address(client).is_loopback
    except ValueError:
        return True
