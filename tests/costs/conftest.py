"""A real database, and calls with prices made up here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tui_monitor.config.settings import BudgetSettings
from tui_monitor.costs.summary import costs_view
from tui_monitor.costs.views import CostsView
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import NANO, Call
from tui_monitor.model.clock import ManualClock, Micros
from tui_monitor.query.local import LocalEngine
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

_keys = count()


@dataclass
class House:
    """A database in one time zone, and its costs."""

    path: Path
    clock: ManualClock
    calendar: Calendar

    def __post_init__(self) -> None:
        self.store = Store.open(self.path, write=True, clock=self.clock, zone=self.calendar.zone)
        self.engine = LocalEngine(self.store, self.calendar)
        self.budgets: list[BudgetSettings] = []

    def all_budgets(self) -> list[BudgetSettings]:
        return self.budgets

    def put(self, at: Micros, usd: float | None, **fields: object) -> None:
        """One call of 100 tokens in and 10 out; unpriced without `usd`."""
        nano = None if usd is None else round(usd * NANO)
        known = {"provider": "openai", "model_served": "m", "status": "success"} | fields
        known |= {"cost_status": "unpriced" if nano is None else "computed"} | fields
        tokens = {"in_uncached": 100, "out_total": 10, "cost": nano, "list_cost": nano} | known
        self.store.write(WriteBatch([Call("test", str(next(_keys)), ts_end=at, **tokens)]))

    def costs(self, now: Micros, by: str = "model", period: str = "month") -> CostsView:
        return costs_view(self.engine, self, self.calendar, by, period, now)


@pytest.fixture
def build(tmp_path: Path, clock: ManualClock) -> Iterator[Callable[..., House]]:
    """Makes databases."""
    houses: list[House] = []

    def build(zone: str = "UTC", **calendar: int) -> House:
        houses.append(House(tmp_path / f"{len(houses)}.db", clock, Calendar(zone, **calendar)))
        return houses[-1]

    yield build
    for house in houses:
        house.store.close()
