"""The life of an alert, against a model of it that is written the other way round."""

from dataclasses import dataclass, field
from itertools import count, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.alerts.machine import (
    Reading,
    Watch,
    acknowledge,
    advance,
    fingerprint,
    in_order,
    unacknowledge,
)
from tui_monitor.model.alert import Alert, Change
from tui_monitor.model.clock import MINUTE, SECOND, ManualClock, Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.states import AlertState, Severity

FOR = 3 * MINUTE
LABELS = ("anthropic", "openai", "google")


def watch(for_us: Micros = FOR, severity: Severity = Severity.WARNING) -> Watch:
    return Watch("errors", "error_rate{} [5m] by(provider) > 5%", ">", severity, for_us)


def reading(provider: str, holds: bool = True, value: float = 0.2) -> Reading:
    return Reading({"provider": provider}, value, 0.05, holds, "ratio", f"{provider} fails")


@dataclass
class Life:
    """Alerts as an evaluator would keep them, and every change ever made."""

    clock: ManualClock
    for_us: Micros = FOR
    open: dict[str, Alert] = field(default_factory=dict)
    ended: list[Alert] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    ids: count = field(default_factory=count)

    def evaluate(self, *readings: Reading) -> None:
        now = self.clock.now()
        step = advance(
            watch(self.for_us), self.open.values(), readings, now, "rules", lambda: str(next(self.ids))
        )
        self.open = {a.labels["provider"]: a for a in step.alerts if a.open}
        self.ended += [a for a in step.alerts if not a.open]
        self.changes += step.changes

    def act(self, provider: str, action: str) -> bool:
        try:
            if action == "ack":
                alert, change = acknowledge(self.open[provider], self.clock.now(), "ana", "mine")
            else:
                alert, change = unacknowledge(self.open[provider], self.clock.now(), "ana")
        except MonitorError:
            return False
        self.open[provider] = alert
        self.changes.append(change)
        return True


evaluations = st.tuples(st.just("evaluate"), st.frozensets(st.sampled_from(LABELS)), st.integers(0, 4))
acts = st.tuples(st.sampled_from(["ack", "unack"]), st.sampled_from(LABELS), st.just(0))


@settings(max_examples=examples(120))
@given(st.lists(st.one_of(evaluations, acts), max_size=40), st.sampled_from([0, MINUTE, FOR]))
def test_no_path_loses_a_firing_alert_and_no_acknowledgement_outlives_its_alert(steps, for_us):
    life = Life(ManualClock(1_000 * MINUTE), for_us)
    since: dict[str, Micros] = {}
    fires: set[str] = set()
    taken: set[str] = set()
    for what, who, minutes in steps:
        if what == "evaluate":
            life.clock.advance(minutes * MINUTE)
            now = life.clock.now()
            life.evaluate(*(reading(name, name in who) for name in LABELS if name in who or minutes % 2))
            since = {name: since.get(name, now) for name in who}
            fires = {name for name, start in since.items() if name in fires or now - start >= for_us}
            taken &= fires
        elif what == "ack":
            assert life.act(who, what) == (who in fires) if who in since else who not in life.open
            taken |= {who} & fires
        elif who in since:
            assert life.act(who, what) == (who in taken)
            taken -= {who}
        expected = {
            name: AlertState.ACKNOWLEDGED
            if name in taken
            else AlertState.FIRING
            if name in fires
            else AlertState.PENDING
            for name in since
        }
        assert {name: alert.state for name, alert in life.open.items()} == expected
        assert all(alert.since == since[name] for name, alert in life.open.items())
        assert all((alert.acked_by == "ana") == (name in taken) for name, alert in life.open.items())
    assert all(a.acked_by is None and a.acked_at is None and a.note == "" for a in life.ended)
    everything = [*life.ended, *life.open.values()]
    assert len({alert.id for alert in everything}) == len(everything)
    for alert in everything:
        history = [change for change in life.changes if change.alert_id == alert.id]
        assert history[-1].state is alert.state
        states = [change.state for change in history]
        # A takeover repeats `acknowledged`; nothing else is written twice in a row.
        assert all(a is not b or a is AlertState.ACKNOWLEDGED for a, b in pairwise(states))


def test_it_fires_once_the_condition_has_held_for_as_long_as_asked(clock):
    life = Life(clock)
    life.evaluate(reading("openai"))
    began = clock.now()
    clock.advance(FOR - SECOND)
    life.evaluate(reading("openai"))
    assert life.open["openai"].state is AlertState.PENDING
    clock.advance(SECOND)
    life.evaluate(reading("openai", value=0.4))
    alert = life.open["openai"]
    assert (alert.state, alert.since, alert.fired, alert.value) == (
        AlertState.FIRING,
        began,
        clock.now(),
        0.4,
    )
    assert [change.state for change in life.changes] == [AlertState.PENDING, AlertState.FIRING]


