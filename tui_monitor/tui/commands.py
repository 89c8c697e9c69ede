"""Every command of the screen, declared once: keys, footer, palette and help are all made from this table."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_monitor.tui.keynames import shown_key
from tui_monitor.tui.panes.table import PANES

if TYPE_CHECKING:
    from textual.binding import BindingType


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a person can do.

    In `help`, `{id}` stands for the key that a command has here, a name of `PAIRS` for two. `keys` are
    Textual's names, separated by commas. `pane` is where it works; empty is everywhere, and
    `chart`, `list` and `line` are whichever chart, list or line for typing has the focus.
    `footer` is its place in the footer line, 0 for none. Dangerous ones change more than this screen: they
    can be taken back, and do not exist where the screen is read-only.
    """

    id: str
    keys: str
    label: str
    help: str
    action: str
    pane: str = ""
    footer: int = 0
    dangerous: bool = False
    sign: str = ""
    """The key as it is shown; the first one by default."""
    priority: bool = False
    """Whether it wins over the widget that has the focus."""
    out: bool = False
    """Whether it is the way out, which must keep a key."""

    @property
    def key(self) -> str:
        """The key as people read it."""
        return self.sign or shown_key(self.keys.split(",")[0])


KEPT = 99
"""Places in the footer from here on are kept when room is short."""
WIDGETS = ("chart", "list", "line")
"""Places that are no pane."""

PAIRS = {
    "values": ("list.left", "list.right"), "points": ("chart.earlier", "chart.later"),
    "rows": ("list.up", "list.down"),
}  # fmt: skip
"""Names of two keys that are told together."""
_READ_OFF, _ORDER = "Read the chart off with {points}.", "Order by the value chosen with {values}."
_SIFTED = ("overview", "providers", "costs", "sources", "system", "collector")
"""Panes whose lists are filtered by what their rows show."""

