"""How our books stand beside the broker's, as values: every difference, and every holding. Pure.

`discrepancies` is what `tws status` shows: one value for each thing that does not agree, with what would cure
it. `holdings` is what `tws positions` shows: ours, and what others hold beside it, kept apart. Both read the
state alone, so a journal shows them as well as a running trader does.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from tws.desk.state import DeskState
from tws.desk.turn import Timing
from tws.model.contract import Contract
from tws.model.records import OrderState
from tws.positions.holding import Holding, MoveKind

__all__ = ["Discrepancy", "DiscrepancyKind", "Held", "discrepancies", "holdings", "opening_of"]

_ZERO = Decimal(0)


class DiscrepancyKind(StrEnum):
    """What does not agree."""

    UNREAD = "unread"
    """The broker's answers are not all read since the link came up."""
    POSITION = "position"
    """He states another quantity than the account's fills make."""
    SHORTFALL = "shortfall"
    """Shares of ours are no longer in the account."""
    REFUSED = "refused"
    """He said something that can't be."""
    UNKNOWN_ORDER = "unknown order"
    """What became of an order of ours is not known."""
    OWED_FILL = "owed fill"
    """He claims a fill that no execution has told."""
    INFERRED_FILL = "inferred fill"
    """A fill that we derived; its price is no word of his."""
    CASH = "cash"
    """His cash is not what the account's fills make of it."""
    UNCONFIRMED_OPENING = "unconfirmed opening"
    """An opening balance that no human has confirmed."""
    FOREIGN_ORDER = "foreign order"
    """A working order that is none of ours."""


class Discrepancy(Struct, frozen=True, kw_only=True):
    """One thing that does not agree: what we have, what the broker has, since when, what cures it.

    `cure` begins with "heals:" where the desk proves and sets it right by itself, else it says what a human
    does. `blocks`: no entry on the contract's symbol leaves meanwhile; without a contract none at all.
    """

    kind: DiscrepancyKind
    account: str
    contract: Contract | None = None
    ours: str
    theirs: str
    since_ns: int | None = None
    cure: str
    blocks: bool = False

    @property
    def symbol(self) -> str:
        return self.contract.symbol if self.contract is not None else ""


def discrepancies(state: DeskState, now_ns: int, timing: Timing) -> tuple[Discrepancy, ...]:
    """Everything that does not agree now: what blocks first, the oldest of it first."""
    found = [
        *_unread(state),
        *_positions(state, now_ns, timing),
        *_shortfalls(state),
        *_refusals(state),
        *_orders(state),
        *_inferred(state),
        *_cash(state),
        *_openings(state),
        *_foreign(state),
    ]
    return tuple(sorted(found, key=lambda each: (not each.blocks, each.since_ns or 0)))


def _unread(state: DeskState) -> Iterator[Discrepancy]:
    if state.link_up and state.reconciled_epoch == state.epoch:
        return
    waiting = [str(kind) for kind, asked in state.questions.items() if asked.answered_ns is None]
    said = f"no answer yet: {', '.join(waiting)}" if state.link_up else f"the link is {state.link}"
    yield Discrepancy(
        kind=DiscrepancyKind.UNREAD, account=state.account, ours="what the journal holds", theirs=said,
        since_ns=min((asked.asked_ns for asked in state.questions.values()), default=None), blocks=True,
        cure="heals: all is asked for when the link is up, and again until it is answered")  # fmt: skip


def _positions(state: DeskState, now_ns: int, timing: Timing) -> Iterator[Discrepancy]:
    for key, since_ns in state.differs.items():
        stated = state.stated[key]
        lasts = now_ns - since_ns >= timing.differs_ns
        yield Discrepancy(
            kind=DiscrepancyKind.POSITION, account=stated.account, contract=stated.contract,
            ours=str(state.account_book.quantity(stated.account, stated.contract.con_id)),
            theirs=str(stated.quantity), since_ns=since_ns, blocks=lasts and stated.account == state.account,
            cure="tws adjust: a split, an assignment, an exercise, an expiry or a transfer" if lasts
            else "heals: the fill or the position that belongs to it is on its way")  # fmt: skip


def _shortfalls(state: DeskState) -> Iterator[Discrepancy]:
    for key, missing in state.shortfall.items():
        holding = state.ours.holdings[key]
        yield Discrepancy(
            kind=DiscrepancyKind.SHORTFALL, account=holding.account, contract=holding.contract,
            ours=str(holding.quantity), theirs=str(holding.quantity - missing.copy_sign(holding.quantity)),
            cure="tws adjust --ours-alone: somebody else has closed them", blocks=True)  # fmt: skip


def _refusals(state: DeskState) -> Iterator[Discrepancy]:
    for refused in state.refused.values():
        yield Discrepancy(
            kind=DiscrepancyKind.REFUSED, account=refused.account, contract=refused.contract,
            ours="not booked", theirs=refused.why, since_ns=refused.at_ns,
            cure="heals: when he says it better, or his position agrees without it",
            blocks=refused.account == state.account)  # fmt: skip


