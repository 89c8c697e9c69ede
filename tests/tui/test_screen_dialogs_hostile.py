"""Everything that floats: text from outside neither breaks nor drives it, and any size shows something."""

import json
import random
from typing import Any

import pytest

from tests.tui.screen_fakes import KEY, FakeMonitor, dashboard, settle, tick
from tests.tui.test_screen_hostile import NASTY, check, fill
from tui_monitor.config import places
from tui_monitor.config.saved import saved_file
from tui_monitor.tui.panes.query import QueryPane
from tui_monitor.tui.screens.dashboard import Dashboard

pytestmark = pytest.mark.usefixtures("undrawn")

EVERYTHING = "".join(NASTY[name] for name in NASTY if name not in ("long", "lines"))
"""Every nasty text in one."""
FLOATING: dict[str, tuple[str, tuple[str, ...]]] = {
    "range": ("overview", ("t",)), "export": ("overview", ("x",)), "help": ("calls", ("question_mark",)),
    "line": ("costs", ("colon", "c")), "jump": ("alerts", ("ctrl+o",)), "palette": ("costs", ("ctrl+p",)),
    "acknowledge": ("alerts", ("a",)), "silence": ("alerts", ("s",)), "still": ("providers", ("c", "z")),
    "distribution": ("providers", ("c", "z", "d")), "leave": ("system", ("ctrl+c",)),
    "saved": ("query", ("escape", "S")), "name": ("query", ("escape", "s")),
}  # fmt: skip
"""What floats: the pane it is opened on, and the keys that do."""


async def opened(pilot: Any, name: str) -> None:
    app = pilot.app
    while len(app.screen_stack) > 1:
        app.pop_screen()
    screen = app.get_default_screen()
    assert isinstance(screen, Dashboard)
    await screen.action_pane(FLOATING[name][0])
    # A chart takes keys once its answer is there.
    await settle(pilot)
    if name == "name":
        screen.query_one(QueryPane).ask_for("latency{}")
        await settle(pilot)
    await settle(pilot, *FLOATING[name][1])
    assert app.screen is not screen, name


async def test_text_from_outside() -> None:
    monitor = FakeMonitor()
    # Somebody else may have written the file of the saved queries.
    names = "".join(f"{json.dumps(text)} = {json.dumps(text)}\n" for text in (EVERYTHING, NASTY["long"]))
    saved = saved_file(places.config_file())
    saved.parent.mkdir(parents=True)
    saved.write_text(f"[queries]\n{names}", encoding="utf-8")
    app = dashboard(monitor)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot, KEY["alerts"])
        for nasty in (EVERYTHING, NASTY["long"]):
            fill(monitor, nasty)
            app.get_default_screen().host = nasty  # type: ignore[attr-defined]
            await tick(pilot)
            for name in FLOATING:
                await opened(pilot, name)
                check(app, 100, 30)
                assert not app._exit, (name, nasty)


async def test_any_size() -> None:
    app = dashboard(FakeMonitor())
    sizes = random.Random(4)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        for name in FLOATING:
            await pilot.resize_terminal(100, 30)
            await opened(pilot, name)
            for _ in range(2):
                width, height = sizes.randint(1, 220), sizes.randint(1, 60)
                await pilot.resize_terminal(width, height)
                check(app, width, height)
                assert not app._exit, (name, width, height)
