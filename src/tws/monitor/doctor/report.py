"""What the doctor found: frozen values, whose field names are the keys of `tws doctor --json`."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

__all__ = ["Finding", "ListenerSeen", "Outcome", "PackageSeen", "Report", "SessionSeen", "Step", "Target"]


class Outcome(StrEnum):
    """How a stage went. NOTE: it worked, and there is something to know."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"
    SKIPPED = "skipped"


class Step(Struct, frozen=True):
    """One stage that was tried: its name, how it went, and what was seen, in one line."""

    stage: str
    outcome: Outcome
    text: str


class Finding(Struct, frozen=True):
    """One cause. `key` is stable (see causes.py); `cure` says what to do, with the path in TWS's menus."""

    key: str
    stage: str
    cause: str
    cure: str


class Target(Struct, frozen=True, kw_only=True):
    """What was examined. `account` is masked."""

    host: str
    port: int
    client_id: int
    account: str
    mode: str


class PackageSeen(Struct, frozen=True, kw_only=True):
    """A package as it would be imported: from which file, and which distributions claim it, with versions."""

    name: str
    version: str
    origin: str
    distributions: tuple[str, ...] = ()


class ListenerSeen(Struct, frozen=True, kw_only=True):
    """A listening socket. `process` and `pid` are empty and None where the system does not tell."""

    address: str
    port: int
    process: str = ""
    pid: int | None = None


class SessionSeen(Struct, frozen=True, kw_only=True):
    """What an open session told. `time_skew_s`: our clock minus TWS's, to the second; accounts masked."""

    server_version: int
    client_id: int
    accounts: tuple[str, ...] = ()
    time_skew_s: float | None = None
    read_only: bool | None = None


class Report(Struct, frozen=True, kw_only=True):
    """The whole examination. `healthy`: no cause was found, and a session came about."""

    healthy: bool
    target: Target
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    packages: tuple[PackageSeen, ...] = ()
    listeners: tuple[ListenerSeen, ...] = ()
    session: SessionSeen | None = None
