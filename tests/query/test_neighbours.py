"""Calls around one: the nearest first, each once, whatever the times are and however many there are."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.model.call import Call
from tui_monitor.model.clock import HOUR, MINUTE, SECOND
from tui_monitor.model.feed import Retract
from tui_monitor.model.timerange import Span
from tui_monitor.query.neighbours import MOST, REACH, around
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.where import go_on

AT = 1_780_000_000_000_000


def keys(calls: tuple[Call, ...]) -> list[str]:
    return [call.source_key for call in calls]


FAR = st.sampled_from([0, 1, SECOND, MINUTE, HOUR, 5 * HOUR, REACH, REACH + 1])


@given(st.lists(st.tuples(FAR, st.sampled_from([-1, 1]), st.sampled_from([None, "s", "t"])), max_size=25))
@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_as_by_a_plain_loop(store: Store, others: list[tuple[int, int, str | None]]) -> None:
    old = [call for call, _ in store.calls(Span(0, AT * 2))]
    store.write(WriteBatch(retracts=[Retract(call.source, call.source_key) for call in old]))
    at = [(AT + way * ago, session) for ago, way, session in others]
    calls = [Call("test", str(n), ts_end=booked, session=session) for n, (booked, session) in enumerate(at)]
    one = Call("test", "one", ts_end=AT, session="s")
    store.write(WriteBatch(calls=[*calls[: len(calls) // 2], one, *calls[len(calls) // 2 :]]))
    order = [call for call, _ in store.calls(Span(0, AT * 2))]
    here = [call.source_key for call in order].index("one")
    for found in around(order[here], store, go_on):
        alike = [call for call in order if not found.label or call.session == "s"]
        place = [call.source_key for call in alike].index("one")
        most = MOST if found.label else 2
        before = [call for call in alike[place + 1 :] if call.booked > AT - REACH]
        after = [call for call in reversed(alike[:place]) if call.booked <= AT + REACH]
        assert keys(found.before) == keys(tuple(before[:most]))
        assert keys(found.after) == keys(tuple(after[:most]))


def test_the_next_of_very_many(store: Store) -> None:
    calls = [Call("test", str(n), ts_end=AT + n * 1000, user="ana") for n in range(3_000)]
    store.write(WriteBatch(calls=calls))
    any_, user = around(calls[1_000], store, go_on)
    assert (keys(any_.before), keys(any_.after)) == (["999", "998"], ["1001", "1002"])
    assert (user.label, user.value) == ("user", "ana")
    assert keys(user.after) == [str(n) for n in range(1_001, 1_006)]
    first = around(calls[0], store, go_on)[0]
    assert (keys(first.before), keys(first.after)) == ([], ["1", "2"])


def test_nothing_around_is_nothing(store: Store) -> None:
    call = Call("test", "1", ts_end=AT, user="ana")
    store.write(WriteBatch(calls=[call]))
    assert around(call, store, go_on) == ()
