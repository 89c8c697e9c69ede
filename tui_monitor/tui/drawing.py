"""Drawing with characters: pure functions from values to text of an exact width.

Widths are terminal cells, so wide and combining characters stay aligned. Nothing here knows colour.
"""

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rich.cells import cell_len

Align = Literal["left", "right", "center"]
Setting = Literal["auto", "braille", "block", "ascii"]

Span = tuple[str, str]
"""A piece of text and the token of its style."""

MAX_DRAWN = 1_000
"""Characters of one text that are looked at; no terminal is wider."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of characters that everything is drawn with."""

    name: Literal["braille", "block", "ascii"]
    ok: str = "●"
    crit: str = "✖"
    warn: str = "▲"
    off: str = "○"
    """Unknown, pending, not judged."""
    stale: str = "◌"
    cursor: str = "▸"
    up: str = "▲"
    """A change upwards."""
    down: str = "▼"
    above: str = "↑"
    """More rows that way."""
    below: str = "↓"
    ellipsis: str = "…"
    unknown: str = "–"
    dot: str = "·"
    about: str = "≈"
    rule: str = "─"
    gap: str = "·"
    """A step of a sparkline without data."""
    levels: str = "▁▂▃▄▅▆▇█"
    """Of an upright bar: rising steps, of which the last one is a full cell."""
    spark: str = "▁▂▃▄▅▆▇"
    """Of a sparkline: zero, and six rising steps; rows of a list do not touch each other."""
    eighths: str = "▏▎▍▌▋▊▉█"
    """A bar's growing last cell; the last one is full."""
    track: str = "░"
    lane: str = "▇"
    """A bar in a row of a list: low enough not to touch the next row's."""
    sliver: str = "▏"
    """One that fills less than half a cell."""
    way: str = "─"
    """What such a bar has before it."""
    over: str = "▶"
    """The end of a bar above 100 %."""
    wall: str = "┤"
    """The y axis at a label, and between them."""
    post: str = "│"
    corner: str = "┼"
    floor: str = "─"
    stud: str = "┬"
    """The x axis at a label."""
    dash: str = "┄"
    """A threshold."""
    hair: str = "┊"
    """The crosshair."""
    lone: str = "•"
    """A point without neighbours."""
    markers: str = "●◆▲■◇△□○"
    """Tell series apart without colour."""

    @property
    def plain(self) -> bool:
        """Whether only ASCII is drawn."""
        return self.name == "ascii"

    def state(self, token: str) -> str:
        """The glyph of a state token (`ok`, `warn`, `crit`, `stale`); `off` for any other."""
        return {"ok": self.ok, "warn": self.warn, "crit": self.crit, "stale": self.stale}.get(token, self.off)

    def marker(self, index: int) -> str:
        """The mark of the n-th series, from 0."""
        return self.markers[index % len(self.markers)]


BRAILLE = Glyphs("braille")
BLOCK = Glyphs("block")
ASCII = Glyphs(
    "ascii", ok="*", crit="X", warn="!", off="o", stale="?", cursor=">", up="^", down="v", above="^",
    below="v", ellipsis="~", unknown="-", dot=".", about="~", rule="-", gap=" ", levels="_.:-=+*#",
    spark="_.:-=+*#", eighths="       #", track=".", lane="#", sliver=":", way=".", over=">", wall="|",
    post="|", corner="+", floor="-", stud="+", dash="-", hair=":", lone="*", markers="*o+x#@%&",
)  # fmt: skip
GLYPHS = {g.name: g for g in (BRAILLE, BLOCK, ASCII)}


def terminal_encoding(environ: Mapping[str, str]) -> str:
    """The encoding the locale asks for: `utf-8` or `ascii`.

    Python may have put `LC_CTYPE=C.UTF-8` there itself on `LANG=C`; then the person's wish is still C.
    """
    name = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    if not environ.get("LC_ALL") and name.upper().startswith("C.") and environ.get("LANG") in ("C", "POSIX"):
        return "ascii"
    return "utf-8" if "utf8" in name.lower().replace("-", "") else "ascii"


def detect(setting: Setting, encoding: str) -> Glyphs:
    """The set to draw with: what is set, else braille where the terminal's encoding can show it."""
    if setting != "auto":
        return GLYPHS[setting]
    return BRAILLE if encoding.lower().replace("-", "").replace("_", "").startswith("utf") else ASCII


