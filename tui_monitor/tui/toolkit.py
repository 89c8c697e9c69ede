"""What has to reach into the toolkit itself: all of it is here, for the release that pyproject pins."""

import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual.app import App
from textual.await_remove import AwaitRemove
from textual.dom import DOMNode
from textual.screen import Screen
from textual.theme import Theme
from textual.widget import Widget

if TYPE_CHECKING:
    from textual.command import CommandPalette

log = logging.getLogger(__name__)

BROKE = "the dashboard broke: {}; the log tells more"


class QuietEnd(App[None]):
    """An app that ends on a bug without showing local variables, which may hold secrets."""

    message = ""
    """What to tell on stderr once the terminal is as it was."""

    def _fatal_error(self) -> None:
        error = self._exception
        log.critical("the dashboard broke", exc_info=error)
        self.end_with(BROKE.format(f"{type(error).__name__}: {error}" if error else "unknown"), 1)
        self._close_messages_no_wait()

    def end_with(self, message: str, code: int) -> None:
        """End with an exit code; who started the app prints the message."""
        self.message = message
        self.exit(return_code=code)

    def get_theme(self, theme_name: str) -> Theme | None:
        """As the toolkit's own, which copies all themes twice for each line that it paints."""
        themes = self._registered_themes
        return next(
            (themes[name] for each in theme_name.split(",") if (name := each.strip()) in themes), None
        )

    def _prune(self, *nodes: Widget, parent: DOMNode | None = None) -> AwaitRemove:
        # A screen that goes leaves nothing to lay out: the one below comes to light, and paints itself.
        gone = all(isinstance(node, Screen) for node in nodes)
        return super()._prune(*nodes, parent=None if gone else parent)

    def _load_screen_css(self, screen: Screen[Any]) -> None:
        # The toolkit reads all its styles again, and applies them to all there is. But those of a dialog are
        # of nobody else.
        if screen.CSS:
            super()._load_screen_css(screen)
        for path in screen.css_path:
            read_styles(self, path)

    def action_command_palette(self) -> None:
        """The toolkit's own, but for an ellipsis that not every terminal can show."""
        from textual.command import CommandPalette

        if self.use_command_palette and not CommandPalette.is_open(cast("App[object]", self)):
            self.push_screen(_palette()(id="--command-palette", placeholder="Search for commands"))


def read_styles(app: App[Any], path: Path) -> None:
    """Styles of widgets that come only now; what is there stays as it is. Read once."""
    if not app.stylesheet.has_source(str(path)):
        app.stylesheet.read(path)


@cache
def _palette() -> "type[CommandPalette]":
    """The toolkit's list of commands. One class for all openings: the toolkit keeps every class for good."""
    from textual.command import CommandPalette, SearchIcon

    from tui_monitor.tui.gathered import Gathered

    class Palette(CommandPalette, Gathered[Any]):  # pyright: ignore[reportIncompatibleMethodOverride]
        """Painted as our own screens are."""

        def on_mount(self) -> None:
            """A mark that every terminal can show, as before our own lines."""
            self.query_one(SearchIcon).icon = ">"

    return Palette


def mouse_off(app: App[Any]) -> None:
    """Give the mouse back to the terminal: the settings that say so are read after the screen is up."""
    driver = app._driver
    disable: Callable[[], None] | None = getattr(driver, "_disable_mouse_support", None)
    if driver is not None and disable is not None and not app.is_headless:
        disable()
        # Or it would be on again after a while in the background.
        driver._mouse = False


def hold_still(app: App[Any]) -> None:
    """No animation from now on, and scrolling by whole lines."""
    from textual import constants

    app.animation_level = "none"
    constants.SMOOTH_SCROLL = False  # pyright: ignore[reportAttributeAccessIssue]


def colourless(app: App[Any]) -> None:
    """Where `NO_COLOR` is set, no colour at all: the toolkit would paint in greys."""
    if app.no_color:
        from textual.filter import Monochrome, NoColor

        app._filters = [NoColor() if isinstance(one, Monochrome) else one for one in app._filters]
