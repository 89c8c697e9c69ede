"""The System pane, limits and progress over a real database, and the exit code of `status`."""

from dataclasses import replace

import pytest

from tui_monitor.costs.views import BudgetStatus, CostsView
from tui_monitor.health.limits import progress, rate_limits
from tui_monitor.health.status import status_view
from tui_monitor.health.system import system_view
from tui_monitor.health.views import CollectorStatus, ProviderRow, ProvidersView, SourceRow
from tui_monitor.model.alert import Alert, AlertsView
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND
from tui_monitor.model.feed import Event, Sample, Start
from tui_monitor.model.states import AlertState, Health, Severity, SourceState
from tui_monitor.model.timerange import Span, TimeRange
from tui_monitor.store.api import WriteBatch

COLLECTOR = CollectorStatus(running=True)


def host_samples(now: int) -> list[Sample]:
    """An hour of samples every 30 s: half the processor, 1,000 bytes/s in, 10 out."""
    samples = []
    for tick in range(121):
        at = now - HOUR + tick * 30 * SECOND
        samples += [
            Sample("system_cpu_utilization", at, 0.5 if tick < 120 else 0.9),
            Sample("system_memory_utilization", at, 0.25),
            Sample("system_memory_usage", at, 2.0**31, {"state": "used"}),
            Sample("system_memory_usage", at, 2.0**33, {"state": "free"}),
            Sample("system_network_io", at, 5000.0 + 1000 * 30 * tick, {"direction": "receive"}, "counter"),
            Sample("system_network_io", at, 10.0 * 30 * tick, {"direction": "transmit"}, "counter"),
            Sample("system_filesystem_utilization", at, 0.8, {"mountpoint": "/"}),
            Sample("system_filesystem_utilization", at, 0.1, {"mountpoint": "/da\x1b[2Jta"}),
            Sample("system_filesystem_usage", at, 2.0**30, {"mountpoint": "/", "state": "free"}),
        ]
    return samples


def test_gauges_show_the_newest_value_and_the_course(engine, store, clock):
    now = clock.now()
    store.write(WriteBatch(samples=host_samples(now)))
    store.write(WriteBatch(starts=[Start("t", "1", now - MINUTE, "openai")]))
    view = system_view(engine, store, TimeRange(), 12, now, COLLECTOR)
    gauges = {gauge.name: gauge for gauge in view.gauges}
    cpu = gauges["processor"]
    assert cpu.value == pytest.approx(0.6), "the mean of the last two minutes"
    assert (cpu.unit, cpu.fraction) == ("ratio", cpu.value)
    assert len(cpu.spark) == 12
    assert cpu.spark[0] == pytest.approx(0.5)
    assert gauges["network in"].value == pytest.approx(1000, rel=0.01)
    assert gauges["network out"].value == pytest.approx(10, rel=0.01)
    assert (gauges["memory"].value, gauges["memory"].detail) == (0.25, "2.00 GiB used")
    assert (gauges["disk /"].value, gauges["disk /"].detail) == (pytest.approx(0.8), "1.00 GiB free")
    assert "disk /da[2Jta" in gauges
    assert "load" not in gauges, "never sampled"
    assert (view.active, view.host != "", view.step) == (1, True, 5 * MINUTE)


