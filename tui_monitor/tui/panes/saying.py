"""What stands above a pane's answer: why there is none, how old the one there is, of which moment it is."""

from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.tui.drawing import Glyphs
from tui_monitor.tui.link import Look
from tui_monitor.tui.widgets.lines import Line
from tui_monitor.tui.words import moment_words


def trouble_lines(
    error: MonitorError, since: Micros, answered: Micros | None, look: Look, glyphs: Glyphs, *, cut_off: bool
) -> list[Line]:
    """What fails since when, and of when that is what still stands there.

    Where the line to a collector elsewhere is `cut_off`, the frame tells of that, and more.
    """
    lines: list[Line] = []
    if not cut_off:
        text = error.message.splitlines()[0]
        begun = moment_words(since, look.at, look.calendar)
        lines.append(Line(((f" {glyphs.crit} {text}", "crit bold"), (f"  since {begun}", "dim"))))
        if error.hint:
            lines.append(Line.of(f"   {error.hint}", "dim"))
    if answered is not None:
        lines.append(stale_line(answered, look, glyphs))
    elif not lines:
        lines.append(Line.of(f" {glyphs.stale} nothing of this was asked before the line was lost"))
    return lines


def stale_line(answered: Micros, look: Look, glyphs: Glyphs) -> Line:
    """Of when that is what stands there."""
    when = moment_words(answered, look.at, look.calendar)
    return Line.of(f" {glyphs.stale} stale: below stands what was known at {when}", "stale")


def present_lines(what: str, look: Look, glyphs: Glyphs) -> list[Line]:
    """That `what` of a pane, asked while the screen stands still, is not of the moment at which it stands."""
    if not what or not look.frozen:
        return []
    when = moment_words(look.at, look.at, look.calendar, seconds=True)
    return [Line.of(f" {glyphs.stale} {what} as of {when}, not of the pause", "stale")]
