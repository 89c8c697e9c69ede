"""`config consent`: shown, given, refused and forgotten, for scripts."""

import os
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tui_monitor.config import places
from tui_monitor.config.load import load


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.endswith("_API_KEY"):
            monkeypatch.delenv(name)


def test_it_shows_what_holds_and_what_is_here(
    cli: Cli, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdefghij")
    log = private_home / ".claude" / "projects" / "-x" / "11111111-2222-3333-4444-555555555555.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text("{}\n")
    assert cli("config", "consent", "--json").json["data"] == {
        "agent_logs": {"allowed": None, "found": ["Claude Code"]},
        "provider_keys": {"allowed": None, "found": ["OPENAI_API_KEY"]},
        "status_pages": {"allowed": None, "found": ["openai"]},
    }
    ran = cli("config", "consent")
    assert ran.out.splitlines()[1].split() == ["agent_logs", "not", "asked", "Claude", "Code"]
    assert "sk-0123" not in ran.out
    assert not places.config_file().exists()


def test_answers_are_kept_and_can_be_forgotten(cli: Cli) -> None:
    path = places.config_file()
    path.parent.mkdir(parents=True)
    path.write_text("# mine\n[log]\nkeep = 1\n")
    ran = cli(
        "config", "consent", "--allow", "agent_logs", "status_pages", "--deny", "provider_keys", "--json"
    )
    assert {name: row["allowed"] for name, row in ran.json["data"].items()} == {
        "agent_logs": True, "provider_keys": False, "status_pages": True,
    }  # fmt: skip
    assert path.read_text().startswith("# mine\n[log]\nkeep = 1\n")
    assert load().consent.provider_keys is False
    cli("config", "consent", "--deny", "all", "--plain")
    assert load().consent.agent_logs is False
    cli("config", "consent", "--ask", "all")
    assert load().consent.agent_logs is None


def test_a_new_file_is_its_owners_alone(cli: Cli) -> None:
    cli("config", "consent", "--allow", "agent_logs")
    assert stat.S_IMODE(places.config_file().stat().st_mode) == 0o600


def test_what_cannot_be(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("config", "consent", "--allow", "everything").code == 2
    ran = cli("config", "consent", "--allow", "all", "--deny", "agent_logs")
    assert (ran.code, "agent_logs is named twice" in ran.err) == (2, True)
    assert not places.config_file().exists()
    ran = cli("--config", "/proc/nowhere/x.toml", "config", "consent", "--allow", "all")
    assert (ran.code, "cannot be changed" in ran.err) == (2, True)
    monkeypatch.setenv("TUI_MONITOR_CONSENT__AGENT_LOGS", "false")
    ran = cli("config", "consent", "--allow", "agent_logs")
    assert "agent_logs is never all the same, by TUI_MONITOR_CONSENT__AGENT_LOGS" in ran.err
