"""`sources`: with a collector and without, paused and resumed, told who did it."""

import asyncio
import os
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


def states(ran) -> dict[str, tuple[str, str]]:
    """Name → state and detail."""
    return {row["name"]: (row["state"], row["detail"]) for row in ran.json["data"]["sources"]}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "monitor.db"


@pytest.fixture
def collector(database: Path) -> Iterator[CollectorThread]:
    thread = CollectorThread(settings=settings_for(database), serve=serve)
    thread.start()
    while thread.state.mode == "starting" or not somebody_listens(places.socket_path(database)):
        threading.Event().wait(0.01)
    yield thread
    assert thread.stop(5)


def test_without_a_collector_it_says_what_would_run_and_why_not(cli: Cli, database: Path) -> None:
    ran = cli("sources", "--json", "--db", str(database))
    assert ran.json["data"]["collecting"] is False
    found = states(ran)
    assert found["host"] == ("off", "would run")
    assert "consent.agent_logs" in found["claude-code"][1]
    assert any("no collector is running" in warning for warning in ran.json["warnings"])
    shown = cli("sources", "--db", str(database))
    assert "would run" in shown.out
    assert shown.out.count("consent.agent_logs") == 1
    assert not database.exists()


def test_a_collector_that_does_not_answer_is_not_nobody(cli: Cli, database: Path) -> None:
    store = Store.open(database, write=True, clock=SystemClock())
    try:
        (warning,) = cli("sources", "--json", "--db", str(database)).json["warnings"]
        assert warning.startswith(f"process {os.getpid()} writes the database and does not answer")
        shown = cli("status", "--db", str(database)).out
        assert f"does not answer: process {os.getpid()} writes the database" in shown
    finally:
        store.close()


def test_with_a_collector(cli: Cli, database: Path, collector: CollectorThread) -> None:
    args = ("--db", str(database))
    ran = cli("sources", *args, "--json")
    assert ran.json["data"]["collecting"] is True
    assert states(ran)["http"][0] == "running"
    assert "retention" not in states(ran)
    assert "retention" in states(cli("sources", "list", "--all", *args, "--json"))
    assert cli("sources", "pause", "host", "--as", "ana", *args).out == "host is paused by ana\n"
    state, detail = states(cli("sources", *args, "--json"))["host"]
    assert (state, detail[:13]) == ("paused", "paused by ana")
    assert "paused by ana" in cli("sources", *args).out
    assert cli("sources", "resume", "host", *args).out == "host goes on\n"
    assert states(cli("sources", *args, "--json"))["host"][0] in ("starting", "running")


def test_a_pause_without_a_collector_holds_for_the_next_one(cli: Cli, database: Path) -> None:
    first = CollectorThread(settings=settings_for(database), serve=serve)
    first.start()
    asyncio.run(first.call(lambda monitor: monitor.status()))
    assert first.stop(5)
    ran = cli("sources", "pause", "host", "--as", "ana", "--db", str(database))
    assert (ran.code, ran.out) == (0, "host is paused by ana\n")
    assert "the next one" in ran.err
    assert states(cli("sources", "--db", str(database), "--json"))["host"][0] == "paused"
    second = CollectorThread(settings=settings_for(database), serve=serve)
    second.start()
    try:
        status = asyncio.run(second.call(lambda monitor: monitor.status())).collector
        assert next(row for row in status.sources if row.name == "host").detail.startswith("paused by ana")
    finally:
        assert second.stop(5)


def test_a_name_that_is_not_there(cli: Cli, database: Path) -> None:
    ran = cli("sources", "pause", "no\x1bbody", "--db", str(database))
    assert ran.code == 1
    assert "no source is called" in ran.err
    assert "claude-code" in ran.err
    assert "\x1b" not in ran.err
