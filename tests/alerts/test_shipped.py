"""The shipped rules over stored data: what makes each fire, and what must not."""

from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

import pytest

from tui_monitor.alerts import machine, reference
from tui_monitor.alerts.evaluator import Evaluator
from tui_monitor.alerts.rules import check, compile_rules, read
from tui_monitor.alerts.shipped import shipped_rules
from tui_monitor.config.load import Settings
from tui_monitor.costs.summary import costs_view
from tui_monitor.model.alert import Alert
from tui_monitor.model.bus import EventBus
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import NANO, Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock, Micros
from tui_monitor.model.feed import Sample
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.query.local import LocalEngine
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

NOW: Micros = 1_773_835_200_000_000
"""12:00 UTC on Wednesday, 18 March 2026."""
_ids = count()


class House:
    """A database, the shipped rules over it, and a look at them every minute."""

    def __init__(self, store: Store, engine: LocalEngine) -> None:
        self.store, self.engine = store, engine
        self.settings = Settings()
        self.calendar = Calendar()
        self.open: list[Alert] = []
        self.fired: list[Alert] = []

    def calls(self, at: Micros | Iterable[Micros], number: int = 1, **fields: object) -> None:
        """So many calls booked at each of these instants."""
        known = {"provider": "openai", "status": "success", "latency_ms": 100.0, **fields}
        instants = [at] if isinstance(at, int) else at
        rows = [
            Call("events", f"c{next(_ids)}", ts_end=instant, **known)  # type: ignore[arg-type]
            for instant in instants
            for _ in range(number)
        ]
        self.store.write(WriteBatch(calls=rows))

    def spend(self, at: Micros, dollars: float, **fields: object) -> None:
        """One call of that price."""
        self.calls(at, cost=round(dollars * NANO), cost_status="computed", **fields)

    def samples(
        self, name: str, values: Iterable[float], *, last: Micros = NOW, every: Micros = 30 * SECOND,
        kind: str = "gauge", **labels: str,
    ) -> None:  # fmt: skip
        """Samples one after the other, the last at `last`."""
        values = list(values)
        rows = [
            Sample(name, last - (len(values) - 1 - i) * every, float(v), labels, kind)  # type: ignore[arg-type]
            for i, v in enumerate(values)
        ]
        self.store.write(WriteBatch(samples=rows))

    def awake(self, start: Micros, end: Micros) -> None:
        """The collector's own samples, every 30 s."""
        self.samples("tui_monitor_queue_length", [0.0] * ((end - start) // (30 * SECOND)), last=end)

    def watch(self, start: Micros = NOW, end: Micros = NOW, *only: str, step: Micros = MINUTE) -> set[str]:
        """Look at the rules at every step; the names of those that fired."""
        rules = compile_rules(
            [], self.engine, shipped=shipped_rules(self.settings), calendar=self.calendar,
            budgets=self.settings.all_budgets(),
        )  # fmt: skip
        assert check(rules) == []
        fired: set[str] = set()
        for at in range(start, end + 1, step):
            now: list[Alert] = []
            for rule in rules:
                if only and rule.name not in only:
                    continue
                mine = [alert for alert in self.open if alert.rule == rule.name]
                step_ = machine.advance(
                    rule.watch, mine, read(rule, self.engine, at), at, "rules", lambda: str(next(_ids))
                )
                now += [alert for alert in step_.alerts if alert.open]
            self.open = now
            self.fired += [a for a in now if a.state is AlertState.FIRING and a.fired == at]
            fired |= {alert.rule for alert in now if alert.state is AlertState.FIRING}
        return fired

    @property
    def told(self) -> list[str]:
        """What the alerts that fired said."""
        return [alert.summary for alert in self.fired]


@pytest.fixture
def house(store: Store, engine: LocalEngine) -> House:
    return House(store, engine)


# Providers


def test_a_provider_is_unavailable_as_long_as_it_is(house: House):
    house.samples("tui_monitor_provider_state", [0, 0, 2, 2], provider="openai")
    house.samples("tui_monitor_provider_state", [0], provider="openai", last=NOW + 150 * SECOND)
    rule = "provider unavailable"
    assert house.watch(NOW - 2 * MINUTE, NOW - 2 * MINUTE, rule) == set()
    assert house.watch(NOW, NOW, rule) == {rule}
    assert house.fired[0].severity is Severity.CRITICAL
    assert house.told == ["openai is unavailable: why is not known yet"]
    assert house.watch(NOW + 3 * MINUTE, NOW + 3 * MINUTE, rule) == set()


@pytest.mark.parametrize(("minutes", "fires"), [(4, False), (7, True)])
def test_a_provider_is_degraded_for_five_minutes(house: House, minutes: int, fires: bool):
    house.samples("tui_monitor_provider_state", [1] * (2 * minutes) + [0], provider="openai")
    fired = house.watch(NOW - 10 * MINUTE, NOW + 3 * MINUTE, "provider degraded", "provider unavailable")
    assert fired == ({"provider degraded"} if fires else set())


def test_many_errors_fire_and_say_how_many(house: House):
    for minute in range(8):
        house.calls(NOW - minute * MINUTE - SECOND, 9)
        house.calls(NOW - minute * MINUTE - SECOND, 1, status="error", error_category="server")
    assert house.watch(NOW - 8 * MINUTE, NOW, "error rate") == {"error rate"}
    assert house.told == ["10.0 % of the calls to openai fail: 10.0 % > 5.0 %"]


@pytest.mark.parametrize("good", [1, 11, 18])
def test_a_single_failure_alerts_nobody(house: House, good: int):
    house.calls(NOW - 30 * SECOND, 1, status="error", error_category="server")
    house.calls(NOW - 20 * SECOND, good)
    assert house.watch(NOW - 2 * MINUTE, NOW + 12 * MINUTE, "error rate") == set()


def test_few_calls_alert_nobody_however_many_of_them_fail(house: House):
    for minute in range(0, 30, 2):
        house.calls(NOW - minute * MINUTE - SECOND, 1)
        house.calls(NOW - minute * MINUTE - SECOND, 2, status="error", error_category="server")
    assert house.watch(NOW - 20 * MINUTE, NOW, "error rate") == set()


def test_latency_against_what_is_usual_at_this_hour(house: House):
    for day in (1, 2, 3):
        house.calls(NOW - day * DAY - 10 * MINUTE, 20)
        house.calls(NOW - day * DAY - 10 * MINUTE, 20, provider="google")
    for minute in range(8):
        house.calls(NOW - minute * MINUTE - SECOND, 4, latency_ms=300.0)
        house.calls(NOW - minute * MINUTE - SECOND, 4, latency_ms=150.0, provider="google")
        house.calls(NOW - minute * MINUTE - SECOND, 4, latency_ms=9000.0, provider="new")
    assert house.watch(NOW - 8 * MINUTE, NOW, "latency") == {"latency"}
    assert house.told == ["openai is slow, p95 300 ms: 3.0 × the usual 100 ms"]


def test_few_slow_calls_alert_nobody(house: House):
    for day in (1, 2, 3):
        house.calls(NOW - day * DAY - 10 * MINUTE, 20)
    for minute in range(10):
        house.calls(NOW - minute * MINUTE - SECOND, 1, latency_ms=900.0)
    assert house.watch(NOW - 10 * MINUTE, NOW, "latency") == set()


def test_a_quota_that_runs_out_and_one_that_began_anew(house: House):
    house.samples("llm_quota_used_ratio", [0.5, 0.93], provider="openai", window="5h")
    house.samples("llm_quota_used_ratio", [0.95, 0.02], provider="openai", window="7d")
    assert house.watch(NOW, NOW, "quota") == {"quota"}
    assert house.told == ["93.0 % of openai's quota per 5h is used"]


# Money


@pytest.mark.parametrize(
    ("usual", "days", "spent", "fires"),
    [
        (2.0, 3, 5.0, True), (2.0, 3, 3.9, False), (0.2, 3, 0.9, False), (0.2, 3, 1.1, True),
        (2.0, 2, 50.0, False),
    ],
)  # fmt: skip
def test_spend_against_what_is_usual(house: House, usual: float, days: int, spent: float, fires: bool):
    for day in range(1, days + 1):
        house.spend(NOW - day * DAY - 30 * MINUTE, usual)
    house.spend(NOW - 30 * MINUTE, spent)
    assert (house.watch(NOW, NOW, "spend spike") != set()) is fires


def test_the_end_of_the_working_day_is_no_spike(house: House):
    # A dollar every five minutes until noon, on every day; ten cents after it.
    for day in range(4):
        instants = [NOW - day * DAY - minute * MINUTE for minute in range(-95, 120, 5)]
        house.calls([at for at in instants if at <= NOW - day * DAY], cost=NANO, cost_status="computed")
        house.calls([at for at in instants if at > NOW - day * DAY], cost=NANO // 10, cost_status="computed")
    assert house.watch(NOW - HOUR, NOW + 90 * MINUTE, "spend spike", step=5 * MINUTE) == set()


def test_calls_without_a_price(house: House):
    house.calls(NOW - 10 * MINUTE, 3, model_served="new-model", cost_status="unpriced", in_uncached=100)
    house.spend(NOW - 10 * MINUTE, 1.0, model_served="gpt-4o")
    assert house.watch(NOW, NOW, "calls unpriced") == {"calls unpriced"}
    told = "no price for calls of openai, model {}: {} in the last hour, which no budget counts"
    assert house.told == [told.format("new-model", 3)]


def test_a_call_of_an_unknown_model_without_a_price_is_told_by_its_provider(house: House):
    house.calls(NOW - 10 * MINUTE, 1, model_served="", model_requested="", cost_status="unpriced")
    assert house.watch(NOW, NOW, "calls unpriced") == {"calls unpriced"}
    told = "no price for calls of openai, model –: 1 in the last hour, which no budget counts"
    assert house.told == [told]


@pytest.mark.parametrize(
    ("spent", "level"),
    [
        (4.99, None), (5.0, "50 %"), (7.99, "50 %"), (8.0, "80 %"), (9.49, "80 %"), (9.5, "95 %"),
        (9.999999999, "95 %"), (10.0, "100 %"), (300.0, "100 %"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_a_budget_has_one_alert_at_a_time(house: House, spent: float, level: str | None, period: str):
    house.settings = Settings.model_validate(
        {"budgets": [{"name": "ours", "period": period, "amount_usd": 10, "scope": {"project": "search"}}]}
    )
    house.spend(NOW - 2 * HOUR, spent, project="search")
    house.spend(NOW - 2 * HOUR, 1000.0, project="other")
    fired = {name for name in house.watch() if name.startswith("budget")}
    assert fired == (set() if level is None else {f"budget ours {level}"})
    view = costs_view(house.engine, house.settings, house.calendar, "model", "month", NOW)
    for alert in house.fired:
        if alert.rule.startswith("budget"):
            assert alert.value == view.budgets[0].spent == spent
            assert alert.labels == {"budget": "ours"}


def test_a_new_day_begins_with_its_own_budget(house: House):
    house.settings = Settings.model_validate(
        {"costs": {"daily_budget": 10}, "general": {"timezone": "Asia/Tokyo"}}
    )
    house.calendar = house.settings.calendar()
    house.engine = LocalEngine(house.store, house.calendar)
    midnight = house.calendar.day(NOW)[1]
    house.spend(midnight - MINUTE, 9.0)
    assert house.watch(midnight - SECOND, midnight - SECOND) >= {"budget daily 80 %"}
    assert not {name for name in house.watch(midnight, midnight + MINUTE) if name.startswith("budget")}


# Sources


def test_a_source_that_keeps_failing(house: House):
    house.samples("tui_monitor_source_up", [0] * 21, source="codex")
    house.samples("tui_monitor_source_up", [0, 1, 1] * 7, source="flapping")
    house.samples("tui_monitor_source_up", [1] * 21, source="host")
    assert house.watch(NOW - 10 * MINUTE, NOW, "source failed") == {"source failed"}
    assert [alert.labels for alert in house.fired] == [{"source": "codex"}]


def busy(
    house: House, app: str, minutes: Iterable[int], days: Iterable[int] = range(1, 8), **fields: object
) -> None:
    """Ten calls at each of these minutes before noon, on these days before today."""
    minutes = list(minutes)
    house.calls(
        (NOW - day * DAY - minute * MINUTE for day in days for minute in minutes), 10, app=app, **fields
    )


DAYTIME = range(-180, 240, 10)
"""Minutes before noon: from 8 to 15 o'clock."""


def silent(house: House, start: Micros, end: Micros) -> set[str]:
    return house.watch(start, end, "app silent", step=4 * MINUTE)


def test_an_app_that_fell_silent(house: House):
    busy(house, "shop", DAYTIME)
    busy(house, "cron", DAYTIME)
    house.calls((NOW - minute * MINUTE for minute in range(0, 240, 10)), 10, app="cron")
    house.calls((NOW - minute * MINUTE for minute in range(90, 240, 10)), 10, app="shop")
    house.awake(NOW - 2 * HOUR, NOW)
    assert silent(house, NOW - 100 * MINUTE, NOW) == {"app silent"}
    assert [alert.labels for alert in house.fired] == [{"app": "shop"}]
    assert house.told == ["shop has sent no calls for an hour; 0, usually 5 in 5 minutes"]


def test_an_app_that_begins_late_in_its_hour_is_not_silent(house: House):
    # Every day from 11:40 on; the hour that begins at 11 is usual from 11:00.
    busy(house, "shop", range(-180, 21, 10))
    for minute in range(0, 21, 10):
        house.calls(NOW - minute * MINUTE, 10, app="shop")
    house.awake(NOW - 3 * HOUR, NOW)
    assert silent(house, NOW - 2 * HOUR, NOW) == set()


def test_a_free_day_is_no_silence(house: House):
    # Nothing on this day of last week.
    busy(house, "shop", DAYTIME, range(1, 6))
    house.awake(NOW - 3 * HOUR, NOW)
    assert silent(house, NOW - 2 * HOUR, NOW) == set()


def test_a_host_that_slept_knows_of_no_silence(house: House):
    busy(house, "shop", DAYTIME)
    house.awake(NOW - 4 * HOUR, NOW - 3 * HOUR)
    house.awake(NOW - 30 * MINUTE, NOW)
    asleep = silent(house, NOW - 232 * MINUTE, NOW - 192 * MINUTE)
    assert asleep | silent(house, NOW - 30 * MINUTE, NOW) == set()


def test_what_was_imported_is_not_waited_for(house: House):
    busy(house, "shop", DAYTIME, batch_id="b1")
    house.awake(NOW - 3 * HOUR, NOW)
    assert silent(house, NOW - 2 * HOUR, NOW) == set()


# This host and the collector


@pytest.mark.parametrize(
    ("rule", "metric", "minutes", "labels"),
    [
        ("disk", "system_filesystem_utilization", 5, {"mountpoint": "/"}),
        ("memory", "system_memory_utilization", 10, {}),
        ("cpu", "system_cpu_utilization", 15, {}),
    ],
)
def test_the_host_is_full_for_a_while(house: House, rule: str, metric: str, minutes: int, labels: dict):
    house.samples(metric, [0.97] * (2 * (minutes + 6)), **labels)
    house.samples(metric, [0.2] * 60, last=NOW - (minutes + 6) * MINUTE, **labels)
    assert house.watch(NOW - 30 * MINUTE, NOW - 7 * MINUTE, rule) == set()
    assert house.watch(NOW - 6 * MINUTE, NOW, rule) == {rule}
    assert "97.0 %" in house.told[0]


@pytest.mark.parametrize(
    ("rule", "metric", "value"),
    [
        ("disk", "system_filesystem_utilization", 0.9), ("memory", "system_memory_utilization", 0.95),
        ("cpu", "system_cpu_utilization", 0.95), ("write queue", "tui_monitor_queue_length", 39_999),
        ("slow writes", "tui_monitor_ingest_lag_seconds", 10.0), ("quota", "llm_quota_used_ratio", 0.9),
    ],
)  # fmt: skip
def test_what_is_just_allowed(house: House, rule: str, metric: str, value: float):
    house.samples(metric, [value] * 80)
    assert house.watch(NOW - 30 * MINUTE, NOW, rule) == set()


@pytest.mark.parametrize(
    ("rule", "write"),
    [
        ("write queue", lambda h: h.samples("tui_monitor_queue_length", [45_000] * 20)),
        ("slow writes", lambda h: h.samples("tui_monitor_ingest_lag_seconds", [12.0] * 40)),
        (
            "failed writes",
            lambda h: h.samples(
                "tui_monitor_source_errors_total", [0, 0, 4], kind="counter", source="collector"
            ),
        ),
        (
            "records rejected",
            lambda h: h.samples(
                "tui_monitor_records_total", range(0, 200, 5), kind="counter", result="rejected"
            ),
        ),
    ],
)
def test_the_collectors_own_trouble(house: House, rule: str, write: Callable[[House], None]):
    write(house)
    assert house.watch(NOW - 10 * MINUTE, NOW, rule) == {rule}


def test_a_burst_of_rejected_records_is_told_where_it_came_in(house: House):
    counts = [0.0] * 20 + [5_000.0] * 30
    house.samples("tui_monitor_records_total", counts, kind="counter", result="rejected")
    assert house.watch(NOW - 20 * MINUTE, NOW, "records rejected") == set()


# Quiet


def test_a_new_installation_is_quiet(house: House):
    house.settings = Settings.model_validate({"costs": {"daily_budget": 100}})
    house.awake(NOW - HOUR, NOW)
    house.samples("system_memory_utilization", [0.6] * 120)
    house.samples("tui_monitor_source_up", [1] * 120, source="host")
    house.samples("tui_monitor_records_total", range(120), kind="counter", result="accepted")
    for minute in range(0, 60, 7):
        house.spend(NOW - minute * MINUTE, 0.8, latency_ms=400.0 * (minute + 1))
    house.calls(NOW - 20 * MINUTE, 1, status="error", error_category="server", cost_status="free")
    assert house.watch(NOW - HOUR, NOW, step=4 * MINUTE) == set()


def test_an_old_trace_is_no_news(house: House):
    house.awake(NOW - HOUR, NOW)
    known = {"app": "shop", "batch_id": "b"}
    old = [NOW - day * DAY - minute * MINUTE for day in range(1, 8) for minute in range(0, 120, 20)]
    house.calls(old, 10, **known, cost=40 * NANO, cost_status="computed")
    house.calls(old, 10, **known, status="error", error_category="server", cost_status="unpriced")
    assert house.watch(NOW - HOUR, NOW, step=4 * MINUTE) == set()


def test_switched_off():
    assert shipped_rules(Settings.model_validate({"alerts": {"shipped": False}})) == []
    names = [rule.name for rule in shipped_rules(Settings.model_validate({"costs": {"daily_budget": 1}}))]
    assert len(names) == len(set(names))
    assert [name for name in names if name.startswith("budget")] == [
        "budget daily 50 %", "budget daily 80 %", "budget daily 95 %", "budget daily 100 %",
    ]  # fmt: skip


def test_one_of_ones_own_replaces_a_shipped_one_and_each_can_be_disabled(engine: LocalEngine):
    settings = Settings.model_validate(
        {"alerts": {"rules": [{"name": "cpu", "expr": "system_cpu_utilization > 50%"}], "disabled": ["disk"]}}
    )
    rules = compile_rules(
        settings.alerts.rules, engine, shipped=shipped_rules(settings), disabled=settings.alerts.disabled
    )
    states = {rule.name: rule.state(0) for rule in rules}
    assert (states["cpu"].expr, states["cpu"].shipped) == ("system_cpu_utilization > 50%", False)
    assert (states["disk"].enabled, states["disk"].shipped, states["memory"].enabled) == (False, True, True)


def test_every_summary_is_a_sentence_with_a_figure_or_a_reason():
    for rule in shipped_rules(Settings.model_validate({"costs": {"daily_budget": 1}})):
        told = rule.summary
        assert "$value" in told or "$reason" in told or rule.name == "source failed", rule.name
        assert len(told) > 25, rule.name


def test_the_page_has_the_rules_as_they_are():
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    assert reference.filled(page) == page, "run python -m tui_monitor.alerts.reference docs/alerts.md"
    assert "provider unavailable" in page


async def test_a_laptop_that_slept_has_not_been_busy_all_night(house: House, alert_store, clock: ManualClock):
    looker = Evaluator(
        house.engine, alert_store, house.settings.alerts, Calendar(), clock, EventBus(),
        shipped=shipped_rules(house.settings),
    )  # fmt: skip
    await looker.load()

    async def look(at: Micros) -> list[tuple[str, AlertState]]:
        clock.advance(at - clock.now())
        await looker.run_once()
        return [(alert.rule, alert.state) for alert in looker.view().alerts]

    house.samples("system_cpu_utilization", [0.99] * 20, last=NOW - 8 * HOUR)
    assert await look(NOW - 8 * HOUR) == [("cpu", AlertState.PENDING)]
    house.samples("system_cpu_utilization", [0.99] * 40, last=NOW + 19 * MINUTE + 30 * SECOND)
    for minute in range(15):
        assert await look(NOW + minute * MINUTE) == [("cpu", AlertState.PENDING)]
    assert await look(NOW + 15 * MINUTE) == [("cpu", AlertState.FIRING)]
