"""Times and ranges in words: what they mean on a calendar with summer time, and what they refuse."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, MS, SECOND, from_datetime
from tui_monitor.model.timepoints import UNITS
from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.timewords import NotATime, following, last_word, read_instant, read_range

BERLIN = Calendar("Europe/Berlin")
SUNDAY = from_datetime(datetime(2026, 3, 29, 14, 30, tzinfo=BERLIN.tz))
"""On that day Berlin goes from 02:00 to 03:00."""


def at(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=BERLIN.tz))


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("yesterday 14:00 to 15:30", "2026-03-28T14:00", "2026-03-28T15:30"),
        ("13:00-14:00", "2026-03-29T13:00", "2026-03-29T14:00"),
        ("15:00 to 16:00", "2026-03-28T15:00", "2026-03-28T16:00"),
        ("22:00 to 1:00", "2026-03-28T22:00", "2026-03-29T01:00"),
        ("11:00 to 10:00", "2026-03-28T11:00", "2026-03-29T10:00"),
        ("2 pm on friday to 14:30 yesterday", "2026-03-27T14:00", "2026-03-28T14:30"),
        ("friday 9am to noon", "2026-03-27T09:00", "2026-03-27T12:00"),
        ("2 h before 14:00", "2026-03-29T12:00", "2026-03-29T14:00"),
        ("1 h 30 m before noon", "2026-03-29T10:30", "2026-03-29T12:00"),
        ("1h around yesterday 14:00", "2026-03-28T13:30", "2026-03-28T14:30"),
        ("30m after yesterday 14:00", "2026-03-28T14:00", "2026-03-28T14:30"),
        ("now-6h to now-2h", "2026-03-29T08:30", "2026-03-29T12:30"),
        ("6h to 2026-03-28 10:00", "2026-03-28T04:00", "2026-03-28T10:00"),
        ("March 18 2025 10:00 until 11:00", "2025-03-18T10:00", "2025-03-18T11:00"),
        ("10:00 to 11:00 yesterday", "2026-03-28T10:00", "2026-03-28T11:00"),
        ("22:00 to 2:00 yesterday", "2026-03-27T22:00", "2026-03-28T02:00"),
        ("12:00 to 2h ago", "2026-03-29T12:00", "2026-03-29T12:30"),
        ("16:00 to 2h ago", "2026-03-28T16:00", "2026-03-29T12:30"),
        ("yesterday 0:00 to 24:00", "2026-03-28T00:00", "2026-03-29T00:00"),
        ("22:00 to 24:00", "2026-03-28T22:00", "2026-03-29T00:00"),
        ("20:00 to 24:00 yesterday", "2026-03-28T20:00", "2026-03-29T00:00"),
        ("24:00 to 2:00 yesterday", "2026-03-28T00:00", "2026-03-28T02:00"),
    ],
)
def test_ranges_between_two_moments(text: str, start: str, end: str) -> None:
    found = read_range(text, TimeRange(), SUNDAY, BERLIN)
    assert (found.span(SUNDAY).start, found.end) == (at(start), at(end))


@pytest.mark.parametrize(
    ("text", "first", "behind"),
    [
        ("yesterday", "2026-03-28", "2026-03-29"),
        ("last monday", "2026-03-23", "2026-03-24"),
        ("last sunday", "2026-03-22", "2026-03-23"),
        ("monday to wednesday", "2026-03-23", "2026-03-26"),
        ("last week", "2026-03-16", "2026-03-23"),
        ("2 weeks ago", "2026-03-09", "2026-03-16"),
        ("last month", "2026-02-01", "2026-03-01"),
        ("last march", "2025-03-01", "2025-04-01"),
        ("february", "2026-02-01", "2026-03-01"),
        ("december 2024", "2024-12-01", "2025-01-01"),
        ("2 months ago", "2026-01-01", "2026-02-01"),
        ("3 days ago", "2026-03-26", "2026-03-27"),
        ("29 feb", "2024-02-29", "2024-03-01"),
        ("2026-03-18", "2026-03-18", "2026-03-19"),
        ("from 3 march to 5th march", "2026-03-03", "2026-03-06"),
        ("2025", "2025-01-01", "2026-01-01"),
        ("3 hours ago", "2026-03-29T11:00", "2026-03-29T12:00"),
    ],
)
def test_days_and_periods_are_whole(text: str, first: str, behind: str) -> None:
    """A span is left-open: it begins and ends with the last instant before the calendar's."""
    found = read_range(text, TimeRange(), SUNDAY, BERLIN)
    assert (found.span(SUNDAY).start, found.end) == (at(first) - 1, at(behind) - 1)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("today", "2026-03-29"), ("this week", "2026-03-23"), ("march", "2026-03-01"),
        ("since monday", "2026-03-23"), ("sunday", "2026-03-29"), ("2026-03-28 to 2026-03-29", "2026-03-28"),
    ],
)  # fmt: skip
def test_what_is_not_over_grows(text: str, start: str) -> None:
    found = read_range(text, TimeRange(), SUNDAY, BERLIN)
    assert found.live
    assert found.span(SUNDAY).start == at(start) - 1
    assert found.span(SUNDAY + 5 * HOUR).start == at(start) - 1
    assert found.grown(SUNDAY + HOUR).length - found.grown(SUNDAY).length == HOUR
    assert found.until(SUNDAY).span(0) == found.span(SUNDAY)


