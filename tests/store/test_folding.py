"""Packed hours and days asked by the labels of minutes: one row for each, whoever the users were."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_helpers import EVER, a_call, contents, expected, read

from tests.examples import examples
from tui_monitor.model.call import FINE_DIMENSIONS, Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import Layer, WriteBatch
from tui_monitor.store.sealing import Limits

PACK = Limits(age=0, cells=1)
START = 1_773_835_200_000_000
SPANS = [EVER, Span(START, START + 5 * HOUR), Span(START + 30 * MINUTE, START + 2 * DAY)]
WHERES = [{}, {"provider": "openai"}, {"provider": "google", "status": "error"}, {"model": ""}]

calls = st.lists(
    st.builds(
        dict,
        at=st.integers(0, 3 * DAY),
        user=st.sampled_from(["ana", "ben", None]),
        team=st.sampled_from(["a", "b"]),
        provider=st.sampled_from(["openai", "google", None]),
        model_served=st.sampled_from(["m", None]),
        status=st.sampled_from(["success", "error"]),
        latency_ms=st.sampled_from([None, 0.0, 1.0, 5.5, 5.6, 1e9]),
        cost=st.sampled_from([None, 1, 10**12]),
    ),
    min_size=1,
    max_size=60,
)


def made(drawn: list[dict]) -> list[Call]:
    return [a_call(f"c{key}", START + of.pop("at"), **of) for key, of in enumerate(drawn)]


def by_minutes_labels(stored: list[Call], layer: Layer) -> dict:
    """What the layer must say by those labels alone."""
    nobody = [replace(call, user=None, team=None) for call in stored]
    width = len(FINE_DIMENSIONS)
    return {(end, of[:width]): values for (end, of), values in expected(nobody, layer).items()}


@pytest.mark.parametrize("layer", [Layer.HOUR, Layer.DAY])
@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=calls)
def test_cells_of_several_users_are_put_together(tmp_path_factory, clock, layer, drawn) -> None:
    from tui_monitor.store.database import Store

    stored = made(drawn)
    store = Store.open(tmp_path_factory.mktemp("fold") / "monitor.db", write=True, clock=clock)
    store.write(WriteBatch(calls=stored))
    store.seal(START + 70 * DAY, PACK)
    every = by_minutes_labels(stored, layer)
    for span in SPANS:
        for where in WHERES:
            facts = read(store, layer, span, labels=FINE_DIMENSIONS, where=where)
            whole = set(read(store, layer, span).end.tolist())
            assert contents(facts) == {
                (end, of): values
                for (end, of), values in every.items()
                if end in whole and all(of[FINE_DIMENSIONS.index(n)] == (v or None) for n, v in where.items())
            }
    # Who asks for users as well still sees them.
    assert contents(read(store, layer)) == expected(stored, layer)
    store.close()
