"""What a wish means given what is held (AUTOMATION.md, Linked orders).

    flat            BUY, SHORT enter with stop and target
    the same side   ignored, or added to when the position is in profit by a threshold
    the other side  reversed, closed or ignored, as configured
    SELL            closes a long, opens nothing
    CLOSE           closes a long or a short, opens nothing
    double down     a limit part of the way to the stop, joined to the trade, with the trade's stop; its rest
                    waits again when the desk had to end it partly filled

`Stance` is what is held, `Conduct` what a section allows, the answer a value: what to ask of the desk, or a
`Refusal` with its reason. Whatever is added has the trade's own stop and target, so that one level protects
all of it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tws.model.instrument import Instrument, decimal
from tws.model.market import Quote
from tws.model.order import Bracket, Side, bracket
from tws.model.signal import Signal, Wish
from tws.strategy.linked import TradePlan, bracket_for, sized, usable_price
from tws.strategy.refusal import Reason, Refusal, refused

__all__ = ["Add", "Close", "Conduct", "Enter", "Market", "Move", "Reverse", "Stance", "StopMove", "add_to",
           "double_down", "manage", "tighter_stop", "wait_again"]

_ZERO = Decimal(0)
_SIDES = {Wish.BUY: Side.BUY, Wish.SHORT: Side.SELL}


class Stance(Struct, frozen=True, kw_only=True):
    """Where we stand in one symbol: what our fills made and what of ours works. Prices in currency.

    `quantity` is signed. `trade` is the open trade that others may join (empty: none), `strategy` whose it
    is. `entering`: an order that opens or enlarges works. `entered`: the trade's own entry has ended, with
    all its fills here. `adds` counts what joined it, `doubled` says that a double down did. `busy` is why
    nothing may be changed now; `working`: some order of ours may act yet.
    """

    quantity: Decimal = _ZERO
    side: Side | None = None
    trade: str = ""
    strategy: str = ""
    entry_price: Decimal | None = None
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    reward: Decimal | None = None
    entering: bool = False
    entered: bool = False
    adds: int = 0
    doubled: bool = False
    rest: Decimal = _ZERO
    rest_price: Decimal | None = None
    working: bool = False
    busy: str = ""

    @property
    def flat(self) -> bool:
        return not (self.quantity or self.working or self.busy)


class Market(Struct, frozen=True, kw_only=True):
    """What is known of the market: `atr` in currency, None until it is."""

    quote: Quote | None
    atr: float | None = None


class Conduct(Struct, frozen=True, kw_only=True):
    """What a section does with wishes while it is in position.

    `scale_in_atr` or `scale_in_fraction` is the least profit for adding (both None: never), in multiples of
    the ATR or as a part of the entry's price; at most `scale_in_times` in a trade.
    """

    opposite: Literal["reverse", "close", "ignore"] = "reverse"
    scale_in_atr: float | None = None
    scale_in_fraction: float | None = None
    scale_in_times: int = 1
    double_down: bool = False

    @property
    def scales_in(self) -> bool:
        return self.scale_in_atr is not None or self.scale_in_fraction is not None


class Enter(Struct, frozen=True):
    """Open a position."""

    bracket: Bracket


class Add(Struct, frozen=True):
    """Add to the trade `joins`."""

    bracket: Bracket
    joins: str


class Reverse(Struct, frozen=True):
    """Close what is held, then enter with `bracket`."""

    bracket: Bracket


class Close(Struct, frozen=True):
    """Close what is held, its orders with it."""

    reason: str


Move: TypeAlias = Enter | Add | Reverse | Close


class StopMove(Struct, frozen=True, kw_only=True):
    """Another stop for what is held: at a price, or one that trails from where it stands.

    `stop_price` is what `tighter_stop` answers; for break-even its `wished` is the entry's price, or beyond.
    `trail` is in currency, `trail_percent` in percent of the price: one of the three.
    """

    stop_price: Decimal | None = None
    trail: Decimal | None = None
    trail_percent: Decimal | None = None
    reason: str = "asked"


def manage(
    signal: Signal, stance: Stance, market: Market, plan: TradePlan, conduct: Conduct
) -> Move | Refusal:
    """What is to be done about a signal that its gate let through, or why nothing."""
    if signal.wish.closes:
        if stance.side is None or (signal.wish is Wish.SELL and stance.side is not Side.BUY):
            what = "SELL closes a long, and none is" if signal.wish is Wish.SELL else "CLOSE: nothing is"
            return refused(signal, Reason.NO_ENTRY, f"{what} held", stance.quantity)
        return Close(f"signal {signal.model}/{signal.signal_id}")
    side = _SIDES.get(signal.wish)
    if side is None:
        return refused(signal, Reason.NO_ENTRY, f"{signal.wish} asks for nothing", signal.wish)
    if stance.busy:
        return refused(signal, Reason.BUSY, stance.busy)
    if stance.flat:
        made = _bracket(signal, market, plan)
        return made if isinstance(made, Refusal) else Enter(made)
    if stance.side is None:
        return refused(signal, Reason.BUSY, "the last orders of a trade that is over have not ended")
    if stance.side is side:
        return _more(signal, stance, market, plan, conduct)
    if conduct.opposite == "ignore":
        return refused(signal, Reason.IN_POSITION, "in position the other way", stance.quantity)
    if conduct.opposite == "close":
        return Close(f"signal {signal.model}/{signal.signal_id}")
    made = _bracket(signal, market, plan)
    return made if isinstance(made, Refusal) else Reverse(_owned(made, stance))


def add_to(signal: Signal, stance: Stance, market: Market, plan: TradePlan) -> Add | Refusal:
    """More of what is held, at the market, with the trade's own stop and target."""
    unfit = _cannot_add(signal, stance)
    if unfit is not None:
        return unfit
    price = None if market.quote is None else _entry_price(market.quote, stance)
    if price is None:
        return refused(signal, Reason.NO_QUOTE, "no price to enter at")
    side, stop, target = stance.side, stance.stop_price, stance.target_price
    assert side is not None and stop is not None and target is not None  # `_cannot_add` has looked
    if not stop * side.sign < price * side.sign < target * side.sign:
        text = f"{price} does not lie between the trade's stop {stop} and target {target}"
        return refused(signal, Reason.PRICE, text, price, f"{stop} to {target}")
    quantity = sized(signal, plan, price, stop, target)
    if isinstance(quantity, Refusal):
        return quantity
    target = _target(stance, plan.instrument, price, quantity)
    more = bracket(
        plan.instrument.contract, side, quantity, target=target, stop=stop, tif=plan.tif,
        strategy=signal.model, signal_id=signal.signal_id,
    )  # fmt: skip
    return Add(_owned(more, stance), stance.trade)


