"""The dialog that writes what a pane shows to a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from tui_monitor.config import resources
from tui_monitor.model.errors import UsageError
from tui_monitor.tui.dialogkeys import bindings
from tui_monitor.tui.exporting import Export, kinds, named
from tui_monitor.tui.gathered import Dialog
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.widgets.grid import Cell, Column, Grid, GridRow
from tui_monitor.tui.widgets.keyline import key_line
from tui_monitor.tui.widgets.lines import Lines
from tui_monitor.tui.widgets.prompt import Field, Prompt


@dataclass(frozen=True, slots=True)
class Chosen:
    """A kind of file, where, and whether what is there may go."""

    kind: str
    path: Path
    replace: bool


class SaveDialog(Dialog[Chosen | None]):
    """A kind of file and its name; a file that exists is named and asked about before it is replaced."""

    CSS_PATH = str(resources.style("dialogs.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = bindings("export")

    def __init__(self, export: Export, stem: str) -> None:
        """`stem` is the file's path without the ending that tells its kind."""
        super().__init__()
        self._kinds = kinds(export)
        self._kind = self._kinds[0][0]
        self._list = Grid((Column("kind", "", width=5), Column("what", "", min=16, max=60)))
        self._path = Prompt(placeholder="a file", id="saving-path")
        self._path.value = f"{stem}.{self._kind}"
        self._asked: Path | None = None
        """A file that is there, and of which it was said so."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "export"
            yield self._list
            yield self._path
            keymap = keymap_of(self.app)
            rows = keymap.filled("{rows}"), "kind"
            keys = (("enter", "writes it"), rows, ("dialog.export.name", ""), ("dialog.export.leave", ""))
            yield Lines([key_line(keymap, *keys)])

    def on_mount(self) -> None:
        rows = [
            GridRow(kind, {"kind": Cell(kind.upper(), "bright"), "what": Cell(what, "dim")})
            for kind, what in self._kinds
        ]
        self._list.show(rows)
        if not isinstance(self.focused, Field):
            self._list.focus()

    def action_name(self) -> None:
        """Go to the file's name."""
        self._path.focus()

    @on(Grid.Moved)
    def _other_kind(self, event: Grid.Moved) -> None:
        if event.key is None or event.key == self._kind:
            return
        path = self._path.value
        if path.endswith(f".{self._kind}"):
            self._path.value = f"{path.removesuffix(f'.{self._kind}')}.{event.key}"
        self._kind = event.key

    @on(Prompt.Changed)
    def _typed(self) -> None:
        self._asked = None
        self._path.clear_error()

    @on(Grid.Opened)
    @on(Prompt.Submitted)
    def _write(self) -> None:
        try:
            path = named(self._path.value)
            if not path.parent.is_dir():
                raise UsageError(f"there is no directory {path.parent}")
            if path.is_dir():
                raise UsageError("it is a directory")
        except (UsageError, RuntimeError, ValueError) as error:
            self._path.show_error(0, len(self._path.value), getattr(error, "message", str(error)))
            self._path.focus()
            return
        if path.exists() and self._asked != path:
            self._asked = path
            self._path.show_error(0, len(self._path.value), "it is there already: enter again replaces it")
            return
        self.dismiss(Chosen(self._kind, path, replace=self._asked == path))
