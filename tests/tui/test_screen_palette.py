"""The toolkit's list of commands, opened again and again."""

from tests.tui.screen_fakes import dashboard, settle, text


async def test_each_opening_makes_no_class_of_its_own(quick_pilot: None) -> None:
    app = dashboard()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        kinds: list[type] = []
        for _ in range(2):
            await settle(pilot, "ctrl+p")
            kinds.append(type(app.screen))
            await settle(pilot, "escape")
        assert kinds[0].__name__ == "Palette"
        assert kinds[0] is kinds[1]


async def test_words_of_the_help_find_a_command_too(quick_pilot: None) -> None:
    app = dashboard()
    async with app.run_test(size=(110, 30)) as pilot:
        await settle(pilot)
        await settle(pilot, "ctrl+p", *"high contrast")
        shown = text(app)
        assert "white on black, high contrast" in shown.lower()
        assert "black on white, high contrast" in shown.lower()
        assert "Acknowledge" not in shown
