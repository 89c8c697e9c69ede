"""What the title says besides the collector's state, as far as there is room: age, clocks, size."""

from typing import TYPE_CHECKING

from tui_monitor.model.clock import MINUTE, SECOND
from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.units import age, size
from tui_monitor.tui.drawing import Glyphs, Span, safe, size_of
from tui_monitor.tui.words import short_age

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Snapshot
    from tui_monitor.monitor.line import LineState

_OLD = MINUTE
"""Newest data from this age on is told."""
_SKEW = 2 * SECOND
"""Two clocks may differ so far without a word: answers take their time."""

Saying = tuple[tuple[str, ...], str]
"""One thing in words, the longest first, and its style token."""


def standing(
    line: "LineState | None", snapshot: "Snapshot | None", shown: TimeRange, glyphs: Glyphs
) -> list[Saying]:
    """How old the newest data is, clocks that differ, and how large the database is; what matters most first.

    Of data older than the whole range the notice tells, and of a fixed range nothing becomes old.
    """
    if snapshot is None:
        return []
    said: list[Saying] = []
    newest, now = snapshot.extent.last, snapshot.at
    if newest is not None and newest - now >= _SKEW:
        ahead = short_age(newest - now)
        words = f"newest call {ahead} in the future", f"newest call +{ahead}"
        said.append((tuple(f"{glyphs.warn} {text}" for text in words), "warn"))
    if line is not None and line.up and abs(line.ahead) >= _SKEW:
        way, sign = ("ahead of", "+") if line.ahead > 0 else ("behind", "-")
        off = age(abs(line.ahead))
        words = f"its clock {off} {way} this one", f"its clock {sign}{off}"
        said.append((tuple(f"{glyphs.warn} {text}" for text in words), "warn"))
    changed = next((row.warning for row in snapshot.collector.sources if row.name == "config"), "")
    if changed:
        words = f"config.toml {changed.partition(':')[0]}", "config.toml"
        said.append((tuple(f"{glyphs.warn} {text}" for text in words), "warn"))
    if newest is not None and shown.live and _OLD <= now - newest < shown.length:
        said.append(((f"{glyphs.stale} newest call {short_age(now - newest)} ago",), "stale"))
    if snapshot.collector.database_bytes is not None:
        said.append(((f"store {size(snapshot.collector.database_bytes)}",), "dim"))
    return said


def fitting(said: list[Saying], room: int, glyphs: Glyphs) -> list[Span]:
    """Of these as many from the front as there is room for, two cells between them."""
    kept: list[Span] = []
    for words, token in said:
        pieces: list[Span] = [(f"  {safe(text, glyphs)}", token) for text in words]
        piece = next((one for one in pieces if size_of([*kept, one]) <= room), None)
        if piece is None:
            break
        kept.append(piece)
    return kept
