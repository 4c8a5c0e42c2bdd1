"""What each strategy has made: its own moves, taken out of our book and reckoned as the book reckons.

A move belongs to the strategy whose trade its order is of. One strategy owns a contract per account
(docs/design/strategies.md), so what no trade claims (an end-of-day flatten, a split) belongs to the strategy
that had moved the contract last before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from tws.desk import DeskState
from tws.orders.book import OurOrder
from tws.positions.carried import Carried, Part, strategy_of
from tws.positions.holding import Holding, Move, MoveKind

__all__ = ["Earned", "earned", "owner_of"]


class Earned(Struct, frozen=True, kw_only=True):
    """What a strategy made of one contract, since the journal began, in the contract's currency.

    `realized` is after the fees of what was closed, `open_cost` what is still held was bought for (signed,
    its fees included), so that profit at a price is `quantity * price * multiplier - open_cost`.
    """

    symbol: str
    currency: str
    fills: int
    quantity: Decimal
    realized: Decimal
    fees: Decimal
    open_cost: Decimal


def owner_of(state: DeskState, intent_id: str) -> tuple[OurOrder | None, str]:
    """An order of ours, finished ones too, and the strategy whose trade it is of; "" where none is named."""
    order = state.book.get(intent_id)
    if order is not None:
        return order, state.strategy_of(order)
    bundle = state.shelf.look(state.shelf.key_of(intent_id, 0))
    order = next((each for each in bundle.orders if each.intent_id == intent_id), None)
    return order, bundle.group.strategy if bundle.group is not None else ""


def moves_of(holding: Holding, strategy: str) -> Iterator[Move]:
    """The moves of a holding that belong to a strategy, in the order of their time; those that are kept."""
    last = holding.carried.strategy
    for move in holding.moves:
        if move.kind is MoveKind.OPENING:
            continue
        last = strategy_of(move, last)
        if last == strategy:
            yield move


def earned(state: DeskState, strategy: str) -> list[Earned]:
    """What a strategy has made, contract by contract. Costs a look at each move that the book keeps."""
    found = []
    for holding in state.ours.holdings.values():
        part = holding.carried.parts.get(strategy, Part())
        before = Carried(balance=part.balance)
        own = Holding(account=holding.account, contract=holding.contract, carried=before)
        for move in moves_of(holding, strategy):
            own.insert(replace(move))
        fills = [move for move in own.moves if move.kind in (MoveKind.FILL, MoveKind.INFERRED)]
        if own.moves or strategy in holding.carried.parts:
            found.append(
                Earned(
                    symbol=holding.contract.symbol,
                    currency=holding.contract.currency,
                    fills=part.fills + len(fills),
                    quantity=own.quantity,
                    realized=own.realized_net,
                    fees=sum((move.fee for move in fills), part.fees),
                    open_cost=own.net_cost,
                )
            )
    return found
