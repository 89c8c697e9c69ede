"""A line chart as lines of text with style tokens; pure, so that it can be tested without a terminal."""

from collections.abc import Sequence
from itertools import groupby

from tui_monitor.model.clock import Micros
from tui_monitor.tui.drawing import Glyphs, fit, safe, shorten, size_of, width_of, wrap
from tui_monitor.tui.drawing import Span as Piece
from tui_monitor.tui.widgets.axes import Scale, label, moment, scale, time_ticks
from tui_monitor.tui.widgets.legend import ChartData, Key, finite, last_known
from tui_monitor.tui.widgets.raster import Raster

Cells = list[tuple[str, str]]
"""One line of the field: a character and a token per cell."""
Dots = Sequence[tuple[int, int] | None]
"""Where the values of a series lie in the raster."""
_COVERED = "\0"
"""The second cell of a wide character."""

_NEAR = 3.0
"""A threshold is drawn to scale if it is at most so many times the largest value."""
_MARK_EVERY = 24
"""Cells between the marks that tell lines apart without colour."""


class Plot:
    """One chart of an exact size. `pointed` is the instant under the crosshair, `mono` says: no colour."""

    def __init__(
        self,
        data: ChartData,
        width: int,
        height: int,
        glyphs: Glyphs,
        *,
        pointed: Micros | None = None,
        mono: bool = False,
    ) -> None:
        self.data = data
        self.width = width
        self.height = height
        self.glyphs = glyphs
        self.mono = mono
        count = len(data.times)
        self.values = [tuple(finite(v) for v in series.values[:count]) for series in data.series]
        self.at = None if pointed is None else nearest(data.times, pointed)
        self.key = Key(data, self.values, self.at)
        self.thresholds = [(name, v) for name, value in data.thresholds if (v := finite(value)) is not None]
        self.known = [v for values in self.values for v in values if v is not None]
        self._share_out()

    def lines(self) -> list[list[Piece]]:
        """`height` lines of `width` cells at most."""
        lines = self._head()
        field = self._field() if self.known else self._nothing()
        labels = self._labels()
        sides = self._sides()
        for row in range(self.rows):
            wall = self._wall(labels.get(row, ""), row in labels)
            lines.append([*wall, *_joined(field[row]), *sides.get(row, [])])
        if self.axis:
            lines += self._axis(labels.get(self.rows, ""))
        return lines[: self.height]

    # Sharing out the room.

    def _share_out(self) -> None:
        """Give the field what it needs first, then axis, head and key as there is room."""
        data, height, glyphs = self.data, self.height, self.glyphs
        start, end = self._reach()
        self.axis = height >= 5 and end > start
        room = height - (2 if self.axis else 0)
        titled = bool(data.title or data.note)
        self.right, self.peak = self.key.side(self.width, room - titled, glyphs) if self.known else (0, False)
        legend = bool(data.series) and not self.right
        title = size_of(self._title())
        apart = legend and titled and size_of(self.key.row(10_000, glyphs)) > self.width - title - 3
        self.head = 0 if room < 2 or not (titled or legend) else 2 if apart and room >= 5 else 1
        self.rows = max(1, room - self.head)
        self.scale = self._scale()
        longest = max((width_of(safe(text, glyphs)) for _, text in self.scale.ticks), default=0)
        fits = self.known and self.width >= 24 and height > 1 and longest <= self.width // 3
        self.left = max(4, longest) if fits else 0
        walls = 2 if self.left else 0
        self.columns = max(1, self.width - self.left - walls - self.right)

    def _scale(self) -> Scale:
        data = self.data
        low, high = min(self.known, default=0.0), max(self.known, default=0.0)
        near = [
            value for _, value in self.thresholds if high <= value <= high * _NEAR or low <= value <= high
        ]
        low, high = min((low, *near)), max((high, *near))
        return scale(low, high, data.unit, max(1, min(5, self.rows // 3)), zero=data.zero)

    # Head.

    def _title(self) -> list[Piece]:
        pieces = [(self.data.title, "accent bold")] if self.data.title else []
        if self.data.note:
            pieces.append(((" " if pieces else "") + self.data.note, "dim"))
        return pieces

    def _head(self) -> list[list[Piece]]:
        if not self.head:
            return []
        title = shorten(self._title(), self.width, self.glyphs)
        if self.right or not self.data.series:
            return [title]
        if self.head == 2:
            return [title, self.key.row(self.width, self.glyphs)]
        room = self.width - (size_of(title) + 2 if title else 0)
        if room < 12 and title:
            return [title]
        return [[*title, ("  " if title else "", ""), *self.key.row(room, self.glyphs)]]

    # The field.

    def _field(self) -> list[Cells]:
        raster = Raster(self.columns, self.rows, self.glyphs)
        across = [self._x(t, raster.dots_across) for t in self.data.times]
        down = raster.dots_down - 1
        dots: list[Dots] = []
        for series, values in zip(self.data.series, self.values, strict=True):
            dots.append(
                [
                    None if v is None else (x, down - round(self.scale.share(v) * down))
                    for x, v in zip(across, values, strict=False)
                ]
            )
            for there, part in groupby(dots[-1], key=lambda point: point is not None):
                if there:
                    raster.line([point for point in part if point is not None], series.index)
        for series, points in zip(self.data.series, dots, strict=True):
            self._mark(raster, series.index, points)
        tokens = {series.index: series.token for series in self.data.series}
        cells = [
            [(text, tokens.get(owner, "")) for text, owner in raster.row(row)] for row in range(self.rows)
        ]
        self._level(cells)
        if self.at is not None:
            self._hair(cells, self._x(self.data.times[self.at], self.columns))
        return cells

    def _x(self, t: Micros, dots: int) -> int:
        start, end = self._reach()
        if end <= start:
            return dots - 1
        return round(min(max((t - start) / (end - start), 0.0), 1.0) * (dots - 1))

    def _reach(self) -> tuple[Micros, Micros]:
        """What the x axis covers, both ends included."""
        if self.data.span is not None:
            return self.data.span.start, self.data.span.end
        times = self.data.times
        return (times[0], times[-1]) if times else (0, 0)

    def _mark(self, raster: Raster, index: int, points: Dots) -> None:
        """Markers at the line's end and under the crosshair; without colour along the line as well."""
        glyph = self.glyphs.marker(index)
        if self.at is not None:
            wanted = [self.at]
        elif len(self.data.series) > 1:
            end = next((i for i in range(len(points) - 1, -1, -1) if points[i] is not None), None)
            # A label at the line's end begins with the marker itself.
            wanted = [] if end is None or self.right else [end]
            if self.mono:
                step = max(1, len(points) * _MARK_EVERY // self.columns)
                wanted += range(index * step // 3 % step, len(points), step)
        else:
            wanted = []
        for i in wanted:
            point = points[i] if i < len(points) else None
            if point is not None:
                raster.mark(*raster.cell_of(*point), glyph, index)

    def _row_of(self, value: float) -> int:
        """The line of the field a value is drawn on."""
        fine = {"braille": 4, "block": 2}.get(self.glyphs.name, 1)
        down = self.rows * fine - 1
        return (down - round(self.scale.share(value) * down)) // fine

    def _level(self, cells: list[Cells]) -> None:
        """Thresholds as dashed lines where nothing else is drawn, with their names where there is room."""
        if self.scale.low < 0 < self.scale.high:
            self._dash(cells[self._row_of(0)], "dim")
        for name, value in self.thresholds:
            text = safe(f" {name} {label(value, self.data.unit)} ", self.glyphs)
            if self.scale.low <= value <= self.scale.high:
                row = cells[self._row_of(value)]
                _write(row, text, "warn")
                self._dash(row, "warn")
                continue
            above = value > self.scale.high
            text = f" {self.glyphs.above if above else self.glyphs.below}{text}"
            next((row for row in (cells if above else reversed(cells)) if _write(row, text, "warn")), None)

    def _dash(self, row: Cells, token: str) -> None:
        for column, (text, _) in enumerate(row):
            if not text:
                row[column] = (self.glyphs.dash, token)

    def _hair(self, cells: list[Cells], column: int) -> None:
        for row in cells:
            if not row[column][0] or row[column][0] == self.glyphs.dash:
                row[column] = (self.glyphs.hair, "accent")

    def _nothing(self) -> list[Cells]:
        """The field with the words for no data in its middle."""
        cells: list[Cells] = [[("", "")] * self.columns for _ in range(self.rows)]
        lines = wrap(self.data.empty, self.columns, self.glyphs)[: self.rows]
        top = (self.rows - len(lines)) // 2
        for row, line in enumerate(lines, top):
            cells[row] = [(fit(line, self.columns, "center", self.glyphs), "dim")]
        return cells

    # Around the field.

    def _labels(self) -> dict[int, str]:
        """The text at the y axis by line; the lowest tick stands on the x axis where that is drawn."""
        if not self.left or not self.known:
            return {}
        labels: dict[int, str] = {}
        for value, text in reversed(self.scale.ticks):
            row = self.rows if self.axis and value == self.scale.low else self._row_of(value)
            labels.setdefault(row, text)
        return labels

    def _wall(self, text: str, tick: bool) -> list[Piece]:
        if not self.left:
            return []
        wall = self.glyphs.wall if tick else self.glyphs.post
        return [(fit(text, self.left, "right", self.glyphs) + " " + wall, "dim")]

    def _sides(self) -> dict[int, list[Piece]]:
        """The labels at the line ends by line, moved apart where lines end close together."""
        if not self.right:
            return {}
        name = max(self.key.names(self.glyphs))
        ends: list[tuple[int, int]] = []
        for n, values in enumerate(self.values):
            i = last_known(values) if self.at is None else self.at
            value = values[i] if i is not None and i < len(values) else None
            ends.append((self.rows - 1 if value is None else self._row_of(value), n))
        ends.sort()
        placed: list[int] = []
        for place, (row, _) in enumerate(ends):
            lowest = self.rows - (len(ends) - place)
            placed.append(min(max(row, placed[-1] + 1 if placed else 0), lowest))
        return {
            row: [(" ", ""), *self.key.entry(n, self.glyphs, name, peak=self.peak)]
            for row, (_, n) in zip(placed, ends, strict=True)
        }

    def _axis(self, lowest: str) -> list[list[Piece]]:
        """The x axis and the line of times under it."""
        start, end = self._reach()
        ticks = time_ticks(start, end, self.columns, self.data.calendar)
        floor = [self.glyphs.floor] * self.columns
        texts = [(self._x(t, self.columns), safe(text, self.glyphs), "dim") for t, text in ticks]
        for column, _, _ in texts:
            floor[column] = self.glyphs.stud
        if self.at is not None:
            t = self.data.times[self.at]
            text = safe(f"◂ {moment(t, end - start, self.data.calendar)} ▸", self.glyphs)
            texts.insert(0, (self._x(t, self.columns), text, "accent bold"))
        offset = self.left + 2 if self.left else 0
        corner = (
            [(fit(lowest, self.left, "right", self.glyphs) + " " + self.glyphs.corner, "dim")]
            if self.left
            else []
        )
        return [[*corner, ("".join(floor), "dim")], _under(texts, offset, self.width)]


def nearest(times: Sequence[Micros], wanted: Micros) -> int | None:
    """Index of the instant closest to `wanted`."""
    return min(range(len(times)), key=lambda i: abs(times[i] - wanted)) if times else None


def _joined(cells: Cells) -> list[Piece]:
    """Cells of one token after another as one piece."""
    return [
        ("".join(text or " " for text, _ in part).replace(_COVERED, ""), token)
        for token, part in groupby(cells, key=lambda cell: cell[1] if cell[0] else "")
    ]


def _write(row: Cells, text: str, token: str) -> bool:
    """Put a text into the first empty stretch of a line that holds it; whether there is one."""
    size = width_of(text)
    for start in range(1, len(row) - size):
        if not any(there for there, _ in row[start : start + size]):
            for character in text:
                cells = width_of(character)
                if not cells:
                    row[start - 1] = (row[start - 1][0] + character, token)
                    continue
                row[start : start + cells] = [(character, token), (_COVERED, token)][:cells]
                start += cells
            return True
    return False


def _under(texts: Sequence[tuple[int, str, str]], offset: int, width: int) -> list[Piece]:
    """Texts centred under their columns; the earlier given wins where two meet."""
    taken: list[tuple[int, int, str, str]] = []
    for column, text, token in texts:
        size = width_of(text)
        left = max(0, min(offset + column - size // 2, width - size))
        if left >= 0 and size <= width and all(left + size + 2 <= a or left >= b + 2 for a, b, _, _ in taken):
            taken.append((left, left + size, text, token))
    pieces: list[Piece] = []
    at = 0
    for left, right, text, token in sorted(taken):
        pieces += [(" " * (left - at), ""), (text, token)]
        at = right
    return pieces
