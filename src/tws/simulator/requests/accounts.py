"""Accounts: values, portfolio, positions, summary, profit and loss (TWS-BEHAVIOUR.md D).

Subscriptions live here by session. What changed by a fill is told at once (positions) or once per step
(values, those that differ from what was said); all of it again every three minutes of market time, when
summaries, too, state what changed; profit and loss once a second of market time, in the base currency for an
account, in the contract's for a position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tws.clock import NS_PER_S, to_datetime
from tws.exchange import LEDGER, PositionChanged, PositionRow
from tws.model import account as model
from tws.simulator import words
from tws.simulator.session import Session
from tws.wire.messages import (
    AccountDataEnd,
    AccountDataRequest,
    AccountSummary,
    AccountSummaryEnd,
    AccountSummaryRequest,
    AccountUpdateMulti,
    AccountUpdateMultiEnd,
    AccountUpdatesMultiRequest,
    AccountUpdateTime,
    AccountValue,
    CancelAccountSummary,
    CancelAccountUpdatesMulti,
    CancelPnL,
    CancelPnLSingle,
    CancelPositions,
    CancelPositionsMulti,
    PnL,
    PnLRequest,
    PnLSingle,
    PnLSingleRequest,
    PortfolioValue,
    Position,
    PositionEnd,
    PositionMulti,
    PositionMultiEnd,
    PositionsMultiRequest,
    PositionsRequest,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Accounts"]

REFRESH_NS = 180 * NS_PER_S
FLAG = "$LEDGER"
"""Asks a summary for the base ledger; with `:CUR` for one currency's, with `:ALL` for all."""
Key = tuple[Session, int]
Said = dict[tuple[str, str, str], str]
"""Account, key and currency with the value last said."""


