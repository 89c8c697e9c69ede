"""The dialogs about queries with a name: keeping one, and choosing one. The file may be slow."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from tui_monitor.config import resources
from tui_monitor.config.saved import save_query, saved_queries
from tui_monitor.model.errors import UsageError
from tui_monitor.tui.dialogkeys import bindings
from tui_monitor.tui.drawing import wrap
from tui_monitor.tui.gathered import Dialog
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.widgets.grid import Cell, Column, Grid, GridRow
from tui_monitor.tui.widgets.keyline import key_line
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.prompt import Prompt

_COLUMNS = (Column("name", "name", min=12, max=30), Column("query", "query", min=20, max=90))
_NONE = "No query is saved yet: ask one, and {query.save} keeps it under a name."


class KeepDialog(Dialog[str | None]):
    """Asks for the name of a query and keeps it; one that is taken is named and asked about."""

    CSS_PATH = str(resources.style("dialogs.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = bindings("name")

    def __init__(self, path: Path, text: str) -> None:
        super().__init__()
        self._path = path
        self._text = text
        self._name = Prompt(placeholder="a name", id="keeping-name")
        self._asked = ""
        """A name that is taken, and of which it was said so."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "save query"
            yield Lines([Line.of(f"  {self._text}", "bright"), Line()])
            yield self._name
            yield Lines([key_line(keymap_of(self.app), ("enter", "saves it"), ("dialog.name.leave", ""))])

    def on_mount(self) -> None:
        self._name.focus()

    @on(Prompt.Changed)
    def _typed(self) -> None:
        self._name.clear_error()

    @on(Prompt.Submitted)
    def _submitted(self, event: Prompt.Submitted) -> None:
        self.run_worker(self._keep(event.value), exclusive=True)

    async def _keep(self, typed: str) -> None:
        name = typed.strip()
        try:
            taken = (await asyncio.to_thread(saved_queries, self._path)).get(name)
            if taken not in (None, self._text) and self._asked != name:
                self._asked = name
                raise UsageError(f"it is {taken} now", hint="enter again replaces it")
            await asyncio.to_thread(save_query, self._path, name, self._text)
        except UsageError as error:
            self._name.show_error(0, len(typed), error.message, error.hint or "")
        else:
            self.dismiss(name)


class SavedDialog(Dialog[str | None]):
    """The saved queries; the one that is chosen is the answer. One taken away can be put back."""

    CSS_PATH = str(resources.style("dialogs.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = bindings("saved")

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._list = Grid(_COLUMNS)
        self._said = Lines([Line()])
        self._turn = asyncio.Lock()
        """One change of the file after the other."""
        self._known: Mapping[str, str] = {}
        self._gone: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "saved queries"
            yield self._list
            yield self._said
            keys = (
                ("list.open", "asks it"),
                *((f"dialog.saved.{id}", "") for id in ("remove", "undo", "leave")),
            )
            yield Lines([key_line(keymap_of(self.app), *keys)])

    def on_mount(self) -> None:
        self._list.focus()
        self.run_worker(self._read())

    async def _read(self) -> None:
        try:
            self._known = await asyncio.to_thread(saved_queries, self._path)
        except UsageError as error:
            self._say(error)
        self._list.say_empty(keymap_of(self.app).filled(_NONE))
        self._list.show(
            [
                GridRow(name, {"name": Cell(name, "bright"), "query": Cell(" ".join(text.split()), "dim")})
                for name, text in self._known.items()
            ]
        )

    def _say(self, error: UsageError) -> None:
        room = max(20, min(104, self.app.size.width - 10))
        lines = [Line.of(f" {line}", "crit") for line in wrap(error.message, room)]
        self._said.show([*lines, *(Line.of(f" {line}", "dim") for line in wrap(error.hint or "", room))])

    @on(Grid.Opened)
    def _chosen(self, event: Grid.Opened) -> None:
        self.dismiss(self._known[event.key])

    def action_remove(self) -> None:
        """Take the one under the cursor away."""
        name = self._list.cursor
        if name is not None:
            self.run_worker(self._remove(name))

    async def _remove(self, name: str) -> None:
        async with self._turn:
            text = self._known.get(name)
            if text is not None and await self._change(name, None):
                self._gone.append((name, text))
                key = keymap_of(self.app).key("dialog.saved.undo")
                self._said.show([Line.of(f" {name} is taken away; {key} puts it back", "dim")])

    def action_undo(self) -> None:
        """Put back what was taken away last."""
        self.run_worker(self._put_back())

    async def _put_back(self) -> None:
        async with self._turn:
            if self._gone and await self._change(*self._gone[-1]):
                name, _ = self._gone.pop()
                self._said.show([Line()])
                self._list.move_to(name)

    async def _change(self, name: str, text: str | None) -> bool:
        try:
            await asyncio.to_thread(save_query, self._path, name, text)
        except UsageError as error:
            self._say(error)
            return False
        await self._read()
        return True
