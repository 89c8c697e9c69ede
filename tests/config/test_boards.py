"""Boards: read from files, laid out on the grid, and wrong ones told with file, line and what to do."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.config import boards, resources
from tui_monitor.config.boards import COLUMNS, PanelSettings, lay_out, load_boards, read_board
from tui_monitor.model.errors import NotFound

PANEL = '[[panels]]\ntitle = "calls"\nquery = "requests{}"\n'
HEAD = 'title = "Mine"\n'


def problems(text: str) -> str:
    return "\n".join(read_board(Path("mine.toml"), HEAD + text).problems)


def test_shipped_ones_and_the_example_are_good() -> None:
    found = boards.shipped()
    assert {board.name for board in found} >= {"application", "database", "agents", "users", "executive"}
    example = read_board(Path("e.toml"), resources.example_dashboard())
    for board in (*found, example):
        assert not board.problems
        assert len(board.panels) == len(board.places)
    # Where nothing feeds a panel it says what would; no alert is an answer.
    needy = [panel for board in found for panel in board.panels if panel.widget != "alerts"]
    assert [panel.title for panel in needy if not panel.needs] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PANEL.replace("query", "quary"), "mine.toml:4: unknown key panels[1].quary; did you mean query?"),
        ('[[panels]]\ntitle = "a"\n', "mine.toml:2: panels[1] : a panel needs either query or queries"),
        (PANEL + 'widget = "lines"\n', "mine.toml:5: panels[1].widget must be"),
        (PANEL + 'widget = "alerts"\n', "takes no query"),
        (PANEL + 'widget = "stat"\n' + PANEL + 'widget = "heat"\nqueries = { a = "b" }\n', "needs either"),
        (PANEL + "row = 1\n", "row and column go together"),
        (PANEL + "row = 1\ncolumn = 10\nwidth = 4\n", "from column 10 there are 3 columns, not 4"),
        (PANEL + 'range = "soon"\n', "mine.toml:5: panels[1].range"),
        (PANEL + "max = nan\n", "panels[1].max must be a finite number"),
        (PANEL * 25, "panels must have at most 24"),
        ("", "panels is missing"),
        ("[[panels]\n", "mine.toml:2:"),
        (
            PANEL + "row = 1\ncolumn = 1\n" + PANEL + "row = 2\ncolumn = 6\n",
            "mine.toml:7: 'calls' lies over 'calls'",
        ),
    ],
    ids=range(13),
)
def test_what_is_wrong_is_told_by_line(text: str, said: str) -> None:
    assert said.replace("] :", "]:") in problems(text).replace("] :", "]:")


panels = st.lists(
    st.builds(
        PanelSettings,
        title=st.just("a"),
        query=st.just("b"),
        widget=st.sampled_from(["line", "stat", "gauge", "table"]),
        width=st.none() | st.integers(1, COLUMNS),
        height=st.none() | st.integers(1, 5),
    ),
    max_size=24,
)


@given(panels)
def test_panels_without_a_place_never_meet_nor_leave_the_grid(found: list[PanelSettings]) -> None:
    places = lay_out(found)
    for n, place in enumerate(places):
        assert (place.width, place.height) == found[n].size
        assert 0 <= place.column <= COLUMNS - place.width
        assert not any(place.meets(other) for other in places[:n])


def test_ones_own_take_the_place_of_shipped_ones_and_broken_ones_stay_alone(tmp_path: Path) -> None:
    (tmp_path / "agents.toml").write_text(HEAD + PANEL)
    (tmp_path / "odd.toml").write_text("title =")
    (tmp_path / "a b.toml").write_text(HEAD + PANEL)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "endless.toml").symlink_to("/dev/zero")
    (tmp_path / "notes.txt").write_text("no board")
    found = {board.name: board for board in load_boards(tmp_path)}
    assert (found["agents"].title, found["agents"].shipped) == ("Mine", False)
    assert {name for name, board in found.items() if board.problems} == {
        "odd", "a b", "bytes", "folder", "pipe", "endless",
    }  # fmt: skip
    assert found["pipe"].problems == (f"{tmp_path / 'pipe.toml'}: is not a file",)
    assert found["users"].shipped
    assert boards.find(list(found.values()), "EXECUTIVE").name == "executive"
    with pytest.raises(NotFound) as error:
        boards.find(list(found.values()), "user")
    assert error.value.hint == "did you mean users?"


def test_the_stamp_tells_of_changes(tmp_path: Path) -> None:
    before = boards.stamp(tmp_path / "none")
    assert before == boards.stamp(tmp_path) == ()
    (tmp_path / "a.toml").write_text(HEAD)
    one = boards.stamp(tmp_path)
    (tmp_path / "a.toml").write_text(HEAD + PANEL)
    assert one != boards.stamp(tmp_path) != ()
