"""A program on a bare connection, drawn by the seed: it opens and closes streams, asks, places and cancels.

It wants much and looks at little: what fails is noted, and the next wish follows. It keeps what the checkers
need: every reply, every stream, every order id with what was placed under it and how often.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

from msgspec.structs import replace

from tws.connection import Reply, Stream, TWSConnection
from tws.connection.ordering.outbound import Sending
from tws.connection.streaming.barstreams import BarStream, RealTimeBarStream
from tws.errors import TWSError
from tws.model.contract import Contract, stock
from tws.model.market import Bar
from tws.model.order import Order, OrderType, Side

__all__ = ["STREAMS_MOST", "User"]

STREAMS_MOST = 8
"""Beside each other; each costs a line of a hundred, and processor time at every second of the market."""
PLACES = {"summary": 2, "ticks": 5, "depth": 3}
"""How many of a kind TWS serves at once (B)."""
PAUSE_S = (0.05, 1.0)
WISHES = (
    *("stream",) * 6,
    *("ask",) * 6,
    *("place",) * 6,
    *("bracket",) * 2,
    *("change",) * 2,
    *("cancel",) * 3,
    *("close",) * 3,
    "global cancel",
)
CLOSES = 0.01
"""Of the wishes: hang up, wait a while, and connect again."""


class User:
    """See the module. `run` ends when `is_over` says so; then `settle` waits for what is still asked."""

    def __init__(
        self,
        connection: TWSConnection,
        rng: Random,
        symbols: tuple[str, ...],
        note: Callable[[str], None],
        is_over: Callable[[], bool],
    ) -> None:
        self.connection = connection
        self.contracts = [stock(symbol) for symbol in symbols]
        self.replies: list[tuple[str, Reply[Any]]] = []
        self.streams: list[tuple[str, Stream]] = []
        self.heard: list[int] = []
        """Errors that ended streams, as readers saw them."""
        self.bars: dict[str, list[int]] = {}
        """When the finished bars of each stream of bars begin, in the order in which they were given."""
        self.given: Counter[int] = Counter()
        """How often each order id was given to us."""
        self.refs: dict[str, int] = {}
        """Our reference of each order, and its order id."""
        self.sendings: list[Sending] = []
        """All that we sent under order ids: orders and changes."""
        self._rng = rng
        self._note = note
        self._is_over = is_over
        self._readers: set[asyncio.Task[None]] = set()
        self._orders: list[tuple[int, Contract, Order]] = []

    async def run(self) -> None:
        """Connect, wish and wish."""
        await self._connect()
        while not self._is_over():
            await asyncio.sleep(self._rng.uniform(*PAUSE_S))
            try:
                if self._rng.random() < CLOSES:
                    await self._hang_up()
                else:
                    self._wish(self._rng.choice(WISHES))
            except TWSError as error:
                self._note(f"user hears {type(error).__name__}: {error}")

    def close_some(self) -> None:
        """Close every other stream."""
        for _, stream in [row for row in self.streams if not row[1].closed][::2]:
            stream.close()

    async def finish(self) -> None:
        """Hang up for good."""
        self.connection.disconnect()
        await self.connection.wait_closed()
        readers = list(self._readers)
        if readers:
            await asyncio.wait(readers, timeout=1.0)

    async def _connect(self) -> None:
        while not await self.connection.connect():  # noqa: ASYNC110  # nothing tells when it would
            await asyncio.sleep(self._rng.uniform(0.5, 3.0))

    async def _hang_up(self) -> None:
        self._note("user hangs up")
        self.connection.disconnect()
        if self._rng.random() < 0.5:
            await self.connection.wait_closed()
        await asyncio.sleep(self._rng.uniform(0.0, 5.0))
        await self._connect()

    def _wish(self, wish: str) -> None:
        match wish:
            case "stream":
                self._open_stream()
            case "close":
                living = [stream for _, stream in self.streams if not stream.closed]
                if living:
                    self._rng.choice(living).close()
            case "ask":
                self._ask()
            case "place":
                self._place(self._order())
            case "bracket":
                self._bracket()
            case "change":
                self._change()
            case "cancel" if self._orders:
                self.connection.cancel_order(self._rng.choice(self._orders)[0])
            case "global cancel":
                self.connection.outbound.global_cancel()

    # -- streams

    def _open_stream(self) -> None:
        if sum(not stream.closed for _, stream in self.streams) >= STREAMS_MOST:
            return
        connection, rng = self.connection, self._rng
        contract = rng.choice(self.contracts)
        openers: dict[str, Callable[[], Stream]] = {
            "quotes": lambda: connection.stream_quotes(contract),
            "ticks": lambda: connection.stream_ticks(contract, rng.choice(("Last", "AllLast", "BidAsk"))),
            "bars": lambda: connection.stream_bars(
                contract, rng.choice(("5 secs", "1 min")), duration="600 S"
            ),
            "real-time bars": lambda: connection.stream_realtime_bars(contract),
            "depth": lambda: connection.stream_depth(
                contract, rows=rng.choice((1, 5)), smart=rng.random() < 0.9
            ),
            "pnl": lambda: connection.stream_pnl(),
            "summary": lambda: connection.stream_account_summary(),
            "account": lambda: connection.stream_account(),
        }
        kind = rng.choice(("quotes", "quotes", *openers))
        open_ones = sum(name.startswith(kind) and not stream.closed for name, stream in self.streams)
        if open_ones >= PLACES.get(kind, STREAMS_MOST) and not connection.is_connected():
            return  # with a session the call would say so; without one nobody knows whose place it will be
        stream = openers[kind]()
        name = f"{kind} {stream.contract.symbol}".strip()
        self.streams.append((name, stream))
        if isinstance(stream, BarStream | RealTimeBarStream):
            self._collect(f"{name}, the {len(self.streams)}th", stream)
        if rng.random() < 0.3:
            reader = asyncio.get_running_loop().create_task(self._read(stream), name="reader")
            self._readers.add(reader)
            reader.add_done_callback(self._readers.discard)

    def _collect(self, name: str, stream: BarStream | RealTimeBarStream) -> None:
        times = self.bars[name] = []

        def hear(bar: Bar) -> None:
            if bar.is_final:
                times.append(bar.time_ns)

        stream.on_tick(hear)

    async def _read(self, stream: Any) -> None:
        """Look at each until it ends, with or without an error."""
        try:
            async for _ in stream:
                pass
        except TWSError as error:
            self.heard.append(id(stream))
            self._note(f"reader hears {type(error).__name__}: {error}")

    # -- questions

    def _ask(self) -> None:
        connection, rng = self.connection, self._rng
        contract = rng.choice(self.contracts)
        questions: dict[str, Callable[[], Reply[Any]]] = {
            "details": lambda: connection.request_contract_details(contract),
            "history": lambda: connection.request_historical_bars(
                contract,
                duration=rng.choice(("600 S", "1800 S")),
                bar_size=rng.choice(("5 secs", "1 min", "5 mins")),
            ),
            "executions": connection.request_executions,
            "open orders": connection.request_open_orders,
            "all open orders": connection.request_all_open_orders,
            "completed orders": connection.request_completed_orders,
            "positions": connection.request_positions,
            "values": connection.request_account_values,
            "portfolio": connection.request_portfolio,
            "summary": connection.request_account_summary,
            "time": connection.request_current_time,
            "ids": connection.request_next_order_id,
            "accounts": connection.request_managed_accounts,
            "head": lambda: connection.request_head_timestamp(contract),
            "quote": lambda: connection.request_quote(contract),
            "columns": lambda: connection.request_historical_columns(contract, duration="1800 S"),
            "past ticks": lambda: connection.request_historical_ticks(
                contract, start=datetime(2025, 10, 10, 13, 0, tzinfo=UTC), count=50
            ),
            "schedule": lambda: connection.request_schedule(contract, days=5),
            "histogram": lambda: connection.request_histogram(contract),
            "values of": connection.request_account_values_of,
            "positions of": connection.request_positions_of,
            "what if": lambda: connection.request_what_if(*self._order()),
            "symbols": lambda: connection.request_matching_symbols(contract.symbol[:2]),
        }
        name = rng.choice(sorted(questions))
        reply = questions[name]()
        self.replies.append((name, reply))
        if name == "ids":
            reply.add_done_callback(self._given_by_tws)
        if rng.random() < 0.05:
            asyncio.get_running_loop().call_later(rng.uniform(0.0, 2.0), reply.cancel)

    def _given_by_tws(self, reply: Any) -> None:
        if not reply.cancelled() and reply.exception() is None:
            self.given[reply.result()] += 1

    # -- orders

    def _price(self, contract: Contract) -> Decimal | None:
        """A limit near the last known price, None while nothing is known."""
        for _, stream in reversed(self.streams):
            quote = getattr(stream, "quote", None)
            if stream.contract == contract and quote is not None and quote.bid and quote.ask:
                middle = (quote.bid + quote.ask) / 2
                return Decimal(str(round(middle * self._rng.uniform(0.98, 1.02), 2)))
        return None

    def _order(self, **fields: Any) -> tuple[Contract, Order]:
        contract = self._rng.choice(self.contracts)
        price = self._price(contract) if self._rng.random() < 0.7 else None
        kind = OrderType.MARKET if price is None else OrderType.LIMIT
        side = self._rng.choice((Side.BUY, Side.SELL))
        quantity = Decimal(self._rng.choice((1, 10, 100, 300)))
        return contract, Order(side=side, quantity=quantity, order_type=kind, limit_price=price, **fields)

    def _place(self, what: tuple[Contract, Order], **changes: Any) -> int:
        """Place one, under an id of its own; what the guard or the link refuses is a TWSError."""
        contract, order = what
        order_id = self.connection.get_next_order_id()
        if order_id is None:
            return 0
        self.given[order_id] += 1
        ref = f"soak-{len(self.refs)}"
        order = replace(order, order_ref=ref, **changes)
        self.refs[ref] = order_id
        self._orders.append((order_id, contract, order))
        self._send(order_id, contract, order)
        return order_id

    def _send(self, order_id: int, contract: Contract, order: Order) -> None:
        self.sendings.append(self.connection.place_order(contract, order, order_id))

    def _bracket(self) -> None:
        contract, entry = self._order()
        price = self._price(contract)
        if price is None:
            return
        parent = self._place((contract, entry), transmit=False)
        away = price * Decimal("0.02") * entry.side.sign
        target = Order(
            side=Side.SELL if entry.side is Side.BUY else Side.BUY,
            quantity=entry.quantity,
            order_type=OrderType.LIMIT,
            limit_price=round(price + away, 2),
        )
        stop = replace(target, order_type=OrderType.STOP, limit_price=None, stop_price=round(price - away, 2))
        self._place((contract, target), parent_id=parent, transmit=False)
        self._place((contract, stop), parent_id=parent)

    def _change(self) -> None:
        limits = [
            row for row in self._orders if row[2].order_type is OrderType.LIMIT and not row[2].parent_id
        ]
        if not limits:
            return
        order_id, contract, order = self._rng.choice(limits)
        price = self._price(contract)
        if price is not None:
            self._send(order_id, contract, replace(order, limit_price=price))
