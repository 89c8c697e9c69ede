"""Times and ranges as people type them."""

from datetime import date

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import UsageError
from tui_monitor.model.timerange import parse_duration
from tui_monitor.model.timewords import NotATime, read_instant

_FORMS = (
    "write it like 2026-03-18, 2026-03-18T14:30, with an offset or Z if you like, yesterday 14:00, "
    "last monday, or 2h for two hours ago"
)


def instant(text: str, calendar: Calendar, now: Micros) -> Micros:
    """`now`, a day, a time (in the user's zone where it has no offset), epoch seconds, or how long ago.

    Else what the words of time ranges mean; of a day or a longer period its first instant.

    Raises `UsageError`.
    """
    from tui_monitor.recorder.checks import Invalid
    from tui_monitor.sources.times import parse_time

    text = text.strip()
    if text == "now":
        return now
    try:
        return calendar.midnight(date.fromisoformat(text))
    except ValueError:
        pass
    try:
        return parse_time("time", text, calendar.tz)
    except Invalid:
        pass
    try:
        return now - parse_duration(text)
    except UsageError:
        pass
    try:
        return read_instant(text, now, calendar)
    except NotATime:
        raise UsageError(f"not a time: {text!r}", hint=_FORMS) from None


def written(at: Micros, calendar: Calendar) -> str:
    """An instant on the user's wall clock, to the second."""
    return calendar.local(at).strftime("%Y-%m-%d %H:%M:%S")
