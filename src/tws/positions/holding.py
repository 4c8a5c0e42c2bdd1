"""One contract in one account: the moves that made it, in the order of their time, and what each left.

A `Holding` is a list of `Move`s (an opening balance, fills, inferred fills, adjustments, splits) and the
`Balance` that they come to. `step` takes one balance to the next and is the whole arithmetic. Each move keeps
the balance that it left, so that a fill told late, a correction, a bust or a fee that follows its fill is put
where it belongs and only what came after it is reckoned anew: the books are the same as if everything had
been told right at once.

The formulas are those of average cost, the method by which TWS states positions (TWS-BEHAVIOUR.md D:
average cost includes commissions). A closing part takes its share of the cost and of the fees with it:

    opening    cost += quantity * price                   fees held += fee
    closing c  realised += -c * price - cost * |c / held|  fees realised += fee + fees held * |c / held|
    through 0  the fill and its fee are divided at zero: the first part closes, the rest opens
    split r    quantity *= r; the cost stays. 1:3 comes as 0.333… of 28 digits, and counts as the third that
               it was divided from: 300 become 100 (`new_and_old`)

Costs are sums and not averages: what rounding leaves (28 digits) stays with the shares still held, and
the last share takes all of it along.

Moves that nothing can change any more are folded (`Holding.fold`): what they came to is carried forward
(`carried.py`), and every later move is reckoned on top of it by the same steps, to the same last digit.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from decimal import Decimal

from msgspec import Struct, field

from tws.model.contract import Contract
from tws.positions.carried import Carried
from tws.positions.move import EMPTY, Balance, Move, MoveKind, multiplier, new_and_old, step

__all__ = [
    "EMPTY",
    "Balance",
    "Holding",
    "Move",
    "MoveKind",
    "multiplier",
    "new_and_old",
    "opening_price",
    "step",
]

_ZERO = Decimal(0)


class Holding(Struct, kw_only=True):
    """What is held of one contract in one account, and how it came about."""

    account: str
    contract: Contract
    carried: Carried = field(default_factory=Carried)
    """What the moves came to that are folded; all below are later."""
    moves: list[Move] = field(default_factory=list)
    fills: dict[str, Move] = field(default_factory=dict)
    """The fills among them, by exec id without its last part."""
    fees: Decimal = _ZERO
    """All fees of the fills, in the contract's currency."""
    other_fees: dict[str, Decimal] = field(default_factory=dict)
    """Fees in another currency than the contract's, by currency: stated apart, part of no cost."""

    # -- what it comes to

    @property
    def counted(self) -> int:
        """How many fills there were, the folded ones included."""
        return self.carried.fills + len(self.fills)

    @property
    def balance(self) -> Balance:
        return self.moves[-1].left if self.moves else self.carried.balance

    @property
    def quantity(self) -> Decimal:
        """Signed shares or contracts."""
        return self.balance.quantity

    @property
    def cost(self) -> Decimal:
        """What it was bought for, before fees, signed, per unit of multiplier."""
        return self.balance.cost

    @property
    def realized(self) -> Decimal:
        """Profit that closing moves made, before fees, per unit of multiplier."""
        return self.balance.realized

    @property
    def average_price(self) -> Decimal:
        """The average price of what is held, fees not included; 0 when flat."""
        at = self.balance
        return at.cost / at.quantity if at.quantity else _ZERO

    @property
    def average_cost(self) -> Decimal:
        """As TWS states it: (cost * multiplier + fees) / quantity, per contract where there is a multiplier
        (TWS-BEHAVIOUR.md D; 61 of an ES future at 6302.295 reads 315114.75); 0 when flat.
        """
        quantity = self.quantity
        return self.net_cost / quantity if quantity else _ZERO

    @property
    def net_cost(self) -> Decimal:
        """cost * multiplier + fees held: what TWS's average cost is the average of."""
        at = self.balance
        return at.cost * multiplier(self.contract) + at.fees_held

    @property
    def realized_pnl(self) -> Decimal:
        """Realised profit before fees, in the contract's currency: realised * multiplier."""
        return self.balance.realized * multiplier(self.contract)

    @property
    def realized_net(self) -> Decimal:
        """As TWS states it: realised * multiplier - the fees of what was closed, opening fees included
        (since average cost includes commissions, TWS-BEHAVIOUR.md D).
        """
        return self.realized_pnl - self.balance.fees_realized

    def unrealized_pnl(self, price: Decimal) -> Decimal:
        """What closing at `price` would realise before fees: (quantity * price - cost) * multiplier."""
        at = self.balance
        return (at.quantity * price - at.cost) * multiplier(self.contract)

    def unrealized_net(self, price: Decimal) -> Decimal:
        """As TWS states it: market value - average cost * quantity (official, UnrealizedPnL of message 7)."""
        return self.unrealized_pnl(price) - self.balance.fees_held

    def market_value(self, price: Decimal) -> Decimal:
        """quantity * price * multiplier, signed."""
        return self.quantity * price * multiplier(self.contract)

    # -- what moves it

    def insert(self, move: Move) -> None:
        """Put a move at its time, behind others of the same instant (TWS tells whole seconds)."""
        moves = self.moves
        if not moves or moves[-1].time_ns <= move.time_ns:
            move.left = step(self.balance, move)
            moves.append(move)
            return
        at = bisect_right(moves, move.time_ns, key=_time)
        moves.insert(at, move)
        self.reckon(at)

    def remove(self, move: Move) -> None:
        """Take a move out again, and its fee with it."""
        self._sum_up(move, -1)
        at = self.index(move)
        del self.moves[at]
        self.reckon(at)

    def charge(self, move: Move, fee: Decimal, currency: str) -> bool:
        """Put a fee on a fill, in place of the one it had; whether that moves the holding."""
        self._sum_up(move, -1)
        own = currency in ("", self.contract.currency)
        moved = own and move.fee != fee
        if own:
            move.fee = fee
        else:
            move.other_fee, move.other_currency = fee, currency
        self._sum_up(move, 1)
        return moved

    def _sum_up(self, move: Move, sign: int) -> None:
        """Into the sums of fees, which are looked at with each quote, or out of them again."""
        self.fees += sign * move.fee
        if move.other_fee:
            name = move.other_currency
            total = self.other_fees.pop(name, _ZERO) + sign * move.other_fee
            if total:
                self.other_fees[name] = total

    def changed(self, move: Move) -> None:
        """A move was changed in its place: reckon on from it. Mostly it is the newest, whose fee came."""
        moves = self.moves
        if moves[-1] is move:
            move.left = step(moves[-2].left if len(moves) > 1 else self.carried.balance, move)
        else:
            self.reckon(self.index(move))

    def index(self, move: Move) -> int:
        """Where a move stands; the newest are looked at first, for they are what changes."""
        return next(at for at in range(len(self.moves) - 1, -1, -1) if self.moves[at] is move)

    def fold(self, before_ns: int) -> list[Move]:
        """Carry forward what happened before an instant; the moves that are no longer kept."""
        moves = self.moves
        at = bisect_left(moves, before_ns, key=_time)
        gone = moves[:at]
        del moves[:at]
        for move in gone:
            self.carried.take(move, self.contract)
        return gone

    def rejoin(self) -> None:
        """After a copy through bytes: the fills are these very moves again, and not twins of them."""
        moves = {move.exec_id: move for move in self.moves if move.exec_id}
        self.fills = {name: moves[twin.exec_id] for name, twin in self.fills.items()}

    def reckon(self, start: int) -> None:
        """Every balance from `start` on anew."""
        at = self.moves[start - 1].left if start else self.carried.balance
        for move in self.moves[start:]:
            move.left = at = step(at, move)


def opening_price(holding: Holding, quantity: Decimal, net_cost: Decimal) -> tuple[Decimal, bool]:
    """At what price `quantity` was held before the known moves, when now the broker states `net_cost`
    (average cost * quantity); and whether that is proven.

    Net cost is linear in the opening price, since what closes depends on quantities alone: a * price + b.
    Two reckonings give a and b. With a = 0 nothing of the opening is held any more, and no answer of the
    broker tells what it cost: then the first move's price is taken, so that it counts no profit.
    """
    at = [_with_opening(holding, quantity, Decimal(price)) for price in (0, 1)]
    slope = at[1] - at[0]
    if slope:
        return (net_cost - at[0]) / slope, True
    return (holding.moves[0].price if holding.moves else _ZERO), False


def _with_opening(holding: Holding, quantity: Decimal, price: Decimal) -> Decimal:
    at = step(EMPTY, Move(kind=MoveKind.OPENING, quantity=quantity, price=price))
    for move in holding.moves:
        at = step(at, move)
    return at.cost * multiplier(holding.contract) + at.fees_held


def _time(move: Move) -> int:
    return move.time_ns
