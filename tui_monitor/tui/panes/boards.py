"""Boards: panels that somebody put together in a file, each pane of them answered from one moment."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widget import Widget

from tui_monitor.config import boards
from tui_monitor.config.boards import Board
from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.errors import NotFound
from tui_monitor.tui import commands
from tui_monitor.tui.exporting import Export, table_of
from tui_monitor.tui.link import Look
from tui_monitor.tui.messages import PaneWanted, QueryWanted
from tui_monitor.tui.panes import boardlines
from tui_monitor.tui.panes.answers import table_columns
from tui_monitor.tui.panes.base import Pane, Question
from tui_monitor.tui.widgets.board import BoardGrid, Body, Figures, Opened, Panel, PanelChart, PanelTable
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.grid import Column, Grid
from tui_monitor.tui.widgets.lines import Line, Lines

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.monitor.boards import BoardView

DEFAULT = "application"
LOOKS = 2 * SECOND
"""How often the folder of one's own boards is looked at while the pane is to be seen."""
_RESTS = 3
"""After an answer it rests so many times as long as that took, unless the person chooses something."""
_COLUMNS = (
    Column("title", "dashboard", min=14, max=30),
    Column("panels", "panels", width=7, align="right", rank=1),
    Column("from", "from", width=8, rank=2),
    Column("about", "", min=16, max=200),
)


