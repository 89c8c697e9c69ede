"""Moving the shared time range: pure functions."""

from tui_monitor.model.clock import DAY, SECOND, Micros
from tui_monitor.model.timerange import PRESETS, Span, TimeRange

LENGTHS = tuple(length for _, length in PRESETS)
SHORTEST, LONGEST = 10 * SECOND, 3_650 * DAY
_REMEMBERED = 50
"""Ranges to go back to."""


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


class Journey:
    """The ranges that were looked at, to go back to and on from; a bounded number of them."""

    def __init__(self) -> None:
        self._past: list[TimeRange] = []
        self._future: list[TimeRange] = []

    def leave(self, shown: TimeRange) -> None:
        """Another range is gone to; what lay ahead is forgotten."""
        self._past = [*self._past[1 - _REMEMBERED :], shown]
        self._future = []

    def back(self, shown: TimeRange) -> TimeRange | None:
        """The range before this one; none at the beginning."""
        return _step(self._past, self._future, shown)

    def on(self, shown: TimeRange) -> TimeRange | None:
        """The range that was gone back from; none at the end."""
        return _step(self._future, self._past, shown)


def _step(out_of: list[TimeRange], into: list[TimeRange], shown: TimeRange) -> TimeRange | None:
    if not out_of:
        return None
    into.append(shown)
    return out_of.pop()
