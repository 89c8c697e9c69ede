"""The way in: the recorder, opened as soon as prices are loaded; until then records wait."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tui_monitor.config.load import Settings
from tui_monitor.model.bus import EventBus
from tui_monitor.model.clock import SECOND, Clock
from tui_monitor.model.errors import Busy, MonitorError
from tui_monitor.model.feed import Record
from tui_monitor.model.units import age
from tui_monitor.pricing.book import PriceBook
from tui_monitor.recorder.prepare import Preparer
from tui_monitor.recorder.recorder import Receipt, Recorder
from tui_monitor.recorder.sampling import Sampler
from tui_monitor.recorder.stats import RecorderStats
from tui_monitor.recorder.veil import Veil
from tui_monitor.runtime.supervisor import Handle
from tui_monitor.store.database import Store

_STUCK_S = 60.0
"""Longest time that a transaction takes where nothing hangs."""

log = logging.getLogger(__name__)


class Intake:
    """Holds records back until they can be priced, so that none is stored unpriced for being early."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, bus: EventBus) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._bus = bus
        self._recorder: Recorder | None = None
        self._preparer: Preparer | None = None
        self._handle: Handle | None = None
        self._open = asyncio.Event()
        self._ended = False
        self._waiting = 0
        self.rejected = 0
        """What was turned away before it reached the recorder."""

    async def run(self, handle: Handle) -> None:
        """Load the prices, open the recorder, and stay. A worker of the supervisor."""
        self._handle = handle
        if self._recorder is None:
            prices = await self._load_prices(handle)
            veil = await asyncio.to_thread(Veil.load, self._settings.privacy)
            preparer = Preparer(self._settings.collector, prices, self._clock, veil)
            self._preparer = preparer
            await asyncio.to_thread(preparer.seed, self._store)
            self._store.price_merged(prices.price)
            sampler = await asyncio.to_thread(self._sampler)
            recorder = Recorder(
                self._store, preparer, self._settings.collector, self._clock, self._bus, sampler
            )
            await recorder.start()
            self._recorder = recorder
            self._open.set()
        await self._recorder.start()
        handle.running()
        # Where writing breaks, this does, and is started again.
        await self._recorder.keep()

    def _sampler(self) -> Sampler | None:
        """What decides which calls keep a raw row; it knows how many were kept today already."""
        settings = self._settings.sampling
        if not settings.on:
            return None
        calendar, queue_size = self._settings.calendar(), self._settings.collector.queue_size
        rows = 0
        if settings.max_rows_per_day is not None:
            rows = self._store.pushed_since(calendar.day(self._clock.now())[0])
        return Sampler(settings, calendar, queue_size, self._clock, rows)

    async def _load_prices(self, handle: Handle) -> PriceBook:
        """The price book; without one's own file where that is broken, so that data is still taken."""
        settings = self._settings.prices
        try:
            book = await asyncio.to_thread(PriceBook.load, settings)
            handle.running(_origin(book))
        except MonitorError as error:
            if settings.file is None:
                raise
            log.error("the price file is left out: %s", error.message)
            without = settings.model_copy(update={"file": None})
            book = await asyncio.to_thread(PriceBook.load, without)
            handle.problem(error.message)
            handle.running("the bundled list only: your file is broken")
        return book

    async def reload(self, settings: Settings) -> None:
        """Price what comes from now on by other settings; the file is read again even if they are equal.

        Raises `UsageError`, and changes nothing, where the file is broken.
        """
        book = await asyncio.to_thread(PriceBook.load, settings.prices)
        before, self._settings = self._settings.sampling, settings
        if self._recorder is not None and settings.sampling != before:
            self._recorder.sampler = await asyncio.to_thread(self._sampler)
        if self._preparer is not None and self._handle is not None:
            self._preparer.prices = book
            self._store.price_merged(book.price)
            self._handle.running(_origin(book))

    async def submit(
        self, records: Sequence[Record], *, remember: bool, offsets: Mapping[str, str] | None
    ) -> Receipt:
        """Record something; returns after the commit. Raises `Busy` and `StoreError`."""
        if not self._open.is_set():
            await self._wait(len(records))
        if self._recorder is None or self._ended:
            raise Busy("the collector is stopping", retry_after=2.0)
        return await self._recorder.submit(records, remember=remember, offsets=offsets)

    async def _wait(self, count: int) -> None:
        if self._waiting + count > self._settings.collector.queue_size:
            raise Busy("prices are being loaded and the queue is full")
        self._waiting += count
        try:
            await self._open.wait()
        finally:
            self._waiting -= count

    async def stop(self, within: float) -> None:
        """Write what waits for its transaction, `within` seconds at most; send away the rest."""
        self._ended = True
        self._open.set()
        if self._recorder is not None:
            await self._recorder.stop(within)

    def not_ready(self) -> tuple[str, ...]:
        """Why nothing is taken at this moment; empty when something is."""
        if self._recorder is None:
            return ("prices are being loaded",)
        return (self.trouble,) if self.trouble else ()

    @property
    def trouble(self) -> str:
        """Why nothing is written; empty where it is."""
        if self._recorder is None:
            return ""
        stats = self._recorder.stats
        if stats.writing_s is not None and stats.writing_s > _STUCK_S:
            return f"a transaction has not ended for {age(round(stats.writing_s * SECOND))}: the disk hangs"
        return stats.last_error

    def stats(self) -> RecorderStats:
        """The write path, with what waits and what was turned away before it."""
        if self._recorder is None:
            return RecorderStats(queued=self._waiting, rejected=self.rejected)
        stats = self._recorder.stats
        return replace(stats, rejected=stats.rejected + self.rejected)


def _origin(book: PriceBook) -> str:
    return "the bundled list" + (f" and {book.file}" if book.file else "")
