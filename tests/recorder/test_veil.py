"""What identifies people is hidden or left out before anything is stored."""

import hashlib
from pathlib import Path

import pytest

from tui_monitor.config.settings import Collector, Privacy
from tui_monitor.model.call import Call
from tui_monitor.model.clock import ManualClock
from tui_monitor.model.errors import UsageError
from tui_monitor.model.feed import Event, Sample
from tui_monitor.pricing.book import PriceBook
from tui_monitor.recorder.prepare import Preparer
from tui_monitor.recorder.veil import Veil

ANA = "ana@example.org"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "privacy.key"


def preparer(book: PriceBook, clock: ManualClock, key_file: Path, **names: list[str]) -> Preparer:
    veil = Veil.load(Privacy(key_file=key_file, **names))  # type: ignore[arg-type]
    return Preparer(Collector(), book, clock, veil)


def a_call(clock: ManualClock, **fields: object) -> Call:
    return Call("events", "1", ts_end=clock.now(), user=ANA, session="s1", **fields)  # type: ignore[arg-type]


def test_equal_values_have_equal_codes_and_none_is_in_clear(
    book: PriceBook, clock: ManualClock, key_file: Path
) -> None:
    one = preparer(book, clock, key_file, hash=["user", "enduser.mail"], drop=["session"])
    call = one.prepare(a_call(clock, attrs={"enduser": {"mail": ANA}, "kept": "x"}))
    assert isinstance(call, Call)
    assert call.user is not None
    assert call.user.startswith("user-")
    assert call.session is None
    assert call.attrs["kept"] == "x"
    assert ANA not in repr(call)
    # The next process, with the same key.
    again = preparer(book, clock, key_file, hash=["user"]).prepare(a_call(clock))
    assert isinstance(again, Call)
    assert again.user == call.user
    assert again.session == "s1"


def test_samples_and_events_are_covered_too(book: PriceBook, clock: ManualClock, key_file: Path) -> None:
    one = preparer(book, clock, key_file, hash=["user"], drop=["mail"])
    sample = one.prepare(Sample("queue", clock.now(), 1.0, {"user": ANA, "mail": ANA, "lane": "a"}))
    event = one.prepare(Event("mark", clock.now(), "events", "m", "deployed", labels={"user": ANA}))
    assert isinstance(sample, Sample)
    assert isinstance(event, Event)
    assert set(sample.labels) == {"user", "lane"}
    assert sample.labels["user"] == event.labels["user"] != ANA


def test_what_a_hidden_name_holds_is_hidden_with_it(
    book: PriceBook, clock: ManualClock, key_file: Path
) -> None:
    one = preparer(book, clock, key_file, hash=["user", "meta"], drop=["mail"])
    attrs = {"meta": {"owner": ANA, "more": {"by": ANA}}, "user.id": ANA, "mail": {"to": ANA}, "users": "2"}
    call = one.prepare(a_call(clock, attrs=attrs))
    assert isinstance(call, Call)
    assert ANA not in repr(call)
    assert set(call.attrs) == {"meta.owner", "meta.more.by", "user.id", "users"}
    assert call.attrs["user.id"] == call.user
    assert call.attrs["users"] == "2"


@pytest.mark.parametrize("how", ["hash", "drop"])
def test_keys_made_of_hidden_identities_are_hidden_and_stay_equal(
    book: PriceBook, clock: ManualClock, key_file: Path, how: str
) -> None:
    one = preparer(book, clock, key_file, **{how: ["trace_id", "span_id"]})

    def keys(source: str, *more: str) -> tuple[str, ...]:
        ids = {"trace_id": "4bf92f3577b3", "span_id": "00f067aa"}
        call = one.prepare(
            Call(source, "1", ts_end=clock.now(), call_keys=("4bf92f3577b3:00f067aa", *more), **ids)
        )
        assert isinstance(call, Call)
        assert "4bf92f3577b3" not in repr(call)
        assert "00f067aa" not in repr(call)
        return call.call_keys

    assert keys("events", "resp_00f067") == (*keys("otlp"), "resp_00f067")


def test_the_key_is_a_secret_and_no_plain_hash(key_file: Path) -> None:
    veil = Veil.load(Privacy(hash=["user"], key_file=key_file))
    assert veil is not None
    assert key_file.stat().st_mode & 0o777 == 0o600
    code = veil.code("user", ANA)
    digests = [hashlib.new(name, ANA.encode()).hexdigest() for name in ("md5", "sha1", "sha256", "blake2b")]
    assert not any(code.removeprefix("user-") in digest for digest in digests)
    other = Veil.load(Privacy(hash=["user"], key_file=key_file.with_name("other.key")))
    assert other is not None
    assert other.code("user", ANA) != code


def test_without_the_right_key_nothing_is_stored(key_file: Path) -> None:
    key_file.parent.mkdir()
    for content in ("", "no key", "ab" * 31):
        key_file.write_text(content)
        with pytest.raises(UsageError, match="holds no key"):
            Veil.load(Privacy(hash=["user"], key_file=key_file))
    key_file.unlink()
    key_file.mkdir()
    with pytest.raises(UsageError, match="cannot use"):
        Veil.load(Privacy(hash=["user"], key_file=key_file))


def test_nothing_hidden_needs_no_key(key_file: Path) -> None:
    assert Veil.load(Privacy(key_file=key_file)) is None
    assert Veil.load(Privacy(drop=["user"], key_file=key_file)) is not None
    assert not key_file.exists()


def test_what_figures_are_told_apart_by_cannot_be_hidden() -> None:
    with pytest.raises(ValueError, match="model cannot be hidden"):
        Privacy(hash=["model"])
