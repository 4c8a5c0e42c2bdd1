"""`check_session`: what the TWS of a plan would mean for a run, asked over one session that can't trade.

The doctor examines the way there, the account, the API's settings, the data of each symbol and the calendar
(`tws.monitor.doctor`); over the same session the questions of a trader follow: the hours of each symbol, the
open orders and positions, day trades and buying power. Nothing is changed, and no order can leave.

The session uses the configuration's client id while no trader holds it, else the next that is free: TWS gives
an id to one session at a time (TWS-BEHAVIOUR.md A3). Id 0 is not used, since it binds manual orders.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal
from typing import Protocol, TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tws.clock import NS_PER_S, to_datetime, to_ns
from tws.config import is_paper_account, mask_account
from tws.errors import LinkLostError, RequestError, RequestTimeoutError, SafetyError, TWSError
from tws.model.account import AccountValue, Position
from tws.model.contract import Contract, ContractDetails
from tws.model.expiry import ending
from tws.model.facts import BrokerOrder
from tws.model.session import parse_hours, session_at
from tws.monitor.doctor.examine import Tools, diagnose
from tws.monitor.doctor.pauses import Pause, Restart
from tws.monitor.doctor.report import DataSeen, Finding, Outcome, Report
from tws.monitor.doctor.session import Session
from tws.preflight.found import of_orders, of_positions
from tws.preflight.line import Line, Weight
from tws.preflight.place import read_journal, read_safety, runs
from tws.preflight.sense import sizes
from tws.runtime.plan import RunPlan, asked_about
from tws.runtime.unlocking import why_locked
from tws.safety import SafetyState

__all__ = ["check_session"]

ANSWER_S = 10.0
"""For each question that is a trader's; a healthy TWS answers within one."""

MOST_SYMBOLS = 40
"""Data lines that are opened for a moment: less than half of the 100 that a login has."""

WEIGHTS = {
    Outcome.OK: Weight.OK,
    Outcome.NOTE: Weight.WARNING,
    Outcome.PROBLEM: Weight.BLOCKER,
    Outcome.SKIPPED: Weight.SKIPPED,
}
OF_TWS = ("restart of TWS", "log-off of TWS")
"""How the doctor calls the times at which TWS itself ends."""
DELAYED_CURE = "Subscribe, or to try things out on paper: [paper] allow_delayed = true"

T = TypeVar("T")


class _Asked(Session, Protocol):
    """What is used of a session besides what the doctor uses."""

    def request_contract(self, contract: Contract) -> Awaitable[ContractDetails]: ...
    def request_all_open_orders(self) -> Awaitable[list[BrokerOrder]]: ...
    def request_positions(self) -> Awaitable[list[Position]]: ...
    def request_account_summary(self, tags: tuple[str, ...]) -> Awaitable[list[AccountValue]]: ...


async def check_session(plan: RunPlan, bound_s: float, tools: Tools | None = None) -> list[Line]:
    """Examine; at most `bound_s`. A sick TWS raises nothing."""
    whole = _Preflight(plan, tools or Tools())
    try:
        async with asyncio.timeout(bound_s):
            await whole.run()
    except TimeoutError:
        cure = "Run tws doctor, and look at the load of the machine that runs TWS"
        text = f"not done within {bound_s:g} s"
        whole.lines.append(Line(about="time", weight=Weight.BLOCKER, text=text, cure=cure))
    return whole.lines


