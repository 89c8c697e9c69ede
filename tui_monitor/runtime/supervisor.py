"""Runs every source and loop of a collector: starts, restarts, and knows how each is doing."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from tui_monitor.health.views import SourceRow
from tui_monitor.model.bus import EventBus
from tui_monitor.model.clock import SECOND, Clock
from tui_monitor.model.errors import MonitorError, UsageError
from tui_monitor.model.states import SourceState
from tui_monitor.model.units import age
from tui_monitor.runtime.handle import Handle as Handle
from tui_monitor.runtime.handle import Kind

log = logging.getLogger(__name__)

_LOOK_S = 5.0
"""Seconds between two looks whether somebody hangs."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a failed worker waits before it is started again; seconds."""

    first: float = 1.0
    longest: float = 300.0
    healthy: float = 60.0
    """A worker that ran this long before it failed begins again with the first wait."""

    def wait(self, failures: int) -> float:
        """Twice as long after each failure, and a random share less, so that workers don't march in step."""
        full = min(self.longest, self.first * 2.0 ** min(failures, 32))
        return max(self.first, full * random.uniform(0.7, 1.0))


@dataclass(frozen=True, slots=True)
class Worker:
    """One source or loop. `run` goes on until it is cancelled; `off` says why it should not run at all."""

    name: str
    run: Callable[[Handle], Awaitable[None]]
    off: str = ""
    kind: Kind = "loop"


