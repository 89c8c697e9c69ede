"""Panes as text: what stands on them, without colour, drawings or places on a screen.

The panes themselves are asked: a text cannot say anything else than the screen, and a new pane has one.
"""

import asyncio
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.containers import Container
from textual.widget import Widget

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.units import UNKNOWN, show
from tui_monitor.tui.drawing import ASCII, BRAILLE, Span, printable
from tui_monitor.tui.exporting import DRAWN
from tui_monitor.tui.link import Look
from tui_monitor.tui.panes.calllist import FACT_COLUMNS, fact_rows
from tui_monitor.tui.panes.callsheet import sheet_rows
from tui_monitor.tui.panes.table import PANES
from tui_monitor.tui.screens.ranged import COMPARED
from tui_monitor.tui.widgets.bars import BarData, Bars
from tui_monitor.tui.widgets.base import Drawn
from tui_monitor.tui.widgets.chart import Chart, ChartData
from tui_monitor.tui.widgets.figure import ChartSeries
from tui_monitor.tui.widgets.grid import Cell, Grid, GridRow
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.words import moment_words

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tui_monitor.model.comparison import Against
    from tui_monitor.monitor.api import CallView
    from tui_monitor.tui.app import MonitorApp

SIZE = (200, 60)
"""Cells of the screen that nobody sees: large enough that nothing is left out."""
_ENDLESS = 10_000
"""Cells that hold any line."""
_PATIENCE_S = 30.0
_LOOK_S = 0.02
_MOVED = re.compile(r"([▲▼]) ?(?=[\d<$])")
_SHAPES = re.compile(r"[─-◿☀-➿⠀-⣿⬀-⯿]+|·{2,}")
"""Lines, blocks, shapes, dots and gaps: what draws, and says nothing that a word beside it does not say."""
_WORDS = {"▲": "up ", "▼": "down ", "→": "to", "≈": "about", "≥": "at least", "≤": "at most"}
_SPACES = re.compile(r"\s{2,}")


def told(text: str) -> str:
    """A text as it is read aloud: arrows as words, and nothing that draws."""
    text = _MOVED.sub(lambda found: _WORDS[found[1]], text)
    for sign in "→≈≥≤":
        text = text.replace(sign, _WORDS[sign])
    return _SPACES.sub("  ", _SHAPES.sub(" ", printable(text))).strip()


def of_call(view: "CallView", now: Micros, calendar: Calendar, width: int) -> list[str]:
    """A call whole, as the Calls pane has it: in so many cells, or with 0 as text without places."""
    look = Look(at=now, version=0, shown=TimeRange(), calendar=calendar)
    room, glyphs = width or _ENDLESS, BRAILLE if width else ASCII
    rows = sheet_rows(fact_rows(view.call, look, room, glyphs), view, look, room, glyphs)
    lines: list[str] = []
    for row in rows:
        if row.heading:
            lines += ["", row.heading] if lines else [row.heading]
            continue
        name, text = (row.cells[key].text for key in ("name", "value"))
        lines.append(f"{name:<{FACT_COLUMNS[0].width}}  {text}" if width else f"{told(name)}: {told(text)}")
    return [printable(line).rstrip() for line in lines]


async def panes(
    app: "MonitorApp",
    names: Sequence[str],
    give: Callable[[str, object, list[str]], None],
    compare: "Against | None" = None,
) -> None:
    """Show each pane once on a screen of the app that nobody sees, and give its lines when it has its answer.

    Panes without an answer after a while are given as they are, with what they say of that. Raises what
    keeps all of them from being answered, such as `StoreError`.
    """

    def failed() -> bool:
        return app.backend.state.mode == "failed"

    async def look(pilot: "Pilot[object]") -> None:
        try:
            dashboard = app.get_default_screen()
            await _until(lambda: dashboard.snapshot is not None or failed())
            for name in names:
                if failed():
                    break
                await dashboard.action_pane(name)
                await pilot.pause()
                pane = dashboard.pane
                besides = await pane.in_full()
                await _until(lambda: (pane.look is not None and not pane.asking) or failed())  # noqa: B023
                await pilot.pause()
                title = next(entry.title for entry in PANES if entry.id == name)
                frame = [line for part in ("#title", "#notice") for line in texts(dashboard.query_one(part))]
                lines = [*_together(pane), *(["", *map(told, besides)] if besides else [])]
                give(name, pane.exported().data, [title.upper(), *frame, "", *lines])
        finally:
            app.exit()

    app.keeping.write_nothing()
    if compare is not None:
        app.get_default_screen().compared = COMPARED.index((compare, True))
    await app.run_async(headless=True, size=SIZE, auto_pilot=look)
    state = app.backend.state
    if state.mode == "failed" and state.error is not None:
        raise state.error


