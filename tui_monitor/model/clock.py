"""Time: integer microseconds UTC, read from an injected clock only."""

import time
from datetime import UTC, datetime
from typing import Protocol

US = 1
MS = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

Micros = int
"""An instant (µs since the epoch, UTC) or a length of time (µs)."""


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> Micros:
        """The instant, µs UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never step back, for measuring lengths."""
        ...


class SystemClock:
    """The host's clock."""

    def now(self) -> Micros:
        return time.time_ns() // 1_000

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is moved: for tests and replay."""

    def __init__(self, now: Micros) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> Micros:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, micros: Micros) -> None:
        """Move on by `micros`."""
        self._now += micros
        self._monotonic += micros / SECOND


def to_datetime(instant: Micros) -> datetime:
    """The instant as an aware UTC datetime, exact to the microsecond."""
    seconds, micros = divmod(instant, SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)


def from_datetime(moment: datetime) -> Micros:
    """An aware datetime as µs UTC, exact."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def iso(instant: Micros) -> str:
    """RFC 3339 in UTC, with as many decimals as the instant has."""
    text = to_datetime(instant).isoformat()
    return text.replace("+00:00", "Z")
