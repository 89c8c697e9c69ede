"""The engine over a store and over memory: semantics, limits, remarks, and sources that answer themselves."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from promql_grammar import Grammar

from tests.examples import examples
from tui_monitor.model.clock import MINUTE, SECOND, ManualClock
from tui_monitor.model.errors import MonitorError, QueryError
from tui_monitor.model.feed import STALE, Sample
from tui_monitor.query.captures import Captures
from tui_monitor.query.promql.engine import Engine
from tui_monitor.query.promql.evaluate.context import Semantics
from tui_monitor.query.promql.functions.table import TABLE
from tui_monitor.query.promql.limits import Limits, QueryCancelled, QueryLimit, QueryTimeout
from tui_monitor.query.promql.memory import MemoryStorage
from tui_monitor.query.promql.storage import Asked, Joined
from tui_monitor.query.promql.stored import StoredSamples
from tui_monitor.query.promql.values import Vector
from tui_monitor.store.api import WriteBatch

START = 1_700_000_000 * SECOND


def memory(**series):
    storage = MemoryStorage()
    for name, values in series.items():
        storage.add(
            {"__name__": name, "job": "a"},
            [(START + i * MINUTE, float(v)) for i, v in enumerate(values) if v is not None],
        )
    return storage


def numbers(answer):
    """Labels without the name → the value of the only instant."""
    found = answer.api()["data"]["result"]
    return {row["metric"].get("job", ""): float(row["value"][1]) for row in found}


def test_a_range_is_left_open_or_closed_by_the_semantics():
    storage = memory(x=[1, 2, 3, 4])
    at = START + 2 * MINUTE
    assert numbers(Engine(storage, Semantics(3)).instant("count_over_time(x[2m])", at)) == {"a": 2}
    assert numbers(Engine(storage, Semantics(2)).instant("count_over_time(x[2m])", at)) == {"a": 3}
    late = START + 8 * MINUTE
    assert numbers(Engine(storage, Semantics(3)).instant("x", late)) == {}
    assert numbers(Engine(storage, Semantics(2)).instant("x", late)) == {"a": 4}


def test_what_is_not_there_is_not_nan():
    storage = memory(x=[1, float("nan"), STALE, None, 5])
    answer = Engine(storage).range("x", START, START + 4 * MINUTE, MINUTE).api()
    (row,) = answer["data"]["result"]
    assert [(time - START // SECOND) // 60 for time, _ in row["values"]] == [0, 1, 4]
    assert row["values"][1][1] == "NaN"


def test_the_store_is_asked_for_what_matches(store):
    samples = [
        Sample("up", START + i * MINUTE, float(i), {"job": job, "zone": zone}, "counter")
        for job, zone in (("a", "x"), ("b", "y"), ("c", ""))
        for i in range(5)
    ]
    samples.append(Sample("other", START, 1.0, {"job": "a"}))
    samples.append(Sample("seen", START, 1.0, {"job": "a"}, "histogram"))
    store.write(WriteBatch(samples=samples))
    engine = Engine(StoredSamples(store))
    at = START + 4 * MINUTE
    assert numbers(engine.instant('up{job=~"a|b"}', at)) == {"a": 4, "b": 4}
    assert numbers(engine.instant('up{zone=""}', at)) == {"c": 4}
    assert numbers(engine.instant('{__name__=~"u.*", job!="a", zone!~"y"}', at)) == {"c": 4}
    assert numbers(engine.instant("rate(up[5m]) * 60", at)) == pytest.approx(
        {"a": 1, "b": 1, "c": 1}, rel=0.3
    )
    assert numbers(engine.instant('sum({job="a"})', at)) == {"": 5}


class Exact:
    """A source that knows every rate without samples."""

    def __init__(self):
        self.asked = []

    def select(self, matchers, start, end, hints):
        return memory().select(matchers, start, end, hints)

    def answer(self, asked: Asked):
        self.asked.append(asked)
        if asked.function != "rate":
            return None
        shape = (1, len(asked.ends))
        return Vector(
            [(("__name__", "x"), ("job", "exact"))], np.full(shape, 7.0), np.ones(shape, dtype=bool)
        )


def test_a_source_may_answer_a_function_itself():
    exact = Exact()
    engine = Engine(Joined((exact, memory(x=[0, 60, 120]))))
    at = START + 2 * MINUTE
    assert numbers(engine.instant("rate(x[1m] offset 1m)", at)) == {"exact": 7}
    assert numbers(engine.instant("rate(x[5m])", at)) == {"exact": 7, "a": pytest.approx(0.4, rel=0.1)}
    assert numbers(engine.instant("delta(x[5m])", at)).keys() == {"a"}
    assert exact.asked[0].ends.tolist() == [at - MINUTE]
    assert (exact.asked[0].length, exact.asked[0].closed) == (MINUTE, False)


def test_limits_stop_a_query():
    storage = memory(x=range(100), y=range(100))
    at = START + 99 * MINUTE
    with pytest.raises(QueryLimit, match="2 series"):
        Engine(storage, limits=Limits(series=1)).instant('{job="a"}', at)
    with pytest.raises(QueryLimit, match="samples"):
        Engine(storage, limits=Limits(samples=50)).instant("x[2h]", at)
    with pytest.raises(QueryLimit, match="steps"):
        Engine(storage).range("x", START, at, SECOND // 10)
    with pytest.raises(QueryLimit, match="subquery"):
        Engine(storage).instant("x[200y:1ms]", at)


def test_a_query_is_cancelled_and_timed_out():
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(QueryCancelled):
        Engine(memory(x=[1])).instant("x", START, cancel=cancel)
    clock = ManualClock(START)

    class Slow(MemoryStorage):
        def select(self, matchers, start, end, hints):
            clock.advance(10 * SECOND)
            return super().select(matchers, start, end, hints)

    with pytest.raises(QueryTimeout):
        Engine(Slow(), limits=Limits(seconds=5), clock=clock).instant("x + y", START)


def test_remarks_name_the_place():
    answer = Engine(memory(x=[1, 2, 3])).instant("sum(\n  quantile_over_time(2, x[5m]))", START + MINUTE)
    assert answer.warnings == ["a quantile is between 0 and 1 (2:22)"]
    assert answer.infos == []


def test_a_pattern_that_would_explode_is_linear():
    storage = MemoryStorage()
    storage.add({"__name__": "x", "job": "a" * 40}, [(START, 1.0)])
    answer = Engine(storage).instant('label_replace(x, "y", "$1", "job", "(a+)+b|(?P<all>a+)")', START)
    assert answer.api()["data"]["result"][0]["metric"] == {"__name__": "x", "job": "a" * 40}
    answer = Engine(storage).instant(
        'label_replace(x, "y", "${all}-$2", "job", "(a+)+b|(?P<all>a{9,})")', START
    )
    assert answer.api()["data"]["result"][0]["metric"]["y"] == f"{'a' * 40}-{'a' * 40}"


@pytest.mark.parametrize(
    ("pattern", "text", "groups"),
    [
        ("(a|ab)(c|bcd)(d*)", "abcd", ["a", "bcd", ""]),
        ("(a*?)(a*)", "aaa", ["", "aaa"]),
        ("(a)|b", "b", [""]),
    ],
)
def test_the_first_preferred_way_to_match_counts(pattern, text, groups):
    assert Captures(pattern).groups(text) == [text, *groups]
    assert Captures(pattern).groups(text + "!") is None


def test_every_function_of_the_table_has_an_implementation():
    for entry in TABLE.values():
        assert callable(entry.implementation()), entry.name


def test_two_series_of_one_name_are_an_error_that_names_them():
    with pytest.raises(QueryError, match=r"two series have the same labels: \{job='a'\}"):
        Engine(memory(x=[1], y=[2]), Semantics(2)).instant('abs({job="a"})', START)


@settings(max_examples=examples(75))
@given(st.integers(0, 2**32))
def test_any_expression_has_an_answer_or_an_error(seed):
    storage = MemoryStorage()
    for name in ("up", "sum", "by", "my.metric"):
        for job in ("a", "b"):
            values = [1.0, 3.0, float("nan"), 2.0, float("inf"), STALE, 0.0, -1.0]
            points = [(START + i * MINUTE, value) for i, value in enumerate(values)]
            storage.add({"__name__": name, "job": job, "le": "0.5" if job == "a" else "+Inf"}, points)
    text = Grammar(seed).whole()
    for version in (2, 3):
        engine = Engine(storage, Semantics(version), Limits(samples=200_000))
        try:
            engine.instant(text, START + 5 * MINUTE).api()
            engine.range(text, START, START + 7 * MINUTE, 90 * SECOND).api()
        except MonitorError:
            pass


def test_nothing_matches_twice_where_the_other_side_is_empty():
    storage = memory(x=[1, None], y=[1, 1])
    storage.add({"__name__": "y", "job": "b"}, [(START, 1.0), (START + 10 * MINUTE, 1.0)])
    storage.add({"__name__": "y", "job": "c"}, [(START + 10 * MINUTE, 1.0)])
    engine = Engine(storage)
    with pytest.raises(QueryError, match="match alike"):
        engine.instant("x + on() y", START)
    assert numbers(engine.instant("x + on() y", START + 10 * MINUTE)) == {}


@pytest.mark.parametrize("far", [float("inf"), 1e300])
def test_a_fall_from_very_far_is_felt_in_its_windows_alone(far):
    storage = memory(x=[1, far, 5, 6, 2, 3, 4])
    answer = Engine(storage).range("increase(x[4m])", START, START + 6 * MINUTE, MINUTE).api()
    (row,) = answer["data"]["result"]
    assert float(row["values"][-1][1]) == pytest.approx(4 * 4 / 3)
    assert float(row["values"][2][1]) >= far


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("deriv(x[10m])", float("nan")),
        ("predict_linear(x[10m], 60)", float("nan")),
        ("clamp_min(x, NaN)", float("inf")),
        ("clamp_max(-x, NaN)", float("-inf")),
        ("1 / clamp_min(x * -0, 0) ^ 1", float("nan")),
        ("1 / clamp_min(vector(-0), 0)", float("inf")),
        ("1 / clamp_max(vector(0), -0)", float("-inf")),
        ("clamp(x, -Inf, Inf)", float("inf")),
        ("(-x) ^ 0.5", float("inf")),
        ("vector(1 / scalar(x * -0))", float("nan")),
        ("vector(1 / scalar(vector(-0)))", float("-inf")),
        # 400 years are a whole number of weeks.
        ("year(vector(1.7e9 + 12622780800 * 1e6))", 400_002_023),
        ("day_of_week(vector(1.7e9 + 12622780800 * 1e6))", 2),
        ("minute(vector(1.7e9 + 12622780800 * 1e6))", 13),
        ("minute(vector(Inf))", float("nan")),
    ],
)
def test_far_away_and_infinite_is_as_in_prometheus(expression, value):
    storage = memory(x=[1, 2, float("inf")])
    (told,) = numbers(Engine(storage).instant(expression, START + 2 * MINUTE)).values()
    assert told == pytest.approx(value, nan_ok=True)
