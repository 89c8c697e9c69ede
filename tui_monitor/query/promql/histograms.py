"""What counters of calls hold at some instants as a vector: numbers, native histograms, classic buckets.

Our buckets are of milliseconds and of schema 6. Those in seconds are the same ones 638 places lower, which
is 0.2 % off the exact division by 1,000, so that a quantile stays within 1 %.
"""

import numpy as np

from tui_monitor.model.histogram import SCALE, ZERO_BUCKET, CounterReset, NativeHistogram
from tui_monitor.query.aggregate import middles
from tui_monitor.query.metrics import Metric
from tui_monitor.query.promql.ast import NAME
from tui_monitor.query.promql.counting import Counters
from tui_monitor.query.promql.derived import Derived, Form, bounds_of
from tui_monitor.query.promql.labels import Labels, labels
from tui_monitor.query.promql.values import Vector, masked

_TO_SECONDS = round(np.log2(1_000) * (1 << SCALE))
_MS = 1_000
"""In a second."""


def difference(
    found: Derived, counters: Counters, low: np.ndarray | None, high: np.ndarray, divisor: float,
    *, gauge: bool,
) -> Vector:  # fmt: skip
    """What was counted between two of the instants each, by their places; from the beginning without `low`.

    All is divided by `divisor`. A cell is there as soon as the metric is known of one call.
    """
    present = counters.known[:, high] > 0
    known, total = (_between(counts, low, high) for counts in (counters.known, counters.total))
    of = [labels({**dict(group), NAME: found.name}) for group in counters.groups]
    sums = total / found.metric.divisor / divisor
    if found.form is Form.BUCKET:
        return _classic(found, counters, low, high, divisor)
    if found.form is Form.NATIVE:
        reset = CounterReset.GAUGE if gauge else CounterReset.UNKNOWN
        natives = _natives(found, counters, low, high, known / divisor, sums, divisor, reset)
        return Vector(of, np.zeros(present.shape), present, masked(natives, present)).pruned()
    values = known / divisor if found.form is Form.COUNT else sums
    return Vector(of, values.astype(np.float64), present).pruned()


def _between(counts: np.ndarray, low: np.ndarray | None, high: np.ndarray) -> np.ndarray:
    return counts[:, high] if low is None else counts[:, high] - counts[:, low]


def _risen(table: np.ndarray, low: np.ndarray | None, high: np.ndarray) -> np.ndarray:
    """Instants × buckets."""
    return table[high] if low is None else table[high] - table[low]


def _natives(
    found: Derived, counters: Counters, low: np.ndarray | None, high: np.ndarray, known: np.ndarray,
    sums: np.ndarray, divisor: float, reset: CounterReset,
) -> np.ndarray:  # fmt: skip
    shift = _TO_SECONDS if found.metric.unit == "s" else 0
    out = np.full(known.shape, None, dtype=object)
    for row in range(len(counters.groups)):
        buckets, table = counters.buckets[row] if counters.buckets else (_NONE, _NONE.reshape(0, 0))
        counts = _risen(table, low, high) / divisor if len(buckets) else np.zeros((len(high), 0))
        zeros = buckets == ZERO_BUCKET
        indexes = buckets - shift
        for column in range(len(high)):
            filled = np.flatnonzero((counts[column] > 0) & ~zeros)
            pairs = zip(indexes[filled].tolist(), counts[column, filled].tolist(), strict=True)
            out[row, column] = NativeHistogram(
                SCALE, float(known[row, column]), float(sums[row, column]),
                zero_count=float(counts[column, zeros].sum()), positive=tuple(pairs), reset=reset,
            )  # fmt: skip
    return out


_NONE = np.zeros(0, dtype=np.int64)


def _classic(
    found: Derived, counters: Counters, low: np.ndarray | None, high: np.ndarray, divisor: float
) -> Vector:
    """Each of our buckets counts as its middle, so a bound is up to 0.55 % off."""
    bounds = bounds_of(found.metric)
    shown = bounds_shown(found.metric, bounds)
    of: list[Labels] = []
    values: list[np.ndarray] = []
    present: list[np.ndarray] = []
    known = _between(counters.known, low, high)
    for row, group in enumerate(counters.groups):
        buckets, table = counters.buckets[row] if counters.buckets else (_NONE, _NONE.reshape(0, 0))
        counts = _risen(table, low, high) if len(buckets) else np.zeros((len(high), 0))
        middle = middles(buckets) / _MS
        columns = [counts[:, middle <= bound].sum(axis=1) for bound in bounds]
        for count, bound in zip([*columns, known[row]], shown, strict=True):
            of.append(labels({**dict(group), NAME: found.name, "le": bound}))
            values.append(count / divisor)
            present.append(counters.known[row, high] > 0)
    if not of:
        return Vector([], np.empty((0, len(high))), np.empty((0, len(high)), dtype=bool))
    return Vector(of, np.array(values), np.array(present)).pruned()


def bounds_shown(metric: Metric, bounds: tuple[float, ...]) -> list[str]:
    """Bounds in s as the buckets of a metric have them in their label, the last without bound."""
    scale = 1 if metric.unit == "s" else _MS
    return [le_text(bound * scale) for bound in (*bounds, np.inf)]


def le_text(bound: float) -> str:
    """A bound as the label has it: `0.5`, `10`, `+Inf`."""
    return "+Inf" if np.isinf(bound) else f"{bound:g}"
