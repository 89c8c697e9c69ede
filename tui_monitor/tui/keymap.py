"""Which keys do what here: the declared ones, and above them those of the configuration."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tui_monitor.model.errors import UsageError
from tui_monitor.tui.commands import COMMANDS, PAIRS, WIDGETS, Command
from tui_monitor.tui.dialogkeys import ALWAYS, DIALOG, DIALOGS, WITHIN
from tui_monitor.tui.keynames import in_words, is_typed, read_key, shown_key

Changes = Mapping[str, tuple[str, ...]]
"""Command → its keys by the toolkit's names; none of them where it is to have none."""
EVERY: tuple[Command, ...] = (*COMMANDS, *DIALOGS)
_UNBOUND = "unbound"
_NONE = "–"
_KEY = re.compile(r"\{([a-z._]+)\}")
MOST = 8
"""Keys that one command may have."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of `[keys]` that does not hold: where it stands in the table, and why."""

    path: tuple[str, ...]
    message: str

    def __str__(self) -> str:
        return f"keys.{'.'.join(self.path)}: {self.message}"


class Keymap:
    """The commands with the keys that they have here. What cannot be used changes nothing; `faults` tell."""

    def __init__(
        self, given: Mapping[str, Any] | None = None, *, read_only: bool = False, plain: bool = False
    ) -> None:
        """`given` is the table `[keys]`; where the screen is read-only, dangerous commands do not exist;
        where it is `plain`, arrows are called by their names."""
        self.read_only = read_only
        self.plain = plain
        self.changes, self.faults = read(given or {})
        named = [
            self._with(command, self.changes.get(command.id))
            for command in EVERY
            if not (read_only and command.dangerous)
        ]
        self._by_id = {command.id: command for command in named}
        self.commands = tuple(
            replace(command, help=self.filled(command.help)) if "{" in command.help else command
            for command in named
        )
        self._by_id |= {command.id: command for command in self.commands}

    def of(self, pane: str) -> list[Command]:
        """The commands that work in one pane or widget only; of everywhere for the empty name."""
        return [command for command in self.commands if command.pane == pane]

    def get(self, id: str) -> Command | None:
        """A command by its id; None where there is none here."""
        return self._by_id.get(id)

    def key(self, id: str) -> str:
        """The key of a command as people read it; where it has none `:` and its name, if that can be said."""
        command = self._by_id.get(id)
        if command is not None and command.keys:
            return command.key
        return _NONE if command is not None and _inner(command) else f":{id}"

    def filled(self, text: str) -> str:
        """A text with the keys that hold where `{id}` stands, or one of `PAIRS`."""
        return "".join(part for part, _ in self.parts(text))

    def parts(self, text: str) -> list[tuple[str, bool]]:
        """The same in pieces, and of each whether it is keys."""
        pieces = _KEY.split(text)
        return [(self._keys_of(p) if n % 2 else p, bool(n % 2)) for n, p in enumerate(pieces) if p]

    def _keys_of(self, name: str) -> str:
        if name not in PAIRS:
            return self.key(name)
        firsts = [self._by_id[id].keys.split(",")[0] for id in PAIRS[name]]
        return " ".join(self.shown(first) if first else _NONE for first in firsts)

    def shown(self, name: str) -> str:
        """One of the toolkit's key names as people read it here."""
        return in_words(shown_key(name)) if self.plain else shown_key(name)

    def _with(self, command: Command, keys: tuple[str, ...] | None) -> Command:
        if keys is not None:
            command = replace(command, keys=",".join(keys), sign="")
        return replace(command, sign=in_words(command.key)) if self.plain and command.keys else command

    def letters(self) -> tuple[str, ...]:
        """Commands whose key is a character, which they lose to a line that one types into."""
        return tuple(c.id for c in self.commands if is_typed(c.keys.split(",")[0]))

    def footer(self, pane: str, skipped: Sequence[str] = ()) -> list[Command]:
        """The keys that matter here, in the footer's order; `skipped` do not work at this moment."""
        wanted = [
            c for c in self.commands if c.footer and c.keys and c.pane in ("", pane) and c.id not in skipped
        ]
        return sorted(wanted, key=lambda command: command.footer)

    def bound(self) -> dict[str, str]:
        """What the toolkit is told: command → other keys than the declared ones."""
        return {id: ",".join(keys) or f"{_UNBOUND}.{id}" for id, keys in self.changes.items()}

    def refuses(self, pane: str, action: str) -> Command | None:
        """The command that an action of a pane belongs to, where the screen is read-only and it changes
        something."""
        if not self.read_only:
            return None
        return next((c for c in COMMANDS if c.dangerous and (c.pane, c.action) == (pane, action)), None)


