"""What a request asks: its parameters and its body, each declared once. All raise `Refusal`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, Generic, Literal, TypeVar

import orjson
from pydantic import BeforeValidator, TypeAdapter, ValidationError, WithJsonSchema
from starlette.requests import Request

from tui_monitor.model.clock import SECOND, Micros, from_datetime
from tui_monitor.model.errors import UsageError
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import format_duration, parse_duration
from tui_monitor.server.refusal import Refusal

T = TypeVar("T")

MAX_POINTS = 11_000
"""Steps of one answer over time, as in Prometheus."""
_LATEST: Micros = 32_503_680_000 * SECOND
"""The year 3000: beyond it times no longer fit where they are stored."""
_TIME = "an instant in RFC 3339, or as seconds since 1970"


def bad(error: str, hint: str | None = None) -> Refusal:
    """A request that says something it cannot mean."""
    return Refusal(400, "bad_data", error, hint=hint)


@dataclass(frozen=True, kw_only=True)
class Param(Generic[T]):
    """One parameter of a route: `of` reads it from a request, `schema` describes the same.

    `name` is what a request calls it, `key` the handler's keyword for it.
    """

    name: str
    about: str
    key: str = ""
    place: Literal["query", "path", "header"] = "query"
    default: Any = None
    """What it is where a request does not give it; not given at all where None."""
    required: bool = False
    example: str | None = None

    def __post_init__(self) -> None:
        if not self.key:
            object.__setattr__(self, "key", self.name)

    def of(self, request: Request) -> T:
        """Its value in a request."""
        given = self._given(request)
        if given is None:
            if self.required:
                raise bad(f"the parameter {self.name!r} is missing")
            return self.default
        return self.read(given)

    def read(self, text: str) -> T:
        """The value of a text."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """What texts it takes, as JSON schema."""
        raise NotImplementedError

    @property
    def shown_default(self) -> Any:
        """The default as a request would write it."""
        return self.default

    def _given(self, request: Request) -> str | None:
        match self.place:
            case "path":
                return request.path_params[self.name]
            case "header":
                return request.headers.get(self.name)
            case _:
                given = request.query_params.getlist(self.name)
                if len(given) > 1:
                    raise bad(f"the parameter {self.name!r} is there {len(given)} times")
                return given[0] if given else None


@dataclass(frozen=True, kw_only=True)
class Text(Param[str]):
    """Any text, of `longest` characters at most."""

    longest: int = 10_000

    def read(self, text: str) -> str:
        """As it stands."""
        if self.required and not text.strip():
            raise bad(f"the parameter {self.name!r} is missing")
        return self.bounded(text)

    def bounded(self, text: str) -> str:
        """The text, where it is no longer than it may be."""
        if len(text) > self.longest:
            raise bad(f"{self.name} must have {self.longest} characters at most")
        return text

    def schema(self) -> dict[str, Any]:
        """A string."""
        least = {"minLength": 1, "pattern": r"\S"} if self.required and self.place == "query" else {}
        return {"type": "string", "maxLength": self.longest, **least}


@dataclass(frozen=True, kw_only=True)
class Choice(Param[Any]):
    """One of some words."""

    words: tuple[str, ...]

    def read(self, text: str) -> str:
        """One of them."""
        if text not in self.words:
            raise bad(f"{self.name} must be one of {', '.join(self.words)}")
        return text

    def schema(self) -> dict[str, Any]:
        """An enumeration."""
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True, kw_only=True)
class Flag(Param[bool]):
    """Yes or no."""

    default: bool = False

    def read(self, text: str) -> bool:
        """Whether it is 1 or true."""
        if text not in ("0", "1", "false", "true"):
            raise bad(f"{self.name} must be one of 0, 1, false, true")
        return text in ("1", "true")

    def schema(self) -> dict[str, Any]:
        """The four words."""
        return {"type": "string", "enum": ["0", "1", "false", "true"]}

    @property
    def shown_default(self) -> str:
        """0 or 1."""
        return str(int(self.default))


@dataclass(frozen=True, kw_only=True)
class Whole(Param[int]):
    """A whole number within bounds."""

    low: int
    high: int

    def read(self, text: str) -> int:
        """In decimal digits."""
        digits = text.lstrip("0") or ("0" if text else "")
        if not (digits.isascii() and digits.isdigit() and self.low <= int(digits[:20]) <= self.high):
            raise bad(f"{self.name} must be a whole number from {self.low} to {self.high}")
        return int(digits)

    def schema(self) -> dict[str, Any]:
        """An integer."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, kw_only=True)
