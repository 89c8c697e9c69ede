"""Names in little room can be told apart, and paths keep their end."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_monitor.tui.drawing import ASCII, BRAILLE, fit
from tui_monitor.tui.naming import place_of, told_apart
from tui_monitor.tui.panes.boardlines import list_head
from tui_monitor.tui.widgets.figure import ChartData, ChartSeries
from tui_monitor.tui.widgets.legend import Key

MODELS = ("claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-1", "gpt-4o-mini", "gpt-4o")


def test_what_begins_alike_is_told_by_where_it_differs() -> None:
    assert told_apart(MODELS, 24) == list(MODELS)
    assert told_apart(MODELS, 11)[:2] == ["claude-son…", "claude-hai…"]
    assert told_apart(MODELS, 8) == ["c…sonnet", "c…haiku-", "c…opus-4", "gpt-4o-…", "gpt-4o"]
    assert told_apart(MODELS, 8, ASCII)[0] == "c~sonnet"
    assert told_apart(("a long name", "a long name"), 6) == ["a lon…"] * 2


@given(st.lists(st.text(max_size=30), max_size=8), st.integers(1, 30), st.sampled_from((BRAILLE, ASCII)))
def test_no_name_is_too_wide(names: list[str], width: int, glyphs) -> None:
    assert all(cell_len(text) <= width for text in told_apart(names, width, glyphs))


@given(st.lists(st.text("abcde-4", min_size=1, max_size=20), max_size=6, unique=True), st.integers(5, 20))
def test_names_are_never_more_alike_than_cut_at_the_end(names: list[str], width: int) -> None:
    ends = [name if len(name) <= width else fit(name, width) for name in names]
    assert len(set(told_apart(names, width))) >= len(set(ends))


@pytest.mark.parametrize("width", [80, 60, 30, 14, 5])
def test_a_long_path_loses_its_beginning_and_no_heading(width: int) -> None:
    folder = Path("/srv/monitoring/configuration/of/this/very/machine/tui-monitor/dashboards")
    line = list_head(folder, width, BRAILLE)
    (heading, _), (where, _) = line.left[0], line.right[0]
    assert heading == " DASHBOARDS"
    if width >= 60:
        assert where.endswith("tui-monitor/dashboards")
        assert len(heading) + len(where) < width
    assert place_of(folder) == str(folder)


def test_home_is_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert place_of(tmp_path / "boards" / "a.toml") == "~/boards/a.toml"
    assert place_of(tmp_path / "boards" / "a.toml", 10) == "…ds/a.toml"


@pytest.mark.parametrize(("width", "named"), [(120, 4), (78, 4), (64, 3), (40, 2), (24, 1)])
def test_a_crosshair_tells_names_and_values(width: int, named: int) -> None:
    values = [(2.1 + n, 3.0 + n) for n in range(4)]
    lines = [ChartSeries(name, line, n) for n, (name, line) in enumerate(zip(MODELS, values, strict=False))]
    data = ChartData((1, 2), tuple(lines), "ms")
    told = "".join(text for text, _ in Key(data, values, 0).row(width, BRAILLE))
    assert cell_len(told) <= width
    assert [f"{n + 2}.10 ms" in told for n in range(4)] == [n < named for n in range(4)]
    assert [part in told for part in ("son", "hai", "opu", "gpt")] == [n < named for n in range(4)]
    assert ("+" in told) == (named < 4)
