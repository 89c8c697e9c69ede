"""`doctor`: it says what is wrong, whatever is broken, and changes nothing."""

import os
import re
import socket
import sqlite3
import stat
import subprocess
import sys
from argparse import Namespace
from collections import namedtuple
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cli.conftest import Cli
from tui_monitor.cli.checks import settings, storage, terminal, time
from tui_monitor.cli.checks.api import Check, Scene, Subject
from tui_monitor.cli.context import Context
from tui_monitor.config import places
from tui_monitor.model.clock import ManualClock
from tui_monitor.store.lock import WriteLock

Mount = namedtuple("Mount", "device mountpoint fstype opts")


def found(cli: Cli, *argv: str) -> dict[str, dict[str, Any]]:
    """Every check by `subject/name`; the worst of them and the code fit together."""
    ran = cli("doctor", "--json", *argv)
    data = ran.json["data"]
    levels = [check["level"] for check in data["checks"]]
    assert data["worst"] == max(levels, key=["ok", "warn", "fail"].index)
    assert ran.code == (1 if "fail" in levels else 0)
    return {f"{check['subject']}/{check['name']}": check for check in data["checks"]}


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A terminal, a disk and a door on which nothing is wrong."""
    for name in ("TMUX", "STY", "COLORTERM", "TZ"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("TUI_MONITOR_SERVER__LISTEN", "")
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: [Mount("/dev/a", "/", "ext4", "rw")])
    monkeypatch.setattr("tui_monitor.cli.checks.time._MOMENT", 0.0)


def of(subject: Subject, clock: ManualClock) -> dict[str, Check]:
    """The checks of one subject, by their names."""
    scene = Scene(Context(Namespace(), clock), os.environ)
    return {check.name: check for check in subject(scene)}


pytestmark = pytest.mark.usefixtures("quiet")


def everything_under(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_on_a_new_machine_nothing_is_wrong_and_nothing_is_made(cli: Cli, private_home: Path) -> None:
    before = everything_under(private_home)
    checks = found(cli)
    assert everything_under(private_home) == before
    assert {check["level"] for check in checks.values()} == {"ok"}, checks
    assert "not asked yet" in checks["consent/agent_logs"]["text"]
    assert "--allow agent_logs" in checks["consent/agent_logs"]["hint"]
    assert "none yet at" in checks["database/file"]["text"]
    assert "made when needed" in checks["places/data"]["text"]
    assert checks["clock/time"]["text"] == "2026-03-18T12:00:00Z"


def test_people_read_one_line_for_each_and_the_sum(fed: Cli) -> None:
    ran = fed("doctor")
    assert ran.code == 0
    for words in ("TERMINAL\n", "DATABASE\n", "  ● ok    soundness       no damage\n", "PLACES\n"):
        assert words in ran.out
    assert re.fullmatch(r"\d+ ok(, \d+ warn)?", ran.out.splitlines()[-1])
    plain = fed("doctor", "--plain")
    assert "  ok    soundness       no damage\n" in plain.out


def test_looking_at_a_database_leaves_no_trace(fed: Cli, private_home: Path) -> None:
    before = everything_under(private_home)
    checks = found(fed)
    assert everything_under(private_home) == before
    assert checks["database/soundness"]["text"] == "no damage"


def test_secrets_are_named_and_never_shown(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "a-very-plain-looking-value"
    monkeypatch.setenv("OPENAI_API_KEY", secret)
    path = places.config_file()
    path.parent.mkdir(parents=True)
    path.write_text(f'[[probes.targets]]\nprovider = "vllm"\nkey = "{secret}"\nurl = "http://127.0.0.1:1"\n')
    path.chmod(0o644)
    ran = cli("doctor")
    assert secret not in ran.out + ran.err
    assert "in the environment: OPENAI_API_KEY" in ran.out
    checks = found(cli)
    assert checks["config/mode"]["level"] == "warn"
    assert checks["config/mode"]["hint"] == f"chmod 600 {path}"
    path.chmod(0o600)
    assert found(cli)["config/mode"]["level"] == "ok"


@pytest.mark.parametrize(
    "text", ["[log]\nlevel = = 1\n", '[log]\nlevel = "loud"\n', "\x00\x01", "[x]\ny=1\n"]
)
def test_a_configuration_that_does_not_load_fails_and_all_else_is_looked_at(cli: Cli, text: str) -> None:
    path = places.config_file()
    path.parent.mkdir(parents=True)
    path.write_text(text)
    checks = found(cli)
    assert checks["config/settings"]["level"] == "fail"
    assert str(path) in checks["config/settings"]["text"]
    assert checks["database/disk"]["level"] == "ok"
    assert checks["program/version"]["level"] == "ok"


def test_keys_that_cannot_be_are_told(cli: Cli) -> None:
    path = places.config_file()
    path.parent.mkdir(parents=True)
    path.write_text('[keys]\npause = "q"\n')
    check = found(cli)["config/keys"]
    assert check["level"] == "warn"
    assert "config.toml:2: keys.pause" in check["text"]
    assert "config keys" in check["hint"]


def test_a_damaged_database_and_what_is_none(fed: Cli) -> None:
    path = places.database_file()
    body = bytearray(path.read_bytes())
    body[4096 * 3 : 4096 * 8] = os.urandom(4096 * 5)
    path.write_bytes(body)
    checks = found(fed)
    faults = [check for check in checks.values() if check["level"] == "fail"]
    assert [check["subject"] for check in faults] == ["database"]
    assert "db restore" in faults[0]["hint"] or "move it aside" in faults[0]["hint"]
    path.write_bytes(b"hello, I am a letter\n" * 100)
    assert "not a database" in found(fed)["database/file"]["text"]


def test_databases_of_other_versions(fed: Cli) -> None:
    with sqlite3.connect(places.database_file()) as conn:
        conn.execute("INSERT INTO migrations VALUES ('from the future')")
    checks = found(fed)
    assert checks["database/file"]["level"] == "fail"
    assert "a newer version" in checks["database/file"]["text"]
    with sqlite3.connect(places.database_file()) as conn:
        conn.execute("DELETE FROM migrations WHERE name IN ('from the future', 'imports')")
    assert found(fed)["database/version"]["level"] == "warn"
    conn.close()


def test_who_writes_the_database(fed: Cli) -> None:
    path = places.database_file()
    assert "database/written by" not in found(fed)
    lock = WriteLock.take(path)
    try:
        assert found(fed)["database/written by"]["text"] == f"process {os.getpid()}"
    finally:
        lock.release()
    assert "database/written by" not in found(fed)
    path.with_name(path.name + ".lock").write_text("999999999\n")
    assert "database/written by" not in found(fed)


@pytest.mark.parametrize(
    ("kind", "level"),
    [("nfs4", "fail"), ("cifs", "fail"), ("9p", "fail"), ("fuse.sshfs", "fail"), ("fuse.ntfs-3g", "warn"),
     ("fuseblk", "warn"), ("tmpfs", "warn"), ("btrfs", "ok"), ("overlay", "ok")],
)  # fmt: skip
def test_file_systems(
    kind: str, level: str, clock: ManualClock, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = [
        Mount("/dev/a", "/", "ext4", "rw"),
        Mount("x:/home", str(private_home), kind, "rw"),
        Mount("y:/", str(private_home) + "-beside", "nfs", "rw"),
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounts)
    check = of(storage.database, clock)["file system"]
    assert (check.level, check.text.split(" at ")[0]) == (level, kind)


def test_a_door_that_another_program_has(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("TUI_MONITOR_SERVER__LISTEN", f"127.0.0.1:{port}")
        check = found(cli)["sources/door"]
        assert check["level"] == "warn"
        assert f"127.0.0.1:{port} is in use by process {os.getpid()}" in check["text"]
    assert "is free" in found(cli)["sources/door"]["text"]
    monkeypatch.setenv("TUI_MONITOR_SERVER__LISTEN", "nonsense")
    assert found(cli)["sources/door"]["level"] == "fail"


@pytest.mark.parametrize(
    ("environ", "check", "level", "words"),
    [
        ({"TERM": "dumb"}, "TERM", "warn", "cannot be drawn"),
        ({"TERM": ""}, "TERM", "warn", "not set"),
        ({"LANG": "C"}, "characters", "warn", "ASCII"),
        ({"NO_COLOR": "1"}, "colours", "ok", "none"),
        ({"COLORTERM": "truecolor"}, "colours", "ok", "16.7 million"),
        ({"TERM": "linux"}, "mouse", "ok", "none on this console"),
        ({"STY": "1.pts"}, "screen", "warn", "GNU screen"),
        ({"TMUX": "/nowhere,1,0"}, "tmux", None, "tmux"),
    ],
)
def test_terminals(
    environ: dict[str, str], check: str, level: str | None, words: str, clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("LANG", "C.UTF-8")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    said = of(terminal.terminal, clock)[check]
    assert level in (None, said.level)
    assert words in said.text or words in said.name


def test_a_clock_that_is_wrong(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: 1_000_000)
    assert of(time.clock, clock)["time"].level == "fail"


def test_a_clock_that_jumps_and_a_zone_that_is_none(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, monotonic = clock.now(), iter(float(n) for n in range(0, 1000, 7))
    monkeypatch.setattr(clock, "now", lambda: now)
    monkeypatch.setattr(clock, "monotonic", lambda: next(monotonic))
    monkeypatch.setenv("TUI_MONITOR_GENERAL__TIMEZONE", "Nowhere/City")
    steady = of(time.clock, clock)["steady"]
    assert steady.level == "warn"
    assert "-7.0 s" in steady.text
    assert of(settings.config, clock)["settings"].level == "fail"


def test_folders_that_others_may_look_into(clock: ManualClock) -> None:
    folder = places.data_dir()
    folder.chmod(0o755)
    check = of(storage.writable, clock)["data"]
    assert (check.level, check.hint) == ("warn", f"chmod 700 {folder}")


def test_a_file_in_the_place_of_a_folder(clock: ManualClock, private_home: Path) -> None:
    (private_home / "state").write_text("")
    checks = of(storage.writable, clock)
    assert checks["state"].level == "fail"
    assert "in the way" in checks["state"].hint
    assert checks["data"].level == "ok"


def test_without_a_home_it_still_answers(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "XDG_CONFIG_HOME": "relative"}
    ran = subprocess.run(
        [sys.executable, "-m", "tui_monitor", "--db", str(tmp_path / "x.db"), "doctor"],
        env=environ, capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert ran.returncode in (0, 1)
    assert "PROGRAM" in ran.stdout
    assert "Traceback" not in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_subject_that_breaks_is_one_failure(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from tui_monitor.cli.checks import ways

    def broken(scene: object) -> Any:
        raise RuntimeError("on purpose\x1b[31m")

    monkeypatch.setattr(ways, "sources", broken)
    checks = found(cli)
    assert checks["broken/check"]["level"] == "fail"
    assert "program/version" in checks
    assert "\x1b" not in cli("doctor").out


def test_the_socket_of_a_killed_collector(cli: Cli) -> None:
    path = places.socket_path(places.expected("data") / "monitor.db")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    check = found(cli)["collector/socket"]
    assert (check["level"], check["hint"]) == ("ok", "the next collector removes it")
    assert stat.S_ISSOCK(path.lstat().st_mode)
