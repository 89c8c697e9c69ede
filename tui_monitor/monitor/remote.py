"""A running collector of the same user, reached through its Unix socket."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_monitor.model.errors import Busy, MonitorError
from tui_monitor.monitor.acting import RemoteActions
from tui_monitor.monitor.connection import Connection, read_as, segment

if TYPE_CHECKING:
    from tui_monitor.health.upkeep import Upkeep
    from tui_monitor.health.views import CollectorStatus
    from tui_monitor.model.clock import Micros
    from tui_monitor.model.feed import Record
    from tui_monitor.model.happened import Happened
    from tui_monitor.model.timerange import TimeRange
    from tui_monitor.store.api import ImportInfo
    from tui_monitor.store.reprice import RepriceReport

_KNOCK_SECONDS = 0.5
_LOOK_SECONDS = 0.2
_UPKEEP_SECONDS = 10.0
"""Its own looks at its parts may take five."""


class SocketClient(RemoteActions):
    """Asks the collector behind a socket what only the same user may. Every method but `alive` raises
    `MonitorError`.

    Use it as `async with`, or `close` it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(Connection(path))
        self.path = path

    async def __aenter__(self) -> "SocketClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._connection.close()

    async def alive(self) -> bool:
        """Whether a collector answers; known in a moment where nobody listens."""
        if not await asyncio.to_thread(somebody_listens, self.path):
            return False
        try:
            await self._connection.ask("GET", "/live", timeout=2.0)
        except MonitorError:
            return False
        return True

    async def status(self) -> "CollectorStatus":
        """The collector itself."""
        from tui_monitor.health.views import CollectorStatus

        data = await self._connection.data("GET", "/monitor/v1/collector", timeout=3.0)
        return read_as(CollectorStatus, data)

    async def upkeep(self, shown: "TimeRange", points: int) -> "Upkeep":
        """How it is doing, its figures over the range too."""
        from tui_monitor.health.upkeep import Upkeep
        from tui_monitor.model.clock import MS, iso

        edges = {"end": shown.end, "since": shown.since}
        told = {name: iso(instant) for name, instant in edges.items() if instant is not None}
        params = {"range": f"{shown.length // MS}ms", "points": points, **told}
        data = await self._connection.data(
            "GET", "/monitor/v1/upkeep", params=params, timeout=_UPKEEP_SECONDS
        )
        return read_as(Upkeep, data)

    async def happened(self, names: "Sequence[str]" = (), limit: int = 50) -> "Happened":
        """The newest events of its log."""
        from tui_monitor.model.happened import Happened

        params = {"event_types": ",".join(names), "limit": limit}
        return read_as(
            Happened,
            await self._connection.data("GET", "/monitor/v1/feed/newest", params=params, timeout=3.0),
        )

    async def begin_import(self, info: "ImportInfo") -> None:
        """Note an import before its rows arrive."""
        import orjson

        await self._connection.ask("POST", "/monitor/v1/imports", content=orjson.dumps(info))

    async def record(self, batch_id: str, records: "Sequence[Record]") -> dict[str, Any]:
        """Store rows of an import; the answer counts those `accepted` (of these `corrected`), `duplicate` and
        `late`, and lists those `rejected`.

        While the collector's queue is full it waits and tries again.
        """
        body = b"\n".join(_line(record) for record in records)
        path = f"/monitor/v1/imports/{segment(batch_id)}/records"
        while True:
            try:
                return await self._connection.ask("POST", path, content=body)
            except Busy as busy:
                await asyncio.sleep(busy.retry_after)

    async def reprice(
        self, since: "Micros", told: "Callable[[int, int], None] | None" = None
    ) -> "RepriceReport":
        """Let it price stored calls anew; `told` is called with how many are done, of how many."""
        from tui_monitor.store.reprice import RepriceReport

        data = await self._connection.data("POST", "/monitor/v1/reprice", json={"since": since})
        while data["report"] is None:
            if data["error"]:
                raise MonitorError(data["error"])
            if told is not None:
                told(data["done"], data["total"])
            await asyncio.sleep(_LOOK_SECONDS)
            data = await self._connection.data("GET", "/monitor/v1/reprice")
        return read_as(RepriceReport, data["report"])


def somebody_listens(path: Path) -> bool:
    """Whether a connection to the socket is taken. Blocks for half a second at most."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock, suppress(OSError):
        knock.settimeout(_KNOCK_SECONDS)
        knock.connect(os.fspath(path))
        return True
    return False


def _line(record: "Record") -> bytes:
    """A record as a line: its kind, then its fields."""
    import orjson

    return b'{"record":"%s",' % type(record).__name__.lower().encode() + orjson.dumps(record)[1:]