def read(given: Mapping[str, Any]) -> tuple[dict[str, tuple[str, ...]], tuple[Fault, ...]]:
    """A table `[keys]` → what holds of it, and what does not and why."""
    paths: dict[str, tuple[str, ...]] = {}
    changes: dict[str, tuple[str, ...]] = {}
    faults: list[Fault] = []
    for path, value in _flat(given):
        id = ".".join(path)
        try:
            if id in changes:
                raise UsageError("stands there twice")
            changes[id] = _keys(_command(id), value)
            paths[id] = path
        except UsageError as error:
            faults.append(Fault(path, f"{error.message}{f'; {error.hint}' if error.hint else ''}"))
    # Leaving one out gives its command the declared key back, which may clash anew.
    while clash := _clash(changes):
        changed, message = clash
        del changes[changed]
        faults.append(Fault(paths[changed], message))
    return changes, tuple(faults)


def _flat(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Any]]:
    for name, value in table.items():
        # Written bare, the point in an id makes a table of it.
        if isinstance(value, Mapping):
            yield from _flat(value, (*above, name))
        else:
            yield (*above, name), value


def _command(id: str) -> Command:
    known = {command.id: command for command in EVERY}
    if id in known:
        return known[id]
    near = difflib.get_close_matches(id, known, 1, 0.6)
    hint = f"did you mean {near[0]}?" if near else "`tui-monitor config keys` lists them"
    raise UsageError("there is no such command", hint=hint)


def _keys(command: Command, value: Any) -> tuple[str, ...]:
    written = [value] if isinstance(value, str) else value
    if not isinstance(written, list | tuple) or not all(isinstance(key, str) for key in written):
        raise UsageError('must be a key or a list of keys, like "f5" or ["r", "f5"]')
    if len(written) > MOST:
        raise UsageError(f"has more than {MOST} keys")
    keys = tuple(dict.fromkeys(read_key(key) for key in written))
    typed = next(filter(is_typed, keys), None)
    if typed and (command.priority or command.pane == "line"):
        raise UsageError(f"{shown_key(typed)!r} is a character, and this key must work while one types")
    if command.out and not keys:
        raise UsageError("this one must keep a key: it is the way out")
    if command.out and "line" in WITHIN.get(command.pane, ()) and all(map(is_typed, keys)):
        raise UsageError("one of its keys must be no character: it is the way out while one types, too")
    return keys


def _inner(command: Command) -> bool:
    """Whether it belongs to what has the focus, or floats, and has no name behind `:`."""
    return command.pane in WIDGETS or command.pane.startswith(DIALOG)


def _clash(changes: Changes) -> tuple[str, str] | None:
    """A changed command that shares a key with another one where both work, and what to say of it."""
    default = {c.id: set(c.keys.split(",")) for c in EVERY}
    held = {c.id: set(changes.get(c.id, default[c.id])) for c in EVERY}
    for id in changes:
        mine = _command(id)
        for other in EVERY:
            if other.id == id or not _meet(mine, other):
                continue
            # What is shared as declared, like `escape`, is meant: the inner one comes first.
            shared = (held[id] & held[other.id]) - (default[id] & default[other.id])
            if mine.pane == "line" or other.pane == "line":
                shared = {key for key in shared if not is_typed(key)}
            if shared:
                key = in_words(shown_key(sorted(shared)[0]))
                return id, f"{key} is the key of {other.id} ({other.label}) there already"
    return None


def _meet(one: Command, other: Command) -> bool:
    """Whether a key press could mean both."""
    if one.pane == other.pane:
        return True
    for dialog, beside in ((one, other), (other, one)):
        if dialog.pane.startswith(DIALOG):
            return beside.id in ALWAYS or beside.pane in WITHIN.get(dialog.pane, ())
    if "" in (one.pane, other.pane):
        return True
    inner = [c.pane in WIDGETS for c in (one, other)]
    return any(inner) and not all(inner)


DEFAULT = Keymap()
"""The keys as they are declared."""


def keymap_of(app: object) -> Keymap:
    """The keys that hold in an app."""
    return getattr(app, "keymap", DEFAULT)
