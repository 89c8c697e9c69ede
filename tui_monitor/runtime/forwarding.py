"""The way out: what is new is queued every 15 s, and taken to each receiver beside that.

Reading happens on a thread, and the queue is a file of its own: a receiver that hangs or is gone costs the
collector nothing but the room on disk that it was given.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_monitor.forward.gather import Gatherer
from tui_monitor.forward.queue import Queue, path_for
from tui_monitor.forward.sender import Sender, State
from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.errors import Busy, QueryError, StoreError, UsageError
from tui_monitor.model.feed import Sample
from tui_monitor.model.units import age, count, size
from tui_monitor.query.exported import INTERVAL
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql.stored import StoredSamples
from tui_monitor.query.timing import asked_by
from tui_monitor.runtime.supervisor import Handle, Worker

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

log = logging.getLogger(__name__)

NAME = "forward"
_OFF = "nothing is sent on; name a server in [[forward.receivers]]"
_PATIENCE_S = 900.0
"""Longest time that a round takes where nothing hangs."""
_AFTER: Micros = SECOND
"""How long after an instant of the grid it is looked at, so that what was under way is there."""


def forward_worker(collector: "Collector") -> Worker:
    """Sends what is known here to the receivers of the settings."""

    async def run(handle: Handle) -> None:
        settings = collector.settings.forward
        titles = [receiver.title for receiver in settings.receivers]
        queue = await asyncio.to_thread(Queue, path_for(collector.store.path), settings.queue_size, titles)
        try:
            if queue.set_aside is not None:
                handle.problem(f"the queue was damaged; it is set aside as {queue.set_aside.name}")
            engine = LocalEngine(
                collector.store, collector.settings.calendar(), clock=collector.clock,
                timing=collector.engine.timing,
            )  # fmt: skip
            gatherer = await asyncio.to_thread(
                Gatherer, settings, engine, StoredSamples(collector.store), queue
            )
            await _Forwarding(collector, handle, queue, gatherer).run()
        finally:
            queue.close()

    off = "" if collector.settings.forward.receivers else _OFF
    return Worker(NAME, run, off, "out")


class _Forwarding:
    """One run: a loop that fills the queue, and a task for each receiver."""

    def __init__(self, collector: "Collector", handle: Handle, queue: Queue, gatherer: Gatherer) -> None:
        self._collector = collector
        self._handle = handle
        self._gatherer = gatherer
        self._senders = [
            Sender(receiver, queue, collector.clock, self._show)
            for receiver in collector.settings.forward.receivers
        ]
        self._told = {sender.title: sender.state for sender in self._senders}

    async def run(self) -> None:
        """Until cancelled. Raises `QueueError`."""
        try:
            async with asyncio.TaskGroup() as group:
                for sender in self._senders:
                    group.create_task(self._carry(sender))
                group.create_task(self._gather())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _carry(self, sender: Sender) -> None:
        try:
            await sender.run()
        except UsageError as error:
            # The others go on.
            sender.give_up(error.message)

    async def _gather(self) -> None:
        clock = self._collector.clock
        while True:
            self._handle.expect(_PATIENCE_S)
            # Figures of before the look: what it brings waits for nothing but its turn.
            await self._submit()
            try:
                with asked_by(NAME):
                    await asyncio.to_thread(self._gatherer.look, clock.now())
            except (QueryError, StoreError) as error:
                self._handle.problem(error.message)
            for sender in self._senders:
                sender.wake()
                await sender.refresh()
            self._show()
            now = clock.now()
            await asyncio.sleep((now // INTERVAL * INTERVAL + INTERVAL + _AFTER - now) / SECOND)

    def _show(self) -> None:
        """Say how it stands. What went wrong is counted once for each request."""
        now = self._collector.clock.now()
        states = [(sender, sender.state) for sender in self._senders]
        broken = ""
        for sender, state in states:
            before, self._told[sender.title] = self._told[sender.title], state
            if state.taken > before.taken:
                self._handle.heard(state.taken - before.taken)
            if state.failures != before.failures:
                self._handle.problem(f"{sender.title}: {state.error}")
            if state.error and not broken:
                broken = _trouble(sender.title, state, now)
        self._handle.lag(max(lag_s(state, now) for _, state in states))
        words = "; ".join(_words(sender.title, state, now) for sender, state in states)
        if self._gatherer.left_out:
            words += f"; {self._gatherer.left_out:,} series are left out (forward.max_series)"
        if broken:
            self._handle.broken(f"{broken}; {words}")
        else:
            self._handle.running(words)

    async def _submit(self) -> None:
        samples = own_samples(self._senders, self._gatherer.left_out, self._collector.clock.now())
        self._collector.figures[NAME] = samples
        try:
            await self._collector.submit(samples)
        except (Busy, StoreError):
            # They say nothing new about a write path that is stuck: its own state does.
            log.debug("figures of forwarding were not stored")


def own_samples(senders: Sequence[Sender], left_out: int, now: Micros) -> list[Sample]:
    """How each receiver is doing, to be charted and alerted on."""
    samples = [Sample("tui_monitor_forward_series_left_out", now, float(left_out))]
    for sender in senders:
        standing, of = sender.state.standing, {"receiver": sender.title}
        gauges = {
            "lag_seconds": lag_s(sender.state, now),
            "queue_bytes": standing.waiting_bytes,
            "queue_samples": standing.waiting_samples,
            "up": 0.0 if sender.state.error else 1.0,
        }
        samples += [Sample(f"tui_monitor_forward_{name}", now, float(v), of) for name, v in gauges.items()]
        name = "tui_monitor_forward_samples_total"
        counters = {"sent": standing.sent, "refused": standing.refused, "lost": standing.lost}
        samples += [
            Sample(name, now, float(n), {**of, "result": result}, "counter") for result, n in counters.items()
        ]
    return samples


def lag_s(state: State, now: Micros) -> float:
    """How old what waits longest is (s); 0 where nothing waits."""
    oldest = state.standing.oldest
    return 0.0 if oldest is None else max(0.0, (now - oldest) / SECOND)


def _words(title: str, state: State, now: Micros) -> str:
    standing = state.standing
    told = [f"{title}: {count(standing.sent)} samples sent"]
    if standing.waiting_samples:
        behind = age(round(lag_s(state, now) * SECOND))
        told.append(f"{behind} behind, {size(standing.waiting_bytes)} wait")
    if standing.refused:
        told.append(f"{count(standing.refused)} refused")
    if standing.lost:
        told.append(f"{count(standing.lost)} lost, the queue was full")
    return ", ".join(told)


def _trouble(title: str, state: State, now: Micros) -> str:
    if state.again is None:
        return f"{title}: {state.error}"
    return f"{title}: {state.error}, tries again in {age(max(0, state.again - now))}"
