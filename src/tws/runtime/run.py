"""`Run`: one trader from its configuration to its report, as a process that can be stopped, killed and
started again.

The lease is taken and the journal replayed before anything is dialled; then the broker is reconciled, the
control channel opened, and signals become orders until somebody ends it: a signal of the system, `tws stop`,
`tws kill`, the time that was given, or a failure. The end cancels entries and keeps the stops, or closes all
that is ours, then asks the broker once more and says what is left. A wish to end that comes while it starts
waits for no answer of TWS: a start without a link is given up; on a link the entries are cancelled that the
journal and the broker have named so far, and the stops stay.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Coroutine
from decimal import Decimal

from msgspec.structs import replace

from tws.clock import NS_PER_S, Clock, SystemClock
from tws.config import is_paper_account, mask_account
from tws.desk import Alert
from tws.errors import ConfigError, SafetyError, TWSError
from tws.log import get_logger
from tws.model.market import MarketDataType
from tws.model.records import Severity
from tws.runtime.control import Control
from tws.runtime.evidence import SessionLine, add_session
from tws.runtime.fingerprint import code_fingerprint, settings_fingerprint
from tws.runtime.opening import Countdown, Opening
from tws.runtime.parts import TraderParts
from tws.runtime.pilot import Pilot
from tws.runtime.place import Note, Place, places
from tws.runtime.plan import RunPlan
from tws.runtime.report import RunReport
from tws.runtime.status import protection
from tws.runtime.stopping import ANSWER_S, carry_on
from tws.runtime.sweeping import swept
from tws.runtime.trader import Trader
from tws.runtime.unlocking import changed_limits, why_locked
from tws.runtime.windup import bare, end_flat, end_protected, left, reconcile_now
from tws.safety import SafetyFile, is_alive

__all__ = ["Run"]

LOOK_S = 0.2
"""How often is looked for what time alone brings: bars that end without a tick, sessions, ages. All else
rings the trader's bell, and is looked at at once."""

END_S = 10.0
"""How long the end may take: twenty entries are cancelled in two seconds; a close has to fill."""

ALARMS_TOLD = 50

log = get_logger("tws.runtime")


