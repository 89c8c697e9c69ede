"""A chart as lines of text with style tokens; pure, so that it can be tested without a terminal."""

from collections.abc import Sequence

from tui_monitor.model.clock import Micros
from tui_monitor.tui.drawing import Glyphs, fit, safe, shorten, size_of, width_of
from tui_monitor.tui.drawing import Span as Piece
from tui_monitor.tui.widgets import grouped, heat, overlay, stacked
from tui_monitor.tui.widgets.axes import Scale, moment, scale, time_ticks, words
from tui_monitor.tui.widgets.field import Cells, Frame, lines
from tui_monitor.tui.widgets.figure import (
    ADDS_UP,
    ChartData,
    cleaned,
    finite,
    last_known,
    nearest,
    step_of,
    total,
    with_near,
)
from tui_monitor.tui.widgets.legend import Key

_STEPPED = ("bars", "grouped", "heat")
"""Drawings whose first step has the room of a whole one."""


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
        count = len(data.times)
        self.values = [cleaned(series.values, count) for series in data.series]
        self.at = None if pointed is None else nearest(data.times, pointed)
        self.thresholds = [(name, v) for name, value in data.thresholds if (v := finite(value)) is not None]
        self.known = any(v is not None for values in self.values for v in values)
        piled = data.drawing in ("stack", "bars")
        rest = cleaned(data.rest.values, count) if data.rest is not None else None
        self.stack = stacked.layers(data, self.values, rest) if piled else []
        self.sums = stacked.totals(self.stack, count) if piled else ()
        # What is told of each adds up to the total that is told.
        self.key = Key(data, self.values, self.at, last_known(self.sums))
        courses = [cleaned(course, count) for course in data.before]
        whole = tuple(total(at) for at in zip(*courses, strict=True))
        self.before = ([whole] if whole else []) if piled else courses
        """What was before: of each series, or of all together where they are piled up."""
        self.adds = whole if data.unit in ADDS_UP or len(courses) == 1 else ()
        self.shared = 1
        """Steps that one bar stands for."""
        self._share_out(mono=mono)

    def lines(self) -> list[list[Piece]]:
        """`height` lines of `width` cells at most."""
        drawn = self._head()
        field = self._field() if self.known else overlay.nothing(self.data.empty, self.frame)
        labels = self._labels()
        sides = self._sides()
        for row in range(self.rows):
            wall = self._wall(labels.get(row, ""), row in labels)
            drawn.append([*wall, *_joined(field[row]), *sides.get(row, [])])
        if self.axis:
            drawn += self._axis(labels.get(self.rows, ""))
        return drawn[: self.height]

    def time_at(self, column: int) -> Micros | None:
        """The time that lies closest to a column of the whole chart."""
        if not self.data.times or not self.known:
            return None
        start, end = self.frame.reach
        inside = min(max(column - self.offset, 0), self.columns - 1)
        wanted = start + round((end - start) * inside / max(1, self.columns - 1))
        return self.data.times[nearest(self.data.times, wanted) or 0]

    # Sharing out the room.

    def _share_out(self, *, mono: bool) -> None:
        """Give the field what it needs first, then axis, head and key as there is room."""
        data, height, glyphs = self.data, self.height, self.glyphs
        start, end = self._reach()
        self.axis = height >= 5 and end > start and self.known
        room = height - (2 if self.axis else 0)
        crowded = data.drawing == "grouped" and len(data.times) * (len(data.series) + 1) > self.width
        titled = bool(data.title or data.note or self.sums or self.before or crowded)
        sided = self.known and not data.bounds
        self.right, self.peak = self.key.side(self.width, room - titled, glyphs) if sided else (0, False)
        legend = bool(data.series) and not self.right
        title = size_of(self._title())
        apart = (
            legend
            and titled
            and not data.bounds
            and size_of(self.key.row(10_000, glyphs)) > self.width - title - 3
        )
        self.head = 0 if room < 2 or not (titled or legend) else 2 if apart and room >= 5 else 1
        self.rows = max(1, room - self.head)
        self.buckets = heat.buckets(data, self.values, self.rows) if data.bounds else []
        values_across = self._scale()
        texts = heat.edges(self.buckets, self.rows, data.unit) if data.bounds else dict(values_across.ticks)
        longest = max((width_of(safe(text, glyphs)) for text in texts.values()), default=0)
        fits = self.known and self.width >= 24 and height > 1 and longest <= self.width // 3
        self.left = max(4, longest) if fits else 0
        self.offset = self.left + 2 if self.left else 0
        self.columns = max(1, self.width - self.offset - self.right)
        self.frame = Frame(self.columns, self.rows, values_across, (start, end), glyphs, mono)
        if data.drawing == "grouped":
            self.shared = grouped.shared(grouped.groups(data, self.frame))

    def _scale(self) -> Scale:
        data = self.data
        drawn = (*self.values, self.sums, *self.before, *self._bands())
        known = [v for values in drawn for v in values if v is not None]
        low, high = min(known, default=0.0), max(known, default=0.0)
        low, high = with_near(low, high, self.thresholds)
        zero = data.zero or data.drawing != "line"
        return scale(low, high, data.unit, max(1, min(5, self.rows // 3)), zero=zero)

    def _bands(self) -> list[tuple[float | None, ...]]:
        return [cleaned(side, len(side)) for series in self.data.series for side in (series.low, series.high)]

    def _reach(self) -> tuple[Micros, Micros]:
        """What the x axis covers, both ends included."""
        times, span = self.data.times, self.data.span
        if span is not None and self.data.drawing == "grouped" and times:
            return min(span.start, times[0] - step_of(times)), span.end
        if span is not None:
            return span.start, span.end
        if not times:
            return 0, 0
        return times[0] - (step_of(times) if self.data.drawing in _STEPPED else 0), times[-1]

    # Head.

    def _title(self) -> list[Piece]:
        pieces = [(self.data.title, "accent bold")] if self.data.title else []
        if self.data.note:
            pieces.append(((" " if pieces else "") + self.data.note, "dim"))
        if self.shared > 1:
            pieces.append((f"{'  ' if pieces else ''}each bar the highest of {self.shared} steps", "dim"))
        i = last_known(self.sums) if self.at is None else self.at
        if self.sums and i is not None:
            # Of the crosshair's step, else of the last one: never of the whole range.
            said = "  last step " if self.at is None else "  total "
            pieces += [(said, "dim"), (words(self.sums[i], self.data.unit), "bright")]
        if self.before:
            gap = "  " if pieces else ""
            pieces.append((f"{gap}{self.glyphs.dash * 2} {self.data.before_name}", "dim"))
            if self.adds:
                pieces += self._told_before()
        return pieces

    def _told_before(self) -> list[Piece]:
        """What it was before in the step that is told of the present; no other one stands for that."""
        newest = [n for values in self.values if (n := last_known(values)) is not None]
        i = max(newest, default=None) if self.at is None else self.at
        value = None if i is None else self.adds[i]
        if value is None and self.at is None and last_known(self.adds) is not None:
            return []
        return [(f" {words(value, self.data.unit)}", "dim")]

    def _head(self) -> list[list[Piece]]:
        if not self.head:
            return []
        title = shorten(self._title(), self.width, self.glyphs)
        if self.right or not self.data.series:
            return [title]
        room = self.width - (size_of(title) + 2 if title else 0)
        if self.data.bounds:
            shown = heat.told(self.buckets, self.at, self.data.unit, self.glyphs) if self.known else []
            return [shorten([*title, ("  ", ""), *shown], self.width, self.glyphs)]
        if self.head == 2:
            return [title, self.key.row(self.width, self.glyphs)]
        if room < 12 and title:
            return [title]
        return [[*title, ("  " if title else "", ""), *self.key.row(room, self.glyphs)]]

    # The field.

    def _field(self) -> list[Cells]:
        data, frame = self.data, self.frame
        if data.bounds:
            cells = heat.heat(data, self.buckets, frame)
        elif self.stack:
            cells = stacked.stacked(data, self.stack, self.sums, frame)
            for course in self.before:
                overlay.before(cells, data.times, course, frame)
        elif data.drawing == "grouped":
            cells = grouped.grouped(data, self.values, frame)
        else:
            cells = lines(data, self.values, frame, self.at, labelled=bool(self.right))
        overlay.marks(cells, data.marks, frame)
        if not data.bounds:
            overlay.levels(cells, self.thresholds, data.unit, frame)
        if self.at is not None:
            column = frame.column(data.times[self.at])
            overlay.crosshair(cells, column, frame, filled=data.drawing != "line")
        return cells

    # Around the field.

    def _labels(self) -> dict[int, str]:
        """The text at the y axis by line; the lowest tick stands on the x axis where that is drawn."""
        if not self.left:
            return {}
        if self.data.bounds:
            return heat.edges(self.buckets, self.rows, self.data.unit)
        labels: dict[int, str] = {}
        for value, text in reversed(self.frame.scale.ticks):
            row = self.rows if self.axis and value == self.frame.scale.low else self.frame.row(value)
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
        ends = sorted((self._end(n), n) for n in range(len(self.values)))
        placed: list[int] = []
        for place, (row, _) in enumerate(ends):
            lowest = self.rows - (len(ends) - place)
            placed.append(min(max(row, placed[-1] + 1 if placed else 0), lowest))
        return {
            row: [(" ", ""), *self.key.entry(n, self.glyphs, name, peak=self.peak)]
            for row, (_, n) in zip(placed, ends, strict=True)
        }

    def _end(self, n: int) -> int:
        """The row in which the n-th series ends, or is under the crosshair."""
        values = self.values[n]
        i = last_known(values) if self.at is None else self.at
        value = values[i] if i is not None and i < len(values) else None
        if value is None or i is None:
            return self.rows - 1
        below = [v[i] or 0.0 for _, v in self.stack[:n] if i < len(v)]
        return self.frame.row(sum(below) + value)

    def _axis(self, lowest: str) -> list[list[Piece]]:
        """The x axis and the line of times under it."""
        start, end = self.frame.reach
        ticks = time_ticks(start, end, self.columns, self.data.calendar)
        floor = [self.glyphs.floor] * self.columns
        texts = [(self.frame.x(t, self.columns), safe(text, self.glyphs), "dim") for t, text in ticks]
        for column, _, _ in texts:
            floor[column] = self.glyphs.stud
        if self.at is not None:
            t = self.data.times[self.at]
            said = f"◂ {moment(t, end - start, self.data.calendar)}{self._state(self.at)} ▸"
            texts.insert(0, (self.frame.x(t, self.columns), safe(said, self.glyphs), "accent bold"))
        corner = fit(lowest, self.left, "right", self.glyphs) + " " + self.glyphs.corner
        wall = [(corner, "dim")] if self.left else []
        return [[*wall, ("".join(floor), "dim")], _under(texts, self.offset, self.width)]

    def _state(self, at: int) -> str:
        """What is to be said of a value besides when it was."""
        data = self.data
        if data.projected is not None and data.times[at] > data.projected:
            return " projected"
        if not data.unfinished or at < len(data.times) - 1:
            return ""
        return " part of a step" if data.fixed else " so far"


def _joined(cells: Cells) -> list[Piece]:
    """Cells of one token after another as one piece."""
    pieces: list[Piece] = []
    texts: list[str] = []
    last = ""
    for text, token in cells:
        token = token if text else ""
        if token != last and texts:
            pieces.append(("".join(texts), last))
            texts = []
        last = token
        if text != overlay.COVERED:
            texts.append(text or " ")
    return [*pieces, ("".join(texts), last)]


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
