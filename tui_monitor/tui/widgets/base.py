"""What our line-drawn widgets share: glyphs, styles by token, strips of an exact width."""

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui_monitor.tui.drawing import BRAILLE, Glyphs, Span, safe, width_of
from tui_monitor.tui.theme import colours


class Drawn(Widget):
    """A widget that draws its own lines.

    A style token is words separated by spaces: one colour of `ok warn crit stale dim accent bright
    series-1 … series-8` and any of `bold italic underline reverse cursor`. Empty is plain text.
    The app's attribute `glyphs` says which characters are drawn.
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes, markup=False)
        self._paints: dict[str, Style] = {}

    @property
    def glyphs(self) -> Glyphs:
        """The app's set of characters."""
        return getattr(self.app, "glyphs", BRAILLE)

    def paint(self, token: str) -> Style:
        """The style of a token under the present theme, on this widget's background."""
        style = self._paints.get(token)
        if style is None:
            style = self._paints[token] = self._mix(token)
        return style

    def _mix(self, token: str) -> Style:
        known = colours(self.app.theme_variables)
        words = token.split()
        background = self.background_colors[1]
        if "cursor" in words:
            background = Color.parse(known["cursor"])
        colour = next((known[word] for word in words if word in known and word != "cursor"), known[""])
        return Style(
            color=Color.parse(colour).rich_color,
            bgcolor=background.rich_color,
            bold="bold" in words or None,
            italic="italic" in words or None,
            underline="underline" in words or None,
            reverse="reverse" in words or None,
        )

    def strip(self, spans: Iterable[Span], width: int, fill: str = "") -> Strip:
        """Spans as one line of exactly `width` cells; `fill` is the token of what is left over.

        Every segment has a style: without colour the toolkit fails on one that has none.
        """
        segments: list[Segment] = []
        used = 0
        for text, token in spans:
            text = safe(text, self.glyphs)
            if text:
                segments.append(Segment(text, self.paint(token)))
                used += width_of(text)
        if used < width:
            segments.append(Segment(" " * (width - used), self.paint(fill)))
        line = Strip(segments, max(used, width))
        return line if used <= width else line.crop(0, width)

    def blank(self, width: int) -> Strip:
        """An empty line."""
        return self.strip((), width)

    def repaint(self, y: int, count: int = 1) -> None:
        """Draw `count` lines from `y` on anew, and no others."""
        self.refresh(Region(0, y, self.size.width, count))

    def redraw(self) -> None:
        """Draw everything anew, as after a change of theme or glyphs."""
        self._paints.clear()
        self.refresh()

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.redraw())

    def notify_style_update(self) -> None:
        """The toolkit's hook for changed styles; what they change is repainted by it."""
        super().notify_style_update()
        self._paints.clear()
