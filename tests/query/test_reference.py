"""The page about the language: its tables are up to date, and its examples can be asked."""

import re
from pathlib import Path

import pytest

from tui_monitor.query.condition import Condition
from tui_monitor.query.metrics import METRICS
from tui_monitor.query.reference import SECTIONS, filled

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "query.md").read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_code():
    assert filled(PAGE) == PAGE, "run python -m tui_monitor.query.reference docs/query.md"
    assert [name for name in SECTIONS if f"<!-- {name} -->" not in PAGE] == []
    assert [metric.name for metric in METRICS if f"`{metric.name}`" not in PAGE] == []


def examples() -> list[str]:
    """Lines of the page that are queries: in fences and indented, without the error at its end."""
    page = PAGE.partition("## Errors")[0]
    blocks = re.findall(r"```\n(.*?)```", page, re.DOTALL) + re.findall(r"^    (.+)$", page, re.MULTILINE)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if not line.startswith("metric{")]


@pytest.mark.parametrize("text", examples())
def test_examples_are_answered(engine, text):
    engine.check(text)


def test_there_are_examples_and_the_condition_is_one():
    assert len(examples()) >= 7
    assert Condition.parse("error_rate{} [5m] by(provider) > 5%").threshold == 0.05
