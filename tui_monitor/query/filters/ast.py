"""The tree of a filter. `str()` of a node is its canonical text, which parses to an equal node."""

import re
from dataclasses import dataclass, field
from typing import Literal

from tui_monitor.query.language import quote
from tui_monitor.query.promql.ast import Place

Op = Literal["=", "!=", "~", "=~", "!~", ">", ">=", "<", "<="]
KEYWORDS = frozenset({"and", "or", "not", "where"})
"""Words of the language, in capitals or not; as names and values they are written in quotes."""
UNKNOWN = "unknown"
"""Of a number: no call tells it."""

_NOWHERE = Place()
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_PLAIN_VALUE = re.compile(r"[^\s()\"'`\[\]{},#=<>~!]+")


@dataclass(frozen=True, slots=True)
class Value:
    """What a field is compared with. In quotes it is a text, whatever it looks like."""

    text: str
    quoted: bool = False
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        plain = _PLAIN_VALUE.fullmatch(self.text) and self.text.lower() not in KEYWORDS
        return quote(self.text) if self.quoted or not plain else self.text


@dataclass(frozen=True, slots=True)
class Compared:
    """One field, how it is compared, and with what."""

    name: str
    op: Op
    value: Value
    place: Place = field(default=_NOWHERE, compare=False)
    """Of the name."""

    def __str__(self) -> str:
        plain = _PLAIN_NAME.fullmatch(self.name) and self.name.lower() not in KEYWORDS
        return f"{self.name if plain else quote(self.name)}{self.op}{self.value}"


@dataclass(frozen=True, slots=True)
class Negated:
    """What must not be so."""

    part: "Node"

    def __str__(self) -> str:
        return f"NOT ({self.part})" if isinstance(self.part, Every | Some) else f"NOT {self.part}"


@dataclass(frozen=True, slots=True)
class Every:
    """All of these; of none of them everything is true."""

    parts: tuple["Node", ...] = ()

    def __str__(self) -> str:
        if not self.parts:
            return "where"
        return " AND ".join(f"({part})" if isinstance(part, Some) else str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of these."""

    parts: tuple["Node", ...]

    def __str__(self) -> str:
        return " OR ".join(map(str, self.parts))


Node = Compared | Negated | Every | Some


def tests_of(node: Node) -> list[Compared]:
    """Every comparison of a filter, in its order."""
    match node:
        case Compared():
            return [node]
        case Negated(part):
            return tests_of(part)
        case Every(parts) | Some(parts):
            return [test for part in parts for test in tests_of(part)]
