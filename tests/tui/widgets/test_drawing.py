"""Texts and drawings have exactly the width they were asked for, whatever is in them."""

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_monitor.tui.drawing import (
    ASCII,
    BLOCK,
    BRAILLE,
    GLYPHS,
    SINGLE,
    bar,
    curve,
    detect,
    fit,
    lane,
    printable,
    safe,
    shorten,
    size_of,
    sparkline,
    terminal_encoding,
    wrap,
)

any_glyphs = st.sampled_from(list(GLYPHS.values()))
any_value = st.none() | st.floats(allow_nan=True, allow_infinity=True)


@given(st.text(), st.integers(-2, 40), st.sampled_from(["left", "right", "center"]), any_glyphs)
def test_fit_is_exact(text, width, align, glyphs):
    drawn = fit(text, width, align, glyphs)
    assert cell_len(drawn) == max(0, width)
    assert not glyphs.plain or drawn.isascii()


@given(st.text())
def test_safe_text_is_one_line_without_anything_that_drives_a_terminal(text):
    drawn = safe(text)
    assert not {unicodedata.category(c) for c in drawn} & {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}
    assert cell_len(drawn) == sum(cell_len(c) for c in drawn), "the whole is as wide as its parts"
    assert safe(drawn) == drawn
    assert safe(text, ASCII).isascii()


@pytest.mark.parametrize(
    ("text", "width", "drawn"),
    [
        ("claude", 8, "claude  "),
        ("claude-sonnet", 8, "claude-…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日… "),
        ("e\u0301te\u0301", 4, "e\u0301te\u0301 "),
        ("👨\u200d👩\u200d👧 x", 8, "👨👩👧 x"),
        ("👍🏽", 3, "👍 "),
        ("a\tb\nc", 5, "a b c"),
        ("\x1b[31mred", 8, "[31mred "),
        ("\u202edcba", 4, "dcba"),
        ("a" + "\u0301" * 500, 2, "a" + "\u0301" * 3 + " "),
    ],
)
def test_fit_by_example(text, width, drawn):
    assert fit(text, width) == drawn


def test_the_short_cut_is_no_other_way():
    assert {cell_len(character) for character in SINGLE} == {1}
    assert not {unicodedata.category(c) for c in SINGLE} & {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp", "Mn", "Me"}


def test_ascii_keeps_the_meaning():
    assert safe("≈ $548 – déjà vu · 日本", ASCII) == "~ $548 - deja vu . ????"
    assert fit("a long name", 6, "left", ASCII) == "a lon~"


@given(st.lists(any_value, max_size=60), st.integers(-1, 40), any_value, any_glyphs)
def test_sparkline_is_exact(values, width, top, glyphs):
    assert cell_len(sparkline(values, width, top, glyphs)) == max(0, width)


@given(st.lists(st.floats(0, 9) | st.none(), min_size=1, max_size=40), st.integers(1, 60))
def test_a_curve_is_as_wide_as_its_place(values, width):
    drawn = curve(values, width, 9.0)
    assert len(drawn) == width
    if len(values) < width:
        assert " " not in drawn
    else:
        assert drawn == sparkline(values, width, 9.0)


def test_sparkline_levels():
    assert sparkline([0, 0.001, 50, 100, None, math.nan], 6, 100) == "▁▂▄▇··"
    assert sparkline([5], 3, 10) == "  ▄", "the newest stands at the right"
    assert sparkline([1, 9, 1, 1, 1, 1], 3, 9) == "▇▂▂", "a peak is never averaged away"
    assert sparkline([50], 1, 100) != sparkline([50], 1, 50), "the scale is the caller's"
    assert sparkline([0, 1, 2], 3, 2, ASCII) == "_=#"


@given(any_value, st.integers(-1, 40), any_glyphs, st.booleans())
def test_bar_is_exact(fraction, width, glyphs, track):
    assert cell_len(bar(fraction, width, glyphs, track=track)) == max(0, width)


def test_bar_tells_nothing_a_little_nearly_all_all_and_too_much_apart():
    drawn = [bar(fraction, 4) for fraction in (0, 0.0001, 0.5, 0.9999, 1, 1.2)]
    assert drawn == ["░░░░", "▏░░░", "██░░", "███▉", "████", "███▶"]
    assert bar(None, 4) == "░░░░"
    assert bar(0.5, 4, ASCII) == "##.."


@given(any_value, st.integers(-1, 40), any_glyphs, st.booleans())
def test_a_bar_of_a_list_is_exact(fraction, width, glyphs, way):
    assert cell_len(lane(fraction, width, glyphs, way=way)) == max(0, width)


def test_a_bar_of_a_list_is_low_and_tells_the_same_apart():
    drawn = [lane(fraction, 4) for fraction in (0, 0.0001, 0.5, 0.9999, 1, 1.2)]
    assert drawn == ["────", "▏───", "▇▇──", "▇▇▇─", "▇▇▇▇", "▇▇▇▶"]
    assert lane(None, 4) == "────"
    assert lane(0.5, 4, way=False) == "▇▇  "
    assert lane(0.5, 4, ASCII) == "##.."


@given(st.text(max_size=200), st.integers(1, 30))
def test_wrapped_lines_have_room(text, width):
    assert all(cell_len(line) <= width for line in wrap(text, width))


def test_wrap_breaks_at_spaces_and_keeps_breaks():
    assert wrap("one two three\nfour", 9) == ["one two", "three", "four"]


@given(st.lists(st.tuples(st.text(max_size=12), st.just(""))), st.integers(0, 30))
def test_shortened_spans_have_room(spans, width):
    assert size_of(shorten(spans, width)) <= width


def test_shorten_shows_that_something_is_missing():
    assert shorten([("abc", "x"), ("def", "y")], 5) == [("abc", "x"), ("d…", "y")]
    assert shorten([("abc", "x"), ("def", "y")], 3) == [("ab…", "x")]


@pytest.mark.parametrize(
    ("environ", "encoding"),
    [
        ({"LANG": "en_US.UTF-8"}, "utf-8"),
        ({"LANG": "de_DE.utf8"}, "utf-8"),
        ({"LC_CTYPE": "UTF-8"}, "utf-8"),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, "utf-8"),
        ({"LANG": "C"}, "ascii"),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "ascii"),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, "ascii"),
        ({"LANG": "de_DE.ISO-8859-1"}, "ascii"),
        ({}, "ascii"),
    ],
)
def test_the_locale_says_what_can_be_drawn(environ, encoding):
    assert terminal_encoding(environ) == encoding


def test_detect_prefers_what_is_set():
    assert detect("auto", "utf-8") is BRAILLE
    assert detect("auto", "UTF8") is BRAILLE
    assert detect("auto", "ascii") is ASCII
    assert detect("auto", "latin-1") is ASCII
    assert detect("block", "ascii") is BLOCK


def test_state_glyphs_differ_within_each_set():
    for glyphs in GLYPHS.values():
        assert len({glyphs.state(token) for token in ("ok", "warn", "crit", "stale", "")}) == 5
        assert all(cell_len(glyphs.state(token)) == 1 for token in ("ok", "warn", "crit", "stale", ""))


def test_printable_keeps_what_people_write():
    assert printable("नि\u200dx") == "नि\u200dx"
    assert printable("a\x1b]0;x\x07\x9b31m\u202eb\n") == "a]0;x31mb"
