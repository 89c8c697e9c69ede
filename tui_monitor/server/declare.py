"""What a route is, said once at its handler: from it come the routing, the roles and the description.

A handler is a method of a class. Its parameters are parsed as they are declared and come as keywords; what
it gives back is of the declared type and is written in the declared form:

    @get("/monitor/v1/costs", Need.READ, Group.COSTS, CostsView, params=(BY, PERIOD))
    async def costs(self, by: str, period: Period) -> CostsView:
        \"\"\"Spend by a dimension in a calendar period.\"\"\"
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tui_monitor.server.needs import Need
from tui_monitor.server.params import Body, Param, RawBody
from tui_monitor.server.prometheus.running import while_asked
from tui_monitor.server.refusal import answer, success

A = TypeVar("A")
Endpoint = Callable[[Request], Awaitable[Response]]
_MARK = "__declared__"
_IN_PATH = re.compile(r"{(\w+)}")


class Group(Enum):
    """What belongs together in the documentation: a title, and what it is about."""

    HEALTH = ("Health", "Whether the collector is well. For load balancers, supervisors and people.")
    EVENTS = ("Events", "What programs send in.")
    VIEWS = ("Views", "What the panes of the dashboard show, as data.")
    COSTS = ("Costs and budgets", "Spend, and what is left of the budgets.")
    QUERIES = ("Queries", "Questions in the query language, and help in writing them.")
    CALLS = ("Calls", "Single calls.")
    ALERTS = ("Alerts and silences", "What is wrong, who takes care of it, and what is kept quiet.")
    COLLECTOR = ("Collector", "Sources, settings and imports of the collector itself.")
    PROMETHEUS = ("Prometheus", "Prometheus's own API: described by Prometheus, and not here.")

    @property
    def title(self) -> str:
        """As a heading."""
        return self.value[0]

    @property
    def about(self) -> str:
        """In a sentence or two."""
        return self.value[1]

    @property
    def slug(self) -> str:
        """As the name of a page."""
        return self.name.lower()


class Form(Enum):
    """How an answer is written down."""

    ENVELOPE = "application/json; in data"
    """`{"status":"success","data":…,"warnings":[…]}`."""
    PLAIN = "application/json"
    """JSON without an envelope."""
    OWN = "its own"
    """The handler reads the path and writes the answer."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """One method of one path."""

    method: str
    path: str
    need: Need
    group: Group
    answers: Any
    """The type of what comes back."""
    form: Form = Form.ENVELOPE
    params: tuple[Param[Any], ...] = ()
    body: Body | RawBody | None = None
    also: Mapping[int, str] = field(default_factory=dict)
    """Other statuses with an answer of the same form, and when."""
    errors: Mapping[int, str] = field(default_factory=dict)
    """Errors of its own beside those that any route may answer, and when."""
    name: str = ""
    """What the handler is called."""
    doc: str = ""
    asks: bool = False
    """Whether the handler wants the request itself."""
    reads: bool = False
    """Whether it changes nothing though it is no GET."""

    @property
    def summary(self) -> str:
        """The first paragraph of the handler's docstring, in one line."""
        return " ".join(self.doc.partition("\n\n")[0].split())

    @property
    def details(self) -> str:
        """The rest of it."""
        return self.doc.partition("\n\n")[2].strip()

    def endpoint(self, instance: object) -> Endpoint:
        """How a request is answered by the handler of this object."""
        handler = getattr(instance, self.name)

        async def answered(request: Request) -> Response:
            given = {param.key: param.of(request) for param in self.params}
            if isinstance(self.body, Body):
                given["body"] = await self.body.of(request)
            if self.asks:
                given["request"] = request
            work = handler(**given)
            if self.method == "GET" or self.reads:
                work = while_asked(request, work)
            data = await work
            if isinstance(data, Response):
                return data
            if self.form is Form.ENVELOPE:
                return success(data, getattr(data, "warnings", ()))
            return answer(data)

        return answered


Handler = Callable[..., Awaitable[A | Response]]


def get(
    path: str, need: Need, group: Group, answers: type[A], **more: Any
) -> Callable[[Handler[A]], Handler[A]]:
    """A route that reads; `more` are fields of `Declaration`. Answers HEAD as well."""
    return _declare("GET", path, need, group, answers, more)


