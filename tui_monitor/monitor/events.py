"""What a running collector tells as it happens: the other end of its WebSocket, whatever the line does."""

import asyncio
import os
import random
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

from tui_monitor.model.errors import Forbidden, MonitorError, NotFound, Unreachable, UsageError
from tui_monitor.monitor.connection import check_address, error_of, is_here, trusted, unreachable

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection
    from websockets.exceptions import InvalidStatus

    from tui_monitor.model.clock import Micros

_OPEN_SECONDS = 10.0
_PING_SECONDS = 20.0
_LARGEST = 4_000_000
"""Bytes of a message that are taken."""
_LONGEST_RUN = 100
"""Characters of what names one run of a collector."""
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 30.0
_SETTLED = 30.0
"""Seconds that a line has to hold before the next wait is short again."""


@dataclass(frozen=True, slots=True)
class Told:
    """Something happened; `merged` says how many events this one stands for.

    `initial_status` comes first on every line, and says how things stand.
    """

    event: str
    ts: "Micros"
    data: dict[str, Any]
    merged: int = 1


@dataclass(frozen=True, slots=True)
class Missed:
    """What happened from one id to another, both included, is no longer known."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The line is down; it is tried again in `again` seconds."""

    error: MonitorError
    again: float


class Events:
    """Follows one collector: `async for` gives what it tells, without end; where a line breaks it goes on.

    `where` is the path of a Unix socket, or an address like `https://host:4319`; `token` is sent as a bearer
    token, and `ca_file` holds certificates to trust besides the system's. `names` are the events that are
    wanted; with none it is all that are usual. Raises `UsageError` for an address that is none. While it
    runs it raises `Forbidden`, `NotFound` and `UsageError` where trying again would change nothing.
    """

    def __init__(
        self, where: Path | str, *, token: str = "", ca_file: Path | None = None, names: Iterable[str] = ()
    ) -> None:
        if isinstance(where, str):
            check_address(where)
        self._where = where
        self._token = token
        self._ca_file = ca_file
        self._names = tuple(names)
        self._read: int | None = None
        self._run = ""

    async def __aiter__(self) -> AsyncGenerator[Told | Missed | Lost, None]:
        wait = _FIRST_WAIT
        while True:
            began = asyncio.get_running_loop().time()
            try:
                async with aclosing(self._over_one_line()) as line:
                    async for told in line:
                        yield told
                error = Unreachable("the collector hung up")
            except (Forbidden, NotFound, UsageError):
                raise
            except MonitorError as broken:
                error = broken
            if asyncio.get_running_loop().time() - began >= _SETTLED:
                wait = _FIRST_WAIT
            # Not all at the same moment, where many follow a collector that was started anew.
            again = wait * random.uniform(0.7, 1.0)
            yield Lost(error, again)
            await asyncio.sleep(again)
            wait = min(_LONGEST_WAIT, 2 * wait)

    async def _over_one_line(self) -> AsyncGenerator[Told | Missed, None]:
        from websockets.exceptions import ConnectionClosed

        socket = await self._opened()
        try:
            async for text in socket:
                for told in self._heard(text):
                    yield told
        except ConnectionClosed as error:
            why = error.rcvd.reason if error.rcvd else "the line broke"
            raise Unreachable(f"the collector on {self._where} hung up: {why}") from error
        finally:
            with suppress(Exception):
                await asyncio.shield(socket.close())

    async def _opened(self) -> "ClientConnection":
        from websockets.exceptions import InvalidHandshake, InvalidStatus

        try:
            return await self._connect()
        except InvalidStatus as error:
            raise _refused(error) from error
        except (OSError, InvalidHandshake, EOFError) as error:
            raise unreachable(self._where, error) from error

    async def _connect(self) -> "ClientConnection":
        from websockets.asyncio.client import connect, unix_connect

        class Here(connect):
            """Goes where it was told to, and nowhere else: what answers elsewhere is not the collector."""

            def process_redirect(self, exc: Exception) -> Exception:
                return exc

        options: dict[str, Any] = {
            "compression": None, "open_timeout": _OPEN_SECONDS, "max_size": _LARGEST,
            "ping_interval": _PING_SECONDS, "ping_timeout": _PING_SECONDS, "close_timeout": 2.0,
        }  # fmt: skip
        if isinstance(self._where, Path):
            return await unix_connect(os.fspath(self._where), f"ws://collector/ws{self._query()}", **options)
        address = urlsplit(self._where)
        if address.scheme == "https":
            options["ssl"] = await asyncio.to_thread(trusted, self._ca_file)
        if self._token:
            options["additional_headers"] = {"Authorization": f"Bearer {self._token}"}
        if is_here(address.hostname):
            options["proxy"] = None
        scheme, path = address.scheme.replace("http", "ws"), address.path.rstrip("/")
        url = urlunsplit((scheme, address.netloc, f"{path}/ws", "", ""))
        return await Here(url + self._query(), **options)

    def _query(self) -> str:
        asked = []
        if self._names:
            asked.append(f"event_types={quote(','.join(self._names))}")
        if self._read is not None:
            asked.append(f"last_event_id={self._read}&run={quote(self._run)}")
        return f"?{'&'.join(asked)}" if asked else ""

    def _heard(self, text: str | bytes) -> Iterator[Told | Missed]:
        from tui_monitor.monitor.reading import form_in

        try:
            found = tuple(self._meant(form_in(text, harmless=True) or {}))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise MonitorError(
                f"what the collector on {self._where} tells cannot be read",
                hint="it is of another version; update both to the same",
            ) from error
        yield from found

    def _meant(self, message: dict[str, Any]) -> Iterator[Told | Missed]:
        match message["type"]:
            case "connected":
                self._run = str(message["run"])[:_LONGEST_RUN]
                if self._read is None:
                    self._read = int(message["last_event_id"])
            case "event":
                several = message["data"]["events"] if message["event"] == "merged" else (message,)
                for one in several:
                    yield Told(str(one["event"]), int(one["ts"]), one["data"], int(one.get("merged", 1)))
                self._read = int(message["id"])
            case "gone":
                yield Missed(int(message["from"]), int(message["to"]))


def _refused(error: "InvalidStatus") -> MonitorError:
    """Why the collector did not open a WebSocket."""
    from tui_monitor.monitor.reading import form_in

    response = error.response
    form = form_in(bytes(response.body or b"")) or {}
    if response.status_code in (404, 405, 426):
        return NotFound("the collector over there knows no WebSocket", hint="it is of an older version")
    return error_of(response.status_code, response.headers.get("retry-after"), form)
