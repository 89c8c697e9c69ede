"""Instants, days and periods in words, read on the user's calendar."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, WEEK, Micros, from_datetime
from tui_monitor.model.timetokens import DAY_END, NotATime, Token, tokens

_OLDEST = 1970
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
UNITS: dict[str, Micros] = {
    "second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY, "week": WEEK, "month": 30 * DAY,
    "year": 365 * DAY,
}  # fmt: skip
_SHORT = {
    "s": "second", "sec": "second", "m": "minute", "min": "minute", "h": "hour", "hr": "hour", "d": "day",
    "w": "week", "mo": "month", "y": "year", "yr": "year",
}  # fmt: skip
_SINGLE = ("hour", "day", "week", "month", "year")


def _unit(word: str) -> str:
    """The unit that a word means; empty for any other word."""
    one = word[:-1] if word.endswith("s") and len(word) > 1 else word
    return _SHORT.get(one, one if one in UNITS else "")


@dataclass(frozen=True, slots=True)
class Point:
    """[start, end) of a day or period; an instant where both are the same. `bare`: a clock without a day."""

    start: Micros
    end: Micros
    bare: time | None = None

    @property
    def whole(self) -> bool:
        """Whether it has a length."""
        return self.end > self.start


class Points:
    """One text being read, word by word."""

    def __init__(self, text: str, now: Micros, calendar: Calendar) -> None:
        self._tokens = tokens(text)
        self._at = 0
        self._now = now
        self._calendar = calendar
        self._growing = False
        """Whether the last word is the beginning of one that would be understood."""
        self.wanted: list[str] = []
        """Words that would be understood behind the text."""

    # Words.

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += 1
        return token

    def _accept(self, *words: str, offered: bool = True) -> str:
        """The next word if it is one of these; those to be `offered` are told as ways to go on."""
        found = self._meant(words if offered else (), words)
        return words[found] if found is not None else ""

    def _name(self, names: Sequence[str]) -> int | None:
        """Which of these names is next, by three letters at least."""
        return self._meant(names, names, short=True)

    def _meant(self, offered: Sequence[str], words: Sequence[str], *, short: bool = False) -> int | None:
        token = self._next
        if token.kind == "end":
            self.wanted += offered
        if token.kind != "word":
            return None
        if self._tokens[self._at + 1].kind == "end":
            self._growing |= any(word.startswith(token.text) for word in words)
        enough = len(token.text) if short and len(token.text) >= 3 else None
        for n, word in enumerate(words):
            if token.text == (word if enough is None else word[:enough]):
                self._at += 1
                return n
        return None

    def _fail(self, message: str = "") -> NotATime:
        """What is wrong with the next word, or that one is missing."""
        token = self._next
        if token.kind == "end":
            missing = "a day, a time or a length is missing" if self._at else "a range of time is missing"
            return NotATime(message or missing, token.at, 1, unfinished=True)
        growing = self._growing or (token.kind == "number" and self._tokens[self._at + 1].kind == "end")
        said = message or f"not understood: {token.text!r}"
        return NotATime(said, token.at, len(token.text), unfinished=growing)

    def _end(self) -> None:
        if self._next.kind != "end":
            raise self._fail()

    def _whole(self, message: str) -> NotATime:
        start = self._tokens[0].at
        return NotATime(message, start, self._tokens[-1].at - start)

    # Instants.

    def instant(self) -> Micros:
        """The whole text as an instant."""
        point = self._point()
        self._end()
        return point.start

    def _point(self) -> Point:
        self._accept("at", "on", offered=False)
        length = self._before_or_after()
        if length is not None:
            return length
        if self._accept("now"):
            if self._next.kind == "dash" and self._tokens[self._at + 1].kind == "length":
                self._at += 1
                return self._exact(self._now - self._micros())
            return self._exact(self._now)
        if self._next.kind == "moment":
            moment = self._take().value
            assert isinstance(moment, datetime)
            return self._exact(
                from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=self._calendar.tz))
            )
        if (clock := self._clock()) is not None:
            return self._with_day(clock)
        if (day := self._day()) is not None:
            return self._in_day(day)
        period = self._period()
        if period is None:
            raise self._fail()
        return period

    def _before_or_after(self) -> Point | None:
        """`3 days ago`, `2h ago`, `2h before 14:00`."""
        begin, word = self._at, self._next
        count = word.value if word.kind == "number" else None
        unit = _unit(self._tokens[begin + 1].text) if isinstance(count, int) else ""
        length = self._length()
        if length is None:
            return None
        if self._accept("ago"):
            if isinstance(count, int) and unit and self._at == begin + 3:
                return self._ago(count, unit)
            return self._exact(self._now - length)
        if self._accept("before"):
            return self._exact(self._point().start - length)
        if self._accept("after"):
            return self._exact(self._point().end + length)
        if self._next.kind == "end":
            raise self._fail("ago, before or after is missing")
        self._at = begin
        return None

    def _ago(self, count: int, unit: str) -> Point:
        """The whole minute, hour, day … that was so long ago."""
        today = self._calendar.day_of(self._now)
        try:
            match unit:
                case "second":
                    return self._exact(self._now - count * SECOND)
                case "minute" | "hour":
                    return self._cell(self._now - count * UNITS[unit], unit)
                case "day":
                    return self._in_day(today - timedelta(days=count))
                case "week":
                    at = self._calendar.midnight(today - timedelta(days=7 * count))
                    return Point(*self._calendar.week(at))
                case "month":
                    return self._month_back(count)
                case _:
                    return self._year(today.year - count)
        except (OverflowError, ValueError):
            raise self._whole("out of range") from None

    def _cell(self, at: Micros, unit: str) -> Point:
        """The minute or hour of the wall clock that holds an instant."""
        wall = self._calendar.local(at).replace(second=0, microsecond=0)
        start = from_datetime(wall.replace(minute=0) if unit == "hour" else wall)
        return Point(start, start + UNITS[unit])

    def _month_back(self, count: int) -> Point:
        if count > 12 * (2000 - _OLDEST + 30):
            raise OverflowError
        start, end = self._calendar.month(self._now)
        for _ in range(count):
            start, end = self._calendar.month(start - 1)
        return Point(start, end)

    def _year(self, year: int) -> Point:
        if not _OLDEST < year < _OLDEST + 200:
            raise self._whole(f"no such year: {year}")
        return Point(self._calendar.midnight(date(year, 1, 1)), self._calendar.midnight(date(year + 1, 1, 1)))

    # Days and periods.

    def _day(self) -> date | None:
        today = self._calendar.day_of(self._now)
        if self._accept("today"):
            return today
        if self._accept("yesterday"):
            return today - timedelta(days=1)
        if self._next.kind == "date":
            day = self._take().value
            assert isinstance(day, date)
            if not _OLDEST < day.year < _OLDEST + 200:
                raise self._whole(f"no such year: {day.year}")
            return day
        begin = self._at
        which = self._accept("last", "this")
        weekday = self._name(_WEEKDAYS)
        if weekday is not None:
            return self._weekday(weekday, which)
        self._at = begin
        return self._of_month()

    def _weekday(self, weekday: int, which: str) -> date:
        """The newest such day: with `last` before today, with `this` of this week."""
        today = self._calendar.day_of(self._now)
        if which == "this":
            first = self._calendar.day_of(self._calendar.week(self._now)[0])
            return first + timedelta(days=(weekday - first.weekday()) % 7)
        back = (today.weekday() - weekday) % 7
        return today - timedelta(days=back or (7 if which == "last" else 0))

    def _of_month(self) -> date | None:
        """`18 march 2026`, `march 18`: the newest such day where no year is said."""
        begin = self._at
        number = self._number(31)
        month = self._name(_MONTHS) if number is not None or self._next.kind == "word" else None
        if month is not None and number is None:
            number = self._number(31)
        if month is None or number is None:
            self._at = begin
            return None
        year = self._year_said()
        today = self._calendar.day_of(self._now)
        try:
            if year is not None:
                return date(year, month + 1, number)
            day = _newest(month + 1, number, today)
        except ValueError:
            day = None
        if day is None:
            raise self._whole("there is no such day")
        return day

    def _number(self, most: int) -> int | None:
        token = self._next
        if token.kind == "number" and isinstance(token.value, int) and 1 <= token.value <= most:
            self._at += 1
            return token.value
        return None

    def _year_said(self) -> int | None:
        token = self._next
        if token.kind != "number" or not isinstance(token.value, int) or len(token.text) != 4:
            return None
        if not _OLDEST < token.value < _OLDEST + 200:
            raise self._fail(f"no such year: {token.text}")
        self._at += 1
        return token.value

    def _in_day(self, day: date) -> Point:
        """The day, or a time of it."""
        begin = self._at
        self._accept("at", offered=False)
        clock = self._clock()
        if clock is not None:
            return self._exact(self._wall(day, clock))
        self._at = begin
        return Point(self._calendar.midnight(day), self._calendar.midnight(day + timedelta(days=1)))

    def _period(self) -> Point | None:
        which = self._accept("this", "last")
        if which:
            unit = self._accept(*_SINGLE)
            if unit:
                return self._this_or_last(which, unit)
        month = self._name(_MONTHS)
        if month is not None:
            return self._named_month(month, self._year_said(), over=which == "last")
        if which:
            raise self._fail()
        year = self._year_said()
        return None if year is None else self._year(year)

    def _this_or_last(self, which: str, unit: str) -> Point:
        calendar, last = self._calendar, which == "last"
        match unit:
            case "hour":
                return self._cell(self._now - last * HOUR, "hour")
            case "day":
                return self._in_day(calendar.day_of(self._now) - timedelta(days=last))
            case "week":
                return Point(*calendar.period("last_week" if last else "week", self._now))
            case "month":
                return Point(*calendar.period("last_month" if last else "month", self._now))
            case _:
                return self._year(calendar.day_of(self._now).year - last)

    def _named_month(self, month: int, year: int | None, *, over: bool) -> Point:
        """The newest month of that name, that is over where it must be; the user's months."""
        calendar = self._calendar
        newest = calendar.day_of(self._now).year if year is None else year
        for tried in (newest, newest - 1):
            start, end = calendar.month(calendar.midnight(date(tried, month + 1, calendar.month_starts_on)))
            if year is not None or (end <= self._now if over else start < self._now):
                return Point(start, end)
        return Point(start, end)

    # Parts.

    def _dash(self) -> bool:
        if self._next.kind != "dash":
            return False
        self._at += 1
        return True

    def _clock(self) -> time | None:
        if self._next.kind == "clock":
            value = self._take().value
            return value if isinstance(value, time) else None
        word = self._accept("noon", "midnight", offered=False)
        return time(12 if word == "noon" else 0) if word else None

    def _micros(self) -> Micros:
        value = self._take().value
        return value if isinstance(value, int) else 0

    def _length(self) -> Micros | None:
        """`1h30m`, `90 minutes`, `1 h 30 m`."""
        total = 0
        while True:
            if self._next.kind == "length":
                total += self._micros()
                continue
            if self._next.kind != "number":
                break
            unit = self._tokens[self._at + 1]
            if unit.kind == "end":
                self.wanted += (f"{name}s" for name in UNITS)
            if not _unit(unit.text):
                break
            total += self._micros() * UNITS[_unit(unit.text)]
            self._at += 1
        return total or None

    def _wall(self, day: date, clock: time) -> Micros:
        """A time of the wall clock; where the clock jumps over it, as much later."""
        if clock == DAY_END:
            return self._calendar.midnight(day + timedelta(days=1))
        return from_datetime(datetime.combine(day, clock, self._calendar.tz))

    def _with_day(self, clock: time) -> Point:
        """A time of today, or of the day that stands behind it."""
        self._accept("on", offered=False)
        day = self._day()
        if day is not None:
            return self._exact(self._wall(day, clock))
        at = self._wall(self._calendar.day_of(self._now), clock)
        return Point(at, at, clock)

    def _exact(self, at: Micros) -> Point:
        if not 0 <= at <= self._now + 100 * 365 * DAY:
            raise self._whole("out of range")
        return Point(at, at)


def _newest(month: int, number: int, today: date) -> date | None:
    """The newest day of that month and number that is not to come; 29 February is up to eight years old."""
    for year in range(today.year, today.year - 9, -1):
        try:
            day = date(year, month, number)
        except ValueError:
            continue
        if day <= today:
            return day
    return None
