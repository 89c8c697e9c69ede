"""One call whole: all that is known of it, how its price is made up, and the calls around it."""

from collections.abc import Iterator
from functools import partial
from typing import Any, cast

from textual import on
from textual.events import Resize

from tui_monitor.model.call import Call
from tui_monitor.model.callprice import CallPrice, PricePart
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.units import UNKNOWN, exact_usd, milliseconds, money
from tui_monitor.monitor.api import CallView
from tui_monitor.query.result import Neighbours
from tui_monitor.tui.drawing import Glyphs, wrap
from tui_monitor.tui.link import Look, ask
from tui_monitor.tui.panes.calllist import FACT_COLUMNS, fact_rows
from tui_monitor.tui.widgets.grid import Cell, Grid, GridRow

_NEAR = "near "
_KINDS = {
    "input": "input", "cache_read": "read from cache", "cache_write_5m": "written, 5 min",
    "cache_write_1h": "written, 1 h", "output": "output", "reasoning": "reasoning", "request": "for the call",
    "media": "audio, images …",
}  # fmt: skip
_AROUND = {"session": "SESSION", "trace_id": "TRACE", "user": "USER", "project": "PROJECT"}


class CallSheet(Grid):
    """All about one call. Rows of the calls around it lead there: `near_key` tells the id of one."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(FACT_COLUMNS, id=id)
        self.call: Call | None = None
        """The call that is shown."""
        self.view: CallView | None = None
        """All about it, once that is known."""
        self._look: Look | None = None
        self._error = ""

    def open(self, call: Call | None, look: Look) -> None:
        """Show a call: what the list knows of it at once, the rest when it comes. None is no call."""
        self.call, self.view, self._look, self._error = call, None, look, ""
        self.workers.cancel_group(self, "call")
        if call is None:
            return
        self._fill()
        self.action_jump(0)
        self.run_worker(partial(self._ask, call.id), exclusive=True, group="call")

    async def _ask(self, call_id: str) -> None:
        try:
            view = await ask(cast(Any, self.app).backend, lambda monitor: monitor.call(call_id))
        except MonitorError as error:
            self._error = error.message
        else:
            if self.call is None or self.call.id != call_id:
                return
            self.call, self.view = view.call, view
        self._fill()

    def _fill(self) -> None:
        if self.call is None or self._look is None:
            return
        look, width = self._look, self.app.size.width
        rows = fact_rows(self.call, look, width, self.glyphs)
        if self._error:
            rows.insert(0, GridRow("error", {"value": Cell(self._error, "crit")}))
        if self.view is not None:
            rows = sheet_rows(rows, self.view, look, width, self.glyphs)
        self.show(rows)

    def near(self, key: str) -> Call | None:
        """The call that a row leads to."""
        if self.view is None or not key.startswith(_NEAR):
            return None
        wanted = key.rpartition(" ")[2]
        calls = (call for near in self.view.neighbours for call in (*near.before, *near.after))
        return next((call for call in calls if call.id == wanted), None)

    @on(Resize)
    def _resized(self) -> None:
        self._fill()


def sheet_rows(facts: list[GridRow], view: CallView, look: Look, width: int, glyphs: Glyphs) -> list[GridRow]:
    """The facts with the price taken apart, what sources said, and the calls around it."""
    price = _texts("PRICE", _price(view.price, view.call), width, glyphs)
    told = _texts("TOLD", _told(view, look), width, glyphs)
    around = (row for near in view.neighbours for row in _around(near, view.call, look, glyphs))
    parts: dict[str, list[GridRow]] = {}
    for row in facts:
        parts.setdefault(row.heading or next(reversed(parts), ""), []).append(row)
    parts["PRICE"] = [GridRow("heading PRICE", heading="PRICE"), *price]
    parts["IDENTITY"] = [*parts["IDENTITY"], *told]
    return [*(row for part in parts.values() for row in part), *around]


Fact = tuple[str, str, str]
"""A name, a text, its style."""


def _texts(title: str, facts: Iterator[Fact], width: int, glyphs: Glyphs) -> Iterator[GridRow]:
    room = max(20, width - FACT_COLUMNS[0].width - 6)
    for number, (name, text, style) in enumerate(facts):
        # What has room keeps its spaces, so that products stand below each other.
        for index, line in enumerate([text] if len(text) <= room else wrap(text, room, glyphs)):
            cells = {"name": Cell("" if index else name, "dim"), "value": Cell(line, style)}
            yield GridRow(f"{title} {number} {name} {index}", cells)


def _price(price: CallPrice, call: Call) -> Iterator[Fact]:
    cost = UNKNOWN if call.cost is None else exact_usd(call.cost)
    yield "cost", f"{cost}  {price.why}", "bright" if call.cost is not None else "warn"
    if call.cost_reported is not None:
        yield "reported", exact_usd(call.cost_reported), ""
    if price.source is not None:
        yield "price from", _entry(price), ""
    places = [_multiplied(part) for part in price.parts]
    left, right = (max((len(pair[n]) for pair in places), default=0) for n in (0, 1))
    for part, (product, amount) in zip(price.parts, places, strict=True):
        yield _KINDS.get(part.kind, part.kind), f"{product:>{left}} = {amount:<{right}}", "bright"
    if price.sum_usd is not None:
        yield "sum", f"{'':>{left}}   {_dollars(price.sum_usd)}{_same(price, call)}", "bright"
    if price.discount != "0" and price.computed is not None:
        yield "less discount", f"{float(price.discount):.4g} of it: {exact_usd(price.computed)}", ""
    for words in price.estimated:
        yield "estimated", words, "warn"
    if price.differs:
        yield "differs", price.differs, "warn"


def _entry(price: CallPrice) -> str:
    days = ""
    if price.valid_from or price.valid_to:
        since = f"since {price.valid_from}" if price.valid_from else "always"
        days = f", {since}{f' until {price.valid_to}' if price.valid_to else ''}"
    model = f", {price.provider} {price.model}" if price.model else ""
    above = f", above {price.above:,} input tokens" if price.above is not None else ""
    return f"{price.source} {price.version or ''}".strip() + model + days + above


def _multiplied(part: PricePart) -> tuple[str, str]:
    if part.tokens is None or part.usd_per_million is None:
        return "", _dollars(part.usd)
    return f"{part.tokens:,} × ${part.usd_per_million} / 1M", _dollars(part.usd)


def _dollars(text: str) -> str:
    """An exact decimal text, with the cents at least."""
    whole, _, rest = text.partition(".")
    return f"${whole}.{rest.ljust(2, '0')}"


def _same(price: CallPrice, call: Call) -> str:
    """What of the stored money the sum is."""
    if price.list_cost is None or price.differs:
        return ""
    rounded = "" if _dollars(price.sum_usd or "") == exact_usd(price.list_cost) else ", rounded"
    if call.cost == price.list_cost:
        return f"  the cost that is stored{rounded}"
    return f"  the list price that is stored{rounded}"


def _told(view: CallView, look: Look) -> Iterator[Fact]:
    yield "stored", f"{look.calendar.local(view.arrived):%Y-%m-%d %H:%M:%S}", ""
    if view.stands_for > 1:
        yield (
            "sample",
            f"stands for {view.stands_for:,} calls like it, of which only this one is kept",
            "warn",
        )
    for call in view.told_by:
        known = [
            f"{name} {value}"
            for name, value in (
                ("in", call.total_in), ("out", call.out_total), ("cost", _usd(call.cost_reported)),
                ("status", call.status),
            )
            if value is not None
        ]  # fmt: skip
        yield "told by", f"{call.source} {call.source_key}: {', '.join(known)}", ""


def _usd(nano: int | None) -> str | None:
    return None if nano is None else exact_usd(nano)


def _around(near: Neighbours, call: Call, look: Look, glyphs: Glyphs) -> Iterator[GridRow]:
    title = f"{_AROUND[near.label]} {near.value}" if near.label else "BEFORE AND AFTER"
    yield GridRow(f"heading {near.label} around", heading=title)
    for other in (*reversed(near.after), call, *near.before):
        here = other.id == call.id
        key = f"here {near.label}" if here else f"{_NEAR}{near.label} {other.id}"
        failed = other.status == "error"
        status = other.error_category or other.status if failed else other.status
        text = (
            f"{other.provider or UNKNOWN:<10} {other.model or UNKNOWN:<26} {status:<12} "
            f"{milliseconds(other.latency_ms):>8} {money(other.cost):>10}"
        )
        wall = look.calendar.local(other.booked)
        name = f"{glyphs.cursor + ' ' if here else '  '}{wall:%d %b %H:%M:%S}"
        yield GridRow(
            key, {"name": Cell(name, "dim"), "value": Cell(text, "dim" if here else "crit" if failed else "")}
        )
