"""Ways to go on with a filter that is being typed."""

import re
from collections.abc import Iterator
from typing import Protocol

from tui_monitor.model.providers import ALIASES
from tui_monitor.query.filters.ast import UNKNOWN, Value
from tui_monitor.query.filters.fields import (
    ATTRIBUTES,
    CLOSED,
    MEANINGS,
    OFFERED,
    QUANTITIES,
    TEXTS,
    Quantity,
    is_field_only,
    label_of,
)
from tui_monitor.query.filters.reading import is_filter
from tui_monitor.query.offering import matching, ordered
from tui_monitor.query.result import Completion

_NUMBERS = ((">", "above"), (">=", "at least"), ("<", "below"), ("<=", "at most"), ("=", "equal"),
            ("!=", "known, and another"))  # fmt: skip
_WORDS = (("=", "is"), ("!=", "is not"), ("~", "has in it what this expression matches"),
          ("=~", "matches as a whole"), ("!~", "does not match"))  # fmt: skip
_JOINED = ((" AND ", "both"), (" OR ", "at least one"))
_NOT = (("NOT ", "what follows is not so"), ("where ", "a filter, whatever follows"))
_QUOTED = r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`"""
_COMPARED = re.compile(
    rf"""(?P<name>[A-Za-z_][\w.\-]*|{_QUOTED})\s*(?P<op>=~|!~|!=|>=|<=|[=<>~])\s*
    (?P<value>"(?:[^"\\\n]|\\.)*$|'(?:[^'\\\n]|\\.)*$|[^\s()"'`=<>~!]*$)""",
    re.VERBOSE,
)
_NAMED = re.compile(rf"(?:^|[\s(])(?P<name>[A-Za-z_][\w.\-]*|{_QUOTED})(?P<blank>\s*)$")
_BEHIND = re.compile(r"(?:^|[\s(])(?:and|or|not|where)\s+$|^\s*$|\(\s*$", re.IGNORECASE)
_CAPITALS = re.compile(r"(?:^|[\s(])(?:AND|OR|NOT|not)\s+[\w.\-]*$")
_ALONE = re.compile(r"\s*([A-Za-z_][\w.\-]*)\s+")


class Vocabulary(Protocol):
    """Of `complete.Vocabulary` what filters name."""

    def label_names(self) -> list[str]: ...

    def label_values(self, label: str, limit: int = 1000) -> list[str]: ...


def is_being_typed(before: str) -> bool:
    """Whether what stands before the cursor is a filter, or becomes one with what is typed next."""
    named = _ALONE.fullmatch(before)
    if is_filter(before) or (named is not None and is_field_only(named[1])):
        return True
    capitals = _CAPITALS.search(before)
    return capitals is not None and is_filter(f'{before[: capitals.start()]} AND x="x"')


def offers(before: str, words: Vocabulary) -> Iterator[Completion]:
    """Ways to go on behind a text: fields, operators, values, AND and OR."""
    compared = _COMPARED.search(before)
    if compared:
        yield from _values(compared["name"].strip("\"'`"), compared["op"], compared["value"], words)
        return
    named = _NAMED.search(before)
    word = named["name"] if named and not named["blank"] else ""
    rest = before[: len(before) - len(word)]
    if _BEHIND.search(rest):
        yield from fields(word, words)
        yield from matching(word, _NOT, "keyword")
    elif named and named["blank"] and _BEHIND.search(before[: named.start("name")]):
        yield from _operators(named["name"])
    else:
        joined = ((text.lstrip() if rest.endswith(" ") else text, what) for text, what in _JOINED)
        yield from matching(word, joined, "keyword")


def fields(word: str, words: Vocabulary) -> Iterator[Completion]:
    """Fields of calls that begin with a word or hold it: texts, numbers, attributes."""
    texts = {**dict.fromkeys(TEXTS, ""), **dict.fromkeys((*sorted(ATTRIBUTES), *words.label_names()), "")}
    told = {quantity.name: _measured(quantity) for quantity in OFFERED}
    for name in ordered(word, texts | told):
        yield Completion(
            _name(name), len(word), "label", told.get(name) or MEANINGS.get(name, "free attribute")
        )


def _measured(quantity: Quantity) -> str:
    return f"{quantity.unit}: {quantity.help}" if quantity.unit else quantity.help


def _operators(name: str) -> Iterator[Completion]:
    yield from matching("", _NUMBERS if name in QUANTITIES else _WORDS, "keyword")


def _values(name: str, op: str, typed: str, words: Vocabulary) -> Iterator[Completion]:
    mark, word = (typed[0], typed[1:]) if typed[:1] in ("'", '"') else ("", typed)
    label = label_of(name)
    if name in QUANTITIES and name != "http_status":
        if op in ("=", "!="):
            yield from matching(word, [(UNKNOWN, "no call tells it")], "value")
        return
    known = CLOSED.get(label)
    values = sorted(known) if known else words.label_values(label, 1000)
    for value in ordered(word, values):
        yield Completion(str(Value(value, quoted=bool(mark))), len(typed), "value")
    if label == "provider" and word:
        also = {alias: provider for alias, provider in ALIASES.items() if provider in values}
        yield from matching(word, also.items(), "value")


def _name(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][\w.\-]*", name, re.ASCII) else str(Value(name, quoted=True))
