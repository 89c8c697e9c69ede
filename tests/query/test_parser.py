"""The tree, its canonical text, and errors that say what was expected where."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_monitor.model.calendar import PERIODS
from tui_monitor.model.clock import DAY, HOUR, MINUTE
from tui_monitor.model.errors import QueryError
from tui_monitor.query.ast import (
    ARITHMETIC,
    COMPARISONS,
    Aggregate,
    Binary,
    Matcher,
    Number,
    Selector,
    Unary,
)
from tui_monitor.query.language import is_aggregate, quote
from tui_monitor.query.parser import MAX_DEPTH, MAX_LABELS, parse


def test_the_short_form_whole():
    tree = parse('latency{provider="claude", model=~"a.*",} [1h30m] offset 1d p95 by(model, app)')
    assert tree == Aggregate(
        Selector(
            "latency",
            (Matcher("provider", "=", "claude"), Matcher("model", "=~", "a.*")),
            window=90 * MINUTE,
            offset=DAY,
        ),
        how="p95",
        by=("model", "app"),
    )


def test_what_is_left_out_stays_open():
    assert parse("cost") == parse("cost{}") == Aggregate(Selector("cost"))


@pytest.mark.parametrize("period", PERIODS)
def test_calendar_ranges(period):
    tree = parse(f"cost [{period}]")
    assert isinstance(tree, Aggregate)
    assert tree.of.window == period


@pytest.mark.parametrize(
    "text",
    [
        "sum(cost{}[30d]) by(model)", "sum(cost[30d]) by (model)", "sum by(model) (cost[30d])",
        "cost [30d] sum by(model)", "cost by(model) sum [30d]", "sum(cost[30d] by(model))",
        "sum by(model,) (cost[30d])  # what it costs", "sum by(model, model)(cost[30d])",
    ],
)  # fmt: skip
def test_the_spellings_of_an_aggregate_are_one(text):
    assert parse(text) == Aggregate(Selector("cost", window=30 * DAY), "sum", ("model",))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1 + 2 * 3", "1 + (2 * 3)"), ("1 * 2 + 3", "(1 * 2) + 3"), ("1 - 2 - 3", "(1 - 2) - 3"),
        ("2 ^ 3 ^ 2", "2 ^ (3 ^ 2)"), ("-2 ^ 2", "-(2 ^ 2)"), ("-2 * 3", "(-2) * 3"),
        ("2 ^ -3 * 5", "(2 ^ (-3)) * 5"),
        ("1 + 2 > 3 - 4", "(1 + 2) > (3 - 4)"), ("a > b == c", "(a > b) == c"), ("8 / 4 % 3", "(8 / 4) % 3"),
        ("cost / requests > bool 5%", "(cost / requests) > bool 5%"),
    ],
)  # fmt: skip
def test_operators_hold_as_in_promql(text, tree):
    assert parse(text) == parse(tree)
    assert str(parse(tree)) == text


def test_odd_names_stand_in_quotes():
    tree = parse('{"my metric", a="b"} by("x.y", by)')
    assert tree == Aggregate(Selector("my metric", (Matcher("a", "=", "b"),)), "", ("x.y", "by"))
    assert str(parse('{"avg"} avg')) == '{"avg"} avg'


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", (0, 1), "expected a metric, found the end"),
        ("   ", (3, 1), "expected a metric, found the end"),
        ("cost{model=x}", (11, 1), "expected a value in quotes, found x"),
        ("cost{model}", (10, 1), "expected = != =~ or !~, found }"),
        ("cost{", (5, 1), "expected a label or }, found the end"),
        ('cost{a="b" c="d"}', (11, 1), "expected , or }, found c"),
        ("cost [5]", (6, 1), "expected a range like"),
        ("cost [1h", (8, 1), "expected ], found the end"),
        ("cost [0s]", (6, 2), "between 1 ms and 100 years"),
        ("cost [200y]", (6, 4), "between 1 ms and 100 years"),
        ("cost offset", (11, 1), "expected a length of time like 1d, found the end"),
        ("cost averge", (5, 6), "expected an aggregate"),
        ("cost sum avg", (9, 3), "expected an operator or the end, found avg"),
        ("cost [1h] [2h]", (10, 1), "expected an operator or the end, found ["),
        ("sum(cost p95)", (9, 3), "p95 inside sum"),
        ("sum by(a) (cost) by(b)", (17, 2), "expected an operator or the end, found by"),
        ("cost by(a", (9, 1), "expected , or ), found the end"),
        ("cost and requests", (5, 3), "expected an arithmetic operator, a comparison or the end, found and"),
        ("cost or 5", (5, 2), "expected an arithmetic operator, a comparison or the end, found or"),
        ("(cost", (5, 1), "expected an operator or ), found the end"),
        ("cost)", (4, 1), "expected an operator or the end, found )"),
        ("cost +", (6, 1), "expected a metric, a number or (, found the end"),
        ('"cost"', (0, 6), "expected a metric, a number or (, found"),
        ("by(model)", (0, 2), "expected a metric, a number or (, found by"),
        ("5 by(model)", (2, 2), "expected an operator or the end, found by"),
        ('{model="x"}', (0, 1), "expected a metric"),
    ],
)  # fmt: skip
def test_errors_name_what_was_expected_at_that_character(text, place, message):
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    assert error.message.startswith(message) or message in error.message
    assert (error.position, error.length) == place
    assert error.text == text


def test_an_error_helps_where_it_can():
    with pytest.raises(QueryError) as caught:
        parse("cost averge")
    assert caught.value.hint == "did you mean avg?"
    assert caught.value.pointed().splitlines()[1].startswith("     ^^^^^^ expected an aggregate")


@pytest.mark.parametrize(
    "text",
    ["(" * (MAX_DEPTH + 1) + "1" + ")" * (MAX_DEPTH + 1), "-" * 5000 + "1", "1" + "+1" * 3000,
     "2" + "^2" * 3000, "sum(" * 3000],
)  # fmt: skip
def test_deep_nesting_is_refused(text):
    with pytest.raises(QueryError):
        parse(text)


def test_as_many_operators_as_are_allowed():
    assert str(parse("1" + " + 1" * MAX_DEPTH)) == "1" + " + 1" * MAX_DEPTH


# Generated trees and texts

labels = st.one_of(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(min_size=1, max_size=6))
metrics = st.one_of(
    st.from_regex(r"[a-z_:]{1,12}", fullmatch=True), st.text(min_size=1, max_size=8), st.just("avg")
)
hows = st.sampled_from(["", "avg", "sum", "min", "max", "count", "rate", "p50", "p99.9", "p5"])
lengths = st.integers(1, 100 * 365 * 24 * 3_600_000).map(lambda ms: ms * 1000)
matchers = st.builds(Matcher, labels, st.sampled_from(["=", "!=", "=~", "!~"]), st.text(max_size=8))
selectors = st.builds(
    Selector,
    metrics,
    st.lists(matchers, max_size=3).map(tuple),
    st.one_of(st.none(), lengths, st.sampled_from(PERIODS)),
    st.one_of(st.just(0), lengths),
)
aggregates = st.builds(
    Aggregate, selectors, hows, st.lists(labels, max_size=3, unique=True).map(tuple)
)  # fmt: skip
numbers = st.builds(
    Number,
    st.floats(0, 1e300, allow_nan=False),
    st.sampled_from(["", "%", "$", "k", "M", "ms", "s", "m", "h", "d"]),
)
trees = st.recursive(
    st.one_of(aggregates, numbers),
    lambda inner: st.one_of(
        st.builds(Unary, st.sampled_from("+-"), inner),
        st.builds(Binary, st.sampled_from(sorted(ARITHMETIC)), inner, inner),
        st.builds(Binary, st.sampled_from(sorted(COMPARISONS)), inner, inner, st.booleans()),
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(trees)
def test_a_tree_printed_and_parsed_is_the_same_tree(tree):
    text = str(tree)
    again = parse(text)
    assert again == tree
    assert str(again) == text


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=60))
def test_no_text_raises_anything_but_a_query_error(text):
    _parses_or_points(text)


WORDS = [
    "cost", "latency", "{", "}", "(", ")", "[", "]", ",", "by", "avg", "p95", "offset", "1h", "5", "5%", "$1",
    '"x"', "=", "!=", "=~", ">", "==", "+", "-", "*", "/", "%", "^", "and", "bool", "today", "# c\n", "sum(",
    "'",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=14))
def test_no_row_of_words_raises_anything_but_a_query_error(words):
    _parses_or_points(" ".join(words))
    _parses_or_points("".join(words))


def _parses_or_points(text: str) -> None:
    refused = None
    try:
        tree = parse(text)
    except QueryError as error:
        refused = error
    else:
        assert parse(str(tree)) == tree
    if refused is not None:
        assert 0 <= refused.position <= len(text)
        assert refused.message


@given(st.text(max_size=30))
def test_a_quoted_value_comes_back(value):
    tree = parse(f"cost{{a={quote(value)}}}")
    assert isinstance(tree, Aggregate)
    assert tree.of.matchers[0].value == value


def test_words_that_are_aggregates():
    assert [w for w in ("avg", "p95", "p99.9", "p100", "p101", "p", "pp", "averge") if is_aggregate(w)] == [
        "avg", "p95", "p99.9", "p100",
    ]  # fmt: skip


def test_hours_are_kept_to_the_millisecond():
    tree = parse("cost [1.5h]")
    assert isinstance(tree, Aggregate)
    assert tree.of.window == HOUR + 30 * MINUTE


def test_a_query_names_only_so_many_labels():
    names = [f"l{number}" for number in range(MAX_LABELS)]
    parse(f"requests by({', '.join(names)}) / errors by({', '.join(names)})")
    with pytest.raises(QueryError, match="more than 30 different labels") as caught:
        parse(f"requests{{{', '.join(f'{name}=``' for name in names)}, more=``}}")
    assert caught.value.text[caught.value.position :].startswith("more")


@pytest.mark.parametrize(
    ("text", "line", "before", "marks"),
    [
        ("requests\n  by(model) averge", "  by(model) averge", 12, 6),
        ("requests [\n\n", "requests [", 10, 1),
        ('requests{user="東京"} averge', 'requests{user="東京"} averge', 22, 6),
        ('requests{user="e\u0301"} averge', 'requests{user="e\u0301"} averge', 19, 6),
        ("\trequests\u200b averge", " requests  averge", 9, 1),
    ],
)
def test_carets_stand_under_the_place(text: str, line: str, before: int, marks: int) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    shown, carets = caught.value.pointed().splitlines()
    assert shown == line
    assert carets.startswith(" " * before + "^" * marks + " ")


def test_of_a_long_query_the_place_is_shown() -> None:
    with pytest.raises(QueryError) as caught:
        parse("requests + " * 90 + "requests averge + 1" + " + 1" * 200)
    shown, carets = caught.value.pointed().splitlines()
    assert len(shown) == 160
    at = carets.index("^")
    assert shown[at:].startswith("averge")
