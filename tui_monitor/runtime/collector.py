"""One collector: opens the database for writing, runs sources, loops and doors, and ends in good order."""

import asyncio
import logging
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from tui_monitor.alerts.evaluator import Evaluator
from tui_monitor.config.load import Settings
from tui_monitor.health.views import CollectorStatus, SourceRow
from tui_monitor.model.bus import EventBus
from tui_monitor.model.clock import Clock, Micros, SystemClock
from tui_monitor.model.errors import Busy
from tui_monitor.model.feed import Record
from tui_monitor.monitor.local import LocalMonitor
from tui_monitor.query.local import LocalEngine
from tui_monitor.recorder.recorder import Receipt
from tui_monitor.runtime import loops
from tui_monitor.runtime.intake import Intake
from tui_monitor.runtime.supervisor import Backoff, Supervisor, Worker
from tui_monitor.sources.api import Source
from tui_monitor.sources.table import SOURCES
from tui_monitor.store.alerts import AlertStore
from tui_monitor.store.api import ImportInfo
from tui_monitor.store.database import Store

log = logging.getLogger(__name__)

ServerFactory = Callable[["Collector"], Sequence[Worker]]
"""Makes the doors of a collector; `tui_monitor.server.serve` is one."""

_DOORS_WITHIN = 1.2
_REST_WITHIN = 0.2
_WRITE_WITHIN = 0.3
_LEAVE_WITHIN = 1.7