def test_programs_and_queues_of_the_host(engine, store, clock):
    now = clock.now()
    samples = [Sample("system_memory_limit", now - MINUTE, 8000.0)]
    for tick in range(121):
        at = now - HOUR + tick * 30 * SECOND
        for name, cpu, size in (("ollama", 0.25, 4000.0), ("py\x1b[2J", 0.5, 1000.0)):
            labels = {"program": name}
            samples += [
                Sample("system_program_cpu_utilization", at, cpu, labels),
                Sample("system_program_memory_usage", at, size, labels),
                Sample("system_program_processes", at, 3.0, labels),
            ]
        samples.append(Sample("tui_monitor_queue_length", at, 500.0))
    store.write(WriteBatch(samples=samples, starts=[Start("t", "1", now - MINUTE, "openai")]))
    view = system_view(engine, store, TimeRange(), 12, now, COLLECTOR, 1000)
    assert [row.name for row in view.programs] == ["py[2J", "ollama"], "what takes most comes first"
    ollama = view.programs[1]
    assert (ollama.cpu, ollama.memory, ollama.share, ollama.processes) == (0.25, 4000.0, 0.5, 3)
    (series,) = engine.range(ollama.query, view.span.start, view.span.end, view.step).series
    assert series.values == ollama.spark
    waiting, active = view.queues
    assert (waiting.value, waiting.fraction, waiting.detail) == (500.0, 0.5, "of 1.00 k")
    assert (active.name, active.value) == ("under way", 1.0)
    later = system_view(engine, store, TimeRange(HOUR, now + HOUR), 12, now + HOUR, COLLECTOR)
    assert later.programs == (), "nothing was sampled lately"


def test_the_query_behind_a_gauge_gives_its_course(engine, store, clock):
    now = clock.now()
    store.write(WriteBatch(samples=host_samples(now)))
    view = system_view(engine, store, TimeRange(), 12, now, COLLECTOR)
    for gauge in view.gauges:
        if "\x1b" not in gauge.query:
            (series,) = engine.range(gauge.query, view.span.start, view.span.end, view.step).series
            assert series.values == gauge.spark, gauge.name


def test_a_gauge_that_was_not_sampled_lately_has_no_value(engine, store, clock):
    store.write(WriteBatch(samples=host_samples(clock.now())))
    clock.advance(11 * MINUTE)
    view = system_view(engine, store, TimeRange(), 12, clock.now(), COLLECTOR)
    assert {gauge.value for gauge in view.gauges} == {None}
    assert any(any(gauge.spark) for gauge in view.gauges)


def test_a_slower_interval_still_has_a_newest_value(engine, store, clock):
    samples = [Sample("system_cpu_utilization", clock.now() - ago * MINUTE, ago / 10) for ago in (9, 3)]
    store.write(WriteBatch(samples=samples))
    (cpu,) = system_view(engine, store, TimeRange(), 12, clock.now(), COLLECTOR).gauges
    assert cpu.value == pytest.approx(0.6)


def test_an_empty_database_has_no_gauges(engine, store, clock):
    view = system_view(engine, store, TimeRange(), 12, clock.now(), COLLECTOR)
    assert (view.gauges, view.active, view.progress, view.collector) == ((), 0, (), COLLECTOR)


def event(kind, name, at, value=None, **labels) -> Event:
    return Event(
        kind, at, "test", f"{kind}{name}{at}{labels}", name, value, {k: str(v) for k, v in labels.items()}
    )


def test_the_newest_word_on_each_limit(store, clock):
    now = clock.now()
    events = [
        event("rate_limit", "allowed", now - HOUR, 90, key="a", limit_type="rpm", limit=100, reset_s=60),
        event("rate_limit", "allowed", now - MINUTE, 10, key="a", limit_type="rpm", limit=100, reset_s=30),
        event(
            "rate_limit", "denied", now - MINUTE, 0, key="b", limit_type="tpm", limit="soon", reset_s="nan"
        ),
        event("rate_limit", "allowed", now - MINUTE, None, key="c"),
        event("rate_limit", "denied", now - 2 * DAY, 0, key="old"),
    ]
    store.write(WriteBatch(events=events))
    limits = rate_limits(store, now)
    assert [(limit.key, limit.result, limit.remaining, limit.limit) for limit in limits] == [
        ("b", "denied", 0, None),
        ("a", "allowed", 10, 100),
        ("c", "allowed", None, None),
    ]
    assert [limit.reset_at for limit in limits] == [None, now - 30 * SECOND, None]


