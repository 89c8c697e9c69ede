"""Every field that is offered says what it means, or in which unit it is."""

from tui_monitor.query.filters.complete import fields
from tui_monitor.query.filters.fields import ATTRIBUTES, MEANINGS, TEXTS


class Words:
    def label_names(self) -> list[str]:
        return ["shelf"]

    def label_values(self, label: str, limit: int = 1000) -> list[str]:
        return []


def test_every_field_says_what_it_is() -> None:
    assert set(MEANINGS) == {*TEXTS, *ATTRIBUTES}
    told = {one.text: one.help for one in fields("", Words())}
    assert told["shelf"] == "free attribute"
    assert told["latency"] == "ms: time from request to the end of the answer"
    assert all(told.values())
    # Twice the same tells two fields not apart.
    assert len({told[name] for name in MEANINGS}) == len(MEANINGS)
