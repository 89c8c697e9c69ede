"""The description of our API: valid, whole, as it is checked in, and served."""

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from openapi_spec_validator import validate

from tui_monitor.server.app import declared
from tui_monitor.server.declare import Group
from tui_monitor.server.needs import Need
from tui_monitor.server.openapi import document, written

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document(declared())


def test_it_is_valid(described: dict[str, Any]) -> None:
    validate(described)


def test_what_is_checked_in_is_what_the_routes_declare() -> None:
    assert (ROOT / "docs" / "openapi.json").read_bytes() == written(declared()), "run `make docs`"


def test_every_route_is_described_but_what_it_says_is_not(described: dict[str, Any]) -> None:
    told = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    for one in declared():
        left_out = one.need is Need.OWNER or one.group is Group.PROMETHEUS
        assert ((one.method, one.path) in told) != left_out, one.path


def test_operations_have_names_of_their_own(described: dict[str, Any]) -> None:
    names = [one["operationId"] for methods in described["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names))


def test_times_tell_their_unit_and_fields_their_meaning(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    assert schemas["Alert"]["properties"]["since"]["description"] == "When the condition began to hold. (µs)"
    assert "fired" in schemas["Alert"]["required"]
    assert "late" not in schemas["Accepted"]["required"]


async def test_it_is_served(local: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
    answer = await local.get("/monitor/v1/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert orjson.loads(answer.content)["openapi"] == "3.1.0"
    assert (await web.get("/monitor/v1/openapi.json")).status_code == 401