def test_without_a_time_to_wait_it_fires_at_once(clock):
    life = Life(clock, for_us=0)
    life.evaluate(reading("openai"))
    assert life.open["openai"].state is AlertState.FIRING
    assert [change.state for change in life.changes] == [AlertState.FIRING]


@pytest.mark.parametrize("last", [reading("openai", holds=False, value=0.01), None])
def test_it_resolves_when_the_condition_goes_or_its_data_does(clock, last):
    life = Life(clock, for_us=0)
    life.evaluate(reading("openai"))
    assert life.act("openai", "ack")
    clock.advance(MINUTE)
    life.evaluate(*([last] if last else []))
    assert not life.open
    ended = life.ended[0]
    assert (ended.state, ended.resolved, ended.value) == (AlertState.RESOLVED, clock.now(), 0.2)
    assert life.changes[-1].value == (last.value if last else None)


def test_coming_up_again_it_is_a_new_alert_with_the_same_fingerprint(clock):
    life = Life(clock, for_us=0)
    for readings in ([reading("openai")], [], [reading("openai")]):
        life.evaluate(*readings)
    again, before = life.open["openai"], life.ended[0]
    assert again.fingerprint == before.fingerprint
    assert again.id != before.id


def test_severity_and_sentence_follow_the_rule_while_the_alert_stays(clock):
    life = Life(clock, for_us=0)
    life.evaluate(reading("openai"))
    old = life.open["openai"]
    harder = watch(0, Severity.CRITICAL)
    step = advance(harder, [old], [reading("openai")], clock.now(), "rules", lambda: "new")
    assert (step.alerts[0].id, step.alerts[0].severity, step.changes) == (old.id, Severity.CRITICAL, ())


def test_only_a_firing_alert_can_be_acknowledged(clock):
    life = Life(clock)
    life.evaluate(reading("openai"))
    with pytest.raises(MonitorError, match="not firing yet"):
        acknowledge(life.open["openai"], clock.now(), "ana")
    life.evaluate()
    with pytest.raises(MonitorError, match="resolved already"):
        acknowledge(life.ended[0], clock.now(), "ana")
    with pytest.raises(MonitorError, match="not acknowledged"):
        unacknowledge(life.ended[0], clock.now(), "ana")


def test_names_and_notes_of_people_are_made_harmless(clock):
    life = Life(clock, for_us=0)
    life.evaluate(reading("openai"))
    alert, change = acknowledge(life.open["openai"], clock.now(), "a\x1b[31mna", "or\u202edered\x00 more")
    assert (alert.acked_by, alert.note) == ("a[31mna", "ordered more")
    assert (change.who, change.note) == ("a[31mna", "ordered more")


def test_fingerprints_tell_rule_and_labels_apart_wherever_they_are_cut():
    prints = {
        fingerprint("a", {"b": "cd"}),
        fingerprint("a", {"bc": "d"}),
        fingerprint("ab", {"": "cd"}),
        fingerprint("a", {"b": "c", "d": ""}),
        fingerprint("a", {}),
    }
    assert len(prints) == 5
    assert fingerprint("a", {"x": "1", "y": "2"}) == fingerprint("a", {"y": "2", "x": "1"})


def test_the_list_begins_with_the_worst_and_within_one_severity_with_the_oldest(clock):
    def one(
        name: str, severity: Severity, state: AlertState, since: int, resolved: int | None = None
    ) -> Alert:
        return Alert(
            name, name, name, severity, state, {}, "", "", None, None, ">", "", since, resolved=resolved
        )  # fmt: skip

    info, critical = Severity.INFO, Severity.CRITICAL
    alerts = [
        one("ended early", critical, AlertState.RESOLVED, 1, resolved=5),
        one("info", info, AlertState.FIRING, 0),
        one("waiting", critical, AlertState.PENDING, 1),
        one("young", critical, AlertState.FIRING, 9),
        one("old, taken", critical, AlertState.ACKNOWLEDGED, 2),
        one("ended late", info, AlertState.RESOLVED, 1, resolved=9),
    ]
    names = [alert.rule for alert in in_order(alerts)]
    assert names == ["old, taken", "young", "waiting", "info", "ended late", "ended early"]
