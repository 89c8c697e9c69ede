"""The app's looks: theme, density, motion, and that what is chosen of them holds the next time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tui_monitor.tui import theme
from tui_monitor.tui.dressing import Dressing
from tui_monitor.tui.faults import Faults
from tui_monitor.tui.inturn import InTurn
from tui_monitor.tui.keeping import PATIENCE_S, Keeping
from tui_monitor.tui.paint.painted import PaintedApp
from tui_monitor.tui.terminal import Terminal
from tui_monitor.tui.toolkit import colourless, hold_still, mouse_off

if TYPE_CHECKING:
    from pathlib import Path

    from textual.command import CommandPalette

    from tui_monitor.config.settings import Screen
    from tui_monitor.tui.screens.dashboard import Dashboard

_COMPACT = "-compact"


class DressedApp(InTurn, PaintedApp, inherit_bindings=False):
    """An app on our terminal that wears our themes."""

    def __init__(self, dashboard: "Dashboard", environ: Mapping[str, str]) -> None:
        super().__init__(driver_class=Terminal)
        colourless(self)
        self.keeping = Keeping(dashboard)
        """What is chosen on the screen, for the next time."""
        self._screen_settings: Screen | None = None
        self.faults = Faults(self)
        """What is wrong with the configuration and was left out."""
        self._dressing = Dressing(self, self.faults, environ.get("TERM", ""))

    def get_css_variables(self) -> dict[str, str]:
        base = super().get_css_variables()
        self.theme_variables = {**theme.variables(base), **base}
        return self.theme_variables

    def exit(self, result: None = None, return_code: int = 0, message: Any = None) -> None:
        """End the app; what was chosen is written down before."""
        self.keeping.save(PATIENCE_S)
        super().exit(result, return_code, message)

    def dress(self, screen: "Screen", config_file: "Path") -> None:
        """Look as the settings say, or as was chosen the last time; themes are beside the configuration."""
        self._screen_settings, keeping = screen, self.keeping
        self.paint_as(screen.line, screen.colours)
        if screen.colours == "16":
            self._dressing.few_colours = True
        keeping.begin(screen)
        self._dressing.begin(keeping.choice("theme", screen.theme), config_file)
        self._pack(keeping.choice("density", screen.density))
        if screen.motion == "reduced":
            hold_still(self)
        if not screen.mouse:
            mouse_off(self)

    def action_use_theme(self, name: str) -> None:
        """Show everything in other colours."""
        if self._dressing.wear(name) and self._screen_settings is not None:
            self.keeping.note("theme", self._screen_settings.theme, name)

    def action_density(self) -> None:
        """Normal, or compact."""
        density = "normal" if self.has_class(_COMPACT) else "compact"
        self._pack(density)
        if self._screen_settings is not None:
            self.keeping.note("density", self._screen_settings.density, density)

    def _pack(self, density: str) -> None:
        self.set_class(density == "compact", _COMPACT)

    def action_forget_layout(self) -> None:
        """Begin the next time as the settings say; once more takes that back."""
        if self.keeping.forget():
            told = "the layout is forgotten: the next dashboard begins as the settings say"
            self.notify(f"{told}; the same once more keeps it")
        else:
            self.notify("the layout is kept after all")

    def action_faults(self) -> None:
        """Show what is wrong with the configuration."""
        from tui_monitor.tui.screens.faulty import FaultsPage

        if self.faults.found:
            # It tells less, and would stand above the page.
            self.clear_notifications()
            self.push_screen(FaultsPage(self.faults.found))
        else:
            self.notify("no faults are known in keys and themes")

    def on_command_palette_opened(self) -> None:
        """Its line is the toolkit's, and blinks."""
        if self.animation_level == "none":
            from textual.widgets import Input

            for line in self.screen.query(Input):
                line.cursor_blink = False

    def on_command_palette_option_highlighted(self, event: "CommandPalette.OptionHighlighted") -> None:
        """A theme under the cursor is shown at once."""
        from tui_monitor.tui.palette import theme_of

        self._dressing.look_at(theme_of(event.highlighted_event.option))

    def on_command_palette_closed(self, event: "CommandPalette.Closed") -> None:
        """Nothing was chosen: what was looked at is taken off."""
        if not event.option_selected:
            self._dressing.look_at(None)
