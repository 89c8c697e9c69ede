"""The question that `ctrl+c` asks."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui_monitor.config import resources
from tui_monitor.tui.widgets.lines import Line, Lines


class LeaveDialog(ModalScreen[bool]):
    """Leave or stay."""

    CSS_PATH = str(resources.style("dialogs.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "Leave", show=False, id="leave.yes"),
        Binding("ctrl+c", "dismiss(True)", "Leave", show=False, id="leave.again", priority=True),
        Binding("n,escape,q", "dismiss(False)", "Stay", show=False, id="leave.no"),
    ]

    def __init__(self, collecting: bool) -> None:
        super().__init__()
        self._collecting = collecting

    def compose(self) -> ComposeResult:
        goes_on = "Collecting ends with it." if self._collecting else "Collecting is somebody else's."
        with Vertical(classes="dialog"):
            yield Lines(
                [
                    Line.of("Leave the dashboard?", "bright bold"),
                    Line.of(goes_on, "dim"),
                    Line(),
                    Line(
                        (
                            ("y", "accent bold"),
                            (" or ", "dim"),
                            ("ctrl+c", "accent bold"),
                            (" leaves   ", "dim"),
                            ("esc", "accent bold"),
                            (" stays", "dim"),
                        )
                    ),
                ]
            )
