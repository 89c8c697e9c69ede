"""What counters of calls hold at some instants as a vector: numbers, native histograms, classic buckets.

Our buckets are of milliseconds and of schema 6. Those in seconds are the same ones 638 places lower, which
is 0.2 % off the exact division by 1,000, so that a quantile stays within 1 %.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from tui_monitor.model.histogram import SCALE, ZERO_BUCKET, CounterReset
from tui_monitor.query.aggregate import middles
from tui_monitor.query.metrics import Metric
from tui_monitor.query.promql.ast import NAME
from tui_monitor.query.promql.counting import Counters, stretches
from tui_monitor.query.promql.derived import Derived, Form, bounds_of
from tui_monitor.query.promql.labels import Labels, labels
from tui_monitor.query.promql.native.matrix import Table
from tui_monitor.query.promql.values import Vector

_TO_SECONDS = round(np.log2(1_000) * (1 << SCALE))
_MS = 1_000
"""In a second."""
_LE = "le"


def difference(
    found: Derived, counters: Counters, low: np.ndarray | None, high: np.ndarray, divisor: float,
    check: Callable[[], None], *, gauge: bool,
) -> Vector:  # fmt: skip
    """What was counted between two of the instants each, by their places; from the beginning without `low`.

    All is divided by `divisor`. A cell is there as soon as the metric is known of one call. `check` is called
    between pieces of work and may raise.
    """
    present = counters.known[:, high] > 0
    known, total = (_between(counts, low, high) for counts in (counters.known, counters.total))
    of = [labels({**dict(group), NAME: found.name}) for group in counters.groups]
    sums = total / found.metric.divisor / divisor
    if found.form is Form.BUCKET:
        return _classic(found, counters, low, high, divisor, check)
    if found.form is Form.NATIVE:
        reset = CounterReset.GAUGE if gauge else CounterReset.UNKNOWN
        shift = _TO_SECONDS if found.metric.unit == "s" else 0
        buckets = counters.buckets
        index = np.where(buckets.index == ZERO_BUCKET, ZERO_BUCKET, buckets.index - shift)
        counts = buckets.risen(low, high, check) / divisor
        table = Table(SCALE, reset, index, buckets.offsets, counts, known / divisor, sums)
        return Vector(of, np.zeros(present.shape), present, table).pruned()
    values = known / divisor if found.form is Form.COUNT else sums
    return Vector(of, values.astype(np.float64), present).pruned()


def _between(counts: np.ndarray, low: np.ndarray | None, high: np.ndarray) -> np.ndarray:
    return counts[:, high] if low is None else counts[:, high] - counts[:, low]


def _classic(
    found: Derived, counters: Counters, low: np.ndarray | None, high: np.ndarray, divisor: float,
    check: Callable[[], None],
) -> Vector:  # fmt: skip
    """Each of our buckets counts as its middle, so a bound is up to 0.55 % off."""
    bounds = bounds_of(found.metric)
    shown = bounds_shown(found.metric, bounds)
    known = _between(counters.known, low, high)
    risen, offsets = counters.buckets.risen(low, high, check), counters.buckets.offsets.tolist()
    middle = middles(counters.buckets.index) / _MS
    of: list[Labels] = []
    values = np.empty((len(counters.groups), len(shown), len(high)))
    for row, (group, (start, end)) in enumerate(zip(counters.groups, pairwise(offsets), strict=True)):
        places = np.searchsorted(middle[start:end], bounds, side="right")
        for part in stretches(len(high), end - start):
            check()
            upto = np.zeros((part.stop - part.start, end - start + 1))
            np.cumsum(risen[part, start:end], axis=1, out=upto[:, 1:])
            values[row, :-1, part] = upto[:, places].T
        values[row, -1] = known[row]
        of += [labels({**dict(group), NAME: found.name, _LE: le}) for le in shown]
    present = np.repeat(counters.known[:, high] > 0, len(shown), axis=0)
    return Vector(of, values.reshape(-1, len(high)) / divisor, present).pruned()


def bounds_shown(metric: Metric, bounds: tuple[float, ...]) -> list[str]:
    """Bounds in s as the buckets of a metric have them in their label, the last without bound."""
    scale = 1 if metric.unit == "s" else _MS
    return [le_text(bound * scale) for bound in (*bounds, np.inf)]


def le_text(bound: float) -> str:
    """A bound as the label has it: `0.5`, `10`, `+Inf`."""
    return "+Inf" if np.isinf(bound) else f"{bound:g}"
