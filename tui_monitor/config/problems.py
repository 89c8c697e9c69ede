"""What is wrong with a configuration, in plain words: where, which key, and what it should be."""

import difflib
from collections.abc import Callable, Iterable, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from tui_monitor.config.redact import HIDDEN, Redactor, names_a_secret, without_parameters
from tui_monitor.config.toml import KeyPath
from tui_monitor.model.text import clean

_MAX_SHOWN = 60
_SECRETS = frozenset({"key", "headers", "command"})
"""Keys whose value is, or may be, a secret, though their name does not say so."""
_PLAIN: dict[str, str] = {
    "missing": "is missing",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text in quotes",
    "path_type": "must be the path of a file, in quotes",
    "list_type": 'must be a list, like ["a", "b"]',
    "dict_type": 'must be a table, like { name = "value" }',
    "model_type": "must be a table of settings",
    "model_attributes_type": "must be a table of settings",
    "string_too_short": "must not be empty",
}
_LIMITS: dict[str, tuple[str, str]] = {
    "greater_than": ("must be greater than {}", "gt"),
    "greater_than_equal": ("must be at least {}", "ge"),
    "less_than": ("must be less than {}", "lt"),
    "less_than_equal": ("must be at most {}", "le"),
    "too_long": ("must have at most {} entries", "max_length"),
    "too_short": ("must have at least {} entries", "min_length"),
    "string_too_long": ("must have at most {} characters", "max_length"),
}


def describe(model: type[BaseModel], error: ValidationError, place: Callable[[KeyPath], str]) -> list[str]:
    """One line per problem: `place(key)` says where a key was set."""
    lines: list[str] = []
    for problem in error.errors(include_url=False):
        key = tuple(problem["loc"])
        kind = problem["type"]
        what = _unknown(model, key) if kind == "extra_forbidden" else f"{dotted(key)} {_words(problem)}"
        line = f"{place(key)}: {what}" if place(key) else what
        # One wrong value of a union is reported once for each of its types.
        if line not in lines:
            lines.append(line)
    return lines


def dotted(key: Iterable[str | int]) -> str:
    """`alerts.rules[1].expr`, list positions from 1 as people count."""
    text = ""
    for part in key:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += f".{clean(part, 80)}" if text else clean(part, 80)
    return text or "configuration"


def nearest(name: str, known: Sequence[str]) -> str:
    """`; did you mean x?`, or the known names where none is near."""
    close = difflib.get_close_matches(name.lower(), known, 1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys of a table as they are written."""
    return [field.alias or name for name, field in model.model_fields.items()]


def table_at(model: type[BaseModel], key: Sequence[str | int]) -> type[BaseModel] | None:
    """The model of the table that a key leads to."""
    for part in key:
        if isinstance(part, int):
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        below = model_in(fields[part].annotation) if part in fields else None
        if below is None:
            return None
        model = below
    return model


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a type is, or is a list or an option of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (list, tuple, Union, UnionType):
        return next((model for arg in get_args(annotation) if (model := model_in(arg))), None)
    return None


def _unknown(model: type[BaseModel], key: KeyPath) -> str:
    table = table_at(model, key[:-1])
    name = str(key[-1])
    return f"unknown key {dotted(key)}{nearest(name, keys_of(table)) if table else ''}"


def _words(problem: Any) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    shown = HIDDEN if _is_secret(problem["loc"]) else _shown(problem["input"])
    if kind == "value_error":
        return f"= {shown}: {context['error']}" if _simple(problem["input"]) else (f": {context['error']}")
    if kind == "literal_error" or kind == "enum":
        expected = context["expected"].replace("'", '"')
        return f"must be {expected}, not {shown}"
    if kind in _LIMITS:
        words, name = _LIMITS[kind]
        return f"{words.format(context[name])}, not {shown}"
    words = _PLAIN.get(kind)
    if words is None:
        message = str(problem["msg"])
        words = message[:1].lower() + message[1:]
    return words if kind in ("missing", "string_too_short") else f"{words}, not {shown}"


def _is_secret(key: KeyPath) -> bool:
    """Whether what stands there is a secret, or may be: what is wrong is told to more than the owner."""
    names = [part for part in key if isinstance(part, str)]
    return any(names_a_secret(name) or name in _SECRETS for name in names)


def _simple(value: object) -> bool:
    return isinstance(value, str | int | float | bool)


def _shown(value: object) -> str:
    """A value as TOML writes it, short and harmless."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # Before it is cut: of half an address nobody sees where the password ends.
        return f'"{clean(Redactor().clean(without_parameters(value)), _MAX_SHOWN)}"'
    if isinstance(value, dict):
        return "a table"
    return "a list" if isinstance(value, list) else clean(str(value), _MAX_SHOWN)
