"""The example file and the reference page, made from the settings. `python -m tui_monitor.config.example`
writes both anew."""

import textwrap
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tui_monitor.config.docs import key_doc, section_doc
from tui_monitor.config.load import PREFIX
from tui_monitor.config.written import Key, keys, kind, sections, written

BEGIN = "<!-- made by `make docs` from the settings: change them there -->"
END = "<!-- end of what is made -->"
_WIDTH = 100
_HEAD = """\
# Settings of tui-monitor. Every key stands here with its default, commented out: take away the `#` to set it.
# The environment wins over this file: TUI_MONITOR_SERVER__LISTEN="" is `listen = ""` in [server].
# `tui-monitor config check` says what is wrong, `tui-monitor config show` what holds and why.
"""
_EXAMPLES: dict[tuple[str, str], str] = {
    ("general", "name"): '"ana"',
    ("general", "timezone"): '"Europe/Berlin"',
    ("database", "path"): '"/var/lib/tui-monitor/monitor.db"',
    ("prices", "file"): '"prices.toml"',
    ("costs", "daily_budget"): "20.0",
    ("log", "file"): '"/var/log/tui-monitor.log"',
    ("budgets", "name"): '"search, monthly"',
    ("budgets", "amount_usd"): "500.0",
    ("budgets", "scope"): '{ project = "search" }',
    ("alerts.rules", "name"): '"many errors"',
    ("alerts.rules", "expr"): '"error_rate{} [5m] by(provider) > 0.05"',
    ("alerts.rules", "for"): '"5m"',
    ("alerts.rules", "labels"): '{ team = "search" }',
    ("alerts.rules", "summary"): '"{{ $labels.provider }} fails {{ $value }}"',
    ("alerts.rules", "budget"): '"search, monthly"',
    ("consent", "agent_logs"): "true",
    ("consent", "provider_keys"): "true",
    ("consent", "status_pages"): "true",
    ("privacy", "key_file"): '"/etc/tui-monitor/privacy.key"',
    ("sampling", "queue_mark"): "0.5",
    ("sampling", "max_rows_per_day"): "1_000_000",
    ("query.prometheus", "url"): '"http://prometheus.example:9090"',
    ("query.prometheus", "bearer_token"): '"…"',
    ("query.prometheus", "bearer_token_env"): '"PROMETHEUS_TOKEN"',
    ("query.prometheus", "username"): '"ana"',
    ("query.prometheus", "password_env"): '"PROMETHEUS_PASSWORD"',
    ("query.prometheus", "password"): '"…"',
    ("query.prometheus", "tenant"): '"team-a"',
    ("query.prometheus", "headers"): '{ X-Proxy-Key = "abc" }',
    ("query.prometheus", "ca_file"): '"/etc/ssl/prometheus-ca.pem"',
    ("query.prometheus", "cert_file"): '"/etc/tui-monitor/me.pem"',
    ("query.prometheus", "key_file"): '"/etc/tui-monitor/me.key"',
    ("probes.targets", "provider"): '"vllm"',
    ("probes.targets", "url"): '"http://127.0.0.1:8000/v1"',
    ("probes.targets", "key"): '"sk-…"',
    ("probes.targets", "key_env"): '"VLLM_API_KEY"',
    ("status_pages.pages", "provider"): '"anthropic"',
    ("status_pages.pages", "url"): '"https://status.claude.com"',
    ("forward", "keep"): '["llm_.*", "tui_monitor_.*"]',
    ("forward", "labels"): '{ instance = "laptop" }',
    ("forward.receivers", "url"): '"http://127.0.0.1:9090/api/v1/write"',
    ("forward.receivers", "name"): '"prometheus"',
    ("forward.receivers", "bearer_token"): '"…"',
    ("forward.receivers", "bearer_token_env"): '"PROMETHEUS_TOKEN"',
    ("forward.receivers", "username"): '"ana"',
    ("forward.receivers", "password"): '"…"',
    ("forward.receivers", "password_env"): '"PROMETHEUS_PASSWORD"',
    ("forward.receivers", "tenant"): '"me"',
    ("forward.receivers", "ca_file"): '"/etc/ssl/ours.pem"',
    ("forward.receivers", "cert_file"): '"/etc/tui-monitor/me.pem"',
    ("forward.receivers", "key_file"): '"/etc/tui-monitor/me.key"',
}
"""What stands in the example where there is no default."""


def example() -> str:
    """The text of config.example.toml."""
    return "\n".join([_HEAD, *(_block(name, model, listed=listed) for name, model, listed in sections())])


def reference() -> str:
    """The tables of docs/config.md."""
    return "\n".join(_table(name, model, listed=listed) for name, model, listed in sections())


def put_between(page: str, made: str) -> str:
    """A page with its generated part replaced. Raises ValueError for a page without the two marks."""
    head, _, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not end:
        raise ValueError(f"no {BEGIN!r} … {END!r} in the page")
    return f"{head}{BEGIN}\n\n{made}\n{END}{tail}"


def _block(name: str, model: type[BaseModel], *, listed: bool) -> str:
    # A list of tables has no default entry: its header is commented out with the rest.
    lines = [*_comment(section_doc(model)), f"# [[{name}]]" if listed else f"[{name}]"]
    for key in keys(name, model):
        lines += _comment(key_doc(model, key.attribute))
        lines.append(f"# {key.name} = {_value(key)}")
    return "\n".join(lines) + "\n"


def _value(key: Key) -> str:
    given = _EXAMPLES.get((key.section, key.name))
    return written(key.field, _default(key)) if given is None else given


def _default(key: Key) -> Any:
    return key.field.get_default(call_default_factory=True)


def _comment(text: str) -> list[str]:
    return [f"## {line}" for line in textwrap.wrap(text, _WIDTH)]


def _table(name: str, model: type[BaseModel], *, listed: bool) -> str:
    title = f"[[{name}]]" if listed else f"[{name}]"
    lines = [f"### `{title}`", "", section_doc(model), "", "| key | what to write | default | meaning |"]
    lines.append("|---|---|---|---|")
    lines += [_row(key) for key in keys(name, model)]
    if not listed:
        lines += ["", f"In the environment: `{PREFIX}{name.upper().replace('.', '__')}__KEY`."]
    return "\n".join(lines) + "\n"


def _row(key: Key) -> str:
    if key.field.is_required():
        default = "required"
    else:
        value = _default(key)
        default = "–" if value is None else f"`{written(key.field, value)}`"
    what, meaning = kind(key.field), key_doc(key.model, key.attribute)
    cells = (f"`{key.name}`", f"`{what}`" if "|" in what else what, default, meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def write_all(root: Path) -> None:
    """Write the example file and the reference page of a source tree."""
    (root / "config.example.toml").write_text(example(), encoding="utf-8")
    page = root / "docs" / "config.md"
    page.write_text(put_between(page.read_text(encoding="utf-8"), reference()), encoding="utf-8")


if __name__ == "__main__":
    write_all(Path(__file__).resolve().parents[2])
