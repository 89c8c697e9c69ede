"""The collector's own state as lines and rows: pure functions from its upkeep."""

from typing import TYPE_CHECKING

from tui_monitor.health.upkeep import Wellness
from tui_monitor.model.clock import SECOND
from tui_monitor.model.sampling import words
from tui_monitor.model.states import SourceState
from tui_monitor.model.units import UNKNOWN, age, count, milliseconds, ratio, show, size
from tui_monitor.tui.drawing import Glyphs, Span, curve, size_of, wrap
from tui_monitor.tui.link import Look
from tui_monitor.tui.panes.sourcelines import TOKENS
from tui_monitor.tui.widgets.grid import Cell, Column, GridRow
from tui_monitor.tui.widgets.lines import Line
from tui_monitor.tui.words import long_age, plural, short_age

if TYPE_CHECKING:
    from tui_monitor.health.upkeep import OwnProcess, Upkeep
    from tui_monitor.health.views import CollectorStatus, Gauge, SourceRow
    from tui_monitor.model.ruletime import RuleTime
    from tui_monitor.query.timing import QueryStats, SlowQuery

Facts = list[tuple[str, str]]
SPARK, WIDE_SPARK = 16, 40
_RULES = 8
"""Rules that are shown, the slowest."""
_WELL = {Wellness.HEALTHY: "ok", Wellness.DEGRADED: "warn", Wellness.UNHEALTHY: "crit"}
_OUTCOMES = {"answered": "", "failed": "crit", "cancelled": "warn"}


def columns(width: int) -> tuple[Column, ...]:
    """The list's columns for a screen of so many cells; the highest rank goes first."""
    return (
        Column("name", "", min=20, max=100),
        Column("value", "value", width=9, align="right"),
        Column("spark", "", width=WIDE_SPARK if width >= 150 else SPARK, rank=3),
        Column("who", "asked by", width=22 if width >= 120 else 14, rank=2),
        Column("when", "since", width=5, align="right", rank=1),
        Column("detail", "", min=10, max=70, rank=4),
    )


def one_line(status: "CollectorStatus", look: Look, glyphs: Glyphs) -> Line:
    """Who collects, and how that goes."""
    head: list[Span] = [(" COLLECTOR  ", "accent bold")]
    if status.running:
        head += [(f"{glyphs.ok} running", "ok"), (f"  pid {status.pid}" if status.pid else "", "dim")]
        if status.started is not None:
            head.append((f"  for {long_age(look.at - status.started)}", "dim"))
    elif status.silent:
        head.append((f"{glyphs.warn} {status.silent} writes this database and does not answer", "warn"))
    else:
        head.append((f"{glyphs.off} nobody collects into this database", "warn"))
    return Line(tuple(head))


def head_lines(view: "Upkeep", look: Look, glyphs: Glyphs, width: int) -> list[Line]:
    """How it is as a whole: state, write path, database, queries, clients, process."""
    status = view.collector
    first = one_line(status, look, glyphs)
    if view.status is not None:
        token = _WELL[view.status]
        state: Span = (f"{glyphs.state(token)} {view.status}", token)
        first = Line(first.left, (state,))
    lines = [first]
    if status.running:
        lines += [*_checks(view, glyphs), *_warnings(status, glyphs, width), *_intake(status, width)]
    held = f"{count(status.calls)} calls, {size(status.database_bytes)}"
    lines.append(Line((("   database ", "dim"), (held, ""), (f"  {status.database}", "dim"))))
    if status.running:
        lines += [_facts(facts, width) for facts in (_queries(view), _lately(view.queries), _clients(view))]
        if view.process is not None:
            lines.append(_facts(_process(view.process), width))
    return lines


def _checks(view: "Upkeep", glyphs: Glyphs) -> list[Line]:
    """The parts that are not well, and why."""
    ill = [(_WELL[c.status], c) for c in view.checks if c.status is not Wellness.HEALTHY]
    return [
        Line(((f"   {glyphs.state(token)} {check.name} ", token), (check.detail, ""))) for token, check in ill
    ]