class Instant(Param[Micros | None]):
    """An instant in RFC 3339 or epoch seconds; µs UTC, None where it is not given."""

    def read(self, text: str) -> Micros:
        """µs."""
        return _known(self.name, text)

    def schema(self) -> dict[str, Any]:
        """Both forms."""
        return {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "number", "minimum": 0, "maximum": _LATEST // SECOND},
            ]
        }


@dataclass(frozen=True, kw_only=True)
class Length(Param[Micros]):
    """A length of time as people write it: `90m`, `7d`; µs."""

    def read(self, text: str) -> Micros:
        """µs."""
        try:
            return parse_duration(text)
        except UsageError as error:
            raise bad(f"{self.name}: {error.message}", error.hint) from error

    def schema(self) -> dict[str, Any]:
        """A string of numbers and units."""
        return {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|[smhdwy]))+$"}

    @property
    def shown_default(self) -> str | None:
        """`1h` rather than µs."""
        return None if self.default is None else format_duration(self.default)


def _moment(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("must be a time")
    try:
        return _known("it", str(value))
    except Refusal as refusal:
        raise ValueError(refusal.error.removeprefix("it ")) from None


Moment = Annotated[
    Micros,
    BeforeValidator(_moment),
    WithJsonSchema(
        {
            "description": _TIME,
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "number", "minimum": 0}],
        }
    ),
]
"""An instant in a body, as `Instant` is in the address; µs UTC."""


@dataclass(frozen=True)
class Body:
    """A JSON object of a request; an empty body is an empty one."""

    kind: type
    """The data class that it is read as."""
    example: Mapping[str, Any] = field(default_factory=dict)
    required: bool = False
    """Whether it must be there."""

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """What reads it, and describes it."""
        return TypeAdapter(self.kind)

    async def of(self, request: Request) -> Any:
        """Its value in a request."""
        body = await request.body()
        try:
            value = orjson.loads(body) if body.strip() else {}
        except orjson.JSONDecodeError as error:
            raise bad(f"the body is no JSON: {error}") from None
        if not isinstance(value, dict):
            raise bad("the body must be a JSON object")
        try:
            return self.adapter.validate_python(value)
        except ValidationError as error:
            raise bad(first_problem(error)) from None


@dataclass(frozen=True)
class RawBody:
    """A body that its handler reads by itself: media type → JSON schema of it."""

    schemas: Mapping[str, dict[str, Any]]
    example: Any = None
    required: bool = True


_OBJECT = "must be an object with the fields that /monitor/v1/openapi.json names"
_PLAIN: dict[str, str] = dict.fromkeys(
    ("dataclass_type", "dict_type", "model_type", "model_attributes_type"), _OBJECT
)
"""Kinds of problems that pydantic tells in words of Python."""


def first_problem(error: ValidationError) -> str:
    """Where and what the first thing is that is wrong."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"] if isinstance(part, str | int))
    words = _PLAIN.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    return f"{place}: {words}" if place else words


def who(request: Request, given: str) -> str:
    """Who acts: as the request says, else whose token it carries."""
    caller = getattr(request.state, "caller", None)
    return clean(given, 64) or (caller.name if caller else "http")


def _known(name: str, value: str) -> Micros:
    moment = _instant(name, value)
    if not 0 <= moment <= _LATEST:
        raise bad(f"{name} is out of range", "between the years 1970 and 3000")
    return moment


def _instant(name: str, value: str) -> Micros:
    try:
        return round(float(value) * SECOND)
    except (ValueError, OverflowError):
        pass
    try:
        # An unescaped + of a zone arrives as a space.
        moment = datetime.fromisoformat(value.strip().replace(" ", "+"))
    except ValueError:
        raise bad(f"{name} is no time", "write it in RFC 3339 or as seconds since 1970") from None
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