_RANGES = (
    *((0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x17F)),
    *((0x2010, 0x2027), (0x2190, 0x21FF), (0x2500, 0x25FC), (0x2800, 0x28FF)),
)
SINGLE = frozenset(chr(code) for start, end in _RANGES for code in range(start, end + 1))
"""Characters known to be harmless and one cell wide: letters, arrows, boxes, blocks, braille."""

_DROPPED = {"Cc", "Cf", "Cs", "Cn"}
_UNPRINTED = {*_DROPPED, "Zl", "Zp"}
_MARKS = {"Mn", "Me"}
_MAX_MARKS = 3
"""Combining marks kept on one character; more are an ink blot over the neighbours."""


def _restyles(character: str) -> bool:
    # Variation selectors and skin tones: terminals disagree on the width of what they make.
    return "\ufe00" <= character <= "\ufe0f" or character >= "\U000e0100" or "🏻" <= character <= "🏿"


@lru_cache(maxsize=4096)
def _safe(text: str) -> str:
    kept: list[str] = []
    marks = _MAX_MARKS
    for character in text[: MAX_DRAWN * 2]:
        category = unicodedata.category(character)
        if character in "\t\n\r\v\f" or category in ("Zl", "Zp"):
            kept.append(" ")
            marks = 0
        elif category in _DROPPED or _restyles(character):
            continue
        elif category in _MARKS:
            marks += 1
            if marks <= _MAX_MARKS:
                kept.append(character)
        else:
            kept.append(character)
            marks = 0
    return "".join(kept)


def printable(text: str) -> str:
    """The text of an input line: joined and restyled characters stay, controls and bidi marks go."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if c in "\u200c\u200d" or unicodedata.category(c) not in _UNPRINTED)


_PLAIN = {
    "–": "-", "—": "-", "…": "~", "≈": "~", "·": ".", "×": "x", "≥": ">=", "≤": "<=", "→": "->", "←": "<-",
    "↓": "v", "↑": "^", "▲": "^", "▼": "v", "●": "*", "✖": "X", "○": "o", "▸": ">", "◂": "<", "▾": "v",
    "▴": "^", "─": "-", "│": "|", "┄": "-", "µ": "u", "“": '"', "”": '"', "‘": "'", "’": "'", "✓": "+",
    "█": "#", "░": ".", "€": "EUR", "£": "GBP",
}  # fmt: skip


@lru_cache(maxsize=4096)
def _ascii(text: str) -> str:
    pieces: list[str] = []
    for character in text:
        if character < "\x7f":
            pieces.append(character)
        elif character in _PLAIN:
            pieces.append(_PLAIN[character])
        else:
            base = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
            pieces.append(base or "?" * cell_len(character))
    return "".join(pieces)


def safe(text: str, glyphs: Glyphs = BRAILLE) -> str:
    """Any text, harmless to the terminal, of a width all terminals agree on, in the set's characters."""
    if (text.isascii() and text.isprintable()) or (not glyphs.plain and SINGLE.issuperset(text)):
        return text
    text = _safe(text[:MAX_DRAWN])
    return _ascii(text) if glyphs.plain else text


def width_of(text: str) -> int:
    """Terminal cells of a text that went through `safe`."""
    return len(text) if text.isascii() or SINGLE.issuperset(text) else cell_len(text)


def cut(text: str, width: int) -> str:
    """The longest start of at most `width` cells."""
    if text.isascii():
        return text[:width]
    used = 0
    for index, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            return text[:index]
    return text


