"""Strokes of pens on a screen, and the order of them that takes the fewest bytes."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tui_monitor.tui.paint.pens import Pen, Pens


class Stroke(NamedTuple):
    """What is drawn with one pen from a cell on."""

    y: int
    x: int
    text: str
    after: int | None
    """The column where the cursor is behind it; None where nobody knows."""
    pen: Pen
    blank: bool
    """Whether every pen will do whose blanks look the same."""


class Brush:
    """Where the terminal's cursor is and which pen it draws with, as far as that is known."""

    def __init__(self, pens: Pens) -> None:
        self._pens = pens
        self.at: tuple[int, int] | None = None
        self._pen: Pen | None = None

    def forget(self) -> None:
        """Others have drawn there."""
        self.at = self._pen = None

    def draw(self, strokes: Sequence[Stroke], after: Sequence[Stroke] = ()) -> str:
        """Draw all of them, row by row or pen by pen, whichever is shorter; then those `after`, in order."""
        before = self.at, self._pen
        text = self._drawn(strokes)
        if len(strokes) > 2:
            end = self.at, self._pen
            self.at, self._pen = before
            other = self._drawn(_by_pen(strokes))
            if len(other) < len(text):
                text = other
            else:
                self.at, self._pen = end
        return text + self._drawn(after)

    def _drawn(self, strokes: Iterable[Stroke]) -> str:
        parts: list[str] = []
        for y, x, text, after, pen, blank in strokes:
            parts.append(self.go(y, x))
            used = self._pen
            if pen is not used and not (blank and used is not None and used.blank is pen.blank):
                parts.append(self._pens.step(used, pen))
                self._pen = pen
            parts.append(text)
            self.at = None if after is None else (y, after)
        return "".join(parts)

    def go(self, y: int, x: int) -> str:
        """What brings the cursor to a cell."""
        at = self.at
        if at == (y, x):
            return ""
        self.at = (y, x)
        if at is not None and at[0] == y and x > at[1]:
            return f"\x1b[{x - at[1]}C" if x - at[1] > 1 else "\x1b[C"
        if at is not None and at[0] == y and not x:
            return "\r"
        if x:
            return f"\x1b[{y + 1};{x + 1}H"
        return f"\x1b[{y + 1}H" if y else "\x1b[H"


def _by_pen(strokes: Iterable[Stroke]) -> list[Stroke]:
    """The same strokes, those of one pen together; blanks with the stroke before them, where they can."""
    groups: dict[Pen, list[Stroke]] = {}
    blanks: dict[Pen, list[Stroke]] = {}
    last: Stroke | None = None
    pen: Pen | None = None
    for stroke in strokes:
        if not stroke.blank:
            pen = stroke.pen
        elif last is None or pen is None or last.y != stroke.y or pen.blank is not stroke.pen.blank:
            pen = None
        if pen is None:
            blanks.setdefault(stroke.pen.blank, []).append(stroke)
        else:
            groups.setdefault(pen, []).append(stroke)
        last = stroke
    ordered: list[Stroke] = []
    for pen, group in groups.items():
        ordered += group
        ordered += blanks.pop(pen.blank, ())
    for group in blanks.values():
        ordered += group
    return ordered
