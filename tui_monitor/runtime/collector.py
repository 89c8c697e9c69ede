"""One collector: opens the database for writing, runs sources, loops and doors, and ends in good order."""

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path

from tui_monitor.alerts.channels.table import CHANNELS
from tui_monitor.alerts.evaluator import Evaluator
from tui_monitor.alerts.shipped import shipped_rules
from tui_monitor.config.load import Settings
from tui_monitor.health.views import CollectorStatus, SourceRow
from tui_monitor.model.bus import EventBus
from tui_monitor.model.clock import Clock, Micros, SystemClock
from tui_monitor.model.errors import Busy, MonitorError, NotFound, StoreError
from tui_monitor.model.feed import Record, Sample
from tui_monitor.model.once import Once
from tui_monitor.model.text import clean
from tui_monitor.monitor.api import Reloaded
from tui_monitor.monitor.local import LocalMonitor
from tui_monitor.query.engines.choose import engine_for, over
from tui_monitor.query.local import LocalEngine
from tui_monitor.recorder.recorder import Receipt
from tui_monitor.runtime import loops
from tui_monitor.runtime.checking import Checkup
from tui_monitor.runtime.configured import Configured, config_worker
from tui_monitor.runtime.demo import replay_in
from tui_monitor.runtime.derived import DerivedMetrics
from tui_monitor.runtime.disk import database_bytes, database_worker
from tui_monitor.runtime.eventlog import EventLog
from tui_monitor.runtime.forwarding import forward_worker
from tui_monitor.runtime.health import health_worker
from tui_monitor.runtime.here import Here
from tui_monitor.runtime.intake import Intake
from tui_monitor.runtime.pauses import Pause
from tui_monitor.runtime.pauses import keep as keep_pause
from tui_monitor.runtime.pauses import load as load_pauses
from tui_monitor.runtime.pulse import Pulse
from tui_monitor.runtime.reload import compare, concerns_forwarding, concerns_sources, taken_over
from tui_monitor.runtime.repricing import Repriced, Repricing
from tui_monitor.runtime.supervisor import Backoff, Supervisor, Worker
from tui_monitor.runtime.traffic import Traffic
from tui_monitor.sources.api import Source
from tui_monitor.sources.table import SOURCES
from tui_monitor.store.acts import Done
from tui_monitor.store.alerts import AlertStore
from tui_monitor.store.api import ImportInfo, WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.upgrade import Told, Update

log = logging.getLogger(__name__)

ServerFactory = Callable[["Collector"], Sequence[Worker]]
"""Makes the doors of a collector; `tui_monitor.server.serve` is one."""

_DOORS_WITHIN = 1.2
_REST_WITHIN = 0.2
_WRITE_WITHIN = 0.3


