"""The collector on a thread and loop of its own, for the screen. Importing this loads nothing heavy."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_monitor.model.errors import StoreError, StoreLocked
from tui_monitor.monitor.hosted import Hosted, load_settings, stopped, wait, wait_for_either
from tui_monitor.monitor.hosted import ThreadState as ThreadState

if TYPE_CHECKING:
    from tui_monitor.config.load import Settings
    from tui_monitor.model.clock import Clock, Micros
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.runtime.collector import Collector, ServerFactory

RETRY_SECONDS = 2.0
"""How often a database that cannot be read yet is tried again."""
_ANSWER_SECONDS = 2.0
WATCH_SECONDS = 0.5
"""How often a viewer looks whether somebody collects."""


class CollectorThread(Hosted):
    """Runs a collector, or a viewer where another process collects already."""

    def __init__(
        self,
        config: Path | None = None,
        overrides: Mapping[str, Any] | None = None,
        *,
        collect: bool = True,
        serve: "ServerFactory | None" = None,
        clock: "Clock | None" = None,
        settings: "Settings | None" = None,
        demo: bool = False,
    ) -> None:
        """`demo` makes the demo's database before it is opened, where it is not there."""
        super().__init__("collector", config, overrides, clock, settings)
        self._collect = collect
        self._serve = serve
        self._given = settings is not None
        self._demo = demo
        self._again = asyncio.Event()
        """Set when it should open the database anew, to collect."""
        self._collector: Collector | None = None

    @property
    def settings(self) -> "Settings | None":
        """The settings, once they are read; of now, where others were taken over since."""
        collector = self._collector
        return self._settings if collector is None else collector.settings

    def take_over(self) -> None:
        """Collect here from now on, if nobody else does; else go on looking on. Returns at once."""

        def begin() -> None:
            if self._state.mode == "viewing":
                self._collect = True
                self._again.set()

        self._post(begin)

    async def _live(self, settings: "Settings") -> None:
        if self._demo:
            from tui_monitor.monitor.demo import prepare

            await asyncio.to_thread(prepare, settings, self._time, self._filling)
        opened = AsyncExitStack()
        try:
            while not self._end.is_set():
                stack = AsyncExitStack()
                try:
                    self._monitor, state = await self._open(settings, stack)
                except StoreError as error:
                    await stack.aclose()
                    self._fail(error)
                    await wait(self._end, RETRY_SECONDS)
                    continue
                before, opened = opened, stack
                self._become(state)
                self._tried.set()
                await self._answered()
                await before.aclose()
                await self._stay(settings.database_path())
        finally:
            self._monitor = None
            await opened.aclose()

    async def _answered(self) -> None:
        """What was asked of the monitor of before is answered, or has had its time."""
        asking = [task for task in self._asking if not task.done()]
        if asking:
            await asyncio.wait(asking, timeout=_ANSWER_SECONDS)

    async def _stay(self, path: Path) -> None:
        """Until the end, or until the database is to be opened anew; a viewer watches who collects."""
        self._again.clear()
        while not self._end.is_set() and not self._again.is_set():
            if self._state.mode == "viewing":
                await wait_for_either(self._end, self._again, WATCH_SECONDS)
                await self._watch(path)
            else:
                await self._end.wait()

    async def _watch(self, path: Path) -> None:
        from tui_monitor.store.lock import held_by

        owner, state = await asyncio.to_thread(held_by, path), self._state
        if owner == state.owner or self._again.is_set() or self._end.is_set():
            return
        blind = self._now() if owner is None else None
        self._become(replace(state, owner=owner, blind=blind))

    def _now(self) -> "Micros":
        return self._time.now()

    @property
    def _time(self) -> "Clock":
        from tui_monitor.model.clock import SystemClock

        return self._clock or SystemClock()

    async def _open(self, settings: "Settings", stack: AsyncExitStack) -> "tuple[Monitor, ThreadState]":
        clock, path = self._time, settings.database_path()
        problem: StoreError | None = None
        if self._collect:
            from tui_monitor.config.load import load
            from tui_monitor.runtime.collector import Collector
            from tui_monitor.runtime.configured import Configured

            configure, file = None, None
            if not self._given:
                configure = partial(load_settings, self._config, self._overrides)
                file = Configured.by(self.config_file, partial(load, self._config, self._overrides))
            collector = Collector(
                settings, path, clock=clock, serve=self._serve, configure=configure, file=file,
                updating=self._updating,
            )  # fmt: skip
            try:
                await collector.start()
            except StoreError as error:
                problem = error
            else:
                stack.push_async_callback(collector.stop)
                self._collector = collector
                return collector.monitor, ThreadState("collecting")
        from tui_monitor.monitor.viewing import viewing
        from tui_monitor.store.lock import held_by

        try:
            monitor = await stack.enter_async_context(viewing(settings, path, clock, self._reread))
        except StoreError as error:
            raise (problem or error) from None
        if isinstance(problem, StoreLocked):
            return monitor, ThreadState("viewing", problem.owner or 0)
        owner = await asyncio.to_thread(held_by, path)
        return monitor, ThreadState("viewing", owner, problem)

    def _filling(self, what: str, share: float) -> None:
        """On the thread that makes the demo's database."""
        if self._end.is_set():
            raise stopped()
        self._become(ThreadState("starting", note=f"{what}, {share:.0%}"))

    def _updating(self, what: str, share: float) -> None:
        """On the thread that opens the database."""
        if self._end.is_set():
            # Nothing has changed yet, and nothing will have.
            raise stopped()
        self._become(ThreadState("starting", note=f"bringing the database up to date, {share:.0%}: {what}"))

    async def _reread(self) -> "Settings":
        """A viewer's own settings, read again."""
        if not self._given:
            self._settings = await asyncio.to_thread(load_settings, self._config, self._overrides)
        assert self._settings is not None
        return self._settings
