"""`query`: ask, and print or chart the answer."""

from argparse import ArgumentParser
from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from tui_monitor.cli import ranges
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.cli.times import instant
from tui_monitor.model.clock import HOUR, Micros
from tui_monitor.model.errors import UsageError
from tui_monitor.model.timerange import TimeRange, parse_duration, step_for

if TYPE_CHECKING:
    from tui_monitor.cli.comparing import Then
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.query.result import Result

_POINTS = 60
MAX_POINTS = 11_000


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument(
        "text",
        metavar="QUERY",
        nargs="?",
        help="metric{labels} [range] aggregate by(labels), PromQL, or a filter of calls",
    )
    ranges.arguments(parser, "answer over time, or calls, of this range")
    ranges.compared(parser)
    parser.add_argument("--step", metavar="S", help="length of one step over time, rounded up to a round one")
    parser.add_argument("--at", metavar="TIME", help="answer for this moment instead of now")
    parser.add_argument("--chart", action="store_true", help="draw the answer over time")
    parser.add_argument(
        "--explain", action="store_true", help="show a short form as PromQL and what it is read from"
    )
    parser.add_argument(
        "--saved",
        nargs="?",
        const="",
        metavar="NAME",
        help="ask the query that is saved so; alone: list them",
    )
    parser.add_argument("--save", metavar="NAME", help="keep QUERY under a name instead of asking it")
    parser.add_argument("--limit", type=int, metavar="N", help="of a filter: so many calls (default: 50)")
    parser.add_argument(
        "--lines", action="store_true", help="of a filter: calls as JSON lines, all of them unless limited"
    )
    examples(
        parser,
        """
        tui-monitor query 'latency{provider="anthropic"} [1h] p95 by(model)'
        tui-monitor query 'cost{} [30d] sum by(model)'
        tui-monitor query 'histogram_quantile(0.9, sum by(model)(rate(latency[1h])))'
        tui-monitor query --explain 'latency{provider="claude"} [1h] p95 by(model)'
        tui-monitor query 'requests{} by(provider)' --range 24h --chart
        tui-monitor query 'sum by(model)(increase(llm_cost_usd_total[$__interval]))' --range 7d --step 1d
        tui-monitor query 'provider=claude AND latency>1000' --range 24h
        tui-monitor query 'status=error OR cost>$0.05' --limit 200
        tui-monitor query 'latency{} p95 by(model)' --range 'yesterday 14:00 to 15:30'
        tui-monitor query 'cost{} [today] sum by(model)' --compare previous
        tui-monitor query 'where status=error' --from monday --to wednesday
        tui-monitor query --save 'slow models' 'latency{} [1h] p95 by(model)'
        tui-monitor query --saved 'slow models'
        tui-monitor --json query 'error_rate{} [24h]' --at 2026-03-18
        """,
    )


def run(context: Context) -> int:
    """Answer; raises `QueryError`, `UsageError`, `StoreError`."""
    from tui_monitor.cli import answers, calls, comparing
    from tui_monitor.query.filters.reading import as_filter, is_filter

    args, out = context.args, context.out
    if _only_saved(context):
        return 0
    if is_filter(args.text):
        return calls.run(context)
    _no_calls(context)
    calendar = context.calendar
    at = instant(args.at, calendar, context.now) if args.at else None
    shown, count = _over(context, at)
    at = shown.end if at is None else at
    if args.explain and not context.database.exists():
        step = shown.length // count if count else None
        return _explain(context, args.text, shown, step, (), ["there is no database yet"])

    async def ask(monitor: "Monitor") -> "tuple[Result, str, Then | None]":
        if count:
            found = await monitor.query_range(args.text, shown, count)
        else:
            found = await monitor.query(args.text, at=at)
        nothing = not found.series and not found.approximate
        then = await comparing.then(monitor, context, args.text, found, shown, count)
        return found, await answers.reach(monitor, found.span, calendar) if nothing else "", then

    result, newest, then = context.ask(ask)
    if args.explain:
        step = result.times[1] - result.times[0] if len(result.times) > 1 else None
        return _explain(context, result.query, shown, step, result.layers, result.warnings)
    drawn = args.chart and not out.json and not out.plain
    now = context.ask(lambda monitor: monitor.query(args.text, at=at, shown=shown)) if drawn else result

    def show() -> None:
        if args.chart:
            comparing.chart(out, result, now, calendar, then)
        elif then is not None and not count:
            comparing.show(out, result, then)
        else:
            answers.show_table(out, comparing.both(result, then), calendar)

    data = answers.data(result)
    out.answer(data if then is None else {**data, "before": then.data()}, show, result.warnings)
    if newest and not out.json:
        out.note(f"note: {newest}")
    instead = as_filter(args.text)
    if instead and not out.json:
        out.note(f"note: this compares metrics; single calls are listed by '{instead}'")
    return 0


def _only_saved(context: Context) -> bool:
    """Whether nothing is to be asked; a saved query is put where one is typed."""
    args = context.args
    if args.saved is not None or args.save is not None:
        from tui_monitor.cli import saved

        if saved.is_done(context):
            return True
    if args.text is None:
        raise UsageError("the following arguments are required: QUERY")
    return False


def _no_calls(context: Context) -> None:
    args = context.args
    if args.limit is not None or args.lines:
        raise UsageError(
            "--limit and --lines are for filters of calls",
            hint="a filter is like provider=claude AND latency>1000, or begins with where",
        )


def _over(context: Context, at: Micros | None) -> tuple[TimeRange, int]:
    """The range to be shown and its points; none of them where one number is wanted."""
    from tui_monitor.cli import chart

    args, out = context.args, context.out
    shown = ranges.asked(args, context.calendar, context.now, TimeRange(), at)
    if shown is None and not (args.step or args.chart):
        return TimeRange(), 0
    shown = shown or TimeRange(HOUR, at)
    if args.step:
        return shown, min(MAX_POINTS, ceil(shown.length / parse_duration(args.step)))
    return shown, chart.points(out) if args.chart and not out.json else _POINTS


def _explain(
    context: Context, text: str, shown: TimeRange, step: Micros | None, layers: Sequence[str],
    warnings: Sequence[str],
) -> int:  # fmt: skip
    """What the query is in PromQL, and which layers its answer came from."""
    from tui_monitor.query.desugar import explained
    from tui_monitor.query.variables import filled

    asked = filled(text, shown.length, step or step_for(shown.length, _POINTS))
    promql, why = explained(asked.text, step)
    out = context.out

    def show() -> None:
        out.line(promql or f"not in PromQL: {why}")
        out.line(f"read from: {', '.join(layers) or 'nothing'}")

    data = {"promql": promql, "layers": list(layers)} | ({"reason": why} if why else {})
    out.answer(data, show, warnings)
    return 0