def test_the_hours_of_today_up_to_its_end_grow() -> None:
    found = read_range("0:00 to 24:00", TimeRange(), SUNDAY, BERLIN)
    assert (found.live, found.since) == (True, at("2026-03-29"))
    assert read_instant("yesterday 24:00", SUNDAY, BERLIN) == at("2026-03-29")


def test_since_a_clock_that_is_yet_to_come_is_since_yesterday() -> None:
    found = read_range("since 20:00", TimeRange(), SUNDAY, BERLIN)
    assert (found.live, found.since) == (True, at("2026-03-28") + 20 * HOUR)
    today = read_range("since 9:00", TimeRange(), SUNDAY, BERLIN)
    assert today.since == at("2026-03-29") + 8 * HOUR, "an hour was left out"


def test_a_day_of_a_change_of_summer_time_is_as_long_as_it_is() -> None:
    monday = SUNDAY + DAY
    assert read_range("yesterday", TimeRange(), monday, BERLIN).length == 23 * HOUR
    assert read_range("24h", TimeRange(), monday, BERLIN).length == DAY
    assert (
        read_range("since 0:00", TimeRange(), SUNDAY, BERLIN).span(SUNDAY).length == 13 * HOUR + 30 * MINUTE
    )


def test_an_hour_that_the_clock_jumps_over_is_no_day() -> None:
    """From 02:00 to 03:00 is nothing on that day: neither the 24 hours before nor those behind."""
    with pytest.raises(NotATime, match="ends before it begins"):
        read_range("02:00 to 03:00", TimeRange(), SUNDAY, BERLIN)
    assert read_range("01:30 to 03:30", TimeRange(), SUNDAY, BERLIN).length == HOUR


def test_lengths_move_along_and_keep_the_end_that_is_shown() -> None:
    fixed = TimeRange(HOUR, SUNDAY - DAY)
    assert read_range("90m", fixed, SUNDAY, BERLIN) == TimeRange(90 * MINUTE, SUNDAY - DAY)
    assert read_range("last 90 minutes", fixed, SUNDAY, BERLIN) == TimeRange(90 * MINUTE)
    assert read_range("last hour", fixed, SUNDAY, BERLIN) == TimeRange(HOUR)
    assert read_range("past week", fixed, SUNDAY, BERLIN) == TimeRange(7 * DAY)


def test_months_are_the_users() -> None:
    calendar = Calendar("Europe/Berlin", month_starts_on=15)
    found = read_range("march", TimeRange(), SUNDAY, calendar)
    assert found.since == at("2026-03-15") - 1
    assert read_range("last month", TimeRange(), SUNDAY, calendar).end == at("2026-03-15") - 1


@pytest.mark.parametrize(
    ("text", "position", "length", "unfinished"),
    [
        ("yesterday 14:00 to", 18, 1, True), ("", 0, 1, True), ("14:00", 0, 5, True), ("yest", 0, 4, True),
        ("3", 0, 1, True), ("yesterday frob", 10, 4, False), ("tomorrow", 0, 8, False),
        ("feb 30", 0, 6, False), ("since 25:00", 6, 5, False), ("2026-13-01", 0, 10, False),
        ("0:00 to 24:01", 8, 5, False),
        ("50y", 0, 3, False), ("2027-01-01", 0, 10, False), ("[/]", 0, 3, False), ("\x1b[2J", 0, 4, False),
        ("9" * 50, 0, 50, True), ("today " * 60, 0, 360, False),
        ("15:00 3", 6, 1, True), ("15:00 18 march to 14:00 18 march", 0, 32, False),
    ],
)  # fmt: skip
def test_what_is_no_range_says_where(text: str, position: int, length: int, unfinished: bool) -> None:
    with pytest.raises(NotATime) as refused:
        read_range(text, TimeRange(), SUNDAY, BERLIN)
    error = refused.value
    assert (error.position, error.length, error.unfinished) == (position, length, unfinished)


