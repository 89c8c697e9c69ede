"""The Costs pane's lines: month, budgets, spends, days. Pure functions from the view."""

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, Micros
from tui_monitor.model.units import UNKNOWN, count, ratio, usd
from tui_monitor.tui.drawing import Glyphs, Span, bar, lane, size_of
from tui_monitor.tui.link import Look
from tui_monitor.tui.widgets.bars import Bar, BarData
from tui_monitor.tui.widgets.figure import ChartData, ChartSeries, Mark
from tui_monitor.tui.widgets.lines import Line
from tui_monitor.tui.words import change, day_words, spend_before

if TYPE_CHECKING:
    from tui_monitor.costs.views import BudgetStatus, CostsView, Projection, Spend
    from tui_monitor.tui.panes.charts import Colours

_SPEND_NAME = 11
_NAMES = {"today": "today", "week": "this week", "month": "this month"}
_FACTS = 50
"""Cells of a fact, as the style sheet gives them room."""
_NO_BUDGET = "no month budget: [[budgets]] in config.toml draws its bar here"
PARTS = 6
"""Rows that a day is divided into; the others are one part."""
_BUDGETS = 4
"""Further budgets shown at most."""


def change_span(value: float | None, before: float | None) -> Span:
    """The change of a spend, in the colour that says whether it is good: dearer is bad."""
    text, sign = change(value, before)
    return text, {1: "warn", -1: "ok"}.get(sign, "dim")


def between(projection: "Projection") -> str:
    """The interval of a projection: ` (521–580)`, none where both ends are one."""
    if projection.low is None or projection.high is None:
        return ""
    decimals = 0 if projection.high >= 100 else 2
    low, high = (f"{end:,.{decimals}f}" for end in (projection.low, projection.high))
    return f" ({low}–{high})" if low != high else ""


def level(budget: "BudgetStatus") -> str:
    """How a budget is doing: over, on the way to it, well, or unknown."""
    if budget.used is None:
        return "dim"
    if budget.used >= 1:
        return "crit"
    ahead = budget.projected is not None and budget.projected > budget.amount
    return "warn" if ahead or budget.used >= 0.8 else "ok"