COMMANDS: tuple[Command, ...] = (
    *(
        Command(f"pane.{pane.id}", pane.key, pane.title, pane.about, f"pane('{pane.id}')") for pane in PANES
    ),
    Command("pane.next", "tab", "next pane", "The next pane.", "turn(1)"),
    Command("pane.previous", "shift+tab", "previous pane", "The pane before.", "turn(-1)"),
    Command(
        "part.next", "f6", "next part", "The next list, chart or line of this pane.", "part(1)"
    ),
    Command("jump", "ctrl+o", "jump", "Letters over every tab, list, chart and line: one of them goes there.",
            "jump"),
    Command("range.choose", "t", "time", "Choose the time range of all panes.", "choose_range", footer=80),
    Command("range.shorter", "left_square_bracket", "shorter", "A shorter time range.", "resize_range(-1)"),
    Command("range.longer", "right_square_bracket", "longer", "A longer time range.", "resize_range(1)"),
    Command("range.earlier", "comma", "earlier", "Half a range back in time.", "shift_range(-1)"),
    Command("range.later", "full_stop", "later", "Half a range on in time.", "shift_range(1)"),
    Command("range.back", "less_than_sign", "range before", "Back to the range that was shown before.",
            "range_back"),
    Command("range.on", "greater_than_sign", "range after", "On to the range that was gone back from.",
            "range_on"),
    Command("range.compare", "w", "compare", "Compare with the period before, the same time a day or "
            "a week before: charts draw it too.", "compare"),
    Command("range.newest", "n", "newest data", "Travel to the newest data there is.", "newest"),
    Command("range.live", "N", "live", "Back to now, moving with the clock.", "live"),
    Command(
        "pause", "space", "pause", "Freeze the screen; collecting goes on. Again to go on.", "pause",
        footer=90,
    ),
    Command("export", "x", "export", "Write what is shown to a file: CSV, JSON, or a picture.",
            "export", footer=94),
    Command("copy", "y", "copy", "Copy the value chosen with {values}, else the id, name or query there.",
            "copy(False)", footer=95),
    Command("copy_row", "Y", "copy row", "Copy the row under the cursor.", "copy(True)"),
    Command("density", "D", "density", "Normal, or compact without empty lines between the parts.",
            "app.density"),
    Command("refresh", "r", "refresh", "Look at the data again, now.", "look_again"),
    Command(
        "consent", "C", "allow", "Say what may be used: logs of agents, keys, status pages.", "consent",
        footer=70, dangerous=True,
    ),
    Command("help", "question_mark,f1", "help", "What has the focus, and every key that works here.", "help",
            footer=99),
    Command(
        "palette", "ctrl+p", "commands", "Find a command by its name; themes too.", "palette",
    ),
    Command("command", "colon", "command", "Say what to do: a pane, a command, range TIME, theme NAME …",
            "command"),
    Command("takeover", "T", "collect here", "Take over collecting, when nobody does.", "app.take_over",
            footer=75, dangerous=True),
    Command("suspend", "ctrl+z", "suspend", "Back to the shell until `fg`; collecting waits too.",
            "app.suspend_process"),
    Command("redraw", "ctrl+l", "draw anew", "Draw the whole screen anew, where something else wrote on it.",
            "app.redraw"),
    Command("quit", "q", "quit", "Leave; asks where collecting ends with this window.", "app.leave",
            footer=100),
    Command(
        "interrupt", "ctrl+c", "quit", "Leave, asking once.", "app.interrupt", sign="ctrl+c", priority=True,
        out=True,
    ),
    Command("overview.open", "enter", "open", "The pane that has more of the row; on a value chosen with "
            "{values} its query.", "open", "overview", 10),
    Command("overview.acknowledge", "a", "acknowledge", "Take care of the alert under the cursor.",
            "acknowledge", "overview", 15, dangerous=True),
    Command("overview.events", "e", "events", "What changed, or single calls as well.", "events", "overview",
            30),
    Command("overview.chart", "c", "crosshair", "Read the chart off with {points}; {part.next} goes to the "
            "other one.",
            "chart", "overview", 20),
    Command("overview.drawing", "d", "drawing", "Lines, areas, stacked areas or bars, what suits.",
            "drawing(1)", "overview", 35),
    Command("overview.sort", "o", "order", _ORDER, "order", "overview"),
    Command(
        "providers.query", "enter", "query",
        "Open the query behind the row, or behind the value chosen with {values}.", "open", "providers", 10,
    ),
    Command("providers.chart", "c", "crosshair", _READ_OFF, "chart", "providers", 20),
    Command("providers.drawing", "d", "drawing", "Lines, areas, stacked areas or bars, what suits.",
            "drawing(1)", "providers", 35),
    Command("providers.metric", "m", "chart", "The next figure on the chart.", "metric", "providers", 30),
    Command("providers.sort", "o", "order", _ORDER, "order", "providers"),
    Command(
        "costs.query", "enter", "query",
        "Open the query behind the row, or behind the value chosen with {values}.", "open", "costs", 10,
    ),
    Command("costs.by", "b", "by", "The next dimension: provider, model, user …", "by(1)", "costs", 20),
    Command("costs.drawing", "d", "drawing", "The days whole, divided into the rows, or added up with the "
            "projection.", "drawing(1)", "costs", 40),
    Command("costs.chart", "c", "crosshair", "Read the running total off with {points}.", "chart", "costs",
            45),
    Command("costs.by_back", "B", "by, back", "The dimension before.", "by(-1)", "costs"),
    Command("costs.period", "p", "period", "The next period: today, week, month …", "period(1)", "costs", 30),
    Command("costs.period_back", "P", "period, back", "The period before.", "period(-1)", "costs"),
    Command("costs.sort", "o", "order", _ORDER, "order", "costs"),
    Command(
        "alerts.acknowledge", "a", "acknowledge", "Take care of the alert under the cursor; asks for a note.",
        "acknowledge", "alerts", 10, dangerous=True,
    ),
    Command(
        "alerts.silence", "s", "silence", "Keep the alert under the cursor quiet for a while; asks how long.",
        "silence", "alerts", 20, dangerous=True,
    ),
    Command(
        "alerts.undo", "u,A", "undo", "End silence or acknowledgement of the alert under the cursor, "
        "else take your last action back.", "undo", "alerts", 30, dangerous=True,
    ),
    Command(
        "alerts.detail", "enter", "detail", "Expression, chart and history of the alert, and back.",
        "open", "alerts", 40,
    ),
    Command(
        "alerts.query", "e", "expression", "Open what the rule compares in the Query pane.",
        "query", "alerts", 50,
    ),
    Command(
        "alerts.filter", "slash", "filter", "Only alerts with these words in rule, labels or summary.",
        "filter", "alerts", 60,
    ),
    Command(
        "alerts.silences", "S", "silences", "Who silenced what until when.",
        "silences", "alerts", 65,
    ),
    Command(
        "alerts.leave", "escape", "back", "One step back to the list of all alerts.", "leave", "alerts", 5,
    ),
    Command("alerts.chart", "c", "crosshair", _READ_OFF, "chart", "alerts"),
    Command(
        "alerts.sort", "o", "order",
        "The most severe, the newest, by rule; or by the value chosen with {values}.",
        "order", "alerts", 70,
    ),
    Command(
        "query.line", "slash,i", "query line", "Go to the query line; {query.leave} leaves it.", "line",
        "query", 10,
    ),
    Command("query.ask", "enter", "ask", "Ask what stands in the line.", "line", "query", 5),
    Command("query.leave", "escape", "back", "From the query line to the answer, "
            "from a call back to the list.", "leave_line", "query", 15),
    Command("query.detail", "enter", "detail", "All about the call under the cursor, and its price.", "open",
            "query", 12),
    Command("query.older", "J", "older", "The sheet of the next call down the list.", "step(1)", "query", 13),
    Command("query.newer", "K", "newer", "The sheet of the next call up the list.", "step(-1)", "query", 14),
    Command("query.explain", "e", "explain", "How the query was read: as PromQL, or as a filter of calls.",
            "explain", "query", 25),
    Command("query.pin", "p", "pin", "Pin the query, or take the pinned one away.", "pin", "query", 40),
    Command("query.pinned", "P", "pinned", "The pinned queries side by side, and back.", "pinned", "query",
            45),
    Command("query.pin_again", "u", "undo", "Pin again what was taken away last.", "pin_again", "query"),
    Command("query.save", "s", "save", "Keep the query under a name.", "save", "query", 50),
    Command("query.saved", "S", "saved", "Choose one of the saved queries.", "saved", "query", 55),
    Command("query.view", "ctrl+t,v", "table/chart", "The answer as a table or as a chart.", "view", "query",
            20),
    Command("query.chart", "c", "crosshair", _READ_OFF, "chart", "query", 30),
    Command("query.drawing", "d", "drawing", "Lines, areas, stacked areas or bars, what suits.",
            "drawing(1)", "query", 35),
    Command("calls.leave", "escape", "back", "From a call to the list, from a filter to all calls.", "leave",
            "calls", 5),
    Command("calls.detail", "enter", "detail", "All about the call under the cursor: its price taken apart, "
            "the calls around it.", "open", "calls", 10),
    Command("calls.older", "J", "older", "The sheet of the next call down the list.", "step(1)", "calls", 20),
    Command("calls.newer", "K", "newer", "The sheet of the next call up the list.", "step(-1)", "calls", 22),
    Command("calls.filter", "slash", "filter", "Only calls that pass, like status=error AND cost>$0.05.",
            "filter", "calls", 20),
    Command("calls.pause", "p", "pause", "Let no new calls in, or let them in again.", "hold", "calls", 30),
    Command("calls.follow", "f", "follow", "To the newest call, and along with it.", "follow", "calls", 25),
    Command("calls.sort", "o", "order", "Order what is in the list by the value chosen with {values}.",
            "order", "calls", 40),
    Command("calls.query", "e", "query", "Open the filter in the Query pane.", "query", "calls", 50),
    Command(
        "sources.pause", "p", "pause/resume", "Let the source under the cursor wait, or go on again.",
        "pause_source", "sources", 10, dangerous=True,
    ),
    Command(
        "sources.retry", "f", "retry now", "Try at once again what failed or waits.", "retry", "sources", 20,
        dangerous=True,
    ),
    Command(
        "sources.detail", "enter", "detail", "All about the row under the cursor, and back.", "open",
        "sources", 30,
    ),
    Command("sources.leave", "escape", "back", "From the detail to the list, from a filter to all rows.",
            "leave", "sources", 5),
    Command("sources.sort", "o", "order", _ORDER, "order", "sources"),
    Command("system.query", "enter", "query", "Open the query behind the figure.", "open",
            "system", 10),
    Command("system.sort", "o", "order", _ORDER, "order", "system"),
    Command("chart.earlier", "left,h", "read off", "The crosshair one point earlier.", "point(-1)", "chart",
            10, sign="← →"),
    Command("chart.later", "right,l", "later", "The crosshair one point later.", "point(1)", "chart"),
    Command("chart.earlier_far", "shift+left", "far", "A tenth of the chart earlier.", "point(-1, True)",
            "chart", 20, sign="shift"),
    Command("chart.later_far", "shift+right", "far later", "A tenth of the chart later.", "point(1, True)",
            "chart"),
    Command("chart.first", "home", "first", "The first point.", "point_end(0)", "chart"),
    Command("chart.last", "end", "last", "The last point.", "point_end(-1)", "chart"),
    Command("chart.zoom_in", "plus,equals_sign", "zoom", "Half the time range, about the crosshair.",
            "zoom(0.5)", "chart", 30, sign="+ -"),
    Command("chart.zoom_out", "minus", "zoom out", "Twice the time range, about the crosshair.",
            "zoom(2.0)", "chart"),
    Command("chart.pan_back", "ctrl+left,H", "move", "A quarter of the time range back.", "pan(-0.25)",
            "chart", 40, sign="H L"),
    Command("chart.pan_on", "ctrl+right,L", "move on", "A quarter of the time range on.", "pan(0.25)",
            "chart"),
    Command("chart.still", "z,enter", "large", "The whole screen for it, still; {dialog.still.turn} there: "
            "how the values are distributed.", "still", "chart", 45),
    Command("chart.leave", "escape", "back", "Leave the crosshair.", "leave", "chart", 5),
    Command("list.up", "up,k", "up", "The row above.", "move(-1)", "list"),
    Command("list.down", "down,j", "down", "The row below.", "move(1)", "list"),
    Command("list.half_up", "ctrl+u", "half up", "Half a screen up.", "half(-1)", "list"),
    Command("list.half_down", "ctrl+d", "half down", "Half a screen down.", "half(1)", "list"),
    Command("list.page_up", "pageup", "page up", "A screen up.", "page(-1)", "list"),
    Command("list.page_down", "pagedown", "page down", "A screen down.", "page(1)", "list"),
    Command("list.first", "home,g", "first", "The first row.", "jump(0)", "list"),
    Command("list.last", "end,G", "last", "The last row.", "jump(-1)", "list"),
    Command("list.left", "left,h", "left", "Choose the value to the left; before the first the whole row.",
            "choose(-1)", "list"),
    Command("list.right", "right,l", "right", "Choose the value to the right.", "choose(1)", "list"),
    Command("list.open", "enter", "open", "Open the row, or the value chosen in it.", "open", "list"),
    Command("line.earlier", "up", "earlier", "The way before in the list; without one the line before this.",
            "prompt('up')", "line"),
    Command("line.later", "down", "later", "The next way in the list, or the line after.", "prompt('down')",
            "line"),
    Command("line.complete", "tab", "complete", "Take the way that is marked.", "prompt('accept')", "line"),
    Command("line.offer", "ctrl+@,ctrl+space", "ways on", "Ways to go on from the cursor.",
            "prompt('offer')", "line", sign="ctrl+space"),
    Command("line.search", "ctrl+r", "search", "Search what was asked before; again for the one before that.",
            "prompt('search')", "line"),
    Command("line.close", "escape", "close", "Close the list of ways to go on.", "prompt('close')", "line"),
    Command(
        "collector.query", "enter", "query", "Open the slow query, or the one behind the figure.", "open",
        "collector", 10,
    ),
    Command("collector.sort", "o", "order", _ORDER, "order", "collector"),
    *(
        Command(f"{pane}.filter", "slash", "filter",
                "Only rows with these words: openai, state=failed, !local.", "filter", pane, 60)
        for pane in _SIFTED
    ),
    *(
        Command(f"{pane}.leave", "escape", "all rows", "From a filter to all rows.", "leave", pane, 5)
        for pane in _SIFTED
        if pane != "sources"
    ),
    Command("boards.query", "enter", "query", "Open the panel's query, or the board under the cursor.",
            "open", "boards", 10),
    Command("boards.list", "b", "boards", "The list of all boards, and back.", "choose", "boards", 15),
    Command("boards.leave", "escape", "back", "From the list to the board.", "leave", "boards", 5),
    Command("boards.next", "B", "next board", "The next board.", "next(1)", "boards", 25),
    Command("boards.left", "left", "panel", "The panel to the left.", "across(-1, 0)", "boards", 20,
            sign="← →"),
    Command("boards.right", "right", "to the right", "The panel to the right.", "across(1, 0)", "boards"),
    Command("boards.up", "up,k", "above", "The panel above.", "across(0, -1)", "boards"),
    Command("boards.down", "down,j", "below", "The panel below.", "across(0, 1)", "boards"),
    Command("boards.chart", "c", "crosshair", "Read the chart off with {points}; {chart.leave} leaves it.",
            "chart", "boards", 30),
    Command("boards.drawing", "d", "drawing", "Lines, areas, stacked areas or bars, what suits.",
            "drawing(1)", "boards", 35),
)  # fmt: skip


BY_NAME: tuple[Command, ...] = (
    Command("tour", "", "tour", "Six steps through the screen.", "tour"),
    Command("faults", "", "faults", "What is wrong with keys and themes, and was left out.", "app.faults"),
    Command("forget-layout", "", "forget the layout", "The next dashboard begins as the settings say; once "
            "more takes that back.", "app.forget_layout"),
)  # fmt: skip
"""Commands that have no key: the palette and the line behind `:` find them."""


def bindings(pane: str) -> "list[BindingType]":
    """The keys of a pane or a widget, or of the whole screen for the empty name.

    `enter` is the list's own key, which opens the row: a pane's command has it only in words, and a place
    in the chain of bindings under a name that no terminal sends, for another key to be put there.
    """
    return [
        binding(c, f"unbound.{c.id}" if c.keys == "enter" and pane not in WIDGETS else "")
        for c in COMMANDS
        if c.pane == pane
    ]


def binding(command: Command, keys: str = "") -> "BindingType":
    """A command as the toolkit knows it, with its declared keys or others."""
    from textual.binding import Binding

    return Binding(
        keys or command.keys, command.action, command.label, show=False, id=command.id,
        priority=command.priority,
    )  # fmt: skip
