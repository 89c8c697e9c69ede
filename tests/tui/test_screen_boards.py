"""Boards on the screen: laid out, answered, walked through, read anew, and wrong ones kept to themselves."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.screen_fakes import KEY, FakeMonitor, dashboard, settle, text, tick
from tui_monitor.config import boards, places
from tui_monitor.config.boards import read_board
from tui_monitor.model.clock import HOUR, SECOND
from tui_monitor.monitor.boards import passed
from tui_monitor.query.panels import PanelAnswer, PanelTrouble
from tui_monitor.tui.drawing import BRAILLE
from tui_monitor.tui.panes import boardlines
from tui_monitor.tui.panes.boards import LOOKS, BoardsPane
from tui_monitor.tui.screens.dashboard import Dashboard
from tui_monitor.tui.widgets.board import PanelChart, PanelTable

pytestmark = pytest.mark.usefixtures("quick_pilot")

MINE = """title = "Mine"
about = "what I look at"
[[panels]]
title = "now"
widget = "stat"
query = "latency{} p95"
thresholds = [{ value = 500, level = "critical", name = "slow" }]
[[panels]]
title = "slip"
widget = "stat"
query = "latncy{} p95"
[[panels]]
title = "over time"
query = "latency{} p95 by(provider)"
range = "6h"
row = 2
column = 1
[[panels]]
title = "by provider"
widget = "table"
query = "latency{} p95 by(provider)"
[[panels]]
title = "[/odd"
widget = "gauge"
width = 6
height = 2
query = "latency{} by(provider)"
[[panels]]
title = "what is wrong"
widget = "alerts"
"""
SLIP = PanelTrouble('unknown metric "latncy"', "", "latncy{} p95", 0, 6)


@pytest.fixture
def mine() -> Path:
    """A board of one's own."""
    path = places.config_file().parent / "dashboards" / "mine.toml"
    path.parent.mkdir(parents=True)
    path.write_text(MINE)
    return path


class Boards(FakeMonitor):
    """Answers panels; the misspelt one with what is wrong."""

    async def panels(self, asked, shown):
        found = await super().panels(asked, shown)
        return tuple(
            PanelAnswer(trouble=SLIP) if "latncy" in one.text else answer
            for one, answer in zip(asked, found, strict=True)
        )


async def shown(pilot, *keys: str) -> str:
    """The screen after some keys, once the pane has what it waits for."""
    await settle(pilot, *keys)
    pane = pilot.app.query_one(BoardsPane)
    for _ in range(200):
        if pane.answer is not None and not pane.asking:
            break
        await pilot.pause(0.01)
    await settle(pilot)
    return text(pilot.app)


async def test_a_board_is_shown_walked_through_and_read_anew(mine: Path) -> None:
    monitor = Boards()
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        assert monitor.count("panels") == 0
        seen = await shown(pilot, KEY["boards"])
        pane = pilot.app.query_one(BoardsPane)
        # Each panel has its own answer, or its own trouble.
        assert "MINE" in seen
        assert ("1.00 s" in seen or "3.00 s" in seen, "✖ slow" in seen) == (True, True)
        assert "latncy{} p95" in seen
        assert 'unknown metric "latncy"' in seen
        assert "[/odd" in seen
        assert "12 of 20 calls to openai failed" in seen
        asked, over = next(args for name, args in monitor.asked if name == "panels")
        assert {one.length for one in asked} == {0, 6 * HOUR}
        assert over.length == HOUR

        # The arrows go to what lies there; the table gives them back at its edges.
        assert pane.panel is not None
        walk = [pane.panel.number]
        for key in ("right", "down", "left", "down", "up"):
            await settle(pilot, key)
            walk.append(pane.panel.number)
        assert walk == [0, 1, 2, 2, 4, 2]
        chart = pane.panel.front
        assert isinstance(chart, PanelChart)
        await settle(pilot, "c", "left")
        assert chart.pointed is not None
        assert pane.panel.number == 2
        await settle(pilot, "escape", "right")
        assert (chart.pointed, isinstance(pane.panel.front, PanelTable)) == (None, True)

        # Nothing is asked while nothing changes, nor while another pane is shown.
        before = monitor.count("panels")
        await tick(pilot)
        monitor.version += 1
        await settle(pilot, KEY["costs"])
        await tick(pilot)
        assert monitor.count("panels") == before

        # A changed file is read anew; a broken one is said, with its line, and the others stay.
        await shown(pilot, KEY["boards"])
        mine.write_text(MINE.replace('"Mine"', "3"))
        for _ in range(100):
            monitor.at += LOOKS + SECOND
            await tick(pilot)
            if "mine.toml:1" in text(pilot.app):
                break
        seen = text(pilot.app)
        assert "mine.toml:1" in seen
        assert "tui-monitor dashboards edit mine" in seen
        # It has the keys, however one came to it: to the list and back, and on to the next board.
        await settle(pilot, "b", "home", "enter")
        assert "dashboards edit mine" in text(pilot.app)
        assert "AGENTS" in await shown(pilot, "B")
        await settle(pilot, *"BBBBB")
        assert "dashboards edit mine" in text(pilot.app)
        await settle(pilot, "b")
        seen = text(pilot.app)
        assert all(name in seen for name in ("broken", "Application", "Database", "Executive"))
        seen = await shown(pilot, "down", "enter")
        assert "AGENTS" in seen

        # Its query opens where all are asked; the board is found by its name.
        await settle(pilot, "enter")
        screen = pilot.app.screen
        assert isinstance(screen, Dashboard)
        assert screen.active == "query"
        assert 'requests{agent!=""}' in text(pilot.app)
        await screen.action_board("Executive")
        assert "EXECUTIVE" in await shown(pilot)
        await screen.action_board("none such")
        assert "EXECUTIVE" in await shown(pilot)


