"""Runs every source and loop of a collector: starts, restarts, and knows how each is doing."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from tui_monitor.health.views import SourceRow
from tui_monitor.model.bus import EventBus
from tui_monitor.model.clock import SECOND, Clock, Micros
from tui_monitor.model.errors import MonitorError, UsageError
from tui_monitor.model.states import SourceState
from tui_monitor.model.text import clean
from tui_monitor.model.units import age
from tui_monitor.recorder.stats import Minute

log = logging.getLogger(__name__)

Kind = Literal["source", "door", "out", "loop"]
_DETAIL = 300
"""Characters of what is said about a state."""


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


class Handle:
    """What a worker says about itself; its row on the screen. Counts go on over restarts."""

    def __init__(self, name: str, clock: Clock, bus: EventBus, kind: Kind = "loop") -> None:
        self.name = name
        self.kind: Kind = kind
        self.state = SourceState.STARTING
        self._clock = clock
        self._bus = bus
        self._detail = ""
        self._records = 0
        self._errors = 0
        self._last_error = ""
        self._last_error_at: Micros | None = None
        self._last_seen: Micros | None = None
        self._since: Micros | None = None
        self._restarts = 0
        self._warning = ""
        self._progress: float | None = None
        self._lag: float | None = None
        self._minute = Minute()
        self._began = clock.monotonic()
        self._held = False

    def running(self, detail: str | None = None) -> None:
        """It works; `detail` is a few words on what it does."""
        self._become(SourceState.RUNNING, detail)

    def paused(self, why: str) -> None:
        """It waits for something it needs."""
        self._become(SourceState.PAUSED, why)

    def heard(self, records: int = 0) -> None:
        """A sign of life, and how many records it brought."""
        self._records += records
        self._last_seen = self._clock.now()
        if records:
            self._minute.add(self._clock.monotonic(), records, 0.0)
        self.settle()

    def problem(self, error: str) -> None:
        """Something went wrong that does not stop it."""
        self._errors += 1
        self._last_error = clean(error, 500)
        self._last_error_at = self._clock.now()

    def warn(self, words: str) -> None:
        """What is not as it should be while it works; empty when it is again."""
        self._warning = clean(words, _DETAIL)

    def progress(self, done: float | None, total: float | None = None) -> None:
        """How far a long piece of work is, in any unit; `None` when it is over."""
        self._progress = None if done is None or not total else min(1.0, max(0.0, done / total))

    def lag(self, seconds: float | None) -> None:
        """How old the newest record was when it was stored."""
        self._lag = seconds

    def off(self, why: str) -> None:
        """It does not run, and that is as it should be."""
        self._held = False
        self._become(SourceState.OFF, why)

    def hold(self, why: str) -> None:
        """Somebody paused it: until `release` nothing else is said of its state."""
        self._progress = None
        self._become(SourceState.PAUSED, why)
        self._held = True

    def release(self) -> None:
        """It may go on."""
        self._held = False

    def starting(self) -> None:
        """It is being started."""
        self._progress = None
        self._become(SourceState.STARTING, "")

    def restarted(self) -> None:
        """It failed, and is to be started again."""
        self._restarts += 1

    def settle(self) -> None:
        """It has been going for a while without a word on how it stands."""
        if self.state is SourceState.STARTING:
            self._become(SourceState.RUNNING)

    def failed(self, error: str, detail: str) -> None:
        """It broke; `detail` says what comes next."""
        self.problem(error)
        self.broken(detail)

    def broken(self, detail: str) -> None:
        """It is still broken, by what was told already; `detail` says how it stands."""
        self._progress = None
        self._become(SourceState.FAILED, detail)

    def row(self) -> SourceRow:
        """How it is doing now."""
        now = self._clock.monotonic()
        return SourceRow(
            self.name,
            self.state,
            self._detail,
            self._records,
            self._errors,
            self._last_error,
            self._last_seen,
            kind=self.kind,
            since=self._since,
            rate=self._minute.rate(now, now - self._began) if self._records else None,
            lag_s=self._lag,
            progress=self._progress,
            restarts=self._restarts,
            pausable=self.kind == "source",
            last_error_at=self._last_error_at,
            warning=self._warning if self.state is SourceState.RUNNING else "",
        )

    def _become(self, state: SourceState, detail: str | None = None) -> None:
        detail = self._detail if detail is None else clean(detail, _DETAIL)
        if self._held or (state, detail) == (self.state, self._detail):
            return
        if state is not self.state or self._since is None:
            self._since = self._clock.now()
        self.state, self._detail = state, detail
        self._bus.publish(
            "source_update", self._clock.now(), source=self.name, state=state.value, detail=detail,
            last_error=self._last_error,
        )  # fmt: skip


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
    """Seconds after which a worker that has said nothing counts as running."""

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
            keep = self._keep(worker, handle)
            self._tasks[worker.name] = asyncio.create_task(keep, name=f"worker {worker.name}")

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
