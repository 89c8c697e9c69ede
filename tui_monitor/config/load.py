"""The settings as they hold: defaults, under the file, under the environment, under the command line.

Importing this costs pydantic: do it where the settings are needed, not at the head of a face.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from tui_monitor.config import places, settings
from tui_monitor.config.layers import Layer, Layers
from tui_monitor.config.problems import describe, keys_of, model_in, nearest
from tui_monitor.config.settings import BudgetSettings
from tui_monitor.config.toml import KeyPath, TomlFile, parse_toml, read_toml
from tui_monitor.model.calendar import Calendar, plain_zone
from tui_monitor.model.errors import UsageError

PREFIX = "TUI_MONITOR_"
DAILY_BUDGET = "DAILY_BUDGET"
_DAILY = "daily"
_NESTED = "__"
_NO_SETTINGS = frozenset({"TOKEN"})
"""Variables with our prefix that are read elsewhere: the token for `--attach`."""


class Settings(BaseSettings):
    """Everything that can be set, by section. Made by `load`, which puts the layers together."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter=_NESTED, extra="forbid")

    general: settings.General = settings.General()
    database: settings.DatabaseSettings = settings.DatabaseSettings()
    collector: settings.Collector = settings.Collector()
    screen: settings.Screen = settings.Screen()
    keys: settings.Keys = settings.Keys()
    server: settings.Server = settings.Server()
    retention: settings.Retention = settings.Retention()
    prices: settings.Prices = settings.Prices()
    costs: settings.Costs = settings.Costs()
    budgets: list[BudgetSettings] = []
    alerts: settings.Alerts = settings.Alerts()
    health: settings.HealthSettings = settings.HealthSettings()
    consent: settings.Consent = settings.Consent()
    agents: settings.Agents = settings.Agents()
    probes: settings.Probes = settings.Probes()
    status_pages: settings.StatusPages = settings.StatusPages()
    query: settings.Query = settings.Query()
    privacy: settings.Privacy = settings.Privacy()
    sampling: settings.Sampling = settings.Sampling()
    forward: settings.Forward = settings.Forward()
    log: settings.Log = settings.Log()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands over: it has read the environment, and knows where each value is from."""
        return (init_settings,)

    @field_validator("query")
    @classmethod
    def _has_server(cls, query: settings.Query) -> settings.Query:
        if query.engine == "prometheus" and query.prometheus.url is None:
            raise ValueError('engine = "prometheus" needs the server\'s address as query.prometheus.url')
        return query

    @field_validator("budgets")
    @classmethod
    def _unique(cls, budgets: list[BudgetSettings]) -> list[BudgetSettings]:
        names = [budget.name for budget in budgets]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"budget name used twice: {', '.join(twice)}")
        return budgets

    def calendar(self) -> Calendar:
        """The user's days, weeks and months."""
        week_start = get_args(settings.Weekday).index(self.general.week_start)
        zone = plain_zone(self.general.timezone or system_zone())
        return Calendar(zone, week_start, self.costs.month_starts_on)

    def database_path(self) -> Path:
        """The database to use."""
        return self.database.path or places.database_file()

    def all_budgets(self) -> list[BudgetSettings]:
        """Every budget, with the one that `costs.daily_budget` stands for."""
        amount = self.costs.daily_budget
        if amount is None:
            return list(self.budgets)
        taken = any(budget.name == _DAILY for budget in self.budgets)
        name = f"{_DAILY} ({DAILY_BUDGET})" if taken else _DAILY
        return [*self.budgets, BudgetSettings(name=name, period="day", amount_usd=amount)]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where each of them comes from."""

    settings: Settings
    layers: Layers
    file: Path | None
    """The file that was read, if there is one."""
    warnings: tuple[str, ...] = ()


def load(config_file: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings. `overrides` are tables as in the file, and win over all else.

    Without a file named, the one in the usual place is read if it is there. Raises `UsageError` that names
    every problem at once.
    """
    return load_all(config_file, overrides).settings


