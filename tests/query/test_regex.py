"""Regular expressions: the standard library's as an oracle, and no pattern that takes long."""

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.query.regex import Pattern, PatternError

PIECES = ["a", "b", "c", ".", "[ab]", "[^a]", "[a-c]", r"\d", r"\w", r"\.", "(a|b)", "(?:ab)", "(?:)", "x"]
pieces = st.sampled_from(PIECES)
counts = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?"])
rows = st.lists(st.tuples(pieces, counts).map("".join), max_size=5).map("".join)
nested = st.recursive(
    rows,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"{pair[0]}|{pair[1]}"),
        st.tuples(inner, counts).map(lambda pair: f"({pair[0]}){pair[1]}"),
    ),
    max_leaves=4,
)


@settings(max_examples=examples(200))
@given(nested, st.text(alphabet="abcx1._", max_size=8))
def test_the_same_as_the_standard_library(pattern, text):
    assert Pattern(pattern).matches(text) is bool(re.fullmatch(pattern, text, re.DOTALL))


@pytest.mark.parametrize(
    ("pattern", "takes", "refuses"),
    [
        ("gpt-.*", ["gpt-4o", "gpt-"], ["a gpt-4o", "gpt"]),
        ("^gpt$", ["gpt"], ["gpt4"]),
        ("a|b", ["a", "b"], ["ab", ""]),
        ("", [""], ["a"]),
        ("(?i)Claude|GPT", ["claude", "gPt"], ["x"]),
        ("(?i:A)b", ["ab", "Ab"], ["aB"]),
        ("(?i)[a-c]é", ["Bé", "bÉ"], ["dé"]),
        ("[]a]", ["]", "a"], ["b"]),
        ("[a-]", ["a", "-"], ["b"]),
        ("[^-a]", ["b"], ["-", "a"]),
        (r"[\d.]+", ["1.2"], ["a"]),
        (r"\x41\x{1F600}", ["A😀"], ["A"]),
        (r"(?P<year>\d{4})", ["2026"], ["26"]),
        ("a{,2}", ["a{,2}"], ["aa"]),
        ("x{a}", ["x{a}"], ["xa"]),
        ("(a*)*", ["", "aaa"], ["b"]),
        ("5..", ["503"], ["50"]),
    ],
)
def test_what_patterns_take(pattern, takes, refuses):
    compiled = Pattern(pattern)
    assert [text for text in takes if not compiled.matches(text)] == []
    assert [text for text in refuses if compiled.matches(text)] == []


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "a)", "[a", "*a", "a**", "a{2000}", "a{3,2}", r"\1", r"a(?=b)", r"(?<=a)b", "[b-a]", "\\",
     r"\xzz", "(?P<1>a)", "[[:alpha:]]", "(?z)", "(a{999}){999}", "(" * 5000 + ")" * 5000],
)  # fmt: skip
def test_what_is_no_pattern(pattern):
    with pytest.raises(PatternError):
        Pattern(pattern)


@settings(max_examples=examples(150))
@given(st.text(alphabet="ab()[]{}*+?|\\^$.-,09:<>Pixsz=!", max_size=20))
def test_no_pattern_raises_anything_else(text):
    with suppress(PatternError):
        assert Pattern(text).matches("ab") in (True, False)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "a*a*a*a*a*a*b", "(.*)(.*)(.*)(.*)(.*)[x]"])
def test_patterns_that_explode_elsewhere_do_not(pattern):
    compiled = Pattern(pattern)
    assert not any(compiled.matches("a" * length) for length in range(200, 256))
