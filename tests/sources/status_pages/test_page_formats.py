"""What each format of status page says, and that what is no status page says nothing."""

import time
from datetime import UTC, datetime

import pytest

from tui_monitor.model.clock import from_datetime
from tui_monitor.sources.status_pages import betterstack, google, instatus, rss, statuspage
from tui_monitor.sources.status_pages.known import KNOWN
from tui_monitor.sources.status_pages.word import Unreadable, Word

NOW = from_datetime(datetime(2026, 3, 18, 12, tzinfo=UTC))
RSS = '<?xml version="1.0"?><rss version="2.0"><channel><title>Status</title>{}</channel></rss>'


def summary(indicator: str = "none", components=(), incidents=()) -> dict:
    return {
        "page": {"name": "P"},
        "status": {"indicator": indicator, "description": "-"},
        "components": [{"name": name, "status": status, "group": False} for name, status in components],
        "incidents": list(incidents),
    }


def incident(name: str, status="investigating", impact="major", components=()) -> dict:
    named = [{"name": component} for component in components]
    return {
        "name": name,
        "status": status,
        "impact": impact,
        "shortlink": "https://stspg.io/1",
        "components": named,
    }


@pytest.mark.parametrize(
    ("page", "patterns", "level", "title", "drift"),
    [
        (summary(), [], 0, "", False),
        (summary("maintenance"), [], -1, "", False),
        (summary("minor"), [], 1, "", False),
        (summary("major"), [], 2, "", False),
        (summary("critical", [("API", "operational")]), [], 3, "", False),
        # Only the components that matter count, whatever the case.
        (
            summary("critical", [("claude.ai", "major_outage"), ("Claude API", "operational")]),
            ["claude api"],
            0,
            "",
            False,
        ),
        (summary("none", [("API", "degraded_performance")]), ["API"], 1, "", False),
        (summary("none", [("api eu", "partial_outage"), ("API", "operational")]), ["api"], 2, "", False),
        (summary("none", [("API", "under_maintenance")]), ["api"], -1, "", False),
        # None of them there: the whole page's, and that is said.
        (summary("minor", [("Web", "operational")]), ["api"], 1, "", True),
        # Incidents: of these components, or of none but with the name.
        (
            summary("minor", [("API", "operational")], [incident("Slow", components=["API"])]),
            ["api"],
            2,
            "Slow",
            False,
        ),
        (
            summary("minor", [("API", "operational")], [incident("Slow", components=["Web"])]),
            ["api"],
            0,
            "",
            False,
        ),
        (
            summary("minor", [("API", "operational")], [incident("API errors")]),
            ["api"],
            2,
            "API errors",
            False,
        ),
        (summary("minor", [("API", "operational")], [incident("Chat errors")]), ["api"], 0, "", False),
        (summary("none", [], [incident("Old", "resolved")]), [], 0, "", False),
        (summary("none", [], [incident("Notice", impact="none")]), [], 0, "Notice", False),
        (
            summary("none", [], [incident("A", impact="minor"), incident("B", impact="critical")]),
            [],
            3,
            "B",
            False,
        ),
    ],
)
def test_statuspage(page, patterns, level, title, drift):
    word = statuspage.read(page, None, patterns)
    assert (word.level, word.title, word.drift) == (level, title, drift)
    assert word.url == ("https://stspg.io/1" if title else "")


def test_statuspage_asks_for_components_that_the_summary_leaves_out():
    page = summary("minor", [("ChatGPT", "partial_outage")])
    assert statuspage.lacks(page, ["responses"])
    assert not statuspage.lacks(page, [])
    parts = {"components": [{"name": "Responses", "status": "operational"}]}
    assert not statuspage.lacks(parts, ["responses"])
    assert statuspage.read(page, parts, ["responses"]) == Word(0, components={"Responses": 0})


