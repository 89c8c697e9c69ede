"""What panes are made of is loaded, and then the panes themselves made, once the first one stands.

One thing at a time, and while nobody presses a key: who opens a pane then waits for its answer alone.
"""

import asyncio
import gc
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from textual.app import App
from textual.events import Event, InputEvent

from tui_monitor.tui.panes.table import PANES

if TYPE_CHECKING:
    from tui_monitor.tui.screens.dashboard import Dashboard

_WAIT_S = 1.5
_PAUSE_S = 0.1
_QUIET_S = 1.0
"""Who has not touched anything for so long is not about to press the next key."""
_USED = ("monitor.boards", "tui.exporting", "tui.screens.help")
"""Other modules that are loaded for a key."""


class Patient(App[None]):
    """An app that knows since when nobody has touched it."""

    _touched = 0.0

    async def on_event(self, event: Event) -> None:
        """The toolkit's hook, also for keys and the mouse."""
        if isinstance(event, InputEvent):
            self._touched = asyncio.get_running_loop().time()
        await super().on_event(event)

    @property
    def left_alone(self) -> bool:
        """Whether nobody waits for anything just now."""
        return asyncio.get_running_loop().time() - self._touched > _QUIET_S


def load_ahead(app: Patient, dashboard: "Dashboard") -> None:
    """Do one thing after the other, beginning in a moment; returns at once."""
    left = iter((*_USED, *(f"tui.panes.{entry.id}" for entry in PANES)))

    def load() -> None:
        name = next(left, None)
        if name is not None:
            import_module(f"tui_monitor.{name}")
            app.set_timer(_PAUSE_S, load)
            return
        if "numpy" in sys.modules:
            # Some of its functions load it when they are first called.
            import_module("numpy.ma")
        if not app.is_headless:
            app.run_worker(_finish(app, dashboard), group="ahead")

    app.set_timer(_WAIT_S, load)


async def _finish(app: Patient, dashboard: "Dashboard") -> None:
    await make_panes(app, dashboard)
    # What is there stays: it is not looked through any more.
    gc.freeze()


async def make_panes(app: Patient, dashboard: "Dashboard") -> None:
    """Make all panes, each when nobody waits for anything. They ask nothing until they are shown."""
    left = [entry.id for entry in PANES]
    while left:
        await asyncio.sleep(_PAUSE_S)
        if app.left_alone and dashboard.at_rest:
            pane = await dashboard.panes.made(left.pop(0))
            await pane.prepare()
