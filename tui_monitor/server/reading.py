"""What is read over HTTP: the views that every other face shows too."""

from typing import TYPE_CHECKING

from tui_monitor.costs.views import CostsView
from tui_monitor.health.views import CollectorStatus, SourceRow, StatusView
from tui_monitor.model.alert import AlertsView
from tui_monitor.model.calendar import PERIODS
from tui_monitor.model.clock import Micros
from tui_monitor.model.comparison import AGAINST, Against
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor.api import Snapshot
from tui_monitor.server.declare import Group, get
from tui_monitor.server.needs import Need
from tui_monitor.server.params import Choice, Flag, Instant, Text
from tui_monitor.server.usual import END, RANGE

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

_BY = Text(
    name="by",
    about="The label by which the rows are grouped: `provider`, `model`, `project`, or one of your own.",
    default="model",
    longest=200,
    example="provider",
)
_PERIOD = Choice(
    name="period", about="The calendar period of the rows.", words=PERIODS, default="month", example="today"
)
_AGAINST = Choice(
    name="against",
    about="What figures are compared with: the period before, or the same part a day or a week before.",
    words=AGAINST,
    default="previous",
    example="week",
)
_RESOLVED = Flag(name="resolved", about="Those that ended today as well.")
_AT = Instant(
    name="at",
    about="The instant around which the periods lie: RFC 3339, or seconds since 1970. Now unless given.",
)


class Reading:
    """Routes that change nothing."""

    def __init__(self, collector: "Collector") -> None:
        self._collector = collector
        self._monitor = collector.monitor

    @get("/monitor/v1/status", Need.READ, Group.VIEWS, StatusView, params=(_AGAINST,))
    async def status(self, against: Against) -> StatusView:
        """One look at everything: what `tui-monitor status` shows."""
        return await self._monitor.status(against)

    @get("/monitor/v1/collector", Need.READ, Group.COLLECTOR, CollectorStatus)
    async def collector(self) -> CollectorStatus:
        """The collector itself: what it takes in, and how large its database is."""
        return await self._monitor.collector()

    @get("/monitor/v1/sources", Need.READ, Group.COLLECTOR, tuple[SourceRow, ...])
    async def sources(self) -> tuple[SourceRow, ...]:
        """Every source, door and loop, and how it is doing."""
        return self._collector.rows()

    @get("/monitor/v1/snapshot", Need.READ, Group.VIEWS, Snapshot, params=(RANGE, END))
    async def snapshot(self, length: Micros, end: Micros | None) -> Snapshot:
        """The dashboard's frame: who collects, how far the data reaches, what is firing."""
        return await self._monitor.snapshot(TimeRange(length, end))

    @get("/monitor/v1/costs", Need.READ, Group.COSTS, CostsView, params=(_BY, _PERIOD, _AT, _AGAINST))
    async def costs(self, by: str, period: str, at: Micros | None, against: Against) -> CostsView:
        """Spend in calendar periods, and by a label in one of them."""
        return await self._monitor.costs(by, period, at=at, against=against)

    @get("/monitor/v1/alerts", Need.READ, Group.ALERTS, AlertsView, params=(_RESOLVED,))
    async def alerts(self, resolved: bool) -> AlertsView:
        """Open alerts, rules, and silences in force."""
        return await self._monitor.alerts(resolved=resolved)
