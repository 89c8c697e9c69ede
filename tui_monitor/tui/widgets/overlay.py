"""What is drawn over a chart's field where it leaves room: thresholds, marks, the crosshair. Pure."""

from collections.abc import Sequence

from tui_monitor.model.clock import Micros
from tui_monitor.tui.drawing import fit, safe, width_of, wrap
from tui_monitor.tui.widgets.axes import label
from tui_monitor.tui.widgets.field import Cells, Frame, runs
from tui_monitor.tui.widgets.figure import Mark
from tui_monitor.tui.widgets.raster import trace

COVERED = "\0"
"""The second cell of a wide character."""
_MARK_ROWS = 3
"""Rows from the top in which marks are labelled, where these are a third of all or less."""
_MARK_WIDTH = 24
"""Cells of a mark's label at most."""


def dash(row: Cells, glyph: str, token: str) -> None:
    """A line across, where nothing else is drawn."""
    for column, (text, _) in enumerate(row):
        if not text:
            row[column] = (glyph, token)


def levels(cells: list[Cells], thresholds: Sequence[tuple[str, float]], unit: str, frame: Frame) -> None:
    """Thresholds as dashed lines, named where there is room; zero where values lie on both sides of it."""
    glyphs, scale = frame.glyphs, frame.scale
    if scale.low < 0 < scale.high:
        dash(cells[frame.row(0)], glyphs.dash, "dim")
    for name, value in thresholds:
        text = safe(f" {name} {label(value, unit)} ", glyphs)
        if scale.low <= value <= scale.high:
            row = cells[frame.row(value)]
            write(row, text, "warn")
            dash(row, glyphs.dash, "warn")
            continue
        above = value > scale.high
        text = f" {glyphs.above if above else glyphs.below}{text}"
        next((row for row in (cells if above else reversed(cells)) if write(row, text, "warn")), None)


def before(cells: list[Cells], times: Sequence[Micros], sums: Sequence[float | None], frame: Frame) -> None:
    """The height that a stack had in another time, as a dashed line over it."""
    groups = frame.groups(times[: len(sums)], frame.columns)
    for run in runs(groups, tuple(sums)):
        for column, (top, _) in trace([(x, frame.row(value)) for x, value in run]).items():
            there, drawn = cells[top][column]
            token = f"bright on-{drawn.split()[0]}" if there and drawn.startswith("series") else "dim"
            cells[top][column] = (frame.glyphs.dash, token)


def marks(cells: list[Cells], happened: Sequence[Mark], frame: Frame) -> None:
    """Each mark as an upright in its place, its words beside the top; the newest come first to the room."""
    start, end = frame.reach
    for mark in sorted(happened, key=lambda mark: -mark.at):
        if not start <= mark.at <= end:
            continue
        column = frame.column(mark.at)
        text = fit(mark.text, min(_MARK_WIDTH, width_of(safe(mark.text, frame.glyphs))), "left", frame.glyphs)
        for row in cells[: max(1, min(_MARK_ROWS, frame.rows // 3))]:
            size = width_of(text)
            room = [slice(column + 1, column + 1 + size), slice(column - size, column)]
            if any(_put(row, part.start, text, mark.token) for part in room):
                break
        upright(cells, column, frame, mark.token)


def upright(cells: list[Cells], column: int, frame: Frame, token: str) -> None:
    """A line upwards behind what is drawn, before the lines across."""
    for row in cells:
        there, drawn = row[column]
        across = there in (frame.glyphs.dash, frame.glyphs.track, frame.glyphs.hair)
        if not there or (across and not drawn.startswith(("series", "heat")) and " on-" not in drawn):
            row[column] = (frame.glyphs.hair, token)


def crosshair(cells: list[Cells], column: int, frame: Frame, *, filled: bool) -> None:
    """The upright under the crosshair; where areas are filled, over them."""
    for row in cells:
        there, drawn = row[column]
        if filled and there and drawn.startswith(("series", "heat", "dim")):
            row[column] = (frame.glyphs.hair, f"bright on-{drawn.split()[0]}")
    upright(cells, column, frame, "accent")


def nothing(words: str, frame: Frame) -> list[Cells]:
    """A field with the words for no data in its middle."""
    cells = frame.empty()
    said = wrap(words, frame.columns, frame.glyphs)[: frame.rows]
    for row, line in enumerate(said, (frame.rows - len(said)) // 2):
        cells[row] = [(fit(line, frame.columns, "center", frame.glyphs), "dim")]
    return cells


def write(row: Cells, text: str, token: str) -> bool:
    """Put a text into the first empty stretch of a line that holds it; whether there is one."""
    return any(_put(row, start, text, token) for start in range(1, len(row) - width_of(text)))


def _put(row: Cells, start: int, text: str, token: str) -> bool:
    """Put a text there if that stretch is empty."""
    size = width_of(text)
    if start < 0 or start + size > len(row) or any(there for there, _ in row[start : start + size]):
        return False
    for character in text:
        cells = width_of(character)
        if not cells:
            row[start - 1] = (row[start - 1][0] + character, token)
            continue
        row[start : start + cells] = [(character, token), (COVERED, token)][:cells]
        start += cells
    return True
