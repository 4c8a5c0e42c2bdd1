"""What the doctor found: frozen values, whose field names are the keys of `tws doctor --json`."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

__all__ = [
    "DataSeen",
    "Finding",
    "ListenerSeen",
    "Outcome",
    "PackageSeen",
    "PauseAhead",
    "ProcessSeen",
    "Report",
    "SessionSeen",
    "SettingsSeen",
    "Step",
    "Target",
    "WSLSeen",
]


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


class ProcessSeen(Struct, frozen=True, kw_only=True):
    """A TWS or an IB Gateway (`program`) that runs on this machine. Its command line is never read."""

    program: str
    process: str
    pid: int
    memory_mb: int | None = None


class WSLSeen(Struct, frozen=True, kw_only=True):
    """This is the Linux side of Windows: the Windows side's address as seen from here, and ours."""

    windows: str
    own: str
    mirrored: bool = False


class SessionSeen(Struct, frozen=True, kw_only=True):
    """What an open session told; accounts masked.

    `time_skew_s` our clock minus TWS's, to the second; `answer_ms` how long it took to tell; `zone` of the
    login as TWS writes it, `utc_offset_min` as its clock shows it.
    """

    server_version: int
    client_id: int
    accounts: tuple[str, ...] = ()
    time_skew_s: float | None = None
    read_only: bool | None = None
    answer_ms: int | None = None
    zone: str = ""
    utc_offset_min: int | None = None


class DataSeen(Struct, frozen=True, kw_only=True):
    """One symbol's market data. `kind`: live, frozen, delayed, delayed-frozen, or none.

    `code` and `text` are TWS's refusal of live data, `history_code` its refusal of bars; None where it gave
    them.
    """

    symbol: str
    kind: str
    code: int | None = None
    text: str = ""
    history_code: int | None = None


class SettingsSeen(Struct, frozen=True, kw_only=True):
    """What a TWS of version 219 and up tells of its own settings; None where it does not say."""

    server_version: int
    read_only: bool | None = None
    bypass_precautions: bool | None = None
    localhost_only: bool | None = None
    trusted_ips: int | None = None
    master_client_id: int | None = None
    auto_restart: bool | None = None
    auto_logoff_time: str = ""


class PauseAhead(Struct, frozen=True, kw_only=True):
    """A time when the link is expected to go: what it is, and its begin and end in UTC (ISO 8601)."""

    what: str
    begin: str
    end: str = ""


class Report(Struct, frozen=True, kw_only=True):
    """The whole examination. `healthy`: no cause was found, and a session came about.

    `warnings` are causes that leave TWS healthy: it works, and there is something to mend or to know.
    """

    healthy: bool
    target: Target
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    warnings: tuple[Finding, ...] = ()
    packages: tuple[PackageSeen, ...] = ()
    listeners: tuple[ListenerSeen, ...] = ()
    processes: tuple[ProcessSeen, ...] = ()
    wsl: WSLSeen | None = None
    session: SessionSeen | None = None
    data: tuple[DataSeen, ...] = ()
    settings: SettingsSeen | None = None
    pauses: tuple[PauseAhead, ...] = ()
