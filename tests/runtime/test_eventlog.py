"""The event log: whoever reads it, however slowly and with whatever breaks, loses nothing unsaid."""

import asyncio
from typing import Any
from unittest import mock

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.model.bus import EventBus
from tui_monitor.model.clock import ManualClock
from tui_monitor.runtime import eventlog
from tui_monitor.runtime.eventlog import NAMES, USUAL, Entry, EventLog, Gone

SMALL = {"WINDOW": 0.0, "_ENTRIES": 5, "_SINGLE": 4, "_CROWD": 3, "_ROOM": 700}


async def turn() -> None:
    """Let the log write down what was published."""
    for _ in range(4):
        await asyncio.sleep(0)


class Reader:
    """Somebody who follows, and may lose the line behind any message."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.start = self.read = log.newest
        self.calls = 0
        self.states: dict[str, str] = {}
        self.gone: set[int] = set()

    def take(self, heard: int | None = None) -> None:
        """What comes next; of its messages only so many arrive."""
        taken = self._log.take(self._log.place(self.read), USUAL)
        messages = [orjson.loads(body) for body in taken.bodies]
        assert taken.merged is any(message.get("event") == "merged" for message in messages)
        for message in messages[:heard]:
            self._hear(message)

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "gone":
            assert message["from"] <= message["to"]
            self.gone |= set(range(message["from"], message["to"] + 1))
            return
        assert message["id"] > self.read, "told twice"
        for one in message["data"]["events"] if message["event"] == "merged" else [message]:
            if one["event"] == "request_completed":
                self.calls += one["data"]["calls"]
            elif one["event"] == "alert_update":
                self.states[one["data"]["id"]] = one["data"]["state"]
        self.read = message["id"]


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.sampled_from("abcde")),
        st.tuples(st.just("alert"), st.sampled_from("xyz")),
    ),
    max_size=9,
)
STEPS = st.lists(
    st.one_of(EVENTS, st.none() | st.integers(0, 6).map(lambda heard: ("take", heard))), max_size=25
)


@settings(max_examples=examples(150))
@given(STEPS)
def test_nothing_is_lost_unsaid_and_nothing_is_told_twice(steps: list[Any]) -> None:
    async def run() -> None:
        bus, clock = EventBus(), ManualClock(1_000_000)
        log = EventLog(bus, clock)
        log.start()
        log.note_use()
        reader, truth, seen, number = Reader(log), {}, log.newest, 0
        for step in steps:
            if step is None or isinstance(step, tuple):
                reader.take(None if step is None else step[1])
                continue
            for kind, name in step:
                number += 1
                if kind == "call":
                    bus.publish("request_completed", number, provider=name, calls=1)
                else:
                    bus.publish("alert_update", number, id=name, state=str(number))
            await turn()
            # Somebody who keeps up sees every entry.
            found, _ = log.read(seen, NAMES, 1_000)
            truth |= {entry.id: entry.item for entry in found if isinstance(entry, Entry)}
            seen = log.newest
        for _ in range(200):
            reader.take()
        log.close()
        missed = {id_: item for id_, item in truth.items() if id_ not in reader.gone}
        calls = sum(item.data["calls"] for item in missed.values() if item.event == "request_completed")
        assert reader.calls == calls
        states = {item.data["id"]: item.data["state"] for item in truth.values() if "id" in item.data}
        assert reader.states == states

    with mock.patch.multiple(eventlog, **SMALL):
        asyncio.run(run())


@pytest.fixture
async def log() -> Any:
    log = EventLog(EventBus(), ManualClock(1_000_000))
    log.start()
    yield log
    log.close()


def bus_of(log: EventLog) -> EventBus:
    return log._listener._bus


async def test_with_nobody_there_only_states_are_noted(log: EventLog) -> None:
    bus, start = bus_of(log), log.newest
    assert not bus.wanted("request_completed")
    bus.publish("request_completed", 1, calls=1)
    bus.publish("alert_update", 1, id="x", state="firing")
    await turn()
    log.note_use()
    assert bus.wanted("request_completed")
    assert not bus.wanted("metric_recorded")
    found, _ = log.read(start, USUAL, 10)
    # That calls were not noted until now is said to whoever asks for them, and to nobody else.
    assert [type(one) for one in found] == [Entry, Gone]
    assert [type(one) for one in log.read(start, frozenset({"alert_update"}), 10)[0]] == [Entry]


async def test_what_happened_lately_is_told_in_the_order_of_its_time(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventlog, "WINDOW", -1.0)
    for at, name in ((30, "a"), (37, "b"), (30, "c"), (20, "d")):
        bus_of(log).publish("alert_update", at, id=name, state="firing")
    await turn()
    found, more = log.last(frozenset({"alert_update"}), 3)
    assert [entry.item.data["id"] for entry in found] == ["b", "c", "a"]
    assert more


async def test_when_the_last_reader_has_been_gone_for_long_it_rests_again(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> None: ...

    monkeypatch.setattr(eventlog, "_IDLE_SECONDS", -1.0)
    log.follow(told)
    log.settle()
    assert log.followed
    log.unfollow(told)
    log.settle()
    assert not log.followed
    assert not bus_of(log).wanted("request_completed")


async def test_what_changes_often_is_told_once_a_second(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventlog, "WINDOW", 0.0)
    log.note_use()
    start = log.newest
    for _ in range(5):
        bus_of(log).publish("data_changed", 1, records=2)
        await turn()
    found = [one.item for one in log.read(start, NAMES, 10)[0] if isinstance(one, Entry)]
    assert [item.data["records"] for item in found] == [2]
    monkeypatch.setitem(eventlog._PACED, "data_changed", 0.0)
    bus_of(log).publish("data_changed", 1, records=2)
    await turn()
    found = [one.item for one in log.read(start, NAMES, 10)[0] if isinstance(one, Entry)]
    assert [(item.data["records"], item.merged) for item in found] == [(2, 1), (10, 5)]


async def test_ids_of_another_collector_are_not_taken_for_ours(log: EventLog) -> None:
    log.note_use()
    for after, run in ((7, ""), (log.newest + 5, ""), (log.newest, "another")):
        first = log.read(log.place(after, run), NAMES, 10)[0][0]
        assert isinstance(first, Gone), (after, run)
    assert log.place(log.newest, log.run) == log.newest


def ids_of(found: list[Gone | Entry]) -> tuple[list[str], list[tuple[int, int]]]:
    """The models that were told of, and what is said to be missing."""
    told = [one.item.data["model"] for one in found if isinstance(one, Entry)]
    return told, [(one.first, one.last) for one in found if isinstance(one, Gone)]


async def test_an_event_that_cannot_be_written_down_is_told_as_gone(log: EventLog) -> None:
    log.note_use()
    start = log.newest
    for model in ("first", object(), "\ud800", "last"):
        bus_of(log).publish("request_completed", 1, model=model, calls=1)
    log._flush()
    wanted = frozenset({"request_completed"})
    found, through = log.read(start, wanted, 10)
    assert ids_of(found) == (["first", "last"], [(start + 2, start + 2), (start + 3, start + 3)])
    assert through == log.newest == start + 4
    # Others have lost nothing.
    assert log.read(start, frozenset({"alert_update"}), 10)[0] == []


async def test_what_cannot_be_merged_is_told_as_gone_and_then_it_goes_on(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.note_use()
    start, bus = log.newest, bus_of(log)
    bus.publish("data_changed", 1, records=1)
    for number in range(20):
        # Of the same subject, and counted in what cannot be added up.
        bus.publish("request_completed", 1, model="m", calls=1 if number else None)
    log._flush()
    found, _ = log.read(start, NAMES, 10)
    assert ids_of(found) == ([], [(start + 1, start + 1)])
    assert [type(one) for one in log.read(start, frozenset({"data_changed"}), 10)[0]] == [Gone]
    assert log.read(start, frozenset({"alert_update"}), 10)[0] == []
    bus.publish("request_completed", 1, model="next", calls=1)
    log._flush()
    assert ids_of(log.read(start + 1, NAMES, 10)[0])[0] == ["next"]


async def test_a_reader_that_breaks_holds_up_nobody(log: EventLog) -> None:
    told: list[str] = []

    def broken() -> None:
        told.append("broken")
        raise ValueError

    readers = [broken, lambda: told.append("whole"), lambda: told.append("other")]
    for reader in readers:
        log.follow(reader)
    bus_of(log).publish("request_completed", 1, model="m", calls=1)
    log._flush()
    assert sorted(told) == ["broken", "other", "whole"]
