"""The calls of a filter: as a table, in the envelope, or as JSON lines without end."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_monitor.cli import ranges
from tui_monitor.cli.context import Context
from tui_monitor.cli.tables import BAD, DIM, Column, name, number, table
from tui_monitor.cli.times import instant, written
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import HOUR
from tui_monitor.model.errors import UsageError
from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.units import UNKNOWN, count, milliseconds, money

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.query.result import CallList

USUAL = 50
"""Calls that are shown unless told."""
_PAGE = 1_000
_MOST = 10_000
"""Calls of one table or envelope; lines have no end."""


def run(context: Context) -> int:
    """List the calls of a filter; raises `QueryError`, `UsageError`, `StoreError`."""
    args = context.args
    if args.chart or args.step or args.compare:
        raise UsageError(
            "a filter gives calls, which have no steps, no chart, and nothing to compare",
            hint='a chart is drawn of a query like latency{provider="claude"}',
        )
    if args.limit is not None and args.limit < 1:
        raise UsageError("--limit must be at least 1")
    calendar = context.calendar
    at = instant(args.at, calendar, context.now) if args.at else None
    asked = ranges.asked(args, calendar, context.now, TimeRange(), at) or TimeRange(HOUR, at)
    shown = asked.until(context.now)
    if args.lines:
        return _lines(context, shown)
    limit = USUAL if args.limit is None else args.limit
    if limit > _MOST:
        raise UsageError(f"--limit is at most {_MOST:,}", hint="with --lines there is no end")

    async def ask(monitor: "Monitor") -> "tuple[CallList, int]":
        found = await monitor.calls(args.text, shown, limit)
        total = len(found.calls) if found.after is None else await monitor.count_calls(args.text, shown)
        return found, total

    found, total = context.ask(ask)
    if args.explain:
        return _explain(context, found, total)
    context.out.answer(data(found, total), lambda: _show(context, found, total, calendar), found.warnings)
    return 0


def data(found: "CallList", total: int) -> dict[str, object]:
    """The calls for programs, by the names of the event feed."""
    from tui_monitor.sources.written import written as as_event

    return {
        "resultType": "calls",
        "filter": found.filter,
        "result": [_known(as_event(call)) for call in found.calls],
        "total": total,
    }


def _known(event: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in event.items() if value is not None}


def _lines(context: Context, shown: TimeRange) -> int:
    """One JSON object on each line, as they are read."""
    from tui_monitor.sources.written import written as as_event

    args, out = context.args, context.out

    async def write(monitor: "Monitor") -> tuple[str, ...]:
        left, after, warnings = args.limit, None, ()
        while left is None or left > 0:
            found = await monitor.calls(
                args.text, shown, _PAGE if left is None else min(_PAGE, left), after=after
            )
            out.write_lines(_known(as_event(call)) for call in found.calls)
            after, warnings = found.after, found.warnings
            left = None if left is None else left - len(found.calls)
            if after is None:
                break
        return warnings

    for warning in context.ask(write):
        out.note(f"note: {warning}")
    return 0


def _explain(context: Context, found: "CallList", total: int) -> int:
    """How the filter was read, and how many calls pass."""
    out, words = context.out, f"calls where {found.filter}"

    def show() -> None:
        out.line(words if found.filter != "where" else "all calls")
        out.line(f"read from: raw, {total:,} calls")

    out.answer({"filter": found.filter, "layers": ["raw"], "total": total}, show, found.warnings)
    return 0


def _show(context: Context, found: "CallList", total: int, calendar: Calendar) -> None:
    out = context.out
    if not found.calls:
        out.line("no such call in this time range")
        return
    asked = _asked(found)
    columns = [
        Column("time"), name("provider"), name("model"), Column("status", rank=1), number("latency"),
        number("in", rank=2), number("out", rank=3), number("cost"),
        *(name(label, rank=4 + index) for index, label in enumerate(asked)),
    ]  # fmt: skip
    rows = [_row(call, asked, calendar) for call in found.calls]
    if getattr(context.args, "ids", False):
        columns.append(Column("id", rank=len(asked) + 4))
        rows = [[*row, (call.id, DIM)] for row, call in zip(rows, found.calls, strict=True)]
    table(out, columns, rows)
    if total > len(found.calls):
        way = f"--limit {total} shows them" if total <= _MOST else "--lines gives all"
        out.note(f"{total - len(found.calls):,} more: {way}")


_SHOWN = frozenset(("provider", "model", "status", "error_category"))


def _asked(found: "CallList") -> list[str]:
    """Fields of the filter that have no column yet, and who called."""
    from tui_monitor.query.filters.fields import texts_of
    from tui_monitor.query.filters.parser import parse

    names = texts_of(parse(found.query))
    return [label for label in dict.fromkeys([*names, "user", "project"]) if label not in _SHOWN]


def _row(call: Call, asked: Sequence[str], calendar: Calendar) -> list[str | tuple[str, str]]:
    from tui_monitor.query.filters.fields import text_of

    failed = call.status == "error"
    status = f"{call.status} {call.error_category or ''}".strip()
    return [
        written(call.booked, calendar),
        call.provider or UNKNOWN,
        call.model or UNKNOWN,
        (status, BAD) if failed else (status, DIM),
        milliseconds(call.latency_ms),
        count(call.total_in),
        count(call.out_total),
        money(call.cost),
        *(text_of(call, label) or UNKNOWN for label in asked),
    ]
