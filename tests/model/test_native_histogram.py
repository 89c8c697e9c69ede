"""Native histograms: what is one, when two are equal, and their bytes."""

import math
import struct
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.native_histograms import histograms
from tui_monitor.model.histogram import CUSTOM, CounterReset, NativeHistogram

SOUND = NativeHistogram(3, 6, 2.5, 0.001, 1, ((-2, 1), (5, 2)), ((0, 2),))
OWN = NativeHistogram(CUSTOM, 3, 9.0, positive=((0, 1), (2, 2)), bounds=(1.0, 2.5))


@given(histograms())
def test_bytes_come_back_as_they_were(histogram: NativeHistogram) -> None:
    histogram.check()
    back = NativeHistogram.from_bytes(histogram.to_bytes())
    assert back == histogram
    assert hash(back) == hash(histogram)
    assert struct.pack("<d", back.sum) == struct.pack("<d", histogram.sum)


@given(histograms(), st.data())
def test_bytes_cut_short_or_gone_on_are_refused(histogram: NativeHistogram, data: st.DataObject) -> None:
    written = histogram.to_bytes()
    end = data.draw(st.integers(0, len(written) - 1))
    for bad in (written[:end], written + b"\0"):
        with pytest.raises(ValueError, match="histogram"):
            NativeHistogram.from_bytes(bad)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_histogram_or_refused(data: bytes) -> None:
    with suppress(ValueError):
        NativeHistogram.from_bytes(data)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"schema": 9}, "schema 9 is neither -4 to 8 nor -53"),
        ({"schema": -5}, "schema -5"),
        ({"bounds": (1.0,)}, "schema 3 has no bounds of its own"),
        ({"count": 7}, "6 observations are in buckets, count says 7"),
        ({"count": 5, "sum": math.nan}, "6 observations are in buckets, count says 5"),
        ({"count": math.nan}, "count nan is no number"),
        ({"zero_count": -1}, "zero_count -1 is no number"),
        ({"zero_threshold": -0.5}, "zero_threshold -0.5 is no width"),
        ({"zero_threshold": math.inf}, "zero_threshold inf"),
        ({"positive": ((5, 2), (-2, 1))}, "positive bucket -2 comes after 5"),
        ({"positive": ((5, 2), (5, 1))}, "positive bucket 5 comes after 5"),
        ({"negative": ((0, 0.0),)}, "negative bucket 0 has 0 observations"),
        ({"negative": ((0, math.nan),)}, "negative bucket 0 has nan"),
        ({"positive": ((9_000, 3),)}, "no number is in positive bucket 9000"),
        ({"positive": tuple((i, 1) for i in range(5_000))}, "5000 positive buckets are more than 4096"),
    ],
)
def test_what_no_sender_could_mean_is_refused(change: dict[str, object], why: str) -> None:
    SOUND.check()
    with pytest.raises(ValueError, match=why):
        replace(SOUND, **change).check()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"zero_count": 1, "count": 4}, "neither a zero bucket"),
        ({"negative": ((0, 1),), "count": 4}, "nor negative ones"),
        ({"positive": ((3, 3),)}, "no number is in positive bucket 3"),
        ({"bounds": (2.5, 1.0)}, "ascending"),
        ({"bounds": (1.0, math.inf)}, "finite"),
    ],
)
def test_bounds_of_its_own(change: dict[str, object], why: str) -> None:
    OWN.check()
    with pytest.raises(ValueError, match=why):
        replace(OWN, **change).check()  # type: ignore[arg-type]


def test_what_has_no_bucket_is_counted_where_the_sum_is_no_number() -> None:
    replace(SOUND, count=8, sum=math.nan).check()
    replace(SOUND, count=5.999999, zero_count=1.000000001).check()


def test_equal_is_equal_in_every_field() -> None:
    assert replace(SOUND) == SOUND
    assert replace(SOUND, sum=math.nan) == replace(SOUND, sum=float("nan"))
    assert replace(SOUND, reset=CounterReset.GAUGE) != SOUND
    assert replace(SOUND, reset=CounterReset.GAUGE).gauge
    assert replace(SOUND, positive=((-2, 1), (5, 3))) != SOUND
    assert SOUND != "SOUND"
