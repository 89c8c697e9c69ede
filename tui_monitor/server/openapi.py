"""The OpenAPI 3.1 description of our own API, made from the declarations of the routes."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from tui_monitor import __version__
from tui_monitor.server.declare import Declaration, Form, Group
from tui_monitor.server.needs import Need
from tui_monitor.server.params import Body, Param, RawBody
from tui_monitor.server.schemas import REFERENCES, schemas_of

_ABOUT = """\
The HTTP API of a collector of tui-monitor.

Where a field says µs it is an integer: an instant since 1970-01-01 UTC, or a length of time. Money is US
dollars unless a field says nano-dollars. Null is unknown, and never 0; a number that is none, or infinite, is
one of the texts `"NaN"`, `"Infinity"` and `"-Infinity"`. What is read comes as
`{"status":"success","data":…,"warnings":[…]}`; every error has one form, with a hint where there is something
to do about it. Routes that say so are open on loopback without a token; off loopback everything needs one.

Not described here: what only the Unix socket of the same user takes, the WebSocket, and the paths that
Prometheus describes (`/api/v1/…`, `/federate`, `/-/…`).
"""
_ERROR: dict[str, Any] = {
    "type": "object",
    "description": "Why a request was refused.",
    "required": ["status", "errorType", "error"],
    "properties": {
        "status": {"const": "error"},
        "errorType": {
            "type": "string",
            "enum": [
                "bad_data", "unauthorized", "forbidden", "not_found", "timeout", "execution", "unavailable",
                "internal",
            ],
        },
        "error": {"type": "string", "description": "In words."},
        "hint": {"type": "string", "description": "What to do about it."},
        "position": {"type": "integer", "description": "Where a query is wrong: the character, from 0."},
        "length": {"type": "integer", "description": "How many characters of it."},
        "query": {"type": "string", "description": "The query as it was read."},
        "metric": {"type": "string", "description": "What it asks for, where nothing is known of that."},
        "meant": {"type": "string", "description": "The known name that resembles it, or empty."},
        "rejected": {
            "type": "array",
            "items": {"$ref": REFERENCES.format(model="Turned")},
            "description": "Events that were not taken.",
        },
    },
}  # fmt: skip
_STATUSES = {
    400: "The request cannot be understood.",
    401: "No token, or one that opens nothing.",
    403: "An unknown Host, a foreign Origin, or a token whose role does not cover this.",
    404: "There is none of that name.",
    408: "The request came too slowly.",
    413: "The body is larger than `server.max_body`.",
    415: "An unknown Content-Encoding.",
    422: "It cannot be done.",
    429: "Too many requests, or too much waits to be written.",
    431: "The head of the request is larger than about 64 kB.",
    503: "The database cannot be used at this moment, or the collector is stopping.",
}
_WORDS = {status: HTTPStatus(status).phrase.title().replace(" ", "") for status in _STATUSES}
_ALWAYS = (400, 401, 403, 408, 429, 431, 503)
_RETRY = {
    "Retry-After": {
        "description": "Whole seconds after which to come again.", "schema": {"type": "integer", "minimum": 1}
    }
}  # fmt: skip
_ANYONE: list[dict[str, list[str]]] = [{}, {"bearer": []}, {"basic": []}]
_HOLDERS: list[dict[str, list[str]]] = [{"bearer": []}, {"basic": []}]


def described(declared: Iterable[Declaration]) -> list[Declaration]:
    """Those that are to be described."""
    return [one for one in declared if one.group is not Group.PROMETHEUS and one.need is not Need.OWNER]


def document(declared: Iterable[Declaration]) -> dict[str, Any]:
    """The description of those of these routes that are to be described."""
    routes = described(declared)
    answers: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
        (operation_id(one), "serialization", TypeAdapter(one.answers))
        for one in routes
        if one.form is not Form.OWN
    ]
    bodies: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
        (operation_id(one), "validation", one.body.adapter) for one in routes if isinstance(one.body, Body)
    ]
    found, schemas = schemas_of([*answers, *bodies])
    paths: dict[str, dict[str, Any]] = {}
    for one in routes:
        answer, body = (
            found.get((operation_id(one), "serialization")),
            found.get((operation_id(one), "validation")),
        )
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, answer, body)
    return {
        "openapi": "3.1.0",
        "info": {"title": "tui-monitor", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "http://127.0.0.1:4319", "description": "where nothing else is configured"}],
        "tags": [
            {"name": group.title, "description": group.about}
            for group in Group
            if any(one.group is group for one in routes)
        ],
        "paths": paths,
        "components": {
            "schemas": dict(sorted({**schemas, "Error": _ERROR}.items())),
            "responses": {_WORDS[status]: _refusal(status, words) for status, words in _STATUSES.items()},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`tui-monitor token` prints it.",
                },
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The token as password; any user name.",
                },
            },
        },
    }


def _operation(
    one: Declaration, answer: dict[str, Any] | None, body: dict[str, Any] | None
) -> dict[str, Any]:
    needs = f"Needs {one.need.value}."
    made: dict[str, Any] = {
        "operationId": operation_id(one),
        "tags": [one.group.title],
        "summary": one.summary.rstrip("."),
        "description": "\n\n".join(part for part in (one.summary, one.details, needs) if part),
        "security": _ANYONE if one.need.open_here else _HOLDERS,
    }
    if one.params:
        made["parameters"] = [parameter(param) for param in one.params]
    if isinstance(one.body, Body):
        content = {"application/json": {"schema": body, **_example(one.body.example)}}
        made["requestBody"] = {"required": one.body.required, "content": content}
    elif isinstance(one.body, RawBody):
        kinds = {kind: {"schema": schema} for kind, schema in one.body.schemas.items()}
        next(iter(kinds.values())).update(_example(one.body.example))
        made["requestBody"] = {"required": one.body.required, "content": kinds}
    made["responses"] = _responses(one, answer)
    return made


def parameter(param: Param[Any]) -> dict[str, Any]:
    """One parameter as OpenAPI has it."""
    schema = param.schema()
    if param.shown_default is not None:
        schema["default"] = param.shown_default
    made: dict[str, Any] = {
        "name": param.name,
        "in": param.place,
        "required": param.required or param.place == "path",
        "description": param.about,
        "schema": schema,
    }
    if param.example is not None:
        made["example"] = int(param.example) if schema.get("type") == "integer" else param.example
    return made


def _responses(one: Declaration, answer: dict[str, Any] | None) -> dict[str, Any]:
    schema = answer if one.form is Form.PLAIN else _envelope(answer)
    good = {"content": {"application/json": {"schema": schema}}}
    made: dict[str, Any] = {"200": {"description": "Done." if one.method != "GET" else "The answer.", **good}}
    statuses = {status: _STATUSES[status] for status in _ALWAYS}
    if any(param.place == "path" for param in one.params):
        statuses[404] = _STATUSES[404]
    if one.body is not None:
        statuses |= {status: _STATUSES[status] for status in (413, 415)}
    if one.need is Need.OPERATE:
        statuses[422] = _STATUSES[422]
    made |= {str(status): {"$ref": f"#/components/responses/{_WORDS[status]}"} for status in sorted(statuses)}
    made |= {str(status): _refusal(status, words) for status, words in one.errors.items()}
    for status, words in one.also.items():
        either = {"anyOf": [schema, {"$ref": REFERENCES.format(model="Error")}]}
        made[str(status)] = {"description": words, "content": {"application/json": {"schema": either}}}
    return made


def _refusal(status: int, words: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": REFERENCES.format(model="Error")}}}
    headers = {"headers": _RETRY} if status in (429, 503) else {}
    return {"description": words, "content": content, **headers}


def _envelope(data: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["status", "data", "warnings"],
        "properties": {
            "status": {"const": "success"},
            "data": data,
            "warnings": {"type": "array", "items": {"type": "string"}},
        },
    }


def _example(example: Any) -> dict[str, Any]:
    return {"example": example} if example else {}


def operation_id(one: Declaration) -> str:
    """The operation's id: handlers of one name in two classes are told apart by their method."""
    rest = one.path.removeprefix("/monitor/v1").strip("/").replace("{", "").replace("}", "")
    return f"{one.method.lower()}_{rest.replace('/', '_').replace('.', '_')}"


def written(declared: Iterable[Declaration]) -> bytes:
    """The description as a file."""
    return orjson.dumps(document(declared), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