async def test_narrow_and_without_an_answer(mine: Path) -> None:
    monitor = Boards()
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        seen = await shown(pilot, KEY["boards"])
        assert "0 Brd" in seen
        assert "MINE" in seen
        assert "over time" in seen
        await settle(pilot, *["f6"] * 5)
        assert "what is wrong" in text(pilot.app)
        await pilot.resize_terminal(30, 8)
        await settle(pilot)


def test_what_stands_where() -> None:
    board = next(board for board in boards.shipped() if board.name == "application")
    for width, height in ((96, 20), (120, 35), (200, 45), (80, 19), (40, 10), (10, 3)):
        found = boardlines.regions(board, width, height)
        for n, (x, y, size, tall) in enumerate(found):
            assert x >= 0
            assert x + size <= width
            assert tall >= 4
            for left, top, other, high in found[:n]:
                assert x >= left + other or left >= x + size or y >= top + high or top >= y + tall
    # A screen with room enough is filled to its last line, and no row is lower than it is to be read.
    assert max(y + tall for _, y, _, tall in boardlines.regions(board, 200, 45)) == 45
    wide = boardlines.regions(board, 120, 35)
    assert [boardlines.beside(wide, 0, *way) for way in ((1, 0), (0, 1), (-1, 0), (0, -1))] == [
        1,
        4,
        None,
        None,
    ]


@given(st.text(max_size=40), st.integers(0, 60), st.integers(1, 12), st.integers(3, 90))
def test_an_error_is_drawn_in_any_width(said: str, at: int, length: int, width: int) -> None:
    from tui_monitor.monitor.boards import PanelView

    panel = read_board(Path("m.toml"), MINE).panels[1]
    view = PanelView(panel, trouble=replace(SLIP, message=said, position=at, length=length))
    boardlines.figures(view, width, 3, None, BRAILLE)  # type: ignore[arg-type]


GAUGES = """
title = "g"
[[panels]]
title = "share"
widget = "gauge"
query = "success_rate{} by(agent)"
unit = "ratio"
thresholds = [
  { value = 0.9, when = "below", level = "warning" },
  { value = 0.5, when = "below", level = "critical" },
]
[[panels]]
title = "rate"
widget = "gauge"
query = "requests{} rate"
[[panels]]
title = "heat"
widget = "heat"
query = "sum by (le) (increase(llm_request_duration_seconds_bucket[5m]))"
needs = "calls"
"""


def of_board(n: int, values: dict[str, float], unit: str = "ratio", kind: Any = "vector") -> Any:
    from tui_monitor.monitor.boards import PanelView
    from tui_monitor.query.result import Result, Series, labels_of

    board = read_board(Path("g.toml"), GAUGES)
    assert not board.problems
    series = tuple(Series(labels_of(agent=name), (value,)) for name, value in values.items())
    return PanelView(board.panels[n], now=Result("", kind, (1,), series, unit))


def told(view: Any, width: int) -> list[str]:
    drawn = boardlines.figures(view, width, 9, None, BRAILLE)  # type: ignore[arg-type]
    return ["".join(text for text, _ in line.left) for line in drawn]


def test_a_gauge_says_in_words_what_is_bad() -> None:
    view = of_board(0, {"planner": 0.99, "writer": 0.87, "critic": 0.3})
    wide, narrow = told(view, 60), told(view, 24)
    assert max(map(len, wide)) < 60
    assert max(map(len, narrow)) <= 24
    assert ["▲ warning" in line for line in wide] == [False, True, False]
    assert ["✖ critical" in line for line in wide] == [False, False, True]
    assert ["▲" in line for line in narrow] == [False, True, False]
    assert {line.index("▇") for line in wide} == {wide[0].index("▇")}
    # One alone is the largest of all: a bar of it would say nothing, unless something says where it ends.
    assert "▇" not in told(of_board(1, {"": 120.0}, "requests/s"), 60)[0]
    assert "▇" in told(of_board(0, {"": 0.99}), 60)[0]


def test_a_heat_map_of_no_calls_is_empty() -> None:
    assert of_board(2, {"1": 0.0, "2": 0.0}, "s").empty
    assert not of_board(2, {"1": 0.0, "2": 1.0}, "s").empty
    assert not of_board(0, {"1": 0.0}).empty


def test_a_threshold_is_met_by_its_own_value_whatever_the_last_digit() -> None:
    bad = [passed(of_board(0, {}).panel, value) for value in (0.9, 0.6 + 0.3, 0.9 + 1e-15, 0.9001, None)]
    assert [one is not None for one in bad] == [True, True, True, False, False]


def test_a_panel_tells_what_its_answer_warns_of() -> None:
    view = of_board(0, {"writer": 0.99})
    assert view.now is not None
    warned = replace(view, now=replace(view.now, warnings=("raw calls are kept for 90 d only",)))
    look: Any = SimpleNamespace(shown=SimpleNamespace(length=HOUR))
    assert "raw calls are kept" in boardlines.heading(warned, look, BRAILLE, False).left[-1][0]
    assert len(boardlines.heading(view, look, BRAILLE, False).left) == 2
    # A panel that has nothing and says what it needs says no more.
    nothing = of_board(2, {"1": 0.0}, "s")
    assert nothing.now is not None
    empty = replace(nothing, now=replace(nothing.now, warnings=("no such metric",)))
    assert len(boardlines.heading(empty, look, BRAILLE, False).left) == 2
