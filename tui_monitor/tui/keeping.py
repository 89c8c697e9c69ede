"""Keeps what is chosen on the screen, and puts it back: theme, density, panes, and the range if wanted."""

from typing import TYPE_CHECKING, Any

from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.tui.layout import Layout
from tui_monitor.tui.panes.base import Pane
from tui_monitor.tui.panes.choices import choose, chosen
from tui_monitor.tui.panes.table import PANES

if TYPE_CHECKING:
    from tui_monitor.config.settings import Screen
    from tui_monitor.tui.screens.dashboard import Dashboard

EVERY_S = 5.0
"""Seconds between two looks at what was chosen: as much may be lost when the process is killed."""
PATIENCE_S = 1.0
"""Seconds that the disk has to take what was chosen, when that is the last moment for it."""
_LAST = "last"


class Keeping:
    """The layout of one dashboard. Before `begin` nothing is kept, and nothing put back."""

    def __init__(self, dashboard: "Dashboard") -> None:
        self._dashboard = dashboard
        self._layout = Layout()
        self._screen: Screen | None = None
        self._forgotten = False
        self._before: dict[str, Any] | None = None
        """What was forgotten, until it is wanted back."""

    def begin(self, screen: "Screen") -> None:
        """Put back what was chosen the last time, and keep what is chosen from now on."""
        self._screen = screen
        self._layout = Layout.usual() if screen.keep_layout else Layout()
        for pane in self._dashboard.panes.made_so_far:
            self.restore(pane)
        self._dashboard.set_interval(EVERY_S, self.save)

    def restore(self, pane: Pane[Any]) -> None:
        """Put back what was chosen on a pane that has just been made."""
        choose(pane, self._layout.pane(pane.id or ""))

    # A choice of the screen holds until the setting says something else.

    def choice(self, name: str, setting: str) -> str:
        """What was chosen while the setting was as it is now, else the setting."""
        found = self._layout.get(name)
        if (
            isinstance(found, dict)
            and found.get("setting") == setting
            and isinstance(found.get("chosen"), str)
        ):
            return found["chosen"]
        return setting

    def note(self, name: str, setting: str, chosen: str) -> None:
        """Keep a choice, and under which setting it was made."""
        self._layout.keep(name, None if chosen == setting else {"chosen": chosen, "setting": setting})

    def first_pane(self) -> str:
        """The pane to begin with; the first one where the wanted one is not there."""
        wanted = self._screen.start_pane if self._screen else ""
        if wanted == _LAST:
            wanted = self._layout.get("pane")
        return next((entry.id for entry in PANES if entry.id == wanted), PANES[0].id)

    def range(self) -> Micros:
        """The length of time to begin with."""
        assert self._screen is not None
        seconds = self._layout.get("range_s") if self._screen.keep_range else None
        if isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds < 10**10:
            return seconds * SECOND
        return self._screen.range

    def save(self, wait_s: float = 0.0) -> None:
        """Write down what is chosen now, if it is not written yet; wait so many seconds for the disk."""
        if self._forgotten or self._screen is None:
            return
        for pane in self._dashboard.panes.made_so_far:
            # On one that is being made nothing was put back yet.
            if pane.ready:
                self._layout.keep_pane(pane.id or "", chosen(pane))
        self._layout.keep("pane", self._dashboard.active)
        self._layout.keep("range_s", max(1, self._dashboard.shown.length // SECOND))
        self._layout.save(wait_s)

    def write_nothing(self) -> None:
        """What is shown from now on is nobody's choice."""
        self._forgotten = True

    def forget(self) -> bool:
        """The next dashboard begins as the settings say; called again, as it would have. This one stays so.

        Whether the layout is forgotten now.
        """
        if self._before is None:
            self._before = self._layout.clear()
        else:
            self._layout.put_back(self._before)
            self._before = None
        self._layout.save(PATIENCE_S)
        self._forgotten = self._before is not None
        return self._forgotten
