"""The doors themselves: sockets bound, served and closed. A door that cannot open is a broken source."""

import asyncio
import contextlib
import errno
import ipaddress
import logging
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from tui_monitor.config import places
from tui_monitor.model.errors import MonitorError, UsageError
from tui_monitor.runtime.supervisor import Handle, Worker
from tui_monitor.server.admission import Admission, Door
from tui_monitor.server.app import build_app
from tui_monitor.server.bodies import Held, Limits
from tui_monitor.server.callers import Callers
from tui_monitor.server.guard import Guard
from tui_monitor.server.needs import Needs
from tui_monitor.server.prometheus.running import Running
from tui_monitor.server.protocol import PatientProtocol, QuietServer
from tui_monitor.server.refusal import Refusals

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

_BODIES_AT_ONCE = 6
"""So many bodies of the largest size may be in memory together."""
_IMPORT_BODY = 16_000_000
"""Bytes that the socket takes in one request whatever `server.max_body` says: imports come this way."""
_CONNECTIONS = 512
_USED_EVERY = 30.0
"""Seconds between two writes of when each token was last used."""
_QUERIES = 4
_WAITING = 60

log = logging.getLogger(__name__)

# uvicorn's warnings go to the log file, or nowhere: never to the terminal by the last-resort handler.
logging.getLogger("uvicorn").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Address:
    """Where a TCP door stands."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this host reaches it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def text(self) -> str:
        """`host:port`, an IPv6 host in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str) -> Address:
    """`127.0.0.1:4319`, `[::1]:4319`, `:4319` (every address). Raises `UsageError`."""
    host, colon, port = text.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "0.0.0.0"
    if not colon or not port.isdigit() or int(port) > 65_535:
        raise UsageError(
            f"server.listen is no address: {text!r}", hint="write it like 127.0.0.1:4319 or [::1]:4319"
        )
    return Address(host, int(port))


def doors(collector: "Collector") -> list[Worker]:
    """The TCP and the socket door, as workers."""
    settings = collector.settings.server
    largest = max(settings.max_body, _IMPORT_BODY)
    held = Held(_BODIES_AT_ONCE * largest)
    callers = Callers(
        places.token_file(), places.named_tokens_file(), places.used_tokens_file(), collector.clock
    )
    running = Running(_QUERIES, _WAITING)

    def guarded(door: Door, handle: Handle) -> ASGIApp:
        refusals = Refusals(collector.refused, handle.problem)
        app = build_app(collector, handle, trusted=door.trusted, running=running, refusals=refusals)
        limits = Limits(max_body=largest if door.trusted else settings.max_body)
        admission = Admission(door, callers, Needs(app.routes))
        return Guard(app, admission, refusals=refusals, limits=limits, held=held)

    async def tcp(handle: Handle) -> None:
        address = parse_listen(settings.listen)
        if not address.loopback and not settings.insecure:
            raise UsageError(
                f"{address.text} can be reached from other hosts, and tokens would travel in clear",
                hint="listen on 127.0.0.1, or set server.insecure = true",
            )
        await asyncio.to_thread(callers.make_default)
        hosts = frozenset(name.lower() for name in (*settings.allowed_hosts, address.host))
        sock = await bind_tcp(address)
        bound = Address(address.host, sock.getsockname()[1])
        door = Door("http", loopback=address.loopback, hosts=hosts)
        warning = "" if address.loopback else " (insecure: off loopback without TLS)"
        keeping = asyncio.create_task(_keep_used(callers), name="when tokens were used")
        try:
            await _serve(handle, guarded(door, handle), sock, f"http://{bound.text}{warning}")
        finally:
            keeping.cancel()
            await asyncio.to_thread(_write_used, callers)

    async def unix(handle: Handle) -> None:
        path = await asyncio.to_thread(places.socket_path, collector.path)
        sock = await asyncio.to_thread(bind_socket, path)
        inode = path.stat().st_ino
        try:
            await _serve(handle, guarded(Door("socket", trusted=True), handle), sock, str(path))
        finally:
            with contextlib.suppress(OSError):
                if path.stat().st_ino == inode:
                    path.unlink()

    off = "server.listen is empty" if not settings.listen.strip() else ""
    shut = "" if settings.socket else "server.socket is false"
    return [Worker("http", tcp, off, "door"), Worker("socket", unix, shut, "door")]


async def bind_tcp(address: Address) -> socket.socket:
    """A listening socket. Raises `MonitorError` with what to do about it."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise MonitorError(
            f"server.listen: no such host: {address.host}", hint="write an address of this host"
        ) from error
    family, kind, proto, _, where = min(found, key=lambda info: info[0] != socket.AF_INET)
    sock = socket.socket(family, kind, proto)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(where)
        sock.listen(128)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise _cannot_bind(address, error) from error
    return sock


def _cannot_bind(address: Address, error: OSError) -> MonitorError:
    match error.errno:
        case errno.EADDRINUSE:
            return MonitorError(
                f"{address.text} is in use by another program",
                hint="set server.listen to another port, or to nothing to do without",
            )
        case errno.EACCES:
            return MonitorError(
                f"not allowed to listen on {address.text}",
                hint="ports below 1024 need root; choose a higher one",
            )
        case errno.EADDRNOTAVAIL:
            return MonitorError(
                f"{address.host} is no address of this host", hint="set server.listen to one that is"
            )
        case _:
            return MonitorError(f"cannot listen on {address.text}: {error.strerror}")


def bind_socket(path: Path) -> socket.socket:
    """A listening Unix socket only its owner may connect to. Raises `MonitorError`.

    What a killed collector left behind is removed; a socket that somebody answers on is not.
    """
    _remove_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # On Linux the file gets the mode of the unbound socket, so there is no moment with a wider one.
        os.fchmod(sock.fileno(), 0o600)
        sock.bind(str(path))
        path.chmod(0o600)
        sock.listen(128)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise MonitorError(f"cannot open the socket {path}: {error.strerror}") from error
    return sock


def _remove_stale(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise MonitorError(f"cannot open the socket {path}: {error.strerror}") from error
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid():
        raise MonitorError(f"{path} is in the way", hint="remove it: it is no socket of yours")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise MonitorError(f"cannot tell who answers on {path}: {error}") from error
    raise MonitorError(f"another collector answers on {path}", hint="stop it first")


async def _keep_used(callers: Callers) -> None:
    while True:
        await asyncio.sleep(_USED_EVERY)
        await asyncio.to_thread(_write_used, callers)


def _write_used(callers: Callers) -> None:
    try:
        callers.write_used()
    except MonitorError as error:
        log.warning("%s", error.message)


async def _serve(handle: Handle, app: ASGIApp, sock: socket.socket, detail: str) -> None:
    """Serve until cancelled; then finish the requests under way, one second at most."""
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=1,
    )
    server = QuietServer(config)
    serving = asyncio.create_task(server.serve(sockets=[sock]), name=f"door {handle.name}")
    handle.running(detail)
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.end()
        await serving
        raise
    finally:
        sock.close()
