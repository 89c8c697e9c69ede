"""Quantiles of many cells at once are those of each cell alone, however the counts are laid out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.model import arrays
from tui_monitor.model.histogram import ZERO_BUCKET, quantile
from tui_monitor.query import aggregate

entries = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([ZERO_BUCKET, -9, 0, 1, 700, 9000]), st.integers(1, 9)),
    max_size=30,
)


@pytest.mark.parametrize("places", [aggregate._DENSE, 0])
@given(entries, st.sampled_from([0.0, 0.3, 0.5, 0.95, 1.0]))
def test_ranks_of_buckets_are_those_of_each_cell(
    places: int, found: list[tuple[int, int, int]], q: float
) -> None:
    cells, buckets, counts = (
        np.array(column, dtype=np.int64) for column in (zip(*found, strict=True) if found else ((), (), ()))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aggregate, "_DENSE", places)
        values = aggregate.rank_of_buckets(q, cells, buckets, counts, 4).tolist()
    for cell, value in enumerate(values):
        alone = [(bucket, n) for at, bucket, n in found if at == cell]
        expected = quantile(q, _merged(alone))
        assert np.isnan(value) if expected is None else value == pytest.approx(expected)


def _merged(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: dict[int, int] = {}
    for bucket, n in pairs:
        merged[bucket] = merged.get(bucket, 0) + n
    return list(merged.items())


@pytest.mark.parametrize("few", [aggregate._FEW_CELLS, 0])
@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([-1.0, 0.0, 2.5, 7.0, 1e18]), st.integers(1, 3))),
    st.booleans(),
    st.sampled_from([0.0, 0.3, 0.5, 0.95, 1.0]),
)
def test_ranks_of_values_are_those_of_each_cell(
    few: int, found: list[tuple[int, float, int]], even: bool, q: float
) -> None:
    cells = np.array([cell for cell, _, _ in found], dtype=np.int64)
    numbers = np.array([value for _, value, _ in found], dtype=np.float64)
    counts = np.array([2 if even else n for _, _, n in found], dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aggregate, "_FEW_CELLS", few)
        ranked = aggregate.rank_of_values(q, cells, numbers, 4, counts).tolist()
    for cell, value in enumerate(ranked):
        alone = sorted(
            v for at, v, n in zip(cells, numbers, counts, strict=True) if at == cell for _ in range(n)
        )
        if alone:
            assert value == alone[max(1, int(np.ceil(q * len(alone) - 1e-9))) - 1]
        else:
            assert np.isnan(value)


@given(entries)
def test_merged_counts_are_the_same_counts(found: list[tuple[int, int, int]]) -> None:
    few = [(cell, bucket % 7 - 3, n) for cell, bucket, n in found] * 10
    for given_ in (found, few):
        columns = (
            np.array(c, dtype=np.int64) for c in (zip(*given_, strict=True) if given_ else ((), (), ()))
        )
        merged = zip(*(column.tolist() for column in arrays.merged(*columns)), strict=True)
        sums: dict[tuple[int, int], int] = {}
        for cell, bucket, n in merged:
            sums[cell, bucket] = sums.get((cell, bucket), 0) + n
        expected: dict[tuple[int, int], int] = {}
        for cell, bucket, n in given_:
            expected[cell, bucket] = expected.get((cell, bucket), 0) + n
        assert sums == expected
