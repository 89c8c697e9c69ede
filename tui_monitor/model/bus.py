"""The event bus: what happened, to whoever listens, without one slow listener holding up the rest."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tui_monitor.model.clock import Micros

EventName = Literal[
    "request_started", "request_completed", "request_failed",
    "benchmark_started", "benchmark_progress", "benchmark_completed",
    "evaluation_started", "evaluation_completed",
    "provider_status", "metric_recorded", "system_alert", "alert_update",
    "budget_update", "cost_update", "processing_update", "health_update", "source_update", "data_changed",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class BusEvent:
    """One event: `id` grows by one for each event of the bus."""

    id: int
    ts: Micros
    event: str
    data: dict[str, Any] = field(default_factory=dict)


class Listener:
    """A bounded queue of events. When it is full the oldest go, and `missed` counts them."""

    def __init__(self, bus: "EventBus", names: frozenset[str] | None, size: int) -> None:
        self._bus = bus
        self._names = names
        self._queue: deque[BusEvent] = deque(maxlen=size)
        self.missed = 0
        self.wake: Callable[[], None] | None = None
        """Called after each new event, on the publisher's thread; must not block."""

    def want(self, names: frozenset[str]) -> None:
        """Be told of these events from now on, and of no others."""
        self._names = names

    def wants(self, name: str) -> bool:
        """Whether events of this name are delivered."""
        return self._names is None or name in self._names

    def offer(self, event: BusEvent) -> None:
        """Queue one event (called by the bus)."""
        if len(self._queue) == self._queue.maxlen:
            self.missed += 1
        self._queue.append(event)
        if self.wake is not None:
            self.wake()

    def drain(self) -> list[BusEvent]:
        """All queued events, oldest first."""
        events: list[BusEvent] = []
        while self._queue:
            try:
                events.append(self._queue.popleft())
            except IndexError:
                break
        return events

    def close(self) -> None:
        """Stop listening."""
        self._bus.remove(self)


class EventBus:
    """Publish from any thread; every listener has a bounded queue of its own."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()
        self._next_id = 1

    def listen(self, *names: EventName, size: int = 1000) -> Listener:
        """A new listener for these events (all when none are named)."""
        listener = Listener(self, frozenset(names) if names else None, size)
        with self._lock:
            self._listeners.append(listener)
        return listener

    def remove(self, listener: Listener) -> None:
        """Forget a listener; no error when it is gone already."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def wanted(self, name: EventName) -> bool:
        """Whether anybody listens for events of this name, so that one need not be built for nobody."""
        return any(listener.wants(name) for listener in self._listeners)

    def publish(self, name: EventName, ts: Micros, **data: Any) -> BusEvent:
        """Give one event to every listener that wants it."""
        with self._lock:
            event = BusEvent(self._next_id, ts, name, data)
            self._next_id += 1
            # Inside the lock, so that every listener sees ids in order.
            for listener in self._listeners:
                if listener.wants(name):
                    listener.offer(event)
        return event
