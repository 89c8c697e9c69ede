"""Colours of what is being typed: they agree with how it is read, and no text breaks them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.promql_grammar import Grammar
from tui_monitor.query.colouring import MAX_LENGTH, stretches
from tui_monitor.query.promql.lexer import Kind, tokens

PIECES = st.sampled_from(
    ["latency", "{", "}", "[1h]", "p95", " by", "(", ")", '"a b"', "'", "`", "=", "=~", "$__range", " AND ",
     "where ", "not ", "5%", "# x", "\\", "日本", "\x1b[31m", "[/]", "offset ", "1e9", ",", "\n"]
)  # fmt: skip


def told(text: str) -> dict[str, str]:
    return {text[one.start : one.end]: one.sort for one in stretches(text)}


def test_parts_of_a_query_are_told_apart() -> None:
    assert told('latency{provider="x"} [today] p95 by(model) offset 1d # why') == {
        "latency": "metric", "{": "sign", "provider": "label", "=": "sign", '"x"': "value", "}": "sign",
        "[": "sign", "today": "number", "]": "sign", "p95": "function", "by": "keyword", "(": "sign",
        "model": "label", ")": "sign", "offset": "keyword", "1d": "number", "# why": "comment",
    }  # fmt: skip
    found = told("sum without(le) (rate(sum[$__rate_interval])) > bool 5%")
    assert (found["sum"], found["rate"], found["__rate_interval"]) == ("metric", "function", "number")
    assert (found["without"], found["bool"], found["5%"]) == ("keyword", "keyword", "number")


def test_parts_of_a_filter_are_told_apart() -> None:
    assert told('where cost>$0.05 AND NOT (status=error OR user="a b")') == {
        "where": "keyword", "cost": "label", ">": "sign", "$0.05": "number", "AND": "keyword",
        "NOT": "keyword", "(": "sign", "status": "label", "=": "sign", "error": "value", "OR": "keyword",
        "user": "label", '"a b"': "value", ")": "sign",
    }  # fmt: skip


@given(st.one_of(st.lists(PIECES, max_size=20).map("".join), st.text(max_size=60)))
def test_any_text_is_divided_in_its_order(text: str) -> None:
    reached = 0
    for one in stretches(text):
        assert reached <= one.start < one.end <= len(text)
        reached = one.end


@given(st.integers(0, 100_000))
def test_colours_end_where_tokens_end(seed: int) -> None:
    """What the parser reads as one number, text or name is no two things in colour."""
    text = Grammar(seed).whole()
    read = tokens(text)
    ends = {end for one in stretches(text) for end in (one.start, one.end)}
    for token in read:
        if token.kind in (Kind.TEXT, Kind.NAME):
            assert {token.start, token.end} <= ends, token


@pytest.mark.parametrize("text", ["", " ", "x" * (MAX_LENGTH + 1)])
def test_what_is_empty_or_very_long_has_no_colours(text: str) -> None:
    assert stretches(text) == []
