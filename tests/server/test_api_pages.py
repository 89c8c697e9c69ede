"""The pages about our API: whole, as the routes declare them, and with examples that still hold."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.server.api_examples import ASKED, asked
from tui_monitor.server.app import declared
from tui_monitor.server.declare import Form, Group
from tui_monitor.server.openapi import described, operation_id
from tui_monitor.server.pages import EXAMPLES, pages

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "api"


@pytest.fixture(scope="module")
def examples() -> dict[str, Any]:
    return orjson.loads((FOLDER / EXAMPLES).read_bytes())


def test_pages_are_what_the_routes_declare(examples: dict[str, Any]) -> None:
    made = pages(declared(), examples)
    assert {path.name for path in FOLDER.glob("*.md")} == set(made)
    for name, text in made.items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, f"{name}: run `make docs`"


def test_every_route_stands_in_a_page() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md"))
    for one in declared():
        assert (f"## `{one.method} {one.path}`" in text) == (one.group is not Group.PROMETHEUS), one.path


def test_every_route_has_an_example(examples: dict[str, Any]) -> None:
    wanted = {operation_id(one) for one in described(declared()) if one.form is not Form.OWN}
    assert wanted - set(examples) == {"get_openapi_json"}
    assert [name for name, *_ in ASKED] == list(examples)


async def test_examples_still_hold(tmp_path: Path, examples: dict[str, Any]) -> None:
    for name, found in (await asked(tmp_path)).items():
        assert found["status"] == examples[name]["status"] == 200, (name, found["answer"])
        alike(name, found["answer"], examples[name]["answer"])


def alike(where: str, found: Any, recorded: Any) -> None:
    """Of the same kinds, with the fields that were recorded; what is not known may be of any kind."""
    match found, recorded:
        case (None, _) | (_, None):
            pass
        case dict(), dict():
            # A field that came later is in the description already.
            assert found.keys() >= recorded.keys(), where
            for key in recorded:
                alike(f"{where}.{key}", found[key], recorded[key])
        case list(), list():
            for one, other in zip(found, recorded, strict=False):
                alike(f"{where}[]", one, other)
        case _:
            numbers = (int, float)
            same = type(found) is type(recorded) or (
                isinstance(found, numbers) and isinstance(recorded, numbers)
            )
            assert same, f"{where}: {found!r} and {recorded!r}"
