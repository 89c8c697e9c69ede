"""Parts of calendar periods, what they are compared with, and where they end if it goes on like this."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tui_monitor.costs.periods import before, days_of, part_of
from tui_monitor.costs.projection import linear, project, used_up
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, from_datetime, iso
from tui_monitor.model.errors import UsageError

BERLIN = Calendar("Europe/Berlin")


def local(text: str, zone: str = "Europe/Berlin") -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def utc(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def test_the_day_before_is_cut_at_the_same_wall_clock_time_over_a_change_of_summer_time():
    # 2026-03-29 has 23 hours in Berlin: 11:00 is the tenth hour of the day.
    today = part_of("today", BERLIN, local("2026-03-29T11:00"))
    yesterday = before(today, BERLIN)
    assert iso(yesterday.at) == "2026-03-28T10:00:00Z"
    assert (today.elapsed, yesterday.elapsed) == (10 * HOUR, 11 * HOUR)
    assert today.end - today.start == 23 * HOUR
    monday = before(part_of("today", BERLIN, local("2026-03-30T11:00")), BERLIN)
    assert iso(monday.at) == "2026-03-29T09:00:00Z"


def test_a_wall_clock_time_that_was_skipped_the_day_before_still_has_its_place():
    part = before(part_of("today", BERLIN, local("2026-03-30T02:30")), BERLIN)
    assert part.start < part.at < part.end
    assert iso(part.at) == "2026-03-29T01:30:00Z"


def test_last_month_is_cut_at_the_same_day_and_ends_where_it_is_shorter():
    calendar = Calendar("UTC")
    assert (
        iso(before(part_of("month", calendar, utc("2026-03-18T12:00")), calendar).at)
        == "2026-02-18T12:00:00Z"
    )
    longer = before(part_of("month", calendar, utc("2026-03-31T12:00")), calendar)
    assert longer.at == longer.end - 1 == utc("2026-03-01T00:00") - 1


def test_a_past_month_is_compared_with_the_whole_month_before():
    calendar = Calendar("UTC")
    february = part_of("last_month", calendar, utc("2026-03-05T00:00"))
    january = before(february, calendar)
    assert (february.start, february.at) == (utc("2026-02-01T00:00"), utc("2026-03-01T00:00") - 1)
    assert (january.start, january.at) == (utc("2026-01-01T00:00"), utc("2026-02-01T00:00") - 1)


def test_an_accounting_month_begins_on_the_users_day():
    calendar = Calendar("UTC", month_starts_on=15)
    part = part_of("month", calendar, utc("2026-03-18T06:00"))
    assert (part.start, part.end) == (utc("2026-03-15T00:00"), utc("2026-04-15T00:00"))
    assert before(part, calendar).at == utc("2026-02-18T06:00")
    assert len(days_of(part, calendar)) == 4


def test_the_days_of_a_month_are_local_and_leave_no_gap():
    part = part_of("last_month", BERLIN, local("2026-04-10T00:00"))
    days = days_of(part, BERLIN)
    assert len(days) == 31
    assert [a.end for a in days[:-1]] == [b.start for b in days[1:]]
    lengths = {day.end - day.start for day in days}
    assert lengths == {23 * HOUR, DAY}
    assert (days[0].start, days[-1].end) == (part.start, part.end)
    open_month = days_of(part_of("month", BERLIN, local("2026-04-10T08:00")), BERLIN)
    assert len(open_month) == 10
    assert open_month[-1].at == local("2026-04-10T08:00")


def test_another_period_is_refused_with_the_ones_there_are():
    with pytest.raises(UsageError, match="no such period: 'year'") as error:
        part_of("year", BERLIN, 0)
    assert "last_month" in (error.value.hint or "")


def test_linear_goes_on_as_it_went_so_far():
    part = part_of("month", Calendar("UTC"), utc("2026-03-11T00:00"))
    assert linear(100.0, part) == pytest.approx(310.0)
    assert linear(0.0, part) == 0.0
    assert linear(None, part) is None


def test_a_month_joined_midway_goes_by_the_time_that_is_recorded():
    part = part_of("month", Calendar("UTC"), utc("2026-03-11T00:00"))
    assert linear(100.0, part, utc("2026-03-06T00:00")) == pytest.approx(520.0)
    assert linear(100.0, part, utc("2025-01-01T00:00")) == linear(100.0, part)
    assert linear(100.0, part, utc("2026-03-10T23:00")) is None
    assert used_up(100.0, 200.0, part, utc("2026-03-06T00:00")) == utc("2026-03-16T00:00")
    _, why_not = project(100.0, part, utc("2026-03-10T23:00"))
    assert why_not == "no projection yet: 1 h of the month recorded, 1 d 7 h needed"


def test_a_month_with_a_change_of_summer_time_has_an_hour_less_to_spend_in():
    part = part_of("month", BERLIN, local("2026-03-16T00:00"))
    assert linear(15 * 24.0, part) == pytest.approx(31 * 24.0 - 1)


@pytest.mark.parametrize(
    ("period", "now", "known"),
    [
        ("month", "2026-03-02T06:59:59", False),
        ("month", "2026-03-02T07:00:00", True),
        ("today", "2026-03-18T00:59:59", False),
        ("today", "2026-03-18T01:00:00", True),
        ("month", "2026-03-01T00:00:00", False),
    ],
)
def test_nothing_is_projected_from_the_first_24th_of_a_period(period, now, known):
    part = part_of(period, Calendar("UTC"), utc(now))
    assert (linear(10.0, part) is not None) == known


def test_a_missing_projection_says_why():
    part = part_of("month", Calendar("UTC"), utc("2026-03-01T02:00"))
    assert project(10.0, part) == (None, "no projection yet: 2 h of the month recorded, 1 d 7 h needed")
    assert project(None, part) == (None, "")


def test_a_budget_is_used_up_when_the_present_rate_says_so():
    part = part_of("today", Calendar("UTC"), utc("2026-03-18T12:00"))
    assert used_up(60.0, 100.0, part) == utc("2026-03-18T20:00")
    assert used_up(50.0, 100.0, part) is None, "at this rate it lasts to the last moment"
    assert used_up(100.0, 100.0, part) is None, "spent already"
    assert used_up(0.0, 100.0, part) is None
    assert used_up(None, 100.0, part) is None
    early = part_of("today", Calendar("UTC"), utc("2026-03-18T00:10"))
    assert used_up(90.0, 100.0, early) is None


def test_the_first_moment_of_a_month_is_part_of_it():
    calendar = Calendar("UTC")
    now = utc("2026-03-01T00:00")
    part = part_of("month", calendar, now)
    assert part.start == part.at == now
    assert before(part, calendar).at == utc("2026-02-01T00:00")
    assert len(days_of(part, calendar)) == 1
    later = part_of("month", calendar, now + MINUTE)
    assert later.elapsed == MINUTE