class Collector:
    """Everything behind the screen. All methods belong to the loop it is started on.

    `serve` opens the doors; without it there are none. `sources` replaces the registered ones. `configure`
    reads the configuration again; it may block, and raises `UsageError`. `file` is where that stands, and is
    watched. `updating` is told, on another
    thread, how far a database of an older version is brought up to date.
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
        configure: Callable[[], Settings] | None = None,
        file: Configured | None = None,
        updating: Told | None = None,
    ) -> None:
        self.settings = settings
        self.path = path
        self.clock = clock or SystemClock()
        self.bus = EventBus()
        self.events = EventLog(self.bus, self.clock)
        self.pulse = Pulse(self)
        self.refused: Counter[str] = Counter()
        """HTTP requests refused, by reason."""
        self.traffic = Traffic()
        self.checkup = Checkup(self)
        self.figures: dict[str, Sequence[Sample]] = {}
        """What loops measured last of what they look after, by loop."""
        self.provider_reasons: Mapping[str, str] = {}
        """Provider → why it is in its state, as of the last look."""
        self.monitor: LocalMonitor
        self.engine: LocalEngine
        self.rules: Evaluator
        self.derived: DerivedMetrics
        self._serve = serve
        self._configure, self._file = configure, file
        self._updating = updating
        self._changing, self._rereading, self._undoing = asyncio.Lock(), asyncio.Lock(), asyncio.Lock()
        self._sources = {source.name: source for source in (SOURCES if sources is None else sources)}
        self._supervisor = Supervisor(self.clock, self.bus, backoff)
        self._doors: tuple[str, ...] = ()
        self._open = AsyncExitStack()
        self._started: Micros | None = None
        self._stopping = False
        self.lost = asyncio.Event()
        """Set when the database is no longer ours to write: somebody has to begin anew."""
        self.loss: StoreError | None = None
        """Why."""

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
            update=Update(settings.database.update_copies, self._updating),
        )
        if self.store.updated is not None:
            log.warning("%s", self.store.updated.words)
        self._sources |= await asyncio.to_thread(replay_in, self.store, settings, self.clock)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(asyncio.to_thread, self.store.close)
            alerts = await AlertStore.open(self.store.path, write=True, guard=self.store.guard)
            stack.push_async_callback(alerts.close)
            self.engine = over(settings.query, self.store, calendar, self.clock)
            self.derived = DerivedMetrics(self.engine, self.store, self.clock, self.store.path)
            stack.push_async_callback(asyncio.to_thread, self.derived.close)
            engine = engine_for(settings.query, self.engine, calendar, self.clock)
            evaluator = Evaluator(
                engine,
                alerts,
                settings.alerts,
                calendar,
                self.clock,
                self.bus,
                shipped=shipped_rules(settings),
                budgets=settings.all_budgets(),
                reason=self._reason,
            )
            await evaluator.load()
            self._intake = Intake(settings, self.store, self.clock, self.bus)
            self.monitor = LocalMonitor(
                settings, self.store, engine, alerts, evaluator, Here(self, evaluator), self.clock
            )
            self.rules, self._alerts = evaluator, alerts
            self.repricing = Repricing(self.store)
            pauses = await asyncio.to_thread(load_pauses, self.store)
            self._started = self.clock.now()
            self.events.start()
            stack.callback(self.events.close)
            self._start_workers(pauses)
            self._open = stack.pop_all()
        log.info("collecting into %s", self.store.path)

    def _start_workers(self, pauses: Mapping[str, Pause]) -> None:
        doors = list(self._serve(self)) if self._serve is not None else []
        self._doors = tuple(door.name for door in doors)
        for worker in (Worker("prices", self._intake.run), *doors):
            self._supervisor.start(worker)
        for name, source in self._sources.items():
            pause = pauses.get(name)
            words = self._words(pause) if pause else ""
            self._supervisor.start(loops.source_worker(self, source), paused=words)
        for worker in (
            loops.alerts_worker(self, self.rules),
            *(loops.channel_worker(self, name, self._alerts) for name in CHANNELS),
            health_worker(self),
            self.pulse.worker(),
            loops.retention_worker(self),
            database_worker(self),
            loops.own_samples_worker(self),
            forward_worker(self),
        ):
            self._supervisor.start(worker)
        self._config = self._supervisor.start(config_worker(self, self._file))

    def _words(self, pause: Pause) -> str:
        return pause.words(self.settings.calendar(), self.clock.now())

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

    def _reason(self, labels: Mapping[str, str]) -> str:
        """Why the provider of an alert is as it is."""
        return self.provider_reasons.get(labels.get("provider", ""), "")

    async def submit(
        self, records: Sequence[Record], *, remember: bool = False, offsets: Mapping[str, str] | None = None
    ) -> Receipt:
        """Record something; returns after the commit. While prices load, it waits for them.

        Raises `Busy` when too much waits, and `StoreError` when the database cannot be written.
        """
        if self._stopping:
            raise Busy("the collector is stopping", retry_after=2.0)
        return await self._intake.submit(records, remember=remember, offsets=offsets)

    def lose(self, error: StoreError) -> None:
        """What is written from now on would not stay. Whoever runs this decides what comes of it."""
        self.loss = error
        self.lost.set()

    def count_rejected(self, count: int) -> None:
        """Count what a door turned away before it became a record."""
        self._intake.rejected += count

    async def begin_import(self, info: ImportInfo) -> None:
        """Note an import before its rows arrive. Raises `StoreError`."""
        await asyncio.to_thread(self.store.begin_import, info)

    async def undo_import(self, batch_id: str, *, once: Once | None = None) -> int:
        """Take an import back whole; the number of calls taken out. Raises `StoreError`."""
        async with self._undoing:
            return await asyncio.to_thread(self.store.undo_import, batch_id, once)

    async def pause_source(self, name: str, who: str, *, once: Once | None = None) -> None:
        """Let a source wait until it is resumed, over restarts too. Raises `MonitorError`."""
        if name not in self._sources:
            raise self._no_source(name)
        pause = Pause(clean(who, 64) or "somebody", self.clock.now())
        async with self._changing:
            if not await asyncio.to_thread(keep_pause, self.store, name, pause, once):
                return
            await self._supervisor.pause(name, self._words(pause))
        log.info("source %s is %s", name, self._words(pause))

    async def resume_source(self, name: str, who: str, *, once: Once | None = None) -> None:
        """Let a paused source go on, or try a part that failed again at once. Raises `MonitorError`."""
        if name not in {row.name for row in self.rows()}:
            raise self._no_source(name)
        async with self._changing:
            if name in self._sources and not await asyncio.to_thread(
                keep_pause, self.store, name, None, once
            ):
                return
            await self._supervisor.again(name)
        log.info("source %s goes on, says %s", name, clean(who, 64))

    def _no_source(self, name: str) -> NotFound:
        return NotFound(
            f"no source is called {clean(name, 60)!r}", hint=f"there are {', '.join(self._sources)}"
        )

    async def reload_config(self, *, once: Once | None = None) -> Reloaded:
        """Read the configuration again, and take it over as `reload` does. Raises `UsageError`.

        Where it is wrong the settings stay as they are, and the row `config` says so.
        """
        if once is None:
            return await self._reread()
        async with self._rereading:
            before = await asyncio.to_thread(self.store.answered, once, "reloaded")
            if before is not None:
                return Reloaded(tuple(before["changed"]), tuple(before["restart"]))
            reloaded = await self._reread()
            done = Done(once, "reloaded", asdict(reloaded))
            await asyncio.to_thread(self.store.write, WriteBatch(done=done))
            return reloaded

    async def _reread(self) -> Reloaded:
        if self._configure is None:
            raise MonitorError("this collector was given its settings, and knows no file to read again")
        try:
            return await self.reload(await asyncio.to_thread(self._configure))
        except MonitorError as error:
            log.error("the configuration is not taken over: %s", error.message)
            self._config.failed(error.message, "the settings of before hold; mend it and reload")
            self._config.warn("")
            raise

    async def reload(self, settings: Settings) -> Reloaded:
        """Take other settings over while doors stay open and data comes in; tells what waits for a restart.

        Raises `UsageError`, and changes nothing, where the prices cannot be read.
        """
        async with self._changing:
            if self._stopping:
                raise Busy("the collector is stopping", retry_after=2.0)
            reloaded = compare(self.settings, settings)
            settings = taken_over(self.settings, settings)
            await self._intake.reload(settings)
            self._config.warn("")
            self.settings = settings
            self.monitor.reconfigure(settings)
            await self.rules.reconfigure(
                settings.alerts, shipped=shipped_rules(settings), budgets=settings.all_budgets()
            )
            if concerns_sources(reloaded):
                await self._restart_sources()
            if concerns_forwarding(reloaded):
                await self._supervisor.restart(forward_worker(self))
        self._config.running(_reloaded(reloaded))
        log.info("the configuration was read again: %s", _reloaded(reloaded))
        return reloaded

    async def _restart_sources(self) -> None:
        pauses = await asyncio.to_thread(load_pauses, self.store)
        await asyncio.gather(
            *(
                self._supervisor.restart(loops.source_worker(self, source))
                for name, source in self._sources.items()
                if name not in pauses
            )
        )

    async def reprice(self, since: Micros) -> Repriced:
        """Price stored calls anew, and what comes by the same prices; returns when that has begun.

        Raises `UsageError` where the prices cannot be read, `MonitorError` while it is under way already.
        """
        async with self._changing:
            await self._intake.reload(self.settings)
            return self.repricing.begin(since, self.settings)

    @property
    def running(self) -> bool:
        """Whether it has started, and not begun to end."""
        return self._started is not None and not self._stopping

    def not_ready(self) -> tuple[str, ...]:
        """Why pushed data is not taken at this moment; empty when it is."""
        if self._stopping:
            return ("stopping",)
        return self._intake.not_ready()

    @property
    def started(self) -> Micros:
        """When it began to collect; now, where it has not yet."""
        return self.clock.now() if self._started is None else self._started

    @property
    def trouble(self) -> str:
        """Why the database took nothing when it was last written; empty where it did."""
        return self._intake.trouble

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
            sampling=stats.sampling,
            left_out=stats.left_out,
            database=str(self.store.path),
            database_bytes=database_bytes(self.store.path),
            sources=self.rows(),
            changed=self.events.newest_state,
        )


def _reloaded(reloaded: Reloaded) -> str:
    words = f"{', '.join(reloaded.changed)} changed" if reloaded.changed else "nothing changed"
    waiting = ", ".join(reloaded.restart)
    return f"{words}; {waiting} after a restart" if waiting else words
