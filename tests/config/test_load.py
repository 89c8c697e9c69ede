"""Layers, their order, and what is said about mistakes."""

from pathlib import Path

import pytest

from tui_monitor.config import places
from tui_monitor.config.load import load, load_all
from tui_monitor.model.clock import DAY, MS, SECOND
from tui_monitor.model.errors import UsageError


@pytest.fixture
def config() -> Path:
    """Where the user's own file would be."""
    path = places.config_file()
    path.parent.mkdir(parents=True)
    return path


def refused(config: Path, text: str) -> str:
    """What is said about a file."""
    config.write_text(text)
    with pytest.raises(UsageError) as error:
        load()
    assert error.value.exit_code == 2
    return error.value.message


def test_without_a_file_everything_has_its_default() -> None:
    settings = load()
    assert settings.collector.interval == 30 * SECOND
    assert settings.collector.batch_size == 4000
    assert settings.screen.update_interval == SECOND
    assert settings.collector.flush_interval == 200 * MS
    assert settings.database_path() == places.database_file()
    assert settings.all_budgets() == []


def test_environment_wins_over_file_and_command_line_over_both(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text('[collector]\nbatch_size = 10\nqueue_size = 2000\ninterval = "10s"\n')
    monkeypatch.setenv("TUI_MONITOR_COLLECTOR__QUEUE_SIZE", "3000")
    monkeypatch.setenv("TUI_MONITOR_COLLECTOR__INTERVAL", "20s")
    loaded = load_all(overrides={"collector": {"interval": "5s"}})
    collector = loaded.settings.collector
    assert (collector.batch_size, collector.queue_size, collector.interval) == (10, 3000, 5 * SECOND)
    origin = loaded.layers.origin
    assert origin(("collector", "batch_size")) == f"{config}:2"
    assert origin(("collector", "queue_size")) == "TUI_MONITOR_COLLECTOR__QUEUE_SIZE"
    assert origin(("collector", "interval")) == "command line"
    assert origin(("log", "level")) == "default"


def test_every_kind_of_value_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "SERVER__LISTEN": "", "SERVER__SOCKET": "false", "SERVER__ALLOWED_HOSTS": '["a.example"]',
        "RETENTION__SIZE": "500 MB", "SERVER__MAX_BODY": "2000000", "LOG__LEVEL": "debug",
        "HEALTH__DEGRADED_LATENCY": "3.5", "GENERAL__TIMEZONE": "Asia/Tokyo",
        "BUDGETS": '[{"name": "all", "amount_usd": 5}]',
        "ALERTS__RULES": '[{"name": "slow", "expr": "latency{} > 1", "for": "2m"}]',
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(f"TUI_MONITOR_{name}", value)
    settings = load()
    assert settings.server.listen == ""
    assert settings.server.socket is False
    assert settings.server.allowed_hosts == ["a.example"]
    assert (settings.retention.size, settings.server.max_body) == (500_000_000, 2_000_000)
    assert settings.health.degraded_latency == 3.5
    assert settings.calendar().zone == "Asia/Tokyo"
    assert [budget.name for budget in settings.all_budgets()] == ["all"]
    assert settings.alerts.rules[0].for_ == 120 * SECOND


def test_unknown_keys_name_file_line_and_the_nearest_key(config: Path) -> None:
    message = refused(config, "[collector]\n\nbatch_sise = 5\n")
    assert message == f"{config}:3: unknown key collector.batch_sise; did you mean batch_size?"
    message = refused(config, '[colector]\ninterval = "5s"\n')
    assert message == f"{config}:1: unknown key colector; did you mean collector?"
    message = refused(config, '[[alerts.rules]]\nname = "a"\nexpr = "x > 1"\n\n[[alerts.rules]]\nnam = "b"\n')
    assert f"{config}:6: unknown key alerts.rules[2].nam; did you mean name?" in message
    assert f"{config}:5: alerts.rules[2].name is missing" in message


def test_all_mistakes_are_told_at_once_in_plain_words(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_MONITOR_LOG__LEVEL", "loud")
    message = refused(
        config,
        '[collector]\nbatch_size = "many"\ninterval = 30\nqueue_size = 1\n'
        '[screen]\nmouse = "perhaps"\ndrawing = "crayon"\n[server]\nallowed_hosts = "a"\nlisten = 5\n'
        '[general]\ntimezone = "Mars/Base"\n',
    )
    assert message.splitlines()[0] == "the configuration has 9 errors:"
    for line in (
        f'{config}:2: collector.batch_size must be a whole number, not "many"',
        f"{config}:3: collector.interval = 30: a length of time needs its unit, like '30s', '5m' or '7d'",
        f"{config}:4: collector.queue_size must be at least 1000, not 1",
        f'{config}:6: screen.mouse must be true or false, not "perhaps"',
        f'{config}:7: screen.drawing must be "auto", "braille", "block" or "ascii", not "crayon"',
        f'{config}:9: server.allowed_hosts must be a list, like ["a", "b"], not "a"',
        f"{config}:10: server.listen must be text in quotes, not 5",
        'TUI_MONITOR_LOG__LEVEL: log.level must be "debug", "info", "warning" or "error", not "loud"',
    ):
        assert f"\n  {line}" in message
    assert "no such time zone: 'Mars/Base'" in message


def test_a_file_that_is_no_toml_shows_the_place(config: Path) -> None:
    assert refused(config, "[collector]\ninterval = 30s\n").startswith(f"{config}:2:")
    assert refused(config, "[collector\n").startswith(f"{config}:1:")
    assert refused(config, 'a = "').startswith(f"{config}:1:")
    config.write_bytes(b"[general]\nname = '\xff'\n")
    with pytest.raises(UsageError, match=r"config.toml:2: not UTF-8 text"):
        load()


@pytest.mark.parametrize("value", ["[" * 900 + "]" * 900, "[" * 60_000, "1" * 5_000])
def test_what_breaks_the_parser_is_a_mistake_in_the_file(config: Path, value: str) -> None:
    config.write_text(f"a = {value}\n")
    with pytest.raises(UsageError, match=f"{config}: .*to be read"):
        load(config)


def test_a_named_file_must_be_there_and_be_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent.toml: No such file"):
        load(tmp_path / "absent.toml")
    with pytest.raises(UsageError, match="Is a directory"):
        load(tmp_path)


def test_hostile_keys_and_values_cannot_drive_the_terminal(config: Path) -> None:
    message = refused(config, '"\\u001b]0;x\\u0007key" = 1\n[log]\nlevel = "\\u001b[31mred"\n')
    assert message.isprintable() or set(message) - {"\n"} == {c for c in message if c.isprintable()}


@pytest.mark.parametrize("table", ["alerts.rules", "budgets"])
@pytest.mark.parametrize("name", ["a\\u001b[31m", " a", "a\\u202eb"])
def test_what_is_named_can_be_named_again(config: Path, table: str, name: str) -> None:
    more = 'expr = "requests > 1"' if table == "alerts.rules" else "amount_usd = 1"
    message = refused(config, f'[[{table}]]\nname = "{name}"\n{more}\n')
    assert "a name has no control characters" in message


def test_unknown_variables_are_refused_unless_they_may_be_anothers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_MONITOR_SERVICE_HOST", "10.0.0.1")
    assert load_all().warnings == (
        "TUI_MONITOR_SERVICE_HOST sets nothing: write it TUI_MONITOR_SECTION__KEY",
    )
    monkeypatch.setenv("TUI_MONITOR_LOGG__LEVEL", "debug")
    monkeypatch.setenv("TUI_MONITOR_LOG__LEVELS", "debug")
    with pytest.raises(UsageError) as error:
        load()
    assert "TUI_MONITOR_LOGG__LEVEL: unknown section logg; did you mean log?" in error.value.message
    assert "TUI_MONITOR_LOG__LEVELS: unknown key log.levels; did you mean level?" in error.value.message


@pytest.mark.parametrize(("value", "amount"), [("12.5", 12.5), ("0", None), ("", None), ("0.00", None)])
def test_daily_budget_from_the_environment(
    value: str, amount: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAILY_BUDGET", value)
    budgets = load().all_budgets()
    assert [(b.name, b.period, b.amount_usd) for b in budgets] == (
        [("daily", "day", amount)] if amount else []
    )


def test_a_daily_budget_that_is_no_number_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAILY_BUDGET", "lots")
    with pytest.raises(UsageError, match=r'^DAILY_BUDGET: costs\.daily_budget must be a number, not "lots"$'):
        load()


def test_our_own_variable_wins_over_daily_budget(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text("[costs]\ndaily_budget = 1\n")
    monkeypatch.setenv("DAILY_BUDGET", "2")
    assert load().costs.daily_budget == 2
    monkeypatch.setenv("TUI_MONITOR_COSTS__DAILY_BUDGET", "3")
    assert load().costs.daily_budget == 3


def test_budget_names_are_unique_and_the_daily_one_finds_another(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = refused(config, '[[budgets]]\nname="a"\namount_usd=1\n[[budgets]]\nname="a"\namount_usd=2\n')
    assert "budget name used twice: a" in message
    config.write_text('[[budgets]]\nname="daily"\namount_usd=1\n')
    monkeypatch.setenv("DAILY_BUDGET", "2")
    assert [budget.name for budget in load().all_budgets()] == ["daily", "daily (DAILY_BUDGET)"]


def test_relative_paths_start_where_they_are_written(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text('[database]\npath = "mine.db"\n[log]\nfile = "~/log/x.log"\n[prices]\nfile = ""\n')
    settings = load()
    assert settings.database_path() == config.parent / "mine.db"
    assert settings.log.file == Path.home() / "log" / "x.log"
    assert settings.prices.file is None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUI_MONITOR_PRICES__FILE", "p.toml")
    assert load(overrides={"database": {"path": "o.db"}}).database_path() == tmp_path / "o.db"
    assert load().prices.file == tmp_path / "p.toml"


def test_the_short_preset_can_be_softened_key_by_key(config: Path) -> None:
    config.write_text('[retention]\npreset = "short"\nminute = "10d"\n')
    retention = load().retention
    assert (retention.raw, retention.minute, retention.hour) == (7 * DAY, 10 * DAY, 90 * DAY)


def test_the_calendar_follows_the_settings(config: Path) -> None:
    config.write_text(
        '[general]\ntimezone = "Europe/Berlin"\nweek_start = "sunday"\n[costs]\nmonth_starts_on = 15\n'
    )
    calendar = load().calendar()
    assert (calendar.zone, calendar.week_start, calendar.month_starts_on) == ("Europe/Berlin", 6, 15)


def test_a_byte_order_mark_is_no_mistake(config: Path) -> None:
    config.write_bytes("\ufeff[log]\nlevel = 'error'\n".encode())
    assert load().log.level == "error"


@pytest.mark.parametrize("amount", ["inf", "1e999", "-inf"])
def test_an_endless_budget_is_refused(config: Path, monkeypatch: pytest.MonkeyPatch, amount: str) -> None:
    told = refused(config, f"[[budgets]]\nname = 'a'\namount_usd = {amount}\n")
    assert told.startswith(f"{config}:3: budgets[1].amount_usd must be ")
    config.write_text("")
    monkeypatch.setenv("DAILY_BUDGET", amount)
    with pytest.raises(UsageError, match=r"^DAILY_BUDGET: costs\.daily_budget must be "):
        load()


@pytest.mark.parametrize("size", ['"' + "9" * 400 + ' GB"', '"' + "9" * 5000 + '"', "true", '"² GB"'])
def test_a_size_that_is_none_is_refused(config: Path, size: str) -> None:
    assert refused(config, f"[retention]\nsize = {size}\n").startswith(f"{config}:2: retention.size = ")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no file without an end")
def test_a_file_without_an_end_is_refused() -> None:
    with pytest.raises(UsageError, match="/dev/zero: larger than 4 MB"):
        load(Path("/dev/zero"))


def test_utc_by_another_name_is_utc(config: Path) -> None:
    config.write_text('[general]\ntimezone = "Etc/UTC"\n')
    assert load().calendar().zone == "UTC"
