"""Conditions of alert rules."""

import pytest

from tui_monitor.model.call import Call
from tui_monitor.model.errors import QueryError
from tui_monitor.query.condition import Condition
from tui_monitor.store.api import WriteBatch

NOW = 1_773_835_200_000_000


@pytest.mark.parametrize(
    ("text", "left", "op", "right", "threshold"),
    [
        ("error_rate{} [5m] by(provider) > 5%", "error_rate [5m] by(provider)", ">", "5%", 0.05),
        ("latency{} p95 > 8s", "latency p95", ">", "8s", 8000),
        ("avg(latency) >= 2000", "latency avg", ">=", "2000", 2000),
        ("llm_request_duration_seconds p95 > 2s", "llm_request_duration_seconds p95", ">", "2s", 2),
        ("step_seconds max < 500ms", "step_seconds max", "<", "500ms", 0.5),
        ("cost [today] > $5", "cost [today]", ">", "$5", 5),
        ("requests == 0", "requests", "==", "0", 0),
        ("(requests != 0)", "requests", "!=", "0", 0),
        ("x > -5", "x", ">", "-5", -5),
        ("cost > cost offset 1d * 2", "cost", ">", "cost offset 1d * 2", None),
        ("latency > llm_request_duration_seconds + 1s", "latency", ">",
         "(llm_request_duration_seconds + 1s) * 1000", None),
        ("cost / requests > $0.10", "cost / requests", ">", "$0.10", 0.1),
        ("5m < latency max", "5m", "<", "latency max / 1000", None),
    ],
)  # fmt: skip
def test_a_condition_is_split_at_its_comparison(text, left, op, right, threshold):
    condition = Condition.parse(text)
    assert (condition.left, condition.op, condition.right, condition.threshold) == (
        left,
        op,
        right,
        threshold,
    )


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("error_rate [5m]", (15, 1), "a condition needs a comparison: > >= < <= == or !="),
        ("cost > 5%", (5, 1), "money and a share do not go together"),
        ("cost >", (6, 1), "expected a metric, a number, a function or (, not the end"),
    ],
)
def test_what_is_no_condition(text, place, message):
    with pytest.raises(QueryError) as caught:
        Condition.parse(text)
    error = caught.value
    assert (error.message, (error.position, error.length), error.text) == (message, place, text)


@pytest.mark.parametrize("metric", ["latency", "llm_request_duration_seconds"])
def test_both_sides_are_in_one_unit(store, engine, metric):
    store.write(WriteBatch(calls=[Call("t", "1", ts_end=NOW, latency_ms=2500.0)]))
    condition = Condition.parse(f"{metric} > 2s")
    assert engine.instant(condition.left, NOW).scalar == pytest.approx(condition.threshold * 1.25)
