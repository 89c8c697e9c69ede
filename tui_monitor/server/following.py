"""The WebSocket's conversation: how things stand, then what happens, and what the client has to say."""

import asyncio
from collections.abc import Iterable
from typing import Any, ClassVar

import orjson
from starlette.routing import BaseRoute, Match, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from tui_monitor import __version__
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.text import clean
from tui_monitor.runtime.eventlog import NAMES, USUAL
from tui_monitor.server.accepting import Caps
from tui_monitor.server.live import Client, Live
from tui_monitor.server.needs import Need
from tui_monitor.server.refusal import Refusal, Refusals, answer
from tui_monitor.server.websocket import EXTENSION, PATHS, PING_SECONDS, PatientWebSocket, frame

_SHARE = 2
"""One connection in so many may be a WebSocket: the others are for requests."""
_LATEST = 2**53
"""Ids are smaller: JavaScript has no greater whole numbers."""


class Following:
    """The WebSocket of one door."""

    def __init__(self, live: Live, refusals: Refusals, caps: Caps) -> None:
        self._live = live
        self._refusals = refusals
        self._most = caps.connections // _SHARE
        self._here = 0

    def routes(self) -> Iterable[BaseRoute]:
        """The WebSocket by its names."""
        for path in PATHS:
            yield _SocketRoute(path, self._follow)

    async def _follow(self, socket: WebSocket) -> None:
        line: PatientWebSocket = socket.scope["extensions"][EXTENSION]
        try:
            client = Client(line, socket.state.still_admitted, self._live.events.newest)
            self._ask(client, _asked(socket))
            if self._here >= self._most:
                raise Refusal(503, "unavailable", "too many WebSockets", reason="crowd", retry_after=5.0)
        except Refusal as refusal:
            self._refusals.note(refusal, socket.client.host if socket.client else "")
            await socket.send_denial_response(refusal.response(socket.url.path))
            return
        await socket.accept()
        self._here += 1
        self._live.join(client)
        try:
            await self._begin(client)
            await self._converse(client, socket)
        except WebSocketDisconnect:
            pass
        finally:
            self._live.leave(client)
            self._here -= 1

    async def _begin(self, client: Client) -> None:
        """Say hello, and how things stand; then events come."""
        events = self._live.events
        _send(client, {
            "type": "connected", "client_id": client.id, "ts": self._now(), "version": __version__,
            "run": events.run, "last_event_id": events.newest, "oldest_event_id": events.oldest,
            "event_types": sorted(client.wanted), "ping_seconds": PING_SECONDS,
        })  # fmt: skip
        read = client.read
        try:
            data = await self._live.collector.pulse.start()
        except MonitorError as error:
            _send(client, {"type": "error", "ts": self._now(), "error": error.message, "hint": error.hint})
        else:
            _send(client, {
                "type": "event", "id": read, "ts": self._now(), "event": "initial_status", "data": data,
            })  # fmt: skip
        client.ready = True
        self._live.tell(client)

    async def _converse(self, client: Client, socket: WebSocket) -> None:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            # Who does not read gets no answers either: they would heap up.
            await client.line.room()
            try:
                self._heard(client, _object(message.get("text")))
            except Refusal as refusal:
                self._refusals.note(refusal, client.line.client[0] if client.line.client else "")
                error = {"type": "error", "ts": self._now(), "error": refusal.error}
                _send(client, error | ({"hint": refusal.hint} if refusal.hint else {}))
            # Many may have come at once: others have their turn between them, and a lost line is noticed.
            await asyncio.sleep(0)

    def _heard(self, client: Client, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "ping":
                _send(client, {"type": "pong", "ts": self._now()})
            case "pong":
                pass
            case "subscribe" | "unsubscribe":
                if message.get("last_event_id") is not None and client.line.costs_much():
                    return
                self._ask(client, message)
                _send(client, {"type": "subscribed", "ts": self._now(), "event_types": sorted(client.wanted)})
                self._live.tell(client)
            case other:
                kind = clean(str(other), 40)
                raise _bad(f"no message is of type {kind!r}", "subscribe, unsubscribe, ping or pong")

    def _ask(self, client: Client, message: dict[str, Any]) -> None:
        """Take over which events a client wants, and from where on."""
        names = message.get("event_types")
        if names is not None:
            client.wanted = _chosen(client, message.get("type") == "unsubscribe", _names(names))
        events = self._live.events
        has_all = client.read == events.newest
        events.note_use(client.wanted)
        if has_all:
            # That something was not noted so far is nothing that it missed.
            client.read = events.newest
        read = message.get("last_event_id")
        if read is not None:
            if not isinstance(read, int) or isinstance(read, bool) or not 0 <= read < _LATEST:
                raise _bad("last_event_id must be the id of an event", "a whole number, as events carry it")
            client.read = events.place(read, str(message.get("run", "")))

    def _now(self) -> int:
        return self._live.collector.clock.now()


def _send(client: Client, message: dict[str, Any]) -> None:
    client.line.write(frame(orjson.dumps(message)))


def _chosen(client: Client, less: bool, names: frozenset[str]) -> frozenset[str]:
    if less:
        return client.wanted - names
    # Who begins to choose does not want the rest as well.
    return names if client.wanted is USUAL else client.wanted | names


def _names(names: object) -> frozenset[str]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _bad("event_types must be a list of names")
    found = frozenset(names)
    if "*" in found:
        return NAMES
    if unknown := sorted(found - NAMES):
        shown = clean(", ".join(unknown), 80)
        raise _bad(f"there is no event {shown}", f"there are {', '.join(sorted(NAMES))}")
    return found


def _asked(socket: WebSocket) -> dict[str, Any]:
    """The address's parameters, as a message that subscribes."""
    params = socket.query_params
    message: dict[str, Any] = {"type": "subscribe", "run": params.get("run", "")}
    if "event_types" in params:
        message["event_types"] = [name for name in params["event_types"].split(",") if name]
    if "last_event_id" in params:
        text = params["last_event_id"]
        message["last_event_id"] = int(text) if text.isascii() and text.isdigit() and len(text) < 17 else text
    return message


def _object(text: str | None) -> dict[str, Any]:
    if text is None:
        raise _bad("messages are texts in JSON, and this one is binary")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _bad(f"the message is no JSON: {clean(str(error), 120)}") from None
    if not isinstance(message, dict):
        raise _bad("a message is a JSON object")
    return message


def _bad(error: str, hint: str | None = None) -> Refusal:
    return Refusal(400, "bad_data", error, reason="data", hint=hint)


class _SocketRoute(WebSocketRoute):
    """A WebSocket, and an answer for the plain request that comes there."""

    needs: ClassVar = {"GET": Need.READ}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches({**scope, "type": "websocket"})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await super().handle(scope, receive, send)
            return
        form = {"status": "error", "errorType": "bad_data", "error": "this path speaks WebSocket only"}
        response = answer(form, status=426, headers={"Upgrade": "websocket"})
        await response(scope, receive, send)
