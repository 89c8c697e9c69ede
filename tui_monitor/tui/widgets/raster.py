"""A field of dots, several to a cell, in which lines and areas are drawn. Pure."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from tui_monitor.tui.drawing import Glyphs

_BRAILLE = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bit of the dot by its column and row within a cell."""
_BLOCKS = ((1, 4), (2, 8))
_QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"

BEFORE = -2
"""From here down: who owns the line of each series that belongs to another time."""

Trace = dict[int, tuple[int, int]]
"""The dots of a line: from which to which one, counted from the top, in each column that it passes."""


def trace(points: Sequence[tuple[int, int]]) -> Trace:
    """Join dots (x, y), sorted by x, into one line without holes."""
    found: Trace = {}
    if len(points) == 1:
        x, y = points[0]
        return {x: (y, y)}
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 == x1:
            _reach(found, x0, y0, y1)
            continue
        slope = (y1 - y0) / (x1 - x0)
        last = y0
        for x in range(x0, x1 + 1):
            y = y0 + round(slope * (x - x0))
            # Steep lines fill the column from just beyond where they were.
            start = last if x == x0 or y == last else last + (1 if y > last else -1)
            _reach(found, x, start, y)
            last = y
    return found


def _reach(found: Trace, x: int, one: int, other: int) -> None:
    top, bottom = (one, other) if one < other else (other, one)
    before = found.get(x)
    found[x] = (top, bottom) if before is None else (min(before[0], top), max(before[1], bottom))


class Raster:
    """`width` × `height` cells; each has the dots of all lines through it and the index of the last one.

    Braille has 2 × 4 dots a cell, blocks 2 × 2, ASCII one, drawn as the line's own marker.
    """

    def __init__(self, width: int, height: int, glyphs: Glyphs) -> None:
        self.width = width
        self.height = height
        self._glyphs = glyphs
        self._across, self._down = dots_of(glyphs)
        self._masks = {4: _masks(_BRAILLE), 2: _masks(_BLOCKS)}.get(self._down, _masks(((1,),)))
        self.dots_across = width * self._across
        self.dots_down = height * self._down
        self._bits: dict[tuple[int, int], int] = {}
        self._owner: dict[tuple[int, int], int] = {}
        self._marks: dict[tuple[int, int], str] = {}

    def cell_of(self, x: int, y: int) -> tuple[int, int]:
        """The cell (column, row) that holds a dot."""
        return x // self._across, y // self._down

    def line(self, drawn: Trace, owner: int, dashed: int | None = None) -> None:
        """Draw a line; from the column of dots `dashed` on with holes in it."""
        for x, (top, bottom) in drawn.items():
            if dashed is None or x < dashed or x // self._across % 2 == 0:
                self._upright(x, top, bottom, owner)

    def area(self, drawn: Trace, floor: int, owner: int) -> None:
        """Fill from a line to the row of dots `floor`."""
        for x, (top, bottom) in drawn.items():
            self._upright(x, min(top, floor), max(bottom, floor), owner)

    def mark(self, column: int, row: int, glyph: str, owner: int) -> None:
        """Put a whole glyph into a cell, over its dots."""
        self._marks[column, row] = glyph
        self._owner[column, row] = owner

    def _upright(self, x: int, top: int, bottom: int, owner: int) -> None:
        column, dx = divmod(x, self._across)
        down, masks, bits = self._down, self._masks[dx], self._bits
        first, last = top // down, bottom // down
        for row in range(first, last + 1):
            low = top - row * down if row == first else 0
            high = bottom - row * down if row == last else down - 1
            cell = column, row
            bits[cell] = bits.get(cell, 0) | masks[low][high]
            self._owner[cell] = owner

    def cells(self) -> Iterator[tuple[int, int, str, int]]:
        """Every cell that anything was drawn in: column, row, character, index of the line in it."""
        for cell, bits in self._bits.items():
            if cell not in self._marks:
                owner = self._owner[cell]
                yield *cell, self._glyph(bits, owner), owner
        for cell, glyph in self._marks.items():
            yield *cell, glyph, self._owner[cell]

    def _glyph(self, bits: int, owner: int) -> str:
        if self._down == 4:
            return chr(0x2800 + bits)
        if self._down == 2:
            return _QUADRANTS[bits]
        return self._glyphs.dot if owner <= BEFORE else self._glyphs.marker(owner)


def _masks(bits: Sequence[Sequence[int]]) -> list[list[list[int]]]:
    """The bits of a cell by its column of dots, from the first to the last row of dots."""
    return [
        [[sum(column[low : high + 1]) for high in range(len(column))] for low in range(len(column))]
        for column in bits
    ]


def dots_of(glyphs: Glyphs) -> tuple[int, int]:
    """Dots across and down in a cell."""
    return {"braille": (2, 4), "block": (2, 2)}.get(glyphs.name, (1, 1))
