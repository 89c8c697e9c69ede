"""`metrics`: the flags' way to the short form of a query."""

import re
from argparse import ArgumentParser
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tui_monitor.cli import ranges
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.model.errors import UsageError
from tui_monitor.model.providers import canonical
from tui_monitor.model.timerange import TimeRange, format_duration

if TYPE_CHECKING:
    from tui_monitor.cli.comparing import Then
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.query.result import Result

    Spreads = tuple[dict[str, Result], dict[str, Then]]

SPREAD = ("p50", "p95", "p99", "avg", "min", "max")
_SPREAD_METRICS = frozenset({"latency", "ttft", "queue_wait"})
_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
Groups = dict[tuple[tuple[str, str], ...], dict[str, float | None]]
"""Labels → each way of aggregating → value."""
_FILTERS = ("provider", "model", "user", "project", "operation")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the flags say."""

    metric: str
    matchers: str
    shown: TimeRange
    by: str

    @property
    def spread(self) -> bool:
        """Whether its distribution says more than one figure."""
        return self.metric in _SPREAD_METRICS or self.metric.endswith("_seconds")

    def short_form(self, how: str = "") -> str:
        """The query, aggregated in this way or in the metric's own."""
        by = f"by({self.by})" if self.by else ""
        parts = (f"{self.metric}{{{self.matchers}}}", f"[{format_duration(self.shown.length)}]", how, by)
        return " ".join(part for part in parts if part)


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="a metric; without one, all are listed")
    for label in _FILTERS:
        parser.add_argument(f"--{label}", metavar=label[0].upper(), help=f"only calls of this {label}")
    ranges.arguments(parser, "the range, by default the last hour")
    ranges.compared(parser)
    parser.add_argument("--group-by", metavar="L", default="", help="one value for each of this label")
    parser.add_argument("--format", choices=("table", "chart", "json"), default="table")
    parser.add_argument(
        "--chart", action="store_const", const="chart", dest="format", help="as --format chart"
    )
    examples(
        parser,
        """
        tui-monitor metrics latency --provider claude --range 1h --format chart
        tui-monitor metrics requests --group-by model --range 24h
        tui-monitor metrics latency --group-by provider --range today --compare previous
        tui-monitor metrics cost --group-by model --range 'last month'
        tui-monitor metrics system_cpu_utilization --chart
        tui-monitor metrics
        """,
    )


def run(context: Context) -> int:
    """Answer; raises `QueryError`, `UsageError`, `StoreError`."""
    args = context.args
    context.out.json = context.out.json or args.format == "json"
    if args.name is None:
        return _list(context)
    asked = _asked(context)
    if args.format == "chart" and not context.out.json:
        return _chart(context, asked)
    return _spread(context, asked) if asked.spread else _single(context, asked)


def _asked(context: Context) -> Asked:
    from tui_monitor.query.language import quote

    args = context.args

    def given(name: str) -> str:
        return getattr(args, name) or ""

    for what, word in (("a metric", given("name")), ("a label", given("group_by") or "x")):
        if not _NAME.fullmatch(word):
            raise UsageError(f"not the name of {what}: {word!r}", hint="see `tui-monitor metrics`")
    values = {label: given(label) for label in _FILTERS if given(label)}
    if "provider" in values:
        values["provider"] = canonical(values["provider"])
    matchers = ", ".join(f"{label}={quote(value)}" for label, value in values.items())
    shown = ranges.asked(args, context.calendar, context.now, TimeRange()) or TimeRange()
    if shown.since is not None:
        # It begins where it was said to, however long the answer takes: `today` at midnight.
        shown = shown.until(context.now)
    return Asked(given("name"), matchers, shown, given("group_by"))


def _single(context: Context, asked: Asked) -> int:
    from tui_monitor.cli import answers, comparing

    text = asked.short_form()

    async def ask(monitor: "Monitor") -> "tuple[Result, comparing.Then | None]":
        found = await monitor.query(text, at=asked.shown.end)
        return found, await comparing.then(monitor, context, text, found, asked.shown)

    result, then = context.ask(ask)

    def show() -> None:
        if then is None:
            answers.show_table(context.out, result, context.calendar)
        else:
            comparing.show(context.out, result, then)

    data = {"query": text, **answers.data(result)}
    context.out.answer(data if then is None else {**data, "before": then.data()}, show, result.warnings)
    return 0


