"""What our line-drawn widgets share: glyphs, styles by token, strips of an exact width."""

from collections.abc import Iterable
from typing import Self

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tui_monitor.tui.drawing import BRAILLE, SINGLE, Glyphs, Span, safe, width_of
from tui_monitor.tui.theme import TERMINAL, colours

BEYOND = (
    "border_top", "border_right", "border_bottom", "border_left",
    "outline_top", "outline_right", "outline_bottom", "outline_left",
    "tint", "hatch", "text_opacity", "opacity",
)  # fmt: skip
"""What the toolkit draws around and over a widget's lines."""
_FAINT = 0.5
"""How much of a colour is left where it is faint."""


class Drawn(Widget):
    """A widget that draws its own lines.

    A style token is words separated by spaces: one colour of `ok warn crit stale dim accent bright
    series-1 … series-8 heat-1 … heat-8`, one for what is behind it as `on-series-1`, and any of
    `bold italic underline reverse cursor`, or `faint` for half the contrast. Empty is plain text.
    The app's attribute `glyphs` says which characters are drawn.
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes, markup=False)
        self._paints: dict[str, Style] = {}
        self._strips: dict[int, Strip] = {}
        self._drawn_for: Size | None = None
        self._padded: dict[int, tuple[Strip, Strip]] = {}
        """Lines with the padding beside them, each with the line that it is of."""

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
        reverse = "reverse" in words
        lit = "cursor" in words
        if lit and (self.app.no_color or known[""].startswith(TERMINAL)):
            # What the terminal's colours look like on each other nobody knows: the row is turned round whole.
            words, reverse = ["bold"] if reverse else [], not reverse
        elif lit:
            background = Color.parse(known["cursor"])
        behind = next((word[3:] for word in words if word.startswith("on-")), None)
        if behind in known:
            background = Color.parse(known[behind])
        colour = next((known[word] for word in words if word in known and word != "cursor"), known[""])
        ink = Color.parse(colour)
        return Style(
            color=(background.blend(ink, _FAINT) if "faint" in words else ink).rich_color,
            bgcolor=background.rich_color,
            bold="bold" in words or None,
            italic="italic" in words or None,
            underline="underline" in words or None,
            reverse=reverse or None,
        )

    def strip(self, spans: Iterable[Span], width: int, fill: str = "") -> Strip:
        """Spans as one line of exactly `width` cells; `fill` is the token of what is left over.

        Every segment has a style: without colour the toolkit fails on one that has none.
        """
        segments: list[Segment] = []
        used = 0
        for text, token in (*spans, (" " * width, fill)):
            text = safe(text, self.glyphs)
            style = self.paint(token)
            if not text or used >= width:
                continue
            used += width_of(text)
            if segments and _joins(segments[-1], text, style):
                text, style = segments[-1].text + text, segments.pop().style
            segments.append(Segment(text, style))
        return Strip(segments, used).crop(0, width)

    def blank(self, width: int) -> Strip:
        """An empty line."""
        return self.strip((), width)

    def draw(self, y: int) -> Strip:
        """A line of the widget's content, made anew."""
        raise NotImplementedError

    def render_lines(self, crop: Region) -> list[Strip]:
        """The toolkit's hook. Its way around a widget's lines costs more than they do; few need any of it."""
        if self.styles.has_any_rules(*BEYOND) or self.opacity != 1:
            return super().render_lines(crop)
        top, right, bottom, left = self.styles.padding
        outer = self.outer_size
        self._draw_for(self.size)
        last, behind = outer.height - bottom, self.background_colors[1]
        pad = Style(bgcolor=behind.rich_color)
        lines = [
            self._beside(y - top, left, right, pad) if top <= y < last else Strip.blank(outer.width, pad)
            for y in crop.line_range
        ]
        for one in self.get_line_filters():
            lines = [line.apply_filter(one, behind) for line in lines]
        if crop.column_span != (0, outer.width):
            lines = [line.crop(*crop.column_span) for line in lines]
        return lines

    def _beside(self, y: int, left: int, right: int, pad: Style) -> Strip:
        """A line with its padding."""
        line = self._line(y)
        if not left and not right:
            return line
        padded = self._padded.get(y)
        if padded is None or padded[0] is not line:
            sides = [Strip([Segment(" " * side, pad)], side) if side else Strip([]) for side in (left, right)]
            padded = line, Strip.join([sides[0], line, sides[1]])
            self._padded[y] = padded
        return padded[1]

    def render_line(self, y: int) -> Strip:
        """The toolkit's hook: a line as it was drawn last."""
        self._draw_for(self.size)
        return self._line(y)

    def _draw_for(self, size: Size) -> None:
        if self._drawn_for != size:
            # Of another height, other lines may be right although they are as wide.
            self._drawn_for = size
            self._strips.clear()
            self._padded.clear()
            self.sized()

    def sized(self) -> None:
        """It is drawn at another size than before: lay out what depends on it.

        The toolkit's event of it may be missing: it sends none to a widget that came between a scroll and
        the next layout.
        """

    def _line(self, y: int) -> Strip:
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = self.draw(y)
        return strip

    def repaint(self, y: int) -> None:
        """Draw a line anew and paint the stretch of it that differs, if any does."""
        if self.is_on_screen:
            self._repaint(y)
        else:
            # Nobody knows its width now: it is drawn when it is seen.
            self._strips.pop(y, None)
            self.refresh(Region(0, y, self.size.width, 1))

    def _repaint(self, y: int) -> None:
        before = self._strips.get(y)
        if before is None:
            self.refresh(Region(0, y, self.size.width, 1))
            return
        after = self._strips[y] = self.draw(y)
        start, end = _difference(before, after)
        if start < end:
            self.refresh(Region(start, y, end - start, 1))

    def repaint_all(self) -> None:
        """Repaint what differs; what nobody sees is drawn when it is seen."""
        if not self._strips or not self.is_on_screen:
            self.refresh()
            return
        for y in range(self.size.height):
            self._repaint(y)

    def forget(self) -> None:
        """Let go of what was drawn."""
        self._paints.clear()
        self._strips.clear()
        self._padded.clear()

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Without regions all is drawn anew: the theme, the glyphs, a background or the size changed."""
        if repaint and not regions:
            self.forget()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())

    def on_unmount(self) -> None:
        # The signal holds on to it, and with it to its whole screen.
        self.app.theme_changed_signal.unsubscribe(self)


def _joins(last: Segment, text: str, style: Style) -> bool:
    """Whether a text goes on in the last segment's style: every change of style costs bytes on the wire."""
    before = last.style
    if before is style or before is None:
        return True
    shapes = (before.reverse, before.underline, style.reverse, style.underline)
    return text.isspace() and before.bgcolor == style.bgcolor and not any(shapes)


def _difference(before: Strip, after: Strip) -> tuple[int, int]:
    """The cells [start, end) outside of which two lines are the same."""
    if before == after:
        return 0, 0
    old, new = _cells(before), _cells(after)
    if len(old) != len(new):
        return 0, max(len(old), len(new))
    differing = [i for i, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
    return (differing[0], differing[-1] + 1) if differing else (0, 0)


def _cells(strip: Strip) -> list[tuple[str, Style | None]]:
    """What each cell holds; a wide character is in both of its cells, so that it is never halved."""
    cells: list[tuple[str, Style | None]] = []
    for text, style, _ in strip:
        if SINGLE.issuperset(text):
            cells += [(character, style) for character in text]
            continue
        for character in text:
            size = width_of(character)
            if size:
                cells += [(character, style), (f"{character}2", style)][:size]
            elif cells:
                cells[-1] = (cells[-1][0] + character, style)
    return cells
