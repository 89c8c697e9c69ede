"""Nothing from outside reaches a terminal with a control character in it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.model.text import MAX_TEXT, clean, clean_or_none

BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@given(st.text(max_size=2_000))
def test_clean_text_is_short_and_harmless(text: str) -> None:
    result = clean(text)
    assert len(result) <= MAX_TEXT
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in result)
    assert not any(unicodedata.bidirectional(c) in BIDI for c in result)


@given(st.text(max_size=MAX_TEXT))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gpt-4o", "gpt-4o"),
        ("\x1b]0;owned\x07name", "]0;ownedname"),
        ("a\x9b31mb", "a31mb"),
        ("two\nlines\there", "two lines here"),
        ("safe\u202eevil", "safeevil"),
        ("模型", "模型"),
        ("[/foo]", "[/foo]"),
    ],
)
def test_examples(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_a_cut_name_shows_that_it_is_cut() -> None:
    assert clean("x" * 5_000) == "x" * (MAX_TEXT - 1) + "…"


def test_nothing_left_is_unknown() -> None:
    assert clean_or_none("\x1b\x00") is None
    assert clean_or_none(None) is None
    assert clean_or_none(" a ") == "a"
