"""Real servers on the loopback that answer, lie, hang or drip as a test wants, and what a source is given."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from tui_monitor.config.consent import Consent
from tui_monitor.config.probing import Probes, StatusPages
from tui_monitor.model.clock import Clock
from tui_monitor.model.feed import Record, Sample
from tui_monitor.recorder.recorder import Receipt


@dataclass
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    connection: int
    body: bytes = b""


Handler = Callable[[Asked, socket.socket], None]


@dataclass
class Server:
    """What answers at an address, and what it was asked."""

    port: int
    handler: Handler
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def answer(
    body: object = b"", status: int = 200, content_type: str = "application/json", **headers: str
) -> Handler:
    """A handler that says this and keeps the connection."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())

    def handle(_: Asked, conn: socket.socket) -> None:
        length = f"content-length: {len(data)}\r\n"
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\n{length}{more}\r\n"
        conn.sendall(head.encode() + data)

    return handle


def hang(_: Asked, conn: socket.socket) -> None:
    """Never says anything."""
    time.sleep(5)


def drip_headers(_: Asked, conn: socket.socket) -> None:
    """A byte of a header now and then, for ever."""
    conn.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
    with suppress(OSError):
        for _tick in range(250):
            conn.sendall(b"a")
            time.sleep(0.02)


def drip_body(_: Asked, conn: socket.socket) -> None:
    """A byte of the body now and then."""
    conn.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n")
    with suppress(OSError):
        for _tick in range(250):
            conn.sendall(b" ")
            time.sleep(0.02)


def endless(_: Asked, conn: socket.socket) -> None:
    """A body without end."""
    conn.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
    with suppress(OSError):
        for _chunk in range(2_000):
            conn.sendall(b"[" * 65_536)


def cut(_: Asked, conn: socket.socket) -> None:
    """Less of a body than was promised."""
    conn.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"data":')
    conn.shutdown(socket.SHUT_RDWR)


def no_http(_: Asked, conn: socket.socket) -> None:
    """Something that is no HTTP."""
    conn.sendall(b"220 mail.example.org ESMTP ready\r\n\r\n")


def slam(_: Asked, conn: socket.socket) -> None:
    """Closes without a word."""
    conn.shutdown(socket.SHUT_RDWR)


@contextmanager
def serving(handler: Handler) -> Iterator[Server]:
    """A server until the block is left."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1], handler)
    ended = threading.Event()
    conns: list[socket.socket] = []

    def accept() -> None:
        while not ended.is_set():
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            conns.append(conn)
            threading.Thread(target=talk, args=(conn, len(conns)), daemon=True).start()

    def talk(conn: socket.socket, number: int) -> None:
        with suppress(OSError, ValueError, IndexError), conn, conn.makefile("rb") as lines:
            while line := lines.readline():
                path = line.decode("latin-1").split(" ")[1]
                headers = {}
                while (line := lines.readline().strip()) != b"":
                    name, _, value = line.decode("latin-1").partition(":")
                    headers[name.lower()] = value.strip()
                body = lines.read(int(headers.get("content-length", 0)))
                asked = Asked(path, headers, number, body)
                server.asked.append(asked)
                server.handler(asked, conn)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        ended.set()
        # A blocked accept is woken by nothing else everywhere.
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", server.port), 0.2).close()
        listener.close()
        for conn in conns:
            with suppress(OSError):
                conn.close()


class Context:
    """What a source sees of its runner; it keeps what it is told."""

    def __init__(
        self,
        clock: Clock,
        *,
        probes: dict[str, Any] | None = None,
        pages: dict[str, Any] | None = None,
        consent: dict[str, bool] | None = None,
        used: Sequence[str] = (),
    ) -> None:
        self.clock = clock
        self.settings: Any = SimpleNamespace(
            probes=Probes.model_validate(probes or {}),
            status_pages=StatusPages.model_validate(pages or {}),
            consent=Consent.model_validate(consent or {}),
        )
        self.samples: list[Sample] = []
        self.problems: list[str] = []
        self.details: list[str | None] = []
        self.kept: dict[str, str] = {}
        self._used = frozenset(used)

    async def submit(
        self, records: Sequence[Record], *, remember: bool = False, offsets: Mapping[str, str] | None = None
    ) -> Receipt:
        self.samples += [record for record in records if isinstance(record, Sample)]
        self.kept |= offsets or {}
        return Receipt(accepted=len(records))

    async def offsets(self, prefix: str) -> dict[str, str]:
        return {key: value for key, value in self.kept.items() if key.startswith(prefix) and value}

    async def providers_used(self) -> frozenset[str]:
        return self._used

    def expect(self, seconds: float) -> None:
        assert seconds > 0

    def running(self, detail: str | None = None) -> None:
        self.details.append(detail)

    def problem(self, error: str) -> None:
        self.problems.append(error)

    def named(self, name: str) -> list[Sample]:
        return [sample for sample in self.samples if sample.name == name]
