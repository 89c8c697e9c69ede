"""How the collector is doing; plain data of `/health/monitoring`, `/metrics` and the Collector pane."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from tui_monitor.health.views import CollectorStatus, Gauge
from tui_monitor.model.clock import Micros
from tui_monitor.model.ruletime import RuleTime
from tui_monitor.query.timing import QueryStats, SlowQuery


class Wellness(StrEnum):
    """How a part, or all of them together, is doing."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Check:
    """One part that was looked at."""

    name: str
    """`store`, `listeners`, `sources`, `alerts` or `loops`."""
    status: Wellness
    detail: str = ""
    critical: bool = False
    """Whether nothing is well without it."""
    seconds: float = 0.0
    """How long the look took."""
    timed_out: bool = False


def together(checks: Iterable[Check]) -> Wellness:
    """The one rule: unhealthy where a critical part is, degraded where any part is not healthy."""
    found = list(checks)
    if any(check.critical and check.status is Wellness.UNHEALTHY for check in found):
        return Wellness.UNHEALTHY
    if any(check.status is not Wellness.HEALTHY for check in found):
        return Wellness.DEGRADED
    return Wellness.HEALTHY


@dataclass(frozen=True, slots=True)
class OwnProcess:
    """The process that collects; where the dashboard does, its screen is in the figures."""

    cpu_seconds: float
    """User and system time since the process began."""
    uptime: float
    """Seconds since it began."""
    memory_bytes: int | None = None
    """Resident."""
    threads: int | None = None
    open_files: int | None = None
    started: Micros | None = None

    @property
    def cpu_share(self) -> float:
        """Mean share of one core since it began, 0–1 and more where it kept several busy."""
        return self.cpu_seconds / self.uptime if self.uptime > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The Collector pane at one moment; without a collector, only what the database knows."""

    at: Micros
    collector: CollectorStatus
    status: Wellness | None = None
    """None where nobody collects."""
    checks: tuple[Check, ...] = ()
    process: OwnProcess | None = None
    queries: QueryStats = field(default_factory=QueryStats)
    cache_hits: int = 0
    """Questions that were answered as before, without reading."""
    cache_misses: int = 0
    slow: tuple[SlowQuery, ...] = ()
    """The newest first."""
    rules: tuple[RuleTime, ...] = ()
    """The slowest by its mean first."""
    connections: dict[str, int] = field(default_factory=dict)
    """Open now: `http`, `socket`, `websocket`."""
    requests: int = 0
    """HTTP requests answered since the start."""
    refused: int = 0
    gauges: tuple[Gauge, ...] = ()
    """The collector's own figures, each with its course over the shown range."""
    step: Micros = 0
    """Of the courses."""
