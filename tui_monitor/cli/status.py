"""`status`: one look at everything; the exit code says how it is, 3 where that is unknown."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import TYPE_CHECKING

from tui_monitor.cli import ranges
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.cli.output import Output, error_form
from tui_monitor.model.clock import MINUTE
from tui_monitor.model.errors import MonitorError, StoreError, UsageError
from tui_monitor.model.sampling import words
from tui_monitor.model.states import Health, SourceState
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.units import UNKNOWN, age, count, milliseconds, ratio, size, usd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_monitor.health.views import ProviderRow, RateLimit, SourceRow, StatusView
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.monitor.before import Before

UNKNOWN_CODE = 3
_STYLES = {
    Health.HEALTHY: "green",
    Health.DEGRADED: "yellow",
    Health.UNAVAILABLE: "red",
    Health.UNKNOWN: "dim",
}
_OVERALL = {0: ("healthy", "green"), 1: ("warning", "yellow"), 2: ("critical", "red"), 3: ("unknown", "dim")}
FEED = (
    "bring data in with `tui-monitor import FILE`, or run `tui-monitor collect` and send events to it; "
    "`tui-monitor` opens the dashboard and collects too"
)


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    ranges.compared(parser)
    examples(
        parser,
        """
        tui-monitor status
        tui-monitor status --compare week
        tui-monitor status --plain || mail -s "LLM trouble" you@example.org
        tui-monitor --json status | jq .data.health
        """,
    )


def run(context: Context) -> int:
    """Print the view; the exit code is its severity, 3 where it cannot be known. Raises `UsageError`."""
    if context.target is None and not context.database.exists():
        _missing(context.out, f"there is no database yet: {context.database}")
        return UNKNOWN_CODE
    from tui_monitor.cli.costs import notes

    try:
        view, before = context.ask(lambda monitor: _asked(monitor, context))
    except UsageError:
        raise
    except MonitorError as error:
        # How it is cannot be known: 1 would say that somebody had looked, and found something.
        context.out.failure(error)
        return UNKNOWN_CODE
    warnings = notes([*view.costs.warnings, *view.providers.warnings])
    # Beside the fields of the view, as everybody has them who does not compare.
    data = view if before is None else {**asdict(view), "before": {"providers": asdict(before)}}
    context.out.answer(data, lambda: _show(context, view, before), warnings)
    return view.severity


async def _asked(monitor: "Monitor", context: Context) -> "tuple[StatusView, Before | None]":
    """The view, and where it is wanted the providers' figures in the span that theirs is compared with."""
    from tui_monitor.model.comparison import earlier

    against = getattr(context.args, "compare", None)
    view = await monitor.status(against or "previous")
    if against is None:
        return view, None
    from tui_monitor.monitor.before import figures_of

    first = (await monitor.snapshot(TimeRange())).extent.first
    return view, await figures_of(monitor, earlier(view.providers.span, against, context.calendar), first)


def _missing(out: Output, message: str) -> None:
    if out.json:
        out.write_json(error_form(StoreError(message, hint=FEED)))
        return
    out.note(message)
    out.note(f"  {FEED}")


def _show(context: Context, view: "StatusView", before: "Before | None") -> None:
    from tui_monitor.cli import costs
    from tui_monitor.cli.tables import title

    out = context.out
    _overall(context, view)
    out.line()
    title(out, "Providers")
    _providers(out, view, before)
    out.line()
    title(out, "Spend")
    costs.spends(out, view.costs)
    if view.costs.budgets:
        costs.budgets(out, view.costs, context.calendar)
    out.line()
    title(out, "Alerts")
    _alerts(context, view)
    out.line()
    _caches(out, view)
    _limits(out, view)


def _overall(context: Context, view: "StatusView") -> None:
    from tui_monitor.cli.answers import about
    from tui_monitor.cli.tables import facts

    collector = view.collector
    running = f"running, pid {collector.pid}" if collector.running and collector.pid else "not running"
    if collector.silent:
        running = f"does not answer: {collector.silent} writes the database"
    sampled = clean(words(collector.sampling)).removeprefix("sampling ")
    newest = UNKNOWN if view.newest is None else f"{age(context.clock.now() - view.newest)} ago"
    facts(
        context.out,
        [
            ("state", _OVERALL[view.severity]),
            ("collector", running),
            *([("figures", about(view.providers.approximate))] if view.providers.approximate else []),
            *([("stores", (f"nothing: {clean(collector.trouble)}", "red"))] if collector.trouble else []),
            *failing(collector.sources),
            *([("sampling", (sampled, "yellow"))] if sampled else []),
            ("database", f"{collector.database or context.database}, {size(collector.database_bytes)}"),
            ("calls", f"{count(collector.calls)}, newest {newest}"),
        ],
    )


def failing(rows: "Sequence[SourceRow]") -> list[tuple[str, tuple[str, str]]]:
    """Sources and loops that do not work, and why; of the database is told otherwise."""
    return [
        (f"{clean(row.name)} fails", (clean(row.detail or row.last_error), "yellow"))
        for row in rows
        if row.state is SourceState.FAILED and row.name != "database"
    ]


