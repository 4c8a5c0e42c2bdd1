"""from_env and the .env reader: every dialect that a setup guide shows, and every editor that saves it."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.config import TWSConfig
from tws.config.dotenv import parse_env, read_env_file
from tws.errors import ConfigError

# The three shells of the setup guide, one behind the other, as a user pastes them into one file.
EVERY_SHELL = """\
# Windows Command Prompt
set TWS_HOST=10.0.0.1
set TWS_PORT=7497
set TWS_CLIENT_ID=10
set TWS_ACCOUNT=DU1111111

# Windows PowerShell
$env:TWS_HOST="10.0.0.2"
$env:TWS_PORT="4002"
$env:TWS_CLIENT_ID="11"
$env:TWS_ACCOUNT="DU2222222"

# Linux/Mac/WSL
export TWS_HOST=10.0.0.3
export TWS_PORT=7400
export TWS_CLIENT_ID=12
export TWS_ACCOUNT=DU3333333
"""


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without a .env, and a shell without TWS_*."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TWS_")]:
        monkeypatch.delenv(name)
    return tmp_path


def values(text: str) -> dict[str, str]:
    return {name: setting.text for name, setting in parse_env(text).items()}


def test_nothing_set_gives_the_defaults() -> None:
    assert TWSConfig.from_env() == TWSConfig()
    assert TWSConfig.from_env({}) == TWSConfig()


def test_all_five_variables() -> None:
    environ = {
        "TWS_HOST": "10.0.0.9",
        "TWS_PORT": "4001",
        "TWS_CLIENT_ID": "0",
        "TWS_ACCOUNT": "U7654321",
        "TWS_TRADING_MODE": "LIVE",
    }
    assert TWSConfig.from_env(environ) == TWSConfig("10.0.0.9", 4001, 0, "U7654321", trading_mode="live")


def test_it_reads_the_process_environment_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWS_PORT", " 4002 ")
    assert TWSConfig.from_env().port == 4002


def test_the_environment_wins_over_the_file(empty_folder: Path) -> None:
    (empty_folder / ".env").write_text("TWS_PORT=4002\nTWS_CLIENT_ID=5\n", encoding="utf-8")
    config = TWSConfig.from_env({"TWS_PORT": "7400"})
    assert (config.port, config.client_id) == (7400, 5)


def test_an_empty_variable_counts_as_not_set(empty_folder: Path) -> None:
    (empty_folder / ".env").write_text("TWS_PORT=4002\nTWS_ACCOUNT=\n", encoding="utf-8")
    config = TWSConfig.from_env({"TWS_PORT": "", "TWS_HOST": "  "})
    assert (config.host, config.port, config.account_id) == ("127.0.0.1", 4002, "")


def test_a_named_file_stands_in_for_the_one_of_the_working_directory(empty_folder: Path) -> None:
    (empty_folder / ".env").write_text("TWS_PORT=4002\n", encoding="utf-8")
    (empty_folder / "other").write_text("TWS_PORT=7400\n", encoding="utf-8")
    assert TWSConfig.from_env({}, env_file="other").port == 7400
    assert TWSConfig.from_env({}, env_file=empty_folder / "other").port == 7400


def test_a_named_file_must_exist() -> None:
    with pytest.raises(ConfigError, match="no such file"):
        TWSConfig.from_env({}, env_file="missing.env")


@pytest.mark.parametrize(
    "line",
    [
        "TWS_PORT=7400",
        "  TWS_PORT = 7400  ",
        "export TWS_PORT=7400",
        "set TWS_PORT=7400",
        "SET TWS_PORT=7400",
        'set "TWS_PORT=7400"',
        '$env:TWS_PORT="7400"',
        "$Env:TWS_PORT = '7400'",
        '$env:TWS_PORT="7400";',
        "TWS_PORT='7400'",
        'TWS_PORT="7400"   # the simulator',
        "TWS_PORT=7400 # the simulator",
        "TWS_PORT=7400\t",
        "tws_port=7400",
        "\ufeffTWS_PORT=7400",
    ],
)
def test_the_dialects(line: str) -> None:
    assert values(line) == {"TWS_PORT": "7400"}


def test_the_guides_block_as_it_stands(empty_folder: Path) -> None:
    (empty_folder / ".env").write_text(EVERY_SHELL, encoding="utf-8")
    assert TWSConfig.from_env({}) == TWSConfig("10.0.0.3", 7400, 12, "DU3333333")


@pytest.mark.parametrize(
    "raw",
    [
        EVERY_SHELL.encode("utf-8"),
        codecs.BOM_UTF8 + EVERY_SHELL.encode("utf-8"),
        codecs.BOM_UTF16_LE + EVERY_SHELL.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + EVERY_SHELL.encode("utf-16-be"),
        EVERY_SHELL.encode("utf-16-le"),
        EVERY_SHELL.encode("utf-16-be"),
        EVERY_SHELL.replace("\n", "\r\n").encode("utf-8"),
        EVERY_SHELL.replace("\n", "  \r\n").encode("utf-16"),
        ("# Büro\n" + EVERY_SHELL).encode("cp1252"),
    ],
    ids=["utf8", "bom", "utf16le", "utf16be", "bare-le", "bare-be", "crlf", "utf16-blanks", "cp1252"],
)
def test_the_editors(raw: bytes, empty_folder: Path) -> None:
    file = empty_folder / ".env"
    file.write_bytes(raw)
    assert TWSConfig.from_env({}).port == 7400
    assert read_env_file(file)["TWS_ACCOUNT"].text == "DU3333333"


def test_foreign_names_and_comments_are_fine() -> None:
    text = "API_KEY='a # b'\n\n   # note\nPATH=C:\\Jts;D:\\x\nQUOTED=\"it's\"\nEMPTY=\nNONE= # nothing\n"
    assert values(text) == {
        "API_KEY": "a # b",
        "PATH": "C:\\Jts;D:\\x",
        "QUOTED": "it's",
        "EMPTY": "",
        "NONE": "",
    }


@pytest.mark.parametrize(
    ("line", "head"),
    [
        ("TWS_PORT 7497", "TWS_PORT …"),
        ("TWS_PORT: 7497", "TWS_PORT …"),
        ("export TWS_PORT", "export …"),
        ("=7497", " …"),
        ("7497", "7497"),
        ("[connection]", "[connection]"),
        ('TWS_HOST="127.0.0.1', "TWS_HOST …"),
        ("$env.TWS_PORT=1", "$env.TWS_PORT …"),
    ],
)
def test_any_other_line_is_an_error_with_its_number(line: str, head: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_env(f"# first\n\n{line}\nTWS_PORT=1\n", ".env")
    assert caught.value.field == ".env, line 3"
    assert caught.value.value == head


def test_an_unreadable_line_does_not_show_what_may_be_a_password() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_env("API_KEY: hunter2hunter2\n")
    assert "hunter2" not in str(caught.value)


def test_a_wrong_value_says_where_it_stands(empty_folder: Path) -> None:
    (empty_folder / ".env").write_text("# mine\nTWS_PORT=74x7\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"from \.env, line 2") as caught:
        TWSConfig.from_env({})
    assert (caught.value.field, caught.value.value) == ("TWS_PORT", "74x7")
    (empty_folder / ".env").unlink()
    with pytest.raises(ConfigError, match="from the environment"):
        TWSConfig.from_env({"TWS_CLIENT_ID": "-1"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TWS_PORT", "7_497"),
        ("TWS_PORT", "٧٤٩٧"),
        ("TWS_PORT", "“7497”"),
        ("TWS_PORT", "70000"),
        ("TWS_CLIENT_ID", "ten"),
        ("TWS_TRADING_MODE", "real"),
        ("TWS_HOST", "127.0.0.1:7497"),
        ("TWS_ACCOUNT", "your_paper_account_id"),
    ],
)
def test_wrong_values_name_the_variable(name: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TWSConfig.from_env({name: text})
    assert (caught.value.field, caught.value.value) == (name, text)


def test_the_placeholder_of_the_guide_is_named() -> None:
    with pytest.raises(ConfigError, match="placeholder"):
        TWSConfig.from_env({"TWS_ACCOUNT": "your_paper_account_id"})


def test_a_file_that_is_no_page_is_refused(empty_folder: Path) -> None:
    (empty_folder / ".env").write_bytes(b"#" * 1_000_001)
    with pytest.raises(ConfigError, match="longer than"):
        TWSConfig.from_env({})


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Garbage gives settings or a ConfigError, never another exception."""
    try:
        parse_env(text)
    except ConfigError as refused:
        assert "line" in refused.field


@given(
    st.from_regex(r"[A-Z][A-Z0-9_]{0,10}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9./:-]{0,20}", fullmatch=True),
)
def test_what_was_written_is_read(name: str, text: str) -> None:
    for line in (f"{name}={text}", f"export {name}={text}", f"set {name}={text}", f'$env:{name}="{text}"'):
        assert values(line) == {name: text}
