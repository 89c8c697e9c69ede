"""An alert, its history, and what keeps it quiet."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from tui_monitor.model.clock import Micros
from tui_monitor.model.states import AlertState, Severity

Labels = dict[str, str]
Match = Literal["=", "!=", "=~", "!~"]
MATCHES: tuple[Match, ...] = get_args(Match)


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: a rule and one set of labels, from its first moment until it is resolved.

    `id` stays the same while the condition goes on, and differs for the next time it comes up.
    `fingerprint` is the same for every time: it is made of rule and labels.
    """

    id: str
    fingerprint: str
    rule: str
    severity: Severity
    state: AlertState
    labels: Labels
    summary: str
    expr: str
    value: float | None
    threshold: float | None
    op: str
    """The comparison as written: `>`, `>=` …."""
    unit: str
    since: Micros
    """When the condition began to hold."""
    fired: Micros | None = None
    resolved: Micros | None = None
    acked_by: str | None = None
    acked_at: Micros | None = None
    note: str = ""
    silenced_by: str = ""
    """Id of the silence that keeps it quiet; empty where none does."""
    silenced_until: Micros | None = None
    told: str = ""
    """The state that was last sent to the channels; empty where they have not heard of it."""
    spark: tuple[float | None, ...] = field(default=(), compare=False)

    @property
    def open(self) -> bool:
        """Whether it still needs somebody: not resolved."""
        return self.state is not AlertState.RESOLVED


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on an alert's labels, as Alertmanager writes it; a missing label is the empty string.

    `alertname` is the rule, `severity` the severity; regular expressions are anchored.
    """

    name: str
    value: str
    op: Match = "="


@dataclass(frozen=True, slots=True)
class Silence:
    """Keeps the alerts quiet that all its matchers fit, from `starts` on until `ends` (µs UTC)."""

    id: str
    matchers: tuple[Matcher, ...]
    starts: Micros
    ends: Micros
    created: Micros
    created_by: str
    note: str = ""
    ended_by: str = ""
    """Who ended it before its time; `ends` is then that moment."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row of an alert's history."""

    alert_id: str
    at: Micros
    state: AlertState
    who: str
    note: str = ""
    value: float | None = None
    """The value at that moment."""


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule and how its last evaluation went."""

    name: str
    expr: str
    severity: Severity
    for_us: Micros
    enabled: bool = True
    evaluated: Micros | None = None
    error: str = ""
    alerts: int = 0
    shipped: bool = False
    """Whether it comes with the program."""
    summary: str = ""
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlertsView:
    """The Alerts pane at one moment."""

    at: Micros
    alerts: tuple[Alert, ...] = ()
    """Open ones by severity and age, then those resolved today, newest first."""
    rules: tuple[RuleState, ...] = ()
    evaluated: Micros | None = None
    """When the rules were last looked at."""
    silences: tuple[Silence, ...] = ()
    """Those in force or still to come, the first to end first."""
