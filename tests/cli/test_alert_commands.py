"""`alerts` and `rules`: seeing, taking and checking."""

import asyncio
from dataclasses import replace

import pytest

from tests.cli.conftest import Cli
from tui_monitor.config import places
from tui_monitor.config.load import load
from tui_monitor.model.clock import ManualClock
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor.api import Snapshot
from tui_monitor.monitor.local import LocalMonitor
from tui_monitor.runtime.collector import Collector

RULES = """
[alerts]
shipped = false

[[alerts.rules]]
name = "many errors"
expr = "error_rate{} [5m] by(provider) > 0.5"
severity = "critical"
summary = "{{ $labels.provider }} fails"
"""


@pytest.fixture
def ruled(fed: Cli) -> Cli:
    """A configuration with one rule that holds for the trace."""
    path = places.config_file()
    path.parent.mkdir(parents=True)
    path.write_text(RULES)
    return fed


@pytest.fixture
def fired(ruled: Cli, clock: ManualClock) -> Cli:
    """The rule has been looked at once by a collector that has ended since."""

    async def collect() -> None:
        settings = load(overrides={"server": {"listen": "", "socket": False}})
        collector = Collector(settings, settings.database_path(), clock=clock, sources=())
        await collector.start()
        try:
            async with asyncio.timeout(5):
                while not (await collector.monitor.alerts()).alerts:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        finally:
            await collector.stop()

    asyncio.run(collect())
    return ruled


def test_an_alert_is_listed_taken_and_given_back(fired: Cli) -> None:
    listed = fired("alerts").out.splitlines()
    assert len(listed) == 2
    for words in ("✖ critical", "firing", "> 50.0 %", "openai fails", "provider=openai"):
        assert words in listed[1]
    short = listed[1].split()[0]
    assert (
        fired("alerts", "ack", short, "--note", "on it", "--as", "ana").out
        == "openai fails: acknowledged by ana\n"
    )
    assert "ana “on it”" in fired("alerts", "list").out
    history = fired("alerts", "history", short).out
    assert "acknowledged" in history
    assert "on it" in history
    assert fired("alerts", "unack", short).out == "openai fails: firing again\n"
    view = fired("alerts", "--json").json["data"]
    assert (view["alerts"][0]["state"], view["alerts"][0]["acked_by"]) == ("firing", None)
    assert "openai fails" in fired("status").out


def test_who_acts_is_the_configured_name(fired: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_MONITOR_GENERAL__NAME", "night shift")
    alert = fired("alerts", "--json").json["data"]["alerts"][0]
    assert fired("--json", "alerts", "ack", alert["id"]).json["data"]["acked_by"] == "night shift"


def test_an_unknown_alert_is_told(ruled: Cli) -> None:
    ran = ruled("alerts", "ack", "zzz")
    assert ran.code == 1
    assert "no alert has the id 'zzz'" in ran.err


def test_no_alerts_are_told(fed: Cli) -> None:
    ran = fed("alerts")
    assert (ran.code, ran.out, ran.err) == (0, "no active alerts\n", "")


def test_alerts_that_nobody_looks_at_are_told_so(fired: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "as they stood when a collector last looked" in fired("alerts").err
    known = LocalMonitor.snapshot

    async def running(monitor: LocalMonitor, shown: TimeRange) -> Snapshot:
        snapshot = await known(monitor, shown)
        return replace(snapshot, collector=replace(snapshot.collector, running=True))

    # Beside one that runs they are read here, too.
    monkeypatch.setattr(LocalMonitor, "snapshot", running)
    assert fired("alerts").err == ""


def test_an_alert_is_silenced_by_its_id_and_by_matchers(fired: Cli, clock: ManualClock) -> None:
    alert = fired("alerts", "--json").json["data"]["alerts"][0]
    made = fired("alerts", "silence", alert["id"][:4], "--for", "2h", "--note", "they know", "--as", "ana")
    first = made.out.splitlines()
    assert "until 2026-03-18 14:00:00" in first[0]
    assert 'alertname="many errors" provider="openai"' in first[1]
    assert first[2] == "  1 alert of now"
    (line,) = fired("alerts").out.splitlines()[1:]
    for words in ("silenced", "until 2026-03-18 14:00:00 by ana “they know”"):
        assert words in line
    shown = fired("alerts", "show", alert["id"][:4]).out
    for words in ("silenced    until", "expression  error_rate", "silence ", ": they know"):
        assert words in shown
    silence = fired("--json", "alerts", "silences").json["data"][0]
    assert "2 h left" in fired("alerts", "silences").out
    assert "ended by bob" in fired("alerts", "unsilence", alert["id"][:4], "--as", "bob").out
    assert fired("alerts", "silences").out == "no silences\n"
    assert "ended by bob" in fired("alerts", "silences", "--ended").out
    assert "firing" in fired("alerts").out
    later = fired(
        "alerts", "silence", 'alertname=~"many .*"', "severity!=info", "--from", "2026-03-19", "--until",
        "2026-03-20", "--json",
    ).json["data"]  # fmt: skip
    assert [m["op"] for m in later["matchers"]] == ["=~", "!="]
    assert "begins in" in fired("alerts", "silences").out
    assert later["id"] != silence["id"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("provider=x",), "needs an end"),
        (("provider=x", "--for", "1h", "--until", "2030-01-01"), "needs an end"),
        (("provider=~(", "--for", "1h"), "not a regular expression"),
        (("provider=~.*", "--for", "1h"), "fit every alert"),
        (("provider=x", "1x", "--for", "1h"), "not a matcher"),
        (("provider=x", "--until", "2020-01-01"), "over already"),
        (("provider=x", "--for", "soon"), "not a length of time"),
    ],
)
def test_silences_that_make_no_sense_are_wrong_usage(ruled: Cli, words: tuple[str, ...], told: str) -> None:
    ran = ruled("alerts", "silence", *words)
    assert (ran.code, told in ran.err) == (2, True), ran.err


def test_matchers_are_read_as_people_write_them() -> None:
    from tui_monitor.cli.silences import matcher
    from tui_monitor.model.alert import Matcher

    for text, read in (
        ("provider=openai", Matcher("provider", "openai")),
        ('model = "a=b"', Matcher("model", "a=b")),
        ('x!~"say \\"no\\""', Matcher("x", 'say "no"', "!~")),
        ("x=~=", Matcher("x", "=", "=~")),
        ("x!=", Matcher("x", "", "!=")),
    ):
        assert matcher(text) == read
