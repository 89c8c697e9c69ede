"""Tokens and their places."""

import pytest

from tui_monitor.model.errors import QueryError
from tui_monitor.query.lexer import MAX_LENGTH, Kind, tokens


def number(text: str) -> tuple[float, str]:
    first, end = tokens(text)
    assert (first.kind, first.text, end.kind) == (Kind.NUMBER, text, Kind.END)
    return first.number, first.unit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", (5.0, "")), (".5", (0.5, "")), ("1e3", (1000.0, "")), ("1.5e-3", (0.0015, "")),
        ("2s", (2.0, "s")), ("500ms", (500.0, "ms")), ("5%", (5.0, "%")), ("$0.05", (0.05, "$")),
        ("10k", (10.0, "k")), ("3M", (3.0, "M")), ("5m", (5.0, "m")), ("1h30m", (5_400_000.0, "ms")),
        ("1d12h", (129_600_000.0, "ms")),
    ],
)  # fmt: skip
def test_numbers_carry_their_unit(text, expected):
    assert number(text) == expected


@pytest.mark.parametrize(
    ("text", "signs"),
    [("5%", []), ("5% ", []), ("(5%)", ["(", ")"]), ("5 % 2", ["%"]), ("5%2", ["%"]), ("5%(2)", ["%", "("]),
     ("cost%10", ["%"]), ("5% + 1", ["+"])],
)  # fmt: skip
def test_a_percent_sign_is_a_unit_only_where_no_operand_follows(text, signs):
    found = [t.text for t in tokens(text) if t.kind is Kind.SIGN]
    assert found[: len(signs)] == signs
    assert ("%" in found) is ("%" in signs)


def test_places_are_characters_of_the_text():
    found = tokens('cost {a =~ "é"}  # [x\n [1h]')
    assert [(t.text, t.position) for t in found] == [
        ("cost", 0), ("{", 5), ("a", 6), ("=~", 8), ('"é"', 11), ("}", 14),
        ("[", 23), ("1h", 24), ("]", 26), ("", 27),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\"b"', 'a"b'), (r"'a\'b'", "a'b"), (r"`a\b`", r"a\b"), (r'"\\."', r"\."),
        (r'"\n\t\r"', "\n\t\r"),
        (r'"\u00e9\x41\U0001F600"', "éA😀"), ('""', ""),
    ],
)  # fmt: skip
def test_quoted_text(text, value):
    first, _ = tokens(text)
    assert (first.kind, first.value) == (Kind.TEXT, value)


def test_quantiles_with_decimals_are_names():
    assert [t.text for t in tokens("latency p99.9 by(x)")][:2] == ["latency", "p99.9"]


@pytest.mark.parametrize(
    ("text", "position", "length", "message"),
    [
        ('a{b="x', 4, 1, "not closed"),
        ('a{b="x\n"}', 4, 1, "not closed"),
        (r'a{b="\q"}', 5, 2, r"unknown escape \q"),
        ("cost > 5kb", 8, 2, "unknown unit kb"),
        ("a & b", 2, 1, "unexpected character &"),
        ("a > $", 4, 1, "expected an amount"),
        ("1e999", 0, 1, "too large"),
        ("a \x1b[2J", 2, 1, "unexpected character"),
        ("a > 1h30mm", 5, 5, "unknown unit h30mm"),
    ],
)
def test_errors_point_at_the_character(text, position, length, message):
    with pytest.raises(QueryError) as caught:
        tokens(text)
    error = caught.value
    assert message in error.message
    assert (error.text, error.position, error.length) == (text, position, length)
    assert "\x1b" not in error.message


def test_a_huge_text_is_refused_at_once():
    with pytest.raises(QueryError, match="10,000 are allowed"):
        tokens("a" * (MAX_LENGTH + 1))
    assert len(tokens("a" * MAX_LENGTH)) == 2
