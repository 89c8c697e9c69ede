"""Theme files of one's own: what may stand in them, and what is said of one that is wrong."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.config.palettes import SHIPPED
from tui_monitor.config.theming import MAX_THEMES, ThemeFile, load_theme, load_themes, stamp, written
from tui_monitor.config.toml import parse_toml
from tui_monitor.model.errors import UsageError


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_written_to_start_from_is_the_theme_itself(tmp_path: Path, name: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(written(name), encoding="utf-8")
    assert load_theme(path) == SHIPPED[name]


def test_what_a_file_leaves_out_is_the_bases(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('base = "tui-monitor-light"\naccent = "#ABC"\n')
    assert load_theme(path) == replace(SHIPPED["tui-monitor-light"], about="", accent="#abc")


WRONG = {
    'accnt = "#fff"': ("mine.toml:2: unknown key accnt", "did you mean accent?"),
    'ok = "blu"': ('mine.toml:2: ok = "blu": no colour', "#6cb6ff"),
    'ok = "ansi_red"': ("mine.toml: ok is ansi_red",),
    "ok = 3": ("mine.toml:2: ok must be text in quotes",),
    'base = "solar"': ('mine.toml:2: base = "solar": no theme to start from',),
    'series = ["#fff"]': ("mine.toml:2: series: 8 colours are needed, there are 1",),
    'mode = "ansi"': ("mine.toml: background is #11151b",),
    'mode = "dim"': ('mine.toml:2: mode must be "dark", "light" or "ansi"',),
    "ok == 1": ("mine.toml:2:",),
}


@pytest.mark.parametrize("line", WRONG)
def test_what_is_wrong_is_told_with_file_line_and_key(tmp_path: Path, line: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'about = "mine"\n{line}\n')
    with pytest.raises(UsageError) as raised:
        load_theme(path)
    for words in WRONG[line]:
        assert words in raised.value.message


def test_one_that_is_wrong_takes_none_down(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text('accent = "#123456"')
    (tmp_path / "tui-monitor.toml").write_text('accent = "#123456"')
    (tmp_path / "a b\x1b.toml").write_text("")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "notes.txt").write_text("no theme")
    found = load_themes(tmp_path)
    assert list(found.palettes) == ["good"]
    assert len(found.problems) == 5
    assert not any("\x1b" in problem for problem in found.problems)
    assert load_themes(tmp_path / "nowhere").palettes == {}


def test_their_number_has_an_end(tmp_path: Path) -> None:
    for number in range(MAX_THEMES + 5):
        (tmp_path / f"t{number:03}.toml").write_text("")
    assert len(load_themes(tmp_path).palettes) == len(stamp(tmp_path)) == MAX_THEMES


def test_another_time_or_size_is_another_stamp(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('accent = "#123456"')
    before = stamp(tmp_path)
    assert stamp(tmp_path) == before
    path.write_text('accent = "#1234567"')
    assert stamp(tmp_path) != before


values = st.one_of(
    st.text(max_size=12), st.integers(), st.lists(st.text(max_size=8), max_size=9), st.booleans()
)


@given(st.dictionaries(st.sampled_from([*ThemeFile.model_fields, "other"]), values, max_size=4))
def test_any_values_make_a_palette_or_are_told_of(values: dict[str, object]) -> None:
    from pydantic import ValidationError

    from tui_monitor.config.problems import describe

    try:
        said = len(ThemeFile.model_validate(values).palette().series)
    except ValidationError as error:
        said = len(describe(ThemeFile, error, parse_toml(Path("x.toml"), "").place))
    assert said > 0
