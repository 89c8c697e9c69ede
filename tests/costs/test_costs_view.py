"""Costs over a real database, against sums made here."""

import csv
import gzip
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tui_monitor.config.settings import BudgetSettings, Retention
from tui_monitor.costs.summary import costs_view
from tui_monitor.costs.views import CostsView
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, from_datetime
from tui_monitor.model.errors import UsageError
from tui_monitor.store.api import WriteBatch


def utc(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def berlin(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")))


def trace(folder: Path, name: str) -> list[tuple[int, int, int]]:
    """(instant µs, tokens in, tokens out) of each request, read here and not by the importer."""
    with gzip.open(folder / "data/azure-llm-2023" / f"{name}.csv.gz", "rt") as file:
        rows = []
        for row in csv.DictReader(file):
            whole, digits = row["TIMESTAMP"].split(".")
            rows.append(
                (utc(whole) + int(digits[:6]), int(row["ContextTokens"]), int(row["GeneratedTokens"]))
            )
        return rows


PRICES = {"code": (3_000, 15_000), "conv": (250, 1_250)}
"""Nano-dollars per token in and out."""


def test_sums_of_a_real_trace_equal_those_made_from_the_file(build, shared):
    house = build("America/New_York")
    now = utc("2023-11-16T19:10:00")
    spent, calls = defaultdict(int), defaultdict(int)
    tokens_in, tokens_out = defaultdict(int), defaultdict(int)
    unpriced = unpriced_tokens = 0
    batch = []
    for name, (price_in, price_out) in PRICES.items():
        for index, (at, tin, tout) in enumerate(trace(shared, name)):
            model = "unknown-model" if index % 50 == 0 else name
            nano = None if model == "unknown-model" else tin * price_in + tout * price_out
            call = Call("azure", f"{name}{index}", ts_end=at, provider="azure", model_served=model)
            call.status, call.user = "success", f"user-{index % 7}"
            call.in_uncached, call.out_total = tin, tout
            call.cost = call.list_cost = nano
            call.cost_status = "unpriced" if nano is None else "computed"
            batch.append(call)
            calls[model] += 1
            tokens_in[model] += tin
            tokens_out[model] += tout
            spent[model] += nano or 0
            unpriced += nano is None
            unpriced_tokens += tin + tout if nano is None else 0
    house.store.write(WriteBatch(batch))
    assert len(batch) > 20_000

    view = house.costs(now)
    for spend in view.spends:
        assert spend.cost == pytest.approx(sum(spent.values()) / 1e9, rel=1e-12)
        assert (spend.calls, spend.unpriced, spend.unpriced_tokens) == (len(batch), unpriced, unpriced_tokens)
        assert spend.previous is None
    rows = {row.name: row for row in view.rows}
    assert [row.name for row in view.rows] == ["code", "conv", "unknown-model"]
    for name, row in rows.items():
        assert (row.calls, row.input_tokens, row.output_tokens) == (
            calls[name],
            tokens_in[name],
            tokens_out[name],
        )
    for name in PRICES:
        assert rows[name].cost == pytest.approx(spent[name] / 1e9, rel=1e-12)
        assert rows[name].share == pytest.approx(spent[name] / sum(spent.values()))
    assert (rows["unknown-model"].cost, rows["unknown-model"].share) == (None, None)
    assert rows["unknown-model"].unpriced == unpriced
    by_user = house.costs(now, by="user").rows
    assert len(by_user) == 7
    assert sum(row.cost or 0 for row in by_user) == pytest.approx(view.spends[0].cost)

    # The month began at midnight in New York, 5 hours behind UTC; DST ended on the 5th: 25 hours that day.
    assert view.month_end == utc("2023-12-01T05:00:00")
    elapsed, length = now - utc("2023-11-01T04:00:00"), (30 * 24 + 1) * HOUR
    assert view.projection is not None
    assert view.projection.amount == pytest.approx((view.spends[2].cost or 0) / elapsed * length)
    assert len(view.daily) == 16
    assert [cost for _, cost in view.daily[:-1]] == [None] * 15
    assert view.daily[-1] == (utc("2023-11-16T05:00:00"), pytest.approx(view.spends[0].cost))


def test_today_is_compared_with_yesterday_until_this_time(build):
    house = build("Europe/Berlin")
    # Sunday the 29th has 23 hours: 11:00 comes an hour sooner after midnight than on other days.
    house.put(berlin("2026-03-28T10:59"), 1.0)
    house.put(berlin("2026-03-28T11:01"), 20.0)
    house.put(berlin("2026-03-29T01:59"), 0.5)
    house.put(berlin("2026-03-29T03:00"), 0.25)
    today, week, month = house.costs(berlin("2026-03-29T11:00")).spends
    assert (today.cost, today.previous) == (0.75, 1.0)
    assert (week.cost, week.previous) == (21.75, None)
    assert (month.cost, month.previous) == (21.75, None)
    assert today.span.length == 23 * HOUR


def test_days_of_a_month_with_a_change_of_summer_time_hold_their_own_calls(build):
    house = build("Europe/Berlin")
    expected = {}
    start = berlin("2026-03-27T00:00")
    for number, midnight in enumerate(
        [start, start + DAY, start + 2 * DAY, start + 3 * DAY - HOUR, start + 4 * DAY - HOUR], start=1
    ):
        house.put(midnight, float(number))
        house.put(midnight - 1, number / 100)
        expected[midnight] = number + (number + 1) / 100
    house.put(start + 5 * DAY - HOUR - 1, 0.06)
    view = house.costs(berlin("2026-04-02T12:00"), period="last_month")
    daily = dict(view.daily)
    assert len(daily) == 31
    assert {day: daily[day] for day in expected} == {
        day: pytest.approx(cost) for day, cost in expected.items()
    }
    assert daily[start - DAY] == 0.01


def test_the_first_day_of_a_month(build):
    house = build()
    house.put(utc("2026-02-28T23:59:59"), 5.0)
    house.put(utc("2026-02-01T00:30"), 3.0)
    house.put(utc("2026-03-01T00:00"), 1.0)
    view = house.costs(utc("2026-03-01T01:00"))
    today, _, month = view.spends
    assert (today.cost, today.previous) == (1.0, None)
    assert (month.cost, month.previous) == (1.0, 3.0)
    assert view.daily == ((utc("2026-03-01T00:00"), 1.0),)
    assert view.projection is None
    assert any("no projection yet" in warning for warning in view.warnings)


def test_an_accounting_month_of_ones_own(build):
    house = build(month_starts_on=15)
    house.put(utc("2026-03-14T23:59"), 7.0)
    house.put(utc("2026-03-15T00:00"), 1.0)
    house.put(utc("2026-02-15T06:00"), 2.0)
    month = house.costs(utc("2026-03-18T12:00")).spends[2]
    assert (month.cost, month.previous) == (1.0, 2.0)
    assert house.costs(utc("2026-03-18T12:00"), period="last_month").rows[0].cost == 9.0


def test_unpriced_is_unknown_and_counted(build, clock):
    house = build()
    house.put(clock.now() - HOUR, None, model_served="new-model")
    view = house.costs(clock.now())
    today = view.spends[0]
    assert (today.cost, today.calls, today.unpriced, today.unpriced_tokens) == (None, 1, 1, 110)
    assert view.rows[0].cost is None
    assert view.projection is None
    house.put(clock.now() - HOUR, 2.0)
    today = house.costs(clock.now()).spends[0]
    assert (today.cost, today.calls, today.unpriced) == (2.0, 2, 1)


def test_free_calls_cost_nothing_which_is_known(build, clock):
    house = build()
    house.put(clock.now() - HOUR, 0.0, provider="ollama", cost_status="free", list_cost=None)
    view = house.costs(clock.now(), by="provider")
    assert (view.spends[0].cost, view.spends[0].unpriced) == (0.0, 0)
    assert (view.rows[0].cost, view.rows[0].share) == (0.0, None)


def test_nothing_recorded_is_nothing_known(build, clock):
    view = build().costs(clock.now())
    assert [(spend.cost, spend.calls, spend.previous) for spend in view.spends] == [(None, 0, None)] * 3
    assert (view.rows, view.projection, view.budgets) == ((), None, ())
    assert all(cost is None for _, cost in view.daily)


def test_rows_are_the_dearest_first_then_the_busiest_and_the_unnamed_has_a_dash(build, clock):
    house = build()
    at = clock.now() - HOUR
    house.put(at, 1.0, project="a")
    house.put(at, 3.0, project="b", cache_read=300)
    house.put(at, 0.5, project="c")
    house.put(at, 0.5, project="c")
    house.put(at, 0.25, project=None)
    house.put(at - 31 * DAY, 8.0, project="b")
    rows = house.costs(clock.now(), by="project").rows
    assert [(row.name, row.cost, row.calls) for row in rows] == [
        ("b", 3.0, 1),
        ("c", 1.0, 2),
        ("a", 1.0, 1),
        ("–", 0.25, 1),
    ]
    assert (rows[0].cache_hit_rate, rows[0].input_tokens, rows[1].cache_hit_rate) == (0.75, 400, None)
    assert [row.previous for row in rows] == [8.0, None, None, None]
    assert sum(row.share or 0 for row in rows) == pytest.approx(1)


@pytest.mark.parametrize(
    "by", ["provider", "operation", "team", "agent", "app", "key", "host", "session", "user.id-x"]
)
def test_every_label_can_be_asked_for(build, clock, by):
    house = build()
    fields = {"attrs": {"user.id-x": "x"}} if by == "user.id-x" else {by: "x"}
    house.put(clock.now() - MINUTE, 1.0, **fields)
    assert [(row.name, row.cost) for row in house.costs(clock.now(), by=by).rows] == [("x", 1.0)]


@pytest.mark.parametrize("by", ["", "a b", "x) or y", "model)", "[/foo]"])
def test_what_is_no_label_is_refused(build, clock, by):
    with pytest.raises(UsageError, match="not a label"):
        build().costs(clock.now(), by=by)


def budget(**fields: object) -> BudgetSettings:
    return BudgetSettings.model_validate({"name": "b", "amount_usd": 10, **fields})


def test_budgets_count_what_their_scope_says(build, clock):
    house = build()
    noon = clock.now()
    for hour in (1, 2, 3, 4):
        house.put(noon - hour * HOUR, 1.0, project="search", provider="anthropic")
    house.put(noon - HOUR, 2.0, project="search", provider="openai")
    house.put(noon - HOUR, None, project="search", provider="anthropic")
    house.put(noon - DAY, 7.0, project="search", provider="anthropic")
    house.put(noon - HOUR, 50.0, project='o"ther\\', provider="anthropic")
    house.budgets = [
        budget(name="day", period="day", scope={"project": "search", "provider": "claude"}, amount_usd=5),
        budget(name="week", period="week", scope={"project": "search"}),
        budget(name="odd", scope={"project": 'o"ther\\'}, amount_usd=100),
        budget(name="idle", scope={"project": "nobody"}),
        budget(name="broken", scope={"no label": "x"}),
    ]
    view = house.costs(noon)
    day, week, odd, idle = view.budgets
    assert (day.spent, day.used, day.unpriced) == (4.0, 0.8, 1)
    assert day.projected == pytest.approx(8.0), "half of the day has passed"
    assert day.used_up == utc("2026-03-18T15:00")
    assert day.span.length == DAY
    assert (week.spent, week.used_up) == (13.0, None)
    assert week.used == pytest.approx(1.3)
    assert odd.spent == 50.0
    assert (idle.spent, idle.projected, idle.used_up) == (0.0, None, None)
    assert any("broken" in warning and "no label" in warning for warning in view.warnings)


def test_a_budget_of_calls_without_a_price_is_unknown(build, clock):
    house = build()
    house.put(clock.now() - HOUR, None, project="odd")
    house.budgets = [
        budget(name="odd", scope={"project": "odd"}),
        budget(name="none", scope={"project": "x"}),
    ]
    odd, none = house.costs(clock.now()).budgets
    assert (odd.spent, odd.used, odd.projected, odd.unpriced) == (None, None, None, 1)
    assert (none.spent, none.used, none.unpriced) == (0.0, 0.0, 0)


def test_tokens_of_unpriced_calls_are_unknown_where_nobody_told_them(build, clock):
    house = build()
    house.put(clock.now() - HOUR, 1.0)
    assert house.costs(clock.now()).spends[0].unpriced_tokens == 0
    house.put(clock.now() - HOUR, None, in_uncached=None, out_total=None)
    today = house.costs(clock.now()).spends[0]
    assert (today.unpriced, today.unpriced_tokens) == (1, None)


def test_warnings_say_what_no_field_says_and_say_it_once(build, clock):
    house = build()
    house.put(clock.now() - 20 * MINUTE, None)
    house.put(clock.now() - 20 * MINUTE, 1.0)
    for by in ("model", "session"):
        assert house.engine.instant("cost{} [today] sum", clock.now()).warnings, "the engine tells each time"
        assert house.costs(clock.now(), by=by).warnings == ()
    house.put(clock.now() - 12 * DAY, 1.0)
    clock.advance(DAY)
    house.store.retain(Retention.model_validate({"raw": "1h", "minute": "1h", "hour": "1h"}), clock.now())
    told = house.costs(clock.now(), by="session").warnings
    assert len(told) == len({text.partition(" are left out")[0] for text in told}) > 0
    assert all("left out" in text for text in told)


@pytest.mark.parametrize("by", ["model", "project", "session"])
@pytest.mark.parametrize("period", ["today", "week", "month", "last_month"])
def test_no_question_is_asked_twice_and_totals_agree_with_the_engine(build, clock, monkeypatch, by, period):
    house = build()
    now = clock.now()
    for day in range(40):
        house.put(now - day * DAY, 0.1 + day, model_served=f"m{day % 3}", project=f"p{day % 4}", session="s")
    asked = []
    plain, many = house.engine.instant, house.engine.together

    def together(texts, at):
        asked.extend((text, at) for text in texts)
        return many(texts, at)

    monkeypatch.setattr(house.engine, "instant", lambda text, at: asked.append((text, at)) or plain(text, at))
    with monkeypatch.context() as patched:
        patched.setattr(house.engine, "together", together)
        view = house.costs(now, by=by, period=period)
    assert len(asked) == len(set(asked))
    if by != "session":
        # The month is drawn by day, and that is the month's cost.
        assert [text for text, at in asked if text.startswith("cost{} [month]") and at == now] == (
            ["cost{} [month] sum"] if period == "last_month" else []
        )
    for spend in view.spends:
        for metric, value in (
            ("cost", spend.cost),
            ("requests", spend.calls),
            ("list_cost", spend.list_cost),
        ):
            assert value == plain(f"{metric}{{}} [{spend.period}] sum", now).scalar
    cost = plain(f"cost{{}} [{period}] sum", now).scalar
    assert sum(row.cost or 0 for row in view.rows) == pytest.approx(cost, rel=1e-12)
    assert dict(view.queries)["rows"].startswith(f"cost{{}} [{period}]")


def test_a_period_that_is_recorded_in_part_is_not_compared_with(build):
    house = build()
    now = utc("2026-03-18T12:00")
    house.put(utc("2026-03-17T09:00"), 2.0)
    house.put(utc("2026-03-18T09:00"), 1.0)
    for first, previous in ((None, 2.0), (utc("2026-03-17T00:00"), 2.0), (utc("2026-03-17T09:00"), None)):
        view = costs_view(house.engine, house, house.calendar, "model", "today", now, first)
        assert view.spends[0].previous == previous
        assert [row.previous for row in view.rows] == [previous]


def test_a_period_is_compared_with_the_same_part_a_day_or_a_week_before(build):
    house = build("Europe/Berlin")
    # On Sunday the 29th of March the clock goes on by an hour; the week before has its own hours.
    now = berlin("2026-03-31T11:00")
    for at, usd in (
        ("2026-03-24T00:00", 1.0), ("2026-03-24T10:59:59.999999", 2.0), ("2026-03-24T11:00:00.001", 40.0),
        ("2026-03-23T23:59:59.999999", 80.0), ("2026-03-30T09:00", 4.0), ("2026-03-31T09:00", 8.0),
        ("2026-02-22T12:00", 160.0),
    ):  # fmt: skip
        house.put(berlin(at), usd)
    first = berlin("2026-02-22T00:00")

    def asked(against: str, period: str = "today") -> CostsView:
        return costs_view(house.engine, house, house.calendar, "model", period, now, first, against)

    week, day = asked("week"), asked("day")
    assert (week.against, week.spends[0].previous) == ("week", 3.0)
    assert [row.previous for row in week.rows] == [3.0]
    assert day.spends[0].previous == 4.0
    # A week before this week until now is last week until then; of this month, a month moved by a week.
    assert week.spends[1].previous == 83.0
    assert week.spends[2].previous == 243.0
    assert asked("previous").spends[1].previous == 83.0
    assert asked("week", "yesterday").rows[0].previous == 80.0
    early = costs_view(
        house.engine, house, house.calendar, "model", "today", now, berlin("2026-03-24T00:01"), "week"
    )
    assert early.spends[0].previous is None, "recording began in the middle of it"
