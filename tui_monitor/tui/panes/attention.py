"""What needs somebody: alerts, providers, budgets and parts that broke, the worst first. Pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_monitor.model.alert import Alert
from tui_monitor.model.clock import Micros
from tui_monitor.model.states import AlertState, Health, Severity, SourceState
from tui_monitor.model.units import UNKNOWN, usd
from tui_monitor.tui.drawing import Glyphs, Span, fit, width_of
from tui_monitor.tui.link import Look
from tui_monitor.tui.panes.alertlines import SEVERITY
from tui_monitor.tui.panes.money import level
from tui_monitor.tui.widgets.grid import Cell, Column, GridRow
from tui_monitor.tui.words import brief_moment, day_words, plural, short_age

if TYPE_CHECKING:
    from tui_monitor.costs.views import BudgetStatus
    from tui_monitor.health.views import CollectorStatus, ProviderRow
    from tui_monitor.model.happened import FeedEvent

NARROW = 100
_SHORT = {"critical": "crit", "warning": "warn"}
_OF_BUDGET = {"crit": Severity.CRITICAL, "warn": Severity.WARNING}
_OF_HEALTH = {Health.UNAVAILABLE: Severity.CRITICAL, Health.DEGRADED: Severity.WARNING}
_WHO = 15


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that needs somebody: since when, who takes care of it, and which row of which pane has it."""

    key: str
    severity: Severity
    subject: str
    text: str
    since: Micros | None = None
    who: str | None = None
    """Who took it; None where nobody can, or did."""
    taken: Micros | None = None
    pane: str = ""
    row: str = ""
    takes: bool = False
    """Whether somebody may take it."""


def columns(width: int) -> tuple[Column, ...]:
    """The list's columns for a screen of so many cells; the highest rank goes first."""
    narrow = width < NARROW
    return (
        Column("severity", "", width=6 if narrow else 10),
        Column("subject", "", min=18, max=18 if narrow else 32 if width >= 150 else 24),
        Column("text", "", min=16, max=120),
        Column("age", "", width=5, align="right", rank=1),
        Column("who", "", width=11 if narrow else _WHO, rank=2),
    )


def needed(
    alerts: Sequence[Alert],
    providers: "Sequence[ProviderRow]",
    budgets: "Sequence[BudgetStatus]",
    events: "Sequence[FeedEvent]",
    look: Look,
) -> list[Item]:
    """Everything that needs somebody: the most severe first, then what nobody took, then the newest.

    What an alert tells of already is not told twice. Silenced and pending alerts are not among it.
    """
    open_ = [a for a in alerts if a.state in (AlertState.FIRING, AlertState.ACKNOWLEDGED)]
    told = {(name, value) for alert in open_ for name, value in alert.labels.items()}
    items = [_alert(alert) for alert in open_]
    items += [
        _provider(row, events)
        for row in providers
        if row.state in _OF_HEALTH and ("provider", row.provider) not in told
    ]
    items += [_budget(one, look) for one in budgets if level(one) in _OF_BUDGET]
    items = [item for item in items if item.pane != "costs" or ("budget", item.row) not in told]
    items += [item for item in _parts(look.collector) if ("source", item.row) not in told]
    return sorted(items, key=lambda item: (-item.severity.rank, item.who is not None, -(item.since or 0)))


def _alert(alert: Alert) -> Item:
    text = alert.summary.removeprefix(f"{alert.rule}:").strip()
    return Item(
        f"alert {alert.id}", alert.severity, alert.rule, text, alert.since, alert.acked_by,
        alert.acked_at, "alerts", alert.id, takes=True,
    )  # fmt: skip


