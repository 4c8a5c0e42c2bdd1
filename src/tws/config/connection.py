"""`TWSConfig`: where TWS listens and who we are to it.

Each field is checked as the value is made, so a wrong one never travels; `validate()` checks once more
and asks whether the fields agree with each other. The constructor never looks at the environment:
only `from_env()` does, and it says in its errors where a wrong value came from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from tws.config.dotenv import read_variables
from tws.config.ports import LIVE_PORTS, PAPER_PORTS, is_paper_account
from tws.errors import ConfigError

__all__ = ["PLACEHOLDER_ACCOUNT", "TWSConfig", "mask_account"]

PLACEHOLDER_ACCOUNT = "your_paper_account_id"
"""What the setup guide writes where the user's own account id belongs."""

_MAX_CLIENT_ID = 2**31 - 1  # TWS reads it as a signed 32-bit integer
_MAX_TIMEOUT_S = 86_400.0  # a longer wait is a wait in milliseconds, or no bound at all
_MODES = ("paper", "live")


@dataclass(frozen=True)
class TWSConfig:
    """How to reach one TWS or IB Gateway.

    host                where it runs: a name or an address, without a port
    port                its socket port: 7497 paper, 7496 live; IB Gateway 4002 and 4001
    client_id           0 to 2147483647; each program that is connected needs its own
    account_id          the account to use; "" takes the one that TWS names
    connection_timeout  seconds that a connection may take, all its stages together
    request_timeout     seconds that an answer may take
    trading_mode        "paper" or "live": what you mean to reach; `validate()` compares it with the rest

    Raises ConfigError (a ValueError), which names field, value and cure.
    """

    host: str = "127.0.0.1"
    port: int = 7497
    client_id: int = 1
    account_id: str = ""
    connection_timeout: float = 10.0
    request_timeout: float = 30.0
    trading_mode: str = "paper"

    def __post_init__(self) -> None:
        self._check_fields()
        # An int is welcome, and stored as what the annotation promises.
        object.__setattr__(self, "connection_timeout", float(self.connection_timeout))
        object.__setattr__(self, "request_timeout", float(self.request_timeout))

    def validate(self) -> Self:
        """Check every field again, and that port, account and mode do not contradict each other.

        Returns the configuration itself, so that `TWSConfig(...).validate()` is an expression.
        Raises ConfigError.
        """
        self._check_fields()
        self._check_agreement()
        return self

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str] | None = None,
        env_file: str | Path | None = None,
    ) -> Self:
        """Read TWS_HOST, TWS_PORT, TWS_CLIENT_ID, TWS_ACCOUNT and TWS_TRADING_MODE.

        They come from the file `.env` in the working directory, if there is one, and from the
        environment, which wins. A variable that is set but empty counts as not set.

        environ   stands in for os.environ
        env_file  another file instead of `.env`; it must then exist

        Raises ConfigError for a wrong value (it says where the value stands) and for a line of the file
        that is no setting (with its number). Only `validate()` compares the fields with each other.
        """
        found = read_variables(_VARIABLES, environ, env_file)
        values: dict[str, str | int] = {}
        for name, field in _VARIABLES.items():
            if name not in found:
                continue
            setting = found[name]
            try:
                value = _from_text(field, setting.text)
                _CHECKS[field](field, value)
            except ConfigError as wrong:
                raise ConfigError(
                    name, setting.text, f"{wrong.reason} (from {setting.origin})", wrong.cure
                ) from None
            values[field] = value
        return cls(**values)  # type: ignore[arg-type]  # each value has passed the check of its field

    def _check_fields(self) -> None:
        for field in fields(self):
            _CHECKS[field.name](field.name, getattr(self, field.name))

    def _check_agreement(self) -> None:
        mode, other = self.trading_mode, "live" if self.trading_mode == "paper" else "paper"
        foreign_ports = LIVE_PORTS if mode == "paper" else PAPER_PORTS
        if self.port in foreign_ports:
            own = "7497 (TWS) or 4002 (IB Gateway)" if mode == "paper" else "7496 (TWS) or 4001 (IB Gateway)"
            raise ConfigError(
                "port",
                self.port,
                f"TWS uses this port for {other} trading, but trading_mode is {mode!r}",
                f"Use port {own}, or set trading_mode to {other!r} if that is what you mean",
            )
        if self.account_id and is_paper_account(self.account_id) != (mode == "paper"):
            raise ConfigError(
                "account_id",
                mask_account(self.account_id),
                f"this looks like a {other} account (the ids of paper accounts begin with D), "
                f"but trading_mode is {mode!r}",
                f"Give the id of the {mode} account, or set trading_mode to {other!r} if you mean that",
            )


