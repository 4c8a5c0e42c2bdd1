"""The rules of a file while a run trades: events in, their decisions through `tws.strategy.manage` to the
desk.

`Ruling` is the engine's context: it answers what a rule asks when it asks. Where a file has rules, a signal
that its gate let through does what a rule makes of it, and nothing else. Each rule's count and its last word
stand in the report; the engine's memory (pauses, counts of the day, switches) lies beside the trader's state,
so that a restart goes on from there.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from tws.clock import NS_PER_S
from tws.desk import CancelAll, ModifyOrder
from tws.errors import TWSError
from tws.log import get_logger
from tws.model.instrument import decimal
from tws.model.market import Bar, Quote
from tws.model.order import Side
from tws.model.session import Session
from tws.model.signal import Signal, Wish
from tws.platform import write_private
from tws.rules import (
    Alert,
    AnyAction,
    BreakEven,
    CancelEntries,
    Distance,
    DoubleDown,
    Engine,
    Enter,
    Event,
    Exit,
    Fired,
    Holding,
    Ignore,
    Memory,
    MoveStop,
    Reverse,
    ScaleIn,
    SignalCame,
)
from tws.rules.trace import Answer, Node
from tws.runtime.market import Markets
from tws.runtime.plan import RunPlan, asked_about
from tws.runtime.report import RuleTally
from tws.runtime.stances import Stances
from tws.runtime.trader import Trader
from tws.strategy import Reason, Refusal, TradePlan
from tws.strategy.manage import Close, Conduct, Move, add_to, double_down, manage, tighter_stop
from tws.strategy.refusal import refused

if TYPE_CHECKING:
    from tws.runtime.pilot import Pilot

__all__ = ["Ruling"]

MAX_ALERTS = 50
"""Alerts of rules that the report tells."""

_OF_SIGNAL = (Enter, Exit, Reverse, ScaleIn, DoubleDown, Ignore)
"""Actions that say what becomes of a signal."""
_ZERO = Decimal(0)

log = get_logger("tws.runtime")


class Ruling:
    """The rules of one run."""

    def __init__(self, plan: RunPlan, trader: Trader, markets: Markets, pilot: Pilot) -> None:
        self.engine = Engine(plan.rules)
        self.alerts: list[str] = []
        self._plan = plan
        self._trader = trader
        self._markets = markets
        self._pilot = pilot
        self._path = plan.place.folder / "rules.json"
        self._counts: dict[str, Counter[str]] = {rule.name: Counter() for rule in plan.rules}
        self._last: dict[str, str] = {}
        self._now_ns = 0
        self._stances: Stances | None = None

    def needs(self, symbol: str) -> tuple[tuple[str, ...], int]:
        """The indicators that rules ask about a symbol, and how many bars they look at."""
        needs = self.engine.needs(symbol)
        return needs.indicators, (needs.bars_back or 0) + 1

    async def open(self, stances: Stances, bar_seconds: int) -> None:
        """Go on from the memory of an earlier run; follow what rules look at and nobody trades."""
        self._stances = stances
        try:
            memory = msgspec.json.decode(self._path.read_bytes(), type=Memory)
            self.engine = Engine(self._plan.rules, memory)
        except FileNotFoundError:
            pass
        except (OSError, msgspec.MsgspecError) as wrong:
            log.warning("the memory of the rules can't be read; they begin anew", reason=str(wrong))
        traded = {symbol for section in self._plan.sections for symbol in section.symbols}
        for symbol in sorted(asked_about(self._plan.rules) - traded):
            await self._markets.follow(symbol, bar_seconds, *self.needs(symbol))

    def take_up(self, plan: RunPlan) -> None:
        """A quote's age is bounded by this plan's limits."""
        self._plan = plan

    def save(self) -> None:
        """Keep what the engine remembers; nothing before `open` has read what is there."""
        if self._stances is None:
            return
        try:
            write_private(self._path, msgspec.json.encode(self.engine.memory()).decode())
        except OSError as wrong:
            log.warning("the memory of the rules was not kept", reason=str(wrong))

    async def hear(self, event: Event, now_ns: int) -> None:
        """What the rules wish on an event is done, in the order of priority; a signal's fate is noted."""
        self._now_ns = now_ns
        decisions = self.engine.evaluate(event, self, now_ns)
        for held in decisions.held:
            self._counts[held.rule]["held"] += 1
            self._last[held.rule] = f"held back: {held.barrier}"
        for failed in decisions.failed:
            self._counts[failed.rule]["failed"] += 1
            self._last[failed.rule] = f"failed: {failed.reason}"
            log.warning("a rule failed", rule=failed.rule, reason=failed.reason, disabled=failed.disabled)
        for fired in decisions.fired:
            self._counts[fired.rule]["fired"] += 1
            self._last[fired.rule] = ""
            for action in fired.actions:
                why = await self._do(fired, action, event, now_ns)
                if why:
                    self._last[fired.rule] = f"last without effect: {why}"
                    log.info("a rule fired without effect", rule=fired.rule, reason=why)
        if isinstance(event, SignalCame) and not any(
            isinstance(action, _OF_SIGNAL) for fired in decisions.fired for action in fired.actions
        ):
            names = ", ".join(each.rule for each in decisions.fired)
            text = f"{names} fired, and does nothing with a signal" if names else "no rule fired on it"
            self._pilot.book.unmade(event.signal, refused(event.signal, Reason.NO_RULE, text))
        if decisions.fired:
            self.save()

    async def _do(self, fired: Fired, action: AnyAction, event: Event, now_ns: int) -> str:
        """One action; answers why nothing came of it, or "". Cooldowns and switches the engine has done."""
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
            case MoveStop() | BreakEven():
                return await self._move_stop(fired, action)
            case _ if isinstance(action, _OF_SIGNAL):
                signal = self._signal(fired, action, event, now_ns)
                if isinstance(signal, str):
                    return signal
                try:
                    move = self._move(fired, action, signal, now_ns)
                except ValueError as wrong:  # prices beyond what an order may have
                    move = refused(signal, Reason.PRICE, str(wrong))
                return await self._pilot.perform(signal, move, now_ns)
        return ""

    def _signal(self, fired: Fired, action: AnyAction, event: Event, now_ns: int) -> Signal | str:
        """The wish in a signal's words: the event's own, or one in the rule's name; or why there is none."""
        own = event.signal if isinstance(event, SignalCame) else None
        stance = self._held().stance(fired.symbol)
        if isinstance(action, Enter) and action.side == "signal":
            return own or "it enters on the side of a signal, and there is none"
        wish = Wish.BUY if stance.side is not Side.SELL else Wish.SHORT
        if isinstance(action, Enter):
            wish = Wish.BUY if action.side == "long" else Wish.SHORT
        elif isinstance(action, Reverse):
            wish = Wish.SHORT if wish is Wish.BUY else Wish.BUY
        if own is not None:
            return own if isinstance(action, Exit | Ignore) else replace(own, wish=wish)
        model = self._pilot.strand(fired.symbol).name
        return Signal(
            signal_id=f"{fired.rule}-{now_ns}", symbol=fired.symbol, wish=wish, time_ns=now_ns, model=model
        )

    def _move(self, fired: Fired, action: AnyAction, signal: Signal, now_ns: int) -> Move | Refusal:
        """What is asked of the desk, or the refusal."""
        symbol = fired.symbol
        stance, market = self._held().stance(symbol), self._pilot.market(symbol)
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
        return refused(signal, Reason.IN_POSITION, f"rule {fired.rule} ignores it")

    async def _move_stop(self, fired: Fired, action: MoveStop | BreakEven) -> str:
        """The stops of all that is held, towards profit alone."""
        symbol = fired.symbol
        stance, instrument = self._held().stance(symbol), self._markets.instrument(symbol)
        wished = self._stop_wished(symbol, action)
        if wished is None:
            return "entry, price or ATR is not known"
        price = tighter_stop(stance, instrument, wished)
        if price is None:
            return f"the stop stays at {stance.stop_price}"
        why = ""
        for intent_id in self._held().stops(symbol):
            change = ModifyOrder(intent_id=intent_id, stop_price=price, reason=f"rule {fired.rule}")
            try:
                denied = await self._trader.modify(change)
            except TWSError as wrong:
                if self._trader.failure is not None:
                    raise
                return str(wrong)
            why = why or ("" if denied is None else f"denied by {denied.limit}: {denied.reason}")
        return why

    def _stop_wished(self, symbol: str, action: MoveStop | BreakEven) -> Decimal | None:
        stance, market = self._held().stance(symbol), self._pilot.market(symbol)
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

    # -- what rules ask (tws.rules.Context)

    def holding(self, symbol: str) -> Holding | None:
        entered_ns = self._held().entered_ns(symbol)
        bars = None if entered_ns is None else self._markets.bars_since(symbol, entered_ns)
        return self._held().holding(symbol, bars)

    def quote(self, symbol: str) -> Quote | None:
        """The quote, unless it is older than an entry's may be."""
        quote = self._markets.quote(symbol)
        bound_ns = self._plan.limits.stale_quote_s * NS_PER_S
        return quote if quote is not None and self._now_ns - quote.time_ns <= bound_ns else None

    def bar(self, symbol: str, back: int) -> Bar | None:
        return self._markets.bar(symbol, back)

    def indicator(self, symbol: str, spec: str, back: int) -> float | None:
        return self._markets.study(symbol, spec, back)

    def session(self, symbol: str) -> Session | None:
        return self._markets.session(symbol, self._now_ns)

    def zone(self, symbol: str) -> str | None:
        return self._markets.zone(symbol)

    def _held(self) -> Stances:
        assert self._stances is not None, "open comes first"
        return self._stances

    # -- the report

    def tallies(self) -> list[RuleTally]:
        """One for each rule, in the order of the file."""
        return [
            RuleTally(
                rule=name,
                fired=counts["fired"],
                held=counts["held"],
                failed=counts["failed"],
                last=self._last.get(name) or ("" if counts["fired"] else self._why_not(name)),
            )
            for name, counts in self._counts.items()
        ]

    def lines(self) -> list[str]:
        """The rules, for a human."""
        return [f"  {each}" for each in self.tallies()] + [f"  alert of {each}" for each in self.alerts]

    def _why_not(self, name: str) -> str:
        trace = self.engine.explain(name)
        if trace is None:
            return "no event yet"
        leaf = None if trace.tree is None else _decisive(trace.tree)
        return trace.outcome if leaf is None else f"last {leaf.answer}: {leaf.text} ({leaf.figures})"


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


def _decisive(node: Node) -> Node | None:
    """The first leaf that kept a condition from being true."""
    if not node.parts:
        return node if node.answer in (Answer.FALSE, Answer.UNKNOWN, Answer.FAILED) else None
    return next((found for part in node.parts if (found := _decisive(part)) is not None), None)
