"""The list of what is written to a remote server: whole, and in the spelling that servers expect."""

import re

import pytest

from tui_monitor.model.call import DIMENSIONS
from tui_monitor.query.exported import EXPORTED, exported
from tui_monitor.query.metrics import METRICS, Kind
from tui_monitor.query.promql.derived import TABLE, Form


def test_every_counter_and_histogram_of_calls_is_written_under_a_name_of_its_own():
    for name, derived in TABLE.items():
        found = exported(name)
        if derived.metric.source != "calls":
            assert found is None
            continue
        assert found is not None
        assert found[0].form is derived.form
        assert found[0].derived.metric.sum == derived.metric.sum, name
        assert exported(found[0].name) == (found[0], 1.0)


def test_names_say_the_unit_as_prometheus_does():
    for name, one in EXPORTED.items():
        assert re.fullmatch(r"llm_[a-z_]+", name)
        stem = name.removesuffix("_count").removesuffix("_sum").removesuffix("_bucket")
        assert stem.endswith("_seconds" if one.derived.has_buckets or "_seconds" in name else "_total"), name


@pytest.mark.parametrize("metric", [m for m in METRICS if m.kind is Kind.LATENCY and m.unit == "ms"])
def test_milliseconds_become_seconds(metric):
    found = exported(metric.name)
    assert found is not None
    assert found[0].unit == "s"
    assert found[1] == 1000
    assert exported(f"{metric.name}_count")[1] == 1


def test_amounts_tell_in_how_many_calls_they_are_known():
    known = exported("cost_count")
    assert known is not None
    assert known[0].form is Form.COUNT


def test_labels_are_those_of_the_hour_layer():
    assert EXPORTED["llm_requests_total"].labels == DIMENSIONS
    assert EXPORTED["llm_request_duration_seconds_bucket"].labels == (*DIMENSIONS, "le")
    assert "error_type" in EXPORTED["llm_errors_total"].labels
