"""What every pane does: ask when the answer may have changed, show it, and say when it could not be had."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.tui.drawing import BRAILLE, Glyphs
from tui_monitor.tui.keymap import Keymap, keymap_of
from tui_monitor.tui.link import Backend, Look, ask, cut_off
from tui_monitor.tui.messages import Answered, AskingFailed, HintsChanged
from tui_monitor.tui.panes.saying import present_lines, stale_line, trouble_lines
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.grid import Grid, GridRow
from tui_monitor.tui.widgets.grouped import ROOM
from tui_monitor.tui.widgets.hollow import Hollow
from tui_monitor.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.tui.exporting import Export
    from tui_monitor.tui.panes.charts import Colours

A = TypeVar("A")
RETRY = 5 * SECOND
"""How soon a question that failed is asked again, unless the data changes before."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a pane wants to know.

    `intent` is what the person chose: another one is asked at once. `moment` says which state of the data
    it is about: for the same one it is not asked again. `ask` runs on the collector's loop, so it must not
    touch anything of the screen.
    """

    intent: Hashable
    moment: Hashable
    ask: "Callable[[Monitor], Awaitable[Any]]"

    def same(self, other: "Question | None") -> bool:
        """Whether the answer would be the same."""
        return other is not None and (self.intent, self.moment) == (other.intent, other.moment)


class Pane(Hollow, Vertical, Generic[A]):
    """One pane. It is told to look at each tick while it is visible, and asks only what may have changed."""

    DEFAULT_CLASSES = "pane"
    CHOICES: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Attributes that hold what a person chose, as the index of one of these names; they are kept."""
    PRESENT: ClassVar[str] = ""
    """What of it is of the present whatever time is looked at, in words."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.look: Look | None = None
        self.answer: A | None = None
        self._trouble = Lines(classes="trouble")
        self.ready = False
        """Whether its widgets are there."""
        self._under_way: Question | None = None
        self._asked: Question | None = None
        self._answered: Micros | None = None
        self._failed: tuple[Micros, Micros] | None = None
        """Since when questions fail, and when the last one did."""
        self._sought = ""
        """The row that the cursor is to go to once it is there."""

    # What each pane brings.

    def body(self) -> ComposeResult:
        """Its widgets."""
        raise NotImplementedError

    def question(self, look: Look) -> Question | None:
        """What it wants to know; nothing while there is nothing to ask."""
        raise NotImplementedError

    def show(self, answer: A, look: Look) -> None:
        """Put an answer on the screen. Widgets compare: what is the same is not painted."""
        raise NotImplementedError

    async def prepare(self) -> None:
        """Make ready what its first answer needs, while nobody waits. Nothing is asked for it."""

    def covered(self, look: Look) -> None:
        """A dialog is above: nothing is asked for the pane. One of its own may want to know more."""

    def first(self) -> Widget:
        """What gets the focus when the pane is shown."""
        return self.query_one(Grid)

    def skipped(self) -> tuple[str, ...]:
        """Commands that the footer does not offer at this moment."""
        return ()

    # What all panes share.

    @property
    def on_chart(self) -> bool:
        """Whether keys go to a chart."""
        return isinstance(self.screen.focused, Chart)

    @property
    def backend(self) -> Backend:
        """Whom to ask."""
        return cast(Any, self.app).backend

    @property
    def glyphs(self) -> Glyphs:
        """The app's set of characters."""
        return getattr(self.app, "glyphs", BRAILLE)

    @property
    def keymap(self) -> Keymap:
        """The app's keys."""
        return keymap_of(self.app)

    @property
    def colours(self) -> "Colours":
        """Which colour each provider, model … has, the same on every pane."""
        return cast(Any, self.app).colours

    @property
    def points(self) -> int:
        """How many steps a chart across the screen has room for, as it is drawn."""
        return self._steps_in(self.app.size.width)

    def _steps_in(self, width: int) -> int:
        room, chart = max(20, width - 14), self._chart_in_sight
        return max(6, room // ROOM) if chart is not None and chart.drawing == "grouped" else room

    def compose(self) -> ComposeResult:
        yield self._trouble
        yield from self.body()

    def on_mount(self) -> None:
        self.ready = True
        keeping = getattr(self.app, "keeping", None)
        if keeping is not None:
            keeping.restore(self)
        if self.look is not None:
            self.update(self.look)

    def update(self, look: Look, *, force: bool = False) -> None:
        """Look at the data: ask if the answer may be another one, and nothing else is under way."""
        let_go = self.look is not None and self.look.frozen and not look.frozen
        self.look = look
        if not self.ready:
            return
        if let_go and self._failed is None:
            # It was of another moment than that of the pause.
            self._trouble.show([])
        question = self.question(look)
        if question is None:
            return
        if self._under_way is not None and self._under_way.intent == question.intent and not force:
            return
        if not force and not self._worth_asking(question, look):
            return
        self._under_way = question
        if self._answered is not None and cut_off(self.backend.state) is not None:
            # It may take long until this fails.
            self.add_class("-stale")
            self._trouble.show([stale_line(self._answered, look, self.glyphs)])
        # Called by the worker: one that ends before it began leaves no coroutine behind.
        self.run_worker(partial(self._put, question), exclusive=True, group="question")

    def held(self, look: Look) -> Micros | None:
        """Since when its answer stands though another one may be had; None where none may."""
        question = self.question(look) if self.ready and self._asked is not None else None
        return None if question is None or question.same(self._asked) else self._answered

    @property
    def asking(self) -> bool:
        """Whether an answer is on its way."""
        return self._under_way is not None

    def ask_again(self) -> None:
        """Ask now, whatever was asked before."""
        if self.look is not None:
            self.update(self.look, force=True)

    def drop_question(self) -> None:
        """Nobody waits for what is under way any more: it ends, and its answer is not shown."""
        if self._under_way is not None:
            self._under_way = None
            self.workers.cancel_group(self, "question")

    def changed(self) -> None:
        """The person chose something else: ask if that makes another question."""
        if self.look is not None:
            self.update(self.look)

    def _worth_asking(self, question: Question, look: Look) -> bool:
        if look.frozen and self._asked is not None:
            return question.intent != self._asked.intent
        return not question.same(self._asked) or self._retry_due(look.at)

    def _retry_due(self, now: Micros) -> bool:
        return self._failed is not None and now - self._failed[1] >= RETRY

    async def _put(self, question: Question) -> None:
        try:
            answer = await ask(self.backend, question.ask)
        except MonitorError as error:
            self.post_message(AskingFailed(question, error))
        else:
            self.post_message(Answered(question, answer))

    @on(Answered)
    def _take(self, event: Answered) -> None:
        event.stop()
        if event.question is not self._under_way or self.look is None:
            # Somebody chose something else meanwhile.
            return
        self._under_way, self._asked = None, event.question
        self._failed, self._answered = None, self.look.at
        self._trouble.show(present_lines(self.PRESENT, self.look, self.glyphs))
        self.remove_class("-stale")
        self.answer = cast(A, event.answer)
        self.show(self.answer, self.look)
        self._seek()
        self._sought = ""
        # With an answer there is something to copy, or nothing any more.
        self.hints_changed()

    @on(AskingFailed)
    def _fail(self, event: AskingFailed) -> None:
        event.stop()
        if event.question is not self._under_way or self.look is None:
            return
        self._under_way, self._asked = None, event.question
        now = self.look.at
        self._failed = (self._failed[0] if self._failed else now, now)
        self.set_class(self.answer is not None, "-stale")
        self.trouble(event.error)

    def trouble(self, error: MonitorError) -> None:
        """Say what failed, since when, and how old that is what still stands there."""
        assert self.look is not None
        assert self._failed is not None
        lines = trouble_lines(
            error, self._failed[0], self._answered, self.look, self.glyphs,
            cut_off=cut_off(self.backend.state) is not None,
        )  # fmt: skip
        self._trouble.show(lines)

    def forget_trouble(self) -> None:
        """What failed has no cause that lasts: nothing is said of it, and it is not tried again by itself."""
        self._failed = None
        self._trouble.show([])

    def hints_changed(self) -> None:
        """Other keys matter now."""
        self.post_message(HintsChanged())

    def tell_error(self, error: MonitorError) -> None:
        """Say in a toast why something could not be done."""
        text = f"{error.message}\n{error.hint}" if error.hint else error.message
        self.app.notify(text, severity="error")

    def point_to(self, row: str) -> None:
        """Put the cursor on a row: now, or with the next answer where that has it."""
        self._sought = row
        self._seek()

    def _seek(self) -> None:
        if self._sought and self.ready:
            grid = self.query_one(Grid)
            if grid.row(self._sought) is not None:
                grid.move_to(self._sought)
                self._sought = ""

    async def in_full(self) -> list[str]:
        """Show what waits behind a key, for those who read a pane as text; lines of what has no place."""
        return []

    # Commands that several panes have.

    @property
    def _list_in_sight(self) -> Grid | None:
        """The list that has the focus, else the first one that is to be seen."""
        focused = self.screen.focused
        if isinstance(focused, Grid) and self in focused.ancestors:
            return focused
        return next((grid for grid in self.walk_children(Grid) if grid.display and grid.region.area), None)

    def exported(self) -> "Export":
        """What may be written to a file: the list that is to be seen, and the whole answer."""
        from tui_monitor.tui.exporting import Export, table_of

        grid = self._list_in_sight
        table = None if grid is None or self.answer is None else table_of(grid)
        return Export(self.id or "pane", table, self.answer)

    def copied(self) -> tuple[str, str] | None:
        """What `y` copies and its text: the chosen value, else what the row under the cursor is called by."""
        grid = self._list_in_sight
        row = None if grid is None else grid.row(grid.cursor)
        if grid is None or row is None:
            return None
        cell = row.cells.get(grid.chosen) if grid.chosen else None
        if cell is not None:
            return "value", cell.text
        return self.named(grid, row)

    def named(self, grid: Grid, row: GridRow) -> tuple[str, str]:
        """What a row is called by: its first text; a pane may know its id."""
        value = row.cells.get("value")
        if value is not None:
            # A fact below others: what it says, not what it is called.
            return "value", value.text
        cells = (row.cells.get(column.key) for column in grid.columns)
        return "name", next((cell.text for cell in cells if cell is not None and cell.text), row.key)

    def copied_row(self) -> tuple[str, str] | None:
        """What `Y` copies and its text: the row under the cursor."""
        grid = self._list_in_sight
        row = None if grid is None else grid.row(grid.cursor)
        if grid is None or row is None:
            return None
        cells = (row.cells.get(column.key) for column in grid.columns)
        return "row", "  ".join(cell.text for cell in cells if cell is not None and cell.text)

    def action_open(self) -> None:
        """Open the row under the cursor: what enter does on a list."""
        self.query_one(Grid).action_open()

    def action_order(self) -> None:
        """Order the list by the chosen value: largest first, smallest first, as given."""
        self.order(self.query_one(Grid))

    def order(self, grid: Grid) -> None:
        """Order one list by the value chosen in it: largest first, smallest first, as given."""
        column = grid.chosen
        if column is None:
            grid.sort_by(None)
        elif grid.order == (column, True):
            grid.sort_by(column, reverse=False)
        elif grid.order == (column, False):
            grid.sort_by(None)
        else:
            grid.sort_by(column, reverse=True)

    @on(Grid.HeaderClicked)
    def _header_clicked(self, event: Grid.HeaderClicked) -> None:
        event.stop()
        reverse = event.grid.order != (event.column, True)
        event.grid.sort_by(event.column, reverse)

    def action_part(self, step: int) -> None:
        """Put the focus on the next list, chart or line of the pane."""
        parts = [w for w in self.query("*") if w.can_focus and w.display and w.region.area]
        if parts:
            at = parts.index(self.screen.focused) if self.screen.focused in parts else -1
            parts[(at + step) % len(parts)].focus()

    @on(Chart.Pointed)
    def _left_the_chart(self, event: Chart.Pointed) -> None:
        """Who leaves the crosshair goes back to the list."""
        if event.instant is None and event.chart.has_focus:
            self.first().focus()

    @on(Chart.Redrawn)
    def _drawn_another_way(self, event: Chart.Redrawn) -> None:
        event.stop()
        self.changed()

    @property
    def _chart_in_sight(self) -> Chart | None:
        return next(
            (chart for chart in self.walk_children(Chart) if chart.display and chart.region.area), None
        )

    def action_chart(self) -> None:
        """Put the focus on the chart and its crosshair on the newest value."""
        chart = self._chart_in_sight
        if chart is None:
            self.app.notify("there is no chart to read off here now")
            return
        chart.focus()
        chart.action_point(1)

    def action_drawing(self, step: int) -> None:
        """Draw the chart another way."""
        chart = self._chart_in_sight
        if chart is None:
            self.app.notify("there is no chart to draw here now")
            return
        chart.action_drawing(step)
