"""Series beside each other, as a group of bars for every step. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tui_monitor.tui.widgets.field import Cells, Frame
from tui_monitor.tui.widgets.figure import ChartData, Values, cleaned, most, step_of
from tui_monitor.tui.widgets.stacked import pile

ROOM = 10
"""Cells of a group for which a chart that is drawn so asks: a bar for each of eight series, and space."""


@dataclass(frozen=True, slots=True)
class Group:
    """The bars of times `[start, stop)`, in the columns from `first` to `last`."""

    first: int
    last: int
    start: int
    stop: int

    @property
    def width(self) -> int:
        """Cells across."""
        return self.last - self.first + 1

    def with_next(self, other: "Group") -> "Group":
        """This and the one to the right of it as one."""
        return replace(self, last=other.last, stop=other.stop)


def groups(data: ChartData, frame: Frame) -> list[Group]:
    """The groups from left to right, each with a cell at least for every series and one between.

    Steps that are narrower share one, counted from the newest back: that one is never cut off. One that is
    not over has the room that it will have.
    """
    need = len(data.series) + 1
    found: list[Group] = []
    for x, start, stop in reversed(frame.groups(data.times, frame.columns)):
        last = x if found or not data.unfinished else _whole(data, frame, start)
        one = Group(frame.after(data.times, start, x), max(x, last), start, stop)
        if found and found[-1].width < need:
            found[-1] = one.with_next(found[-1])
        else:
            found.append(one)
    if len(found) > 1 and found[-1].width < need:
        cut = found.pop()
        found[-1] = cut.with_next(found[-1])
    return found[::-1]


def _whole(data: ChartData, frame: Frame, start: int) -> int:
    """The column in which the step of the newest time ends when it is over."""
    before = data.times[start - 1] if start else data.times[0]
    return frame.x(before + step_of(data.times), frame.columns)


def shared(found: Sequence[Group]) -> int:
    """How many steps a group has at most; each bar is the highest of them."""
    return max((group.stop - group.start for group in found), default=1)


def grouped(data: ChartData, values: Sequence[Values], frame: Frame) -> list[Cells]:
    """The bars as cells, all of one width; a dash across each is what it was in another span."""
    cells, found = frame.empty(), groups(data, frame)
    inner = found[1:-1] or found
    room = min((group.width for group in inner), default=1)
    wide = max(1, (room - 1) // max(1, len(values)))
    earlier = [cleaned(course, len(data.times)) for course in data.before]
    for group in found:
        late = data.unfinished and group.start == len(data.times) - 1
        # Where even the newest group has no room for all, the first series have it.
        left = group.first + max(0, group.width - wide * len(values) + 1) // 2
        for n, course in enumerate(values):
            columns = range(left + n * wide, min(left + (n + 1) * wide, frame.columns))
            value = most(course[group.start : group.stop])
            if value is not None:
                bar = pile([value], [data.series[n]], frame, late=late)
                for up, cell in enumerate(bar, 1):
                    for column in columns:
                        cells[frame.rows - up][column] = cell
            then = most(earlier[n][group.start : group.stop]) if n < len(earlier) else None
            if then is not None:
                _dash(cells[frame.row(then)], columns, frame)
    return cells


def _dash(row: Cells, columns: range, frame: Frame) -> None:
    for column in columns:
        there, drawn = row[column]
        token = f"bright on-{drawn.split()[0]}" if there and drawn.startswith("series") else "dim"
        row[column] = (frame.glyphs.dash, token)
