"""One call by what it is called, in the row table and sealed; and what is said where it is gone."""

import pytest
from store_helpers import a_call, write

from tests.store.conftest import Opener
from tui_monitor.config.settings import Retention
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, ManualClock
from tui_monitor.model.errors import NotFound
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.sealing import Limits

AT = 1_780_000_000_000_000


def found(store: Store, text: str) -> str:
    return store.one_call(text).call.source_key


@pytest.mark.parametrize("sealed", [False, True])
def test_every_name_of_a_call_leads_to_it(store: Store, clock: ManualClock, sealed: bool) -> None:
    odd = "a:b/ü"
    write(store, *(a_call(str(n), AT + n, call_keys=(f"resp-{n}",)) for n in range(50)), remember=True)
    write(store, Call("otlp:x", odd, ts_end=AT))
    if sealed:
        clock.advance(30 * DAY)
        store.seal(clock.now(), Limits(rows=16, head=0, age=0, identities=0))
    call = store.one_call("resp-7").call
    assert call.source_key == "7"
    for name in (call.id, f"{call.source}:7", "7", "resp-7"):
        assert store.one_call(name).call == call
    assert found(store, f"otlp:x:{odd}") == odd
    assert found(store, odd) == odd
    for nothing in ("51", "", ":", "f" * 16, "\x00", "no:such"):
        with pytest.raises(NotFound, match="there is no call"):
            store.one_call(nothing)


def test_what_each_source_said(store: Store) -> None:
    write(store, Call("otlp", "1", ts_end=AT, call_keys=("r",), out_total=5, provider="openai"))
    write(store, Call("gateway", "2", ts_end=AT, call_keys=("r",), out_total=7, user="ana"))
    one = store.one_call("otlp:1")
    assert one == store.one_call("gateway:2")
    assert [(call.source, call.out_total) for call in one.told_by] == [("otlp", 5), ("gateway", 7)]
    assert (one.call.out_total, one.call.provider, one.call.user) == (7, "openai", "ana")


def test_a_sample_stands_for_many(store: Store) -> None:
    calls = [a_call(str(n), AT + n, status="success") for n in range(4)]
    store.write(WriteBatch(calls=calls, rates=[4, -4, -4, -4]))
    assert store.one_call("0").stands_for == 4
    with pytest.raises(NotFound, match="only in the sums"):
        store.one_call("1")


def test_a_call_that_is_no_longer_kept(opener: Opener, clock: ManualClock) -> None:
    store = opener()
    write(store, a_call("old", clock.now()), remember=True)
    call = store.one_call("old").call
    clock.advance(100 * DAY)
    store.retain(Retention(), clock.now())
    with pytest.raises(NotFound, match="only in the sums"):
        store.one_call(call.id)
