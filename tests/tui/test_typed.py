"""What is typed, however the line parts it, is the same keys."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Key, Paste

from tui_monitor.tui.typed import ALONE_S, BEGUN_S, Typed

SPOKEN = [
    "q", "é", "日本", "👩\u200d👧", "\x1b[A", "\x1bOP", "\x1b[[A", "\x1b[15~", "\x1b[1;5C", "\x1bq",
    "\x1b[<0;3;4M", "\x1b[3;9R", "\x1b[?2026;2$y", "\x1b[I",
    "\x1b[1;2R", "\x1b[1;5R", "\x1b[200~one\ntwo é\x1b[201~", "\x1b[97;5u", "\r", "\x1b[9;9z",
    "\x1b[1114112u",
]  # fmt: skip


def told(messages: Any) -> list[str]:
    return [
        one.key if isinstance(one, Key) else f"{type(one).__name__} {getattr(one, 'text', '')}"
        for one in messages
    ]


def read(*parts: bytes) -> list[str]:
    typed = Typed()
    return [name for part in parts for name in told(typed.feed(part))]


@given(st.lists(st.sampled_from(SPOKEN), min_size=1, max_size=6).map("".join), st.data())
def test_parted_anywhere_it_is_the_same(spoken: str, data: st.DataObject) -> None:
    whole = spoken.encode()
    cut = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    parts = [whole[a:b] for a, b in zip([0, *cut], [*cut, len(whole)], strict=True)]
    assert read(*parts) == read(whole)


def test_half_a_character_does_not_end_the_keyboard() -> None:
    assert read(b"\xc3", b"\xa9", b"q") == ["é", "q"]
    assert read(b"\xff", b"q")[-1] == "q"


@pytest.mark.parametrize(
    "noise",
    ["\x1b[1114112u", "\x1b[99999999999999999999u", "\x1b[?62;4c", "\x1b[4;1y", "\x1b]11;rgb:1/2/3\x07",
     "\x1b]11;rgb:0000/0000/0000\x1b\\", "\x1bP1$r0m\x1b\\"],
)  # fmt: skip
def test_what_nobody_pressed_is_no_key(noise: str) -> None:
    assert read(f"{noise}q".encode()) == ["q"]


def test_an_escape_alone_is_a_key_when_nothing_follows_at_once() -> None:
    typed = Typed()
    assert told(typed.feed(b"\x1b")) == []
    assert (typed.patience(slow=False), typed.patience(slow=True)) == (ALONE_S, 0.1)
    assert told(typed.as_it_is()) == ["escape"]
    assert typed.patience(slow=False) is None
    assert told(typed.feed(b"\x1b[")) == []
    assert typed.patience(slow=False) == BEGUN_S
    assert told(typed.feed(b"B")) == ["down"]


def test_an_escape_behind_which_keys_wait_is_one() -> None:
    assert read(b"\x1b\x1b[B", b"x") == ["escape", "down", "x"]
    assert read(b"\x1bq", b"x") == ["alt+q", "x"]


def test_what_is_pasted_presses_nothing_and_ends_only_where_it_ends() -> None:
    typed = Typed()
    assert told(typed.feed(b"\x1b[200~a\x1b[31mb\x1b")) == []
    assert typed.patience(slow=False) is None
    (pasted,) = typed.feed(b"[201~")
    assert isinstance(pasted, Paste)
    assert pasted.text == "a[31mb"
    assert told(typed.feed(b"q")) == ["q"]


def test_f3_with_a_modifier_is_no_report_of_the_cursor() -> None:
    assert read(b"\x1b[1;2R\x1b[1;5R") == ["shift+f3", "ctrl+f3"]
    assert read(b"\x1b[2;2R\x1b[1;1R") == ["CursorPosition "] * 2
