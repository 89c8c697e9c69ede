"""What is usual at this hour: the median of the same hour's p95 latency on the last seven days."""

from collections.abc import Mapping
from datetime import timedelta
from statistics import median
from typing import NamedTuple
from weakref import WeakKeyDictionary

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import HOUR, MINUTE, Micros, from_datetime
from tui_monitor.query.engine import Engine

DAYS = 7
MIN_DAYS = 3
"""Days with calls in that hour below which there is no baseline."""
_REFRESH = MINUTE
_KEPT_HOURS = 8
_QUERY = "latency{} [1h] p95 by(provider)"

Baseline = Mapping[str, float]
"""Provider → ms; without those that have too few days."""


class _Kept(NamedTuple):
    version: int
    made: Micros
    value: Baseline


class Baselines:
    """The baselines of one engine, kept per hour.

    A kept one is made anew at most once a minute, and only when the data changed: a late import or a
    correction is seen a minute later at the latest.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: dict[tuple[Calendar, Micros], _Kept] = {}

    def at(self, instant: Micros, calendar: Calendar, *, version: int, now: Micros) -> Baseline:
        """The baseline for the hour that holds `instant`; `version` is the data's. Blocks on the store."""
        ends = same_hours(instant, calendar)
        key = (calendar, ends[0])
        kept = self._kept.get(key)
        if kept and (kept.version == version or 0 <= now - kept.made < _REFRESH):
            return kept.value
        value = self._compute(ends)
        if len(self._kept) >= _KEPT_HOURS:
            self._kept.clear()
        self._kept[key] = _Kept(version, now, value)
        return value

    def _compute(self, ends: list[Micros]) -> Baseline:
        days: dict[str, list[float]] = {}
        for end in ends:
            for provider, p95 in self._engine.instant(_QUERY, end).by("provider").items():
                days.setdefault(provider, []).append(p95)
        return {provider: median(values) for provider, values in days.items() if len(values) >= MIN_DAYS}


def same_hours(instant: Micros, calendar: Calendar) -> list[Micros]:
    """The ends of the user's same clock hour on each of the last seven days, the newest first.

    Hours are left-open like every range: 12:00 sharp belongs to the hour that ends then.
    """
    first = calendar.local(instant - 1).replace(minute=0, second=0, microsecond=0)
    return [from_datetime(first - timedelta(days=day)) + HOUR for day in range(1, DAYS + 1)]


_BY_ENGINE: "WeakKeyDictionary[Engine, Baselines]" = WeakKeyDictionary()


def baselines_of(engine: Engine) -> Baselines:
    """The baselines kept for this engine, as long as it lives."""
    kept = _BY_ENGINE.get(engine)
    if kept is None:
        kept = _BY_ENGINE[engine] = Baselines(engine)
    return kept