def _warnings(status: "CollectorStatus", glyphs: Glyphs, width: int) -> list[Line]:
    """What is not as it should be while it works."""
    lines: list[Line] = []
    for row in (row for row in status.sources if row.warning):
        name = f"   {glyphs.warn} {row.name} "
        first, *rest = wrap(row.warning, width - size_of([(name, "")]) - 2, glyphs)
        lines.append(Line(((name, "warn"), (first, ""))))
        lines += [Line.of(" " * len(name) + text) for text in rest]
    return lines


def _intake(status: "CollectorStatus", width: int) -> list[Line]:
    pace = [("now", f"{status.rate or 0:.1f}/s"), ("lag", milliseconds(status.lag_ms))]
    more = [("waiting", status.queued), ("accepted", status.accepted), ("already known", status.duplicates)]
    lines = [_facts([*pace, *((name, count(number)) for name, number in more)], width)]
    lost = [
        ("rejected", status.rejected), ("too late", status.late), ("labels folded", status.overflowed_labels),
    ]  # fmt: skip
    if any(number for _, number in lost):
        lines.append(_facts([(name, count(number)) for name, number in lost if number], width, "warn"))
    if status.sampling or status.left_out:
        now = words(status.sampling) or "sampled"
        left = f"  {count(status.left_out)} calls without a row" if status.left_out else ""
        lines.append(Line(((f"   {now}", "warn"), (left, "dim"))))
    return lines


def _queries(view: "Upkeep") -> Facts:
    """What is counted since the start."""
    stats, looked = view.queries, view.cache_hits + view.cache_misses
    facts = [("queries since the start", count(stats.asked)), ("slow", count(stats.slow))]
    if looked:
        facts.append(("kept answers", ratio(view.cache_hits / looked)))
    more = [("failed", stats.failed), ("cancelled", stats.cancelled)]
    return [*facts, *((name, count(number)) for name, number in more if number)]


def _lately(stats: "QueryStats") -> Facts:
    """How long queries took lately: `RECENT_S`."""
    quantiles = [("queries of 15 min  p50", took(stats.p50)), ("p95", took(stats.p95))]
    return [*quantiles, ("longest", took(stats.longest))]


def _clients(view: "Upkeep") -> Facts:
    clients = ", ".join(f"{number} {kind}" for kind, number in view.connections.items())
    facts = [("clients", clients or "none"), ("requests", count(view.requests))]
    return [*facts, ("refused", count(view.refused))] if view.refused else facts


def _process(process: "OwnProcess") -> Facts:
    facts = [("processor", f"{ratio(process.cpu_share)} of a core"), ("in all", took(process.cpu_seconds))]
    facts.append(("memory", size(process.memory_bytes)))
    more = [("threads", process.threads), ("files", process.open_files)]
    return [*facts, *((name, count(number)) for name, number in more if number is not None)]


def _facts(facts: Facts, width: int, token: str = "") -> Line:
    """As many of them as there is room for, none of them cut."""
    spans: list[Span] = []
    room = width - 2
    for name, text in facts:
        room -= len(name) + len(text) + 4
        if room < 0 and spans:
            break
        spans += [(f"   {name} ", "dim"), (text, token)]
    return Line(tuple(spans))


def took(seconds: float | None) -> str:
    """A length of time, from µs to days."""
    if seconds is None or seconds < 60:
        return milliseconds(None if seconds is None else seconds * 1000)
    return age(round(seconds * SECOND))


