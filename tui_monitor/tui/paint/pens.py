"""How text looks, as the terminal is told it: what changes of a pen, and no more.

The codes are those of "Select Graphic Rendition", ECMA-48 8.3.117, with the colours of ISO 8613-6.
"""

from typing import NamedTuple

from rich.color import ColorSystem
from rich.style import Style
from textual.strip import Strip

_MOST = 4_096
"""Pens, styles and steps between pens that are kept at once."""
_ENDS = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "6": "25", "7": "27", "8": "28", "9": "29",
         "21": "24", "51": "54", "52": "54", "53": "55"}  # fmt: skip
_SEEN_ON_BLANKS = frozenset(("4", "7", "9", "21", "51", "52", "53"))
"""Underlined, reversed, struck, framed: a space shows them."""
_LONG = {"2": 5, "5": 3}


class Pen:
    """One look; equal ones are the same object."""

    __slots__ = ("back", "blank", "flags", "fore", "full", "wipes")

    def __init__(self, flags: frozenset[str], fore: str, back: str, blank: "Pen | None") -> None:
        """`blank` is what a space shows of it; None where that is itself."""
        self.flags, self.fore, self.back = flags, fore, back
        self.blank = blank or self
        self.wipes = not flags & _SEEN_ON_BLANKS
        """Whether a space in it looks like what erasing leaves."""
        codes = [code for code in ("0", *sorted(flags), fore, back) if code]
        self.full = "\x1b[m" if codes == ["0"] else f"\x1b[{';'.join(codes)}m"


class _Look(NamedTuple):
    flags: frozenset[str]
    fore: str
    back: str


class Pens:
    """All pens of one terminal, which shows so many colours."""

    def __init__(self, colours: ColorSystem) -> None:
        self.colours = colours
        self._pens: dict[_Look, Pen] = {}
        self._of: dict[Style, Pen] = {}
        self._steps: dict[tuple[Pen, Pen], str] = {}
        self.plain = self._pen(_Look(frozenset(), "", ""))

    def of(self, style: Style | None) -> Pen:
        """The pen of a style."""
        if style is None:
            return self.plain
        found = self._of.get(style)
        if found is None:
            if len(self._of) >= _MOST:
                self._of.clear()
            found = self._of[style] = self._pen(_read(Strip.render_ansi(style, self.colours)))
        return found

    def step(self, old: Pen | None, new: Pen) -> str:
        """What makes the terminal draw with the new pen; the shorter of a change and a fresh start."""
        if old is None:
            return new.full
        found = self._steps.get((old, new))
        if found is None:
            if len(self._steps) >= _MOST:
                self._steps.clear()
            found = self._steps[old, new] = min(_change(old, new), new.full, key=len)
        return found

    def _pen(self, look: _Look) -> Pen:
        found = self._pens.get(look)
        if found is None:
            blank = _Look(look.flags & _SEEN_ON_BLANKS, "", look.back)
            if blank.flags:
                # The line through or below it, and what is reversed, has the colour of the text.
                blank = _Look(blank.flags, look.fore, look.back)
            if len(self._pens) >= _MOST:
                # Equal ones that are not the same cost bytes only.
                self._pens.clear()
                self._of.clear()
            found = Pen(*look, blank=None if blank == look else self._pen(blank))
            self._pens[look] = found
        return found


def _read(codes: str) -> _Look:
    """The parts of what the toolkit writes for a style."""
    flags: set[str] = set()
    fore = back = ""
    parts = codes.split(";") if codes else []
    while parts:
        long = _LONG.get(parts[1], 1) if parts[0] in ("38", "48") and len(parts) > 1 else 1
        head, code, parts = parts[0], ";".join(parts[:long]), parts[long:]
        if head == "38" or 30 <= int(head) <= 37 or 90 <= int(head) <= 97:
            fore = code
        elif head == "48" or 40 <= int(head) <= 47 or 100 <= int(head) <= 107:
            back = code
        elif head == "39":
            fore = ""
        elif head == "49":
            back = ""
        elif head in _ENDS:
            flags.add(head)
    return _Look(frozenset(flags), fore, back)


def _change(old: Pen, new: Pen) -> str:
    ended = {_ENDS[code] for code in old.flags - new.flags}
    # What ends one of two flags ends its twin as well.
    begun = {code for code in new.flags if code not in old.flags or _ENDS[code] in ended}
    codes = [*sorted(ended), *sorted(begun)]
    if old.fore != new.fore:
        codes.append(new.fore or "39")
    if old.back != new.back:
        codes.append(new.back or "49")
    return f"\x1b[{';'.join(codes)}m" if codes else ""
