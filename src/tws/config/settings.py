"""`Settings`: a TOML file as typed sections, with errors that name field, value and cure.

    [connection]            [connection.maintenance]     [risk]                       [codes.10349]
    host = "127.0.0.1"      region = "europe"            max_order_quantity = 1000    order = "notice"
    port = 7497             auto_restart = "23:45"       allow = ["AAPL", "SPY"]      stream = "question"

What a file does not say has its default; what it says wrongly, or what nobody knows, is an error: a
limit that is misspelt must not be a limit that is missing. All of it is plain data here: `tws.risk` gives the
limits their meaning, `tws.connection` the pacing and the maintenance, `tws.wire` the codes, each with errors
of its own for what only it can judge. Nothing but the file is read: the environment is the business of
`TWSConfig.from_env`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from tws.config.connection import TWSConfig
from tws.config.limits import OverrideSection, RiskSection
from tws.config.lines import line_of
from tws.config.paper import PaperSection
from tws.config.rules import RuleSection
from tws.config.run import JournalSection, RunSection, SignalsSection, StateSection, StrategySection
from tws.config.section import Section, Symbol, Words, did_you_mean
from tws.config.signals import HttpSignalsSection, WebhookSignalsSection, listed
from tws.config.strategies import PythonStrategySection
from tws.errors import ConfigError

__all__ = [
    "CodeSection",
    "ConnectionSection",
    "DemoSection",
    "HttpSignalsSection",
    "JournalSection",
    "MaintenanceSection",
    "OverrideSection",
    "PacingSection",
    "PaperSection",
    "PythonStrategySection",
    "ReadSettings",
    "RiskSection",
    "RuleSection",
    "RunSection",
    "Settings",
    "SignalsSection",
    "StateSection",
    "StrategySection",
    "WebhookSignalsSection",
    "in_file",
    "load_settings",
    "read_settings",
]


def _number(key: object) -> object:
    """TOML's keys are text."""
    return int(key) if isinstance(key, str) and key.isascii() and key.isdigit() else key


CodeNumber = Annotated[int, BeforeValidator(_number), Field(ge=0, lt=2**31)]
Count = Annotated[int, Field(ge=1, le=10**6)]
TIME = r"([01]\d|2[0-3]):[0-5]\d"
Region = Annotated[
    Literal["america", "europe", "asia"] | None,
    Field(description='Write where your server stands: "america", "europe" or "asia"'),
]
TimeOfDay = Annotated[
    Annotated[str, Field(pattern=f"^{TIME}$")] | None,
    Field(description='Write the time that TWS shows under Lock and Exit in 24 hours, such as "23:45"'),
]
WeeklyLogin = Annotated[
    Annotated[str, Field(pattern=f"^(never|(Mon|Tue|Wed|Thu|Fri|Sat|Sun) {TIME})$")] | None,
    Field(description='Write New York time, such as "Sun 01:00", or "never"'),
]


SourceSection = Annotated[
    SignalsSection | HttpSignalsSection | WebhookSignalsSection, Field(discriminator="kind")
]
AnyStrategySection = Annotated[StrategySection | PythonStrategySection, Field(discriminator="kind")]


class PacingSection(Section):
    """How much may be asked of TWS; what is left out has the connection's own figure."""

    paced: bool = True
    """False: nothing is paced, TWS may refuse what is too much."""
    lines: Count | None = None
    """Market data lines of the login; the other figures follow from it."""
    messages_per_s: Count | None = None
    """Messages of all kinds in a second."""
    per_ten_minutes: Count | None = None
    """Historical requests for small bars in ten minutes."""
    open_history: Count | None = None
    """Historical requests that are open at once."""
    tick_by_tick: Count | None = None
    """Tick-by-tick subscriptions at once."""
    depth: Count | None = None
    """Market depths at once."""
    scanners: Count | None = None
    """Scanner subscriptions at once."""


