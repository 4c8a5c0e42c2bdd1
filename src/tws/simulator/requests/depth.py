"""Market depth (10, 11): messages 12 and 13. TWS-BEHAVIOUR.md B, E, F6.

The levels behind the best quote are invented from it: the same quote always has the same depth. Each
request keeps the book that its client holds, and says by insert, update and delete what turns that into the
present one; whoever applies the operations in order never has a level too many, twice or out of order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from tws.simulator.market.base import MarketUpdate
from tws.simulator.permissions import is_refused
from tws.simulator.requests.contracts import resolve
from tws.simulator.session import Session
from tws.simulator.tape import Tape
from tws.simulator.universe import Security
from tws.wire.messages import CancelMarketDepth, MarketDepth, MarketDepthL2, MarketDepthRequest

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Depth", "book", "operations"]

INSERT, UPDATE, DELETE = 0, 1, 2
ASK, BID = 0, 1
MOST_ROWS = 60
WITHOUT = ("IND", "BOND")
"""Types that have no book."""
MAKERS = {"NASDAQ": "NSDQ", "ISLAND": "NSDQ", "IDEALPRO": "IDEALPRO"}
"""Exchanges whose depth names who quotes, hence message 13 (assumed which)."""
RESET = "Market depth data has been RESET. Please empty deep book contents before applying any new entries."
UNSUPPORTED = "Deep market data is not supported for this combination of security type/exchange"

Level: TypeAlias = tuple[int, int, str]
"""Ticks, lots and who quotes."""
Operation: TypeAlias = tuple[int, int, Level]
"""Operation, position, level (for a delete: the level that goes)."""


class _Book(Struct):
    """One request: what its client holds of asks (0) and bids (1)."""

    security: Security
    tape: Tape
    rows: int
    smart: bool
    maker: str
    listen: Callable[[MarketUpdate], None]
    held: list[list[Level]]


class Depth:
    """The depth subscriptions."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._books: dict[tuple[Session, int], _Book] = {}

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {MarketDepthRequest: self._subscribe, CancelMarketDepth: self._cancel}

    def drop(self, session: Session) -> None:
        """The session ended."""
        for key in [key for key in self._books if key[0] is session]:
            self._forget(key)

    def elapse(self, now_ns: int) -> None:
        """Nothing here happens by time alone."""

    def reset(self) -> None:
        """The feed began anew: every client is told to empty its book (317), then hears it afresh."""
        for (session, req_id), known in self._books.items():
            session.error(req_id, 317, RESET)
            known.held = [[], []]
            self._say(session, req_id, known)

    def _subscribe(self, session: Session, request: MarketDepthRequest) -> None:
        req_id, core = request.req_id, self._core
        if (session, req_id) in self._books:
            session.error(req_id, 102, "Duplicate ticker ID for API request")
            return
        security = resolve(core, session, req_id, request.contract)
        if security is None:
            return
        place = request.contract.exchange or security.exchange
        if security.sec_type in WITHOUT or (place == "SMART" and not request.is_smart_depth):
            session.error(req_id, 10092, UNSUPPORTED)
            return
        if request.num_rows < 1:
            said = "Error validating request.-'bX' : cause - Market depth rows must be positive"
            session.error(req_id, 321, said)
            return
        if is_refused(core, security):
            session.error(req_id, 354, "Requested market data is not subscribed.")
            return
        if not core.limiter.depth(session, req_id, len(self._books)):
            return
        tape = core.listed(security)
        known = _Book(
            security, tape, min(request.num_rows, MOST_ROWS), request.is_smart_depth, MAKERS.get(place, ""),
            lambda update: self._say(session, req_id, known), [[], []],
        )  # fmt: skip
        self._books[session, req_id] = known
        core.listen(security.con_id, known.listen)
        self._say(session, req_id, known)

    def _say(self, session: Session, req_id: int, known: _Book) -> None:
        """Turn the client's book into the present one."""
        for side in (BID, ASK):
            wanted = list(book(known.security, known.tape, side, known.rows, known.smart, known.maker))
            for operation, position, level in operations(known.held[side], wanted):
                self._send(session, req_id, known, (side, operation, position, level))
            known.held[side] = wanted

    def _send(self, session: Session, req_id: int, known: _Book, step: tuple[int, int, int, Level]) -> None:
        side, operation, position, (ticks, lots, maker) = step
        grid = known.tape.grid
        price, size = grid.price(ticks), grid.quantity(lots)
        if operation == DELETE:
            price, size = 0.0, grid.quantity(0)
        if known.smart or known.maker:
            session.send(MarketDepthL2(req_id, position, maker, operation, side, price, size, known.smart))
        else:
            session.send(MarketDepth(req_id, position, operation, side, price, size))

    def _cancel(self, session: Session, request: CancelMarketDepth) -> None:
        if (session, request.req_id) in self._books:
            self._forget((session, request.req_id))
        else:
            session.error(
                request.req_id, 310, f"Can't find the subscribed market depth with tickerId:{request.req_id}"
            )

    def _forget(self, key: tuple[Session, int]) -> None:
        gone = self._books.pop(key)
        self._core.unlisten(gone.security.con_id, gone.listen)


def book(
    security: Security, tape: Tape, side: int, rows: int, smart: bool, maker: str = ""
) -> Iterator[Level]:
    """The best `rows` levels of a side, best first: the quote, then a tick or more apart, thicker behind.

    A smart book has two exchanges at the best price, each with its part of the size.
    """
    ticks, lots = (tape.bid, tape.bid_size) if side == BID else (tape.ask, tape.ask_size)
    if not lots:
        return
    places = [place for place in security.exchanges if place != "SMART"] or [security.exchange]
    away = -1 if side == BID else 1
    step = max(1, security.spread // 2)
    split = smart and lots > 1 and len(places) > 1
    for row in range(rows):
        depth = row - 1 if split and row else row
        price = ticks + away * step * depth
        if price <= 0:
            return
        size = lots * (2 + (price * 7 + depth) % 5 + depth) // 2 if depth else lots
        if split and row < 2:
            size = lots // 2 if row else lots - lots // 2
        who = places[(price + (row if split and row < 2 else 0)) % len(places)] if smart else maker
        yield price, size, who


def operations(held: Sequence[Level], wanted: Sequence[Level]) -> list[Operation]:
    """What turns one list of levels into another: a level that came in at the top is one insert (the last
    goes first, so that there is never one too many), one that left is one delete, the rest are updates.
    """
    held, found = list(held), []
    if held and wanted and len(held) == len(wanted) > 1:
        if _keys(wanted[1:]) == _keys(held[:-1]) and _keys(wanted) != _keys(held):
            found += [(DELETE, len(held) - 1, held.pop()), (INSERT, 0, wanted[0])]
            held.insert(0, wanted[0])
        elif _keys(wanted[:-1]) == _keys(held[1:]) and _keys(wanted) != _keys(held):
            found += [(DELETE, 0, held.pop(0)), (INSERT, len(wanted) - 1, wanted[-1])]
            held.append(wanted[-1])
    for position in range(len(held) - 1, len(wanted) - 1, -1):
        found.append((DELETE, position, held.pop()))
    for position, level in enumerate(wanted):
        if position >= len(held):
            found.append((INSERT, position, level))
        elif held[position] != level:
            found.append((UPDATE, position, level))
    return found


def _keys(levels: Sequence[Level]) -> list[tuple[int, str]]:
    return [(ticks, maker) for ticks, _, maker in levels]
