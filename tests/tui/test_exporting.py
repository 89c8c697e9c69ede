"""Files and the clipboard: exact values, whole or not at all, harmless to terminals and spreadsheets."""

import base64
import csv
import io
import os
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.model.errors import UsageError
from tui_monitor.tui.clipboard import MOST, copying
from tui_monitor.tui.exporting import Table, save

values = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)


@given(st.lists(st.tuples(values, values), max_size=10))
def test_csv_is_read_back_as_it_was(rows: list[tuple[object, object]]) -> None:
    content = Table(("a", "b"), tuple(rows)).csv().decode()
    header, *read = csv.reader(io.StringIO(content, newline=""))
    assert header == ["a", "b"]
    assert len(read) == len(rows)
    for row, was in zip(read, rows, strict=True):
        for text, value in zip(row, was, strict=True):
            if isinstance(value, int | float):
                assert type(value)(text) == value
            elif value is None:
                assert text == ""
            else:
                # Nothing drives a terminal, nothing is reckoned.
                assert not re.search(r"[\x00-\x1f\x7f-\x9f]", text)
                assert not text.startswith(("=", "+", "-", "@"))


def test_a_file_is_its_owners_and_never_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    save(path, b"one", replace=False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="exists already"):
        save(path, b"two", replace=False)
    assert path.read_bytes() == b"one"
    save(path, b"three", replace=True)
    assert path.read_bytes() == b"three"
    assert [name for name in os.listdir(tmp_path) if "x.csv" in name] == ["x.csv"]


def test_what_cannot_be_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        save(tmp_path / "none" / "x", b"", replace=False)
    with pytest.raises(UsageError, match="is a directory"):
        save(tmp_path, b"", replace=True)


def decoded(sequence: str) -> str:
    found = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", sequence)
    assert found, sequence
    return base64.b64decode(found[1]).decode()


@given(st.text(max_size=300))
def test_copied_text_is_printable_and_comes_through_whatever_is_between(text: str) -> None:
    plain = copying(text, {})
    assert plain is not None
    there = decoded(plain)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", there)
    if text.isascii() and text.isprintable():
        assert there == text
    tmux = copying(text, {"TMUX": "/tmp/tmux,1,0", "STY": "1"})
    assert tmux is not None
    bare, _, handed = tmux.partition("\x1bPtmux;")
    assert bare == plain
    assert handed.removesuffix("\x1b\\").replace("\x1b\x1b", "\x1b") == plain
    screen = copying(text, {"STY": "1"})
    assert screen is not None
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", screen, re.DOTALL)
    assert "".join(pieces) == plain
    assert all(len(piece) <= 760 for piece in pieces)


def test_too_much_is_not_copied() -> None:
    assert copying("x" * MOST, {}) is not None
    assert copying("x" * (MOST + 1), {}) is None
