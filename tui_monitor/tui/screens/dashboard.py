"""The dashboard: frame, panes, one time range for all of them, and the clock that drives them."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import DescendantFocus, Resize, ScreenResume

from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.timerange import TimeRange
from tui_monitor.tui import commands, frame, tour
from tui_monitor.tui.consent import Consenting
from tui_monitor.tui.dialogkeys import bindings
from tui_monitor.tui.drawing import BRAILLE, Glyphs, rule, safe
from tui_monitor.tui.herald import Herald, notification
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.link import Backend, Look, ask
from tui_monitor.tui.messages import (
    GivenBack,
    HintsChanged,
    PaneWanted,
    QueryWanted,
    SnapshotFailed,
    SnapshotTaken,
)
from tui_monitor.tui.paint.painted import write_to_terminal
from tui_monitor.tui.panes.base import Pane
from tui_monitor.tui.panes.room import Panes
from tui_monitor.tui.panes.table import PANES
from tui_monitor.tui.screens.ranged import COMPARED, LATE, RangedScreen, unanswered
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.tabs import Tabs

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Snapshot
    from tui_monitor.monitor.thread import ThreadState
    from tui_monitor.tui.verbs import Deed
    from tui_monitor.tui.widgets.consent import ConsentBanner


class Dashboard(RangedScreen):
    """Owns what all panes share. It takes a snapshot at each tick and hands it to the visible pane."""

    BINDINGS: ClassVar[list[BindingType]] = [*commands.bindings(""), *bindings("tour")]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (96, "-normal"), (150, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-short"), (34, "-tall")]  # noqa: RUF012

    def __init__(self, backend: Backend, host: str) -> None:
        super().__init__(backend, id="dashboard")
        self.host = host
        self.active = PANES[0].id
        self.thread: ThreadState | None = None
        self._failure: MonitorError | None = None
        self._taking: float | None = None
        self._said: tuple[str, ...] = ()
        """Lines given behind `:`."""
        self.board_names: Sequence[str] = ()
        """The boards there are, as far as somebody has looked."""
        self._herald = Herald()
        self._title, self._tabs, self.panes = Lines([Line()], id="title"), Tabs(id="tabs"), Panes()
        self._consent, self.touring = Consenting(self), tour.Touring(self)
        self._rule, self._notice, self._footer = Lines(id="rule"), Lines(id="notice"), Lines(id="footer")

    @property
    def glyphs(self) -> Glyphs:
        """The app's set of characters."""
        return getattr(self.app, "glyphs", BRAILLE)

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._tabs
        yield self._rule
        yield self._notice
        yield self.panes
        yield self._footer

    def on_mount(self) -> None:
        self._show_frame()
        self.pane.first().focus()

    @property
    def pane(self) -> Pane[Any]:
        """The visible pane."""
        return self.query_one(f"#{self.active}", Pane)

    # The clock.

    def begin(self, length: Micros, interval: Micros, pane: str) -> None:
        """Take snapshots from now on, every `interval`, of a range of this length, and show a pane."""
        self.shown = TimeRange(length)
        if pane != self.active == PANES[0].id:
            # Nobody went to another one before the settings were there.
            self.run_worker(self.action_pane(pane))
        self.set_interval(interval / SECOND, self.tick)
        self.tick()

    def tick(self) -> None:
        """Take a snapshot unless one is under way; say so where that takes long."""
        if self._taking is None:
            self._taking = cast(Any, self.app).timer()
            self.run_worker(self._take_snapshot, group="frame")
        elif self.snapshot is not None and cast(Any, self.app).timer() - self._taking >= LATE:
            self._failure = self._failure or unanswered(self.snapshot)
            self._show_frame()

    async def _take_snapshot(self) -> None:
        shown = self.shown
        try:
            snapshot = await ask(self.backend, lambda monitor: monitor.snapshot(shown))
        except MonitorError as error:
            self.post_message(SnapshotFailed(error))
        else:
            self.post_message(SnapshotTaken(snapshot))
        finally:
            self._taking = None

    @on(SnapshotTaken)
    def _snapshot_taken(self, event: SnapshotTaken) -> None:
        self.snapshot, self._failure = event.snapshot, None
        self.shown = self.shown.grown(event.snapshot.at)
        self._tell_of_alerts(event.snapshot)
        self._show_frame()
        if not self.uncovered:
            self.pane.covered(self._look_at(event.snapshot))
        elif self.paused is None:
            self._look()
        self._consent.begin(empty=event.snapshot.extent.last is None)
        self.touring.look()

    def _tell_of_alerts(self, snapshot: "Snapshot") -> None:
        """Ring for alerts that began to fire; those that did before the screen was opened get a toast."""
        call, settings = self._herald.look(snapshot.firing), self.backend.settings
        if call is None or settings is None:
            return
        self.app.notify(call.text, severity=call.toast)
        if call.first:
            return
        if settings.alerts.bell:
            self.app.bell()
        if settings.alerts.notify:
            write_to_terminal(self.app, notification(safe(call.text, self.glyphs), os.environ))

    @on(GivenBack)
    def _given_back(self, event: GivenBack) -> None:
        self._herald.know(event.alerts)

    @on(SnapshotFailed)
    def _snapshot_failed(self, event: SnapshotFailed) -> None:
        self._failure = event.error
        self._show_frame()

    def backend_changed(self, state: "ThreadState") -> None:
        """The thread behind the screen is in another state."""
        before, self.thread = self.thread, state
        self._show_frame()
        if state.line is None or before is None or before.line is None:
            return
        if before.line.up != state.line.up:
            # What stands there is marked as old, or made new.
            self.tick()
            if self.paused is None and self.uncovered:
                self._look(force=True)

    def _look(self, *, force: bool = False) -> None:
        """Let the visible pane look at the data."""
        if self.snapshot is not None:
            self.pane.update(self._look_at(self.snapshot), force=force)

    def _look_at(self, snapshot: "Snapshot") -> Look:
        shown = self.shown
        if self.paused is not None and shown.live:
            shown = shown.until(self.paused)
        than, beside = COMPARED[self.compared]
        return Look(
            at=snapshot.at,
            version=snapshot.version,
            shown=shown,
            calendar=snapshot.calendar,
            oldest=snapshot.extent.first,
            newest=snapshot.extent.last,
            alerts=(snapshot.open_alerts, snapshot.worst_alert),
            firing=snapshot.firing,
            collector=snapshot.collector,
            against=than,
            beside=beside,
            frozen=self.paused is not None,
        )

    # The frame.

    def _held(self) -> Micros | None:
        """Since when the pane stands as it is under a dialog, where more is known by now."""
        if self.uncovered or self.snapshot is None:
            return None
        return self.pane.held(self._look_at(self.snapshot))

    def _show_frame(self) -> None:
        glyphs, width, keymap = self.glyphs, self.app.size.width, keymap_of(self.app)
        title = frame.title(
            self.host, self.shown, self.paused, self.thread, self.snapshot, glyphs, width,
            read_only=keymap.read_only, compared=COMPARED[self.compared], held=self._held(),
        )  # fmt: skip
        self._title.show([title])
        self._tabs.show(frame.tabs(self.snapshot, glyphs, keymap), self.active)
        self._rule.show([Line.of(" " + rule(width - 2, glyphs), "dim")])
        self._notice.show(frame.notice(self.thread, self._failure, self.snapshot, self.shown, glyphs, keymap))
        self.show_footer()

    def show_footer(self) -> None:
        """The keys that matter at this moment."""
        blind = self.thread is not None and self.thread.mode == "viewing" and self.thread.owner is None
        skipped = (*self.pane.skipped(), *self._consent.skipped(), *(() if blind else ("takeover",)))
        skipped = (*skipped, *(() if self.pane.copied() else ("copy",)))
        keys = keymap_of(self.app).footer("chart" if self.pane.on_chart else self.active, skipped)
        self._footer.show([frame.footer(keys, self.snapshot, self.app.size.width)])

    @on(HintsChanged)
    @on(DescendantFocus)
    def _hints_changed(self) -> None:
        self.show_footer()

    @on(Resize)
    def _resized(self) -> None:
        self._show_frame()
        if self.uncovered:
            self._look()

    @on(ScreenResume)
    def _uncovered_again(self) -> None:
        self.range_changed()

    @property
    def uncovered(self) -> bool:
        """Whether no dialog is above; under one nothing is asked."""
        return self.app.screen is self

    # Panes.

    @property
    def at_rest(self) -> bool:
        """Whether the pane in sight has its answer, and no dialog is above."""
        return self.uncovered and self.snapshot is not None and not self.pane.asking

    @on(Tabs.Chosen)
    async def _tab_chosen(self, event: Tabs.Chosen) -> None:
        await self.action_pane(event.tab)

    async def action_pane(self, id: str) -> None:
        """Show a pane; it is made now unless it is there."""
        self.backend.knock()
        pane = await self.panes.made(id)
        self.active = id
        self.panes.turn_to(pane)
        # Answered while the screen is laid out.
        self._look()
        self._consent.moved()
        self._show_frame()
        pane.first().focus()

    async def action_board(self, name: str) -> None:
        """Show a board by its name or title."""
        from tui_monitor.tui.panes.boards import BoardsPane

        await self.action_pane("boards")
        self.query_one(BoardsPane).choose(name)

    async def action_turn(self, step: int) -> None:
        """Show the pane next to this one."""
        ids = [entry.id for entry in PANES]
        await self.action_pane(ids[(ids.index(self.active) + step) % len(ids)])

    @on(PaneWanted)
    async def _pane_wanted(self, event: PaneWanted) -> None:
        await self.action_pane(event.pane)
        if event.row:
            self.pane.point_to(event.row)

    @on(QueryWanted)
    async def _query_wanted(self, event: QueryWanted) -> None:
        await self.ask_for(event.text)

    async def ask_for(self, text: str) -> None:
        """Ask this in the Query pane."""
        from tui_monitor.tui.panes.query import QueryPane

        await self.action_pane("query")
        self.query_one(QueryPane).ask_for(text)

    def action_part(self, step: int) -> None:
        """Put the focus on the next part of the pane."""
        self.pane.action_part(step)

    def range_changed(self) -> None:
        self._show_frame()
        self._look()

    def action_pause(self) -> None:
        """Freeze the panes, or let them go on."""
        if self.paused is not None:
            self.paused = None
            self._look()
        elif self.snapshot is not None:
            self.paused = self.snapshot.at
        self._show_frame()

    def action_look_again(self) -> None:
        """Ask the visible pane's questions now."""
        self.backend.knock()
        self._look(force=True)
        self.tick()

    # Taking something along.

    def action_export(self) -> None:
        """Write what the pane shows to a file."""
        from tui_monitor.tui.taking import ask_where

        ask_where(self, self.pane.exported(), self.now)

    def action_copy(self, row: bool) -> None:
        """Copy what is under the cursor, or its whole row."""
        from tui_monitor.tui.taking import copy

        copy(self.app, self.pane.copied_row() if row else self.pane.copied())

    # Everything else.

    def action_help(self) -> None:
        """Show what has the focus, and every key that works here."""
        from tui_monitor.tui.screens.help import HelpScreen, kind_of

        focus = "tour" if self.touring.has_the_keys else kind_of(self.focused)
        self.app.push_screen(HelpScreen(self.active, keymap_of(self.app), focus))

    def action_consent(self) -> None:
        """Say what may be used of what was found on this machine."""
        self._consent.ask()

    def on_consent_banner_decided(self, event: "ConsentBanner.Decided") -> None:
        """Its banner is loaded when it is needed; so this goes by the message's name."""
        self._consent.decided(event.form)

    def action_tour(self) -> None:
        """Lead through the screen."""
        self.touring.begin()

    def action_tour_turn(self, step: int) -> None:
        """The next step of the tour, the one before, or no more of them."""
        self.touring.turn(step)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "tour_turn" or self.touring.has_the_keys

    def action_palette(self) -> None:
        """Open the command palette."""
        self.app.action_command_palette()

    def action_jump(self) -> None:
        """Go where a letter stands."""
        from tui_monitor.tui.screens.jump import JumpScreen, Spot

        tabs = [Spot(x, self._tabs.region.y, tab=tab) for tab, x in self._tabs.places()]
        parts = [part for part in self.focus_chain if part.region.area]
        spots = [Spot(part.region.x, part.region.y, part=n) for n, part in enumerate(parts)]

        async def go(spot: Spot | None) -> None:
            if spot is not None and spot.tab:
                await self.action_pane(spot.tab)
            elif spot is not None:
                self.set_focus(parts[spot.part])

        # Parts first: they have the keys under the fingers.
        self.app.push_screen(JumpScreen([*spots, *tabs]), go)

    def action_command(self) -> None:
        """Open the line that takes commands by name."""
        from tui_monitor.tui.screens.commandline import CommandLine

        line = CommandLine(self, self._said)

        async def do(deed: "Deed | None") -> None:
            self._said = line.history
            done = deed() if deed is not None else None
            if done is not None:
                await done

        self.app.push_screen(line, do)

    async def run_command(self, action: str) -> None:
        """Run a command's action where it is understood: by the app, the pane, or the screen."""
        if action.startswith("app."):
            await self.app.run_action(action)
            return
        name = action.partition("(")[0]
        node = self.pane if hasattr(self.pane, f"action_{name}") else self
        await self.app.run_action(action, default_namespace=node)