@pytest.mark.parametrize(
    ("page", "patterns", "level", "title"),
    [
        ({"page": {"status": "UP"}}, [], 0, ""),
        ({"page": {"status": "UNDERMAINTENANCE"}, "activeMaintenances": [{}]}, [], -1, ""),
        ({"page": {"status": "HASISSUES"}, "activeIncidents": []}, [], 1, ""),
        (
            {"page": {"status": "HASISSUES"}, "activeIncidents": [{"name": "Down", "impact": "MAJOROUTAGE"}]},
            [],
            3,
            "Down",
        ),
    ],
)
def test_instatus(page, patterns, level, title):
    word = instatus.read(page, patterns)
    assert (word.level, word.title) == (level, title)


def test_betterstack():
    def page(state: str, *included: dict) -> dict:
        return {"data": {"attributes": {"aggregate_state": state}}, "included": list(included)}

    def resource(name: str, status: str) -> dict:
        return {"type": "status_page_resource", "attributes": {"public_name": name, "status": status}}

    def report(title: str, ends: str | None, starts="2026-03-18T11:00:00Z") -> dict:
        about = {"title": title, "starts_at": starts, "ends_at": ends, "aggregate_state": "degraded"}
        return {"type": "status_report", "attributes": about}

    read = lambda page, patterns=(): betterstack.read(page, patterns, "https://s", NOW)  # noqa: E731
    assert read(page("operational")).level == 0
    assert read(page("downtime")).level == 3
    assert read(page("maintenance")).level == -1
    both = page("downtime", resource("Chat API", "operational"), resource("Web", "downtime"))
    assert read(both, ["api"]) == Word(0, components={"Chat API": 0})
    assert read(both, ["embeddings"]).drift
    past = report("Past", "2026-03-18T11:30:00Z")
    later = report("Later", None, "2026-03-19T00:00:00Z")
    found = read(page("degraded", past, later, report("Now", None)))
    assert (found.level, found.title, found.url) == (1, "Now", "https://s")


def test_google_counts_open_incidents_of_these_products():
    def item(title: str, product: str, impact: str, end: str | None) -> dict:
        return {
            "external_desc": title,
            "begin": "2026-03-18T10:00:00+00:00",
            "end": end,
            "status_impact": impact,
            "affected_products": [{"title": product}],
            "uri": "incidents/abc",
            "service_name": "Multiple",
        }

    rows = [
        item("over", "Vertex Gemini API", "SERVICE_OUTAGE", "2026-03-18T11:00:00+00:00"),
        item("elsewhere", "Cloud SQL", "SERVICE_OUTAGE", None),
        item("slow", "Vertex Gemini API", "SERVICE_DISRUPTION", None),
    ]
    base = "https://status.cloud.google.com/incidents.json"
    word = google.read(rows, ["vertex"], base, NOW)
    assert word == Word(2, "slow", "https://status.cloud.google.com/incidents/abc")
    assert google.read(rows[:2], ["vertex"], base, NOW).level == 0
    assert google.read([], ["vertex"], base, NOW).level == 0


@pytest.mark.parametrize(
    ("title", "text", "hours", "level"),
    [
        ("API outage", "We are looking into it.", 1, 3),
        ("Partial outage of the API", "", 1, 2),
        ("Elevated latency", "Requests take longer.", 1, 1),
        ("Scheduled maintenance of the API", "", 1, -1),
        ("API outage", "<p><b>Resolved</b> - all good</p>", 1, 0),
        ("API outage", "This is not resolved yet", 1, 3),
        ("API outage", "Monitoring. The cause was fixed, all is back to normal", 1, 0),
        ("Service is operating normally: [RESOLVED] Increased errors", "", 1, 0),
        # Nobody closed it, and it is days old.
        ("API outage", "", 100, 0),
    ],
)
def test_rss_items(title, text, hours, level):
    at = datetime.fromtimestamp(NOW / 1e6 - hours * 3600, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    item = f"<item><title>{title}</title><description><![CDATA[{text}]]></description>"
    item += f"<link>https://status.x.ai/1</link><pubDate>{at}</pubDate></item>"
    word = rss.read(RSS.format(item).encode(), [], "https://base", NOW)
    assert word.level == level
    assert word.title == ("" if level == 0 else title)


def test_rss_takes_the_newest_word_on_each_incident_and_filters():
    def item(title: str, minute: int, link: str = "") -> str:
        about = f"<link>{link}</link>" if link else ""
        at = f"<pubDate>Wed, 18 Mar 2026 11:{minute:02} GMT</pubDate>"
        return f"<item><title>{title}</title>{about}{at}</item>"

    pair = item("Azure OpenAI outage", 10, "https://l/1") + item(
        "RESOLVED: Azure OpenAI outage", 40, "https://l/1"
    )
    assert rss.read(RSS.format(pair).encode(), [], "b", NOW).level == 0
    storage = item("Storage outage in Europe", 50)
    assert rss.read(RSS.format(storage).encode(), ["openai"], "b", NOW).level == 0
    assert rss.read(RSS.format(storage).encode(), [], "b", NOW).level == 3
    assert rss.read(RSS.format("").encode(), [], "b", NOW) == Word(0)


def test_atom_is_read_too():
    feed = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>Errors</title>'
        '<link href="https://s/1"/><updated>2026-03-18T11:00:00Z</updated></entry></feed>'
    )
    assert rss.read(feed.encode(), [], "b", NOW) == Word(1, "Errors", "https://s/1")


