"""The Costs pane: spend of today, the week and the month, and who caused it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from tui_monitor.config.settings import BudgetSettings
from tui_monitor.costs.budgets import budget_statuses
from tui_monitor.costs.labels import BY, LABEL
from tui_monitor.costs.periods import KINDS, Part, before, days_of, part_of
from tui_monitor.costs.projection import project
from tui_monitor.costs.views import CostRow, CostsView, Spend
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import UsageError
from tui_monitor.model.units import UNKNOWN
from tui_monitor.query.asking import Asking
from tui_monitor.query.engine import Engine
from tui_monitor.query.language import spelled

_COLUMNS: Mapping[str, str] = {
    "calls": "requests",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_hit_rate": "cache_hit_rate",
    "cost": "cost",
    "unpriced": "unpriced",
}


class CostSettings(Protocol):
    """What the costs need of the settings."""

    def all_budgets(self) -> Sequence[BudgetSettings]:
        """Every budget, the daily one too."""
        ...


def costs_view(
    engine: Engine, settings: CostSettings, calendar: Calendar, by: str, period: str, now: Micros
) -> CostsView:
    """Today, week and month, and the rows of one period by one label, the dearest first. Money is USD.

    `period` is one of the calendar's names. Blocks on the store. Raises `UsageError` for another period or
    for what is no label's name, `QueryError` and `StoreError`.
    """
    if not LABEL.fullmatch(by):
        raise UsageError(f"not a label: {by!r}", hint=f"one of {', '.join(BY)}, or a label of your own")
    asking = Asking(engine)
    shown = part_of(period, calendar, now)
    month = part_of("month", calendar, now)
    spends = tuple(_spend(asking, part_of(kind, calendar, now), calendar) for kind in KINDS)
    projection, why_not = project(spends[-1].cost, month)
    rows = _rows(asking, by, shown, before(shown, calendar))
    daily = _daily(asking, shown if shown.kind == "month" else month, calendar)
    budgets = budget_statuses(asking, settings.all_budgets(), calendar, now)
    if why_not:
        asking.warn(why_not)
    return CostsView(
        at=now, dimension=by, period=period, spends=spends, rows=rows, daily=daily, projection=projection,
        budgets=budgets, month_end=month.end, warnings=asking.warnings, queries=_queries(by, period),
    )  # fmt: skip


def _spend(asking: Asking, part: Part, calendar: Calendar) -> Spend:
    def total(metric: str, of: Part = part) -> float | None:
        return asking.instant(f"{metric}{{}} [{of.kind}] sum", of.at).scalar

    return Spend(
        period=part.kind,
        span=part.span,
        cost=total("cost"),
        calls=total("requests") or 0,
        unpriced=total("unpriced") or 0,
        unpriced_tokens=total("unpriced_tokens") or 0,
        list_cost=total("list_cost"),
        previous=total("cost", before(part, calendar)),
    )


def _rows(asking: Asking, by: str, part: Part, previous: Part) -> tuple[CostRow, ...]:
    def grouped(metric: str, of: Part) -> dict[str, float]:
        how = "avg" if metric == "cache_hit_rate" else "sum"
        return asking.instant(f"{metric}{{}} [{of.kind}] {how} by({spelled(by)})", of.at).by(by)

    columns = {column: grouped(metric, part) for column, metric in _COLUMNS.items()}
    earlier = grouped("cost", previous)
    costs = columns["cost"]
    total = sum(costs.values())
    rows = [
        CostRow(
            name=name or UNKNOWN,
            calls=columns["calls"].get(name, 0),
            input_tokens=columns["input_tokens"].get(name),
            output_tokens=columns["output_tokens"].get(name),
            cache_hit_rate=columns["cache_hit_rate"].get(name),
            cost=costs.get(name),
            share=costs[name] / total if total and name in costs else None,
            unpriced=columns["unpriced"].get(name, 0),
            previous=earlier.get(name),
        )
        for name in columns["calls"]
    ]
    return tuple(sorted(rows, key=_dearest))


def _dearest(row: CostRow) -> tuple[bool, float, float, str]:
    """Dearest first, then most calls; rows whose cost is unknown after those that have one."""
    return (row.cost is None, -(row.cost or 0), -row.calls, row.name)


def _daily(asking: Asking, month: Part, calendar: Calendar) -> tuple[tuple[Micros, float | None], ...]:
    days = days_of(month, calendar)
    return tuple((day.start, asking.instant("cost{} [today] sum", day.at).scalar) for day in days)


def _queries(by: str, period: str) -> tuple[tuple[str, str], ...]:
    spends = tuple((kind, f"cost{{}} [{kind}] sum") for kind in KINDS)
    return (*spends, ("rows", f"cost{{}} [{period}] sum by({spelled(by)})"), ("daily", "cost{} [today] sum"))
