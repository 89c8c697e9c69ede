"""Days, weeks and months are the user's, across changes of summer time."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.model.calendar import PERIODS, Calendar
from tui_monitor.model.clock import HOUR, from_datetime, iso, to_datetime
from tui_monitor.model.timerange import Span

BERLIN = Calendar("Europe/Berlin")
INSTANTS = st.integers(0, 4_000_000_000_000_000)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Santiago"])


def at(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text))


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_has_as_many_hours_as_it_has(day: str, hours: int) -> None:
    start, end = BERLIN.day(at(f"{day}T15:00:00+01:00"))
    assert end - start == hours * HOUR
    assert BERLIN.local(start).strftime("%F %T") == f"{day} 00:00:00"


@given(INSTANTS, ZONES, st.integers(0, 6), st.integers(1, 28))
def test_every_period_around_an_instant_holds_or_precedes_it(
    instant: int, zone: str, week_start: int, month_start: int
) -> None:
    calendar = Calendar(zone, week_start, month_start)
    for name in PERIODS:
        start, end = calendar.period(name, instant)
        if name in ("today", "week", "month"):
            assert start <= instant < end
        else:
            assert start < end <= instant
    assert calendar.local(calendar.month(instant)[0]).day == month_start
    assert calendar.local(calendar.week(instant)[0]).weekday() == week_start


@given(INSTANTS, ZONES)
def test_days_join_without_gap_or_overlap(instant: int, zone: str) -> None:
    calendar = Calendar(zone)
    _, end = calendar.day(instant)
    assert calendar.day(end)[0] == end
    assert calendar.day(end - 1)[1] == end


def test_a_zone_that_skips_midnight_starts_its_day_at_the_first_instant_there_is() -> None:
    santiago = Calendar("America/Santiago")
    start = santiago.midnight(date(2026, 9, 6))
    assert santiago.local(start).strftime("%F %H:%M") == "2026-09-06 01:00"
    assert santiago.day_of(start - 1) == date(2026, 9, 5)


def test_months_may_start_late_and_cross_the_year() -> None:
    calendar = Calendar("UTC", 0, 15)
    start, end = calendar.month(at("2026-01-03T00:00:00+00:00"))
    assert (iso(start), iso(end)) == ("2025-12-15T00:00:00Z", "2026-01-15T00:00:00Z")


@given(INSTANTS)
def test_instants_survive_the_way_to_datetime_and_back(instant: int) -> None:
    assert from_datetime(to_datetime(instant)) == instant
    assert to_datetime(instant).tzinfo is UTC


def test_a_calendar_span_is_half_open() -> None:
    span = Span.half_open(1_000, 2_000)
    inside = [t for t in (999, 1_000, 1_999, 2_000) if span.start < t <= span.end]
    assert inside == [1_000, 1_999]
