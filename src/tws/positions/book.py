"""A book of positions: each fill once, in its latest version, with its fee, whatever was told when.

`quantity = opening balance + distinct executions + adjustments` (DESIGN.md, invariant 2). TWS repeats
executions (on every request) and corrects them: a correction carries the same exec id with a higher
last part (`…01.01`, then `…01.02`; TWS-BEHAVIOUR.md C4) and takes the place of what it corrects. A bust
takes it out. A fee may come before its fill. An inferred fill stands where the broker's memory ends,
and gives way to the true execution, share by share. What is older than any broker remembers is folded: the
holding keeps what it came to (`carried.py`), and neither fill nor fee for itself.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from msgspec import Struct, field
from msgspec.structs import replace

from tws.model.contract import Contract
from tws.model.execution import Commission, Execution
from tws.positions.holding import Holding, Move, MoveKind, multiplier

__all__ = ["Holding", "PositionBook", "multiplier", "split_exec_id"]

_ZERO = Decimal(0)
_EARLY = 1000  # TWS tells a fee within a second of its fill; of fills that are refused the fee waits for ever


@lru_cache(maxsize=1024)  # a fill is split some eight times in a row; more of them at once are rare
def split_exec_id(exec_id: str) -> tuple[str, int]:
    """An exec id without its last part, and that part's number: the fill, and which version of it.

    An id whose last part is no number, or that has no parts, is a fill of its own in version 0.
    """
    base, dot, last = exec_id.rpartition(".")
    if not dot or not base or not (last.isascii() and last.isdigit()):
        return exec_id, 0
    return base, int(last)


class PositionBook(Struct):
    """The holdings of one book, by account and con_id, and the fees of their fills."""

    holdings: dict[str, Holding] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    """Each fill's holding, by exec id without its last part; inferred fills by their name."""
    fees: dict[str, tuple[int, Commission]] = field(default_factory=dict)
    """Each fill's fee with its version."""
    early: dict[str, tuple[int, Commission]] = field(default_factory=dict)
    """Fees whose fill is not here: the latest ones."""

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

    def exposed(self) -> list[Holding]:
        """The holdings that are not flat, in the order in which they first appeared."""
        return [holding for holding in self.holdings.values() if holding.quantity]

    # -- fills

    def knows(self, execution: Execution) -> bool:
        """Whether this version of the fill, or a later one, is booked."""
        base, revision = split_exec_id(execution.exec_id)
        key = self.where.get(base)
        return key is not None and self.holdings[key].fills[base].revision >= revision

    def has(self, base: str) -> bool:
        """Whether a fill is booked, in whatever version, and not folded: by exec id without its last part."""
        return base in self.where

    def book(
        self, execution: Execution, instead_of: str = "", owner: str = "", strategy: str = ""
    ) -> Decimal:
        """Book a fill or its correction once; the signed change in quantity, 0 for what was known.

        `instead_of` names an inferred fill that this is the truth of: it shrinks by as much. `owner` is the
        intent that it fills, `strategy` whose that is.
        """
        if self.knows(execution):
            return _ZERO
        base, revision = split_exec_id(execution.exec_id)
        key, known = self.key(execution.account, execution.contract.con_id), self.where.get(base)
        holding = self.holding(execution.account, execution.contract)
        if known == key:
            return self._correct(holding, base, execution)
        before = self._take_out(base) if known is not None else _ZERO  # corrected to another account
        move = Move(
            kind=MoveKind.FILL,
            exec_id=execution.exec_id,
            revision=revision,
            owner=owner,
            strategy=strategy,
            time_ns=execution.time_ns,
            quantity=execution.signed_quantity,
            price=execution.price,
        )
        holding.fills[base], self.where[base] = move, key
        if base in self.early:
            self.fees[base] = self.early.pop(base)
        self._settle_fee(holding, base)
        shrunk = self._shrink(instead_of, execution.signed_quantity)
        holding.insert(move)
        return execution.signed_quantity - before - shrunk

    def bust(self, exec_id: str) -> Decimal:
        """Take a fill out, in whatever version it stands; the signed change in quantity."""
        base, _ = split_exec_id(exec_id)
        return -self._take_out(base) if base in self.where else _ZERO

    def owner(self, exec_id: str) -> str:
        """The intent that a fill belongs to; empty when it is none of ours, or unknown."""
        base, _ = split_exec_id(exec_id)
        key = self.where.get(base)
        return self.holdings[key].fills[base].owner if key is not None else ""

    def infer(self, name: str, account: str, contract: Contract, move: Move) -> None:
        """Book an inferred fill under a name of ours, until the true one comes."""
        holding = self.holding(account, contract)
        self.where[name] = self.key(account, contract.con_id)
        holding.fills[name] = move
        holding.insert(move)

    def inferred(self, name: str) -> Move | None:
        """An inferred fill as far as no true one has taken its place."""
        key = self.where.get(name)
        return self.holdings[key].fills[name] if key is not None else None

    # -- fees

    def knows_fee(self, commission: Commission) -> bool:
        """Whether this very fee, or that of a later version of its fill, is booked."""
        base, revision = split_exec_id(commission.exec_id)
        return _covers(self.fees.get(base) or self.early.get(base), revision, commission)

    def charge(self, commission: Commission) -> None:
        """Book the fee of a fill; repeated or overtaken ones change nothing."""
        if self.knows_fee(commission):
            return
        base, revision = split_exec_id(commission.exec_id)
        key = self.where.get(base)
        if key is None:
            self._await(base, (revision, commission))
            return
        self.fees[base] = (revision, commission)
        holding = self.holdings[key]
        if self._settle_fee(holding, base):
            holding.changed(holding.fills[base])

    def net_pnl(self, holding: Holding) -> Decimal:
        """Realised profit less all fees paid so far, those of what is still held included."""
        return holding.realized_pnl - holding.fees

    # -- moves without a fill

    def open_with(self, account: str, contract: Contract, quantity: Decimal, price: Decimal) -> None:
        """What was held before the first fill; fills are reckoned on top of it."""
        move = Move(kind=MoveKind.OPENING, time_ns=-1, quantity=quantity, price=price)
        self.holding(account, contract).insert(move)

    def adjust(self, account: str, contract: Contract, move: Move) -> None:
        """A change without a fill: a transfer, an assignment, an expiry, a split. The move is copied."""
        self.holding(account, contract).insert(replace(move))

    # -- what is kept no longer

    def reaches_before(self, instant_ns: int) -> bool:
        """Whether a move is kept that happened before an instant."""
        return any(each.moves and each.moves[0].time_ns < instant_ns for each in self.holdings.values())

    def fold(self, before_ns: int) -> list[Move]:
        """Keep of all that happened before an instant what it came to; the moves that are gone."""
        gone = []
        for holding in self.holdings.values():
            for move in holding.fold(before_ns):
                name = move.exec_id if move.kind is MoveKind.INFERRED else split_exec_id(move.exec_id)[0]
                if name in holding.fills:
                    del holding.fills[name], self.where[name]
                    self.fees.pop(name, None)
                gone.append(move)
        return gone

    # -- what they share

    def _correct(self, holding: Holding, base: str, execution: Execution) -> Decimal:
        """The corrected fill stands where the first one stood: its own time is that of the correction."""
        move = holding.fills[base]
        before = move.quantity
        move.exec_id, move.revision = execution.exec_id, split_exec_id(execution.exec_id)[1]
        move.quantity, move.price = execution.signed_quantity, execution.price
        self._settle_fee(holding, base)
        holding.changed(move)
        return move.quantity - before

    def _settle_fee(self, holding: Holding, base: str) -> bool:
        """Put the known fee on its fill; whether that moves the holding.

        A correction whose fee has not come keeps the fee of what it corrects: the broker tells it again.
        """
        known = self.fees.get(base)
        if known is None:
            return False
        return holding.charge(holding.fills[base], known[1].amount, known[1].currency)

    def _take_out(self, base: str) -> Decimal:
        holding = self.holdings[self.where.pop(base)]
        move = holding.fills.pop(base)
        holding.remove(move)
        fee = self.fees.pop(base, None)
        if fee is not None:  # the fill may come again
            self._await(base, fee)
        return move.quantity

    def _await(self, base: str, fee: tuple[int, Commission]) -> None:
        self.early.pop(base, None)
        while len(self.early) >= _EARLY:
            del self.early[next(iter(self.early))]
        self.early[base] = fee

    def _shrink(self, name: str, quantity: Decimal) -> Decimal:
        """Let an inferred fill give way to so many true shares; the signed quantity that it gave up."""
        move = self.inferred(name) if name else None
        if move is None or (move.quantity > 0) is not (quantity > 0):
            return _ZERO
        given = min(abs(move.quantity), abs(quantity)).copy_sign(quantity)
        if given == move.quantity:
            return self._take_out(name)
        move.quantity -= given
        self.holdings[self.where[name]].changed(move)
        return given


def _covers(known: tuple[int, Commission] | None, revision: int, commission: Commission) -> bool:
    """Whether what is known of a fee is this very one, or that of a later version."""
    return known is not None and (known[0] > revision or known == (revision, commission))
