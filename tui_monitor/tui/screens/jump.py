"""Letters over every tab and every part that takes the focus: one more key goes there."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.events import Click, Key, Resize
from textual.geometry import Size

from tui_monitor.config import resources
from tui_monitor.tui.gathered import Dialog
from tui_monitor.tui.widgets.lines import Line, Lines

LETTERS = "asdfghjklqwertyuiopzxcvbnm"


@dataclass(frozen=True, slots=True)
class Spot:
    """Somewhere to go: a tab or a widget by its place in the order of focus, and the cell of its corner."""

    x: int
    y: int
    tab: str = ""
    part: int = 0


class JumpScreen(Dialog[Spot | None]):
    """Shows the letters over what is there; any other key, a click or another size leaves."""

    CSS_PATH = str(resources.style("dialogs.tcss"))

    def __init__(self, spots: Sequence[Spot]) -> None:
        """As many as there are letters are shown."""
        super().__init__()
        self._spots = dict(zip(LETTERS, spots, strict=False))
        self._shown_at = Size()
        self._gone = False

    def compose(self) -> ComposeResult:
        for letter, spot in self._spots.items():
            label = Lines([Line.of(f" {letter} ", "accent bold reverse")])
            label.styles.offset = (spot.x, spot.y)
            yield label

    def _go(self, spot: Spot | None) -> None:
        # Keys and sizes may come faster than the screen goes.
        if not self._gone:
            self._gone = True
            self.dismiss(spot)

    def on_key(self, event: Key) -> None:
        """Go to the letter's spot, or nowhere."""
        event.stop()
        event.prevent_default()
        self._go(self._spots.get(event.key))

    async def on_click(self, event: Click) -> None:
        """Who takes the mouse needs no letter."""
        event.stop()
        event.prevent_default()
        self._go(None)

    def on_mount(self) -> None:
        self._shown_at = self.app.size

    def on_resize(self, event: Resize) -> None:
        """Everything stands elsewhere now."""
        if event.size != self._shown_at:
            self._go(None)
