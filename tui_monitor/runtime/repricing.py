"""Stored calls priced anew while collecting goes on."""

import asyncio
import logging
from dataclasses import dataclass

from tui_monitor.config.load import Settings
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import MonitorError, NotFound
from tui_monitor.pricing.book import PriceBook
from tui_monitor.sources.agents.billing import as_now_paid
from tui_monitor.store.database import Store
from tui_monitor.store.reprice import RepriceReport

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Repriced:
    """How far it is: calls looked at, of how many; at its end the report, or what went wrong."""

    done: int = 0
    total: int = 0
    report: RepriceReport | None = None
    error: str = ""


class Repricing:
    """One at a time, on a thread; some thousand calls a transaction, so that what comes in is not held up."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._task: asyncio.Task[None] | None = None
        self._state: Repriced | None = None

    @property
    def state(self) -> Repriced:
        """The one under way, or the last one. Raises `NotFound` where there was none."""
        if self._state is None:
            raise NotFound("nothing was priced anew since the collector began")
        return self._state

    def begin(self, since: Micros, settings: Settings) -> Repriced:
        """Price the calls booked at or after `since`. Raises `MonitorError` while that is under way."""
        if self._task is not None and not self._task.done():
            raise MonitorError("calls are being priced anew already", hint="wait until that is done")
        self._state = Repriced()
        self._task = asyncio.create_task(self._run(since, settings), name="reprice")
        return self._state

    async def _run(self, since: Micros, settings: Settings) -> None:
        try:
            report = await asyncio.to_thread(self._reprice, since, settings)
        except MonitorError as error:
            self._state = Repriced(error=error.message)
        except Exception as error:
            log.exception("pricing anew broke")
            self._state = Repriced(error=f"{type(error).__name__}: {error}")
        else:
            self._state = Repriced(report.looked_at, report.looked_at, report)

    def _reprice(self, since: Micros, settings: Settings) -> RepriceReport:
        # A book of its own: one thread prices with each.
        prices = PriceBook.load(settings.prices)
        return self._store.reprice(since, as_now_paid(settings.agents, prices.price), self._told)

    def _told(self, done: int, total: int) -> None:
        self._state = Repriced(done, total)
