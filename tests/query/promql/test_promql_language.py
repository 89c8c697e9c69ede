"""The language: another parser as an oracle, every expression of Prometheus's tests, and what errors say."""

import math

import promql_parser
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from promql_data import expressions
from promql_grammar import Grammar

from tests.examples import examples
from tui_monitor.model.errors import QueryError
from tui_monitor.query.promql.ast import Expr, Number, Selector, ValueType, bare, walk
from tui_monitor.query.promql.parser import MAX_DEPTH, parsed
from tui_monitor.query.promql.printer import WIDTH, pretty, printed
from tui_monitor.query.promql.typecheck import type_of


def accepted(text: str) -> Expr | None:
    """The tree, or nothing where it is refused."""
    try:
        return parsed(text)
    except QueryError:
        return None


@settings(max_examples=examples(75))
@given(st.integers(0, 2**32).map(lambda seed: Grammar(seed).whole()))
@example("-1 ^ 2")
@example("- -x")
@example("2 ^ 3 ^ x")
@example("sum(x) by (a,)")
@example("Inf ^ 2")
def test_another_parser_takes_the_same_and_prints_the_same(text):
    try:
        oracle = promql_parser.parse(text)
    except ValueError:
        assert accepted(text) is None
        return
    tree = parsed(text)
    assert parsed(printed(tree)) == tree
    assert parsed(pretty(tree)) == tree
    assert promql_parser.parse(printed(tree)).prettify() == oracle.prettify()


def test_every_expression_of_prometheus_is_taken_and_comes_back():
    for text in set(expressions()):
        tree = parsed(text)
        assert parsed(printed(tree)) == tree, text
        assert parsed(pretty(tree)) == tree, text


PIECES = [
    "x", "sum", "rate", "by", "on", "bool", "offset", "(", ")", "[", "]", "{", "}", ",", ":", "@", "5m", "1",
    "=", "=~", "!=", "+", "-", "^", "and", '"a"', "'", "\\", "#", "\n", "Inf", "start()", "ü", "\0", "</",
    "topk(", "[5m:", "1e",
]  # fmt: skip


@settings(max_examples=examples(75))
@given(st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join) | st.text(max_size=30))
@example("(" * 5_000)
@example("-" * 5_000 + "x")
@example("x + " * 5_000 + "x")
@example("x[5m:]" + "[5m:]" * 500)
@example("9" * 400)
@example("x[99999999999999999999y]")
def test_anything_is_an_expression_or_an_error_with_a_place(text):
    try:
        tree = parsed(text)
    except QueryError as caught:
        error = caught
    else:
        assert parsed(printed(tree)) == tree
        for node in walk(tree):
            assert 0 <= node.place.start <= node.place.end <= len(text)
        return
    assert 0 <= error.position <= len(text)
    assert error.pointed()


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("rat(x[5m])", "rat", "unknown function rat", "did you mean rate?"),
        ("hsitogram_quantile(1, x)", "hsitogram_quantile", "unknown function", "histogram_quantile"),
        ("rate(x)", "x", "rate takes a range vector, not an instant vector", "metric[5m]"),
        ("sum(x", "(", "( is not closed", None),
        ("x[5m", "[", "[ is not closed", None),
        ("x{a=b}", "b", "expected a text in quotes, not b", None),
        ('x{a=~"("}', '"("', "not a regular expression", None),
        ('{a=~".*"}', '{a=~".*"}', "a selector needs a name", None),
        ("1 > 2", "1 > 2", "two numbers are compared with bool", "> bool"),
        ("x + bool y", "bool", "bool is for comparisons", None),
        ("1 </ 2", "1 </ 2", "</ is for native histograms", None),
        ("x and on(a) group_left y", "group_left", "and takes no group_left", None),
        ("x * on(a) group_left(a) y", "group_left", "a is in on(…) already", None),
        ("topk(x)", "topk", "topk takes 2 arguments, not 1", None),
        ("x offset 5m offset 1m", "offset 1m", "offset is given twice", None),
        ("sum(x)[5m]", "[", "other expressions need a step", None),
        ("x[0s]", "0s", "a range is longer than 0", None),
        ("x[5m5h]", "5m5h", "not a length of time", "greatest to the least"),
        ("1x", "1x", "not a number: 1x", None),
        ("x unles y", "unles", "expected an operator or the end", "did you mean unless?"),
        ('"a" + 1', '"a"', "not a text", None),
        ("label_replace(x)", "label_replace(x)", "takes 5 arguments, not 1", "label_replace(vector"),
        ("", "", "expected an expression, there is none", None),
    ],
)  # fmt: skip
def test_errors_name_the_place_what_is_wrong_and_what_helps(text, place, message, hint):
    with pytest.raises(QueryError) as caught:
        parsed(text)
    assert text[caught.value.position :].startswith(place)
    assert message in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1F", 31), ("017", 15), ("08", 8), ("1_000", 1000), (".5", 0.5), ("2.", 2), ("1e3", 1000),
        ("-Inf", -math.inf),
        ("1h30m", 5400), ("-5m", -300), ("+3", 3), ("inF", math.inf),
    ],
)  # fmt: skip
def test_numbers(text, value):
    tree = parsed(text)
    assert isinstance(tree, Number)
    assert tree.value == value


def test_names_between_quotes_and_keywords():
    tree = parsed(r'{"my.metric", "label.name"="\u00fc\x41\101", on!="x"}')
    assert isinstance(tree, Selector)
    assert tree.name == "my.metric"
    assert [(m.label, m.value) for m in tree.matchers] == [("label.name", "üAA"), ("on", "x")]
    assert isinstance(parsed("sum"), Selector)
    assert isinstance(parsed("by{a='b'}"), Selector)


def test_long_expressions_are_broken_over_lines():
    tree = parsed(
        f"sum by (job) (rate({'a' * 60}[5m])) / on (job) group_left () sum by (job) (rate({'b' * 60}[5m]))"
    )
    lines = pretty(tree).splitlines()
    assert len(lines) > 1
    assert all(len(line) <= WIDTH for line in lines)


def test_what_a_terminal_would_obey_is_printed_escaped():
    text = 'x{a="\x9b31m\u202e\u200b\ufeff\x7fé"}'
    assert printed(parsed(text)) == r'x{a="\u009b31m\u202e\u200b\ufeff\x7fé"}'
    assert parsed(printed(parsed(text))) == parsed(text)


def test_depth_is_bounded():
    assert parsed("(" * (MAX_DEPTH - 2) + "x" + ")" * (MAX_DEPTH - 2))
    with pytest.raises(QueryError, match="nested more than"):
        parsed("(" * MAX_DEPTH + "x" + ")" * MAX_DEPTH)
    with pytest.raises(QueryError, match="nested more than"):
        parsed(" + ".join(["x"] * (MAX_DEPTH + 1)))


def test_types():
    assert type_of(parsed("1 + time()")) is ValueType.SCALAR
    assert type_of(parsed("(x[5m])")) is ValueType.MATRIX
    assert type_of(bare(parsed("('a')"))) is ValueType.STRING
    assert type_of(parsed("-x * 2")) is ValueType.VECTOR