def _provider(row: "ProviderRow", events: "Iterable[FeedEvent]") -> Item:
    """Since when is in the event log, if that goes back so far."""
    newest = next(
        (e for e in events if e.event == "provider_status" and e.data.get("provider") == row.provider), None
    )
    since = newest.ts if newest is not None and newest.data.get("state") == row.state.value else None
    name = row.provider or UNKNOWN
    return Item(
        f"provider {name}", _OF_HEALTH[row.state], f"{name} {row.state.value}", row.reason, since,
        pane="providers", row=name,
    )  # fmt: skip


def _budget(budget: "BudgetStatus", look: Look) -> Item:
    text = f"{usd(budget.spent)} of {usd(budget.amount)} a {budget.period}"
    if budget.projected is not None:
        text += f", ≈ {usd(budget.projected)} by its end"
    if budget.used_up is not None:
        present = look.calendar.local(look.at)
        text += f", used up ≈ {day_words(look.calendar.local(budget.used_up), present)}"
    return Item(
        f"budget {budget.name}", _OF_BUDGET[level(budget)], f"budget {budget.name}", text, pane="costs",
        row=budget.name,
    )  # fmt: skip


def _parts(status: "CollectorStatus | None") -> list[Item]:
    """What broke of the collector; nothing is known of it where none runs."""
    if status is None or not status.running:
        return []
    return [
        Item(
            f"source {row.name}",
            Severity.WARNING if row.kind == "source" else Severity.CRITICAL,
            f"{row.name} failed",
            row.last_error or row.detail,
            row.since or row.last_error_at,
            pane="sources",
            row=row.name,
        )
        for row in status.sources
        if row.state is SourceState.FAILED
    ]


def rows_of(items: Sequence[Item], look: Look, width: int, glyphs: Glyphs) -> list[GridRow]:
    """The items as rows of the list."""
    return [_row(item, look, width, glyphs) for item in items]


def _row(item: Item, look: Look, width: int, glyphs: Glyphs) -> GridRow:
    narrow, token = width < NARROW, SEVERITY[item.severity]
    word = item.severity.value
    word = _SHORT.get(word, word) if narrow else word
    return GridRow(
        item.key,
        {
            "severity": Cell(word, token, glyph=glyphs.state(token)),
            "subject": Cell(item.subject, "bright"),
            "text": Cell(item.text),
            "age": Cell(UNKNOWN if item.since is None else short_age(max(0, look.at - item.since))),
            "who": _who(item, look, narrow),
        },
    )


def _who(item: Item, look: Look, narrow: bool) -> Cell:
    if not item.takes:
        return Cell("")
    if item.who is None:
        return Cell("not taken", "bright")
    when = "" if item.taken is None else brief_moment(item.taken, look.at, look.calendar)
    room = (11 if narrow else _WHO) - width_of(when) - 1
    who = item.who if width_of(item.who) <= room else fit(item.who, room)
    return Cell(f"{who} {when}", "accent")


def nothing(providers: "Sequence[ProviderRow]", rules: int, look: Look, glyphs: Glyphs) -> tuple[Span, Span]:
    """One line where nothing needs anybody, and of what that is said; where nobody looks, nothing is well."""
    healthy = sum(row.state is Health.HEALTHY for row in providers)
    states = f"{healthy} of {plural(len(providers), 'provider')} healthy" if providers else "no calls"
    status = look.collector
    if status is None or not status.running:
        when = "" if look.shown.live else " then"
        return (f"   {glyphs.off} ", "dim"), (f"nobody collects, no rule is looked at; {states}{when}", "dim")
    running = sum(row.state is SourceState.RUNNING for row in status.sources if row.kind == "source")
    sources = f"{plural(running, 'source')} {'runs' if running == 1 else 'run'}"
    rest = f"{states}, {plural(rules, 'rule')} quiet, {sources}"
    if not providers or healthy < len(providers):
        # Of some nothing is known: that is not well yet.
        return (f"   {glyphs.off} ", "dim"), (f"nothing needs anybody: {rest}", "")
    return (f"   {glyphs.ok} ", "ok"), (f"all well: {rest}", "")
