"""Times, changes, ranges and the frame's lines in words."""

from dataclasses import replace

import pytest

from tests.tui.screen_fakes import CALENDAR, NOON, FakeMonitor, collector
from tui_monitor.costs.views import CostsView, Projection, Spend
from tui_monitor.health.views import SourceRow
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND
from tui_monitor.model.errors import UsageError
from tui_monitor.model.sampling import SampledScope
from tui_monitor.model.states import SourceState
from tui_monitor.model.timerange import Span, TimeRange
from tui_monitor.model.timewords import read_range
from tui_monitor.monitor.line import LineState
from tui_monitor.monitor.thread import ThreadState
from tui_monitor.tui import frame
from tui_monitor.tui.drawing import ASCII, BRAILLE, size_of
from tui_monitor.tui.keymap import DEFAULT
from tui_monitor.tui.panes.charts import Colours
from tui_monitor.tui.panes.money import fact_lines
from tui_monitor.tui.panes.overviewlines import spend_lines
from tui_monitor.tui.travel import Journey, ending_at, resized, shifted
from tui_monitor.tui.widgets.lines import Line
from tui_monitor.tui.words import ago, change, long_age, moment_words, range_preview, range_words


def plain(line: Line) -> str:
    return "".join(text for text, _ in (*line.left, *line.right))


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0, "<1 m"), (59 * SECOND, "<1 m"), (MINUTE, "1 m"), (11 * MINUTE + 59 * SECOND, "11 m"),
        (HOUR + 20 * MINUTE, "1 h 20 m"), (3 * DAY + 4 * HOUR + MINUTE, "3 d 4 h"), (364 * DAY, "364 d"),
        (365 * DAY, "1 y"), (860 * DAY, "2 y 4 mo"), (729 * DAY, "1 y 11 mo"),
    ],
)  # fmt: skip
def test_long_age(length: int, words: str) -> None:
    assert long_age(length) == words


def test_ages_change_at_most_once_a_minute() -> None:
    told = {ago(NOON - HOUR, NOON + n * SECOND) for n in range(60)}
    assert told == {"1 h ago"}
    assert ago(None, NOON) == "–"
    assert ago(NOON + SECOND, NOON) == "just now"


@pytest.mark.parametrize(
    ("value", "before", "words", "sign"),
    [
        (112.0, 100.0, "▲ 12 %", 1), (69.0, 100.0, "▼ 31 %", -1), (100.1, 100.0, "=", 0),
        (5.0, 0.0, "new", 1),
        (0.0, 0.0, "=", 0), (None, 1.0, "–", 0), (1.0, None, "–", 0), (5000.0, 100.0, "▲ 49 ×", 1),
    ],
)  # fmt: skip
def test_change(value: float | None, before: float | None, words: str, sign: int) -> None:
    assert change(value, before) == (words, sign)


def test_ranges_in_words() -> None:
    assert range_words(TimeRange(HOUR), NOON, CALENDAR) == "last 1 h"
    assert range_words(TimeRange(HOUR, NOON), NOON, CALENDAR) == "11:00 – 12:00"
    assert range_words(TimeRange(DAY, NOON), NOON, CALENDAR) == "Tue 17 Mar 12:00 – Wed 18 Mar 12:00"
    assert range_words(TimeRange(HOUR, NOON - 2 * DAY), NOON, CALENDAR) == "Mon 16 Mar 11:00 – 12:00"
    old = range_words(TimeRange(DAY, NOON - 400 * DAY), NOON, CALENDAR)
    assert old == "Mon 10 Feb 2025 12:00 – Tue 11 Feb 2025 12:00"
    assert moment_words(NOON, NOON, Calendar("Asia/Kolkata")) == "17:30"


@pytest.mark.parametrize(
    ("text", "words", "preview"),
    [
        ("yesterday", "Tue 17 Mar", "Tue 17 Mar, 1 d, fixed"),
        ("monday to tuesday", "Mon 16 Mar – Tue 17 Mar", "Mon 16 Mar – Tue 17 Mar, 2 d, fixed"),
        ("today", "since 00:00", "00:00 – now, 12 h, grows"),
        ("90m", "last 1 h 30 m", "10:30 – now, 1 h 30 m, live"),
        ("yesterday 14:00 to 15:30", "Tue 17 Mar 14:00 – 15:30", "Tue 17 Mar 14:00 – 15:30, 1 h 30 m, fixed"),
    ],
)
def test_typed_ranges_in_words(text: str, words: str, preview: str) -> None:
    shown = read_range(text, TimeRange(), NOON, CALENDAR)
    assert range_words(shown, NOON, CALENDAR) == words
    assert range_preview(shown, NOON, CALENDAR) == preview


