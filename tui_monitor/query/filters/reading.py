"""Whether a text is a filter of calls or a query of numbers.

What both could be, like `latency>1000`, is a query: rules and panes have always read it so. In front of a
filter `where` takes the doubt away. A text is a filter

- that begins with `where`;
- that compares by `=`, `~`, `=~` or `!~` outside of braces, which no query does;
- that compares something in quotes, or compares what is no metric and a field of calls: `status!=error`;
- that has NOT before a comparison, or AND and OR in capitals between comparisons of what a call has.
"""

import re

from tui_monitor.model.errors import QueryError
from tui_monitor.query.filters import fields, lexer
from tui_monitor.query.filters.ast import Node, tests_of
from tui_monitor.query.filters.meaning import Meaning
from tui_monitor.query.filters.parser import parse

_QUOTED = re.compile(r""""(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`[^`]*`?""")
_COMMENT = re.compile(r"#[^\n]*")
_WHERE = re.compile(r"\s*where\b(?!\s*(?:[-+*/%^{\[]|==|[<>]|!=|offset\b|by\b))", re.IGNORECASE)
_ONLY_QUERIES = re.compile(
    r"[{}\[\]@]|(?<![\w.])(?!(?:and|or|not|where)\s*\()[A-Za-z_:][\w:]*\s*\(", re.IGNORECASE
)
_ONLY_FILTERS = re.compile(
    r"""(?<![=<>!~])=(?!=)|~|(?:=|!=|<|>)\s*""|""\s*[!<>]|(?:^|\(|\band\b|\bor\b)\s*not\s*[(A-Za-z_"]""",
    re.IGNORECASE,
)
_CAPITALS = re.compile(r"\b(?:AND|OR)\b")
_COMPARED = re.compile(r"([A-Za-z_][\w.\-]*)\s*(?:[=!]=|[<>])")


def is_filter(text: str) -> bool:
    """Whether the text asks for calls; a mistake in it changes nothing about that."""
    if len(text) > lexer.MAX_LENGTH:
        return False
    bare = _COMMENT.sub(" ", _QUOTED.sub('""', text))
    if _WHERE.match(bare):
        return True
    if _ONLY_QUERIES.search(bare):
        return False
    if _ONLY_FILTERS.search(bare) or any(map(fields.is_field_only, _COMPARED.findall(bare))):
        return True
    return bool(_CAPITALS.search(bare)) and _of_fields(text) is not None


def as_filter(text: str) -> str | None:
    """How to ask for the calls instead, of a text that is a query and could be a filter."""
    if is_filter(text):
        return None
    node = _of_fields(text)
    try:
        return None if node is None else f"where {node}" if Meaning(text).of(node) else None
    except QueryError:
        return None


def _of_fields(text: str) -> Node | None:
    """The tree of a text that reads as a filter whose fields are all known."""
    try:
        node = parse(text)
    except QueryError:
        return None
    tests = tests_of(node)
    return node if tests and all(fields.is_field(test.name) for test in tests) else None