@pytest.mark.parametrize("reset", ["1e308", "inf", "nan", "-5", "1e12", "soon"])
def test_a_reset_that_cannot_be_is_unknown_and_breaks_nothing(store, clock, reset):
    denied = event("rate_limit", "denied", clock.now(), 0, key="k", limit_type="rpm", reset_s=reset)
    store.write(WriteBatch(events=[denied]))
    (limit,) = rate_limits(store, clock.now())
    assert (limit.key, limit.result, limit.reset_at) == ("k", "denied", None)


def test_what_is_under_way(store, clock):
    now = clock.now()
    events = [
        event("progress", "bench", now - 2 * MINUTE, 10, total=50, unit="cases", state="running"),
        event("progress", "bench", now - MINUTE, 20, total=50, unit="cases", state="running"),
        event("progress", "ended", now - MINUTE, 3, state="Completed"),
        event("progress", "full", now - MINUTE, 50, total=50),
        event("progress", "silent", now - 2 * HOUR, 1, total=50),
    ]
    store.write(WriteBatch(events=events))
    (bench,) = progress(store, now)
    assert (bench.name, bench.done, bench.total, bench.unit, bench.state) == (
        "bench",
        20,
        50,
        "cases",
        "running",
    )


def provider(state: Health) -> ProviderRow:
    return ProviderRow(state.value, state, "")


def alert(severity: Severity, state: AlertState) -> Alert:
    return Alert("1", "1", "r", severity, state, {}, "", "", 1, 1, ">", "", 0)


def budget(spent: float) -> BudgetStatus:
    return BudgetStatus("b", "month", 100, spent, Span(0, 1), {})


@pytest.mark.parametrize(
    ("providers", "alerts", "budgets", "health", "code"),
    [
        ([], [], [], Health.UNKNOWN, 3),
        ([Health.UNKNOWN], [], [], Health.UNKNOWN, 3),
        ([Health.HEALTHY], [], [], Health.HEALTHY, 0),
        ([Health.HEALTHY, Health.UNKNOWN], [], [79.9], Health.HEALTHY, 0),
        ([Health.HEALTHY, Health.DEGRADED], [], [], Health.DEGRADED, 1),
        ([Health.DEGRADED, Health.UNAVAILABLE], [], [], Health.UNAVAILABLE, 2),
        ([Health.HEALTHY], [("warning", "firing")], [], Health.DEGRADED, 1),
        ([Health.HEALTHY], [("warning", "acknowledged")], [], Health.DEGRADED, 1),
        ([Health.HEALTHY], [("critical", "pending"), ("critical", "resolved")], [], Health.HEALTHY, 0),
        ([Health.HEALTHY], [("info", "firing")], [], Health.HEALTHY, 0),
        ([], [("critical", "firing")], [], Health.UNAVAILABLE, 2),
        ([Health.HEALTHY], [], [80.0], Health.HEALTHY, 1),
        ([Health.DEGRADED], [], [99.9, 100.0], Health.DEGRADED, 2),
        ([], [], [10.0], Health.UNKNOWN, 3),
        ([], [], [85.0], Health.UNKNOWN, 1),
    ],
)
def test_the_exit_code_is_the_worst_of_providers_alerts_and_budgets(
    engine, store, clock, providers, alerts, budgets, health, code
):
    now = clock.now()
    view = status_view(
        engine,
        store,
        now,
        providers=ProvidersView(now, Span(0, 1), tuple(provider(state) for state in providers)),
        alerts=AlertsView(now, tuple(alert(Severity(s), AlertState(state)) for s, state in alerts)),
        costs=CostsView(now, "model", "month", (), budgets=tuple(budget(spent) for spent in budgets)),
        collector=COLLECTOR,
    )
    assert (view.health, view.severity) == (health, code)


