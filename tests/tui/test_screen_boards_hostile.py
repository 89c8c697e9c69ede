"""Boards with every widget: text from outside in answers and in their file, and any size of the terminal."""

import random
from typing import Any

import pytest

from tests.tui.screen_fakes import KEY, FakeMonitor, dashboard, settle, tick
from tests.tui.test_screen_boards import shown
from tests.tui.test_screen_dialogs_hostile import EVERYTHING
from tests.tui.test_screen_hostile import NASTY, check, fill
from tui_monitor.config import places
from tui_monitor.config.boards import CHARTS

pytestmark = pytest.mark.usefixtures("quick_pilot")

ODD = "[/red] [@click=app.quit]日 {0}"


def panel(widget: str) -> str:
    rest = "" if widget == "alerts" else 'query = "latency{} p95 by(provider)"\n'
    if widget in ("stat", "gauge", "line"):
        rest += f'thresholds = [{{ value = 5, level = "critical", name = "{ODD}" }}]\n'
    return f'[[panels]]\ntitle = "{ODD}{widget}"\nwidget = "{widget}"\nneeds = "{ODD * 4}"\n{rest}'


@pytest.fixture(autouse=True)
def mine() -> None:
    """A board of one's own with one panel of each kind; its name and words are nobody's text but odd."""
    path = places.config_file().parent / "dashboards" / "all.toml"
    path.parent.mkdir(parents=True)
    panels = "".join(map(panel, (*CHARTS, "stat", "gauge", "table", "alerts")))
    path.write_text(f'title = "{ODD}"\nabout = "{ODD * 3}"\n{panels}', encoding="utf-8")


async def test_text_from_outside() -> None:
    monitor = FakeMonitor()
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        seen = await shown(pilot, KEY["boards"])
        assert "[/red]" in seen
        assert "1 of 6" in seen
        assert app.screen.pane.answer is not None
        for nasty in (EVERYTHING, NASTY["long"], NASTY["lines"], NASTY["empty"]):
            fill(monitor, nasty)
            await tick(pilot)
            # The cursor's part, the crosshair, and the list of boards.
            for keys in (("right", "c"), ("escape", "down"), ("b",), ("b",)):
                await settle(pilot, *keys)
                check(app, 120, 40)
            assert not app._exit, nasty


async def test_any_size() -> None:
    monitor = FakeMonitor()
    app = dashboard(monitor)
    sizes = random.Random(7)
    wanted = [(1, 1), (3, 3), (20, 5), (300, 10), (40, 100), (80, 24)]
    wanted += [(sizes.randint(1, 220), sizes.randint(1, 60)) for _ in range(8)]
    async with app.run_test(size=(120, 40)) as pilot:
        await shown(pilot, KEY["boards"])
        for width, height in wanted:
            await pilot.resize_terminal(width, height)
            monitor.version += 1
            await tick(pilot)
            await settle(pilot, random_key(sizes))
            check(app, width, height)
            assert app.screen.active == "boards"


def random_key(dice: Any) -> str:
    return dice.choice(("left", "right", "up", "down", "d", "b", "c", "B"))
