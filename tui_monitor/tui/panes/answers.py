"""An answer's series as the rows of a list. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tui_monitor.model.units import UNKNOWN, share_of_change, show
from tui_monitor.tui.drawing import Glyphs, lane
from tui_monitor.tui.panes.charts import name_of
from tui_monitor.tui.widgets.columns import GAP, Cell, Column, GridRow
from tui_monitor.tui.widgets.grid import EDGE, MARGIN
from tui_monitor.tui.words import change

if TYPE_CHECKING:
    from tui_monitor.query.result import Labels, Result, Series

ROWS = 500
"""Rows shown at most."""
_BAR, _LONGEST_BAR = 20, 80
"""Cells of a bar on a narrow screen, and at most."""
_HEAD = 24
"""Cells of the value's title at most."""
_LABEL, _LABEL_MOST = 40, 60
"""Cells of a label where there is room, and at most."""
_LABELS = 4
"""Labels that have a column of their own."""


def _before(then: "Result | None", width: int) -> tuple[Column, ...]:
    """What it was in the span that is compared with, where there is one."""
    if then is None:
        return ()
    return (
        Column("before", "before", width=width, align="right", rank=2),
        Column("change", "change", width=8, align="right", rank=1),
    )


def _before_cells(value: float | None, then: "Result | None", series: "Series") -> dict[str, Cell]:
    if then is None:
        return {}
    earlier = next((one.value for one in then.series if one.labels == series.labels), None)
    words, _ = change(value, earlier)
    return {
        "before": Cell(show(earlier, then.unit), sort=earlier),
        "change": Cell(words, sort=share_of_change(value, earlier)),
    }


def _figure(unit: str) -> int:
    """Cells of a figure: a sign, three digits, a power of ten, the unit."""
    return max(10, len(show(-1234.0, unit)))


def series_columns(unit: str, then: "Result | None" = None) -> tuple[Column, ...]:
    """Below a chart: each line with its figures."""
    width = _figure(unit)
    return (
        Column("name", "series", min=16, max=60),
        Column("value", "value", width=width, align="right"),
        *_before(then, width),
        Column("last", "last step", width=width, align="right", rank=1),
        Column("min", "min", width=width, align="right", rank=3),
        Column("mean", "mean", width=width, align="right", rank=4),
        Column("max", "max", width=width, align="right", rank=2),
    )


def series_rows(
    over: "Result", now: "Result", colours: Mapping[str, int], glyphs: Glyphs, then: "Result | None" = None
) -> list[GridRow]:
    """The largest value first: the drawn lines in their colours, then the rest; `then` is compared with."""
    values = {series.labels: series.value for series in now.series}
    return [
        _series_row(series, values.get(series.labels), over, colours, glyphs, then)
        for series in over.ranked(now)[:ROWS]
    ]


def _series_row(
    series: "Series", value: float | None, over: "Result", colours: Mapping[str, int], glyphs: Glyphs,
    then: "Result | None",
) -> GridRow:  # fmt: skip
    name = name_of(series, over.metric)
    index = colours.get(name)
    token = "dim" if index is None else f"series-{index % 8 + 1}"
    known = [v for v in series.values if v is not None and v == v]
    last = known[-1] if known else None
    mean = sum(known) / len(known) if known else None
    figures = {
        "value": value, "last": last, "min": min(known, default=None), "mean": mean,
        "max": max(known, default=None),
    }  # fmt: skip
    cells = {
        key: Cell(show(v, over.unit), "bright" if key == "value" else "", sort=v)
        for key, v in figures.items()
    }
    cells["name"] = Cell(name, token, glyph=glyphs.dot if index is None else glyphs.marker(index), sort=name)
    return GridRow(_key(series.labels), cells | _before_cells(value, then, series))


def _key(labels: "Labels") -> str:
    return repr(labels)


def bar_cells(width: int) -> int:
    """Cells of the bars on a screen of this width."""
    return max(_BAR, min(_LONGEST_BAR, width // 3))


def table_columns(now: "Result", width: int, then: "Result | None" = None) -> tuple[Column, ...]:
    """The labels that there are, the value under its metric's name, and its size against the largest."""
    names, head = _names(now), now.metric or "value"
    labels = tuple(Column(f"label.{name}", name, min=10, max=_LABEL_MOST) for name in names)
    return (
        *(labels or (Column("label.", "series", min=10, max=_LABEL_MOST),)),
        Column("value", head, width=_value_cells(now), align="right"),
        *_before(then, _figure(now.unit)),
        Column("bar", "", width=_bars_of(now, width, then), rank=3),
    )


def _value_cells(now: "Result") -> int:
    return max(12, min(_HEAD, len(now.metric or "value")), _figure(now.unit))


def _bars_of(now: "Result", width: int, then: "Result | None") -> int:
    """Cells of this table's bars: what labels of the usual length leave."""
    columns = (*_before(then, _figure(now.unit)), Column("value", "", width=_value_cells(now)))
    figures = sum(column.width + GAP for column in columns)
    labels = max(1, len(_names(now))) * (_LABEL + GAP)
    return max(bar_cells(width), min(_LONGEST_BAR, width - MARGIN - EDGE - figures - labels))


def table_rows(now: "Result", glyphs: Glyphs, width: int, then: "Result | None" = None) -> list[GridRow]:
    """The largest first; unknown ones last; `then` is compared with."""
    ordered = sorted(now.series, key=lambda series: (series.value is None, -(series.value or 0)))
    top = max((series.value for series in ordered if series.value is not None), default=0.0)
    names = _names(now)
    bars = _bars_of(now, width, then)
    return [
        replace(
            row := _table_row(series, names, now, top, glyphs, bars),
            cells={**row.cells, **_before_cells(series.value, then, series)},
        )
        for series in ordered[:ROWS]
    ]


def _table_row(
    series: "Series", names: Sequence[str], now: "Result", top: float, glyphs: Glyphs, bars: int
) -> GridRow:
    value = series.value
    cells = {f"label.{name}": Cell(series.label(name) or UNKNOWN, sort=series.label(name)) for name in names}
    if not names:
        cells["label."] = Cell(name_of(series, now.metric), sort="")
    share = value / top if value is not None and top > 0 and value >= 0 else None
    cells["value"] = Cell(show(value, now.unit), "bright", sort=value)
    cells["bar"] = Cell("" if share is None else lane(share, bars, glyphs, way=False), "accent", sort=value)
    return GridRow(_key(series.labels), cells)


def _names(result: "Result") -> list[str]:
    names = dict.fromkeys(name for series in result.series for name, _ in series.labels)
    return [name for name in names if name != "__name__" or len(names) == 1][:_LABELS]
