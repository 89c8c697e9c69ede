"""Overview: is anything wrong, what does it cost, what changed."""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from tui_monitor.model.alert import Alert
from tui_monitor.model.clock import SECOND
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.units import UNKNOWN
from tui_monitor.monitor.before import Before
from tui_monitor.tui import commands
from tui_monitor.tui.link import Look, ask, who_acts
from tui_monitor.tui.messages import PaneWanted, QueryWanted
from tui_monitor.tui.panes import attention, happenings
from tui_monitor.tui.panes import overviewlines as drawn
from tui_monitor.tui.panes.alertlines import left_behind
from tui_monitor.tui.panes.base import Question
from tui_monitor.tui.panes.charts import Course, chart_of, firing_marks
from tui_monitor.tui.panes.earlier import Past, against
from tui_monitor.tui.panes.feeding import no_calls, taught_by
from tui_monitor.tui.panes.sifting import SiftingPane
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.grid import Grid
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.sifted import SiftedGrid, Stacked

if TYPE_CHECKING:
    from tui_monitor.costs.views import CostsView
    from tui_monitor.health.views import ProvidersView
    from tui_monitor.model.alert import AlertsView
    from tui_monitor.model.happened import Happened
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.query.result import Result

SPENT, SLOW = "cost{} sum by(provider)", "latency{} p95 by(provider)"
"""What the charts show."""
BEFORE = ("p50_ms", "p95_ms", "success_rate", "requests")
"""The figures that are compared with those of an earlier span."""
_EVENTS, _MOST_EVENTS = 50, 1_000
"""Events asked for at first and with every further step down, and at most."""
_NEAR = 10
"""Rows from the end of the log from which on more of it is asked for."""
_MEMORY = 5 * SECOND
"""Alerts change without new data: how often they are looked at."""
_FEW, _MANY = 4, 8
"""Rows of what needs somebody at most, on a small screen and on a large one."""
_TALL = 34


@dataclass(frozen=True, slots=True)
class Figures:
    """What changes with the data and the range alone."""

    of: Hashable
    """The state of both that it is about."""
    providers: "ProvidersView"
    costs: "CostsView"
    before: Before
    spent: "Result | None" = None
    slow: "Result | None" = None
    courses: "tuple[Course | None, Course | None]" = (None, None)
    """The courses of both in an earlier span, where one is drawn beside them."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Answers of this pane."""

    figures: Figures
    alerts: "AlertsView"
    happened: "Happened"


