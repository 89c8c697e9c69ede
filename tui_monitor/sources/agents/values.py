"""Values out of logs whose layout nobody promised: what is not as expected is unknown, and nothing raises."""

import math
from collections.abc import Mapping
from datetime import UTC
from hashlib import blake2b
from typing import Any

import orjson

from tui_monitor.model.call import MAX_MONEY, NANO
from tui_monitor.model.clock import Micros
from tui_monitor.model.providers import canonical
from tui_monitor.recorder.checks import MAX_COUNT, Invalid
from tui_monitor.sources.times import parse_time

Table = Mapping[str, Any]

_FAMILIES = (
    ("anthropic", ("claude", "opus", "sonnet", "haiku")),
    ("openai", ("gpt-", "gpt5", "chatgpt", "codex", "o1", "o3", "o4")),
    ("google", ("gemini", "gemma")),
    ("x-ai", ("grok",)),
    ("deepseek", ("deepseek",)),
    ("mistral", ("mistral", "devstral", "codestral", "magistral")),
    ("moonshotai", ("kimi",)),
    ("alibaba", ("qwen", "qwq")),
    ("zai", ("glm-",)),
    ("minimax", ("minimax",)),
)  # fmt: skip
"""Provider → how the names of its models begin."""


def parse(text: bytes | str) -> Any:
    """The value of a JSON text, `None` if it is none."""
    try:
        return orjson.loads(text)
    except (ValueError, RecursionError):
        return None


def table(value: Any) -> Table:
    """An object, or an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """A list, or an empty one."""
    return value if isinstance(value, list) else []


def inner(value: Any, *names: str) -> Any:
    """What lies under these names one in another, or `None`."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text(value: Any) -> str | None:
    """A text that is not blank, or a whole number as one."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if type(value) is int else None


def first_text(*values: Any) -> str | None:
    """The first of them that is a text."""
    return next((found for value in values if (found := text(value)) is not None), None)


def count(value: Any) -> int | None:
    """A number of tokens; digits in a text count too."""
    if type(value) is int:
        return value if 0 <= value <= MAX_COUNT else None
    if isinstance(value, str) and len(value) <= 13 and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= MAX_COUNT else None


def first_count(of: Table, *names: str) -> int | None:
    """The first number of tokens under these names."""
    return next((found for name in names if (found := count(of.get(name))) is not None), None)


def number(value: Any) -> float | None:
    """A finite number."""
    if type(value) not in (int, float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def nano(value: Any) -> int | None:
    """Dollars as nano-dollars. Agents write 0 for what they cannot price, so 0 is unknown."""
    dollars = number(value)
    if dollars is None or not 0 < dollars * NANO <= MAX_MONEY:
        return None
    return round(dollars * NANO)


def when(*values: Any) -> Micros | None:
    """The first of them that is a time: RFC 3339 (UTC where no zone is named), or since the epoch."""
    for value in values:
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value:
            try:
                return parse_time("timestamp", value, UTC)
            except (Invalid, ValueError, OverflowError):
                continue
    return None


def total(*parts: int | None) -> int | None:
    """Their sum; unknown only if every part is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def provider_of(model: str | None, named: str | None = None) -> str | None:
    """The provider an agent names, else the one whose models are called so."""
    if named is not None and named.lower() not in ("unknown", "custom", "auto"):
        return canonical(named)
    if model is None:
        return None
    head, slash, tail = model.lower().partition("/")
    if slash and head not in ("models", "custom"):
        return canonical(head)
    name = tail or head
    return next((provider for provider, heads in _FAMILIES if name.startswith(heads)), None)


def digest(*parts: Any) -> str:
    """64 bits of what tells a record from others, where its log gives it no name."""
    return blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
