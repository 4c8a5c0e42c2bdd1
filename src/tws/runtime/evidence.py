"""What speaks for trading live: sessions that ended reconciled, a drill that passed, limits that are set.

Each run leaves a line in `sessions.jsonl` with the fingerprints of the code and of its limits and strategies;
where TWS listens is no part of them, since paper and live differ in it. Only sessions of the same code and
the same configuration count: a change of either begins the count anew.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from tws.clock import NS_PER_S
from tws.config import Settings, is_paper_account
from tws.risk import LIVE_REQUIRES, Limits
from tws.runtime.fingerprint import code_fingerprint, settings_fingerprint
from tws.runtime.place import Place

__all__ = [
    "DRILL_DAYS",
    "SESSIONS_WANTED",
    "Evidence",
    "SessionLine",
    "add_session",
    "gather",
    "note_drill",
    "read_sessions",
]

SESSIONS_WANTED = 5
"""Paper sessions that ended reconciled: a trading week."""

DRILL_DAYS = 30
"""How long a drill that passed speaks for the code that it was played on."""

_READ = 10_000  # lines looked at, the last ones: years of sessions


class SessionLine(Struct, frozen=True, kw_only=True):
    """One session that ended. `seconds` of market time; `reconciled` by the broker's last word."""

    at_ns: int
    account: str
    code: str
    settings: str
    seconds: float
    trades: int
    reconciled: bool


class Evidence(Struct, frozen=True, kw_only=True):
    """What was found for an unlock: lines that speak for it, and what is missing."""

    found: tuple[str, ...]
    missing: tuple[str, ...]


def add_session(place: Place, line: SessionLine) -> None:
    """Append one line. Raises OSError."""
    with place.sessions.open("ab") as file:
        file.write(msgspec.json.encode(line) + b"\n")


def read_sessions(root: Path) -> list[SessionLine]:
    """The sessions of all traders under a folder; a line that a crash cut short is left out."""
    lines = []
    for file in sorted(root.glob("*/sessions.jsonl")):
        for row in file.read_bytes().splitlines()[-_READ:]:
            with suppress(msgspec.MsgspecError):
                lines.append(msgspec.json.decode(row, type=SessionLine))
    return lines


def note_drill(root: Path, passed: bool, at_ns: int) -> None:
    """For `tws drill`: what the rehearsal found, under the folder of all traders (`place.state_root`)."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    said = {"passed": passed, "at_ns": at_ns, "code": code_fingerprint()}
    (root / "drill.json").write_text(json.dumps(said) + "\n", encoding="utf-8")


def gather(place: Place, settings: Settings, operator: str, now_ns: int) -> Evidence:
    """What speaks for unlocking the account of this configuration, and what is missing."""
    found: list[str] = []
    missing: list[str] = []
    _sessions(place, settings, found, missing)
    _drill(place.folder.parent / "drill.json", now_ns, found, missing)
    limits = Limits.from_section(settings.risk.chosen())
    unset = [name for name in LIVE_REQUIRES if getattr(limits, name) is None]
    if unset:
        missing.append(f"limits that live trading needs are not set: {', '.join(unset)}")
    else:
        found.append(
            f"limits: {limits.max_order_quantity} a quantity, {limits.max_order_notional} a notional"
        )
    if operator.strip():
        found.append(f"operator: {operator.strip()}")
    else:
        missing.append("an operator's name: --operator")
    return Evidence(found=tuple(found), missing=tuple(missing))


def _sessions(place: Place, settings: Settings, found: list[str], missing: list[str]) -> None:
    code, said = code_fingerprint(), settings_fingerprint(settings)
    good = [
        each
        for each in read_sessions(place.folder.parent)  # paper and live have other ports
        if each.reconciled and is_paper_account(each.account) and each.code == code and each.settings == said
    ]
    text = f"{len(good)} paper sessions ended reconciled on code {code} and configuration {said}"
    if len(good) >= SESSIONS_WANTED:
        found.append(text)
    else:
        missing.append(f"{text}; {SESSIONS_WANTED} are wanted")


def _drill(path: Path, now_ns: int, found: list[str], missing: list[str]) -> None:
    try:
        said = json.loads(path.read_bytes())
        age_s = (now_ns - int(said["at_ns"])) / NS_PER_S
        good = said["passed"] is True and said["code"] == code_fingerprint()
    except (OSError, ValueError, KeyError, TypeError):
        missing.append("no drill was played: tws drill")
        return
    if good and 0 <= age_s <= DRILL_DAYS * 86_400:
        found.append(f"a drill passed {age_s / 86_400:.0f} days ago on this code")
    else:
        missing.append(f"no drill has passed on this code within {DRILL_DAYS} days: tws drill")
