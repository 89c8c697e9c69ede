"""What the screen wears: the theme that is set, chosen or looked at in the palette, and themes from files.

Theme files are read when the settings are there, and again when one of them has changed.
"""

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.theme import Theme

from tui_monitor.config.palettes import DEFAULT, resolve
from tui_monitor.tui import theme
from tui_monitor.tui.faults import Faults
from tui_monitor.tui.keymap import keymap_of

if TYPE_CHECKING:
    from textual.app import App

    from tui_monitor.config.theming import Themes

log = logging.getLogger(__name__)

LOOK_S = 2.0
"""Seconds between two looks at the theme files."""
_FEW = frozenset({"standard", "windows"})
"""The toolkit's names for 16 colours."""


class Dressing:
    """The app's themes. Everything is shown at once; nothing here writes."""

    def __init__(self, app: "App[Any]", faults: Faults, term: str) -> None:
        """`term` is the terminal's kind, as in the variable TERM; `faults` learns what is wrong."""
        self._app = app
        self._faults = faults
        self._folder = Path()
        self._stamp: object = None
        self._looking = False
        self._files: tuple[str, ...] = ()
        self._wanted = DEFAULT
        """What is set or was chosen, though its file may be broken."""
        self._before: str | None = None
        """What was worn before another theme was looked at."""
        self.few_colours = app.no_color or bool(term and app.console.color_system in _FEW)
        theme.install(app)
        app.theme = resolve("auto", few_colours=self.few_colours)

    def begin(self, wanted: str, config_file: Path) -> None:
        """Wear this theme, and follow the files beside the configuration from now on."""
        from tui_monitor.config import theming

        self._folder = theming.folder(config_file)
        self._wanted = resolve(wanted, few_colours=self.few_colours)
        self.wear(self._wanted)
        self._look()
        self._app.set_interval(LOOK_S, self._look)

    def wear(self, name: str) -> bool:
        """Show everything in a theme; whether there is one of the name."""
        self._before = None
        if name not in self._app.available_themes:
            return False
        self._wanted = self._app.theme = name
        return True

    def look_at(self, name: str | None) -> None:
        """Show everything in a theme while it is looked at; nothing ends that."""
        if name is None:
            if self._before is not None:
                self._app.theme, self._before = self._before, None
        elif name in self._app.available_themes:
            self._before = self._before or self._app.theme
            self._app.theme = name

    # Files.

    def _look(self) -> None:
        if not self._looking:
            # A disk that hangs keeps one thread, and nobody waiting.
            self._looking = True
            self._app.run_worker(self._look_again, group="themes")

    async def _look_again(self) -> None:
        from tui_monitor.config import theming

        where, before = self._folder, self._stamp
        try:
            self._stamp = await asyncio.to_thread(theming.stamp, where)
            themes = await asyncio.to_thread(theming.load_themes, where) if self._stamp != before else None
        finally:
            self._looking = False
        if themes is not None:
            self._take(themes)
            self._faults.know(where, self._missing() + list(themes.problems))
        self._faults.tell()

    def _missing(self) -> list[str]:
        """That there is no theme of the name that is set."""
        if self._wanted in self._app.available_themes:
            return []
        return [f"no theme is called {self._wanted}; {keymap_of(self._app).key('palette')} lists them"]

    def _take(self, themes: "Themes") -> None:
        """Take over what was read. A theme whose file is gone or broken stays as it was while it is worn."""
        app, worn = self._app, self._app.theme
        for name in self._files:
            if name not in themes.palettes and name != worn:
                app.unregister_theme(name)
        for name, palette in themes.palettes.items():
            made = theme.theme_of(name, palette)
            if app.get_theme(name) != made:
                app.register_theme(made)
                if name == worn:
                    self._wear_anew(made)
        gone = tuple(name for name in self._files if name == worn and name not in themes.palettes)
        self._files = (*themes.palettes, *gone)
        if self._wanted != worn and self._before is None and self._wanted in themes.palettes:
            app.theme = self._wanted
        for problem in themes.problems:
            log.warning("theme: %s", problem)

    def _wear_anew(self, changed: Theme) -> None:
        """The toolkit sees a theme change by its name only."""
        app = self._app
        app.theme = DEFAULT if changed.name != DEFAULT else "tui-monitor-light"
        app.theme = changed.name
