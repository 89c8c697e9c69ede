"""The one place where it is chosen who answers: the database, or the server that the settings name."""

from tui_monitor.config.querying import Query
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import SECOND, Clock
from tui_monitor.query.engine import Engine
from tui_monitor.query.engines.prometheus.client import Server
from tui_monitor.query.engines.prometheus.engine import RemoteEngine
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql.limits import Limits
from tui_monitor.query.timing import Timing
from tui_monitor.store.api import Reader


def engine_for(settings: Query, local: Engine, calendar: Calendar, clock: Clock) -> Engine:
    """The engine that answers panes, rules and commands, where `local` is the one over the database.

    Nothing is asked of a server yet.
    """
    if settings.engine == "local":
        return local
    remote = settings.prometheus
    timing = local.timing if isinstance(local, LocalEngine) else None
    return RemoteEngine(Server(remote, clock), local, calendar, clock, remote.interval, timing)


def over(settings: Query, reader: Reader, calendar: Calendar, clock: Clock) -> LocalEngine:
    """The engine over a database, with the limits that the settings say."""
    limits = Limits(
        series=settings.max_series, samples=settings.max_samples, seconds=settings.timeout / SECOND
    )
    return LocalEngine(reader, calendar, limits, clock, Timing(clock, settings.slow))


def close(engine: Engine) -> None:
    """Close the connection of an engine that has one."""
    if isinstance(engine, RemoteEngine):
        engine.close()


def own(engine: Engine) -> Engine:
    """The engine for what this collector alone knows: its events, its host, and itself."""
    return engine.local if isinstance(engine, RemoteEngine) else engine
