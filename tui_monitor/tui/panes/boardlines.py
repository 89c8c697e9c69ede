"""What stands in the panels of a board, and where: pure functions."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.config.boards import NOTHING, Board, PanelSettings
from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.units import UNKNOWN, age, show
from tui_monitor.monitor.boards import called, full, passed
from tui_monitor.tui.drawing import Glyphs, curve, fit, lane, safe, width_of, wrap
from tui_monitor.tui.link import Look
from tui_monitor.tui.naming import place_of
from tui_monitor.tui.panes.answers import table_rows
from tui_monitor.tui.panes.charts import SEVERITY, Colours, chart_of, firing_marks
from tui_monitor.tui.widgets.figure import ChartData
from tui_monitor.tui.widgets.grid import Cell, GridRow
from tui_monitor.tui.widgets.grouped import ROOM
from tui_monitor.tui.widgets.lines import Line
from tui_monitor.tui.words import length_words

if TYPE_CHECKING:
    from tui_monitor.monitor.boards import PanelView

FOLDED = 96
"""Cells of a screen below which panels stand below each other."""
_GAP = 1
"""Cells between two panels, each of which keeps its first one free."""
_ROW = 4
"""Lines of a row of the grid at least."""
_ABREAST = 3
"""Figures beside each other where all else is below each other."""
_TALLEST = 14
"""Lines of a row of the grid at most."""
_MARGIN = 14
"""Cells of a chart beside its field, about."""
_NAME = 24
_NONE_SHORT = "no data"
_LEVEL = {"warning": "warn", "critical": "crit"}
_SMALL = ("stat", "gauge")
_BAR = 8
"""Cells that a bar has at least, before words are left out beside it."""

Region = tuple[int, int, int, int]
"""Column, line, width and height in cells."""


def regions(board: Board, width: int, height: int) -> list[Region]:
    """Where each panel stands on a screen of so many cells; it may reach below, where one scrolls to."""
    if width < FOLDED:
        return _folded(board, width)
    edges = _edges(board, height)
    found: list[Region] = []
    for place in board.places:
        left, right = ((n * (width + _GAP)) // 12 for n in (place.column, place.column + place.width))
        top, below = edges[place.row], edges[place.row + place.height]
        found.append((left, top, right - left - _GAP, below - top))
    return found


def _edges(board: Board, height: int) -> list[int]:
    """The line at which each row of the grid begins: those of figures alone stay low, the others share."""
    low = [
        all(
            panel.widget in _SMALL and place.height == 1
            for panel, place in zip(board.panels, board.places, strict=True)
            if place.row <= row < place.row + place.height
        )
        for row in range(board.rows)
    ]
    rest, count = height - _ROW * sum(low), low.count(False)
    edges, shared = [0], 0
    for small in low:
        if small or rest < count * _ROW:
            size = _ROW
        else:
            room = min(rest, count * _TALLEST)
            size = room * (shared + 1) // count - room * shared // count
        shared += not small
        edges.append(edges[-1] + size)
    return edges


def _folded(board: Board, width: int) -> list[Region]:
    """Below each other in the order of reading; figures of one row up to three abreast."""
    order = sorted(range(len(board.panels)), key=lambda n: (board.places[n].row, board.places[n].column))
    found: dict[int, Region] = {}
    line = at = 0
    while at < len(order):
        run = [order[at]]
        while (
            board.panels[order[at]].widget == "stat"
            and len(run) < _ABREAST
            and at + len(run) < len(order)
            and board.panels[order[at + len(run)]].widget == "stat"
        ):
            run.append(order[at + len(run)])
        height = max(board.places[n].height for n in run) * _ROW
        for n, panel in enumerate(run):
            left, right = ((i * (width + _GAP)) // len(run) for i in (n, n + 1))
            found[panel] = (left, line, right - left - _GAP, height)
        line += height
        at += len(run)
    return [found[n] for n in range(len(board.panels))]


def points_of(board: Board, width: int, height: int) -> tuple[int, ...]:
    """In how many steps each panel shows time; 0 in none."""
    return tuple(
        _steps(panel, size)
        for panel, (_, _, size, _) in zip(board.panels, regions(board, width, height), strict=True)
    )


def _steps(panel: PanelSettings, size: int) -> int:
    if panel.widget == "grouped":
        return max(4, (size - _MARGIN) // ROOM)
    return max(10, size - _MARGIN) if panel.over_time else max(8, size - 4) if panel.widget == "stat" else 0


def beside(found: Sequence[Region], at: int, across: int, down: int) -> int | None:
    """The panel that lies next to one in a direction; none at the edge."""
    x, y, width, height = found[at]
    best: tuple[int, int] | None = None
    for n, (left, top, size, tall) in enumerate(found):
        if across:
            ahead = left - (x + width) if across > 0 else x - (left + size)
            aside = _apart(y, height, top, tall)
        else:
            ahead = top - (y + height) if down > 0 else y - (top + tall)
            aside = _apart(x, width, left, size)
        if n == at or ahead < 0 or (across and aside > 0):
            continue
        far = ahead * 4 + aside
        if best is None or far < best[0]:
            best = (far, n)
    return None if best is None else best[1]


def _apart(start: int, length: int, other: int, size: int) -> int:
    """Cells between two stretches; less than nothing where they lie beside each other."""
    return max(start, other) - min(start + length, other + size) + 1


def same(one: Board | None, other: Board | None) -> bool:
    """Whether a board would look the same."""
    if one is None or other is None:
        return one is other

    def told(board: Board) -> tuple[object, ...]:
        return board.name, board.title, board.about, board.panels, board.problems

    return told(one) == told(other)


# What stands in them.


def heading(view: "PanelView", look: Look, glyphs: Glyphs, lit: bool) -> Line:
    """A panel's title, and its time where that is its own."""
    panel = view.panel
    mark = glyphs.cursor if lit else " "
    left = [(f"{mark}", "accent"), (panel.title, "accent bold" if lit else "bold")]
    right: list[tuple[str, str]] = []
    if view.warnings and not (view.empty and panel.needs):
        # As much of it as there is room for; where nothing is shown, the panel says what it needs.
        left.append((f"  {glyphs.warn} {view.warnings[0]}", "warn"))
    if any(r is not None and r.approximate for r in (view.now, view.over)):
        right.append((f" {glyphs.about}", "bright"))
    if panel.range is not None and panel.range != look.shown.length:
        right.append((f" {length_words(panel.range)}", "dim"))
    return Line(tuple(left), tuple(right))


