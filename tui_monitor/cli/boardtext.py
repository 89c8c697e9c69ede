"""A board as text: what its panels show on the screen, without the drawings."""

from typing import TYPE_CHECKING

from tui_monitor.cli.context import Context
from tui_monitor.cli.output import Output
from tui_monitor.cli.tables import BAD, DIM, WARN, Column, name, number, table, title
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import TimeRange, format_duration
from tui_monitor.model.units import age
from tui_monitor.model.units import show as shown_value

if TYPE_CHECKING:
    from tui_monitor.config.boards import Board
    from tui_monitor.model.clock import Micros
    from tui_monitor.monitor.boards import BoardView, PanelView

_POINTS = 60
_ROWS = 20
"""Rows of a panel that are printed; all of them with --json."""


def show(context: Context, board: "Board", shown: TimeRange) -> int:
    """Ask and print every panel. Raises `StoreError`."""
    from tui_monitor.monitor.boards import ask_board

    points = [_POINTS if panel.over_time else 0 for panel in board.panels]
    view = context.ask(lambda monitor: ask_board(monitor, board, shown, points))
    warnings = [text for panel in view.panels for text in panel.warnings]
    context.out.answer(view.data(), lambda: _print(context.out, view, shown, context.now), warnings)
    return 0


def _print(out: Output, view: "BoardView", shown: TimeRange, now: "Micros") -> None:
    for number_, panel in enumerate(view.panels):
        if number_:
            out.line()
        length = panel.panel.range or shown.length
        title(out, f"{clean(panel.panel.title)}  {format_duration(length)}")
        if panel.trouble is not None and panel.broken:
            for line in panel.trouble.pointed().splitlines():
                out.line(line)
        if panel.empty:
            out.line(clean(panel.panel.missing))
        elif panel.panel.widget == "alerts":
            _alerts(out, panel, now)
        elif panel.panel.over_time:
            _over_time(out, panel)
        else:
            _values(out, panel)


def _values(out: Output, view: "PanelView") -> None:
    from tui_monitor.monitor.boards import called, passed

    rows = []
    for one in view.rows[:_ROWS]:
        bad = passed(view.panel, one.value)
        state = (bad.label, BAD if bad.level == "critical" else WARN) if bad else ("", DIM)
        rows.append([called(one.labels), shown_value(one.value, view.unit), state])
    table(out, [name(""), number("value"), Column("")], rows)
    _more(out, len(view.rows))


def _over_time(out: Output, view: "PanelView") -> None:
    """Of each line the newest value, and what it went through."""
    from tui_monitor.monitor.boards import called

    assert view.over is not None
    unit, found = view.over.unit, sorted(view.over.series, key=lambda one: -one.mean)
    rows = []
    for one in found[:_ROWS]:
        known = [value for value in one.values if value is not None]
        figures = (known[-1], min(known), one.mean, max(known)) if known else (None,) * 4
        rows.append([called(one.labels), *(shown_value(value, unit) for value in figures)])
    table(out, [name(""), number("last"), number("min"), number("mean"), number("max")], rows)
    _more(out, len(found))


def _alerts(out: Output, view: "PanelView", now: "Micros") -> None:
    rows = [
        [one.severity.value, one.state.value, one.summary or one.rule, age(now - one.since)]
        for one in view.alerts[:_ROWS]
    ]
    table(out, [Column("severity"), Column("state"), name("alert"), number("for")], rows)
    _more(out, len(view.alerts))


def _more(out: Output, count: int) -> None:
    if count > _ROWS:
        out.line(f"{count - _ROWS} more; --json has all")
