"""The question before a dashboard ends that collects: what becomes of collecting?"""

from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from tui_monitor.config import resources
from tui_monitor.tui.dialogkeys import bindings
from tui_monitor.tui.drawing import fit
from tui_monitor.tui.gathered import Dialog
from tui_monitor.tui.keymap import Keymap, keymap_of
from tui_monitor.tui.widgets.lines import Line, Lines

_NAMED = 6
"""Decisions that are named."""
_WIDTH = 44
Leaving = Literal["quit", "detach"]
"""`detach`: collecting goes on without a window."""


class LeaveDialog(Dialog[Leaving | None]):
    """Leave, leave it collecting in the background, or stay."""

    CSS_PATH = str(resources.style("dialogs.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = bindings("leave")

    def __init__(self, collecting: bool, waiting: tuple[str, ...] = ()) -> None:
        """`waiting` is what was decided and has not reached the collector elsewhere."""
        super().__init__()
        self._collecting = collecting
        self._waiting = waiting

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            keymap = keymap_of(self.app)
            if self._waiting:
                yield Lines(_deciding(self._waiting, keymap))
            else:
                yield Lines(_collecting(keymap) if self._collecting else _looking_on(keymap))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._collecting or parameters != ("detach",)


def _collecting(keymap: Keymap) -> list[Line]:
    return [
        Line.of("Quit? Collecting ends with this window.", "bright bold"),
        Line(),
        *_keys(
            keymap,
            ("quit", "quit, and collect no more"),
            ("detach", "quit, and collect in the background"),
            ("stay", "stay"),
        ),
        Line(),
        Line.of("In between it rests for about a second.", "dim"),
    ]


def _deciding(waiting: tuple[str, ...], keymap: Keymap) -> list[Line]:
    more = [Line.of(f"  and {len(waiting) - _NAMED} more", "dim")] if len(waiting) > _NAMED else []
    return [
        Line.of("Quit? Decided, and not known to be done:", "bright bold"),
        Line(),
        *(Line.of(f"  {fit(words, _WIDTH).rstrip()}", "warn") for words in waiting[:_NAMED]),
        *more,
        Line(),
        *_keys(keymap, ("quit", "quit, and forget it"), ("stay", "stay, until the line is back")),
    ]


def _looking_on(keymap: Keymap) -> list[Line]:
    return [
        Line.of("Quit?", "bright bold"),
        Line.of("This window collects nothing.", "dim"),
        Line(),
        *_keys(keymap, ("quit", "quit"), ("stay", "stay")),
    ]


def _keys(keymap: Keymap, *ways: tuple[str, str]) -> list[Line]:
    known = [(keymap.get(f"dialog.leave.{name}"), what) for name, what in ways]
    keys = [(command.key, what) for command, what in known if command is not None and command.keys]
    width = max(len(key) for key, _ in keys)
    return [Line(((f"{key:>{width}}", "accent bold"), (f"  {what}", ""))) for key, what in keys]
