"""`config`, `token`, `prices` and `reprice`."""

import stat
import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.cli.conftest import Cli, call, write_lines
from tui_monitor.cli import config
from tui_monitor.config import places, written
from tui_monitor.config.load import load_all
from tui_monitor.model.clock import SECOND, ManualClock


def test_init_writes_the_example_once(cli: Cli) -> None:
    ran = cli("config", "init")
    path = places.config_file()
    assert ran.out == f"written: {path}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert tomllib.loads(path.read_text()).keys() >= {"general", "server"}
    path.write_text("[log]\nlevel = 'debug'\n")
    again = cli("config", "init")
    assert (again.code, "is there already" in again.err) == (1, True)
    assert cli("config", "init", "--force").code == 0
    assert "debug" not in tomllib.loads(path.read_text())["log"].values()
    assert cli("config", "check").code == 0


def test_init_where_nothing_can_be_written(cli: Cli) -> None:
    ran = cli("--config", "/proc/nowhere/x.toml", "config", "init")
    assert (ran.code, "cannot write /proc/nowhere/x.toml" in ran.err) == (1, True)


def test_show_tells_value_and_origin(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    path = places.config_file()
    path.parent.mkdir(parents=True)
    path.write_text('[log]\nlevel = "debug"\n[[budgets]]\nname = "all"\namount_usd = 5\n')
    monkeypatch.setenv("TUI_MONITOR_RETENTION__RAW", "7d")
    rows = {row["key"]: row for row in cli("--json", "config", "show").json["data"]}
    assert rows["log.level"] == {"key": "log.level", "value": '"debug"', "origin": f"{path}:2"}
    assert rows["retention.raw"]["origin"] == "TUI_MONITOR_RETENTION__RAW"
    assert rows["retention.raw"]["value"] in ('"7d"', '"1w"')
    assert rows["retention.size"] == {"key": "retention.size", "value": '"2 GB"', "origin": "default"}
    assert rows["budgets[1].amount_usd"]["value"] == "5.0"


def test_show_never_shows_a_secret(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "plain-looking-value-1234")
    monkeypatch.setenv("TUI_MONITOR_GENERAL__NAME", "plain-looking-value-1234")
    monkeypatch.setenv("TUI_MONITOR_SERVER__LISTEN", "https://ana:hunter2hunter2@host:1")
    monkeypatch.setenv("TUI_MONITOR_SCREEN__THEME", "sk-abcdefghijklmnop")
    ran = cli("config", "show")
    for secret in ("plain-looking-value-1234", "hunter2", "abcdefghijklmnop"):
        assert secret not in ran.out + ran.err
    assert "***" in ran.out


def test_a_secret_setting_is_stars_whatever_it_holds() -> None:
    loaded = load_all()
    key = next(key for key in written.keys("log", type(loaded.settings.log)) if key.name == "level")
    assert config._shown(key, SecretStr("x")) == "***"


def test_check_tells_every_mistake(cli: Cli) -> None:
    path = places.config_file()
    path.parent.mkdir(parents=True)
    path.write_text("[log]\nlevle = 1\nkeep = -1\n")
    ran = cli("config", "check")
    assert ran.code == 2
    assert f"{path}:2: unknown key log.levle; did you mean level?" in ran.err
    assert f"{path}:3: log.keep must be at least 0, not -1" in ran.err
    assert cli("status").code == 2


def test_path_names_every_file(cli: Cli) -> None:
    found = cli("config", "path", "--json").json["data"]
    assert found["config"] == str(places.config_file())
    assert found.keys() == {"config", "database", "log", "token", "socket"}


def test_the_token_is_made_once_and_private(cli: Cli) -> None:
    token = cli("token").out.strip()
    assert len(token) >= 32
    assert cli("token", "show").out.strip() == token
    path = Path(cli("token", "path").out.strip())
    assert path.read_text().strip() == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert cli("--json", "token").json["data"] == {"token": token}


def test_prices_say_where_they_come_from(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = cli("--json", "prices", "show", "gpt-4o", "--provider", "openai").json["data"]
    assert listed[0]["prices"]["input"] == "2.5"
    own = tmp_path / "prices.toml"
    own.write_text('[[prices]]\nprovider = "openai"\nmodel = "gpt-4o"\ninput = 9\noutput = 1\n')
    monkeypatch.setenv("TUI_MONITOR_PRICES__FILE", str(own))
    ran = cli("prices", "show", "gpt-4o", "--provider", "openai")
    assert str(own) in ran.out
    assert "9" in ran.out.splitlines()[1].split()
    unknown = cli("prices", "show", "nobody-knows-it")
    assert (unknown.code, "unpriced" in unknown.err) == (1, True)


def test_reprice_puts_unpriced_calls_right(
    cli: Cli, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [call(clock, n, SECOND, provider="acme", model="new", cost_usd=None) for n in range(10)]
    cli("import", str(write_lines(tmp_path / "x.jsonl", rows)))
    assert cli("query", "unpriced{} [1h] sum", "--json").json["data"]["result"][0]["value"][1] == "10"
    own = tmp_path / "prices.toml"
    own.write_text('[[prices]]\nprovider = "acme"\nmodel = "new"\ninput = 1000\noutput = 0\n')
    monkeypatch.setenv("TUI_MONITOR_PRICES__FILE", str(own))
    report = cli("--json", "reprice", "--from", "1d").json["data"]
    assert (report["looked_at"], report["changed"], report["unpriced_after"]) == (10, 10, 0)
    assert cli("query", "cost{} [1h] sum", "--json").json["data"]["result"][0]["value"][1] == "10"
    assert "changed          0" in cli("reprice", "--from", "2026-03-18").out


def test_reprice_makes_no_database(cli: Cli, tmp_path: Path) -> None:
    ran = cli("--db", str(tmp_path / "none.db"), "reprice", "--from", "1d")
    assert (ran.code, list(tmp_path.glob("none.db*"))) == (1, [])
    assert "no database yet" in ran.err


def test_a_theme_that_is_none_is_told_by_the_check_of_the_configuration(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "config.toml"
    file.parent.mkdir()
    file.write_text('[screen]\ntheme = "tui-monitor-lihgt"\n')
    ran = cli("--config", str(file), "config", "check")
    assert ran.code == 2
    assert "no theme is called 'tui-monitor-lihgt'; did you mean" in ran.err
    file.write_text('[screen]\ntheme = "mine"\n')
    assert cli("--config", str(file), "config", "check").code == 2
    (file.parent / "themes").mkdir()
    (file.parent / "themes" / "mine.toml").write_text('base = "tui-monitor"\n')
    assert cli("--config", str(file), "config", "check").code == 0
    file.write_text('[screen]\ntheme = "nord"\n')
    assert cli("--config", str(file), "config", "check").code == 0
