"""The list that floats below a line one types in: one of its entries is marked."""

from collections.abc import Sequence

from tui_monitor.query.result import Completion
from tui_monitor.tui.drawing import fit, safe, width_of
from tui_monitor.tui.widgets.lines import Line, Lines

SHOWN = 8
"""Entries that are shown at once."""
_KIND = 15
"""Cells of a completion besides its text and its help, with the frame."""
_FRAME = 4


class Choices(Lines):
    """Ways to go on with a text, or earlier texts. Hidden while there are none."""

    DEFAULT_CSS = """
    Choices {
        overlay: screen;
        constrain: none inside;
        width: auto;
        max-width: 100%;
        background: $panel;
        border: round $text-dim;
        display: none;
    }
    """

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._found: tuple[Completion, ...] = ()
        self._texts: tuple[str, ...] = ()
        self._marked = 0

    @property
    def open(self) -> bool:
        """Whether there is something to choose."""
        return bool(self._found or self._texts)

    @property
    def marked(self) -> Completion | str | None:
        """The one that is marked."""
        found = self._found or self._texts
        return found[self._marked] if found else None

    @property
    def at_top(self) -> bool:
        """Whether the first one is marked."""
        return self._marked == 0

    def offer(self, found: Sequence[Completion]) -> None:
        """Ways to go on, best first; none closes the list."""
        self._put(tuple(found), ())

    def recall(self, texts: Sequence[str]) -> None:
        """Whole texts, best first."""
        self._put((), tuple(texts))

    def mark(self, step: int) -> None:
        """Mark another one, beyond the last the first."""
        self._marked = (self._marked + step) % max(1, len(self._found or self._texts))
        self._draw()

    def _put(self, found: tuple[Completion, ...], texts: tuple[str, ...]) -> None:
        if not (found or texts or self.open):
            return
        self._found, self._texts, self._marked = found, texts, 0
        self.display = self.open
        self._draw()

    def _draw(self) -> None:
        count = len(self._found or self._texts)
        top = max(0, min(self._marked - SHOWN // 2, count - SHOWN))
        lines = self._ways(top) if self._found else self._whole(top)
        if count > SHOWN:
            lines.append(Line.of(f" {count} in all ", "dim"))
        self.show(lines)

    def _whole(self, top: int) -> list[Line]:
        shown = self._texts[top : top + SHOWN]
        room = max(10, self.app.size.width - _FRAME - 4)
        widest = min(room, max((width_of(safe(text)) for text in shown), default=0))
        return [
            Line.of(f" {fit(text, widest)} ", "bright cursor" if index == self._marked else "bright")
            for index, text in enumerate(shown, top)
        ]

    def _ways(self, top: int) -> list[Line]:
        shown = self._found[top : top + SHOWN]
        widest = min(40, max((width_of(safe(one.text)) for one in shown), default=0))
        room = self.app.size.width - _KIND - widest
        told = max(0, min(60, room, max((width_of(safe(one.help)) for one in shown), default=0)))
        lines: list[Line] = []
        for index, one in enumerate(shown, top):
            token = "cursor" if index == self._marked else ""
            kind = f" {one.kind:<8} "
            lines.append(
                Line(
                    (
                        (f" {fit(one.text, widest)} ", f"bright {token}"),
                        (kind, f"dim {token}"),
                        (f"{fit(one.help, told)} " if told else "", f"dim {token}"),
                    )
                )
            )
        return lines
