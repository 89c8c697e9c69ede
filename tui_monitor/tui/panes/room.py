"""Where the panes are: one of them is to be seen, the others wait behind it and cost nothing."""

import asyncio
from typing import Any

from textual.app import ComposeResult

from tui_monitor.config import resources
from tui_monitor.tui.panes.base import Pane
from tui_monitor.tui.panes.table import PANES
from tui_monitor.tui.toolkit import read_styles
from tui_monitor.tui.widgets.hollow import Room


class Panes(Room):
    """Makes a pane when it is first wanted, or before that, hidden, while nobody waits."""

    def __init__(self) -> None:
        super().__init__(id="panes")
        self._making = asyncio.Lock()

    def compose(self) -> ComposeResult:
        yield PANES[0].make()

    @property
    def made_so_far(self) -> list[Pane[Any]]:
        """The panes that are there."""
        return [child for child in self.children if isinstance(child, Pane)]

    async def made(self, id: str) -> Pane[Any]:
        """A pane with its widgets; hidden if it is made only now."""
        # Two who want the same one at once get one, and neither gets half of it.
        async with self._making:
            pane = next((one for one in self.made_so_far if one.id == id), None)
            if pane is None:
                pane = next(entry for entry in PANES if entry.id == id).make()
                read_styles(self.app, resources.style(f"{id}.tcss"))
                pane.display = False
                await self.mount(pane)
        return pane

    def turn_to(self, pane: Pane[Any]) -> None:
        """Show this pane, and no other."""
        for child in self.children:
            child.display = child is pane
