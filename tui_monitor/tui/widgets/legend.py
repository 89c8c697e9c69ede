"""The key of a chart, which says in words which line is which."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from tui_monitor.tui.drawing import Glyphs, fit, safe, shorten, size_of, width_of
from tui_monitor.tui.drawing import Span as Piece
from tui_monitor.tui.naming import told_apart
from tui_monitor.tui.widgets.axes import words
from tui_monitor.tui.widgets.figure import ChartData, last_known, most

_SLOTS = {"usd": 9, "bytes/s": 10}
"""Cells kept for a value of a unit, so that labels do not move as it changes; 8 for any other."""
_NAME = 24
"""Cells of a series' name at most."""
_SHORT, _SHORTEST = 8, 5
"""Cells of a name below which its value goes, and the name itself under a crosshair."""


class Key:
    """What says which line is which: marker, name, value and peak of each series."""

    def __init__(
        self,
        data: ChartData,
        values: Sequence[Sequence[float | None]],
        at: int | None,
        newest: int | None = None,
    ) -> None:
        """`at` is the index that is read off; without one `newest`, else what each series had last."""
        self._data = data
        self._values = values
        self._at = at
        self._newest = newest
        # What is projected did not happen: it is no last value and no peak.
        late = data.projected
        self._real = len(data.times) if late is None else bisect_right(data.times, late)
        self._old = at is None and any(series.ended for series in data.series)
        widest = max((width_of(self._words(value)) for value in self._told()), default=0)
        self._least = 2 * self._old + widest
        self._slot = 2 * self._old + max(_SLOTS.get(data.unit, 8), widest)
        self._called: dict[int, list[str]] = {}

    def _words(self, value: float | None) -> str:
        return words(value, self._data.unit)

    def _last(self, values: Sequence[float | None]) -> float | None:
        index = self._newest if self._at is None else self._at
        if index is None:
            index = last_known(values[: self._real])
        return values[index] if index is not None and index < len(values) else None

    def _peak(self, values: Sequence[float | None]) -> float | None:
        return most(values[: self._real])

    def _told(self) -> list[float | None]:
        """Every value the key may tell."""
        return [v for values in self._values for v in (self._last(values), self._peak(values))]

    def entry(
        self, n: int, glyphs: Glyphs, name: int, *, slot: int | None = None, peak: bool = False
    ) -> list[Piece]:
        """The n-th series with `name` cells for its name and `slot` cells for its value, if any."""
        slot = self._slot if slot is None else slot
        series, values = self._data.series[n], self._values[n]
        pieces = [(glyphs.marker(series.index), f"{series.token} bold")]
        if name:
            if name not in self._called:
                self._called[name] = told_apart([one.name for one in self._data.series], name, glyphs)
            pieces.append((" " + fit(self._called[name][n], name, "left", glyphs), ""))
        if not slot:
            return pieces
        stale = f"{glyphs.stale} " if self._old and series.ended else ""
        text = f" {stale}{safe(self._words(self._last(values)), glyphs)}"
        high = safe(f"  peak {self._words(self._peak(values))}", glyphs) if peak else ""
        room = 1 + slot + (peak and slot + 7)
        return [*pieces, (text, "stale" if stale else "bright"), (high.ljust(room - width_of(text)), "dim")]

    def names(self, glyphs: Glyphs, longest: int = _NAME) -> list[int]:
        """The cells of each name."""
        return [min(longest, width_of(safe(series.name, glyphs))) for series in self._data.series]

    def row(self, width: int, glyphs: Glyphs) -> list[Piece]:
        """All series side by side with as much about each as has room; else some, and how many more.

        Room for a value to grow is given up before a letter of a name is. Under a crosshair values stay.
        """
        names = self.names(glyphs)
        for longest, slot, peak in self._forms():
            room = slot and 1 + slot + (peak and slot + 7)
            if sum(4 + min(name, longest) + room for name in names) - 2 <= width:
                return self._row([min(name, longest) for name in names], glyphs, slot, peak=peak)
        least, slot = (_SHORTEST, self._least) if self._at is not None else (_SHORT, 0)
        names = [min(name, least) for name in names]
        for shown in range(len(names) - 1, 0, -1):
            pieces = [*self._row(names[:shown], glyphs, slot), (f"  +{len(names) - shown}", "dim")]
            if size_of(pieces) <= width:
                return pieces
        return shorten(self._row(names[:1], glyphs, slot), width, glyphs)

    def _forms(self) -> Iterator[tuple[int, int, bool]]:
        """Cells for names at most, for values, and whether peaks are told; the fullest first."""
        pointed = self._at is not None
        yield _NAME, self._slot, True
        yield _NAME, self._slot, False
        for longest in range(_NAME, (_SHORTEST if pointed else _SHORT) - 1, -1):
            yield longest, self._least, False
        for longest in range(_NAME, _SHORT - 1, -1) if not pointed else ():
            yield longest, 0, False

    def _row(
        self, names: Sequence[int], glyphs: Glyphs, slot: int | None = None, *, peak: bool = False
    ) -> list[Piece]:
        pieces: list[Piece] = []
        for n, name in enumerate(names):
            pieces += [("  ", "")] if pieces else []
            pieces += self.entry(n, glyphs, name, slot=slot, peak=peak)
        return pieces

    def side(self, width: int, rows: int, glyphs: Glyphs) -> tuple[int, bool]:
        """Cells of a label at the line ends and whether peaks have room there; (0, …) if labels have none."""
        count = len(self._data.series)
        if count < 2 or count > rows or width < 72:
            return 0, False
        name = max(self.names(glyphs))
        for peak in (True, False):
            size = 4 + name + self._slot + (self._slot + 7 if peak else 0)
            if size <= width * 2 // 5:
                return size, peak
        return 0, False
