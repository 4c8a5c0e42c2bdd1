"""`tws init`: the files of a first configuration, from a few answers.

    tws.toml         commented; a line that begins with "# key =" may be uncommented as it stands
    signals.jsonl    for the source "file": one signal for each symbol, dated now
    .env.example     the variables that a source names, without their secrets
    .gitignore       what holds secrets or state

`scaffold` says what is written, `write` writes it and overwrites nothing unless told. What it writes is what
`tws check` accepts (a test uncomments each line in turn).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal

from msgspec import Struct

from tws.clock import to_datetime
from tws.errors import ConfigError
from tws.preflight.words import (
    CONNECTION_PAPER,
    CONNECTION_SIMULATOR,
    END,
    ENV,
    GITIGNORE,
    HEAD,
    RISK,
    SOURCES,
    TRADING,
)

__all__ = ["SOURCE_NAMES", "WHERE_NAMES", "Answers", "next_commands", "parse_answers", "scaffold", "write"]

WHERE_NAMES = ("simulator", "paper")
SOURCE_NAMES = ("file", "http", "breakout")
PORTS = {"simulator": 7400, "paper": 7497}

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9 .\-/]{0,31}")
_MOST_SYMBOLS = 40
"""As many data lines as a check opens."""


class Answers(Struct, frozen=True, kw_only=True):
    """What a newcomer is asked. `money` of one entry; `stop` and `target` in percent of its price."""

    where: Literal["simulator", "paper"] = "simulator"
    symbols: tuple[str, ...] = ("SPY", "QQQ")
    money: Decimal = Decimal(10_000)
    stop: Decimal = Decimal(2)
    target: Decimal = Decimal(3)
    source: Literal["file", "http", "breakout"] = "file"

    @property
    def port(self) -> int:
        return PORTS[self.where]


def parse_answers(typed: Mapping[str, str]) -> Answers:
    """The answers as they were typed, by the names of `Answers`. Raises ConfigError."""
    where, symbols, source = typed["where"], typed["symbols"], typed["source"]
    names = tuple(dict.fromkeys(part.strip().upper() for part in symbols.split(",") if part.strip()))
    wrong = next((name for name in names if not _SYMBOL.fullmatch(name)), None)
    if wrong is not None or not names or len(names) > _MOST_SYMBOLS:
        value = symbols if wrong is None else wrong
        raise ConfigError("symbols", value, f"no symbols (1 to {_MOST_SYMBOLS})", "Write such as SPY,QQQ")
    if where not in WHERE_NAMES:
        raise ConfigError("where", where, "is unknown", f"Write one of {', '.join(WHERE_NAMES)}")
    if source not in SOURCE_NAMES:
        raise ConfigError("source", source, "is unknown", f"Write one of {', '.join(SOURCE_NAMES)}")
    return Answers(
        where="paper" if where == "paper" else "simulator",
        symbols=names,
        money=_number("money", typed["money"], Decimal(10) ** 9),
        stop=_number("stop", typed["stop"], Decimal(100)),
        target=_number("target", typed["target"], Decimal(100)),
        source="http" if source == "http" else "breakout" if source == "breakout" else "file",
    )


def _number(name: str, text: str, below: Decimal) -> Decimal:
    try:
        value = Decimal(text.strip().rstrip("%"))
    except InvalidOperation:
        value = Decimal(0)
    if not (value.is_finite() and 0 < value < below):
        raise ConfigError(name, text, f"is no number above 0 and below {below:f}", "Write such as 2 or 0.5")
    return value


def scaffold(answers: Answers, now_ns: int) -> dict[str, str]:
    """Each file's text by its name."""
    files = {
        "tws.toml": _configuration(answers),
        ".env.example": ENV,
        ".gitignore": GITIGNORE,
    }
    if answers.source == "file":
        files["signals.jsonl"] = _signals(answers.symbols, now_ns)
    return files


def _configuration(answers: Answers) -> str:
    values = {
        "PORT": str(answers.port),
        "SYMBOLS": json.dumps(list(answers.symbols)),
        "FIRST": answers.symbols[0],
        "MONEY": f"{answers.money:f}",
        "STOP": f"{(answers.stop / 100).normalize():f}",
        "TARGET": f"{(answers.target / 100).normalize():f}",
        "ALLOW": json.dumps(list(answers.symbols)),
        "NOTIONAL": f"{max(answers.money * 2, Decimal(20_000)):f}",
        "AT_END": "flatten" if answers.where == "simulator" else "protected",
    }
    connection = CONNECTION_SIMULATOR if answers.where == "simulator" else CONNECTION_PAPER
    text = HEAD + connection + SOURCES[answers.source] + TRADING + RISK + END
    for name, value in values.items():
        text = text.replace(f"<{name}>", value)
    return text


def _signals(symbols: tuple[str, ...], now_ns: int) -> str:
    time = to_datetime(now_ns).isoformat(timespec="seconds")
    rows = [
        {"id": f"first-{symbol}", "symbol": symbol, "wish": "BUY", "confidence": 0.8, "time": time}
        for symbol in symbols
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def write(folder: Path, files: dict[str, str], force: bool) -> list[Path]:
    """Write them all, or none. Raises ConfigError when one is there already and `force` is not given."""
    there = [name for name in files if (folder / name).exists()]
    if there and not force:
        cure = "Name another folder, or overwrite them: --force"
        raise ConfigError("folder", str(folder), f"holds {', '.join(there)} already", cure)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as wrong:
        reason = f"can't be written to: {wrong.strerror or wrong}"
        raise ConfigError("folder", str(folder), reason, "Name another folder") from wrong
    return [folder / name for name in files]


def next_commands(answers: Answers, folder: Path) -> list[str]:
    """The three commands that come next."""
    file = folder / "tws.toml"
    first = f"tws {'sim' if answers.where == 'simulator' else 'doctor'} --port {answers.port}"
    named = f'"{file}"' if " " in str(file) else str(file)
    return [first, f"tws check {named} --connect", f"tws run {named} --for 60s"]
