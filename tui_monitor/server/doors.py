"""The doors of a collector: TCP and the Unix socket. A door that cannot open is a broken source."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from tui_monitor.config import places
from tui_monitor.config.settings import Server
from tui_monitor.model.clock import Clock
from tui_monitor.model.errors import MonitorError, UsageError
from tui_monitor.runtime.supervisor import Handle, Worker
from tui_monitor.server.accepting import Caps
from tui_monitor.server.admission import Admission, Door
from tui_monitor.server.app import build_app
from tui_monitor.server.bodies import Held, Limits
from tui_monitor.server.callers import Callers
from tui_monitor.server.following import Following
from tui_monitor.server.guard import Guard
from tui_monitor.server.listening import Address, bind, bind_socket, parse_listen
from tui_monitor.server.live import LOOK_EVERY, Live
from tui_monitor.server.needs import Needs
from tui_monitor.server.packing import Dictionaries, Packing
from tui_monitor.server.ports import UrlFile
from tui_monitor.server.prometheus.running import Running
from tui_monitor.server.rates import Rates
from tui_monitor.server.refusal import Refusals
from tui_monitor.server.serving import serve
from tui_monitor.server.tls import Certificate

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

_BODIES_AT_ONCE = 6
"""So many bodies of the largest size may be in memory together."""
_IMPORT_BODY = 16_000_000
"""Bytes that the socket takes in one request whatever `server.max_body` says: imports come this way."""
_OWN_CONNECTIONS = 128
"""Connections of the socket: viewers and commands of one user."""
_USED_EVERY = 30.0
"""Seconds between two writes of when each token was last used."""
_TOLD_EVERY = 10.0
"""Seconds between two looks whether the address still stands where it was written."""
_RENEWED_EVERY = 10.0
"""Seconds between two looks whether the certificate was renewed."""
_WAITING = 60

log = logging.getLogger(__name__)


def doors(collector: "Collector") -> list[Worker]:
    """The TCP and the socket door, as workers."""
    settings = collector.settings.server
    ways = Ways(collector)
    off = "server.listen is empty" if not settings.listen.strip() else ""
    shut = "" if settings.socket else "server.socket is false"
    return [Worker("http", ways.tcp, off, "door"), Worker("socket", ways.unix, shut, "door")]


class Ways:
    """What the doors of a collector have in common, and how each is opened."""

    def __init__(self, collector: "Collector") -> None:
        self._collector = collector
        self._settings: Server = collector.settings.server
        self._largest = max(self._settings.max_body, _IMPORT_BODY)
        self._held = Held(_BODIES_AT_ONCE * self._largest)
        self._callers = Callers(
            places.token_file(), places.named_tokens_file(), places.used_tokens_file(), collector.clock
        )
        self._running = Running(collector.settings.query.at_once, _WAITING)
        self._dictionaries = Dictionaries()
        self._live = Live(collector)
        collector.traffic.count("websocket", lambda: len(self._live.clients))

    async def tcp(self, handle: Handle) -> None:
        """Serve on `server.listen` until cancelled. Raises `MonitorError` where that cannot be."""
        settings = self._settings
        address = parse_listen(settings.listen)
        certificate = _certificate(settings)
        if certificate is None and not address.loopback and not settings.insecure:
            raise UsageError(
                f"{address.text} can be reached from other hosts, and tokens would travel in clear",
                hint="set server.tls_cert and server.tls_key, or listen on 127.0.0.1; "
                "server.insecure = true does without",
            )
        if certificate is not None:
            await asyncio.to_thread(certificate.open)
        await asyncio.to_thread(self._callers.make_default)
        sock, elsewhere = await bind(address)
        bound = Address(address.host, sock.getsockname()[1])
        hosts = {name.lower() for name in (*settings.allowed_hosts, address.host)}
        face = _Face(handle, bound, elsewhere, certificate, self._collector.clock)
        door = Door("http", loopback=address.loopback, hosts=frozenset(hosts), names=face.names)
        refusals = Refusals(self._collector.refused, handle.problem)
        caps = Caps(settings.max_connections, settings.max_connections_per_client)
        told = UrlFile(places.url_path(self._collector.path), face.url)
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(asyncio.to_thread, _write_used, self._callers)
            for seconds, step in (
                (_USED_EVERY, lambda: asyncio.to_thread(_write_used, self._callers)),
                (_RENEWED_EVERY, face.keep),
                (LOOK_EVERY, self._live.look),
                (_TOLD_EVERY, lambda: asyncio.to_thread(self._tell_again, told)),
            ):
                stack.callback(asyncio.create_task(_again_and_again(handle, seconds, step)).cancel)
            stack.push_async_callback(asyncio.to_thread, told.remove)
            problem = ""
            try:
                await asyncio.to_thread(told.write)
            except MonitorError as error:
                # The door stands all the same; only who looks for it there does not find it.
                problem = error.message
            # Whoever sees the door running may look for its address.
            face.show()
            if problem:
                handle.problem(problem)
            await serve(
                handle,
                self._guarded(door, handle, refusals, caps),
                sock,
                refusals,
                caps,
                self._collector.traffic,
                tls=certificate and certificate.context,
            )

    async def unix(self, handle: Handle) -> None:
        """Serve on the Unix socket of the database until cancelled. Raises `MonitorError`."""
        path = await asyncio.to_thread(places.socket_path, self._collector.path)
        sock = await asyncio.to_thread(bind_socket, path)
        inode = path.stat().st_ino
        refusals = Refusals(self._collector.refused, handle.problem)
        caps = Caps(_OWN_CONNECTIONS)
        app = self._guarded(Door("socket", trusted=True), handle, refusals, caps)
        handle.running(str(path))
        try:
            await serve(
                handle, app, sock, refusals, caps, self._collector.traffic, look=lambda: _there(path, inode)
            )
        finally:
            with contextlib.suppress(OSError):
                if path.stat().st_ino == inode:
                    path.unlink()

    def _tell_again(self, told: UrlFile) -> None:
        """Who cleans up old files takes the address away, or the whole folder. Raises `MonitorError`."""
        if not told.there():
            places.url_path(self._collector.path)
            told.write()

    def _guarded(self, door: Door, handle: Handle, refusals: Refusals, caps: Caps) -> ASGIApp:
        app = build_app(
            self._collector,
            handle,
            trusted=door.trusted,
            running=self._running,
            refusals=refusals,
            following=Following(self._live, refusals, caps),
        )
        limits = Limits(max_body=self._largest if door.trusted else self._settings.max_body)
        rates = None if door.trusted else Rates(self._settings.rate_limit)
        admission = Admission(door, self._callers, Needs(app.routes), rates)
        # The socket's peers are on this host: for them packing costs more than it saves.
        inner = app if door.trusted else Packing(app, self._dictionaries)
        return Guard(
            inner, admission, refusals=refusals, limits=limits, held=self._held,
            traffic=self._collector.traffic,
        )  # fmt: skip


class _Face:
    """What the row of the TCP door says, as its certificate comes and goes."""

    def __init__(
        self, handle: Handle, address: Address, elsewhere: str, certificate: Certificate | None, clock: Clock
    ) -> None:
        self._handle = handle
        self._address = address
        self._elsewhere = elsewhere
        self._certificate = certificate
        self._clock = clock

    def names(self) -> frozenset[str]:
        """The names that the certificate is made out to."""
        return self._certificate.shown.names if self._certificate else frozenset()

    def show(self) -> None:
        """Say where the door stands, and what is wrong with it."""
        said, warning = [self._elsewhere] if self._elsewhere else [], ""
        if self._certificate is not None:
            shown = self._certificate.shown
            said.append(shown.words())
            warning = shown.warning(self._clock.now())
        elif not self._address.loopback:
            warning = "insecure: off loopback without TLS"
            said.append(warning)
        detail = f"{self._scheme}://{self._address.text}"
        self._handle.running(f"{detail} ({'; '.join(said)})" if said else detail)
        self._handle.warn(warning)

    @property
    def url(self) -> str:
        """The address for programs of this host."""
        return f"{self._scheme}://{self._address.reached}"

    @property
    def _scheme(self) -> str:
        return "http" if self._certificate is None else "https"

    async def keep(self) -> None:
        """Look whether the certificate was renewed. Raises `MonitorError` where it cannot be read."""
        if self._certificate is None:
            return
        try:
            if await asyncio.to_thread(self._certificate.renew):
                log.info("the certificate was loaded anew: %s", self._certificate.shown.words())
        finally:
            self.show()


def _certificate(settings: Server) -> Certificate | None:
    if settings.tls_cert is None and settings.tls_key is None:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        raise UsageError("server.tls_cert and server.tls_key go together", hint="set both, or neither")
    return Certificate(settings.tls_cert.expanduser(), settings.tls_key.expanduser())


async def _again_and_again(handle: Handle, seconds: float, step: Callable[[], Awaitable[None]]) -> None:
    """Take a step every so many seconds until cancelled; one that fails is told, and ends nothing."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await step()
        except MonitorError as error:
            handle.problem(error.message)
        except Exception as error:
            log.exception("what is to be done beside the door %s failed", handle.name)
            handle.problem(f"{type(error).__name__}: {error}")


def _there(path: Path, inode: int) -> None:
    """Raises `MonitorError` where a socket is no longer the one that its path leads to."""
    try:
        found = path.stat().st_ino
    except OSError:
        found = None
    if found != inode:
        raise MonitorError("the socket was removed, so nobody finds it", hint="it is made anew")


def _write_used(callers: Callers) -> None:
    try:
        callers.write_used()
    except MonitorError as error:
        log.warning("%s", error.message)
