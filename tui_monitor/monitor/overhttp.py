"""The façade over HTTP: a collector that runs elsewhere, asked as the one that runs here."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tui_monitor.costs.views import CostsView
from tui_monitor.health.upkeep import Upkeep
from tui_monitor.health.views import ProvidersView, StatusView, SystemView
from tui_monitor.model.alert import Alert, AlertsView, Change, Silence
from tui_monitor.model.clock import MS, Micros, iso
from tui_monitor.model.comparison import Against
from tui_monitor.model.happened import Happened
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor.acting import RemoteActions
from tui_monitor.monitor.api import CallView, Snapshot
from tui_monitor.monitor.connection import ANSWER_SECONDS, Connection, read_as, segment
from tui_monitor.query.panels import PanelAnswer, PanelQuery
from tui_monitor.query.result import After, CallList, Completion, Result
from tui_monitor.store.api import ImportInfo

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

_LONG_QUERY = 1_500
"""Characters of a query that goes in a body: an address is not as long everywhere."""


class RemoteMonitor(RemoteActions):
    """`Monitor` of a collector that runs elsewhere: the same answers as `LocalMonitor` there gives.

    Where it is, and the rest, as `Connection` has it. Use it as `async with`, or `close` it. A question whose
    task is cancelled is cancelled there too. All methods raise `Unreachable` where nobody answers, and
    `Forbidden` where the token does not do.
    """

    def __init__(
        self,
        where: Path | str,
        *,
        token: str = "",
        ca_file: Path | None = None,
        timeout: float = ANSWER_SECONDS,
        transport: "httpx.AsyncBaseTransport | None" = None,
        harmless: bool = False,
    ) -> None:
        super().__init__(
            Connection(
                where, token=token, ca_file=ca_file, timeout=timeout, transport=transport, harmless=harmless
            )
        )

    async def __aenter__(self) -> "RemoteMonitor":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._connection.close()

    async def snapshot(self, shown: TimeRange) -> Snapshot:
        """The frame: who collects, how far the data reaches, how many alerts are open."""
        return await self._get(Snapshot, "snapshot", _shown(shown))

    async def providers(self, shown: TimeRange, points: int = 24) -> ProvidersView:
        """The Providers pane."""
        return await self._get(ProvidersView, "providers", {**_shown(shown), "points": points})

    async def costs(
        self,
        by: str = "model",
        period: str = "month",
        *,
        at: Micros | None = None,
        against: Against = "previous",
    ) -> CostsView:
        """The Costs pane: the periods around now, or around the instant `at`, and what they compare with."""
        return await self._get(
            CostsView, "costs", {"by": by, "period": period, **_at("at", at), **_against(against)}
        )

    async def alerts(self, *, resolved: bool = False) -> AlertsView:
        """The Alerts pane; with `resolved`, those that ended today too."""
        return await self._get(AlertsView, "alerts", _flag("resolved", resolved))

    async def system(self, shown: TimeRange, points: int = 24) -> SystemView:
        """The System pane."""
        return await self._get(SystemView, "system", {**_shown(shown), "points": points})

    async def upkeep(self, shown: TimeRange, points: int = 24) -> Upkeep:
        """The Collector pane: its parts, slow queries, rules by their time, and its own figures over time."""
        return await self._get(Upkeep, "upkeep", {**_shown(shown), "points": points})

    async def happened(self, names: Sequence[str] = (), limit: int = 50) -> Happened:
        """The newest events of these names, of those that tell of states where none is named."""
        return await self._get(Happened, "feed/newest", {"event_types": ",".join(names), "limit": limit})

    async def status(self, against: Against = "previous") -> StatusView:
        """One look at everything; `against` says what figures are compared with."""
        return await self._get(StatusView, "status", _against(against))

    async def query(
        self, text: str, *, at: Micros | None = None, shown: TimeRange | None = None, points: int = 60
    ) -> Result:
        """An instant answer, now unless `at` is given; variables in it are those of `shown`."""
        length = {} if shown is None else {"shown": _length(shown.length), **_at("since", shown.since)}
        return await self._ask({"query": text, "points": points, **length, **_at("time", at)})

    async def query_range(self, text: str, shown: TimeRange, points: int) -> Result:
        """An answer over time, in at most about `points` steps; variables in it are of them."""
        return await self._ask({"query": text, "points": points, **_shown(shown)})

    async def panels(self, asked: Sequence[PanelQuery], shown: TimeRange) -> tuple[PanelAnswer, ...]:
        """Many queries, all answered from one moment; what is wrong with one is in its answer."""
        queries = [
            {
                "query": one.text,
                "points": one.points,
                **({"range": _length(one.length)} if one.length else {}),
            }
            for one in asked
        ]
        body = {"queries": queries, **_shown(shown)}
        data = await self._connection.data("POST", "/monitor/v1/panels", json=body)
        return tuple(read_as(list[PanelAnswer], data))

    async def calls(self, text: str, shown: TimeRange, limit: int, *, after: After | None = None) -> CallList:
        """At most `limit` calls that pass a filter, the newest first; behind `after` the next ones."""
        goes_on = {} if after is None else {"after": f"{after.booked}:{after.number}"}
        return await self._get(
            CallList, "calls", {"filter": text, "limit": limit, **_shown(shown), **goes_on}
        )

    async def count_calls(self, text: str, shown: TimeRange) -> int:
        """How many calls pass a filter."""
        return await self._get(int, "calls/count", {"filter": text, **_shown(shown)})

    async def call(self, call_id: str) -> CallView:
        """One call by its `Call.id`, by `SOURCE:SOURCE_KEY`, or by what any source calls it."""
        return await self._get(CallView, f"calls/{segment(call_id)}")

    async def complete(self, text: str, cursor: int) -> list[Completion]:
        """Ways to go on with a query."""
        return await self._get(list[Completion], "complete", {"query": text, "cursor": cursor})

    async def alert(self, alert_id: str) -> Alert:
        """One alert, open or of any time ago, by its id or a beginning that only it has."""
        data = await self._connection.data("GET", f"/monitor/v1/alerts/{segment(alert_id)}")
        return read_as(Alert, data["alert"])

    async def alert_chart(self, alert_id: str, shown: TimeRange, points: int) -> Result:
        """What the alert's rule compared over time; see `Monitor.alert_chart`."""
        return await self._get(
            Result, f"alerts/{segment(alert_id)}/chart", {**_shown(shown), "points": points}
        )

    async def history(self, alert_id: str) -> list[Change]:
        """An alert's history, oldest first."""
        return await self._get(list[Change], f"alerts/{segment(alert_id)}/history")

    async def silences(self, *, ended: bool = False) -> list[Silence]:
        """Silences in force or to come; with `ended`, those of the last 30 days too."""
        return await self._get(list[Silence], "silences", _flag("ended", ended))

    async def imports(self) -> list[ImportInfo]:
        """Imports, newest first."""
        return await self._get(list[ImportInfo], "imports")

    async def _get(self, kind: type[T], path: str, params: dict[str, Any] | None = None) -> T:
        return read_as(kind, await self._connection.data("GET", f"/monitor/v1/{path}", params=params or {}))

    async def _ask(self, params: dict[str, Any]) -> Result:
        params = {**params, "form": "full"}
        if len(params["query"]) <= _LONG_QUERY:
            return await self._get(Result, "query", params)
        return read_as(Result, await self._connection.data("POST", "/monitor/v1/query", json=params))


def _shown(shown: TimeRange) -> dict[str, str]:
    return {"range": _length(shown.length), **_at("end", shown.end), **_at("since", shown.since)}


def _length(length: Micros) -> str:
    """Exact to the µs; lengths of time are written in ms at the finest."""
    whole, rest = divmod(length, MS)
    return f"{whole}.{rest:03}ms" if rest else f"{whole}ms"


def _at(name: str, instant: Micros | None) -> dict[str, str]:
    return {} if instant is None else {name: iso(instant)}


def _against(against: Against) -> dict[str, str]:
    # An older collector knows no such word.
    return {} if against == "previous" else {"against": against}


def _flag(name: str, on: bool) -> dict[str, str]:
    return {name: "1"} if on else {}
