"""Looking at a database that another process writes, or nobody: reading here, acting there."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from tui_monitor.alerts.book import AlertBook
from tui_monitor.alerts.shipped import shipped_rules
from tui_monitor.config import places
from tui_monitor.config.load import Settings
from tui_monitor.health.upkeep import Upkeep
from tui_monitor.health.views import CollectorStatus
from tui_monitor.model.alert import Alert, Matcher, Silence
from tui_monitor.model.clock import Clock, Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.happened import Happened
from tui_monitor.model.once import Once
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor.api import Reloaded
from tui_monitor.monitor.local import LocalMonitor
from tui_monitor.monitor.remote import SocketClient, somebody_listens
from tui_monitor.query.engines.choose import engine_for, over
from tui_monitor.query.timing import MOST_SLOW, Timing
from tui_monitor.runtime import pauses
from tui_monitor.runtime.disk import database_bytes
from tui_monitor.store.alerts import AlertStore
from tui_monitor.store.database import Store
from tui_monitor.store.lock import held_by
from tui_monitor.store.upgrade import Update

_STATUS_SECONDS = 1.0
"""How long the collector's word about itself is good for."""
_RARELY = 4
"""How many times longer than it took an answer is good for."""


class Elsewhere:
    """Acts through the collector that runs, and by itself under the database's lock where none does."""

    def __init__(self, settings: Settings, path: Path, clock: Clock) -> None:
        self._settings = settings
        self._path = path
        self._clock = clock
        self._client = SocketClient(places.socket_path(path))
        self._heard: tuple[float, CollectorStatus] | None = None
        """Until when it is good (monotonic seconds), and what it said."""

    async def status(self) -> CollectorStatus:
        """The running collector's state, a second old where it answers at once."""
        began = self._clock.monotonic()
        if self._heard is None or began >= self._heard[0]:
            status = await self._ask()
            now = self._clock.monotonic()
            # One that is stopped lets everybody wait: it is asked the less often.
            self._heard = (now + max(_STATUS_SECONDS, _RARELY * (now - began)), status)
        return self._heard[1]

    async def upkeep(self, shown: TimeRange, points: int) -> Upkeep:
        """The running collector's own word; where none answers, that there is none."""
        status = await self.status()
        if status.running:
            try:
                return await self._client.upkeep(shown, points)
            except MonitorError:
                # It ended between the two questions, or it is of another version.
                pass
        return Upkeep(self._clock.now(), status)

    async def happened(self, names: Sequence[str] = (), limit: int = 50) -> Happened:
        """The newest events of the running collector's log; nothing where none answers."""
        if not (await self.status()).running:
            return Happened()
        try:
            return await self._client.happened(names, limit)
        except MonitorError:
            # It ended between the two questions, or it is of another version.
            return Happened()

    async def _ask(self) -> CollectorStatus:
        try:
            if await asyncio.to_thread(somebody_listens, self._client.path):
                return await self._client.status()
        except MonitorError:
            # It ended between the two questions, or it hangs.
            pass
        owner = await asyncio.to_thread(held_by, self._path)
        return CollectorStatus(
            running=False, pid=owner, database=str(self._path), database_bytes=database_bytes(self._path)
        )

    async def acknowledge(
        self, alert_id: str, who: str, note: str = "", *, once: Once | None = None
    ) -> Alert:
        """Say that somebody takes care of an alert."""
        if await self._client.alive():
            return await self._client.acknowledge(alert_id, who, note, once=once)
        async with self._writing() as (_, book):
            return await book.acknowledge(alert_id, who, note, once=once)

    async def unacknowledge(self, alert_id: str, who: str, *, once: Once | None = None) -> Alert:
        """Take an acknowledgement back."""
        if await self._client.alive():
            return await self._client.unacknowledge(alert_id, who, once=once)
        async with self._writing() as (_, book):
            return await book.unacknowledge(alert_id, who, once=once)

    async def silence(
        self,
        matchers: Sequence[Matcher],
        ends: Micros,
        who: str,
        note: str = "",
        *,
        starts: Micros | None = None,
        once: Once | None = None,
    ) -> Silence:
        """Keep the alerts quiet that all matchers fit."""
        if await self._client.alive():
            return await self._client.silence(matchers, ends, who, note, starts=starts, once=once)
        async with self._writing() as (_, book):
            return await book.silence(matchers, ends, who, note, starts=starts, once=once)

    async def unsilence(self, silence_id: str, who: str, *, once: Once | None = None) -> Silence:
        """End a silence now."""
        if await self._client.alive():
            return await self._client.unsilence(silence_id, who, once=once)
        async with self._writing() as (_, book):
            return await book.unsilence(silence_id, who, once=once)

    async def undo_import(self, batch_id: str, *, once: Once | None = None) -> int:
        """Take an import back whole."""
        if await self._client.alive():
            return await self._client.undo_import(batch_id, once=once)
        async with self._writing() as (store, _):
            return await asyncio.to_thread(store.undo_import, batch_id, once)

    async def pause_source(self, name: str, who: str, *, once: Once | None = None) -> None:
        """Let a source wait: of the collector that runs, or of the next one."""
        if await self._client.alive():
            await self._client.pause_source(name, who, once=once)
            return
        async with self._writing() as (store, _):
            pause = pauses.Pause(who, self._clock.now())
            await asyncio.to_thread(pauses.keep, store, name, pause, once)

    async def resume_source(self, name: str, who: str, *, once: Once | None = None) -> None:
        """Let a source go on, or try it again."""
        if await self._client.alive():
            await self._client.resume_source(name, who, once=once)
            return
        async with self._writing() as (store, _):
            await asyncio.to_thread(pauses.keep, store, name, None, once)

    async def reload(self, *, once: Once | None = None) -> Reloaded:
        """Let the running collector read its configuration again."""
        if not await self._client.alive():
            raise MonitorError(
                "no collector is running", hint="the next one reads the configuration when it starts"
            )
        return await self._client.reload(once=once)

    async def close(self) -> None:
        """Close the connection to the collector."""
        await self._client.close()

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[tuple[Store, AlertBook]]:
        """The database under its lock, for as long as one action takes. Raises `StoreLocked`."""
        store = await asyncio.to_thread(_open, self._settings, self._path, self._clock, True)
        try:
            alerts = await AlertStore.open(store.path, write=True, guard=store.guard)
            try:
                yield store, _book(self._settings, store, alerts, self._clock)
            finally:
                await alerts.close()
        finally:
            await asyncio.to_thread(store.close)


