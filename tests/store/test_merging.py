"""One call that several sources know."""

import pytest
from store_helpers import EVER, a_call, check_layers, read, total, write

from tests.store.conftest import Opener
from tui_monitor.model.call import Call
from tui_monitor.model.clock import SECOND, ManualClock
from tui_monitor.model.feed import Retract
from tui_monitor.store.api import Layer, Outcome, WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.merge import Part, groups, merge, rank


def bare(source: str, **fields: object) -> Call:
    """A call of which nothing else is known."""
    return Call(source=source, source_key="x", ts_end=100, **fields)  # type: ignore[arg-type]


def merged(*calls: Call) -> Call:
    """The parts in order of arrival as one call."""
    return merge([Part(i, call, False) for i, call in enumerate(calls)])


def test_a_gateway_is_believed_before_a_client_before_a_transcript() -> None:
    sources = ["litellm:prod", "events:app", "claude-code", "import"]
    assert [rank(s) for s in sources] == sorted((rank(s) for s in sources), reverse=True)
    assert len({rank(s) for s in sources}) == 4
    known = merged(
        bare("import", user="i", team="t"), bare("litellm:prod", user="g"), bare("events:app", user="e")
    )
    assert (known.source, known.user, known.team) == ("litellm:prod", "g", "t")


def test_of_equal_sources_the_one_with_more_tokens_is_believed_then_the_earlier() -> None:
    partial, whole = bare("codex", out_total=3, user="first"), bare("codex", out_total=210, user="last")
    assert (merged(partial, whole).out_total, merged(partial, whole).user) == (210, "last")
    assert merged(bare("codex", user="a"), bare("codex", user="b")).user == "a"
    assert merged(bare("codex", user="a"), bare("codex", user="b", attrs={"speed": "fast"})).user == "b"


def test_input_tokens_of_two_sources_are_never_added() -> None:
    whole = bare("litellm", in_uncached=1000)
    split = bare("codex", in_uncached=200, cache_read=800, out_total=5, reasoning=2)
    known = merged(split, whole)
    assert (known.total_in, known.cache_read, known.out_total, known.reasoning) == (1000, None, 5, 2)
    assert merged(bare("litellm", out_total=3), split).total_in == 1000
    assert merged(bare("litellm", out_total=3), split).reasoning is None


def test_a_reported_cost_is_kept_whoever_reports_it() -> None:
    computed = bare("litellm", cost=5, cost_computed=5, cost_status="computed")
    reported = bare("events:a", cost=7, cost_reported=7, cost_status="reported")
    known = merged(computed, reported)
    assert (known.cost, known.cost_status, known.cost_reported) == (7, "reported", 7)
    assert merged(bare("litellm"), computed).cost == 5


def test_an_error_is_not_mixed_with_a_success() -> None:
    failed = bare("events:a", status="error", error_category="server", http_status=500)
    assert merged(bare("litellm", status="success"), failed).error_category is None
    assert merged(bare("litellm"), failed).error_category == "server"
    assert merged(bare("litellm", status="error"), failed).http_status == 500


def test_a_call_does_not_end_before_it_starts() -> None:
    late = Call("events:a", "x", ts_start=200)
    assert (merged(bare("litellm"), late).ts_start, merged(bare("litellm"), late).ts_end) == (100, 100)


def test_keys_bind_in_chains() -> None:
    parts = [
        Part(i, bare("codex", call_keys=keys), False)
        for i, keys in enumerate((("a",), ("b",), ("c",), ("a", "b")))
    ]
    assert [[p.seq for p in group] for group in groups(parts)] == [[0, 1, 3], [2]]


def test_taking_one_view_back_leaves_the_other(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    app = a_call("a", now, call_keys=("msg_1",), user="u", out_total=10)
    gateway = a_call("g", now + SECOND, source="litellm", call_keys=("msg_1",), out_total=12, user=None)
    assert write(store, app).calls == [Outcome.STORED]
    assert write(store, gateway).calls == [Outcome.MERGED]
    assert write(store, app, gateway).calls == [Outcome.DUPLICATE] * 2
    raw = read(store, Layer.RAW)
    assert (len(raw), total(raw, "output")) == (1, 12)
    assert store.facts(Layer.RAW, EVER, ("user",), ("calls",)).labels["user"].values == ["u"]
    assert store.write(WriteBatch(retracts=[Retract("litellm", "g")])).retracts == [Outcome.RETRACTED]
    check_layers(store, [app])
    assert store.write(WriteBatch(retracts=[Retract("litellm", "g")])).retracts == [Outcome.MISSING]
    store.write(WriteBatch(retracts=[Retract("events:app", "a")]))
    check_layers(store, [])


def test_within_one_batch(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    one, other = a_call("a", now), a_call("a", now, out_total=99)
    batch = WriteBatch(calls=[one, one, other, a_call("b", now)], retracts=[Retract("events:app", "b")])
    result = store.write(batch)
    assert result.calls == [Outcome.STORED, Outcome.DUPLICATE, Outcome.CORRECTED, Outcome.STORED]
    assert result.retracts == [Outcome.RETRACTED]
    check_layers(store, [other])
    assert (result.count(Outcome.STORED), result.count(Outcome.RETRACTED)) == (2, 1)


def test_what_we_make_of_a_record_does_not_make_it_another(store: Store, clock: ManualClock) -> None:
    call = a_call("a", clock.now(), attrs={"b": 1, "a": (1, 2)}, latency_ms=1.00004)
    write(store, call)
    again = a_call(
        "a",
        clock.now(),
        attrs={"a": [1, 2], "b": 1},
        cost=5,
        price_version="newer",
        batch_id="load",
        latency_ms=1.0,
    )
    assert write(store, again).calls == [Outcome.DUPLICATE]


def test_a_merged_call_can_be_priced_as_a_whole(store: Store, clock: ManualClock) -> None:
    def price(call: Call) -> None:
        call.cost = (call.total_tokens or 0) * 7
        call.cost_status = "computed"

    store.price_merged(price)
    now = clock.now()
    write(store, a_call("a", now, call_keys=("k",), out_total=None, cost=1))
    write(store, a_call("b", now, source="litellm", call_keys=("k",), in_uncached=None, out_total=20, cost=2))
    assert total(read(store, Layer.DAY), "cost") == 120 * 7


@pytest.mark.parametrize("keys", [("msg",), ()])
def test_merged_calls_are_the_same_after_opening_again(
    opener: Opener, clock: ManualClock, keys: tuple[str, ...]
) -> None:
    now = clock.now()
    app = a_call("a", now, call_keys=keys, media={"images": 2}, stream=True, batch=False, tier_estimated=True)
    gateway = a_call("g", now, source="litellm", call_keys=keys, attrs={"x": 1})
    first = opener()
    write(first, app, gateway)
    first.close()
    again = opener()
    assert write(again, app, gateway).calls == [Outcome.DUPLICATE] * 2
    again.write(WriteBatch(retracts=[Retract("litellm", "g")]))
    check_layers(again, [app])
