"""The page that tells what is wrong with the configuration and was left out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tui_monitor.tui.drawing import BRAILLE, Glyphs, wrap
from tui_monitor.tui.naming import place_of
from tui_monitor.tui.screens.reading import Reading
from tui_monitor.tui.widgets.lines import Line

_REST = (
    "These are left out, and the rest holds. Themes are read again when their files change, keys at the "
    "next start."
)


def lines(found: Mapping[Path, Sequence[str]], width: int, glyphs: Glyphs) -> list[Line]:
    """The faults by their place, in so many cells."""
    page: list[Line] = []
    for where, faults in found.items():
        page.append(Line.of(place_of(where, width, glyphs), "accent bold"))
        for fault in faults:
            first, *rest = wrap(fault.replace(f"{where}/", ""), max(10, width - 4), glyphs)
            page.append(Line(((f"  {glyphs.warn} ", "warn"), (first, ""))))
            page += [Line.of(f"    {text}") for text in rest]
        page.append(Line())
    return [*page, *(Line.of(text, "dim") for text in wrap(_REST, width, glyphs))]


class FaultsPage(Reading):
    """All faults that were found so far."""

    TITLED = "faults"

    def __init__(self, found: Mapping[Path, Sequence[str]]) -> None:
        super().__init__()
        self._found = found

    def lines(self, width: int) -> list[Line]:
        return lines(self._found, width, getattr(self.app, "glyphs", BRAILLE))
