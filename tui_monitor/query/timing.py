"""How long queries take, who asks them, and which were slow: noted where an engine answers."""

import threading
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal

from tui_monitor.model.clock import MS, SECOND, Clock, Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.histogram import bucket_of, quantile
from tui_monitor.model.text import clean
from tui_monitor.query.promql.limits import Budget, QueryCancelled

Outcome = Literal["answered", "failed", "cancelled"]

ASKERS: tuple[str, ...] = (
    "screen",
    "http",
    "socket",
    "command",
    "rule",
    "health",
    "forward",
    "metrics",
    "collector",
)
"""Who may ask; the last is the collector's own loops, and whoever does not say."""
BOUNDS: tuple[float, ...] = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Upper bounds (s) of the classes of durations that are counted."""
MOST_SLOW = 100
"""Slow queries that are remembered."""
RECENT_S = 900.0
"""How far back quantiles look; to whole minutes, so up to one more."""
_MINUTE_S = 60.0
_TEXT = 2_000
_WHO = 80

_asker: ContextVar[str] = ContextVar("asker", default=ASKERS[-1])


@contextmanager
def asked_by(who: str) -> Iterator[None]:
    """Questions inside are this one's: one of `ASKERS`, and behind it a name, like `rule p95 too high`."""
    token = _asker.set(who)
    try:
        yield
    finally:
        _asker.reset(token)


@dataclass(frozen=True, slots=True)
class SlowQuery:
    """A query that took longer than it should."""

    text: str
    who: str
    at: Micros
    """When it was asked."""
    seconds: float
    outcome: Outcome = "answered"
    error: str = ""
    steps: int = 1
    series: int = 0
    """In the answer."""
    samples: int = 0
    """Read and made on the way, cells of vectors too; 0 for lists of calls."""
    calls: int = 0
    """Listed or counted."""


@dataclass(frozen=True, slots=True)
class QueryStats:
    """What queries took since the start. Durations in seconds."""

    asked: int = 0
    failed: int = 0
    cancelled: int = 0
    slow: int = 0
    bound: float = 0.5
    """From which on one is slow."""
    p50: float | None = None
    """Of the last 15 minutes, within 0.55 %; None while nobody asked."""
    p95: float | None = None
    longest: float | None = None
    """Of the same minutes; exact."""


@dataclass(frozen=True, slots=True)
class Durations:
    """The queries of one asker, by how long they took."""

    counts: tuple[int, ...]
    """One for each of `BOUNDS`, and one above them; not cumulative."""
    sum: float


@dataclass(slots=True)
class _Minute:
    """The queries that ended in one minute of the monotonic clock."""

    number: int
    buckets: Counter[int] = field(default_factory=Counter)
    longest: float = 0.0


class Noted:
    """One query under way; what it read is told before it ends."""

    __slots__ = ("_at", "_began", "_budget", "_text", "_timing", "_who", "calls", "series", "steps")

    def __init__(self, timing: "Timing", text: str, budget: Budget | None, steps: int) -> None:
        self._timing = timing
        self._text = text
        self._budget = budget
        self._who = _asker.get()
        self.steps = steps
        self.series = 0
        self.calls = 0

    def __enter__(self) -> "Noted":
        clock = self._timing.clock
        self._at, self._began = clock.now(), clock.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        seconds = self._timing.clock.monotonic() - self._began
        outcome: Outcome = "answered"
        if error is not None:
            outcome = "cancelled" if isinstance(error, QueryCancelled) else "failed"
        self._timing.add(self._who, seconds, outcome)
        if seconds >= self._timing.slow:
            self._timing.add_slow(self._slow(seconds, outcome, error))

    def _slow(self, seconds: float, outcome: Outcome, error: BaseException | None) -> SlowQuery:
        words = error.message if isinstance(error, MonitorError) else type(error).__name__ if error else ""
        return SlowQuery(
            text=clean(self._text, _TEXT),
            who=clean(self._who, _WHO),
            at=self._at,
            seconds=seconds,
            outcome=outcome,
            error=clean(words, _TEXT),
            steps=self.steps,
            series=self.series,
            samples=self._budget.samples if self._budget is not None else 0,
            calls=self.calls,
        )


class Timing:
    """The queries of one process. Any thread may note one."""

    def __init__(self, clock: Clock, slow: Micros = 500 * MS) -> None:
        """From `slow` µs on a query is remembered with its text."""
        self.clock = clock
        self.slow = slow / SECOND
        self._lock = threading.Lock()
        self._asked: dict[str, list[int]] = {who: [0] * (len(BOUNDS) + 1) for who in ASKERS}
        self._sums = dict.fromkeys(ASKERS, 0.0)
        self._outcomes: Counter[Outcome] = Counter()
        self._recent: deque[_Minute] = deque(maxlen=int(RECENT_S / _MINUTE_S) + 1)
        self._remembered: deque[SlowQuery] = deque(maxlen=MOST_SLOW)
        self._slow = 0

    def noting(self, text: str, budget: Budget | None = None, steps: int = 1) -> Noted:
        """What a query is answered within; what it raises passes through."""
        return Noted(self, text, budget, steps)

    def add(self, who: str, seconds: float, outcome: Outcome) -> None:
        """Count a query that ended."""
        asker = who.partition(" ")[0]
        with self._lock:
            asker = asker if asker in self._asked else ASKERS[-1]
            self._asked[asker][bisect_left(BOUNDS, seconds)] += 1
            self._sums[asker] += seconds
            self._outcomes[outcome] += 1
            number = int(self.clock.monotonic() / _MINUTE_S)
            if not self._recent or self._recent[-1].number != number:
                self._recent.append(_Minute(number))
            minute = self._recent[-1]
            minute.buckets[bucket_of(seconds)] += 1
            minute.longest = max(minute.longest, seconds)

    def add_slow(self, query: SlowQuery) -> None:
        """Remember a slow one."""
        with self._lock:
            self._slow += 1
            self._remembered.append(query)

    def slowest(self) -> tuple[SlowQuery, ...]:
        """Slow queries, the newest first."""
        with self._lock:
            return tuple(reversed(self._remembered))

    def durations(self) -> dict[str, Durations]:
        """How long the queries of each asker took, since the start."""
        with self._lock:
            return {who: Durations(tuple(counts), self._sums[who]) for who, counts in self._asked.items()}

    def stats(self) -> QueryStats:
        """All of them in figures."""
        since = int((self.clock.monotonic() - RECENT_S) / _MINUTE_S)
        buckets: Counter[int] = Counter()
        longest: float | None = None
        with self._lock:
            for minute in self._recent:
                if minute.number >= since:
                    buckets.update(minute.buckets)
                    longest = max(longest or 0.0, minute.longest)
            outcomes, slow = self._outcomes.copy(), self._slow
        return QueryStats(
            asked=outcomes.total(),
            failed=outcomes["failed"],
            cancelled=outcomes["cancelled"],
            slow=slow,
            bound=self.slow,
            p50=quantile(0.5, buckets.items()),
            p95=quantile(0.95, buckets.items()),
            longest=longest,
        )
