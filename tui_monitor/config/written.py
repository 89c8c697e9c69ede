"""Values and types as they are written in the configuration file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from tui_monitor.config import fields
from tui_monitor.config.load import Settings
from tui_monitor.config.problems import model_in
from tui_monitor.model.timerange import format_duration

_SIZES = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


@dataclass(frozen=True, slots=True)
class Key:
    """One key of one section."""

    section: str
    name: str
    model: type[BaseModel]
    """The table it stands in."""
    field: FieldInfo
    attribute: str

    def value(self, table: BaseModel) -> Any:
        """Its value in a table of its kind."""
        return getattr(table, self.attribute)


def sections() -> Iterator[tuple[str, type[BaseModel], bool]]:
    """Name, model, and whether it is written `[[name]]`, of every section and of the tables inside them."""
    for name, field in Settings.model_fields.items():
        model = model_in(field.annotation)
        assert model is not None, "every section is a table or a list of tables"
        yield name, model, get_origin(field.annotation) is list
        for key, below in model.model_fields.items():
            if inner := model_in(below.annotation):
                yield f"{name}.{key}", inner, get_origin(below.annotation) is list


def keys(section: str, model: type[BaseModel]) -> list[Key]:
    """The keys of a table: its own in their order, then those it shares with others; tables inside of it are
    sections of their own."""
    plain = [(name, f) for name, f in model.model_fields.items() if model_in(f.annotation) is None]
    plain.sort(key=lambda key: key[0] not in model.__annotations__)
    return [Key(section, field.alias or name, model, field, name) for name, field in plain]


def _has(field: FieldInfo, validator: object) -> bool:
    return any(getattr(part, "func", None) is validator for part in _metadata(field))


def _metadata(field: FieldInfo) -> Iterator[Any]:
    yield from field.metadata
    for option in get_args(field.annotation):
        yield from getattr(option, "__metadata__", ())


def is_duration(field: FieldInfo) -> bool:
    """Whether it is a length of time."""
    return _has(field, fields.read_duration)


def is_size(field: FieldInfo) -> bool:
    """Whether it is a number of bytes."""
    return _has(field, fields.read_bytes)


def written(field: FieldInfo, value: Any) -> str:
    """A value in TOML; a length of time and a size with their units."""
    if is_duration(field) and isinstance(value, int):
        return quoted(format_duration(value))
    if is_size(field) and isinstance(value, int):
        return _size(value)
    return toml(value)


def toml(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(part) for part in value) + "]"
    if isinstance(value, dict):
        inner = ", ".join(f"{bare(name)} = {toml(part)}" for name, part in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return quoted(str(value))


def quoted(text: str) -> str:
    """A TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def bare(name: str) -> str:
    """A key in TOML, in quotes where it needs them."""
    plain = name.isascii() and name.replace("-", "a").replace("_", "a").isalnum()
    return name if plain else quoted(name)


def _size(value: int) -> str:
    for unit, size in _SIZES:
        if value >= size and value % size == 0:
            return quoted(f"{value // size} {unit}")
    return str(value)


def kind(field: FieldInfo) -> str:
    """What is to be written, in a word or two."""
    if is_duration(field):
        return "length of time"
    if is_size(field):
        return "size"
    options = [option for option in get_args(field.annotation) if option is not type(None)]
    if get_origin(field.annotation) is Literal:
        return " | ".join(toml(option) for option in options)
    annotation = (
        field.annotation
        if get_origin(field.annotation) in (list, dict)
        else next(iter(options), field.annotation)
    )
    return _kind_of(annotation)


def _kind_of(annotation: Any) -> str:
    if get_origin(annotation) is list:
        return "list of tables" if model_in(annotation) else "list of texts"
    if get_origin(annotation) is dict:
        return "table"
    if get_origin(annotation) is Literal:
        return " | ".join(toml(option) for option in get_args(annotation))
    names = {
        bool: "true | false",
        int: "whole number",
        float: "number",
        str: "text",
        Path: "path",
        SecretStr: "text",
    }
    if annotation in names:
        return names[annotation]
    return " | ".join(toml(str(option)) for option in annotation)
