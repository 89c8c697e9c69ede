"""The WebSocket protocol of one connection: bounded in what it takes, and in what waits to be read."""

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from tui_monitor.server.crawl import Crawl
from tui_monitor.server.refusal import Refusal, Refusals

PATHS = ("/ws", "/ws/monitoring")
"""Where it is spoken."""
LARGEST = 16_384
"""Bytes of a message that a client may send."""
PING_SECONDS = 20.0
"""Between two pings, and to wait for the answer to one."""
EXTENSION = "tui_monitor.line"
"""By this name a route finds the connection in its scope."""
TOO_SLOW, FLOOD = 4408, 1008
"""Close codes: what was sent is not read; too much is sent here."""

_UNREAD = 32_768
"""Bytes that may wait to be read before nothing more is written; the kernel holds as much besides."""
_FRAME_COST = 256
"""A frame counts as so many bytes more, for it is work however small."""
_BURST = 131_072
_PER_SECOND = 16_384
"""Bytes that may come at once, and go on coming."""
_MUCH = 8_192
"""A message that has the log read anew counts as so many bytes more."""
_FRAGMENTS = 64
_GOODBYE_SECONDS = 5.0
"""How long the other side may take to say goodbye, and to read what waits."""
_REASONS = {1007: "malformed", 1009: "size"}

_log = logging.getLogger("uvicorn.doors")


class PatientWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's own lets a client send pings and fragments without end, and waits for ever for a reader."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], refusals: Refusals
    ) -> None:
        super().__init__(config, server_state, app_state)
        self.logger = _log
        self.on_room: Callable[[], None] | None = None
        """Called when there is room again for what is sent."""
        self._refusals = refusals
        self._crawl = Crawl()
        self._early = b""
        self._pong = b""
        """An answer to a ping that waits for room."""
        self._left = float(_BURST)
        self._counted = self.loop.time()

    @property
    def waits_since(self) -> float | None:
        """Since when its client has read nothing of what waits for it; one that only listens waits for us."""
        return self._crawl.since

    @property
    def open(self) -> bool:
        """Whether something may be sent."""
        return self.conn.state is State.OPEN and not self.disconnected and not self.transport.is_closing()

    @property
    def has_room(self) -> bool:
        """Whether little enough waits to be read."""
        return self.writable.is_set()

    async def room(self) -> None:
        """Return when little enough waits to be read, or when it is over."""
        await self.writable.wait()

    def costs_much(self) -> bool:
        """Count a message as one that is much work. True where there were too many, and it is over."""
        return self._floods(_MUCH)

    def write(self, frames: bytes) -> None:
        """Send frames that are made up already, by `frame`; nothing where it is closed."""
        if self.open:
            self.transport.write(frames)

    def end(self, code: int, reason: str) -> None:
        """Say goodbye, and hang up a while later even if it is not answered or read."""
        if self.open:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            if self.read_paused:
                self.read_paused = False
                self.transport.resume_reading()
            self.close_timer = self.loop.call_later(_GOODBYE_SECONDS, self.transport.abort)
            # Nothing more is sent, so nobody need wait for room.
            self.writable.set()

    def shutdown(self) -> None:
        """Say goodbye: the door closes."""
        super().shutdown()
        self.writable.set()

    def hurry(self) -> bool:
        """Let go of a client that reads too slowly; to be called every few seconds."""
        if not self._crawl.too_slow(self.loop.time(), self.transport.get_write_buffer_size()):
            return False
        self._crawl.reset()
        if self.open:
            self.end(TOO_SLOW, "what is sent is not read")
        else:
            self.transport.abort()
        return True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=_UNREAD)
        with suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNREAD)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.on_room = None

    def resume_writing(self) -> None:
        super().resume_writing()
        self._crawl.reset()
        pong, self._pong = self._pong, b""
        self.write(pong)
        if self.on_room is not None:
            self.on_room()

    def data_received(self, data: bytes) -> None:
        if self._floods(len(data)):
            return
        if self.handshake_initiated and not self.handshake_complete:
            # Who does not wait for the answer is heard after it.
            self._early += data
            return
        super().data_received(data)
        if not self.handshake_initiated and self.conn.handshake_exc is not None:
            self.handle_parser_exception()

    async def send(self, message: Any) -> None:
        """Send what the application says."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            # uvicorn would log each handshake that is refused as an error.
            self.handshake_complete = True
        if self._early and self.open:
            early, self._early = self._early, b""
            super().data_received(early)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self.response.status_code != 101:
            self._note(Refusal(400, "bad_data", "no WebSocket handshake", reason="malformed"))
            return
        self.scope["extensions"][EXTENSION] = self  # type: ignore[typeddict-unknown-key]

    def handle_cont(self, event: Frame) -> None:
        if self._floods(_FRAME_COST):
            return
        if len(self.frames) >= _FRAGMENTS:
            if self.open:
                self._note(Refusal(400, "bad_data", "a message in too many pieces", reason="flood"))
                self.end(FLOOD, "too many fragments")
            return
        super().handle_cont(event)

    def handle_text(self, event: Frame) -> None:
        if not self._floods(_FRAME_COST):
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        if not self._floods(_FRAME_COST):
            super().handle_bytes(event)

    def handle_ping(self) -> None:
        if self._floods(_FRAME_COST):
            return
        if self.has_room:
            super().handle_ping()
        elif pongs := self.conn.data_to_send():
            # The latest is enough, RFC 6455 section 5.5.3; who reads nothing must not heap them up.
            self._pong = pongs[-1]

    def handle_pong(self, event: Frame) -> None:
        if not self._floods(_FRAME_COST):
            super().handle_pong(event)

    def send_receive_event_to_app(self) -> None:
        """Hand a whole message on."""
        if self.curr_msg_data_type == "text" and not _is_text(b"".join(self.frames)):
            self.frames = []
            self.conn.fail(1007, "invalid UTF-8")
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        if self.open:
            self._note(Refusal(408, "timeout", "a WebSocket client answers no ping", reason="silent"))
        super().keepalive_timeout()
        self.loop.call_later(_GOODBYE_SECONDS, self.transport.abort)

    def handle_parser_exception(self) -> None:
        """End what speaks the protocol wrongly, or sends too much at once."""
        if not self.handshake_complete:
            refusal = Refusal(400, "bad_data", "no WebSocket handshake", reason="malformed")
            self._note(refusal)
            self.close_sent = True
            self.transport.write(refusal.bytes())
            self.transport.close()
            return
        if self.conn.close_sent is None:
            # It was over already.
            self.transport.abort()
            return
        code = self.conn.close_sent.code
        words = f"a WebSocket client was cut off with {code}"
        self._note(Refusal(400, "bad_data", words, reason=_REASONS.get(code, "malformed")))
        super().handle_parser_exception()

    def _floods(self, amount: int) -> bool:
        """Whether more comes than may; then it is over."""
        now = self.loop.time()
        self._left = min(_BURST, self._left + (now - self._counted) * _PER_SECOND) - amount
        self._counted = now
        if self._left >= 0:
            return False
        if self.open:
            self._note(Refusal(429, "unavailable", "a WebSocket client sends too much", reason="flood"))
            self.end(FLOOD, "too much is sent")
        return True

    def _note(self, refusal: Refusal) -> None:
        self._refusals.note(refusal, self.client[0] if self.client else "")


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def frame(message: bytes) -> bytes:
    """A message as one text frame, as a server sends it."""
    return Frame(Opcode.TEXT, message).serialize(mask=False)
