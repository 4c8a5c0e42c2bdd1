"""Running totals over our orders, so that judging one order does not look at all the others.

Each order that may still move a position adds a `Part` to its contract's `Exposure`. When an order changes,
its old part is taken off and its new one put on: the cost depends on the orders of one contract and of one
trade, which are bounded (TWS takes some twenty on a side), not on the orders in the book. `tws.desk.apply`
calls `count` after each record that names an intent, unless it `weighs_as_before`; nothing else moves the
totals.

An exercise counts twice: as an exit of the options that it takes, and as an entry of what it brings.

What an exit can still take is reckoned per trade: exits of one trade end each other, so the greatest
counts, and a child whose parent has filled nothing can take nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct, field

from tws.model.contract import Contract
from tws.model.exercise import Exercising
from tws.model.order import OrderType, Role, Side
from tws.model.records import Approved, Moved, OrderState, Record
from tws.orders.book import OurOrder
from tws.orders.table import ENDED

__all__ = ["Exposure", "Part", "Totals", "weighs_as_before"]

_ZERO = Decimal(0)


_NOTHING = (_ZERO, _ZERO)


class Part(Struct, frozen=True, kw_only=True):
    """What one order adds to its contract: shares that may still fill, the price at which it may trade."""

    side: Side
    entry: bool
    open_quantity: Decimal
    unknown: bool
    limit: Decimal | None = None
    """An entry's limit price: what its shares may cost."""
    rests: Decimal | None = None
    """The limit price at which it may trade with an order of our own now; None for one that can't."""
    market: bool = False
    """It may trade with an order of our own now, at whatever price."""


class Exposure(Struct, kw_only=True, eq=False):
    """Our orders on one contract, added up. Quantities in shares, prices in its currency.

    Two are equal when all but their stamps is: a replayed journal reckons them in fewer steps.
    """

    contract: Contract
    buys: Decimal = _ZERO
    """The unfilled shares of entries that buy; unknown ones included."""
    sells: Decimal = _ZERO
    exit_buys: Decimal = _ZERO
    """The most that working exits could still buy back."""
    exit_sells: Decimal = _ZERO
    """The most that working exits could still sell."""
    buy_orders: int = 0
    sell_orders: int = 0
    market_buys: int = 0
    market_sells: int = 0
    entry_price: Decimal = _ZERO
    """The highest limit of a working entry; 0 when none has one."""
    own_bid: Decimal | None = None
    """The highest limit at which an order of ours would buy now."""
    own_ask: Decimal | None = None
    """The lowest limit at which an order of ours would sell now."""
    unknown: dict[str, None] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    stamp: int = 0
    """Grows with each change: whoever remembers a figure sees that it is old."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Exposure):
            return NotImplemented
        names = (name for name in self.__struct_fields__ if name != "stamp")
        return all(getattr(self, name) == getattr(other, name) for name in names)

    def put(self, intent_id: str, new: Part | None) -> None:
        """This order's part is now `new`; None takes it out."""
        old = self.parts.get(intent_id)
        if new == old:
            return
        if old is not None:
            self._add(old, -1)
        if new is None:
            del self.parts[intent_id]
        else:
            self.parts[intent_id] = new
            self._add(new, 1)
        if new is not None and new.unknown:
            self.unknown[intent_id] = None
        else:
            self.unknown.pop(intent_id, None)
        if _prices(old) != _prices(new):
            self._find_extremes()
        self.stamp += 1

    def _add(self, part: Part, sign: int) -> None:
        buys = part.side is Side.BUY
        if buys:
            self.buy_orders += sign
            self.market_buys += sign * part.market
        else:
            self.sell_orders += sign
            self.market_sells += sign * part.market
        if part.entry and buys:
            self.buys += sign * part.open_quantity
        elif part.entry:
            self.sells += sign * part.open_quantity

    def _find_extremes(self) -> None:
        """Over the orders of this one contract: a maximum can't be kept by adding and taking off."""
        parts = self.parts.values()
        self.entry_price = max((part.limit for part in parts if part.limit is not None), default=_ZERO)
        buys = [part.rests for part in parts if part.rests is not None and part.side is Side.BUY]
        sells = [part.rests for part in parts if part.rests is not None and part.side is Side.SELL]
        self.own_bid = max(buys, default=None)
        self.own_ask = min(sells, default=None)


