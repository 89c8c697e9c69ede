"""What is read over HTTP: whether we are well, and the views that every other face shows too."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from starlette.responses import Response

from tui_monitor.costs.views import CostsView
from tui_monitor.health.views import CollectorStatus, SourceRow, StatusView
from tui_monitor.model.alert import AlertsView
from tui_monitor.model.calendar import PERIODS
from tui_monitor.model.clock import Micros
from tui_monitor.model.states import SourceState
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor.api import Snapshot
from tui_monitor.server.declare import Form, Group, get
from tui_monitor.server.needs import Need
from tui_monitor.server.params import Choice, Flag, Instant, Text
from tui_monitor.server.refusal import answer
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
_RESOLVED = Flag(name="resolved", about="Those that ended today as well.")
_AT = Instant(
    name="at",
    about="The instant around which the periods lie: RFC 3339, or seconds since 1970. Now unless given.",
)


@dataclass(frozen=True, slots=True)
class Live:
    """That the process answers."""

    status: Literal["ok"] = "ok"


@dataclass(frozen=True, slots=True)
class Ready:
    """Whether pushed data is taken at this moment."""

    status: Literal["ok", "starting"]
    reasons: tuple[str, ...] = ()
    """Why not."""


@dataclass(frozen=True, slots=True)
class Wellbeing:
    """How the parts of the collector are."""

    status: Literal["ok", "degraded", "starting"]
    reasons: tuple[str, ...]
    """Why no data is taken."""
    broken: tuple[str, ...]
    """Names of the parts that failed."""
    sources: dict[str, SourceState]
    """The state of every part by its name."""


class Reading:
    """Routes that change nothing."""

    def __init__(self, collector: "Collector") -> None:
        self._collector = collector
        self._monitor = collector.monitor

    @get("/live", Need.WELL, Group.HEALTH, Live, form=Form.PLAIN)
    async def live(self) -> Live:
        """Whether the process answers."""
        return Live()

    @get(
        "/ready", Need.WELL, Group.HEALTH, Ready, form=Form.PLAIN,
        also={503: "No data is taken at this moment."},
    )  # fmt: skip
    async def ready(self) -> Response:
        """Whether pushed data is taken: prices are loaded, and the database can be written."""
        why = self._collector.not_ready()
        if why:
            return answer(Ready("starting", why), status=503, headers={"Retry-After": "1"})
        return answer(Ready("ok"))

    @get(
        "/health", Need.WELL, Group.HEALTH, Wellbeing, form=Form.PLAIN,
        also={503: "No data is taken at this moment."},
    )  # fmt: skip
    async def health(self) -> Response:
        """The state of every part of the collector.

        The status is 200 while data is taken, whatever a single source does.
        """
        why = self._collector.not_ready()
        sources = {row.name: row.state for row in self._collector.rows()}
        broken = sorted(name for name, state in sources.items() if state == SourceState.FAILED)
        status = "starting" if why else "degraded" if broken else "ok"
        return answer(Wellbeing(status, why, tuple(broken), sources), status=503 if why else 200)

    @get("/monitor/v1/status", Need.READ, Group.VIEWS, StatusView)
    async def status(self) -> StatusView:
        """One look at everything: what `tui-monitor status` shows."""
        return await self._monitor.status()

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

    @get("/monitor/v1/costs", Need.READ, Group.COSTS, CostsView, params=(_BY, _PERIOD, _AT))
    async def costs(self, by: str, period: str, at: Micros | None) -> CostsView:
        """Spend in calendar periods, and by a label in one of them."""
        return await self._monitor.costs(by, period, at=at)

    @get("/monitor/v1/alerts", Need.READ, Group.ALERTS, AlertsView, params=(_RESOLVED,))
    async def alerts(self, resolved: bool) -> AlertsView:
        """Open alerts, rules, and silences in force."""
        return await self._monitor.alerts(resolved=resolved)
