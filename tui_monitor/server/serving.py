"""uvicorn as the doors use it: without its signal handlers and its own listeners."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from tui_monitor.runtime.supervisor import Handle
from tui_monitor.runtime.traffic import Traffic
from tui_monitor.server.accepting import Accepting, Caps
from tui_monitor.server.protocol import PatientProtocol
from tui_monitor.server.refusal import Refusals
from tui_monitor.server.websocket import LARGEST, PING_SECONDS

_KEEP_ALIVE_SECONDS = 15
_LOOK_EVERY = 5.0
"""Seconds between two looks who reads too slowly."""

# uvicorn's warnings go to the log file, or nowhere: never to the terminal by the last-resort handler.
logging.getLogger("uvicorn").addHandler(logging.NullHandler())


async def serve(
    handle: Handle,
    app: ASGIApp,
    sock: socket.socket,
    refusals: Refusals,
    caps: Caps,
    traffic: Traffic,
    *,
    tls: ssl.SSLContext | None = None,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Serve until cancelled; then finish the requests under way, one second at most.

    `look` is called every second; what it raises ends this in the same way, and is raised.
    """
    config = uvicorn.Config(
        app,
        http="h11",
        # The connection's own protocol brings that of the WebSocket.
        ws="none",
        ws_max_size=LARGEST,
        ws_per_message_deflate=False,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    server = DoorServer(config, refusals, caps, tls, look)
    serving = asyncio.create_task(server.serve(sockets=[sock]), name=f"door {handle.name}")
    try:
        with traffic.connections(handle.name, lambda: len(server.server_state.connections)):
            await asyncio.shield(serving)
        if server.broken is not None:
            raise server.broken
    except asyncio.CancelledError:
        server.end()
        await serving
        raise
    finally:
        sock.close()


class DoorServer(uvicorn.Server):
    """Takes connections in itself, and looks after them every second and not ten times as often."""

    def __init__(
        self,
        config: uvicorn.Config,
        refusals: Refusals,
        caps: Caps,
        tls: ssl.SSLContext | None,
        look: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self.broken: Exception | None = None
        """Why it ended without being told to."""
        self._look = look
        self._told = asyncio.Event()
        self._refusals = refusals
        self._accepting = Accepting(caps, refusals, self._protocol, tls)
        self._tasks: list[asyncio.Task[None]] = []

    def end(self) -> None:
        """Close, after the requests under way."""
        self.should_exit = True
        self._told.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take connections in from these sockets."""
        self.servers = []
        self._tasks = [asyncio.create_task(self._accepting.run(sock)) for sock in sockets or ()]
        self.started = True

    async def main_loop(self) -> None:
        """Until it is told to end."""
        loop = asyncio.get_running_loop()
        looked = loop.time()
        # The looks keep the Date header right.
        while not await self.on_tick(0):
            self._look_after()
            if loop.time() - looked >= _LOOK_EVERY:
                looked = loop.time()
                self._accepting.hurry()
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._told.wait()

    def _look_after(self) -> None:
        """A door that takes nobody in any more is closed, and opened anew by who runs it."""
        try:
            for task in self._tasks:
                if task.done():
                    task.result()
            self._look()
        except Exception as error:
            self.broken = error
            self.end()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take none in any more, and let those end that are here."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the program's."""
        yield

    def _protocol(self) -> PatientProtocol:
        return PatientProtocol(self.config, self.server_state, self._refusals)
