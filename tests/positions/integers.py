"""Average cost once more, in whole numbers and in another way: the second computation of the two that agree.

It shares nothing with `tws.positions`: amounts are integers of a billionth of a tick times a lot, prices
ticks, quantities lots, and a closing part is taken by integer division, whose remainder stays in the cost.
There is no list of moves and no looking back: it is fed the fills as they should have been, in their order.
"""

from __future__ import annotations

from dataclasses import dataclass

FINE = 10**9


@dataclass
class IntegerHolding:
    """One contract: `lots` held for `cost`, `gain` made, fees in it or gone with what was closed."""

    lots: int = 0
    cost: int = 0
    gain: int = 0
    fee_held: int = 0
    fee_gone: int = 0

    def fill(self, lots: int, ticks: int, fee: int) -> None:
        """Signed lots at a price in ticks; the fee in billionths of the smallest amount of money."""
        against = self.lots * lots < 0
        closed = min(abs(lots), abs(self.lots)) if against else 0
        if closed:
            held = abs(self.lots)
            part, fees = self.cost * closed // held, self.fee_held * closed // held
            mine = fee * closed // abs(lots)
            direction = 1 if self.lots > 0 else -1
            self.gain += direction * closed * ticks * FINE - part
            self.cost, self.fee_held = self.cost - part, self.fee_held - fees
            self.fee_gone += fees + mine
            self.lots -= direction * closed
            fee -= mine
            lots += direction * closed
        self.lots += lots
        self.cost += lots * ticks * FINE
        self.fee_held += fee
