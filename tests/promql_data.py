"""Expressions and tools that several projects share: Prometheus's own test scripts and their runner."""

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"
DATA = SHARED / "promql-testdata"
TOOLS = SHARED / "tools" / "promql"


def tool(name: str) -> ModuleType:
    """A conformance tool as a module; the test is skipped where it is not there."""
    if not (TOOLS / f"{name}.py").exists() or not DATA.exists():
        pytest.skip(f"no conformance data: {SHARED} is not there")
    if str(TOOLS) not in sys.path:
        sys.path.insert(0, str(TOOLS))
    return __import__(name)


def scripts(folder: str) -> list[Path]:
    """The scripts of one version."""
    return sorted((DATA / folder).glob("*.test"))


def expressions() -> Iterator[str]:
    """Every expression of the test data that needs no feature flag."""
    runner = tool("promqltest")
    for path in (*scripts("v2.42"), *scripts("head")):
        for command in runner.parse_script(path.read_text(encoding="utf-8"), str(path)):
            if isinstance(command, runner.Eval) and runner.category(command) != "experimental":
                yield command.expr
    with gzip.open(DATA / "compliance" / "golden.json.gz", "rt", encoding="utf-8") as file:
        for case in json.load(file):
            if not case.get("should_fail"):
                yield case["query"]
