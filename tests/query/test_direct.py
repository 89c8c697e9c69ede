"""Short forms that stand alone, one by one and together, against the evaluator of the whole language."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from query_oracle import random_calls

from tests.examples import examples
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock
from tui_monitor.model.errors import QueryError
from tui_monitor.model.feed import Sample
from tui_monitor.query.direct import direct
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql.limits import Limits, QueryLimit
from tui_monitor.query.promql.parser import read
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

NOW = 1_773_835_200_000_000 + 13 * MINUTE + 7 * SECOND + 11

FORMS = [
    "{0} by(provider)", "{0}", "({0} by(model))", "{0} by(user, project)", "{0} by(provider, status)",
    "{0} by(folder)", "{0} by(nobody)", "{0} offset 7m", "{0} by(provider) offset 1d",
]  # fmt: skip
SELECTED = [
    "requests{{}} [{0}] sum", "requests [{0}] rate", "latency{{}} [{0}] p95", "latency [{0}] max",
    "ttft [{0}]",
    "cost{{}} [{0}] sum", "cost [{0}] p50", "tokens [{0}] avg", "error_rate{{}} [{0}]", "unpriced [{0}] sum",
    "cache_hit_rate [{0}]", 'requests{{provider="openai"}} [{0}]',
    'cost{{model=~"gpt.*",user!="ana"}} [{0}]',
    'latency{{provider="opnai"}} [{0}] count',
]  # fmt: skip
SPANS = ["5m", "1h", "1d", "today", "week", "yesterday", "90s"]
texts = st.builds(
    lambda form, selected, span: form.format(selected.format(span)),
    st.sampled_from(FORMS), st.sampled_from(SELECTED), st.sampled_from(SPANS),
)  # fmt: skip


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    clock = ManualClock(NOW)
    store = Store.open(tmp_path_factory.mktemp("direct") / "calls.db", write=True, clock=clock)
    store.write(WriteBatch(calls=random_calls(5, 700, NOW - 3 * DAY, NOW - 3)))
    store.write(WriteBatch(calls=[*random_calls(6, 700, NOW - HOUR, NOW + MINUTE)]))
    store.write(WriteBatch(samples=[Sample("queue", NOW - SECOND, 4.0, {"host": "a"}, "gauge")]))
    return store


@settings(max_examples=examples(40))
@given(
    st.lists(texts, min_size=1, max_size=6), st.sampled_from([NOW, NOW - 90 * SECOND, NOW // MINUTE * MINUTE])
)
def test_together_each_answer_is_what_the_evaluator_gives(filled: Store, asked: list[str], at: int) -> None:
    wanted = [LocalEngine(filled, Calendar()).instant(text, at, tree=read(text)) for text in asked]
    assert LocalEngine(filled, Calendar()).together(asked, at) == wanted
    assert [LocalEngine(filled, Calendar()).instant(text, at) for text in asked] == wanted


@pytest.mark.parametrize("step", [MINUTE, 7 * SECOND, HOUR])
@pytest.mark.parametrize(
    "text",
    ["latency p95 by(provider)", "cost by(user)", "requests offset 3m", "cost max", "error_rate by(folder)"],
)
def test_a_chart_is_what_the_evaluator_gives(filled: Store, text: str, step: int) -> None:
    engine = LocalEngine(filled, Calendar())
    found = engine.range(text, NOW - 20 * MINUTE, NOW, step)
    # A sum with nothing is not a short form that stands alone.
    wanted = engine.range(f"{text} + 0", NOW - 20 * MINUTE, NOW, step)
    assert (found.times, found.series, found.span) == (wanted.times, wanted.series, wanted.span)
    assert found.warnings == wanted.warnings


def test_what_is_no_short_form_of_calls_is_asked_of_the_evaluator(filled: Store) -> None:
    engine = LocalEngine(filled, Calendar())
    asked = [
        "queue [5m] last",
        "requests [1h] / 2",
        "requests [1h]",
        "vector(1)",
        "requests_active",
        "requests [1h]",
    ]
    assert [direct(text) is not None for text in asked] == [False, False, True, False, False, True]
    assert engine.together(asked, NOW) == [
        LocalEngine(filled, Calendar()).instant(text, NOW) for text in asked
    ]
    assert engine.together([], NOW) == []


@pytest.mark.parametrize(
    "text", ["requests [1h] p95", "requests{", "latancy [1h]", 'requests{user=~"("} [1h]']
)
def test_what_is_wrong_is_told_in_the_same_words(filled: Store, text: str) -> None:
    engine = LocalEngine(filled, Calendar())
    with pytest.raises(QueryError) as alone:
        engine.instant(text, NOW)
    with pytest.raises(QueryError) as together:
        engine.together(["requests [1h]", text], NOW)
    assert str(together.value) == str(alone.value)


def test_an_answer_of_too_many_series_is_refused(filled: Store) -> None:
    engine = LocalEngine(filled, Calendar(), Limits(series=1))
    with pytest.raises(QueryLimit):
        engine.together(["requests [1h]", "requests [1h] by(provider)"], NOW)
    with pytest.raises(QueryLimit):
        engine.range("requests by(provider)", NOW - HOUR, NOW, MINUTE)


def test_what_was_answered_together_is_kept_for_each(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, asked = LocalEngine(filled, Calendar()), ["requests [1h]", "cost [1h] by(user)"]
    first = engine.together(asked, NOW)
    monkeypatch.setattr(filled, "facts", None)
    assert engine.together([*asked, asked[0]], NOW) == [*first, first[0]]
    assert engine.instant(asked[1], NOW) == first[1]