class MaintenanceSection(Section):
    """When TWS and the broker are away by plan (`tws.connection.keeping.calendar.Maintenance` has the same
    names).
    """

    region: Region = None
    auto_restart: TimeOfDay = None
    auto_restart_zone: Words | None = None
    """The zone of the machine that TWS runs on, such as Europe/Berlin."""
    weekly_login: WeeklyLogin = None
    resets: tuple[Words, ...] | None = None
    """Windows such as "Sun-Fri 23:45-00:45 America/New_York"."""
    weekend: tuple[Words, ...] | None = None
    announce_minutes: Annotated[int, Field(ge=0, le=1440)] | None = None


class ConnectionSection(Section):
    """Where TWS listens: the fields of TWSConfig, checked by TWSConfig."""

    host: str = "127.0.0.1"
    port: int = 7497
    client_id: int = 1
    account_id: str = ""
    connection_timeout: float = 10.0
    request_timeout: float = 30.0
    trading_mode: str = "paper"
    pacing: PacingSection = PacingSection()
    maintenance: MaintenanceSection = MaintenanceSection()

    def to_config(self) -> TWSConfig:
        """The same as a TWSConfig, validated. Raises ConfigError."""
        return TWSConfig(**self.model_dump(exclude={"pacing", "maintenance"})).validate()


class CodeSection(Section):
    """What one code of TWS does to an order, a change of one, a request, a stream, the link: words of the
    catalogue (`tws.wire.codes_words`), judged by `tws.wire.codes_amend`.
    """

    order: Words | None = None
    change: Words | None = None
    request: Words | None = None
    stream: Words | None = None
    link: Words | None = None
    force: bool | None = None
    """I have proof that this is the broker's word."""


class DemoSection(Section):
    """How `tws demo` plays its day."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 7
    speed: Annotated[float, Field(gt=0, allow_inf_nan=False)] | Literal["max"] = "max"
    symbols: tuple[Symbol, ...] = ()
    """The symbols to trade; empty: the demo's own choice."""
    data: tuple[str, ...] = ()
    """Files to replay; empty: a synthetic day."""


class Settings(BaseSettings):
    """A whole configuration file."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, strict=True)

    connection: ConnectionSection = ConnectionSection()
    risk: RiskSection = RiskSection()
    demo: DemoSection = DemoSection()
    run: RunSection = RunSection()
    paper: PaperSection = PaperSection()
    signals: Annotated[tuple[SourceSection, ...], BeforeValidator(listed)] = ()
    strategies: tuple[AnyStrategySection, ...] = ()
    rules: tuple[RuleSection, ...] = ()
    contracts: dict[Symbol, Words] = {}
    """What a symbol means here (`tws.model.contract.contract_named`); unset: a stock at SMART in USD."""
    journal: JournalSection = JournalSection()
    state: StateSection = StateSection()
    codes: dict[CodeNumber, CodeSection] = {}

    def plain_codes(self) -> dict[int, dict[str, str | bool]]:
        """The sections `[codes.N]` as `tws.wire.codes_amend.amended` takes them."""
        return {number: section.chosen() for number, section in self.codes.items()}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The file alone: a variable CONNECTION or LIMITS of some other program must not reach us."""
        return (init_settings,)


def load_settings(path: str | Path) -> Settings:
    """Read and check a configuration file.

    Raises ConfigError, which names the first wrong field with its section, its value and the cure.
    """
    read = read_settings(path)
    if read.wrong:
        raise read.wrong[0]
    return read.settings


class ReadSettings(NamedTuple):
    """A file with all that is wrong in it: `settings` are those of the rest, `cut` the places (such as
    signals.0.file) that were left out of them.
    """

    settings: Settings
    wrong: tuple[ConfigError, ...]
    cut: frozenset[str]