def month_lines(view: "CostsView", look: Look, width: int, glyphs: Glyphs) -> list[Line]:
    """The month: spent, of what budget, when it ends, where it is going; then the other budgets."""
    month = next((spend for spend in view.spends if spend.period == "month"), None)
    main = next((b for b in view.budgets if b.period == "month" and not b.scope), None)
    spent = usd(month.cost if month else None)
    mark = f"{glyphs.about} " if view.approximate else ""
    left: list[Span] = [(" MONTH  ", "accent bold"), (f"{mark}{spent}", "bright bold")]
    if main is not None:
        token = level(main)
        left += [
            (f" of {usd(main.amount)}   ", ""),
            *_in_two(main, bar(main.used or 0.0, max(10, width // 3), glyphs), glyphs.track),
        ]
        left.append((f"  {ratio(main.used)}", f"{token} bold"))
    lines = [Line(tuple(left), ((_days_left(view), "dim"),))]
    second: list[Span] = [("        ", "")]
    if view.projection is not None:
        second += [(f"{glyphs.about} {usd(view.projection.amount)}", "bright")]
        second.append((between(view.projection), ""))
        second += [(f" by the month's end, {view.projection.method}", "dim")]
    else:
        why = next((text for text in view.warnings if "project" in text.lower()), "no projection yet")
        second.append((why, "dim"))
    lines.append(Line(tuple(second), _end(main, look)))
    if main is None:
        lines.append(Line.of(f"        {_NO_BUDGET}", "dim"))
    others = [budget for budget in view.budgets if budget is not main]
    return [*lines, *(_budget(budget, width, glyphs) for budget in others[:_BUDGETS])]


def _end(main: "BudgetStatus | None", look: Look) -> tuple[Span, ...]:
    if main is None or main.used_up is None:
        return ()
    present = look.calendar.local(look.at)
    return ((f"used up ≈ {day_words(look.calendar.local(main.used_up), present)}", "warn"),)


def _days_left(view: "CostsView") -> str:
    if view.month_end is None or view.month_end <= view.at:
        return ""
    days = -(-(view.month_end - view.at) // DAY)
    return f"{days} day{'' if days == 1 else 's'} left"


def _in_two(budget: "BudgetStatus", text: str, track: str) -> list[Span]:
    """A bar in the colour of how the budget is doing, and what is left of it."""
    filled = text.rstrip(track)
    return [(filled, level(budget)), (text[len(filled) :], "dim")]


def _budget(budget: "BudgetStatus", width: int, glyphs: Glyphs) -> Line:
    scope = " ".join(f"{name}={value}" for name, value in budget.scope.items())
    left: list[Span] = [(f"   {budget.name}", "bright"), (f"  {scope}" if scope else "", "dim")]
    right: list[Span] = [
        (f"{usd(budget.spent)} of {usd(budget.amount)} a {budget.period}   ", ""),
        *_in_two(budget, lane(budget.used or 0.0, max(10, width // 6), glyphs), glyphs.way),
        (f" {ratio(budget.used):>8} ", f"{level(budget)} bold"),
    ]
    return Line(tuple(left), tuple(right))


def spend_line(view: "CostsView") -> Line:
    """Today, week and month on one line, for where there is no room for more."""
    left: list[Span] = [(" SPEND", "accent bold")]
    for spend in view.spends:
        text, token = change_span(spend.cost, spend.previous)
        left += [(f"   {spend.period} ", "dim"), (usd(spend.cost), "bright")]
        left.append((f" {text}" if text != UNKNOWN else "", token))
    return Line(tuple(left))


def fact_lines(view: "CostsView") -> list[Line]:
    """What stands beside the days: spends against the periods before, and what no sum holds."""
    lines = [Line.of("SPEND", "accent bold")]
    facts = [_fact(spend, spend_before(spend.period, view.against)) for spend in view.spends]
    if any(size_of(fact.left) > _FACTS for fact in facts):
        facts = [_fact(spend, "was") for spend in view.spends]
    lines += facts
    month = next((spend for spend in view.spends if spend.period == "month"), None)
    if month is None:
        return lines
    lines.append(Line())
    if month.unpriced:
        tokens = f"  {count(month.unpriced_tokens)} tokens" if month.unpriced_tokens else ""
        words = (("unpriced    ", "warn"), (f"{count(month.unpriced)} calls{tokens}", "warn"))
        lines.append(Line(words))
        lines.append(Line.of("            this month; `prices show MODEL` says why", "dim"))
    if month.list_cost and month.list_cost > (month.cost or 0) * 1.005:
        text = f"{usd(month.list_cost):>9}"
        lines.append(Line((("list price  ", "dim"), (text, ""), ("  with subscriptions and free", "dim"))))
    return lines


def _fact(spend: "Spend", named: str) -> Line:
    """A spend with its change; `named` is what stands before the one that it is compared with."""
    text, token = change_span(spend.cost, spend.previous)
    before = "" if spend.previous is None else f"  {named} {usd(spend.previous)}"
    return Line(
        (
            (f"{_NAMES.get(spend.period, spend.period):<{_SPEND_NAME}}", "dim"),
            (f"{usd(spend.cost):>10}", "bright"),
            (f"  {text:<7}", token),
            (before, "dim"),
        )
    )


def parts_of(view: "CostsView", colours: "Colours") -> dict[str, int]:
    """The rows that days are divided into, the dearest first, each with the number of its colour."""
    from tui_monitor.query.language import spelled

    return colours.give([name for name, _ in view.daily_by[:PARTS]], spelled(view.dimension))


def daily_bars(view: "CostsView", look: Look, parts: Mapping[str, int] | None = None) -> BarData:
    """The days of the month so far, whole or in `parts`, and those to come as they are projected."""
    calendar = look.calendar
    bars: list[Bar] = []
    for n, (start, value) in enumerate(view.daily):
        today = start <= view.at < calendar.day(start)[1]
        of = _parts(view, n, value, parts) if parts and value else ()
        bars.append(Bar(str(calendar.day_of(start).day), value, "bright" if today else "accent", parts=of))
    bars += _to_come(view, look)
    return BarData(tuple(bars), "usd", "no spend this month")


def _parts(
    view: "CostsView", day: int, whole: float, parts: Mapping[str, int]
) -> tuple[tuple[float, int], ...]:
    known = [(values[day] or 0.0, parts[name]) for name, values in view.daily_by if name in parts]
    return (*known, (max(0.0, whole - sum(value for value, _ in known)), -1))


def running_total(view: "CostsView", look: Look, last: "CostsView | None" = None) -> ChartData:
    """What the month has cost day by day added up, on to its end as it is projected, against the budget.

    `last` is the month before; its course is drawn below, up to the same time of the month where this one is.
    """
    calendar = look.calendar
    month = next((spend for spend in view.spends if spend.period == "month"), None)
    if month is None or month.previous is None or (last is not None and not last.daily):
        # It was not recorded whole, and nothing is known of it as a whole.
        last = None
    main = next((b for b in view.budgets if b.period == "month" and not b.scope), None)
    times: list[Micros] = [view.daily[0][0]] if view.daily else []
    values: list[float | None] = [0.0] if view.daily else []
    for start, value in view.daily:
        times.append(min(calendar.day(start)[1], max(view.at, start + 1)))
        values.append((values[-1] or 0.0) + (value or 0.0))
    # Nothing is known of the days before the first of which something is.
    unknown = next((n for n, (_, value) in enumerate(view.daily) if value is not None), len(values))
    values[:unknown] = [None] * unknown
    over = len(times)
    sides: tuple[list[float | None], list[float | None]] = ([None] * over, [None] * over)
    if view.projection is not None and over and view.month_end is not None:
        _go_on(view.projection, view.month_end, calendar, times, values, sides)
    coming = len(times) > over
    return ChartData(
        tuple(times),
        (ChartSeries("spent", tuple(values), low=tuple(sides[0]), high=tuple(sides[1])),)
        if any(v for _, v in view.daily)
        else (),
        "usd",
        calendar,
        thresholds=(("budget", main.amount),) if main is not None else (),
        empty="no spend this month",
        marks=(Mark(main.used_up, "used up"),) if main is not None and main.used_up is not None else (),
        projected=times[over - 1] if coming else None,
        before=() if last is None else _course_of(last, view, len(times), over),
        before_name="" if last is None else f"{calendar.local(last.daily[0][0]):%B}",
    )


def _go_on(
    projection: "Projection", month_end: Micros, calendar: Calendar, times: list[Micros],
    values: list[float | None], sides: tuple[list[float | None], list[float | None]],
) -> None:  # fmt: skip
    """The days to come on a straight line to what is projected, with the interval that widens towards it."""
    begin, spent = times[-1], values[-1] or 0.0
    while times[-1] < month_end:
        at = min(calendar.day(times[-1])[1], month_end)
        share = (at - begin) / (month_end - begin)
        times.append(at)
        values.append(spent + (projection.amount - spent) * share)
        for side, bound in zip(sides, (projection.low, projection.high), strict=True):
            off = None if bound is None else (bound - projection.amount) * math.sqrt(share)
            here = values[-1]
            side.append(None if off is None or here is None else max(spent, here + off))


def _course_of(
    last: "CostsView", view: "CostsView", count: int, over: int
) -> tuple[tuple[float | None, ...], ...]:
    """The month before added up to the same days; at the present, up to the same time of its day."""
    sums: list[float | None] = [0.0]
    for _, value in last.daily:
        sums.append((sums[-1] or 0.0) + (value or 0.0))
    month = next((spend for spend in view.spends if spend.period == "month"), None)
    if month is not None and 0 < over <= len(sums) and over < count:
        sums[over - 1] = month.previous
    return (tuple(sums[:count]),)


def _to_come(view: "CostsView", look: Look) -> list[Bar]:
    month = next((spend for spend in view.spends if spend.period == "month"), None)
    if view.projection is None or view.month_end is None or not view.daily or month is None:
        return []
    calendar = look.calendar
    day = calendar.day_of(view.daily[-1][0]) + timedelta(days=1)
    days: list[Micros] = []
    while (start := calendar.midnight(day)) < view.month_end:
        days.append(start)
        day += timedelta(days=1)
    # What is left of today has its share of the rest, though no bar of its own.
    rate = max(0.0, view.projection.amount - (month.cost or 0.0)) / max(1, view.month_end - view.at)
    return [
        Bar(
            str(calendar.day_of(start).day), rate * (calendar.day(start)[1] - start), "dim", estimate=True
        )
        for start in days
    ]  # fmt: skip
