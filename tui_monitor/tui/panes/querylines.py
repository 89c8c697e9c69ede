"""The lines above an answer of the Query pane: how much came of it, how long it took, how it was read."""

from typing import TYPE_CHECKING

from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.units import milliseconds
from tui_monitor.query.filters.reading import as_filter
from tui_monitor.tui.drawing import Glyphs, wrap
from tui_monitor.tui.panes.queryasking import CallsAnswer, QueryAnswer
from tui_monitor.tui.widgets.lines import Line

if TYPE_CHECKING:
    from tui_monitor.query.result import Result

_WARNINGS = 3
MOST = 2_000
"""Calls that are listed at most."""
Total = tuple[str, TimeRange, int]
"""A filter, a range, and how many calls pass the one in the other."""


def other_lines(text: str, why: str = "") -> list[Line]:
    """What stands below answers another text than the one in the line."""
    return [Line((("  below: the answer to ", "dim"), (text, "dim bold")), ((why, "dim"),) if why else ())]


def answer_lines(
    answer: QueryAnswer | CallsAnswer, glyphs: Glyphs, width: int, *, table: bool, explaining: bool,
    total: Total | None, turns: str,
) -> list[Line]:  # fmt: skip
    """About an answer, in so many cells; `total` is how many calls there are, where that is known, and
    `turns` the key between table and chart."""
    if isinstance(answer, CallsAnswer):
        first, why = calls_line(answer, total), f"calls where {answer.found.filter}"
        warnings = answer.found.warnings
    else:
        first, why = numbers_line(answer, glyphs, turns, table=table), answer.promql
        warnings = (answer.now if table else answer.over).warnings
    lines = [first, *(Line.of(f"  {glyphs.warn} {text}", "warn") for text in warnings[:_WARNINGS])]
    if explaining:
        room = max(20, width - 6)
        lines[1:1] = [Line.of(f"  {line}", "dim") for line in wrap(why, room, glyphs)]
    instead = as_filter(answer.text)
    if instead:
        lines.append(Line.of(f"  this compares metrics; single calls are listed by  {instead}", "dim"))
    return lines


def calls_line(answer: CallsAnswer, total: Total | None) -> Line:
    """How many calls were found."""
    loaded, took = len(answer.found.calls), milliseconds(answer.took * 1000)
    words = f"{loaded:,} call{'s' * (loaded != 1)}"
    if answer.found.after is not None:
        words = f"newest {loaded:,}"
        if total is not None and total[:2] == (answer.text, answer.shown):
            words += f" of {max(loaded, total[2]):,} calls"
    few = "  a narrower filter or range shows the rest" if loaded >= MOST else ""
    return Line(((f"  {words}  {took}", "bright"), (few, "dim")), (("calls", "bright"),))


def how_many(shown: "Result") -> str:
    """How many series there is something to show of; those whose values are all unknown are none."""
    number = sum(any(value is not None for value in series.values) for series in shown.series)
    return f"{number} series" if number else "no data"


def numbers_line(answer: QueryAnswer, glyphs: Glyphs, turns: str, *, table: bool) -> Line:
    """How many series came, and what they were read from."""
    shown = answer.now if table else answer.over
    words = f"  {how_many(shown)}  {milliseconds(answer.took * 1000)}"
    layers = ", ".join(dict.fromkeys((*answer.over.layers, *answer.now.layers)))
    right = (("table" if table else "chart", "bright"), (f"  {turns}", "dim"))
    about = answer.over.approximate or answer.now.approximate
    mark = f"  {glyphs.about}" if about else " "
    return Line(((words + mark, "bright"), (f" from {layers}" if layers else "", "dim")), right)
