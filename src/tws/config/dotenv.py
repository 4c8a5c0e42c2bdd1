"""A reader of `.env` files that takes what users of every shell paste into them.

The common libraries know one dialect; a setup guide shows four. Each line is one of

    NAME=value            export NAME=value
    set NAME=value        set "NAME=value"        $env:NAME="value"

or empty, or a comment after `#`. Names that we do not know are kept and harm nobody. A line that is
none of these stops the reading with its number, for a setting that is silently dropped sends orders to
the wrong place. Files come as Windows editors save them: byte-order mark, UTF-16, trailing blanks.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tws.errors import ConfigError

__all__ = ["Setting", "parse_env", "read_env_file", "read_variables"]

_MAX_BYTES = 1_000_000  # a .env file is a page; more is some other file by mistake

_CMD_QUOTED = re.compile(
    r'set\s+"(?P<name>[A-Za-z_][A-Za-z0-9_.]*)=(?P<value>[^"]*)"\s*(?:#.*)?', re.IGNORECASE
)
_ASSIGNMENT = re.compile(
    r"(?:export\s+|set\s+|\$env:)?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(?P<value>.*)", re.IGNORECASE
)
_QUOTED = re.compile(r"""(?P<quote>["'])(?P<text>.*?)(?P=quote)\s*;?\s*(?:#.*)?""")


class Setting(NamedTuple):
    """One value and where it stands, for the error that may follow."""

    text: str
    origin: str


def read_env_file(path: Path) -> dict[str, Setting]:
    """The settings of a file by their names; of a name that stands twice, the last.

    Raises ConfigError for a file that can't be read, or for a line that is no setting.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as wrong:
        reason = wrong.strerror or type(wrong).__name__
        raise ConfigError("env_file", str(path), reason, "Make the file readable, or remove it") from wrong
    if len(raw) > _MAX_BYTES:
        raise ConfigError("env_file", str(path), f"longer than {_MAX_BYTES} bytes", "Give a .env file")
    return parse_env(_decode(raw), path.name)


def read_variables(
    names: Iterable[str],
    environ: Mapping[str, str] | None = None,
    env_file: str | Path | None = None,
) -> dict[str, Setting]:
    """The settings of a file, and those of `names` that the environment holds, which go before them.

    The file is `.env` in the working directory, if there is one, or `env_file`, which must then exist. What
    is set but empty counts as not set. Raises ConfigError.
    """
    found: dict[str, Setting] = {}
    if env_file is not None:
        path = Path(env_file)
        if not path.is_file():
            raise ConfigError("env_file", str(env_file), "no such file", "Give the path of a .env file")
        found = read_env_file(path)
    elif Path(".env").is_file():
        found = read_env_file(Path(".env"))
    found = {name: setting for name, setting in found.items() if setting.text}
    for name in names:
        text = (os.environ if environ is None else environ).get(name, "").strip()
        if text:
            found[name] = Setting(text, "the environment")
    return found


def parse_env(text: str, source: str = ".env") -> dict[str, Setting]:
    """Read settings from text; `source` names it in origins and errors."""
    found: dict[str, Setting] = {}
    # Not splitlines(): it also breaks at form feeds and other signs that editors do not count as lines.
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        line = line.strip().strip("\ufeff")
        if not line or line.startswith("#"):
            continue
        match = _CMD_QUOTED.fullmatch(line) or _ASSIGNMENT.fullmatch(line)
        value = _value(match["value"]) if match else None
        if match is None or value is None:
            raise ConfigError(
                f"{source}, line {number}",
                _head(line),
                "this line is no setting" if match is None else "a quote is opened and not closed",
                "Write NAME=value, or begin the line with # to make it a comment",
            )
        found[match["name"].upper()] = Setting(value, f"{source}, line {number}")
    return found


def _value(text: str) -> str | None:
    """The value behind the equals sign, without quotes and comment; None if a quote is left open."""
    if text[:1] in ("'", '"'):
        quoted = _QUOTED.fullmatch(text)
        return quoted["text"].strip() if quoted else None
    return re.split(r"(?:^|\s)#", text, maxsplit=1)[0].strip()


def _head(line: str) -> str:
    """The first word of a line: enough to find it, too little to show a password in a log."""
    word = re.split(r"[\s:=]", line, maxsplit=1)[0][:24]
    return word if word == line else f"{word} …"


def _decode(raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace")
    if raw[1:2] == b"\0":  # UTF-16 without its mark: the second byte of an ASCII letter is zero
        return raw.decode("utf-16-le", errors="replace")
    if raw[:1] == b"\0":
        return raw.decode("utf-16-be", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        # An old Windows editor; names and values of ours are ASCII, so only comments can suffer.
        return raw.decode("cp1252", errors="replace")
