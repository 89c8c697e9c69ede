"""What the line behind `:` understands: panes, commands by name, and words that take something."""

import difflib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tui_monitor.config import boards
from tui_monitor.model.errors import UsageError
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import PRESETS, TimeRange
from tui_monitor.model.timewords import NotATime, following, last_word, read_range
from tui_monitor.query.result import Completion
from tui_monitor.tui.commands import BY_NAME, WIDGETS, Command
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.words import length_words, range_preview

if TYPE_CHECKING:
    from tui_monitor.tui.screens.dashboard import Dashboard

Deed = Callable[[], Awaitable[object] | None]
"""What is to be done, once the line is gone."""


class WrongWord(UsageError):
    """A line that is not understood: where in it, and what would help."""

    def __init__(
        self, message: str, position: int, length: int, hint: str = "", *, unfinished: bool = False
    ) -> None:
        """Characters from the line's beginning; `unfinished` where more of it may make it right."""
        super().__init__(message, hint=hint)
        self.position = position
        self.length = length
        self.unfinished = unfinished


@dataclass(frozen=True, slots=True)
class Verb:
    """A word that takes something.

    `read` understands what stands behind it, or raises `UsageError`; `ways` are how that can go on, and
    `told` says what it would do.
    """

    name: str
    takes: str
    help: str
    read: "Callable[[Dashboard, str], Deed]"
    ways: "Callable[[Dashboard, str], Sequence[Completion]]"
    told: "Callable[[Dashboard, str], str] | None" = None


# Time.


def _understood(dashboard: "Dashboard", text: str) -> TimeRange:
    if dashboard.snapshot is None or dashboard.now is None:
        raise UsageError("there is no data to look at yet")
    return read_range(text, dashboard.shown, dashboard.now, dashboard.snapshot.calendar)


def _range(dashboard: "Dashboard", text: str) -> Deed:
    return partial(dashboard.show_range, _understood(dashboard, text))


def _range_ways(dashboard: "Dashboard", text: str) -> list[Completion]:
    if not text:
        return [Completion(name, 0, "duration", f"the last {length_words(size)}") for name, size in PRESETS]
    if dashboard.snapshot is None or dashboard.now is None or not (word := last_word(text)):
        return []
    words = following(text, dashboard.now, dashboard.snapshot.calendar)
    begun = word.lower()
    return [Completion(w, len(word), "keyword") for w in words if w.startswith(begun) and w != begun]


def _range_told(dashboard: "Dashboard", text: str) -> str:
    shown = _understood(dashboard, text)
    assert dashboard.snapshot is not None
    assert dashboard.now is not None
    return range_preview(shown, dashboard.now, dashboard.snapshot.calendar)


# Themes, dashboards and queries.


def _theme(dashboard: "Dashboard", text: str) -> Deed:
    themes = sorted(dashboard.app.available_themes)
    if text not in themes:
        raise UsageError(f"no theme is called {clean(text, 40)!r}", hint=_near(text, themes))
    return partial(dashboard.run_command, f"app.use_theme({text!r})")


def _theme_ways(dashboard: "Dashboard", text: str) -> list[Completion]:
    now = dashboard.app.theme
    return [
        Completion(name, len(text), "value", "shown now" if name == now else "")
        for name in sorted(dashboard.app.available_themes)
        if text.lower() in name
    ]


def look_up_boards(dashboard: "Dashboard") -> list[str]:
    """The names of all boards there are now. Blocks."""
    return boards.names(boards.folder(dashboard.backend.config_file))


def _board(dashboard: "Dashboard", text: str) -> Deed:
    known = dashboard.board_names
    if text.lower() not in (name.lower() for name in known):
        raise UsageError(f"no dashboard is called {clean(text, 40)!r}", hint=_near(text, known))
    return partial(dashboard.action_board, text)


def _board_ways(dashboard: "Dashboard", text: str) -> list[Completion]:
    known = dashboard.board_names
    return [Completion(name, len(text), "value") for name in known if text.lower() in name.lower()]


def _query(dashboard: "Dashboard", text: str) -> Deed:
    return partial(dashboard.ask_for, text)


VERBS: tuple[Verb, ...] = (
    Verb("range", "TIME", "Look at another time, like 6h or yesterday.", _range, _range_ways, _range_told),
    Verb("theme", "NAME", "Show everything in other colours.", _theme, _theme_ways),
    Verb("board", "NAME", "Show one of the dashboards.", _board, _board_ways),
    Verb("query", "QUERY", "Ask in the Query pane.", _query, lambda _dashboard, _text: ()),
)
"""A verb that is a command as well is that command where nothing stands behind it."""
_SHORT = {"q": "quit", "h": "help", "?": "help", "exit": "quit"}
"""Other names of commands."""


