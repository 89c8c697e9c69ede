"""What only holds other widgets draws nothing but its background."""

from typing import TYPE_CHECKING

from rich.style import Style
from textual.containers import Container
from textual.geometry import Region
from textual.strip import Strip

from tui_monitor.tui.widgets.base import BEYOND

if TYPE_CHECKING:
    from textual.widget import Widget
else:
    # No widget of its own: the toolkit looks for styles and keys along the first one that a class is made of.
    Widget = object


class Hollow(Widget):
    """A container or a screen. The toolkit draws each of its lines for itself, though none is to be seen."""

    _bare: tuple[int, Style, Strip] | None = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """The toolkit's hook: one empty line over and over."""
        if self.styles.has_any_rules(*BEYOND):
            return super().render_lines(crop)
        style = self.visual_style.rich_style
        if self._bare is None or self._bare[:2] != (crop.width, style):
            line = Strip.blank(crop.width, style)
            for one in self.get_line_filters():
                line = line.apply_filter(one, self.background_colors[1])
            self._bare = crop.width, style, line
        return [self._bare[2]] * crop.height


class Room(Hollow, Container):
    """A place for others."""
