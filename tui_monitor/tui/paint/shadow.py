"""What the terminal shows, and what it should: the way from one to the other in few bytes.

Sequences are those of ECMA-48 that every terminal knows: CUP, CUF, SGR and EL; ECH where the terminal has it.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rich.color import ColorSystem
from rich.segment import Segment

from tui_monitor.tui.paint.cells import SURE, agreed, split
from tui_monitor.tui.paint.pens import Pen, Pens
from tui_monitor.tui.paint.strokes import Brush, Stroke

UNKNOWN = "\0"
"""A cell of which nobody knows what the terminal shows there."""
_GAP = 4
"""Cells that are sooner written again than jumped over."""
_ASIDE = 12
"""Bytes that go with a stroke: where it begins, and its pen."""
_TAIL = 4
_HOLE = 12
"""Blank cells from which on erasing is shorter: to the end of the line, and within it."""

Piece = tuple[int, int, Iterable[Segment]]
"""Row, column, and what is drawn from there on."""


class Row(NamedTuple):
    """One row of cells."""

    cells: list[str]
    pens: list[Pen]


class Erasing(NamedTuple):
    """How a terminal erases."""

    within: bool = False
    """Whether it erases so many cells, and not only up to the end of the line."""
    coloured: bool = False
    """Whether the background's colour is left where it erases."""


LITTLE = Erasing()
"""What every terminal does."""


