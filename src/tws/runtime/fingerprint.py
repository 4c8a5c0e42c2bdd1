"""What a run trades by, as fingerprints: of the code, and of the configuration.

Both stand in the journal at each start (`Stamped`), in the report, and in the evidence of `tws unlock`. Each
is the first 16 digits of a SHA-256, and computed here alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tws.config import Settings
from tws.risk import Limits

__all__ = ["code_fingerprint", "limits_fingerprint", "program_version", "settings_fingerprint"]


def code_fingerprint() -> str:
    """Of our own source files, whatever their line ends."""
    return _code(Path(__file__).resolve().parents[1])


@cache
def _code(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return total.hexdigest()[:16]


def settings_fingerprint(settings: Settings) -> str:
    """Of what a configuration file says, but for where TWS listens and where state lies."""
    skipped = {"connection", "journal", "state", "demo"}
    # A program may bring a section along that no file could have: pydantic need not warn of it.
    return _of(settings.model_dump(mode="json", exclude=skipped, warnings=False))


def limits_fingerprint(limits: Limits) -> str:
    """Of a program without a configuration file: its limits are what it is configured by."""
    return _of(limits.to_plain())


def _of(said: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


@cache
def program_version() -> str:
    """As the installed distribution calls itself; empty for a bare checkout."""
    try:
        return version("tws-trading-framework")
    except PackageNotFoundError:
        return ""
