"""Whatever is asked, in whichever language: an answer, or a refusal with its place in the text."""

from collections.abc import Iterator
from random import Random

import pytest
from fuzzing import WRITTEN, Reads, Torn
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.examples import examples


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reads]:
    reads = Reads(tmp_path_factory.mktemp("fuzzed"))
    yield reads
    reads.store.close()


@settings(max_examples=examples(40))
@given(st.integers(0, 1 << 32).map(lambda seed: Torn(Random(seed), WRITTEN).text()))
@example("time(u)")
@example('x{job="a\ud800b"}')
@example("provider=\ud800")
@example('x{job="\\ud800"}')
@example("x[1h:1ms]")
@example("irate(x[99999d])")
@example("irate(llm_requests_total[99999d])")
@example("last_over_time(llm_requests_active[99999d])")
@example('ü\ud800({"my.me\ud800({"my.merequess')
@example("count_values('a', x[5m:])" * 20)
def test_torn_queries_are_answered_or_refused(reads: Reads, text: str):
    assert reads.wrong(text) == ""


@settings(max_examples=examples(40))
@given(st.text(max_size=40))
def test_any_text_is_answered_or_refused(reads: Reads, text: str):
    assert reads.wrong(text) == ""


def test_what_people_ask_is_answered(reads: Reads):
    for text in WRITTEN:
        assert reads.wrong(text) == "", text
