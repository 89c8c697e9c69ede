"""`collect --status`: how the collector itself is doing, and the exit code for it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.runtime.collecting import settings_for
from tui_monitor.config import places
from tui_monitor.model.clock import SystemClock
from tui_monitor.monitor.remote import somebody_listens
from tui_monitor.monitor.thread import CollectorThread
from tui_monitor.server import serve
from tui_monitor.store.database import Store


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "monitor.db"


@pytest.fixture
def collector(database: Path) -> Iterator[CollectorThread]:
    """One to which nearly every query is slow."""
    settings = settings_for(database, query={"slow": "1ms"})
    thread = CollectorThread(settings=settings, serve=serve)
    thread.start()
    while thread.state.mode == "starting" or not somebody_listens(places.socket_path(database)):
        threading.Event().wait(0.01)
    yield thread
    assert thread.stop(5)


def test_it_tells_the_state_slow_queries_and_rules(
    cli: Cli, database: Path, collector: CollectorThread
) -> None:
    # What the first one asks is slow to the second.
    cli("collect", "--status", "--db", str(database))
    ran = cli("collect", "--status", "--json", "--db", str(database))
    found = ran.json["data"]
    assert (ran.code, found["status"]) in ((0, "healthy"), (1, "degraded"), (2, "unhealthy"))
    assert {check["name"] for check in found["checks"]} == {
        "store",
        "listeners",
        "sources",
        "alerts",
        "loops",
    }
    assert found["slow"][0]["who"]
    shown = cli("collect", "--status", "--plain", "--db", str(database)).out
    assert "CHECKS" in shown
    assert "SLOW QUERIES" in shown
    assert "of a core since the start" in shown


def test_without_a_collector_it_says_so(cli: Cli, database: Path) -> None:
    Store.open(database, write=True, clock=SystemClock()).close()
    ran = cli("collect", "--status", "--db", str(database))
    assert ran.code == 3
    assert "not running" in ran.out
