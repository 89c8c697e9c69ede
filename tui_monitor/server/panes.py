"""What the panes of the dashboard ask besides what everybody does, and how an alert came about."""

from typing import TYPE_CHECKING

from tui_monitor.health.views import ProvidersView, SystemView
from tui_monitor.model.alert import Change
from tui_monitor.model.clock import Micros
from tui_monitor.query.result import Completion, Result
from tui_monitor.server.declare import Group, get
from tui_monitor.server.needs import Need
from tui_monitor.server.params import MAX_POINTS, Text, Whole
from tui_monitor.server.silencing import ID
from tui_monitor.server.usual import END, POINTS, RANGE, SINCE, looked_at

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

_SPARKS = Whole(
    name="points",
    about="About how many steps the small charts are cut into.",
    default=24,
    low=1,
    high=MAX_POINTS,
)
_BEGUN = Text(name="query", key="text", about="A query that is not finished.", default="", example="laten")
_CURSOR = Whole(
    name="cursor",
    about="Before which character of it, counted from 0, one goes on.",
    required=True,
    low=0,
    high=10_000,
    example="5",
)


class Panes:
    """Routes behind single panes."""

    def __init__(self, collector: "Collector") -> None:
        self._monitor = collector.monitor

    @get("/monitor/v1/providers", Need.READ, Group.VIEWS, ProvidersView, params=(RANGE, END, SINCE, _SPARKS))
    async def providers(
        self, length: Micros, end: Micros | None, since: Micros | None, points: int
    ) -> ProvidersView:
        """Every provider: how it is, how fast, how often it fails, what it costs."""
        return await self._monitor.providers(looked_at(length, end, since), points)

    @get("/monitor/v1/system", Need.READ, Group.VIEWS, SystemView, params=(RANGE, END, SINCE, _SPARKS))
    async def system(
        self, length: Micros, end: Micros | None, since: Micros | None, points: int
    ) -> SystemView:
        """The host, the collector, and what is under way."""
        return await self._monitor.system(looked_at(length, end, since), points)

    @get("/monitor/v1/complete", Need.READ, Group.QUERIES, list[Completion], params=(_BEGUN, _CURSOR))
    async def complete(self, text: str, cursor: int) -> list[Completion]:
        """Ways to go on with a query, the best first."""
        return await self._monitor.complete(text, cursor)

    @get("/monitor/v1/alerts/{id}/history", Need.READ, Group.ALERTS, list[Change], params=(ID,))
    async def history(self, alert_id: str) -> list[Change]:
        """What happened to an alert, oldest first; nothing where no alert has exactly this id."""
        return await self._monitor.history(alert_id)

    @get(
        "/monitor/v1/alerts/{id}/chart", Need.READ, Group.ALERTS, Result,
        params=(ID, RANGE, END, SINCE, POINTS),
    )  # fmt: skip
    async def chart(
        self, alert_id: str, length: Micros, end: Micros | None, since: Micros | None, points: int
    ) -> Result:
        """What an alert's rule compared over time: its value and its threshold, told apart by `series`."""
        return await self._monitor.alert_chart(alert_id, looked_at(length, end, since), points)
