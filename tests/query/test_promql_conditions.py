"""Conditions in whole PromQL: which series they hold for, what those are compared with, what is no data."""

import pytest

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, MINUTE, SECOND
from tui_monitor.model.errors import QueryError
from tui_monitor.model.feed import Sample
from tui_monitor.query.comparing import compare
from tui_monitor.query.condition import Condition
from tui_monitor.store.api import WriteBatch

NOW = 1_773_835_200_000_000
SHARE = "sum by(provider)(rate(llm_errors_total[5m])) / sum by(provider)(rate(llm_requests_total[5m])) > 0.1"


@pytest.fixture
def look(store, engine):
    """Four calls of a, one of which failed; forty of b, one of which failed; two hosts."""
    calls = [
        Call("t", f"{who}{key}", ts_end=NOW - MINUTE, provider=who, model_served="m", cost=10**9,
             cost_status="computed", status="error" if key == 0 else "success", latency_ms=3000.0)
        for who, count in (("openai", 4), ("google", 40))
        for key in range(count)
    ]  # fmt: skip
    samples = [
        Sample(name, NOW - at * 15 * SECOND, value, {"host": host}, "gauge")
        for at in range(8)
        for host, name, value in (("a", "up", 1.0), ("b", "up", 0.0), ("a", "need", 2.0), ("b", "need", 0.0))
    ]
    store.write(WriteBatch(calls=calls, samples=samples))

    def look(text: str, **bound):
        condition = Condition.parse(text).bound(5 * MINUTE, **bound)
        for tree in condition.trees():
            engine.check(text, tree)
        found = compare(condition, engine, NOW, Calendar()).series
        return {
            next((value for name, value in one.labels if name != "__name__"), ""): (
                one.value, one.threshold, one.holds,
            )
            for one in found
        }  # fmt: skip

    return look


def test_a_comparison_tells_of_each_series_whether_it_holds(look):
    found = look(SHARE)
    assert found == {
        "openai": (pytest.approx(0.25), 0.1, True), "google": (pytest.approx(0.025), 0.1, False),
    }  # fmt: skip
    assert look(f"0.1 < {SHARE.removesuffix(' > 0.1')}") == found


def test_two_vectors_are_told_with_what_they_are_compared_with(look):
    assert look("max_over_time(up[5m]) < on(host) max_over_time(need[5m])") == {
        "a": (1, 2, True), "b": (0, 0, False),
    }  # fmt: skip


def test_what_is_no_comparison_holds_for_what_it_gives(look):
    assert look('absent(nothing{job="x"})') == {"x": (1, None, True)}
    assert look('absent(up{host="a"})') == {}
    assert look("last_over_time(up[5m]) == 0 unless on(host) last_over_time(need[5m]) > 1") == {
        "b": (0, 0, True)
    }
    assert look("vector(3) > 2 and on() vector(1) > 5") == {}


def test_no_data_is_neither(look):
    assert look("rate(nobody_total[5m]) > 0") == {}
    assert look("sum(rate(nobody_total[5m])) / sum(rate(nobody_total[5m])) > 0") == {}


def test_short_forms_stand_in_it_with_their_units_and_the_range_of_rules(look):
    assert look("topk(1, requests [5m] by(provider)) > 30") == {"google": (40, 30, True)}
    text = "latency [5m] p95 by(provider) > 2s and on(provider) rate(llm_requests_total[5m]) > 1"
    condition = Condition.parse(text)
    assert (condition.left, condition.op, condition.right) == ("latency [5m] p95 by(provider)", ">", "2s")
    assert look(text) == {}
    found = look(text.removesuffix("> 1") + "> 0.1")
    assert found["google"][0] == pytest.approx(3000, rel=0.01)
    assert found["google"][2]


def test_either_of_two_short_comparisons_may_hold(look):
    found = look("error_rate by(provider) > 20% or requests by(provider) > 30")
    assert {name: one[2] for name, one in found.items()} == {"openai": True, "google": True}


@pytest.mark.parametrize(
    "text",
    [
        "requests > 0 unless unheard > 1",
        "unheard [5m] > 1 or requests > 0",
        "requests > 0 and (requests > 1 or unheard > 1)",
        "requests [5m] > 0 unless on() (unheard [5m] > 1 or other_unheard [5m] > 1)",
        "(requests or unheard) > 0",
    ],
)
def test_what_nobody_sent_has_no_data_and_the_rest_is_looked_at(engine, look, text):
    condition = Condition.parse(text).bound(5 * MINUTE)
    assert [(one.value, one.holds) for one in compare(condition, engine, NOW, Calendar()).series] == [
        (44, True)
    ]


def test_what_it_is_compared_with_is_told_in_the_unit_of_the_value(look):
    assert look("latency avg > 2s unless on() vector(0) > 1") == {"": (pytest.approx(3000), 2000, True)}
    text = "llm_request_duration_seconds avg > 500ms unless on() vector(0) > 1"
    assert look(text) == {"": (pytest.approx(3), 0.5, True)}


@pytest.mark.parametrize("sign", ["> 2s", "< 1m30s", "- 2s > 0", "/ 2s > 1"])
def test_seconds_beside_milliseconds_are_refused_in_promql(look, sign):
    text = f"histogram_quantile(0.9, rate(latency[5m])) {sign}"
    with pytest.raises(QueryError, match="these are milliseconds") as error:
        look(text)
    assert error.value.position == text.index(sign) + 2
    assert look("histogram_quantile(0.9, rate(llm_request_duration_seconds[5m])) > 2s")


def test_the_budget_is_an_amount_in_promql_too(look):
    text = "sum(increase(llm_cost_usd_total[5m])) > budget * 0.5"
    assert look(text, amount=80.0) == {"": (44, 40, True)}
    assert look(text, amount=100.0) == {"": (44, 50, False)}


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("sum(rate(x_total[5m])) > baseline", (25, 8), "baseline stands between comparisons of short forms"),
        ("rate(x_total[5m])[", (17, 1), "[ is not closed"),
        ("sum by(a)(rate(x_total)) > 1", (15, 7), "rate takes a range vector"),
        ("x_total[5m:1m]", (0, 14), "a query asks for numbers, not for a range vector"),
    ],
)
def test_what_is_no_condition_is_refused_at_its_place(text, place, message):
    with pytest.raises(QueryError) as caught:
        Condition.parse(text)
    assert message in caught.value.message
    assert (caught.value.position, caught.value.length, caught.value.text) == (*place, text)


def test_the_past_is_compared_by_the_function_too(store, engine, look):
    calls = [
        Call("t", f"past{day}{key}", ts_end=NOW - day * DAY - MINUTE, provider="openai", model_served="m")
        for day in range(1, 5)
        for key in range(2)
    ]
    store.write(WriteBatch(calls=calls))
    (found,) = look(
        'requests{provider="openai"} > 1.5 * baseline(requests{provider="openai"} [5m], "7d")'
    ).values()
    assert found == (4, 3, True)
