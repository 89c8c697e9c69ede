"""Names and paths cut to a width so that they still tell what they are of."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tui_monitor.tui.drawing import BRAILLE, Glyphs, cut, fit, safe, width_of

_LEAD = 3
"""Of so many cells one is left of a beginning that several names share."""


def told_apart(names: Sequence[str], width: int, glyphs: Glyphs = BRAILLE) -> list[str]:
    """The names in at most `width` cells each. What is too long loses its end; where that leaves several
    alike, most of what they begin with instead: `c…sonnet` and `c…haiku`."""
    whole = [safe(name, glyphs) for name in names]
    headed = [text if width_of(text) <= width else fit(text, width, "left", glyphs) for text in whole]
    alike: dict[str, set[str]] = defaultdict(set)
    for text, short in zip(whole, headed, strict=True):
        alike[short].add(text)
    ended = [
        short if len(alike[short]) < 2 else _without_beginning(text, alike[short], width, glyphs)
        for text, short in zip(whole, headed, strict=True)
    ]
    return ended if len(set(ended)) >= len(alike) else headed


def _without_beginning(text: str, alike: set[str], width: int, glyphs: Glyphs) -> str:
    lead = text[: max(1, width // _LEAD - 1)]
    room = width - width_of(lead + glyphs.ellipsis)
    columns = zip(*alike, strict=False)
    shared = next((n for n, column in enumerate(columns) if len(set(column)) > 1), min(map(len, alike)))
    # What differs may be short: then the end has room as well.
    start = min(shared, max(0, len(text) - room))
    return cut(f"{lead}{glyphs.ellipsis}{text[start:]}", width)


def place_of(path: Path, width: int | None = None, glyphs: Glyphs = BRAILLE) -> str:
    """A path as people write it, with `~` for their directory; of one that is too long the end."""
    text = str(path)
    with suppress(RuntimeError, ValueError):
        text = f"~/{path.relative_to(Path.home())}"
    text = safe(text, glyphs)
    if width is None or width_of(text) <= width:
        return text
    while text and width_of(text) >= width:
        text = text[1:]
    return f"{glyphs.ellipsis}{text}" if width > 0 else ""
