"""`--demo`: places of its own, and nothing of the user's."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tui_monitor.config import demo, places
from tui_monitor.config.load import load
from tui_monitor.model.clock import HOUR
from tui_monitor.runtime import demo as replay


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary directory of its own, short enough for sockets; the environment comes back after."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, os.environ[name])
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def test_nothing_of_the_users_holds_but_how_the_screen_looks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("DAILY_BUDGET", "5")
    monkeypatch.setenv("TUI_MONITOR_DATABASE__PATH", "/precious.db")
    monkeypatch.setenv("TUI_MONITOR_FORWARD__RECEIVERS", '[{"url": "http://prometheus:9090"}]')
    monkeypatch.setenv("TUI_MONITOR_SCREEN__DRAWING", "ascii")
    mine = places.config_file()
    mine.parent.mkdir(parents=True)
    mine.write_text("[costs]\ndaily_budget = 7\n")
    demo.enter()
    settings = load()
    assert "OPENAI_API_KEY" not in os.environ
    assert settings.database_path().is_relative_to(folder)
    assert places.socket_path(settings.database_path()).is_relative_to(folder)
    assert places.log_file().is_relative_to(folder)
    assert settings.forward.receivers == []
    assert settings.server.listen == ""
    assert settings.screen.drawing == "ascii"
    assert settings.costs.daily_budget not in (5, 7)
    assert [settings.consent.agent_logs, settings.consent.provider_keys, settings.consent.status_pages] == [
        False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("option", ["--db", "--config", "--attach"])
def test_it_does_not_go_with_another_database(cli: Cli, option: str) -> None:
    ran = cli("--demo", option, "http://x" if option == "--attach" else "x", "status")
    assert ran.code == 2
    assert f"no {option}" in ran.err


@pytest.mark.parametrize("action", ["install", "uninstall", "status"])
def test_the_service_of_the_user_is_not_touched(cli: Cli, action: str) -> None:
    ran = cli("--demo", "service", action)
    assert ran.code == 2
    assert "the demo has none" in ran.err


def test_verbs_answer_from_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "SOON", 2 * HOUR)
    monkeypatch.setattr(replay, "_DAY", 2 * HOUR)
    first = cli("--demo", "status", "--json")
    assert "making the demo" in first.err
    found = first.json["data"]
    states = {row["provider"]: row["state"] for row in found["providers"]["rows"]}
    assert states["openai"] == "unavailable"
    assert found["collector"]["calls"] > 1000
    again = cli("--demo", "costs", "--json")
    assert "making" not in again.err
    assert again.json["data"]["budgets"]