class Supervisor:
    """Keeps workers going. One that fails disturbs no other; all methods belong to one event loop."""

    GRACE = 1.0
    """Seconds after which a worker that has said nothing counts as running; not so a door."""

    def __init__(self, clock: Clock, bus: EventBus, backoff: Backoff | None = None) -> None:
        self._clock = clock
        self._bus = bus
        self._backoff = backoff or Backoff()
        self._workers: dict[str, Worker] = {}
        self._handles: dict[str, Handle] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: dict[str, asyncio.Task[None]] = {}
        """Tasks that were cancelled and have not ended yet; the next one of that name waits for them."""
        self._changing = asyncio.Lock()
        self._looking: asyncio.TimerHandle | None = None
        self._looked = 0.0

    def start(self, worker: Worker, *, paused: str = "") -> Handle:
        """Run a worker from now on, or hold it for the reason `paused`.

        Raises ValueError for a name that is taken.
        """
        if worker.name in self._handles:
            raise ValueError(f"there is a worker named {worker.name!r} already")
        handle = Handle(worker.name, self._clock, self._bus, worker.kind)
        self._workers[worker.name] = worker
        self._handles[worker.name] = handle
        if paused:
            handle.hold(paused)
        else:
            self._begin(worker, handle)
        return handle

    async def pause(self, name: str, why: str, *, within: float = 1.0) -> None:
        """End a worker until it is started again; waits for it `within` seconds at most."""
        async with self._changing:
            # Held first, so that what it says while it ends is not shown.
            self._handles[name].release()
            self._handles[name].hold(why)
            await self._cancel([name], within)

    async def restart(self, worker: Worker, *, within: float = 1.0) -> None:
        """Run a worker anew in place of the one of its name, however that one is doing."""
        async with self._changing:
            await self._cancel([worker.name], within)
            self._workers[worker.name] = worker
            self._handles[worker.name].release()
            self._begin(worker, self._handles[worker.name])

    async def again(self, name: str) -> None:
        """Start a worker at once that failed or waits; one that is at work is left alone."""
        if self._handles[name].state in (SourceState.FAILED, SourceState.PAUSED):
            await self.restart(self._workers[name])

    def _begin(self, worker: Worker, handle: Handle) -> None:
        if worker.off:
            handle.off(worker.off)
        else:
            # Said before its task has a turn: whoever asked for it is answered at once.
            handle.starting()
            keep = self._keep(worker, handle)
            task = asyncio.create_task(keep, name=f"worker {worker.name}")
            task.add_done_callback(lambda task: self._ended(worker, handle, task))
            self._tasks[worker.name] = task
            if self._looking is None:
                self._look_soon()

    def _ended(self, worker: Worker, handle: Handle, task: asyncio.Task[None]) -> None:
        """An error in keeping a worker going, not in the worker: that must not end it either."""
        if task.cancelled() or (error := task.exception()) is None:
            return

        def again() -> None:
            if self._tasks.get(worker.name) is task:
                self._begin(worker, handle)

        asyncio.get_running_loop().call_later(self._backoff.first, again)
        log.critical("%s was not kept going", worker.name, exc_info=error)

    def _look_soon(self) -> None:
        self._looked = self._clock.monotonic()
        self._looking = asyncio.get_running_loop().call_later(_LOOK_S, self._look)

    def _look(self) -> None:
        """See who hangs. Where this comes late nobody had a turn, and nobody is to blame for it."""
        now = self._clock.monotonic()
        late = now - self._looked - _LOOK_S
        self._look_soon()
        for handle in self._handles.values():
            if late > _LOOK_S:
                handle.excuse(late)
            handle.look(now)

    def rows(self) -> tuple[SourceRow, ...]:
        """How each worker is doing, in the order they were started."""
        return tuple(handle.row() for handle in self._handles.values())

    async def stop(self, names: Iterable[str] | None = None, *, within: float = 1.0) -> None:
        """Cancel these workers (all by default) and wait for them, `within` seconds at most."""
        chosen = list(self._tasks) if names is None else [name for name in names if name in self._tasks]
        await self._cancel(chosen, within)
        for name in chosen:
            self._handles[name].off("stopped")

    async def _cancel(self, names: Iterable[str], within: float) -> None:
        tasks = {name: self._tasks.pop(name) for name in names if name in self._tasks}
        for task in tasks.values():
            task.cancel()
        if self._looking is not None and not self._tasks:
            self._looking.cancel()
            self._looking = None
        if not tasks:
            return
        _done, stuck = await asyncio.wait(tasks.values(), timeout=within)
        for name, task in tasks.items():
            if task in stuck:
                log.warning("%s did not stop within %g s", task.get_name(), within)
                self._ending[name] = task

    async def _keep(self, worker: Worker, handle: Handle) -> None:
        if before := self._ending.get(worker.name):
            handle.starting()
            await asyncio.wait([before])
            del self._ending[worker.name]
        failures = 0
        while True:
            began = self._clock.monotonic()
            error = await self._run_once(worker, handle)
            if error is None:
                handle.off("has ended")
                return
            if self._clock.monotonic() - began >= self._backoff.healthy:
                failures = 0
            words = _words(error)
            if isinstance(error, UsageError):
                # The settings are wrong, and trying again does not change them.
                handle.failed(words, error.hint or "waits for other settings")
                log.error("%s cannot run: %s", worker.name, words)
                return
            wait = self._backoff.wait(failures)
            failures += 1
            handle.restarted()
            handle.failed(words, _next(error, wait))
            _log_failure(worker.name, error, words, wait)
            await asyncio.sleep(wait)

    async def _run_once(self, worker: Worker, handle: Handle) -> BaseException | None:
        """The error that ended it, or None where it ended by itself."""
        handle.starting()
        # A door says itself when it is open, however long that takes.
        settle = None
        if worker.kind != "door":
            settle = asyncio.get_running_loop().call_later(self.GRACE, handle.settle)
        try:
            await worker.run(handle)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Something inside was cancelled, not this worker.
            return error
        except (Exception, SystemExit) as error:
            # A library that wants to end the program ends only its worker.
            return error
        finally:
            if settle is not None:
                settle.cancel()
        return None


def _words(error: BaseException) -> str:
    if isinstance(error, MonitorError):
        return error.message
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _next(error: BaseException, wait: float) -> str:
    again = f"tries again in {age(round(wait * SECOND))}"
    hint = error.hint if isinstance(error, MonitorError) else None
    return f"{hint}; {again}" if hint else again


def _log_failure(name: str, error: BaseException, words: str, wait: float) -> None:
    # An expected failure needs no traceback.
    trace = None if isinstance(error, MonitorError) else error
    log.warning("%s failed, again in %.0f s: %s", name, wait, words, exc_info=trace)