def _providers(out: Output, view: "StatusView", before: "Before | None") -> None:
    from tui_monitor.cli.tables import Column, name, number, table

    if not view.providers.rows:
        out.line("no calls yet")
        out.note(f"  {FEED}")
        return
    figures = (
        ("p50", 4),
        ("p95", 0),
        ("p99", 3),
        ("success", 0),
        ("requests", 1),
        ("tokens", 5),
        ("today", 0),
    )
    columns = [name("provider"), Column("state"), *(number(*figure) for figure in figures), name("reason", 2)]
    table(out, columns, [_provider(out, row, view.at) for row in view.providers.rows])
    if before is not None:
        out.line()
        _compared(out, view, before)
    rows = [row for row in view.providers.rows if row.probe or row.page or row.headroom]
    if rows:
        out.line()
        beside = [name("provider"), name("reachability"), name("status page"), name("limits", 1)]
        table(out, beside, [_beside(row, view.at) for row in rows])


def _compared(out: Output, view: "StatusView", before: "Before") -> None:
    """The same figures in the span that is compared with, and how the requests changed."""
    from tui_monitor.cli.costs import changed
    from tui_monitor.cli.tables import name, number, table

    titles = ("p50", "p95", "p99", "success", "requests", "change", "tokens", "change")
    rows = [
        [
            key,
            *(milliseconds(figures.get(key)) for figures in (before.p50_ms, before.p95_ms, before.p99_ms)),
            ratio(before.success_rate.get(key)),
            count(before.requests.get(key)), changed(row.requests, before.requests.get(key)),
            count(before.tokens.get(key)), changed(row.tokens, before.tokens.get(key)),
        ]
        for row in view.providers.rows
        for key in (row.provider or UNKNOWN,)
    ]  # fmt: skip
    table(out, [name("provider before"), *map(number, titles)], rows)


def _beside(row: "ProviderRow", now: int) -> list["str | tuple[str, str]"]:
    """What is known besides calls: our own probes, the provider's word, what is left of its limits."""
    probe = page = room = UNKNOWN
    if row.probe is not None:
        took = f"answered in {milliseconds(row.probe.ms)}" if row.probe.ms is not None else "answered"
        times = f" {row.probe.failures} times in a row" if row.probe.failures > 1 else ""
        failed = f"failed{times}: {row.probe.why}" if row.probe.why else f"failed{times}"
        when = "" if row.probe.at is None else f", {_minutes_ago(now - row.probe.at)}"
        probe = (took if row.probe.reachable else failed) + when
    if row.page is not None:
        page = row.page.word + (f': "{row.page.title}"' if row.page.title else "")
        page += " (component drift)" if row.page.drift else ""
        page += f" {row.page.url}" if row.page.url else ""
    if row.headroom is not None:
        room = f"{ratio(row.headroom.share)} of {row.headroom.kind} left"
    return [row.provider or UNKNOWN, probe, page, room]


def _provider(out: Output, row: "ProviderRow", now: int) -> list["str | tuple[str, str]"]:
    style = _STYLES[row.state]
    glyph = {"green": "ok", "yellow": "warn", "red": "crit"}.get(style, "")
    state = row.state.value if out.plain else f"{out.glyphs.state(glyph)} {row.state.value}"
    p95 = milliseconds(row.p95_ms) + (" [HIGH]" if row.flag == "p95" else "")
    quiet = "" if row.quiet_since is None else f"; last call {_minutes_ago(now - row.quiet_since)}"
    success = ratio(row.success_rate) + (" [LOW]" if row.flag == "success" else "")
    return [
        row.provider or UNKNOWN, (state, style), milliseconds(row.p50_ms),
        (p95, style if row.flag == "p95" else ""), milliseconds(row.p99_ms),
        (success, style if row.flag == "success" else ""), count(row.requests), count(row.tokens),
        usd(row.cost_today), row.reason + quiet,
    ]  # fmt: skip


def _minutes_ago(length: int) -> str:
    """To the minute: finer it is not known."""
    return "just now" if length < MINUTE else f"{age(length // MINUTE * MINUTE)} ago"


def _alerts(context: Context, view: "StatusView") -> None:
    from tui_monitor.cli import alerttables

    active = [alert for alert in view.alerts.alerts if alert.open]
    if active and not view.collector.running:
        # Their states are those of the last evaluation, and time went on.
        context.out.line("as they stood when a collector ran last; nobody looks at the rules now")
    if active:
        alerttables.show_table(context.out, active, context.clock.now())
    else:
        context.out.line("no active alerts")


def _caches(out: Output, view: "StatusView") -> None:
    out.line(f"cache hit rate {ratio(view.cache_hit_rate)} of input tokens in the last hour")
    if view.response_cache_hit_rate is not None:
        out.line(f"response cache hit rate {ratio(view.response_cache_hit_rate)} of lookups in the last hour")


def _limits(out: Output, view: "StatusView") -> None:
    if not view.rate_limits:
        # Those that providers told in their answers stand in the table above.
        if not any(row.headroom for row in view.providers.rows):
            out.line("rate limits: none reported")
        return
    out.line("rate limits:")
    for limit in view.rate_limits:
        out.line(f"  {_limit(limit, view.at)}")


def _limit(limit: "RateLimit", now: int) -> str:
    words = [clean(limit.provider), clean(limit.key), clean(limit.limit_type), clean(limit.result)]
    if limit.remaining is not None:
        of = f" of {count(limit.limit)}" if limit.limit is not None else ""
        words.append(f"{count(limit.remaining)}{of} left")
    if limit.reset_at is not None and limit.reset_at > now:
        words.append(f"resets in {age(limit.reset_at - now)}")
    return "  ".join(word for word in words if word)
