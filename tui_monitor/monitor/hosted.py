"""A monitor on a thread and event loop of its own, for the screen. Importing this loads nothing heavy."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tui_monitor.model.errors import MonitorError

if TYPE_CHECKING:
    from tui_monitor.config.load import Settings
    from tui_monitor.model.clock import Clock, Micros
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.monitor.line import LineState

log = logging.getLogger(__name__)

T = TypeVar("T")
Mode = Literal["starting", "collecting", "viewing", "attached", "failed", "stopped"]


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
    line: "LineState | None" = None
    """While it shows a collector elsewhere: how the line to that one is."""


class Hosted:
    """A daemon thread with a loop, on which a monitor is asked.

    The caller's event loop talks to it by `call`; state changes come by `subscribe`. It reads the settings
    and sends the log to its file, unless `settings` are given: then the log is the caller's affair.
    """

    def __init__(
        self,
        name: str,
        config: Path | None,
        overrides: Mapping[str, Any] | None,
        clock: "Clock | None",
        settings: "Settings | None",
    ) -> None:
        self._config = config
        self._overrides = overrides or {}
        self._clock = clock
        self._settings = settings
        self._state = ThreadState()
        self._listeners: list[Callable[[ThreadState], None]] = []
        self._lock = threading.Lock()
        self._loop: Future[asyncio.AbstractEventLoop] = Future()
        self._tried = asyncio.Event()
        self._end = asyncio.Event()
        self._asking: set[asyncio.Task[Any]] = set()
        self._monitor: Monitor | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    # What each kind brings.

    async def _live(self, settings: "Settings") -> None:
        """Give a monitor, and stay until the end. Raises `MonitorError` for what it cannot do."""
        raise NotImplementedError

    def take_over(self) -> None:
        """Collect here from now on, if nobody else does; returns at once. Not every kind can."""

    def knock(self) -> None:
        """Somebody is waiting: try at once what is to be tried again. Returns at once."""

    # What all share.

    @property
    def state(self) -> ThreadState:
        """How it is doing now; may be read from any thread."""
        return self._state

    @property
    def settings(self) -> "Settings | None":
        """The settings, once they are read."""
        return self._settings

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
            raise stopped() from None
        try:
            return await asyncio.wrap_future(remote)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Not the caller was cancelled: the loop over there has ended.
            raise stopped() from None

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
            # It is one error for all who ask: raised as it is, it would gather the frames of each of them.
            raise (self._state.error or stopped()).with_traceback(None)
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
                self._loop.set_exception(stopped())
            if self._state.mode != "failed":
                self._become(ThreadState("stopped"))

    async def _main(self) -> None:
        try:
            if self._settings is None:
                self._settings = await asyncio.to_thread(load_settings, self._config, self._overrides)
            await self._live(self._settings)
        except MonitorError as error:
            self._fail(error)
            await self._end.wait()
        except Exception as error:
            log.exception("the thread of the %s broke", self._thread.name)
            words = f"the {self._thread.name} broke: {type(error).__name__}: {error}"
            self._fail(MonitorError(words, hint="the log tells more"))
            await self._end.wait()

    def _post(self, callback: Callable[[], object]) -> None:
        """Call something on its loop; where that never began, or has ended, nothing is done."""
        with suppress(RuntimeError, TimeoutError, MonitorError):
            self._loop.result(0).call_soon_threadsafe(callback)

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


def load_settings(config: Path | None, overrides: Mapping[str, Any]) -> "Settings":
    """The settings, and the log as they have it. Raises `UsageError`."""
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


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Until it is set, at most so long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


async def wait_for_either(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    """Until one of them is set, at most so long."""
    waiting = [asyncio.create_task(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


def stopped() -> MonitorError:
    """What is told to who asks when it is over."""
    return MonitorError("the collector has stopped")
