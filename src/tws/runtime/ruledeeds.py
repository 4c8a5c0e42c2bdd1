"""What rules wish, done: each action through `tws.strategy.manage`, as the section that owns the symbol
trades.

An action answers why nothing came of it, or "". What the engine does itself (cooldowns, switches) is no
matter of this module; what comes of a signal is noted as its fate.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from tws.clock import NS_PER_S
from tws.desk import CancelAll
from tws.log import get_logger
from tws.model.instrument import decimal
from tws.model.order import Side
from tws.model.signal import Signal, Wish
from tws.rules import (
    Alert,
    AnyAction,
    BreakEven,
    CancelEntries,
    Distance,
    DoubleDown,
    Enter,
    Event,
    Exit,
    Fired,
    Ignore,
    MoveStop,
    Reverse,
    ScaleIn,
    SignalCame,
    Trail,
)
from tws.runtime.acting import move_stops
from tws.runtime.market import Markets
from tws.runtime.stances import Stances
from tws.runtime.trader import Trader
from tws.strategy import Reason, Refusal, TradePlan
from tws.strategy.manage import Close, Conduct, Move, StopMove, add_to, double_down, manage, tighter_stop
from tws.strategy.refusal import refused

if TYPE_CHECKING:
    from tws.runtime.pilot import Pilot

__all__ = ["OF_SIGNAL", "RuleDeeds"]

MAX_ALERTS = 50
"""Alerts of rules that the report tells."""

OF_SIGNAL = (Enter, Exit, Reverse, ScaleIn, DoubleDown, Ignore)
"""Actions that say what becomes of a signal."""
AGAIN_NS = 3 * NS_PER_S
"""When a stop that could not be moved is tried again: TWS takes a change within a second."""
LATER_NS = 30 * NS_PER_S
"""How long: a link is back by then, or the market is another one. So it is tried ten times at most."""
_ZERO = Decimal(0)

log = get_logger("tws.runtime")


class _Later(Struct, frozen=True):
    """A stop that is to be moved as soon as it can be."""

    fired: Fired
    action: MoveStop | BreakEven | Trail
    trade: str
    until_ns: int
    tried_ns: int


class RuleDeeds:
    """The hands of the rules of one run."""

    def __init__(
        self, trader: Trader, markets: Markets, pilot: Pilot, stances: Stances, alerts: list[str]
    ) -> None:
        self.alerts = alerts
        self._trader = trader
        self._markets = markets
        self._pilot = pilot
        self._stances = stances
        self._later: dict[tuple[str, str], _Later] = {}  # by symbol and rule

    async def do(self, fired: Fired, action: AnyAction, event: Event, now_ns: int, barred: str = "") -> str:
        """One action. `barred` is why nothing may be opened now."""
        symbol = fired.symbol
        match action:
            case Alert(text):
                log.warning("alert of a rule", rule=fired.rule, symbol=symbol, text=text)
                if len(self.alerts) < MAX_ALERTS:
                    self.alerts.append(f"{fired.rule}, {symbol}: {text}")
                return ""
            case CancelEntries():
                cancel = CancelAll(reason=f"rule {fired.rule}", symbol=symbol, entries_only=True)
                await self._trader.ask(cancel)
                return ""
            case MoveStop() | BreakEven() | Trail():
                self._later.pop((symbol, fired.rule), None)
                return await self._move_stops(fired, action, now_ns)
            case Ignore():
                if isinstance(event, SignalCame):
                    text = f"rule {fired.rule} ignores it"
                    self._pilot.book.unmade(event.signal, refused(event.signal, Reason.IGNORED, text))
                return ""
            case _ if isinstance(action, OF_SIGNAL):
                signal = self._signal(fired, action, event, now_ns)
                if isinstance(signal, str):
                    return signal
                try:
                    move = self._move(fired, action, signal, now_ns)
                    if barred and action.opens:
                        move = refused(signal, Reason.NO_MEMORY, barred)
                except ValueError as wrong:  # prices beyond what an order may have
                    move = refused(signal, Reason.PRICE, str(wrong))
                return await self._pilot.perform(signal, move, now_ns)
        return ""

    def _signal(self, fired: Fired, action: AnyAction, event: Event, now_ns: int) -> Signal | str:
        """The wish in a signal's words: the event's own, or one in the rule's name; or why there is none."""
        own = event.signal if isinstance(event, SignalCame) else None
        stance = self._stances.stance(fired.symbol)
        if isinstance(action, Enter) and action.side == "signal":
            return own or "it enters on the side of a signal, and there is none"
        wish = Wish.BUY if stance.side is not Side.SELL else Wish.SHORT
        if isinstance(action, Enter):
            wish = Wish.BUY if action.side == "long" else Wish.SHORT
        elif isinstance(action, Reverse):
            wish = Wish.SHORT if wish is Wish.BUY else Wish.BUY
        if own is not None:
            return own if isinstance(action, Exit) else replace(own, wish=wish)
        model = self._pilot.strand(fired.symbol).name
        name = f"{fired.rule}-{fired.symbol}-{now_ns}"  # one rule may fire on several symbols at one instant
        return Signal(signal_id=name, symbol=fired.symbol, wish=wish, time_ns=now_ns, model=model)

    def _move(self, fired: Fired, action: AnyAction, signal: Signal, now_ns: int) -> Move | Refusal:
        """What is asked of the desk, or the refusal."""
        symbol = fired.symbol
        stance, market = self._stances.stance(symbol), self._pilot.market(symbol)
        plan = _planned(self._pilot.plan(symbol), action)
        match action:
            case Enter():
                if not stance.flat:
                    return refused(signal, Reason.IN_POSITION, f"{fired.rule} enters, and we are not flat")
                return manage(signal, stance, market, plan, Conduct())
            case Reverse():
                if stance.side is None:
                    return refused(signal, Reason.NO_ENTRY, f"{fired.rule} reverses, and nothing is held")
                return manage(signal, stance, market, plan, Conduct(opposite="reverse"))
            case ScaleIn():
                return add_to(signal, stance, market, plan)
            case DoubleDown(way_percent):
                return double_down(stance, plan.instrument, decimal(way_percent) / 100, now_ns)
            case Exit():
                if stance.flat or stance.side is None:
                    return refused(signal, Reason.NO_ENTRY, f"{fired.rule} exits, and nothing is held")
                return Close(f"rule {fired.rule} {now_ns}")
        raise TypeError(f"{action!r} is no wish about a signal")

    async def _move_stops(self, fired: Fired, action: MoveStop | BreakEven | Trail, now_ns: int) -> str:
        """The stops of all that is held: towards profit alone, or trailing from where they stand."""
        symbol = fired.symbol
        stance, stops = self._stances.stance(symbol), self._stances.stops(symbol)
        if not stance.quantity:
            return "nothing is held"
        move = self._trailing(symbol, action) if isinstance(action, Trail) else self._moved(symbol, action)
        if isinstance(move, str):
            return move
        move = replace(move, reason=f"rule {fired.rule}")
        why = await move_stops(self._trader, stops, move) if stops else "no stop works yet"
        if why and (symbol, fired.rule) not in self._later:
            self._later[symbol, fired.rule] = _Later(fired, action, stance.trade, now_ns + LATER_NS, now_ns)
        return why

    async def again(self, now_ns: int) -> None:
        """Stops that could not be moved when a rule wished it (TWS was still taking the last change, or there
        was no link) are moved now, as long as the same trade is held. A rule may fire once a trade.
        """
        for key, later in list(self._later.items()):
            if now_ns < later.tried_ns + AGAIN_NS:
                continue
            held = self._stances.stance(later.fired.symbol).trade == later.trade
            if not held or now_ns > later.until_ns or not await self._move_stops(
                later.fired, later.action, now_ns
            ):  # fmt: skip
                del self._later[key]
            else:
                self._later[key] = replace(later, tried_ns=now_ns)

    def _trailing(self, symbol: str, action: Trail) -> StopMove | str:
        """By so much from now on, which is the broker's affair."""
        if action.distance.unit == "percent":
            return StopMove(trail_percent=decimal(action.distance.amount))
        far = _far(action.distance, None, self._pilot.market(symbol).atr)
        return StopMove(trail=far) if far else "the ATR is not known"

    def _moved(self, symbol: str, action: MoveStop | BreakEven) -> StopMove | str:
        """To that price, or why it stays."""
        stance, wished = self._stances.stance(symbol), self._stop_wished(symbol, action)
        if wished is None:
            return "entry, price or ATR is not known"
        price = tighter_stop(stance, self._markets.instrument(symbol), wished)
        return f"the stop stays at {stance.stop_price}" if price is None else StopMove(stop_price=price)

    def _stop_wished(self, symbol: str, action: MoveStop | BreakEven) -> Decimal | None:
        stance, market = self._stances.stance(symbol), self._pilot.market(symbol)
        side, entry = stance.side, stance.entry_price
        of_entry = isinstance(action, BreakEven) or action.of == "entry"
        last = None if market.quote is None or side is None else (
            market.quote.bid if side is Side.BUY else market.quote.ask
        )  # fmt: skip
        base = entry if of_entry else None if last is None else decimal(last)
        distance = action.beyond if isinstance(action, BreakEven) else action.distance
        far = _ZERO if distance is None else _far(distance, base, market.atr)
        if side is None or base is None or far is None:
            return None
        sign = side.sign if isinstance(action, BreakEven) else -side.sign
        return base + sign * far


def _planned(plan: TradePlan, action: AnyAction) -> TradePlan:
    """The section's plan with what the rule says otherwise."""
    size = action.size if isinstance(action, Enter | Reverse | ScaleIn) else None
    if size is not None:
        plan = replace(plan, sizing=size)
    if isinstance(action, Enter | Reverse):
        if action.stop is not None:
            atr, fraction = _split(action.stop)
            plan = replace(plan, stop_atr=atr or plan.stop_atr, stop_fraction=fraction)
        if action.target is not None:
            atr, fraction = _split(action.target)
            plan = replace(plan, target_atr=atr or plan.target_atr, target_fraction=fraction)
    return replace(plan, limit_entry=True) if isinstance(action, Enter) and action.limit else plan


def _split(distance: Distance) -> tuple[float | None, float | None]:
    """In multiples of the ATR, or as a part of the price."""
    return (distance.amount, None) if distance.unit == "atr" else (None, distance.amount / 100)


def _far(distance: Distance, price: Decimal | None, atr: float | None) -> Decimal | None:
    """A distance in currency."""
    times, fraction = _split(distance)
    if times is not None:
        return None if atr is None else decimal(times) * decimal(atr)
    return None if price is None or fraction is None else price * decimal(fraction)
