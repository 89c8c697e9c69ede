"""The HTTP protocol of one connection: it loses patience with clients that never finish a request's head."""

import asyncio
import logging
import os
import socket
import struct
import sys
from functools import partial
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from tui_monitor.server.crawl import Crawl
from tui_monitor.server.refusal import Refusal, Refusals
from tui_monitor.server.websocket import PATHS, PatientWebSocket

_log = logging.getLogger("uvicorn.doors")
# Anybody could fill the log with warnings about bad requests; those are counted instead.
_log.setLevel(logging.ERROR)


_LINGER_SECONDS = 1.0


class PatientProtocol(H11Protocol):
    """uvicorn's own waits for ever for a request, for the rest of its head, and for whoever reads slowly."""

    head_seconds = 10.0
    """How long the head of a request may take to arrive."""
    _head_timer: asyncio.TimerHandle | None = None

    def __init__(self, config: uvicorn.Config, state: ServerState, refusals: Refusals) -> None:
        super().__init__(config, state, {})
        self.logger = _log
        self._refusals = refusals
        self._heard = self.loop.time()
        self._deaf = False
        self._crawl = Crawl()
        # uvicorn's Config takes a class of its own arguments only.
        self.ws_protocol_class: Any = partial(PatientWebSocket, refusals=refusals)

    @property
    def waits_since(self) -> float | None:
        """Since when it waits for its client: for a request, the rest of one, or to read the answer.

        None while the server is at work for it.
        """
        if self.cycle is None or self.cycle.response_complete or self.cycle.more_body:
            return self._heard
        return self._crawl.since

    def hurry(self) -> bool:
        """Let go of a client that reads its answer too slowly; to be called every few seconds."""
        slow = self._crawl.too_slow(self.loop.time(), self.transport.get_write_buffer_size())
        if slow:
            self.transport.abort()
        return slow

    def _should_upgrade(self) -> bool:
        # Elsewhere the header is left alone, as HTTP allows.
        return self.scope["path"] in PATHS and super()._should_upgrade()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """From here on the connection is another protocol's."""
        self._head_arrived()
        self._deaf = True
        super().handle_websocket_upgrade(event)
        # A client that did not wait for the answer is understood all the same.
        if early := self.conn.trailing_data[0]:
            protocol: Any = self.transport.get_protocol()
            protocol.data_received(early)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if not _same_user(transport.get_extra_info("socket")):
            transport.abort()
            return
        self._expect_head()

    def resume_writing(self) -> None:
        self._crawl.reset()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._heard = self.loop.time()
        super().data_received(data)
        if self._deaf:
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self._head_arrived()
        elif self._head_timer is None:
            self._expect_head()

    def on_response_complete(self) -> None:
        self._heard = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; called while h11's error is handled."""
        error = sys.exception()
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        # What was sent stands behind the colon, as the library writes it for programmers.
        why = str(error).partition(": bytearray(")[0]
        refusal = Refusal(
            status, "bad_data", f"this is no HTTP request: {why}", reason="malformed",
            hint="send HTTP/1.1; over https only to a door that has a certificate",
        )  # fmt: skip
        self._refusals.note(refusal, self.client[0] if self.client else "")
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._hang_up(refusal)
        else:
            self.transport.close()

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_seconds, self._lose_patience)

    def _lose_patience(self) -> None:
        # Who opened a connection and said nothing is no trouble: browsers do.
        if self.conn.trailing_data[0]:
            refusal = Refusal(408, "timeout", "the head of a request came too slowly", reason="slow")
            self._refusals.note(refusal, self.client[0] if self.client else "")
            self._hang_up(refusal)
        else:
            self.transport.close()

    def _hang_up(self, refusal: Refusal) -> None:
        """Close behind an answer; a while later, for what still comes would break it off unread."""
        self._deaf = True
        self._head_arrived()
        self.transport.write(refusal.bytes())
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def _same_user(sock: Any) -> bool:
    """Whether a Unix socket's other end is this user or root; other sockets have a guard of their own."""
    if sock is None or sock.family != socket.AF_UNIX or not hasattr(socket, "SO_PEERCRED"):
        return True
    size = struct.calcsize("3i")
    # A socket object of our own: that of another event loop may not offer the option.
    with socket.fromfd(sock.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as own:
        _pid, uid, _gid = struct.unpack("3i", own.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return uid in (os.getuid(), 0)
