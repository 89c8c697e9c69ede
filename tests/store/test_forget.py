"""A person is forgotten in every layer, and no sum changes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from store_helpers import a_call, contents, read, write

from tui_monitor.model.alert import Alert, Change
from tui_monitor.model.clock import DAY, HOUR, ManualClock
from tui_monitor.model.feed import Event, Sample
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.model.timerange import Span
from tui_monitor.store import relabel
from tui_monitor.store.alerts import AlertStore
from tui_monitor.store.api import MEASURES, Layer, WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.jsontext import to_json
from tui_monitor.store.sealing import Limits
from tui_monitor.store.writing import WriteSide

ANA = "ana@example.org"


def fill(store: Store, clock: ManualClock) -> None:
    for n in range(300):
        user = ANA if n % 3 == 0 else "bob" if n % 3 == 1 else None
        write(store, a_call(str(n), clock.now() - n * HOUR // 4, user=user, latency_ms=10.0 + n, cost=n))
    # Two sources' word on one call, and what may be said of her besides.
    keys = ("shared",)
    write(store, a_call("x", clock.now(), user=ANA, call_keys=keys, attrs={"mail": ANA, "kept": "k"}))
    write(store, a_call("y", clock.now(), source="litellm", user=ANA, call_keys=keys))
    store.write(
        WriteBatch(
            samples=[
                Sample("queue", clock.now(), 3.0, {"user": ANA, "lane": "a"}),
                Sample("queue", clock.now() - 1, 2.0, {"lane": "a"}),
            ],
            events=[Event("mark", clock.now(), "events", "m", "deploy", labels={"by": ANA, "to": "prod"})],
        )
    )


def summed(store: Store, layer: Layer) -> dict[str, tuple[int, int]]:
    facts = read(store, layer)
    return {
        name: (int(facts.numbers[name].total.sum()), int(facts.numbers[name].known.sum()))
        for name in MEASURES
    }


async def test_nothing_knows_the_name_and_every_sum_stays(
    store: Store, path: Path, clock: ManualClock
) -> None:
    fill(store, clock)
    alerts = await AlertStore.open(path, write=True, guard=store.guard)
    alert = Alert(
        id="a1", fingerprint="f", rule="spend", severity=Severity.WARNING, state=AlertState.FIRING,
        labels={"user": ANA}, summary=f"{ANA} spends $3", expr="cost{} sum by(user) > 1", value=3.0,
        threshold=1.0, op=">", unit="usd", since=clock.now(),
    )  # fmt: skip
    await alerts.save([alert], [Change("a1", clock.now(), AlertState.FIRING, "rules", f"told {ANA}")])
    before = {layer: summed(store, layer) for layer in Layer}

    done = store.forget("user", ANA, "root")

    assert (done.calls, done.attributes, done.events, done.series) == (101, 1, 1, 1)
    assert done.cells > 0
    assert {layer: summed(store, layer) for layer in Layer} == before
    assert store.rebuild_rollups(mend=False).wrong == 0
    assert store.label_values("user") == ["bob"]
    (left,) = await alerts.load()
    assert left.labels == {"user": "(forgotten)"}
    assert left.summary == "(forgotten) spends $3"
    assert (await alerts.history("a1"))[0].note == "told (forgotten)"
    await alerts.close()
    (series,) = store.series("queue")
    assert series.labels == {"lane": "a"}
    store.close()
    for file in path.parent.iterdir():
        assert ANA.encode() not in file.read_bytes(), file.name


def test_sums_whose_calls_are_gone_forget_too(store: Store, clock: ManualClock) -> None:
    from tui_monitor.config.settings import Retention

    fill(store, clock)
    clock.advance(30 * DAY)
    store.retain(Retention.model_validate({"raw": "7d", "minute": "7d"}), clock.now())
    before = summed(store, Layer.DAY)
    done = store.forget("user", ANA, "root")
    assert done.calls == 0
    assert done.cells > 0
    assert summed(store, Layer.DAY) == before
    assert not any(ANA in (text or "") for _, labels in contents(read(store, Layer.DAY)) for text in labels)


def test_a_name_is_a_whole_word(store: Store, clock: ManualClock) -> None:
    write(store, a_call("1", clock.now(), user="an", attrs={"text": "an apple"}))
    write(store, a_call("2", clock.now(), user="ana", attrs={"who": "an"}))
    done = store.forget("user", "an", "root")
    assert (done.calls, done.attributes) == (1, 1)
    assert store.label_values("user") == ["ana"]
    assert store.label_values("text") == ["an apple"]


@pytest.mark.parametrize("name", [ANA, 'Zoë "Z" O\'Neil', "ex\\ana"])
async def test_lists_sentences_and_names_with_quotes(
    store: Store, path: Path, clock: ManualClock, name: str
) -> None:
    listed = to_json([name, {"by": [name]}])
    write(store, a_call("1", clock.now(), user="bob", attrs={"tags": listed, "kept": '["x"]'}))
    keys = ("shared",)
    write(store, a_call("x", clock.now(), attrs={"mail": name, "tags": listed}, call_keys=keys))
    write(store, a_call("y", clock.now(), source="litellm", user=name, call_keys=keys))
    marks = [
        Event("mark", clock.now(), "events", "1", f"deployed by {name}", labels={"by": name}),
        Event("mark", clock.now(), "events", "2", "deployed"),
    ]
    store.write(WriteBatch(events=marks))
    alerts = await AlertStore.open(path, write=True, guard=store.guard)
    alert = Alert(
        id="a1", fingerprint="f", rule="spend", severity=Severity.WARNING, state=AlertState.FIRING,
        labels={"user": name}, summary=f"{name} spends $3", expr="cost{} sum by(user) > 1", value=3.0,
        threshold=1.0, op=">", unit="usd", since=clock.now(),
    )  # fmt: skip
    await alerts.save([alert], [])
    done = store.forget("user", name, "root")
    await alerts.close()
    assert (done.events, done.alerts) == (1, 1)
    assert store.label_values("kept") == ['["x"]']
    texts = {event.name for event in store.events("mark", Span(0, clock.now()))}
    assert texts == {"deployed by (forgotten)", "deployed"}
    store.close()
    in_json = json.dumps(name, ensure_ascii=False)[1:-1]
    spelled = {name, in_json, json.dumps(in_json, ensure_ascii=False)[1:-1]}
    for file in path.parent.iterdir():
        for form in spelled:
            assert form.encode() not in file.read_bytes(), (file.name, form)


def test_it_is_noted_who_did_it_and_not_who_was_meant(store: Store, clock: ManualClock) -> None:
    fill(store, clock)
    store.forget("user", ANA, "root")
    (entry,) = store.audit()
    assert (entry.at, entry.who, entry.what) == (clock.now(), "root", "forget")
    assert entry.detail["calls"] == 101
    assert ANA not in repr(entry)


def test_somebody_unknown_changes_nothing(store: Store, clock: ManualClock) -> None:
    fill(store, clock)
    assert store.forget("user", "nobody", "root").total == 0


PACK = Limits(rows=25, head=0, age=0, identities=0, cells=1)


class Killed(BaseException):
    """The process ends here."""


def test_killed_after_any_step_it_is_finished_by_doing_it_again(
    store: Store, path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui_monitor.config.settings import Retention

    fill(store, clock)
    clock.advance(2 * DAY)
    store.retain(Retention.model_validate({"raw": "4d"}), clock.now())
    store.seal(clock.now(), PACK)
    before = {layer: summed(store, layer) for layer in Layer}
    real, left = WriteSide.transaction, [0]

    @contextmanager
    def until(side: WriteSide) -> Iterator[int]:
        if not left[0]:
            raise Killed
        left[0] -= 1
        with real(side) as now:
            yield now

    steps, ended = 0, False
    while not ended:
        steps += 1
        left[0] = steps
        with monkeypatch.context() as patch:
            patch.setattr(WriteSide, "transaction", until)
            try:
                store.forget("user", ANA, "root")
                ended = True
            except Killed:
                assert store.audit() == []
        # Only the least and greatest of a cell that is halfway moved may be those of all of it.
        assert {layer: summed(store, layer) for layer in Layer} == before
    assert steps > 8
    assert store.rebuild_rollups(mend=False).wrong == 0
    assert len(store.audit()) == 1
    assert store.label_values("user") == ["bob"]
    store.seal(clock.now(), PACK)
    store.close()
    for file in path.parent.iterdir():
        assert ANA.encode() not in file.read_bytes(), file.name


def test_what_is_said_meanwhile_is_forgotten_too(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, clock)
    clock.advance(DAY)
    store.seal(clock.now(), PACK)
    real, said = relabel._cleared, [0]

    def interrupted(*args: object) -> object:
        said[0] += 1
        if said[0] < 4:
            write(store, a_call(f"late{said[0]}", clock.now() - DAY, user=ANA, agent=f"a{said[0]}"))
            write(store, a_call("0", clock.now() - DAY, user=ANA, out_total=said[0] * 100))
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(relabel, "_cleared", interrupted)
    store.forget("user", ANA, "root")
    assert said[0] > 4
    assert store.label_values("user") == ["bob"]
    assert store.rebuild_rollups(mend=False).wrong == 0
    raw = summed(store, Layer.RAW)
    assert {layer: summed(store, layer) for layer in Layer} == dict.fromkeys(Layer, raw)
