"""`rules`: seeing, checking, writing and switching them, with and without a database."""

import threading
import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tui_monitor.config import places
from tui_monitor.monitor.remote import somebody_listens
from tui_monitor.monitor.thread import CollectorThread
from tui_monitor.server import serve

RULES = """# kept
[[alerts.rules]]
name = "many errors"
expr = "error_rate{} [5m] by(provider) > 0.5"
severity = "critical"
summary = "{{ $labels.provider }} fails: {{ $reason }}"
"""


@pytest.fixture
def config() -> Path:
    """The configuration file, with one rule."""
    path = places.config_file()
    path.parent.mkdir(parents=True)
    path.write_text(RULES)
    return path


def written(path: Path) -> dict:
    return tomllib.loads(path.read_text())["alerts"]


def test_own_and_shipped_rules_are_listed(config: Path, fed: Cli) -> None:
    lines = fed("rules").out.splitlines()
    assert lines[1].split()[:3] == ["many", "errors", "critical"]
    assert "error_rate{} [5m] by(provider) > 0.5" in lines[1]
    assert any(line.startswith("provider unavailable") and "shipped" in line for line in lines)
    assert fed("alerts", "rules").out == fed("rules", "list").out


def test_rules_are_listed_and_checked_without_a_database(config: Path, cli: Cli) -> None:
    assert "many errors" in cli("rules", "list").out
    (own,) = [rule for rule in cli("rules", "--json").json["data"] if not rule["shipped"]]
    assert (own["name"], own["error"], own["enabled"]) == ("many errors", "", True)
    ran = cli("rules", "check")
    assert ran.code == 0
    assert "1 of your own, 0 with errors" in ran.out
    config.write_text(RULES + '[[alerts.rules]]\nname = "odd"\nexpr = "eror_rate{} > 1"\n')
    ran = cli("rules", "check")
    assert ran.code == 1
    assert 'unknown metric "eror_rate"' in ran.err
    assert cli("config", "check").code == 2
    assert not places.database_file().exists()


def test_a_metric_that_nobody_sent_is_told_and_no_error(config: Path, cli: Cli) -> None:
    config.write_text('[[alerts.rules]]\nname = "mine"\nexpr = "shop_queue_depth > 5"\n')
    ran = cli("rules", "check")
    assert ran.code == 0
    assert (
        'note: rule mine:\nshop_queue_depth > 5\n^^^^^^^^^^^^^^^^ unknown metric "shop_queue_depth"'
        in ran.err
    )


def test_what_would_fire_now(config: Path, fed: Cli) -> None:
    ran = fed("rules", "check", "--now")
    assert (
        "critical, at once: many errors: openai fails: 20 of the last 20 calls failed: server 20" in ran.out
    )
    assert "warning, if it holds for 5m: error rate: 100 % of the calls to openai fail" in ran.out
    holding = {
        one["rule"]: one["holds"] for one in fed("rules", "check", "--now", "--json").json["data"]["now"]
    }
    assert [reading["labels"] for reading in holding["many errors"]] == [{"provider": "openai"}]
    assert holding["provider unavailable"] == []


def test_one_rule_with_what_it_reads(config: Path, fed: Cli) -> None:
    lines = fed("rules", "show", "many errors").out.splitlines()
    assert "expression  error_rate{} [5m] by(provider) > 0.5" in lines
    assert lines[-2].split() == ["provider=openai", "100", "%", ">", "50.0", "%", "holds"]
    assert lines[-1].split() == ["provider=anthropic", "0", "%", ">", "50.0", "%"]
    ran = fed("rules", "show", "many eror")
    assert ran.code == 2
    assert "did you mean 'many errors'?" in ran.err


