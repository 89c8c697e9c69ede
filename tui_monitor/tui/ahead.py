"""What panes are made of is loaded once the first one stands and nobody waits for it."""

import gc
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from tui_monitor.tui.panes.table import PANES

if TYPE_CHECKING:
    from textual.app import App

_WAIT_S = 1.5
_PAUSE_S = 0.1
_USED = ("monitor.boards", "tui.exporting")
"""Other modules that a pane loads when it is opened."""


def load_ahead(app: "App[None]") -> None:
    """Load one module at a time, beginning in a moment; returns at once."""
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
            # What is loaded stays: it is not looked through any more.
            gc.freeze()

    app.set_timer(_WAIT_S, load)
