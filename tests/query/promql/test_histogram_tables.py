"""Histograms in a table give what the same histograms give one by one, to the last bit."""

import dataclasses
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.examples import examples
from tui_monitor.model.histogram import SCALE, ZERO_BUCKET, CounterReset
from tui_monitor.query.promql.engine import Engine
from tui_monitor.query.promql.labels import labels
from tui_monitor.query.promql.native.matrix import Table
from tui_monitor.query.promql.storage import Joined
from tui_monitor.query.promql.values import SeriesSet, Vector

STEPS = 4
MINUTE = 60_000_000
GROUPS = ("a", "a", "b", "c")


@st.composite
def tables(draw) -> tuple[Table, np.ndarray]:
    """A table of some series, and where something is present."""
    indexes = draw(
        st.lists(
            st.lists(st.sampled_from([ZERO_BUCKET, -700, -3, 0, 1, 2, 64, 65, 700]), unique=True, max_size=5),
            min_size=1, max_size=len(GROUPS),
        )
    )  # fmt: skip
    offsets = np.cumsum([0, *map(len, indexes)])
    divisor = draw(st.sampled_from([1.0, 1.0, 300.0, 7.0]))
    whole = arrays.arrays(
        np.int64, (STEPS, int(offsets[-1])), elements=st.sampled_from([0, 0, 1, 2, 9, 10**6])
    )
    counts = draw(whole) / divisor
    per_series = [counts[:, a:b].sum(axis=1) for a, b in pairwise(offsets.tolist())]
    count = np.array(per_series) * draw(st.sampled_from([1.0, 1.0, 1.0 + 1e-15]))
    total = draw(arrays.arrays(np.int64, count.shape, elements=st.integers(0, 10**6))) / 1e6 / divisor
    present = draw(arrays.arrays(bool, count.shape))
    index = np.array([i for one in indexes for i in sorted(one)], dtype=np.int64)
    return Table(SCALE, CounterReset.GAUGE, index, offsets, counts, count, total), present


class _Given:
    """A source that answers every rate with one vector."""

    def __init__(self, vector: Vector) -> None:
        self.vector = vector
        self.sources = (self,)

    def select(self, matchers, start, end, hints):
        return SeriesSet([], np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))

    def answer(self, asked):
        return dataclasses.replace(self.vector)


def answer(text: str, vector: Vector):
    found = Engine(Joined((_Given(vector),))).range(text, 0, (STEPS - 1) * MINUTE, MINUTE)
    return found.api(), found.value.is_histogram().tolist()


WHAT = (
    "rate(x[1m])", "sum by(g)(rate(x[1m]))", "sum(rate(x[1m]))", "avg by(g)(rate(x[1m]))",
    "avg by(row)(rate(x[1m]))", "sum without(le)(rate(x[1m]))", "(sum by(g)(rate(x[1m]) * 3))",
    "(rate(x[1m]) and on() vector(1) < 2)", "(rate(x[1m]) or sum(rate(x[1m])))",
    'label_replace(rate(x[1m]), "h", "$1", "g", "(.*)")', "-rate(x[1m])", "limitk(2, rate(x[1m]))",
)  # fmt: skip
FORMS = (
    *(f"histogram_quantile({q}, %)" for q in ("0", "0.3", "0.5", "0.95", "1", "-1", "2", "NaN")),
    "histogram_quantile(time() / 200, %)",
    *(f"histogram_{function}(%)" for function in ("count", "sum", "avg", "stddev")),
    *(f"histogram_fraction({of}, %)" for of in ("0, 1", "0.99, time() / 90", "2, 1", "NaN, 1", "-Inf, +Inf")),
    "%", "count by(g)(%)", "max(%)", "histogram_quantiles(%, \"q\", 0.5, 0.9)",
)  # fmt: skip


@settings(max_examples=examples(50))
@given(st.sampled_from(FORMS), st.sampled_from(WHAT), tables())
def test_a_table_answers_as_objects_do(form: str, what: str, made: tuple[Table, np.ndarray]) -> None:
    table, present = made
    of = [labels({"__name__": "x", "g": GROUPS[row], "row": str(row)}) for row in range(len(table))]
    zeros = np.zeros(present.shape)
    one_by_one = Vector(list(of), zeros.copy(), present.copy(), table.objects(present))
    as_table = Vector(list(of), zeros.copy(), present.copy(), table)
    text = form.replace("%", what)
    assert answer(text, as_table) == answer(text, one_by_one)
