"""Every route has a role: the table is compared with the applications that are served."""

from collections import Counter
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from tui_monitor.runtime import Collector
from tui_monitor.server.app import build_app
from tui_monitor.server.needs import Need, Needs, declared
from tui_monitor.server.prometheus.running import Running
from tui_monitor.server.refusal import Refusals
from tui_monitor.server.roles import Role


def app(collector: Collector, *, trusted: bool) -> Starlette:
    handle: Any = None
    refusals = Refusals(Counter(), print)
    return build_app(collector, handle, trusted=trusted, running=Running(1, 1), refusals=refusals)


async def nothing(_request: Request) -> Response:
    return Response()


@pytest.mark.parametrize("trusted", [False, True])
async def test_no_route_is_without_a_role(collector: Collector, trusted: bool) -> None:
    routes = app(collector, trusted=trusted).routes
    needs = Needs(routes)
    for route in routes:
        assert isinstance(route, Route)
        path = route.path.replace("{", "").replace("}", "")
        for method in route.methods or ():
            assert needs.of(method, path) is not None, (method, path)


async def test_the_table_names_no_route_that_is_gone(collector: Collector) -> None:
    served = {
        (method, route.path)
        for route in app(collector, trusted=True).routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    rows = [(method, path) for method, path, _ in declared()]
    assert set(rows) <= served
    assert [row for row, times in Counter(rows).items() if times > 1] == []


async def test_what_only_the_socket_may_is_on_no_other_door(collector: Collector) -> None:
    needs = Needs(app(collector, trusted=False).routes)
    for method, path, need in declared():
        assert (needs.of(method, path) is None) == (need is Need.OWNER), path


async def test_a_route_without_a_role_cannot_be_served() -> None:
    with pytest.raises(ValueError, match="GET /monitor/v1/fresh"):
        Needs([Route("/monitor/v1/fresh", nothing)])
    with pytest.raises(ValueError, match="DELETE /live"):
        Needs([Route("/live", nothing, methods=["DELETE"])])
    with pytest.raises(ValueError, match="Mount"):
        Needs([Mount("/files", Starlette())])


def test_what_changes_something_needs_to_operate() -> None:
    for method, path, need in declared():
        if method != "GET" and not path.startswith("/api/v1/"):
            assert need in (Need.OPERATE, Need.OWNER, Need.PUSH), path


@pytest.mark.parametrize(
    ("role", "covered"),
    [
        (Role.PUSH, {Role.PUSH}),
        (Role.READ, {Role.READ}),
        (Role.OPERATE, {Role.PUSH, Role.READ, Role.OPERATE}),
    ],
)
def test_what_a_role_covers(role: Role, covered: set[Role]) -> None:
    assert {wanted for wanted in Role if role.covers(wanted)} == covered
