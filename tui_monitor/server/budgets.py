"""Budgets over HTTP."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_monitor.costs.views import BudgetStatus
from tui_monitor.model.clock import Micros
from tui_monitor.server.declare import Group, get
from tui_monitor.server.needs import Need

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector


@dataclass(frozen=True, slots=True)
class BudgetsView:
    """Every budget at one moment. Money is USD, null is unknown."""

    at: Micros
    budgets: tuple[BudgetStatus, ...]
    warnings: tuple[str, ...] = ()


class Budgets:
    """Routes about budgets."""

    def __init__(self, collector: "Collector") -> None:
        self._monitor = collector.monitor

    @get("/monitor/v1/budgets", Need.READ, Group.COSTS, BudgetsView)
    async def budgets(self) -> BudgetsView:
        """Every budget in its present period: spent, limit, and where it ends at this rate."""
        view = await self._monitor.costs(period="today")
        return BudgetsView(view.at, view.budgets, view.warnings)
