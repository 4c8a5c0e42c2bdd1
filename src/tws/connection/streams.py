"""Streams of quotes: merged for whoever looks now and then, unmerged for whoever must see each tick."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TypeAlias

from tws.model.contract import Contract
from tws.model.market import Quote

__all__ = ["QuoteStream", "TickCallback"]

TickCallback: TypeAlias = Callable[[int, float, float], None]
"""Called with (field, price, size): `field` is TWS's tick type (tws.model.market.TickField); a price tick
carries the size that came with it, a size tick has price NaN; a generic tick has its value as price."""


class QuoteStream:
    """Market data of one contract. An async iterator of merged quotes and an async context manager.

    `quote` is the last known state, `merged` counts changes that no reader saw on their own.
    Iteration yields the newest state once for each time that something changed since the last look.
    Ends with LinkLostError when the link goes, RequestError when TWS ends the stream.
    """

    contract: Contract
    request_id: int
    quote: Quote
    merged: int
    ticks: int

    def on_tick(self, callback: TickCallback) -> Callable[[], None]:
        """Call `callback` for every tick, unmerged, in byte order, on the loop's thread. Returns the call that ends it."""
        raise NotImplementedError

    def on_dirty(self, callback: Callable[[QuoteStream], None]) -> Callable[[], None]:
        """Call `callback` when the stream turns from clean to dirty; not again until `take`. For a state lane."""
        raise NotImplementedError

    def take(self) -> Quote:
        """The newest state; the stream is clean again."""
        raise NotImplementedError

    def close(self) -> None:
        """End the stream (cancelMktData). Safe twice."""
        raise NotImplementedError

    def __aiter__(self) -> QuoteStream:
        return self

    async def __anext__(self) -> Quote:
        raise NotImplementedError

    async def __aenter__(self) -> QuoteStream:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        self.close()
