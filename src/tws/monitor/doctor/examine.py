"""`diagnose`: the stages in order, each leaving a step, and a cause where it met one.

    configuration   do port, account and mode agree?
    packages        which ibapi and protobuf would be imported? A mixture ends the examination here
    wsl             inside WSL alone: where Windows is
    listener        does the system's table show who listens on that port? (this machine only)
    process         nobody listens: does a TWS run at all?
    memory          how much this machine has left, where TWS shares it
    connection      dial, handshake and start, by `tws.connection`; the stage that failed names the cause
    clock           does TWS answer, and what is the time there?
    time zone       in which zone does it date?
    account         is the account among those of this login, and does the login fit the mode?
    orders          would orders be refused (Read-Only API)? Asked by listing the open orders
    data            what market data does it give, live, delayed, frozen or none, and with which code?
    settings        what its own settings would do to a program (version 219 and up)
    farms, session  what it said unasked: its link to IB, its farms, its port, its pace
    calendar        when the link is expected to go

All that touches the machine is in `Tools`, so that a test can replace it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from tws.config import LIVE_PORTS, PAPER_PORTS, TWSConfig, mask_account
from tws.errors import ConfigError
from tws.model.contract import Contract
from tws.monitor.doctor.data import contract_of
from tws.monitor.doctor.dialogue import Dialogue, Wanted
from tws.monitor.doctor.naming import name_failure
from tws.monitor.doctor.notes import Notes
from tws.monitor.doctor.packages import PackageCheck
from tws.monitor.doctor.pauses import Restart, examine_pauses, time_of_day
from tws.monitor.doctor.place import Place, look
from tws.monitor.doctor.report import Outcome, PauseAhead, Report, Target
from tws.monitor.doctor.session import Session
from tws.monitor.doctor.tools import Tools

__all__ = ["Tools", "diagnose"]

_SHORT_MB = 500
"""Below this a Java program of TWS's size begins to swap, and answers late or not at all (assumed)."""


async def diagnose(
    config: TWSConfig,
    tools: Tools | None = None,
    symbols: Sequence[str] | Mapping[str, Contract] = (),
    also: Callable[[Session], Awaitable[None]] | None = None,
) -> Report:
    """Examine the way to the TWS of `config`. Every stage ends by its time-out; a sick TWS raises nothing.

    `symbols`  whose market data are meant to come, such as ("SPY", "EUR.USD"), or with what each means;
               without any one stock is tried, and what it lacks is a warning alone
    `also`     asks what else somebody wants to know of the same session, before it is closed
    """
    named = symbols if isinstance(symbols, Mapping) else {each: contract_of(each) for each in symbols}
    return await _Examination(config, tools or Tools(), Wanted(named, also)).run()


class _Examination:
    """One run."""

    def __init__(self, config: TWSConfig, tools: Tools, wanted: Wanted) -> None:
        self.config = config
        self.tools = tools
        self.wanted = wanted
        self.notes = Notes()
        self.checked = PackageCheck((), ())
        self.place: Place | None = None
        self.pauses: tuple[PauseAhead, ...] = ()

    async def run(self) -> Report:
        self._configuration()
        if await self._packages():
            self.place = await look(self.config, self.tools, self.notes)
        if self.place is not None:
            await self._memory(self.place)
            await self._session(self.place)
            self._calendar()
        return self._report()

    def _configuration(self) -> None:
        config, notes = self.config, self.notes
        other = "live" if config.trading_mode == "paper" else "paper"
        if config.port in (LIVE_PORTS if other == "live" else PAPER_PORTS):
            own = "7497 (TWS) or 4002 (IB Gateway)" if other == "live" else "7496 (TWS) or 4001 (IB Gateway)"
            mode = config.trading_mode
            notes.found(
                "wrong_port_for_mode", "configuration", port=config.port, port_mode=other, mode=mode, own=own
            )
            return
        try:
            config.validate()
        except ConfigError as wrong:
            text = f"{wrong.field}: {wrong.reason}"
            notes.found("configuration", "configuration", text=text, cure=wrong.cure)
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

    async def _memory(self, place: Place) -> None:
        if not place.listeners:
            return  # TWS is elsewhere, or nowhere
        free = await asyncio.to_thread(self.tools.free_memory_mb)
        if free < _SHORT_MB:
            self.notes.found("memory_short", "memory", free=free)
        else:
            self.notes.step("memory", Outcome.OK, f"{free} MB are free")

    async def _session(self, place: Place) -> None:
        dialogue = Dialogue(self.config, self.notes, self.tools, self.wanted)
        session, failure = await dialogue.connect(place)
        if session is not None:
            if place.half_closed:
                self.notes.found("half_closed", "listener", half_closed=place.half_closed)
            await dialogue.converse(session)
        elif failure is not None:
            running = await asyncio.to_thread(self.tools.wsl_processes) if place.absent else ()
            key, facts = name_failure(failure, place, self.config, running)
            self.notes.found(key, f"connection: {failure.stage}", **facts)

    def _calendar(self) -> None:
        told, zone, now_ns = self.notes.settings, self.notes.zone, self.tools.now_ns()
        at = time_of_day(told.auto_logoff_time) if told is not None else None
        restart = None
        if told is not None and at is not None and zone is not None:
            restart = Restart(at, zone, told.auto_restart is not False)
        self.pauses = examine_pauses(self.notes, self.tools.pauses(now_ns, restart), now_ns)

    def _report(self) -> Report:
        config, notes, place = self.config, self.notes, self.place
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
            warnings=tuple(notes.warnings),
            packages=self.checked.seen,
            listeners=place.listeners if place is not None else (),
            processes=place.processes if place is not None else (),
            wsl=place.wsl if place is not None else None,
            session=notes.session,
            data=tuple(notes.data),
            settings=notes.settings,
            pauses=self.pauses,
        )
