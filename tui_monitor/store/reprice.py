"""Stored calls priced anew, every layer following."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

from tui_monitor.model.call import Call
from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import Span
from tui_monitor.store import calls, head, opening, sampled, sealing, segments
from tui_monitor.store.api import SampledSpan
from tui_monitor.store.head import Row
from tui_monitor.store.merge import merge
from tui_monitor.store.writing import WriteSide

Price = Callable[[Call], None]
_STEP = 5_000
_EVER = (1 << 63) - 1


@dataclass(slots=True)
class RepriceReport:
    """What came of it. Money is nano-USD, of the looked-at calls that have a cost."""

    looked_at: int = 0
    changed: int = 0
    cost_before: int = 0
    cost_after: int = 0
    unpriced_before: int = 0
    unpriced_after: int = 0
    gone: tuple[Span, ...] = ()
    """Spans in which some calls are no longer kept one by one; those keep their old price."""
    sampled: tuple[SampledSpan, ...] = ()
    """Spans in which some calls were left out by sampling; those keep their old price too."""


def reprice(
    side: WriteSide,
    since: Micros,
    price: Callable[[Call], None],
    told: Callable[[int, int], None] | None = None,
) -> RepriceReport:
    """Price every raw call booked at or after `since`, some thousand per transaction.

    `told` is called after each with how many are done, of how many there were at the start.
    """
    report = RepriceReport()
    with side.upkeep:
        with side.guard:
            total = calls.count(side.conn, Span(since - 1, _EVER))

        def go_on() -> None:
            if told is not None:
                told(report.looked_at, max(total, report.looked_at))

        _reprice_rows_of_table(side, since, price, report, go_on)
        _reprice_sealed(side, since, price, report, go_on)
    gone = side.conn.execute(
        "SELECT start, end FROM dropped WHERE layer = 'raw' AND end >= ? ORDER BY start", (since,)
    )
    with side.guard:
        report.sampled = sampled.together(sampled.spans(side.conn, since))
    report.gone = tuple(Span(max(start, since - 1), end) for start, end in gone)
    return report


def _reprice_rows_of_table(
    side: WriteSide, since: Micros, price: Price, report: RepriceReport, go_on: Callable[[], None]
) -> None:
    after, last = since, 0
    while True:
        with side.transaction():
            found = side.conn.execute(
                """SELECT booked, id FROM calls WHERE (booked, id) > (?, ?) ORDER BY booked, id LIMIT ?""",
                (after, last, _STEP),
            ).fetchall()
            if not found:
                return
            rows = head.load(side.conn, [number for _, number in found])
            _reprice_rows(side, list(rows.values()), price, report)
            after, last = found[-1]
        go_on()


def _reprice_sealed(
    side: WriteSide, since: Micros, price: Price, report: RepriceReport, go_on: Callable[[], None]
) -> None:
    with closing(opening.connect_reader(side.path)) as reader:
        for segment in segments.overlapping(reader, Span(since - 1, _EVER)):
            before = report.changed
            booked = segment.integers("booked")
            numbers: list[int] = segment.integers("id")[segment.left() & (booked >= since)].tolist()
            for at in range(0, len(numbers), _STEP):
                with side.transaction():
                    rows = calls.load(side.conn, numbers[at : at + _STEP])
                    _reprice_rows(side, list(rows.values()), price, report)
                go_on()
            if report.changed > before:
                sealing.reseal(side, reader, segment.id, segment.first)


def _reprice_rows(side: WriteSide, rows: list[Row], price: Price, report: RepriceReport) -> None:
    old: list[Row] = []
    new: list[Row] = []
    for row in rows:
        priced = _priced(row, price)
        report.looked_at += 1
        report.cost_before += row.call.cost or 0
        report.cost_after += priced.call.cost or 0
        report.unpriced_before += row.call.cost_status == "unpriced"
        report.unpriced_after += priced.call.cost_status == "unpriced"
        if priced.call != row.call or priced.parts != row.parts:
            old.append(row)
            new.append(priced)
    if new:
        side.change_rows(old, new, in_place=True)
        side.changes.save(side.conn)
    report.changed += len(new)


def _priced(row: Row, price: Callable[[Call], None]) -> Row:
    parts = [replace(part, call=replace(part.call)) for part in row.parts]
    for part in parts:
        price(part.call)
    call = parts[0].call if len(parts) == 1 else merge(parts, price)
    return Row(row.id, parts, call, row.arrived, weight=row.weight)