class Shadow:
    """The cells of a screen twice: as they are wanted, and as the terminal shows them."""

    def __init__(
        self, width: int, height: int, *, colours: ColorSystem = ColorSystem.TRUECOLOR,
        erasing: Erasing = LITTLE,
    ) -> None:  # fmt: skip
        """A terminal of which nothing is known, that shows so many colours and erases in that way."""
        self.width, self.height = width, height
        self._pens = Pens(colours)
        self._brush = Brush(self._pens)
        self._erasing = erasing
        plain = self._pens.plain
        self._wanted = [Row([" "] * width, [plain] * width) for _ in range(height)]
        self._shown = [Row([UNKNOWN] * width, [plain] * width) for _ in range(height)]
        self._unsure: list[bool] = [False] * height
        """Rows with characters that terminals disagree about; such a row is sent as a whole."""
        self._changed: dict[int, None] = {}
        """Rows that may differ; what was drawn last comes first."""
        self.forget()

    @property
    def behind(self) -> bool:
        """Whether the terminal may show something else than what is wanted."""
        return bool(self._changed)

    def forget(self) -> None:
        """Nothing is known of what the terminal shows: everything is drawn anew."""
        for row in self._shown:
            row.cells[:] = [UNKNOWN] * self.width
        self._changed = dict.fromkeys(range(self.height))
        self._brush.forget()

    def draw(self, pieces: Iterable[Piece]) -> None:
        """Take over what is wanted; nothing is sent by that."""
        rows: dict[int, None] = {}
        for y, x, segments in pieces:
            if 0 <= y < self.height:
                self._put(y, x, segments)
                rows[y] = None
        for y in rows:
            self._changed.pop(y, None)
        self._changed = {**rows, **self._changed}

    def _put(self, y: int, x: int, segments: Iterable[Segment]) -> None:
        cells, pens = self._wanted[y]
        begin, width, of = x, self.width, self._pens.of
        for text, style, control in segments:
            if control:
                continue
            if x >= width:
                break
            part: str | tuple[str, ...] = text
            if not SURE.issuperset(text):
                part, sure = split(text)
                if not sure:
                    self._unsure[y] = True
            end = x + len(part)
            if end > width:
                part, end = part[: width - x], width
            cells[x:end] = part
            pens[x:end] = [of(style)] * (end - x)
            x = end
        self._mend(cells, begin, x)

    def _mend(self, cells: list[str], begin: int, end: int) -> None:
        """Leave no half of a wide character beside what was drawn."""
        width = self.width
        while end < width and not cells[end]:
            cells[end] = " "
            end += 1
        for edge in (begin - 1, end - 1):
            if 0 <= edge < width - 1 and cells[edge + 1] != "" and _wide(cells[edge]):
                cells[edge] = " "
        if end == width and width and _wide(cells[-1]):
            cells[-1] = " "

    def difference(self, most: int | None = None) -> str:
        """What makes the terminal show what is wanted; rows only until there are about `most` bytes."""
        strokes: list[Stroke] = []
        unsure: list[Stroke] = []
        size = 0
        while self._changed and (most is None or size < most):
            y = next(iter(self._changed))
            del self._changed[y]
            found = unsure if self._unsure[y] else strokes
            before = len(found)
            self._row(y, found)
            if most is not None:
                size += sum(len(stroke.text.encode()) + _ASIDE for stroke in found[before:])
        return self._brush.draw(strokes, unsure)

    def move(self, y: int, x: int) -> str:
        """What brings the terminal's cursor to a cell, if it is not there."""
        return self._brush.go(y, x)

    def leave_first_row(self) -> str:
        """What brings the terminal's cursor out of the first row, if it may be there."""
        at = self._brush.at
        return self.move(1, 0) if at is None or not at[0] else ""

    # One row.

    def _row(self, y: int, strokes: list[Stroke]) -> None:
        wanted, shown = self._wanted[y], self._shown[y]
        if wanted == shown:
            return
        if self._unsure[y]:
            self._unsure[y] = not all(agreed(cell) for cell in wanted.cells if cell and cell not in SURE)
            runs = [(0, self.width)] if next(_differing(wanted, shown), None) is not None else []
        else:
            runs = list(self._runs(wanted, shown))
        for start, end in runs:
            if self._run(y, wanted, start, end, strokes):
                break
        shown.cells[:] = wanted.cells
        shown.pens[:] = wanted.pens

    def _runs(self, wanted: Row, shown: Row) -> Iterator[tuple[int, int]]:
        """Columns to draw, from and to; what is between two of them stays."""
        start = end = -1
        for x in _differing(wanted, shown):
            if x == end or (start >= 0 and x - end <= _GAP and _same_pen(wanted, end, x)):
                end = x + 1
                continue
            if start >= 0:
                yield start, end
            start, end = x, x + 1
        if start >= 0:
            yield start, end

    def _run(self, y: int, row: Row, x: int, end: int, strokes: list[Stroke]) -> bool:
        """Draw columns of a row; whether that reached to its end."""
        while x < end:
            count = self._blanks(row, x, end)
            if not count:
                x = self._text(y, row, x, end, strokes)
                continue
            whole = x + count >= self.width
            strokes.append(Stroke(y, x, "\x1b[K" if whole else f"\x1b[{count}X", x, row.pens[x], True))
            if whole:
                return True
            x += count
        return False

    def _blanks(self, row: Row, x: int, end: int) -> int:
        """The blank cells from here on that are better erased than written; 0 for none."""
        cells, pens = row
        if cells[x] != " " or not pens[x].wipes or not (self._erasing.coloured or not pens[x].back):
            return 0
        blank = pens[x].blank
        stop = x + 1
        width = self.width
        while stop < width and cells[stop] == " " and pens[stop].blank is blank:
            stop += 1
        if stop == width and stop - x >= _TAIL:
            return stop - x
        count = min(stop, end) - x
        return count if count >= _HOLE and self._erasing.within else 0

    def _text(self, y: int, row: Row, x: int, end: int, strokes: list[Stroke]) -> int:
        """Write cells up to another pen, a hole, or one that terminals disagree about; the next column."""
        cells, pens = row
        start, pen, blank = x, pens[x], True
        lost = False
        while x < end and not lost:
            cell, here = cells[x], pens[x]
            if cell == " ":
                hole = x > start and cells[x - 1] != " " and self._blanks(row, x, end)
                if hole or here.blank is not pen.blank:
                    break
            elif cell:
                if here is not pen and not (blank and here.blank is pen.blank):
                    break
                pen, blank = here, False
            x += 1
            if self._unsure[y] and cell and not agreed(cell):
                while x < end and not cells[x]:
                    x += 1
                lost = True
        # After the last column a terminal's cursor waits there for what comes.
        after = x if x < self.width and not lost else None
        strokes.append(Stroke(y, start, "".join(cells[start:x]), after, pen, blank))
        return x


def _same_pen(row: Row, start: int, end: int) -> bool:
    """Whether the pen of the cell before draws these as well."""
    cells, pens = row
    pen = pens[start - 1]
    return all(pens[x] is pen or (cells[x] == " " and pens[x].blank is pen.blank) for x in range(start, end))


def _differing(wanted: Row, shown: Row) -> Iterator[int]:
    """The columns whose cells look different."""
    cells, pens = wanted
    was, old = shown
    for x, (cell, before, pen, pen_before) in enumerate(zip(cells, was, pens, old, strict=True)):
        if (cell != before or pen is not pen_before) and not (
            cell == before == " " and pen.blank is pen_before.blank
        ):
            yield x


def _wide(cell: str) -> bool:
    """Whether a character needs the next cell, too."""
    if len(cell) == 1 and cell in SURE:
        return False
    from rich.cells import cell_len

    return cell_len(cell) > 1
