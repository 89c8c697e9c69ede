"""Calls: every single one as it comes in, back in time without end, and one of them whole."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widget import Widget

from tui_monitor.model.call import Call
from tui_monitor.model.errors import MonitorError, QueryError
from tui_monitor.model.timerange import TimeRange
from tui_monitor.tui import commands
from tui_monitor.tui.exporting import Export
from tui_monitor.tui.link import Look, ask
from tui_monitor.tui.messages import QueryWanted
from tui_monitor.tui.panes.base import Pane, Question
from tui_monitor.tui.panes.callcounts import Newest, count_lines, newest, standing, words_for
from tui_monitor.tui.panes.callexport import calls_export, calls_table
from tui_monitor.tui.panes.calllist import call_columns, call_rows, key_of
from tui_monitor.tui.panes.callsheet import CallSheet
from tui_monitor.tui.panes.calltail import PAGE, Tail
from tui_monitor.tui.panes.earlier import Past, against
from tui_monitor.tui.panes.feeding import no_calls, taught_by
from tui_monitor.tui.widgets.grid import Grid, GridRow
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.prompt import Prompt
from tui_monitor.tui.widgets.syntax import painted
from tui_monitor.tui.words import moment_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_monitor.monitor.api import Monitor
    from tui_monitor.query.result import After, Completion

_AHEAD = 50
"""The next page is asked for when so many calls are left."""
_EVERY = "where"
_WARNINGS = 2
_OF_ONE = ("calls.older", "calls.newer")
_OF_THE_LIST = ("calls.detail", "calls.filter", "calls.pause", "calls.follow", "calls.sort")


class CallsPane(Pane[Newest]):
    """A list that follows the newest call, or holds still; and a sheet about one call."""

    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("calls")

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._text = _EVERY
        self._intent: object = None
        self._tail, self._past = Tail(), Past()
        self._following = True
        """Whether the cursor goes along with the newest call."""
        self._paused = False
        self._reaching = False
        """Whether a page further back, or further on, is under way."""
        self._head = Lines([Line()], id="calls-head")
        self._filter = Prompt(
            placeholder="provider=claude AND latency>2s",
            completer=self._complete,
            painter=painted,
            id="calls-filter",
        )
        self._list = Grid((), id="calls-list")
        self._sheet = CallSheet(id="calls-sheet")

    def body(self) -> ComposeResult:
        yield self._head
        self._filter.display = False
        yield self._filter
        yield self._list
        yield self._sheet

    def first(self) -> Widget:
        """The list, or the sheet above it."""
        return self._sheet if self._sheet.call else self._list

    def skipped(self) -> tuple[str, ...]:
        """What does nothing at this moment; while one types, every key that is a letter."""
        if self._typing:
            return (
                *self.keymap.letters(),
                "calls.detail",
            )
        if self._sheet.call is not None:
            return _OF_THE_LIST
        nothing = () if self._list.rows else ("calls.detail", "calls.pause", "calls.follow")
        back = () if self._text != _EVERY else ("calls.leave",)
        return (*_OF_ONE, *nothing, *back, *(("calls.follow",) if self._following else ()))

    @property
    def _typing(self) -> bool:
        focused = self.screen.focused
        return focused is not None and self._filter in focused.ancestors

    # Asking.

    def question(self, look: Look) -> Question | None:
        text, shown = self._text, look.shown
        # A range that grows is the same one a minute later.
        intent = (text, shown if shown.since is None else shown.since)
        if intent != self._intent:
            self._intent, self._following = intent, True
        elif self._still and self.answer is not None and words_for(look) == self.answer.than:
            return None

        async def ask_for(monitor: "Monitor") -> Newest:
            return await newest(monitor, text, look, PAGE, self._past)

        asked = (*intent, *against(look))
        return Question(asked, (look.moment(self.points), taught_by(look)), ask_for)

    @property
    def _still(self) -> bool:
        """Whether no new calls are to come in: someone asked for it, or reads far below."""
        return self._paused or (not self._following and (self._tail.waiting or not self._tail.on_top))

    def show(self, answer: Newest, look: Look) -> None:
        first = self._tail.first
        other = first is None or (first.query, first.span.length) != (answer.text, answer.found.span.length)
        if self._following or other:
            self._tail.begin(answer.found)
        else:
            self._tail.grow(answer.found)
        self._show_list(look)

    def _show_list(self, look: Look) -> None:
        first = self._tail.first
        if first is None:
            return
        found = replace(first, calls=tuple(self._tail))
        self._list.set_columns(call_columns(found, self.app.size.width))
        self._list.say_empty(self._nothing(look))
        self._list.show(call_rows(found, look, self.glyphs))
        if self._following and self._list.rows:
            self._list.action_jump(0)
        self._show_head(look)
        self.hints_changed()

    def on_resize(self) -> None:
        """Other columns have room."""
        if self.look is not None:
            self._show_list(self.look)

    def _nothing(self, look: Look) -> str:
        if self._text == _EVERY or look.newest is None:
            return no_calls(self.backend, look, self.keymap)
        leave, change, time = (self.keymap.key(id) for id in ("calls.leave", "calls.filter", "range.choose"))
        ways = f"{leave} takes it away, {change} changes it, {time} chooses another time."
        return f"No call in this time range passes the filter.\n\n{ways}"

    def _show_head(self, look: Look) -> None:
        calls = self._list.rows
        faulty = self._filter.faulty
        state = standing(
            self.glyphs, look,
            faulty=faulty, paused=self._paused, following=self._following, still=self._still,
        )  # fmt: skip
        newer = self._newer(look)
        words = f"   {newer}" if newer else ""
        order = self._list.order
        sorted_ = f"   of these {len(calls):,}, by {order[0].removeprefix('text.')}" if order else ""
        where = [] if faulty or self._text == _EVERY else [("   where ", "dim"), (self._text, "bright")]
        first = Line(
            ((" ", ""), state, (words, "accent"), *where, (sorted_, "dim")), ((self._reach(look), "dim"),)
        )
        found = self._tail.first
        said = () if found is None else found.warnings[:_WARNINGS]
        self._head.show(
            [
                first,
                *count_lines(self.answer),
                *(Line.of(f" {self.glyphs.warn} {text}", "warn") for text in said),
            ]
        )

    def _newer(self, look: Look) -> str:
        """That newer calls are there than those in the list."""
        if self._following or look.newest is None or look.shown.end is not None:
            return ""
        newest = next(iter(self._tail), None)
        late = newest is not None and look.newest > newest.booked
        return "newer calls: f follows" if late and self._text == _EVERY and self._still else ""

    def _reach(self, look: Look) -> str:
        """How far the list reaches."""
        calls = tuple(self._tail)
        if not calls:
            return ""
        last, first = (moment_words(c.booked, look.at, look.calendar) for c in (calls[-1], calls[0]))
        more = "" if self._tail.below() is None else f" {self.glyphs.below}"
        return f"{len(calls):,} calls  {last} – {first}{more}"

    def update(self, look: Look, *, force: bool = False) -> None:
        super().update(look, force=force)
        if self.ready and self._still:
            self._show_head(look)

    def trouble(self, error: MonitorError) -> None:
        """An error in the filter stands under its character; any other where all panes have it."""
        if isinstance(error, QueryError) and self._filter.value.strip():
            self.forget_trouble()
            self._filter.display = True
            self._filter.show_error(error.position, error.length, error.message, error.hint or "")
            if self._list.has_focus:
                # It is put right where it was typed.
                self._filter.focus()
            if self.look is not None:
                self._show_head(self.look)
        else:
            super().trouble(error)

    async def _complete(self, text: str, cursor: int) -> "Sequence[Completion]":
        before = f"{_EVERY} "
        try:
            return await ask(
                self.backend, lambda monitor: monitor.complete(before + text, cursor + len(before))
            )
        except MonitorError:
            return ()

    # Further back, and on again.

    @on(Grid.Moved, "#calls-list")
    def _moved(self, event: Grid.Moved) -> None:
        rows = self._list.rows
        following = bool(rows) and event.key == rows[0].key and self._tail.on_top and self._list.order is None
        if following != self._following and event.key is not None:
            self._following = following
            if self.look is not None:
                self._show_head(self.look)
            self.hints_changed()
        self._reach_out()

    @on(Grid.Scrolled, "#calls-list")
    def _scrolled(self) -> None:
        self._reach_out()

    def _reach_out(self) -> None:
        """Ask for the next page where one of the ends is near."""
        if self._reaching or self.look is None or self._following or not self._list.rows:
            return
        up, down = self._tail.above(), self._tail.below()
        if (
            down is not None
            and self._list.bottom >= len(self._list.rows) - min(_AHEAD, len(self._list.rows) // 4) - 1
        ):
            self._reaching = True
            self.run_worker(partial(self._fetch, down, older=True), group="page")
        elif up is not None and self._list.top <= _AHEAD:
            self._reaching = True
            self.run_worker(partial(self._fetch, up, older=False), group="page")

    async def _fetch(self, start: "After", *, older: bool) -> None:
        intent, text = self._intent, self._text
        # Further back than the shown range, as far as there are calls.
        shown = TimeRange(max(1, start.booked), start.booked)
        try:
            found = await ask(self.backend, lambda monitor: monitor.calls(text, shown, PAGE, after=start))
        except MonitorError as error:
            self.tell_error(error)
            return
        finally:
            self._reaching = False
        if intent != self._intent or self._following or self.look is None:
            return
        if older:
            self._tail.append(start, found)
        else:
            self._tail.prepend(found)
        self._show_list(self.look)

    # One call.

    @on(Grid.Opened, "#calls-list")
    def _opened(self, event: Grid.Opened) -> None:
        self._open(self._call(event.key))

    @on(Grid.Opened, "#calls-sheet")
    def _neighbour(self, event: Grid.Opened) -> None:
        near = self._sheet.near(event.key)
        if near is not None:
            self._list.move_to(key_of(near))
            self._open(near)

    def _call(self, key: str | None) -> Call | None:
        return next((call for call in self._tail if key_of(call) == key), None)

    def _open(self, call: Call | None) -> None:
        self._put_sheet(call)
        self.first().focus()

    def _put_sheet(self, call: Call | None) -> None:
        if self.look is not None:
            self._sheet.open(call, self.look)
            self.set_class(call is not None, "-detail")
            self.hints_changed()

    # Taking something along.

    def exported(self) -> Export:
        """The list as the command line writes it; of one call, all that is known."""
        if self._sheet.call is not None:
            return Export("call", calls_table([self._sheet.call]), self._sheet.view)
        first, calls = self._tail.first, tuple(self._tail)
        if first is None or not calls:
            return Export("calls", None, None)
        order = {row.key: at for at, row in enumerate(self._list.rows)}
        ranked = sorted(calls, key=lambda call: order.get(key_of(call), 0))
        return calls_export(first.filter, ranked)

    def named(self, grid: Grid, row: GridRow) -> tuple[str, str]:
        """The call's id."""
        if grid is self._list:
            call = self._call(row.key)
            return ("id", "") if call is None else ("id", call.id)
        near = self._sheet.near(row.key)
        return ("id", near.id) if near is not None else super().named(grid, row)

    # Commands.

    def action_step(self, step: int) -> None:
        """The sheet of the next call down the list, or up."""
        if self._sheet.call is not None:
            self._list.action_move(step)
            self._open(self._call(self._list.cursor))

    def action_filter(self) -> None:
        """Type a filter."""
        self._put_sheet(None)
        self._filter.display = True
        self._filter.focus()

    @on(Prompt.Changed)
    def _typed(self, event: Prompt.Changed) -> None:
        event.stop()
        self._filter.clear_error()

    @on(Prompt.Submitted)
    def _submitted(self, event: Prompt.Submitted) -> None:
        event.stop()
        self._filter.history.add(event.value)
        self._text = event.value.strip() or _EVERY
        self._filter.display = self._text != _EVERY
        self._paused = False
        self._list.focus()
        self.drop_question()
        self.ask_again()

    def action_leave(self) -> None:
        """One step back: from a call to the list, from the filter to all calls."""
        if self._sheet.call is not None:
            self._open(None)
        elif self._typing and self._filter.value.strip() == (self._text if self._text != _EVERY else ""):
            self._filter.display = self._text != _EVERY
            self._list.focus()
        else:
            self._filter.value, self._text = "", _EVERY
            self._filter.clear_error()
            self._filter.display = False
            self._list.focus()
            self.ask_again()

    def action_hold(self) -> None:
        """Let no new calls in, or let them in again."""
        self._paused = not self._paused
        rows = self._list.rows
        self._following = not self._paused and bool(rows) and self._list.cursor == rows[0].key
        if self.look is not None:
            self._show_head(self.look)
        if not self._paused:
            self.changed()
        self.hints_changed()

    def action_follow(self) -> None:
        """To the newest call, and along with it."""
        self._paused, self._following = False, True
        self._list.sort_by(None)
        self.ask_again()

    def action_order(self) -> None:
        """Order what is in the list by the chosen value."""
        super().action_order()
        self._following = self._following and self._list.order is None
        if self.look is not None:
            self._show_head(self.look)

    def action_query(self) -> None:
        """Open the filter in the Query pane."""
        self.post_message(QueryWanted(self._text if self._text == _EVERY else f"{_EVERY} {self._text}"))
