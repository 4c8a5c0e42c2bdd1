"""The contracts that a trader follows: their details, asked once, and their quotes, over lost links too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from tws.connection import QuoteStream, TWSConnection
from tws.connection.streams import TickCallback
from tws.errors import RequestTimeoutError, TWSError
from tws.model.contract import Contract, ContractDetails
from tws.model.market import Quote

__all__ = ["Watchlist"]

log = structlog.get_logger("tws.runtime")


class Watchlist:
    """`dirty` is told of each stream whose quote changed; `taps` see every tick, on whatever link."""

    def __init__(self, connection: TWSConnection, dirty: Callable[[QuoteStream], None]) -> None:
        self._connection = connection
        self._dirty = dirty
        self._details: dict[Contract, ContractDetails] = {}
        self._streams: dict[int, QuoteStream] = {}
        self._taps: dict[int, list[TickCallback]] = {}
        self._changed = asyncio.Event()

    async def details(self, contract: Contract) -> ContractDetails:
        """What TWS says about exactly one contract. Raises NoContractError, AmbiguousContractError."""
        if contract not in self._details:
            found = await self._connection.request_contract(contract)
            self._details[contract] = self._details[found.contract] = found
        return self._details[contract]

    async def follow(self, contract: Contract) -> QuoteStream:
        """The contract's stream, opened when it is not yet; `contract` carries its con_id."""
        stream = self._streams.get(contract.con_id)
        if stream is None or stream.closed:
            stream = self._open(contract)
        return stream

    def tap(self, con_id: int, callback: TickCallback) -> None:
        """Call `callback` for every tick of a contract, after a reconnect too."""
        self._taps.setdefault(con_id, []).append(callback)
        if con_id in self._streams:
            self._streams[con_id].on_tick(callback)

    async def two_sided(self, contract: Contract, timeout_s: float) -> Quote:
        """A quote with bid and ask. Raises RequestTimeoutError when none comes."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    quote = self._streams[contract.con_id].quote
                    if quote.bid is not None and quote.ask is not None:
                        return quote
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise RequestTimeoutError(
                f"{contract.symbol}: no two-sided quote within {timeout_s} s; is the market open, the data subscribed?"
            ) from None

    async def renew(self) -> None:
        """Open every stream again on a new link."""
        for stream in list(self._streams.values()):
            try:
                self._open(stream.contract)
            except TWSError as error:  # the link went again: the next renewal finds this one closed
                log.warning("stream not renewed", symbol=stream.contract.symbol, reason=str(error))

    def close(self) -> None:
        """End all streams."""
        for stream in self._streams.values():
            stream.close()

    def _open(self, contract: Contract) -> QuoteStream:
        stream = self._connection.stream_quotes(contract)
        stream.on_dirty(self._soiled)
        for callback in self._taps.get(contract.con_id, ()):
            stream.on_tick(callback)
        self._streams[contract.con_id] = stream
        return stream

    def _soiled(self, stream: QuoteStream) -> None:
        self._changed.set()
        self._dirty(stream)
