"""The panel of the tour: it stands at the foot and says one thing at a time."""

from collections.abc import Sequence

from textual.geometry import Size
from textual.strip import Strip

from tui_monitor.tui.drawing import Span, rule, shorten, width_of
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.widgets.base import Drawn
from tui_monitor.tui.widgets.keyline import key_spans

_MARGIN = 2


class Guide(Drawn):
    """Draws one step."""

    DEFAULT_CSS = """
    Guide { width: 1fr; height: auto; max-height: 50%; }
    """

    def __init__(self) -> None:
        super().__init__(id="tour")
        self._title, self._place = "", ""
        self._text: Sequence[Span] = ()
        self._last = False

    def show(self, title: str, place: str, text: Sequence[Span], *, last: bool) -> None:
        """Say this from now on; `place` is which step it is."""
        self._title, self._place, self._text, self._last = title, place, text, last
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def draw(self, y: int) -> Strip:
        """A line of it."""
        width = self.size.width
        lines = self._lines(width)
        return (
            self.strip(shorten(lines[y], width, self.glyphs), width) if y < len(lines) else self.blank(width)
        )

    def _lines(self, width: int) -> list[list[Span]]:
        go = "ends it" if self._last else "goes on"
        named = (("dialog.tour.next", go), ("dialog.tour.back", ""), ("dialog.tour.leave", ""))
        keys = [(" ", ""), *key_spans(keymap_of(self.app), named)]
        return [
            [(" " + rule(max(0, width - 2), self.glyphs), "accent")],
            [(f"  {self._title}", "accent bold"), (f"   tour, {self._place}", "dim")],
            *wrapped(self._text, width - 2 * _MARGIN),
            keys,
        ]


def wrapped(text: Sequence[Span], room: int) -> list[list[Span]]:
    """Spans in lines of so many cells, broken between words, each behind the margin."""
    lines: list[list[Span]] = [[]]
    used = 0
    for piece, token in text:
        for n, word in enumerate(piece.split(" ")):
            space = 1 if n else 0
            if used and used + space + width_of(word) > room:
                lines.append([])
                used = space = 0
            lines[-1].append((" " * space + word, token))
            used += space + width_of(word)
    return [[(" " * _MARGIN, ""), *line] for line in lines]
