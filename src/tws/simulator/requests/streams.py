"""Market data (1, 2, 59), real-time bars (50, 51), tick by tick (97, 98). TWS-BEHAVIOUR.md E, B."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.simulator import ticks
from tws.simulator.bars import build
from tws.simulator.market.base import MarketUpdate
from tws.simulator.requests.contracts import resolve
from tws.simulator.session import Session
from tws.wire.messages import (
    CancelMarketData,
    CancelRealTimeBars,
    CancelTickByTick,
    MarketDataRequest,
    MarketDataType,
    MarketDataTypeRequest,
    RealTimeBarsRequest,
    RealTimeBarTick,
    TickByTickData,
    TickByTickRequest,
    TickReqParams,
    TickSnapshotEnd,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Streams"]

MAX_LINES = 100
BAR_S = 5
BBO_EXCHANGE = "9c0001"
SNAPSHOT_PERMISSIONS = 3
KINDS = {"Last": 1, "AllLast": 2, "BidAsk": 3, "MidPoint": 4}
SHARES_UNKNOWN = 3.0
"""Tick 46 above 2.5: at least a thousand shares can be sold short (official documentation)."""


class _Bars(Struct):
    con_id: int
    what: str


class _Print(Struct):
    con_id: int
    listen: Callable[[MarketUpdate], None]


class Streams:
    """Everything that flows until it is cancelled."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lines: dict[tuple[Session, int], ticks.Line] = {}
        self._bars: dict[tuple[Session, int], _Bars] = {}
        self._prints: dict[tuple[Session, int], _Print] = {}
        self._bar_end_s = core.start_ns // NS_PER_S // BAR_S * BAR_S + BAR_S

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {
            MarketDataRequest: self._subscribe,
            CancelMarketData: self._cancel_line,
            MarketDataTypeRequest: lambda session, _: None,  # everything here is live; 58 says so per line
            RealTimeBarsRequest: self._subscribe_bars,
            CancelRealTimeBars: self._cancel_bars,
            TickByTickRequest: self._subscribe_prints,
            CancelTickByTick: self._cancel_prints,
        }

    def drop(self, session: Session) -> None:
        """The session ended."""
        for key in [key for key in self._lines if key[0] is session]:
            self._forget_line(key)
        for key in [key for key in self._bars if key[0] is session]:
            del self._bars[key]
        for key in [key for key in self._prints if key[0] is session]:
            self._forget_print(key)

    # -- market data ------------------------------------------------------------------------------

    def _subscribe(self, session: Session, request: MarketDataRequest) -> None:
        req_id, core = request.req_id, self._core
        if (session, req_id) in self._lines:
            session.error(req_id, 102, "Duplicate ticker ID for API request")
            return
        if request.snapshot and request.generic_tick_list:
            session.error(
                req_id,
                321,
                "Error validating request.-'bX' : cause - Snapshot market data subscription is "
                "not applicable to generic ticks",
            )
            return
        security = resolve(core, session, req_id, request.contract)
        if security is None:
            return
        if security.con_id not in core.trading:
            session.error(req_id, 354, "Requested market data is not subscribed.")
            return
        if len(self._lines) >= MAX_LINES and not request.snapshot:
            session.error(req_id, 101, "Max number of tickers has been reached")
            return
        tape = core.tapes[security.con_id]
        generic = {part.strip().split(":")[0] for part in request.generic_tick_list.split(",")}
        line = ticks.Line(session, req_id, security.con_id, rt_volume="233" in generic)
        session.send(TickReqParams(req_id, 0.01, BBO_EXCHANGE, SNAPSHOT_PERMISSIONS))
        session.send(MarketDataType(req_id, 1))
        ticks.send(line, list(ticks.snapshot(tape)))
        if request.snapshot or request.regulatory_snapshot:
            session.send(TickSnapshotEnd(req_id))
            return
        if "236" in generic:
            ticks.send(line, [(ticks.SHORTABLE, ticks.generic_body(SHARES_UNKNOWN))])
        self._lines[session, req_id] = line
        core.lines.setdefault(security.con_id, []).append(line)

    def _cancel_line(self, session: Session, request: CancelMarketData) -> None:
        if (session, request.req_id) in self._lines:
            self._forget_line((session, request.req_id))
        else:
            session.error(request.req_id, 300, f"Can't find EId with tickerId:{request.req_id}")

    def _forget_line(self, key: tuple[Session, int]) -> None:
        line = self._lines.pop(key)
        self._core.lines[line.con_id].remove(line)
        line.session.out.drop_line(line.req_id)

    # -- real-time bars ---------------------------------------------------------------------------

    def _subscribe_bars(self, session: Session, request: RealTimeBarsRequest) -> None:
        security = resolve(self._core, session, request.req_id, request.contract)
        if security is None:
            return
        if request.what_to_show not in ("TRADES", "MIDPOINT", "BID", "ASK"):
            session.error(
                request.req_id,
                321,
                f"Error validating request.-'bX' : cause - Invalid what to show '{request.what_to_show}'",
            )
            return
        self._bars[session, request.req_id] = _Bars(security.con_id, request.what_to_show)

    def _cancel_bars(self, session: Session, request: CancelRealTimeBars) -> None:
        if self._bars.pop((session, request.req_id), None) is None:
            session.error(request.req_id, 300, f"Can't find EId with tickerId:{request.req_id}")

    def elapse(self, now_ns: int) -> None:
        """Send the bars that closed."""
        now_s = now_ns // NS_PER_S
        if now_s < self._bar_end_s:
            return
        end_s = now_s // BAR_S * BAR_S
        self._bar_end_s = end_s + BAR_S
        for (session, req_id), wanted in self._bars.items():
            self._send_bar(session, req_id, wanted, end_s - BAR_S, end_s)

    def _send_bar(self, session: Session, req_id: int, wanted: _Bars, begin_s: int, end_s: int) -> None:
        tape = self._core.tapes[wanted.con_id]
        built = build(tape.rows(begin_s, end_s), BAR_S, wanted.what, rth=False, mode=self._core.options.hours)
        if built:
            bar = built[-1]
            prices, volume, wap, count = (
                (bar.open, bar.high, bar.low, bar.close),
                bar.volume,
                bar.wap,
                bar.count,
            )
        else:
            price = tape.last if wanted.what == "TRADES" else (tape.bid + tape.ask) / 200
            if not price:
                return
            prices, volume, wap, count = (price,) * 4, 0, price, 0
        session.send(
            RealTimeBarTick(req_id, begin_s, *prices, Decimal(volume), Decimal(repr(round(wap, 6))), count)
        )

    # -- tick by tick -----------------------------------------------------------------------------

    def _subscribe_prints(self, session: Session, request: TickByTickRequest) -> None:
        req_id = request.req_id
        kind = KINDS.get(request.tick_type)
        if kind is None:
            session.error(
                req_id, 321, f"Error validating request.-'bX' : cause - Unknown tick type {request.tick_type}"
            )
            return
        security = resolve(self._core, session, req_id, request.contract)
        if security is None:
            return
        if (session, req_id) in self._prints:
            session.error(req_id, 102, "Duplicate ticker ID for API request")
            return
        if sum(1 for other, _ in self._prints if other is session) >= 5:
            session.error(req_id, 10190, "Max number of tick-by-tick requests has been reached.")
            return
        listen = self._listener(session, req_id, kind, ignore_size=request.ignore_size)
        self._prints[session, req_id] = _Print(security.con_id, listen)
        self._core.listeners.setdefault(security.con_id, []).append(listen)

    def _listener(
        self, session: Session, req_id: int, kind: int, *, ignore_size: bool
    ) -> Callable[[MarketUpdate], None]:
        before: tuple[int, ...] = ()

        def listen(update: MarketUpdate) -> None:
            nonlocal before
            time_s = update.time_ns // NS_PER_S
            if kind in (1, 2):
                if update.trade_size:
                    session.send(
                        TickByTickData(
                            req_id,
                            kind,
                            time_s,
                            price=update.trade,
                            size=Decimal(update.trade_size),
                            exchange="ARCA",
                        )
                    )
                return
            prices = (update.bid, update.ask)
            now = prices if ignore_size or kind == 4 else (*prices, update.bid_size, update.ask_size)
            if now == before or not all(prices):
                return
            before = now
            if kind == 4:
                session.send(TickByTickData(req_id, kind, time_s, mid_point=(update.bid + update.ask) / 200))
            else:
                session.send(
                    TickByTickData(
                        req_id,
                        kind,
                        time_s,
                        bid_price=update.bid / 100,
                        ask_price=update.ask / 100,
                        bid_size=Decimal(update.bid_size),
                        ask_size=Decimal(update.ask_size),
                    )
                )

        return listen

    def _cancel_prints(self, session: Session, request: CancelTickByTick) -> None:
        if (session, request.req_id) in self._prints:
            self._forget_print((session, request.req_id))
        else:
            session.error(request.req_id, 300, f"Can't find EId with tickerId:{request.req_id}")

    def _forget_print(self, key: tuple[Session, int]) -> None:
        gone = self._prints.pop(key)
        self._core.listeners[gone.con_id].remove(gone.listen)
