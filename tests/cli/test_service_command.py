"""`service`: what it writes, takes away and leaves alone, and what it says; systemctl is a stand-in."""

import os
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tui_monitor.cli.services import api, looking, unit
from tui_monitor.cli.services.systemd import Systemd
from tui_monitor.store.lock import WriteLock

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="systemd is Linux's")

SYSTEMCTL = """#!/bin/sh
here=$(dirname "$0")
case "$*" in
  --version) echo "systemd 252 (252.38)"; exit ;;
esac
[ -e "$here/gone" ] && { echo "Failed to connect to bus: No such file or directory" >&2; exit 1; }
case "$*" in
  *property=Version*|*property=UnitPath*) exit 0 ;;
  *" show "*) cat "$here/told" ;;
  *" start "*) echo "$*" >> "$here/asked"; cp "$here/after" "$here/told" ;;
  *) echo "$*" >> "$here/asked" ;;
esac
"""
RUNS = (
    "ActiveState=active\nSubState=running\nResult=success\nMainPID=4711\nNRestarts=2\nUnitFileState=enabled\n\
StatusText=collecting\nMemoryCurrent=[not set]\nNeedDaemonReload=no\nActiveEnterTimestamp=@1773835200\n"
)
FAILED = "ActiveState=activating\nSubState=auto-restart\nResult=exit-code\nExecMainStatus=1\nMainPID=0\n\
StatusText=the disk is full\nInactiveEnterTimestamp=@1773835200\n"


