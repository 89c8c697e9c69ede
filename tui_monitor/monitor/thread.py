"""The collector on a thread and loop of its own, for the screen. Importing this loads nothing heavy."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tui_monitor.model.errors import MonitorError, StoreError, StoreLocked

if TYPE_CHECKING:
    from tui_monitor.config.load import Settings
    from tui_monitor.model.clock import Clock, Micros
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.runtime.collector import Collector, ServerFactory

log = logging.getLogger(__name__)

T = TypeVar("T")
Mode = Literal["starting", "collecting", "viewing", "failed", "stopped"]
RETRY_SECONDS = 2.0
"""How often a database that cannot be read yet is tried again."""
_ANSWER_SECONDS = 2.0
WATCH_SECONDS = 0.5
"""How often a viewer looks whether somebody collects."""


@dataclass(frozen=True, slots=True)
class ThreadState:
    """How the thread is doing. `owner` is the process that collects while we view, where it is known."""

    mode: Mode = "starting"
    owner: int | None = None
    """While it looks on: who collects, 0 where that process is not known, None where nobody does."""
    error: MonitorError | None = None
    """Why it failed, or why it only looks on; after a `StoreError` it goes on trying."""
    blind: "Micros | None" = None
    """While it looks on and nobody collects: since when, if somebody was seen collecting before."""
    note: str = ""
    """What takes a while before it can start."""


class CollectorThread:
    """Runs a collector, or a viewer where another process collects already, on a daemon thread.

    The caller's event loop talks to it by `call`; state changes come by `subscribe`. It reads the settings
    and sends the log to its file, unless `settings` are given: then the log is the caller's affair.
    """

    def __init__(
        self,
        config: Path | None = None,
        overrides: Mapping[str, Any] | None = None,
        *,
        collect: bool = True,
        serve: "ServerFactory | None" = None,
        clock: "Clock | None" = None,
        settings: "Settings | None" = None,
    ) -> None:
        self._config = config
        self._overrides = overrides or {}
        self._collect = collect
        self._serve = serve
        self._clock = clock
        self._settings = settings
        self._given = settings is not None
        self._state = ThreadState()
        self._listeners: list[Callable[[ThreadState], None]] = []
        self._lock = threading.Lock()
        self._loop: Future[asyncio.AbstractEventLoop] = Future()
        self._tried = asyncio.Event()
        self._end = asyncio.Event()
        self._again = asyncio.Event()
        """Set when it should open the database anew, to collect."""
        self._asking: set[asyncio.Task[Any]] = set()
        self._monitor: Monitor | None = None
        self._collector: Collector | None = None
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)

    @property
    def state(self) -> ThreadState:
        """How it is doing now; may be read from any thread."""
        return self._state

    @property
    def settings(self) -> "Settings | None":
        """The settings, once they are read; of now, where others were taken over since."""
        collector = self._collector
        return self._settings if collector is None else collector.settings

    @property
    def origin(self) -> tuple[Path | None, Mapping[str, Any]]:
        """The configuration file and the overrides that it was given."""
        return self._config, self._overrides

    @property
    def config_file(self) -> Path:
        """The configuration file, there or not."""
        from tui_monitor.config import places

        return self._config.expanduser().absolute() if self._config else places.config_file()

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def subscribe(self, callback: Callable[[ThreadState], None]) -> Callable[[], None]:
        """Be told the state now and at each change, on the thread where it changes; must not block.

        Returns what ends the subscription.
        """
        with self._lock:
            self._listeners.append(callback)
            state = self._state
        callback(state)

        def end() -> None:
            with self._lock:
                if callback in self._listeners:
                    self._listeners.remove(callback)

        return end

    async def call(self, ask: "Callable[[Monitor], Awaitable[T]]") -> T:
        """Run `ask(monitor)` on the collector's loop; its answer, or what it raised.

        Waits for the start. Cancelling cancels it there too. Raises the `MonitorError` that kept the
        monitor from starting.
        """
        # The future is shared: cancelling one call must not cancel it for the others.
        loop = await asyncio.shield(asyncio.wrap_future(self._loop))
        answer = self._ask(ask)
        try:
            remote = asyncio.run_coroutine_threadsafe(answer, loop)
        except RuntimeError:
            answer.close()
            raise _stopped() from None
        try:
            return await asyncio.wrap_future(remote)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Not the caller was cancelled: the loop over there has ended.
            raise _stopped() from None

    def take_over(self) -> None:
        """Collect here from now on, if nobody else does; else go on looking on. Returns at once."""

        def begin() -> None:
            if self._state.mode == "viewing":
                self._collect = True
                self._again.set()

        # Where it never began, or has ended, there is nothing to take over.
        with suppress(RuntimeError, TimeoutError, MonitorError):
            self._loop.result(0).call_soon_threadsafe(begin)

    def stop(self, timeout: float = 2.0) -> bool:
        """End in good order; whether it was done within `timeout` seconds. Blocks."""
        if not self._thread.is_alive():
            return True
        try:
            loop = self._loop.result(timeout)
            loop.call_soon_threadsafe(self._end.set)
        except (RuntimeError, TimeoutError, MonitorError):
            # It ended, or never began.
            pass
        self._thread.join(timeout)
        return not self._thread.is_alive()

    async def _ask(self, ask: "Callable[[Monitor], Awaitable[T]]") -> T:
        await self._tried.wait()
        if self._monitor is None:
            raise self._state.error or _stopped()
        task = asyncio.current_task()
        assert task is not None
        self._asking.add(task)
        from tui_monitor.query.timing import asked_by

        try:
            with asked_by("screen"):
                return await ask(self._monitor)
        finally:
            self._asking.discard(task)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                self._loop.set_result(runner.get_loop())
                runner.run(self._main())
        finally:
            if not self._loop.done():
                self._loop.set_exception(_stopped())
            if self._state.mode != "failed":
                self._become(ThreadState("stopped"))

    async def _main(self) -> None:
        try:
            if self._settings is None:
                self._settings = await asyncio.to_thread(_load, self._config, self._overrides)
            await self._serve_until_end(self._settings)
        except MonitorError as error:
            self._fail(error)
            await self._end.wait()
        except Exception as error:
            log.exception("the collector's thread broke")
            words = f"the collector broke: {type(error).__name__}: {error}"
            self._fail(MonitorError(words, hint="the log tells more"))
            await self._end.wait()

    async def _serve_until_end(self, settings: "Settings") -> None:
        opened = AsyncExitStack()
        try:
            while not self._end.is_set():
                stack = AsyncExitStack()
                try:
                    self._monitor, state = await self._open(settings, stack)
                except StoreError as error:
                    await stack.aclose()
                    self._fail(error)
                    await _wait(self._end, RETRY_SECONDS)
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
                await _wait_for_either(self._end, self._again, WATCH_SECONDS)
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
        from tui_monitor.model.clock import SystemClock

        return (self._clock or SystemClock()).now()

    async def _open(self, settings: "Settings", stack: AsyncExitStack) -> "tuple[Monitor, ThreadState]":
        from tui_monitor.model.clock import SystemClock

        clock, path = self._clock or SystemClock(), settings.database_path()
        problem: StoreError | None = None
        if self._collect:
            from tui_monitor.runtime.collector import Collector

            configure = None if self._given else lambda: _load(self._config, self._overrides)
            collector = Collector(
                settings, path, clock=clock, serve=self._serve, configure=configure, updating=self._updating
            )
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

    def _updating(self, what: str, share: float) -> None:
        """On the thread that opens the database."""
        if self._end.is_set():
            # Nothing has changed yet, and nothing will have.
            raise _stopped()
        self._become(ThreadState("starting", note=f"bringing the database up to date, {share:.0%}: {what}"))

    async def _reread(self) -> "Settings":
        """A viewer's own settings, read again."""
        if not self._given:
            self._settings = await asyncio.to_thread(_load, self._config, self._overrides)
        assert self._settings is not None
        return self._settings

    def _fail(self, error: MonitorError) -> None:
        if self._state.error is None or self._state.error.message != error.message:
            self._become(ThreadState("failed", error=error))
        self._tried.set()

    def _become(self, state: ThreadState) -> None:
        with self._lock:
            self._state = state
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                listener(state)
            except Exception:
                # A screen whose loop has ended must not take the collector with it.
                log.exception("a listener to the collector's state broke")


def _load(config: Path | None, overrides: Mapping[str, Any]) -> "Settings":
    from tui_monitor.config import logs
    from tui_monitor.config.load import load

    settings = load(config, overrides)
    if problem := logs.set_up(settings.log):
        log.warning("%s", problem)
    return settings


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop's where it is installed."""
    try:
        import uvloop  # pyright: ignore[reportMissingImports]
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


async def _wait_for_either(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


def _stopped() -> MonitorError:
    return MonitorError("the collector has stopped")
