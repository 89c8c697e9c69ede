"""The query line."""

import asyncio

from tui_monitor.query.result import Completion
from tui_monitor.tui.theme import colours
from tui_monitor.tui.widgets.prompt import Field, Prompt
from tui_monitor.tui.widgets.syntax import painted

WORDS = ("latency", "latency_p95", "last", "requests")


async def complete(text: str, position: int) -> list[Completion]:
    word = text[:position].split(" ")[-1]
    return [Completion(w, len(word), "metric", f"help of {w}") for w in WORDS if word and w.startswith(word)]


def submitted(app) -> list[str]:
    return [event.value for event in app.of(Prompt.Submitted)]


async def test_enter_submits_and_typing_tells(stage):
    prompt = Prompt()
    app = stage(prompt)
    async with app.run_test(size=(60, 8)) as pilot:
        prompt.focus()
        await pilot.press("c", "o", "s", "t", "enter")
        assert submitted(app) == ["cost"]
        assert [event.value for event in app.of(Prompt.Changed)] == ["c", "co", "cos", "cost"]
        assert app.lines()[0].startswith("> cost")


async def test_tab_takes_the_marked_completion(stage):
    prompt = Prompt(completer=complete)
    app = stage(prompt)
    async with app.run_test(size=(60, 10)) as pilot:
        prompt.focus()
        await pilot.press("l", "a")
        await pilot.pause()
        assert "latency_p95" in app.lines()[4]
        assert "help of last" in app.lines()[5]
        # It floats: a frame and a ground of its own, whatever stands below.
        assert app.lines()[2].startswith("╭")
        assert prompt._list.background_colors[0] != prompt._list.background_colors[1]
        await pilot.press("down", "tab")
        assert prompt.value == "latency_p95"
        await pilot.pause()
        assert "help of" not in "".join(app.lines()), "nothing is left to complete"
        await pilot.press("space", "r", "tab", "enter")
        assert submitted(app) == ["latency_p95 requests"]


async def test_completion_inside_the_text_keeps_what_follows(stage):
    prompt = Prompt(completer=complete)
    app = stage(prompt)
    async with app.run_test(size=(60, 10)) as pilot:
        prompt.focus()
        prompt.value = " [1h] p95"
        await pilot.press("home", "r", "e", "tab")
        assert prompt.value == "requests [1h] p95"


async def test_escape_closes_the_list_then_is_for_others(stage):
    prompt = Prompt(completer=complete)
    app = stage(prompt)
    left: list[str] = []
    app.action_leave_app = lambda: left.append("left")
    app.bind("escape", "leave_app")
    async with app.run_test(size=(60, 10)) as pilot:
        prompt.focus()
        await pilot.press("l")
        await pilot.pause()
        assert "help of" in "".join(app.lines())
        await pilot.press("escape")
        assert "help of" not in "".join(app.lines())
        assert left == []
        await pilot.press("escape")
        assert left == ["left"]


async def test_a_late_answer_to_another_question_is_dropped(stage):
    gate = asyncio.Event()

    async def slow(text: str, position: int) -> list[Completion]:
        if text == "l":
            await gate.wait()
        return [Completion(f"{text}-completed", len(text), "metric")]

    prompt = Prompt(completer=slow)
    app = stage(prompt)
    async with app.run_test(size=(60, 10)) as pilot:
        prompt.focus()
        await pilot.press("l", "x")
        gate.set()
        await pilot.pause()
        shown = "".join(app.lines())
        assert "lx-completed" in shown
        assert "l-completed" not in shown.replace("lx-completed", "")


async def test_history_goes_back_by_what_is_typed(stage):
    prompt = Prompt(completer=complete, history=["latency p95", "cost{} [1d]", "latency avg"])
    app = stage(prompt)
    async with app.run_test(size=(60, 10)) as pilot:
        prompt.focus()
        await pilot.press("l", "a", "up")
        assert prompt.value == "latency avg", "also where the list of ways to go on is open"
        await pilot.press("up", "up")
        assert prompt.value == "latency p95"
        await pilot.press("down", "down")
        assert prompt.value == "la"
        await pilot.press("ctrl+u", "up", "up", "up", "up")
        assert prompt.value == "latency p95"
        prompt.history.add("cost{} [1d]")
        assert prompt.history.lines == ("latency p95", "latency avg", "cost{} [1d]")


async def test_history_is_searched_by_words(stage):
    prompt = Prompt(
        completer=complete, history=["cost by(user) [7d]", "latency{} [7d]", "cost{} [7d] by(model)"]
    )
    app = stage(prompt)
    async with app.run_test(size=(60, 12)) as pilot:
        prompt.focus()
        await pilot.press("x", "ctrl+r", "ctrl+u", *"7d cost")
        await pilot.pause()
        shown = [line.strip(" │") for line in app.lines()[3:5]]
        assert shown == ["cost{} [7d] by(model)", "cost by(user) [7d]"]
        await pilot.press("ctrl+r", "enter")
        assert prompt.value == "cost by(user) [7d]"
        assert submitted(app) == [], "what was found can still be changed"
        assert app.of(Prompt.Changed)[-1].value == "cost by(user) [7d]"
        await pilot.press("ctrl+r", *" nothing", "enter")
        assert prompt.value == "cost by(user) [7d]"
        await pilot.press("ctrl+r", *"abc", "escape")
        assert prompt.value == "cost by(user) [7d]"
        await pilot.press("enter")
        assert submitted(app) == ["cost by(user) [7d]"]


