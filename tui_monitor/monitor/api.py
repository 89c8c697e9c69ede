"""The façade as a Protocol. Faces know this and nothing below it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tui_monitor.costs.views import CostsView
from tui_monitor.health.upkeep import Upkeep
from tui_monitor.health.views import CollectorStatus, ProvidersView, StatusView, SystemView
from tui_monitor.model.alert import Alert, AlertsView, Change, Matcher, Silence
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.callprice import CallPrice
from tui_monitor.model.clock import Micros
from tui_monitor.model.comparison import Against
from tui_monitor.model.happened import Happened
from tui_monitor.model.once import Once
from tui_monitor.model.states import Severity
from tui_monitor.model.timerange import Span, TimeRange
from tui_monitor.query.panels import PanelAnswer, PanelQuery
from tui_monitor.query.result import After, CallList, Completion, Neighbours, Result
from tui_monitor.store.api import Extent, ImportInfo

__all__ = ["CallView", "Fired", "Monitor", "Reloaded", "Snapshot", "StatusView"]


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert that is firing and that nobody took or silenced."""

    id: str
    severity: Severity
    summary: str
    fired: Micros
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What came of reading the configuration again, by names of settings like `alerts.rules`."""

    changed: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    """Those that take effect when the collector is started anew."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the dashboard shows in its frame and on the visible pane, taken at one moment."""

    at: Micros
    calendar: Calendar
    span: Span
    collector: CollectorStatus
    extent: Extent
    open_alerts: int
    worst_alert: str | None
    unpriced_today: float
    version: int
    """Version of the data; an equal one means that nothing changed."""
    firing: tuple[Fired, ...] = ()
    """The newest first, a hundred at most."""
    demo: str = ""
    """What is replayed, where the database is the demo's."""


@dataclass(frozen=True, slots=True)
class CallView:
    """One call, with its price explained and what was around it."""

    call: Call
    price: CallPrice
    arrived: Micros
    """When it was stored, or last brought up to date."""
    stands_for: int
    """How many calls it counts for, where only a sample of them is kept; else 1."""
    told_by: tuple[Call, ...]
    """What each source said of it, in the order they came, where several did."""
    neighbours: tuple[Neighbours, ...]
    """Any calls around it, and those of its session, trace, user and project, within some hours."""


class Monitor(Protocol):
    """Everything a face may ask. Coroutines run on the collector's loop and never block it.

    Methods that read raise `QueryError` or `StoreError`; those that act raise `MonitorError` with a hint.
    An act that is named by `once` is done once: asked for again under that name it gives the first answer,
    also where the collector was killed in between. Only a reload that was killed is done again.
    """

    async def snapshot(self, shown: TimeRange) -> Snapshot:
        """The frame: who collects, how far the data reaches, how many alerts are open."""
        ...

    async def providers(self, shown: TimeRange, points: int = 24) -> ProvidersView:
        """The Providers pane."""
        ...

    async def costs(
        self,
        by: str = "model",
        period: str = "month",
        *,
        at: Micros | None = None,
        against: Against = "previous",
    ) -> CostsView:
        """The Costs pane: the periods around now, or around the instant `at`, and what they compare with."""
        ...

    async def alerts(self, *, resolved: bool = False) -> AlertsView:
        """The Alerts pane; with `resolved`, those that ended today too."""
        ...

    async def system(self, shown: TimeRange, points: int = 24) -> SystemView:
        """The System pane."""
        ...

    async def upkeep(self, shown: TimeRange, points: int = 24) -> Upkeep:
        """The Collector pane: its parts, slow queries, rules by their time, and its own figures over time."""
        ...

    async def status(self, against: Against = "previous") -> StatusView:
        """One look at everything; `against` says what figures are compared with."""
        ...

    async def happened(self, names: Sequence[str] = (), limit: int = 50) -> Happened:
        """The newest events of these names, of those that tell of states where none is named.

        They are the collector's to tell: where none answers, nothing is known. Events of calls and spend are
        noted from the first time somebody asks for them until ten minutes after the last.
        """
        ...

    async def query(
        self, text: str, *, at: Micros | None = None, shown: TimeRange | None = None, points: int = 60
    ) -> Result:
        """An instant answer, now unless `at` is given.

        `$__range` and its like in it are of `shown`, the last hour unless given, in about `points` steps.
        """
        ...

    async def query_range(self, text: str, shown: TimeRange, points: int) -> Result:
        """An answer over time, in at most about `points` steps; `$__range` and its like are of them."""
        ...

    async def panels(self, asked: Sequence[PanelQuery], shown: TimeRange) -> tuple[PanelAnswer, ...]:
        """Many queries, at most 150, all answered from one moment; what is wrong with one is in its answer.

        `$__range` and its like are of a query's own range, else of `shown`.
        """
        ...

    async def calls(self, text: str, shown: TimeRange, limit: int, *, after: After | None = None) -> CallList:
        """At most `limit` calls that pass a filter, the newest first; behind `after` the next ones."""
        ...

    async def count_calls(self, text: str, shown: TimeRange) -> int:
        """How many calls pass a filter."""
        ...

    async def call(self, call_id: str) -> CallView:
        """One call by its `Call.id`, by `SOURCE:SOURCE_KEY`, or by what any source calls it."""
        ...

    async def complete(self, text: str, cursor: int) -> list[Completion]:
        """Ways to go on with a query."""
        ...

    async def alert(self, alert_id: str) -> Alert:
        """One alert, open or of any time ago, by its id or a beginning that only it has."""
        ...

    async def alert_chart(self, alert_id: str, shown: TimeRange, points: int) -> Result:
        """What the alert's rule compared over time: at each instant its value and its threshold.

        The series are told apart by the label `series`, which is `value` or `threshold`. The instants lie
        on the grid on which rules are looked at, at most about `points` of them and never more than 60.
        """
        ...

    async def history(self, alert_id: str) -> list[Change]:
        """An alert's history, oldest first."""
        ...

    async def acknowledge(
        self, alert_id: str, who: str, note: str = "", *, once: Once | None = None
    ) -> Alert:
        """Say that somebody takes care of an alert."""
        ...

    async def unacknowledge(self, alert_id: str, who: str, *, once: Once | None = None) -> Alert:
        """Take an acknowledgement back."""
        ...

    async def silence(
        self,
        matchers: Sequence[Matcher],
        ends: Micros,
        who: str,
        note: str = "",
        *,
        starts: Micros | None = None,
        once: Once | None = None,
    ) -> Silence:
        """Keep the alerts quiet that all matchers fit, until `ends`."""
        ...

    async def unsilence(self, silence_id: str, who: str, *, once: Once | None = None) -> Silence:
        """End a silence now."""
        ...

    async def silences(self, *, ended: bool = False) -> list[Silence]:
        """Silences in force or to come; with `ended`, those of the last 30 days too."""
        ...

    async def pause_source(self, name: str, who: str, *, once: Once | None = None) -> None:
        """Let a source wait until it is resumed, over restarts too."""
        ...

    async def resume_source(self, name: str, who: str, *, once: Once | None = None) -> None:
        """Let a paused source go on, or try a failed one again at once."""
        ...

    async def reload(self, *, once: Once | None = None) -> Reloaded:
        """Read the configuration again. Raises `UsageError` and changes nothing where it is wrong."""
        ...

    async def imports(self) -> list[ImportInfo]:
        """Imports, newest first."""
        ...

    async def undo_import(self, batch_id: str, *, once: Once | None = None) -> int:
        """Take an import back; the number of calls taken out."""
        ...
