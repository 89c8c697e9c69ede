"""Pictures of every pane at three sizes, from a database: `python docs/pictures.py monitor.db pictures/`.

They are SVG, as `x` writes them. Nothing is collected, and your configuration holds.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from tui_monitor.monitor.thread import CollectorThread
from tui_monitor.server import serve
from tui_monitor.tui.app import MonitorApp
from tui_monitor.tui.panes.table import PANES

SIZES = ((80, 24), (120, 40), (200, 50))
QUERY = "latency{} [1h] p95 by(provider)"
PATIENCE_S = 10.0
"""Seconds that a pane has for its answer."""


async def answered(pilot: Pilot[Any]) -> None:
    """Wait until what is to be seen has been asked and answered, and nothing is under way."""
    async with asyncio.timeout(PATIENCE_S):
        quiet = 0
        while quiet < 5:
            await pilot.pause(0.05)
            quiet = 0 if any(worker.is_running for worker in pilot.app.workers) else quiet + 1


async def draw(database: Path, folder: Path, width: int, height: int) -> None:
    """Every pane at one size, about the newest data."""
    app = MonitorApp(CollectorThread(None, {"database": {"path": database}}, collect=False, serve=serve))
    async with app.run_test(size=(width, height)) as pilot:
        while app.get_default_screen().snapshot is None:
            await pilot.pause(0.05)
        await pilot.press("n")
        for pane in PANES:
            await app.get_default_screen().action_pane(pane.id)
            if pane.id == "query":
                app.get_default_screen().query_one("#query").ask_for(QUERY)  # pyright: ignore
            await answered(pilot)
            path = folder / f"{pane.id}-{width}x{height}.svg"
            path.write_text(app.export_screenshot(), encoding="utf-8")
    app.backend.stop(2.0)


def main() -> None:
    """Draw them all."""
    database, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for width, height in SIZES:
        asyncio.run(draw(database, folder, width, height))


if __name__ == "__main__":
    main()