class OverviewPane(SiftingPane[Overview]):
    """What needs somebody, the providers, the spend with two charts, and what changed."""

    PRESENT = "alerts, sources and events"
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("overview")
    CHOICES: ClassVar[Mapping[str, Sequence[str]]] = {"_calls": ("changes", "calls too")}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._figures: Figures | None = None
        self._past = Past()
        self._items: list[attention.Item] = []
        self._skipped = self.skipped()
        """What the footer left out last."""
        self._high = 0
        """Lines of what needs somebody."""
        self._calls = False
        """Whether the log tells of single calls too."""
        self._events = _EVENTS
        self._attention = Lines([Line.of(" ATTENTION", "accent bold")], classes="head")
        self._needed = Stacked(attention.columns(120), id="overview-needed")
        self._head = Lines([Line.of(" PROVIDERS", "accent bold")], classes="head")
        self._list = Stacked(drawn.columns(120), id="overview-providers")
        self._spend = Lines([Line.of(" SPEND", "accent bold")], id="overview-spend", classes="head")
        self._costs = Chart(id="overview-costs")
        self._latency = Chart(id="overview-latency")
        self._changed = Lines(
            [Line.of(" WHAT CHANGED", "accent bold")], id="overview-changed", classes="head"
        )
        self._log = Stacked(happenings.COLUMNS, id="overview-log")

    def body(self) -> ComposeResult:
        yield self._attention
        self._needed.display = False
        yield self._needed
        yield self._head
        yield self._list
        yield self._spend
        with Horizontal(id="overview-charts"):
            yield self._costs
            yield self._latency
        yield self._changed
        yield self._log

    def first(self) -> Grid:
        """The providers: what needs somebody comes and goes."""
        return self._list

    # Asking.

    def update(self, look: Look, *, force: bool = False) -> None:
        """Look at the data; who forces it wants all of it anew."""
        if force:
            self._figures = None
        super().update(look, force=force)

    def question(self, look: Look) -> Question:
        width, height = self.app.size
        charts = width >= drawn.NARROW and height >= _TALL
        points, sparks = max(20, width // 2 - 14), drawn.sparks_of(width)
        names = happenings.CALLS if self._calls else happenings.CHANGES
        intent = (look.shown, sparks, charts, look.step(points), names, self._events)
        intent = (*intent, *against(look))
        of = (look.shown, sparks, charts, look.moment(points), *against(look))
        kept, events, past = self._figures, self._events, self._past

        async def ask(monitor: "Monitor") -> Overview:
            # Together: where the collector is far away, each question takes a while.
            figures, alerts, happened = await asyncio.gather(
                _kept(kept) if kept is not None and kept.of == of
                else _figures(monitor, of, look, points if charts else 0, sparks, past),
                monitor.alerts(),
                monitor.happened(names, events),
            )  # fmt: skip
            return Overview(figures, alerts, happened)

        return Question(intent, (of, *self._sooner(look)), ask)

    def _sooner(self, look: Look) -> tuple[Hashable, ...]:
        """What may change without new data: alerts, parts of the collector, and the log."""
        status = look.collector
        if status is None:
            return (look.alerts,)
        failed = tuple(row for row in status.sources if row.last_error)
        calls = look.at // SECOND if self._calls else 0
        return look.alerts, look.at // _MEMORY, status.changed, status.running, failed, calls, taught_by(look)

    # Showing.

    def show(self, answer: Overview, look: Look) -> None:
        figures, glyphs, width = answer.figures, self.glyphs, self.app.size.width
        self._figures = figures
        view, costs = figures.providers, figures.costs
        self.set_class(look.newest is None, "-empty")
        self._show_attention(answer, look)
        self._head.show([drawn.providers_head(view, figures.before, look, width, glyphs)])
        self._list.set_columns(drawn.columns(width))
        self._list.say_empty(no_calls(self.backend, look, self.keymap))
        self._list.show(drawn.provider_rows(view, figures.before, costs, width, glyphs))
        self._spend.show(drawn.spend_lines(costs, width, glyphs))
        self._show_charts(figures, look)
        self._show_log(answer, look)
        if self.skipped() != self._skipped:
            self._skipped = self.skipped()
            self.hints_changed()

    def _show_attention(self, answer: Overview, look: Look) -> None:
        figures, width = answer.figures, self.app.size.width
        rows, events = figures.providers.rows, answer.happened.events
        self._items = attention.needed(answer.alerts.alerts, rows, figures.costs.budgets, events, look)
        title = (" ATTENTION", "accent bold")
        if self._items:
            then = "" if look.shown.live else "providers and budgets as of the end of the range"
            left = left_behind(answer.alerts, look)
            said = (f"alerts {left}", "stale") if left else (then, "dim")
            self._attention.show([Line((title,), (said,))])
        else:
            rules = sum(rule.enabled for rule in answer.alerts.rules)
            self._attention.show([Line((title, *attention.nothing(rows, rules, look, self.glyphs)))])
        most = _MANY if self.app.size.height >= _TALL else _FEW
        high = min(len(self._items), most)
        if high and high != self._high:
            self._needed.styles.height = self._high = high
        if not self._items and self._needed.has_focus:
            self._list.focus()
        _display(self._needed, bool(self._items))
        self._needed.set_columns(attention.columns(width))
        self._needed.show(attention.rows_of(self._items, look, width, self.glyphs))

    def _show_charts(self, figures: Figures, look: Look) -> None:
        names = [row.provider or UNKNOWN for row in figures.providers.rows]
        self.colours.give(sorted(names), "provider")
        marks = firing_marks(look)
        for chart, result, before, title in (
            (self._costs, figures.spent, figures.courses[0], "COST by provider"),
            (self._latency, figures.slow, figures.courses[1], "LATENCY p95 by provider"),
        ):
            _display(chart, result is not None)
            if result is not None:
                data = chart_of(result, look, self.colours, title, marks=marks, before=before)
                chart.show(data)

    def _show_log(self, answer: Overview, look: Look) -> None:
        happened, live = answer.happened, look.collector is not None and look.collector.running
        events = happenings.shown(happened.events)
        what = "calls too" if self._calls else "changes of state"
        other = " only what changed" if self._calls else " calls too"
        hint = ((self.keymap.key("overview.events"), "accent bold"), (other, "dim"))
        self._changed.show([Line(((" WHAT CHANGED", "accent bold"), (f"   {what}", "dim")), hint)])
        self._log.say_empty(
            "Nothing yet since the collector started."
            if live
            else "Nobody collects: what happens is known while a collector runs."
        )
        # What has nothing to tell leaves its place to the charts.
        self.set_class(not events, "-still")
        self._log.show(happenings.rows_of(events, look, self.glyphs))
        if not self._log.has_focus:
            # Nobody reads further down: the newest stays to be seen.
            self._log.action_jump(0)

    def skipped(self) -> tuple[str, ...]:
        if self._typing:
            return super().skipped()
        drawn_there = self._figures is not None and self._figures.spent is not None
        charts = () if drawn_there else ("overview.chart", "overview.drawing")
        left = (*super().skipped(), *charts)
        return left if any(item.takes for item in self._items) else (*left, "overview.acknowledge")

    def sifted(self) -> SiftedGrid:
        """Of what needs somebody nothing is hidden."""
        return self._log if self._here is self._log else self._list

    # Going on from here.

    @property
    def _here(self) -> Grid:
        """The list with the cursor."""
        focused = self.screen.focused
        return focused if isinstance(focused, Grid) else self._list

    def action_open(self) -> None:
        """What enter does."""
        self._here.action_open()

    def action_order(self) -> None:
        """Order the providers by the chosen value."""
        if self._here is self._list:
            self.order(self._list)

    @on(Stacked.Left)
    def _goes_on(self, event: Stacked.Left) -> None:
        """From one list into the next, if there is one with rows."""
        lists = [grid for grid in (self._needed, self._list, self._log) if grid.display and grid.rows]
        at = next((n for n, grid in enumerate(lists) if grid is event.grid), -2) + event.step
        if 0 <= at < len(lists):
            lists[at].focus()
            lists[at].action_jump(0 if event.step > 0 else -1)

    @on(Grid.Moved, "#overview-log")
    @on(Grid.Scrolled, "#overview-log")
    @on(SiftedGrid.Counted, "#overview-log")
    def _read_further(self) -> None:
        """Ask for more of the log as one comes near its end, or looks for what may lie further back."""
        read = self._log.has_focus or self._log.words
        if (
            read
            and self.answer is not None
            and self.answer.happened.more
            and self._log.bottom >= len(self._log.rows) - _NEAR
            and self._events < _MOST_EVENTS
        ):
            self._events += _EVENTS
            self.changed()

    @on(Grid.Opened, "#overview-needed")
    def _open_need(self, event: Grid.Opened) -> None:
        item = next((item for item in self._items if item.key == event.key), None)
        if item is not None:
            self.post_message(PaneWanted(item.pane, item.row))

    @on(Grid.Opened, "#overview-providers")
    def _open_provider(self, event: Grid.Opened) -> None:
        from tui_monitor.tui.panes.providers import query_behind

        if event.column in (None, "state") or self.answer is None:
            self.post_message(PaneWanted("providers", event.key))
            return
        queries = self.answer.figures.providers.queries
        column = {"rate": "requests", "change": "today"}.get(event.column or "", event.column)
        self.post_message(QueryWanted(query_behind(queries, column, event.key)))

    @on(Grid.Opened, "#overview-log")
    def _open_event(self, event: Grid.Opened) -> None:
        events = self.answer.happened.events if self.answer else ()
        found = next((one for one in events if str(one.id) == event.key), None)
        if found is not None:
            self.post_message(PaneWanted(*happenings.goes_to(found)))

    def action_events(self) -> None:
        """The log of what changed, or with single calls."""
        self._calls, self._events = not self._calls, _EVENTS
        self.changed()

    def action_acknowledge(self) -> None:
        """Ask for a note and take the alert under the cursor; from another list, the worst one."""
        alert, look = self._alert_here(), self.look
        if alert is None or look is None:
            self.app.notify("there is no alert to take care of")
            return
        from tui_monitor.tui.screens.acting import AcknowledgeDialog

        def taken(note: str | None) -> None:
            if note is not None:
                self.run_worker(partial(self._acknowledge, alert, note), group="acting")

        self.app.push_screen(AcknowledgeDialog(alert, look.at, look.calendar), taken)

    def _alert_here(self) -> Alert | None:
        able = [item for item in self._items if item.takes]
        item = next((one for one in able if one.key == self._needed.cursor), None)
        if not self._needed.has_focus:
            item = next((one for one in able if one.who is None), None)
        alerts = self.answer.alerts.alerts if self.answer else ()
        return next((alert for alert in alerts if item is not None and alert.id == item.row), None)

    async def _acknowledge(self, alert: Alert, note: str) -> None:
        who = who_acts(self.backend)
        try:
            await ask(self.backend, lambda monitor: monitor.acknowledge(alert.id, who, note))
        except MonitorError as error:
            self.tell_error(error)
            return
        self.app.notify(f"{alert.rule} is yours now – u in Alerts takes that back")
        self.ask_again()


def _display(widget: Widget, shown: bool) -> None:
    """Setting what is set already would lay everything out anew."""
    if widget.display != shown:
        widget.display = shown


async def _kept(figures: Figures) -> Figures:
    return figures


async def _figures(
    monitor: "Monitor", of: Hashable, look: Look, points: int, sparks: int, past: Past
) -> Figures:
    """All figures of one range; with charts of so many points where there are any."""
    shown = look.shown

    async def chart(text: str) -> "tuple[Result, Course | None] | tuple[None, None]":
        if not points:
            return None, None
        return await asyncio.gather(
            monitor.query_range(text, shown, points), past.course(monitor, text, look, points)
        )

    providers, costs, earlier, spent, slow = await asyncio.gather(
        monitor.providers(shown, sparks),
        monitor.costs("provider", "today", at=shown.end, against=look.against),
        past.figures(monitor, look, BEFORE),
        chart(SPENT),
        chart(SLOW),
    )
    return Figures(of, providers, costs, earlier, spent[0], slow[0], (spent[1], slow[1]))
