"""Gauges, counters and histograms of stored samples."""

import pytest

from tui_monitor.config.settings import Retention
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND
from tui_monitor.model.errors import QueryError
from tui_monitor.model.feed import STALE, Sample
from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import WriteBatch

NOW = 1_773_835_200_000_000
TICK = 30 * SECOND


def write(store, name, values, kind="gauge", *, last=NOW, every=TICK, **labels):
    """Samples `every` so often, the last at `last`."""
    first = last - (len(values) - 1) * every
    samples = [
        Sample(name, first + i * every, v, labels, kind) for i, v in enumerate(values) if v is not None
    ]
    store.write(WriteBatch(samples=samples))


def test_a_gauge_is_the_mean_over_time_of_its_window(store, engine):
    write(store, "queue_bytes", [100, 1, 2, 3, 6])
    result = engine.instant("queue_bytes [2m]", NOW)
    assert (result.scalar, result.unit, result.layers) == (3.0, "bytes", ("samples",))
    assert engine.instant("queue_bytes [2m] min", NOW).scalar == 1
    assert engine.instant("queue_bytes [2m] max", NOW).scalar == 6
    assert engine.instant("queue_bytes [2m] count", NOW).scalar == 4
    assert engine.instant("queue_bytes [2m] p50", NOW).scalar == 2
    assert engine.instant("queue_bytes [150s] max", NOW).scalar == 100, "left-open"
    assert engine.instant("queue_bytes [2m] offset 2m", NOW).scalar == 100


def test_sum_and_avg_are_over_the_series(store, engine):
    for disk, value in (("a", 10.0), ("b", 30.0), ("c", 50.0)):
        write(store, "used", [value, value], disk=disk, kind_of="ssd" if disk != "c" else "hdd")
    assert engine.instant("used sum", NOW).scalar == 90
    assert engine.instant("used avg", NOW).scalar == 30
    assert engine.instant("used sum by(kind_of)", NOW).by("kind_of") == {"ssd": 40.0, "hdd": 50.0}
    assert engine.instant('used{disk!="a"} by(disk)', NOW).by("disk") == {"b": 30.0, "c": 50.0}
    assert engine.instant('used{disk=~"a|b"} max', NOW).scalar == 30
    assert engine.instant("used by(nonsense)", NOW).by("nonsense") == {"": 30.0}


def test_one_value_for_a_gauge_without_a_sample_in_the_window_is_none(store, engine):
    write(store, "queue", [5.0], last=NOW - 10 * MINUTE)
    assert engine.instant("queue [5m]", NOW).series == ()


def test_a_chart_finer_than_the_samples_holds_the_last_value(store, engine):
    write(store, "queue", [1.0, 2.0, None, None, None, None, 7.0, 8.0], last=NOW)
    values = engine.range("queue", NOW - 220 * SECOND, NOW, 10 * SECOND).series[0].values
    # Held for twice the usual time between samples, then a gap.
    assert values == (1.0,) * 3 + (2.0,) * 7 + (None,) * 8 + (7.0,) * 3 + (8.0,)


def test_a_counter_is_what_it_grew_by_through_restarts(store, engine):
    write(store, "jobs_total", [0, 10, 20, 5, 15], "counter")
    # 10 + 10, a restart to 5, 10 more.
    assert engine.instant("jobs_total [2m]", NOW).scalar == 35
    assert engine.instant("jobs_total [2m] sum", NOW).scalar == 35
    rate = engine.instant("jobs_total [2m] rate", NOW)
    assert (rate.scalar, rate.unit) == (pytest.approx(35 / 120), "/s")


def test_a_counter_grows_evenly_between_samples(store, engine):
    write(store, "system_network_io", [0, 3000, 6000, 9000, 12000], "counter", direction="receive")
    result = engine.range("system_network_io rate by(direction)", NOW - MINUTE, NOW, 5 * SECOND)
    assert result.unit == "bytes/s"
    assert result.series[0].values == (pytest.approx(100),) * 12
    total = engine.range("system_network_io", NOW - MINUTE, NOW, 5 * SECOND).series[0].values
    assert total == (pytest.approx(500),) * 12


