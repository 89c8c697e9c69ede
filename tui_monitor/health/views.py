"""What the Providers and System panes, `status` and the snapshot show; plain data."""

from dataclasses import dataclass, field
from typing import Literal

from tui_monitor.costs.views import CostsView
from tui_monitor.model.alert import AlertsView
from tui_monitor.model.clock import Micros
from tui_monitor.model.sampling import SampledScope
from tui_monitor.model.states import Health, SourceState
from tui_monitor.model.timerange import Span


@dataclass(frozen=True, slots=True)
class ProbeLook:
    """What our own probes of a provider found last: whether it can be reached, not how well it works."""

    reachable: bool
    """Whether the newest probe of one of its addresses was answered."""
    ms: float | None = None
    """Time of the newest answer, of the fastest address; unknown where we may have slowed it ourselves."""
    failures: int = 0
    """Failures in a row, of the address with the fewest."""
    why: str = ""
    """What the newest failure was, in a few words."""
    targets: tuple[str, ...] = ()
    at: Micros | None = None
    """When it was probed last, to the minute."""


@dataclass(frozen=True, slots=True)
class PageLook:
    """What a provider's status page says; its word, not our measurement."""

    level: int
    """0 operational, 1 degraded, 2 partial outage, 3 major outage, -1 maintenance."""
    title: str = ""
    """The incident; empty where there is none."""
    url: str = ""
    drift: bool = False
    """Whether the page lacks the components that matter, so that the level is the whole page's."""
    at: Micros | None = None
    """When it was asked last, to the minute."""

    @property
    def word(self) -> str:
        """The level in words."""
        return PAGE_WORDS.get(self.level, "unknown")