def test_status_ends_with_cache_hit_rates_limits_and_the_newest_data(engine, store, put, clock):
    now = clock.now()
    put(now - MINUTE, "openai", in_uncached=25, cache_read=75)
    put(now - 2 * HOUR, "openai", in_uncached=1000)
    store.write(
        WriteBatch(
            events=[
                event("cache", "hit", now - MINUTE, 0.5),
                event("cache", "miss", now - 2 * MINUTE),
                event("cache", "hit", now - 3 * MINUTE, 0.5),
                event("cache", "hit", now - 4 * MINUTE, 0.5),
                event("rate_limit", "denied", now - MINUTE, 0, key="k"),
            ]
        )
    )
    view = status_view(
        engine,
        store,
        now,
        providers=ProvidersView(now, Span(0, 1)),
        alerts=AlertsView(now),
        costs=CostsView(now, "model", "month", ()),
        collector=COLLECTOR,
    )
    assert (view.cache_hit_rate, view.response_cache_hit_rate) == (0.75, 0.75)
    assert [limit.key for limit in view.rate_limits] == ["k"]
    assert view.newest == now - MINUTE


def test_a_database_that_takes_nothing_is_critical_however_well_the_providers_are(engine, store, clock):
    now = clock.now()
    row = SourceRow("database", SourceState.FAILED, "goes on by itself", last_error="the disk is full")
    view = status_view(
        engine,
        store,
        now,
        providers=ProvidersView(now, Span(0, 1), (provider(Health.HEALTHY),)),
        alerts=AlertsView(now),
        costs=CostsView(now, "model", "month", ()),
        collector=replace(COLLECTOR, sources=(row,)),
    )
    assert (view.severity, view.collector.trouble) == (2, "the disk is full")
    well = replace(COLLECTOR, sources=(replace(row, state=SourceState.RUNNING),))
    assert well.trouble == ""


def test_cards_stand_together_with_their_model_and_memory(engine, store, clock):
    now = clock.now()
    samples = []
    for tick in range(20):
        for card in (0, 1):
            at, labels = now - tick * 30 * SECOND, {"hw_id": f"GPU-{card}", "hw_name": f"gpu {card}"}
            samples += [
                Sample("hw_gpu_utilization", at, 0.5 + card / 4, {**labels, "hw_model": "H100"}),
                Sample("hw_gpu_memory_utilization", at, 0.75, labels),
                Sample("hw_gpu_memory_usage", at, 3 * 2.0**30, labels),
                Sample("hw_gpu_memory_limit", at, 4 * 2.0**30, labels),
                Sample("hw_power", at, 412.5, {**labels, "hw_type": "gpu"}),
            ]
    store.write(WriteBatch(samples=samples))
    gauges = system_view(engine, store, TimeRange(), 12, now, COLLECTOR).gauges
    assert [gauge.name for gauge in gauges] == [
        f"gpu {card} {what}" for card in (0, 1) for what in ("busy", "memory", "power")
    ]
    busy, memory, power = gauges[:3]
    assert (busy.value, busy.fraction, busy.detail) == (0.5, 0.5, "H100")
    assert memory.detail == "3.00 GiB of 4.00 GiB"
    assert (power.value, power.fraction) == (412.5, None)
    series = engine.instant(gauges[3].query, now).series
    assert [one.value for one in series] == [pytest.approx(0.75)]


def test_what_is_over_has_its_result(engine, store, clock):
    now = clock.now()

    events = [
        event("progress", "mmlu", now - 3 * HOUR, 1, total=100),
        event("progress", "mmlu", now - 2 * HOUR, 100, total=100, state="completed"),
        event("progress", "gsm8k", now - 30 * MINUTE, 40, total=100, state="failed"),
        event("progress", "humaneval", now - MINUTE, 7, total=100),
        event("progress", "old", now - 3 * DAY, 100, total=100),
        event("score", "mmlu", now - HOUR, 0.7),
        event("score", "mmlu", now - MINUTE, 0.8),
    ]
    store.write(WriteBatch(events=events))
    view = system_view(engine, store, TimeRange(), 12, now, COLLECTOR)
    assert [one.name for one in view.progress] == ["humaneval"]
    failed, passed = view.finished
    assert (failed.name, failed.state, failed.done, failed.score) == ("gsm8k", "failed", 40, None)
    assert (passed.name, passed.score, passed.seconds) == ("mmlu", pytest.approx(0.75), pytest.approx(3600))
