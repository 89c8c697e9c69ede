"""Servers that are down, hang, lie or drown us: each question ends in time with words that help."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources import loopback
from tests.sources.loopback import Asked, Handler, Server, answer, serving
from tui_monitor.config.querying import RemotePrometheus
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import HOUR, SECOND, SystemClock
from tui_monitor.model.errors import MonitorError, UsageError
from tui_monitor.query.engines.prometheus.client import Server as Remote
from tui_monitor.query.engines.prometheus.engine import RemoteEngine
from tui_monitor.query.engines.prometheus.trouble import RemoteError
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql.limits import QueryCancelled

NOW = 1_773_835_200 * SECOND
SECRET = "hush-" + "0123456789"
EMPTY = {"status": "success", "data": {"resultType": "vector", "result": []}}


@pytest.fixture
def asking(engine: LocalEngine) -> Iterator:
    """An engine over a server, and what it answers or raises."""
    made: list[RemoteEngine] = []

    def ask(url: str, text: str = "requests{} [1h]", **settings: object):
        remote = RemotePrometheus.model_validate({"url": url, **settings})
        server = Remote(remote, SystemClock())
        made.append(RemoteEngine(server, engine, Calendar(), SystemClock(), remote.interval))
        return made[-1].instant(text, NOW)

    yield ask
    for one in made:
        one.close()


@pytest.mark.parametrize(
    ("handler", "words", "hint"),
    [
        (loopback.hang, "no answer within 0.5 s", "timeout"),
        (loopback.drip_headers, "no answer within 0.5 s", "timeout"),
        (loopback.drip_body, "no answer within 0.5 s", "timeout"),
        (loopback.endless, "longer than 1,000,000 bytes", "max_answer"),
        (loopback.cut, "broke off", ""),
        (loopback.no_http, "broke off", ""),
        (loopback.slam, "broke off", ""),
        (answer(b"<html>login</html>", content_type="text/html"), "web page", "proxy"),
        (answer(b"<html>wrong</html>", 502, "text/html"), "in trouble (HTTP 502)", "log"),
        (answer({"status": "error", "errorType": "internal", "error": "disk"}, 500), "disk", "log"),
        (answer(b"no", 401, "text/plain"), "does not let us in", "token"),
        (answer({"status": "error", "error": "no"}, 403), "does not let us in", "token"),
        (answer(b"404 page not found", 404, "text/plain"), "no Prometheus API", "/api/v1/"),
        (answer(b"", 302, location="http://elsewhere.example/"), "redirects", "url"),
        (answer(b"slow down", 429, "text/plain"), "too much", "minute"),
        (answer({"hello": "world"}), "not Prometheus's JSON", "url"),
        (answer([1, 2]), "not Prometheus's JSON", "url"),
        (answer({"status": "success"}), "not Prometheus's form", "url"),
        (answer({"status": "success", "data": {"resultType": "vector", "result": [1]}}), "form", "url"),
    ],
)
def test_each_has_words_and_what_to_do(asking, handler: Handler, words: str, hint: str) -> None:
    timeout = "500ms" if "within" in words else "20s"
    with serving(handler) as server, pytest.raises(RemoteError) as caught:
        asking(server.url, max_answer="1 MB", bearer_token=SECRET, timeout=timeout)
    assert words in caught.value.message
    assert hint in (caught.value.hint or "")
    assert SECRET not in f"{caught.value.message} {caught.value.hint} {caught.value!r}"


def test_nobody_there(asking) -> None:
    with serving(loopback.hang) as server:
        pass
    with pytest.raises(RemoteError, match="the connection was refused") as caught:
        asking(server.url)
    assert "query.prometheus.url" in (caught.value.hint or "")


def test_certificates_that_cannot_be_read(asking, tmp_path: Path) -> None:
    with serving(answer(EMPTY)) as server, pytest.raises(UsageError, match="cannot be read"):
        asking(server.url, ca_file=str(tmp_path / "none.pem"))


def test_a_server_that_hangs_is_left_alone_for_a_while(engine: LocalEngine, clock) -> None:
    """So a view of thirty questions does not wait thirty times."""
    remote = RemotePrometheus.model_validate({"timeout": "300ms", "url": "http://127.0.0.1:1"})
    with serving(loopback.hang) as server:
        remote = remote.model_copy(update={"url": server.url})
        one = RemoteEngine(Remote(remote, clock), engine, Calendar(), clock, remote.interval)
        for _question in range(30):
            with pytest.raises(RemoteError, match="no answer within"):
                one.instant("requests{} [1h]", NOW)
        assert len(server.asked) == 1
        clock.advance(10 * SECOND)
        with pytest.raises(RemoteError):
            one.instant("requests{} [1h]", NOW)
        assert len(server.asked) == 2
        one.close()


def test_a_question_can_be_called_off(engine: LocalEngine) -> None:
    cancel = threading.Event()
    with serving(loopback.hang) as server:
        remote = RemotePrometheus.model_validate({"url": server.url})
        one = RemoteEngine(Remote(remote, SystemClock()), engine, Calendar(), SystemClock(), remote.interval)
        threading.Timer(0.1, cancel.set).start()
        with pytest.raises(QueryCancelled):
            one.instant("requests{} [1h]", NOW, cancel=cancel)
        one.close()


@pytest.mark.parametrize(
    ("settings", "header", "value"),
    [
        ({"bearer_token": SECRET}, "authorization", f"Bearer {SECRET}"),
        ({"bearer_token_env": "REMOTE_SECRET"}, "authorization", f"Bearer {SECRET}"),
        ({"username": "ana", "password": "pw"}, "authorization", "Basic YW5hOnB3"),
        ({"tenant": "team-a"}, "x-scope-orgid", "team-a"),
        ({"headers": {"X-Key": SECRET}}, "x-key", SECRET),
    ],
)
def test_who_asks_stands_in_the_headers(asking, monkeypatch, settings: dict, header: str, value: str) -> None:
    monkeypatch.setenv("REMOTE_SECRET", SECRET)
    with serving(answer(EMPTY)) as server:
        assert asking(server.url, **settings).series == ()
    assert {asked.headers.get(header) for asked in server.asked} == {value}
    assert not any(SECRET in asked.path for asked in server.asked)
    assert SECRET not in repr(RemotePrometheus.model_validate({"url": server.url, **settings}))


def test_a_secret_that_is_not_there_is_told_and_nothing_is_sent(asking, monkeypatch) -> None:
    monkeypatch.delenv("REMOTE_SECRET", raising=False)
    for settings in (
        {"bearer_token_env": "REMOTE_SECRET"},
        {"username": "u", "password_env": "REMOTE_SECRET"},
    ):
        with (
            serving(answer(EMPTY)) as server,
            pytest.raises(UsageError, match=r"query\.prometheus: REMOTE_SECRET is not set"),
        ):
            asking(server.url, **settings)
        assert server.asked == []


def test_a_server_that_repeats_our_secret_does_not_get_it_shown(asking) -> None:
    form = {"status": "error", "errorType": "bad_data", "error": f"what is {SECRET}?"}
    with serving(answer(form, 400)) as server, pytest.raises(MonitorError) as caught:
        asking(server.url, headers={"X-Key": SECRET})
    assert "what is ***?" in caught.value.message


def test_what_a_server_sends_is_cleaned(asking) -> None:
    evil = {"model": "\x1b[2Jgpt\u202e", "__name__": "m"}
    form = {
        "status": "success", "warnings": ["\x1b]0;x\x07careful"],
        "data": {"resultType": "vector", "result": [{"metric": evil, "value": [1, "3"]}]},
    }  # fmt: skip
    with serving(answer(form)) as server:
        result = asking(server.url, "max by (model) (m)")
    assert result.series[0].label("model") == "[2Jgpt"
    assert not any("\x1b" in text for text in result.warnings)
    assert result.series[0].value == 3


@pytest.mark.parametrize("text", ["NaN", "+Inf", "-Inf"])
def test_what_is_no_number_is_no_data(asking, text: str) -> None:
    form = {"status": "success", "data": {"resultType": "scalar", "result": [1, text]}}
    with serving(answer(form)) as server:
        assert asking(server.url, "scalar(m)").series[0].value is None


def _asked(server: Server, path: str) -> list[Asked]:
    return [asked for asked in server.asked if asked.path.endswith(path)]


def test_answers_are_kept_for_a_while(engine: LocalEngine, clock) -> None:
    with serving(answer(EMPTY)) as server:
        remote = RemotePrometheus.model_validate({"url": server.url})
        one = RemoteEngine(Remote(remote, clock), engine, Calendar(), clock, remote.interval)
        for at in (clock.now(), clock.now() - HOUR):
            for _again in range(3):
                one.instant("requests{} [1h]", at)
        # One more asks which histograms it keeps.
        assert len(_asked(server, "/query")) == 3
        then = clock.now()
        clock.advance(20 * SECOND)
        one.instant("requests{} [1h]", then)
        one.instant("requests{} [1h]", then - HOUR)
        assert len(_asked(server, "/query")) == 4, "only what reaches to the present is asked again"
        one.close()


def test_samples_of_this_collector_are_answered_from_here(asking) -> None:
    with serving(loopback.hang) as server:
        result = asking(server.url, "system_cpu_utilization{} avg")
        assert server.asked == []
    assert not result.approximate


def test_status_says_what_is_wrong_and_does_not_hang(store, private_home, tmp_path, capsys) -> None:
    from tui_monitor.cli.main import run

    store.close()
    config = private_home / "config.toml"
    with serving(loopback.hang) as server:
        config.write_text(
            f'[query]\nengine = "prometheus"\n[query.prometheus]\nurl = "{server.url}"\ntimeout = "300ms"\n'
        )
        code = run(["--config", str(config), "--db", str(tmp_path / "monitor.db"), "--json", "status"])
    form = json.loads(capsys.readouterr().out)
    assert code == 3
    assert form["status"] == "error"
    assert "no answer within 0.3 s" in form["error"]


def test_a_server_without_address_is_an_error_of_the_configuration() -> None:
    from tui_monitor.config.load import load_text

    with pytest.raises(MonitorError, match=r"query\.prometheus\.url"):
        load_text(Path("config.toml"), '[query]\nengine = "prometheus"\n')
    with pytest.raises(MonitorError, match="not in the address"):
        load_text(Path("config.toml"), '[query.prometheus]\nurl = "http://ana:pw@host:9090"\n')


def test_a_shipped_rule_that_no_server_can_answer_is_no_error_of_the_configuration(
    private_home, tmp_path, capsys
) -> None:
    from tui_monitor.cli.main import run

    config = private_home / "config.toml"
    config.write_text('[query]\nengine = "prometheus"\n[query.prometheus]\nurl = "http://127.0.0.1:1"\n')
    arguments = ["--config", str(config), "--db", str(tmp_path / "monitor.db")]
    assert run([*arguments, "config", "check"]) == 0
    assert run([*arguments, "rules", "check"]) == 0
    assert "app silent" in "".join(capsys.readouterr())
