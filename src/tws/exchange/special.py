"""What only special orders state, in one value that other tickets lack: pegs, what is shown, pieces, hedges.

Numbers are Decimals as the client wrote them, None where unset; which of them means something depends on the
type of the order. `kinds` and docs/design/order-types.md say what each does.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from msgspec import Struct

__all__ = ["Hedge", "OptionMath", "Peg", "Scale", "Special"]


class Peg(Struct, frozen=True, kw_only=True):
    """Where a pegged order stands, besides its ticket's offset (`stop_price`) and `starting_price`.

    percent_offset        of REL: an offset in percent, 1 for 1 %
    directed              sent to an exchange: relative orders follow both ways
    before_far            relative: at most to one tick before the other side, as IBKR ATS has it
    at_whole, at_half     off a middle that falls on a tick, or between two
    compete               PEG BEST: so far from the middle it goes at most; None: up to it, or its offsets
    compete_size          it competes with at least so much on its own side only
    delta                 PEG STK: in percent, without its sign
    reference_price       where the reference stood when the order began; None: where it stands then
    range_lower, range_upper  beyond them the order is cancelled
    reference             PEG BENCH: con_id of the reference contract
    change, per           PEG BENCH: the price changes by `change` for each `per` of the reference
    decreases             PEG BENCH: against the reference
    volatility, daily     VOL: in percent, of a year unless daily
    by_quote              VOL: by the underlying's bid or ask instead of their middle
    updates               VOL: follows the underlying
    """

    percent_offset: Decimal | None = None
    directed: bool = False
    before_far: bool = False
    at_whole: Decimal | None = None
    at_half: Decimal | None = None
    compete: Decimal | None = None
    compete_size: Decimal | None = None
    delta: Decimal | None = None
    reference_price: Decimal | None = None
    range_lower: Decimal | None = None
    range_upper: Decimal | None = None
    reference: int = 0
    change: Decimal | None = None
    per: Decimal | None = None
    decreases: bool = False
    volatility: Decimal | None = None
    daily: bool = False
    by_quote: bool = False
    updates: bool = False


class Scale(Struct, frozen=True, kw_only=True):
    """An order in components, each `increment` further away; sizes in shares.

    initial, later       size of the first and of each further component
    profit               each component that filled is followed by an order that takes so much profit
    restores             what took profit is put back
    random               sizes vary
    position, filled     what counts as done before: whole components, and of the present one
    adjust, adjust_ns    all components move by so much every so often
    """

    initial: Decimal | None = None
    later: Decimal | None = None
    increment: Decimal | None = None
    profit: Decimal | None = None
    restores: bool = False
    random: bool = False
    position: Decimal = Decimal(0)
    filled: Decimal = Decimal(0)
    adjust: Decimal | None = None
    adjust_ns: int = 0


class Hedge(Struct, frozen=True, kw_only=True):
    """A child whose size follows from its parent's fills. `kind` is TWS's letter: D, B, F or P.

    `param` is the beta (B) or the ratio (P) as text; `most` bounds the size in shares.
    """

    kind: str
    param: str = ""
    most: Decimal | None = None


class Special(Struct, frozen=True, kw_only=True):
    """The parts that an order states; the rest keeps its default.

    discretion      beyond its limit, without showing it
    to_limit        REL: discretion up to the limit price
    shown           an iceberg's display size, in shares
    hidden          not shown at all
    block           at least 50 contracts
    min_trade       what each fill must have at least, in shares
    algo            an `Algo` of `tws.exchange.algos`
    leg_prices      of a combo: the limit of each leg, None for none
    apart           a combo that is not guaranteed: its legs fill apart
    neutral         VOL: the type of the order in the underlying that follows each fill; empty: none follows
    neutral_price   that order's limit or offset
    """

    peg: Peg = Peg()
    discretion: Decimal | None = None
    to_limit: bool = False
    shown: Decimal | None = None
    hidden: bool = False
    block: bool = False
    min_trade: Decimal | None = None
    scale: Scale | None = None
    hedge: Hedge | None = None
    algo: object = None
    leg_prices: tuple[Decimal | None, ...] = ()
    apart: bool = False
    neutral: str = ""
    neutral_price: Decimal | None = None


class OptionMath(Protocol):
    """What the exchange asks of whoever can price options; instants in ns UTC. None where it can't say."""

    def underlying(self, con_id: int) -> int | None:
        """The con_id of an option's underlying."""
        ...

    def price(self, con_id: int, volatility: float, under_price: float, now_ns: int) -> float | None:
        """What the option is worth at an annual volatility (0.2 = 20 %)."""
        ...

    def delta(self, con_id: int, under_price: float, now_ns: int) -> float | None:
        """Its signed delta for one unit of the underlying."""
        ...