def load_all(config_file: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Loaded:
    """As `load`, with the origin of each value."""
    return _loaded(_file(config_file), overrides or {})


def load_text(path: Path, text: str) -> Loaded:
    """As `load_all` would read a file with this text; the file itself is not looked at."""
    return _loaded(parse_toml(path, text), {})


def _loaded(file: TomlFile | None, overrides: Mapping[str, Any]) -> Loaded:
    problems, warnings = _strangers()
    layers = Layers(
        _file_layer(file) if file else Layer({}, lambda key: ""),
        _daily_layer(),
        Layer(_anchored(_Environment(Settings)(), Path.cwd()), variable),
        Layer(_anchored(overrides, Path.cwd()), lambda key: "command line"),
    )
    made = None
    try:
        made = Settings(**layers.merged())
    except ValidationError as error:
        problems += describe(Settings, error, layers.place)
    if made is None or problems:
        raise UsageError(_together(problems), hint=_hint(problems))
    return Loaded(made, layers, file.path if file else None, tuple(warnings))


def variable(key: KeyPath) -> str:
    """The name of the environment variable that sets a key, or that holds it in JSON."""
    present = {name.upper() for name in os.environ}
    names = [PREFIX + _NESTED.join(str(part).upper() for part in key[:n]) for n in range(len(key), 0, -1)]
    return next((name for name in names if name in present), names[0] if names else PREFIX)


@lru_cache(maxsize=1)
def system_zone() -> str:
    """The IANA name of the system's time zone; UTC where it cannot be told."""
    from zoneinfo import ZoneInfo

    import tzlocal

    try:
        name = tzlocal.get_localzone_name()
        ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):
        return "UTC"
    return name


class _Environment(EnvSettingsSource):
    """Variables as tables. What should be JSON and is not stays text, and then is of a wrong type."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return json.loads(value)
        except ValueError:
            return value


def _file(config_file: Path | None) -> TomlFile | None:
    path = config_file.expanduser().absolute() if config_file else places.config_file()
    if config_file is None and not path.exists():
        return None
    return read_toml(path)


def _file_layer(file: TomlFile) -> Layer:
    return Layer(_anchored(file.values, file.path.parent), file.place)


def _daily_layer() -> Layer:
    amount = os.environ.get(DAILY_BUDGET, "").strip()
    # Who sets 0 means none; other programs read this variable too.
    none = not amount or not amount.strip("0.")
    return Layer({} if none else {"costs": {"daily_budget": amount}}, lambda key: DAILY_BUDGET)


def _strangers() -> tuple[list[str], list[str]]:
    """Variables with our prefix that set nothing: problems, and those that may be somebody else's."""
    problems: list[str] = []
    warnings: list[str] = []
    sections = keys_of(Settings)
    for name in sorted(os.environ):
        rest = name.upper().removeprefix(PREFIX)
        section = rest.split(_NESTED)[0].lower()
        if rest == name.upper() or section in sections or rest in _NO_SETTINGS:
            continue
        if _NESTED in rest:
            problems.append(f"{name}: unknown section {section}{nearest(section, sections)}")
        else:
            # Kubernetes sets TUI_MONITOR_SERVICE_HOST and such for a service of this name.
            warnings.append(f"{name} sets nothing: write it {PREFIX}SECTION{_NESTED}KEY")
    return problems, warnings


def _anchored(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The values, with relative paths made to start in a folder and empty ones left out."""
    anchored = dict(values)
    for section, key in _path_keys():
        table = anchored.get(section)
        if not isinstance(table, Mapping) or not isinstance(table.get(key), str | Path):
            continue
        path = str(table[key]).strip()
        others = {name: value for name, value in table.items() if name != key}
        anchored[section] = {**others, key: folder / Path(path).expanduser()} if path else others
    return anchored


def _path_keys() -> Iterator[tuple[str, str]]:
    for section, field in Settings.model_fields.items():
        table: type[BaseModel] | None = model_in(field.annotation)
        for key, below in table.model_fields.items() if table else ():
            if Path in (below.annotation, *get_args(below.annotation)):
                yield section, key


def _together(problems: list[str]) -> str:
    if len(problems) == 1:
        return problems[0]
    return "\n  ".join([f"the configuration has {len(problems)} errors:", *problems])


def _hint(problems: list[str]) -> str | None:
    return "`tui-monitor config init` writes an example" if any("unknown" in p for p in problems) else None
