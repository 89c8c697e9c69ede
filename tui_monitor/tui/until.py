"""How long a silence lasts, as people say it: pure functions."""

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, Micros
from tui_monitor.model.errors import UsageError
from tui_monitor.model.timerange import parse_duration
from tui_monitor.tui.travel import instant

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
        end = instant(text, now, calendar)
    except UsageError as error:
        raise UsageError(error.message, hint=FORMS) from None
    if end <= now and len(text) <= len("09:00:00"):
        _, midnight = calendar.day(now)
        end = instant(text, midnight, calendar)
    return end
