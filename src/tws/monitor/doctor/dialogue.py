"""What the doctor asks of a TWS: a session (on a free client id, if need be), time, accounts, open orders.

The session is opened with a verifier that approves nothing, so that no order can leave through it, and it
is closed on every path, the close awaited: a half-open leftover may keep the client id
(TWS-BEHAVIOUR.md A3, A5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Protocol

from tws.clock import NS_PER_S, to_ns
from tws.config import LIVE_PORTS, TWSConfig, is_paper_account, mask_account
from tws.errors import ConnectError, LinkLostError, RequestError, RequestTimeoutError, TWSError
from tws.monitor.doctor import causes
from tws.monitor.doctor.notes import Notes
from tws.monitor.doctor.report import Outcome, SessionSeen, Step
from tws.risk import Denial

__all__ = ["Dialogue", "Session", "open_session"]

_FREE_ID_TRIES = 3
"""Ids tried when the own one is in use: each costs a handshake, and more would look like a scan."""

_SKEW_NOTE_S = 5
"""TWS tells whole seconds; a clock that is off by more dates orders and signals wrongly."""

_IN_USE, _READ_ONLY = 326, 321
_BROKER_LOST, _BROKER_BACK = (1100, 2110), (1101, 1102)


class Session(Protocol):
    """What the doctor uses of `tws.connection.TWSConnection`."""

    @property
    def failure(self) -> ConnectError | None: ...
    @property
    def accounts(self) -> tuple[str, ...]: ...
    @property
    def server_version(self) -> int: ...
    async def connect(self) -> bool: ...
    def disconnect(self) -> None: ...
    async def wait_closed(self) -> None: ...
    def set_callbacks(self, *, on_error: Callable[[int, int, str], object] | None = None) -> None: ...
    def request_current_time(self) -> Awaitable[Any]: ...
    def request_managed_accounts(self) -> Awaitable[tuple[str, ...]]: ...
    def request_open_orders(self) -> Awaitable[Any]: ...


class _NoOrders:
    """The verifier of the doctor's session: it approves nothing."""

    def redeem(self, permit: object, order_id: int, contract: object, order: object) -> Denial:
        return Denial(limit="doctor", figure="an order", bound="none", reason="the doctor only reads")


def open_session(config: TWSConfig) -> Session:
    """A connection that can read and not trade. Importing it imports ibapi, which was found sound before."""
    from tws.connection import TWSConnection

    return TWSConnection(config, guard=_NoOrders())


