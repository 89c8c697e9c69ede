"""Numbers as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.model import units
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND
from tui_monitor.model.errors import UsageError
from tui_monitor.model.timerange import PRESETS, format_duration, parse_duration, step_for


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("", 0, "0"), ("", 999, "999"), ("", 999.6, "1.00 k"), ("", 1_234_567, "1.23 M"),
        ("", 0.123, "0.123"),
        ("ms", 850, "850 ms"), ("ms", 999.6, "1.00 s"), ("ms", 2_140, "2.14 s"), ("ms", 95_000, "1 m 35 s"),
        ("s", 2.14, "2.14 s"), ("usd", 45.23, "$45.23"), ("usd", 0.0996, "$0.10"),
        ("usd", 0.0149, "$0.015"), ("usd", 0.000123, "$0.00012"), ("usd", 0, "$0.00"),
        ("usd", -3, "-$3.00"), ("usd", 123_456, "$123 k"),
        ("bytes", 1_536, "1.50 KiB"), ("bytes", 12, "12 B"),
        ("ratio", 0.992, "99.2 %"), ("ratio", 1, "100 %"), ("ratio", 0, "0 %"), ("ratio", 0.99999, ">99.9 %"),
        ("ratio", 0.00001, "<0.1 %"), ("requests/s", 0.5, "0.500/s"), ("widgets", 3, "3 widgets"),
    ],
)  # fmt: skip
def test_examples(unit: str, value: float, text: str) -> None:
    assert units.show(value, unit) == text


@pytest.mark.parametrize("unit", ["", "ms", "s", "usd", "bytes", "bytes/s", "ratio", "tokens", "widgets"])
def test_unknown_is_a_dash_and_never_zero(unit: str) -> None:
    assert units.show(None, unit) == units.UNKNOWN
    assert units.show(math.nan, unit) == units.UNKNOWN


@given(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(["", "ms", "s", "usd", "bytes", "bytes/s", "ratio", "tokens", "requests/s", "widgets"]),
)
def test_any_float_has_a_short_text(value: float, unit: str) -> None:
    assert 1 <= len(units.show(value, unit)) <= 24


@given(st.floats(1, 1e14))
def test_counts_keep_three_digits(value: float) -> None:
    text = units.count(value)
    number, _, prefix = text.partition(" ")
    back = float(number) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[prefix]
    assert back == pytest.approx(value, rel=0.006)
    assert len(number.replace(".", "")) <= 4


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "0 s"),
        (41 * SECOND, "41 s"),
        (11 * MINUTE, "11 m"),
        (80 * MINUTE, "1 h 20 m"),
        (76 * HOUR, "3 d 4 h"),
    ],
)
def test_ages_have_two_units(length: int, text: str) -> None:
    assert units.age(length) == text


@given(st.integers(1, 10**9))
def test_lengths_of_time_are_read_as_they_are_written(milliseconds: int) -> None:
    length = milliseconds * 1_000
    assert parse_duration(format_duration(length)) == length


@pytest.mark.parametrize("text", ["", "5", "5 m", "m", "-5m", "1h-2m", "0s", "200y", "1e3s"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_duration(text)


@given(st.integers(SECOND, 400 * DAY), st.integers(2, 400))
def test_steps_never_draw_more_points_than_there_is_room_for(length: int, points: int) -> None:
    step = step_for(length, points)
    assert length / step <= points or step == 28 * DAY


def test_presets_say_what_they_are() -> None:
    assert all(parse_duration(name) == length for name, length in PRESETS)
