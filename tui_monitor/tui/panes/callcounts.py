"""The newest calls of a filter, and how many there are in all beside those of an earlier span."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_monitor.model.units import count
from tui_monitor.tui.drawing import Glyphs, Span
from tui_monitor.tui.link import Look
from tui_monitor.tui.widgets.lines import Line
from tui_monitor.tui.words import change, earlier_words

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Monitor
    from tui_monitor.query.result import CallList
    from tui_monitor.tui.panes.earlier import Past


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest calls that pass the filter."""

    text: str
    found: "CallList"
    total: int | None = None
    """All that pass in the range, where that is compared."""
    before: int | None = None
    """All that passed in the span that is compared with; unknown where it was not recorded whole."""
    than: str = ""
    """What that span is, in words."""


async def newest(monitor: "Monitor", text: str, look: Look, limit: int, past: "Past") -> Newest:
    """The newest `limit` calls; with how many there are where the person compares."""
    asked = monitor.calls(text, look.shown, limit)
    if not look.beside:
        return Newest(text, await asked)
    counted = monitor.count_calls(text, look.shown)
    found, total, before = await asyncio.gather(asked, counted, past.calls(monitor, text, look))
    return Newest(text, found, total, before, words_for(look))


def words_for(look: Look) -> str:
    """What is compared with, in words; empty where nothing is."""
    return earlier_words(look.shown, look.against, look.at, look.calendar) if look.beside else ""


def count_lines(answer: Newest | None) -> list[Line]:
    """How many calls passed, with the change; nothing where that was not asked."""
    if answer is None or answer.total is None:
        return []
    words, _ = change(answer.total, answer.before)
    noun = " calls in all" if answer.total != 1 else " call in all"
    told = [(f" {count(answer.total)}", "bright"), (noun, "dim"), (f"   {words}", "")]
    than = answer.than if answer.before is None else f"{count(answer.before)} {answer.than}"
    return [Line((*told, (f" against {than}", "dim")))]


def standing(glyphs: Glyphs, look: Look, *, faulty: bool, paused: bool, following: bool, still: bool) -> Span:
    """Whether new calls come into the list, and where."""
    if faulty:
        return (f"{glyphs.crit} no filter yet: these are the calls from before", "crit")
    if paused:
        return (f"{glyphs.off} paused", "warn")
    if look.shown.end is not None:
        return (f"{glyphs.off} the newest first", "dim")
    if following:
        return (f"{glyphs.ok} following", "ok")
    if still:
        return (f"{glyphs.off} holds still", "warn")
    return (f"{glyphs.ok} new ones come in above", "dim")
