"""What the Costs pane and `costs` show; plain data. Money is USD, `None` is unknown."""

from dataclasses import dataclass

from tui_monitor.model.clock import Micros
from tui_monitor.model.comparison import Against
from tui_monitor.model.timerange import Span


@dataclass(frozen=True, slots=True)
class Spend:
    """One period's spend."""

    period: str
    span: Span
    cost: float | None
    calls: float = 0
    unpriced: float = 0
    """Calls without a price; their cost is not in `cost`."""
    unpriced_tokens: float | None = 0
    """Tokens of the calls without a price; unknown where there are such calls and none tells its tokens."""
    list_cost: float | None = None
    """What all calls cost by list price, those that a subscription covers or that are free included."""
    previous: float | None = None
    """Spend of what it is compared with: the period before up to the same time of the wall clock, unless the
    same part a day or a week before was asked for. `None` where recording began in the middle of it."""


@dataclass(frozen=True, slots=True)
class CostRow:
    """One value of the dimension over the shown period."""

    name: str
    """`–` where the dimension is not known for the calls."""
    calls: float
    input_tokens: float | None
    output_tokens: float | None
    cache_hit_rate: float | None
    cost: float | None
    share: float | None
    unpriced: float = 0
    previous: float | None = None
    """Its cost in what the period is compared with."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Where the month ends if it goes on like this: linear in elapsed time."""

    amount: float
    method: str = "linear"
    low: float | None = None
    """8 months in 10 end between `low` and `high`; unknown while too few days are over."""
    high: float | None = None


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """A budget in its current period."""

    name: str
    period: str
    amount: float
    spent: float | None
    """Unknown where there are calls and none has a price."""
    span: Span
    scope: dict[str, str]
    projected: float | None = None
    used_up: Micros | None = None
    """When it is spent at the present rate, where that is before the period's end."""
    unpriced: float = 0

    @property
    def used(self) -> float | None:
        """Share of the amount, 0–1 and above."""
        return None if self.spent is None else self.spent / self.amount


@dataclass(frozen=True, slots=True)
class CostsView:
    """The Costs pane at one moment."""

    at: Micros
    dimension: str
    period: str
    """The period that `rows` and `daily` are for."""
    spends: tuple[Spend, ...]
    """today, week, month."""
    rows: tuple[CostRow, ...] = ()
    daily: tuple[tuple[Micros, float | None], ...] = ()
    """(midnight, spend) for each day of the month so far."""
    daily_by: tuple[tuple[str, tuple[float | None, ...]], ...] = ()
    """The largest rows by their spend on each of these days; none by labels of one's own."""
    projection: Projection | None = None
    budgets: tuple[BudgetStatus, ...] = ()
    month_end: Micros | None = None
    warnings: tuple[str, ...] = ()
    approximate: str = ""
    """The server that extrapolated the figures from samples, shown with `≈`; empty where they are exact."""
    queries: tuple[tuple[str, str], ...] = ()
    """(what, the query behind it)."""
    against: Against = "previous"
    """With what `previous` compares: the period before, or the same part a day or a week before."""
