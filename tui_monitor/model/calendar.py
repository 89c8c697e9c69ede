"""The user's days, weeks and months: cut in a time zone, half-open [start, end)."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from tui_monitor.model.clock import Micros, from_datetime, to_datetime

Period = Literal["today", "yesterday", "week", "month", "last_week", "last_month"]
PERIODS: tuple[Period, ...] = get_args(Period)

_UTC_NAMES = frozenset(
    ("Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "Etc/GMT", "UCT", "Universal", "Zulu", "GMT")
)


def plain_zone(name: str) -> str:
    """The zone's usual name: servers call UTC by many, and its days are kept once."""
    return "UTC" if name in _UTC_NAMES else name


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@dataclass(frozen=True, slots=True)
class Calendar:
    """How a person counts days.

    `zone` is an IANA name, `week_start` 0 for Monday … 6 for Sunday, `month_starts_on` a day 1–28.
    """

    zone: str = "UTC"
    week_start: int = 0
    month_starts_on: int = 1

    @property
    def tz(self) -> ZoneInfo:
        """The zone itself."""
        return _zone(self.zone)

    def local(self, instant: Micros) -> datetime:
        """The instant on the user's wall clock."""
        return to_datetime(instant).astimezone(self.tz)

    def midnight(self, day: date) -> Micros:
        """The first instant of a local day (the first after a gap where a zone skips midnight)."""
        wall = datetime.combine(day, time(), self.tz)
        instant = from_datetime(wall)
        # In a zone that jumps over midnight the wall time does not exist: step to the first that does.
        while self.local(instant).date() < day:
            instant += 15 * 60 * 1_000_000
        return instant

    def day_of(self, instant: Micros) -> date:
        """The local date of an instant."""
        return self.local(instant).date()

    def day(self, instant: Micros) -> tuple[Micros, Micros]:
        """[start, end) of the local day that holds the instant."""
        day = self.day_of(instant)
        return self.midnight(day), self.midnight(day + timedelta(days=1))

    def week(self, instant: Micros) -> tuple[Micros, Micros]:
        """[start, end) of the week that holds the instant."""
        day = self.day_of(instant)
        first = day - timedelta(days=(day.weekday() - self.week_start) % 7)
        return self.midnight(first), self.midnight(first + timedelta(days=7))

    def month(self, instant: Micros) -> tuple[Micros, Micros]:
        """[start, end) of the accounting month that holds the instant."""
        day = self.day_of(instant)
        first = day.replace(day=self.month_starts_on)
        if day < first:
            first = _add_month(first, -1)
        return self.midnight(first), self.midnight(_add_month(first, 1))

    def period(self, name: Period, instant: Micros) -> tuple[Micros, Micros]:
        """[start, end) of a named period around the instant."""
        match name:
            case "today":
                return self.day(instant)
            case "yesterday":
                return self.day(self.day(instant)[0] - 1)
            case "week":
                return self.week(instant)
            case "last_week":
                return self.week(self.week(instant)[0] - 1)
            case "month":
                return self.month(instant)
            case "last_month":
                return self.month(self.month(instant)[0] - 1)


def _add_month(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    return day.replace(year=index // 12, month=index % 12 + 1)