async def _spread_of(
    monitor: "Monitor", context: Context, asked: Asked
) -> "tuple[dict[str, Result], dict[str, Then]]":
    """Each way of aggregating, and where it is wanted each in the span that is compared with."""
    from tui_monitor.cli import comparing

    found: dict[str, Result] = {}
    before: dict[str, Then] = {}
    for how in SPREAD:
        text = asked.short_form(how)
        found[how] = await monitor.query(text, at=asked.shown.end)
        then = await comparing.then(monitor, context, text, found[how], asked.shown)
        if then is not None:
            before[how] = then
    return found, before


def _spread(context: Context, asked: Asked) -> int:
    found, before = context.ask(lambda monitor: _spread_of(monitor, context, asked))
    groups, then = _groups(found), _groups({how: one.result for how, one in before.items()})
    unit = found["p50"].unit
    data: dict[str, object] = {"query": asked.short_form(), "unit": unit, "result": _listed(groups)}
    if before:
        data["before"] = {"result": _listed(then), **before["p50"].edges()}
    show = partial(_spread_table, context, groups, unit, then if before else None)
    context.out.answer(data, show, _warnings(found))
    return 0


def _listed(groups: "Groups") -> list[dict[str, object]]:
    return [{"metric": dict(labels), **values} for labels, values in groups.items()]


def _chart(context: Context, asked: Asked) -> int:
    from tui_monitor.cli import chart, comparing

    out, calendar = context.out, context.calendar
    count = chart.points(out)
    text = asked.short_form("p95" if asked.spread else "")

    async def ask(monitor: "Monitor") -> "tuple[Result, Result, Then | None, Spreads]":
        drawn = await monitor.query_range(text, asked.shown, count)
        found, before = await _spread_of(monitor, context, asked) if asked.spread else ({}, {})
        now = found["p95"] if found else await monitor.query(text, at=asked.shown.end)
        then = await comparing.then(monitor, context, text, drawn, asked.shown, count)
        return drawn, now, then, (found, before)

    drawn, now, then, (found, before) = context.ask(ask)
    out.line(text)
    comparing.chart(out, drawn, now, calendar, then)
    if found:
        out.line()
        old = _groups({how: one.result for how, one in before.items()}) if before else None
        _spread_table(context, _groups(found), drawn.unit, old)
    for warning in dict.fromkeys([*drawn.warnings, *_warnings(found)]):
        out.note(f"note: {warning}")
    return 0


def _groups(found: "dict[str, Result]") -> Groups:
    groups: Groups = {}
    for how, result in found.items():
        for series in result.series:
            groups.setdefault(series.labels, dict.fromkeys(SPREAD))[how] = series.value
    return groups


def _warnings(found: "dict[str, Result]") -> list[str]:
    return [warning for result in found.values() for warning in result.warnings]


def _spread_table(context: Context, groups: Groups, unit: str, then: Groups | None = None) -> None:
    """A row for each group; with `then` one of what it was before and one of the change below it."""
    from tui_monitor.cli.costs import changed
    from tui_monitor.cli.tables import Column, name, number, table
    from tui_monitor.model.units import UNKNOWN, show

    if not groups:
        context.out.line("no data")
        return
    labels = [key for key, _ in next(iter(groups))]
    rows: list[list[str]] = []
    for group, values in groups.items():
        named = [dict(group).get(label) or UNKNOWN for label in labels]
        told = [show(values[how], unit) for how in SPREAD]
        if then is None:
            rows.append([*named, *told])
            continue
        old = then.get(group, dict.fromkeys(SPREAD))
        blank = [""] * len(labels)
        rows.append([*named, "now", *told])
        rows.append([*blank, "before", *(show(old[how], unit) for how in SPREAD)])
        rows.append([*blank, "change", *(changed(values[how], old[how]) for how in SPREAD)])
    when = [] if then is None else [Column("")]
    table(context.out, [*(name(label) for label in labels), *when, *(number(how) for how in SPREAD)], rows)


def _list(context: Context) -> int:
    from tui_monitor.cli.rulecheck import store_of
    from tui_monitor.cli.tables import Column, name, table
    from tui_monitor.query.catalog import find, names

    with store_of(context) as store:
        metrics = sorted(
            (metric, found.help if (found := find(metric, store)) else "") for metric in names(store)
        )
    data = [{"name": metric, "help": help_line} for metric, help_line in metrics]
    columns = [Column("metric"), name("what it is")]
    context.out.answer(data, lambda: table(context.out, columns, metrics))
    return 0
