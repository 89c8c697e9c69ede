"""Filters: what they mean, which mistakes are named where, and when a text is one."""

from operator import eq, ge, gt, le, lt, ne

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.model.call import NANO, Call
from tui_monitor.model.errors import QueryError
from tui_monitor.model.timerange import Span
from tui_monitor.query.filters.ast import Compared, Every, Negated, Node, Some, Value
from tui_monitor.query.filters.meaning import Meaning
from tui_monitor.query.filters.parser import parse
from tui_monitor.query.filters.reading import as_filter, is_filter
from tui_monitor.store import where as where_of
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.where import HasLabel, HasNumber, Where

NOW = 1_773_835_200_000_000
ALL = Span(0, NOW)


@pytest.fixture
def found(store, engine):
    calls = [
        Call("t", "slow", ts_end=NOW - 1, provider="anthropic", model_served="claude-sonnet-4-5",
             latency_ms=1500.5, cost=60_000_000, in_uncached=9000, out_total=2000, status="success",
             http_status=200, stream=True, team="infra"),
        Call("t", "quick", ts_end=NOW - 2, provider="openai", model_served="gpt-4o", latency_ms=850.0,
             cost=NANO // 10, in_uncached=5, out_total=5, status="success", user="it's me"),
        Call("t", "failed", ts_end=NOW - 3, provider="openai", model_served="gpt-4o-mini", status="error",
             error_category="rate_limit", http_status=429, latency_ms=3000.0, stream=False),
        Call("t", "odd", ts_end=NOW - 4, provider="google", attrs={"document_id": "x y", "score 1": 0.5,
             "chunk_count": 12, "http.route": "/v1"}),
    ]  # fmt: skip
    store.write(WriteBatch(calls))
    return lambda text: [call.source_key for call in engine.calls(text, ALL, 100).calls]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("provider=claude AND latency>1000", ["slow"]),
        ("provider=claude AND latency>1000 OR status=error", ["slow", "failed"]),
        ("provider=openai and (status=error or latency<1s)", ["quick", "failed"]),
        ("NOT provider=openai", ["slow", "odd"]),
        ("provider!=gpt", ["slow", "odd"]),
        ("where latency>1.5s", ["slow", "failed"]),
        ("where latency>1500.5", ["failed"]),
        ("where latency>=1500.5", ["slow", "failed"]),
        ("latency=850", ["quick"]),
        ("where llm_request_duration_seconds>2", ["failed"]),
        ("where llm_request_duration_seconds>1500ms", ["slow", "failed"]),
        ("where cost>$0.05", ["slow", "quick"]),
        ("cost=0.1", ["quick"]),
        ("where cost!=0.1", ["slow"]),
        ("cost=unknown", ["failed", "odd"]),
        ("NOT cost=unknown", ["slow", "quick"]),
        ("where tokens>10k", ["slow"]),
        ("where tokens<=10", ["quick"]),
        ("NOT tokens>10k", ["quick"]),
        ("NOT (tokens>10k AND provider=claude)", ["quick", "failed", "odd"]),
        ("tokens=10.5", []),
        ("NOT tokens=10.5", ["slow", "quick"]),
        ("http_status>=400", ["failed"]),
        ("http_status~4..", ["failed"]),
        ("error_type=rate_limit", ["failed"]),
        ('team=""', ["quick", "failed", "odd"]),
        ("team!=infra", ["quick", "failed", "odd"]),
        ("stream=true", ["slow"]),
        ("model~gpt-4o", ["quick", "failed"]),
        ("model=~gpt-4o", ["quick"]),
        ('model=~"gpt-4o.*" AND model!~".*mini"', ["quick"]),
        ("NOT model~gpt", ["slow", "odd"]),
        ("user='it\\'s me'", ["quick"]),
        ("document_id='x y'", ["odd"]),
        ('"score 1"=0.5', ["odd"]),
        ('"score 1">0.4', ["odd"]),
        ("http.route=/v1", ["odd"]),
        ("where chunk_count>10", ["odd"]),
        ("NOT chunk_count>10", []),
        ("where", ["slow", "quick", "failed", "odd"]),
        ("where NOT NOT status=error  # those that failed", ["failed"]),
    ],
)
def test_calls_that_pass(found, text, keys):
    assert is_filter(text)
    assert found(text) == keys


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("latancy=4", (0, 7), "did you mean latency"),
        ("status=eror", (7, 4), "did you mean error"),
        ("where cost>5m", (11, 2), "cost is money, 5m is a time"),
        ("where tokens>10m", (13, 3), "10m is a time"),
        ("where latency>$5", (14, 2), "latency is a time, $5 is money"),
        ("where latency>fast", (14, 4), "expected a number"),
        ("model=gpt 4", (10, 1), "unexpected character 4"),
        ("provider=a latency>5", (11, 7), "expected AND, OR or the end"),
        ("provider==claude", (9, 1), "expected a value"),
        ("error_rate=0.1", (0, 10), "error_rate is a metric"),
        ("(provider=a", (11, 1), "expected AND, OR or )"),
        ("provider=", (9, 1), "expected a value, found the end"),
        ("provider=a AND", (14, 1), "expected a field"),
        ("provider=NOT", (9, 3), "expected a value"),
        ('model~"("', (6, 3), "not a regular expression"),
        ("user>5", (0, 4), "user is a text"),
        ("latency~5", (0, 7), "latency is a number"),
        ("where chunk_count>5ms", (18, 3), "unit of chunk_count"),
        ("team='a", (5, 1), "not closed"),
        ("nobody_has_it=x", (0, 13), 'unknown field "nobody_has_it"'),
        ("NOT " * 101 + "a=b", (400, 3), "more than 100"),
        ("(" * 101 + "a=b", (100, 1), "more than 100"),
    ],
)
def test_a_mistake_is_shown_where_it_is(engine, text, place, words):
    assert is_filter(text)
    with pytest.raises(QueryError) as raised:
        engine.calls(text, ALL, 10)
    assert words in raised.value.message
    assert (raised.value.position, raised.value.length) == place
    assert raised.value.text == text


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("latency>1000", "where latency>1000"),
        ("latency > 1s and cost > $0.05", "where latency>1s AND cost>$0.05"),
        ("latency>$5", None),
        ("error_rate > 0.1", None),
        ("a != b", None),
        ("up == 1", None),
        ("latency AND on(job) up", None),
        ("latency > bool 5", None),
        ('cost{model="x"} > 5', None),
        ("cost [1h] > 5", None),
        ('rate(llm_requests_total{team="infra"}[5m]) > 0', None),
        ('sum by(model) (rate({__name__="x"}[5m])) != 1', None),
        ('label_replace(up, "a", "$1", "b", "(.*)") == 1', None),
        ("latency # where=it AND", None),
        ("where_is_it > 5", None),
        ("whereabouts", None),
    ],
)
def test_what_is_a_query_stays_one(text, instead):
    assert not is_filter(text)
    assert as_filter(text) == instead


