"""Keys of what floats above the panes, or stands beside them for a moment; declared like all others."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from tui_monitor.tui.commands import COMMANDS, Command, binding

if TYPE_CHECKING:
    from textual.binding import BindingType

DIALOG = "dialog."
"""What the place of such a command begins with."""
WITHIN: Mapping[str, frozenset[str]] = {
    "dialog.time": frozenset({"list", "line"}),
    "dialog.alert": frozenset({"list", "line"}),
    "dialog.export": frozenset({"list", "line"}),
    "dialog.saved": frozenset({"list"}),
    "dialog.name": frozenset({"line"}),
    "dialog.command": frozenset({"line"}),
    "dialog.consent": frozenset({""}),
}
"""Which other places have the keys beside a dialog: what it is made of, and what it does not cover."""
ALWAYS = frozenset({"help", "palette", "suspend", "redraw"})
"""Commands of everywhere that work above a dialog, too."""

DIALOGS: tuple[Command, ...] = (
    Command("dialog.time.type", "t,slash,i", "type", "Type a time range.", "type", "dialog.time"),
    Command("dialog.time.live", "l", "live", "The range moves with the clock.", "live", "dialog.time"),
    Command("dialog.time.fix", "f", "fixed", "The range ends where it is now.", "fix", "dialog.time"),
    Command("dialog.time.newest", "n", "newest data", "The range ends at the newest data there is.", "newest",
            "dialog.time"),
    Command("dialog.time.close", "escape,q", "close", "Leave the range as it was.", "dismiss", "dialog.time",
            out=True),
    Command("dialog.export.name", "t,slash", "name", "Go to the file's name.", "name", "dialog.export"),
    Command("dialog.export.leave", "escape", "leaves", "Write nothing.", "dismiss", "dialog.export",
            out=True),
    Command("dialog.alert.other", "t,slash", "other", "Type how long a silence lasts.", "part('other')",
            "dialog.alert"),
    Command("dialog.alert.note", "n", "note", "Go to the note.", "part('note')", "dialog.alert"),
    Command("dialog.alert.leave", "escape", "leaves", "Do nothing about the alert.", "dismiss",
            "dialog.alert", out=True),
    Command("dialog.saved.remove", "d,delete", "takes it away", "Take the query under the cursor away.",
            "remove", "dialog.saved"),
    Command("dialog.saved.undo", "u", "undo", "Put back what was taken away last.", "undo", "dialog.saved"),
    Command("dialog.saved.leave", "escape,q,S", "leaves", "Choose none.", "dismiss", "dialog.saved",
            out=True),
    Command("dialog.name.leave", "escape", "leaves", "Keep nothing.", "dismiss", "dialog.name", out=True),
    Command("dialog.command.leave", "escape", "leaves", "Say nothing.", "dismiss", "dialog.command",
            out=True),
    Command("dialog.still.turn", "d", "distribution", "Over time, or how the values are distributed.", "turn",
            "dialog.still"),
    Command("dialog.still.close", "escape,q,z,enter", "back", "Back to the screen.", "dismiss",
            "dialog.still", out=True),
    Command("dialog.help.close", "escape,question_mark,q,f1,enter", "closes", "Back to the screen.",
            "dismiss", "dialog.help", out=True),
    Command("dialog.help.down", "j", "down", "A line down.", "scroll('down')", "dialog.help"),
    Command("dialog.help.up", "k", "up", "A line up.", "scroll('up')", "dialog.help"),
    Command("dialog.help.page_down", "ctrl+d", "page down", "A page down.", "scroll('page_down')",
            "dialog.help"),
    Command("dialog.help.page_up", "ctrl+u", "page up", "A page up.", "scroll('page_up')", "dialog.help"),
    Command("dialog.help.first", "g", "first", "To the first line.", "scroll('home')", "dialog.help"),
    Command("dialog.help.last", "G", "last", "To the last line.", "scroll('end')", "dialog.help"),
    Command("dialog.leave.quit", "q,enter,y", "quit", "Quit; collecting ends with the window.",
            "dismiss('quit')", "dialog.leave"),
    Command("dialog.leave.again", "ctrl+c", "quit", "Quit, pressed again.", "dismiss('quit')", "dialog.leave",
            priority=True),
    Command("dialog.leave.detach", "d", "collect on", "Quit, and collect in the background.",
            "dismiss('detach')", "dialog.leave"),
    Command("dialog.leave.stay", "escape,n", "stay", "Stay.", "dismiss(None)", "dialog.leave", out=True),
    Command("dialog.consent.agent_logs", "a", "agent logs", "The next answer about logs of agents.",
            "change('agent_logs')", "dialog.consent"),
    Command("dialog.consent.provider_keys", "k", "provider keys", "The next answer about keys of providers.",
            "change('provider_keys')", "dialog.consent"),
    Command("dialog.consent.status_pages", "s", "status pages", "The next answer about status pages.",
            "change('status_pages')", "dialog.consent"),
    Command("dialog.consent.turn", "space,left,right", "change", "The next answer of the row under the "
            "cursor.", "turn", "dialog.consent"),
    Command("dialog.consent.up", "up", "up", "The row above.", "move(-1)", "dialog.consent"),
    Command("dialog.consent.down", "down", "down", "The row below.", "move(1)", "dialog.consent"),
    Command("dialog.consent.all", "y", "allow all", "Allow everything that was found.", "all(True)",
            "dialog.consent"),
    Command("dialog.consent.none", "n", "never", "Never use any of it.", "all(False)", "dialog.consent"),
    Command("dialog.consent.save", "enter", "save", "Keep the answers.", "save", "dialog.consent"),
    Command("dialog.consent.later", "escape", "later", "Keep none; it is asked again at the next start.",
            "later", "dialog.consent", out=True),
    Command("dialog.tour.next", "enter", "goes on", "The next step of the tour.", "tour_turn(1)",
            "dialog.tour", priority=True),
    Command("dialog.tour.back", "backspace", "back", "The step before.", "tour_turn(-1)", "dialog.tour",
            priority=True),
    Command("dialog.tour.leave", "escape", "leaves the tour", "No more of the tour.", "tour_turn(0)",
            "dialog.tour", priority=True, out=True),
)  # fmt: skip


TITLES: Mapping[str, str] = {
    "time": "the time range", "export": "writing a file", "alert": "an alert", "saved": "saved queries",
    "name": "saving a query", "command": "the command line", "still": "a large chart", "leave": "leaving",
    "consent": "what may be used", "tour": "the tour",
}  # fmt: skip
"""What has keys of its own besides panes and widgets, and is asked for help."""
_OWN = frozenset({"help", "consent", "tour"})
"""Those that add no key for help: it is the help, and what stands on the dashboard has the key from there."""


def bindings(dialog: str) -> "list[BindingType]":
    """The keys of a dialog, by its name without `dialog.`; with the one that tells them all."""
    own = [command for command in DIALOGS if command.pane == f"{DIALOG}{dialog}"]
    if dialog not in _OWN:
        own += [replace(c, action=f"help('{dialog}')") for c in COMMANDS if c.id == "help"]
    return [binding(command) for command in own]