def rows_of(view: "Upkeep", look: Look, glyphs: Glyphs, width: int) -> list[GridRow]:
    """Slow queries, its figures, its slowest rules and its parts, each below a heading."""
    cells = WIDE_SPARK if width >= 150 else SPARK
    bound = took(view.queries.bound)
    slow = [_slow(query, look) for query in view.slow]
    groups = (
        (f"SLOW QUERIES  from {bound} on, the newest first", slow),
        ("FIGURES", [_gauge(gauge, cells, glyphs) for gauge in view.gauges]),
        ("RULES  the slowest by their mean", [_rule(time) for time in view.rules[:_RULES]]),
        ("PARTS", [_part(row, look, glyphs) for row in view.collector.sources if _worth_a_row(row)]),
    )
    shown: list[GridRow] = []
    for title, rows in groups:
        if rows:
            shown += [GridRow(f"heading {title}", heading=title), *rows]
    return shown


def query_of(view: "Upkeep", key: str) -> str:
    """The query behind a row; empty where there is none."""
    kind, _, name = key.partition(" ")
    if kind == "slow":
        return next((slow.text for slow in view.slow if _slow_key(slow) == key), "")
    if kind == "figure":
        return next((gauge.query for gauge in view.gauges if gauge.name == name), "")
    return ""


def _slow_key(slow: "SlowQuery") -> str:
    return f"slow {slow.at} {slow.who} {slow.text}"


def _slow(slow: "SlowQuery", look: Look) -> GridRow:
    token = _OUTCOMES.get(slow.outcome, "dim")
    read = [plural(n, noun) for n, noun in ((slow.calls, "call"), (slow.samples, "sample")) if n]
    if slow.series:
        read.insert(0, f"{count(slow.series)} series")
    over = [plural(slow.steps, "step")] if slow.steps > 1 else []
    told = [slow.outcome if token else "", slow.error, *over, *read]
    return GridRow(
        _slow_key(slow),
        {
            "name": Cell(slow.text, "bright"),
            "value": Cell(took(slow.seconds), "warn", sort=slow.seconds),
            "who": Cell(slow.who, sort=slow.who),
            "when": Cell(short_age(look.at - slow.at), "dim", sort=slow.at),
            "detail": Cell(", ".join(text for text in told if text), token or "dim"),
        },
    )


def _gauge(gauge: "Gauge", cells: int, glyphs: Glyphs) -> GridRow:
    top = 1.0 if gauge.unit == "ratio" else None
    value = f"{show(gauge.value)}/s" if gauge.unit == "/s" and gauge.value is not None else None
    return GridRow(
        f"figure {gauge.name}",
        {
            "name": Cell(gauge.name, "bright"),
            "value": Cell(value or show(gauge.value, gauge.unit)),
            "spark": Cell(curve(gauge.spark, cells, top, glyphs), "accent"),
        },
    )


def _rule(time: "RuleTime") -> GridRow:
    told = [f"last {took(time.last)}", f"longest {took(time.longest)}", plural(time.count, "time")]
    failed = f", {count(time.failed)} failed" if time.failed else ""
    return GridRow(
        f"rule {time.rule}",
        {
            "name": Cell(time.rule, "bright"),
            "value": Cell(took(time.mean), sort=time.mean),
            "detail": Cell(", ".join(told) + failed, "warn" if failed else "dim"),
        },
    )


def _worth_a_row(row: "SourceRow") -> bool:
    """Loops and ways out; of what the Sources pane is about, only what does not work as it should."""
    return row.kind in ("loop", "out") or row.state is SourceState.FAILED or row.restarts > 0


def _part(row: "SourceRow", look: Look, glyphs: Glyphs) -> GridRow:
    token = TOKENS[row.state]
    restarts = plural(row.restarts, "restart") if row.restarts else ""
    broken = row.state is SourceState.FAILED
    told = row.last_error if broken and row.last_error else row.warning or row.detail
    return GridRow(
        f"part {row.name}",
        {
            "name": Cell(row.name, "bright"),
            "value": Cell(row.state.value, token, glyph=glyphs.state(token)),
            "who": Cell(restarts, "warn"),
            "when": Cell(UNKNOWN if row.since is None else short_age(look.at - row.since), "dim"),
            "detail": Cell(told, "crit" if broken else "warn" if row.warning else "dim"),
        },
    )
