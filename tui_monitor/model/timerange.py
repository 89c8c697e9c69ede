"""Spans of time, lengths of time as people write them, and the screen's shared range."""

import re
from dataclasses import dataclass, replace

from tui_monitor.model.clock import DAY, HOUR, MINUTE, MS, SECOND, WEEK, Micros
from tui_monitor.model.errors import UsageError

_UNITS: dict[str, Micros] = {
    "ms": MS,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
    "d": DAY,
    "w": WEEK,
    "y": 365 * DAY,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdwy]))+")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A left-open span of time `(start, end]`, µs UTC."""

    start: Micros
    end: Micros

    @property
    def length(self) -> Micros:
        """µs."""
        return self.end - self.start

    @classmethod
    def half_open(cls, start: Micros, end: Micros) -> "Span":
        """The calendar's `[start, end)`; instants are whole µs, so both forms hold the same ones."""
        return cls(start - 1, end - 1)

    def before(self) -> "Span":
        """The span of the same length that ends where this one starts."""
        return Span(self.start - self.length, self.start)


def parse_duration(text: str) -> Micros:
    """`1h30m`, `250ms`, `2d` → µs. Raises `UsageError` on anything else, and on 0."""
    text = text.strip()
    if not _WHOLE.fullmatch(text):
        raise UsageError(f"not a length of time: {text!r}", hint="write it like 30s, 5m, 1h30m, 7d or 4w")
    total = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if total < 1 or total > 100 * 365 * DAY:
        raise UsageError(f"length of time out of range: {text!r}", hint="between 1 ms and 100 years")
    return round(total)


def format_duration(length: Micros) -> str:
    """µs → `1h30m`, the form `parse_duration` reads; exact to the millisecond."""
    if length < MS:
        return "0s"
    parts: list[str] = []
    for unit, size in (("w", WEEK), ("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", MS)):
        if unit == "w" and length % WEEK:
            continue
        count, length = divmod(length, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


PRESETS: tuple[tuple[str, Micros], ...] = (
    ("5m", 5 * MINUTE),
    ("15m", 15 * MINUTE),
    ("1h", HOUR),
    ("6h", 6 * HOUR),
    ("24h", DAY),
    ("7d", WEEK),
    ("30d", 30 * DAY),
    ("90d", 90 * DAY),
)

_STEPS: tuple[Micros, ...] = (
    *(s * SECOND for s in (1, 2, 5, 10, 15, 30)),
    *(m * MINUTE for m in (1, 2, 5, 10, 15, 30)),
    *(h * HOUR for h in (1, 2, 3, 6, 12)),
    *(d * DAY for d in (1, 2, 7, 14, 28)),
)


def step_for(length: Micros, points: int) -> Micros:
    """The smallest round step that draws `length` in at most `points` steps."""
    wanted = length / max(1, points)
    return next((step for step in _STEPS if step >= wanted), _STEPS[-1])


@dataclass(frozen=True, slots=True)
class TimeRange:
    """What every pane looks at: the last `length` up to now (live), or up to a fixed `end`.

    A live one that begins at the fixed instant `since` grows; its `length` is what it was to the minute.
    """

    length: Micros = HOUR
    end: Micros | None = None
    since: Micros | None = None

    @property
    def live(self) -> bool:
        """Whether it moves with the clock."""
        return self.end is None

    def span(self, now: Micros) -> Span:
        """The span at this moment; one that grows is of whole ms, as a query can say it, the last begun."""
        if self.since is not None and self.since < now:
            return Span(self.since, self.since - (self.since - now) // MS * MS)
        end = now if self.end is None else self.end
        return Span(end - self.length, end)

    def grown(self, now: Micros) -> "TimeRange":
        """The same with the length that it has now, in whole minutes; itself where it does not grow."""
        if self.since is None:
            return self
        return replace(self, length=max(1, -(-(now - self.since) // MINUTE)) * MINUTE)

    def until(self, end: Micros) -> "TimeRange":
        """What it shows at an instant, standing still there."""
        if not self.live:
            return self
        span = self.span(end)
        return TimeRange(span.length, span.end)
