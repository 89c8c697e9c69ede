"""A page to read above the panes."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from tui_monitor.config import resources
from tui_monitor.tui.dialogkeys import bindings
from tui_monitor.tui.gathered import Dialog
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.widgets.lines import Line, Lines

_WIDEST, _BESIDE = 84, 12
"""Cells of a line at most, and of the screen beside it: frame, margins, the bar for scrolling and a gap."""


class Reading(Dialog[None]):
    """Lines that scroll; any of its keys closes it."""

    HELPED = False
    CSS_PATH = str(resources.style("dialogs.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = bindings("help")
    TITLED: ClassVar[str] = ""
    """What stands in its frame."""

    def lines(self, width: int) -> list[Line]:
        """What is to be read, in so many cells."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as scroll:
            scroll.border_title = self.TITLED
            key = keymap_of(self.app).key("dialog.help.close")
            scroll.border_subtitle = Content(f"{key} closes")
            yield Lines(self.lines(min(_WIDEST, self.app.size.width - _BESIDE)))

    def action_scroll(self, where: str) -> None:
        """A line or a page up or down, or to one end."""
        # A quick key may come before there is anything to scroll.
        for scroll in self.query(VerticalScroll):
            getattr(scroll, f"scroll_{where}")(animate=False)
