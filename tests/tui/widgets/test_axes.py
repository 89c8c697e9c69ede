"""Ticks are round, in the unit and on the clock of the person who reads them."""

import math
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, from_datetime
from tui_monitor.tui.widgets.axes import label, moment, scale, time_ticks

BERLIN = Calendar("Europe/Berlin")


def at(text: str, zone: str = "Europe/Berlin") -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


@pytest.mark.parametrize(
    ("high", "unit", "wanted", "labels"),
    [
        (9.3, "usd", 3, ["0", "$5", "$10"]),
        (9800, "ms", 3, ["0", "5 s", "10 s"]),
        (420, "ms", 4, ["0", "200 ms", "400 ms", "600 ms"]),
        (95_000, "ms", 3, ["0", "1 m", "2 m"]),
        (2.2, "s", 3, ["0", "1 s", "2 s", "3 s"]),
        (0.993, "ratio", 2, ["0", "50 %", "100 %"]),
        (0.034, "ratio", 4, ["0", "1 %", "2 %", "3 %", "4 %"]),
        (3_000_000, "bytes", 3, ["0", "1 MiB", "2 MiB", "3 MiB"]),
        (41_000, "tokens", 3, ["0", "20 k", "40 k", "60 k"]),
        (0.0042, "usd", 2, ["0", "$0.005"]),
        (1_450, "usd", 3, ["0", "$500", "$1,000", "$1,500"]),
        (7, "requests/s", 2, ["0", "5/s", "10/s"]),
    ],
)
def test_value_ticks(high, unit, wanted, labels):
    assert [text for _, text in scale(0, high, unit, wanted).ticks] == labels


def test_scale_holds_negative_values_and_can_leave_zero_out():
    below = scale(-3, 7, "", 3)
    assert below.low <= -3
    assert below.high >= 7
    assert 0 in [tick for tick, _ in below.ticks]
    close = scale(1000.2, 1000.9, "", 3, zero=False)
    assert close.low > 900
    assert len({text for _, text in close.ticks}) == len(close.ticks), "labels tell ticks apart"
    assert scale(0, 0, "ms", 3).high == 1.0
    states = scale(0, 1, "state", 1).ticks
    assert [text for _, text in states] == ["healthy", "degraded", "unavailable"], "states have names"
    assert scale(-1, 4, "state", 3).high >= 4, "a status page has more states than these"
    assert scale(5, 5, "", 2, zero=False).share(5) == 0.5


finite = st.floats(-1e300, 1e300)


@given(
    finite,
    finite,
    st.sampled_from(["", "ms", "s", "usd", "bytes", "ratio", "tokens"]),
    st.integers(1, 6),
    st.booleans(),
)
def test_any_scale_holds_its_values(a, b, unit, wanted, zero):
    low, high = sorted((a, b))
    found = scale(low, high, unit, wanted, zero=zero)
    slack = (high - low) / 1e6 + max(abs(low), abs(high)) / 1e9
    assert found.low <= low + slack
    assert found.high >= high - slack
    assert 2 <= len(found.ticks) <= 2 * wanted + 4
    assert all(len(text) <= 20 for _, text in found.ticks)
    assert 0.0 <= found.share(low) <= found.share(high) <= 1.0
    assert not math.isnan(found.share(low))


def test_label_of_zero_says_no_unit():
    assert label(0, "ms") == "0"
    assert label(2500, "ms") == "2.5 s"
    assert [text for _, text in scale(0, 85, "s", 3).ticks] == ["0", "30 s", "1 m", "1 m 30 s"]
    assert (label(0.5, "usd"), label(1.5, "usd"), label(2.0, "usd")) == ("$0.50", "$1.50", "$2")


@pytest.mark.parametrize(
    ("start", "length", "width", "labels"),
    [
        ("2026-03-18T13:00:00", HOUR, 60, ["13:00", "13:10", "13:20", "13:30", "13:40", "13:50", "14:00"]),
        ("2026-03-18T13:00:20", MINUTE, 40, ["13:00:30", "13:00:45", "13:01:00", "13:01:15"]),
        (
            "2026-03-17T14:00:00",
            DAY,
            60,
            ["15:00", "18:00", "21:00", "Wed 18", "03:00", "06:00", "09:00", "12:00"],
        ),
        (
            "2026-03-11T14:00:00",
            7 * DAY,
            80,
            ["Mar 12", "Mar 13", "Mar 14", "Mar 15", "Mar 16", "Mar 17", "Mar 18"],
        ),
        ("2026-03-15T14:00:00", 3 * DAY, 80, ["Mon 16", "Mon 12h", "Tue 17", "Tue 12h", "Wed 18", "Wed 12h"]),
        ("2026-02-16T14:00:00", 30 * DAY, 50, ["Feb 22", "Mar 1", "Mar 8", "Mar 15"]),
        ("2025-06-01T00:00:00", 280 * DAY, 50, ["Jul 2025", "Oct 2025", "Jan 2026"]),
    ],
)
def test_time_ticks_suit_the_span(start, length, width, labels):
    found = time_ticks(at(start), at(start) + length, width, BERLIN)
    assert [text for _, text in found] == labels


def test_ticks_stay_on_the_wall_clock_when_summer_time_begins():
    found = time_ticks(at("2026-03-28T20:00:00"), at("2026-03-29T14:00:00"), 45, BERLIN)
    assert [text for _, text in found] == ["21:00", "Sun 29", "03:00", "06:00", "09:00", "12:00"]
    assert [BERLIN.local(t).hour for t, _ in found] == [21, 0, 3, 6, 9, 12]


@given(
    st.integers(0, 4_000_000_000 * SECOND),
    st.integers(1, 4000 * DAY),
    st.integers(0, 300),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Havana"]),
)
def test_any_span_has_rising_ticks_inside_it_with_room_for_their_labels(start, length, width, zone):
    found = time_ticks(start, start + length, width, Calendar(zone))
    times = [t for t, _ in found]
    assert times == sorted(set(times))
    assert all(start <= t <= start + length for t in times)
    assert len(found) * 6 <= width + 12


def test_moment_names_the_day_where_the_clock_is_not_enough():
    t = at("2026-03-18T14:07:05")
    assert moment(t, HOUR, BERLIN) == "14:07:05"
    assert moment(t, 10 * HOUR, BERLIN) == "14:07"
    assert moment(t, 7 * DAY, BERLIN) == "Wed Mar 18 14:07"


def test_a_unit_without_room_is_left_out_of_the_axis() -> None:
    assert [text for _, text in scale(0, 270, "tokens/s", 3).ticks] == ["0", "100", "200", "300"]
