"""What one query may cost, and how it is stopped."""

import threading
from dataclasses import dataclass, field
from typing import NoReturn

from tui_monitor.model.clock import Clock, SystemClock
from tui_monitor.model.errors import MonitorError

_CHARACTERS = 4
"""Of new label values: so many count as a sample."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Most that one query may take; it fails beyond."""

    series: int = 200_000
    """In any one vector."""
    samples: int = 50_000_000
    """Read and made at all its nodes; cells of a vector count as samples."""
    steps: int = 11_001
    """Instants of a range query: 11,000 steps, as in Prometheus."""
    seconds: float = 120.0


class QueryLimit(MonitorError):
    """The query would cost more than it may."""


class QueryTimeout(MonitorError):
    """The query took longer than it may."""


class QueryCancelled(MonitorError):
    """Nobody wants the answer any more."""


@dataclass(slots=True)
class Budget:
    """What is left of the limits while a query runs. `cancel` may be set from any thread."""

    limits: Limits = field(default_factory=Limits)
    clock: Clock = field(default_factory=SystemClock)
    cancel: threading.Event = field(default_factory=threading.Event)
    _samples: int = 0
    _until: float = 0.0

    def __post_init__(self) -> None:
        self._until = self.clock.monotonic() + self.limits.seconds

    def check(self) -> None:
        """Raises `QueryCancelled` or `QueryTimeout`; asked between nodes and between chunks of work."""
        if self.cancel.is_set():
            raise QueryCancelled("the query was cancelled")
        if self.clock.monotonic() > self._until:
            raise QueryTimeout(
                f"the query took longer than {self.limits.seconds:g} s",
                hint="ask about fewer series, a shorter range or a longer step",
            )

    @property
    def samples(self) -> int:
        """Samples taken so far."""
        return self._samples

    def spend(self, series: int, samples: int) -> None:
        """Note what a node takes. Raises `QueryLimit` where it is too much, and what `check` raises."""
        self.check()
        if series > self.limits.series:
            raise QueryLimit(
                f"{series:,} series are more than the {self.limits.series:,} that one query may look at",
                hint="select fewer with a matcher",
            )
        self._samples += samples
        if self._samples > self.limits.samples:
            self._too_much()

    def _too_much(self) -> NoReturn:
        raise QueryLimit(
            f"the query takes more than {self.limits.samples:,} samples",
            hint="ask about fewer series, a shorter range or a longer step",
        )

    def afford(self, samples: int) -> None:
        """Raises as `spend` where so many could not be taken, and notes nothing: before they are read."""
        self.check()
        if self._samples + samples > self.limits.samples:
            self._too_much()

    def write(self, characters: int) -> None:
        """Note what new label values take. Raises as `spend`."""
        self.spend(0, characters // _CHARACTERS)

    def steps_within(self, count: int) -> None:
        """Raises `QueryLimit` for more instants of a subquery than samples may be taken."""
        if count > self.limits.samples:
            raise QueryLimit(f"a subquery of {count:,} steps is too much", hint="take a longer step: [1h:1m]")

    def steps(self, count: int) -> None:
        """Raises `QueryLimit` for too many instants."""
        if count > self.limits.steps:
            raise QueryLimit(
                f"{count:,} steps are more than the {self.limits.steps:,} that a query may have",
                hint="take a longer step",
            )
