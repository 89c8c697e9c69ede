"""The tour: six steps through the real screen, at the first start and whenever somebody wants it."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_monitor.config import places
from tui_monitor.tui.drawing import Span
from tui_monitor.tui.keymap import Keymap, keymap_of
from tui_monitor.tui.widgets.prompt import Field

if TYPE_CHECKING:
    from textual.widget import Widget

    from tui_monitor.tui.screens.dashboard import Dashboard

log = logging.getLogger(__name__)

_POINTED, _LEADING = "-pointed", "-touring"
_SMALLEST = (60, 18)
"""Cells below which it does not begin by itself."""
_LOOKS = 2
"""Looks at the data before it begins: what else asks something at the first start comes first."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to see: the pane, what on it is pointed at, and what is said; `{id}` is a command's key."""

    pane: str
    at: str
    title: str
    text: str


STEPS: tuple[Step, ...] = (
    Step("overview", "#tabs", "PANES",
         "Overview answers three questions: is anything wrong, what does it cost, what changed. {pane.next} "
         "and {pane.previous} turn to the next pane and back; each has its number: {pane.costs} is Costs."),
    Step("overview", "#title", "TIME",
         "All panes look at one range of time, named here. {range.choose} chooses it, {range.shorter} and "
         "{range.longer} make it shorter or longer, {range.live} is back to now. {pause} freezes the screen "
         "for reading; collecting goes on."),
    Step("providers", "#providers-list", "LISTS",
         "{rows} choose a row and {values} a value in it; {providers.sort} orders by that value, and "
         "{list.open} opens the query that it comes from: no figure is without its source. {export} writes "
         "a list to a file, {copy} copies."),
    Step("costs", "#costs-list", "COSTS",
         "Above, the month against its budget and where it is going; here, who causes it. {costs.by} turns "
         "from models to users, projects, teams and agents, {costs.period} to another period."),
    Step("alerts", "#alerts-list", "ALERTS",
         "What needs somebody, the most severe first. {alerts.acknowledge} says that you take care of it, "
         "{alerts.silence} keeps it quiet for a while, {alerts.undo} takes either back."),
    Step("query", "#query-line", "EVERYTHING ELSE",
         "{query.line} goes to a line that answers anything, and completes what you type. {help} has every "
         "key of a pane, and {palette} finds every command by its name, this tour too."),
)  # fmt: skip


def words(text: str, keymap: Keymap) -> list[Span]:
    """What a step says, with the keys as they are."""
    return [(part, "accent bold" if key else "") for part, key in keymap.parts(text)]


def _answers(focused: "Widget | None") -> bool:
    """Whether keys belong to what has the focus, tour or not: a line, or the question what may be used."""
    return isinstance(focused, Field) or (focused is not None and focused.id == "consent")


def first_start() -> bool:
    """Whether nobody has seen or left the tour yet."""
    return not places.toured_file().exists()


class Touring:
    """Leads through the steps on a screen."""

    def __init__(self, screen: "Dashboard") -> None:
        self._screen = screen
        self._looks = 0
        self._step = 0
        self._on = False
        self._from = ""
        """The pane on which it was begun."""
        self.wanted = False
        """Whether it is to begin by itself, once there is something to see."""

    @property
    def has_the_keys(self) -> bool:
        """Whether its keys are its own: not those of a line that somebody types into, or of a question."""
        screen = self._screen
        return self._on and not _answers(screen.focused)

    def look(self) -> None:
        """The data was looked at: the time to begin may have come."""
        self._looks += 1
        screen = self._screen
        width, height = screen.app.size
        if not self.wanted or self._looks < _LOOKS or not screen.uncovered or screen.query("#consent"):
            return
        if screen.active != STEPS[0].pane or isinstance(screen.focused, Field):
            # Whoever is elsewhere already, or types, is not called away.
            return
        if width >= _SMALLEST[0] and height >= _SMALLEST[1]:
            self.begin()

    def begin(self) -> None:
        """Start with the first step."""
        self.wanted, self._on, self._step = False, True, 0
        self._from = self._screen.active
        self._screen.run_worker(self._show(), group="tour", exclusive=True)

    def turn(self, step: int) -> None:
        """The next step (1), the one before (-1), or an end (0)."""
        self._step = max(0, self._step + step)
        done = step == 0 or self._step >= len(STEPS)
        self._on = not done
        self._screen.run_worker(self._end() if done else self._show(), group="tour", exclusive=True)

    async def _show(self) -> None:
        from tui_monitor.tui.widgets.guide import Guide

        screen, step = self._screen, STEPS[self._step]
        found = screen.query(Guide)
        guide: Guide = found.first() if found else Guide()
        if not found:
            await screen.mount(guide, before="#footer")
        if screen.active != step.pane:
            await screen.action_pane(step.pane)
        # What is told of meanwhile must not hide the panel.
        screen.add_class(_LEADING)
        self._point(step.at)
        guide.show(
            step.title,
            f"{self._step + 1} of {len(STEPS)}",
            words(step.text, keymap_of(screen.app)),
            last=step is STEPS[-1],
        )
        if _answers(screen.focused):
            # The keys of a line would be typed into it, and a question would take them for answers.
            screen.set_focus(None)

    async def _end(self) -> None:
        self._point("")
        self._screen.remove_class(_LEADING)
        await self._screen.query("#tour").remove()
        await self._screen.action_pane(self._from)
        try:
            places.toured_file().touch()
        except OSError as error:
            log.warning("that the tour was seen is not kept: %s", error)

    def _point(self, at: str) -> None:
        self._screen.query(f".{_POINTED}").remove_class(_POINTED)
        if at:
            self._screen.query(at).add_class(_POINTED)