class _Viewer(LocalMonitor):
    """Looks on: when the configuration is read again, this side reads it too."""

    reread: Callable[[], Awaitable[Settings]] | None = None
    timing: Timing | None = None
    """Of the questions that are asked on this side."""

    async def upkeep(self, shown: TimeRange, points: int = 24) -> Upkeep:
        """The collector's, with the slow queries of this side among its own."""
        view = await super().upkeep(shown, points)
        if self.timing is None:
            return view
        slow = sorted((*self.timing.slowest(), *view.slow), key=lambda query: -query.at)
        return replace(view, slow=tuple(slow[:MOST_SLOW]))

    async def reload(self, *, once: Once | None = None) -> Reloaded:
        """Read the configuration again, here and where the collector runs."""
        if self.reread is not None:
            self.reconfigure(await self.reread())
        return await super().reload(once=once)


@asynccontextmanager
async def viewing(
    settings: Settings, path: Path, clock: Clock, reread: Callable[[], Awaitable[Settings]] | None = None
) -> AsyncIterator[LocalMonitor]:
    """A monitor that reads a database and collects nothing. Raises `StoreError` where it cannot be read.

    `reread` gives the settings of this side when a reload is asked for.
    """
    store = await asyncio.to_thread(_open, settings, path, clock, False)
    actions = Elsewhere(settings, path, clock)
    try:
        alerts = await AlertStore.open(store.path, write=False)
        try:
            book = _book(settings, store, alerts, clock)
            calendar = settings.calendar()
            local = over(settings.query, store, calendar, clock)
            engine = engine_for(settings.query, local, calendar, clock)
            monitor = _Viewer(settings, store, engine, alerts, book, actions, clock)
            monitor.reread, monitor.timing = reread, local.timing
            try:
                yield monitor
            finally:
                monitor.close()
        finally:
            await alerts.close()
    finally:
        await actions.close()
        await asyncio.to_thread(store.close)


def _open(settings: Settings, path: Path, clock: Clock, write: bool) -> Store:
    return Store.open(
        path,
        write=write,
        clock=clock,
        zone=settings.calendar().zone,
        synchronous=settings.database.synchronous,
        max_series=settings.collector.max_series,
        update=Update(settings.database.update_copies),
    )


def _book(settings: Settings, store: Store, alerts: AlertStore, clock: Clock) -> AlertBook:
    calendar = settings.calendar()
    return AlertBook(
        alerts,
        settings.alerts,
        calendar,
        clock,
        engine_for(settings.query, over(settings.query, store, calendar, clock), calendar, clock),
        shipped=shipped_rules(settings),
        budgets=settings.all_budgets(),
    )
