"""What the Providers pane says beside calls: reachability, the page's word, what is left of a limit."""

from dataclasses import replace

from tests.tui.screen_fakes import NOON, Span, providers
from tui_monitor.health.views import Headroom, PageLook, ProbeLook
from tui_monitor.model.clock import HOUR, MINUTE
from tui_monitor.tui.panes import providers as pane
from tui_monitor.tui.panes import providers_beside as beside

OPENAI, GOOGLE, *_ = providers(Span(NOON - HOUR, NOON)).rows
BARE = replace(GOOGLE, probe=None, page=None, headroom=None)


def texts(row) -> tuple[str, str, str]:
    cells = beside.cells(row)
    return cells["probe"].text, cells["page"].text, cells["limit"].text


def words(row) -> list[str]:
    return ["".join(text for text, _ in part) for part in beside.details(row, NOON)]


def test_columns_are_there_when_something_has_been_asked():
    keys = lambda rows: [column.key for column in pane.columns(120, rows)]  # noqa: E731
    assert not {"probe", "page", "limit"} & set(keys([BARE]))
    assert "probe" in keys([BARE, replace(BARE, probe=ProbeLook(True))])
    assert {"page", "limit"} <= set(keys([replace(BARE, page=PageLook(0), headroom=Headroom("x", 1.0))]))


def test_unknown_is_a_dash():
    assert texts(BARE) == ("–", "–", "–")
    assert words(BARE) == []


def test_reachability():
    up = replace(BARE, probe=ProbeLook(True, 120.0, 0, "", ("a",), NOON - 3 * MINUTE))
    assert texts(up)[0] == "120 ms"
    assert words(up) == ["reachability 120 ms, a, probed 3 m ago"]
    unknown = replace(BARE, probe=ProbeLook(True, None, 0, "", ("a", "b"), NOON))
    assert texts(unknown)[0] == "yes"
    assert words(unknown) == ["reachability answered, 2 addresses, probed just now"]
    down = replace(BARE, probe=ProbeLook(False, None, 4, "no answer in time", ("a",), NOON))
    assert texts(down)[0] == "failed"
    assert words(down) == ["reachability failed 4 times in a row: no answer in time, a, probed just now"]
    # What the reason has said already is not said again.
    assert words(replace(down, flag="probe")) == ["reachability failed 4 times in a row, a, probed just now"]


def test_the_pages_word():
    for level, short, word in (
        (0, "ok", "operational"),
        (1, "degraded", "degraded"),
        (2, "partial", "partial outage"),
        (3, "outage", "major outage"),
        (-1, "maint.", "maintenance"),
        (7, "unknown", "unknown"),
    ):
        row = replace(BARE, page=PageLook(level))
        assert texts(row)[1] == short
        assert len(short) <= 8
        assert words(row) == [f"status page {word}"]
    drift = replace(BARE, page=PageLook(1, 'Say "x"\x1b[2J', "https://s/1", drift=True))
    assert texts(drift)[1] == "degraded*"
    assert words(drift) == ['status page degraded "Say "x"[2J" for all of it (component drift) https://s/1']


def test_what_is_left():
    for share, text in ((1.0, "100 %"), (0.999, "99 %"), (0.87, "87 %"), (0.004, "<1 %"), (0.0, "0 %")):
        assert texts(replace(BARE, headroom=Headroom("requests", share)))[2] == text
    scarce = replace(BARE, headroom=Headroom("tokens", 0.04, 4_000, 100_000))
    assert beside.cells(scarce)["limit"].style == "warn"
    assert words(scarce) == ["limit 4 % of tokens left (4.00 k of 100 k)"]
    assert words(OPENAI)[-1] == "limit 87 % of requests left (4.35 k of 5.00 k)"
