"""The short form's tree, its canonical text, what reads as what, and errors that say what was expected."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.model.calendar import PERIODS
from tui_monitor.model.clock import DAY, HOUR, MINUTE
from tui_monitor.model.errors import QueryError
from tui_monitor.query.language import is_aggregate, quote
from tui_monitor.query.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    Matcher,
    Number,
    Paren,
    Subquery,
    Summary,
    Unary,
    walk,
)
from tui_monitor.query.promql.cursor import Cursor
from tui_monitor.query.promql.lexer import Token
from tui_monitor.query.promql.parser import MAX_DEPTH, parsed, read
from tui_monitor.query.promql.printer import printed
from tui_monitor.query.promql.quoting import quoted
from tui_monitor.query.promql.resolving import MAX_LABELS


def parse(text: str) -> Expr:
    """The tree of a query of the whole language."""
    return parsed(text, strict=False)


def flat(node: Expr) -> str:
    """The tree with all its parentheses."""
    match node:
        case Paren():
            return flat(node.expr)
        case Unary():
            return f"({node.op}{flat(node.expr)})"
        case Binary():
            return f"({flat(node.left)} {node.op} {flat(node.right)})"
    return printed(node)


def test_the_short_form_whole():
    tree = parse('latency{provider="claude", model=~"a.*",} [1h30m] offset 1d p95 by(model, app)')
    assert tree == Summary(
        "latency",
        (Matcher("provider", "=", "claude"), Matcher("model", "=~", "a.*")),
        window=90 * MINUTE,
        how="p95",
        by=("model", "app"),
        offset=DAY,
    )


def test_what_is_left_out_stays_open():
    assert parse("cost") == parse("cost{}") == Summary("cost")


@pytest.mark.parametrize("period", PERIODS)
def test_calendar_ranges(period):
    tree = parse(f"cost [{period}]")
    assert isinstance(tree, Summary)
    assert tree.window == period


@pytest.mark.parametrize(
    "text",
    [
        "sum(cost{}[30d]) by(model)", "sum(cost[30d]) by (model)", "sum by(model) (cost[30d])",
        "cost [30d] sum by(model)", "cost by(model) sum [30d]", "sum(cost[30d] by(model))",
        "sum by(model,) (cost[30d])  # what it costs", "sum by(model, model)(cost[30d])",
    ],
)  # fmt: skip
def test_the_spellings_of_an_aggregate_are_one(text):
    assert parse(text) == Summary("cost", window=30 * DAY, how="sum", by=("model",))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1 + 2 * 3", "1 + (2 * 3)"), ("1 * 2 + 3", "(1 * 2) + 3"), ("1 - 2 - 3", "(1 - 2) - 3"),
        ("2 ^ 3 ^ 2", "2 ^ (3 ^ 2)"), ("-2 ^ 2", "-(2 ^ 2)"), ("-2 * 3", "(-2) * 3"),
        ("2 ^ -3 * 5", "(2 ^ (-3)) * 5"),
        ("1 + 2 > a - 4", "(1 + 2) > (a - 4)"), ("a > b == c", "(a > b) == c"), ("8 / 4 % 3", "(8 / 4) % 3"),
        ("cost / requests > bool 5%", "(cost / requests) > bool 5%"),
    ],
)  # fmt: skip
def test_operators_hold_as_in_promql(text, tree):
    assert flat(parse(text)) == flat(parse(tree))
    assert printed(parse(text)) == text


def test_odd_names_stand_in_quotes():
    tree = parse('{"my metric", a="b"} by("x.y", by)')
    assert tree == Summary("my metric", (Matcher("a", "=", "b"),), by=("x.y", "by"))
    assert printed(parse('{"avg"} avg')) == '{"avg"} avg'


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", (0, 1), "expected an expression, there is none"),
        ("   ", (3, 1), "expected an expression, there is none"),
        ("cost{model=x}", (11, 1), "expected a text in quotes, not x"),
        ("cost{model}", (10, 1), "expected one of = != =~ !~ after model, not }"),
        ("cost{", (4, 1), "{ is not closed"),
        ('cost{a="b" c="d"}', (11, 1), "expected , or } after a matcher, not c"),
        ("cost [x]", (6, 1), "expected a range like"),
        ("cost [1h", (5, 1), "[ is not closed"),
        ("cost [0s]", (6, 2), "a range is longer than 0"),
        ("cost [200y]", (0, 11), "between 1 ms and 100 years"),
        ("cost offset", (11, 1), "expected an offset like 5m, not the end"),
        ("cost averge", (5, 6), "expected an aggregate"),
        ("cost sum avg", (9, 3), "expected an operator or the end, not avg"),
        ("cost by(a) by(b)", (11, 2), "expected an operator or the end, not by"),
        ("cost sum [1h] [2h]", (14, 1), "expected an operator or the end, not ["),
        ("p95(cost sum)", (9, 3), "sum inside p95: one aggregate is enough"),
        ("sum by(a) (cost) by(b)", (17, 2), "expected an operator or the end, not by"),
        ("sum by(a) (cost by(b))", (11, 10), "by(…) stands there twice"),
        ("cost)", (4, 1), "unexpected )"),
        ("cost +", (6, 1), "expected a metric, a number, a function or (, not the end"),
        ("by(model)", (0, 2), "expected a metric, a number, a function or (, not by"),
        ("5 by(model)", (2, 2), "expected an operator or the end, not by"),
        ("cost @ 5 sum", (9, 3), "expected an operator or the end, not sum"),
        ("avg(requests) by(model) p95", (24, 3), "expected an operator or the end, not p95"),
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
     "2" + "^2" * 3000, "sum(" * 3000, "cost" + " and cost > 1" * 3000],
)  # fmt: skip
def test_deep_nesting_is_refused(text):
    with pytest.raises(QueryError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["1" + "+1" * 3000, "x" + "[5m:1m]" * 3000, "2" + "^2" * 3000],
    ids=["sums", "subqueries", "powers"],
)
def test_depth_is_refused_before_the_rest_is_read(text, monkeypatch):
    passed = 0
    take = Cursor.take

    def counted(cursor: Cursor) -> Token:
        nonlocal passed
        passed += 1
        return take(cursor)

    monkeypatch.setattr(Cursor, "take", counted)
    with pytest.raises(QueryError, match="nested more than"):
        parse(text)
    assert passed < 6 * MAX_DEPTH


def test_trees_of_long_texts_are_not_kept():
    short, long = "cost > 1", "cost > 1" + " " * 100_000
    assert read(short) is read(short)
    assert read(long[:50_000]) == read(short)
    assert read(long[:50_000]) is not read(long[:50_000])


OF_CALLS = ("requests", "cost", "latency", "error_rate")


@pytest.mark.parametrize(
    "text",
    [
        "topk(3, cost [1d] sum by(model))", "cost [1h] sum by(model) / on(model) rate(requests[5m])",
        'baseline(error_rate [5m], "7d")', "max_over_time(cost [1h] sum [1d:1h])", "abs(cost [1h])",
        "sum by(provider)(rate(x[5m])) > 0.1 and on() requests [5m] > 10", "avg(latency [5m] p95 by(model))",
        "cost [today] or vector(0)", "sum(cost[1h]) > scalar(y)",
    ],
)  # fmt: skip
def test_a_short_form_stands_wherever_a_vector_can(text):
    found = [node for node in walk(parse(text)) if isinstance(node, Summary)]
    assert len(found) == 1
    assert parse(printed(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("cost", 1), ("cost / requests", 2), ("sum(cost) by(model)", 1), ("rate(requests[5m])", 1),
        ("count(up) > 3", 1), ("error_rate > 5% and requests > 10", 2), ("up or down unless x", 3),
        ("error_rate > 3 * baseline(error_rate)", 2), ("-(cost)", 1), ("topk(3, cost [1h]) / cost", 2),
        # Of PromQL alone:
        ("rate(x_total[5m])", 0), ("rate(requests[5m]) + rate(x[5m])", 0), ("cost or vector(0)", 0),
        ("time() - started", 0), ("sum without(a)(cost)", 0), ("topk(3, cost)", 0), ("up / on(job) down", 0),
        ("up @ 5", 0), ('{model="x"}', 0), ("sum(cost / requests)", 0), ("sum((cost))", 0),
        ("max_over_time(cost[5m])", 0), ("sum(rate(cost[5m]))", 0), ("sum by(model)(increase(cost[5m]))", 0),
        ("sum by(a)(rate(llm_errors_total[5m])) / sum by(a)(rate(llm_requests_total[5m])) > 0.1", 0),
        ("cost[1h:5m] > 1 and absent(up)", -1),
    ],
)  # fmt: skip
def test_a_name_alone_is_short_as_long_as_nothing_is_promql_s_alone(text, short):
    if short < 0:
        with pytest.raises(QueryError, match="range vector"):
            parse(text)
        return
    tree = parse(text)
    assert sum(isinstance(node, Summary) for node in walk(tree)) == short
    if not short:
        assert tree == parsed(text)


# Generated trees and texts

labels = st.one_of(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text("aé.- :", min_size=1, max_size=6))
metrics = st.one_of(
    st.from_regex(r"[a-z_:]{1,12}", fullmatch=True),
    st.text("xé.- \n", min_size=1, max_size=8),
    st.just("avg"),
)
hows = st.sampled_from(["", "avg", "sum", "min", "max", "count", "rate", "p50", "p99.9", "p5"])
lengths = st.integers(1, 100 * 365 * 24 * 3_600_000).map(lambda ms: ms * 1000)
matchers = st.builds(
    Matcher, labels, st.sampled_from(["=", "!=", "=~", "!~"]), st.text("aé\n.\\\"'", max_size=0)
)
summaries = st.builds(
    Summary,
    metrics,
    st.lists(matchers, max_size=3).map(tuple),
    st.one_of(st.none(), lengths, st.sampled_from(PERIODS)),
    hows,
    st.lists(labels, max_size=3, unique=True).map(tuple),
    st.one_of(st.just(0), lengths, lengths.map(lambda one: -one)),
)
numbers = st.one_of(
    st.builds(Number, st.floats(0, 1e300, allow_nan=False)),
    st.sampled_from(["5%", "0.5%", "$0.05", "10k", "1.5M"]).map(lambda text: parsed(text, strict=False)),
    st.builds(Number, lengths.map(lambda one: one / 1e6), st.just(True)),
)
ranged = summaries.map(lambda one: replace(one, window=one.window or HOUR))
trees = st.recursive(
    st.one_of(ranged, numbers),
    lambda inner: st.one_of(
        st.builds(
            Unary, st.sampled_from("+-"), inner.filter(lambda one: not isinstance(one, Number)).map(Paren)
        ),
        st.builds(Binary, st.sampled_from("+-*/%^"), inner.map(Paren), inner.map(Paren)),
        st.builds(Binary, st.sampled_from([">", "=="]), inner.map(Paren), ranged, st.booleans()),
        st.builds(lambda one: Call("baseline", (Paren(one),)), ranged),
        st.builds(lambda one: Aggregate("topk", Paren(one), Number(3.0)), ranged),
        st.builds(lambda one: Call("max_over_time", (Subquery(Paren(one), 10**9),)), ranged),
    ),
    max_leaves=12,
)


@settings(max_examples=examples(150))
@given(trees)
def test_a_tree_printed_and_parsed_is_the_same_tree(tree):
    text = printed(tree)
    again = parse(text)
    assert again == tree
    assert printed(again) == text


@settings(max_examples=examples(150))
@given(st.text(max_size=60))
def test_no_text_raises_anything_but_a_query_error(text):
    _parses_or_points(text)


WORDS = [
    "cost", "latency", "{", "}", "(", ")", "[", "]", ",", "by", "avg", "p95", "offset", "1h", "5", "5%", "$1",
    '"x"', "=", "!=", "=~", ">", "==", "+", "-", "*", "/", "%", "^", "and", "bool", "today", "# c\n", "sum(",
    "'", "rate(", "topk(3,", "on(x)", "baseline", "@", "vector(1)", "[1h:5m]", "or",
]  # fmt: skip


@settings(max_examples=examples(150))
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
        assert parse(printed(tree)) == tree
    if refused is not None:
        assert 0 <= refused.position <= len(text)
        assert refused.message


@given(st.text(max_size=30))
def test_a_quoted_value_comes_back(value):
    tree = parse(f"cost{{a={quote(value)}}}")
    assert isinstance(tree, Summary)
    assert tree.matchers[0].value == value
    assert parse(f"cost{{a={quoted(value)}}}") == tree


def test_words_that_are_aggregates():
    assert [w for w in ("avg", "p95", "p99.9", "p100", "p101", "p", "pp", "averge") if is_aggregate(w)] == [
        "avg", "p95", "p99.9", "p100",
    ]  # fmt: skip


def test_hours_are_kept_to_the_millisecond():
    tree = parse("cost [1.5h]")
    assert isinstance(tree, Summary)
    assert tree.window == HOUR + 30 * MINUTE


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
        ("requests [\n\n", "requests [", 9, 1),
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
