"""Everything that flows until it is cancelled, as one part of the desk.

marketdata  the top of the book: 1, 2, 59        livebars    real-time bars: 50, 51
tickbytick  every print or quote: 97, 98         depth       levels behind the best: 10, 11
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tws.simulator.requests.depth import Depth
from tws.simulator.requests.history import History
from tws.simulator.requests.livebars import LiveBars
from tws.simulator.requests.marketdata import MarketData
from tws.simulator.requests.news import News
from tws.simulator.requests.tickbytick import TickByTick
from tws.simulator.session import Session

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Streams"]


class Streams:
    """The four kinds of streams."""

    def __init__(self, core: Core, history: History, news: News) -> None:
        self.market_data = MarketData(core, self.lines, history, news)
        self.depth = Depth(core)
        self.bars = LiveBars(core, self.lines)
        self._parts = (self.market_data, self.bars, TickByTick(core), self.depth)

    def lines(self) -> int:
        """Market data lines in use by all clients: real-time bars count as one each (B)."""
        return len(self.market_data) + len(self.bars)

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {kind: handler for part in self._parts for kind, handler in part.handlers().items()}

    def wanted(self) -> frozenset[int]:
        """Whose tapes are read."""
        return self.bars.wanted() | self.market_data.wanted()

    def drop(self, session: Session) -> None:
        """The session ended."""
        for part in self._parts:
            part.drop(session)

    def elapse(self, now_ns: int) -> None:
        """Market time moved."""
        for part in self._parts:
            part.elapse(now_ns)

    def new_day(self) -> None:
        """The feed begins anew."""
        self.depth.reset()
        self.market_data.new_day()