def double_down(
    stance: Stance, instrument: Instrument, way: Decimal = Decimal("0.5"), now_ns: int = 0
) -> Add | Refusal:
    """A limit `way` of the way from the entry to the stop, as large as what is held."""
    asked = _asked(stance, instrument, now_ns)
    unfit = _cannot_add(asked, stance)
    if unfit is not None:
        return unfit
    if stance.doubled:
        return refused(asked, Reason.IN_POSITION, "this trade has its double down already")
    entry, stop = stance.entry_price, stance.stop_price
    if entry is None:
        return refused(asked, Reason.BUSY, "what the entry cost is not known yet")
    assert stop is not None  # `_cannot_add` has looked
    limit = instrument.snap(entry - (entry - stop) * way, up=stance.side is Side.SELL)
    return _waiting(asked, stance, instrument, limit, abs(stance.quantity))


def wait_again(stance: Stance, instrument: Instrument, now_ns: int = 0) -> Add | Refusal:
    """What the desk had to end of a double down, at the same limit."""
    asked = _asked(stance, instrument, now_ns)
    unfit = _cannot_add(asked, stance)
    if unfit is not None:
        return unfit
    if not stance.rest or stance.rest_price is None:
        return refused(asked, Reason.IN_POSITION, "no double down has a rest")
    return _waiting(asked, stance, instrument, stance.rest_price, stance.rest)


def _asked(stance: Stance, instrument: Instrument, now_ns: int) -> Signal:
    """The wish behind what no signal asked for: it names the strategy in a refusal."""
    return Signal(
        signal_id="", symbol=instrument.contract.symbol, wish=Wish.BUY, time_ns=now_ns, model=stance.strategy
    )


def _waiting(
    asked: Signal, stance: Stance, instrument: Instrument, limit: Decimal, quantity: Decimal
) -> Add | Refusal:
    stop, target, side = stance.stop_price, stance.target_price, stance.side
    assert side is not None and stop is not None and target is not None  # `_cannot_add` has looked
    if not stop * side.sign < limit * side.sign < target * side.sign:
        text = f"{limit} does not lie between the trade's stop {stop} and target {target}"
        return refused(asked, Reason.PRICE, text, limit, f"{stop} to {target}")
    target = _target(stance, instrument, limit, quantity)
    more = bracket(
        instrument.contract, side, quantity, limit=limit, target=target, stop=stop, strategy=stance.strategy
    )
    return Add(more, stance.trade)


