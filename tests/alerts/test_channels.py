"""Telling people: real programs, what they are given, and what becomes of those that fail."""

import asyncio
import json
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tui_monitor.alerts.channels.api import ChannelError, Notification
from tui_monitor.alerts.channels.command import Command
from tui_monitor.alerts.channels.sender import LONGEST_WAIT, Sender, wait_after
from tui_monitor.alerts.keeper import Keeper
from tui_monitor.alerts.machine import hush
from tui_monitor.config.settings import Alerts
from tui_monitor.model.alert import Alert, Change, Matcher
from tui_monitor.model.bus import EventBus
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.store import outbox
from tui_monitor.store.alerts import AlertStore


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def alert(now: int, id: str = "abc", **fields: object) -> Alert:
    known = {"state": AlertState.FIRING, "fired": now, **fields}
    return Alert(
        id=id, fingerprint="f", rule="errors", severity=Severity.CRITICAL, labels={"provider": "openai"},
        summary="it fails; $(touch /tmp/no)", expr="error_rate > 5%", value=0.5, threshold=0.05, op=">",
        unit="ratio", since=now - MINUTE, **known,  # type: ignore[arg-type]
    )  # fmt: skip


def firing(now: int) -> Notification:
    one = alert(now)
    return Notification("abc-firing-1", one, Change(one.id, now, one.state, "rules", value=0.5))


async def test_the_program_gets_the_alert_and_no_secrets(tmp_path, clock, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:pass@host")
    told = script(tmp_path / "tell", f'cat > {tmp_path}/in; env > {tmp_path}/env; echo "$1" > {tmp_path}/arg')
    await Command([told, "a b; $(x)"], 5 * SECOND).send(firing(clock.now()))
    form = json.loads((tmp_path / "in").read_text())
    assert (form["version"], form["key"], form["state"]) == (1, "abc-firing-1", "firing")
    assert form["alert"] | {"fired": ""} == {
        "id": "abc", "fingerprint": "f", "rule": "errors", "severity": "critical",
        "labels": {"provider": "openai"}, "summary": "it fails; $(touch /tmp/no)",
        "expr": "error_rate > 5%", "value": 0.5, "op": ">", "threshold": 0.05, "unit": "ratio",
        "since": "2026-03-18T11:59:00Z", "fired": "", "resolved": None,
        "acknowledged": None, "acknowledged_by": None, "note": "",
    }  # fmt: skip
    assert form["change"]["at"] == "2026-03-18T12:00:00Z"
    assert (tmp_path / "arg").read_text() == "a b; $(x)\n"
    environment = (tmp_path / "env").read_text()
    assert "HOME=" in environment
    assert "secret" not in environment
    assert "PROXY" not in environment


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exit 3", "ended with code 3"),
        ("echo 'no \x1b[31mroute'; exit 1", r"code 1: no \[31mroute"),
        ("kill -9 $$", "ended by signal 9"),
    ],
)
async def test_a_failure_is_told_in_clean_words(tmp_path, clock, text, words):
    with pytest.raises(ChannelError, match=words):
        await Command([script(tmp_path / "tell", text)], 5 * SECOND).send(firing(clock.now()))


async def test_a_program_that_is_not_there_or_may_not_run(tmp_path, clock):
    (tmp_path / "text").write_text("no program")
    for path, words in ((tmp_path / "none", "No such file"), (tmp_path / "text", "denied")):
        with pytest.raises(ChannelError, match=words):
            await Command([str(path)], SECOND).send(firing(clock.now()))


