"""What a silence is over, and which silences are refused."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.alerts import keeper
from tui_monitor.alerts.keeper import Keeper
from tui_monitor.alerts.silences import MAX_MATCHERS, Quiet, end, fits, labels_of, make, matchers_of
from tui_monitor.model.alert import MATCHES, Alert, Matcher, Silence
from tui_monitor.model.clock import DAY, HOUR, MINUTE
from tui_monitor.model.errors import MonitorError, UsageError
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.store.alerts import AlertStore

NOW = 1_000 * DAY


def alert(**labels: str) -> Alert:
    return Alert(
        "id", "print", "errors", Severity.WARNING, AlertState.FIRING, labels, "", "", 1.0, 0.5, ">", "",
        since=NOW, fired=NOW,
    )  # fmt: skip


def silence(*matchers: Matcher, starts: int = NOW, ends: int = NOW + HOUR, id: str = "s") -> Silence:
    return Silence(id, matchers, starts, ends, NOW, "ana")


@pytest.mark.parametrize(
    ("name", "op", "value", "takes"),
    [
        ("provider", "=", "openai", True),
        ("provider", "=", "open", False),
        ("provider", "!=", "google", True),
        ("provider", "=~", "open.*|google", True),
        ("provider", "=~", "open", False),  # anchored
        ("provider", "=~", "(?i)OPENAI", True),
        ("provider", "!~", "open", True),
        ("provider", "!~", "open.*", False),
        ("model", "=", "", True),  # a label that is not there is empty
        ("model", "!=", "", False),
        ("model", "=~", "(x|)", True),
        ("alertname", "=", "errors", True),
        ("severity", "=~", "warning|critical", True),
        ("severity", "=", "critical", False),
    ],
)
def test_matchers_are_alertmanagers(name, op, value, takes):
    assert fits([Matcher(name, value, op)], labels_of(alert(provider="openai"))) is takes


def test_every_matcher_must_fit_and_providers_answer_to_their_other_names():
    both = [Matcher("provider", "openai"), Matcher("alertname", "other")]
    assert not fits(both, labels_of(alert(provider="openai")))
    made = make("s", [Matcher("provider", "Claude")], NOW + HOUR, "ana", now=NOW)
    assert Quiet([made]).over(alert(provider="anthropic"), NOW) == made


def test_an_alerts_own_matchers_fit_it_and_no_sister():
    matchers = matchers_of(alert(provider="openai", model="gpt"))
    assert fits(matchers, labels_of(alert(provider="openai", model="gpt")))
    assert not fits(matchers, labels_of(alert(provider="openai", model="o3")))


def test_an_alert_that_lacks_a_label_is_silenced_without_its_sisters():
    expr = "error_rate [5m] by(provider, model) > 2 * baseline and requests [5m] sum by(provider) >= 10"
    lacking = replace(alert(provider="openai"), expr=expr)
    for matchers in (matchers_of(lacking), make("s", matchers_of(lacking), NOW + 1, "a", now=NOW).matchers):
        assert fits(matchers, labels_of(lacking))
        assert not fits(matchers, labels_of(replace(alert(provider="openai", model="o3"), expr=expr)))
    assert matchers_of(replace(lacking, expr="no longer a rule")) == matchers_of(alert(provider="openai"))


def test_a_pattern_of_exponential_time_elsewhere_is_quick():
    evil = make("s", [Matcher("provider", "(a*)*b", "=~")], NOW + HOUR, "ana", now=NOW)
    assert Quiet([evil]).over(alert(provider="a" * 5_000), NOW) is None


@pytest.mark.parametrize(
    ("matchers", "words"),
    [
        ([], "needs a matcher"),
        ([Matcher("provider", "")], "fit every alert"),
        ([Matcher("provider", ".*", "=~"), Matcher("model", "x", "!=")], "fit every alert"),
        ([Matcher("provider", "(", "=~")], "not a regular expression"),
        ([Matcher("provider", "(?=a)", "=~")], "not a regular expression"),
        ([Matcher("provider", "a" * 2_000, "!~")], "too long"),
        ([Matcher("", "x")], "not a name"),
        ([Matcher("a\x1b[31m", "x")], "not a name"),
        ([Matcher(f"l{i}", "x") for i in range(MAX_MATCHERS + 1)], "too many"),
    ],
)
def test_matchers_that_make_no_sense_are_refused(matchers, words):
    with pytest.raises(UsageError, match=words):
        make("s", matchers, NOW + HOUR, "ana", now=NOW)


@pytest.mark.parametrize(
    ("starts", "ends", "words"),
    [
        (None, NOW, "over already"),
        (NOW - HOUR, NOW - MINUTE, "over already"),
        (NOW + HOUR, NOW + HOUR, "before it begins"),
        (None, NOW + 11 * 365 * DAY, "too long"),
    ],
)
def test_times_that_make_no_sense_are_refused(starts, ends, words):
    with pytest.raises(UsageError, match=words):
        make("s", [Matcher("a", "b")], ends, "ana", now=NOW, starts=starts)


def test_names_and_notes_are_made_harmless_and_the_past_is_now():
    made = make("s", [Matcher("a", "b")], NOW + 1, "a\x1b[2Jna", "x\u202ey", now=NOW, starts=NOW - DAY)
    assert (made.created_by, made.note, made.starts) == ("a[2Jna", "xy", NOW)


def test_of_several_the_one_that_ends_last_counts_and_bounds_are_exact():
    short = silence(Matcher("provider", "openai"), id="short", ends=NOW + MINUTE)
    long = silence(Matcher("provider", "o.*", "=~"), id="long", starts=NOW + 10, ends=NOW + HOUR)
    quiet = Quiet([short, long])
    one = alert(provider="openai")
    assert [(at, found and found.id) for at in (-1, 0, 10) for found in [quiet.over(one, NOW + at)]] == [
        (-1, None), (0, "short"), (10, "long"),
    ]  # fmt: skip
    assert quiet.over(one, NOW + HOUR) is None
    assert quiet.next_turn(NOW) == NOW + 10
    with pytest.raises(MonitorError, match="over already"):
        end(short, NOW + MINUTE, "bob")


texts = st.sampled_from(["", "a", "b", "ab"])
matchers = st.builds(Matcher, st.sampled_from(["x", "y", "alertname"]), texts, st.sampled_from(MATCHES))
kept = st.lists(st.tuples(st.lists(matchers, min_size=1, max_size=3), st.integers(0, 3)), max_size=12)


@settings(max_examples=examples(75))
@given(kept, st.dictionaries(st.sampled_from(["x", "y"]), texts), st.sets(st.integers(0, 11)))
def test_what_is_found_by_labels_is_what_looking_at_all_would_find(kept, labels, dropped):
    known = [silence(*of, id=str(i), ends=NOW + 1 + last) for i, (of, last) in enumerate(kept)]
    quiet = Quiet(known[: len(known) // 2])
    quiet.over(alert(**labels), NOW)
    for late in known[len(known) // 2 :]:
        quiet.add(late)
    for number in dropped:
        quiet.drop(str(number))
    one = alert(**labels)
    over = [s for s in known if int(s.id) not in dropped and fits(s.matchers, labels_of(one))]
    found = quiet.over(one, NOW)
    assert (found is None) == (not over)
    assert found is None or found.ends == max(s.ends for s in over)


async def test_silences_that_every_alert_is_held_against_are_fewer(alert_store, clock, monkeypatch):
    monkeypatch.setattr(keeper, "MAX_LOOSE", 1)
    one = Keeper(alert_store, clock)
    await one.silence([Matcher("x", "a.*", "=~")], clock.now() + HOUR, "ana")
    with pytest.raises(MonitorError, match="without a matcher"):
        await one.silence([Matcher("x", "", "!=")], clock.now() + HOUR, "ana")
    await one.silence([Matcher("x", "a")], clock.now() + HOUR, "ana")
    assert len(await one.silences()) == 2


async def test_too_many_are_refused_and_old_ones_go(alert_store: AlertStore, clock, monkeypatch):
    monkeypatch.setattr(keeper, "MAX_SILENCES", 2)
    one = Keeper(alert_store, clock)
    for name in ("a", "b"):
        await one.silence([Matcher("x", name)], clock.now() + HOUR, "ana")
    with pytest.raises(MonitorError, match="2 silences already"):
        await one.silence([Matcher("x", "c")], clock.now() + HOUR, "ana")
    clock.advance(2 * HOUR)
    await one.silence([Matcher("x", "c")], clock.now() + 40 * DAY, "ana")
    assert len(await one.silences(ended=True)) == 3
    clock.advance(31 * DAY)
    await one.silence([Matcher("x", "d")], clock.now() + HOUR, "ana")
    assert [s.matchers[0].value for s in await alert_store.silences(0)] == ["d", "c"]
