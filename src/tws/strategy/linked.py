"""Linked orders: the one place that turns a wish into an entry with its stop and target.

A BUY enters at the ask, with the stop below and the target above; a SHORT enters at the bid, the other way
round. Distances are multiples of the ATR, or fractions of the price where a plan says so. Prices are snapped
to the grid away from the entry, so that both lie at least one tick from it on the right side. Where a plan
lets the stop trail or go to break-even, the bracket says so and the broker does it. SELL closes a long
position and opens nothing, NEUTRAL asks for nothing: both are refused here, with that word.
"""

from __future__ import annotations

from decimal import Decimal
from math import isfinite

from msgspec import Struct

from tws.model.instrument import Instrument, decimal
from tws.model.market import Quote
from tws.model.order import Bracket, Side, TimeInForce, bracket
from tws.model.signal import Signal, Wish
from tws.rules.actions import Distance
from tws.strategy.refusal import Reason, Refusal, refused
from tws.strategy.sizing import Allocation, AnySizing, Basis, quantity_for

__all__ = ["TradePlan", "bracket_for", "sized", "span_of", "usable_price"]

_SIDES = {Wish.BUY: Side.BUY, Wish.SHORT: Side.SELL}


class TradePlan(Struct, frozen=True, kw_only=True):
    """How one symbol is traded.

    `stop_atr` and `target_atr` are multiples of the ATR; `stop_fraction` and `target_fraction`, where given,
    are fractions of the entry's price instead (0.02 is two percent). `limit_entry` enters with a limit at the
    touch instead of a market order. The stop trails by `trail`, or goes to the entry's price, by
    `break_even_offset` beyond it, once a share has `break_even` of profit; one of both, None: it stays.
    `target_follows`, `stop_follows`: additions move them with the average price (`Bracket`). `equity` is the
    account's net liquidation and `volatility` the yearly one of the price, for the sizes that are reckoned
    from them; None: not known, and then they give no size. `share` is the part of any size that is let
    (`tws.runtime.graduation`).
    """

    instrument: Instrument
    sizing: AnySizing = Allocation(Decimal(10_000))
    stop_atr: float = 6.0
    target_atr: float = 3.0
    stop_fraction: float | None = None
    target_fraction: float | None = None
    trail: Distance | None = None
    break_even: Distance | None = None
    break_even_offset: Distance | None = None
    target_follows: bool = True
    stop_follows: bool = False
    limit_entry: bool = False
    tif: TimeInForce = TimeInForce.DAY
    multiplier: Decimal = Decimal(1)
    equity: Decimal | None = None
    volatility: float | None = None
    share: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        for what in ("stop_atr", "target_atr", "stop_fraction", "target_fraction"):
            value = getattr(self, what)
            if value is not None and not (isfinite(value) and value > 0):
                raise ValueError(f"{what} is {value}: must be a number above zero")


def bracket_for(signal: Signal, quote: Quote, atr: float | None, plan: TradePlan) -> Bracket | Refusal:
    """The bracket that `signal` asks for at this market, or why there is none. `atr` in currency.

    Whether the quote is fresh and the size allowed is for the risk gate to say.
    """
    side = _SIDES.get(signal.wish)
    if side is None:
        return refused(
            signal, Reason.NO_ENTRY, f"{signal.wish} opens no position", signal.wish, "BUY or SHORT"
        )
    bid, ask = usable_price(quote.bid), usable_price(quote.ask)
    if bid is None or ask is None:
        return refused(signal, Reason.NO_QUOTE, "bid and ask are not both known", f"{quote.bid}/{quote.ask}")
    if bid > ask:
        return refused(signal, Reason.CROSSED, "the bid lies above the ask", bid, ask)
    entry, other = (ask, bid) if side is Side.BUY else (bid, ask)
    distances = _distances(signal, plan, entry, atr)
    if isinstance(distances, Refusal):
        return distances
    stop = plan.instrument.snap(entry - side.sign * distances[0], up=side is Side.SELL)
    target = plan.instrument.snap(entry + side.sign * distances[1], up=side is Side.BUY)
    if min(stop, target) <= 0:
        return refused(
            signal, Reason.PRICE, "an exit would lie at or below zero", min(stop, target), "above 0"
        )
    if (other - stop) * side.sign <= 0:
        # A long's stop triggers on the bid: within the spread it would fire as soon as it is placed.
        return refused(
            signal, Reason.SPREAD, f"the stop would lie within the spread: {stop}", ask - bid, distances[0]
        )
    quantity = sized(signal, plan, entry, stop, target)
    if isinstance(quantity, Refusal):
        return quantity
    moves = _stop_moves(signal, plan, entry, atr)
    if isinstance(moves, Refusal):
        return moves
    limit = plan.instrument.snap(entry, up=side is Side.BUY) if plan.limit_entry else None
    if limit is not None and not (limit - stop) * side.sign > 0 < (target - limit) * side.sign:
        return refused(
            signal, Reason.PRICE, f"limit {limit} does not lie between stop {stop} and target {target}"
        )
    return bracket(
        plan.instrument.contract,
        side,
        quantity,
        target=target,
        stop=stop,
        limit=limit,
        tif=plan.tif,
        strategy=signal.model,
        signal_id=signal.signal_id,
        target_follows=plan.target_follows,
        stop_follows=plan.stop_follows,
        **moves,
    )