class Collector:
    """Everything behind the screen. All methods belong to the loop it is started on.

    `serve` opens the doors; without it there are none. `sources` replaces the registered ones.
    """

    def __init__(
        self,
        settings: Settings,
        path: Path,
        *,
        clock: Clock | None = None,
        serve: ServerFactory | None = None,
        sources: Sequence[Source] | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.settings = settings
        self.path = path
        self.clock = clock or SystemClock()
        self.bus = EventBus()
        self.refused: Counter[str] = Counter()
        """HTTP requests refused, by reason."""
        self.monitor: LocalMonitor
        self._serve = serve
        self._sources = SOURCES if sources is None else sources
        self._supervisor = Supervisor(self.clock, self.bus, backoff)
        self._doors: tuple[str, ...] = ()
        self._open = AsyncExitStack()
        self._started: Micros | None = None
        self._stopping = False

    async def start(self) -> None:
        """Open the database and start everything; what cannot start is shown, not raised.

        Raises `StoreLocked` and `StoreError` where the database cannot be written.
        """
        settings = self.settings
        calendar = settings.calendar()
        self.store = await asyncio.to_thread(
            Store.open,
            self.path,
            write=True,
            clock=self.clock,
            zone=calendar.zone,
            synchronous=settings.database.synchronous,
            max_series=settings.collector.max_series,
        )
        async with AsyncExitStack() as stack:
            stack.push_async_callback(asyncio.to_thread, self.store.close)
            alerts = await AlertStore.open(self.store.path, write=True, guard=self.store.guard)
            stack.push_async_callback(alerts.close)
            engine = LocalEngine(self.store, calendar)
            evaluator = Evaluator(engine, alerts, settings.alerts, calendar, self.clock, self.bus)
            await evaluator.load()
            self._intake = Intake(settings, self.store, self.clock, self.bus)
            self.monitor = LocalMonitor(
                settings, self.store, engine, alerts, evaluator, _Here(self, evaluator), self.clock
            )
            self._started = self.clock.now()
            self._start_workers(evaluator)
            self._open = stack.pop_all()
        log.info("collecting into %s", self.store.path)

    def _start_workers(self, evaluator: Evaluator) -> None:
        doors = list(self._serve(self)) if self._serve is not None else []
        self._doors = tuple(door.name for door in doors)
        for worker in (
            Worker("prices", self._intake.run),
            *doors,
            *(loops.source_worker(self, source) for source in self._sources),
            loops.alerts_worker(evaluator, self.clock),
            loops.retention_worker(self),
            loops.own_samples_worker(self),
        ):
            self._supervisor.start(worker)

    async def stop(self) -> None:
        """Within two seconds: the doors close, sources end, what waits is written, the database is closed."""
        if self._started is None or self._stopping:
            return
        self._stopping = True
        doors, rest = self._doors, [row.name for row in self.rows() if row.name not in self._doors]
        await asyncio.gather(
            self._supervisor.stop(doors, within=_DOORS_WITHIN),
            self._supervisor.stop([name for name in rest if name != "prices"], within=_REST_WITHIN),
        )
        await self._supervisor.stop(["prices"], within=_REST_WITHIN)
        await self._intake.stop(_WRITE_WITHIN)
        self.monitor.close()
        await self._open.aclose()
        log.info("collecting has ended")

    async def submit(
        self, records: Sequence[Record], *, remember: bool = False, offsets: Mapping[str, str] | None = None
    ) -> Receipt:
        """Record something; returns after the commit. While prices load, it waits for them.

        Raises `Busy` when too much waits, and `StoreError` when the database cannot be written.
        """
        if self._stopping:
            raise Busy("the collector is stopping", retry_after=2.0)
        return await self._intake.submit(records, remember=remember, offsets=offsets)

    def count_rejected(self, count: int) -> None:
        """Count what a door turned away before it became a record."""
        self._intake.rejected += count

    async def begin_import(self, info: ImportInfo) -> None:
        """Note an import before its rows arrive. Raises `StoreError`."""
        await asyncio.to_thread(self.store.begin_import, info)

    async def undo_import(self, batch_id: str) -> int:
        """Take an import back whole; the number of calls taken out. Raises `StoreError`."""
        return await asyncio.to_thread(self.store.undo_import, batch_id)

    def not_ready(self) -> tuple[str, ...]:
        """Why pushed data is not taken at this moment; empty when it is."""
        if self._stopping:
            return ("stopping",)
        return self._intake.not_ready()

    def rows(self) -> tuple[SourceRow, ...]:
        """Every source and loop, and how it is doing."""
        return self._supervisor.rows()

    def status(self) -> CollectorStatus:
        """The collector itself, at this moment; `calls` and sizes are the monitor's to add."""
        stats = self._intake.stats()
        return CollectorStatus(
            running=True,
            pid=os.getpid(),
            started=self._started,
            rate=stats.rate,
            lag_ms=stats.lag_ms,
            queued=stats.queued,
            accepted=stats.accepted,
            rejected=stats.rejected,
            duplicates=stats.duplicates,
            late=stats.late,
            overflowed_labels=stats.overflowed_labels,
            database=str(self.store.path),
            database_bytes=database_bytes(self.store.path),
            sources=self.rows(),
        )


class _Here:
    """What people do, where the collector is this one."""

    def __init__(self, collector: Collector, evaluator: Evaluator) -> None:
        self._collector = collector
        self.acknowledge = evaluator.acknowledge
        self.unacknowledge = evaluator.unacknowledge
        self.undo_import = collector.undo_import

    async def status(self) -> CollectorStatus:
        return self._collector.status()


def database_bytes(path: Path) -> int | None:
    """Bytes of the database and its write-ahead log; None where there is none."""
    try:
        size = path.stat().st_size
    except OSError:
        return None
    try:
        return size + path.with_name(path.name + "-wal").stat().st_size
    except OSError:
        return size


def leave_in_time() -> None:
    """End the process in two seconds at the latest, whatever its threads are busy with.

    A thread cannot be stopped, and Python waits for each: for a long question whose asker is gone, or for
    an import that is being taken back. What was acknowledged is committed; a transaction under way is
    rolled back by SQLite.
    """
    timer = threading.Timer(_LEAVE_WITHIN, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> None:
    log.warning("collecting has ended with work under way on a thread")
    logging.shutdown()
    os._exit(0)


async def run_until_signal(collector: Collector, told: Callable[[], None] | None = None) -> None:
    """Collect until SIGTERM, SIGINT or SIGHUP, and end in good order. Raises as `Collector.start` does.

    `told` is called when the signal comes, once; `leave_in_time` is one where nothing else is to be done.
    """
    end = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if told is not None and not end.is_set():
            told()
        end.set()

    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        await collector.start()
        try:
            await end.wait()
        finally:
            await collector.stop()
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