def _near(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word.lower(), known, 1, 0.5)
    return f"did you mean {near[0]}?" if near else ""


def named(dashboard: "Dashboard") -> dict[str, Command]:
    """Name → command, of those that work here: by id, and by its last word where that says which."""
    commands = [
        c
        for c in (*keymap_of(dashboard.app).commands, *BY_NAME)
        if c.pane not in WIDGETS and c.pane in ("", dashboard.active) and c.id != "command"
    ]
    found: dict[str, Command] = {}
    # What works everywhere has the short name, panes before all else.
    for command in sorted(commands, key=lambda c: (bool(c.pane), not c.id.startswith("pane."))):
        found[command.id] = command
        found.setdefault(command.id.rpartition(".")[2].replace("_", "-"), command)
    return found


def _verb(word: str) -> Verb | None:
    return next((one for one in VERBS if one.name == word.lower()), None)


def _split(line: str) -> tuple[str, str, int, int]:
    """The first word, what stands behind it, and where both begin."""
    body = line.strip()
    word, _, rest = body.partition(" ")
    start = len(line) - len(line.lstrip())
    return word, rest.strip(), start, start + len(body) - len(rest.lstrip())


def read(dashboard: "Dashboard", line: str) -> Deed | None:
    """What a line is to do; nothing for an empty one. Raises `WrongWord`."""
    word, rest, start, behind = _split(line)
    if not word:
        return None
    verb = _verb(word)
    commands = named(dashboard)
    command = commands.get(_SHORT.get(word.lower(), word.lower()))
    if verb is not None and rest:
        try:
            return verb.read(dashboard, rest)
        except NotATime as error:
            message, hint = error.message, error.hint or ""
            place = behind + error.position
            raise WrongWord(message, place, error.length, hint, unfinished=error.unfinished) from None
        except UsageError as error:
            raise WrongWord(error.message, behind, len(rest), error.hint or "") from None
    if command is not None and rest:
        raise WrongWord(f"{word.lower()} takes nothing behind it", behind, len(rest))
    if command is not None:
        return partial(dashboard.run_command, command.action)
    if verb is not None:
        hint = f"write {verb.name} {verb.takes}"
        raise WrongWord(f"{verb.name} what?", start, len(word), hint, unfinished=True)
    dashboards = dashboard.board_names
    if word in dashboards and not rest:
        return _board(dashboard, word)
    keymap = keymap_of(dashboard.app)
    known = [*dashboards, *commands, *(one.name for one in VERBS)]
    message = f"there is no command {clean(word, 40)!r}"
    raise WrongWord(message, start, len(word), _near(word, known) or keymap.filled("{line.offer} shows all"))


def wrong(dashboard: "Dashboard", line: str) -> WrongWord | None:
    """What is wrong with a line however it goes on; nothing where it is right, or may yet be."""
    try:
        read(dashboard, line)
    except WrongWord as error:
        return None if error.unfinished or ways(dashboard, line, len(line)) else error
    return None


def told(dashboard: "Dashboard", line: str) -> str:
    """What a line would do, in a few words; empty where there is nothing to tell, or it is not understood."""
    word, rest, _, _ = _split(line)
    verb = _verb(word)
    if verb is not None and rest:
        try:
            return verb.told(dashboard, rest) if verb.told is not None else verb.help
        except UsageError:
            return ""
    command = named(dashboard).get(word.lower())
    if command is not None:
        return command.help
    if verb is not None:
        return f"{verb.takes}: {verb.help}"
    return "Show this dashboard." if word in dashboard.board_names else ""


def ways(dashboard: "Dashboard", text: str, cursor: int) -> list[Completion]:
    """How a line can go on from the cursor, best first."""
    word, gap, rest = text[:cursor].lstrip().partition(" ")
    if gap:
        verb = _verb(word)
        return [] if verb is None else list(verb.ways(dashboard, rest.lstrip()))
    commands = named(dashboard)
    # The short name alone, where there is one.
    short = {command.id: name for name, command in commands.items() if name != command.id}
    every = [Completion(f"{one.name} ", len(word), "keyword", f"{one.takes}: {one.help}") for one in VERBS]
    every += [
        Completion(name, len(word), "keyword", command.help)
        for name, command in commands.items()
        if short.get(command.id, name) == name and _verb(name) is None
    ]
    every += [Completion(one, len(word), "keyword", "A dashboard.") for one in dashboard.board_names]
    begun = word.lower()
    fits = [one for one in every if begun in one.text.lower()]
    return sorted(fits, key=lambda one: not one.text.lower().startswith(begun))
