"""Every route has a role: what is declared is compared with the applications that are served."""

from collections import Counter
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from tui_monitor.runtime import Collector
from tui_monitor.server.accepting import Caps
from tui_monitor.server.app import DECLARING, build_app, declared
from tui_monitor.server.declare import Group, declared_in, get, routes
from tui_monitor.server.following import Following
from tui_monitor.server.live import Live
from tui_monitor.server.needs import Need, Needs
from tui_monitor.server.prometheus.running import Running
from tui_monitor.server.refusal import Refusals
from tui_monitor.server.roles import Role


def app(collector: Collector, *, trusted: bool) -> Starlette:
    handle: Any = None
    refusals = Refusals(Counter(), print)
    following = Following(Live(collector), refusals, Caps(8))
    return build_app(
        collector, handle, trusted=trusted, running=Running(1, 1), refusals=refusals, following=following
    )


async def nothing(_request: Request) -> Response:
    return Response()


@pytest.mark.parametrize("trusted", [False, True])
async def test_no_route_is_without_a_role(collector: Collector, trusted: bool) -> None:
    routes = app(collector, trusted=trusted).routes
    needs = Needs(routes)
    for route in routes:
        assert isinstance(route, Route | WebSocketRoute)
        path = route.path.replace("{", "").replace("}", "")
        for method in (isinstance(route, Route) and route.methods) or ("GET",):
            assert needs.of(method, path) is not None, (method, path)


async def test_what_is_declared_is_served_and_nothing_else(collector: Collector) -> None:
    served = {
        (method, route.path)
        for route in app(collector, trusted=True).routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert {(one.method, one.path) for one in declared()} == served


def test_every_class_that_is_served_declares_something() -> None:
    assert all(list(declared_in(kind)) for kind in DECLARING)


async def test_what_only_the_socket_may_is_on_no_other_door(collector: Collector) -> None:
    needs = Needs(app(collector, trusted=False).routes)
    for one in declared():
        assert (needs.of(one.method, one.path) is None) == (one.need is Need.OWNER), one.path


@pytest.mark.parametrize("route", [Route("/monitor/v1/fresh", nothing), Mount("/files", Starlette())])
async def test_a_route_without_a_role_cannot_be_served(route: BaseRoute) -> None:
    with pytest.raises(ValueError, match="no role can be told"):
        Needs([route])


def test_what_changes_something_needs_to_operate() -> None:
    for one in declared():
        if one.method != "GET" and not one.reads and one.group is not Group.PROMETHEUS:
            assert one.need in (Need.OPERATE, Need.OWNER, Need.PUSH), one.path


def test_a_declaration_must_fit_its_handler() -> None:
    async def unknown(self: object, surprise: str) -> str:
        """Takes what nobody declared."""
        return surprise

    async def silent(self: object) -> str:
        return ""

    async def pathless(self: object) -> str:
        """Does not take what stands in the path."""
        return ""

    for handler, path in ((unknown, "/x"), (silent, "/x"), (pathless, "/x/{id}")):
        with pytest.raises(TypeError):
            get(path, Need.READ, Group.VIEWS, str)(handler)


def test_two_handlers_of_one_route_are_refused() -> None:
    class One:
        @get("/x", Need.READ, Group.VIEWS, str)
        async def x(self) -> str:
            """X."""
            return "x"

    class Two(One):
        @get("/x", Need.READ, Group.VIEWS, str)
        async def y(self) -> str:
            """Y."""
            return "y"

    assert len(routes([One(), One()], trusted=False)) == 1
    with pytest.raises(ValueError, match="declared twice"):
        routes([Two()], trusted=False)


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
