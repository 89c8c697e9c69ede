"""Log buckets: no quantile is more than 1 % off, however often histograms were merged."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.model.histogram import ZERO_BUCKET, bucket_of, buckets_of, middle, quantile, upper_bound

VALUES = st.lists(st.floats(1e-3, 1e9), min_size=1, max_size=300)


@given(VALUES)
def test_one_value_and_an_array_fall_into_the_same_buckets(values: list[float]) -> None:
    assert buckets_of(np.array(values)).tolist() == [bucket_of(v) for v in values]


@given(st.floats(1e-6, 1e12))
def test_a_bucket_stands_for_its_values_within_one_percent(value: float) -> None:
    assert middle(bucket_of(value)) == pytest.approx(value, rel=0.0056)
    assert value <= upper_bound(bucket_of(value)) * (1 + 1e-9)


@given(VALUES, st.sampled_from([0.0, 0.5, 0.9, 0.95, 0.99, 1.0]), st.integers(1, 5))
def test_quantiles_of_merged_histograms_are_right(values: list[float], q: float, parts: int) -> None:
    merged: Counter[int] = Counter()
    for part in range(parts):
        merged.update(Counter(bucket_of(v) for v in values[part::parts]))
    exact = np.quantile(values, q, method="inverted_cdf")
    assert quantile(q, merged.items()) == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("exponent", range(-10, 40))
def test_a_bound_belongs_to_the_bucket_below(exponent: int) -> None:
    assert bucket_of(2.0**exponent) == exponent * 64


def test_zero_and_nothing() -> None:
    assert bucket_of(0.0) == bucket_of(-1.0) == ZERO_BUCKET
    assert quantile(0.5, [(ZERO_BUCKET, 3)]) == 0.0
    assert quantile(0.5, []) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile(1.5, [(0, 1)])
