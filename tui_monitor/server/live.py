"""Everybody who follows over a WebSocket: each is told from the one event log, as quickly as it reads."""

import logging
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_monitor.runtime.eventlog import USUAL, Taken
from tui_monitor.server.websocket import PatientWebSocket, frame

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

log = logging.getLogger(__name__)

BROKEN = 1011
"""Close code: it could not be told."""
NO_TOKEN = 4401
"""Close code: the token that opened it holds no longer."""
LOOK_EVERY = 2.0
"""Seconds between two looks whether tokens still hold."""


class Client:
    """One WebSocket. What waits for it is in the log: it is no more than how far it has read."""

    __slots__ = ("admitted", "id", "line", "read", "ready", "wanted")

    def __init__(self, line: PatientWebSocket, admitted: Callable[[], bool], read: int) -> None:
        self.id = secrets.token_hex(8)
        self.line = line
        self.admitted = admitted
        self.wanted = USUAL
        self.read = read
        """The id up to which it was told."""
        self.ready = False
        """Whether it was told how things stand, and events may follow."""


class Live:
    """The clients of all doors of a collector. All methods belong to its loop."""

    def __init__(self, collector: "Collector") -> None:
        self.collector = collector
        self.events = collector.events
        self.clients: set[Client] = set()
        self._made: dict[tuple[int, frozenset[str]], tuple[Taken, bytes]] = {}
        self._telling = False

    def join(self, client: Client) -> None:
        """Tell it of events from now on."""
        self.clients.add(client)
        self.events.follow(self._tell)
        client.line.on_room = lambda: self.tell(client)

    def leave(self, client: Client) -> None:
        """It is gone."""
        self.clients.discard(client)
        client.line.on_room = None
        if not self.clients:
            self.events.note_use()
            self.events.unfollow(self._tell)

    def tell(self, client: Client) -> None:
        """Send what it has not been told, until there is no room for more."""
        line = client.line
        while client.ready and client.read < self.events.newest and line.open and line.has_room:
            taken, frames = self._next(client)
            if frames:
                line.write(frames)
            client.read = taken.through
            self.collector.traffic.merged += taken.merged

    def _tell(self) -> None:
        # Those who keep up have all read equally far: what they get is made once.
        self._telling = True
        for client in tuple(self.clients):
            try:
                self.tell(client)
            except Exception:
                # It comes back and is told what is missing; the others are none the worse.
                log.exception("a WebSocket client could not be told")
                client.line.end(BROKEN, "an error of ours")
        self._telling = False
        self._made.clear()

    def _next(self, client: Client) -> tuple[Taken, bytes]:
        key = (client.read, client.wanted)
        made = self._made.get(key)
        if made is None:
            taken = self.events.take(*key)
            made = (taken, b"".join(frame(body) for body in taken.bodies))
            if self._telling:
                self._made[key] = made
        return made

    async def look(self) -> None:
        """Show out those whose token was replaced or taken away."""
        for client in tuple(self.clients):
            if not client.admitted():
                client.line.end(NO_TOKEN, "the token that opened this holds no longer")
