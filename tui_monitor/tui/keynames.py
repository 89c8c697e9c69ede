"""Keys by name: as people write and read them, and as the toolkit calls them. Needs no toolkit."""

import string
import unicodedata

from tui_monitor.model.errors import UsageError

_CALLED = {
    "solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen_minus": "minus",
    "plus_sign": "plus", "low_line": "underscore",
}  # fmt: skip
"""Characters that the toolkit does not call by their name in Unicode."""


def _name_of(character: str) -> str:
    if character.isalnum():
        return character
    name = unicodedata.name(character, character).lower().replace("-", "_").replace(" ", "_")
    return _CALLED.get(name, name)


_CHARACTERS = {_name_of(character): character for character in string.punctuation}
_CALLS = {character: name for name, character in _CHARACTERS.items()}
_SHOWN = {
    **_CHARACTERS, "escape": "esc", "pageup": "page up", "pagedown": "page down", "left": "←", "right": "→",
    "up": "↑", "down": "↓",
}  # fmt: skip
_MOVING = frozenset({"left", "right", "up", "down", "home", "end", "pageup", "pagedown"})
_PLAIN = _MOVING | {"tab", "enter", "escape", "space", "backspace", "delete", "insert"}
_FUNCTION = frozenset(f"f{n}" for n in range(1, 25))
_ALSO = {
    "esc": "escape", "return": "enter", "page up": "pageup", "page down": "pagedown", "pgup": "pageup",
    "pgdn": "pagedown", "pgdown": "pagedown", "del": "delete", "ins": "insert", "spacebar": "space",
    "←": "left", "→": "right", "↑": "up", "↓": "down", " ": "space",
}  # fmt: skip
_WAYS = {"control": "ctrl", "meta": "alt", "option": "alt"}
_SAME = {
    "ctrl+i": "tab", "ctrl+m": "enter", "ctrl+[": "escape", "ctrl+h": "backspace", "ctrl+left_square_bracket":
    "escape",
}  # fmt: skip
"""What terminals cannot tell apart."""
_WITH_CTRL = frozenset({"at", "@", "backslash", "right_square_bracket", "circumflex_accent", "underscore"})
FORMS = 'write it like "r", "?", "f5", "space", "ctrl+r", "shift+left" or "alt+x"'


def shown_key(name: str) -> str:
    """One of the toolkit's key names as people read it."""
    *modifiers, base = name.split("+")
    return "+".join([*modifiers, _SHOWN.get(base, base)])


def in_words(shown: str) -> str:
    """A shown key without arrows, for a terminal that cannot show them."""
    for arrow in "←→↑↓":
        shown = shown.replace(arrow, _ALSO[arrow])
    return shown


def is_typed(name: str) -> bool:
    """Whether one of the toolkit's key names is a character, which belongs to a line that one types into."""
    return len(name) == 1 or name in _CHARACTERS or name == "space"


def read_key(text: str) -> str:
    """A key as people write it → the toolkit's name.

    Raises `UsageError` for what is no key, and for what no terminal sends, or not as a key of its own.
    """
    *modifiers, base = _parts(text)
    ways = frozenset(_WAYS.get(word, word) for word in modifiers)
    if unknown := ways - {"ctrl", "shift", "alt"}:
        raise UsageError(f"{text!r} is no key: there is no {sorted(unknown)[0]!r} to hold", hint=FORMS)
    if len(base) == 1 and base.isalpha() and ways == {"shift"}:
        ways, base = frozenset(), base.upper()
    elif len(base) == 1 and ways:
        base = base.lower()
    name = _CALLS.get(base, base)
    if not ways and (name in _PLAIN | _FUNCTION or _printable(base)):
        return name
    held = "+".join(word for word in ("ctrl", "alt", "shift") if word in ways)
    if other := _SAME.get(f"{held}+{name}"):
        raise UsageError(f"{text!r} is the same as {other!r} to a terminal", hint=f"write {other!r}")
    if not _sent(ways, name):
        known = name in _PLAIN | _FUNCTION or _printable(base)
        why = "no terminal is sure to send it" if known else "it is no key"
        raise UsageError(f"{text!r} cannot be used: {why}", hint=FORMS)
    return f"{held}+{'@' if name in ('at', 'space') and ways == {'ctrl'} else name}"


def _parts(text: str) -> list[str]:
    """The keys that are held, and the one that is pressed."""
    text = text if text == " " else text.strip()
    if len(text) == 1:
        return [_ALSO.get(text, text)]
    held, plus, base = text.rpartition("+")
    if not base and held.endswith("+"):
        held, base = held[:-1], "+"
    parts = held.lower().split("+") if plus else []
    base = base if len(base) == 1 else base.lower()
    return [*parts, _ALSO.get(base, base)]


def _printable(base: str) -> bool:
    return (len(base) == 1 and base.isprintable()) or base in _CHARACTERS


def _sent(ways: frozenset[str], name: str) -> bool:
    """Whether terminals send it, by what xterm and its likes do."""
    letter = len(name) == 1 and name in string.ascii_lowercase
    if ways == {"ctrl"}:
        return letter or name in _MOVING | _FUNCTION | _WITH_CTRL | {"delete", "space"}
    if ways == {"shift"}:
        return name in _MOVING | {"tab", "delete"}
    if ways == {"alt"}:
        return letter or (len(name) == 1 and name in string.digits)
    return ways == {"ctrl", "shift"} and name in _MOVING | {"delete"}
