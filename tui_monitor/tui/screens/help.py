"""Every key of a pane, from the declarations that make them work."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget

from tui_monitor.config import resources
from tui_monitor.tui.commands import Command
from tui_monitor.tui.dialogkeys import bindings
from tui_monitor.tui.drawing import wrap
from tui_monitor.tui.gathered import Dialog
from tui_monitor.tui.keymap import Keymap
from tui_monitor.tui.keynames import shown_key
from tui_monitor.tui.panes.table import PANES
from tui_monitor.tui.widgets.lines import Line, Lines

_KEYS = 14
"""Cells for the keys."""


Entry = tuple[str, str]
"""Keys, and what they do."""

_WIDGETS = {
    "list": (
        "A LIST",
        "The cursor stays on its row when rows move. What is opened, ordered or copied is the row, or the "
        "value that is chosen in it.",
    ),
    "chart": (
        "A CHART",
        "A crosshair reads all its series off at one instant. Zooming and moving change the time range of "
        "all panes.",
    ),
    "line": (
        "A LINE",
        "What is typed goes into it; its ways to go on are offered as one types, and a mistake is marked "
        "under its characters.",
    ),
}
"""What can have the focus, and what it is."""


def _keys(names: str) -> str:
    return " ".join(shown_key(name) for name in names.split(",") if name)


def _commands(commands: list[Command]) -> list[Entry]:
    return [(_keys(command.keys), command.help) for command in commands]


def lines(pane: str, width: int, keymap: Keymap, focus: str = "") -> list[Line]:
    """The help in so many cells: of what has the focus (`list`, `chart`, `line`), of its pane, of everywhere,
    of what else could have the focus."""
    title = next((entry.title for entry in PANES if entry.id == pane), "")
    widgets = {name: (label, about, _commands(keymap.of(name))) for name, (label, about) in _WIDGETS.items()}
    parts: list[tuple[str, str, list[Entry]]] = []
    if focus in widgets:
        label, about, entries = widgets.pop(focus)
        parts.append((f"HERE: {label}", about, entries))
    parts.append((title.upper(), "", _commands(keymap.of(pane))))
    parts.append(("EVERYWHERE", "", _commands(keymap.of(""))))
    parts += [(f"IN {label}", "", entries) for label, _, entries in widgets.values()]
    found = [Line.of(text, "warn") for fault in keymap.faults for text in wrap(str(fault), width)]
    for name, about, entries in parts:
        found.append(Line.of(name, "accent bold"))
        found += [Line.of(f"  {text}", "dim") for text in wrap(about, width - 2) if about]
        for keys, text in entries:
            first, *rest = wrap(text, width - _KEYS - 2)
            found.append(Line(((f"  {keys:<{_KEYS}}", "bright"), (first, ""))))
            found += [Line.of(" " * (_KEYS + 2) + more) for more in rest]
        found.append(Line())
    return found[:-1]


def kind_of(focused: Widget | None) -> str:
    """Of which kind the widget with the focus is, where that kind has keys of its own."""
    from tui_monitor.tui.widgets.chart import Chart
    from tui_monitor.tui.widgets.grid import Grid
    from tui_monitor.tui.widgets.prompt import Field

    kinds = ((Grid, "list"), (Chart, "chart"), (Field, "line"))
    return next((name for kind, name in kinds if isinstance(focused, kind)), "")


class HelpScreen(Dialog[None]):
    """A list to read; any of its keys closes it."""

    CSS_PATH = str(resources.style("dialogs.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = bindings("help")

    def __init__(self, pane: str, keymap: Keymap, focus: str = "") -> None:
        """`focus` is what has it: `list`, `chart`, `line`, or something else."""
        super().__init__()
        self._focus = focus
        self._pane = pane
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as scroll:
            scroll.border_title = "keys"
            scroll.border_subtitle = Content(f"{self._keymap.key('dialog.help.close')} closes")
            width = min(84, self.app.size.width - 10)
            yield Lines(lines(self._pane, width, self._keymap, self._focus))

    def action_scroll(self, where: str) -> None:
        """A line or a page up or down, or to one end."""
        # A quick key may come before there is anything to scroll.
        for scroll in self.query(VerticalScroll):
            getattr(scroll, f"scroll_{where}")(animate=False)