def read_settings(path: str | Path) -> ReadSettings:
    """Read a configuration file past what is wrong in it. Raises ConfigError when it is no TOML at all."""
    text = _text(path)
    data, wrong, cut = _read(path, text), list[ConfigError](), set[str]()
    for section in [name for name in data if name not in Settings.model_fields]:
        # Asked here, since pydantic-settings takes some names with an underscore for options of its own.
        cure = did_you_mean(section, Settings.model_fields)
        wrong.append(ConfigError(section, data.pop(section), "no such section", cure))
    while True:  # each turn leaves out at least one place of the file
        try:
            settings = Settings.model_validate(_tuples(data))
            settings.connection.to_config()
            return ReadSettings(settings, tuple(in_file(each, text) for each in wrong), frozenset(cut))
        except ValidationError as found:
            one_source = isinstance(data.get("signals"), dict)
            complaints = _named(found, one_source)
        except ConfigError as found:
            place = ["connection", found.field]
            text = ".".join(place)
            complaints = [(place, ConfigError(text, found.value, found.reason, found.cure))]
        for place, complaint in complaints:
            name = ".".join(place)
            # What was left out and is missed now has been complained of already.
            if not any(each == name or each.startswith(f"{name}.") for each in cut):
                wrong.append(complaint)
        cut |= {_leave_out(data, place) for place, _ in complaints}
        _close_ranks(data)


def in_file(wrong: ConfigError, text: str) -> ConfigError:
    """The same with its line in the file's text, where it has none."""
    line = wrong.line or line_of(text, wrong.field)
    return ConfigError(wrong.field, wrong.value, wrong.reason, wrong.cure, line)


def _text(path: str | Path) -> str:
    file = Path(path)
    try:
        # utf-8-sig: Windows editors put a mark in front, which tomllib takes for a sign of the file.
        return file.read_text(encoding="utf-8-sig")
    except OSError as wrong:
        reason = wrong.strerror or type(wrong).__name__
        raise ConfigError(
            "file", str(file), reason, "Give the path of a TOML file that can be read"
        ) from wrong
    except UnicodeDecodeError as wrong:
        raise ConfigError("file", str(file), "not UTF-8", "Save the file as UTF-8") from wrong


