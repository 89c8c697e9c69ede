"""What was chosen on a pane, as plain values: taken down, and put back where it still makes sense."""

from collections.abc import Mapping
from typing import Any

from tui_monitor.tui.panes.base import Pane
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.figure import DRAWINGS, Drawing
from tui_monitor.tui.widgets.grid import Grid

_ORDER, _DRAWING = "order", "drawing"


def chosen(pane: Pane[Any]) -> dict[str, Any]:
    """What the pane shows by a person's choice, the order of its lists, the drawing of its charts."""
    found: dict[str, Any] = {}
    for name, known in pane.CHOICES.items():
        at = getattr(pane, name)
        if at is not None:
            found[name.strip("_")] = known[at]
    orders = {grid.id: list(grid.order) for grid in pane.walk_children(Grid) if grid.id and grid.order}
    drawings = {chart.id: chart.chosen for chart in pane.walk_children(Chart) if chart.id and chart.chosen}
    return {**found, **({_ORDER: orders} if orders else {}), **({_DRAWING: drawings} if drawings else {})}


def choose(pane: Pane[Any], values: Mapping[str, Any]) -> None:
    """Put back what was chosen; what is unknown by now stays as it is."""
    for name, known in pane.CHOICES.items():
        value = values.get(name.strip("_"))
        if isinstance(value, str) and value in known:
            setattr(pane, name, known.index(value))
    orders, drawings = _table(values.get(_ORDER)), _table(values.get(_DRAWING))
    for grid in pane.walk_children(Grid):
        match orders.get(grid.id):
            case [str(column), bool(reverse)] if any(column == one.key for one in grid.columns):
                grid.sort_by(column, reverse)
            case _:
                pass
    for chart in pane.walk_children(Chart):
        wanted = drawings.get(chart.id)
        ways: tuple[Drawing, ...] = tuple(DRAWINGS)
        for way in ways:
            if way == wanted:
                chart.chosen = way


def _table(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}
