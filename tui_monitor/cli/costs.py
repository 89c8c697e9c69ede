"""`costs`: what was spent, on what, where the month ends, and the budgets."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui_monitor.cli import ranges
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.cli.output import Output
from tui_monitor.model.units import change, count, ratio, usd

if TYPE_CHECKING:
    from tui_monitor.costs.views import BudgetStatus, CostsView, Spend
    from tui_monitor.model.calendar import Calendar

_NAMES = {"today": "today", "week": "this week", "month": "this month"}
_PERIODS = ("today", "yesterday", "week", "last_week", "month", "last_month")
_TIGHT = 0.8


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument(
        "--by", metavar="LABEL", default="model",
        help="provider, model, user, project, operation, or another label (default: model)",
    )  # fmt: skip
    parser.add_argument(
        "--period", choices=_PERIODS, default="month", help="what the table is for (default: month)"
    )
    parser.add_argument("--chart", action="store_true", help="draw spend by day and the shares")
    ranges.compared(parser)
    examples(
        parser,
        """
        tui-monitor costs
        tui-monitor costs --by user --period week
        tui-monitor costs --period today --compare week
        tui-monitor --json costs --by project
        """,
    )


def run(context: Context) -> int:
    """Print the view; raises `UsageError`, `StoreError`."""
    args = context.args
    against = args.compare or "previous"
    view = context.ask(lambda monitor: monitor.costs(args.by, args.period, against=against))
    context.out.answer(view, lambda: _show(context, view), notes(view.warnings))
    return 0


def notes(warnings: Iterable[str]) -> list[str]:
    """What the answers warned of, without what the columns say already: how many calls have no price."""
    return [warning for warning in warnings if "have no price" not in warning]


def _show(context: Context, view: "CostsView") -> None:
    from tui_monitor.cli.answers import about

    out = context.out
    if view.approximate:
        out.line(about(view.approximate))
    spends(out, view)
    out.line()
    _rows(out, view)
    if context.args.chart:
        out.line()
        _charts(context, view)
    if view.budgets:
        out.line()
        budgets(out, view, context.calendar)


def spends(out: Output, view: "CostsView") -> None:
    """Today, this week, this month, and where the month ends."""
    from tui_monitor.cli.tables import Column, name, number, table

    rows = [
        [
            _NAMES.get(s.period, s.period),
            usd(s.cost),
            changed(s.cost, s.previous),
            count(s.calls),
            _left_out(s),
        ]
        for s in view.spends
    ]
    table(out, [Column("spend"), number("cost"), number("change"), number("calls"), name("", 1)], rows)
    if view.against != "previous":
        out.line(f"changes: against the same a {view.against} before")
    if view.projection is not None:
        end = view.projection
        between = "" if end.low is None else f"{usd(end.low)} to {usd(end.high)} in 8 of 10 months like it, "
        out.line(f"month ends at about {usd(end.amount)} ({between}{end.method})")


def changed(value: float | None, before: float | None) -> str:
    """A change as on the screen, but for its arrow."""
    text, _ = change(value, before)
    return text.replace("▲ ", "+").replace("▼ ", "-")


def _left_out(spend: "Spend") -> str:
    words = []
    if spend.unpriced:
        words.append(f"{count(spend.unpriced)} calls unpriced ({count(spend.unpriced_tokens)} tokens)")
    if spend.list_cost and spend.list_cost != spend.cost:
        words.append(f"{usd(spend.list_cost)} at list price")
    return ", ".join(words)


def _rows(out: Output, view: "CostsView") -> None:
    from tui_monitor.cli.tables import Column, name, number, table

    if not view.rows:
        out.line(f"no calls in this period ({view.period})")
        return
    figures = (
        ("calls", 0), ("in", 3), ("out", 2), ("cached", 4), ("cost", 0), ("share", 1),
        ("before", 6), ("change", 5),
    )  # fmt: skip
    rows = [
        [
            row.name, count(row.calls), count(row.input_tokens), count(row.output_tokens),
            ratio(row.cache_hit_rate), usd(row.cost), ratio(row.share),
            usd(row.previous), changed(row.cost, row.previous),
            f"{count(row.unpriced)} unpriced" if row.unpriced else "",
        ]
        for row in view.rows
    ]  # fmt: skip
    table(out, [name(view.dimension), *(number(*figure) for figure in figures), Column("", rank=7)], rows)


def _charts(context: Context, view: "CostsView") -> None:
    from tui_monitor.cli import chart

    calendar = context.calendar
    priced = [row for row in view.rows if row.cost is not None]
    chart.bars(context.out, [row.name for row in priced], [row.cost for row in priced], "usd")
    if view.daily:
        context.out.line()
        names = [calendar.local(at).strftime("%d %b") for at, _ in view.daily]
        chart.bars(context.out, names, [cost for _, cost in view.daily], "usd")


def budgets(out: Output, view: "CostsView", calendar: "Calendar") -> None:
    """Every budget, how much of it is used, and how long it lasts."""
    from tui_monitor.cli.tables import Column, name, number, table

    columns = [name("budget"), number("spent"), Column("of"), number("used"), Column("", rank=2), name("", 1)]
    table(out, columns, [_budget(out, status, calendar) for status in view.budgets])


def _budget(out: Output, status: "BudgetStatus", calendar: "Calendar") -> list["str | tuple[str, str]"]:
    from tui_monitor.cli.tables import BAD, DIM, GOOD, WARN
    from tui_monitor.tui.drawing import bar

    used = status.used or 0.0
    style = BAD if used >= 1 else WARN if used >= _TIGHT else GOOD
    words = []
    if status.used_up is not None:
        words.append(f"used up about {calendar.local(status.used_up).strftime('%d %b %H:%M')}")
    elif status.projected is not None:
        words.append(f"ends at about {usd(status.projected)}")
    if status.unpriced:
        words.append(f"{count(status.unpriced)} calls unpriced")
    drawn = "" if out.plain else bar(used, 20, out.glyphs)
    amount = f"{usd(status.amount)} a {status.period}"
    return [
        status.name,
        usd(status.spent),
        amount,
        (ratio(status.used), DIM if status.used is None else style),
        (drawn, style),
        ", ".join(words),
    ]