BOMB = (
    '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<rss><item><title>&b;</title></item></rss>"
)


@pytest.mark.parametrize(
    "data",
    [
        BOMB,
        '<!DOCTYPE r SYSTEM "file:///etc/passwd"><rss></rss>',
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><item><title>&x;</title></item></rss>',
        "<rss>" + "<a>" * 10_000,
        "<html><body>Just a moment</body></html>",
        "<rss><item>",
        '<?xml version="1.0" encoding="nonsense"?><rss/>',
        "",
        "no xml",
        "\x00\x01",
    ],
)
def test_a_feed_that_is_none_or_not_harmless_is_unknown(data):
    with pytest.raises(Unreadable):
        rss.read(data.encode(), [], "b", NOW)


@pytest.mark.parametrize("text", ["&lt;" * 20_000, "not fixed " * 200])
def test_a_feed_made_to_be_slow_is_read_at_once(text):
    items = "".join(f"<item><title>{n}</title><description>{text}</description></item>" for n in range(40))
    began = time.process_time()
    rss.read(f"<rss>{items}</rss>".encode(), (), "", NOW)
    assert time.process_time() - began < 5


def test_a_long_feed_is_cut():
    many = "<item><title>outage</title></item>" * 1_000
    assert len(rss.items(RSS.format(many).encode())) == 200
    huge = f"<item><title>{'x' * 1_000_000}</title></item>"
    assert len(rss.items(RSS.format(huge).encode())[0].title) <= 2_000


@pytest.mark.parametrize(
    "garbage",
    [
        None,
        [],
        {},
        "x",
        3,
        {"status": "ok"},
        {"status": {"indicator": "fine"}},
        {"page": "x"},
        {"page": {"status": "MAYBE"}},
        {"data": []},
        {"data": {"attributes": {"aggregate_state": "x"}}},
        {"status": {"indicator": "none"}, "components": "many"},
        {"data": None, "included": 3},
    ],
)
def test_json_that_is_no_status_page_is_unknown(garbage):
    for read in (
        lambda: statuspage.read(garbage, None, ["api"]),
        lambda: instatus.read(garbage, ["api"]),
        lambda: betterstack.read(garbage, ["api"], "b", NOW),
    ):
        with pytest.raises(Unreadable):
            read()
    if garbage != []:
        with pytest.raises(Unreadable):
            google.read(garbage, [], "b", NOW)


@pytest.mark.parametrize("rows", [[1, 2], [{"a": 1}], [None]])
def test_a_list_of_something_else_is_no_list_of_incidents(rows):
    with pytest.raises(Unreadable):
        google.read(rows, [], "b", NOW)


def test_known_pages_are_asked_by_https():
    assert {"openai", "anthropic", "google", "aws", "azure", "mistral", "x-ai", "groq"} <= set(KNOWN)
    for provider, page in KNOWN.items():
        assert page.url.startswith("https://"), provider
        assert page.provider == provider
