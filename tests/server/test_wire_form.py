"""What an answer says is the same at the other end: numbers that are none, unknown ones, words and tuples."""

import math
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.health.views import ProbeLook, ProviderRow, ProvidersView
from tui_monitor.model.alert import Alert, Matcher, Silence
from tui_monitor.model.errors import (
    Busy,
    Forbidden,
    MonitorError,
    NotFound,
    QueryError,
    StoreError,
    UnknownMetric,
    UsageError,
)
from tui_monitor.model.states import Health
from tui_monitor.model.timerange import Span
from tui_monitor.monitor.connection import error_of, read_as
from tui_monitor.query.result import After, Result, Series
from tui_monitor.server.refusal import answer, refusal_of

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
VALUE = st.none() | st.floats()
INSTANT = st.integers(0, 32_503_680_000_000_000)
LABELS = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)


def there_and_back(value: Any) -> Any:
    return read_as(type(value), orjson.loads(bytes(answer(value).body)))


@settings(max_examples=examples(60))
@given(data=st.data())
def test_an_answer_to_a_query(data: st.DataObject) -> None:
    times = data.draw(st.lists(INSTANT, max_size=5).map(tuple))
    values = st.lists(VALUE, min_size=len(times), max_size=len(times)).map(tuple)
    series = data.draw(st.lists(st.builds(Series, LABELS, values), max_size=3).map(tuple))
    result = Result(data.draw(TEXT), "matrix", times, series, warnings=data.draw(st.lists(TEXT).map(tuple)))
    # By what it looks like: NaN is not equal to itself, and -0.0 is equal to 0.0.
    assert repr(there_and_back(result)) == repr(result)


ALERT = st.builds(
    Alert, id=TEXT, fingerprint=TEXT, rule=TEXT, severity=..., state=..., labels=st.dictionaries(TEXT, TEXT),
    summary=TEXT, expr=TEXT, value=VALUE, threshold=VALUE, op=TEXT, unit=TEXT, since=INSTANT,
    fired=st.none() | INSTANT, acked_by=st.none() | TEXT, spark=st.lists(VALUE, max_size=4).map(tuple),
)  # fmt: skip
SILENCE = st.builds(
    Silence, TEXT, st.lists(st.builds(Matcher, TEXT, TEXT, op=...), max_size=3).map(tuple),
    INSTANT, INSTANT, INSTANT, TEXT, TEXT,
)  # fmt: skip
PROBE = st.builds(ProbeLook, st.booleans(), VALUE, at=st.none() | INSTANT)
ROW = st.builds(
    ProviderRow,
    TEXT,
    st.sampled_from(Health),
    TEXT,
    p50_ms=VALUE,
    last_call=st.none() | INSTANT,
    probe=st.none() | PROBE,
)
VIEW = st.builds(
    ProvidersView, INSTANT, st.builds(Span, INSTANT, INSTANT), st.lists(ROW, max_size=2).map(tuple),
    queries=st.dictionaries(TEXT, TEXT, max_size=2),
)  # fmt: skip


@settings(max_examples=examples(60))
@given(st.one_of(ALERT, SILENCE, VIEW, st.builds(After, INSTANT, INSTANT)))
def test_views(value: Any) -> None:
    assert repr(there_and_back(value)) == repr(value)


def test_what_is_no_number_is_not_what_is_unknown() -> None:
    body = bytes(answer({"a": [math.nan, math.inf, -math.inf, None, 0.5]}).body)
    assert orjson.loads(body) == {"a": ["NaN", "Infinity", "-Infinity", None, 0.5]}


def unknown_metric() -> UnknownMetric:
    error = UnknownMetric("no such metric", text="latncy{}", position=0, length=6, hint="latency?")
    error.name, error.meant = "latncy", "latency"
    return error


@pytest.mark.parametrize(
    "error",
    [
        QueryError("expected }", text="latency{", position=8, length=1, hint="close it"),
        unknown_metric(),
        NotFound("no alert has the id 'x'", hint="see the list"),
        UsageError("not a period"),
        StoreError("the database is damaged", hint="restore it"),
        Busy("too much waits", retry_after=3.0),
        MonitorError("is resolved already", hint="nothing to do"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors(error: MonitorError) -> None:
    response = refusal_of(error).response("/monitor/v1/query")
    back = error_of(response.status_code, response.headers.get("retry-after"), orjson.loads(response.body))
    assert type(back) is type(error)
    assert vars(back) == vars(error)


def test_who_is_not_let_in() -> None:
    assert type(error_of(401, None, {"error": "a token is needed"})) is Forbidden
    assert type(error_of(403, None, {"error": "may not"})) is Forbidden
