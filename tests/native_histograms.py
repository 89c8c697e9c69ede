"""Native histograms to store: any that a sender could mean, for property tests."""

import math
from itertools import accumulate

from hypothesis import strategies as st

from tui_monitor.model.histogram import CUSTOM, CounterReset, NativeHistogram

whole = st.integers(1, 50) | st.integers(1, 1 << 45)
parts = st.floats(1e-6, 1e12)
sums = st.floats(allow_nan=False) | st.sampled_from([math.nan, math.inf, -0.0])


@st.composite
def histograms(draw: st.DrawFn) -> NativeHistogram:
    """One native histogram that passes its own check."""
    number = draw(st.sampled_from([whole, whole, parts])).map(float)
    schema = draw(st.sampled_from([CUSTOM, -4, 0, 3, 8]))
    bounds: tuple[float, ...] = ()
    if schema == CUSTOM:
        bounds = tuple(sorted(draw(st.sets(st.floats(-1e6, 1e6), max_size=5))))
        positive, negative = draw(buckets(number, 0, len(bounds))), ()
        threshold = zeros = 0.0
    else:
        positive, negative = draw(buckets(number, -60, 60)), draw(buckets(number, -2, 9))
        threshold, zeros = draw(st.sampled_from([0.0, 1e-128, 0.5])), draw(number | st.just(0.0))
    inside = [zeros, *(n for _, n in (*positive, *negative))]
    total = draw(sums)
    unseen = float(draw(st.integers(0, 3))) if math.isnan(total) else 0.0
    return NativeHistogram(
        schema, sum(inside) + unseen, total, threshold, zeros, positive, negative, bounds,
        draw(st.sampled_from(CounterReset)),
    )  # fmt: skip


@st.composite
def buckets(
    draw: st.DrawFn, number: st.SearchStrategy[float], least: int, most: int
) -> tuple[tuple[int, float], ...]:
    """Some buckets with indexes in a range, by index."""
    indexes = sorted(draw(st.sets(st.integers(least, most), max_size=6)))
    return tuple((index, draw(number)) for index in indexes)


def growing(counts: list[list[int]], schema: int = 3, first: int = -10) -> list[NativeHistogram]:
    """What a counter histogram says after each of these additions to its buckets."""
    totals = list(accumulate(counts, lambda a, b: [x + y for x, y in zip(a, b, strict=True)]))
    return [
        NativeHistogram(
            schema,
            float(sum(total)),
            float(sum(total)) / 8,
            positive=tuple((first + i, float(n)) for i, n in enumerate(total) if n),
        )
        for total in totals
    ]