def _target(stance: Stance, instrument: Instrument, price: Decimal, quantity: Decimal) -> Decimal:
    """Where the trade's target will lie once so much more was bought or sold at a price: the broker has it
    there from the start, in case nobody is left to move it.
    """
    target, entry, side, held = stance.target_price, stance.entry_price, stance.side, abs(stance.quantity)
    assert target is not None and side is not None  # `_cannot_add` has looked
    if stance.reward is None or entry is None:
        return target
    average = (held * entry + quantity * price) / (held + quantity)
    return instrument.snap(average + side.sign * stance.reward)


def tighter_stop(stance: Stance, instrument: Instrument, wished: Decimal) -> Decimal | None:
    """Where a stop that is to go to `wished` goes: on the grid, towards profit alone; None: it stays."""
    side, stop = stance.side, stance.stop_price
    if side is None or stop is None or not stance.quantity or wished <= 0:
        return None
    price = instrument.snap(wished, up=side is Side.SELL)
    return price if price * side.sign > stop * side.sign else None


def _more(
    signal: Signal, stance: Stance, market: Market, plan: TradePlan, conduct: Conduct
) -> Move | Refusal:
    """A wish for the side on which we stand."""
    if not conduct.scales_in:
        return refused(signal, Reason.IN_POSITION, "in position on the same side", stance.quantity)
    if stance.adds >= conduct.scale_in_times:
        return refused(
            signal, Reason.IN_POSITION, "added as often as it may", stance.adds, conduct.scale_in_times
        )
    unfit = _cannot_add(signal, stance)
    if unfit is not None:
        return unfit
    exit_price = None if market.quote is None else _exit_price(market.quote, stance)
    least = _threshold(stance, market, conduct)
    if exit_price is None or stance.entry_price is None:
        return refused(signal, Reason.NO_QUOTE, "the profit is not known")
    if least is None:
        return refused(signal, Reason.NO_ATR, "the average true range is not known yet, or zero", market.atr)
    assert stance.side is not None
    profit = (exit_price - stance.entry_price) * stance.side.sign
    if profit < least:
        text = f"a share has {profit:f} of profit, adding wants {least:f}"
        return refused(signal, Reason.IN_POSITION, text, profit, least)
    return add_to(signal, stance, market, plan)


def _threshold(stance: Stance, market: Market, conduct: Conduct) -> Decimal | None:
    """The least profit of a share, in currency."""
    if conduct.scale_in_fraction is not None and stance.entry_price is not None:
        return stance.entry_price * decimal(conduct.scale_in_fraction)
    span = usable_price(market.atr)
    return None if span is None or conduct.scale_in_atr is None else span * decimal(conduct.scale_in_atr)


def _cannot_add(signal: Signal, stance: Stance) -> Refusal | None:
    """Why nothing can join what is held."""
    text = stance.busy
    if not text and not (stance.quantity and stance.side is not None and stance.trade):
        text = "no trade is held that could be added to"
    elif not text and stance.entering:
        text = "an entry works already"
    elif not text and (stance.stop_price is None or stance.target_price is None):
        text = "the trade has no stop and target to share"
    return refused(signal, Reason.BUSY, text) if text else None


def _bracket(signal: Signal, market: Market, plan: TradePlan) -> Bracket | Refusal:
    if market.quote is None:
        return refused(signal, Reason.NO_QUOTE, "no quote has come yet")
    return bracket_for(signal, market.quote, market.atr, plan)


def _owned(wish: Bracket, stance: Stance) -> Bracket:
    """The wish in the name of the strategy that holds the trade: another model of its section may end it."""
    if not stance.strategy or wish.strategy == stance.strategy:
        return wish
    return replace(wish, strategy=stance.strategy, signal_id=f"{wish.strategy}/{wish.signal_id}")


def _entry_price(quote: Quote, stance: Stance) -> Decimal | None:
    return usable_price(quote.ask if stance.side is Side.BUY else quote.bid)


def _exit_price(quote: Quote, stance: Stance) -> Decimal | None:
    return usable_price(quote.bid if stance.side is Side.BUY else quote.ask)
