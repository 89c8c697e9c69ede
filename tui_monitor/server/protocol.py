"""The HTTP protocol of one connection: it loses patience with clients that never finish a request's head."""

import asyncio
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
"""How long the head of a request may take to arrive."""


class PatientProtocol(H11Protocol):
    """uvicorn's own waits for ever for the first request, and for the rest of a head that has begun."""

    head_seconds = HEAD_SECONDS
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if not _same_user(transport.get_extra_info("socket")):
            transport.abort()
            return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._head_arrived()
        elif self._head_timer is None:
            self._expect_head()

    def _unsupported_upgrade_warning(self) -> None:
        # Any web page could fill the log with these; the request itself is answered like others.
        pass

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_seconds, self.transport.close)

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


class QuietServer(uvicorn.Server):
    """uvicorn without its signal handlers, which are the program's, and without its ten looks a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def end(self) -> None:
        """Close, after the requests under way."""
        self.should_exit = True
        self._told.set()

    async def main_loop(self) -> None:
        # The looks keep the Date header right.
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._told.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