def fit(text: str, width: int, align: Align = "left", glyphs: Glyphs = BRAILLE) -> str:
    """The text in exactly `width` cells: padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    text = safe(text, glyphs)
    size = width_of(text)
    if size > width:
        text = cut(text, width - 1) + glyphs.ellipsis
        size = width_of(text)
    room = width - size
    if align == "right":
        return " " * room + text
    if align == "center":
        return " " * (room // 2) + text + " " * (room - room // 2)
    return text + " " * room


def _buckets(values: Sequence[float | None], width: int) -> list[float | None]:
    """At most `width` values: the largest of each bucket, so that no peak is hidden."""
    count = len(values)
    if count <= width:
        return list(values)
    found: list[float | None] = []
    for i in range(width):
        part = [v for v in values[i * count // width : (i + 1) * count // width] if v is not None and v == v]
        found.append(max(part) if part else None)
    return found


def sparkline(
    values: Sequence[float | None], width: int, top: float | None = None, glyphs: Glyphs = BRAILLE
) -> str:
    """The newest values at the right of `width` cells, on a scale from 0 to `top`.

    Give the rows of one column the same `top`. Zero is the floor, anything above it one step at least,
    no data a dot; more values than cells show the largest of each cell.
    """
    shown = _buckets(values, width) if width > 0 else []
    if top is None or not top > 0:
        top = max((v for v in shown if v is not None and v == v), default=0.0)
    steps = len(glyphs.spark) - 1
    cells: list[str] = []
    for value in shown:
        if value is None or math.isnan(value):
            cells.append(glyphs.gap)
        elif value <= 0 or top <= 0:
            cells.append(glyphs.spark[0])
        else:
            share = 1.0 if value >= top else value / top
            cells.append(glyphs.spark[max(1, math.ceil(share * steps - 1e-9))])
    return " " * (width - len(cells)) + "".join(cells)


def curve(
    values: Sequence[float | None], width: int, top: float | None = None, glyphs: Glyphs = BRAILLE
) -> str:
    """A sparkline over a whole range: of fewer values than cells, it is as wide as its place."""
    count = len(values)
    if 0 < count < width:
        values = [values[n * count // width] for n in range(width)]
    return sparkline(values, width, top, glyphs)


def bar(fraction: float | None, width: int, glyphs: Glyphs = BRAILLE, *, track: bool = True) -> str:
    """`width` cells filled to `fraction`; what is above 1 ends in an arrow, unknown is an empty track."""
    if width <= 0:
        return ""
    empty = glyphs.track if track else " "
    if fraction is None or math.isnan(fraction) or fraction <= 0:
        return empty * width
    full = glyphs.eighths[-1]
    if fraction > 1:
        return full * (width - 1) + glyphs.over
    # Something is never drawn as nothing, nor less than all as all.
    eighths = min(max(1, round(fraction * width * 8)), width * 8 - (fraction < 1))
    whole, rest = divmod(eighths, 8)
    if glyphs.plain:
        whole, rest = (whole + (rest >= 4) or 1, 0)
    partial = glyphs.eighths[rest - 1] if rest else ""
    return (full * whole + partial).ljust(width, empty)[:width]


def lane(fraction: float | None, width: int, glyphs: Glyphs = BRAILLE, *, way: bool = True) -> str:
    """The same for a row of a list, where bars stand below each other: low, and in whole cells."""
    if width <= 0:
        return ""
    empty = glyphs.way if way else " "
    if fraction is None or math.isnan(fraction) or fraction <= 0:
        return empty * width
    if fraction > 1:
        return glyphs.lane * (width - 1) + glyphs.over
    # Something is never drawn as nothing, nor less than all as all.
    filled = min(round(fraction * width), width - (fraction < 1))
    return (glyphs.lane * filled or glyphs.sliver).ljust(width, empty)


def rule(width: int, glyphs: Glyphs = BRAILLE) -> str:
    """A thin line across."""
    return glyphs.rule * max(0, width)


def wrap(text: str, width: int, glyphs: Glyphs = BRAILLE) -> list[str]:
    """The text in lines of at most `width` cells, broken at spaces where it can be; its own breaks stay."""
    width = max(1, width)
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in safe(paragraph, glyphs).split(" "):
            joined = f"{line} {word}" if line else word
            if line and width_of(joined) > width:
                lines.append(line)
                joined = word
            line = joined
        lines.append(line)
    return [line if width_of(line) <= width else fit(line, width, "left", glyphs) for line in lines]


def size_of(spans: Iterable[Span]) -> int:
    """Cells of spans whose texts went through `safe`."""
    return sum(width_of(text) for text, _ in spans)


def shorten(spans: Iterable[Span], width: int, glyphs: Glyphs = BRAILLE) -> list[Span]:
    """The spans in at most `width` cells; the one that passes the edge ends in an ellipsis."""
    kept: list[Span] = []
    room = width
    for text, token in spans:
        text = safe(text, glyphs)
        size = width_of(text)
        if size > room:
            if room > 0:
                kept.append((fit(text, room, "left", glyphs), token))
            elif kept and not kept[-1][0].endswith((" ", glyphs.ellipsis)):
                last, last_token = kept[-1]
                kept[-1] = (fit(last + glyphs.ellipsis, width_of(last), "left", glyphs), last_token)
            return kept
        kept.append((text, token))
        room -= size
    return kept


def about_spans(server: str, glyphs: Glyphs) -> tuple[Span, ...]:
    """What stands once beside figures that a remote server extrapolated; nothing where they are exact."""
    return ((f"  {glyphs.about}", "bright"), (f" from {safe(server)}", "dim")) if server else ()