async def test_when_its_time_is_up_all_that_it_started_ends(tmp_path, clock):
    text = f"trap '' TERM; (trap '' TERM; sleep 60) & echo $! > {tmp_path}/pid; sleep 60"
    began = time.monotonic()
    with pytest.raises(ChannelError, match="more than 300ms"):
        await Command([script(tmp_path / "tell", text)], 3 * SECOND // 10).send(firing(clock.now()))
    assert time.monotonic() - began < 30
    child = int((tmp_path / "pid").read_text())
    for _ in range(100):
        with suppress(ProcessLookupError, FileNotFoundError):
            if Path(f"/proc/{child}/stat").read_text().split()[2] != "Z":
                await asyncio.sleep(0.02)
                continue
        break
    else:
        pytest.fail("a grandchild lives on")


async def test_cancelling_ends_the_program(tmp_path, clock):
    command = Command([script(tmp_path / "tell", f"echo $$ > {tmp_path}/pid; sleep 60")], MINUTE)
    sending = asyncio.create_task(command.send(firing(clock.now())))
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_a_stop_while_a_program_is_starting_leaves_nothing_open(tmp_path, clock):
    command = Command(["sleep", "60"], 10 * SECOND)
    with pytest.raises(ChannelError):
        await Command(["false"], 10 * SECOND).send(firing(clock.now()))
    before = len(os.listdir("/proc/self/fd"))
    for turns in range(1, 8):
        sending = asyncio.create_task(command.send(firing(clock.now())))
        for _ in range(turns):
            await asyncio.sleep(0)
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
    assert len(os.listdir("/proc/self/fd")) == before


async def test_a_torrent_of_output_and_what_stays_in_the_background_hold_nothing_up(tmp_path, clock, caplog):
    caplog.set_level("INFO")
    text = "sleep 3 & head -c 3000000 /dev/zero | tr '\\0' x; exit 0"
    began = time.monotonic()
    await Command([script(tmp_path / "tell", text)], 10 * SECOND).send(firing(clock.now()))
    assert time.monotonic() - began < 2
    assert 1_000 < sum(len(record.getMessage()) for record in caplog.records) < 10_000


class Shown:
    """The row of a channel."""

    def __init__(self) -> None:
        self.states: list[tuple[str, str]] = []
        self.delivered = 0

    def running(self, detail: str | None = None) -> None:
        self.states.append(("running", detail or ""))

    def heard(self, records: int = 0) -> None:
        self.delivered += records

    def failed(self, error: str, detail: str) -> None:
        self.states.append(("failed", error))

    def off(self, why: str) -> None:
        self.states.append(("off", why))


class Post:
    """Alerts that are kept, and the sender of one program."""

    def __init__(self, store: AlertStore, clock, command: list[str]) -> None:
        self.bus, self.row, self.clock, self.store = EventBus(), Shown(), clock, store
        self.settings = Alerts.model_validate({"command": command})
        self.keeper = Keeper(store, clock, ("command",), self.heard)
        self.sender = Sender("command", store, lambda: self.settings, clock, self.bus)

    def heard(self, alert: Alert, change: Change) -> None:
        self.bus.publish("alert_update", change.at)

    async def fire(self, id: str = "abc") -> Alert:
        now = self.clock.now()
        one = alert(now, id)
        async with self.keeper.writing:
            await self.keeper.keep([one], [Change(id, now, AlertState.FIRING, "rules", value=0.5)])
        return self.keeper.open[id]

    async def until(self, condition) -> None:
        running = asyncio.create_task(self.sender.run(self.row))
        try:
            async with asyncio.timeout(5):
                while not condition():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def said(path: Path) -> list[str]:
    return [json.loads(line)["key"] for line in path.read_text().splitlines()] if path.exists() else []


async def test_a_notification_is_delivered_once_the_program_takes_it(alert_store, clock, tmp_path):
    heard = tmp_path / "heard"
    post = Post(alert_store, clock, [script(tmp_path / "tell", f"test -e {tmp_path}/well && cat >> {heard}")])
    one = await post.fire()
    await post.keeper.acknowledge(one.id, "ana", "on it")
    await post.until(lambda: ("failed", "tell ended with code 1") in post.row.states)
    assert (await alert_store.waiting("command")).count == 2
    (tmp_path / "well").touch()
    clock.advance(10 * SECOND)
    again = Post(alert_store, clock, post.settings.command)
    await again.until(lambda: again.row.delivered == 2)
    assert said(heard) == ["abc-firing-1", "abc-acknowledged-2"], "in order, after a restart"
    assert (await alert_store.waiting("command")).count == 0
    assert again.row.states[-1][0] in ("running", "failed")


async def test_one_alert_that_cannot_be_told_holds_up_no_other(alert_store, clock, tmp_path):
    heard = tmp_path / "heard"
    text = f'in=$(cat); case $in in *bad-*) exit 1;; esac; echo "$in" >> {heard}'
    post = Post(alert_store, clock, [script(tmp_path / "tell", text)])
    await post.fire("bad")
    await post.fire("good")
    await post.until(lambda: post.row.delivered == 1)
    assert said(heard) == ["good-firing-2"]
    assert (await alert_store.waiting("command")).count == 1


async def test_a_silenced_alert_says_nothing_until_the_silence_ends(alert_store, clock, tmp_path):
    heard = tmp_path / "heard"
    post = Post(alert_store, clock, [script(tmp_path / "tell", f"cat >> {heard}")])
    await post.keeper.silence([Matcher("provider", "openai")], clock.now() + HOUR, "ana")
    one, change = hush(alert(clock.now()), post.keeper.quieter(alert(clock.now())), clock.now(), "rules")
    assert change is not None
    async with post.keeper.writing:
        await post.keeper.keep([one], [change])
    assert (await alert_store.waiting("command")).count == 0
    clock.advance(2 * HOUR)
    await post.keeper.mind()
    await post.until(lambda: post.row.delivered == 1)
    assert said(heard) == ["abc-firing-2"]


async def test_without_a_program_nothing_is_queued_and_the_row_says_so(alert_store, clock):
    post = Post(alert_store, clock, [])
    post.keeper.channels = ()
    await post.fire()
    await post.until(lambda: post.row.states == [("off", "alerts.command is not set")])
    assert (await alert_store.waiting("command")).count == 0


async def test_the_queue_is_bounded_and_nothing_is_tried_for_ever(alert_store, clock, monkeypatch, caplog):
    monkeypatch.setattr(outbox, "MAX_WAITING", 3)
    post = Post(alert_store, clock, ["none"])
    for number in range(5):
        await post.fire(f"a{number}")
    assert [n.alert.id for n in await alert_store.due_notices("command", clock.now(), 0)] == [
        "a2",
        "a3",
        "a4",
    ]
    assert "oldest notifications were dropped" in caplog.text
    clock.advance(DAY + 1)
    await post.until(lambda: post.row.states)
    assert (await alert_store.waiting("command")).count == 0


def test_waits_grow_to_a_quarter_of_an_hour():
    waits = [wait_after(n) for n in range(1, 200)]
    assert 3 * SECOND < waits[0] <= 5 * SECOND
    assert max(waits) <= LONGEST_WAIT
    assert min(waits[20:]) > LONGEST_WAIT // 2
