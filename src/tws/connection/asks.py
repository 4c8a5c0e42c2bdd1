"""The questions of a connection: each names a request of the official client, the book that waits for its
answer, and
the shape of that answer. `TWSConnection` adds the session and the orders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tws.config import TWSConfig
from tws.connection.replies import Reply
from tws.connection.streams import QuoteStream, TickStream
from tws.errors import AmbiguousContractError, NoContractError, NotSentError
from tws.model.account import AccountValue, Position
from tws.model.contract import Contract, ContractDetails
from tws.model.execution import Execution
from tws.model.facts import BrokerOrder
from tws.model.market import Bar, MarketDataType
from tws.wire.messages import TickByTickData

if TYPE_CHECKING:
    from tws.connection.engine import Engine

__all__ = ["BAR_SECONDS", "Asks"]

T = TypeVar("T")

BAR_SECONDS = {
    "1 secs": 1,
    "5 secs": 5,
    "10 secs": 10,
    "15 secs": 15,
    "30 secs": 30,
    "1 min": 60,
    "2 mins": 120,
    "3 mins": 180,
    "4 mins": 240,
    "5 mins": 300,
    "10 mins": 600,
    "15 mins": 900,
    "20 mins": 1200,
    "30 mins": 1800,
    "1 hour": 3600,
    "2 hours": 7200,
    "3 hours": 10800,
    "4 hours": 14400,
    "8 hours": 28800,
    "1 day": 86400,
    "1 week": 604800,
    "1 month": 2592000,
}
"""The bar sizes that TWS knows, in seconds (TWS-BEHAVIOUR.md E); a month counts as 30 days."""


class Asks:
    """What can be asked of TWS, on the loop's thread. Every call raises NotSentError without a session.

    A `Reply` raises RequestError when TWS refuses, RequestTimeoutError after `request_timeout`,
    LinkLostError when
    the link goes. It may be dropped.
    """

    config: TWSConfig
    _engine: Engine
    _details: dict[int, ContractDetails]

    def request_next_order_id(self, n: int = 1) -> Reply[int]:
        """Ask TWS for its next id, then reserve n consecutive ids; the answer is the first.

        Raises ValueError for n below 1.
        """
        if n < 1:
            raise ValueError(f"n is {n}: at least one id")
        from tws.connection.answers import IDS

        def finish(rows: list[int]) -> int:
            first = self._engine.order_ids.take(n)
            assert first is not None  # TWS has just named one
            return first

        return self._question(IDS, "next order id", finish, lambda: self._engine.official.reqIds(1))

    # -- requests

    def request_current_time(self) -> Reply[datetime]:
        """TWS's clock, UTC, whole seconds."""
        from tws.connection.answers import TIME

        return self._question(TIME, "current time", _first, self._engine.official.reqCurrentTime)

    def request_managed_accounts(self) -> Reply[tuple[str, ...]]:
        """The accounts of this login."""
        from tws.connection.answers import ACCOUNTS

        return self._question(ACCOUNTS, "managed accounts", _first, self._engine.official.reqManagedAccts)

    def request_contract_details(self, contract: Contract) -> Reply[list[ContractDetails]]:
        """Every contract that fits the description. NoContractError when none does."""
        from tws.connection.translate import ib_contract

        def finish(rows: list[ContractDetails]) -> list[ContractDetails]:
            for details in rows:
                self._details[details.contract.con_id] = details
            return rows

        return self._request(
            "contract details",
            finish,
            lambda number: self._engine.official.reqContractDetails(number, ib_contract(contract)),
        )

    def request_contract(self, contract: Contract) -> Reply[ContractDetails]:
        """The one contract that fits. NoContractError, or AmbiguousContractError when several do."""
        from tws.connection.translate import ib_contract

        def finish(rows: list[ContractDetails]) -> ContractDetails:
            if not rows:
                raise NoContractError(200, f"nothing fits {contract.symbol or contract.con_id}")
            if len(rows) > 1:
                places = ", ".join(
                    f"{row.contract.con_id} on {row.contract.primary_exchange}" for row in rows[:5]
                )
                raise AmbiguousContractError(200, f"{len(rows)} contracts fit: {places}")
            self._details[rows[0].contract.con_id] = rows[0]
            return rows[0]

        return self._request(
            "contract",
            finish,
            lambda number: self._engine.official.reqContractDetails(number, ib_contract(contract)),
        )

    def request_historical_bars(
        self,
        contract: Contract,
        *,
        duration: str = "1 D",
        bar_size: str = "1 min",
        what: str = "TRADES",
        use_rth: bool = True,
        end: datetime | None = None,
    ) -> Reply[list[Bar]]:
        """Bars that end at `end` (aware; None: now), oldest first. Intraday bars are asked for as epochs.

        duration  such as "1800 S", "2 D", "1 W", "6 M", "1 Y"
        bar_size  one of TWS's own (`BAR_SECONDS`)

        Raises ValueError for a bar size that TWS does not know and for a naive `end`.
        """
        from tws.connection.translate import bar_of, ib_contract

        if bar_size not in BAR_SECONDS:
            raise ValueError(f"bar_size {bar_size!r} is none of TWS's: {', '.join(BAR_SECONDS)}")
        if end is not None and end.tzinfo is None:
            raise ValueError(f"end {end!r} has no time zone; use an aware datetime")
        until = "" if end is None else end.astimezone(UTC).strftime("%Y%m%d-%H:%M:%S")
        seconds = BAR_SECONDS[bar_size]
        return self._request(
            "historical bars",
            lambda rows: [bar_of(row, seconds, self._engine.zone) for row in rows],
            lambda number: self._engine.official.reqHistoricalData(
                number, ib_contract(contract), until, duration, bar_size, what, int(use_rth), 2, False, []
            ),
            lambda number: self._engine.official.cancelHistoricalData(number),
        )

    def request_positions(self) -> Reply[list[Position]]:
        """All positions of all accounts. Changes follow as facts until the session ends."""
        from tws.connection.answers import POSITIONS, latest

        return self._question(POSITIONS, "positions", latest, self._engine.official.reqPositions)

    def request_executions(
        self, *, client_id: int = 0, account: str = "", symbol: str = ""
    ) -> Reply[list[Execution]]:
        """Fills since midnight (TWS: up to seven days). 0 and "" mean any (TWS-BEHAVIOUR.md C4)."""
        from ibapi.execution import ExecutionFilter

        wish = ExecutionFilter()
        wish.clientId, wish.acctCode, wish.symbol = client_id, account, symbol
        all_of_them = not (client_id or account or symbol)

        def finish(rows: list[Execution]) -> list[Execution]:
            if all_of_them:
                self._engine.answers.complete_executions(rows)
            return rows

        return self._request(
            "executions", finish, lambda number: self._engine.official.reqExecutions(number, wish)
        )

    def request_open_orders(self) -> Reply[list[BrokerOrder]]:
        """This client id's open orders; client 0 also binds those placed by hand."""
        from tws.connection.answers import OPEN, latest

        return self._question(OPEN, "open orders", latest, self._engine.official.reqOpenOrders)

    def request_all_open_orders(self) -> Reply[list[BrokerOrder]]:
        """The open orders of every client and of TWS itself. Binds nothing."""
        from tws.connection.answers import OPEN, latest

        return self._question(OPEN, "all open orders", latest, self._engine.official.reqAllOpenOrders)

    def request_completed_orders(self, api_only: bool = False) -> Reply[list[BrokerOrder]]:
        """Orders of this day that have ended."""
        from tws.connection.answers import COMPLETED, latest

        return self._question(
            COMPLETED, "completed orders", latest, lambda: self._engine.official.reqCompletedOrders(api_only)
        )

    def request_account_values(self, account: str = "", *, keep: bool = False) -> Reply[list[AccountValue]]:
        """One account's values, "" the configured or first one. `keep`: go on hearing of changes as facts.

        TWS serves one account at a time (TWS-BEHAVIOUR.md D).
        """
        from tws.connection.answers import VALUES

        name = (
            account or self.config.account_id or (self._engine.accounts[0] if self._engine.accounts else "")
        )

        def finish(rows: list[AccountValue]) -> list[AccountValue]:
            if not keep and self._engine.ready:
                self._engine.official.reqAccountUpdates(False, name)
            return [row for row in rows if row.account == name or not name]

        return self._question(
            VALUES, "account values", finish, lambda: self._engine.official.reqAccountUpdates(True, name)
        )

    # -- market data

    def request_market_data_type(self, kind: MarketDataType) -> None:
        """What later streams may carry: live, frozen, delayed, delayed frozen."""
        self._must_be_ready()
        self._engine.official.reqMarketDataType(int(kind))

    def stream_quotes(self, contract: Contract, *, generic_ticks: Iterable[int] = ()) -> QuoteStream:
        """Market data of one contract from now on. `generic_ticks` as TWS numbers them (233 is RTVolume).

        Raises NotSentError without a session. A refusal of TWS ends the stream with RequestError.
        """
        from tws.connection.translate import ib_contract

        self._must_be_ready()
        engine, official = self._engine, self._engine.official
        stream = QuoteStream(contract, lambda: _close_quotes(engine, stream.request_id), engine.lanes.isolate)
        stream.request_id = engine.request_ids.take()
        engine.open_quotes(stream)
        try:
            wishes = ",".join(str(number) for number in generic_ticks)
            official.reqMktData(stream.request_id, ib_contract(contract), wishes, False, False, [])
        except NotSentError:
            engine.drop_quotes(stream.request_id)
            raise
        return stream

    def stream_ticks(
        self,
        contract: Contract,
        kind: Literal["Last", "AllLast", "BidAsk", "MidPoint"] = "AllLast",
        *,
        bound: int = 10_000,
    ) -> TickStream[TickByTickData]:
        """Tick-by-tick data: each trade or quote change. At most `bound` ticks wait for a slow reader;
        `gaps` counts the lost.
        """
        from tws.connection.translate import ib_contract

        self._must_be_ready()
        answers, official = self._engine.answers, self._engine.official
        number = self._engine.request_ids.take()
        stream: TickStream[TickByTickData] = TickStream(
            contract, lambda: _close_ticks(self._engine, number), bound
        )
        stream.request_id = number
        answers.ticks[number] = stream
        try:
            official.reqTickByTickData(number, ib_contract(contract), kind, 0, True)
        except NotSentError:
            answers.ticks.pop(number, None)
            raise
        return stream

    # -- inside

    def _must_be_ready(self) -> None:
        if not self._engine.ready:
            raise NotSentError(504, "Not connected")

    def _question(
        self, kind: str, name: str, finish: Callable[[list[Any]], T], send: Callable[[], object]
    ) -> Reply[T]:
        self._must_be_ready()
        return self._engine.answers.questions.ask(kind, name, finish, send)

    def _request(
        self,
        name: str,
        finish: Callable[[list[Any]], T],
        send: Callable[[int], object],
        withdraw: Callable[[int], object] | None = None,
    ) -> Reply[T]:
        self._must_be_ready()
        number = self._engine.request_ids.take()
        end = None if withdraw is None else lambda: withdraw(number)
        return self._engine.answers.requests.ask(number, name, finish, lambda: send(number), end)

    def details_of(self, contract: Contract) -> ContractDetails | None:
        """What a request for details has told of this contract, None when nobody asked."""
        return self._details.get(contract.con_id) if contract.con_id else None


def _first(rows: list[T]) -> T:
    return rows[-1]


def _close_quotes(engine: Engine, request_id: int) -> None:
    if engine.drop_quotes(request_id) and engine.ready:
        engine.official.cancelMktData(request_id)


def _close_ticks(engine: Engine, request_id: int) -> None:
    if engine.answers.ticks.pop(request_id, None) is not None and engine.ready:
        engine.official.cancelTickByTickData(request_id)
