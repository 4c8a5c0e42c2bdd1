"""Settings: a TOML file, its defaults, and errors that name field, value and cure."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tws.config import Settings, load_settings
from tws.config.settings import read_settings
from tws.errors import ConfigError


def load(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "tws.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path, "")
    assert settings == Settings()
    assert settings.connection.to_config().port == 7497
    assert settings.risk.chosen() == {}
    assert settings.demo.speed == "max"


def test_every_section(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """
        [connection]
        port = 4002
        client_id = 12
        connection_timeout = 5
        [risk]
        max_order_quantity = 250
        max_order_notional = 0.1
        allow = ["SPY", "BRK B"]
        [demo]
        seed = 3
        speed = 60
        data = ['C:\\data\\SPY.csv']
        """,
    )
    config = settings.connection.to_config()
    assert (config.port, config.client_id, config.connection_timeout) == (4002, 12, 5.0)
    assert settings.risk.max_order_quantity == Decimal(250)
    assert settings.risk.max_order_notional == Decimal("0.1")  # as written, not as a float holds it
    assert settings.risk.allow == ("SPY", "BRK B")
    assert (settings.demo.seed, settings.demo.speed, settings.demo.data) == (3, 60.0, ("C:\\data\\SPY.csv",))


def test_a_mark_in_front_of_the_file_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "tws.toml"
    file.write_bytes(b"\xef\xbb\xbf[demo]\r\nseed = 5\r\n")
    assert load_settings(file).demo.seed == 5


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("[risk]\nmax_ordr_quantity = 1", "risk.max_ordr_quantity", 1),
        ("[limit]\nmax_order_quantity = 1", "limit", {"max_order_quantity": 1}),
        ("_env_file = 'x'", "_env_file", "x"),
        ("[connection]\nport = '7497'", "connection.port", "7497"),
        ("[connection]\nport = 7496", "connection.port", 7496),
        ("[connection]\nhost = ''", "connection.host", ""),
        ("[risk]\nmax_position = -1", "risk.max_position", Decimal(-1)),
        ("[risk]\nmax_position = nan", "risk.max_position", None),
        ("[risk]\nmax_position = true", "risk.max_position", True),
        ("[risk]\nallow = ['spy']", "risk.allow", "spy"),
        ("[risk]\nstale_quote_s = 0", "risk.stale_quote_s", 0),
        ("[demo]\nspeed = 'fast'", "demo.speed", "fast"),
        ("[demo]\nseed = -1", "demo.seed", -1),
        ("[connection]\npacing = 3", "connection.pacing", 3),
        ("[connection.pacing]\nlines = 0", "connection.pacing.lines", 0),
        ("[connection.pacing]\nline = 200", "connection.pacing.line", 200),
        ("[connection.pacing]\npaced = 'no'", "connection.pacing.paced", "no"),
        ("[connection.maintenance]\nregion = 'mars'", "connection.maintenance.region", "mars"),
        ("[connection.maintenance]\nauto_restart = '9:45'", "connection.maintenance.auto_restart", "9:45"),
        (
            "[connection.maintenance]\nweekly_login = 'Sunday'",
            "connection.maintenance.weekly_login",
            "Sunday",
        ),
        ("[connection.maintenance]\nresets = ['a', 3]", "connection.maintenance.resets", 3),
        (
            "[connection.maintenance]\nannounce_minutes = 1441",
            "connection.maintenance.announce_minutes",
            1441,
        ),
        ("codes = 3", "codes", 3),
        ("[codes]\norder = 'notice'", "codes.order", None),
        ("[codes.10349a]\norder = 'notice'", "codes.10349a", "10349a"),
        ("[codes.2147483648]\norder = 'notice'", "codes.2147483648", None),
        ("[codes.10349]\nordre = 'notice'", "codes.10349.ordre", "notice"),
        ("[codes.10349]\norder = 3", "codes.10349.order", 3),
        ("[codes.10349]\nforce = 'yes'", "codes.10349.force", "yes"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, field: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert caught.value.field == field
    if value is not None:
        assert caught.value.value == value
    assert caught.value.cure


def test_pacing_and_maintenance_are_what_the_file_says_and_no_more(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """
        [connection]
        port = 4002
        [connection.pacing]
        lines = 200
        [connection.maintenance]
        region = "europe"
        auto_restart = "23:45"
        auto_restart_zone = "Europe/Berlin"
        weekly_login = "never"
        resets = ["Sun-Fri 05:45-06:45 Europe/Zurich"]
        """,
    )
    assert settings.connection.to_config().port == 4002
    assert settings.connection.pacing.chosen() == {"paced": True, "lines": 200}
    assert settings.connection.maintenance.chosen() == {
        "region": "europe",
        "auto_restart": "23:45",
        "auto_restart_zone": "Europe/Berlin",
        "weekly_login": "never",
        "resets": ("Sun-Fri 05:45-06:45 Europe/Zurich",),
    }
    assert Settings().connection.maintenance.chosen() == {}


def test_codes_are_plain_words_by_number(tmp_path: Path) -> None:
    text = (
        "[codes.10349]\norder = 'notice'\nstream = 'ends stream'\n[codes.4711]\nlink = 'notice'\nforce = true"
    )
    assert load(tmp_path, text).plain_codes() == {
        10349: {"order": "notice", "stream": "ends stream"},
        4711: {"link": "notice", "force": True},
    }
    assert Settings().plain_codes() == {}


def test_a_field_with_a_form_of_its_own_says_how_to_write_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "[connection.maintenance]\nauto_restart = '9:45 PM'")
    assert caught.value.cure.endswith('such as "23:45"')
    with pytest.raises(ConfigError, match="Known here: paced, lines"):
        load(tmp_path, "[connection.pacing]\nline = 200")


def test_a_misspelt_limit_shows_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="max_order_quantity, max_order_notional"):
        load(tmp_path, "[risk]\nmax_order_qty = 1")


def test_a_union_names_all_its_branches(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"number; or .*'max'"):
        load(tmp_path, "[demo]\nspeed = 'fast'")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [(b"[risk\n", "no TOML"), (b"\xff\xfe[\x00", "not UTF-8"), (b"x = 'C:\\a", "no TOML")],
)
def test_a_file_that_is_no_toml(tmp_path: Path, raw: bytes, reason: str) -> None:
    file = tmp_path / "tws.toml"
    file.write_bytes(raw)
    with pytest.raises(ConfigError, match=reason) as caught:
        load_settings(file)
    assert caught.value.value == str(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Give the path"):
        load_settings(tmp_path / "none.toml")


def test_the_environment_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK", '{"max_order_quantity": 1}')
    monkeypatch.setenv("TWS_PORT", "4002")
    assert Settings() == load(tmp_path, "")
    assert Settings().risk.chosen() == {}


def test_a_plain_configuration_does_not_load_pydantic() -> None:
    script = "import sys, tws.config; tws.config.TWSConfig(); sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_file_is_read_past_what_is_wrong_in_it(tmp_path: Path) -> None:
    path = tmp_path / "tws.toml"
    path.write_text(
        """
        [connection]
        port = 7400
        clientid = 3
        [risk]
        max_position = -1
        max_order_quantity = 5
        [[strategies]]
        kind = "breakout"
        symbols = "SPY"
        [[strategies]]
        kind = "breakout"
        symbols = ["QQQ"]
        bar_secs = 5
        [sgnals]
        """,
        encoding="utf-8",
    )
    read = read_settings(path)
    fields = [each.field for each in read.wrong]
    assert sorted(fields) == [
        "connection.clientid", "risk.max_position", "sgnals", "strategies.0.symbols", "strategies.1.bar_secs",
    ]  # fmt: skip
    assert read.settings.connection.port == 7400
    assert read.settings.risk.chosen() == {"max_order_quantity": Decimal(5)}
    assert [each.symbols for each in read.settings.strategies] == [("QQQ",)]
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert str(caught.value) == str(read.wrong[0])


def test_a_connection_that_is_none_is_told_beside_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "tws.toml"
    path.write_text('[connection]\nport = 7496\nhost = ""\n[risk]\nmax_position = -1', encoding="utf-8")
    read = read_settings(path)
    assert {each.field for each in read.wrong} >= {"connection.port", "connection.host", "risk.max_position"}