def test_nothing_is_assumed_before_the_first_and_after_the_last_sample(store, engine):
    write(store, "jobs_total", [1000, 1060], "counter", last=NOW - MINUTE)
    assert engine.instant("jobs_total [1h]", NOW).scalar == 60
    assert engine.instant("jobs_total [1h] rate", NOW).scalar == pytest.approx(2)
    values = engine.range("jobs_total rate", NOW - 3 * MINUTE, NOW, MINUTE).series[0].values
    assert values == (None, pytest.approx(2), None)


def test_one_sample_of_a_counter_tells_nothing(store, engine):
    write(store, "jobs_total", [1000], "counter")
    assert engine.instant("jobs_total [1h]", NOW).series[0].values == (None,)


def test_a_long_silence_of_a_counter_is_a_gap(store, engine):
    write(store, "jobs_total", [0, 60], "counter", last=NOW - 30 * MINUTE)
    write(store, "jobs_total", [120, 180], "counter", last=NOW)
    values = engine.range("jobs_total", NOW - 31 * MINUTE, NOW, MINUTE).series[0].values
    assert values[0] is not None
    assert values[-1] is not None
    assert values[5:25] == (None,) * 20
    assert engine.instant("jobs_total [40m]", NOW).scalar == 180


def test_rates_of_several_counters_add_up(store, engine):
    write(store, "io_total", [0, 30, 60], "counter", d="a")
    write(store, "io_total", [0, 60, 30], "counter", d="b")
    assert engine.instant("io_total [1m] rate", NOW).scalar == pytest.approx((60 + 90) / 60)


def test_observations_of_a_histogram_are_pooled(store, engine):
    values = [float(n) for n in range(1, 101)]
    write(store, "step_seconds", values, "histogram", last=NOW, every=SECOND)
    found = {
        how: engine.instant(f"step_seconds {how}", NOW).scalar for how in ("", "sum", "min", "count", "p95")
    }
    assert found == {"": 50.5, "sum": 5050.0, "min": 1.0, "count": 100.0, "p95": 95.0}
    chart = engine.range("step_seconds max", NOW - 2 * MINUTE, NOW, MINUTE)
    assert chart.series[0].values == (40.0, 100.0)


def test_what_was_never_sampled_here_is_known_all_the_same(engine):
    assert engine.instant("system_cpu_utilization", NOW).series == ()
    assert engine.instant("system_network_io rate", NOW).unit == "bytes/s"


@pytest.mark.parametrize(
    ("kind", "how", "hint"),
    [("gauge", "rate", "x has avg, sum, min, max, last, count, pNN"),
     ("counter", "avg", "x has sum, rate, count"),
     ("counter", "p95", "x has sum, rate, count")],
)  # fmt: skip
def test_aggregates_without_meaning_are_refused(store, engine, kind, how, hint):
    write(store, "x", [1.0], kind)
    with pytest.raises(QueryError) as caught:
        engine.instant(f"x [{HOUR // HOUR}h] {how}", NOW)
    assert (caught.value.position, caught.value.length, caught.value.hint) == (7, len(how), hint)


def test_names_that_are_no_words_are_asked_for_in_quotes(store, engine):
    write(store, "GPU Temp.°C", [70.0], **{"gpu.id": "0"})
    result = engine.instant('{"GPU Temp.°C", "gpu.id"="0"} [5m] max by("gpu.id")', NOW)
    assert result.by("gpu.id") == {"0": 70.0}
    assert result.metric == "GPU Temp.°C"


def test_the_newest_sample_of_a_gauge_is_that_of_any_series(store, engine):
    write(store, "x", [1.0, 5.0, 2.0])
    newer = [Sample("x", NOW - 1, 3.0, {"zone": "b"}), Sample("x", NOW + 1, 9.0, {"zone": "b"})]
    store.write(WriteBatch(samples=newer))
    assert engine.instant("x [1h] last by(zone)", NOW).by("zone")["b"] == 3.0
    (drawn,) = engine.range("x [1h] last", NOW - 2 * HOUR, NOW, HOUR).series
    assert drawn.values[-1] == engine.instant("x [1h] last", NOW).scalar