def _orders(state: DeskState) -> Iterator[Discrepancy]:
    for order in state.book.exposed():
        if order.missing:
            yield Discrepancy(
                kind=DiscrepancyKind.OWED_FILL, account=state.account, contract=order.contract,
                ours=f"{order.intent_id} filled {order.filled}", theirs=f"filled {order.claimed}",
                since_ns=order.changed_ns,
                cure="heals: by its execution, else inferred when his position agrees")  # fmt: skip
        if order.state is OrderState.UNKNOWN:
            yield Discrepancy(
                kind=DiscrepancyKind.UNKNOWN_ORDER, account=state.account, contract=order.contract,
                ours=f"{order.intent_id} unknown: {order.cause}", theirs="not heard",
                since_ns=order.changed_ns, blocks=True,
                cure="heals: he is asked until he names it, or two rounds of answers do not")  # fmt: skip


def _inferred(state: DeskState) -> Iterator[Discrepancy]:
    for record in (each for records in state.inferred.values() for each in records):
        move = state.ours.inferred(record.name)
        if move is not None:
            yield Discrepancy(
                kind=DiscrepancyKind.INFERRED_FILL, account=record.account, contract=record.contract,
                ours=f"{record.intent_id} {move.quantity} at {move.price} ({record.priced})",
                theirs="no execution", since_ns=record.at_ns,
                cure="heals: by the true execution; else compare it with the statement")  # fmt: skip


def _cash(state: DeskState) -> Iterator[Discrepancy]:
    for key, cash in state.cash.items():
        account, _, currency = key.rpartition("/")
        if cash.lasts:
            yield Discrepancy(
                kind=DiscrepancyKind.CASH,
                account=account,
                since_ns=cash.since_ns,
                ours=f"{cash.stated - cash.difference} {currency}",
                theirs=f"{cash.stated} {currency}",
                cure="tws adjust --cash, when it is interest, a dividend, a deposit or a settlement",
            )


def _openings(state: DeskState) -> Iterator[Discrepancy]:
    for holding in state.account_book.holdings.values():
        opening = opening_of(holding)
        if opening and holding.account not in state.confirmed:
            yield Discrepancy(
                kind=DiscrepancyKind.UNCONFIRMED_OPENING, account=holding.account, contract=holding.contract,
                ours="read, not confirmed", theirs=str(opening),
                cure="tws adjust --opening, with a name and a reason")  # fmt: skip


def _foreign(state: DeskState) -> Iterator[Discrepancy]:
    for seen in state.foreign.values():
        order = seen.order
        yield Discrepancy(
            kind=DiscrepancyKind.FOREIGN_ORDER, account=order.account, contract=order.contract, ours="none",
            theirs=f"{order.side} {order.quantity} {order.order_type} of client {order.client_id}",
            since_ns=seen.at_ns, cure="none needed, it is left alone: adopt it, or cancel it in TWS"
        )  # fmt: skip


# -- what is held


class Held(Struct, frozen=True, kw_only=True):
    """One contract in one account. Quantities signed; money in `contract.currency`, net of fees as TWS states
    it; `realized` counts from the journal's beginning.
    """

    account: str
    contract: Contract
    ours: Decimal
    others: Decimal
    """What the account holds beside ours: by hand, by other programs, from before us."""
    stated: Decimal | None
    """The broker's own word; None before he gave one."""
    opening: Decimal
    """The part that was there before the first fill that we know of."""
    confirmed: bool
    average_cost: Decimal
    """Of ours; 0 when we hold none."""
    realized: Decimal
    other_fees: dict[str, Decimal]
    inferred: bool
    """A fill of ours is inferred: quantity proven, price not."""


def holdings(state: DeskState) -> tuple[Held, ...]:
    """All that is or was held, in every account of the login, in the order of its first appearance."""
    keys = dict.fromkeys((*state.account_book.holdings, *state.ours.holdings))
    return tuple(_held(state, key) for key in keys)


def _held(state: DeskState, key: str) -> Held:
    ours, theirs = state.ours.holdings.get(key), state.account_book.holdings.get(key)
    known = ours if ours is not None else theirs
    assert known is not None
    stated = state.stated.get(key)
    quantity = ours.quantity if ours is not None else _ZERO
    return Held(
        account=known.account, contract=known.contract, ours=quantity,
        others=(theirs.quantity if theirs is not None else _ZERO) - quantity,
        stated=stated.quantity if stated is not None else None,
        opening=opening_of(theirs) if theirs is not None else _ZERO,
        confirmed=known.account in state.confirmed,
        average_cost=ours.average_cost if ours is not None else _ZERO,
        realized=ours.realized_net if ours is not None else _ZERO,
        other_fees=dict(ours.other_fees) if ours is not None else {},
        inferred=ours is not None and (
            ours.carried.inferred or any(move.kind is MoveKind.INFERRED for move in ours.moves)),
    )  # fmt: skip


def opening_of(holding: Holding) -> Decimal:
    """The part of a holding that was there before the first fill that we know of."""
    opening = holding.carried.opening
    for move in holding.moves:
        if move.kind is not MoveKind.OPENING:
            break  # openings stand before all else
        opening += move.quantity
    return opening
