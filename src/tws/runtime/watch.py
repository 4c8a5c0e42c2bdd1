"""The contracts that a trader follows: their details, asked once, and their quotes. Over lost links the
connection keeps the streams; one that TWS has ended is opened anew when somebody follows it again. """

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tws.connection import QuoteStream, TWSConnection
from tws.connection.streaming.streams import Gap, TickCallback
from tws.errors import RequestError, RequestTimeoutError
from tws.log import get_logger
from tws.model.contract import Contract, ContractDetails
from tws.model.market import Quote

__all__ = ["Watchlist"]

LOOK_S = 0.5
"""How often a waiter looks by itself: a stream that is dirty already, or that TWS ended, wakes nobody."""

log = get_logger("tws.runtime")


class Watchlist:
    """`dirty` is told of each stream whose quote changed; taps see every tick, on whatever link."""

    def __init__(self, connection: TWSConnection, dirty: Callable[[QuoteStream], None]) -> None:
        self._connection = connection
        self._dirty = dirty
        self._details: dict[Contract, ContractDetails] = {}
        self._streams: dict[int, QuoteStream] = {}
        self._taps: dict[int, list[TickCallback]] = {}
        self._gap_taps: dict[int, list[Callable[[Gap], object]]] = {}
        self._changed = asyncio.Event()
        self._learners: list[Callable[[ContractDetails], object]] = []

    async def details(self, contract: Contract) -> ContractDetails:
        """What TWS says about exactly one contract. Raises NoContractError, AmbiguousContractError."""
        return self._details[contract] if contract in self._details else await self.refresh(contract)

    async def refresh(self, contract: Contract) -> ContractDetails:
        """The same, asked anew: hours are stated for some days ahead only."""
        found = await self._connection.request_contract(contract)
        self._details[contract] = self._details[found.contract] = found
        for learn in self._learners:
            learn(found)
        return found

    def on_details(self, learner: Callable[[ContractDetails], object]) -> None:
        """Call `learner` with whatever TWS says about a contract. It must not raise."""
        self._learners.append(learner)

    def follow(self, contract: Contract) -> QuoteStream:
        """The contract's stream, opened when it is not yet; `contract` carries its con_id.

        Raises NotSentError without a session.
        """
        stream = self._streams.get(contract.con_id)
        if stream is None or stream.closed:
            stream = self._open(contract)
        return stream

    @property
    def followed(self) -> list[Contract]:
        """The contracts whose market is followed."""
        return [stream.contract for stream in self._streams.values()]

    def tap(self, con_id: int, callback: TickCallback) -> None:
        """Call `callback` for every tick of a contract, after a reconnect too."""
        self._taps.setdefault(con_id, []).append(callback)
        if con_id in self._streams:
            self._streams[con_id].on_tick(callback)

    def on_gap(self, con_id: int, callback: Callable[[Gap], object]) -> None:
        """Call `callback` when a contract's quotes are interrupted (`end_ns` None) and when they come again.
        """
        self._gap_taps.setdefault(con_id, []).append(callback)
        if con_id in self._streams:
            self._streams[con_id].on_gap(callback)

    async def two_sided(self, contract: Contract, timeout_s: float) -> Quote:
        """A quote with bid and ask. Raises RequestTimeoutError, or TWS's own RequestError."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    stream = self._streams.get(contract.con_id)
                    quote = stream.quote if stream is not None and not stream.closed else None
                    if quote is not None and quote.bid is not None and quote.ask is not None:
                        return quote
                    if stream is not None and isinstance(stream.failure, RequestError):
                        raise stream.failure
                    await self._next_change()
        except TimeoutError:
            raise RequestTimeoutError(
                f"{contract.symbol}: no two-sided quote within {timeout_s} s; "
                "is the market open, the data subscribed?"
            ) from None

    def close(self) -> None:
        """End all streams."""
        for stream in self._streams.values():
            stream.close()

    async def _next_change(self) -> None:
        self._changed.clear()
        try:
            await asyncio.wait_for(self._changed.wait(), LOOK_S)
        except TimeoutError:
            return

    def _open(self, contract: Contract) -> QuoteStream:
        stream = self._connection.stream_quotes(contract)
        stream.on_dirty(self._soiled)
        for callback in self._taps.get(contract.con_id, ()):
            stream.on_tick(callback)
        for listener in self._gap_taps.get(contract.con_id, ()):
            stream.on_gap(listener)
        self._streams[contract.con_id] = stream
        return stream

    def _soiled(self, stream: QuoteStream) -> None:
        self._changed.set()
        self._dirty(stream)