class Accounts:
    """Requests about accounts, and what their subscribers hear."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._values: dict[Session, str] = {}
        self._positions: dict[Session, None] = {}
        self._summaries: dict[Key, AccountSummaryRequest] = {}
        self._said: dict[Key | Session, Said] = {}
        self._position_multis: dict[Key, PositionsMultiRequest] = {}
        self._value_multis: dict[Key, AccountUpdatesMultiRequest] = {}
        self._pnls: dict[Key, PnLRequest] = {}
        self._singles: dict[Key, PnLSingleRequest] = {}
        self._refresh_ns = self._pnl_ns = core.start_ns

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {
            AccountDataRequest: self._subscribe,
            PositionsRequest: self._all_positions,
            CancelPositions: lambda session, _: self._positions.pop(session, None),
            AccountSummaryRequest: self._summary,
            CancelAccountSummary: self._cancel(self._summaries),
            PositionsMultiRequest: self._positions_multi,
            CancelPositionsMulti: self._cancel(self._position_multis),
            AccountUpdatesMultiRequest: self._updates_multi,
            CancelAccountUpdatesMulti: self._cancel(self._value_multis),
            PnLRequest: self._pnl,
            CancelPnL: self._cancel(self._pnls),
            PnLSingleRequest: self._pnl_single,
            CancelPnLSingle: self._cancel(self._singles),
        }

    def _cancel(self, table: dict[Key, Any]) -> Callable[[Session, Any], None]:
        def handler(session: Session, request: Any) -> None:
            table.pop((session, request.req_id), None)
            key = session, request.req_id
            if key not in self._summaries and key not in self._value_multis:  # ids may be given twice
                self._said.pop(key, None)

        return handler

    def drop(self, session: Session) -> None:
        """The session ended."""
        self._values.pop(session, None)
        self._said.pop(session, None)
        self._positions.pop(session, None)
        tables: tuple[dict[Key, Any], ...] = (
            self._summaries,
            self._position_multis,
            self._value_multis,
            self._pnls,
            self._singles,
        )
        for table in tables:
            for key in [key for key in table if key[0] is session]:
                del table[key]
                self._said.pop(key, None)

    # -- account values ---------------------------------------------------------------------------

    def _account(self, text: str) -> str | None:
        """The account that is meant: the only one when none is named, None when unknown or not clear."""
        known = self._core.options.accounts
        text = text.strip()
        if text in ("", "All") and len(known) == 1:
            return known[0]
        return text if text in known else None

    def _subscribe(self, session: Session, request: AccountDataRequest) -> None:
        if not request.subscribe:
            self._values.pop(session, None)
            return
        account = self._account(request.acct_code or self._core.options.accounts[0])
        if account is None:
            session.error(
                -1,
                321,
                f"Error validating request.-'bX' : cause - Invalid account code '{request.acct_code}'.",
            )
            return
        if self._values.get(session, account) != account:
            session.error(
                -1,
                2100,
                "New account data requested from TWS.  API client has been unsubscribed from account data.",
            )
        self._values[session] = account
        self._said[session] = {}
        self._tell_values(session, account)
        for row in self._core.exchange.positions(account):
            session.send(self._portfolio(row))
        session.send(self._time())
        session.send(AccountDataEnd(account))

    def _tell_values(self, session: Session, account: str) -> None:
        said = self._said[session]
        if not said:
            session.send(AccountValue("AccountCode", account, "", account))
        for value in self._news(account, said):
            session.send(AccountValue(value.key, value.value, value.currency, account))

    def _news(self, account: str, said: Said) -> Iterator[model.AccountValue]:
        """The account's rows that differ from what was said, which they now are."""
        for value in self._core.exchange.account_values(account):
            row = (account, value.key, value.currency)
            if said.get(row) != value.value:
                said[row] = value.value
                yield value

    def _time(self) -> AccountUpdateTime:
        local = to_datetime(self._core.now_ns()).astimezone(self._core.zone)
        return AccountUpdateTime(local.strftime("%H:%M"))

    def _portfolio(self, row: PositionRow) -> PortfolioValue:
        contract = words.position_contract(self._core.security(row.con_id))
        return PortfolioValue(
            contract,
            row.quantity,
            float(row.market_price),
            float(row.market_value),
            float(row.average_cost),
            float(row.unrealized_pnl),
            float(row.realized_pnl),
            row.account,
        )

    def changed(self, account: str) -> None:
        """Cash or margin moved: the values of every subscriber."""
        for session, wanted in self._values.items():
            if wanted == account:
                self._tell_values(session, account)
                session.send(self._time())
        for (session, req_id), request in self._value_multis.items():
            if self._account(request.account) == account:
                self._tell_multi(session, req_id, request)

    # -- positions --------------------------------------------------------------------------------

    def position(self, event: PositionChanged) -> None:
        """A fill moved a position."""
        security = self._core.security(event.con_id)
        contract = words.position_contract(security)
        cost = float(event.average_cost)
        for session in self._positions:
            session.send(Position(event.account, contract, event.quantity, cost))
        for (session, _), request in self._position_multis.items():
            if request.account.strip() in ("", event.account):
                self._tell_position(session, request, event)
        for session, account in self._values.items():
            if account == event.account:
                row = self._core.exchange.position(account, event.con_id)
                if row is not None:
                    session.send(self._portfolio(row))

    def _held(self, account: str | None = None) -> list[PositionRow]:
        return [row for row in self._core.exchange.positions(account) if row.quantity]

    def _all_positions(self, session: Session, request: PositionsRequest) -> None:
        self._positions[session] = None
        for row in self._held():
            contract = words.position_contract(self._core.security(row.con_id))
            session.send(Position(row.account, contract, row.quantity, float(row.average_cost)))
        session.send(PositionEnd())

    def _positions_multi(self, session: Session, request: PositionsMultiRequest) -> None:
        """One account's; of all when none is named."""
        account = request.account.strip()
        if account and self._account(account) is None:
            self._unknown_account(session, request.req_id, account)
            return
        self._position_multis[session, request.req_id] = request
        for row in self._held(account or None):
            self._tell_position(session, request, row)
        session.send(PositionMultiEnd(request.req_id))

    def _tell_position(
        self, session: Session, request: PositionsMultiRequest, row: PositionRow | PositionChanged
    ) -> None:
        contract = words.position_contract(self._core.security(row.con_id))
        cost = float(row.average_cost)
        session.send(
            PositionMulti(request.req_id, row.account, contract, row.quantity, cost, request.model_code)
        )

    def _unknown_account(self, session: Session, req_id: int, account: str) -> None:
        session.error(
            req_id, 321, f"Error validating request.-'bX' : cause - Invalid account code '{account}'."
        )

    # -- summary, multi ---------------------------------------------------------------------------

    def _summary(self, session: Session, request: AccountSummaryRequest) -> None:
        active = sum(1 for other, _ in self._summaries if other is session)
        is_new = (session, request.req_id) not in self._summaries
        if is_new and not self._core.limiter.summary(session, request.req_id, active):
            return
        self._summaries[session, request.req_id] = request
        self._said[session, request.req_id] = {}
        self._tell_summary((session, request.req_id))
        session.send(AccountSummaryEnd(request.req_id))

    def _tell_summary(self, key: Key) -> None:
        """Only what differs from what was said before."""
        session, req_id = key
        tags = {tag.strip() for tag in self._summaries[key].tags.split(",")}
        flags = [tag.partition(":")[2] or "BASE" for tag in tags if tag.startswith(FLAG)]
        for account in self._core.desk.advisors.accounts_of(self._summaries[key].group):
            for value in self._core.exchange.account_values(account):
                if value.key in LEDGER:
                    wanted = "ALL" in flags or value.currency in flags
                else:
                    wanted = value.key in tags
                row, said = (account, value.key, value.currency), self._said[key]
                if wanted and said.get(row) != value.value:
                    said[row] = value.value
                    session.send(AccountSummary(req_id, account, value.key, value.value, value.currency))

    def _updates_multi(self, session: Session, request: AccountUpdatesMultiRequest) -> None:
        if self._account(request.account) is None:
            self._unknown_account(session, request.req_id, request.account)
            return
        self._value_multis[session, request.req_id] = request
        self._said[session, request.req_id] = {}
        self._tell_multi(session, request.req_id, request)
        session.send(AccountUpdateMultiEnd(request.req_id))

    def _tell_multi(self, session: Session, req_id: int, request: AccountUpdatesMultiRequest) -> None:
        account = self._account(request.account)
        assert account is not None
        for value in self._news(account, self._said[session, req_id]):
            session.send(
                AccountUpdateMulti(
                    req_id, account, request.model_code, value.key, value.value, value.currency
                )
            )

    # -- profit and loss --------------------------------------------------------------------------

    def _pnl(self, session: Session, request: PnLRequest) -> None:
        if self._account(request.account) is None:
            self._unknown_account(session, request.req_id, request.account)
            return
        self._pnls[session, request.req_id] = request
        self._tell_pnl((session, request.req_id))

    def _tell_pnl(self, key: Key) -> None:
        session, req_id = key
        rows = self._core.exchange.positions(self._account(self._pnls[key].account))
        daily = sum((row.daily_pnl * row.rate for row in rows), Decimal(0))
        unrealized = sum((row.unrealized_pnl * row.rate for row in rows), Decimal(0))
        realized = sum((row.realized_pnl * row.rate for row in rows), Decimal(0))
        session.send(PnL(req_id, float(daily), float(unrealized), float(realized)))

    def _pnl_single(self, session: Session, request: PnLSingleRequest) -> None:
        if self._account(request.account) is None:
            self._unknown_account(session, request.req_id, request.account)
            return
        self._singles[session, request.req_id] = request
        self._tell_single((session, request.req_id))

    def _tell_single(self, key: Key) -> None:
        """Nothing for a conId without a position: TWS answers no wrong one either (D)."""
        session, req_id = key
        request = self._singles[key]
        row = self._core.exchange.position(self._account(request.account) or "", request.con_id)
        if row is not None:
            daily, unrealized = float(row.daily_pnl), float(row.unrealized_pnl)
            realized, value = float(row.realized_pnl), float(row.market_value)
            session.send(PnLSingle(req_id, row.quantity, daily, unrealized, realized, value))

    def elapse(self, now_ns: int) -> None:
        """Market time moved."""
        if now_ns - self._pnl_ns >= NS_PER_S:
            self._pnl_ns = now_ns
            for key in self._pnls:
                self._tell_pnl(key)
            for key in self._singles:
                self._tell_single(key)
        if now_ns - self._refresh_ns >= REFRESH_NS:
            self._refresh_ns = now_ns
            for key in self._summaries:
                self._tell_summary(key)
            for listener, said in self._said.items():
                if listener not in self._summaries:
                    said.clear()
            for account in self._core.options.accounts:
                self.changed(account)
            for session, account in self._values.items():
                for row in self._core.exchange.positions(account):
                    session.send(self._portfolio(row))
