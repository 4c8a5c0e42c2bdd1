"""`diagnose`: the stages in order, each leaving a step, and a finding where it met a cause.

    configuration   do port, account and mode agree?
    packages        which ibapi and protobuf would be imported? A mixture ends the examination here
    listener        does the system's table show who listens on that port? (this machine only)
    connection      dial, handshake and start, by `tws.connection`; the stage that failed names the cause
    clock           does TWS answer, and what is the time there?
    account         is the account among those of this login, and does the login fit the mode?
    orders          would orders be refused (Read-Only API)? Asked by listing the open orders

All that touches the machine is in `Tools`, so that a test can replace it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tws.clock import SystemClock
from tws.config import LIVE_PORTS, PAPER_PORTS, TWSConfig, mask_account
from tws.errors import ConfigError, ConnectError
from tws.monitor.doctor.dialogue import Dialogue, Session, open_session
from tws.monitor.doctor.listeners import SocketTable, accepting, is_local, read_table
from tws.monitor.doctor.notes import Notes
from tws.monitor.doctor.packages import PackageCheck, check_packages
from tws.monitor.doctor.report import ListenerSeen, Outcome, Report, Target

__all__ = ["Tools", "diagnose"]


async def _resolve(host: str) -> tuple[str, ...]:
    """The addresses of a host. Raises OSError when there are none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Tools:
    """What touches the machine."""

    packages: Callable[[], PackageCheck] = check_packages
    table: Callable[[], SocketTable] = read_table
    resolve: Callable[[str], Awaitable[tuple[str, ...]]] = _resolve
    open_session: Callable[[TWSConfig], Session] = open_session
    now_ns: Callable[[], int] = SystemClock().now_ns


async def diagnose(config: TWSConfig, tools: Tools | None = None) -> Report:
    """Examine the way to the TWS of `config`. Every stage ends by its time-out; a sick TWS raises nothing."""
    return await _Examination(config, tools or Tools()).run()


class _Examination:
    """One run."""

    def __init__(self, config: TWSConfig, tools: Tools) -> None:
        self.config = config
        self.tools = tools
        self.notes = Notes()
        self.checked = PackageCheck((), ())
        self.listeners: tuple[ListenerSeen, ...] = ()
        self.absent = False  # the table is whole, and nobody in it would take our connection
        self.elsewhere = ""

    async def run(self) -> Report:
        self._configuration()
        if await self._packages() and await self._listener():
            dialogue = Dialogue(self.config, self.notes, self.tools.open_session)
            session, failure = await dialogue.connect()
            if session is not None:
                await dialogue.converse(session, self.tools.now_ns)
            elif failure is not None:
                self._name(failure)
        return self._report()

    def _configuration(self) -> None:
        config, notes = self.config, self.notes
        other = "live" if config.trading_mode == "paper" else "paper"
        if config.port in (LIVE_PORTS if other == "live" else PAPER_PORTS):
            own = "7497 (TWS) or 4002 (IB Gateway)" if other == "live" else "7496 (TWS) or 4001 (IB Gateway)"
            notes.found(
                "wrong_port_for_mode",
                "configuration",
                port=config.port,
                port_mode=other,
                mode=config.trading_mode,
                own=own,
            )
            return
        try:
            config.validate()
        except ConfigError as wrong:
            notes.found(
                "configuration", "configuration", text=f"{wrong.field}: {wrong.reason}", cure=wrong.cure
            )
            return
        notes.step("configuration", Outcome.OK, f"{config.host}:{config.port}, {config.trading_mode}")

    async def _packages(self) -> bool:
        self.checked = await asyncio.to_thread(self.tools.packages)
        for finding in self.checked.findings:
            self.notes.add(finding)
        if not self.checked.findings:
            named = ", ".join(f"{seen.name} {seen.version}" for seen in self.checked.seen)
            self.notes.step("packages", Outcome.OK, named)
        return not self.checked.findings

    async def _listener(self) -> bool:
        config, notes = self.config, self.notes
        try:
            addresses = await asyncio.wait_for(self.tools.resolve(config.host), config.connection_timeout)
        except (OSError, TimeoutError) as wrong:
            detail = getattr(wrong, "strerror", None) or "no answer"
            notes.found("name_unknown", "listener", host=config.host, detail=detail)
            return False
        if not await asyncio.to_thread(is_local, addresses):
            notes.step(
                "listener", Outcome.SKIPPED, f"{config.host} is another machine: its table can't be read"
            )
            return True
        table = await asyncio.to_thread(self.tools.table)
        self.listeners = accepting(table, addresses, config.port)
        if self.listeners:
            notes.step("listener", Outcome.OK, "; ".join(_listener_line(one) for one in self.listeners))
        elif table.whole:
            self.absent, self.elsewhere = True, _elsewhere(table, config.port)
            notes.step("listener", Outcome.NOTE, f"the table of sockets shows none on port {config.port}")
        else:
            notes.step("listener", Outcome.SKIPPED, table.why)
        return True

    def _name(self, failure: ConnectError) -> None:
        """The cause of a failed connect, with what the table of sockets adds to it."""
        key, facts = _classify(failure)
        if self.absent and failure.stage == "dial":
            key, facts = "nothing_listens", {"elsewhere": self.elsewhere}
        owner = next((f" (it is {_owner(one)})" for one in self.listeners if _owner(one)), "")
        where = {"host": self.config.host, "port": self.config.port, "owner": owner}
        self.notes.found(key, f"connection: {failure.stage}", **where, **facts)

    def _report(self) -> Report:
        config, notes = self.config, self.notes
        return Report(
            healthy=not notes.findings and notes.session is not None,
            target=Target(
                host=config.host,
                port=config.port,
                client_id=config.client_id,
                account=mask_account(config.account_id) if config.account_id else "",
                mode=config.trading_mode,
            ),
            steps=tuple(notes.steps),
            findings=tuple(notes.findings),
            packages=self.checked.seen,
            listeners=self.listeners,
            session=notes.session,
        )


def _classify(failure: ConnectError) -> tuple[str, dict[str, object]]:
    """The cause's key for a failed connect. What is not known here keeps the connection's own words."""
    stage, cause = failure.stage, failure.cause
    if stage == "dial" and cause.startswith("refused"):
        return "refused", {}
    if stage in ("dial", "handshake") and "closed it at once" in cause:
        return "closed_at_once", {}
    if stage == "dial":
        return "unreachable", {"detail": cause}
    if stage == "handshake" and failure.code == 503:
        return "version", {"detail": cause}
    if stage == "handshake" and "said nothing" in cause:
        return "silent", {}
    if stage == "handshake":
        return "not_tws", {"detail": cause}
    if stage == "start":
        return "no_session", {"detail": cause}
    return "unexpected", {"detail": f"{stage}: {cause}", "cure": failure.cure}


def _listener_line(listener: ListenerSeen) -> str:
    address = f"[{listener.address}]" if ":" in listener.address else listener.address
    owner = _owner(listener) or "a process that the system does not name"
    return f"{owner} listens on {address}:{listener.port}"


def _owner(listener: ListenerSeen) -> str:
    if listener.pid is None:
        return ""
    return f"{listener.process or 'a process'}, pid {listener.pid}"


def _elsewhere(table: SocketTable, port: int) -> str:
    """The other well-known ports that are listened on: the usual slip is the right TWS on another port."""
    known = {
        one.port: one for one in table.listeners if one.port in LIVE_PORTS | PAPER_PORTS and one.port != port
    }
    lines = [f"{_owner(one) or 'a process'} listens on {number}" for number, one in sorted(known.items())]
    return f" ({'; '.join(lines)})" if lines else ""
