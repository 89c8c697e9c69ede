"""Which role each route needs: the one table, and how a request finds its line."""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum

from starlette.routing import BaseRoute, Route, compile_path

from tui_monitor.server.roles import Role


class Need(Enum):
    """What a route asks of who comes over TCP; the socket's user may do everything."""

    WELL = "any token; none on loopback"
    PUSH = "role push; nothing on loopback"
    READ = "role read"
    OPERATE = "role operate"
    OWNER = "the socket"

    @property
    def open_here(self) -> bool:
        """Whether it needs no token on loopback."""
        return self in (Need.WELL, Need.PUSH)

    @property
    def role(self) -> Role | None:
        """The role it needs; None where any will do."""
        return _ROLES.get(self)


_ROLES = {Need.PUSH: Role.PUSH, Need.READ: Role.READ, Need.OPERATE: Role.OPERATE, Need.OWNER: Role.OPERATE}

NEEDS: Mapping[Need, tuple[str, ...]] = {
    Need.WELL: (
        "GET /live",
        "GET /ready",
        "GET /health",
        "GET /-/healthy",
        "GET /-/ready",
    ),
    Need.PUSH: ("POST /monitor/v1/events",),
    Need.READ: (
        "GET /monitor/v1/status",
        "GET /monitor/v1/snapshot",
        "GET /monitor/v1/costs",
        "GET /monitor/v1/sources",
        "GET /monitor/v1/query",
        "GET /monitor/v1/alerts",
        "GET /monitor/v1/alerts/{id}",
        "GET /monitor/v1/silences",
        "GET|POST /api/v1/query",
        "GET|POST /api/v1/query_range",
        "GET|POST /api/v1/query_exemplars",
        "GET|POST /api/v1/format_query",
        "GET|POST /api/v1/series",
        "GET|POST /api/v1/labels",
        "GET /api/v1/label/{name}/values",
        "GET /federate",
        "GET /api/v1/metadata",
        "GET /api/v1/rules",
        "GET /api/v1/status/buildinfo",
    ),
    Need.OPERATE: (
        "POST /monitor/v1/alerts/{id}/ack",
        "POST /monitor/v1/alerts/{id}/unack",
        "POST /monitor/v1/silences",
        "DELETE /monitor/v1/silences/{id}",
    ),
    Need.OWNER: (
        "GET /monitor/v1/collector",
        "POST /monitor/v1/reload",
        "GET|POST /monitor/v1/reprice",
        "POST /monitor/v1/sources/{name}/pause",
        "POST /monitor/v1/sources/{name}/resume",
        "POST /monitor/v1/imports",
        "DELETE /monitor/v1/imports/{batch}",
        "POST /monitor/v1/imports/{batch}/records",
    ),
}
"""Methods and path of every route, as the routes have them. HEAD is as GET."""


def declared() -> Iterator[tuple[str, str, Need]]:
    """The table as method, path and need."""
    for need, lines in NEEDS.items():
        for line in lines:
            methods, _, path = line.partition(" ")
            for method in methods.split("|"):
                yield method, path, need


class Needs:
    """The needs of an application's routes. Raises ValueError for a route that the table does not have."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        table = {(method, path): need for method, path, need in declared()}
        self._exact: dict[tuple[str, str], Need] = {}
        self._forms = []
        for route in routes:
            if not isinstance(route, Route) or not route.methods:
                raise ValueError(f"no role can be told for {route!r}")
            for method in sorted(route.methods):
                found = table.get(("GET" if method == "HEAD" else method, route.path))
                if found is None:
                    raise ValueError(f"no role is declared for {method} {route.path}: add it to NEEDS")
                self._note(method, route.path, found)

    def _note(self, method: str, path: str, need: Need) -> None:
        if "{" in path:
            self._forms.append((method, compile_path(path)[0], need))
        else:
            self._exact[method, path] = need

    def of(self, method: str, path: str) -> Need | None:
        """What a request needs; None where there is no such route."""
        if need := self._exact.get((method, path)):
            return need
        return next((need for verb, form, need in self._forms if verb == method and form.match(path)), None)
