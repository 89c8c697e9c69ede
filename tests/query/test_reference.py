"""The pages about the language: their tables are up to date, and their examples can be asked."""

import re
from pathlib import Path

import pytest

from tui_monitor.model.timerange import Span
from tui_monitor.query.condition import Condition
from tui_monitor.query.filters.reading import is_filter
from tui_monitor.query.metrics import METRICS
from tui_monitor.query.promql.ast import AGGREGATIONS
from tui_monitor.query.promql.functions.table import TABLE
from tui_monitor.query.reference import SECTIONS, filled

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = {name: (DOCS / name).read_text(encoding="utf-8") for name in ("query.md", "filters.md", "promql.md")}
PAGE, FILTERS, PROMQL = PAGES.values()


def test_the_tables_are_those_of_the_code():
    for name, page in PAGES.items():
        assert filled(page) == page, f"run python -m tui_monitor.query.reference docs/{name}"
    every = "".join(PAGES.values())
    assert [name for name in SECTIONS if f"<!-- {name} -->" not in every] == []
    assert [name for name in (*TABLE, *AGGREGATIONS) if f"`{name}(" not in PROMQL] == []
    assert [metric.name for metric in METRICS if f"`{metric.name}`" not in PAGE] == []


def examples(page: str = PAGE) -> list[str]:
    """Lines of a page that are queries: in fences and indented, without the error at its end."""
    page = page.partition("## Errors")[0]
    blocks = re.findall(r"```\n(.*?)```", page, re.DOTALL) + re.findall(r"^    (.+)$", page, re.MULTILINE)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if not line.startswith("metric{")]


@pytest.mark.parametrize("text", examples())
def test_examples_are_answered(engine, text):
    engine.check(text)


@pytest.mark.parametrize("text", examples(FILTERS))
def test_examples_of_filters_list_calls(engine, text):
    assert is_filter(text)
    assert engine.calls(text, Span(0, 1), 1).calls == ()


@pytest.mark.parametrize("text", re.findall(r"tui-monitor query '([^']+)'", FILTERS))
def test_commands_on_the_page_are_filters(engine, text):
    assert is_filter(text)
    engine.calls(text, Span(0, 1), 1)


def test_there_are_examples_and_the_condition_is_one():
    assert len(examples()) >= 7
    assert Condition.parse("error_rate{} [5m] by(provider) > 5%").threshold == 0.05
