"""A few static lines: title bar, section headings, summaries, footer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual.events import Click
from textual.geometry import Size
from textual.strip import Strip

from tui_monitor.tui.drawing import Span, safe, shorten, size_of
from tui_monitor.tui.widgets.base import Drawn


@dataclass(frozen=True, slots=True)
class Line:
    """One line: spans from the left, and spans that end at the right edge."""

    left: tuple[Span, ...] = ()
    right: tuple[Span, ...] = ()
    keys: tuple[tuple[int, str], ...] = ()
    """Up to which cell from the left a click presses which key, rising; the toolkit's name of it."""

    @classmethod
    def of(cls, text: str, token: str = "") -> "Line":
        """One piece of text."""
        return cls(((text, token),))


def pressed(pieces: Iterable[tuple[Sequence[Span], str]]) -> Line:
    """Pieces from the left, each with the key that a click on it presses; empty for none."""
    left: list[Span] = []
    keys: list[tuple[int, str]] = []
    for spans, key in pieces:
        left += spans
        keys.append((size_of(left), key))
    return Line(tuple(left), keys=tuple(keys))


class Lines(Drawn):
    """Draws what it is shown and repaints only the lines that changed. As high as it has lines."""

    DEFAULT_CSS = """
    Lines { width: 1fr; height: auto; }
    """

    def __init__(
        self, lines: Sequence[Line] = (), *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._lines = tuple(lines)

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown."""
        return self._lines

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines from now on."""
        old, self._lines = self._lines, tuple(lines)
        width = self.styles.width
        if len(old) != len(self._lines) or (width is not None and width.is_auto and old != self._lines):
            self.refresh(layout=True)
            return
        for y, (before, after) in enumerate(zip(old, self._lines, strict=True)):
            if before != after:
                self.repaint(y)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return max(
            (size_of(self._safe(line.left) + self._safe(line.right)) for line in self._lines), default=0
        )

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines)

    def draw(self, y: int) -> Strip:
        width = self.size.width
        if y >= len(self._lines):
            return self.blank(width)
        line = self._lines[y]
        return self.strip(self._joined(line, width), width)

    def _joined(self, line: Line, width: int) -> list[Span]:
        """Both sides in one row: where room is short the left one is cut, for the right one is shorter."""
        right = self._safe(line.right)
        taken = size_of(right)
        if not right or taken > width:
            return shorten(line.left, width, self.glyphs)
        left = shorten(line.left, max(0, width - taken - 1), self.glyphs)
        used = size_of(left)
        return [*left, (" " * (width - taken - used), ""), *right]

    def on_click(self, event: Click) -> None:
        """Press the key that stands there."""
        offset, focused = event.get_content_offset(self), self.screen.focused
        keys = () if offset is None or offset.y >= len(self._lines) else self._lines[offset.y].keys
        key = next((key for end, key in keys if offset is not None and offset.x < end), "")
        if key and not (focused is not None and focused.check_consume_key(key, key)):
            event.stop()
            self.app.simulate_key(key)

    def _safe(self, spans: Sequence[Span]) -> list[Span]:
        return [(safe(text, self.glyphs), token) for text, token in spans]
