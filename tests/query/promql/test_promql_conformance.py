"""Prometheus's own test scripts and recorded answers of a real Prometheus, where they are at hand."""

from types import SimpleNamespace

import pytest
from promql_data import DATA, scripts, tool

from tui_monitor.testing import promql_engine, promql_engine_v2
from tui_monitor.testing.promql import ConformanceEngine

EXCEPTIONS: dict[tuple[str, str], str] = {}
"""Cases of head that are not reached, by script and expression, and why."""


def failing(engine: ConformanceEngine, folder: str, *categories: str, as_range: bool) -> set[tuple[str, str]]:
    """The cases that fail: script and expression."""
    runner = tool("promqltest")
    options = SimpleNamespace(only=categories, as_range=as_range, strict=False, verbose=0, case_timeout=0)
    reports = [runner.run_file(engine, str(path), options) for path in scripts(folder)]
    assert sum(sum(counts[1] for counts in report["stats"].values()) for report in reports) > 300
    return {(report["file"], case["expr"]) for report in reports for case in report["fails"]}


@pytest.mark.parametrize("as_range", [False, True], ids=["instant", "range"])
def test_every_case_of_prometheus_2(as_range):
    assert failing(promql_engine_v2(), "v2.42", "classic", as_range=as_range) == set()


@pytest.mark.parametrize("as_range", [False, True], ids=["instant", "range"])
def test_every_case_of_prometheus_3(as_range):
    assert failing(promql_engine(), "head", "classic", "native", as_range=as_range) == set(EXCEPTIONS)


def test_the_answers_of_a_real_prometheus(capsys):
    compliance = tool("compliance")
    golden = str(DATA / "compliance" / "golden.json.gz")
    argv = ["--adapter", "tui_monitor.testing:promql_engine_v2", "--golden", golden, "--min-pass", "1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["compliance.py", *argv])
        assert not compliance.main(), capsys.readouterr().out