class BoardsPane(Pane["BoardView"]):
    """One board, or the list to choose one from."""

    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("boards")

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._boards: list[Board] = []
        self._stamp: object = None
        self._looked: Micros | None = None
        """When the folder was looked at last."""
        self._looking = False
        self._chosen = ""
        """The name of the board that is shown, or was asked for and is not there yet."""
        self._built: Board | None = None
        """The board whose panels are there, or are being made."""
        self._making = False
        self._choosing = False
        self._rests: tuple[Micros, object] = (0, None)
        """Until when nothing new is asked by itself, and the moment that holds until then."""
        self._head = Lines([Line()], classes="head")
        self._list = Grid(_COLUMNS, id="boards-list")
        self._wrong = Lines(id="boards-wrong")
        # What takes the keys has the focus, also where there is nothing but an error.
        self._wrong.can_focus = True
        self._grid = BoardGrid(self._regions, id="boards-grid")

    def body(self) -> ComposeResult:
        yield self._head
        yield self._list
        yield self._wrong
        yield self._grid

    def on_mount(self) -> None:
        super().on_mount()
        self._show_parts()

    # Which boards there are.

    @property
    def _folder(self) -> Path:
        return boards.folder(self.backend.config_file)

    @property
    def board(self) -> Board | None:
        """The one that is shown, or would be."""
        return next((one for one in self._boards if one.name == self._chosen), None)

    @property
    def asking(self) -> bool:
        """Whether an answer is on its way, or the board itself."""
        return super().asking or (self._stamp is None and not self._boards)

    def update(self, look: Look, *, force: bool = False) -> None:
        """Look at the data, and now and then at the folder."""
        super().update(look, force=force)
        due = self._looked is None or look.at - self._looked >= LOOKS or force
        if self.ready and due and not self._looking:
            self._looked = look.at
            self.run_worker(self._read_folder, group="folder")

    async def prepare(self) -> None:
        """The panels of the board that will be shown first."""
        if not self._looking:
            await self._read_folder()

    async def _read_folder(self) -> None:
        self._looking = True
        try:
            stamp = await asyncio.to_thread(boards.stamp, self._folder)
            if stamp == self._stamp:
                return
            found = await asyncio.to_thread(boards.load_boards, self._folder)
        finally:
            self._looking = False
        self._stamp, self._boards = stamp, found
        if not self._chosen or self.board is None:
            if self._chosen:
                self.app.notify(f"there is no dashboard {self._chosen}", severity="warning")
            self._chosen = _first(found)
        await self._build()

    async def _build(self) -> None:
        """Make the panels of the chosen board, unless they are there and as its file has them."""
        board = self.board
        self._list.show(boardlines.board_rows(self._boards, self.glyphs))
        if board is not None:
            self._list.move_to(board.name)
        if not boardlines.same(board, self._built):
            focused = self.has_focus_within or self.screen.focused is None
            self.drop_question()
            self._built, self.answer, self._making = board, None, True
            # Asked while the panels are made.
            self.changed()
            try:
                with self.app.batch_update():
                    await self._make(board)
            finally:
                self._making = False
            if focused and self.display:
                self.first().focus()
            if self.answer is not None and self.look is not None:
                self.show(self.answer, self.look)
        self._show_parts()
        self.changed()

    async def _make(self, board: Board | None) -> None:
        self._show_parts()
        await self._grid.make([_body(one.widget) for one in (board.panels if board else ())])
        self._grid.scroll_home(animate=False)

    def choose(self, name: str) -> None:
        """Show the board of that name from now on; it may not be read yet."""
        self.run_worker(self._choose(name), group="build", exclusive=True)

    async def _choose(self, name: str) -> None:
        if self._boards and not boards.named(self._boards, name):
            # Its file may be younger than the last look.
            await self._read_folder()
        try:
            self._chosen = boards.find(self._boards, name).name if self._boards else name
        except NotFound as error:
            self.tell_error(error)
            return
        self._choosing = False
        await self._build()

    # Asking.

    def question(self, look: Look) -> Question | None:
        board = self._built
        if board is None or board.problems or self._choosing:
            return None
        shown = look.shown
        points = boardlines.points_of(board, *self._room)
        timer = cast(Any, self.app).timer
        intent = (board.name, id(board), shown, points)
        moment = look.moment(max((*points, 20)))
        until, held = self._rests
        if look.at < until and self._asked is not None and self._asked.intent == intent:
            moment = held

        async def ask(monitor: "Monitor") -> "BoardView":
            from tui_monitor.monitor.boards import ask_board

            began = timer()
            view = await ask_board(monitor, board, shown, points)
            took = timer() - began
            self._rests = (look.at + round(_RESTS * took * SECOND), moment)
            return view

        return Question(intent, moment, ask)

    @property
    def _room(self) -> tuple[int, int]:
        known = self._grid.container_size if self._grid.display else self.size
        # One that was not seen yet will be as large as the place where it is to stand.
        return known if known.area else cast(Widget, self.parent).size - self._grid.gutter.totals

    def _regions(self, width: int, height: int) -> Sequence[boardlines.Region]:
        return () if self._built is None else boardlines.regions(self._built, width, height)

    # Showing.

    def _show_parts(self) -> None:
        """The list, the panels, or what is wrong with the file."""
        board = self._built
        wrong = board is not None and bool(board.problems)
        self._list.display = self._choosing or board is None
        self._wrong.display = wrong and not self._choosing
        self._grid.display = not self._choosing and not wrong and board is not None
        if board is not None and wrong:
            self._wrong.show(boardlines.problems(board, self.app.size.width - 4, self.glyphs))
        self._show_head()
        self.hints_changed()

    def _show_head(self) -> None:
        board = self._built
        if self._choosing or board is None:
            self._head.show([boardlines.list_head(self._folder, self.app.size.width, self.glyphs)])
            return
        at = next((n for n, one in enumerate(self._boards, 1) if one.name == board.name), 1)
        left = ((f" {board.title.upper()}", "accent bold"), (f"  {board.about}", "dim"))
        self._head.show([Line(left, ((f"{at} of {len(self._boards)}", "dim"),))])

    def show(self, answer: "BoardView", look: Look) -> None:
        if answer.board is not self._built or self._making:
            return
        for panel, view in zip(self._grid.panels, answer.panels, strict=False):
            n = panel.number
            panel.heading.show(partial(boardlines.heading, view, look, self.glyphs))
            make = partial(self._made, n)
            if isinstance(panel.body, Figures):
                panel.body.show(make)
                continue
            nothing = view.empty or (view.now is None and view.over is None)
            panel.say(make if view.broken or nothing else None)
            if isinstance(panel.body, PanelChart) and view.over is not None:
                panel.body.show(boardlines.chart(view, look, self.colours))
            elif isinstance(panel.body, PanelTable) and view.now is not None:
                width = panel.size.width
                panel.body.set_columns(table_columns(view.now, width))
                panel.body.show(boardlines.rows(view, width, self.glyphs))

    def _made(self, number: int, width: int, height: int) -> list[Line]:
        if self.answer is None or self.look is None or number >= len(self.answer.panels):
            return []
        return boardlines.figures(self.answer.panels[number], width, height, self.look, self.glyphs)

    # Focus.

    def first(self) -> Widget:
        """What gets the focus: the list, what is wrong with the file, else the first panel."""
        if self._list.display or not self._grid.display:
            return self._list if self._list.display else self._wrong
        return next((panel.front for panel in self._grid.panels), self._list)

    @property
    def panel(self) -> Panel | None:
        """The panel that has the focus."""
        focused = self.screen.focused
        return next((p for p in self._grid.panels if focused is not None and p in focused.ancestors), None)

    @property
    def on_chart(self) -> bool:
        """Whether keys go to a chart: only where its crosshair is up."""
        focused = self.screen.focused
        return isinstance(focused, Chart) and focused.pointed is not None

    def skipped(self) -> tuple[str, ...]:
        """What does nothing at this moment."""
        if self._list.display:
            return (
                "boards.left",
                "boards.chart",
                "boards.drawing",
                *(() if self._choosing else ("boards.leave",)),
            )
        panel = self.panel
        chart = panel is not None and isinstance(panel.front, PanelChart)
        return ("boards.leave",) if chart else ("boards.leave", "boards.chart", "boards.drawing")

    def action_across(self, across: int, down: int) -> None:
        """Go to the panel next to this one."""
        panels, here = self._grid.panels, self.panel
        if not panels or not self._grid.display or self._built is None:
            return
        at = 0 if here is None else here.number
        to = boardlines.beside(boardlines.regions(self._built, *self._room), at, across, down)
        if here is None or to is not None:
            panels[at if to is None else to].front.focus(scroll_visible=False)

    @on(Chart.Pointed)
    def _left_the_crosshair(self, event: Chart.Pointed) -> None:
        """Other keys matter with a crosshair; who leaves it stays on the panel."""
        event.stop()
        event.prevent_default()
        self.hints_changed()

    # Commands.

    @on(Opened)
    def _panel_opened(self, event: Opened) -> None:
        event.stop()
        self.action_open()

    @on(Grid.Opened, "#boards-list")
    def _board_opened(self, event: Grid.Opened) -> None:
        self.choose(event.key)

    def action_open(self) -> None:
        """The query behind a panel in the Query pane; in the list, that board."""
        if self._list.display:
            self._list.action_open()
            return
        panel = self.panel
        if panel is None or self._built is None:
            return
        asked = self._built.panels[panel.number].asked
        if asked:
            self.post_message(QueryWanted(next(iter(asked.values()))))
        else:
            self.post_message(PaneWanted("alerts"))

    def action_choose(self) -> None:
        """The list of all boards, or back from it."""
        self._choosing = not self._choosing and bool(self._boards)
        self._show_parts()
        self.first().focus()
        self.changed()

    def action_leave(self) -> None:
        """Back from the list to the board."""
        if self._choosing:
            self.action_choose()

    def action_next(self, step: int) -> None:
        """The next board."""
        names = [board.name for board in self._boards]
        if names:
            at = names.index(self._chosen) if self._chosen in names else 0
            self.choose(names[(at + step) % len(names)])

    def action_chart(self) -> None:
        """Put the crosshair on the newest value of the chart that has the focus, else of the first."""
        here = self.panel
        panels = sorted(self._grid.panels, key=lambda panel: panel is not here)
        chart = next((panel.front for panel in panels if isinstance(panel.front, PanelChart)), None)
        if isinstance(chart, PanelChart):
            chart.focus()
            chart.point_newest()
        else:
            self.app.notify("no panel here is a chart", timeout=3)

    def action_drawing(self, step: int) -> None:
        """Draw the chart that has the focus another way."""
        panel = self.panel
        if panel is not None and isinstance(panel.front, PanelChart):
            panel.front.action_drawing(step)
        else:
            self.app.notify("this panel is no chart", timeout=3)

    # Taking something along.

    def exported(self) -> Export:
        """The panel that has the focus as a table, and all of the board for programs."""
        from tui_monitor.tui.panes.callexport import result_table

        panel, answer = self.panel, self.answer
        if answer is None or self._list.display:
            return Export("boards", table_of(self._list), None)
        view = answer.panels[panel.number if panel is not None else 0]
        told = view.over if view.panel.over_time else view.now
        return Export(answer.board.name, told and result_table(told), answer.data())

    def copied(self) -> tuple[str, str] | None:
        """The query of the panel that has the focus."""
        panel = self.panel
        if panel is None or self._built is None or self._list.display:
            return super().copied()
        asked = self._built.panels[panel.number].asked
        return ("query", "\n".join(asked.values())) if asked else None


def _first(found: Sequence[Board]) -> str:
    """What is shown before anything was chosen: one of one's own, else the one that most people need."""
    good = [one for one in found if not one.problems]
    return next((one.name for one in good if not one.shipped or one.name == DEFAULT), "")


def _body(widget: str) -> type[Body]:
    if widget in boards.CHARTS:
        return PanelChart
    return PanelTable if widget == "table" else Figures
