"""Panes whose lists can be filtered by what their rows show."""

from typing import TypeVar

from textual import on

from tui_monitor.tui.panes.base import Pane
from tui_monitor.tui.widgets.filterline import FilterLine
from tui_monitor.tui.widgets.sifted import SiftedGrid

A = TypeVar("A")


class SiftingPane(Pane[A]):
    """`/` filters the list that has the cursor; each list of the pane keeps a filter of its own."""

    @property
    def _filters(self) -> list[FilterLine]:
        # Looked for with each answer: selectors would be matched with every widget.
        return self.walk_children(FilterLine)

    @property
    def _typing(self) -> bool:
        return any(line.typing for line in self._filters)

    @property
    def _filtered(self) -> bool:
        return any(grid.words for grid in self.walk_children(SiftedGrid))

    def skipped(self) -> tuple[str, ...]:
        """While one types, only keys that are not letters do anything; `esc` where there is a filter."""
        if self._typing:
            opening = (c.id for c in self.keymap.commands if c.keys == "enter")
            return (*self.keymap.letters(), *opening)
        return () if self._filtered else (f"{self.id}.leave",)

    def point_to(self, row: str) -> None:
        # Who is sent to a row must not find it hidden.
        for line in self._filters:
            line.clear()
        super().point_to(row)

    def sifted(self) -> SiftedGrid | None:
        """The list that a filter is for now."""
        grid = self._list_in_sight
        return grid if isinstance(grid, SiftedGrid) else None

    async def action_filter(self) -> None:
        """Type words that the rows of this list must have."""
        grid = self.sifted()
        if grid is None:
            return
        line = next((one for one in self._filters if one.grid is grid), None)
        if line is None:
            assert grid.parent is not None
            line = FilterLine(grid)
            await self.mount(line, before=grid)
        line.begin()
        self.hints_changed()

    def action_leave(self) -> None:
        """From the filter back to all rows: of the list with the cursor, else of any."""
        here = self.sifted()
        used = [line for line in self._filters if line.typing or line.grid.words]
        for line in sorted(used, key=lambda one: not one.typing and one.grid is not here)[:1]:
            line.clear()
        self.hints_changed()

    @on(SiftedGrid.Counted)
    def _counted(self, event: SiftedGrid.Counted) -> None:
        for line in self._filters:
            if line.grid is event.grid:
                line.tell()

    @on(FilterLine.Closed)
    def _filter_closed(self, event: FilterLine.Closed) -> None:
        event.stop()
        self.hints_changed()
