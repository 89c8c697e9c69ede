"""Colours of a query or a filter in the line one types in."""

from collections.abc import Callable, Sequence

from rich.highlighter import Highlighter
from rich.style import Style
from rich.text import Text
from textual.color import Color
from textual.widget import Widget

from tui_monitor.query.colouring import Sort, stretches
from tui_monitor.tui.theme import colours

TOKENS: dict[Sort, str] = {
    "metric": "bright bold", "function": "accent", "keyword": "accent", "label": "series-3",
    "value": "series-2", "number": "series-5", "sign": "dim", "comment": "dim italic",
}  # fmt: skip
"""The style token of each part of the language."""

Painter = Callable[[str], Sequence[tuple[int, int, str]]]
"""A text → from where to where it has which style token."""


def painted(text: str) -> list[tuple[int, int, str]]:
    """How a query or a filter is coloured."""
    return [(stretch.start, stretch.end, TOKENS[stretch.sort]) for stretch in stretches(text)]


class Coloured(Highlighter):
    """Colours the text of a line as its painter says, under the present theme."""

    def __init__(self, widget: Widget, painter: Painter) -> None:
        self._widget = widget
        self._painter = painter
        self._last: tuple[str, Sequence[tuple[int, int, str]]] = ("", ())

    def highlight(self, text: Text) -> None:
        """The toolkit asks several times for each paint: what was said last is kept."""
        plain = text.plain
        if plain != self._last[0]:
            self._last = (plain, self._painter(plain))
        known = colours(self._widget.app.theme_variables)  # type: ignore[attr-defined]
        for start, end, token in self._last[1]:
            text.stylize(_style(token, known), start, end)


def _style(token: str, known: dict[str, str]) -> Style:
    words = token.split()
    colour = next((known[word] for word in words if word in known), known[""])
    return Style(
        color=Color.parse(colour).rich_color, bold="bold" in words or None, italic="italic" in words or None
    )
