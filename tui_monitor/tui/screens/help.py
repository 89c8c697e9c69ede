"""Every key of a pane, from the declarations that make them work."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from tui_monitor.config import resources
from tui_monitor.tui.commands import Command
from tui_monitor.tui.drawing import wrap
from tui_monitor.tui.keymap import Keymap
from tui_monitor.tui.keynames import shown_key
from tui_monitor.tui.panes.table import PANES
from tui_monitor.tui.widgets.lines import Line, Lines

_KEYS = 14
"""Cells for the keys."""


Entry = tuple[str, str]
"""Keys, and what they do."""


def _keys(names: str) -> str:
    return " ".join(shown_key(name) for name in names.split(",") if name)


def _commands(commands: list[Command]) -> list[Entry]:
    return [(_keys(command.keys), command.help) for command in commands]


def lines(pane: str, width: int, keymap: Keymap) -> list[Line]:
    """The help of one pane in so many cells."""
    title = next((entry.title for entry in PANES if entry.id == pane), "")
    parts: list[tuple[str, list[Entry]]] = [
        (title.upper(), _commands(keymap.of(pane))),
        ("EVERYWHERE", _commands(keymap.of(""))),
        ("IN A LIST", _commands(keymap.of("list"))),
        ("ON A CHART", _commands(keymap.of("chart"))),
        ("IN A LINE", _commands(keymap.of("line"))),
    ]
    found: list[Line] = []
    for name, entries in parts:
        found.append(Line.of(name, "accent bold"))
        for keys, text in entries:
            first, *rest = wrap(text, width - _KEYS - 2)
            found.append(Line(((f"  {keys:<{_KEYS}}", "bright"), (first, ""))))
            found += [Line.of(" " * (_KEYS + 2) + more) for more in rest]
        found.append(Line())
    return found[:-1]


class HelpScreen(ModalScreen[None]):
    """A list to read; any of its keys closes it."""

    CSS_PATH = str(resources.style("dialogs.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,f1,enter", "dismiss", "Close", show=False, id="help.close"),
        Binding("j", "scroll('down')", "Down", show=False, id="help.down"),
        Binding("k", "scroll('up')", "Up", show=False, id="help.up"),
    ]

    def __init__(self, pane: str, keymap: Keymap) -> None:
        super().__init__()
        self._pane = pane
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as scroll:
            scroll.border_title = "keys"
            scroll.border_subtitle = "esc closes"
            yield Lines(lines(self._pane, min(84, self.app.size.width - 10), self._keymap))

    def action_scroll(self, where: str) -> None:
        """One line up or down."""
        # A quick key may come before there is anything to scroll.
        for scroll in self.query(VerticalScroll):
            (scroll.scroll_down if where == "down" else scroll.scroll_up)(animate=False)
