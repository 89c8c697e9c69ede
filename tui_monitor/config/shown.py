"""Every setting that holds, key by key, without a secret in it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from tui_monitor.config.load import Settings
from tui_monitor.config.logs import redactor
from tui_monitor.config.problems import dotted
from tui_monitor.config.redact import HIDDEN, names_a_secret, without_parameters
from tui_monitor.config.toml import KeyPath
from tui_monitor.config.written import Key, is_duration, is_size, keys, sections, written

_COMMANDS = frozenset({"command"})
"""Settings that are a program and its arguments, which may be anything: a password, a secret address."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting."""

    key: str
    """Like `server.listen`, or `budgets[1].name` in a list of tables."""
    value: Any
    """As it is written in the configuration file, with its units; null where there is none. Of a secret, only
    `set` or `not set`."""
    default: bool
    """Whether it is what holds where nothing is configured."""
    secret: bool = False


def every(settings: Settings) -> Iterator[tuple[KeyPath, Key, Any]]:
    """Path, key and value of every setting, those of lists of tables one by one."""
    for section, _, listed in sections():
        parent, _, inner = section.partition(".")
        found: Any = getattr(settings, parent)
        tables = getattr(found, inner) if inner else found
        path: KeyPath = (parent, inner) if inner else (parent,)
        if listed:
            for index, table in enumerate(tables):
                yield from _table((*path, index), table)
        else:
            yield from _table(path, tables)


def shown(settings: Settings) -> list[Shown]:
    """All of them, for eyes that may see no secret."""
    redactor.learn_variables(os.environ)
    return [_one(path, key, value) for path, key, value in every(settings)]


def is_secret(key: Key, value: Any) -> bool:
    """Whether a setting holds a secret, or is named as if it did."""
    return (
        isinstance(value, SecretStr) or "SecretStr" in str(key.field.annotation) or names_a_secret(key.name)
    )


def harmless(text: str) -> str:
    """A text without what is known for a secret, looks like one, or stands in an address beside its path."""
    return redactor.clean(without_parameters(text))


def presentable(key: Key, value: Any) -> Any:
    """The value with stars for what nobody can tell from a secret: the arguments of a program."""
    if key.name in _COMMANDS and isinstance(value, list):
        return [*value[:1], *(HIDDEN for _ in value[1:])]
    return value


def _table(path: KeyPath, table: BaseModel) -> Iterator[tuple[KeyPath, Key, Any]]:
    for key in keys("", type(table)):
        yield (*path, key.name), key, key.value(table)


def _one(path: KeyPath, key: Key, value: Any) -> Shown:
    default = not key.field.is_required() and value == key.field.get_default(call_default_factory=True)
    if is_secret(key, value):
        return Shown(dotted(path), "set" if value else "not set", default, True)
    return Shown(dotted(path), _plain(key, presentable(key, value)), default)


def _plain(key: Key, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if is_duration(key.field) or is_size(key.field):
        return written(key.field, value).strip('"')
    return _harmless(value)


def _harmless(value: Any) -> Any:
    match value:
        case bool() | int() | float() | None:
            return value
        case BaseModel():
            return _harmless(value.model_dump(mode="json"))
        case SecretStr():
            return "set"
        case dict():
            return {
                str(name): "set" if names_a_secret(str(name)) else _harmless(part)
                for name, part in value.items()
            }
        case list() | tuple() | set() | frozenset():
            return [_harmless(part) for part in value]
        case Path():
            return harmless(str(value))
        case _:
            return harmless(str(value))
