"""A running collector of the same user, reached through its Unix socket."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tui_monitor.model.errors import Busy, MonitorError, NotFound, QueryError, StoreError, UsageError

if TYPE_CHECKING:
    import httpx

    from tui_monitor.health.views import CollectorStatus
    from tui_monitor.model.alert import Alert, Matcher, Silence
    from tui_monitor.model.clock import Micros
    from tui_monitor.model.feed import Record
    from tui_monitor.monitor.api import Reloaded
    from tui_monitor.store.api import ImportInfo
    from tui_monitor.store.reprice import RepriceReport

T = TypeVar("T")

_KNOCK_SECONDS = 0.5
_LOOK_SECONDS = 0.2
_ANSWER_SECONDS = 130.0
"""A little more than the server gives itself."""


class SocketClient:
    """Asks the collector behind a socket. Every method but `alive` raises `MonitorError`.

    Use it as `async with`, or `close` it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._http: httpx.AsyncClient | None = None

    async def __aenter__(self) -> "SocketClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def alive(self) -> bool:
        """Whether a collector answers; known in a moment where nobody listens."""
        if not await asyncio.to_thread(somebody_listens, self.path):
            return False
        try:
            await self._ask("GET", "/live", timeout=2.0)
        except MonitorError:
            return False
        return True

    async def status(self) -> "CollectorStatus":
        """The collector itself."""
        from tui_monitor.health.views import CollectorStatus

        data = await self._data("GET", "/monitor/v1/collector", timeout=3.0)
        return _as(CollectorStatus, data)

    async def acknowledge(self, alert_id: str, who: str, note: str = "") -> "Alert":
        """Say that somebody takes care of an alert."""
        return await self._alert(alert_id, "ack", {"who": who, "note": note})

    async def unacknowledge(self, alert_id: str, who: str) -> "Alert":
        """Take an acknowledgement back."""
        return await self._alert(alert_id, "unack", {"who": who})

    async def silence(
        self,
        matchers: "Sequence[Matcher]",
        ends: "Micros",
        who: str,
        note: str = "",
        *,
        starts: "Micros | None" = None,
    ) -> "Silence":
        """Keep the alerts quiet that all matchers fit."""
        from tui_monitor.model.alert import Silence
        from tui_monitor.model.clock import iso

        body = {
            "matchers": [{"name": m.name, "op": m.op, "value": m.value} for m in matchers],
            "ends": iso(ends),
            "who": who,
            "note": note,
        }
        if starts is not None:
            body["starts"] = iso(starts)
        return _as(Silence, await self._data("POST", "/monitor/v1/silences", json=body))

    async def unsilence(self, silence_id: str, who: str) -> "Silence":
        """End a silence now."""
        from urllib.parse import quote

        from tui_monitor.model.alert import Silence

        path = f"/monitor/v1/silences/{quote(silence_id, safe='')}"
        return _as(Silence, await self._data("DELETE", path, params={"who": who}))

    async def begin_import(self, info: "ImportInfo") -> None:
        """Note an import before its rows arrive."""
        import orjson

        await self._ask("POST", "/monitor/v1/imports", content=orjson.dumps(info))

    async def record(self, batch_id: str, records: "Sequence[Record]") -> dict[str, Any]:
        """Store rows of an import; the answer counts those `accepted` (of these `corrected`), `duplicate` and
        `late`, and lists those `rejected`.

        While the collector's queue is full it waits and tries again.
        """
        body = b"\n".join(_line(record) for record in records)
        while True:
            try:
                return await self._ask("POST", f"{_import(batch_id)}/records", content=body)
            except Busy as busy:
                await asyncio.sleep(busy.retry_after)

    async def undo_import(self, batch_id: str) -> int:
        """Take an import back; the number of calls taken out."""
        return (await self._data("DELETE", _import(batch_id)))["calls"]

    async def pause_source(self, name: str, who: str) -> None:
        """Let a source wait until it is resumed."""
        await self._ask("POST", _source(name, "pause"), json={"who": who})

    async def resume_source(self, name: str, who: str) -> None:
        """Let a paused source go on, or try a failed one again at once."""
        await self._ask("POST", _source(name, "resume"), json={"who": who})

    async def reprice(
        self, since: "Micros", told: "Callable[[int, int], None] | None" = None
    ) -> "RepriceReport":
        """Let it price stored calls anew; `told` is called with how many are done, of how many."""
        from tui_monitor.store.reprice import RepriceReport

        data = await self._data("POST", "/monitor/v1/reprice", json={"since": since})
        while data["report"] is None:
            if data["error"]:
                raise MonitorError(data["error"])
            if told is not None:
                told(data["done"], data["total"])
            await asyncio.sleep(_LOOK_SECONDS)
            data = await self._data("GET", "/monitor/v1/reprice")
        return _as(RepriceReport, data["report"])

    async def reload(self) -> "Reloaded":
        """Let it read its configuration again. Raises `UsageError` where that is wrong."""
        from tui_monitor.monitor.api import Reloaded

        return _as(Reloaded, await self._data("POST", "/monitor/v1/reload"))

    async def _alert(self, alert_id: str, what: str, body: dict[str, str]) -> "Alert":
        from urllib.parse import quote

        from tui_monitor.model.alert import Alert

        path = f"/monitor/v1/alerts/{quote(alert_id, safe='')}/{what}"
        return _as(Alert, await self._data("POST", path, json=body))

    async def _data(self, method: str, path: str, **options: Any) -> Any:
        return (await self._ask(method, path, **options))["data"]

    async def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        import httpx

        if self._http is None:
            transport = httpx.AsyncHTTPTransport(uds=os.fspath(self.path))
            self._http = httpx.AsyncClient(
                transport=transport, base_url="http://collector", timeout=_ANSWER_SECONDS
            )
        try:
            response = await self._http.request(method, path, **options)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise MonitorError(
                f"the collector does not answer on {self.path}", hint="is it still running?"
            ) from error
        if response.is_success:
            return answer
        raise _error_of(response.status_code, response.headers.get("retry-after"), answer)


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


def _import(batch_id: str) -> str:
    from urllib.parse import quote

    return f"/monitor/v1/imports/{quote(batch_id, safe='')}"


def _source(name: str, what: str) -> str:
    from urllib.parse import quote

    return f"/monitor/v1/sources/{quote(name, safe='')}/{what}"


def _as(kind: type[T], data: Any) -> T:
    """Plain data as one of our data classes."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind).validate_python(data)


def _error_of(status: int, retry_after: str | None, form: dict[str, Any]) -> MonitorError:
    """The error that the collector met, as it would have been raised here."""
    words, hint = str(form.get("error", f"HTTP {status}")), form.get("hint")
    if "position" in form:
        return QueryError(
            words,
            text=form.get("query", ""),
            position=form["position"],
            length=form.get("length", 1),
            hint=hint,
        )
    if status == 400:
        return UsageError(words, hint=hint)
    if status == 404:
        return NotFound(words, hint=hint)
    if status == 429:
        return Busy(words, retry_after=float(retry_after or 1))
    if status == 503:
        return StoreError(words, hint=hint)
    return MonitorError(words, hint=hint)
