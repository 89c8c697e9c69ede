"""Expressions, errors that point, what may be asked at all, and any text thrown at the engine."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.model.call import Call
from tui_monitor.model.clock import HOUR, MINUTE
from tui_monitor.model.errors import QueryError
from tui_monitor.model.feed import Sample
from tui_monitor.query import aggregate
from tui_monitor.store.api import WriteBatch

NOW = 1_773_835_200_000_000


@pytest.fixture
def some(store, engine):
    """Four calls: m costs $4 in two calls of 1 s and 3 s, n $2 in one of 5 s, and n one unknown of all."""
    calls = [
        Call("t", "1", ts_end=NOW - MINUTE, provider="openai", model_served="m", status="success",
             latency_ms=1000.0, cost=10**9, cost_status="computed"),
        Call("t", "2", ts_end=NOW - MINUTE, provider="openai", model_served="m", status="error",
             latency_ms=3000.0, cost=3 * 10**9, cost_status="computed"),
        Call("t", "3", ts_end=NOW, provider="google", model_served="n", status="success",
             latency_ms=5000.0, cost=2 * 10**9, cost_status="computed"),
        Call("t", "4", ts_end=NOW, provider="google", model_served="n"),
    ]  # fmt: skip
    store.write(WriteBatch(calls=calls))
    return engine


def by_model(engine, text: str) -> dict[str, float]:
    return engine.instant(text, NOW).by("model")


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("5", 5, ""), ("5%", 0.05, "ratio"), ("2s", 2, "s"), ("1h30m", 5400, "s"),
        ("$0.05", 0.05, "usd"),
        ("10k", 10_000, ""), ("2M", 2e6, ""), ("-2 ^ 2", -4, ""), ("(-2) ^ 2", 4, ""), ("7 % 4", 3, ""),
        ("-7 % 4", -3, ""), ("2 ^ 3 ^ 2", 512, ""), ("5 > bool 3", 1, ""), ("3 == bool 5", 0, ""),
        ("1s + 500ms", 1.5, "s"), ("1 / 0", None, ""), ("0 / 0", None, ""), ("(-8) ^ 0.5", None, ""),
        ("cost", 6, "usd"), ("cost * 2", 12, "usd"), ("cost + $1", 7, "usd"), ("10 - cost", 4, "usd"),
        ("cost / requests", 1.5, "usd"), ("requests / cost", 4 / 6, ""), ("-cost", -6, "usd"),
        ("latency max > 2s", 5000, "ms"), ("latency max < 2s", None, "ms"), ("2s < latency max", 5000, "ms"),
        ("llm_request_duration_seconds max > 2s", 5, "s"), ("llm_request_duration_seconds max - 1s", 4, "s"),
        ("latency max - llm_request_duration_seconds max", 0, "ms"),
        ("1s + llm_request_duration_seconds min", 2, "s"),
        ("error_rate > 5%", 1 / 3, "ratio"), ("requests > bool 10", 0, ""), ("cost > 1 > 5", 6, "usd"),
        ("sum(cost) / sum(requests)", 1.5, "usd"), ("requests rate * 3600", 4, "requests/s"),
        ("latency count", 3, ""), ("cost * 10%", 0.6, "usd"), ("latency max / 2s", 2.5, ""),
    ],
)  # fmt: skip
def test_expressions(some, text, value, unit):
    result = some.instant(text, NOW)
    assert result.scalar == (None if value is None else pytest.approx(value))
    assert result.unit == unit
    assert result.kind == "vector"


def test_two_sides_meet_by_equal_labels(some):
    assert by_model(some, "cost by(model) / requests by(model)") == {"m": 2, "n": 1}
    assert by_model(some, "cost by(model) > 3") == {"m": 4}
    assert by_model(some, "cost by(model) > bool 3") == {"m": 1, "n": 0}
    assert by_model(some, "latency max by(model) > latency min by(model)") == {"m": 3000}
    only_m = 'cost by(model) - cost{model="m"} by(model)'
    assert by_model(some, only_m) == {"m": 0}
    assert some.instant(only_m, NOW).metric == ""
    assert some.instant("cost by(model) > 3", NOW).metric == "cost"


def test_an_expression_over_time(some):
    result = some.range("cost by(model) / requests by(model) * 2", NOW - 3 * MINUTE, NOW, MINUTE)
    assert {s.label("model"): s.values for s in result.series} == {"m": (None, 4, None), "n": (None, None, 2)}
    filtered = some.range("latency max by(model) > 4s", NOW - 3 * MINUTE, NOW, MINUTE)
    assert [s.labels for s in filtered.series] == [(("model", "n"),)]
    assert some.range("5", NOW - 3 * MINUTE, NOW, MINUTE).series[0].values == (5, 5, 5)


def test_each_side_of_a_query_has_its_own_window(some):
    assert some.instant("requests [30s] / requests [1h]", NOW).scalar == 0.5
    assert some.instant("requests [1m] - requests [1m] offset 1m", NOW).scalar == 0
    span = some.instant("requests [30s] / requests [1h]", NOW).span
    assert (span.start, span.end) == (NOW - HOUR, NOW)


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("latancy{} [1h] avg", (0, 7), 'unknown metric "latancy", did you mean latency?', None),
        ("cost + tokenz", (7, 6), 'unknown metric "tokenz", did you mean tokens?', None),
        ("cpu_tem avg", (0, 7), 'unknown metric "cpu_tem", did you mean cpu_temp?', None),
        ("zzzzqqq", (0, 7), 'unknown metric "zzzzqqq"', None),
        ("requests [5m] p95", (14, 3), "p95 of requests has no meaning", "quantiles have latency"),
        ("p95(requests[5m])", (0, 3), "p95 of requests has no meaning", "quantiles have latency"),
        ("requests avg", (9, 3), "avg of requests has no meaning", "requests has sum, count, rate"),
        ("error_rate max", (11, 3), "max of error_rate has no meaning", "error_rate has avg, sum"),
        ("latency rate", (8, 4), "rate of latency has no meaning", "latency has avg"),
        ("5 > 3", (0, 5), "two numbers are compared with bool", "write > bool"),
        ("cost by(model) / requests", (15, 1), "the sides are grouped differently: by(model) and not at all",
         "same"),
        ("latency > $5", (8, 1), "a time and money do not go together", None),
        ("cost - 5%", (5, 1), "money and a share do not go together", None),
        ('cost{model=~"("}', (12, 3), "not a regular expression: there is a ( without )", None),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_refused_at_its_place(store, engine, text, place, message, hint):
    store.write(WriteBatch(samples=[Sample("cpu_temp", NOW, 1.0)]))
    for ask in (lambda: engine.check(text), lambda: engine.instant(text, NOW),
                lambda: engine.range(text, NOW - HOUR, NOW, MINUTE)):  # fmt: skip
        with pytest.raises(QueryError) as caught:
            ask()
        error = caught.value
        assert (error.message, (error.position, error.length), error.text) == (message, place, text)
        assert hint is None or hint in (error.hint or "")


def test_check_accepts_what_has_no_data(engine):
    engine.check('cost{project="x"} [month] sum by(whatever) / requests by(whatever) > $5')


def test_steps_are_bounded(engine):
    assert len(engine.range("5", 0, 11_000 * MINUTE, MINUTE).times) == 11_000
    with pytest.raises(QueryError, match="11,001 steps are too many; 11,000 are allowed"):
        engine.range("5", 0, 11_001 * MINUTE, MINUTE)


def test_groups_times_steps_are_bounded(store, engine, monkeypatch):
    monkeypatch.setattr(aggregate, "MAX_VALUES", 100)
    store.write(WriteBatch(calls=[Call("t", str(i), ts_end=NOW, session=f"s{i}") for i in range(5)]))
    assert len(engine.range("requests by(session)", NOW - 20 * MINUTE, NOW, MINUTE).series) == 5
    with pytest.raises(QueryError, match="the answer has more than 100 values"):
        engine.range("requests by(session)", NOW - 30 * MINUTE, NOW, MINUTE)


def test_series_are_bounded(store, engine, monkeypatch):
    monkeypatch.setattr(aggregate, "MAX_SERIES", 4)
    calls = [Call("t", str(i), ts_end=NOW, session=f"s{i % 5}", user=f"u{i % 4}") for i in range(20)]
    store.write(WriteBatch(calls=calls))
    assert len(engine.instant("requests by(user)", NOW).series) == 4
    with pytest.raises(QueryError, match="the answer has more than 4 series") as caught:
        engine.instant("requests by(session)", NOW)
    assert (caught.value.position, caught.value.length) == (0, len("requests by(session)"))


def test_series_stand_in_order_of_their_labels(store, engine):
    store.write(
        WriteBatch(calls=[Call("t", m or "-", ts_end=NOW, model_served=m) for m in ("z", None, "a", "m")])
    )
    assert [s.label("model") for s in engine.instant("requests by(model)", NOW).series] == ["", "a", "m", "z"]


def test_text_from_outside_stays_a_value(store, engine):
    odd = "[/foo] \\ \" ' {{x}} %_*"
    store.write(WriteBatch(calls=[Call("t", "1", ts_end=NOW, model_served=odd, attrs={"a.b": odd})]))
    from tui_monitor.query.language import quote

    assert engine.instant(f"requests{{model={quote(odd)}}} by(model)", NOW).by("model") == {odd: 1.0}
    assert engine.instant(f'requests{{"a.b"={quote(odd)}}} by("a.b")', NOW).by("a.b") == {odd: 1.0}


def test_many_threads_may_ask_while_something_is_written(store, engine):
    wrong: list[str] = []

    def ask() -> None:
        for _ in range(20):
            whole = engine.instant("requests", NOW).scalar or 0
            parts = engine.instant("requests [59m]", NOW).scalar or 0
            # Later questions see what earlier ones saw, and more.
            if parts < whole:
                wrong.append(f"{parts} < {whole}")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(20):
        store.write(WriteBatch(calls=[Call("t", str(number), ts_end=NOW - number)]))
    for thread in threads:
        thread.join()
    assert wrong == []
    assert engine.instant("requests", NOW).scalar == 20


WORDS = [
    "cost", "latency", "requests", "error_rate", "cpu_temp", "cache_hits", "requests_active", "{", "}", "(",
    ")", '{model="m"}', '{model=~"m|n"}', "[1h]", "[today]", "[5m]", "by(model)", "by(folder)", "avg", "sum",
    "p95", "max", "rate", "count", "offset 1d", "5", "5%", "$1", "2s", ">", "> bool", "==", "+", "-", "*",
    "/", "%", "^", "sum(",
]  # fmt: skip


@settings(max_examples=examples(120), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8))
def test_any_row_of_words_is_answered_or_refused(some, words):
    text = " ".join(words)
    try:
        result = some.instant(text, NOW)
    except QueryError as error:
        refused = error
    else:
        over_time = some.range(text, NOW - HOUR, NOW, 20 * MINUTE)
        assert all(len(s.values) == 1 for s in result.series)
        assert all(len(s.values) == 3 for s in over_time.series)
        assert over_time.unit == result.unit
        return
    assert 0 <= refused.position <= len(text)
