"""`collect --status`: how the collector itself is doing, as the Collector pane has it."""

from typing import TYPE_CHECKING

from tui_monitor.cli.context import Context
from tui_monitor.health.upkeep import Wellness
from tui_monitor.model.clock import MINUTE, SECOND
from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.units import UNKNOWN, age, count, milliseconds, ratio, size

if TYPE_CHECKING:
    from tui_monitor.cli.output import Output
    from tui_monitor.health.upkeep import Check, Upkeep

NOT_RUNNING = 3
CODES = {Wellness.HEALTHY: 0, Wellness.DEGRADED: 1, Wellness.UNHEALTHY: 2}
_STYLES = {Wellness.HEALTHY: "green", Wellness.DEGRADED: "yellow", Wellness.UNHEALTHY: "red"}
_MOST = 10
"""Slow queries and rules that are printed; `--json` has all."""


def run(context: Context) -> int:
    """Print it: 0 healthy, 1 degraded, 2 unhealthy, 3 where nobody collects. Raises `StoreError`."""
    view = context.ask(lambda monitor: monitor.upkeep(TimeRange()))
    context.out.answer(view, lambda: _show(context.out, view))
    return NOT_RUNNING if view.status is None else CODES[view.status]


def _show(out: "Output", view: "Upkeep") -> None:
    from tui_monitor.cli.tables import facts, title

    status = view.collector
    if view.status is None:
        silent = f"{status.silent} writes the database and does not answer" if status.silent else ""
        facts(out, [("collector", (silent or "not running", "yellow")), ("database", status.database)])
        return
    facts(out, [("state", (view.status.value, _STYLES[view.status])), *_figures(view)])
    out.line()
    title(out, "Checks")
    facts(out, [(one.name, _check(one)) for one in view.checks])
    warned = [(row.name, (row.warning, "yellow")) for row in status.sources if row.warning]
    if warned:
        out.line()
        title(out, "Warnings")
        facts(out, warned)
    _slow(out, view)
    _rules(out, view)


def _check(check: "Check") -> tuple[str, str]:
    return f"{check.status}  {check.detail}".rstrip(), _STYLES[check.status]


def _figures(view: "Upkeep") -> "list[tuple[str, str]]":
    status, process = view.collector, view.process
    up = UNKNOWN if status.started is None else age((view.at - status.started) // MINUTE * MINUTE)
    pace = f"{status.rate or 0:.1f}/s, lag {milliseconds(status.lag_ms)}"
    clients = ", ".join(f"{number} {kind}" for kind, number in view.connections.items())
    pairs = [
        ("running", f"pid {status.pid}, for {up}"),
        ("intake", f"{pace}, {count(status.queued)} waiting"),
        ("database", f"{count(status.calls)} calls, {size(status.database_bytes)}"),
        ("queries", _queries(view)),
        ("clients", clients or "none"),
    ]
    if process is not None:
        used = f"{ratio(process.cpu_share)} of a core since the start"
        pairs.append(("process", f"{used}, {size(process.memory_bytes)}"))
    return pairs


def _queries(view: "Upkeep") -> str:
    stats = view.queries
    asked = f"{count(stats.asked)} since the start, {count(stats.slow)} slow, {count(stats.failed)} failed"
    return f"{asked}; in the last 15 min p50 {_took(stats.p50)}, p95 {_took(stats.p95)}"


def _slow(out: "Output", view: "Upkeep") -> None:
    from tui_monitor.cli.tables import Column, name, number, table, title

    if not view.slow:
        return
    out.line()
    title(out, f"Slow queries, from {_took(view.queries.bound)} on")
    columns = [name("query"), number("took"), Column("asked by"), number("ago"), Column("", rank=1)]
    rows = []
    for slow in view.slow[:_MOST]:
        ended = "" if slow.outcome == "answered" else slow.outcome
        ago = age((view.at - slow.at) // SECOND * SECOND)
        rows.append([slow.text, _took(slow.seconds), slow.who, ago, ended])
    table(out, columns, rows)


def _rules(out: "Output", view: "Upkeep") -> None:
    from tui_monitor.cli.tables import name, number, table, title

    if not view.rules:
        return
    out.line()
    title(out, "Rules by their time")
    figures = ("mean", "last", "longest", "times", "failed")
    rows = [
        [one.rule, *map(_took, (one.mean, one.last, one.longest)), count(one.count), count(one.failed)]
        for one in view.rules[:_MOST]
    ]
    table(out, [name("rule"), *map(number, figures)], rows)


def _took(seconds: float | None) -> str:
    return milliseconds(None if seconds is None else seconds * 1000)
