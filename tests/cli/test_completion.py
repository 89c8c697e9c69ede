"""Shells complete command lines: installed by one command, answered at once, harmless whatever is stored."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, call, write_lines
from tui_monitor.cli.completion import SHELLS
from tui_monitor.config import places
from tui_monitor.model.clock import ManualClock
from tui_monitor.store import names

PROGRAM = Path(sys.executable).parent
BASH = """
. "$1"
COMP_LINE=$2; COMP_POINT=${#2}; COMP_TYPE=9; COMPREPLY=()
$(complete -p tui-monitor | sed 's/.*-F \\([^ ]*\\).*/\\1/') tui-monitor
printf '%s\\n' "${COMPREPLY[@]}"
"""
_HEAVY = ("pydantic", "textual", "rich", "numpy", "httpx", "asyncio", "orjson")


@pytest.fixture
def script(cli: Cli, private_home: Path) -> Path:
    ran = cli("--install-completion", "bash")
    assert ran.code == 0, ran.err
    return private_home / "data" / "bash-completion" / "completions" / "tui-monitor"


def environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{PROGRAM}:{os.environ['PATH']}", "LANG": "C.UTF-8"}


def offered(script: Path, line: str) -> list[str]:
    """What bash itself would show after tab."""
    ran = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", str(script), line],
        capture_output=True, text=True, check=True, env=environment(), timeout=30,
    )  # fmt: skip
    assert ran.stderr == ""
    return [word.strip() for word in ran.stdout.splitlines() if word.strip()]


def test_bash_completes_verbs_options_and_choices(script: Path) -> None:
    assert offered(script, "tui-monitor do") == ["doctor"]
    assert {"status", "costs", "doctor"} <= set(offered(script, "tui-monitor "))
    assert offered(script, "tui-monitor costs --pe") == ["--period"]
    assert offered(script, "tui-monitor config consent --allow provider_") == ["provider_keys"]
    assert offered(script, "tui-monitor --install-completion ") == list(SHELLS)


def test_bash_completes_names_out_of_the_database(script: Path, fed: Cli) -> None:
    assert offered(script, "tui-monitor metrics laten") == ["latency"]
    assert offered(script, "tui-monitor metrics latency --provider ") == ["anthropic", "openai"]
    assert offered(script, "tui-monitor metrics latency --model 日") == ["日本語モデル"]
    assert offered(script, "tui-monitor import undo f") == ["first"]
    assert "project" in offered(script, "tui-monitor costs --by p")
    elsewhere = places.database_file().rename(places.data_dir() / "other.db")
    assert offered(script, "tui-monitor import undo f") == []
    assert offered(script, f"tui-monitor --db {elsewhere} import undo f") == ["first"]
    path = places.config_file()
    path.parent.mkdir(parents=True)
    path.write_text(f'[database]\npath = "{elsewhere}"\n[[alerts.rules]]\nname = "slow"\nexpr = "x"\n')
    assert offered(script, "tui-monitor import undo f") == ["first"]


def test_bash_completes_queries_and_filters(script: Path, fed: Cli) -> None:
    assert offered(script, "tui-monitor query provider=anth") == ["anthropic"]
    assert offered(script, "tui-monitor query 'provider=anth") == ["provider=anthropic"]
    assert "histogram_quantile\\(" in offered(script, "tui-monitor query histogram_q")
    assert "provider=claude AND latency" in offered(script, "tui-monitor query 'provider=claude AND laten")
    assert "rate(requests[5m]" in offered(script, "tui-monitor query 'rate(requests[")
    # One way alone would let the shell close the quotation where braces are still open.
    both = ['latency{provider="openai"', 'latency{provider="openai"}']
    assert offered(script, "tui-monitor query 'latency{provider=\"op") == both


def test_bash_completes_rules_and_sources(script: Path) -> None:
    path = places.config_file()
    path.parent.mkdir(parents=True)
    path.write_text('[[alerts.rules]]\nname = "mine"\nexpr = "cost{} > 1"\n')
    assert offered(script, "tui-monitor rules disable mi") == ["mine"]
    assert "provider\\ unavailable" in offered(script, "tui-monitor rules disable p")
    path.write_text("= nonsense")
    assert offered(script, "tui-monitor rules disable mi") == []
    assert offered(script, "tui-monitor sources pause cl") == ["claude-code"]


def test_what_came_from_outside_never_drives_the_shell(
    script: Path, cli: Cli, clock: ManualClock, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    hostile = ["$(touch %s)", "`touch %s`", "a;touch %s", "*", "x\x1b]0;t\x07", "a'b", "good one", "fine"]
    users = [name.replace("%s", str(marker)) for name in hostile]
    rows = [call(clock, n, 60_000_000, user=name) for n, name in enumerate(users)]
    assert cli("import", str(write_lines(tmp_path / "t.jsonl", rows))).code == 0
    assert len(names.label_values(places.database_file(), "user")) == len(users)
    assert sorted(offered(script, "tui-monitor metrics latency --user ")) == ["fine", "good\\ one"]
    assert not marker.exists()


@pytest.mark.parametrize("broken", ["absent", "garbage", "folder"])
def test_where_nothing_can_be_read_nothing_is_said(script: Path, broken: str) -> None:
    path = places.database_file()
    if broken == "garbage":
        path.write_bytes(b"no database" * 1000)
        places.config_file().parent.mkdir(parents=True)
        places.config_file().write_text("= nonsense")
    elif broken == "folder":
        path.mkdir()
    assert offered(script, "tui-monitor metrics latency --provider ") == []
    assert offered(script, "tui-monitor metrics 'lat") in (["latency"], ["latency'"], ["'latency'"])
    assert not path.with_name(path.name + "-wal").exists()


def test_answering_loads_little(fed: Cli) -> None:
    line = "tui-monitor metrics latency --provider a"
    environ = environment() | {
        "_ARGCOMPLETE": "1", "_ARGCOMPLETE_SHELL": "bash", "COMP_LINE": line, "COMP_POINT": str(len(line)),
        "_ARGCOMPLETE_STDOUT_FILENAME": os.devnull,
    }  # fmt: skip
    command = [sys.executable, "-X", "importtime", "-m", "tui_monitor"]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    loaded = {row.rsplit("|", 1)[-1].strip().split(".")[0] for row in ran.stderr.splitlines()}
    assert "argcomplete" in loaded
    assert loaded.isdisjoint(_HEAVY)


def test_a_normal_start_does_not_load_it() -> None:
    script = (
        "import sys; from tui_monitor.cli.main import run; run(['--version'])\n"
        "print('argcomplete' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "False"


def test_installing_says_what_it_did_and_how_to_undo_it(
    cli: Cli, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    ran = cli("--install-completion")
    path = private_home / "config" / "fish" / "completions" / "tui-monitor.fish"
    assert path.read_text() == cli("--show-completion").out == cli("--show-completion", "fish").out
    assert f"fish completes tui-monitor: {path}\n" in ran.out
    assert f"to undo it: rm {path}\n" in ran.out
    zsh = cli("--install-completion=zsh", "--json").json["data"]
    assert Path(zsh["file"]).read_text().startswith("#compdef tui-monitor\n")
    assert any(f"fpath=({Path(zsh['file']).parent} " in step for step in zsh["next"])


def test_shells_that_are_not_known(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = cli("--install-completion", "tcsh")
    assert (ran.code, "no completion for 'tcsh'" in ran.err) == (2, True)
    assert cli("--install-completion", "bash", "zsh").code == 2
    monkeypatch.setenv("SHELL", "")
    assert cli("--install-completion").code == 2


def test_a_place_that_cannot_be_written(cli: Cli, private_home: Path) -> None:
    (private_home / "data").write_text("in the way")
    ran = cli("--install-completion", "bash")
    assert (ran.code, "cannot write" in ran.err, "--show-completion" in ran.err) == (1, True, True)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes(cli: Cli, fed: Cli) -> None:
    cli("--install-completion", "fish")
    line = "tui-monitor metrics latency --provider "
    ran = subprocess.run(
        ["fish", "-c", f"complete -C {line!r}"], capture_output=True, text=True, check=True, env=environment()
    )
    assert [row.split("\t")[0] for row in ran.stdout.splitlines()] == ["anthropic", "openai"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_finds_the_function(cli: Cli, private_home: Path) -> None:
    path = Path(cli("--install-completion", "zsh", "--json").json["data"]["file"])
    script = f"fpath=({path.parent} $fpath); autoload -Uz compinit && compinit -u; print $_comps[tui-monitor]"
    ran = subprocess.run(
        ["zsh", "-f", "-c", script], capture_output=True, text=True, check=True, env=environment()
    )
    assert ran.stdout.strip() == "_tui-monitor"
