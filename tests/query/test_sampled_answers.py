"""Where only a sample of single calls is kept, sums stay exact and estimates say that they are some."""

from dataclasses import replace

import pytest

from tui_monitor.model.call import Call
from tui_monitor.model.clock import HOUR, MINUTE, SECOND, ManualClock
from tui_monitor.model.timerange import Span
from tui_monitor.query.local import LocalEngine
from tui_monitor.store.api import Outcome, WriteBatch
from tui_monitor.store.database import Store

AT = 25 * SECOND
"""After the full minute: the newest calls lie in one that is not over."""


@pytest.fixture
def flood(store: Store, clock: ManualClock) -> int:
    """80 calls in 20 s up to now, of which every fourth is kept, and 3 errors; the present moment."""
    clock.advance(AT)
    now = clock.now()
    made = [
        Call(
            "events", str(n), ts_end=now - n * SECOND // 4, provider="openai", model_served="gpt-5",
            status="success", latency_ms=float(n + 1), out_total=10, attrs={"tier": "a" if n % 8 else "b"},
            cost=1000, cost_status="computed",
        )
        for n in range(80)
    ]  # fmt: skip
    bad = [
        Call("events", f"e{n}", ts_end=now, provider="openai", status="error", attrs={"tier": "a"}, cost=0)
        for n in range(3)
    ]
    rates = [4 if n % 4 == 0 else -4 for n in range(80)] + [-4] * 3
    store.write(WriteBatch(calls=[*made, *bad], rates=rates))
    return now


@pytest.mark.parametrize(
    "query", ["requests{} [1h]", "requests{} [30s]", "errors{} [today]", "output_tokens{} [1h]"]
)
def test_what_roll_ups_know_is_exact_up_to_the_present_moment(
    query: str, flood: int, engine: LocalEngine
) -> None:
    wanted = {"r": 83, "e": 3, "o": 800}[query[0]]
    answer = engine.instant(query, flood)
    assert (answer.scalar, answer.warnings) == (wanted, ())


def test_quantiles_are_those_of_all_calls(flood: int, engine: LocalEngine) -> None:
    answer = engine.instant("latency{} [1h] p50", flood)
    assert answer.scalar == pytest.approx(40, rel=0.011)
    assert answer.warnings == ()


def test_a_chart_is_exact_up_to_the_present_moment(flood: int, engine: LocalEngine) -> None:
    answer = engine.range("requests{}", flood - HOUR, flood, MINUTE)
    assert answer.series[0].values[-1] == 83
    assert answer.warnings == ()
    fine = engine.range("requests{}", flood - MINUTE, flood, 5 * SECOND)
    assert sum(value or 0 for value in fine.series[0].values) == 83
    assert ["1 in 4" in warning for warning in fine.warnings] == [True]


def test_what_only_single_calls_know_is_an_estimate(flood: int, engine: LocalEngine) -> None:
    answer = engine.instant("requests{} [1h] sum by(tier)", flood)
    assert {s.label("tier"): s.value for s in answer.series} == {"a": 10 * 4 + 3, "b": 10 * 4}
    (warning,) = answer.warnings
    assert "estimate" in warning
    assert "1 in 4" in warning
    cost = engine.instant('cost{tier="b"} [1h] sum', flood)
    assert cost.scalar == pytest.approx(40 * 1e-6)
    assert cost.warnings == (warning.replace("requests", "cost"),)
    rate = engine.instant("error_rate{} [1h] by(tier)", flood)
    assert {s.label("tier"): s.value for s in rate.series}["a"] == pytest.approx(3 / 43)


def test_each_kept_call_counts_as_often_as_it_stands_for(
    flood: int, store: Store, engine: LocalEngine
) -> None:
    store.write(
        WriteBatch(
            [
                Call("x", f"x{n}", ts_end=flood, provider="p", status="success", out_total=1000)
                for n in range(5)
            ]
        )
    )
    # 20 calls of 10 tokens that stand for 80, and 5 of 1000 that stand for themselves.
    assert engine.instant("output_tokens{} [1h] avg", flood).scalar == pytest.approx((800 + 5000) / 85)
    assert engine.instant("output_tokens{} [1h] p95", flood).scalar == 1000
    assert engine.instant("output_tokens{} [1h] p90", flood).scalar == 10
    assert engine.instant("output_tokens{} [1h] max", flood).scalar == 1000


def test_a_moment_before_the_newest_call_is_an_estimate(flood: int, engine: LocalEngine) -> None:
    answer = engine.instant("requests{} [30s]", flood - 10 * SECOND)
    assert answer.scalar == 40
    assert len(answer.warnings) == 1


@pytest.fixture
def corrected(flood: int, store: Store, clock: ManualClock) -> int:
    """Two minutes later every call comes again with 20 tokens, as of now; the present moment."""
    kept = [call for call, weight in store.raw_sample(Span(0, flood)) if weight > 1]
    clock.advance(2 * MINUTE)
    again = [replace(call, ts_end=clock.now(), out_total=20) for call in kept]
    assert store.write(WriteBatch(again)).calls == [Outcome.CORRECTED] * 20
    return clock.now()


@pytest.mark.parametrize("query", ["requests{} [1h]", "requests{} [1d]", "requests{} [1m]"])
def test_corrections_that_move_a_sample_into_the_present_minute_count_once(
    query: str, corrected: int, engine: LocalEngine
) -> None:
    answer = engine.instant(query, corrected)
    assert (answer.scalar, answer.warnings) == (20 if "m" in query else 83, ())
    outcomes = engine.instant(query + " sum by(status)", corrected)
    assert {s.label("status"): s.value for s in outcomes.series}["success"] == (20 if "m" in query else 80)
    assert outcomes.warnings == ()


def test_an_estimate_of_moved_calls_says_so(corrected: int, engine: LocalEngine) -> None:
    answer = engine.instant("requests{} [1m] sum by(tier)", corrected)
    assert {s.label("tier"): s.value for s in answer.series} == {"a": 40, "b": 40}
    assert ["1 in 4" in warning for warning in answer.warnings] == [True]
    assert engine.instant('requests{tier="c"} [1m]', corrected).warnings == ()