async def _until(done: Callable[[], bool]) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            # What is waited for is drawn by others on this loop.
            while not done():  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        return


def _together(pane: Widget) -> list[str]:
    """The lines of all parts, never two empty ones after another, none at the ends."""
    lines: list[str] = []
    for part in _parts(pane):
        for line in texts(part):
            if line or (lines and lines[-1]):
                lines.append(line)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _parts(widget: Widget) -> Iterator[Widget]:
    """What is to be seen of a widget, in its order."""
    for child in widget.children:
        if not child.display:
            continue
        if isinstance(child, Drawn):
            yield child
        elif isinstance(child, Widget):
            yield from _parts(child)


def texts(part: Widget) -> list[str]:
    """What a part of a pane says."""
    match part:
        case Lines():
            return [_line(line) for line in part.lines]
        case Grid():
            return list(_rows(part))
        case Chart():
            return list(_chart(part.data))
        case Bars():
            return list(_bars(part.data))
        case Container():
            return _together(part)
        case _:
            return [told(part.render_line(y).text) for y in range(part.size.height)]


def _line(line: Line) -> str:
    left, right = told(_joined(line.left)), told(_joined(line.right))
    return f"{left}  {right}" if left and right else left or right


def _joined(spans: Iterable[Span]) -> str:
    return "".join(text for text, _ in spans)


def _rows(grid: Grid) -> Iterator[str]:
    if not grid.rows:
        yield from (told(line) for line in grid.empty.split("\n"))
    columns = [column for column in grid.columns if column.key not in DRAWN]
    for row in grid.rows:
        if row.heading:
            yield told(row.heading)
            continue
        named, *others = [
            ("" if row.cells[column.key].says else column.title, cell)
            for column in columns
            if (cell := _cell(row, column.key))
        ]
        said = [f"{told(title)} {cell}".strip() for title, cell in others]
        yield f"{named[1]}: {', '.join(said)}" if said else named[1]
    yield ""


def _cell(row: GridRow, key: str) -> str:
    cell: Cell | None = row.cells.get(key)
    if cell is None:
        return ""
    mark = "" if cell.mark is None else _WORDS.get(cell.mark[0], "")
    return f"{told(cell.text)} {mark}".strip()


def _chart(data: ChartData) -> Iterator[str]:
    yield told(f"{data.title}  {data.note}")
    if not any(value is not None for series in data.series for value in series.values):
        yield told(data.empty)
    for number, series in enumerate(data.series):
        yield _bucket(number, series, data) if data.bounds else _series(series, data)
    for label, value in data.thresholds:
        yield f"{told(label)}: {told(show(value, data.unit))}"
    end = data.times[-1] if data.times else 0
    for mark in data.marks:
        yield told(f"{moment_words(mark.at, end, data.calendar)}: {mark.text}")
    yield ""


def _bucket(number: int, series: ChartSeries, data: ChartData) -> str:
    """What lies between two bounds of a histogram: bounds are in the chart's unit, values are counts."""
    low, high = data.bounds[number - 1] if number else 0.0, data.bounds[number]
    between = f"over {show(low, data.unit)}" if math.isinf(high) else f"to {show(high, data.unit)}"
    return _series(replace(series, name=between), replace(data, unit=""))


def _series(series: ChartSeries, data: ChartData) -> str:
    """What was measured, and where it is projected to; moments are told as from the end of what was."""
    end = data.times[-1] if data.projected is None and data.times else data.projected or 0
    values = {time: v for time, v in zip(data.times, series.values, strict=False) if v is not None}
    known = {time: v for time, v in values.items() if time <= end}
    if not known:
        return f"{told(series.name)}: {UNKNOWN}"
    most, least = max(known, key=lambda t: known[t]), min(known, key=lambda t: known[t])
    said = [("last", max(known)), ("highest", most), ("lowest", least)]
    said += [("projected, about", max(values))] if max(values) > end else []
    return f"{told(series.name)}: " + ", ".join(
        f"{name} {told(show(values[time], data.unit))} at {moment_words(time, end, data.calendar)}"
        for name, time in said
    )


def _bars(data: BarData) -> Iterator[str]:
    known = [bar for bar in data.bars if bar.value is not None]
    if not known:
        yield told(data.empty)
        return
    values: Mapping[bool, list[str]] = {False: [], True: []}
    for bar in known:
        values[bar.estimate].append(f"{bar.label}: {told(show(bar.value, data.unit))}")
    yield "by day  " + ", ".join(values[False])
    if values[True]:
        yield "to come, about  " + ", ".join(values[True])
    yield ""
