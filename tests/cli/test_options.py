"""Arguments: where options may stand, what help says, and what is said about mistakes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tui_monitor import __version__
from tui_monitor.cli.options import split
from tui_monitor.cli.table import VERBS

ROOT = Path(__file__).resolve().parents[2]


def test_version(cli: Cli) -> None:
    assert cli("--version").out == f"tui-monitor {__version__}\n"


def test_help_names_every_verb(cli: Cli) -> None:
    ran = cli("--help")
    assert "--pane NAME" in ran.out
    assert ran.code == 0
    for name, verb in VERBS.items():
        assert re.search(rf"^  {name} +{re.escape(verb.help)}$", ran.out, re.MULTILINE)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_with_examples(cli: Cli, verb: str) -> None:
    ran = cli(verb, "--help")
    assert ran.code == 0
    assert f"usage: tui-monitor {verb}" in ran.out
    assert "examples:" in ran.out
    assert "--json" in ran.out


@pytest.mark.parametrize("verb", VERBS)
def test_the_page_tells_every_verb_and_option(cli: Cli, verb: str) -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    assert f"\n## {verb}\n" in page
    section = page.split(f"\n## {verb}\n")[1].split("\n## ")[0]
    helped = cli(verb, "--help").out.split("examples:")[0]
    common = {"--help", "--config", "--db", "--json", "--plain", "--verbose", "--no-collect", "--demo"}
    common |= {"--read-only"}
    common |= {"--attach", "--token-file", "--ca-file", "--insecure"}
    own = set(re.findall(r"--[a-z-]+", helped)) - common
    for action in re.findall(r"^    ([a-z]+) ", helped.partition("actions:")[2], re.MULTILINE):
        assert f"{verb} {action}" in section
        own |= set(re.findall(r"--[a-z-]+", cli(verb, action, "--help").out)) - common
    assert {option for option in own if option not in section} == set()


def test_options_stand_before_or_after_the_verb(cli: Cli, tmp_path: Path) -> None:
    database = str(tmp_path / "x.db")
    for words in (
        ["--db", database, "--json", "config", "path"],
        ["config", "--db", database, "path", "--json"],
        ["config", "path", "--json", f"--db={database}"],
        ["--json", "config", "--db", database, "path"],
    ):
        assert cli(*words).json["data"]["database"] == database


def test_the_verb_is_found_behind_options_with_values() -> None:
    assert split(["--config", "status", "query", "x", "--db", "costs"]) == (
        "query",
        ["--config", "status", "x", "--db", "costs"],
    )
    assert split(["--no-collect"]) == ("", ["--no-collect"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["statsu"], "did you mean `tui-monitor status`?"),
        (["\x1b[31mred"], "unknown command: '[31mred'"),
        (["status", "--nope"], "unrecognized arguments: --nope"),
        (["query"], "the following arguments are required: QUERY"),
        (["alerts", "ack"], "the following arguments are required: ID"),
        (["prices"], "the following arguments are required: ACTION"),
        (["costs", "--period", "decade"], "invalid choice: 'decade'"),
        (["query", "requests{}", "--range", "soon"], "not understood: 'soon'"),
        (["query", "requests{}", "--at", "later"], "not a time: 'later'"),
        (["metrics", "a b"], "not the name of a metric: 'a b'"),
        (["metrics", "cost", "--group-by", "model)"], "not the name of a label: 'model)'"),
        (["import", "x", "--map", "ts"], "--map 'ts' is no NAME=VALUE"),
        (["import", "x", "--timezone", "Mars"], "no such time zone: 'Mars'"),
        (["import", "undo"], "undo takes one import"),
        (["--config", "/nowhere.toml", "config", "show"], "/nowhere.toml: No such file or directory"),
    ],
)
def test_wrong_usage_is_exit_code_2_with_a_hint(cli: Cli, words: list[str], said: str) -> None:
    ran = cli(*words)
    assert ran.code == 2
    assert said in ran.err
    assert ran.out == ""
    assert "\x1b" not in ran.err


def test_errors_in_json_are_one_document(cli: Cli) -> None:
    ran = cli("--json", "status", "--nope")
    assert (ran.code, ran.err) == (2, "")
    assert ran.json == {
        "status": "error",
        "errorType": "bad_data",
        "error": "unrecognized arguments: --nope",
        "hint": "see `tui-monitor status --help`",
    }


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_full_disk_behind_standard_output(options: list[str]) -> None:
    command = [sys.executable, "-m", "tui_monitor", *options, "config", "path"]
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr == "tui-monitor: cannot write to standard output: No space left on device\n"
