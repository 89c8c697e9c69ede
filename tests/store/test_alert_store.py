"""Alerts are there again, whatever ended the process."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from store_helpers import a_call, write

from tests.store.conftest import Opener
from tui_monitor.config.settings import Retention
from tui_monitor.model.alert import Alert, Change, Matcher, Silence
from tui_monitor.model.clock import DAY, HOUR, ManualClock
from tui_monitor.model.errors import StoreError
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.store import pastalerts
from tui_monitor.store.alerts import AlertStore
from tui_monitor.store.database import Store


def an_alert(key: str, since: int, **fields: object) -> Alert:
    """A firing alert."""
    alert = Alert(
        id=key, fingerprint=f"f-{key}", rule="high errors", severity=Severity.CRITICAL,
        state=AlertState.FIRING,
        labels={"provider": "openai", "x": "[/foo]"}, summary="ünusual", expr="error_rate > 0.05", value=0.07,
        threshold=0.05, op=">", unit="ratio", since=since, fired=since + 1, spark=(1.0, None, 2.0),
    )  # fmt: skip
    return replace(alert, **fields)


async def test_open_alerts_and_history_come_back(path: Path, clock: ManualClock) -> None:
    now = clock.now()
    one, other = an_alert("a", now), an_alert("b", now - 5, value=None, severity=Severity.INFO)
    fired = Change("a", now, AlertState.FIRING, "monitor", value=0.07)
    store = await AlertStore.open(path, write=True)
    await store.save([one, other], [fired])
    acked = replace(one, state=AlertState.ACKNOWLEDGED, acked_by="ada", acked_at=now + 1, note="on it")
    await store.save([acked], [Change("a", now + 1, AlertState.ACKNOWLEDGED, "ada", "on it")])
    await store.close()
    again = await AlertStore.open(path, write=False)
    assert await again.load() == [other, acked]
    assert (await again.load())[0].spark == (1.0, None, 2.0)
    assert await again.history("a") == [fired, Change("a", now + 1, AlertState.ACKNOWLEDGED, "ada", "on it")]
    assert await again.starting_with("a") == [acked]
    assert await again.starting_with("c") == []
    await again.close()


async def test_resolved_ones_by_time(path: Path, clock: ManualClock) -> None:
    now = clock.now()
    store = await AlertStore.open(path, write=True)
    ended = [
        an_alert(k, now - 9, state=AlertState.RESOLVED, resolved=now + i * HOUR) for i, k in enumerate("abc")
    ]
    await store.save([*ended, an_alert("open", now)], [])
    assert [a.id for a in await store.resolved_since(now + HOUR)] == ["c", "b"]
    assert [a.id for a in await store.load()] == ["open"]
    await store.close()


async def test_a_failed_save_changes_nothing(path: Path, clock: ManualClock) -> None:
    store = await AlertStore.open(path, write=True)
    bad = Change("a", 1 << 70, AlertState.FIRING, "x")
    with pytest.raises(StoreError):
        await store.save([an_alert("a", clock.now())], [bad])
    assert await store.load() == []
    await store.save([an_alert("a", clock.now())], [])
    assert len(await store.load()) == 1
    await store.close()


async def test_alerts_and_calls_are_written_side_by_side(
    opener: Opener, path: Path, clock: ManualClock
) -> None:
    store = await asyncio.to_thread(opener)
    alerts = await AlertStore.open(path, write=True, guard=store.guard)

    async def calls() -> None:
        for i in range(30):
            await asyncio.to_thread(write, store, *(a_call(f"{i}-{j}", clock.now() + j) for j in range(20)))

    async def saves() -> None:
        for i in range(30):
            await alerts.save(
                [an_alert(f"a{i}", clock.now() + i)], [Change(f"a{i}", i, AlertState.FIRING, "m")]
            )

    await asyncio.gather(calls(), saves(), saves())
    assert len(await alerts.load()) == 30
    assert len(await alerts.history("a7")) == 2
    assert store.extent().calls == 600
    await alerts.close()


async def test_a_cancelled_save_gives_the_lock_back(opener: Opener, path: Path, clock: ManualClock) -> None:
    store = await asyncio.to_thread(opener)
    alerts = await AlertStore.open(path, write=True, guard=store.guard)
    store.guard.acquire()
    waiting = asyncio.ensure_future(alerts.save([an_alert("a", clock.now())], []))
    await asyncio.sleep(0.02)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    store.guard.release()
    await asyncio.wait_for(alerts.save([an_alert("b", clock.now())], []), 5)
    assert [a.id for a in await alerts.load()] == ["b"]
    await asyncio.to_thread(write, store, a_call("x", clock.now()))
    await alerts.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from test_alert_store import an_alert
from tui_monitor.model.alert import Change
from tui_monitor.model.states import AlertState
from tui_monitor.store.alerts import AlertStore

async def main():
    store = await AlertStore.open(Path(sys.argv[1]), write=True)
    for i in range(10_000):
        await store.save([an_alert(str(i), i)], [Change(str(i), i, AlertState.FIRING, "m")])
        print(i, flush=True)

asyncio.run(main())
"""


async def test_a_killed_writer_loses_no_alert(path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    child = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs on this loop
        [sys.executable, "-c", WRITER, str(path)], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    for _ in range(20):
        child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    told = max([19, *(int(n) for n in child.stdout.read().split())])
    child.wait()
    store = await AlertStore.open(path, write=True)
    found = await store.load()
    assert len(found) in (told + 1, told + 2)
    assert all([len(await store.history(a.id)) == 1 for a in found])
    await store.close()


async def test_what_is_over_is_not_kept_for_ever(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    alerts = await AlertStore.open(store.path, write=True, guard=store.guard)

    async def put(key: str, age: int, **fields: object) -> None:
        over = {"state": AlertState.RESOLVED, "resolved": now - age} | fields
        alert = an_alert(key, now - 2 * age, **over)
        changes = [Change(key, now - age, state, "rules") for state in (AlertState.FIRING, alert.state)]
        await alerts.save([alert], changes, tell=[key], channels=["command"], now=now - age)

    async def kept() -> set[str]:
        asked = [await alerts.load(), await alerts.resolved_since(0)]
        ids = {alert.id for found in asked for alert in found}
        for table in ("alert_changes", "outbox"):
            assert {i for (i,) in await alerts._rows(f"SELECT alert_id FROM {table}", ())} == ids
        return ids

    await put("fires", 900 * DAY, state=AlertState.FIRING, resolved=None)
    await put("fired-long-ago", 401 * DAY)
    await put("fired", 399 * DAY)
    await put("waited-long-ago", 31 * DAY, fired=None)
    await put("waited", 29 * DAY, fired=None)
    matchers = (Matcher("provider", "openai"),)
    for key, ends in (("old", now - 31 * DAY), ("ended", now - 29 * DAY)):
        await alerts.save([], [], [Silence(key, matchers, ends - HOUR, ends, ends - HOUR, "ana")])
    assert store.retain(Retention(), now).alerts == 2
    assert await kept() == {"fires", "fired", "waited"}
    assert [silence.id for silence in await alerts.silences(0)] == ["ended"]
    for number in range(5):
        await put(f"n{number}", number + 1)
    monkeypatch.setattr(pastalerts, "MOST", 3)
    monkeypatch.setattr(pastalerts, "_STEP", 2)
    assert store.retain(Retention(), now).alerts == 4
    assert await kept() == {"fires", "n0", "n1", "n2"}
    await alerts.close()
