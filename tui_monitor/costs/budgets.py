"""Budgets: what is spent of them, and how long they last."""

from collections.abc import Iterable

from tui_monitor.config.settings import BudgetSettings
from tui_monitor.costs.periods import part_of
from tui_monitor.costs.projection import linear, used_up
from tui_monitor.costs.views import BudgetStatus
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import QueryError
from tui_monitor.query.asking import Asking
from tui_monitor.query.spend import WINDOWS, spend_query


def budget_statuses(
    asking: Asking,
    budgets: Iterable[BudgetSettings],
    calendar: Calendar,
    now: Micros,
    first: Micros | None = None,
) -> tuple[BudgetStatus, ...]:
    """Every budget in its present period, in their order; `first` is when the first call ever was booked.

    One whose scope cannot be asked for is left out with a warning; the others are not touched by it.
    Raises `StoreError`.
    """
    statuses: list[BudgetStatus] = []
    for budget in budgets:
        try:
            statuses.append(_status(asking, budget, calendar, now, first))
        except QueryError as error:
            asking.warn(f"budget {budget.name}: {error.message}")
    return tuple(statuses)


def _status(
    asking: Asking, budget: BudgetSettings, calendar: Calendar, now: Micros, first: Micros | None
) -> BudgetStatus:
    part = part_of(WINDOWS[budget.period], calendar, now)
    found = asking.instant(spend_query(budget.period, budget.scope), now).scalar
    unpriced = asking.instant(spend_query(budget.period, budget.scope, "unpriced"), now).scalar or 0.0
    return BudgetStatus(
        name=budget.name,
        period=budget.period,
        amount=budget.amount_usd,
        # Without any call nothing is spent; with calls of unknown price nobody knows.
        spent=0.0 if found is None and not unpriced else found,
        span=part.span,
        scope=dict(budget.scope),
        projected=linear(found, part, first),
        used_up=used_up(found, budget.amount_usd, part, first),
        unpriced=unpriced,
    )
