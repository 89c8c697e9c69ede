"""A field of dots, several to a cell, in which lines are drawn. Pure."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from tui_monitor.tui.drawing import Glyphs

_BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of the dot by its row and column within a cell."""
_QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"


class Raster:
    """`width` × `height` cells; each has the dots of all lines through it and the index of the last one.

    Braille has 2 × 4 dots a cell, blocks 2 × 2, ASCII one, drawn as the line's own marker.
    """

    def __init__(self, width: int, height: int, glyphs: Glyphs) -> None:
        self.width = width
        self.height = height
        self._glyphs = glyphs
        self._across, self._down = {"braille": (2, 4), "block": (2, 2)}.get(glyphs.name, (1, 1))
        self.dots_across = width * self._across
        self.dots_down = height * self._down
        self._bits = [[0] * width for _ in range(height)]
        self._owner = [[-1] * width for _ in range(height)]
        self._marks: dict[tuple[int, int], str] = {}

    def cell_of(self, x: int, y: int) -> tuple[int, int]:
        """The cell (column, row) that holds a dot."""
        return x // self._across, y // self._down

    def line(self, points: Sequence[tuple[int, int]], owner: int) -> None:
        """Join dots (x, y), sorted by x and y from the top, into one line."""
        if len(points) == 1:
            x, y = points[0]
            self._upright(x, y, y, owner)
            column, row = self.cell_of(x, y)
            self.mark(
                column, row, self._glyphs.marker(owner) if self._glyphs.plain else self._glyphs.lone, owner
            )
            return
        for (x0, y0), (x1, y1) in pairwise(points):
            if x0 == x1:
                self._upright(x0, min(y0, y1), max(y0, y1), owner)
                continue
            slope = (y1 - y0) / (x1 - x0)
            last = y0
            for x in range(x0, x1 + 1):
                y = y0 + round(slope * (x - x0))
                # Steep lines fill the column from just beyond where they were.
                start = last if x == x0 or y == last else last + (1 if y > last else -1)
                self._upright(x, min(start, y), max(start, y), owner)
                last = y

    def mark(self, column: int, row: int, glyph: str, owner: int) -> None:
        """Put a whole glyph into a cell, over its dots."""
        self._marks[column, row] = glyph
        self._owner[row][column] = owner

    def _upright(self, x: int, top: int, bottom: int, owner: int) -> None:
        column, dx = divmod(x, self._across)
        down = self._down
        for y in range(top, bottom + 1):
            row, dy = divmod(y, down)
            if down == 4:
                self._bits[row][column] |= _BRAILLE[dy][dx]
            elif down == 2:
                self._bits[row][column] |= 1 << (2 * dy + dx)
            else:
                self._bits[row][column] = 1
            self._owner[row][column] = owner

    def row(self, row: int) -> Iterator[tuple[str, int]]:
        """The characters of a line, empty where nothing is, each with the index of the line it shows."""
        for column, (bits, owner) in enumerate(zip(self._bits[row], self._owner[row], strict=True)):
            mark = self._marks.get((column, row))
            if mark is not None:
                yield mark, owner
            elif not bits:
                yield "", -1
            elif self._down == 4:
                yield chr(0x2800 + bits), owner
            else:
                yield _QUADRANTS[bits] if self._down == 2 else self._glyphs.marker(owner), owner
