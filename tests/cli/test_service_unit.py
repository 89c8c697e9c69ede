"""What is written for service managers: the text itself, whose it is, and what they say of it."""

import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.cli.services import unit
from tui_monitor.cli.services.api import Plan
from tui_monitor.cli.services.launchd import Launchd
from tui_monitor.model.errors import UsageError

ODD = '/home/o\'s "x"/%h $HOME\\ ü;\t#.db'


def plan(*options: str, secrets: Path = Path("/home/a b/50%/service.env")) -> Plan:
    program = (sys.executable, "-P", "-m", "tui_monitor")
    return Plan(
        "tui-monitor", program, options, {"XDG_DATA_HOME": "/da ta/5%"}, secrets, "collects into 5%\n"
    )


def test_the_command_is_the_one_that_was_meant() -> None:
    text = unit.text(plan("--db", ODD), 252)
    assert unit.command(text) == [*plan("--db", ODD).collect]
    assert 'Environment="XDG_DATA_HOME=/da ta/5%%"\n' in text
    assert "EnvironmentFile=-/home/a b/50%%/service.env\n" in text
    assert "Description=collects into 5%%\n" in text


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_any_word_can_be_written(words: list[str]) -> None:
    assert unit.command(unit.text(plan(*words), 252)) == [*plan(*words).collect]
    assert "\r" not in unit.quoted("".join(words))


def test_a_name_that_is_no_utf_8_is_written_byte_for_byte() -> None:
    name = os.fsdecode(b"/data/\xff\xfe.db")
    assert r"\xff\xfe.db" in unit.quoted(name)
    assert unit.command(unit.text(plan("--db", name), 252))[-1] == name


def test_what_no_unit_can_name_is_refused() -> None:
    with pytest.raises(UsageError):
        unit.quoted("a\0b")
    with pytest.raises(UsageError):
        unit.text(plan(secrets=Path("/home/a\nExecStart=/bin/sh")), 252)


def test_whose_a_unit_is() -> None:
    text = unit.text(plan(), 252)
    assert unit.standing(text) == "current"
    assert unit.standing(text.replace("WatchdogSec=60", "WatchdogSec=600")) == "changed"
    assert unit.standing(f"[Service]\n{text}") == "foreign"
    assert unit.standing("") == "foreign"
    gone = Plan("tui-monitor", ("/gone/python",), (), {}, Path("/x"), "x")
    assert unit.standing(unit.text(gone, 252)) == "broken"


def test_a_unit_of_another_form_is_older(monkeypatch: pytest.MonkeyPatch) -> None:
    text = unit.text(plan(), 252)
    monkeypatch.setattr(unit, "FORM", unit.FORM + 1)
    assert unit.standing(text) == "older"


def test_only_a_systemd_that_knows_steps_is_told_of_them() -> None:
    assert "RestartSteps" not in unit.text(plan(), 253)
    assert "RestartSteps=8" in unit.text(plan(), 254)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_every_option(tmp_path: Path) -> None:
    # A name that is longer than the whole path of the manager's sockets may be is no matter here.
    path = tmp_path / "tui-monitor.service"
    version = subprocess.run(["systemctl", "--version"], capture_output=True, text=True).stdout.split()[1]
    path.write_text(unit.text(plan("--db", ODD), int(version)))
    verified = subprocess.run(
        ["systemd-analyze", "--user", "verify", path],
        capture_output=True, text=True, env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    assert (verified.returncode, verified.stderr) == (0, "")
    path.write_text(path.read_text().replace("LockPersonality=", "LockPersonalities="))
    wrong = subprocess.run(
        ["systemd-analyze", "--user", "verify", path],
        capture_output=True, text=True, env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    assert "LockPersonalities" in wrong.stderr


def test_an_agent_of_launchd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    agent = plistlib.loads(Launchd().text(plan("--db", ODD)).encode())
    assert agent["ProgramArguments"][3:] == ["/home/a b/50%/service.env", *plan("--db", ODD).collect]
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert agent["EnvironmentVariables"] == {"XDG_DATA_HOME": "/da ta/5%"}
    path = Launchd().file("tui-monitor")
    assert path == tmp_path / "Library" / "LaunchAgents" / "tui-monitor.plist"
    assert Launchd().standing("tui-monitor") == "absent"
    path.parent.mkdir(parents=True)
    path.write_bytes(plistlib.dumps(agent))
    assert Launchd().standing("tui-monitor") == "current"
    path.write_bytes(plistlib.dumps(agent | {"ServiceDescription": "mine"}))
    assert Launchd().standing("tui-monitor") == "foreign"
    path.write_text("no list")
    assert Launchd().standing("tui-monitor") == "foreign"


def test_the_shell_of_an_agent_takes_variables_and_becomes_the_command(tmp_path: Path) -> None:
    secrets = tmp_path / "my service.env"
    secrets.write_text("KEY='a b'\n")
    agent = plistlib.loads(Launchd().text(plan(secrets=secrets)).encode())
    said = subprocess.run(
        [*agent["ProgramArguments"][:4], "/bin/sh", "-c", 'echo "$KEY"'], capture_output=True, text=True
    )
    assert said.stdout == "a b\n"