@pytest.mark.parametrize(
    "text",
    [
        "where", "WHERE latency>5", "latency>1000 AND cost>0.05", "cost<1 OR latency>5s", "not latency>5",
        "latency>5 AND not cost>1", "status!=error", 'provider!="x"', "a='it is [1h]'", "a=b", "attempts>1",
        "NOT (latency>1000)", "latency>1000 AND (cost>5)", "a ~ b",
    ],
)  # fmt: skip
def test_what_is_a_filter(text):
    assert is_filter(text)
    assert as_filter(text) is None


names = st.sampled_from(["provider", "latency", "team", "http.route", "odd name", "and", 'qu"ote', "é"])
texts = st.text(max_size=8).filter(lambda text: text.isprintable())
values = st.builds(lambda text, quoted: Value(text, quoted or str(Value(text)) != text), texts, st.booleans())
ops = st.sampled_from(["=", "!=", "~", "=~", "!~", ">", ">=", "<", "<="])
trees = st.recursive(
    st.builds(Compared, names, ops, values),
    lambda part: (
        part.map(Negated)
        | st.lists(part.filter(lambda p: not isinstance(p, Every)), min_size=2, max_size=3).map(
            lambda parts: Every(tuple(parts))
        )
        | st.lists(part.filter(lambda p: not isinstance(p, Some)), min_size=2, max_size=3).map(
            lambda parts: Some(tuple(parts))
        )
    ),
    max_leaves=8,
)


