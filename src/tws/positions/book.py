"""What fills make of a position: quantity, cost, realised profit; in Decimal, from distinct execIds alone.

`quantity = opening balance + distinct executions + adjustments` (DESIGN.md, invariant 2). TWS repeats
executions (on every request) and corrects them: a correction carries the same exec id with a higher
last part (`…01.01`, then `…01.02`; TWS-BEHAVIOUR.md C4) and replaces what it corrects.

Costs are kept as a sum and not as an average, so that a round trip's profit is exact to the last
digit: what remains of rounding stays in the cost of the shares still held. A correction reckons its
contract anew from the first fill.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct, field

from tws.model.contract import Contract
from tws.model.execution import Commission, Execution

__all__ = ["Fill", "Holding", "PositionBook", "multiplier", "split_exec_id"]

_ZERO = Decimal(0)


def multiplier(contract: Contract) -> Decimal:
    """What one unit of price is worth in money: the contract's multiplier, 1 when it states none."""
    text = contract.multiplier.strip()
    return Decimal(text) if text else Decimal(1)


def split_exec_id(exec_id: str) -> tuple[str, int]:
    """An exec id without its last part, and that part's number: the fill, and which version of it.

    An id whose last part is no number, or that has no parts, is a fill of its own in version 0.
    """
    base, dot, last = exec_id.rpartition(".")
    if not dot or not base or not (last.isascii() and last.isdigit()):
        return exec_id, 0
    return base, int(last)


class Fill(Struct, frozen=True, kw_only=True):
    """One fill in its latest version: signed quantity in shares, price, and its fee once that is known."""

    exec_id: str
    revision: int
    time_ns: int
    quantity: Decimal
    price: Decimal


class Holding(Struct, kw_only=True):
    """What is held of one contract in one account. `cost` is signed like `quantity`."""

    account: str
    contract: Contract
    quantity: Decimal = _ZERO
    cost: Decimal = _ZERO
    realized: Decimal = _ZERO
    """Profit that closing fills made, before fees, in the contract's currency per unit of multiplier."""
    opening: list[tuple[Decimal, Decimal]] = field(default_factory=list)
    """Opening balance and adjustments: (signed quantity, price)."""
    fills: dict[str, Fill] = field(default_factory=dict)

    @property
    def average_price(self) -> Decimal:
        """The average price of what is held, fees not included; 0 when flat."""
        return self.cost / self.quantity if self.quantity else _ZERO

    @property
    def realized_pnl(self) -> Decimal:
        """Realised profit before fees, in the contract's currency."""
        return self.realized * multiplier(self.contract)

    def unrealized_pnl(self, price: Decimal) -> Decimal:
        """What closing at `price` would realise, before fees."""
        return (self.quantity * price - self.cost) * multiplier(self.contract)

    def take(self, quantity: Decimal, price: Decimal) -> None:
        """Add a signed quantity at a price: it opens, closes, or closes and opens the other way."""
        if self.quantity and (self.quantity > 0) is not (quantity > 0):
            closed = min(abs(quantity), abs(self.quantity)).copy_sign(quantity)
            part = self.cost if -closed == self.quantity else self.cost * (closed / -self.quantity)
            self.realized += -closed * price - part
            self.cost -= part
            self.quantity += closed
            quantity -= closed
        self.quantity += quantity
        self.cost += quantity * price

    def reckon(self) -> None:
        """Everything anew from the opening balance and the fills in their order of arrival."""
        self.quantity = self.cost = self.realized = _ZERO
        for quantity, price in self.opening:
            self.take(quantity, price)
        for fill in self.fills.values():
            self.take(fill.quantity, fill.price)


class PositionBook(Struct):
    """The holdings of one book, by account and con_id, and the fees of their fills."""

    holdings: dict[str, Holding] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    """Each fill's holding, by exec id without its last part."""
    fees: dict[str, tuple[int, Commission]] = field(default_factory=dict)
    """Each fill's fee with its version; a fee may come before its fill."""

    @staticmethod
    def key(account: str, con_id: int) -> str:
        """How a holding is named."""
        return f"{account}/{con_id}"

    def holding(self, account: str, contract: Contract) -> Holding:
        """The holding of a contract, made when there is none."""
        key = self.key(account, contract.con_id)
        if key not in self.holdings:
            self.holdings[key] = Holding(account=account, contract=contract)
        return self.holdings[key]

    def quantity(self, account: str, con_id: int) -> Decimal:
        """The signed quantity held, 0 for what was never held."""
        holding = self.holdings.get(self.key(account, con_id))
        return holding.quantity if holding else _ZERO

    def knows(self, execution: Execution) -> bool:
        """Whether this version of the fill, or a later one, is booked."""
        base, revision = split_exec_id(execution.exec_id)
        key = self.where.get(base)
        return key is not None and self.holdings[key].fills[base].revision >= revision

    def book(self, execution: Execution) -> Decimal:
        """Book a fill or its correction once; the signed change in quantity, 0 for what was known."""
        if self.knows(execution):
            return _ZERO
        base, revision = split_exec_id(execution.exec_id)
        fill = Fill(exec_id=execution.exec_id, revision=revision, time_ns=execution.time_ns,
                    quantity=execution.signed_quantity, price=execution.price)
        known = self.where.get(base)
        holding = self.holdings[known] if known else self.holding(execution.account, execution.contract)
        before = holding.quantity
        corrected = base in holding.fills
        holding.fills[base] = fill
        if corrected:
            holding.reckon()
        else:
            self.where[base] = self.key(execution.account, execution.contract.con_id)
            holding.take(fill.quantity, fill.price)
        return holding.quantity - before

    def knows_fee(self, commission: Commission) -> bool:
        """Whether this very fee, or that of a later version of its fill, is booked."""
        base, revision = split_exec_id(commission.exec_id)
        known = self.fees.get(base)
        return known is not None and (known[0] > revision or known == (revision, commission))

    def charge(self, commission: Commission) -> None:
        """Book the fee of a fill; repeated or overtaken ones change nothing."""
        if not self.knows_fee(commission):
            base, revision = split_exec_id(commission.exec_id)
            self.fees[base] = (revision, commission)

    def commissions(self, holding: Holding) -> Decimal:
        """The fees of a holding's fills, in their own currency."""
        return sum((self.fees[base][1].amount for base in holding.fills if base in self.fees), _ZERO)

    def net_pnl(self, holding: Holding) -> Decimal:
        """Realised profit after all fees paid so far."""
        return holding.realized_pnl - self.commissions(holding)

    def open_with(self, account: str, contract: Contract, quantity: Decimal, price: Decimal) -> None:
        """Set what was held before the first fill, or add an adjustment; fills are reckoned on top of it."""
        holding = self.holding(account, contract)
        holding.opening.append((quantity, price))
        holding.reckon()

    def exposed(self) -> list[Holding]:
        """The holdings that are not flat, in the order in which they first appeared."""
        return [holding for holding in self.holdings.values() if holding.quantity]
