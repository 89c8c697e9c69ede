"""Moving the shared time range: pure functions."""

from datetime import date, datetime, time

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, MINUTE, SECOND, Micros, from_datetime
from tui_monitor.model.errors import UsageError
from tui_monitor.model.timerange import PRESETS, Span, TimeRange, parse_duration

LENGTHS = tuple(length for _, length in PRESETS)
SHORTEST, LONGEST = 10 * SECOND, 3_650 * DAY
FORMS = "write it like 90m, 6h to 2026-03-18 14:00, 2026-03-18, or 13:00 to 14:30"


def resized(shown: TimeRange, step: int) -> TimeRange:
    """The next longer (1) or shorter (-1) preset, with the same end."""
    if step > 0:
        longer = [length for length in LENGTHS if length > shown.length]
        return TimeRange(longer[0] if longer else shown.length, shown.end)
    shorter = [length for length in LENGTHS if length < shown.length]
    return TimeRange(shorter[-1] if shorter else shown.length, shown.end)


def shifted(shown: TimeRange, halves: int, now: Micros) -> TimeRange:
    """Moved by so many halves of its length; live again where it reaches the present."""
    end = (now if shown.end is None else shown.end) + halves * shown.length // 2
    return TimeRange(shown.length, None if end >= now else end)


def zoomed(shown: TimeRange, factor: float, at: Micros | None, now: Micros) -> TimeRange:
    """`factor` times as long, with `at` at the same share of it; with the same end without one."""
    length = min(max(round(shown.length * factor / SECOND) * SECOND, SHORTEST), LONGEST)
    if at is None:
        return TimeRange(length, shown.end)
    end = now if shown.end is None else shown.end
    return _until(length, at + round((end - at) * length / shown.length), now)


def moved(shown: TimeRange, share: float, now: Micros) -> TimeRange:
    """Moved by that share of its length; live again where it reaches the present."""
    end = now if shown.end is None else shown.end
    return _until(shown.length, end + round(shown.length * share), now)


def chosen(span: Span, now: Micros) -> TimeRange:
    """A span, to whole seconds."""
    start, end = span.start // SECOND * SECOND, -(-span.end // SECOND) * SECOND
    return _until(min(max(end - start, SHORTEST), LONGEST), end, now)


def _until(length: Micros, end: Micros, now: Micros) -> TimeRange:
    end = round(end / SECOND) * SECOND
    return TimeRange(length, None if end >= now else end)


def ending_at(shown: TimeRange, newest: Micros, now: Micros) -> TimeRange:
    """The range that ends with the newest data, to the whole second; live where that range holds it."""
    end = -(-newest // SECOND) * SECOND
    return TimeRange(shown.length, None if newest > now - shown.length else end)


def read_range(text: str, shown: TimeRange, now: Micros, calendar: Calendar) -> TimeRange:
    """A range as people type it: a length, `START to END`, `LENGTH to END`, a day. Raises `UsageError`."""
    text = text.strip()
    first, word, last = text.partition(" to ")
    if not word:
        return _single(text, shown, now, calendar)
    end = None if last.strip() == "now" else instant(last, now, calendar)
    stop = now if end is None else end
    if (length := _length(first)) is None:
        length = stop - instant(first, stop if end is not None else now, calendar)
    if length <= 0:
        raise UsageError("the range ends before it begins", hint=FORMS)
    return TimeRange(_bounded(length), None if stop >= now else end)


def _bounded(length: Micros) -> Micros:
    if length > LONGEST:
        raise UsageError("a range is ten years at most", hint=FORMS)
    return length


def _single(text: str, shown: TimeRange, now: Micros, calendar: Calendar) -> TimeRange:
    if (length := _length(text)) is not None:
        return TimeRange(_bounded(length), shown.end)
    try:
        start, end = calendar.day(calendar.midnight(date.fromisoformat(text)))
    except ValueError:
        raise UsageError(f"not a time range: {text!r}", hint=FORMS) from None
    if start >= now:
        raise UsageError("that day is yet to come", hint=FORMS)
    return TimeRange(end - start, end - 1) if end <= now else TimeRange(max(MINUTE, now - start), None)


def _length(text: str) -> Micros | None:
    try:
        return parse_duration(text.strip().replace(" ", ""))
    except UsageError:
        return None


def instant(text: str, now: Micros, calendar: Calendar) -> Micros:
    """`now`, a time of the day of `now`, a day, or a day and a time, on the user's wall clock.

    Raises `UsageError`.
    """
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
