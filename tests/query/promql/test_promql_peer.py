"""Random expressions over random series: a real Prometheus says the same as our engine."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peers import prometheus
from random_answers import Both, Expressions, differing

from tests.examples import examples

RUNS = 3
"""Sets of series that are asked about."""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with prometheus(tmp_path_factory.mktemp("prometheus")) as peer:
        both = Both(peer)
        for seed in range(RUNS):
            both.fill(Random(seed))
        yield both


@settings(
    max_examples=examples(100), derandomize=True, suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@given(seed=st.integers(0, 2**32), run=st.integers(0, RUNS - 1))
def test_a_real_prometheus_says_the_same(both: Both, seed: int, run: int):
    random = Random(seed)
    assert both.difference(random, Expressions(random, str(run)).whole()) == ""


def test_a_difference_is_seen():
    def answer(value: str, **labels: str) -> dict[str, object]:
        result = [{"metric": labels, "value": [1, value]}]
        return {"status": "success", "data": {"resultType": "vector", "result": result}}

    assert differing(answer("1", a="b"), answer("1.0000000001", a="b")) == ""
    assert differing(answer("1", a="b"), answer("1.00001", a="b"))
    assert differing(answer("1", a="b"), answer("1", a="c"))
    assert differing(answer("NaN"), answer("0"))
    assert differing(answer("1"), {"status": "error", "error": "many-to-many"})
