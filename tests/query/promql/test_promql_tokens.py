"""Tokens, their places, and what only the whole language has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.model.errors import QueryError
from tui_monitor.query.promql.lexer import MAX_LENGTH, Kind, tokens


def ours(text: str):
    return tokens(text, strict=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", (5.0, "")), (".5", (0.5, "")), ("1e3", (1000.0, "")), ("1.5e-3", (0.0015, "")),
        ("5%", (0.05, "%")), (".5%", (0.005, "%")), ("$0.05", (0.05, "$")), ("10k", (10_000.0, "k")),
        ("1.5M", (1_500_000.0, "M")), ("0x1f", (31.0, "")), ("1_000", (1000.0, "")),
    ],
)  # fmt: skip
def test_numbers_carry_their_unit(text, expected):
    first, end = ours(text)
    assert (first.kind, first.text, end.kind) == (Kind.NUMBER, text, Kind.END)
    assert (first.number, first.unit) == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2s", 2), ("500ms", 0.5), ("5m", 300), ("1h30m", 5400), ("1.5h", 5400), ("1d12h", 129_600)],
)
def test_lengths_of_time_are_in_seconds(text, seconds):
    first, _ = ours(text)
    assert (first.kind, first.number) == (Kind.DURATION, seconds)


@pytest.mark.parametrize(
    ("text", "signs"),
    [("5%", []), ("5% ", []), ("(5%)", ["(", ")"]), ("5 % 2", ["%"]), ("5%2", ["%"]), ("5%(2)", ["%", "("]),
     ("cost%10", ["%"]), ("5% and x", []), ("5% > 2", [">"]), ("5% + 1", ["+"]),
     ("5% x", ["%"]), ("5% # x", [])],
)  # fmt: skip
def test_a_percent_sign_is_a_unit_only_where_no_operand_follows(text, signs):
    found = [t.text for t in ours(text) if t.kind is Kind.SIGN]
    assert found[: len(signs)] == signs
    assert ("%" in found) is ("%" in signs)


def test_places_are_characters_of_the_text():
    found = ours('cost {a =~ "é"}  # [x\n [1h]')
    assert [(t.text, t.start) for t in found] == [
        ("cost", 0), ("{", 5), ("a", 6), ("=~", 8), ('"é"', 11), ("}", 14),
        ("[", 23), ("1h", 24), ("]", 26), ("", 27),
    ]  # fmt: skip


def test_quantiles_with_decimals_are_names():
    assert [t.text for t in ours("latency p99.9 by(x)")][:2] == ["latency", "p99.9"]


def test_a_filter_has_a_tilde():
    assert [t.text for t in ours("model~`gpt.*`")] == ["model", "~", "`gpt.*`", ""]


@pytest.mark.parametrize(
    ("text", "position", "length", "message"),
    [
        ('a{b="x', 4, 1, "not closed"),
        (r'a{b="\q"}', 5, 2, r"unknown escape \q"),
        ("cost > 5kb", 8, 2, "unknown unit kb"),
        ("a & b", 2, 1, "unexpected character &"),
        ("a > $", 4, 1, "expected an amount"),
        ("a \x1b[2J", 2, 1, "unexpected character"),
        ("a > 1h30mm", 5, 5, "unknown unit h30mm"),
        ("a > 300y", 4, 4, "not a length of time"),
        ("sum(a", 3, 1, "( is not closed"),
        ("a)", 1, 1, "unexpected )"),
    ],
)
def test_errors_point_at_the_character(text, position, length, message):
    with pytest.raises(QueryError) as caught:
        ours(text)
    error = caught.value
    assert message in error.message
    assert (error.text, error.position, error.length) == (text, position, length)
    assert "\x1b" not in error.message


@pytest.mark.parametrize("text", ["5% + 1", "x % 5%", "$1", "10k", "1.5s", "x ~ y", "5m1h"])
def test_strictly_promql_has_none_of_ours(text):
    ours(text)
    if text not in ("5% + 1", "x % 5%"):
        with pytest.raises(QueryError):
            tokens(text)
    else:
        assert all(not token.unit for token in tokens(text))


def test_a_huge_text_is_refused_at_once():
    with pytest.raises(QueryError, match="100,000 are allowed"):
        ours("a" * (MAX_LENGTH + 1))
    assert len(ours("a" * MAX_LENGTH)) == 2


@given(st.text(max_size=40))
def test_what_is_read_strictly_is_read_alike(text):
    try:
        found = tokens(text)
    except QueryError:
        return
    if not any(token.text == "%" for token in found):
        assert ours(text) == found