def test_a_rule_is_written_below_the_others_and_comments_stay(config: Path, cli: Cli) -> None:
    ran = cli(
        "rules", "create", "slow", 'latency{provider="claude"} p95 by(model) > 2 * baseline', "--for", "5m",
        "--label", "team=core", "--label", "page=yes", "--summary", "{{ $reason }}",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "# kept" in config.read_text()
    first, second = written(config)["rules"]
    assert first["name"] == "many errors"
    assert second == {
        "name": "slow", "expr": 'latency{provider="claude"} p95 by(model) > 2 * baseline', "for": "5m",
        "severity": "warning", "labels": {"team": "core", "page": "yes"}, "summary": "{{ $reason }}",
    }  # fmt: skip
    assert "slow" in cli("rules").out


def test_a_running_collector_takes_a_change_over(config: Path, fed: Cli) -> None:
    thread = CollectorThread(config, {"server": {"listen": ""}}, serve=serve)
    thread.start()
    try:
        while thread.state.mode == "starting" or not somebody_listens(
            places.socket_path(places.database_file())
        ):
            threading.Event().wait(0.01)
        ran = fed("rules", "create", "any", "requests > 0")
        assert "the running collector looks at it now" in ran.out, ran.err
        assert thread.settings is not None
        assert [rule.name for rule in thread.settings.alerts.rules] == ["many errors", "any"]
        assert fed("rules", "disable", "cpu").code == 0
        assert thread.settings.alerts.disabled == ["cpu"]
    finally:
        assert thread.stop(5)


def test_a_dry_run_writes_nothing(config: Path, cli: Cli) -> None:
    ran = cli("rules", "create", "dear", "daily_spend > $5", "--dry-run")
    assert ran.code == 0
    assert 'name = "dear"' in ran.out
    assert config.read_text() == RULES


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["x", "error_rate > 3 *"], "                ^ expected a metric, a number, a function or ("),
        (["x", "eror_rate > 3"], '^^^^^^^^^ unknown metric "eror_rate", did you mean error_rate?'),
        (["x", "cost [today] > 2 * baseline"], "a calendar period like [today] has no baseline"),
        (["x", "monthly_spend > budget"], "no budget is configured"),
        (["x", "monthly_spend > 5", "--budget", "team"], 'no budget is called "team"'),
        (["x", "cost > 5", "--for", "5"], "not a length of time: '5'"),
        (["x", "cost > 5", "--severity", "awful"], "severity: "),
        (["x", "cost > 5", "--label", "team"], "not a label: 'team'"),
        (["many errors", "cost > 5"], "there is a rule 'many errors' already"),
    ],
)  # fmt: skip
def test_what_is_no_good_is_not_written(config: Path, cli: Cli, argv: list[str], said: str) -> None:
    ran = cli("rules", "create", *argv)
    assert ran.code != 0
    assert said in ran.err
    assert config.read_text() == RULES


def test_own_and_shipped_rules_are_switched(config: Path, cli: Cli) -> None:
    assert cli("rules", "disable", "many errors", "cpu").code == 0
    assert written(config)["rules"][0]["enabled"] is False
    assert written(config)["disabled"] == ["cpu"]
    states = {rule["name"]: rule["enabled"] for rule in cli("rules", "--json").json["data"]}
    assert (states["many errors"], states["cpu"], states["memory"]) == (False, False, True)
    assert cli("rules", "enable", "cpu", "many errors").code == 0
    states = {rule["name"]: rule["enabled"] for rule in cli("rules", "--json").json["data"]}
    assert all(states.values())
    assert cli("rules", "disable", "nothing").code == 2


def test_a_rule_that_the_environment_keeps_off_is_told(
    config: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_MONITOR_ALERTS__DISABLED", '["cpu"]')
    ran = cli("rules", "enable", "cpu")
    assert "cpu is off all the same, by TUI_MONITOR_ALERTS__DISABLED" in ran.err


def test_metrics_are_listed_without_a_database(cli: Cli) -> None:
    ran = cli("metrics")
    assert ran.code == 0
    names = [line.split()[0] for line in ran.out.splitlines()[1:]]
    assert {"latency", "system_cpu_utilization", "tui_monitor_provider_state"} <= set(names)
    assert len(names) == len(set(names))
    assert not places.database_file().exists()
