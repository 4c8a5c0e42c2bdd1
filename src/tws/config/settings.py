"""`Settings`: a TOML file as typed sections, with errors that name field, value and cure.

    [connection]            [limits]                     [demo]
    host = "127.0.0.1"      max_order_quantity = 1000    seed = 7
    port = 7497             allow = ["AAPL", "SPY"]      speed = "max"

What a file does not say has its default; what it says wrongly, or what nobody knows, is an error: a
limit that is misspelt must not be a limit that is missing. The limits are plain data here; the package
`tws.risk` gives them their meaning. Nothing but the file is read: the environment is the business of
`TWSConfig.from_env`.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from tws.config.connection import TWSConfig
from tws.errors import ConfigError

__all__ = ["ConnectionSection", "DemoSection", "LimitsSection", "Settings", "load_settings"]


def _exact(value: object) -> object:
    """TOML has no decimals: 0.1 arrives as a float, and its shortest text is what the user wrote."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return Decimal(repr(value))


Amount = Annotated[Decimal, BeforeValidator(_exact), Field(gt=0, allow_inf_nan=False)]
Symbol = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Z0-9][A-Z0-9 .\-/]*$")]


class _Section(BaseModel):
    # strict: a port in quotes is a slip, and the file is the place to mend it.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ConnectionSection(_Section):
    """Where TWS listens: the fields of TWSConfig, checked by TWSConfig."""

    host: str = "127.0.0.1"
    port: int = 7497
    client_id: int = 1
    account_id: str = ""
    connection_timeout: float = 10.0
    request_timeout: float = 30.0
    trading_mode: str = "paper"

    def to_config(self) -> TWSConfig:
        """The same as a TWSConfig, validated. Raises ConfigError."""
        return TWSConfig(**self.model_dump()).validate()


class LimitsSection(_Section):
    """What an order may be at most. None: no such limit (a live account asks for the first two)."""

    max_order_quantity: Amount | None = Decimal(10_000)
    """Shares or contracts of one order."""
    max_order_notional: Amount | None = Decimal(100_000)
    """Price times quantity times multiplier of one order, in the contract's currency."""
    max_position: Amount | None = Decimal(10_000)
    """Shares or contracts of one symbol, long or short, working orders at their worst case included."""
    stale_quote_s: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = 5.0
    """Seconds of market time after which a quote no longer carries an entry."""
    allow: tuple[Symbol, ...] | None = None
    """The symbols that may be traded; None: any."""


class DemoSection(_Section):
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
    limits: LimitsSection = LimitsSection()
    demo: DemoSection = DemoSection()

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
    file = Path(path)
    try:
        # utf-8-sig: Windows editors put a mark in front, which tomllib takes for a sign of the file.
        data = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as wrong:
        reason = wrong.strerror or type(wrong).__name__
        raise ConfigError(
            "file", str(file), reason, "Give the path of a TOML file that can be read"
        ) from wrong
    except UnicodeDecodeError as wrong:
        raise ConfigError("file", str(file), "not UTF-8", "Save the file as UTF-8") from wrong
    except tomllib.TOMLDecodeError as wrong:
        cure = "Text wants quotes, and a Windows path single ones: 'C:\\data\\SPY.csv'"
        raise ConfigError("file", str(file), f"no TOML: {wrong}", cure) from wrong
    for section in data:
        # Asked here, since pydantic-settings takes some names with an underscore for options of its own.
        if section not in Settings.model_fields:
            raise ConfigError(section, data[section], "no such section", f"Known: {', '.join(_known([]))}")
    try:
        settings = Settings.model_validate(_tuples(data))
    except ValidationError as wrong:
        raise _named(wrong) from None
    try:
        settings.connection.to_config()
    except ConfigError as wrong:
        raise ConfigError(f"connection.{wrong.field}", wrong.value, wrong.reason, wrong.cure) from None
    return settings


def _tuples(data: Any) -> Any:
    """TOML arrays as tuples: a frozen section holds no list, and a strict one takes none for a tuple."""
    if isinstance(data, dict):
        return {key: _tuples(value) for key, value in data.items()}
    return tuple(_tuples(item) for item in data) if isinstance(data, list) else data


def _named(wrong: ValidationError) -> ConfigError:
    errors = wrong.errors(include_url=False)
    first, place = errors[0], _place(errors[0]["loc"])
    field = ".".join(place) or "file"
    if first["type"] == "extra_forbidden":
        return ConfigError(
            field, first["input"], "no such setting", f"Known here: {', '.join(_known(place[:-1]))}"
        )
    # A union complains once for each of its branches, all of the same place.
    reasons = [
        error["msg"][:1].lower() + error["msg"][1:] for error in errors if _place(error["loc"]) == place
    ]
    return ConfigError(field, first["input"], "; or ".join(reasons), f"Correct {field}, or leave it out")


def _place(location: tuple[int | str, ...]) -> list[str]:
    """Section and field; what pydantic adds behind them (the branch of a union, an index) is left away."""
    return [str(part) for part in location[:2]]


def _known(section: list[str]) -> list[str]:
    if not section:
        return list(Settings.model_fields)
    model = Settings.model_fields[section[0]].annotation
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