async def test_a_query_is_coloured(stage):
    prompt = Prompt(painter=painted)
    app = stage(prompt)
    async with app.run_test(size=(60, 4)) as pilot:
        prompt.value = 'rate(latency{model="x"}[5m]) # [/]'
        await pilot.pause()
        styles = {s.text.strip(): s.style for s in prompt.query_one(Field).render_line(0) if s.style}
        known = colours(app.theme_variables)
        for text, token in (
            ("rate", "accent"),
            ("model", "series-3"),
            ('"x"', "series-2"),
            ("5m", "series-5"),
        ):
            assert styles[text].color.triplet.hex == known[token].lower(), text
        assert styles["# [/]"].italic


async def test_error_stands_under_its_character(stage):
    prompt = Prompt()
    app = stage(prompt)
    async with app.run_test(size=(70, 4)) as pilot:
        prompt.focus()
        prompt.value = "latancy{} [1h] avg"
        prompt.show_error(0, 7, 'unknown metric "latancy", did you mean latency?')
        await pilot.pause()
        assert app.lines()[1].rstrip() == '  ^^^^^^^ unknown metric "latancy", did you mean latency?'
        prompt.value = "sum(日本 + 1"
        prompt.show_error(7, 1, "not closed")
        await pilot.pause()
        assert app.lines()[1].index("^") == 2 + len("sum(日本 ") + 2
        prompt.value = "a" * 60 + "!"
        prompt.show_error(60, 1, "this is no operator")
        await pilot.pause()
        assert app.lines()[1][62] == "^"
        assert "this is no operator" in app.lines()[1][:62]
        prompt.clear_error()
        prompt.say("a hint", "3 series")
        await pilot.pause()
        assert app.lines()[1].startswith("  a hint")
        assert app.lines()[1].endswith("3 series")


async def test_pasted_controls_do_not_get_in(stage):
    prompt = Prompt()
    app = stage(prompt)
    async with app.run_test(size=(60, 4)):
        prompt.query_one(Field).insert_text_at_cursor("a\x1b]0;x\x07\x9b\u202eb")
        assert prompt.value == "a]0;xb"


async def test_waits_without_blinking(stage):
    prompt = Prompt()
    app = stage(prompt)
    async with app.run_test(size=(60, 4)) as pilot:
        prompt.focus()
        await pilot.pause()
        assert not prompt.query_one(Field).cursor_blink


async def test_a_long_error_goes_on_below(stage):
    prompt = Prompt()
    app = stage(prompt)
    async with app.run_test(size=(40, 8)) as pilot:
        prompt.value = "histogram_quantil(0.9)"
        told = "unknown function histogram_quantil, and much more of it"
        prompt.show_error(0, 4, told, "did you mean histogram_quantile?")
        await pilot.pause()
        assert app.lines()[1].rstrip() == "  ^^^^"
        assert " ".join(line.strip() for line in app.lines()[2:4]) == told
        assert app.lines()[4].strip() == "did you mean histogram_quantile?"
        await pilot.resize_terminal(120, 8)
        await pilot.pause()
        assert app.lines()[1].rstrip() == f"  ^^^^ {told} – did you mean histogram_quantile?"
        assert not app.lines()[2].strip()
        await pilot.resize_terminal(30, 8)
        await pilot.pause()
        shown = " ".join(" ".join(app.lines()[1:]).split())
        assert shown == f"^^^^ {told} did you mean histogram_quantile?"


async def test_an_empty_line_leaves_its_keys_to_the_history(stage):
    async def everything(text: str, position: int) -> list[Completion]:
        return [Completion(word, 0, "metric", f"help of {word}") for word in WORDS]

    prompt = Prompt(completer=everything, history=["cost{} [1d]"])
    app = stage(prompt)
    async with app.run_test(size=(60, 12)) as pilot:
        prompt.focus()
        await pilot.press("x")
        await pilot.pause()
        assert "help of" in "".join(app.lines())
        await pilot.press("ctrl+u")
        await pilot.pause()
        assert "help of" not in "".join(app.lines())
        await pilot.press("up")
        assert prompt.value == "cost{} [1d]"
        await pilot.press("ctrl+u", "ctrl+@")
        await pilot.pause()
        assert "help of" in "".join(app.lines())


async def test_completions_are_cut_only_where_they_are_too_long(stage):
    helps = ("short", "long " * 20)

    async def found(text: str, position: int) -> list[Completion]:
        return [Completion(f"{'name' * 6}{n}", 1, "label", told) for n, told in enumerate(helps)]

    prompt = Prompt(completer=found)
    app = stage(prompt)
    async with app.run_test(size=(60, 10)) as pilot:
        prompt.focus()
        await pilot.press("n")
        await pilot.pause()
        short, long = (line.rstrip() for line in app.lines()[3:5])
        assert "short" in short
        assert "…" not in short
        assert "…" in long
        assert short.endswith("│")
