"""Times and ranges of time in words, read on the user's calendar.

    range   = "last"|"past" LENGTH | LENGTH | LENGTH ("to"|"before"|"after"|"around") point
            | "since" point | "around" point | [ "from" ] point [ "to" point ]
    point   = "now" [ "-" LENGTH ] | day [ clock ] | clock | period | moment
    day     = "today" | "yesterday" | [ "last"|"this" ] WEEKDAY | DATE | N MONTH [ YEAR ] | N "days ago"
    period  = ("this"|"last") ("hour"|"week"|"month"|"year") | [ "last" ] MONTH [ YEAR ] | YEAR
            | N ("minutes"|"hours"|"weeks"|"months"|"years") "ago"

Days, weeks and months are cut by the calendar, so that a day of a change of summer time is as long as it is;
lengths are exact.
"""

from contextlib import suppress
from datetime import timedelta
from string import ascii_letters

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, Micros
from tui_monitor.model.timepoints import UNITS, Point, Points
from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.timetokens import DAY_END, FORMS, NotATime

__all__ = ["FORMS", "NotATime", "following", "last_word", "read_instant", "read_range"]

LONGEST = 3_650 * DAY
"""A range is ten years at most."""
_TO = ("until", "till", "and")


def read_range(text: str, shown: TimeRange, now: Micros, calendar: Calendar) -> TimeRange:
    """The range that a text means; one that is a length alone ends where `shown` does. Raises `NotATime`."""
    return Ranges(text, now, calendar).range(shown)


def read_instant(text: str, now: Micros, calendar: Calendar) -> Micros:
    """The instant that a text means: of days and periods the first. Raises `NotATime`."""
    return Ranges(text, now, calendar).instant()


def following(text: str, now: Micros, calendar: Calendar) -> tuple[str, ...]:
    """Words that may come behind a text, in place of its last one where that is of letters."""
    try:
        reading = Ranges(text[: len(text) - len(last_word(text))], now, calendar)
    except NotATime:
        return ()
    with suppress(NotATime):
        reading.range(TimeRange())
    return tuple(dict.fromkeys(reading.wanted))


def last_word(text: str) -> str:
    """The letters at the end of a text."""
    return text[len(text.rstrip(ascii_letters)) :]


class Ranges(Points):
    """One text being read as a range."""

    def range(self, shown: TimeRange) -> TimeRange:
        """The whole text as a range."""
        found = self._range(shown)
        self._end()
        if found.length > LONGEST:
            raise self._whole("a range is ten years at most")
        return found

    def _range(self, shown: TimeRange) -> TimeRange:
        if self._accept("since"):
            point = self._point()
            start = point.start - point.whole
            if point.bare is not None and start >= self._now:
                # A clock alone is of today, or the last one that is over.
                start = self._wall(self._calendar.day_of(start) - timedelta(days=1), point.bare)
            return self._between(start, self._now)
        if self._accept("around"):
            return self._around(HOUR, self._point())
        rolling = self._rolling()
        if rolling is not None:
            return TimeRange(rolling)
        found = self._of_length(shown)
        if found is not None:
            return found
        self._accept("from", "between")
        first = self._point()
        if self._to():
            return self._from_to(first, self._point())
        if not first.whole:
            self._end()
            raise self._moment_alone()
        return self._between(first.start - 1, first.end - 1)

    def _rolling(self) -> Micros | None:
        """`last 3 days`, `last hour`, `past week`: up to now, and moving with it."""
        begin = self._at
        word = self._accept("last", "past")
        if word:
            length = self._length()
            if length is not None:
                return length
            one = self._accept(*(UNITS if word == "past" else ("minute", "hour", "day")))
            if one:
                return UNITS[one]
            if word == "past":
                raise self._fail("a length is missing, like past 3 days")
        self._at = begin
        return None

    def _of_length(self, shown: TimeRange) -> TimeRange | None:
        """What a length begins: alone it is the newest so long, else one of so long at a point."""
        begin = self._at
        length = self._length()
        if length is None or self._accept("ago"):
            self._at = begin
            return None
        if self._accept("ending", offered=False) or self._to():
            point = self._point()
            end = point.end - point.whole
            return TimeRange(length) if end >= self._now else TimeRange(length, end)
        if self._accept("before"):
            point = self._point()
            end = point.start - point.whole
            return self._between(end - length, end)
        word = self._accept("after", "from", "around")
        if not word:
            return TimeRange(length, shown.end)
        point = self._point()
        if word == "around":
            return self._around(length, point)
        start = (point.end if word == "after" else point.start) - point.whole
        return self._between(start, start + length)

    def _to(self) -> bool:
        return bool(self._accept("to") or self._accept(*_TO, offered=False) or self._dash())

    def _around(self, length: Micros, point: Point) -> TimeRange:
        middle = (point.start + point.end) // 2
        return self._between(middle - length // 2, middle + length // 2)

    def _from_to(self, first: Point, last: Point) -> TimeRange:
        calendar = self._calendar
        start, end = first.start - first.whole, last.end - last.whole
        if last.bare is not None:
            # A clock alone is of the day where the range begins, or of the next one.
            day = calendar.day_of(first.start)
            end = self._wall(day, last.bare)
            begins = first.bare or calendar.local(first.start).time()
            if end <= start and last.bare <= begins:
                end = self._wall(day + timedelta(days=1), last.bare)
            past_midnight = end > start >= self._wall(day, last.bare)
            if first.bare is not None and (start >= self._now or (past_midnight and end > self._now)):
                back = timedelta(days=1)
                over = calendar.day_of(end - 1 if last.bare == DAY_END else end)
                start, end = self._wall(day - back, first.bare), self._wall(over - back, last.bare)
        elif first.bare is not None and not last.whole:
            # And in front of a moment of a day it is of that day, or of the one before.
            day = calendar.day_of(last.start)
            start = self._wall(day, first.bare)
            if start >= end:
                start = self._wall(day - timedelta(days=1), first.bare)
        return self._between(start, end)

    def _between(self, start: Micros, end: Micros) -> TimeRange:
        """(start, end], up to now where it is not over."""
        if start >= self._now:
            raise self._whole("that is yet to come")
        if end <= start:
            raise self._whole("the range ends before it begins")
        if end >= self._now:
            return TimeRange(self._now - start, None, since=start)
        return TimeRange(end - start, end)

    def _moment_alone(self) -> NotATime:
        error = self._whole("that is a moment, not a range")
        error.hint = "say since when, to when, or 1h around it"
        error.unfinished = True
        return error
