"""Sockets that listen: TCP addresses and the Unix socket, and what to do where one cannot."""

import asyncio
import errno
import ipaddress
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from tui_monitor.model.errors import MonitorError, UsageError
from tui_monitor.model.text import clean
from tui_monitor.server.ports import USUAL, holder, own_ports

AUTO = "auto"
_BACKLOG = 1024
"""Connections that may wait to be taken in; of more, clients try again a second later."""


class PortTaken(MonitorError):
    """Another program listens there."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a TCP door stands."""

    host: str
    port: int | None
    """None where any of the user's ports will do, the usual one first."""

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
        port = AUTO if self.port is None else self.port
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"

    @property
    def reached(self) -> str:
        """The same as somebody on this host writes it."""
        here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return Address(here, self.port).text


def parse_listen(text: str) -> Address:
    """`127.0.0.1:4319`, `[::1]:4319`, `:4319` (every address), `127.0.0.1:auto`. Raises `UsageError`."""
    host, colon, port = text.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "0.0.0.0"
    if colon and port == AUTO:
        return Address(host, None)
    if not colon or not (port.isascii() and port.isdigit() and len(port) < 6) or int(port) > 65_535:
        raise UsageError(
            f"server.listen is no address: {clean(text, 80)!r}",
            hint="write it like 127.0.0.1:4319, [::1]:4319 or 127.0.0.1:auto",
        )
    return Address(host, int(port))


async def bind(address: Address) -> tuple[socket.socket, str]:
    """A listening socket, and why it is not on the usual port where it is not. Raises `MonitorError`."""
    if address.port is not None:
        return await bind_tcp(address), ""
    own = own_ports(os.getuid())
    for port in (USUAL, *own):
        try:
            sock = await bind_tcp(Address(address.host, port))
        except PortTaken:
            continue
        return sock, "" if port == USUAL else f"{USUAL} is taken by {await asyncio.to_thread(holder, USUAL)}"
    raise PortTaken(
        f"{USUAL} and your own ports, {own[0]} to {own[-1]}, are in use",
        hint="set server.listen to another port, or to nothing to do without",
    )


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
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise _cannot_bind(address, error) from error
    return sock


def _cannot_bind(address: Address, error: OSError) -> MonitorError:
    match error.errno:
        case errno.EADDRINUSE:
            return PortTaken(
                f"{address.text} is in use by another program",
                hint="set server.listen to another port, to 127.0.0.1:auto, or to nothing to do without",
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
        sock.listen(_BACKLOG)
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
