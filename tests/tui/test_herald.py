"""What is told of alerts that begin to fire, and in which bytes."""

from tui_monitor.model.states import Severity
from tui_monitor.monitor.api import Fired
from tui_monitor.tui.herald import Herald, notification


def fired(id: str, severity: Severity = Severity.WARNING) -> Fired:
    return Fired(id, severity, f"{id} is bad", 0)


def test_each_alert_is_told_once() -> None:
    herald = Herald()
    assert herald.look([]) is None
    call = herald.look([fired("a")])
    assert call is not None
    assert (call.text, call.first, call.toast) == ("warning: a is bad", False, "warning")
    assert herald.look([fired("a")]) is None
    assert herald.look([]) is None
    assert herald.look([fired("a")]) is None


def test_those_of_before_are_told_quietly() -> None:
    call = Herald().look([fired("a"), fired("b", Severity.CRITICAL)])
    assert call is not None
    assert call.first
    assert call.text == "2 alerts are firing: b is bad; a is bad"
    assert call.toast == "error"


def test_what_is_known_is_not_told() -> None:
    herald = Herald()
    herald.look([])
    herald.know(["a"])
    assert herald.look([fired("a")]) is None


def test_many_at_once_are_one_call() -> None:
    herald = Herald()
    herald.look([])
    call = herald.look([fired(str(n)) for n in range(40)])
    assert call is not None
    assert call.text == "40 alerts began to fire: 0 is bad; 1 is bad; 2 is bad; and 37 more"


def test_those_that_fire_are_remembered_through_any_number_of_others() -> None:
    herald = Herald()
    herald.look([fired("lasting")])
    for n in range(300):
        herald.look([fired("lasting"), *(fired(f"{n}.{k}") for k in range(10))])
    call = herald.look([fired("lasting"), fired("new")])
    assert call is not None
    assert call.text == "warning: new is bad"


def test_a_notification_is_one_sequence_whatever_the_text() -> None:
    told = notification("4;1;50 a\x1b]52;c;x\x07\x9c\nb\u202e", {})
    assert told == "\x1b]9;tui-monitor: 4;1;50 a]52;c;x b\x07"
    assert len(notification("x" * 10_000, {})) < 200


def test_tmux_hands_it_through() -> None:
    told = notification("disk full", {"TMUX": "/run/tmux,1,0"})
    assert told == "\x1bPtmux;\x1b\x1b]9;tui-monitor: disk full\x07\x1b\\"
