"""How long a silence lasts, as people say it: pure functions."""

from datetime import datetime, time

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, Micros, from_datetime
from tui_monitor.model.errors import UsageError
from tui_monitor.model.timerange import parse_duration

LENGTHS: tuple[tuple[str, Micros], ...] = (
    ("30m", 30 * MINUTE), ("1h", HOUR), ("4h", 4 * HOUR), ("1d", DAY),
)  # fmt: skip
"""What is offered."""
LONGEST = 366 * DAY
FORMS = "write it like 2h30m, until 14:00, or 2026-03-18 09:00"


def read_end(text: str, now: Micros, calendar: Calendar) -> Micros:
    """The moment that a length of time or a time of the day or a date means. Raises `UsageError`.

    A time of the day that is over today is tomorrow's.
    """
    text = text.strip().removeprefix("until ").removeprefix("for ").strip()
    try:
        end = now + parse_duration(text.replace(" ", ""))
    except UsageError:
        end = _instant(text, now, calendar)
    if end <= now:
        raise UsageError("that is over already", hint=FORMS)
    if end - now > LONGEST:
        raise UsageError("a silence lasts a year at most", hint=FORMS)
    return end


def _instant(text: str, now: Micros, calendar: Calendar) -> Micros:
    try:
        end = _moment(text, now, calendar)
    except UsageError as error:
        raise UsageError(error.message, hint=FORMS) from None
    if end <= now and len(text) <= len("09:00:00"):
        _, midnight = calendar.day(now)
        end = _moment(text, midnight, calendar)
    return end


def _moment(text: str, now: Micros, calendar: Calendar) -> Micros:
    """`now`, a time of the day of `now`, a day, or a day and a time, on the user's wall clock."""
    text = text.strip()
    if text == "now":
        return now
    try:
        wall = datetime.combine(calendar.day_of(now), time.fromisoformat(text))
    except ValueError:
        try:
            wall = datetime.fromisoformat(text)
        except (ValueError, OverflowError):
            raise UsageError(f"not a time: {text!r}", hint=FORMS) from None
    if wall.tzinfo is None:
        wall = wall.replace(tzinfo=calendar.tz)
    moment = from_datetime(wall)
    if not 0 <= moment <= now + 100 * 365 * DAY:
        raise UsageError(f"out of range: {text!r}", hint=FORMS)
    return moment
