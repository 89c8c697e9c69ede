"""With what spans are compared, over changes of summer time and months of other lengths."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, SECOND, from_datetime
from tui_monitor.model.comparison import AGAINST, comparable, earlier
from tui_monitor.model.timerange import Span, TimeRange
from tui_monitor.model.timewords import read_range

BERLIN = Calendar("Europe/Berlin")


def at(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=BERLIN.tz))


NOW = at("2026-03-29T14:30")
"""A Sunday of 23 hours."""


@pytest.mark.parametrize(
    ("words", "against", "start", "end"),
    [
        ("today", "previous", "2026-03-28T00:00", "2026-03-28T14:30"),
        ("yesterday", "previous", "2026-03-27T00:00", "2026-03-28T00:00"),
        ("this week", "previous", "2026-03-16T00:00", "2026-03-22T14:30"),
        ("march", "previous", "2026-02-01T00:00", "2026-03-01T00:00"),
        ("last month", "previous", "2026-01-01T00:00", "2026-02-01T00:00"),
        ("last month", "week", "2026-01-25T00:00", "2026-02-22T00:00"),
        ("today", "week", "2026-03-22T00:00", "2026-03-22T14:30"),
        ("13:00 to 14:00", "day", "2026-03-28T13:00", "2026-03-28T14:00"),
        ("13:00 to 14:00", "previous", "2026-03-29T12:00", "2026-03-29T13:00"),
    ],
)
def test_like_is_compared_with_like(words: str, against, start: str, end: str) -> None:
    span = read_range(words, TimeRange(), NOW, BERLIN).span(NOW)
    found = earlier(span, against, BERLIN)
    # To the millisecond: the length of a query is not told finer.
    assert abs(found.start - at(start)) < SECOND // 1000
    assert abs(found.end - at(end)) < SECOND // 1000


def test_a_range_that_moves_is_compared_with_one_of_its_length() -> None:
    span = TimeRange(DAY).span(NOW)
    assert earlier(span, "previous", BERLIN) == Span(NOW - 2 * DAY, NOW - DAY)
    assert earlier(span, "day", BERLIN).end == at("2026-03-28T14:30") == NOW - 23 * HOUR


def test_an_hour_that_there_is_twice_is_compared_with_one_of_its_length() -> None:
    first = at("2026-10-25T02:20")
    for length in (HOUR // 2, HOUR):
        found = earlier(Span(first, first + length), "day", BERLIN)
        assert found.length == length
        assert found.end <= first


def test_what_was_not_recorded_whole_is_not_compared_with() -> None:
    span = Span(NOW - HOUR, NOW)
    assert comparable(NOW - HOUR, span)
    assert not comparable(NOW - HOUR + 1, span)
    assert not comparable(None, span)


@given(
    st.sampled_from(AGAINST), st.integers(at("2025-01-01"), at("2027-12-31")), st.integers(1, 40 * DAY),
    st.sampled_from(("today", "this week", "this month", "yesterday", "last month", "")),
)  # fmt: skip
@settings(max_examples=examples(120))
def test_it_lies_before_and_is_about_as_long(against, now: int, length: int, words: str) -> None:
    calendar = Calendar("Europe/Berlin", month_starts_on=15)
    shown = read_range(words, TimeRange(), now, calendar) if words else TimeRange(length)
    span = shown.span(now)
    found = earlier(span, against, calendar)
    assert found.start < found.end
    assert found.start < span.start
    assert found.end < span.end
    assert abs(found.length - span.length) <= 3 * DAY + HOUR
    if against == "previous":
        assert found.end <= span.start