def _read(path: str | Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        cure = "Text wants quotes, and a Windows path single ones: 'C:\\data\\SPY.csv'"
        raise ConfigError("file", str(path), f"no TOML: {wrong}", cure) from wrong
    except RecursionError as wrong:
        reason = "tables or arrays within one another, hundreds deep"
        raise ConfigError("file", str(path), reason, "Lay them side by side") from wrong


def _leave_out(data: dict[str, Any], place: list[str]) -> str:
    """Take what stands at a place out of the file's data, or what is around it when nothing stands there;
    answers the place that went. A place in an array is emptied, so that the others keep their numbers.
    """
    around: list[Any] = [data]
    for depth, name in enumerate(place):
        inner = around[-1]
        if isinstance(inner, dict) and name in inner:
            around.append(inner[name])
        elif isinstance(inner, list) and name.isdigit() and int(name) < len(inner):
            around.append(inner[int(name)])
        else:
            place = place[:depth]
            break
    if not place:
        data.clear()
        return ""
    holder = around[len(place) - 1]
    if isinstance(holder, list):
        holder[int(place[-1])] = None
    else:
        del holder[place[-1]]
    return ".".join(place)


def _close_ranks(data: dict[str, Any]) -> None:
    for name in ("signals", "strategies", "rules"):
        if isinstance(data.get(name), list):
            data[name] = [each for each in data[name] if each is not None]


def _tuples(data: Any) -> Any:
    """TOML arrays as tuples: a frozen section holds no list, and a strict one takes none for a tuple."""
    if isinstance(data, dict):
        return {key: _tuples(value) for key, value in data.items()}
    return tuple(_tuples(item) for item in data) if isinstance(data, list) else data


def _named(wrong: ValidationError, one_source: bool) -> list[tuple[list[str], ConfigError]]:
    """Each complaint as an error of ours, once for each place. `one_source`: `[signals]` was no list in the
    file.
    """
    errors, found = wrong.errors(include_url=False), dict[str, tuple[list[str], ConfigError]]()
    for first in errors:
        place = _place(first["loc"])
        written = _as_written(place, one_source)
        field, section = ".".join(written) or "file", _section(place[:-1])
        if field in found:
            continue
        if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
            known = [kind for each in _branches(_kind(place)) for kind in _kinds(each)]
            value = first["input"].get("kind") if isinstance(first["input"], dict) else first["input"]
            cure = did_you_mean(str(value or ""), known)
            found[field] = [*written, "kind"], ConfigError(f"{field}.kind", value, "no such kind", cure)
            continue
        if first["type"] == "extra_forbidden" and section is not None:
            cure = did_you_mean(place[-1], _written(section))
            found[field] = written, ConfigError(field, first["input"], "no such setting", cure)
            continue
        # A union complains once for each of its branches, all of the same place.
        reasons = [
            error["msg"][:1].lower() + error["msg"][1:] for error in errors if _place(error["loc"]) == place
        ]
        info = None if section is None or not place else _written(section).get(place[-1])
        described = info.description if info is not None else None
        cure = described or f"Correct {field}, or leave it out"
        found[field] = written, ConfigError(field, first["input"], "; or ".join(reasons), cure)
    return list(found.values())


def _place(location: tuple[int | str, ...]) -> list[str]:
    """The sections down to a field; what pydantic adds behind it (the branch of a union, an index, a mark
    that the key itself is meant) is left away.
    """
    place: list[str] = []
    for part in location:
        if part == "[key]":
            break
        place.append(str(part))
        if _kind(place) is None:
            break
    return place


def _as_written(place: list[str], one_source: bool) -> list[str]:
    """The same as in the file: without the kind of a source, which pydantic puts behind its number."""
    if place[:1] not in (["signals"], ["strategies"]):
        return place
    one = one_source and place[0] == "signals"
    return [*place[:1], *([] if one else place[1:2]), *place[3:]]


def _written(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """The settings of a section by the names that the file has for them."""
    return {info.alias or name: info for name, info in section.model_fields.items()}


def _branches(kind: Any) -> tuple[Any, ...]:
    """The sections of a union."""
    return get_args(kind) if get_origin(kind) is UnionType else (kind,)


def _kinds(section: type[BaseModel]) -> tuple[str, ...]:
    """The words that a section has for its own kind."""
    return get_args(section.model_fields["kind"].annotation)


def _section(place: list[str]) -> type[BaseModel] | None:
    """The section that stands at this place; None when a field does, or nothing."""
    kind = _kind(place)
    return kind if isinstance(kind, type) else None


def _kind(place: list[str]) -> Any:
    """The section at this place, or the tuple or table of sections; None when a field stands there."""
    kind: Any = Settings
    for name in place:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            info = kind.model_fields.get(name)
            kind = None if info is None else _of_sections(info.annotation)
        elif get_origin(kind) is dict:
            kind = get_args(kind)[1]
        elif get_origin(kind) is UnionType:
            kind = next((each for each in get_args(kind) if name in _kinds(each)), None)
        else:
            kind = _of_sections(get_args(kind)[0]) if kind is not None and name.isdigit() else None
    return kind


def _of_sections(annotation: Any) -> Any:
    """The section that an annotation allows, or its tuple or table of them; None for any other."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    origin, inner = get_origin(annotation), get_args(annotation)
    if (origin is tuple and _of_sections(inner[0])) or (origin is dict and _of_sections(inner[1])):
        return annotation
    if origin is Annotated:
        return _of_sections(inner[0])
    if origin is UnionType:
        sections = [each for each in inner if _of_sections(each) is not None]
        return annotation if len(sections) > 1 else next(iter(sections), None)
    return None
