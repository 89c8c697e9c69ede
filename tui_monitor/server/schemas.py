"""JSON schemas of our data classes as they are written: values of enumerations, times in µs, every field."""

import ast
import inspect
import sys
from collections.abc import Iterable
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue

REFERENCES = "#/components/schemas/{model}"
_FLOAT = "float"
FLOAT: dict[str, Any] = {
    "description": "A number; what JSON cannot write as one is a text.",
    "anyOf": [{"type": "number"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}],
}


class Schemas(GenerateJsonSchema):
    """pydantic's schemas, with what the source says of each field."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never: a title that repeats the name tells nothing."""
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:
        """What is written is written whole; only what may be left out of a `TypedDict` is not."""
        if self.mode == "serialization" and field["type"] == "dataclass-field":
            return True
        return super().field_is_required(field, total)

    def float_schema(self, schema: Any) -> JsonSchemaValue:
        """A number; written, it may be none that JSON knows."""
        # References to what pydantic has not defined itself are put in at the end.
        return {"format": _FLOAT} if self.mode == "serialization" else super().float_schema(schema)

    def dataclass_schema(self, schema: Any) -> JsonSchemaValue:
        """A data class with the docstrings of its fields, and the unit of those that are times."""
        made = super().dataclass_schema(schema)
        made.pop("title", None)
        if description := inspect.getdoc(schema["cls"]):
            made["description"] = _line(description)
        return _described(made, schema["cls"])

    def typed_dict_schema(self, schema: Any) -> JsonSchemaValue:
        """A dictionary of known keys, likewise."""
        made = super().typed_dict_schema(schema)
        made.pop("title", None)
        return _described(made, schema["cls"])

    def enum_schema(self, schema: Any) -> JsonSchemaValue:
        """Values of an enumeration; its docstring."""
        made = super().enum_schema(schema)
        made.pop("title", None)
        return made


def schemas_of(
    kinds: Iterable[tuple[str, JsonSchemaMode, TypeAdapter[Any]]],
) -> tuple[dict[tuple[str, JsonSchemaMode], JsonSchemaValue], dict[str, Any]]:
    """The schema of each (key, mode, adapter), and those of all classes that they refer to."""
    found, rest = TypeAdapter.json_schemas(kinds, ref_template=REFERENCES, schema_generator=Schemas)
    schemas = {name: _referring(schema) for name, schema in rest.get("$defs", {}).items()}
    return {key: _referring(schema) for key, schema in found.items()}, {"Float": FLOAT, **schemas}


def _referring(schema: Any) -> Any:
    match schema:
        case {"format": format, **rest} if format == _FLOAT:
            return {"$ref": REFERENCES.format(model="Float"), **rest}
        case dict():
            return {name: _referring(part) for name, part in schema.items()}
        case list():
            return [_referring(part) for part in schema]
        case _:
            return schema


def _described(made: JsonSchemaValue, kind: type) -> JsonSchemaValue:
    for base in reversed(kind.__mro__):
        for name, (annotation, doc) in _fields(base).items():
            if name in made.get("properties", {}):
                field = made["properties"][name]
                said = " ".join(
                    part for part in (_line(doc), "(µs)" if "Micros" in annotation else "") if part
                )
                if said:
                    made["properties"][name] = {**field, "description": said}
    return made


@cache
def _fields(kind: type) -> dict[str, tuple[str, str]]:
    """Annotation and docstring of the fields that a class writes down itself."""
    if kind.__module__ == "builtins" or "tui_monitor" not in kind.__module__:
        return {}
    tree = ast.parse(inspect.getsource(sys.modules[kind.__module__]))
    body = next(
        (
            node.body
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef) and node.name == kind.__name__
        ),
        [],
    )
    found: dict[str, tuple[str, str]] = {}
    for node, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            match below:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    doc = inspect.cleandoc(text)
                case _:
                    doc = ""
            found[node.target.id] = (ast.unparse(node.annotation), doc)
    return found


def _line(text: str) -> str:
    return " ".join(text.split()).replace("`None`", "null")