@given(trees)
def test_the_printed_form_reads_as_the_same(tree: Node):
    assert parse(str(tree)) == tree


numbers = st.builds(
    lambda op, bound: Compared("latency", op, Value(bound)),
    st.sampled_from(["=", "!=", ">", ">=", "<", "<="]), st.sampled_from(["1", "1.5", "2ms", "unknown"]),
).filter(lambda test: test.value.text != "unknown" or test.op in ("=", "!="))  # fmt: skip
labels = st.builds(
    lambda op, text: Compared("team", op, Value(text, quoted=True)),
    st.sampled_from(["=", "!=", "~"]), st.sampled_from(["", "a", "b"]),
)  # fmt: skip
asked = st.recursive(
    numbers | labels,
    lambda part: part.map(Negated) | st.tuples(part, part).map(Every) | st.tuples(part, part).map(Some),
    max_leaves=6,
)
COMPARE = {"=": eq, "!=": ne, ">": gt, ">=": ge, "<": lt, "<=": le}


def holds(node: Node, latency: float | None, team: str) -> bool | None:
    """Three-valued logic, straight from the page: `None` is neither so nor not so."""
    match node:
        case Negated(part):
            inner = holds(part, latency, team)
            return None if inner is None else not inner
        case Every(parts):
            found = [holds(part, latency, team) for part in parts]
            return False if False in found else None if None in found else True
        case Some(parts):
            found = [holds(part, latency, team) for part in parts]
            return True if True in found else None if None in found else False
        case Compared(name="team", op=op, value=value):
            return value.text in team if op == "~" else COMPARE[op](team, value.text)
        case Compared(op=op, value=value):
            if value.text == "unknown":
                return (latency is None) is (op == "=")
            bound = float(value.text.removesuffix("ms"))
            return None if latency is None else COMPARE[op](latency, bound)


def passes(where: Where, latency: float | None, team: str) -> bool:
    match where:
        case HasLabel():
            return where.accepts(team)
        case HasNumber(low=low, high=high):
            stored = None if latency is None else latency * 1000
            if stored is None:
                return False
            return (low is None or stored >= low) and (high is None or stored <= high)
        case where_of.Not(part):
            return not passes(part, latency, team)
        case where_of.All(parts):
            return all(passes(part, latency, team) for part in parts)
        case where_of.Some(parts):
            return any(passes(part, latency, team) for part in parts)


@given(asked, st.sampled_from([None, 0.5, 1.0, 1.5, 2.0, 3.0]), st.sampled_from(["", "a", "b", "ab"]))
def test_what_is_unknown_passes_neither_a_comparison_nor_its_opposite(
    tree: Node, latency: float | None, team: str
):
    assert passes(Meaning("").of(tree), latency, team) is (holds(tree, latency, team) is True)


pieces = st.sampled_from(
    ["latency", "provider", ">", "=", "~", "!=", "<=", "(", ")", "NOT ", " AND ", " or ", '"', "'x'", "$5",
     "10k", "5%", "[", "{", "\\", "#", "\n", " ", "where ", "é", "\x1b", "(?i)", "*"]
)  # fmt: skip


@given(st.lists(pieces, max_size=12).map("".join) | st.text(max_size=30))
def test_any_text_is_read_or_refused_at_a_place(text: str):
    is_filter(text)
    as_filter(text)
    found: QueryError | None = None
    try:
        Meaning(text).of(parse(text))
    except QueryError as error:
        found = error
    assert found is None or 0 <= found.position <= len(text)
