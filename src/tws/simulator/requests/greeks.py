"""What message 21 says of options: implied volatility and greeks at bid, ask, last and by the model; and
the questions for an option's price (54) and implied volatility (55). TWS-BEHAVIOUR.md E, F6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tws.simulator import pricing
from tws.simulator.market.derived import Derived, smile
from tws.simulator.tape import Tape
from tws.simulator.ticks import Line
from tws.simulator.universe import Security
from tws.wire.messages import TickOptionComputation

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["CUSTOM", "OPTIONS", "Computations", "derived_of", "implied", "priced"]

OPTIONS = ("OPT", "FOP", "WAR")
BID, ASK, LAST, MODEL, CUSTOM = 10, 11, 12, 13, 53
DELAYED = {BID: 80, ASK: 81, LAST: 82, MODEL: 83}


class Computations:
    """The computations of one line; says those whose price or underlying moved."""

    def __init__(self, core: Core, line: Line, tape: Tape, derived: Derived | None) -> None:
        """`tape` is the option's, `derived` its arithmetic: those of the present, or as they stood."""
        self._core, self._line = core, line
        self._tape, self._derived = tape, derived
        self._said: dict[int, tuple[float | None, float | None]] = {}

    def say(self) -> None:
        """Say what changed since the last time."""
        tape, derived = self._tape, self._derived
        spot = derived.under_price() if derived is not None else None
        bid = tape.grid.price(tape.bid) if tape.bid_size else None
        ask = tape.grid.price(tape.ask) if tape.ask_size else None
        for kind, price in ((BID, bid), (ASK, ask), (LAST, tape.last or None), (MODEL, None)):
            if self._said.get(kind) == (price, spot) or (kind == LAST and price is None):
                continue
            self._said[kind] = (price, spot)
            self._send(kind, price, spot)

    def _send(self, kind: int, price: float | None, spot: float | None) -> None:
        line = self._line
        said = DELAYED[kind] if line.delayed else kind
        found = TickOptionComputation(line.req_id, said, 0)
        if self._derived is not None and spot is not None:
            terms = self._derived.terms(spot, self._core.now_ns())
            if kind == MODEL:
                found = _message(line.req_id, said, terms, smile(self._derived.under, terms))
            elif price is not None:
                found = priced_at(line.req_id, said, terms, price)
        line.session.send(found)


def derived_of(core: Core, security: Security) -> Derived | None:
    """The option's own arithmetic; None where its underlying is unknown."""
    under = core.universe.get(security.under_con_id) if security.under_con_id else None
    return None if under is None else Derived(security, under, core.listed(under))


def priced_at(req_id: int, kind: int, terms: pricing.Terms, price: float) -> TickOptionComputation:
    """The computation at a given price; without a volatility that explains it nothing is computed."""
    volatility = pricing.implied_volatility(terms, price)
    if volatility is None:
        return TickOptionComputation(req_id, kind, 0, opt_price=price, und_price=terms.spot)
    return _message(req_id, kind, terms, volatility)


def _message(req_id: int, kind: int, terms: pricing.Terms, volatility: float) -> TickOptionComputation:
    known = pricing.greeks(terms, volatility)
    return TickOptionComputation(
        req_id,
        kind,
        0,
        volatility,
        known.delta,
        known.price,
        0.0,
        known.gamma,
        known.vega,
        known.theta,
        terms.spot,
    )


def priced(
    core: Core, req_id: int, security: Security, volatility: float, under_price: float
) -> TickOptionComputation:
    """The answer to request 54: what the option costs at this volatility and underlying."""
    derived = derived_of(core, security)
    if derived is None or volatility <= 0 or under_price <= 0:
        return TickOptionComputation(req_id, CUSTOM, 0)
    return _message(req_id, CUSTOM, derived.terms(under_price, core.now_ns()), volatility)


def implied(
    core: Core, req_id: int, security: Security, price: float, under_price: float
) -> TickOptionComputation:
    """The answer to request 55: the volatility that explains this price."""
    derived = derived_of(core, security)
    if derived is None or price <= 0 or under_price <= 0:
        return TickOptionComputation(req_id, CUSTOM, 0)
    return priced_at(req_id, CUSTOM, derived.terms(under_price, core.now_ns()), price)
