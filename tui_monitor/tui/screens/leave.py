"""The question before a dashboard ends that collects: what becomes of collecting?"""

from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui_monitor.config import resources
from tui_monitor.tui.drawing import fit
from tui_monitor.tui.widgets.lines import Line, Lines

_NAMED = 6
"""Decisions that are named."""
_WIDTH = 44
Leaving = Literal["quit", "detach"]
"""`detach`: collecting goes on without a window."""


class LeaveDialog(ModalScreen[Leaving | None]):
    """Leave, leave it collecting in the background, or stay."""

    CSS_PATH = str(resources.style("dialogs.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,enter,y", "dismiss('quit')", "Quit", show=False, id="leave.quit"),
        Binding("ctrl+c", "dismiss('quit')", "Quit", show=False, id="leave.again", priority=True),
        Binding("d", "dismiss('detach')", "Collect on", show=False, id="leave.detach"),
        Binding("escape,n", "dismiss(None)", "Stay", show=False, id="leave.stay"),
    ]

    def __init__(self, collecting: bool, waiting: tuple[str, ...] = ()) -> None:
        """`waiting` is what was decided and has not reached the collector elsewhere."""
        super().__init__()
        self._collecting = collecting
        self._waiting = waiting

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            if self._waiting:
                yield Lines(_deciding(self._waiting))
            else:
                yield Lines(_collecting() if self._collecting else _looking_on())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._collecting or parameters != ("detach",)


def _collecting() -> list[Line]:
    return [
        Line.of("Quit? Collecting ends with this window.", "bright bold"),
        Line(),
        _key("q", "quit, and collect no more"),
        _key("d", "quit, and collect in the background"),
        _key("esc", "stay"),
        Line(),
        Line.of("In between it rests for about a second.", "dim"),
    ]


def _deciding(waiting: tuple[str, ...]) -> list[Line]:
    more = [Line.of(f"  and {len(waiting) - _NAMED} more", "dim")] if len(waiting) > _NAMED else []
    return [
        Line.of("Quit? Decided, and not known to be done:", "bright bold"),
        Line(),
        *(Line.of(f"  {fit(words, _WIDTH).rstrip()}", "warn") for words in waiting[:_NAMED]),
        *more,
        Line(),
        _key("q", "quit, and forget it"),
        _key("esc", "stay, until the line is back"),
    ]


def _looking_on() -> list[Line]:
    return [
        Line.of("Quit?", "bright bold"),
        Line.of("This window collects nothing.", "dim"),
        Line(),
        _key("q", "quit"),
        _key("esc", "stay"),
    ]


def _key(key: str, what: str) -> Line:
    return Line(((f"{key:>3}", "accent bold"), (f"  {what}", "")))
