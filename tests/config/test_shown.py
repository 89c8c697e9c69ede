"""What is shown of the settings holds no secret, whatever it is and wherever it stands."""

from typing import Any

import pytest

from tui_monitor.config.load import Settings, load
from tui_monitor.config.shown import every, shown
from tui_monitor.model.errors import UsageError

SECRET = "s3cretly-hidden-7"
TABLES = {
    "query": {
        "prometheus": {
            "url": "http://prometheus.example:9090", "bearer_token": SECRET, "headers": {"X-Proxy": SECRET}
        }
    },
    "forward": {
        "receivers": [{"url": "https://hub.example/write", "username": "ana", "password": SECRET}],
        "labels": {"api_key": SECRET, "instance": "laptop"},
    },
    "probes": {
        "targets": [
            {"provider": "vllm", "url": f"http://ana:{SECRET}@127.0.0.1:8000/v1", "key": SECRET},
            {"provider": "tgi", "url": f"http://{SECRET}@127.0.0.1:8001/v1?token={SECRET}"},
        ]
    },
}  # fmt: skip


@pytest.fixture
def settings() -> Settings:
    return load(None, TABLES)


def test_no_secret_is_shown(settings: Settings) -> None:
    text = str(shown(settings))
    assert SECRET not in text
    assert "laptop" in text


def test_of_a_secret_it_is_told_whether_it_is_set(settings: Settings) -> None:
    found = {one.key: one for one in shown(settings)}
    assert (found["query.prometheus.bearer_token"].value, found["query.prometheus.bearer_token"].secret) == (
        "set", True,
    )  # fmt: skip
    assert found["query.prometheus.password"].value == "not set"
    assert found["query.prometheus.headers"].value == "set"
    assert found["probes.targets[1].key"].value == "set"
    assert found["probes.targets[2].key"].value == "not set"
    assert found["probes.targets[1].url"].value == "http://***@127.0.0.1:8000/v1"
    assert found["forward.receivers[1].password"].value == "set"


def test_values_are_as_they_are_written(settings: Settings) -> None:
    found = {one.key: one for one in shown(settings)}
    assert (found["server.max_body"].value, found["server.max_body"].default) == ("16 MB", True)
    assert found["query.slow"].value == "500ms"
    assert found["server.allowed_hosts"].value == []
    assert not found["query.prometheus.url"].default


def test_every_secret_field_there_is_is_known_for_one(settings: Settings) -> None:
    secrets = {one.key for one in shown(settings) if one.secret}
    from tui_monitor.config.problems import dotted

    for path, key, _ in every(settings):
        if "SecretStr" in str(key.field.annotation):
            assert dotted(path) in secrets


def test_arguments_of_a_program_and_parameters_of_an_address_are_not_shown() -> None:
    settings = load(None, {
        "alerts": {"command": ["curl", "--user", f"ana:{SECRET}", f"https://chat.example/hook/{SECRET}"]},
        "probes": {"targets": [{"provider": "vllm", "url": f"http://127.0.0.1:8000/v1?code={SECRET}&n=1"}]},
    })  # fmt: skip
    found = {one.key: one.value for one in shown(settings)}
    assert SECRET not in str(found)
    assert found["alerts.command"] == ["curl", "***", "***", "***"]
    assert found["probes.targets[1].url"] == "http://127.0.0.1:8000/v1?code=***&n=***"


@pytest.mark.parametrize(
    "tables",
    [
        {"query": {"prometheus": {"url": f"https://ana:{SECRET}@{'h' * 80}.example"}}},
        {"forward": {"receivers": [{"url": f"https://{SECRET}@hub.example/write"}]}},
        {"query": {"prometheus": {"url": f"https://hub.example/?sig={SECRET}"}}},
        {"alerts": {"command": ["x", {"a": SECRET}, 5]}},
        {"probes": {"targets": [{"provider": "vllm", "key": 7_777_777_777}]}},
        {"query": {"prometheus": {"headers": {"X-Proxy": 7_777_777_777}}}},
    ],
)
def test_what_is_wrong_is_told_without_the_secret_in_it(tables: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as wrong:
        load(None, tables)
    assert SECRET[:6] not in str(wrong.value)
    assert "7777777777" not in str(wrong.value)
