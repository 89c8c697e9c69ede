"""What a route asks of who comes, and how a request finds its route's need."""

from collections.abc import Iterable
from enum import Enum
from typing import Protocol, runtime_checkable

from starlette.routing import BaseRoute, compile_path

from tui_monitor.server.roles import Role


class Need(Enum):
    """What a route asks of who comes over TCP; the socket's user may do everything."""

    WELL = "any token; none on loopback"
    PUSH = "role push; nothing on loopback"
    SCRAPE = "role read; nothing on loopback"
    READ = "role read"
    OPERATE = "role operate"
    OWNER = "the socket"

    @property
    def open_here(self) -> bool:
        """Whether it needs no token on loopback."""
        return self in (Need.WELL, Need.PUSH, Need.SCRAPE)

    @property
    def role(self) -> Role | None:
        """The role it needs; None where any will do."""
        return _ROLES.get(self)


_ROLES = {
    Need.PUSH: Role.PUSH, Need.SCRAPE: Role.READ, Need.READ: Role.READ, Need.OPERATE: Role.OPERATE,
    Need.OWNER: Role.OPERATE,
}  # fmt: skip


@runtime_checkable
class Guarded(Protocol):
    """A route that knows what it asks for."""

    path: str
    needs: dict[str, Need]
    """Method → need, with HEAD."""


class Needs:
    """The needs of an application's routes. Raises ValueError for a route that declares none."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._exact: dict[tuple[str, str], Need] = {}
        self._forms = []
        for route in routes:
            if not isinstance(route, Guarded) or not route.needs:
                raise ValueError(f"no role can be told for {route!r}")
            for method, need in route.needs.items():
                self._note(method, route.path, need)

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
