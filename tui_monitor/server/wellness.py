"""Whether the collector is well: it answers, takes data, its parts say so, each was looked at."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from starlette.responses import Response

from tui_monitor.health.upkeep import Check, Upkeep, Wellness, together
from tui_monitor.model.clock import Micros, iso
from tui_monitor.model.states import SourceState
from tui_monitor.server.declare import Form, Group, get
from tui_monitor.server.needs import Need
from tui_monitor.server.refusal import answer
from tui_monitor.server.usual import END, POINTS, RANGE, SINCE, looked_at

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector


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
    """How the parts of the collector are, by what they said last."""

    status: Wellness
    reasons: tuple[str, ...]
    """Why no data is taken."""
    broken: tuple[str, ...]
    """Names of the parts that failed."""
    sources: dict[str, SourceState]
    """The state of every part by its name."""


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What came of looking at every part."""

    status: Wellness
    timestamp: str
    """RFC 3339, UTC."""
    checks: dict[str, Check] = field(default_factory=dict)
    """By name: store, listeners, sources, alerts, loops."""


class WellnessRoutes:
    """What service managers, load balancers and people ask. One rule tells what is well: `together`."""

    def __init__(self, collector: "Collector") -> None:
        self._collector = collector

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
        also={503: "It is unhealthy: no data is taken at this moment."},
    )  # fmt: skip
    async def health(self) -> Response:
        """The state of every part of the collector, by what it said last.

        The status is 200 while data is taken, whatever a single source does.
        """
        why = self._collector.not_ready()
        sources = {row.name: row.state for row in self._collector.rows()}
        broken = tuple(sorted(name for name, state in sources.items() if state == SourceState.FAILED))
        status = self._collector.checkup.glance()
        return answer(Wellbeing(status, why, broken, sources), status=_http(status))

    @get(
        "/health/monitoring", Need.WELL, Group.HEALTH, Monitoring, form=Form.PLAIN,
        also={503: "It is unhealthy: a critical part is."},
    )  # fmt: skip
    async def monitoring(self) -> Response:
        """Every part, looked at now: the database is read, and each look has five seconds.

        `degraded` is a part that does not work and without which the rest does; `unhealthy` a critical one.
        """
        checks = await self._collector.checkup.look()
        status = together(checks)
        found = Monitoring(status, iso(self._collector.clock.now()), {check.name: check for check in checks})
        return answer(found, status=_http(status))

    @get("/monitor/v1/upkeep", Need.READ, Group.COLLECTOR, Upkeep, params=(RANGE, END, SINCE, POINTS))
    async def upkeep(self, length: Micros, end: Micros | None, since: Micros | None, points: int) -> Upkeep:
        """How the collector is doing: its parts, slow queries, rules by their time, its own figures."""
        return await self._collector.monitor.upkeep(looked_at(length, end, since), points)


def _http(status: Wellness) -> int:
    return 503 if status is Wellness.UNHEALTHY else 200
