"""What the Query pane keeps at hand: queries with a name, and queries that are pinned side by side."""

import asyncio

from textual import on

from tui_monitor.config.saved import saved_file, saved_queries
from tui_monitor.model.errors import MonitorError
from tui_monitor.query.filters.reading import is_filter
from tui_monitor.tui.link import Look
from tui_monitor.tui.panes.base import Pane
from tui_monitor.tui.panes.pinned import Panel, Pinned
from tui_monitor.tui.panes.queryasking import CallsAnswer, QueryAnswer
from tui_monitor.tui.panes.querykept import MOST_PINS, Pin, pin, pins, unpin
from tui_monitor.tui.widgets.chart import Chart


class KeepingPane(Pane[QueryAnswer | CallsAnswer]):
    """A pane in which one asks; while the pinned queries are to be seen they ask, and it does not."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.pinned = Pinned(id="query-pinned")
        self._unpinned: list[Pin] = []

    @property
    def asked(self) -> str:
        """The query that is shown; empty where none is."""
        raise NotImplementedError

    @property
    def as_table(self) -> bool:
        """Whether its answer is shown as a table."""
        raise NotImplementedError

    def ask_for(self, text: str) -> None:
        """Ask this, and have it in the line."""
        raise NotImplementedError

    @property
    def on_pinned(self) -> bool:
        """Whether the pinned queries are to be seen."""
        return self.has_class("-pinned")

    def update(self, look: Look, *, force: bool = False) -> None:
        """What is not to be seen asks nothing."""
        if self.on_pinned:
            self.look = look
            self.pinned.update(look, force=force)
        else:
            super().update(look, force=force)

    @property
    def _chart_in_sight(self) -> Chart | None:
        panel = self.pinned.chosen if self.on_pinned else None
        return super()._chart_in_sight if panel is None else panel._chart_in_sight

    # Saved.

    def action_save(self) -> None:
        """Keep the query that is shown under a name."""
        from tui_monitor.tui.screens.saved import KeepDialog

        text = self._chosen_text
        if text:
            self.app.push_screen(KeepDialog(saved_file(self.backend.config_file), text), self._saved_as)
        else:
            self.app.notify("nothing was asked yet", severity="warning")

    def _saved_as(self, name: str | None) -> None:
        if name is not None:
            self.app.notify(f"saved as {name}; {self.keymap.key('query.saved')} has all of them")

    def action_saved(self) -> None:
        """Choose one of the saved queries."""
        from tui_monitor.tui.screens.saved import SavedDialog

        def chosen(text: str | None) -> None:
            if text is not None:
                self.ask_for(text)

        self.app.push_screen(SavedDialog(saved_file(self.backend.config_file)), chosen)

    # Pinned.

    @property
    def _chosen_text(self) -> str:
        panel = self.pinned.chosen if self.on_pinned else None
        return self.asked if panel is None else panel.pin.text

    async def action_pin(self) -> None:
        """Pin the query that is shown; of the pinned ones take the chosen one away."""
        if self.on_pinned:
            await self._unpin()
            return
        text = self.asked
        if not text or is_filter(text):
            self.app.notify("a query of numbers can be pinned, no list of calls", severity="warning")
        elif await asyncio.to_thread(pin, Pin(text, self.as_table)):
            self.app.notify(f"pinned; {self.keymap.key('query.pinned')} shows what is")
        else:
            show, away = (self.keymap.key(f"query.{id}") for id in ("pinned", "pin"))
            told = f"{MOST_PINS} queries are pinned already; {show} shows them, {away} takes one away there"
            self.app.notify(told, severity="warning")

    async def _unpin(self) -> None:
        panel = self.pinned.chosen
        if panel is not None:
            self._unpinned.append(panel.pin)
            await asyncio.to_thread(unpin, panel.pin.text)
            await self._put_pinned()
            self.app.notify(f"no longer pinned; {self.keymap.key('query.pin_again')} puts it back")

    async def action_pin_again(self) -> None:
        """Put back what was taken away last."""
        if not self._unpinned:
            self.app.notify("nothing was taken away")
        if self._unpinned and await asyncio.to_thread(pin, self._unpinned[-1]):
            self._unpinned.pop()
            await self._put_pinned()

    async def action_pinned(self) -> None:
        """Show the pinned queries, or the answer again."""
        if self.on_pinned:
            self.leave_pinned()
        elif await self._put_pinned():
            self.drop_question()
            self.add_class("-pinned")
            self.pinned.step(1)
            self.changed()
            self.hints_changed()
        else:
            self.app.notify(f"nothing is pinned yet: ask a query, and {self.keymap.key('query.pin')} pins it")

    def leave_pinned(self) -> None:
        """Show the answer again."""
        if self.on_pinned:
            self.remove_class("-pinned")
            self.first().focus()
            self.changed()
            self.hints_changed()

    async def _put_pinned(self) -> bool:
        known = await asyncio.to_thread(pins)
        await self.pinned.put(known)
        if not known:
            self.leave_pinned()
        elif self.on_pinned and self.pinned.chosen is None:
            self.pinned.step(1)
        if self.look is not None and self.on_pinned:
            self.update(self.look)
        return bool(known)

    @property
    def asking(self) -> bool:
        """Whether an answer is on its way, to a pinned query where those are to be seen."""
        return any(panel.asking for panel in self.pinned.panels) if self.on_pinned else super().asking

    async def in_full(self) -> list[str]:
        """The pinned queries in place of an empty line; of the saved ones their names and texts."""
        if not self.asked and await self._put_pinned():
            self.add_class("-pinned")
            self.changed()
        try:
            saved = await asyncio.to_thread(saved_queries, saved_file(self.backend.config_file))
        except MonitorError as error:
            return ["SAVED", error.message]
        return ["SAVED", *(f"{name}: {text}" for name, text in saved.items())] if saved else []

    async def turn_panel(self) -> None:
        """The chosen panel as a table, or as a chart."""
        panel = self.pinned.chosen
        if panel is not None:
            await asyncio.to_thread(pin, panel.turn())

    @on(Panel.Opened)
    def _panel_opened(self, event: Panel.Opened) -> None:
        self.ask_for(event.text)
