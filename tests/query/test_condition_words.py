"""The words of conditions: where they may stand, and errors that point at the place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.model.errors import QueryError
from tui_monitor.query.condition import Condition
from tui_monitor.query.language import GIVEN
from tui_monitor.query.promql.parser import read
from tui_monitor.query.promql.printer import printed


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("avg(latency) > 2000", ["latency avg > 2000"]),
        ("error_rate > baseline * 3", ["error_rate > baseline * 3"]),
        ("monthly_spend >= budget * 0.8", ["cost [month] >= budget * 0.8"]),
        ("sum(weekly_spend) by(user) > $5", ["cost [week] sum by(user) > $5"]),
        ("daily_spend{team='a'} offset 1d > 5", ['cost{team="a"} [today] offset 1d > 5']),
        (
            'latency{provider="claude"} [5m] p95 by(model) > 2 * baseline',
            ['latency{provider="claude"} [5m] p95 by(model) > 2 * baseline'],
        ),
        ("(a > 5) and b + 1 < 3 and 2 < c", ["a > 5", "b + 1 < 3", "2 < c"]),
        ("(a>5 and b>3) and c<1", ["a > 5", "b > 3", "c < 1"]),
        ('{"baseline"} > baseline', ['{"baseline"} > baseline']),
        ("requests by(budget) > 5", ["requests by(budget) > 5"]),
    ],
)
def test_conditions_as_people_write_them(text, clauses):
    assert [str(clause) for clause in Condition.parse(text).clauses] == clauses


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a > 3 and b", (11, 1), "a condition needs a comparison"),
        ("a and b > 2", (1, 1), "a condition needs a comparison"),
        ("a > 2 and ", (10, 1), "expected a metric, a number, a function or (, not the end"),
        ("avg(baseline) > 2", (4, 8), "baseline is a value already"),
        ("baseline{a='x'} > 2", (0, 8), "baseline is a value already"),
        ("monthly_spend [5m] > 2", (0, 13), "monthly_spend has its range already: [month]"),
        ("monthly_spend avg > 2", (14, 3), "what was spent is a sum; avg of it has no meaning"),
        ("avg(daily_spend) > 2", (0, 3), "what was spent is a sum; avg of it has no meaning"),
        ("baseline > error_rate", (0, 8), "baseline stands right of what it is the baseline of"),
        ("requests + baseline > 2", (11, 8), "baseline stands right of what it is the baseline of"),
        ("5 < 2 * baseline", (8, 8), "a number has no baseline"),
        ("cost [today] > 2 * baseline", (19, 8), "a calendar period like [today] has no baseline"),
        ("monthly_spend > baseline", (16, 8), "a calendar period like [month] has no baseline"),
        ("requests > (baseline > 3)", (21, 1), "a comparison inside of a comparison"),
        ("requests > 5 and errors by(model) > 3", (17, 6), "the first comparison is not grouped by model"),
        ("latency > budget", (8, 1), "a time and money do not go together"),
        ("latency > 5s and cost > 2 * baseline and errors > 5%", (48, 1), "a number of requests and a share"),
        ("error_rate > baseline + $5", (22, 1), "a share and money do not go together"),
    ],
)
def test_what_is_no_condition(text, place, message):
    with pytest.raises(QueryError) as caught:
        Condition.parse(text)
    error = caught.value
    assert message in error.message
    assert (error.position, error.length, error.text) == (*place, text)


@pytest.mark.parametrize("word", GIVEN)
@pytest.mark.parametrize("text", ["{}", "cost > {}", "sum({})", "-{} * 2"])
def test_in_any_other_query_the_words_are_refused_where_they_stand(word, text):
    written = text.format(word)
    with pytest.raises(QueryError) as caught:
        read(written)
    error = caught.value
    assert error.message == f"{word} stands in the condition of an alert rule only"
    assert written[error.position : error.position + error.length] == word
    assert error.hint
    assert printed(read(f'{{"{word}"}} > 5')) == f'{{"{word}"}} > 5', "a metric of that name in quotes"


def test_an_unknown_metric_beside_a_word_is_pointed_at_in_the_rules_own_text(engine):
    text = "requests > 5 and latncy p95 > 2 * baseline"
    (_, tree) = Condition.parse(text).bound(300_000_000).trees()
    with pytest.raises(QueryError) as caught:
        engine.check(text, tree)
    assert (caught.value.text, caught.value.position, caught.value.length) == (text, 17, 6)


SIDES = st.sampled_from(
    [
        "requests",
        "errors by(provider)",
        "latency p95",
        "error_rate [10m]",
        "cost{model='a'} sum",
        "2 * requests",
    ]
)
RIGHTS = st.sampled_from(["5", "2 * baseline", "baseline", "-3", "baseline / 2 - 1"])
OPS = st.sampled_from([">", ">=", "<", "<=", "==", "!="])


@st.composite
def conditions(draw: st.DrawFn) -> str:
    clauses = draw(st.lists(st.tuples(SIDES, OPS, RIGHTS), min_size=1, max_size=4))
    blank = draw(st.sampled_from([" ", "  ", "\n "]))
    return f"{blank}and{blank}".join(blank.join(clause) for clause in clauses)


@given(conditions())
def test_a_conditions_own_text_means_the_same(text):
    condition = parsed(text)
    if condition is None:
        return
    again = Condition.parse(str(condition))
    assert str(again) == str(condition)
    assert [clause.left for clause in again.clauses] == [clause.left for clause in condition.clauses]


@given(conditions(), st.data())
def test_an_error_points_into_the_text_and_no_other_error_comes(text, data):
    at = data.draw(st.integers(0, len(text)))
    piece = data.draw(
        st.sampled_from(["", "and", ")", "(", "baseline", "budget", "%", "[", "x y", "> >", "$", "é"])
    )
    cut = data.draw(st.integers(0, 3))
    broken = text[:at] + piece + text[at + cut :]
    condition = parsed(broken)
    if condition is not None:
        bound = condition.bound(1_000_000, 5.0)
        assert [str(clause) for clause in bound.clauses]
        assert not any(word.name == "budget" for word in bound.words)


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_a_pointed_error(text):
    parsed(text)


def parsed(text: str) -> Condition | None:
    """The condition; nothing where an error points into the text."""
    errors: list[QueryError] = []
    try:
        return Condition.parse(text)
    except QueryError as error:
        errors.append(error)
    (error,) = errors
    assert error.text == text
    assert 0 <= error.position <= len(text)
    assert error.position + error.length <= len(text) + 1
    assert "\n" not in error.message
    assert "^" in error.pointed() or not text.strip()
    return None
