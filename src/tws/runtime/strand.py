"""One section of the configuration while it runs: its gate, its way of trading, and, where it is a built-in
strategy, that strategy.

A strategy that raises is left out for that bar, named once in a row and counted; the others go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tws.clock import NS_PER_S
from tws.config.run import HeardSection, StrategySection, TradingSection
from tws.config.strategies import PythonStrategySection
from tws.desk import DeskState
from tws.log import get_logger
from tws.model.instrument import Instrument, decimal
from tws.model.market import Bar
from tws.model.session import Session
from tws.model.signal import Signal
from tws.rules import Distance
from tws.runtime.stances import Stances
from tws.signals.opening import gate_rules
from tws.strategy import (
    Allocation,
    AnySizing,
    Kelly,
    MovingAverageCrossover,
    OpeningRangeBreakout,
    RiskFraction,
    Shares,
    SignalGate,
    SignalSource,
    TradePlan,
    VolatilityTarget,
)
from tws.strategy.manage import Conduct

__all__ = ["Strand"]

log = get_logger("tws.runtime")

_KINDS = {"breakout": OpeningRangeBreakout, "crossover": MovingAverageCrossover}


class Strand:
    """A section and what it remembers."""

    def __init__(self, section: TradingSection) -> None:
        self.section = section
        self.heard = isinstance(section, HeardSection)
        self.failures = 0
        self._source: SignalSource | None = None
        self.name = "strategy"
        if isinstance(section, HeardSection):
            self.name = section.name
        elif isinstance(section, StrategySection):
            self._source = _KINDS[section.kind](section.symbols)
            self.name = self._source.name
        elif isinstance(section, PythonStrategySection):  # it plays on a thread of its own (`strategies`)
            self.name = section.name or self.name
        self.gate = SignalGate(gate_rules(section))
        atr, fraction = section.scale_in
        self.conduct = Conduct(
            opposite=section.opposite,
            scale_in_atr=atr,
            scale_in_fraction=fraction,
            scale_in_times=section.scale_in_times,
            double_down=section.double_down,
        )

    def recall(self, state: DeskState, stances: Stances, now_ns: int) -> None:
        """Know what the run before this one knew: signals, rates, and pauses that are not over."""
        self.gate.recall(row for row in state.judged.values() if row.source == self.name)
        since_ns = now_ns - round(self.section.cooldown_s * NS_PER_S)
        for symbol in self.section.symbols:
            entered_ns = stances.last_entry_ns(symbol, since_ns)
            if entered_ns is not None:
                self.gate.entered(symbol, entered_ns)

    def plan(self, instrument: Instrument, equity: Decimal | None, volatility: float | None) -> TradePlan:
        """How one of its symbols is traded."""
        section = self.section
        return TradePlan(
            instrument=instrument,
            sizing=self._sizing(),
            stop_atr=section.stop_atr,
            target_atr=section.target_atr,
            stop_fraction=section.stop_fraction,
            target_fraction=section.target_fraction,
            trail=_distance(section.trail),
            break_even=_distance(section.break_even_after),
            break_even_offset=_distance(section.break_even_offset),
            target_follows=section.target_follows,
            stop_follows=section.stop_follows,
            multiplier=Decimal(instrument.contract.multiplier or 1),
            equity=equity,
            volatility=volatility,
        )

    def _sizing(self) -> AnySizing:
        section = self.section
        if section.shares is not None:
            return Shares(section.shares)
        if section.risk_fraction is not None:
            return RiskFraction(decimal(section.risk_fraction))
        if section.volatility_target is not None:
            return VolatilityTarget(decimal(section.volatility_target))
        if section.kelly_fraction is not None:
            return Kelly(decimal(section.kelly_fraction), decimal(section.kelly_cap))
        return Allocation(section.allocation)

    def on_session(self, symbol: str, session: Session) -> None:
        if self._source is not None:
            try:
                self._source.on_session(symbol, session)
            except Exception as wrong:
                self._failed(wrong)

    def on_bar(self, symbol: str, bar: Bar) -> Sequence[Signal]:
        """What the built-in strategy wishes on a bar."""
        if self._source is None:
            return ()
        try:
            return self._source.on_bar(symbol, bar)
        except Exception as wrong:
            self._failed(wrong)
            return ()

    def _failed(self, wrong: Exception) -> None:
        self.failures += 1
        if self.failures == 1:
            log.exception("a strategy failed", strategy=self.name, reason=repr(wrong))


def _distance(text: str | None) -> Distance | None:
    """What a section writes as "2 atr" or "1.5%"; it has been checked there."""
    if text is None:
        return None
    return Distance(float(text.rstrip("atr% ")), "atr" if text.endswith("atr") else "percent")
