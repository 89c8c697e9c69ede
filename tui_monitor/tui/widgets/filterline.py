"""The line above a filtered list: where its words are typed, and afterwards a chip with what they leave."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import DescendantBlur
from textual.message import Message

from tui_monitor.model.units import count
from tui_monitor.tui.drawing import Span
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.prompt import Prompt
from tui_monitor.tui.widgets.sifted import SiftedGrid, leave_key


class FilterLine(Vertical):
    """Belongs to one list. Empty and without the focus it is not there."""

    DEFAULT_CSS = """
    FilterLine { height: auto; display: none; margin: 0 1; }
    """
    PLACEHOLDER: ClassVar[str] = "words, column=value, !without"

    class Closed(Message):
        """Nothing is typed any more; the list has the keys again."""

    def __init__(self, grid: SiftedGrid) -> None:
        super().__init__()
        self._grid = grid
        self._prompt = Prompt(placeholder=self.PLACEHOLDER)
        self._chip = Lines()

    def compose(self) -> ComposeResult:
        yield self._prompt
        yield self._chip

    @property
    def grid(self) -> SiftedGrid:
        """The list."""
        return self._grid

    @property
    def typing(self) -> bool:
        """Whether keys go into it."""
        focused = self.screen.focused if self.is_attached else None
        return focused is not None and self._prompt in focused.ancestors

    def begin(self) -> None:
        """Let words be typed."""
        self._prompt.value = self._grid.words
        self.display = True
        self._prompt.display = True
        self._prompt.focus()
        self.tell()

    def clear(self) -> None:
        """All rows again."""
        self._prompt.value = ""
        self._grid.sift("")
        self._close()

    def tell(self) -> None:
        """Say how many rows pass."""
        passed, there = self._grid.counts
        of = f"{count(passed)} of {count(there)}"
        key = leave_key(self)
        self._prompt.say(f"enter keeps it, {key} shows all", f"{of} ")
        self._chip.show([Line(tuple(_chip(self._grid.words, of, key)))] if not self._prompt.display else [])

    @on(Prompt.Changed)
    def _changed(self, event: Prompt.Changed) -> None:
        event.stop()
        self._grid.sift(event.value)
        self.tell()

    @on(Prompt.Submitted)
    def _submitted(self, event: Prompt.Submitted) -> None:
        event.stop()
        self._prompt.history.add(event.value.strip())
        self._close()

    def on_descendant_blur(self, event: DescendantBlur) -> None:
        self._fold()

    def _close(self) -> None:
        if self.typing:
            self._grid.focus()
        self._fold()
        self.post_message(self.Closed())

    def _fold(self) -> None:
        """Only a chip is left, or nothing."""
        self._prompt.display = False
        self.display = bool(self._grid.words)
        self.tell()


def _chip(words: str, of: str, key: str) -> Sequence[Span]:
    return [
        (f" / {words} ", "accent reverse"),
        (f"  {of}", "bright"),
        (f"   {key}", "accent bold"),
        (" shows all", "dim"),
    ]
