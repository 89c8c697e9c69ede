"""Answers of the query engine as tables and charts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_monitor.cli.chart import draw
from tui_monitor.cli.output import Output
from tui_monitor.cli.tables import Column, name, number, table
from tui_monitor.cli.times import written
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import Span, TimeRange
from tui_monitor.model.units import UNKNOWN, show
from tui_monitor.query.result import Result, Series

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Monitor

_SIDE_BY_SIDE = 6
"""Series that stand beside each other in a table over time; more stand below each other."""


def data(result: Result) -> dict[str, object]:
    """The answer for programs: Prometheus's form, and the unit."""
    form: dict[str, object] = {**result.prometheus(), "unit": result.unit}
    return form | {"approximate": True} if result.approximate else form


def about(server: str) -> str:
    """What stands once with figures that a remote server made from samples."""
    return f"≈ extrapolated by {clean(server, 60)}"


def label_names(result: Result) -> list[str]:
    """Labels of the answer, in the order they first come."""
    return list(dict.fromkeys(key for series in result.series for key, _ in series.labels))


def called(series: Series, otherwise: str = "value") -> str:
    """A name for one series: its label values."""
    if len(series.labels) == 1:
        return series.labels[0][1] or UNKNOWN
    return ", ".join(f"{key}={value or UNKNOWN}" for key, value in series.labels) or otherwise


async def reach(monitor: "Monitor", span: Span | None, calendar: Calendar) -> str:
    """How old the newest call is, where nothing was found and all calls are before the span; else nothing."""
    newest = (await monitor.snapshot(TimeRange())).extent.last
    if span is None or newest is None or newest > span.start:
        return ""
    return f"the newest call is of {written(newest, calendar)}: --at or a longer range reaches it"


def show_table(out: Output, result: Result, calendar: Calendar) -> None:
    """An answer at one instant by series, one over time by step."""
    if result.approximate:
        out.line(about(", ".join(result.layers)))
    if not result.series:
        out.line("no data")
    elif result.kind == "vector":
        _vector(out, result)
    elif len(result.series) <= _SIDE_BY_SIDE:
        _wide(out, result, calendar)
    else:
        _long(out, result, calendar)


def show_chart(
    out: Output,
    result: Result,
    now: Result,
    calendar: Calendar,
    then: "Result | None" = None,
    before: str = "",
) -> None:
    """An answer over time, drawn, the largest of `now` first.

    `then` is the answer about an earlier span, called `before`, at the same times.
    """
    if result.approximate:
        out.line(about(", ".join(result.layers)))
    old = {series.labels: series.values for series in then.series} if then is not None else {}
    lines = [
        (called(series, result.metric or "value"), series.values, old.get(series.labels, ()))
        for series in result.ranked(now)
    ]
    draw(out, result.times, lines, result.unit, calendar, before)


def _vector(out: Output, result: Result) -> None:
    labels = label_names(result)
    rows = [
        [*_values(series, labels), show(series.value, result.unit)]
        for series in sorted(result.series, key=_largest)
    ]
    table(out, [*(name(label) for label in labels), number(result.metric or "value")], rows)


def _values(series: Series, labels: Sequence[str]) -> list[str]:
    return [series.label(label) or UNKNOWN for label in labels]


def _largest(series: Series) -> tuple[bool, float, object]:
    return (series.value is None, -(series.value or 0.0), series.labels)


def _wide(out: Output, result: Result, calendar: Calendar) -> None:
    columns = [Column("time"), *(number(called(series)) for series in result.series)]
    rows = [
        [written(at, calendar), *(show(series.values[index], result.unit) for series in result.series)]
        for index, at in enumerate(result.times)
    ]
    table(out, columns, rows)


def _long(out: Output, result: Result, calendar: Calendar) -> None:
    labels = label_names(result)
    rows: list[Sequence[str]] = [
        [
            written(at, calendar),
            *(series.label(label) or UNKNOWN for label in labels),
            show(value, result.unit),
        ]
        for series in result.series
        for at, value in zip(result.times, series.values, strict=True)
        if value is not None
    ]
    table(out, [Column("time"), *(name(label) for label in labels), number("value")], rows)
