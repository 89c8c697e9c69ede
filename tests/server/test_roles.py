"""What each role may do over a real door, on loopback and off it, and what it is told where it may not."""

import httpx
import pytest

from tests.runtime.collecting import CALL, opened, row, until
from tests.server.conftest import Start
from tui_monitor.config import places
from tui_monitor.server.named import NamedTokens, Used
from tui_monitor.server.roles import Role
from tui_monitor.server.tokens import read_or_make, replace

EVENTS = "/monitor/v1/events"
ALERTS = "/monitor/v1/alerts"
SILENCES = "/monitor/v1/silences"
RULE = {
    "matchers": [{"name": "provider", "op": "=", "value": "openai"}],
    "for": "1h",
    "who": "ada",
    "note": "x",
}


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def tokens() -> NamedTokens:
    return NamedTokens(places.named_tokens_file())


@pytest.fixture
async def far(start: Start) -> httpx.AsyncClient:
    """A client of a door that other hosts can reach."""
    collector = await start(server={"listen": "0.0.0.0:0", "insecure": True})
    port = httpx.URL((await opened(collector, "http")).split()[0]).port
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}")


async def test_each_role_has_its_routes_and_no_others(far: httpx.AsyncClient) -> None:
    may = {
        Role.PUSH: (200, 200, 403, 403, 403),
        Role.READ: (200, 403, 200, 200, 403),
        Role.OPERATE: (200, 200, 200, 200, 200),
    }
    async with far:
        assert (await far.get("/live")).status_code == 401
        assert (await far.post(EVENTS, json=CALL)).status_code == 401
        for role, expected in may.items():
            headers = bearer(tokens().add(f"the-{role}", role, 1))
            asked = (
                await far.get("/live", headers=headers),
                await far.post(EVENTS, json=CALL, headers=headers),
                await far.get(ALERTS, headers=headers),
                await far.post("/api/v1/query", data={"query": "1"}, headers=headers),
                await far.post(SILENCES, json=RULE, headers=headers),
            )
            assert tuple(answer.status_code for answer in asked) == expected, role
            if role is Role.OPERATE:
                made = await far.post(SILENCES, json={**RULE, "who": ""}, headers=headers)
                assert made.json()["data"]["created_by"] == "the-operate"
        default = bearer(read_or_make(places.token_file()))
        assert (await far.post(SILENCES, json=RULE, headers=default)).status_code == 200
        assert (await far.post(EVENTS, json=CALL, headers=default)).status_code == 200


async def test_refusals_have_the_form_of_their_paths(start: Start) -> None:
    collector = await start()
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as web:
        push = bearer(tokens().add("app", Role.PUSH, 1))
        ours = (await web.get(ALERTS)).json()
        assert ours.keys() == {"status", "errorType", "error", "hint"}
        theirs = await web.get("/api/v1/query?query=1")
        assert theirs.json().keys() == {"status", "errorType", "error"}
        assert "`tui-monitor token` prints it" in theirs.json()["error"]
        may_not = await web.get("/api/v1/query?query=1", headers=push)
        assert (may_not.status_code, may_not.json()["errorType"]) == (403, "forbidden")
        assert may_not.json()["error"] == (
            "the token app may push, and this needs one that may read; "
            "`tui-monitor token add NAME --role read` makes one there"
        )
        assert "www-authenticate" not in may_not.headers
        assert (await web.get("/nowhere", headers=push)).status_code == 404
    assert collector.refused == {"token": 2, "role": 1}
    assert row(collector, "http").last_error.startswith("403: the token app may push")


async def test_a_token_that_was_replaced_or_taken_away_is_out_at_once(start: Start) -> None:
    collector = await start()
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as web:
        old = tokens().add("app", Role.READ, 1)
        assert (await web.get(ALERTS, headers=bearer(old))).status_code == 200
        new = tokens().rotate("app", 2)
        gone = await web.get(ALERTS, headers=bearer(old))
        assert (gone.status_code, gone.json()["error"]) == (401, "this token opens nothing")
        assert (await web.get(ALERTS, headers=bearer(new))).status_code == 200
        tokens().remove("app")
        assert (await web.get(ALERTS, headers=bearer(new))).status_code == 401
        default = read_or_make(places.token_file())
        replace(places.token_file())
        assert (await web.get(ALERTS, headers=bearer(default))).status_code == 401
        places.named_tokens_file().write_bytes(b"{")
        unsure = await web.get(ALERTS, headers=bearer(new))
        assert (unsure.status_code, unsure.json()["errorType"]) == (503, "unavailable")
        still = bearer(read_or_make(places.token_file()))
        assert (await web.get(ALERTS, headers=still)).status_code == 200
    assert collector.refused == {"wrong_token": 3, "tokens": 1}


async def test_when_it_was_last_used_is_kept_when_the_door_closes(start: Start) -> None:
    collector = await start()
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as web:
        secret = tokens().add("app", Role.READ, 1)
        before = collector.clock.now()
        assert (await web.get(ALERTS, headers=bearer(secret))).status_code == 200
    await collector.stop()
    used = Used(places.used_tokens_file())
    await until(lambda: "app" in used.read())
    assert used.read()["app"] >= before
