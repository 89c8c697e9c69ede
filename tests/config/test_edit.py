"""Changes to the file: what is kept, what is refused, and who may change it at once."""

import os
import stat
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.config import edit, places, resources
from tui_monitor.config.load import load, load_text
from tui_monitor.model.clock import MINUTE
from tui_monitor.model.errors import UsageError

RULE = {"name": "slow", "expr": 'latency{provider="openai"} > 1'}
HAND_WRITTEN = """\
# mine
[alerts]   # how often
interval = "2m"   # not too often
# bell = true

# --- rules ---
[[alerts.rules]]
name = "a"     # the first
expr = "cost{} > 1"

# --- health ---
[health]
min_calls = 20
"""


@pytest.fixture
def config() -> Path:
    """Where the user's own file would be; neither it nor its folder is there."""
    return places.config_file()


def written(config: Path, text: str) -> Path:
    """The file with a text."""
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_bytes(text.encode())
    return config


def test_a_file_that_is_not_there_is_made_for_its_owner_alone(config: Path) -> None:
    edit.set_values(config, {"consent.agent_logs": True, "agents.billing.claude-code": "api"})
    assert config.read_text() == '[consent]\nagent_logs = true\n\n[agents]\nbilling.claude-code = "api"\n'
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.parent.stat().st_mode) == 0o700
    assert load().consent.agent_logs is True
    assert load().agents.billing == {"claude-code": "api"}


def test_all_else_stays_as_a_person_wrote_it(config: Path) -> None:
    written(config, HAND_WRITTEN)
    edit.set_values(config, {"alerts.interval": "5m", "alerts.bell": False, "health.window": "10m"})
    edit.append_table(config, "alerts.rules", RULE)
    edit.update_table(config, "alerts.rules", "a", {"severity": "critical", "expr": "cost{} > 2"})
    assert (
        config.read_text()
        == """\
# mine
[alerts]   # how often
interval = "5m"   # not too often
# bell = true
bell = false

# --- rules ---
[[alerts.rules]]
name = "a"     # the first
expr = "cost{} > 2"
severity = "critical"

[[alerts.rules]]
name = "slow"
expr = "latency{provider=\\"openai\\"} > 1"

# --- health ---
[health]
min_calls = 20
window = "10m"
"""
    )
    assert [rule.name for rule in load().alerts.rules] == ["a", "slow"]


def test_in_the_example_file_a_key_comes_to_stand_below_its_explanation(config: Path) -> None:
    example = resources.example_config()
    written(config, example)
    edit.set_values(config, {"consent.status_pages": False, "alerts.interval": "2m"})
    edit.append_table(config, "alerts.rules", RULE)
    lines = config.read_text().splitlines()
    assert lines[lines.index("status_pages = false") - 1] == "# status_pages = true"
    assert lines[lines.index('interval = "2m"') - 1] == '# interval = "1m"'
    said = [line for line in example.splitlines() if line]
    assert [line for line in lines if line in said] == said
    assert (load().consent.status_pages, load().alerts.interval) == (False, 2 * MINUTE)


def test_none_takes_a_key_out_and_an_absent_one_is_no_change(config: Path) -> None:
    written(config, HAND_WRITTEN)
    before = config.stat()
    edit.set_values(config, {"consent.agent_logs": None, "health.min_calls": 20})
    assert config.stat().st_ino == before.st_ino
    edit.set_values(config, {"alerts.interval": None})
    assert load().alerts.interval == MINUTE
    assert "# mine" in config.read_text()


def test_a_link_stays_a_link_and_the_mode_stays(config: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "monitor.toml"
    real.parent.mkdir()
    real.write_text("[log]\nkeep = 1\n")
    real.chmod(0o640)
    config.parent.mkdir(parents=True)
    config.symlink_to(real)
    edit.set_values(config, {"log.keep": 2})
    assert config.is_symlink()
    assert real.read_text() == "[log]\nkeep = 2\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert list(real.parent.iterdir()) == [real]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"consent.agent_logs": "perhaps"}, "consent.agent_logs must be true or false"),
        ({"consent.everything": True}, "unknown key consent.everything"),
        ({"alerts.interval.unit": "m"}, "alerts.interval is no table"),
    ],
)
def test_what_would_not_load_is_refused_and_nothing_changes(
    config: Path, values: dict[str, object], said: str
) -> None:
    written(config, HAND_WRITTEN)
    with pytest.raises(UsageError) as error:
        edit.set_values(config, {"health.min_calls": 5, **values})
    assert said in error.value.message
    assert config.read_text() == HAND_WRITTEN
    assert list(config.parent.iterdir()) == [config]


def test_a_rule_of_a_name_that_is_taken_or_unknown_is_refused(config: Path) -> None:
    written(config, HAND_WRITTEN)
    with pytest.raises(UsageError, match="used twice: a"):
        edit.append_table(config, "alerts.rules", {**RULE, "name": "a"})
    with pytest.raises(UsageError, match=r"no alerts\.rules is named 'b'"):
        edit.update_table(config, "alerts.rules", "b", {"enabled": False})
    assert config.read_text() == HAND_WRITTEN


def test_a_file_with_a_mistake_is_not_touched_and_the_mistake_is_named(config: Path) -> None:
    written(config, "[log]\nkeep = = 1\n")
    with pytest.raises(UsageError, match=r"config\.toml:2:8: invalid value"):
        edit.set_values(config, {"log.keep": 2})
    assert config.read_text() == "[log]\nkeep = = 1\n"