def chart(view: "PanelView", look: Look, colours: Colours) -> ChartData:
    """What a panel's chart draws."""
    panel = view.panel
    assert view.over is not None
    own = look if panel.range is None else replace(look, shown=TimeRange(panel.range, look.shown.end))
    thresholds = [(threshold.label, threshold.value) for threshold in panel.thresholds]
    data = chart_of(
        view.over,
        own,
        colours,
        about=panel.title,
        empty=panel.missing,
        thresholds=thresholds,
        marks=firing_marks(look),
    )
    if data.bounds or panel.widget == "heat":
        return data
    return replace(data, drawing=panel.widget)


def rows(view: "PanelView", width: int, glyphs: Glyphs) -> list[GridRow]:
    """The rows of a table, the largest first; values on the bad side of a threshold in its colour."""
    if view.now is None:
        return []
    values = {repr(one.labels): one.value for one in view.now.series}
    found = table_rows(view.now, glyphs, width)
    return [_judged(row, view.panel, values.get(row.key), glyphs) for row in found]


def _judged(row: GridRow, panel: PanelSettings, value: float | None, glyphs: Glyphs) -> GridRow:
    bad = passed(panel, value)
    if bad is None:
        return row
    token = _LEVEL[bad.level]
    cell = replace(row.cells["value"], style=f"{token} bold", mark=(glyphs.state(token), token))
    return replace(row, cells={**row.cells, "value": cell})


