"""The interval of a projection: its formula, its bounds, and how many real months it holds."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.costs.interval import LEAST_DAYS, spread
from tui_monitor.costs.periods import days_of, part_of
from tui_monitor.costs.projection import bounded
from tui_monitor.costs.views import Projection
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import from_datetime

SERIES = Path(__file__).parents[2].parent / "shared" / "data" / "m4"
NOON = from_datetime(datetime(2026, 3, 11, 12, tzinfo=UTC))
MARCH = part_of("month", Calendar(), NOON)
DAYS = [(day.start, 10.0 + n % 3) for n, day in enumerate(days_of(MARCH, Calendar()))]


def test_the_formula() -> None:
    # Alternating days are not alike: f = 1, s = √(4 ÷ 3), Student's 0.9 quantile of 5 degrees is 1.476.
    assert spread([9.0, 11.0] * 3, 12.0) == pytest.approx(1.476 * (6 / 5) ** 0.5 * (12 * 3) ** 0.5, rel=0.01)
    assert spread([5.0] * 6, 20.0) == 0.0
    assert spread([1.0, 2.0, 3.0, 4.0], 20.0) is None
    independent, together = [1.0, 9.0] * 5, [1.0] * 5 + [9.0] * 5
    assert spread(together, 10.0) > 2 * spread(independent, 10.0)


def test_only_whole_days_since_recording_began_count() -> None:
    spent = sum(cost for _, cost in DAYS)
    told = bounded(Projection(330.0), spent, MARCH, DAYS, Calendar())
    assert told.low < 330.0 < told.high
    assert told.high - 330.0 == pytest.approx(spread([cost for _, cost in DAYS[:10]], 20.5))
    late = bounded(Projection(330.0), spent, MARCH, DAYS, Calendar(), first=DAYS[5][0] + 1)
    assert (late.low, late.high) == (None, None), "four whole days"


def test_what_is_spent_is_spent() -> None:
    wild = [(start, 1000.0 * (n == 0)) for n, (start, _) in enumerate(DAYS)]
    assert bounded(Projection(1100.0), 1000.0, MARCH, wild, Calendar()).low == 1000.0


@given(st.lists(st.floats(0, 1e9), max_size=31), st.floats(0, 31))
@settings(max_examples=examples(60))
def test_it_is_never_negative_and_grows_with_the_rest(days: list[float], rest: float) -> None:
    half = spread(days, rest)
    assert (half is None) == (len(days) < LEAST_DAYS)
    assert half is None or 0 <= half <= spread(days, rest + 1)


@pytest.mark.skipif(not SERIES.is_dir(), reason="the series are not at hand: ../shared/data/m4")
@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("nn5_daily", 0.85, 0.95), ("wiki_daily", 0.65, 0.85), ("gefcom_daily", 0.5, 0.7)],
)
def test_months_that_really_were(name: str, least: float, most: float) -> None:
    held = tried = 0
    with gzip.open(SERIES / f"{name}.jsonl.gz", "rt") as lines:
        for line in lines:
            told = json.loads(line)
            days = [*told["train"], *told["test"]]
            for begin in range(0, len(days) - 29, 60):
                month = days[begin : begin + 30]
                for over in range(5, 28, 4):
                    projected = sum(month[:over]) / over * 30
                    half = spread(month[:over], 30 - over)
                    low = max(sum(month[:over]), projected - half)
                    held += low <= sum(month) <= projected + half
                    tried += 1
    print(f"{name}: {held / tried:.3f} of {tried}")
    assert least <= held / tried <= most
