"""Parameters that several routes take."""

from tui_monitor.model.clock import HOUR, Micros
from tui_monitor.model.timerange import TimeRange
from tui_monitor.server.params import MAX_POINTS, Instant, Length, Whole

RANGE = Length(
    name="range",
    key="length",
    about="Length of the time range that is looked at.",
    default=HOUR,
    example="6h",
)
END = Instant(
    name="end",
    about="End of the time range: RFC 3339, or seconds since 1970. Now unless given.",
    example="2026-03-18T12:00:00Z",
)
SINCE = Instant(
    name="since",
    about="Where a range begins that grows up to now; `range` then says how long it is about, `end` wins.",
    example="2026-03-18T00:00:00Z",
)
POINTS = Whole(
    name="points",
    about="About how many steps the time range is cut into.",
    default=100,
    low=1,
    high=MAX_POINTS,
    example="60",
)


def looked_at(length: Micros, end: Micros | None, since: Micros | None) -> TimeRange:
    """The range that `range`, `end` and `since` say; `since` is the instant before its first."""
    return TimeRange(length, end, since if end is None else None)