class Run:
    """One run of a plan, on one event loop. `parts` stands in for clocks and links, in tests."""

    def __init__(self, plan: RunPlan, *, parts: TraderParts | None = None) -> None:
        self.plan = plan
        self.alarms: list[str] = []
        self._parts = parts or TraderParts()
        self.clock: Clock = self._parts.clock or SystemClock()
        self.ended = ""
        self.at_end = plan.settings.run.at_end
        self._over = asyncio.Event()
        self._over_down = asyncio.Event()
        self._ring: Callable[[], object] = lambda: None
        self._began_ns = 0
        self._reloaded = False
        self.reloading: asyncio.Task[None] | None = None
        """A reload that is on its way into the journal."""
        self.opening: Opening | None = None
        self._start: asyncio.Future[None] | None = None
        self.pilot: Pilot | None = None
        self.report: RunReport | None = None

    def end(self, reason: str, at_end: str | None = None) -> None:
        """End it orderly; the first reason stays, a wish to flatten is heard later too."""
        self._ring()
        self.ended = self.ended or reason
        if at_end == "flatten" or (at_end is not None and not self._over.is_set()):
            self.at_end = at_end  # type: ignore[assignment]
        self._over.set()

    def take_up(self, plan: RunPlan) -> None:
        """Limits and rules of this plan hold from now on; the desk has them already (`reloading`)."""
        assert self.pilot is not None, "a channel that answers has a pilot"
        self.plan, self._reloaded = plan, True
        self.pilot.take_up(plan)

    async def finished(self) -> RunReport:
        """Wait for the report, which comes when the end was carried out."""
        await self._over_down.wait()
        assert self.report is not None
        return self.report

    async def go(
        self,
        for_s: float | None = None,
        on_ready: Callable[[Trader], None] | None = None,
        on_opening: Callable[[Countdown], None] = lambda countdown: None,
    ) -> RunReport:
        """Trade until somebody ends it, `for_s` from the opening on. `on_opening` hears of each second until
        a market is open, and that one is. Raises what kept it from starting: ConfigError, ConnectError,
        SafetyError, JournalError, RequestTimeoutError, DataError.
        """
        plan = self.plan
        with SafetyFile(plan.place.safety) as self.safety:
            self._refuse_locked()
            config = plan.config
            self.trader = trader = self._make_trader()
            trader.on_alert(self._hear)
            control = Control(self)
            self.safety.take_lease(
                client_id=config.client_id, account=config.account_id, at_ns=self.clock.now_ns()
            )
            try:
                self._leave_note(0, "")  # whoever has to end a start that hangs needs to know the session
                self._began_ns = self.clock.now_ns()
                pilot = self.pilot = Pilot(trader, plan, self._parts.rng)
                ready = await self._unless_over(self._come_up(pilot, control, on_ready))
                if ready:
                    self.opening = Opening(pilot.sessions, for_s, on_opening)
                    await self._trade(pilot, self.opening, for_s)
                else:  # a close waits for all that the broker has to tell, which nobody waits for now
                    self.at_end = "protected"
                await self._wind_up()
                differs = await self._last_look() if ready else "the start was cut short, nothing was asked"
                if ready and trader.failure is None:
                    await pilot.finish(self.clock.now_ns())
                self.report = self._report(pilot, differs)
                self._over_down.set()
                await control.close_softly()
            finally:
                await control.stop()
                await self._end_start()
                if self.pilot is not None:
                    await self.pilot.close()
                await trader.stop()
            if ready:
                self._remember()
            return self.report

    async def _come_up(
        self, pilot: Pilot, control: Control, on_ready: Callable[[Trader], None] | None
    ) -> None:
        trader = self.trader
        await trader.start()
        self._refuse_account(trader.desk.state.account)
        if self.plan.settings.paper.allow_delayed:  # live data come all the same where they are subscribed
            trader.connection.request_market_data_type(MarketDataType.DELAYED)
        for verdict in await carry_on(trader, self.safety, ANSWER_S):
            log.error("a latch was found, and is carried out", verdict=verdict)
        await pilot.open()
        self._leave_note(*await control.start())
        self._began_ns = self.clock.now_ns()
        if on_ready is not None:
            on_ready(trader)

    async def _unless_over(self, start: Coroutine[None, None, None]) -> bool:
        """Whether it came up before somebody wished the end. Raises what it raised."""
        self._start = asyncio.ensure_future(start)
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait((self._start, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
        if not self._start.done():
            return False
        await self._start
        return True

    async def _end_start(self) -> None:
        """Nothing of a start that was cut short goes on; it ends the trader with itself."""
        if self._start is not None:
            self._start.cancel()
            await asyncio.gather(self._start, return_exceptions=True)

    # -- before

    def _make_trader(self) -> Trader:
        plan, parts = self.plan, self._parts
        return Trader(
            plan.config,
            limits=plan.limits,
            parts=replace(
                parts,
                safety=self.safety,
                journal=plan.journal,
                settings=plan.settings,
                configuration=settings_fingerprint(plan.settings),
                contracts=plan.contracts,
            ),
        )

    def _refuse_locked(self) -> None:
        """Refuse before anything is dialled: a live account without an unlock for just this."""
        plan = self.plan
        account = plan.config.account_id
        why = why_locked(self.safety.state, account, plan.settings, self.clock.now_ns())
        if plan.live and why:
            cure = f"tws unlock {plan.path.name} --account {account} --operator NAME --for 8h"
            raise ConfigError("connection", mask_account(account), why, cure)

    def _refuse_account(self, account: str) -> None:
        """What TWS named may be live although no sign of ours was."""
        why = why_locked(self.safety.state, account, self.plan.settings, self.clock.now_ns())
        if not is_paper_account(account) and why:
            raise ConfigError(
                "account_id",
                mask_account(account),
                f"TWS names a live account; {why}",
                "Log in to paper trading, or write the account into the file and: tws unlock",
            )
        if not is_paper_account(account) and self.plan.settings.paper.allow_delayed:
            reason = f"{mask_account(account)} is a live account: delayed data carry no entry there"
            raise ConfigError("paper.allow_delayed", True, reason, "Take it out")
        for other in places(self.plan.place.folder.parent):
            if other.folder != self.plan.place.folder:
                self._refuse_twin(other, account)

    def _refuse_twin(self, other: Place, account: str) -> None:
        """One trader for an account and client id, whatever port it uses."""
        with SafetyFile(other.safety) as safety:
            lease = safety.state.lease
        mine = (account, self.plan.config.client_id)
        if lease is not None and (lease.account, lease.client_id) == mine and is_alive(lease.process):
            raise SafetyError(
                other.safety,
                "held",
                f"{lease.process} trades the same account with client id {mine[1]}",
                f"Stop that one first: tws stop --trader {other.name}",
            )

    def _leave_note(self, port: int, token: str) -> None:
        config, state = self.plan.config, self.trader.desk.state
        self.plan.place.write_note(
            Note(
                pid=os.getpid(),
                host=config.host,
                port=config.port,
                client_id=config.client_id,
                account=state.account or config.account_id,
                trading_mode=config.trading_mode,
                journal=str(self.plan.journal),
                config=str(self.plan.path),
                control=port,
                token=token,
            )
        )

    # -- meanwhile

    async def _trade(self, pilot: Pilot, opening: Opening, for_s: float | None) -> None:
        """Look, act, wait for the bell; until the end is asked for, the time is over or the trader fails."""
        loop, bell = asyncio.get_running_loop(), self.trader.bell
        self._ring = bell.ring
        timed_s = loop.time()
        with swept(loop.time()) as sweeper:
            while not self._over.is_set():
                if self.trader.failure is not None:
                    self.end(f"the trader has failed: {self.trader.failure}")
                if opening.over(self.clock.now_ns(), loop.time()):
                    self.end(f"the {for_s:g} s are over")
                if self._over.is_set():
                    break
                timed = loop.time() >= timed_s
                if timed:
                    timed_s = loop.time() + LOOK_S
                try:
                    await pilot.step(self.clock.now_ns(), timed=timed)
                except (TWSError, ValueError) as wrong:  # no link, or TWS refused a question: looked at again
                    log.warning("a look at the signals failed", reason=str(wrong))
                with contextlib.suppress(TWSError):  # what ended the trader, which the next round finds
                    await pilot.closing.look(self.clock.now_ns())
                if timed:
                    sweeper.sweep(loop.time())
                await bell.wait(timed_s - loop.time())

    # -- the end

    async def _wind_up(self) -> None:
        trader = self.trader
        if trader.failure is not None or not trader.turning:
            return
        try:
            end = end_flat if self.at_end == "flatten" else end_protected
            await end(trader, f"the run ends: {self.ended}", END_S)
        except TWSError as wrong:
            log.error("the end could not be carried out", reason=str(wrong))

    async def _last_look(self) -> str:
        if self.trader.failure is not None:
            return "the trader has failed"
        return await reconcile_now(self.trader, END_S)

    def _report(self, pilot: Pilot, differs: str) -> RunReport:
        trader = self.trader
        state, ours = trader.desk.state, trader.desk.state.ours
        latches = [f"{each.state} on {each.scope.key}: {each.reason}" for each in self.safety.state.latches]
        return RunReport(
            ended=self.ended,
            at_end=self.at_end,
            account=mask_account(state.account),
            seconds=(self.clock.now_ns() - self._began_ns) / NS_PER_S,
            signals=pilot.book.heard,
            traded=pilot.traded,
            closed=pilot.closed,
            refused=dict(pilot.refused),
            denied=dict(pilot.denied),
            fates=pilot.book.plain(),
            fate_lines=pilot.fate_lines(self.clock.now_ns()),
            sources=[each.plain() for each in pilot.sources.health()],
            rules=pilot.rules.tallies(self.clock.now_ns()) if pilot.rules is not None else [],
            fills=sum(each.counted for each in ours.holdings.values()),
            realized=sum((ours.net_pnl(each) for each in ours.holdings.values()), Decimal(0)),
            left=[str(each) for each in left(state)],
            unprotected=bare(state),
            differs=differs,
            latched="; ".join(latches),
            failure="" if trader.failure is None else str(trader.failure),
            alarms=list(self.alarms),
            code=code_fingerprint(),
            configuration=settings_fingerprint(self.plan.settings),
            mode=self.plan.mode,
            grade="" if self.plan.grade is None else str(self.plan.grade),
            protection=protection(trader.desk, self.clock.now_ns()),
            markets=pilot.markets.lines(self.clock.now_ns()),
            strategies=[each.line() for each in pilot.programs.values()],
            disabled=[f"{name}: {why}" for name, why in pilot.disabled.items()],
            head=trader.head,
        )

    def _remember(self) -> None:
        report = self.report
        assert report is not None
        line = SessionLine(
            at_ns=self.clock.now_ns(),
            account=self.trader.desk.state.account,
            code=code_fingerprint(),
            settings=self._settings_traded(),
            seconds=report.seconds,
            trades=report.traded,
            reconciled=report.good,
        )
        try:
            add_session(self.plan.place, line)
        except OSError as wrong:
            log.warning("the session was not remembered", reason=str(wrong))

    def _settings_traded(self) -> str:
        """The configuration that this session speaks for: none when its limits were others at the end, or it
        took another one up on its way.
        """
        changed = self._reloaded or changed_limits(self.plan.settings, self.trader.desk.state)
        return "" if changed else settings_fingerprint(self.plan.settings)

    def _hear(self, alert: Alert) -> None:
        if alert.severity is Severity.ALARM and len(self.alarms) < ALARMS_TOLD:
            self.alarms.append(alert.text)
