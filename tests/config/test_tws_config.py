"""TWSConfig: each field refused with its name, value and cure; the fields held against each other."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from tws.config import TWSConfig, is_live_port, is_paper_account, mask_account
from tws.errors import ConfigError, TWSError


def test_the_defaults_are_those_of_a_paper_tws() -> None:
    assert dataclasses.astuple(TWSConfig()) == ("127.0.0.1", 7497, 1, "", 10.0, 30.0, "paper")


def test_fields_can_be_given_by_position() -> None:
    config = TWSConfig("localhost", 4002, 5, "DU1234567", 3, 4, "paper")
    assert (config.host, config.port, config.client_id, config.account_id) == (
        "localhost",
        4002,
        5,
        "DU1234567",
    )
    assert isinstance(config.connection_timeout, float)
    assert isinstance(config.request_timeout, float)


def test_it_is_frozen_and_comparable() -> None:
    config = TWSConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.port = 7496  # type: ignore[misc]
    assert config == TWSConfig()
    assert len({config, TWSConfig()}) == 1


def test_the_constructor_never_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWS_PORT", "4002")
    monkeypatch.setenv("TWS_HOST", "elsewhere")
    assert TWSConfig() == TWSConfig("127.0.0.1", 7497)


WRONG: list[tuple[str, Any]] = [
    ("host", ""),
    ("host", " 127.0.0.1"),
    ("host", "127.0.0.1:7497"),
    ("host", "http://127.0.0.1"),
    ("host", "[::1]"),
    ("host", "a\0b"),
    ("host", None),
    ("port", 0),
    ("port", 65_536),
    ("port", -1),
    ("port", "7497"),
    ("port", 7497.0),
    ("port", True),
    ("client_id", -1),
    ("client_id", 2**31),
    ("client_id", "1"),
    ("client_id", False),
    ("account_id", "your_paper_account_id"),
    ("account_id", "YOUR_PAPER_ACCOUNT_ID"),
    ("account_id", "DU 123"),
    ("account_id", "DU1,DU2"),
    ("account_id", None),
    ("connection_timeout", 0),
    ("connection_timeout", -1.0),
    ("connection_timeout", math.nan),
    ("connection_timeout", math.inf),
    ("connection_timeout", "10"),
    ("connection_timeout", True),
    ("request_timeout", 0.0),
    ("request_timeout", 1e9),
    ("trading_mode", "Paper"),
    ("trading_mode", "demo"),
    ("trading_mode", None),
]


@pytest.mark.parametrize(("field", "value"), WRONG, ids=[f"{field}={value!r}" for field, value in WRONG])
def test_a_wrong_field_is_refused_with_its_name_value_and_cure(field: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        TWSConfig(**{field: value})
    assert caught.value.field == field
    assert caught.value.value is value
    assert caught.value.cure
    assert field in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, TWSError)


def test_a_refused_placeholder_is_called_one() -> None:
    with pytest.raises(ConfigError, match="placeholder"):
        TWSConfig(account_id="your_paper_account_id")


@pytest.mark.parametrize("host", ["localhost", "10.0.0.5", "::1", "trading-pc.local", "host.docker.internal"])
def test_hosts_that_are_fine(host: str) -> None:
    assert TWSConfig(host=host).validate().host == host


@pytest.mark.parametrize("port", [7496, 4001])
def test_validate_refuses_a_live_port_in_paper_mode(port: int) -> None:
    config = TWSConfig(port=port)
    with pytest.raises(ConfigError, match="live trading") as caught:
        config.validate()
    assert (caught.value.field, caught.value.value) == ("port", port)
    assert TWSConfig(port=port, trading_mode="live").validate().port == port


@pytest.mark.parametrize("port", [7497, 4002])
def test_validate_refuses_a_paper_port_in_live_mode(port: int) -> None:
    with pytest.raises(ConfigError, match="paper trading"):
        TWSConfig(port=port, trading_mode="live").validate()
    assert TWSConfig(port=port).validate().port == port


def test_validate_holds_the_account_against_the_mode_and_masks_it() -> None:
    with pytest.raises(ConfigError, match="live account") as caught:
        TWSConfig(account_id="U1234567").validate()
    assert "U1234567" not in str(caught.value)
    with pytest.raises(ConfigError, match="paper account"):
        TWSConfig(port=7496, account_id="DU1234567", trading_mode="live").validate()
    assert TWSConfig(port=7496, account_id="U1234567", trading_mode="live").validate()


def test_validate_returns_the_configuration_and_leaves_foreign_ports_alone() -> None:
    config = TWSConfig(port=7400)
    assert config.validate() is config
    assert TWSConfig(port=7400, trading_mode="live").validate()


def test_validate_checks_the_fields_again() -> None:
    config = TWSConfig()
    object.__setattr__(config, "port", 0)
    with pytest.raises(ConfigError, match="port"):
        config.validate()


def test_live_signs() -> None:
    assert [port for port in (7496, 7497, 4001, 4002, 7400) if is_live_port(port)] == [7496, 4001]
    assert is_paper_account("DU1234567")
    assert not is_paper_account("U1234567")
    assert not is_paper_account("")


def test_a_masked_account_keeps_its_kind_and_hides_its_number() -> None:
    assert mask_account("DU1234567") == "DU*****67"
    assert mask_account("U12") == "***"
    assert mask_account("") == "(none given)"
