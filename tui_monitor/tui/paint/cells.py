"""Text as a terminal's cells: one character each, two cells for a wide one."""

import re
import unicodedata
from functools import lru_cache

_RANGES = ((0x20, 0x7E), (0xA1, 0xAC), (0xAE, 0x2FF), (0x370, 0x482), (0x2010, 0x2027), (0x2030, 0x205E))
_DRAWN = ((0x2190, 0x22FF), (0x2500, 0x25FC), (0x2800, 0x28FF))
SURE = frozenset(chr(code) for first, last in (*_RANGES, *_DRAWN) for code in range(first, last + 1))
"""One cell on every terminal: Latin, Greek, Cyrillic, punctuation, arrows, lines, blocks, braille."""
_KNOWN = frozenset("✖✓✔")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_EMOJI = 0x1F000


@lru_cache(2_048)
def split(text: str) -> tuple[tuple[str, ...], bool]:
    """The cells of a text, and whether all terminals agree how many they are.

    The second cell of a wide character is empty. What would drive the terminal is left out.
    """
    if SURE.issuperset(text):
        return tuple(text), True
    from rich.cells import split_graphemes

    text = _CONTROLS.sub("", text)
    cells: list[str] = []
    sure = True
    for start, end, width in split_graphemes(text)[0]:
        cluster = text[start:end]
        sure = sure and _agreed(cluster, width)
        if width:
            cells.append(cluster)
            cells.extend([""] * (width - 1))
        elif cells:
            # A mark that stands alone: it goes onto the character before it.
            last = len(cells) - 1
            while last and not cells[last]:
                last -= 1
            cells[last] += cluster
    return tuple(cells), sure


@lru_cache(1_024)
def agreed(cell: str) -> bool:
    """Whether all terminals give what stands in a cell as many cells as we do."""
    return len(cell) == 1 and (cell in SURE or cell in _KNOWN or _broad(cell))


def _agreed(cluster: str, width: int) -> bool:
    return agreed(cluster) and (width == 2) == (cluster not in SURE and cluster not in _KNOWN)


def _broad(character: str) -> bool:
    return ord(character) < _EMOJI and unicodedata.east_asian_width(character) in "WF"
