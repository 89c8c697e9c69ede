"""Every key of a pane or a dialog, from the declarations that make them work."""

from collections.abc import Sequence

from textual.widget import Widget

from tui_monitor.tui.commands import Command
from tui_monitor.tui.dialogkeys import ALWAYS, DIALOG, TITLES, WITHIN
from tui_monitor.tui.drawing import size_of, wrap
from tui_monitor.tui.keymap import Keymap
from tui_monitor.tui.panes.table import PANES
from tui_monitor.tui.screens.reading import Reading
from tui_monitor.tui.widgets.lines import Line

_KEYS = 14
"""Cells for the keys."""
Part = tuple[str, str, Sequence[Command]]
"""A heading, what it is about, and its keys."""

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


def _keys(command: Command, keymap: Keymap) -> str:
    return " ".join(keymap.shown(name) for name in command.keys.split(",") if name)


def _here(focus: str, keymap: Keymap) -> list[Part]:
    """The keys of what has the focus: a widget, or what stands on the dashboard and asks something."""
    if focus in TITLES:
        return [(f"HERE: {TITLES[focus].upper()}", "", keymap.of(f"{DIALOG}{focus}"))]
    if focus in _WIDGETS:
        label, about = _WIDGETS[focus]
        return [(f"HERE: {label}", about, keymap.of(focus))]
    return []


def _parts(place: str, keymap: Keymap, focus: str) -> list[Part]:
    others: list[Part] = [
        (f"IN {label}", "", keymap.of(name))
        for name, (label, _) in _WIDGETS.items()
        if name != focus and (not place.startswith(DIALOG) or name in WITHIN.get(place, ()))
    ]
    everywhere = keymap.of("")
    if place.startswith(DIALOG):
        own: Part = (TITLES[place.removeprefix(DIALOG)].upper(), "", keymap.of(place))
        above = [command for command in everywhere if command.id in ALWAYS]
        return [own, *_here(focus, keymap), *others, ("HERE TOO", "", above)]
    title = next((entry.title for entry in PANES if entry.id == place), "")
    pane: Part = (title.upper(), "", keymap.of(place))
    return [*_here(focus, keymap), pane, ("EVERYWHERE", "", everywhere), *others]


def lines(place: str, width: int, keymap: Keymap, focus: str = "") -> list[Line]:
    """The help in so many cells: of what has the focus (`list`, `chart`, `line`, `consent`, `tour`), of its
    pane, of everywhere, of what else could have the focus. `place` is the pane, or `dialog.` and a dialog,
    whose own keys come first."""
    found = [Line.of(text, "warn") for fault in keymap.faults for text in wrap(str(fault), width)]
    for name, about, commands in _parts(place, keymap, focus):
        found.append(Line.of(name, "accent bold"))
        found += [Line.of(f"  {text}", "dim") for text in wrap(about, width - 2) if about]
        for keys, text in ((_keys(command, keymap), command.help) for command in commands):
            first, *rest = wrap(text, width - _KEYS - 2)
            if size_of([(keys, "")]) < _KEYS:
                found.append(Line(((f"  {keys:<{_KEYS}}", "bright"), (first, ""))))
            else:
                # Too long to stand beside its text.
                found.append(Line.of(f"  {keys}", "bright"))
                rest = [first, *rest]
            found += [Line.of(" " * (_KEYS + 2) + more) for more in rest]
        found.append(Line())
    return found[:-1]


def kind_of(focused: Widget | None) -> str:
    """Of which kind the widget with the focus is, where that kind has keys of its own."""
    if focused is not None and focused.id == "consent":
        return "consent"
    from tui_monitor.tui.widgets.chart import Chart
    from tui_monitor.tui.widgets.grid import Grid
    from tui_monitor.tui.widgets.prompt import Field

    kinds = ((Grid, "list"), (Chart, "chart"), (Field, "line"))
    return next((name for kind, name in kinds if isinstance(focused, kind)), "")


class HelpScreen(Reading):
    """The keys that work at this moment."""

    TITLED = "keys"

    def __init__(self, place: str, keymap: Keymap, focus: str = "") -> None:
        """Help for a pane or a dialog; `focus` is what has it: `list`, `chart`, `line`, or something else."""
        super().__init__()
        self._focus = focus
        self._place = place
        self._keymap = keymap

    def lines(self, width: int) -> list[Line]:
        return lines(self._place, width, self._keymap, self._focus)
