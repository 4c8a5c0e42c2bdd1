"""Two small strategies at work: bars into signals, signals into brackets, and the fate of each signal.

Opening-range breakout and moving-average crossover share the symbols, alternately, since one strategy
owns a contract. A signal passes the signal gate, becomes a bracket by ATR multiples, and goes to the desk,
whose risk gate has the last word. A wish in a symbol where a trade is still alive is refused here: scaling
in and reversing are not part of the demo.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from tws.demo.options import DemoOptions
from tws.indicators import Atr
from tws.marketdata import BarDone, QuoteBoard
from tws.model.instrument import Instrument
from tws.model.session import Session, session_at
from tws.model.signal import Signal
from tws.runtime import Trade, Trader
from tws.strategy import (
    Allocation,
    GateRules,
    MovingAverageCrossover,
    OpeningRangeBreakout,
    Refusal,
    SignalGate,
    SignalSource,
    TradePlan,
    bracket_for,
)

__all__ = ["Fate", "Outcome", "Robots"]

ATR_BARS = 14

CLOSE_MARGIN_S = 300.0
"""No entry in the last five minutes: the day is flattened one minute before the close."""


class Fate(StrEnum):
    """What became of a signal."""

    REFUSED = "refused"
    DENIED = "denied"
    TRADED = "traded"


class Outcome(Struct, kw_only=True):
    """A signal and its fate.

    `reason` is the refusal's or the denying limit's name, `reference` the touch at the decision.
    """

    signal: Signal
    fate: Fate
    reason: str = ""
    text: str = ""
    reference: Decimal | None = None
    trade: Trade | None = None


class Robots:
    """`instruments` and `sessions` by symbol, as the broker stated them."""

    def __init__(
        self, trader: Trader, board: QuoteBoard, instruments: dict[str, Instrument],
        sessions: dict[str, tuple[Session, ...]], options: DemoOptions,
    ) -> None:
        self.outcomes: list[Outcome] = []
        self._trader = trader
        self._board = board
        self._instruments = instruments
        self._sessions = sessions
        self._options = options
        symbols = tuple(instruments)
        self._sources: tuple[SignalSource, ...] = (
            OpeningRangeBreakout(symbols[0::2]),
            MovingAverageCrossover(symbols[1::2]),
        )
        self._atr = {symbol: Atr(ATR_BARS) for symbol in symbols}
        rules = GateRules(symbols=symbols, cooldown_s=options.cooldown_s, close_margin_s=CLOSE_MARGIN_S)
        self._gate = SignalGate(rules)
        self._live: dict[str, Trade] = {}

    @property
    def names(self) -> dict[str, str]:
        """The strategy of each symbol."""
        return {symbol: source.name for source in self._sources for symbol in source.symbols}

    async def on_bars(self, done: list[BarDone], now_ns: int) -> bool:
        """Every completed bar, in order; whether a signal came of them."""
        before = len(self.outcomes)
        for item in done:
            session = session_at(self._sessions[item.symbol], item.bar.time_ns)
            if session is not None and session.holds(item.bar.time_ns):
                self._atr[item.symbol].update(item.bar)
            for source in self._sources:
                if session is not None:
                    source.on_session(item.symbol, session)
                for signal in source.on_bar(item.symbol, item.bar):
                    self.outcomes.append(await self._act(signal, now_ns))
        return len(self.outcomes) > before

    def clear_stopped(self) -> None:
        """Forget trades that are over, and clear the cooldown of those that were stopped out."""
        for symbol, trade in list(self._live.items()):
            if trade.over:
                del self._live[symbol]
                if trade.stopped_out:
                    self._gate.stopped_out(symbol)

    async def _act(self, signal: Signal, now_ns: int) -> Outcome:
        symbol = signal.symbol
        refusal = self._gate.judge(signal, now_ns, session_at(self._sessions[symbol], now_ns))
        if refusal is not None:
            return _refused(signal, refusal.reason, refusal.text)
        if symbol in self._live:
            return _refused(signal, "in position", "a trade in this symbol is still alive")
        quote = self._board.quote(self._instruments[symbol].contract.con_id)
        if quote is None:
            return _refused(signal, "no quote", "nothing was heard of this symbol yet")
        plan = TradePlan(
            instrument=self._instruments[symbol], sizing=Allocation(self._options.allocation),
            stop_atr=self._options.stop_atr, target_atr=self._options.target_atr,
        )
        wish = bracket_for(signal, quote, self._atr[symbol].value, plan)
        if isinstance(wish, Refusal):
            return _refused(signal, wish.reason, wish.text)
        trade = await self._trader.submit(wish)
        if trade.denial is not None:
            denial = trade.denial
            return Outcome(signal=signal, fate=Fate.DENIED, reason=denial.limit, text=denial.reason)
        self._gate.entered(symbol, now_ns)
        self._live[symbol] = trade
        touch = quote.ask if wish.side.sign > 0 else quote.bid
        reference = None if touch is None else self._instruments[symbol].snap(touch)
        return Outcome(signal=signal, fate=Fate.TRADED, reference=reference, trade=trade)


def _refused(signal: Signal, reason: str, text: str) -> Outcome:
    return Outcome(signal=signal, fate=Fate.REFUSED, reason=str(reason), text=text)


