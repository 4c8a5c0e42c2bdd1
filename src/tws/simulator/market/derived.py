"""Markets that follow another: options and futures from their underlying's price, CFDs one to one.

Nothing is kept but the last quote: every update of the underlying gives one of the derivative, whose chance
(sizes, prints) is mixed from conId and time, so it is the same whoever listens and since when. Option
prices are those of `tws.simulator.pricing`; a further future keeps its distance from the first.
"""

from __future__ import annotations

from datetime import date
from math import ceil, floor, log

from tws.clock import NS_PER_S
from tws.simulator import pricing
from tws.simulator.grid import grid_of
from tws.simulator.hours import midnight_ns
from tws.simulator.market.base import MarketUpdate
from tws.simulator.tape import Tape
from tws.simulator.universe import Security

__all__ = ["Derived"]

DAY_S = 86_400
EXPIRY_S = 16 * 3600
"""Options and futures end at 16:00 of their last day (assumed for all)."""
WIDTH = 0.03
"""An option's quote is so wide, as a part of its price; a tick at least."""


class Derived:
    """The market of `security` out of the tape of `under`."""

    def __init__(self, security: Security, under: Security, tape: Tape) -> None:
        self.con_id = security.con_id
        self.security, self.under, self._tape = security, under, tape
        self._grid = grid_of(security.tick, security.lot)
        self._expiry_ns = expiry_ns(security)
        self._unit = max(1, round(float(security.suggested_size / security.lot)))
        self._print_chance = min(0.5, security.lots_a_day / 23_400 / 4)

    def years(self, now_ns: int) -> float:
        """To the expiry, at least half an hour; 0 for what never expires."""
        if not self._expiry_ns:
            return 0.0
        return max(1800.0, (self._expiry_ns - now_ns) / NS_PER_S) / (365 * DAY_S)

    def terms(self, under_price: float, now_ns: int) -> pricing.Terms:
        """What an option's price depends on."""
        security = self.security
        carry = pricing.RATE if security.sec_type == "FOP" else 0.0
        return pricing.Terms(
            under_price, security.strike or 1.0, self.years(now_ns), security.right[:1] == "C", dividend=carry
        )

    def under_price(self) -> float | None:
        """Where the underlying stands: between bid and ask, else its last; None before both."""
        tape = self._tape
        if tape.bid_size and tape.ask_size:
            return tape.grid.mid(tape.bid, tape.ask)
        return tape.last or None

    def value(self, under_price: float, now_ns: int) -> float:
        """The fair price when the underlying stands there."""
        kind = self.security.sec_type
        if kind in ("OPT", "FOP", "WAR"):
            terms = self.terms(under_price, now_ns)
            return pricing.fair_price(terms, smile(self.under, terms))
        if kind == "FUT":  # a later month of the same family: as far from it as the opening prices are
            return under_price * self.security.price / self.under.price
        return under_price

    def close(self, now_ns: int) -> float | None:
        """What the previous session would have ended with."""
        if not self._tape.close:
            return None
        grid = self._grid
        return grid.price(max(1, grid.ticks(self.value(self._tape.close, now_ns - DAY_S * NS_PER_S))))

    def update(self, now_ns: int) -> MarketUpdate | None:
        """What the underlying's present price makes of it; None while that has none."""
        if self._expiry_ns and now_ns >= self._expiry_ns:
            return None
        if self.security.sec_type == "CFD":
            return self._mirror(now_ns)
        under_price = self.under_price()
        if under_price is None:
            return None
        fair = self.value(under_price, now_ns) * self._grid.per_unit
        chance = _mix(self.con_id, now_ns)
        if self.security.sec_type == "FUT":
            half = self.security.spread / 2
            bid = floor(fair - half + 0.5)
            ask = bid + self.security.spread
        else:
            half = max(0.5, fair * WIDTH / 2)
            bid, ask = max(0, floor(fair - half)), max(1, ceil(fair + half))
        return self._update(now_ns, bid, ask, chance)

    def _update(self, now_ns: int, bid: int, ask: int, chance: int) -> MarketUpdate:
        unit = self._unit
        bid_size = unit * (1 + chance % 23) if bid > 0 else 0
        ask_size = unit * (1 + chance // 23 % 23)
        draw = (chance >> 12) % 1000 / 1000
        if draw < self._print_chance and bid_size:
            price = self._grid.price(bid if chance & 1 else ask)
            size = unit * (1 + (chance >> 8) % 9)
            return MarketUpdate(now_ns, self.con_id, bid, bid_size, ask, ask_size, price, size)
        return MarketUpdate(now_ns, self.con_id, bid, bid_size, ask, ask_size)

    def _mirror(self, now_ns: int) -> MarketUpdate | None:
        """The underlying's own quote, on this grid; an index is quoted around its level."""
        tape, grid, spread = self._tape, self._grid, self.security.spread
        if not tape.speaks:
            return None
        if tape.is_index:
            bid = grid.ticks(tape.last) - max(1, spread) // 2
            return self._update(now_ns, bid, bid + max(1, spread), _mix(self.con_id, now_ns))
        bid, ask = (grid.ticks(tape.grid.price(ticks)) for ticks in (tape.bid, tape.ask))
        return MarketUpdate(now_ns, self.con_id, bid, tape.bid_size, max(ask, bid + 1), tape.ask_size)


def smile(under: Security, terms: pricing.Terms) -> float:
    """The volatility that the market puts on a strike: more below the underlying's price (invented)."""
    distance = log(terms.spot / terms.strike) if terms.spot > 0 else 0.0
    return under.volatility * (1.0 + 0.3 * max(-0.4, min(0.6, distance)))


def expiry_ns(security: Security) -> int:
    """When it ends, ns UTC; 0 for never."""
    if not security.last_trade_date:
        return 0
    text = security.last_trade_date
    day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    return midnight_ns(day) + EXPIRY_S * NS_PER_S


def _mix(con_id: int, now_ns: int) -> int:
    """32 bits of chance from two numbers."""
    mixed = (con_id * 2_654_435_761 + now_ns // 1_000_000 * 2_246_822_519) & 0xFFFF_FFFF
    mixed ^= mixed >> 15
    mixed = mixed * 2_246_822_519 & 0xFFFF_FFFF
    return mixed ^ mixed >> 13
