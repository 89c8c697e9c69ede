"""The example file and the reference page say what the settings say."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tui_monitor.config import example, resources
from tui_monitor.config.docs import key_doc, section_doc
from tui_monitor.config.load import Settings
from tui_monitor.config.written import keys, sections

ROOT = Path(__file__).resolve().parents[2]


def test_the_example_file_is_up_to_date() -> None:
    assert (ROOT / "config.example.toml").read_text() == example.example(), "run `make docs`"


def test_the_reference_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "config.md").read_text()
    assert example.put_between(page, example.reference()) == page, "run `make docs`"


def test_the_example_as_it_is_changes_nothing() -> None:
    assert Settings(**tomllib.loads(example.example())) == Settings()


def test_every_line_of_the_example_holds_once_the_mark_is_taken_away() -> None:
    text = re.sub(r"^# (?=\[|\w+ = )", "", example.example(), flags=re.MULTILINE)
    values = tomllib.loads(text)
    settings = Settings(**values)
    assert settings.alerts.rules[0].name == "many errors"
    assert settings.budgets[0].scope == {"project": "search"}
    for name, model, listed in sections():
        table = values
        for part in name.split("."):
            table = table[part]
            table = table[0] if isinstance(table, list) else table
        below = {other.removeprefix(f"{name}.") for other, _, _ in sections() if other.startswith(f"{name}.")}
        assert set(table) - below == {key.name for key in keys(name, model)}, (name, listed)


def test_every_setting_is_documented() -> None:
    for name, model, _ in sections():
        assert section_doc(model), name
        for key in keys(name, model):
            assert key_doc(model, key.attribute).endswith((".", "?")), f"{name}.{key.name}"


def test_the_example_is_found_at_run_time() -> None:
    assert resources.example_config() == example.example()


def test_places_cost_no_slow_import() -> None:
    look = "[name in sys.modules for name in ('pydantic', 'platformdirs')]"
    code = f"import sys, tui_monitor.config.places; print({look})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[False, False]"
