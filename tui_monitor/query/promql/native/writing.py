"""Native histograms as texts, and as the HTTP API gives them."""

import math
from collections.abc import Iterator

from tui_monitor.model.histogram import CUSTOM, NativeHistogram
from tui_monitor.query.promql.native.arithmetic import upper


def buckets(histogram: NativeHistogram) -> Iterator[tuple[float, float, float]]:
    """Lower and upper bound and count of every bucket with something in it, ascending."""
    for index, count in reversed(histogram.negative):
        yield -upper(histogram, index), -upper(histogram, index - 1), count
    if histogram.zero_count:
        yield -histogram.zero_threshold, histogram.zero_threshold, histogram.zero_count
    for index, count in histogram.positive:
        yield lower(histogram, index), upper(histogram, index), count


def lower(histogram: NativeHistogram, index: int) -> float:
    """The exclusive lower bound of a positive bucket."""
    return -math.inf if histogram.schema == CUSTOM and index == 0 else upper(histogram, index - 1)


def boundaries(histogram: NativeHistogram, low: float, high: float) -> int:
    """Which bounds belong to a bucket: 0 the upper, 1 the lower, 2 neither, 3 both."""
    if histogram.schema == CUSTOM:
        return 3 if low == -math.inf else 0
    return 3 if low < 0 < high else 1 if high <= 0 else 0


def shown(histogram: NativeHistogram) -> str:
    """The histogram as one text, by Prometheus's way of writing it."""
    parts = [f"count:{_number(histogram.count)}", f"sum:{_number(histogram.sum)}"]
    for low, high, count in buckets(histogram):
        kind = boundaries(histogram, low, high)
        opening, closing = "[" if kind in (1, 3) else "(", "]" if kind in (0, 3) else ")"
        parts.append(f"{opening}{_number(low)},{_number(high)}{closing}:{_number(count)}")
    return "{" + ", ".join(parts) + "}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e21 else repr(value)
