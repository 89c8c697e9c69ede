"""Which layer answers which part of the windows: the coarsest one that is exact, raw calls at the edges."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import Span
from tui_monitor.query.windows import Windows
from tui_monitor.store.api import CELL, LAYER_LABELS, Holding, Layer

COARSE_FIRST = (Layer.DAY, Layer.HOUR, Layer.MINUTE, Layer.RAW)


@dataclass(frozen=True, slots=True)
class Piece:
    """A span that one layer answers: whole cells of it, none of which is gone."""

    layer: Layer
    span: Span


@dataclass(slots=True)
class Plan:
    """The pieces in order of time, and the spans that no layer can answer any more."""

    pieces: list[Piece] = field(default_factory=list)
    missing: list[Span] = field(default_factory=list)


class Planner:
    """Plans over what the layers hold now; `newest` is the last booking of all."""

    def __init__(
        self, holdings: Mapping[Layer, Holding], calendar: Calendar, newest: Micros | None = None
    ) -> None:
        self._holdings = holdings
        self._calendar = calendar
        self._newest = newest
        self._open: Micros | None = None
        self._opens: list[Layer] = []

    def plan(self, windows: Windows, labels: Collection[str], *, raw_only: bool = False) -> Plan:
        """How to answer windows by these labels; `raw_only` where a layer's sums are not enough."""
        layers = [Layer.RAW] if raw_only else self._knowing(labels)
        self._open = self._open_end(windows.span.end)
        sums = [layer for layer in layers if layer is not Layer.RAW]
        # Of the cells that are not over the finest is read anew with each call: it has the fewest rows.
        self._opens = sums[-1:]
        plan = self._plan(windows, layers)
        if plan.missing and self._open is not None:
            self._opens = sums
            plan = _fuller(plan, self._plan(windows, layers))
        if plan.missing and Layer.DAY in layers:
            # Days begin a microsecond beside hours: where single calls are gone, hours alone may fit.
            plan = _fuller(plan, self._plan(windows, layers[1:]))
        return plan

    def _open_end(self, end: Micros) -> Micros | None:
        """The end, where the cells that it lies in say exactly what single calls may not.

        That is so where nothing is booked after the end: then all that the cells hold lies before it. Their
        pieces may reach beyond the windows. Whether calls were left out near the end does not matter: a
        correction may have brought calls there that stand for others of another time.
        """
        return end if self._newest is not None and self._newest <= end else None

    def _plan(self, windows: Windows, layers: Sequence[Layer]) -> Plan:
        plan = Plan()
        if len(windows) == 1 and not windows.step:
            self._cover(windows.span, layers, plan)
            return plan
        regular, rest = _regular(windows)
        if regular:
            # Cells that divide the step lie in one window each, so all of these windows are one piece.
            on_grid = [layer for layer in layers if _on_grid(layer, windows)]
            self._cover(regular, on_grid, plan)
        if rest:
            self._cover(rest, layers, plan)
        return plan

    def _knowing(self, labels: Collection[str]) -> list[Layer]:
        usable: list[Layer] = []
        for layer in COARSE_FIRST:
            known = LAYER_LABELS[layer]
            if known is not None and not known.issuperset(labels):
                continue
            if layer is not Layer.DAY or self._holdings[layer].zone == self._calendar.zone:
                usable.append(layer)
        return usable

    def _cover(self, span: Span, layers: Sequence[Layer], plan: Plan) -> None:
        if span.length <= 0:
            return
        if not layers:
            plan.missing.append(span)
            return
        layer, finer = layers[0], layers[1:]
        reached = span.start
        for kept in self._kept(layer, span):
            self._cover(Span(reached, kept.start), finer, plan)
            plan.pieces += (Piece(layer, part) for part in self._parted(layer, kept, span.end))
            reached = kept.end
        self._cover(Span(reached, span.end), finer, plan)

    def _parted(self, layer: Layer, kept: Span, end: Micros) -> tuple[Span, ...]:
        """A cell that is not over stands alone: it changes with each call, and those before it do not."""
        opens = self._edge(layer, end, up=False) if kept.end > end else kept.end
        if kept.start < opens < kept.end:
            return Span(kept.start, opens), Span(opens, kept.end)
        return (kept,)

    def _kept(self, layer: Layer, span: Span) -> Iterator[Span]:
        """Runs of whole cells in the span of which nothing is gone."""
        last = self._edge(layer, span.end, up=span.end == self._open and layer in self._opens)
        whole = Span(self._edge(layer, span.start, up=True), last)
        reached = whole.start
        for hole in sorted(self._holdings[layer].gone):
            hole = Span(max(hole.start, whole.start), min(hole.end, whole.end))
            if hole.length <= 0:
                continue
            start = self._edge(layer, hole.start, up=False)
            if start > reached:
                yield Span(reached, start)
            reached = max(reached, self._edge(layer, hole.end, up=True))
        if whole.end > reached:
            yield Span(reached, whole.end)

    def _edge(self, layer: Layer, instant: Micros, *, up: bool) -> Micros:
        """The nearest border between two cells, at or before an instant, or with `up` at or after it."""
        if layer is Layer.RAW:
            return instant
        if layer is Layer.DAY:
            # A day is [midnight, midnight): in left-open spans it borders on the microsecond before.
            start, end = self._calendar.day(instant + 1)
            return (end if up and start - 1 < instant else start) - 1
        cell = CELL[layer]
        return -(-instant // cell) * cell if up else instant // cell * cell


def _fuller(one: Plan, other: Plan) -> Plan:
    """The one of two plans that misses less."""
    return min(one, other, key=lambda plan: sum(span.length for span in plan.missing))


def _regular(windows: Windows) -> tuple[Span | None, Span | None]:
    """The span of the windows that are one step long, and the shorter last one."""
    edges = windows.edges
    last = Span(int(edges[-2]), int(edges[-1]))
    if last.length == windows.step:
        return windows.span, None
    return (Span(int(edges[0]), last.start) if len(windows) > 1 else None), last


def _on_grid(layer: Layer, windows: Windows) -> bool:
    if layer is Layer.RAW:
        return True
    cell = CELL[layer]
    # Days begin a microsecond beside the grid of the epoch.
    return layer is not Layer.DAY and windows.step % cell == 0 and int(windows.edges[0]) % cell == 0