PAGE_WORDS = {
    0: "operational", 1: "degraded", 2: "partial outage", 3: "major outage", -1: "maintenance",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Headroom:
    """What is left of the rate limit that is nearest to its end."""

    kind: str
    """What it limits: `requests`, `tokens` …, or the window of a subscription."""
    share: float
    """What is left of it, 0–1."""
    remaining: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One provider over the shown span. Latencies ms, rates 0–1, money USD; `None` is unknown."""

    provider: str
    state: Health
    reason: str
    flag: str = ""
    """The figure that caused the state: `success`, `p95`, `probe`, `page` or empty; marked on the screen."""
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    success_rate: float | None = None
    error_rate: float | None = None
    requests: float | None = None
    tokens: float | None = None
    cost_today: float | None = None
    unpriced: float | None = None
    """Calls of today without a price."""
    last_call: Micros | None = None
    """When it was called last, to the minute, to the day where that is weeks ago."""
    spark: tuple[float | None, ...] = ()
    """Requests per step over the span; `None` is no call in a step."""
    probe: ProbeLook | None = None
    page: PageLook | None = None
    headroom: Headroom | None = None
    quiet_since: Micros | None = None
    """The last call, where none came for three times the longest pause in the span; else `None`."""


@dataclass(frozen=True, slots=True)
class ProvidersView:
    """The Providers pane at one moment."""

    at: Micros
    span: Span
    rows: tuple[ProviderRow, ...] = ()
    spark_step: Micros = 0
    warnings: tuple[str, ...] = ()
    approximate: str = ""
    """The server that extrapolated the figures from samples, shown with `≈`; empty where they are exact."""
    queries: dict[str, str] = field(default_factory=dict)
    """Column → the query behind it, with `{provider}` for the row's."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A way in, or a loop of the collector."""

    name: str
    state: SourceState
    detail: str = ""
    records: int = 0
    errors: int = 0
    last_error: str = ""
    last_seen: Micros | None = None
    kind: Literal["source", "door", "out", "loop"] = "loop"
    """A way in, a door of the server, a way out, or a loop of the collector's own."""
    since: Micros | None = None
    """When it came into this state."""
    rate: float | None = None
    """Records per second over the last minute."""
    lag_s: float | None = None
    """How old the newest record was when it was stored, where the source knows; seconds. Below 0 it was of
    the future: one of the two clocks is wrong."""
    progress: float | None = None
    """Share of a long piece of work that is done, 0–1; `None` while there is none."""
    restarts: int = 0
    pausable: bool = False
    last_error_at: Micros | None = None
    warning: str = ""
    """What is not as it should be while it works."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One figure of the host: its value, a short history, and how full it is where that has a meaning."""

    name: str
    value: float | None
    unit: str
    detail: str = ""
    fraction: float | None = None
    spark: tuple[float | None, ...] = ()
    query: str = ""


@dataclass(frozen=True, slots=True)
class CollectorStatus:
    """The collector itself. Rates per second over the last minute; sizes in bytes."""

    running: bool
    """Whether it answers."""
    pid: int | None = None
    """Who writes the database, 0 where that is not known; `None` while nobody does."""
    started: Micros | None = None
    rate: float | None = None
    lag_ms: float | None = None
    """From a record's arrival to its commit, worst of the last minute."""
    queued: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    late: int = 0
    overflowed_labels: int = 0
    sampling: tuple[SampledScope, ...] = ()
    """Of what only a sample of single calls is kept now."""
    left_out: int = 0
    """Calls that sampling left out since the start."""
    database: str = ""
    database_bytes: int | None = None
    calls: int = 0
    sources: tuple[SourceRow, ...] = ()
    changed: int = 0
    """The id of the newest change of a state in its event log; 0 where there was none."""

    @property
    def trouble(self) -> str:
        """Why the database takes nothing at this moment; empty while it does."""
        return next(
            (
                row.last_error or row.detail
                for row in self.sources
                if row.name == "database" and row.state is SourceState.FAILED
            ),
            "",
        )

    @property
    def silent(self) -> str:
        """Who writes the database and does not answer, in words; empty where nobody does, or it answers."""
        if self.running or self.pid is None:
            return ""
        return f"process {self.pid}" if self.pid else "another process"


@dataclass(frozen=True, slots=True)
class Program:
    """Processes of one name on the host: what runs LLM workloads, and what else takes much."""

    name: str
    cpu: float | None
    """Share of all processors, 0–1."""
    memory: float | None
    """Resident bytes of all its processes."""
    share: float | None = None
    """Of the host's memory, 0–1."""
    processes: int = 0
    spark: tuple[float | None, ...] = ()
    """The share of the processors per step."""
    query: str = ""


@dataclass(frozen=True, slots=True)
class SystemView:
    """The System pane at one moment."""

    at: Micros
    span: Span
    host: str
    gauges: tuple[Gauge, ...]
    collector: CollectorStatus
    step: Micros = 0
    active: int = 0
    """Requests that began and have not ended."""
    progress: tuple["Progress", ...] = ()
    finished: tuple["Progress", ...] = ()
    """Benchmarks and evaluations that ended in the last day, the newest first."""
    queues: tuple[Gauge, ...] = ()
    """Records that wait for the disk, calls that wait for an answer, and how long calls waited to be sent."""
    programs: tuple[Program, ...] = ()
    """Those that take most of the processors first."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A benchmark or evaluation, under way or over."""

    name: str
    done: float
    total: float | None
    unit: str
    state: str
    at: Micros
    over: bool = False
    score: float | None = None
    """Of one that is over: the mean of what was scored under its name in the last day."""
    seconds: float | None = None
    """Of one that is over: from its first word in the last day to its last."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The newest word on one limit."""

    key: str
    limit_type: str
    result: str
    remaining: float | None
    limit: float | None
    at: Micros
    reset_at: Micros | None = None
    provider: str = ""


@dataclass(frozen=True, slots=True)
class StatusView:
    """What `status` prints: one look at everything."""

    at: Micros
    health: Health
    """The worst of providers and alerts; unknown where there is nothing to judge."""
    severity: int
    """Exit code of `status`: 0 healthy, 1 warning, 2 critical, 3 unknown."""
    providers: ProvidersView
    costs: CostsView
    alerts: AlertsView
    collector: CollectorStatus
    cache_hit_rate: float | None = None
    """Share of input tokens of the last hour that the provider served from its cache."""
    response_cache_hit_rate: float | None = None
    """Share of the last hour's lookups that your own response cache answered."""
    rate_limits: tuple[RateLimit, ...] = ()
    newest: Micros | None = None
