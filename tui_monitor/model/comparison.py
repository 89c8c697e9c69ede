"""With what a span of time is compared: the one before it, or the same time a day or a week before."""

from datetime import datetime, timedelta
from typing import Literal, get_args

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros, from_datetime
from tui_monitor.model.timerange import Span

Against = Literal["previous", "day", "week"]
AGAINST: tuple[Against, ...] = get_args(Against)


def earlier(span: Span, against: Against, calendar: Calendar) -> Span:
    """The span to compare with; like with like.

    Before a day, week or month of the calendar lies the day, week or month before it, whatever their lengths;
    one that is not over is compared up to the same day and time of the wall clock, and with all of one before
    that is shorter. Before any other span lies one of its length. A day and a week before are those of the
    wall clock: over a change of summer time the span is as much longer or shorter.
    """
    if against != "previous":
        days = 7 if against == "week" else 1
        start, end = _days_back(span.start, days, calendar), _days_back(span.end, days, calendar)
        # Within an hour that there was twice the clock may end no later than it began.
        return Span(start if start < end else end - span.length, end)
    begins = span.start + 1
    if calendar.midnight(calendar.day_of(begins)) == begins:
        for cut in (calendar.day, calendar.week, calendar.month):
            start, end = cut(begins)
            if start == begins and span.end < end:
                first, stop = cut(start - 1)
                if span.end + 1 < end:
                    stop = min(stop, max(first + 1, _same_time(span, first, calendar) + 1))
                return Span.half_open(first, stop)
    return span.before()


def _same_time(span: Span, first: Micros, calendar: Calendar) -> Micros:
    """As many days behind `first` as the span has before its last one, at the time of its end."""
    days = calendar.day_of(span.end) - calendar.day_of(span.start + 1)
    return from_datetime(
        datetime.combine(calendar.day_of(first) + days, calendar.local(span.end).time(), calendar.tz)
    )


def _days_back(instant: Micros, days: int, calendar: Calendar) -> Micros:
    """The same time of the wall clock; of a time that there are two of, the first."""
    wall = calendar.local(instant)
    return from_datetime((wall - timedelta(days=days)).replace(fold=0))


def comparable(first: Micros | None, before: Span) -> bool:
    """Whether a span was recorded whole: comparing with a part of one would mislead."""
    return first is not None and first <= before.start