class _Preflight:
    """One examination; `lines` grow as it goes."""

    def __init__(self, plan: RunPlan, tools: Tools) -> None:
        self.lines: list[Line] = []
        self._plan = plan
        self._tools = tools
        self._safety: SafetyState | None = None
        self._told: list[Line] = []
        self._open: dict[str, bool] = {}
        self._dated: list[Contract] = []
        """What is traded, looked at or held, as TWS describes it: a future among it may end soon."""
        self._symbols = tuple(dict.fromkeys(symbol for each in plan.sections for symbol in each.symbols))
        self._seen = (*self._symbols, *sorted(asked_about(plan.rules) - set(self._symbols)))
        """What is traded, and what rules look at besides."""

    async def run(self) -> None:
        with contextlib.suppress(SafetyError):  # told of already, with the file
            self._safety = read_safety(self._plan)
        trading, own = runs(self._safety), self._plan.config.client_id
        client_id = own + 1 if trading or own == 0 else own
        config = replace(self._plan.config, client_id=client_id)
        tools = replace(self._tools, pauses=self._pauses)
        asked = {each: self._plan.contract(each) for each in self._seen[:MOST_SYMBOLS]}
        report = await diagnose(config, tools, asked, self._ask)
        self._tell_way(report, own, trading)
        self._tell_restart(report)
        self.lines += self._told
        self._tell_data(report)

    def _note(self, about: str, weight: Weight, text: str, cure: str = "") -> None:
        self._told.append(Line(about=about, weight=weight, text=text, cure=cure))

    # -- what the doctor found

    def _tell_way(self, report: Report, own: int, trading: bool) -> None:
        cures = {(each.stage, each.cause): each for each in (*report.findings, *report.warnings)}
        for step in report.steps:
            found = cures.get((step.stage, step.text))
            if step.stage == "data" and (found is not None or step.outcome is Outcome.OK):
                continue  # told by symbol, since the market's hours and [paper] say what it means
            weight, cure = WEIGHTS[step.outcome], "" if found is None else found.cure
            if found is not None and found.key == "client_id_in_use" and trading:
                weight, cure = Weight.OK, ""
            self.lines.append(Line(about=step.stage, weight=weight, text=step.text, cure=cure))
        if report.session is not None:
            used = report.session.client_id
            why = "the configuration's own" if used == own else f"not the {own} of the configuration"
            self.lines.append(
                Line(about="client id", weight=Weight.OK, text=f"this check used {used}, {why}")
            )

    def _pauses(self, now_ns: int, restart: Restart | None) -> tuple[Pause, ...]:
        """By TWS's own word where it gives one, else by the file's."""
        said = self._plan.settings.connection.maintenance
        if restart is None and said.auto_restart is not None and said.auto_restart_zone is not None:
            with contextlib.suppress(ZoneInfoNotFoundError, ValueError):
                zone = ZoneInfo(said.auto_restart_zone)
                restart = Restart(time.fromisoformat(said.auto_restart), zone, comes_back=True)
        return self._tools.pauses(now_ns, restart)

    def _tell_restart(self, report: Report) -> None:
        """The next time that TWS itself ends, which no program can keep it from."""
        if report.session is None:
            return
        ahead = next((each for each in report.pauses if each.what.endswith(OF_TWS)), None)
        if ahead is not None:
            text = f"{ahead.what}, {ahead.begin[:16].replace('T', ' ')} UTC"
            self.lines.append(Line(about="restart", weight=Weight.OK, text=text))
            return
        cure = 'See Lock and Exit in TWS, and write it down: [connection.maintenance] auto_restart = "23:45"'
        text = "TWS does not tell when it restarts"
        self.lines.append(Line(about="restart", weight=Weight.SKIPPED, text=text, cure=cure))

    def _tell_data(self, report: Report) -> None:
        for seen in report.data:
            causes = [each for each in (*report.findings, *report.warnings) if _is_about(each, seen)]
            self.lines.append(self._data(seen, causes))
        if len(self._seen) > MOST_SYMBOLS and report.session is not None:
            text = f"only the first {MOST_SYMBOLS} of {len(self._seen)} symbols were asked for data"
            self.lines.append(Line(about="data", weight=Weight.SKIPPED, text=text))

    def _data(self, seen: DataSeen, causes: list[Finding]) -> Line:
        code = "" if seen.code is None else f" (code {seen.code})"
        text = f"{seen.symbol}: {seen.kind}{code}"
        cure = causes[0].cure if causes else ""
        closed = self._open.get(seen.symbol) is False
        weight, denied = Weight.BLOCKER, "entries would be denied as stale"
        if seen.symbol not in self._symbols:
            weight, denied = Weight.WARNING, "rules that look at it see no price"
        if seen.kind == "live":
            weight = Weight.WARNING if causes else Weight.OK
            text += "".join(f"; {each.cause}" for each in causes)
        elif seen.kind.startswith("delayed"):
            if self._plan.settings.paper.allow_delayed:
                weight, text = Weight.WARNING, f"{text}, which [paper] lets carry entries"
            else:
                text, cure = f"{text}: {denied}", f"{DELAYED_CURE}. {cure}"
        elif seen.kind == "frozen" or (closed and seen.code is None):
            weight = Weight.WARNING
            text = f"{text}, as its market is closed: whether live data come is not known"
        else:
            text = f"{text}: {denied}"
        return Line(about="data", weight=weight, text=text, cure=cure)

    # -- what a trader asks

    async def _ask(self, session: Session) -> None:
        asked = cast(_Asked, session)
        now = await self._answer("clock", session.request_current_time())
        accounts = session.accounts
        account = self._plan.config.account_id or next(iter(accounts), "")
        self._unlock(account)
        if now is not None:
            await asyncio.gather(*(self._hours(asked, symbol, now) for symbol in self._seen))
        await self._account(asked, account)
        await self._found(asked, account)
        cure = "Close what is held of it, and name the next month; [risk] last_days stops entries"
        for text in () if now is None else ending(self._dated, to_ns(now)):
            self._note("last day", Weight.WARNING, text, cure)

    async def _answer(self, about: str, question: Awaitable[T]) -> T | None:
        """The answer, or a line that says why there is none. Raises LinkLostError."""
        try:
            return await asyncio.wait_for(question, ANSWER_S)
        except LinkLostError:
            raise
        except RequestError as wrong:
            text = f"TWS does not tell it (code {wrong.code}: {wrong.text})"
            self._note(about, Weight.WARNING, text, "Run tws doctor")
        except (TimeoutError, RequestTimeoutError):
            self._note(about, Weight.WARNING, f"TWS did not tell it within {ANSWER_S:g} s", "Run tws doctor")
        except TWSError as wrong:
            self._note(about, Weight.WARNING, str(wrong), "Run tws doctor")
        return None

    def _unlock(self, account: str) -> None:
        """A live account behind a port and a mode that look like paper; what looks live was judged before."""
        plan = self._plan
        if not account or is_paper_account(account) or plan.live:
            return
        now_ns = self._tools.now_ns()
        why = why_locked(self._safety or SafetyState(), account, plan.settings, now_ns)
        if why:
            cure = "Log in to paper trading, or write the account into the file and: tws unlock"
            text = f"{mask_account(account)} is a live account; {why}"
            self._note("unlock", Weight.BLOCKER, text, cure)

    async def _hours(self, session: _Asked, symbol: str, now: datetime) -> None:
        about = f"market {symbol}"
        try:
            details = await asyncio.wait_for(session.request_contract(self._plan.contract(symbol)), ANSWER_S)
            hours = parse_hours(details.liquid_hours, details.time_zone_id)
        except LinkLostError:
            raise
        except (TimeoutError, TWSError, ValueError) as wrong:
            cure = "Compare with the name that TWS itself shows"
            self._note(about, Weight.BLOCKER, str(wrong) or "TWS did not tell what it is", cure)
            return
        self._dated.append(details.contract)
        now_ns = to_ns(now)
        session_ = session_at(hours, now_ns)
        if session_ is None:
            self._note(about, Weight.WARNING, "TWS states no session to come", "Run this again tomorrow")
            return
        self._open[symbol] = opened = session_.holds(now_ns)
        at_ns = session_.close_ns if opened else session_.open_ns
        text = "open, closes" if opened else "closed, opens"
        when = f"in {_span(at_ns - now_ns)}, {to_datetime(at_ns):%Y-%m-%d %H:%M} UTC"
        self._note(about, Weight.OK, f"{text} {when}")

    async def _account(self, session: _Asked, account: str) -> None:
        tags = ("DayTradesRemaining", "BuyingPower", "NetLiquidation")
        rows = await self._answer("account values", session.request_account_summary(tags))
        if rows is None:
            return
        values = {each.key: each.amount for each in rows if each.account == account}
        self._day_trades(values.get("DayTradesRemaining"))
        self._told += sizes(self._plan, values.get("NetLiquidation"), values.get("BuyingPower"))

    def _day_trades(self, left: Decimal | None) -> None:
        if left is None:
            self._note("day trades", Weight.SKIPPED, "TWS does not state how many are left")
        elif left == 0 and self._plan.limits.day_trades:
            cure = "Wait until TWS counts one again, or set risk.day_trades = false if you know why"
            self._note("day trades", Weight.WARNING, "none is left: every entry would be denied", cure)
        else:
            self._note("day trades", Weight.OK, "any number" if left < 0 else f"{left} left")

    async def _found(self, session: _Asked, account: str) -> None:
        books = read_journal(self._plan)
        self._told.append(books.line)
        for key, figure in ({} if books.desk is None else books.desk.latches).items():
            cure = f"tws risk --release {key} --operator NAME --reason TEXT"
            text = f"{key} has latched at {figure}: its entries are denied"
            self._note("limits", Weight.BLOCKER, text, cure)
        if books.desk is None or not books.desk.latches:
            desk, limits = books.desk, self._plan.limits
            if desk is not None and desk.limits is not None and desk.configured == limits:
                limits = desk.limits  # as a human has set them since
            loss = "off" if limits.max_daily_loss is None else limits.max_daily_loss
            order = f"an order {limits.max_order_quantity} shares, {limits.max_order_notional} of money"
            self._note("limits", Weight.OK, f"none has latched; {order}, the day's loss {loss}")
        orders = await self._answer("open orders", session.request_all_open_orders())
        if orders is not None:
            mine = [each for each in orders if each.account in (account, "")]
            self._told += of_orders(mine, books.desk, self._plan.config.client_id, self._symbols)
        positions = await self._answer("positions", session.request_positions())
        if positions is not None:
            held = [each for each in positions if each.account == account]
            self._dated += [each.contract for each in held if each.quantity]
            self._told += of_positions(
                held, books.desk, self._symbols, self._plan.place.folder if self._plan.simulated else None
            )


def _is_about(finding: Finding, seen: DataSeen) -> bool:
    return finding.stage == "data" and finding.cause.startswith(f"{seen.symbol}: ")


def _span(ns: int) -> str:
    """2 h 05 min, or 40 s."""
    seconds = ns // NS_PER_S
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min" if minutes else f"{seconds} s"


