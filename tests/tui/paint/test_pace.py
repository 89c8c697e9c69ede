"""How much is under way on a line that is played: its delay, and what it carries a second."""

from dataclasses import dataclass, field

import pytest

from tui_monitor.tui.paint.pace import Pace


@dataclass
class Line:
    """Carries bytes one after another, and answers a question half a round trip after it arrived."""

    rate: float
    delay: float
    now: float = 0.0
    free: float = 0.0
    behind: float = 0.0
    answers: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pace = Pace(lambda: self.now)

    def send(self, size: int) -> None:
        """Bytes, with a question behind them if one is due."""
        self.free = max(self.free, self.now) + size / self.rate
        self.behind = max(self.behind, self.free - self.now)
        if self.pace.sent(size):
            self.answers.append(self.free + self.delay)

    def passes(self, seconds: float, waiting: int = 0) -> int:
        """Let time pass while so many bytes wait to be sent; those that could not be."""
        end = self.now + seconds
        while self.now < end:
            room = self.pace.room()
            if waiting and room != 0:
                part = waiting if room is None else min(room, waiting)
                self.send(part)
                waiting -= part
                continue
            self.now = min([end, *self.answers])
            if self.answers and self.answers[0] <= self.now:
                del self.answers[0]
                self.pace.answered()
        return waiting


def _slow(rate: float = 8_000, delay: float = 0.25) -> Line:
    line = Line(rate, delay)
    for _ in range(3):
        line.send(100)
        line.passes(1)
    assert line.pace.slow
    return line


def test_a_fast_line_is_asked_seldom_and_takes_everything() -> None:
    line = Line(10_000_000, 0.002)
    asked = 0
    for _ in range(100):
        assert line.pace.room() is None
        line.send(30_000)
        asked += len(line.answers)
        line.passes(1)
    assert 5 < asked < 15
    assert not line.pace.slow


def test_a_terminal_that_answers_nothing_is_asked_three_times() -> None:
    line = Line(8_000, 0.25)
    asked = 0
    for _ in range(60):
        assert line.pace.room() is None
        line.send(100)
        asked += len(line.answers)
        line.answers.clear()
        line.passes(1)
    assert asked == 3
    assert not line.pace.waiting


def test_on_a_slow_line_a_key_waits_for_little() -> None:
    line = _slow()
    line.behind = 0
    left = line.passes(10, waiting=200_000)
    # What is under way is what the line carries in 0.3 s, and the line is used.
    assert line.behind < 0.3
    assert 200_000 - left > 0.7 * 10 * 8_000


def test_a_long_line_that_carries_much_is_used() -> None:
    line = _slow(rate=250_000, delay=0.3)
    assert line.passes(10, waiting=200_000) == 0


def test_an_answer_that_never_comes_holds_up_nothing_for_long() -> None:
    line = _slow()
    line.passes(1, waiting=4_000)
    line.answers.clear()
    while line.pace.room():
        line.send(line.pace.room() or 0)
    line.answers.clear()
    line.passes(6)
    assert line.pace.room()


def test_answers_that_never_come_are_not_collected() -> None:
    line = Line(10_000_000, 0.002)
    for _ in range(50):
        line.send(100)
        line.answers.clear()
        line.passes(20)
    line.send(100)
    line.passes(1)
    assert not line.pace.waiting


def test_a_line_becomes_fast_again() -> None:
    line = _slow()
    line.rate, line.delay = 10_000_000, 0.001
    for _ in range(12):
        line.send(100)
        line.passes(1)
    assert not line.pace.slow


@pytest.mark.parametrize("fixed", [True, False])
def test_what_is_set_is_believed(fixed: bool) -> None:
    line = Line(8_000, 0.25) if not fixed else Line(10_000_000, 0.001)
    line.pace.fixed = fixed
    for _ in range(5):
        line.send(100)
        line.passes(1)
    assert line.pace.slow is fixed
    assert (line.pace.room() is None) is not fixed


@pytest.mark.parametrize("slow", [True, False])
def test_a_line_that_is_gone_for_an_hour_has_little_to_carry_when_it_is_back(slow: bool) -> None:
    line = _slow() if slow else Line(10_000_000, 0.001)
    line.passes(1, waiting=2_000)
    sent = 0
    for _ in range(3_600):
        room = line.pace.room()
        if room != 0:
            line.send(size := 2_000 if room is None else room)
            sent += size
            line.answers.clear()
        line.passes(1)
    assert sent < 50_000
    line.pace.answered()
    assert line.passes(2, waiting=8_000) == 0


def test_who_types_and_gets_no_answer_sees_everything_again() -> None:
    line = _slow()
    line.send(2_000)
    line.answers.clear()
    line.passes(6)
    assert line.pace.room() == 256
    for _ in range(3):
        line.pace.typed()
    assert line.pace.room() is None
    line.pace.answered()
    assert line.pace.room() is not None