class System:
    """A systemd that is asked by its command."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.unit = home / ".config" / "systemd" / "user" / "tui-monitor.service"
        self.secrets = home / ".config" / "tui-monitor" / "service.env"
        command = folder / "systemctl"
        command.write_text(SYSTEMCTL)
        command.chmod(0o755)
        (folder / "told").write_text("ActiveState=inactive\nSubState=dead\nMainPID=0\n")
        self.after(RUNS)

    def after(self, told: str) -> None:
        """What it says once it was told to start something."""
        (self.folder / "after").write_text(told)

    def now(self, told: str) -> None:
        """What it says."""
        (self.folder / "told").write_text(told)

    @property
    def asked(self) -> list[str]:
        """What it was told to do."""
        try:
            lines = (self.folder / "asked").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [line.removeprefix("--user --no-ask-password ") for line in lines]


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    folder = tmp_path / "bin"
    folder.mkdir()
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "DATA", "STATE"):
        monkeypatch.delenv(f"XDG_{name}_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return System(folder, home)


def test_installed_as_it_is_shown(cli: Cli, system: System) -> None:
    shown = cli("service", "install", "--dry-run")
    assert (shown.code, system.asked, system.unit.exists()) == (0, [], False)
    installed = cli("service", "install", "--json").json["data"]
    text = system.unit.read_text()
    assert installed["text"] == text
    assert installed["changed"]
    assert [line.strip() for line in shown.out.splitlines()[1:]] == text.splitlines()
    assert unit.command(text) == [sys.executable, "-P", "-m", "tui_monitor", "collect"]
    assert system.asked == [
        "daemon-reload", "enable tui-monitor.service", "reset-failed tui-monitor.service",
        "start --no-block tui-monitor.service",
    ]  # fmt: skip
    assert system.secrets.stat().st_mode & 0o777 == 0o600
    system.secrets.write_text("OPENAI_API_KEY=x\n")
    again = cli("service", "install", "--json").json["data"]
    assert not again["changed"]
    assert "stop tui-monitor.service" not in system.asked
    assert system.secrets.read_text() == "OPENAI_API_KEY=x\n"


def test_what_was_named_is_written_down(cli: Cli, system: System, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("")
    database = tmp_path / "100 %.db"
    data = cli("--config", config, "--db", database, "service", "install", "--json").json["data"]
    assert data["name"].startswith("tui-monitor-100__-")
    assert unit.command(data["text"])[4:] == ["collect", "--config", str(config), "--db", str(database)]
    assert "set in this shell, and not for the service: TUI_MONITOR_GENERAL__TIMEZONE" in "".join(
        cli("--db", database, "service", "install", "--json").json["warnings"]
    )


def test_an_older_one_is_written_anew_and_begun_anew(
    cli: Cli, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("service", "install")
    monkeypatch.setattr(unit, "FORM", unit.FORM + 1)
    assert "its file is stale" in cli("service", "status").err
    assert cli("service", "install", "--json").json["data"]["changed"]
    assert "stop tui-monitor.service" in system.asked
    assert "its file is stale" not in cli("service", "status").err


@pytest.mark.parametrize("text", ["[Service]\nExecStart=/bin/true\n", ""])
def test_a_file_of_others_is_left_alone(cli: Cli, system: System, text: str) -> None:
    system.unit.parent.mkdir(parents=True)
    system.unit.write_text(text)
    for action in ("install", "uninstall"):
        refused = cli("service", action)
        assert (refused.code, "not written by tui-monitor" in refused.err) == (1, True)
    assert system.unit.read_text() == text
    assert system.asked == []


def test_a_change_by_hand_is_left_alone(cli: Cli, system: System) -> None:
    cli("service", "install")
    changed = system.unit.read_text() + "# mine\n"
    system.unit.write_text(changed)
    refused = cli("service", "install")
    assert (refused.code, "changed by hand" in refused.err) == (1, True)
    assert system.unit.read_text() == changed


def test_another_collector_is_in_the_way(cli: Cli, system: System, tmp_path: Path) -> None:
    database = tmp_path / "m.db"
    lock = WriteLock.take(database)
    refused = cli("--db", database, "service", "install")
    assert refused.code == 1
    assert f"process {os.getpid()} is writing" in refused.err
    assert "collect --stop" in refused.err
    assert not system.unit.exists()
    # Its own is not in its way.
    system.now(RUNS.replace("4711", str(os.getpid())))
    assert cli("--db", database, "service", "install").code == 0
    lock.release()


def test_a_start_that_fails_says_why(cli: Cli, system: System) -> None:
    system.after(FAILED)
    failed = cli("service", "install")
    assert failed.code == 1
    assert "the disk is full" in failed.err
    status = cli("service", "status", "--json")
    assert status.code == 1
    data = status.json["data"]
    assert (data["active"], data["detail"]) == ("activating", "auto-restart, exit-code 1")
    assert data["running"] is False


def test_status(cli: Cli, system: System) -> None:
    cli("service", "install")
    status = cli("service", "status", "--json")
    assert status.code == 0
    data = status.json["data"]
    assert (data["standing"], data["active"], data["pid"], data["restarts"]) == ("current", "active", 4711, 2)
    assert data["since"] == 1_773_835_200_000_000
    assert data["enabled"] is True
    assert data["memory_bytes"] is None
    assert data["collector"] is None
    assert "since      2026-03-18 12:00:00" in cli("service").out


def test_uninstalled_and_the_data_stays(cli: Cli, system: System) -> None:
    cli("service", "install")
    gone = cli("service", "uninstall")
    assert gone.code == 0
    assert "the data stays" in gone.out
    assert "disable --now tui-monitor.service" in system.asked
    assert not system.unit.exists()
    assert system.secrets.exists()
    again = cli("service", "uninstall")
    assert (again.code, "is installed" in again.err) == (1, True)


def test_lingering_is_only_asked_for_by_name(
    cli: Cli, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = system.folder / "lingers"
    command = system.folder / "loginctl"
    command.write_text(f'#!/bin/sh\necho "$*" >> {told}\n[ ! -e {told}.no ] || exit 1\n')
    command.chmod(0o755)
    monkeypatch.setattr(Systemd, "linger", lambda self: False)
    assert "ends when you log out" in cli("service", "install").err
    assert not told.exists()
    assert cli("service", "install", "--linger").code == 0
    assert told.read_text() == "enable-linger\n"
    Path(f"{told}.no").touch()
    refused = cli("service", "install", "--linger")
    assert (refused.code, "sudo loginctl enable-linger" in refused.err) == (1, True)


def test_without_a_manager_the_other_ways_are_told(cli: Cli, system: System) -> None:
    (system.folder / "gone").touch()
    shown = cli("service", "install", "--dry-run")
    assert (shown.code, "[Service]" in shown.out, system.unit.exists()) == (0, True, False)
    for action in ("install", "status", "uninstall"):
        refused = cli("service", action)
        assert refused.code == 1
        assert "Failed to connect to bus" in refused.err
        assert "collect --detach`" in refused.err
        assert "@reboot" in refused.err


def test_a_program_that_is_newer_than_its_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import tui_monitor

    monkeypatch.setattr(tui_monitor, "__file__", str(tmp_path / "there.py"))
    (tmp_path / "there.py").touch()
    assert looking.older(1)
    assert not looking.older(2**22 + 1)


def test_doctor_tells_of_it(cli: Cli, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> dict[str, tuple[str, str]]:
        checks = cli("doctor", "--json").json["data"]["checks"]
        return {it["text"]: (it["level"], it["hint"]) for it in checks if it["subject"] == "service"}

    assert [level for level, _ in told().values()] == ["ok"]
    cli("service", "install")
    monkeypatch.setattr(Systemd, "linger", lambda self: False)
    monkeypatch.setattr(unit, "FORM", unit.FORM + 1)
    found = told()
    assert found["tui-monitor is active (running)"][0] == "ok"
    assert found["its file is stale"] == ("warn", "`tui-monitor service install` writes it anew")
    assert found["it ends when you log out"][0] == "warn"
    system.now(FAILED.replace("activating", "failed"))
    assert told()["tui-monitor is failed (auto-restart, exit-code 1)"][0] == "fail"
    (system.folder / "gone").touch()
    assert [level for level, _ in told().values()] == ["ok"]


def test_a_command_that_hangs_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(api.MonitorError, match="did not end within"):
        api.run(["sleep", "5"], seconds=0.05)
