"""The Costs pane: spend of today, the week and the month, and who caused it."""

from collections.abc import Sequence
from typing import Protocol

from tui_monitor.config.settings import BudgetSettings
from tui_monitor.costs.budgets import budget_statuses
from tui_monitor.costs.labels import BY
from tui_monitor.costs.periods import KINDS, Part, before, part_of
from tui_monitor.costs.projection import bounded, project
from tui_monitor.costs.sums import Sums
from tui_monitor.costs.views import CostRow, CostsView, Spend
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.comparison import Against
from tui_monitor.model.errors import UsageError
from tui_monitor.model.units import UNKNOWN
from tui_monitor.query.asking import Asking
from tui_monitor.query.engine import Engine
from tui_monitor.query.language import spelled
from tui_monitor.query.spend import LABEL

DAILY = 20
"""Rows whose days are told, at most."""
_SPLIT = ("requests", "cost", "unpriced", "input_tokens", "output_tokens")
_RATIO = "cache_hit_rate"
_TOTAL = ("cost", "requests", "unpriced", "list_cost")


class CostSettings(Protocol):
    """What the costs need of the settings."""

    def all_budgets(self) -> Sequence[BudgetSettings]:
        """Every budget, the daily one too."""
        ...


def costs_view(
    engine: Engine, settings: CostSettings, calendar: Calendar, by: str, period: str, now: Micros,
    first: Micros | None = None, against: Against = "previous",
) -> CostsView:  # fmt: skip
    """Today, week and month, and the rows of one period by one label, the dearest first. Money is USD.

    `period` is one of the calendar's names, `first` when the first call ever was booked, `against` what all
    of them are compared with. Blocks on the store.
    Raises `UsageError` for another period or for what is no label's name, `QueryError` and `StoreError`.
    """
    if not LABEL.fullmatch(by):
        raise UsageError(f"not a label: {by!r}", hint=f"one of {', '.join(BY)}, or a label of your own")
    asking = Asking(engine)
    shown = part_of(period, calendar, now)
    month = part_of("month", calendar, now)
    drawn = shown if shown.kind == "month" else month
    sums = Sums(asking, calendar, by, drawn)
    parts = [part_of(kind, calendar, now) for kind in KINDS]
    sums.ahead(
        [(metric, shown) for metric in _SPLIT],
        [(metric, part) for part in parts for metric in _TOTAL],
        [(_RATIO, shown)],
    )
    # The rows and days first: most totals are theirs added up.
    daily = tuple((day.start, cost) for day, cost in sums.daily())
    daily_by = tuple(sums.daily_split()[:DAILY])
    rows = _rows(sums, shown, _compared(shown, calendar, first, against))
    spends = tuple(_spend(sums, part, _compared(part, calendar, first, against)) for part in parts)
    projection, why_not = project(spends[-1].cost, month, first)
    if projection is not None and spends[-1].cost is not None and drawn.end == month.end:
        projection = bounded(projection, spends[-1].cost, month, daily, calendar, first)
    budgets = budget_statuses(asking, settings.all_budgets(), calendar, now, first)
    if why_not:
        asking.warn(why_not)
    return CostsView(
        at=now, dimension=by, period=period, spends=spends, rows=rows, daily=daily, projection=projection,
        daily_by=daily_by, budgets=budgets, month_end=month.end, warnings=asking.warnings,
        approximate=asking.approximate, queries=_queries(by, period), against=against,
    )  # fmt: skip


def _compared(part: Part, calendar: Calendar, first: Micros | None, against: Against) -> Part | None:
    """The part to compare with; `None` where recording began in the middle of it."""
    earlier = before(part, calendar, against)
    return earlier if first is None or first <= earlier.start else None


def _spend(sums: Sums, part: Part, earlier: Part | None) -> Spend:
    unpriced = sums.total("unpriced", part) or 0
    return Spend(
        period=part.kind,
        span=part.span,
        cost=sums.total("cost", part),
        calls=sums.total("requests", part) or 0,
        unpriced=unpriced,
        # Priced calls count as 0 tokens here, so a sum of 0 is one of calls that do not tell theirs.
        unpriced_tokens=(sums.total("unpriced_tokens", part) or None) if unpriced else 0,
        list_cost=sums.total("list_cost", part),
        previous=sums.total("cost", earlier) if earlier else None,
    )


def _rows(sums: Sums, part: Part, previous: Part | None) -> tuple[CostRow, ...]:
    calls, costs, unpriced, tokens_in, tokens_out = (sums.split(metric, part) for metric in _SPLIT)
    cached = sums.ratio(_RATIO, part)
    earlier = sums.split("cost", previous) if previous else {}
    total = sum(costs.values())
    rows = [
        CostRow(
            name=name or UNKNOWN,
            calls=calls[name],
            input_tokens=tokens_in.get(name),
            output_tokens=tokens_out.get(name),
            cache_hit_rate=cached.get(name),
            cost=costs.get(name),
            share=costs[name] / total if total and name in costs else None,
            unpriced=unpriced.get(name, 0),
            previous=earlier.get(name),
        )
        for name in calls
    ]
    return tuple(sorted(rows, key=_dearest))


def _dearest(row: CostRow) -> tuple[bool, float, float, str]:
    """Dearest first, then most calls; rows whose cost is unknown after those that have one."""
    return (row.cost is None, -(row.cost or 0), -row.calls, row.name)


def _queries(by: str, period: str) -> tuple[tuple[str, str], ...]:
    spends = tuple((kind, f"cost{{}} [{kind}] sum") for kind in KINDS)
    return (*spends, ("rows", f"cost{{}} [{period}] sum by({spelled(by)})"), ("daily", "cost{} [today] sum"))