def sized(
    signal: Signal, plan: TradePlan, price: Decimal, stop: Decimal, target: Decimal
) -> Decimal | Refusal:
    """How much is bought or sold at a price, with these exits."""
    basis = Basis(
        price=price,
        risk=abs(price - stop),
        reward=abs(target - price),
        confidence=signal.confidence,
        volatility=plan.volatility,
        equity=plan.equity,
        lot=plan.instrument.lot,
        multiplier=plan.multiplier,
        share=plan.share,
    )
    quantity = quantity_for(plan.sizing, basis)
    if quantity > 0:
        return quantity
    text = f"not one lot by {type(plan.sizing).__name__} at {price}"
    return refused(signal, Reason.SIZE, text, plan.sizing, plan.instrument.lot)


def _stop_moves(
    signal: Signal, plan: TradePlan, entry: Decimal, atr: float | None
) -> dict[str, Decimal] | Refusal:
    """What the broker is to do with the stop, in the words of `bracket`; nothing where it stays."""
    trail, after, offset = plan.trail, plan.break_even, plan.break_even_offset
    if trail is not None and trail.unit == "percent":
        return {"trail_percent": decimal(trail.amount)}
    found: dict[str, Decimal] = {}
    for name, distance in (("trail", trail), ("break_even", after), ("break_even_offset", offset)):
        span = None if distance is None else span_of(distance, entry, atr)
        if distance is not None and span is None:
            return refused(signal, Reason.NO_ATR, f"{name}: the average true range is not known yet", atr)
        if span is not None:
            found[name] = span
    if found.get("break_even_offset", Decimal(0)) >= found.get("break_even", Decimal("Infinity")):
        text = "break-even would lie beyond the profit at which the stop goes there"
        return refused(signal, Reason.PRICE, text, found["break_even_offset"], found["break_even"])
    return found


def span_of(distance: Distance, price: Decimal | None, atr: float | None) -> Decimal | None:
    """A distance in currency; None where the price, or the ATR, that it is reckoned from is not known."""
    base = price if distance.unit == "percent" else usable_price(atr)
    if base is None:
        return None
    return base * decimal(distance.amount) / (100 if distance.unit == "percent" else 1)


def _distances(
    signal: Signal, plan: TradePlan, entry: Decimal, atr: float | None
) -> tuple[Decimal, Decimal] | Refusal:
    """How far stop and target lie from the entry, in currency."""
    wants_atr = plan.stop_fraction is None or plan.target_fraction is None
    if wants_atr and (atr is None or not isfinite(atr) or atr <= 0):
        return refused(
            signal, Reason.NO_ATR, "the average true range is not known yet, or zero", atr, "above 0"
        )
    span = decimal(atr, "atr") if wants_atr and atr is not None else Decimal(0)
    stop, target = (
        span * decimal(times) if fraction is None else entry * decimal(fraction)
        for times, fraction in ((plan.stop_atr, plan.stop_fraction), (plan.target_atr, plan.target_fraction))
    )
    return stop, target


def usable_price(value: float | None) -> Decimal | None:
    """A price that can be traded on; TWS writes -1 or 0 where it has none (TWS-BEHAVIOUR.md E)."""
    if value is None or not isfinite(value) or value <= 0:
        return None
    return decimal(value, "price")