def test_what_cannot_be_written_is_said_with_its_reason(config: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be changed: not a regular file"):
        edit.set_values(tmp_path, {"log.keep": 2})
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be changed: Not a directory") as error:
        edit.set_values(tmp_path / "file" / "config.toml", {"log.keep": 2})
    assert "--config" in (error.value.hint or "")


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_or_file_is_said(config: Path) -> None:
    written(config, HAND_WRITTEN)
    config.chmod(0o400)
    with pytest.raises(UsageError, match="the file is read-only"):
        edit.set_values(config, {"log.keep": 2})
    config.chmod(0o600)
    config.parent.chmod(0o500)
    try:
        with pytest.raises(UsageError, match="cannot be changed: Permission denied"):
            edit.set_values(config, {"log.keep": 2})
    finally:
        config.parent.chmod(0o700)
    assert config.read_text() == HAND_WRITTEN


def test_a_folder_that_refuses_new_files_leaves_the_old_one(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(config, HAND_WRITTEN)

    def refuse(*args: object, **named: object) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(edit.tempfile, "mkstemp", refuse)
    with pytest.raises(UsageError, match="cannot be changed: Permission denied"):
        edit.set_values(config, {"log.keep": 2})
    assert config.read_text() == HAND_WRITTEN


def test_line_ends_of_windows_and_a_byte_order_mark_stay(config: Path) -> None:
    written(config, "\ufeff# mine\r\n[log]\r\nkeep = 1\r\n")
    edit.set_values(config, {"log.keep": 2, "log.level": "debug", "health.min_calls": 3})
    assert config.read_bytes().decode() == (
        '\ufeff# mine\r\n[log]\r\nkeep = 2\r\nlevel = "debug"\r\n\r\n[health]\r\nmin_calls = 3\r\n'
    )
    assert (load().log.keep, load().log.level) == (2, "debug")


def test_text_from_outside_is_text_in_the_file(config: Path) -> None:
    hostile = 'x"\n[consent]\nagent_logs = true\n# \\u0007\x07\U0001f600\U000e0001'
    edit.append_table(config, "alerts.rules", {**RULE, "summary": hostile, "labels": {"a.b": hostile}})
    rule = load().alerts.rules[0]
    assert (rule.summary, rule.labels) == (hostile, {"a.b": hostile})
    assert load().consent.agent_logs is None


def test_changes_of_several_processes_at_once_are_all_there(config: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tui_monitor.config import edit\n"
        "for n in range(4):\n"
        "    edit.append_table(Path(sys.argv[1]), 'alerts.rules',\n"
        "        {'name': f'{sys.argv[2]} {n}', 'expr': 'cost{} > 1'})\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", script, str(config), name]) for name in "ab"]
    threads = [
        threading.Thread(target=edit.set_values, args=(config, {f"agents.billing.agent{n}": "api"}))
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for waiting in (*threads, *workers):
        waiting.join() if isinstance(waiting, threading.Thread) else waiting.wait()
    settings = load()
    assert {rule.name for rule in settings.alerts.rules} == {f"{name} {n}" for name in "ab" for n in range(4)}
    assert set(settings.agents.billing) == {f"agent{n}" for n in range(6)}


def test_what_an_editor_saves_meanwhile_is_not_lost(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(config, HAND_WRITTEN)
    real, saved = edit._edited, []

    def while_an_editor_saves(path: Path, old: str, *more: Any) -> str:
        new = real(path, old, *more)
        if not saved:
            saved.append(config.write_text(HAND_WRITTEN.replace("min_calls = 20", "min_calls = 21")))
        return new

    monkeypatch.setattr(edit, "_edited", while_an_editor_saves)
    edit.set_values(config, {"log.keep": 2})
    assert (load().health.min_calls, load().log.keep) == (21, 2)


LINES = st.sampled_from(
    [
        "[alerts]", "[agents]", "[agents.billing]", "[[alerts.rules]]\nname='NAME'\nexpr='a'", "[consent]",
        "# a comment", "", "agents.only = ['a', # b\n 'c']", "[log]\nkeep = 1 # one", "[health]",
        "[log]\nlevel = '''debug'''", "agents.billing = {a = 'api'}", "consent.agent_logs = true",
        "consent = {agent_logs = false}", "[agents]\nfolders = {codex = ['''\n[consent]\n''']}",
    ]
)  # fmt: skip
KEYS = {
    "consent.agent_logs": True, "alerts.interval": "5m", "log.keep": 7, "agents.billing.codex": "api",
    "agents.only": ["a", "b"], "general.name": 'a "b" \\ c', "health.min_calls": 4,
}  # fmt: skip


@settings(max_examples=examples(75))
@given(st.lists(LINES, max_size=7), st.sampled_from(sorted(KEYS)), st.booleans())
def test_however_a_file_is_written_one_key_changes_and_nothing_else(
    parts: list[str], key: str, remove: bool
) -> None:
    text = "\n".join(part.replace("NAME", str(n)) for n, part in enumerate(parts))
    try:
        load_text(Path("config.toml"), text)
    except UsageError:
        return
    value = None if remove else KEYS[key]
    new = edit._set(text, tuple(key.split(".")), value)
    assert _flat(tomllib.loads(new)) == {
        **{k: v for k, v in _flat(tomllib.loads(text)).items() if k != key and not k.startswith(f"{key}.")},
        **({key: value} if value is not None else {}),
    }
    assert [part for part in parts if part.startswith("#")] == [
        line for line in new.split("\n") if line.startswith("#")
    ]


def _flat(values: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Each value by its dotted key; a table counts by what is in it."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return flat