def test_going_back_and_on_through_ranges() -> None:
    journey, a, b, c = Journey(), TimeRange(HOUR), TimeRange(DAY), TimeRange(MINUTE)
    assert journey.back(a) is None
    journey.leave(a)
    journey.leave(b)
    assert (journey.back(c), journey.back(b), journey.back(a)) == (b, a, None)
    assert (journey.on(a), journey.on(b), journey.on(c)) == (b, c, None)
    assert journey.back(c) == b
    journey.leave(b)
    assert journey.on(a) is None
    for n in range(200):
        journey.leave(TimeRange(MINUTE + n))
    kept = 0
    while journey.back(a) is not None:
        kept += 1
    assert kept == 50


def test_resizing_and_shifting() -> None:
    assert resized(TimeRange(HOUR), 1).length == 6 * HOUR
    assert resized(TimeRange(90 * MINUTE, NOON), -1) == TimeRange(HOUR, NOON)
    assert resized(TimeRange(5 * MINUTE), -1).length == 5 * MINUTE
    assert resized(TimeRange(90 * DAY), 1).length == 90 * DAY
    assert shifted(TimeRange(HOUR), -1, NOON) == TimeRange(HOUR, NOON - HOUR // 2)
    assert shifted(TimeRange(HOUR, NOON - HOUR // 2), 1, NOON).live
    assert ending_at(TimeRange(HOUR), NOON - DAY + 1, NOON).end == NOON - DAY + SECOND
    assert ending_at(TimeRange(HOUR), NOON, NOON).live


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", TimeRange(90 * MINUTE, None)),
        ("6h to 2026-03-18 10:00", TimeRange(6 * HOUR, NOON - 2 * HOUR)),
        ("6h to 2026-03-18T10:00+02:00", TimeRange(6 * HOUR, NOON - 4 * HOUR)),
        ("10:00 to 11:30", TimeRange(90 * MINUTE, NOON - 30 * MINUTE)),
        ("2026-03-16 12:00 to 2026-03-17 12:00", TimeRange(DAY, NOON - DAY)),
        ("10:00 to now", TimeRange(2 * HOUR, None, NOON - 2 * HOUR)),
        ("2026-03-17", TimeRange(DAY, NOON - 12 * HOUR - 1)),
        ("2026-03-18", TimeRange(12 * HOUR + 1, None, NOON - 12 * HOUR - 1)),
    ],
)
def test_reading_a_range(text: str, expected: TimeRange) -> None:
    assert read_range(text, TimeRange(), NOON, CALENDAR) == expected


@pytest.mark.parametrize("text", ["", "x", "2027-01-01", "to", "1h to", " to 1h", "9999-99-99", "[/]", "50y"])
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(UsageError):
        read_range(text, TimeRange(), NOON, CALENDAR)


async def snapshot(**changes: object):
    monitor = FakeMonitor()
    for name, value in changes.items():
        setattr(monitor, name, value)
    return await monitor.snapshot(TimeRange())


async def test_the_pace_is_told_while_there_is_one() -> None:
    state = ThreadState("collecting")

    async def words(width: int, **changes: object) -> str:
        shot = await snapshot(status=collector(**{"sources": (), **changes}))
        return "".join(text for text, _ in frame.collector(state, shot, BRAILLE, width))

    assert await words(120) == "● collecting  42/s  lag 400 ms"
    assert await words(80) == "● collecting  42/s"
    assert await words(60) == "● collecting"
    assert await words(120, rate=0.0, lag_ms=3.0) == "● collecting"
    assert await words(120, rate=None) == "● collecting"
    flood = (SampledScope("anthropic", "claude-haiku-4-5", 4), SampledScope("openai", "gpt-5", 2))
    assert await words(80, sampling=flood) == "● collecting  42/s  sampling 1 in 4"
    assert await words(60, sampling=flood) == "● collecting  sampling 1 in 4"
    everything = await words(120, sampling=flood)
    assert everything.endswith("  sampling 1 in 4 of anthropic claude-haiku-4-5 and 1 more")
    state = ThreadState("viewing", owner=7)
    assert await words(80, sampling=flood) == "● viewing  42/s  sampling 1 in 4"
    assert await words(80, rate=None) == "● viewing: collector pid 7"
    assert await words(100) == "● viewing: collector pid 7  42/s  lag 400 ms"
    state = ThreadState("collecting")
    unsafe = SourceRow("http", SourceState.RUNNING, kind="door", warning="insecure: off loopback without TLS")
    assert await words(60, sources=(unsafe,)) == "● collecting  ▲ http: insecure"
    # A door that did not open is told where everybody looks.
    http = SourceRow("http", SourceState.FAILED)
    assert await words(60, sources=(http,)) == "● collecting  ✖ http failed"


async def test_nobody_collects() -> None:
    shot = await snapshot(status=collector(running=False))
    assert frame.collector(ThreadState("viewing"), shot, ASCII, 80) == (("o not collecting", "warn"),)


async def test_the_footer_drops_what_has_no_room() -> None:
    keys = DEFAULT.footer("alerts")
    shot = await snapshot()
    wide = plain(frame.footer(keys, shot, 120))
    assert "e expression" in wide
    assert "12 unpriced today" in wide
    narrow = plain(frame.footer(keys, shot, 60))
    assert "expression" not in narrow
    assert "q quit" in narrow
    assert len(plain(frame.footer(keys, shot, 40))) <= 42
    assert "unpriced" not in plain(frame.footer(keys, await snapshot(unpriced=0.0), 120))


async def test_notices() -> None:
    state, shown = ThreadState("collecting"), TimeRange()
    assert frame.notice(state, None, await snapshot(), shown, BRAILLE) == ()
    assert frame.notice(state, None, await snapshot(newest=None), shown, BRAILLE) == ()
    before = TimeRange(HOUR, NOON - 300 * DAY)
    assert "the first call is of 20 d" in plain(
        frame.notice(state, None, await snapshot(), before, BRAILLE)[0]
    )


def test_colours_stay_with_their_names() -> None:
    colours = Colours()
    assert colours.give(["a", "b", "c"]) == {"a": 0, "b": 1, "c": 2}
    assert colours.give(["c", "d", "b"]) == {"c": 2, "d": 3, "b": 1}
    assert colours.give(["a", "e"]) == {"a": 0, "e": 4}
    # Eight there are: a newcomer shares one with a name that is not shown, and on one chart none.
    assert colours.give([*"fgh", "i"]) == {"f": 5, "g": 6, "h": 7, "i": 0}
    assert colours.give([*"abcdefghi"])["i"] == 8


async def test_the_title_says_how_old_the_newest_data_is_as_far_as_there_is_room() -> None:
    state = ThreadState("collecting")

    async def title(width: int, newest: int, shown: TimeRange = TimeRange(), line: object = None) -> str:  # noqa: B008
        shot = await snapshot(newest=newest, status=collector(rate=0.0, sources=()))
        where = state if line is None else replace(state, mode="attached", line=line)
        return plain(frame.title("host", shown, None, where, shot, BRAILLE, width))

    old = NOON - 12 * MINUTE
    assert "◌ newest call 12 m ago  store 45.8 MiB" in await title(120, old)
    narrow = await title(80, old)
    assert "newest call 12 m ago" in narrow
    assert "store" not in narrow
    assert "newest call" not in await title(60, old)
    assert "newest call" not in await title(120, NOON - 30 * SECOND)
    assert "newest call" not in await title(120, old, TimeRange(HOUR, NOON)), "a fixed range does not age"
    assert "newest call" not in await title(120, NOON - 2 * HOUR), "the notice tells of it"
    assert "▲ newest call 3 m in the future" in await title(120, NOON + 3 * MINUTE)
    line = LineState("gpu-box-2", up=True, heard=NOON, ahead=-90 * SECOND)
    assert "▲ its clock 1 m 30 s behind this one" in await title(120, NOON, line=line)
    assert "▲ its clock -1 m 30 s" in await title(80, NOON, line=line)
    assert "clock" not in await title(120, NOON, line=replace(line, ahead=SECOND))


@pytest.mark.parametrize("width", [80, 110, 120, 140, 200])
def test_no_figure_of_the_spends_is_cut(width: int) -> None:
    span = Span(0, NOON)
    spends = tuple(Spend(name, span, 12_733.2, previous=12_011.5) for name in ("today", "week", "month"))
    view = CostsView(NOON, "model", "month", spends, projection=Projection(13_872.9, low=13_632, high=14_113))
    lines = spend_lines(view, width, BRAILLE)
    assert all(size_of((*line.left, *line.right)) <= width for line in lines[:1])
    assert "$13,872.90" in " ".join(map(plain, lines))
    facts = [plain(line) for line in fact_lines(view)]
    assert all(len(line) <= 50 for line in facts)
    assert facts[3].endswith("was $12,011.50")


async def test_what_is_compared_with_is_never_cut() -> None:
    state, shot = ThreadState("collecting"), await snapshot()
    day = TimeRange(12 * HOUR, NOON)

    def title(width: int, than: str) -> str:
        line = frame.title("gpu-box-2", day, None, state, shot, BRAILLE, width, compared=(than, True))  # type: ignore[arg-type]
        assert len(plain(line)) <= width
        return plain(line)

    assert "gpu-box-2   00:00 – 12:00  fixed  ┄┄ the 12 h before" in title(120, "previous")
    assert "tui-monitor  00:00 – 12:00  fixed  ┄┄ week ago" in title(100, "week")
    assert title(80, "day").startswith(" 00:00 – 12:00  fixed  ┄┄ day ago")