class Dialogue:
    """One examination's sessions. `connect` first; with a session, `converse`."""

    def __init__(self, config: TWSConfig, notes: Notes, opener: Callable[[TWSConfig], Session]) -> None:
        self._config = config
        self._notes = notes
        self._open = opener
        self._heard: list[tuple[int, str]] = []
        self._read_only = asyncio.Event()

    async def connect(self) -> tuple[Session | None, ConnectError | None]:
        """A session that is ready, on the own client id or on a free one beside it; else why there is none.

        A client id in use is noted here, with a free one as its cure; the caller names other failures.
        """
        session, failure = await self._dial(self._config.client_id)
        if failure is not None and failure.code == _IN_USE:
            return await self._free_id(), None
        return session, failure

    async def converse(self, session: Session, now_ns: Callable[[], int]) -> None:
        """Ask all that is to be asked, then close."""
        try:
            if await self._clock(session, now_ns):
                await self._accounts(session)
                await self._orders(session)
        except LinkLostError as wrong:
            self._notes.found("no_answer", "session", detail=f"the link went: {wrong}")
        finally:
            session.set_callbacks()
            await _close(session, self._config.connection_timeout)
        lost = [text for code, text in self._heard if code in _BROKER_LOST]
        if lost and not any(code in _BROKER_BACK for code, _ in self._heard):
            self._notes.found("broker_lost", "session", detail=lost[-1])

    # -- the way in

    async def _dial(self, client_id: int) -> tuple[Session | None, ConnectError | None]:
        # The mode that fits the port, and no account: a misfit was told already, and nothing is traded.
        mode = "live" if self._config.port in LIVE_PORTS else "paper"
        config = replace(self._config, client_id=client_id, account_id="", trading_mode=mode)
        try:
            session = self._open(config)
        except (TWSError, ImportError) as wrong:
            return None, ConnectError("open", str(wrong), "Mend that, then run tws doctor again")
        session.set_callbacks(on_error=self._hear)
        if await session.connect():
            version = session.server_version
            self._notes.session = SessionSeen(server_version=version, client_id=client_id)
            self._notes.step("connection", Outcome.OK, f"server version {version}, client id {client_id}")
            return session, None
        failure = session.failure or ConnectError("connection", "it failed without a reason", "Try again")
        if failure.stage != "dial":  # a dial that failed opened no socket: there is none to wait for
            await _close(session, config.connection_timeout)
        return None, failure

    async def _free_id(self) -> Session | None:
        own, session, suggestion = self._config.client_id, None, "Give this program another --client-id. "
        for step in range(1, _FREE_ID_TRIES + 1):
            free = (own + step) % 2**31 or 1  # never 0 unasked: that id also takes the manual orders
            session, failure = await self._dial(free)
            if session is not None:
                suggestion = f"Use --client-id {free}, which is free (tried just now). "
            if failure is None or failure.code != _IN_USE:
                break
        stage = "connection: start"
        finding = causes.finding("client_id_in_use", stage, client_id=own, suggestion=suggestion)
        self._notes.findings.append(finding)
        # The cause came first, the free id after it: the steps say so in this order.
        at = len(self._notes.steps) - (session is not None)
        self._notes.steps.insert(at, Step(stage, Outcome.PROBLEM, finding.cause))
        return session

    # -- the questions

    async def _clock(self, session: Session, now_ns: Callable[[], int]) -> bool:
        try:
            told = await asyncio.wait_for(session.request_current_time(), self._config.request_timeout)
        except (TimeoutError, RequestTimeoutError, RequestError) as wrong:
            self._notes.found("no_answer", "clock", detail=str(wrong) or "the current time")
            return False
        skew_s = (now_ns() - to_ns(told)) / NS_PER_S
        self._notes.saw(time_skew_s=round(skew_s, 1))
        if abs(skew_s) > _SKEW_NOTE_S:
            side = "ahead of" if skew_s > 0 else "behind"
            self._notes.step(
                "clock", Outcome.NOTE, f"this machine's clock is {abs(skew_s):.0f} s {side} TWS: set it"
            )
        else:
            self._notes.step("clock", Outcome.OK, f"TWS says {told:%H:%M:%S} UTC, as this machine does")
        return True

    async def _accounts(self, session: Session) -> None:
        config, notes = self._config, self._notes
        accounts = session.accounts or await asyncio.wait_for(
            session.request_managed_accounts(), config.request_timeout
        )
        masked = tuple(mask_account(account) for account in accounts)
        notes.saw(accounts=masked)
        shown = ", ".join(masked)
        if config.account_id and config.account_id not in accounts:
            own = mask_account(config.account_id)
            notes.found("account_mismatch", "account", account=own, accounts=shown)
            return
        login = "paper" if all(is_paper_account(account) for account in accounts) else "live"
        if login != config.trading_mode:
            notes.found("mode_mismatch", "account", login=login, accounts=shown, mode=config.trading_mode)
            return
        notes.step("account", Outcome.OK, f"{shown} ({login})")

    async def _orders(self, session: Session) -> None:
        notes = self._notes
        if notes.session is not None and notes.session.client_id == 0:
            # For id 0 this question would bind the manual orders of TWS (A4): the doctor changes nothing.
            notes.step("orders", Outcome.SKIPPED, "not asked as client id 0, which would bind manual orders")
            return
        asked = asyncio.ensure_future(session.request_open_orders())
        refused = asyncio.ensure_future(self._read_only.wait())  # 321 may come without the request's id (A3)
        await asyncio.wait(
            {asked, refused}, timeout=self._config.request_timeout, return_when=asyncio.FIRST_COMPLETED
        )
        refused.cancel()
        answered = asked.done() and not asked.cancelled()
        wrong = asked.exception() if answered else TimeoutError("the open orders")
        asked.cancel()
        if self._read_only.is_set() or (isinstance(wrong, RequestError) and wrong.code == _READ_ONLY):
            notes.saw(read_only=True)
            notes.found("read_only", "orders")
        elif wrong is not None:
            notes.found("no_answer", "orders", detail=str(wrong))
        else:
            notes.saw(read_only=False)
            notes.step("orders", Outcome.OK, "open orders are told: the API is not read-only")

    def _hear(self, request_id: int, code: int, text: str) -> None:
        self._heard.append((code, text))
        if code == _READ_ONLY and "read-only" in text.lower():
            self._read_only.set()


async def _close(session: Session, timeout_s: float) -> None:
    session.disconnect()
    try:
        await asyncio.wait_for(session.wait_closed(), timeout_s)
    except TimeoutError:
        return
