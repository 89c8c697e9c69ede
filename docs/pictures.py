"""Pictures of every pane as SVG, as `x` writes them.

`python docs/pictures.py DATABASE FOLDER` draws a database at three sizes; nothing is collected, and your
configuration holds. `python docs/pictures.py --demo docs/pictures` draws those of the page about the screens:
the demo at 120×40, collecting.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from tui_monitor.model.clock import SystemClock
from tui_monitor.monitor.thread import CollectorThread
from tui_monitor.server import serve
from tui_monitor.tui.app import MonitorApp
from tui_monitor.tui.panes.table import PANES
from tui_monitor.tui.taking import picture_of

SIZES = ((80, 24), (120, 40), (200, 50))
DEMO_SIZE = (120, 40)
DEMO_S = 25.0
"""Seconds that the demo collects before it is drawn, so that host and collector have figures."""
QUERY = "latency{} [1h] p95 by(provider)"
PATIENCE_S = 30.0
"""Seconds that a pane has for its answer."""


async def answered(pilot: Pilot[Any]) -> None:
    """Wait until what is to be seen has been asked and answered, and nothing is under way."""
    async with asyncio.timeout(PATIENCE_S):
        quiet = 0
        while quiet < 5:
            await pilot.pause(0.05)
            quiet = 0 if any(worker.is_running for worker in pilot.app.workers) else quiet + 1


async def draw(thread: CollectorThread, folder: Path, size: tuple[int, int], *, demo: bool) -> None:
    """Every pane at one size: of a database about the newest data, of the demo as it is now."""
    app = MonitorApp(thread, host="demo") if demo else MonitorApp(thread)
    async with app.run_test(size=size) as pilot:
        while app.get_default_screen().snapshot is None:
            await pilot.pause(0.05)
        await pilot.pause(DEMO_S if demo else 0.0)
        if not demo:
            await pilot.press("n")
        for pane in PANES:
            await app.get_default_screen().action_pane(pane.id)
            if pane.id == "query":
                app.get_default_screen().query_one("#query").ask_for(QUERY)  # pyright: ignore
            await answered(pilot)
            name = f"{pane.id}.svg" if demo else f"{pane.id}-{size[0]}x{size[1]}.svg"
            (folder / name).write_text(picture_of(app), encoding="utf-8")
    app.backend.stop(10.0 if demo else 2.0)


def main() -> None:
    """Draw them all."""
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
    # What somebody chose on the screen of the demo is theirs.
    os.environ["TUI_MONITOR_SCREEN__KEEP_LAYOUT"] = "false"
    first, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    if first == "--demo":
        from tui_monitor.config import demo
        from tui_monitor.config.load import load
        from tui_monitor.monitor.demo import prepare

        demo.enter()
        prepare(load(), SystemClock(), lambda what, share: None, whole=True)
        asyncio.run(draw(CollectorThread(demo=True, serve=serve), folder, DEMO_SIZE, demo=True))
        return
    for size in SIZES:
        thread = CollectorThread(None, {"database": {"path": Path(first)}}, collect=False, serve=serve)
        asyncio.run(draw(thread, folder, size, demo=False))


if __name__ == "__main__":
    main()