def test_instants_are_the_first_of_a_day() -> None:
    assert read_instant("monday", SUNDAY, BERLIN) == at("2026-03-23")
    assert read_instant("yesterday at 9am", SUNDAY, BERLIN) == at("2026-03-28T09:00")
    assert read_instant("2h ago", SUNDAY, BERLIN) == SUNDAY - 2 * HOUR
    assert read_instant("2026-03-18T10:00-02:00", SUNDAY, BERLIN) == at("2026-03-18T13:00")


def test_ways_to_go_on() -> None:
    assert "to" in following("yesterday 14:00 ", SUNDAY, BERLIN)
    assert "days" in following("3 da", SUNDAY, BERLIN)
    assert {"month", "monday", "march"} <= set(following("last m", SUNDAY, BERLIN))
    assert {"ago", "before", "around"} <= set(following("2h ", SUNDAY, BERLIN))
    assert following("frob ", SUNDAY, BERLIN) == following("\x1b", SUNDAY, BERLIN) == ()
    assert last_word("yesterday 14:00 unt") == "unt"


_SAID = """
today yesterday last this past since from to around before after ago monday sun march feb week month hour
days 3 18 29 2025 2026-03-29 02:30 14:00 24:00 9am noon 2h 1h30m - now 2026-03-29T02:30 and on at
"""
WORDS = st.sampled_from(_SAID.split())
MOMENTS = st.integers(at("2024-01-01"), at("2028-12-31"))
ZONES = st.sampled_from(("Europe/Berlin", "UTC", "Asia/Kolkata", "America/Sao_Paulo", "Australia/Lord_Howe"))


def refusal(text: str, now: int, calendar: Calendar = BERLIN) -> NotATime | None:
    try:
        found = read_range(text, TimeRange(), now, calendar)
    except NotATime as error:
        return error
    span = found.span(now)
    assert span.start < span.end < now + MS
    assert found.live == (span.end >= now)
    return None


@given(st.lists(WORDS, min_size=1, max_size=7), MOMENTS, ZONES)
@settings(max_examples=examples(150))
def test_any_words_are_a_range_of_the_past_or_refused(words: list[str], now: int, zone: str) -> None:
    text = " ".join(words)
    error = refusal(text, now, Calendar(zone))
    assert error is None or (0 <= error.position <= len(text) and error.message)


@given(st.text(max_size=30), MOMENTS)
@settings(max_examples=examples(80))
def test_any_text_is_read_or_refused(text: str, now: int) -> None:
    following(text, now, BERLIN)
    error = refusal(text, now)
    assert error is None or 0 <= error.position <= len(text)


@given(st.lists(WORDS, max_size=4), MOMENTS)
@settings(max_examples=examples(40))
def test_what_is_offered_is_understood(words: list[str], now: int) -> None:
    text = " ".join((*words, ""))
    for word in following(text, now, BERLIN):
        error = refusal(text + word, now)
        whole = error is not None and (error.unfinished or error.position == 0)
        assert error is None or whole or word.rstrip("s") in UNITS, f"{text}{word}: {error.message}"


@given(MOMENTS, st.sampled_from(("yesterday", "last week", "last month")), ZONES)
@settings(max_examples=examples(50))
def test_the_last_period_ends_where_this_one_begins(now: int, words: str, zone: str) -> None:
    calendar = Calendar(zone)
    this = {"yesterday": "today", "last week": "this week", "last month": "this month"}[words]
    begins = read_range(this, TimeRange(), now + SECOND, calendar).since
    assert read_range(words, TimeRange(), now + SECOND, calendar).end == begins


def test_a_range_that_grows_begins_at_its_first_instant_and_is_as_long_as_a_query_can_say():
    shown = read_range("today", TimeRange(), SUNDAY + 1_234_567, BERLIN)
    assert shown.since is not None
    for instant in (SUNDAY + 1_234_567, SUNDAY + 9_000_001):
        span = shown.span(instant)
        assert (span.start, span.length % 1_000) == (at("2026-03-29T00:00") - 1, 0)
        assert 0 <= span.end - instant < 1_000
        assert shown.until(instant).span(SUNDAY) == span
