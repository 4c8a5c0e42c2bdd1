"""Sources of signals in a configuration: the old form, the new one, and every slip with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tws.config import Settings, load_settings
from tws.config.run import SignalsSection, check_strategies
from tws.config.signals import HttpSignalsSection, WebhookSignalsSection
from tws.errors import ConfigError

HTTP = """
[[signals]]
kind = "http"
symbols = ["TQQQ", "SQQQ"]
base_url = "https://api.example.com/v1/"
"""
HOOK = """
[[signals]]
kind = "webhook"
symbols = ["GLD"]
"""
FILE = """
[[signals]]
symbols = ["SPY"]
file = "signals.jsonl"
"""


def load(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "tws.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def test_the_section_of_one_file_is_as_it_was(tmp_path: Path) -> None:
    settings = load(tmp_path, FILE.replace("[[signals]]", "[signals]"))
    (section,) = settings.signals
    assert isinstance(section, SignalsSection)
    assert (section.file, section.symbols, section.name) == ("signals.jsonl", ("SPY",), "signals")


def test_several_sources_of_several_kinds(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        FILE + 'name = "mine"\n' + HTTP + 'per_minute = 12\nmodels = ["lstm"]\nwords = { SELL = "SHORT" }\n'
        "[signals.each_model]\nper_minute = 2\n[signals.model_limits.lstm]\nper_day = 5\n"
        + HOOK + '[signals.alert]\nticker = "t"\n',
    )  # fmt: skip
    file, api, hook = settings.signals
    assert isinstance(file, SignalsSection) and isinstance(hook, WebhookSignalsSection)
    assert isinstance(api, HttpSignalsSection)
    assert (api.base_url, api.per_minute, api.key_env) == ("https://api.example.com/v1", 12, "API_KEY")
    assert (api.each_model.per_minute, api.model_limits["lstm"].per_day) == (2, 5)
    assert (hook.host, hook.port, hook.alert.ticker, hook.alert.action) == ("127.0.0.1", 8765, "t", "action")
    assert [each.name for each in settings.signals] == ["mine", "api", "webhook"]


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        (FILE.replace("[[", "[").replace("]]", "]") + "fille = 1", "signals.fille", "Did you mean file?"),
        (FILE + "fille = 1", "signals.0.fille", "Did you mean file?"),
        (HTTP + HOOK + "tokn_env = 'X'", "signals.1.tokn_env", "Did you mean token_env?"),
        (HTTP + "key = 'secret'", "signals.0.key", "no such setting"),
        (HTTP.replace("http", "htpp", 1), "signals.0.kind", "'htpp'"),
        (HTTP + "per_minute = 0", "signals.0.per_minute", "greater than 0"),
        (HTTP + "key_env = 'my key'", "signals.0.key_env", "Name the variable"),
        (HTTP.replace("https", "ftp"), "signals.0.base_url", "no http or https"),
        (HTTP.replace("https", "http"), "signals.0", "plain_http"),
        (HTTP.replace("//api", "//user:pw@api"), "signals.0.base_url", "belongs into a variable"),
        (HTTP + "words = { SELL = 'DOWN' }", "signals.0.words", "SHORT"),
        (HTTP + "[signals.each_model]\nper_hour = 2", "signals.0.each_model.per_hour", "per_minute"),
        (HTTP + "[signals.model_limits.a]\nper_day = -2", "signals.0.model_limits.a.per_day", "0"),
        (HOOK + "host = '0.0.0.0'", "signals.0", "behind_proxy"),
        (HOOK + "cert_file = 'a.pem'", "signals.0", "belong together"),
        (HOOK + "[signals.alert]\ntickr = 't'", "signals.0.alert.tickr", "Did you mean ticker?"),
        (HOOK.replace("GLD", "gld"), "signals.0.symbols", "pattern"),
        ("signals = 3", "signals", "tuple"),
        ("signals = [3]", "signals.0", "dictionary"),
    ],
)
def test_a_slip_is_named_by_its_place(tmp_path: Path, text: str, field: str, words: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        load(tmp_path, text)
    assert wrong.value.field == field
    assert words in str(wrong.value), str(wrong.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_needs_no_tls(tmp_path: Path, host: str) -> None:
    url = f"http://[{host}]:80" if ":" in host else f"http://{host}:80"
    settings = load(tmp_path, HTTP.replace("https://api.example.com/v1/", url) + HOOK + f"host = '{host}'")
    assert len(settings.signals) == 2


def test_sources_are_held_against_each_other(tmp_path: Path) -> None:
    (tmp_path / "signals.jsonl").touch()
    for text, words in (
        (FILE + HTTP + HTTP.replace("TQQQ", "A").replace("SQQQ", "B"), "two sources"),
        (HTTP + HOOK.replace("GLD", "TQQQ"), "stands in two strategies"),
        (FILE.replace("signals.jsonl", "none.jsonl"), "no such file"),
        ("", "nothing would be traded"),
    ):
        settings = load(tmp_path, text)
        with pytest.raises(ConfigError, match=words):
            check_strategies(settings.signals, settings.strategies, tmp_path)
    settings = load(tmp_path, FILE + HTTP + HOOK)
    check_strategies(settings.signals, settings.strategies, tmp_path)
