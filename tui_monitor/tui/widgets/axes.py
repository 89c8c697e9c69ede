"""The axes of a chart: round ticks with labels as people read them. Pure functions."""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, Micros, from_datetime
from tui_monitor.model.units import show

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONGEST = 9
"""Cells of the longest label of a value."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The values a chart reaches from and to, with its ticks and their labels."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def share(self, value: float) -> float:
        """Where a value lies, 0 at the bottom to 1 at the top; what is outside stands at the edge."""
        if value <= self.low:
            return 0.0
        if value >= self.high:
            return 1.0
        return value / self.high if self.low == 0 else (value - self.low) / (self.high - self.low)


def scale(low: float, high: float, unit: str, wanted: int, *, zero: bool = True) -> Scale:
    """A scale with about `wanted` steps that holds `low` and `high`, from 0 on unless told otherwise."""
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high <= low:
        low, high = (low - 1.0, low + 1.0) if not zero and low else (0.0, 1.0)
    if unit == "state" and low >= 0 and high <= _STATES[-1]:
        return Scale(_STATES[0], _STATES[-1], tuple((state, show(state, unit)) for state in _STATES))
    step = _step((high / wanted) - (low / wanted), unit)
    if not step or not math.isfinite(step):
        return Scale(low, high, ((low, label(low, unit)), (high, label(high, unit))))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [n * step for n in range(first, max(last, first + 1) + 1)]
    texts = [label(tick, unit) for tick in ticks]
    if len(set(texts)) < len(texts):
        texts = [f"{tick:.12g}" for tick in ticks]
    return Scale(ticks[0], ticks[-1], tuple(zip(ticks, texts, strict=True)))


_STATES = (0.0, 1.0, 2.0)
"""Of a provider, from good to bad: there is nothing between two of them, and all are of interest."""
_SECONDS = (
    *(10.0, 20.0, 30.0),
    *(60.0 * n for n in (1, 2, 5, 10, 15, 30)),
    *(3600.0 * n for n in (1, 2, 3, 6, 12)),
    *(86_400.0 * n for n in (1, 2, 5, 10)),
)
_KIBI = (1, 2, 5, 10, 20, 50, 100, 200, 512, 1024)


def _step(least: float, unit: str) -> float:
    """The smallest round step that is not below `least`, round in the unit people read it in."""
    if least < 1e-300:
        return 0.0
    if unit in ("bytes", "bytes/s") and least > 1:
        base = 1024.0 ** math.floor(math.log(least, 1024) + 1e-12)
        return base * next((n for n in _KIBI if n * base >= least), 1024)
    second = {"ms": 1000.0, "s": 1.0}.get(unit)
    if second is not None and least > 10 * second:
        longer = next((n * second for n in _SECONDS if n * second >= least), None)
        if longer is not None:
            return longer
    base = 10.0 ** math.floor(math.log10(least))
    return next(n * base for n in (1.0, 2.0, 5.0, 10.0, 20.0) if n * base >= least * (1 - 1e-9))


def words(value: float | None, unit: str) -> str:
    """A value in its unit; one beyond all measure in powers of ten."""
    if value is not None and value and not 1e-9 <= abs(value) < 1e15:
        return f"{value:.1e}"
    return show(value, unit)


def label(value: float, unit: str) -> str:
    """A tick's value without the decimals that say nothing: `$9`, `2.5 s`, `50 %`.

    A unit that has no room is left out: the key of the chart tells it.
    """
    if value == 0:
        return "0"
    for said in (unit, ""):
        text = re.sub(r"(\.\d*?)0+(?!\d)", r"\1", words(value, said))
        text = re.sub(r"\.(?!\d)", "", text)
        if said == "usd":
            # Cents are two digits or none.
            text = re.sub(r"(\.\d)$", r"\g<1>0", text)
        if len(text) <= _LONGEST:
            return text
    return f"{value:.1e}"


# Time.

_STEPS: tuple[Micros, ...] = (
    *(n * SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR for n in (1, 2, 3, 6, 12)),
    *(n * DAY for n in (1, 2, 7, 14)),
)


def time_ticks(start: Micros, end: Micros, width: int, calendar: Calendar) -> list[tuple[Micros, str]]:
    """Instants in [start, end], round on the user's clock, whose labels have room in `width` cells."""
    length = end - start
    if length <= 0 or width < 8:
        return []
    for step in _STEPS:
        if (length / step) * (_label_width(step, length) + 2) <= width:
            return [(t, time_label(t, step, length, calendar)) for t in _walls(start, end, step, calendar)]
    return _months(start, end, width, calendar)


def _label_width(step: Micros, length: Micros) -> int:
    if step < MINUTE:
        return 8
    if step >= DAY:
        return 6
    return 7 if length > 2 * DAY else 5


def time_label(instant: Micros, step: Micros, length: Micros, calendar: Calendar) -> str:
    """What stands under a tick: the day at midnight, else the hour, as exact as the step needs."""
    wall = calendar.local(instant)
    if step >= DAY:
        return f"{_MONTHS[wall.month - 1]} {wall.day}"
    if (wall.hour, wall.minute, wall.second) == (0, 0, 0):
        return f"{_DAYS[wall.weekday()]} {wall.day}"
    if length > 2 * DAY:
        return f"{_DAYS[wall.weekday()]} {wall.hour:02}h"
    return f"{wall:%H:%M:%S}" if step < MINUTE else f"{wall:%H:%M}"


def moment(instant: Micros, length: Micros, calendar: Calendar) -> str:
    """One instant in words, with the day where the span does not make it plain."""
    wall = calendar.local(instant)
    clock = f"{wall:%H:%M:%S}" if length < 6 * HOUR else f"{wall:%H:%M}"
    if length <= 12 * HOUR:
        return clock
    return f"{_DAYS[wall.weekday()]} {_MONTHS[wall.month - 1]} {wall.day} {clock}"


def _walls(start: Micros, end: Micros, step: Micros, calendar: Calendar) -> list[Micros]:
    """Every `step` of the wall clock from midnight on, so that a change of summer time moves nothing."""
    ticks: list[Micros] = []
    first = calendar.local(start).date()
    days = max(1, step // DAY)
    # Steps of several days are counted from a fixed day, or they would jump as time goes on.
    day = first - timedelta(days=first.toordinal() % days)
    while len(ticks) < 500:
        midnight = datetime(day.year, day.month, day.day, tzinfo=calendar.tz)
        inner = range(1) if step >= DAY else range(DAY // step)
        if step < DAY:
            skipped = max(0, (start - calendar.midnight(day)) // step - HOUR // step - 1)
            inner = range(min(skipped, DAY // step), DAY // step)
        for n in inner:
            instant = from_datetime(midnight + timedelta(microseconds=n * step))
            if instant > end:
                return ticks
            if instant >= start and (not ticks or instant > ticks[-1]):
                ticks.append(instant)
        day += timedelta(days=days)
    return ticks


def _months(start: Micros, end: Micros, width: int, calendar: Calendar) -> list[tuple[Micros, str]]:
    first, last = calendar.day_of(start), calendar.day_of(end)
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    every = next((n for n in (1, 2, 3, 6, 12, 24, 60, 120) if count / n * 11 <= width), 240)
    ticks: list[tuple[Micros, str]] = []
    for index in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        year, month = divmod(index, 12)
        if index % every:
            continue
        instant = calendar.midnight(datetime(year, month + 1, 1, tzinfo=calendar.tz).date())
        if start <= instant <= end:
            ticks.append((instant, f"{_MONTHS[month]} {year}"))
    return ticks