class Totals(Struct, kw_only=True):
    """All contracts on which we ever had an order, by con_id; and how far each trade's exits reach."""

    contracts: dict[int, Exposure] = field(default_factory=dict)
    reach: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    """What exits may still buy and sell, by trade, or by intent for an exit that belongs to none; what
    reaches nothing is left out."""

    def on(self, contract: Contract) -> Exposure:
        """The exposure of a contract; an empty one, not kept, where we never had an order."""
        return self.contracts.get(contract.con_id) or Exposure(contract=contract)

    def know(self, contract: Contract) -> Exposure:
        """The exposure of a contract on which we have, or had, an order; made when there is none."""
        exposure = self.contracts.get(contract.con_id)
        if exposure is None:
            exposure = self.contracts[contract.con_id] = Exposure(contract=contract)
        return exposure

    def exits(self, contract: Contract, side: Side, without: str = "") -> Decimal:
        """How many shares working exits of this side may still take; `without` those of one trade."""
        exposure, at = self.on(contract), 0 if side is Side.BUY else 1
        return (exposure.exit_sells if at else exposure.exit_buys) - self.reach.get(without, _NOTHING)[at]

    def clear(self) -> None:
        """Nothing is counted any more; which contracts there were stays known."""
        self.contracts = {con_id: Exposure(contract=each.contract) for con_id, each in self.contracts.items()}
        self.reach = {}

    def count(self, order: OurOrder, members: Iterable[OurOrder], held: Decimal | None) -> None:
        """`order` has changed: count it anew, and with it the exits of its trade.

        `members` are the orders of its trade, or itself alone; `held` the shares that the trade holds in
        its entry's direction, None for an order without a trade.
        """
        exposure = self.know(order.contract)
        exposure.put(order.intent_id, _part(order, held))
        brings = order.exercise
        if brings is not None and brings.underlying is not None:
            self.know(brings.underlying).put(order.intent_id, _brought(order, brings))
        buys = sells = _ZERO
        for each in members:
            if each.role is Role.ENTRY:
                continue
            if each is not order:
                exposure.put(each.intent_id, _part(each, held))
            if _exposed(each) and each.order.side is Side.BUY:
                buys = max(buys, _reach(each, held))
            elif _exposed(each):
                sells = max(sells, _reach(each, held))
        key = order.group_id or order.intent_id
        before = self.reach.get(key, _NOTHING)
        if (buys, sells) == before:
            return
        if buys or sells:
            self.reach[key] = buys, sells
        else:
            del self.reach[key]
        exposure.exit_buys += buys - before[0]
        exposure.exit_sells += sells - before[1]
        exposure.stamp += 1


def weighs_as_before(record: Record) -> bool:
    """Whether the order that a record names adds what it did: an approval, and each step of an order that
    lives, whose outcome is known and of whose fills nothing is said.
    """
    if type(record) is Moved:
        return record.filled is None and record.before in _KNOWN and record.state in _KNOWN
    return type(record) is Approved


_KNOWN = frozenset(OrderState) - ENDED - {OrderState.UNKNOWN}


def _exposed(order: OurOrder) -> bool:
    """A position may still move by it: it has not ended, or owes us executions."""
    return order.live or bool(order.missing)


def _part(order: OurOrder, held: Decimal | None) -> Part | None:
    if not _exposed(order):
        return None
    asked = order.order
    entry = order.role is Role.ENTRY
    # A child lies dormant in TWS till its parent fills; a stop till its price is touched.
    awake = order.live and (not asked.parent_id or held is None or held > 0) and order.exercise is None
    return Part(
        side=asked.side,
        entry=entry,
        open_quantity=order.open_quantity if entry else _ZERO,
        unknown=order.state is OrderState.UNKNOWN,
        limit=asked.limit_price if entry else None,
        rests=asked.limit_price if awake and asked.order_type is OrderType.LIMIT else None,
        market=awake and asked.order_type is OrderType.MARKET,
    )


def _brought(order: OurOrder, brings: Exercising) -> Part | None:
    """What an exercise that is under way may bring, as an entry at the strike that meets no order of ours."""
    if not _exposed(order):
        return None
    shares = brings.each * order.open_quantity
    return Part(side=Side.BUY if shares > 0 else Side.SELL, entry=True, open_quantity=abs(shares),
                unknown=order.state is OrderState.UNKNOWN, limit=brings.strike)


def _reach(order: OurOrder, held: Decimal | None) -> Decimal:
    if held is None or not order.order.parent_id:
        return order.open_quantity
    return min(order.open_quantity, max(held, _ZERO))


def _prices(part: Part | None) -> tuple[Decimal | None, Decimal | None]:
    return (None, None) if part is None else (part.limit, part.rests)
