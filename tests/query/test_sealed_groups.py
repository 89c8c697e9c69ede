"""Groups by anything a call carries, over sealed calls and new ones alike."""

from collections import Counter

import pytest

from tui_monitor.config.settings import Retention
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, MINUTE, ManualClock
from tui_monitor.query.local import LocalEngine
from tui_monitor.store import segments
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.sealing import Limits

PACK = Limits(rows=10, head=0, age=0, identities=0, cells=1)


def made(clock: ManualClock) -> list[Call]:
    """Forty calls of the last 40 minutes; what some know only the later ones do."""
    calls: list[Call] = []
    for n in range(40):
        later = n >= 20
        calls.append(
            Call(
                "events:app", f"c{n}", ts_end=clock.now() - (39 - n) * MINUTE, provider="openai",
                model_served="m", status="success", out_total=n, cost=n * 10**9,
                finish_reason=["stop", "length", None][n % 3], session=f"s{n % 4}" if later else None,
                trace_id=f"t{n % 5}" if later else None, http_status=200 if n % 2 else None,
                stream=[True, False, None][n % 3], region="eu" if n < 3 else None,
                attrs={"document_id": f"d{n % 3}"} | ({"pages": n % 2, "ok": n % 4 == 0} if later else {}),
            )
        )  # fmt: skip
    return calls


@pytest.fixture
def half_sealed(store: Store, clock: ManualClock) -> list[Call]:
    """Three segments of ten and ten single rows."""
    calls = made(clock)
    for at in range(0, 30, 10):
        store.write(WriteBatch(calls[at : at + 10]))
        store.seal(clock.now(), PACK)
    store.write(WriteBatch(calls[30:]))
    with store._read() as conn:
        assert len(list(segments.every(conn))) == 3
        assert conn.execute("SELECT count(*) FROM calls").fetchone() == (10,)
    return calls


def grouped(engine: LocalEngine, query: str, label: str, clock: ManualClock) -> dict[str, float | None]:
    result = engine.instant(query, clock.now())
    assert result.warnings == ()
    assert result.layers == ("raw",)
    return {series.label(label): series.value for series in result.series}


def value_of(call: Call, label: str) -> str:
    found = call.attrs[label] if label in call.attrs else getattr(call, label, None)
    return "" if found is None else str(found).lower() if isinstance(found, bool) else str(found)


@pytest.mark.parametrize(
    "label",
    ["document_id", "pages", "ok", "finish_reason", "session", "region", "trace_id", "http_status", "stream",
     "source_key"],
)  # fmt: skip
def test_sealed_and_new_calls_are_grouped_alike(
    engine: LocalEngine, clock: ManualClock, half_sealed: list[Call], label: str
) -> None:
    wanted: Counter[str] = Counter(value_of(call, label) for call in half_sealed)
    assert grouped(engine, f"requests{{}} [1h] sum by({label})", label, clock) == wanted
    tokens: Counter[str] = Counter()
    for call in half_sealed:
        tokens[value_of(call, label)] += call.out_total or 0
    found = grouped(engine, f"llm_tokens_output_total{{}} [1h] sum by({label})", label, clock)
    assert found == tokens


def test_a_filter_finds_them_in_both(
    engine: LocalEngine, clock: ManualClock, half_sealed: list[Call]
) -> None:
    query = 'requests{pages="1"} [1h] sum by(document_id)'
    wanted = Counter(str(call.attrs["document_id"]) for call in half_sealed if call.attrs.get("pages") == 1)
    assert grouped(engine, query, "document_id", clock) == wanted


def test_what_raw_calls_no_longer_tell_is_said(
    store: Store, engine: LocalEngine, clock: ManualClock, half_sealed: list[Call]
) -> None:
    start = clock.now()
    clock.advance(2 * DAY)
    store.write(WriteBatch([Call("events:app", "new", ts_end=clock.now(), attrs={"document_id": "d9"})]))
    query = "requests{} [3d] sum by(document_id)"
    assert engine.instant(query, clock.now()).by("document_id") == {"d0": 14, "d1": 13, "d2": 13, "d9": 1}
    store.retain(Retention.model_validate({"raw": "1d"}), clock.now())
    left = engine.instant(query, clock.now())
    assert left.by("document_id") == {"d9": 1}
    assert len(left.warnings) == 1
    assert "kept" in left.warnings[0]
    # What roll-ups know is whole, and a span without a hole is not warned of.
    whole = engine.instant("requests{} [3d]", clock.now())
    assert (whole.scalar, whole.warnings) == (41, ())
    assert engine.instant("requests{} [1d] sum by(document_id)", clock.now()).warnings == ()
    assert clock.now() - start == 2 * DAY
