"""The routes of the HTTP application; one for both doors, but for what only the socket may do."""

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tui_monitor.model.errors import MonitorError
from tui_monitor.server.budgets import Budgets
from tui_monitor.server.calls import Calls
from tui_monitor.server.configured import Configured
from tui_monitor.server.controls import Controls
from tui_monitor.server.declare import Declaration, declared_in, routes
from tui_monitor.server.described import Described
from tui_monitor.server.feed import Feed
from tui_monitor.server.following import Following
from tui_monitor.server.imports import Imports
from tui_monitor.server.metrics import Metrics
from tui_monitor.server.panes import Panes
from tui_monitor.server.prometheus.routes import KINDS, prometheus
from tui_monitor.server.prometheus.running import Running
from tui_monitor.server.pushing import Pushing
from tui_monitor.server.questions import Questions
from tui_monitor.server.reading import Reading
from tui_monitor.server.refusal import Refusal, Refusals, refusal_of
from tui_monitor.server.silencing import Silencing
from tui_monitor.server.wellness import WellnessRoutes

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector
    from tui_monitor.runtime.supervisor import Handle

DECLARING: tuple[type, ...] = (
    WellnessRoutes,
    Metrics,
    Reading,
    Panes,
    Questions,
    Budgets,
    Calls,
    Pushing,
    Silencing,
    Controls,
    Configured,
    Described,
    Imports,
    Feed,
    *KINDS,
)
"""The classes whose methods are the routes."""

_TYPES = {404: "not_found", 405: "bad_data"}


def declared() -> list[Declaration]:
    """Every route of both doors, in the order of the classes."""
    found = [declaration for kind in DECLARING for declaration in declared_in(kind)]
    return list({(one.method, one.path): one for one in found}.values())


def build_app(
    collector: "Collector",
    handle: "Handle",
    *,
    trusted: bool,
    running: Running,
    refusals: Refusals,
    following: Following,
) -> Starlette:
    """The application behind a door, whose row is `handle`'s.

    `trusted` is the Unix socket, with what only the same user may do. `running` are the queries of all doors.
    `refusals` counts what is refused. `following` is the door's WebSocket.
    """
    declaring = [
        WellnessRoutes(collector),
        Metrics(collector, running),
        Reading(collector),
        Panes(collector),
        Questions(collector),
        Budgets(collector),
        Calls(collector),
        Pushing(collector, handle),
        Silencing(collector),
        Controls(collector),
        Configured(collector),
        Described(declared),
        Imports(collector, handle),
        Feed(collector),
        *prometheus(collector, running),
    ]

    async def refused(request: Request, error: Exception) -> Response:
        refusal = refusal_of(error) if isinstance(error, MonitorError) else error
        assert isinstance(refusal, Refusal)
        refusals.note(refusal, request.client.host if request.client else "")
        return refusal.response(request.url.path)

    async def gone(request: Request, _error: Exception) -> Response:
        # Nobody hears it; a sender that hangs up in the middle is no error of ours.
        return await refused(request, Refusal(400, "bad_data", "the request ended early", reason="gone"))

    app = Starlette(
        routes=[*routes(declaring, trusted=trusted), *following.routes()],
        exception_handlers={
            ClientDisconnect: gone,
            Refusal: refused,
            MonitorError: refused,
            HTTPException: _http,
            Exception: _bug,
        },
    )
    # A path with a slash too many is another path, and none of ours.
    app.router.redirect_slashes = False
    return app


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = _TYPES.get(error.status_code, "bad_data")
    refusal = Refusal(error.status_code, kind, str(error.detail).lower())
    response = refusal.response(request.url.path)
    response.headers.update(error.headers or {})
    return response


async def _bug(request: Request, _error: Exception) -> Response:
    # Starlette raises it again after this answer, so that it reaches the log with its traceback.
    return Refusal(500, "internal", "an error of ours; the log tells more").response(request.url.path)
