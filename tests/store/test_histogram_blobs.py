"""Histograms of roll-up cells as bytes: adding them is adding their counts, however many there are."""

from collections import Counter
from struct import Struct

from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.store import histogram

_PAIR = Struct("<hi")
counts = st.dictionaries(
    st.integers(-60, 60) | st.integers(-(1 << 15), (1 << 15) - 1),
    st.integers(-3, 3).filter(bool),
    max_size=40,
)


def blob(pairs: dict[int, int]) -> bytes | None:
    return b"".join(_PAIR.pack(bucket, pairs[bucket]) for bucket in sorted(pairs)) or None


@given(counts, counts)
def test_counts_are_added_and_those_that_become_zero_go(old: dict[int, int], more: dict[int, int]) -> None:
    sums = Counter(old)
    sums.update(more)
    assert histogram.add(blob(old), blob(more)) == blob({b: n for b, n in sums.items() if n})
