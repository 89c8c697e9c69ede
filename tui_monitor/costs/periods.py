"""Calendar periods as the costs need them: which part is looked at, and with what it is compared."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from tui_monitor.model.calendar import PERIODS, Calendar, Period
from tui_monitor.model.clock import MS, Micros, from_datetime
from tui_monitor.model.comparison import Against, earlier
from tui_monitor.model.errors import UsageError
from tui_monitor.model.timerange import Span, format_duration

Kind = Literal["today", "week", "month"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_KINDS: dict[str, Kind] = {kind: kind for kind in KINDS}
_NAMES: dict[str, Period] = {name: name for name in PERIODS}
_PAST: dict[str, Kind] = {"yesterday": "today", "last_week": "week", "last_month": "month"}


@dataclass(frozen=True, slots=True)
class Part:
    """A period up to one instant in it: `[range]` asked at `at` is exactly this part.

    `start` and `end` are the whole period's, `[start, end)`, µs UTC.
    """

    kind: Kind
    start: Micros
    end: Micros
    at: Micros
    whole: bool
    moved: bool = False
    """Whether it is no period of the calendar, but as long as one."""

    @property
    def range(self) -> str:
        """What stands in the brackets of a question about it."""
        return format_duration(self.at - self.start + 1) if self.moved else self.kind

    @property
    def span(self) -> Span:
        """The whole period."""
        return Span.half_open(self.start, self.end)

    @property
    def elapsed(self) -> Micros:
        """How much of the period has passed, µs."""
        return self.at - self.start


def part_of(period: str, calendar: Calendar, now: Micros) -> Part:
    """The part of a named period that has passed at `now`. Raises `UsageError` for another name."""
    name = _NAMES.get(period)
    if name is None:
        raise UsageError(f"no such period: {period!r}", hint=f"one of {', '.join(PERIODS)}")
    return _part(calendar, name, now)


def before(part: Part, calendar: Calendar, against: Against = "previous") -> Part:
    """The period before, up to the same day and time of the wall clock; or the part a day or a week before.

    A day of a change of summer time is an hour longer or shorter, so the wall clock decides and not the
    elapsed time: yesterday until this time. A shorter month before is compared whole from its end on.
    """
    if against != "previous":
        span = earlier(Span(part.start - 1, part.at), against, calendar)
        # Questions are exact to the millisecond.
        at = span.start + max(1, span.length // MS) * MS
        return Part(part.kind, span.start + 1, at + 1, at, part.whole, moved=True)
    start, end = calendar.period(part.kind, part.start - 1)
    at = end - 1
    if not part.whole:
        days = calendar.day_of(part.at) - calendar.day_of(part.start)
        wall = datetime.combine(
            calendar.day_of(start) + days, calendar.local(part.at).time(), tzinfo=calendar.tz
        )
        at = max(start, min(from_datetime(wall), at))
    return Part(part.kind, start, end, at, part.whole)


def days_of(part: Part, calendar: Calendar) -> list[Part]:
    """The local days of a part, the last one as far as the part goes."""
    days: list[Part] = []
    start = part.start
    while start <= part.at:
        end = calendar.day(start)[1]
        days.append(Part("today", start, end, min(end - 1, part.at), whole=end - 1 <= part.at))
        start = end
    return days


def _part(calendar: Calendar, name: Period, now: Micros) -> Part:
    start, end = calendar.period(name, now)
    kind = _KINDS.get(name)
    if kind is not None:
        return Part(kind, start, end, now, whole=False)
    return Part(_PAST[name], start, end, end - 1, whole=True)