def post(
    path: str, need: Need, group: Group, answers: type[A], **more: Any
) -> Callable[[Handler[A]], Handler[A]]:
    """A route that does something; `more` are fields of `Declaration`."""
    return _declare("POST", path, need, group, answers, more)


def delete(
    path: str, need: Need, group: Group, answers: type[A], **more: Any
) -> Callable[[Handler[A]], Handler[A]]:
    """A route that takes something away; `more` are fields of `Declaration`."""
    return _declare("DELETE", path, need, group, answers, more)


def theirs(path: str, need: Need, *methods: str) -> Callable[[Handler[A]], Handler[A]]:
    """A path of an API that others have described: the handler reads the request and writes the answer."""

    def mark(handler: Handler[A]) -> Handler[A]:
        for method in methods or ("GET",):
            _declare(method, path, need, Group.PROMETHEUS, Response, {"form": Form.OWN})(handler)
        return handler

    return mark


def _declare(
    method: str, path: str, need: Need, group: Group, answers: Any, more: dict[str, Any]
) -> Callable[[Handler[A]], Handler[A]]:
    def mark(handler: Handler[A]) -> Handler[A]:
        names = set(inspect.signature(handler).parameters) - {"self"}
        declaration = Declaration(
            method,
            path,
            need,
            group,
            answers,
            name=handler.__name__,
            doc=inspect.getdoc(handler) or "",
            asks="request" in names,
            **more,
        )
        _check(declaration, names - {"request"})
        marks = getattr(handler, _MARK, ())
        setattr(handler, _MARK, (*marks, declaration))
        return handler

    return mark


def _check(declaration: Declaration, taken: set[str]) -> None:
    """Raises TypeError where a declaration and its handler do not fit together."""
    where = f"{declaration.method} {declaration.path}"
    told = {param.key for param in declaration.params} | (
        {"body"} if isinstance(declaration.body, Body) else set()
    )
    if taken != told:
        raise TypeError(f"{where} declares {sorted(told)}, and its handler takes {sorted(taken)}")
    in_path = {param.name for param in declaration.params if param.place == "path"}
    if declaration.form is not Form.OWN and in_path != set(_IN_PATH.findall(declaration.path)):
        raise TypeError(f"{where} does not declare what stands in its path")
    if not declaration.doc:
        raise TypeError(f"{where} says nothing about itself")


def declared_in(kind: type) -> Iterator[Declaration]:
    """What the methods of a class declare, in their order."""
    for base in reversed(kind.__mro__):
        for value in vars(base).values():
            yield from getattr(value, _MARK, ())


class DeclaredRoute(Route):
    """All methods of one path."""

    def __init__(self, path: str, offers: Sequence[tuple[Declaration, Endpoint]]) -> None:
        self.needs = {declaration.method: declaration.need for declaration, _ in offers}
        if "GET" in self.needs:
            self.needs["HEAD"] = self.needs["GET"]
        self._endpoints = {declaration.method: endpoint for declaration, endpoint in offers}
        super().__init__(path, self._answer, methods=list(self._endpoints))

    async def _answer(self, request: Request) -> Response:
        return await self._endpoints["GET" if request.method == "HEAD" else request.method](request)


def routes(instances: Iterable[object], *, trusted: bool) -> list[BaseRoute]:
    """The routes that these objects declare; those of the socket only where `trusted`.

    Raises ValueError where two declare the same.
    """
    paths: dict[str, dict[str, tuple[Declaration, Endpoint]]] = {}
    for instance in instances:
        for declaration in declared_in(type(instance)):
            if declaration.need is Need.OWNER and not trusted:
                continue
            offers = paths.setdefault(declaration.path, {})
            before = offers.setdefault(declaration.method, (declaration, declaration.endpoint(instance)))
            # Two objects may share what a base class of both declares.
            if before[0] is not declaration:
                raise ValueError(f"{declaration.method} {declaration.path} is declared twice")
    return [DeclaredRoute(path, tuple(offers.values())) for path, offers in paths.items()]
