"""What is probed: what the settings name, and keys found only after consent."""

import logging

import pytest
from pydantic import SecretStr

from tests.sources.loopback import Context
from tui_monitor.config.logs import redactor
from tui_monitor.model.clock import ManualClock
from tui_monitor.model.providers import KEY_VARIABLES
from tui_monitor.sources.probes.source import ProbeSource
from tui_monitor.sources.probes.targets import near, targets_of

KEY = "not-a-real-key-0123456789"


def found(environ=None, targets=(), consent=None):
    settings = Context(
        ManualClock(0),
        probes={"targets": list(targets)},
        consent={"provider_keys": consent} if consent else None,
    ).settings
    return targets_of(settings, environ or {})


def test_keys_are_used_only_after_consent():
    environ = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}
    assert found(environ).targets == []
    off = ProbeSource(environ).off(Context(ManualClock(0)).settings)
    assert "consent.provider_keys" in off
    targets = found(environ, consent=True).targets
    assert [(t.provider, t.kind, t.base, t.label) for t in targets] == [
        ("openai", "openai", "https://api.openai.com/v1", "api.openai.com"),
        ("anthropic", "anthropic", "https://api.anthropic.com", "api.anthropic.com"),
    ]
    assert ProbeSource(environ).off(Context(ManualClock(0), consent={"provider_keys": True}).settings) == ""


def test_a_named_target_needs_no_consent_and_takes_the_place_of_a_key_found():
    environ = {"OPENAI_API_KEY": KEY, "MY_KEY": "other-key-9876543210"}
    target = {"provider": "openai", "url": "https://gateway.example.org/v1", "key_env": "MY_KEY"}
    for consent in (None, True):
        (only,) = found(environ, [target], consent).targets
        assert only.base == "https://gateway.example.org/v1"
        assert only.key == SecretStr("other-key-9876543210")


@pytest.mark.parametrize("variable", sorted(set(KEY_VARIABLES) - {"PERPLEXITY_API_KEY"}))
def test_every_key_that_is_offered_is_used(variable):
    environ = {variable: KEY, "AZURE_OPENAI_ENDPOINT": "https://me.openai.azure.com/"}
    (target,) = found(environ, consent=True).targets
    assert target.provider == KEY_VARIABLES[variable]
    assert target.base.startswith("https://")
    assert KEY not in repr(target)
    assert redactor.clean(f"sent {KEY}") == "sent ***"


def test_addresses_of_variables():
    environ = {
        "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "http://localhost:8000/v1/",
        "GROQ_API_KEY": KEY, "GROQ_BASE_URL": "https://api.groq.com",
        "MISTRAL_API_KEY": KEY, "MISTRAL_BASE_URL": "http://mistral.example.org/v1",
        "AZURE_OPENAI_API_KEY": KEY,
        "XAI_API_KEY": KEY, "XAI_BASE_URL": "not an address",
        "DEEPSEEK_API_KEY": KEY, "DEEPSEEK_BASE_URL": "deepseek.example.org",
    }  # fmt: skip
    told = found(environ, consent=True)
    assert {t.provider: t.base for t in told.targets} == {
        "openai": "http://localhost:8000/v1",
        "groq": "https://api.groq.com/openai/v1",
        "deepseek": "https://deepseek.example.org",
    }
    assert told.problems == [
        "mistral: its key found here is not sent over plain http",
        "x-ai: its address is not one; write it like https://host/v1",
        "azure: AZURE_OPENAI_ENDPOINT is not set",
    ]


def test_targets_without_an_address_take_the_providers_own():
    told = found(
        {"OLLAMA_HOST": "127.0.0.1:9999"}, [{"provider": "claude"}, {"provider": "ollama"}, {"provider": "x"}]
    )
    assert [(t.provider, t.kind, t.base) for t in told.targets] == [
        ("anthropic", "anthropic", "https://api.anthropic.com"),
        ("ollama", "ollama", "http://127.0.0.1:9999"),
    ]
    assert told.problems == ["x: no address is known; give its url in [[probes.targets]]"]


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("0.0.0.0", "http://0.0.0.0:11434"),
        ("[::1]", "http://[::1]:11434"),
        ("gpu.lan:80", "http://gpu.lan:80"),
        ("http://gpu.lan", "http://gpu.lan"),
        ("", "http://127.0.0.1:11434"),
    ],
)
def test_where_ollama_runs_is_read_as_it_reads_it_itself(host, base):
    (target,) = found({"OLLAMA_HOST": host}, [{"provider": "ollama"}]).targets
    assert target.base == base


def test_labels_tell_addresses_apart_and_no_secrets():
    told = found(
        {},
        [
            {"provider": "openai", "url": "https://user:" + "hunter2hunter2@gw.example.org/a/v1"},
            {"provider": "openai", "url": "https://gw.example.org/b/v1?key=hunter2hunter2"},
            {"provider": "openai", "url": "https://gw.example.org/b/v1"},
            {"provider": "vllm", "kind": "vllm", "url": "https://gw.example.org"},
        ],
    )
    assert [t.label for t in told.targets] == ["gw.example.org/a/v1", "gw.example.org/b/v1", "gw.example.org"]
    assert not any("hunter2" in t.label for t in told.targets)
    assert redactor.clean("hunter2hunter2") == "***"


def test_addresses_that_differ_in_nothing_that_is_shown_are_told_apart():
    urls = ["http://gw.lan/v1", "https://gw.lan/v1", "https://u:pw0123456789@gw.lan/v1", "https://gw.lan/a"]
    long = "https://gw.lan/" + "a" * 120
    told = found({}, [{"provider": "openai", "url": url} for url in [*urls, long + "/x", long + "/y"]])
    assert [t.label for t in told.targets][:4] == [
        "gw.lan/v1 (1)",
        "gw.lan/v1 (2)",
        "gw.lan/v1 (3)",
        "gw.lan/a",
    ]
    assert len({t.label for t in told.targets}) == 6


@pytest.mark.parametrize("key", ["two\nlines-0123456789", "schlüssel-0123456789"])
def test_a_key_that_no_header_can_hold_is_not_sent(key, caplog):
    with caplog.at_level(logging.DEBUG):
        told = found({}, [{"provider": "openai", "key": key}])
    assert told.targets[0].key is None
    assert told.problems == ["openai: its key holds characters that no header can"]
    assert key not in caplog.text


def test_a_variable_that_is_not_set_is_told():
    told = found({}, [{"provider": "openai", "key_env": "NO_SUCH"}])
    assert told.targets[0].key is None
    assert told.problems == ["openai: NO_SUCH is not set; it is asked without a key"]


@pytest.mark.parametrize(
    ("address", "is_near"),
    [
        ("http://127.0.0.1:1", True),
        ("http://[::1]:1", True),
        ("http://10.1.2.3", True),
        ("http://gpu-box", True),
        ("http://gpu.local", True),
        ("https://api.openai.com", False),
        ("https://8.8.8.8", False),
    ],
)
def test_what_is_near_proves_nothing_about_the_network(address, is_near):
    assert near(address) is is_near


def test_keys_that_cannot_be_used_are_told():
    told = found(
        {"PERPLEXITY_API_KEY": KEY, "AZURE_OPENAI_API_KEY": KEY, "LITELLM_API_KEY": KEY}, consent=True
    )
    assert told.targets == []
    assert told.problems == [
        "azure: AZURE_OPENAI_ENDPOINT is not set",
        "perplexity: no free request is known, its key is not used",
    ]
