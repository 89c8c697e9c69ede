"""Which budget a rule is about, and what a call must be to count for it."""

from collections.abc import Sequence

from tui_monitor.config.settings import BudgetSettings, RuleSettings
from tui_monitor.model.calendar import Period
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import MonitorError, QueryError
from tui_monitor.model.text import clean
from tui_monitor.query.condition import Condition
from tui_monitor.query.language import BUDGET, nearest
from tui_monitor.query.promql.ast import Given, Matcher
from tui_monitor.query.spend import WINDOWS, matchers_of

_SHOWN = 5
_ADJECTIVES = {"day": "daily", "week": "weekly", "month": "monthly"}


def budget_of(
    setting: RuleSettings, condition: Condition, budgets: Sequence[BudgetSettings]
) -> BudgetSettings | None:
    """The budget that the rule names, else the only one of the period that it asks for.

    `None` for a rule that neither names one nor asks for one. Raises `MonitorError` where it is not known
    which one is meant.
    """
    if setting.budget is not None:
        return _named(setting.budget, budgets)
    words = [word for word in condition.words if word.name == BUDGET]
    if not words:
        return None
    windows = _windows(condition)
    fitting = [budget for budget in budgets if not windows or WINDOWS[budget.period] in windows]
    if len(fitting) == 1:
        return fitting[0]
    raise _unclear(condition, words[0], fitting, budgets)


def _windows(condition: Condition) -> set[Micros | Period | None]:
    """The periods whose spend it asks for."""
    return {node.window for node in condition.selections if node.scoped}


def scope_of(budget: BudgetSettings | None) -> tuple[Matcher, ...]:
    """What a call must be to count for the budget; everything where the rule is about none.

    Raises `QueryError` for a scope that names no label.
    """
    return matchers_of(budget.scope) if budget else ()


def _named(name: str, budgets: Sequence[BudgetSettings]) -> BudgetSettings:
    for budget in budgets:
        if budget.name == name:
            return budget
    meant = nearest(name, [budget.name for budget in budgets])
    raise MonitorError(
        f'no budget is called "{clean(name)}"' + (f", did you mean {clean(meant)}?" if meant else ""),
        hint=_spelled(budgets) or "no budget is configured",
    )


def _unclear(
    condition: Condition, word: Given, fitting: Sequence[BudgetSettings], budgets: Sequence[BudgetSettings]
) -> QueryError:
    if fitting:
        kinds = {_ADJECTIVES[budget.period] for budget in fitting}
        which = f"{kinds.pop()} budgets" if len(kinds) == 1 else "budgets"
        message, hint = f"there are {len(fitting)} {which}", f"name one in the rule: {_spelled(fitting)}"
    elif budgets:
        asked = [name for period, name in _ADJECTIVES.items() if WINDOWS[period] in _windows(condition)]
        message, hint = (
            f"there is no {' or '.join(asked)} budget",
            f"name one in the rule: {_spelled(budgets)}",
        )
    else:
        message, hint = "no budget is configured", "write a [[budgets]] table, or costs.daily_budget"
    return condition.error(message, word.place, hint=hint)


def _spelled(budgets: Sequence[BudgetSettings]) -> str:
    return ", ".join(f'budget = "{clean(budget.name)}"' for budget in budgets[:_SHOWN])
