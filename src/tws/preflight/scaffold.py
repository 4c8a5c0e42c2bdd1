"""`tws init`: the files of a first configuration, from a few answers.

    tws.toml         commented; a line that begins with "# key =" may be uncommented as it stands
    signals.jsonl    for the source "file": one signal for each symbol, dated now
    .env.example     the variables that a source names, without their secrets
    .env             for the source "http" on the simulator: those of `tws api-demo`
    .gitignore       what holds secrets or state

`scaffold` says what is written, `write` writes it and overwrites nothing unless told. What it writes is what
`tws check` accepts (a test uncomments each line in turn).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal

from msgspec import Struct

from tws.clock import to_datetime
from tws.errors import ConfigError
from tws.platform import shell_word
from tws.preflight.words import (
    CONNECTION_PAPER,
    CONNECTION_SIMULATOR,
    END,
    ENV,
    ENV_DEMO,
    GITIGNORE,
    HEAD,
    RISK,
    SOURCES,
    TRADING,
)

__all__ = [
    "SOURCE_NAMES", "WHERE_NAMES", "Answers", "next_commands", "next_note", "parse_answers",
    "refuse_existing", "scaffold", "write",
]  # fmt: skip

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

    @property
    def by_demo_api(self) -> bool:
        """Whether `tws api-demo` is the API that is asked."""
        return (self.where, self.source) == ("simulator", "http")


def parse_answers(typed: Mapping[str, str]) -> Answers:
    """The answers as they were typed, by the names of `Answers`. Raises ConfigError."""
    where, source = typed["where"].strip().lower(), typed["source"].strip().lower()
    symbols = typed["symbols"]
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
    if answers.by_demo_api:
        files[".env"] = ENV_DEMO
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
    at = to_datetime(now_ns)
    time = at.isoformat(timespec="seconds")
    rows = [  # an id counts once: files that are written anew (--force) are traded anew
        {"id": f"{symbol}-{at:%m%d-%H%M%S}", "symbol": symbol, "wish": "BUY", "confidence": 0.8, "time": time}
        for symbol in symbols
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def refuse_existing(folder: Path, names: Iterable[str] = ("tws.toml",)) -> None:
    """Raises ConfigError when one of the files is there already, or the folder is a file."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError("folder", str(folder), "is a file, not a folder", "Name another one")
    if there := [name for name in names if (folder / name).exists()]:
        cure = "Name another folder, or overwrite them: --force"
        raise ConfigError("folder", str(folder), f"holds {', '.join(there)} already", cure)


def write(folder: Path, files: dict[str, str], force: bool) -> list[Path]:
    """Write them all, or none; a `.env` that is there has secrets in it, and is left as it is, and what a
    `.gitignore` has stays in it. Raises ConfigError when another is there already and `force` is not given.
    """
    files = {name: text for name, text in files.items() if name != ".env" or not (folder / name).exists()}
    if not force:
        refuse_existing(folder, (name for name in files if name != ".gitignore"))
    made: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / ".gitignore").exists():
            files[".gitignore"] = _added((folder / ".gitignore").read_text(encoding="utf-8"))
        for name, text in files.items():
            made.append(folder / f"{name}.new")
            made[-1].write_text(text, encoding="utf-8", newline="\n")
        return [path.replace(path.with_suffix("")) for path in made]
    except (OSError, UnicodeDecodeError) as wrong:
        for path in filter(Path.is_file, made):
            path.unlink()
        reason = f"can't be written to: {getattr(wrong, 'strerror', None) or wrong}"
        raise ConfigError("folder", str(folder), reason, "Name another folder") from wrong


def _added(lines: str) -> str:
    """What somebody's `.gitignore` has, and below it what it lacks of ours."""
    has = set(lines.splitlines())
    lacks = [line for line in GITIGNORE.splitlines() if line not in has and not line.startswith("#")]
    return "\n".join([*lines.splitlines(), *lacks, ""])


def next_commands(answers: Answers, folder: Path) -> list[str]:
    """The commands that come next, the last two of them check and run; those that serve come first."""
    file = folder / "tws.toml"
    first = [f"tws {'sim' if answers.where == 'simulator' else 'doctor'} --port {answers.port}"]
    if answers.by_demo_api:
        first.append("tws api-demo --window 5")
    named = shell_word(str(file))
    return [*first, f"tws check {named} --connect", f"tws run {named} --for 60s"]


def next_note(answers: Answers, folder: Path) -> str:
    """What has to be done by hand before, or where the commands are typed; empty: nothing to say."""
    if answers.source == "http" and not answers.by_demo_api:
        return f"Copy {folder / '.env.example'} to {folder / '.env'} and fill in address and key. "
    if answers.by_demo_api:
        return "The first two serve until Ctrl-C: type each in a terminal of its own. "
    if answers.where == "simulator":
        return "The first serves until Ctrl-C: type it in a second terminal. "
    return ""
