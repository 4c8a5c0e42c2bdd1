"""The one configuration file of an automated run, as its mix has it: AUTOMATION.md's typical one, on bars of
one second, with each section's symbols."""

from __future__ import annotations

from pathlib import Path

from tests.world.automix import TICKERS, AutoMix

from tws.config import Settings, load_settings
from tws.config.run import HeardSection

__all__ = ["API_URL", "CLOSE_MARGIN_S", "FLATTEN_S", "settings_of", "write_configuration"]

API_URL = "http://127.0.0.1:8080"
FLATTEN_S = 10
CLOSE_MARGIN_S = 12.0
"""No entry so late before the close: two seconds before what is held is closed."""

HEARD = {
    "api": 'kind = "http"\nname = "api"\nbase_url = "{url}"\nper_minute = {per_minute}\ntimeout_s = 5',
    "hook": 'kind = "webhook"\nname = "hook"',
    "file": 'kind = "file"\nname = "file"\nfile = "signals.jsonl"',
}
PYTHON = 'kind = "python"\nfile = "{{programs}}"\nclass = "{kind}"\nname = "{name}"'
OWN = {
    "built-in": 'kind = "crossover"',
    **{
        name: PYTHON.format(kind=name.title(), name=name)
        for name in ("steady", "raising", "blocking")
    },
}
RULES = """
[[rules]]
name = "enter"
when = "confidence >= 0.5 and wish in (BUY, SHORT) and position.side == flat and cooldown <= 0s"
then = ["enter signal cash 10000 stop {stop_atr} atr target {target_atr} atr", "cooldown {cooldown_s}s"]
priority = 10
[[rules]]
name = "turn-long"
when = "wish == BUY and position.side == short"
then = "reverse"
[[rules]]
name = "turn-short"
when = "wish == SHORT and position.side == long"
then = "reverse"
[[rules]]
name = "close"
when = "wish == SELL and position.side == long"
then = "exit"
[[rules]]
name = "free-ride"
when = "event == timer and position.profit_atr >= 1"
then = "break even"
cooldown_s = 5
[[rules]]
name = "hold-on"
when = "event == bar and position.profit_percent >= 0.1"
then = "move stop 4 atr from price"
[[rules]]
name = "tell"
when = "fill.role == stop"
then = 'alert "stopped out"'
"""


def write_configuration(mix: AutoMix, folder: Path) -> Path:
    """Into `folder`; answers where."""
    path = folder / "trader.toml"
    path.write_text(_text(mix), encoding="utf-8")
    return path


def settings_of(mix: AutoMix, path: Path) -> Settings:
    """The configuration as it stands there, and the function's section, which its program brings along."""
    settings = load_settings(path)
    if "function" not in mix.sources:
        return settings
    symbols = [ticker for ticker, owner in mix.owners().items() if owner == "function"]
    trading = _trading(mix, "function")
    own = HeardSection.model_validate({"name": "function", "symbols": tuple(symbols), **trading})
    return settings.model_copy(update={"signals": (*settings.signals, own)})


def _text(mix: AutoMix) -> str:
    owners = mix.owners()
    said = {"url": API_URL, "per_minute": mix.per_minute, "programs": Path(__file__).with_name("programs.py")}
    parts = ["[connection]\nport = 7497"]
    end = "flatten" if "flat at end" in mix.traits else "protected"
    close = "" if mix.closes_s is None else f"flatten_before_close_s = {FLATTEN_S}"
    parts.append(f'[run]\nat_end = "{end}"\n{close}')
    for name in dict.fromkeys(owners.values()):
        table, head = ("signals", HEARD.get(name)) if name in HEARD else ("strategies", OWN.get(name))
        if head is None:
            continue
        symbols = [ticker for ticker in TICKERS if owners[ticker] == name]
        trading = "\n".join(f"{key} = {_toml(value)}" for key, value in _trading(mix, name).items())
        parts.append(f"[[{table}]]\n{head.format(**said)}\nsymbols = {symbols}\n{trading}")
    if "rules" in mix.traits:
        parts.append(RULES.format(**{name: getattr(mix, name) for name in mix.__struct_fields__}))
    return "\n".join(parts)


def _trading(mix: AutoMix, name: str) -> dict[str, object]:
    """What a section says; all say the same, but for their past."""
    said: dict[str, object] = {
        "bar_seconds": 1,
        "warm_up": name in mix.warm,
        "stop_atr": mix.stop_atr,
        "target_atr": mix.target_atr,
        "cooldown_s": mix.cooldown_s,
        "close_margin_s": CLOSE_MARGIN_S,
    }
    more: dict[str, dict[str, object]] = {
        "scale in": {"scale_in_profit": "0.5 atr", "scale_in_times": 2},
        "double down": {"double_down": True},
        "trail": {"trail": "3 atr"},
        "break even": {"break_even_after": "1 atr", "break_even_offset": "0.02%"},
        "risk fraction": {"risk_fraction": 0.0001},
        "fractions": {"stop_fraction": 0.004, "target_fraction": 0.003},
        "opposite close": {"opposite": "close"},
        "opposite ignore": {"opposite": "ignore"},
    }
    if "trail" in mix.traits:
        del more["break even"]  # two ways to move a stop; a section has one
    for trait in mix.traits:
        said |= more.get(trait, {})
    return said


def _toml(value: object) -> str:
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f'"{value}"'
        if isinstance(value, str)
        else str(value)
    )
