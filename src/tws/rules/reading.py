"""Figures of one event: each is asked of the context at most once, and only when a condition needs it.

All conditions of an engine share one table of slots: a slot is one figure ("ema(20) one bar back", "the
position's side"), whoever asks for it. A `Reading` is that table for one event. A value of None is unknown.
What raises, or is no number where one belongs, is remembered as a fault of the slot, and raised again for
each condition that needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isfinite
from typing import Any, NamedTuple, TypeAlias

from tws.clock import NS_PER_S
from tws.model.market import Bar, Quote
from tws.model.session import local_time
from tws.rules.context import Context, Holding
from tws.rules.events import Event, Filled, SignalCame
from tws.rules.fields import ATR_SPEC, FIELDS, WEEKDAYS, Kind
from tws.rules.memory import Memory

__all__ = ["UNREAD", "Reading", "Slot", "SlotTable", "Unreadable", "Value"]

Value: TypeAlias = float | str | bool | None


class _Unread:
    def __repr__(self) -> str:
        return "UNREAD"


UNREAD: Any = _Unread()
"""The mark of a figure that nobody asked for."""


class Unreadable(Exception):
    """A figure could not be read: `slot` and the reason."""

    def __init__(self, slot: Slot, reason: str) -> None:
        super().__init__(f"{slot}: {reason}")


class Slot(NamedTuple):
    """One figure. `what` is field, indicator or change; `rule` is set where it differs from rule to rule."""

    what: str
    name: str
    symbol: str = ""
    back: int = 0
    rule: str = ""

    def __str__(self) -> str:
        return self.name + (f" of {self.symbol}" if self.symbol else "")


class SlotTable:
    """The slots of an engine, each once, in the order in which they were first needed."""

    def __init__(self) -> None:
        self.slots: list[Slot] = []
        self._index: dict[Slot, int] = {}

    def index(self, slot: Slot) -> int:
        found = self._index.get(slot)
        if found is None:
            found = self._index[slot] = len(self.slots)
            self.slots.append(slot)
        return found

    def find(self, slot: Slot) -> int | None:
        return self._index.get(slot)


class Reading:
    """The figures of one event. `values[i]` is UNREAD until `read(i)` was asked."""

    __slots__ = ("_context", "_got", "_memory", "_slots", "event", "faults", "now_ns", "symbol", "values")

    def __init__(
        self, slots: list[Slot], memory: Memory, event: Event, context: Context, now_ns: int
    ) -> None:
        self._slots = slots
        self._memory = memory
        self._context: Context | None = context
        self._got: dict[tuple[Any, ...], Any] = {}
        self.event = event
        self.symbol = event.symbol
        self.now_ns = now_ns
        self.values: list[Value] = [UNREAD] * len(slots)
        self.faults: dict[int, str] = {}

    def close(self) -> None:
        """Let the context go: what was read is kept for explaining, nothing more is asked."""
        self._context = None
        self._got = {}

    def read(self, index: int) -> Value:
        """The figure of a slot. Raises Unreadable."""
        slot = self._slots[index]
        if index in self.faults:
            raise Unreadable(slot, self.faults[index])
        try:
            value = _checked(slot, self._fetch(slot))
        except Exception as error:  # whatever the caller's context raises is the fault of this figure alone
            self.faults[index] = f"{type(error).__name__}: {error}"[:300]
            raise Unreadable(slot, self.faults[index]) from None
        self.values[index] = value
        return value

    def ask(self, what: str, symbol: str, *more: Any) -> Any:
        """An answer of the context, asked for once."""
        key = (what, symbol, *more)
        try:
            return self._got[key]
        except KeyError:
            answer = self._got[key] = getattr(self._context, what)(symbol, *more)
            return answer

    def _fetch(self, slot: Slot) -> Value:
        symbol = slot.symbol or self.symbol
        if slot.what == "indicator":
            value: Value = self.ask("indicator", symbol, slot.name, slot.back)
            return value
        if slot.what == "change":
            now, then = (self.ask("bar", symbol, back) for back in (0, slot.back))
            return None if now is None or then is None else 100 * (now.close / then.close - 1)
        group, _, name = slot.name.partition(".")
        if name and group in _GROUPS:
            return _GROUPS[group](self, symbol, name, slot)
        return _PLAIN[slot.name](self, symbol)


def _checked(slot: Slot, value: Value) -> Value:
    """A number where one belongs, finite unless the engine itself says "never"."""
    kind = FIELDS[slot.name].kind if slot.what == "field" else Kind.NUMBER
    if value is None:
        return None
    if kind is not Kind.NUMBER:
        if not isinstance(value, str if kind is Kind.WORD else bool):
            raise TypeError(f"is {value!r}, not a {kind}")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"is {value!r}, not a number")
    if not isfinite(value) and not slot.name.startswith("since."):
        raise ValueError(f"is {value}")
    return float(value)


def _signal(reading: Reading, _symbol: str, name: str, _slot: Slot) -> Value:
    event = reading.event
    if not isinstance(event, SignalCame):
        return None
    signal = event.signal
    if name == "age":
        return (reading.now_ns - signal.time_ns) / NS_PER_S
    if name == "wish":
        return signal.wish.value
    value: Value = getattr(signal, name)
    return value


def _fill(reading: Reading, _symbol: str, name: str, _slot: Slot) -> Value:
    if not isinstance(reading.event, Filled):
        return None
    value: Value = getattr(reading.event, name)
    return value


def _bar(reading: Reading, symbol: str, name: str, slot: Slot) -> Value:
    bar: Bar | None = reading.ask("bar", symbol, slot.back)
    if bar is None:
        return None
    value: Value = getattr(bar, name)
    return value


def _position(reading: Reading, symbol: str, name: str, _slot: Slot) -> Value:
    holding: Holding | None = reading.ask("holding", symbol)
    if holding is None:
        return None
    quantity = holding.quantity
    if name == "side":
        return "long" if quantity > 0 else "short" if quantity < 0 else "flat"
    if name == "size":
        return abs(quantity)
    if name in ("adds", "doubled", "entering"):
        value: Value = getattr(holding, name)
        return value
    if quantity == 0:
        return None
    if name == "bars":
        return holding.bars_held
    if name == "held":
        return None if holding.entered_ns is None else (reading.now_ns - holding.entered_ns) / NS_PER_S
    return _profit(reading, symbol, name, holding)


def _profit(reading: Reading, symbol: str, name: str, holding: Holding) -> float | None:
    """Profit at the price it could be closed at now: a long at the bid, a short at the ask."""
    entry, quote = holding.entry_price, reading.ask("quote", symbol)
    if entry is None or quote is None:
        return None
    sign = 1 if holding.quantity > 0 else -1
    price = _positive(quote.bid if sign > 0 else quote.ask) or _positive(quote.last)
    if price is None:
        return None
    gain = (price - entry) * sign
    if name == "profit_percent":
        return 100 * gain / entry
    if name == "way_to_stop":
        stop = holding.stop_price
        # A stop on the winning side of the entry has no way to it.
        return None if stop is None or (entry - stop) * sign <= 0 else -100 * gain / ((entry - stop) * sign)
    span = reading.ask("indicator", symbol, ATR_SPEC, 0)
    return None if span is None or span <= 0 else gain / span


def _session(reading: Reading, symbol: str, name: str, _slot: Slot) -> Value:
    session = reading.ask("session", symbol)
    if session is None:
        return None
    is_open = session.holds(reading.now_ns)
    if name == "open":
        return bool(is_open)
    if not is_open:
        return None
    if name == "after_open":
        return float(reading.now_ns - session.open_ns) / NS_PER_S
    return float(session.close_ns - reading.now_ns) / NS_PER_S


def _since(reading: Reading, symbol: str, name: str, slot: Slot) -> Value:
    memory = reading._memory
    if name == "fire":
        fired = memory.fires.get(slot.rule, {}).get(symbol)
        at_ns = None if fired is None else fired.last_ns
    else:
        at_ns = (memory.entries_ns if name == "entry" else memory.stop_outs_ns).get(symbol)
    return inf if at_ns is None else (reading.now_ns - at_ns) / NS_PER_S


def _cooldown(reading: Reading, symbol: str) -> Value:
    ends_ns = reading._memory.cooldowns_ns.get(symbol, reading.now_ns)
    return max(0, ends_ns - reading.now_ns) / NS_PER_S


def _clock(reading: Reading, symbol: str) -> Value:
    zone = reading.ask("zone", symbol)
    if zone is None:
        return None
    at = local_time(reading.now_ns, zone)
    return float(at.hour * 3600 + at.minute * 60 + at.second)


def _weekday(reading: Reading, symbol: str) -> Value:
    zone = reading.ask("zone", symbol)
    return None if zone is None else WEEKDAYS[local_time(reading.now_ns, zone).weekday()]


def _positive(price: float | None) -> float | None:
    """TWS writes -1 or 0 where it has no price (TWS-BEHAVIOUR.md E)."""
    return price if price is not None and price > 0 else None


def _of_quote(figure: Callable[[Quote, int], float | None]) -> Callable[[Reading, str], Value]:
    def read(reading: Reading, symbol: str) -> Value:
        quote: Quote | None = reading.ask("quote", symbol)
        return None if quote is None else figure(quote, reading.now_ns)

    return read


def _price(quote: Quote, _now_ns: int) -> float | None:
    bid, ask = _positive(quote.bid), _positive(quote.ask)
    return (bid + ask) / 2 if bid is not None and ask is not None else _positive(quote.last)


def _spread(quote: Quote, _now_ns: int) -> float | None:
    bid, ask = _positive(quote.bid), _positive(quote.ask)
    return None if bid is None or ask is None else ask - bid


def _spread_percent(quote: Quote, _now_ns: int) -> float | None:
    spread = _spread(quote, 0)
    return None if spread is None else 100 * spread / ((quote.bid or 0) + spread / 2)


_GROUPS: dict[str, Callable[[Reading, str, str, Slot], Value]] = {
    "signal": _signal,
    "fill": _fill,
    "bar": _bar,
    "position": _position,
    "session": _session,
    "since": _since,
}

_PLAIN: dict[str, Callable[[Reading, str], Value]] = {
    "event": lambda reading, _symbol: reading.event.kind,
    "symbol": lambda reading, _symbol: reading.symbol,
    "price": _of_quote(_price),
    "bid": _of_quote(lambda quote, _now_ns: _positive(quote.bid)),
    "ask": _of_quote(lambda quote, _now_ns: _positive(quote.ask)),
    "spread": _of_quote(_spread),
    "spread_percent": _of_quote(_spread_percent),
    "volume": _of_quote(lambda quote, _now_ns: quote.volume),
    "quote_age": _of_quote(lambda quote, now_ns: (now_ns - quote.time_ns) / NS_PER_S),
    "time": _clock,
    "weekday": _weekday,
    "cooldown": _cooldown,
}
