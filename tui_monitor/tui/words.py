"""Times and changes in the words of the screen: pure functions.

Nothing here changes more often than once a minute, so that a screen at rest stays at rest.
"""

from datetime import datetime

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, Micros
from tui_monitor.model.comparison import Against, earlier
from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.units import UNKNOWN, age, change

__all__ = [
    "ago", "brief_moment", "change", "day_words", "earlier_words", "length_words", "long_age", "moment_words",
    "plural", "range_preview", "range_words", "short_age",
    "spend_before",
]  # fmt: skip

YEAR = 365 * DAY
MONTH = 30 * DAY
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def long_age(length: Micros) -> str:
    """A length of time to the minute, in years and months where it is long: `11 m`, `2 y 4 mo`."""
    if length >= YEAR:
        years, rest = divmod(length, YEAR)
        months = min(11, rest // MONTH)
        return f"{years} y {months} mo" if months else f"{years} y"
    if length < MINUTE:
        return "<1 m"
    return age(length // MINUTE * MINUTE if length < DAY else length // HOUR * HOUR)


def short_age(length: Micros) -> str:
    """A length of time to the minute in one unit, for narrow columns: `11 m`, `3 d`."""
    for name, unit in (("y", YEAR), ("d", DAY), ("h", HOUR), ("m", MINUTE)):
        if length >= unit:
            return f"{length // unit} {name}"
    return "<1 m"


def brief_moment(instant: Micros, now: Micros, calendar: Calendar) -> str:
    """An instant in six cells at most: `13:34` of today, `Wed` of this week, else `18 Mar`."""
    wall, present = calendar.local(instant), calendar.local(now)
    if wall.date() == present.date():
        return f"{wall:%H:%M}"
    if abs((wall.date() - present.date()).days) < 7:
        return _DAYS[wall.weekday()]
    return f"{wall.day} {_MONTHS[wall.month - 1]}"


def ago(instant: Micros | None, now: Micros) -> str:
    """How long ago, to the minute."""
    if instant is None:
        return UNKNOWN
    return "just now" if now - instant < MINUTE else f"{long_age(now - instant)} ago"


def length_words(length: Micros) -> str:
    """The length of a range: `1 h`, `1 h 30 m`, `7 d`."""
    return age(length)


def day_words(wall: datetime, now: datetime) -> str:
    """A date: `Wed 18 Mar`, with the year where it is another one."""
    text = f"{_DAYS[wall.weekday()]} {wall.day} {_MONTHS[wall.month - 1]}"
    return text if wall.year == now.year else f"{text} {wall.year}"


def moment_words(instant: Micros, now: Micros, calendar: Calendar, *, seconds: bool = False) -> str:
    """An instant on the user's wall clock, without what is plain: the day if it is today."""
    wall, present = calendar.local(instant), calendar.local(now)
    clock = f"{wall:%H:%M:%S}" if seconds else f"{wall:%H:%M}"
    return clock if wall.date() == present.date() else f"{day_words(wall, present)} {clock}"


def range_words(shown: TimeRange, now: Micros, calendar: Calendar) -> str:
    """What is looked at: `last 1 h`, `since 00:00`, `Wed 18 Mar 11:00 – 12:00`, `Mon 16 Mar – Wed 18 Mar`."""
    if shown.since is not None:
        return f"since {moment_words(_edge(shown.since), now, calendar)}"
    if shown.end is None:
        return f"last {length_words(shown.length)}"
    return _from_to(shown.end - shown.length, shown.end, now, calendar)


def range_preview(shown: TimeRange, now: Micros, calendar: Calendar) -> str:
    """A range with both ends, its length, and whether it moves: `11:00 – now, 1 h, live`."""
    span = shown.span(now)
    length = length_words(round(span.length / MINUTE) * MINUTE if span.length >= HOUR else span.length)
    if not shown.live:
        return f"{_from_to(span.start, span.end, now, calendar)}, {length}, fixed"
    first = moment_words(_edge(span.start), now, calendar)
    return f"{first} – now, {length}, {'grows' if shown.since is not None else 'live'}"


def earlier_words(shown: TimeRange, against: Against, now: Micros, calendar: Calendar) -> str:
    """What a range is compared with: `the 1 h before`, `a day before`, `Tue 17 Mar 00:00 – 12:00`."""
    if against != "previous":
        return f"a {against} before"
    span = shown.span(now)
    than = earlier(span, against, calendar)
    if than == span.before():
        return f"the {length_words(shown.length)} before"
    return _from_to(than.start, than.end, now, calendar)


SHORT_BEFORE: dict[Against, str] = {"previous": "before", "day": "day ago", "week": "week ago"}
"""With what a range is compared, where there is no room."""
_PERIOD_BEFORE = {
    "today": "yesterday", "week": "last week", "month": "last month",
    "yesterday": "the day before", "last_week": "the week before", "last_month": "the month before",
}  # fmt: skip


def spend_before(period: str, against: Against) -> str:
    """With what the spend of a period is compared: `yesterday`, `last month`, `a week before`."""
    same = {"day": ("today", "yesterday"), "week": ("week", "last_week")}
    if period in same.get(against, _PERIOD_BEFORE):
        return _PERIOD_BEFORE.get(period, "before")
    return f"a {against} before"


def _from_to(start: Micros, end: Micros, now: Micros, calendar: Calendar) -> str:
    start, end = _edge(start), _edge(end)
    first, last, present = calendar.local(start), calendar.local(end), calendar.local(now)
    if _midnight(first) and _midnight(last) and end > start:
        last = calendar.local(end - 1)
        day = day_words(first, present)
        return day if first.date() == last.date() else f"{day} – {day_words(last, present)}"
    words = moment_words(start, now, calendar)
    if first.date() == last.date():
        return f"{words} – {last:%H:%M}"
    return f"{words} – {day_words(last, present)} {last:%H:%M}"


def _edge(instant: Micros) -> Micros:
    """Where a period of the calendar ends: a left-open span ends with its last instant."""
    return instant + 1 if (instant + 1) % SECOND == 0 else instant


def _midnight(wall: datetime) -> bool:
    return (wall.hour, wall.minute, wall.second, wall.microsecond) == (0, 0, 0, 0)


def plural(number: float, noun: str) -> str:
    """`1 call`, `12 calls`; large numbers with a prefix."""
    from tui_monitor.model.units import count

    return f"{count(number)} {noun}{'' if number == 1 else 's'}"