def figures(view: "PanelView", width: int, height: int, look: Look, glyphs: Glyphs) -> list[Line]:
    """A figure, bars, alerts, or what is wrong, in so many cells."""
    if view.broken:
        return broken(view, width, glyphs)
    if view.empty:
        return _nothing(view.panel, width, height, glyphs)
    if view.panel.widget == "alerts":
        return _alerts(view, width, height, look, glyphs)
    return (
        _stat(view, width, height, glyphs)
        if view.panel.widget == "stat"
        else _bars(view, width, height, glyphs)
    )


def _nothing(panel: PanelSettings, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    if panel.widget == "alerts":
        return [Line(((f" {glyphs.ok}", "ok"), (f"  {panel.missing}", "dim")))]
    said = NOTHING if width_of(NOTHING) + 4 <= width else _NONE_SHORT
    first = Line(((f" {glyphs.unknown}", "bright bold"), (f"  {said}", "dim")))
    told = wrap(f"needs {panel.needs}", width - 2, glyphs) if panel.needs else []
    if len(told) > max(1, height - 1):
        told = told[: max(1, height - 1)]
        told[-1] = _ended(told[-1], width - 2, glyphs)
    return [first, *(Line.of(f" {text}", "dim") for text in told)]


def _ended(text: str, width: int, glyphs: Glyphs) -> str:
    """A line that goes on where there is no room: it ends with a whole word."""
    while " " in text and width_of(text) + 2 > width:
        text = text.rpartition(" ")[0]
    return fit(f"{text} {glyphs.ellipsis}", width, "left", glyphs).rstrip()


def broken(view: "PanelView", width: int, glyphs: Glyphs) -> list[Line]:
    """What is wrong with a panel's query, under its character."""
    assert view.trouble is not None
    said = view.trouble.pointed().splitlines()
    place = said[:-1] if len(said) > 1 else []
    marks, _, words = said[-1].partition("^ ")
    if words:
        place = [*place, f"{marks}^"]
    cut = 0
    if place and len(place[-1]) > width - 2:
        cut = max(0, place[-1].find("^") - (width - 2) // 3)
    lines = [Line.of(f" {text[cut : cut + width - 2]}", "dim") for text in place[:1]]
    lines += [Line.of(f" {text[cut : cut + width - 2]}", "crit") for text in place[1:]]
    message = f"{glyphs.crit} {words or said[-1]}"
    lines += [Line.of(f" {text}", "crit") for text in wrap(message, width - 2, glyphs)]
    if view.trouble.hint:
        lines += [Line.of(f" {text}", "dim") for text in wrap(view.trouble.hint, width - 2, glyphs)]
    return lines


def _stat(view: "PanelView", width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """The figure large by being alone, what it means beside it, and how it went before below."""
    value = view.rows[0].value if view.rows else None
    bad = passed(view.panel, value)
    token = _LEVEL[bad.level] if bad else ""
    said = ((f"  {glyphs.state(token)} {bad.label}", token),) if bad else ()
    more = f"  of {len(view.rows)}" if len(view.rows) > 1 else ""
    lines = [Line(((f" {show(value, view.unit)}", f"{token or 'bright'} bold"), *said, (more, "dim")))]
    if view.over is not None and view.over.series and height >= 2:
        line = max(view.over.series, key=lambda one: one.mean)
        known = [one for one in line.values if one is not None]
        if known:
            drawn = curve(line.values, width - 2, None, glyphs)
            lines.append(Line.of(f" {drawn}", "accent"))
    return lines


def _bars(view: "PanelView", width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """A value in each line with its bar; on the bad side of a threshold a word or its glyph says so."""
    found, top = view.rows, full(view)
    several = len(found) > 1
    names = [called(one.labels) for one in found]
    size = min(_NAME, max((len(name) for name in names), default=0), width // 3) if several else 0
    values = [show(one.value, view.unit) for one in found]
    room = max(len(text) for text in values)
    judged = [passed(view.panel, one.value) for one in found]
    said = ["" if bad is None else f"{glyphs.state(_LEVEL[bad.level])} {bad.label}" for bad in judged]
    beside = max(map(width_of, said))
    if beside and width - size - room - 7 - beside < _BAR:
        said, beside = [text[:1] for text in said], 1
    # One that is measured against itself alone would always be full.
    cells = (
        max(4, width - size - room - 5 - (beside and beside + 2)) if several or not _unmeasured(view) else 0
    )
    lines: list[Line] = []
    for one, name, text, bad, word in zip(found, names, values, judged, said, strict=True):
        token = _LEVEL[bad.level] if bad else "accent"
        share = None if one.value is None or not top else one.value / top
        head = f" {fit(name, size, 'left', glyphs)} " if several else " "
        value = (fit(text, room, "right", glyphs), f"{token} bold" if bad else "bright")
        mark = (f"  {fit(word, beside, 'left', glyphs)}" if beside else "", token)
        lines.append(Line(((head, ""), value, mark, ("  ", ""), (lane(share, cells, glyphs), token))))
    return _cut(lines, height)


def _unmeasured(view: "PanelView") -> bool:
    """Whether nothing says where a bar ends but the values themselves."""
    return view.panel.max is None and view.unit != "ratio"


def _alerts(view: "PanelView", width: int, height: int, look: Look, glyphs: Glyphs) -> list[Line]:
    lines: list[Line] = []
    for alert in view.alerts:
        token = SEVERITY[alert.severity]
        words = alert.summary or alert.rule
        left = ((f" {glyphs.state(token)} ", token), (alert.severity.value.ljust(9), token), (words, ""))
        state = "" if alert.state.value == "firing" else f"{alert.state.value}  "
        lines.append(Line(left, ((state, "dim"), (age(look.at - alert.since), "dim"))))
    return _cut(lines, height)


def _cut(lines: list[Line], height: int) -> list[Line]:
    """As many as there is room for; the last one says how many more there are."""
    if len(lines) <= height or height < 2:
        return lines[: max(1, height)]
    return [*lines[: height - 1], Line.of(f" {len(lines) - height + 1} more", "dim")]


# The list of boards.


def list_head(folder: Path, width: int, glyphs: Glyphs) -> Line:
    """What the list is, and where the files of one's own are."""
    title, words = " DASHBOARDS", "yours are in "
    where = place_of(folder, width - len(title) - len(words) - 4, glyphs)
    return Line(((title, "accent bold"),), ((f"{words}{where}", "dim"),))


def board_rows(found: Sequence[Board], glyphs: Glyphs) -> list[GridRow]:
    """Every board, one's own first."""
    return [
        GridRow(
            board.name,
            {
                "title": Cell(board.title, "crit" if board.problems else "bright", sort=board.title),
                "panels": Cell(
                    "broken" if board.problems else str(len(board.panels)),
                    "crit" if board.problems else "", sort=len(board.panels),
                ),
                "from": Cell("shipped" if board.shipped else "yours", "dim", sort=board.shipped),
                "about": Cell(board.problems[0] if board.problems else board.about or UNKNOWN, "dim"),
            },
        )
        for board in found
    ]  # fmt: skip


def problems(board: Board, width: int, glyphs: Glyphs) -> list[Line]:
    """What is wrong with a board's file, and what to do about it."""
    lines = []
    for problem in board.problems:
        # However long the path is, the name, the line and the words are to be seen.
        first, *more = wrap(problem.replace(str(board.path), board.path.name), width - 4, glyphs)
        lines.append(Line.of(f"  {glyphs.crit} {first}", "crit"))
        lines += [Line.of(f"    {text}", "crit") for text in more]
    told = f"tui-monitor dashboards edit {board.name}"
    return [
        *lines,
        Line(),
        Line((("  mend it with  ", "dim"), (told, "bright"))),
        Line((("  it is  ", "dim"), (safe(str(board.path), glyphs), ""))),
        Line.of("  and is read anew as soon as it is saved", "dim"),
    ]
