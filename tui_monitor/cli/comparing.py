"""`--compare`: the same question about an earlier span, beside the answer."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui_monitor.cli.answers import data, label_names, show_chart, show_table
from tui_monitor.cli.context import Context
from tui_monitor.cli.output import Output
from tui_monitor.cli.tables import name, number, table
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros, iso
from tui_monitor.model.comparison import Against, comparable, earlier
from tui_monitor.model.errors import UsageError
from tui_monitor.model.timerange import Span, TimeRange
from tui_monitor.model.units import UNKNOWN, change
from tui_monitor.model.units import show as shown
from tui_monitor.query.beside import asked_of, moved
from tui_monitor.query.result import Result, Series

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Monitor


@dataclass(frozen=True, slots=True)
class Then:
    """An answer about an earlier span."""

    result: Result
    span: Span
    offset: Micros

    def data(self) -> dict[str, object]:
        """For programs: the answer, and which span it is of."""
        return {**data(self.result), **self.edges()}

    def edges(self) -> dict[str, object]:
        """The span's ends; it is left-open."""
        return {"start": iso(self.span.start), "end": iso(self.span.end)}


async def then(
    monitor: "Monitor", context: Context, text: str, found: Result, shown: TimeRange, count: int = 0
) -> Then | None:
    """The answer of `text` about the span before, where it is wanted.

    Over time in `count` steps; where that is 0, at the end of the span before the one that was looked at.
    """
    against: Against | None = context.args.compare
    if against is None:
        return None
    span = shown.span(context.now) if count or found.span is None else found.span
    before = earlier(span, against, context.calendar)
    if count:
        result = await monitor.query_range(text, TimeRange(before.length, before.end), count)
        return Then(result, before, span.start - before.start)
    result = await asked_of(before, lambda at: monitor.query(text, at=at))
    if result is None:
        raise UsageError(
            f"--compare {against}: its range cannot be moved there", hint="try --compare previous"
        )
    before = result.span or before
    first = (await monitor.snapshot(TimeRange())).extent.first
    if not comparable(first, before):
        # As on the screen: a part of a span says nothing about the whole of another.
        result = replace(result, series=())
    return Then(result, before, span.start - before.start)


def both(result: Result, then: Then | None) -> Result:
    """Both over time, at the times of the present; the earlier series have the label `before`."""
    if then is None:
        return result
    old = moved(then.result, then.offset, result.times)
    words = shown(then.offset / 1_000_000, "s")
    series = tuple(Series((*one.labels, ("before", words)), one.values) for one in old.series)
    return replace(result, series=(*result.series, *series))


def chart(out: Output, result: Result, now: Result, calendar: Calendar, then: Then | None) -> None:
    """An answer over time, drawn, with the course of the earlier span; as figures where nothing is drawn."""
    if out.plain:
        show_table(out, both(result, then), calendar)
    elif then is None:
        show_chart(out, result, now, calendar)
    else:
        old = moved(then.result, then.offset, result.times)
        show_chart(out, result, now, calendar, old, f"{shown(then.offset / 1_000_000, 's')} before")


def show(out: Output, result: Result, then: Then) -> None:
    """A table of both at one instant, with the change; what is in one alone is unknown in the other."""
    present = {series.labels: series.value for series in result.series}
    old = {series.labels: series.value for series in then.result.series}
    named = {series.labels: series for series in (*then.result.series, *result.series)}
    if not named:
        out.line("no data")
        return
    labels = label_names(replace(result, series=tuple(named.values())))

    def largest(one: Series) -> tuple[bool, float]:
        value = present.get(one.labels)
        return value is None, -(value or 0)

    rows = [
        [
            *(one.label(label) or UNKNOWN for label in labels),
            shown(present.get(one.labels), result.unit),
            shown(old.get(one.labels), result.unit),
            change(present.get(one.labels), old.get(one.labels))[0],
        ]
        for one in sorted(named.values(), key=largest)
    ]
    figures = (number(result.metric or "value"), number("before"), number("change"))
    table(out, [*(name(label) for label in labels), *figures], rows)