def test_a_gauge_that_ended_has_no_last_value_and_is_a_gap(store, engine):
    write(store, "queue", [1.0, 2.0, 3.0], last=NOW - 30 * SECOND, host="a")
    write(store, "queue", [7.0, 7.0, 7.0, 7.0], host="b")
    assert engine.instant("queue [5m] last by(host)", NOW).by("host") == {"a": 3.0, "b": 7.0}
    write(store, "queue", [STALE], last=NOW - 15 * SECOND, host="a")
    assert engine.instant("queue [5m] last by(host)", NOW).by("host") == {"b": 7.0}
    assert engine.instant("queue [5m] last by(host) offset 20s", NOW).by("host") == {"a": 3.0, "b": 7.0}
    assert engine.instant("queue [5m] max by(host)", NOW).by("host") == {"a": 3.0, "b": 7.0}
    assert engine.instant("queue [5m] count by(host)", NOW).by("host") == {"a": 3.0, "b": 4.0}
    chart = engine.range('queue{host="a"}', NOW - 60 * SECOND, NOW, 5 * SECOND).series[0].values
    # What would hold for a minute holds until the marker.
    assert chart == (2.0,) * 5 + (3.0,) * 3 + (None,) * 4
    write(store, "queue", [4.0], host="a")
    assert engine.instant("queue [5m] last by(host)", NOW).by("host") == {"a": 4.0, "b": 7.0}


def test_a_counter_that_ended_is_a_gap_until_it_is_back(store, engine):
    write(store, "jobs_total", [0, 60], "counter", last=NOW - 150 * SECOND)
    write(store, "jobs_total", [180, 240], "counter")
    without = engine.range("jobs_total", NOW - 3 * MINUTE, NOW, 15 * SECOND).series[0].values
    assert None not in without
    write(store, "jobs_total", [STALE], "counter", last=NOW - 140 * SECOND)
    values = engine.range("jobs_total", NOW - 3 * MINUTE, NOW, 15 * SECOND).series[0].values
    assert values == (30.0, 30.0) + (None,) * 7 + (pytest.approx(15.0), 30.0, 30.0)
    assert engine.instant("jobs_total [3m]", NOW).scalar == 240


@pytest.mark.parametrize("kind", ["gauge", "counter"])
def test_where_a_series_ended_is_known_of_old_samples_too(store, engine, clock, kind):
    old = NOW - 40 * DAY
    write(store, "x", range(40), kind, last=old)
    write(store, "x", [STALE], kind, last=old + SECOND)
    write(store, "x", range(40, 80), kind, last=old + 40 * MINUTE)
    clock.advance(32 * DAY)
    store.retain(Retention(), clock.now())
    (series,) = store.series("x")
    assert len(store.samples([series.id], Span(0, NOW))[series.id][0]) == 0
    last = [kind == "gauge", False, False, False]
    values = engine.range("x count" if kind == "counter" else "x", old - 20 * MINUTE, old + HOUR, 5 * MINUTE)
    (drawn,) = values.series
    assert [v is not None for v in drawn.values] == [True] * 4 + [False] * 4 + [True] * 4 + last
    if kind == "gauge":
        fine = engine.range("x", old - MINUTE, old + 4 * MINUTE, MINUTE).series[0].values
        assert fine == (pytest.approx(34.5), None, None, None, None)


def test_native_histograms_have_no_aggregates_of_the_short_form(store, engine):
    body = NativeHistogram(3, 1.0, 1.0, positive=((0, 1.0),))
    store.write(WriteBatch(samples=[Sample("took", NOW, body, {}, "native_histogram")]))
    with pytest.raises(QueryError, match="took holds native histograms"):
        engine.instant("took p95", NOW)
    assert engine.complete("took ", 5) is not None
