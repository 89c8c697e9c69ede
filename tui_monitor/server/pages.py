"""A page of documentation for each group of routes, made from the declarations and recorded examples.

`python -m tui_monitor.server.pages` writes `docs/openapi.json` and `docs/api/*.md` anew. The examples stand
in `docs/api/examples.json`; `python -m tests.server.api_examples` records them from a running collector.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from tui_monitor.server.declare import Declaration, Form, Group
from tui_monitor.server.needs import Need
from tui_monitor.server.openapi import document, operation_id, written
from tui_monitor.server.params import Body, Param

Json = dict[str, Any]
FOLDER = Path("docs/api")
EXAMPLES = "examples.json"
_MADE = "<!-- made by `make docs` from the routes: change them there -->"
_HEAD, _TAIL = 34, 8
"""Lines of a long answer that are shown."""
_NEEDS = {
    Need.WELL: "On loopback without a token; off it, any token.",
    Need.PUSH: "On loopback without a token; off it, a token that may `push`.",
    Need.READ: "A token that may `read`.",
    Need.OPERATE: "A token that may `operate`.",
    Need.OWNER: "Only on the Unix socket of the same user.",
}


def pages(declared: Sequence[Declaration], examples: Mapping[str, Json]) -> dict[str, str]:
    """Name → text of every page, with the one that lists them."""
    described = document(declared)
    made = {"README.md": _index(declared)}
    for group in _groups(declared):
        routes = [one for one in declared if one.group is group]
        parts = [f"# {group.title}", _MADE, group.about, _COMMON]
        for one in routes:
            parts += _route(one, described, examples.get(operation_id(one)))
        made[f"{group.slug}.md"] = "\n\n".join(parts) + "\n"
    return made


_COMMON = (
    "How to come in, and what errors look like, stands in [the collector and its doors](../server.md);\n"
    "every field of every answer in the [OpenAPI description](../openapi.json)."
)


def _groups(declared: Sequence[Declaration]) -> Iterator[Group]:
    for group in Group:
        if group is not Group.PROMETHEUS and any(one.group is group for one in declared):
            yield group


def _index(declared: Sequence[Declaration]) -> str:
    lines = ["# The HTTP API", "", _MADE, "", "| | |", "|---|---|"]
    for group in _groups(declared):
        lines.append(f"| **[{group.title}]({group.slug}.md)** | {group.about} |")
        lines += [
            f"| `{one.method} {one.path}` | {_first(one)}{_only(one)} |"
            for one in declared
            if one.group is group
        ]
    lines += [
        "", "Prometheus's paths are in [queries over HTTP](../http-queries.md), `GET /metrics` in",
        "[metrics](../metrics.md). All of it is described in "
        "[OpenAPI](../openapi.json), which a collector serves at `GET /monitor/v1/openapi.json`.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _first(one: Declaration) -> str:
    return one.summary.rstrip(".")


def _only(one: Declaration) -> str:
    return "; only on the socket" if one.need is Need.OWNER else ""


def _route(one: Declaration, described: Json, example: Json | None) -> Iterator[str]:
    yield f"## `{one.method} {one.path}`"
    yield "\n\n".join(part for part in (one.summary, one.details, _NEEDS[one.need]) if part)
    if one.params:
        rows = [_parameter(param) for param in one.params]
        yield "\n".join(["| parameter | default | |", "|---|---|---|", *rows])
    operation = described["paths"].get(one.path, {}).get(one.method.lower())
    if operation is None:
        return
    if isinstance(one.body, Body):
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        yield "\n".join(["The body is a JSON object:", "", *_fields(body, described)])
    told = [f"- {status}: {words}" for status, words in {**one.also, **one.errors}.items()]
    if told:
        yield "\n".join(["Besides the errors of all routes:", "", *told])
    if one.form is not Form.OWN:
        yield from _answer(one, operation, described)
    if example is not None:
        yield from _example(example)


def _parameter(param: Param[Any]) -> str:
    place = "" if param.place == "query" else f" ({param.place})"
    default = "" if param.shown_default in (None, "") else f"`{param.shown_default}`"
    must = "must be there" if param.required or param.place == "path" else default
    schema = param.schema()
    words = ", ".join(f"`{word}`" for word in schema.get("enum", ()))
    bounds = f" {schema['minimum']} to {schema['maximum']}." if schema.get("type") == "integer" else ""
    choices = f" One of {words}." if words else ""
    return f"| `{param.name}`{place} | {must} | {_cell(param.about)}{choices}{bounds} |"


def _answer(one: Declaration, operation: Json, described: Json) -> Iterator[str]:
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    where = "The answer"
    if one.form is Form.ENVELOPE:
        schema, where = schema["properties"]["data"], "`data` of the answer"
    rows = _fields(schema, described)
    if rows:
        yield "\n".join([f"{where} is {_kind(schema)}:", "", *rows])
    else:
        yield f"{where} is {_kind(schema)}."


def _fields(schema: Json, described: Json) -> list[str]:
    schema = schema.get("items", schema)
    found = _resolved(schema, described)
    rows = [
        f"| `{name}` | {_kind(field)} | {_cell(field.get('description', ''))} |"
        for name, field in found.get("properties", {}).items()
    ]
    return ["| field | | |", "|---|---|---|", *rows] if rows else []


def _resolved(schema: Json, described: Json) -> Json:
    if "$ref" in schema:
        return described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _kind(schema: Json) -> str:
    match schema:
        case {"$ref": str(ref)}:
            name = ref.rpartition("/")[2]
            return "number" if name == "Float" else name.partition("-")[0]
        case {"anyOf": parts}:
            kinds = dict.fromkeys(_kind(part) for part in parts)
            return " or ".join(kinds)
        case {"enum": words}:
            return ", ".join(f"`{word}`" for word in words)
        case {"const": word}:
            return f"`{word}`"
        case {"type": "array", "items": dict(items)}:
            return f"array of {_kind(items)}"
        case {"type": str(kind)}:
            return kind
        case _:
            return "anything"


def _example(example: Json) -> Iterator[str]:
    request = example["request"]
    if example.get("body") is not None:
        request += f"\n\n{json.dumps(example['body'], ensure_ascii=False)}"
    yield f"```http\n{request}\n```"
    lines = json.dumps(example["answer"], indent=2, ensure_ascii=False).splitlines()
    whole = len(lines) <= _HEAD + _TAIL
    if not whole:
        lines = [*lines[:_HEAD], "…", *lines[-_TAIL:]]
    # What was cut is no JSON any more.
    yield "\n".join(["```json" if whole else "```text", *lines, "```"])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write the files that are checked in."""
    from tui_monitor.server.app import declared

    Path("docs/openapi.json").write_bytes(written(declared()))
    for name, text in pages(declared(), orjson.loads((FOLDER / EXAMPLES).read_bytes())).items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