def mask_account(account_id: str) -> str:
    """An account id for print and log: its first two signs and its last two, or "(none given)"."""
    if not account_id:
        return "(none given)"
    if len(account_id) <= 4:
        return "*" * len(account_id)
    return f"{account_id[:2]}{'*' * (len(account_id) - 4)}{account_id[-2:]}"


def _from_text(field: str, text: str) -> str | int:
    if field in ("port", "client_id"):
        # int() alone takes "7_497" and digits of other scripts; a setting file should not.
        if not (text.isascii() and text.isdigit()):
            raise ConfigError(field, text, "not a whole number", "Write digits alone, such as 7497")
        return int(text)
    return text.lower() if field == "trading_mode" else text


def _check_host(field: str, value: object) -> None:
    cure = "Give a name or an address alone, such as 127.0.0.1; the port is a field of its own"
    if not isinstance(value, str):
        raise ConfigError(field, value, "not a string", cure)
    if not value or not value.isprintable() or any(sign.isspace() for sign in value):
        raise ConfigError(field, value, "empty, or with a blank in it", cure)
    if "/" in value or value.count(":") == 1 or value.startswith("["):
        raise ConfigError(field, value, "not a bare host", cure)


def _check_port(field: str, value: object) -> None:
    cure = "Use the socket port that TWS shows: 7497 paper, 7496 live; IB Gateway 4002 and 4001"
    _check_whole(field, value, 1, 65_535, cure)


def _check_client_id(field: str, value: object) -> None:
    _check_whole(field, value, 0, _MAX_CLIENT_ID, "Give each program that connects its own small number")


def _check_whole(field: str, value: object, low: int, high: int, cure: str) -> None:
    # True is an int to Python, and never a port to its author.
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigError(field, value, "not a whole number", f"{cure}, without quotes")
    if not low <= value <= high:
        raise ConfigError(field, value, f"not between {low} and {high}", cure)


def _check_account(field: str, value: object) -> None:
    cure = "Give the id that TWS shows in its title, such as DU1234567, or leave it empty"
    if not isinstance(value, str):
        raise ConfigError(field, value, "not a string", cure)
    if value.strip().lower() == PLACEHOLDER_ACCOUNT:
        raise ConfigError(field, value, "this is the placeholder of the setup guide, not an account", cure)
    if value and not (value.isascii() and value.isalnum()):
        raise ConfigError(field, value, "not letters and digits alone", cure)


def _check_seconds(field: str, value: object) -> None:
    cure = "Give a number of seconds above 0, such as 10"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(field, value, "not a number", cure)
    if not math.isfinite(value) or not 0 < value <= _MAX_TIMEOUT_S:
        raise ConfigError(field, value, f"not between 0 and {_MAX_TIMEOUT_S:.0f}", cure)


def _check_mode(field: str, value: object) -> None:
    if not isinstance(value, str) or value not in _MODES:
        raise ConfigError(
            field, value, "neither 'paper' nor 'live'", "Write 'paper' unless you mean real money"
        )


_CHECKS = {
    "host": _check_host,
    "port": _check_port,
    "client_id": _check_client_id,
    "account_id": _check_account,
    "connection_timeout": _check_seconds,
    "request_timeout": _check_seconds,
    "trading_mode": _check_mode,
}

_VARIABLES = {
    "TWS_HOST": "host",
    "TWS_PORT": "port",
    "TWS_CLIENT_ID": "client_id",
    "TWS_ACCOUNT": "account_id",
    "TWS_TRADING_MODE": "trading_mode",
}
