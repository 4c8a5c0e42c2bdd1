"""Our money beside the broker's, to the cent: profit, cost, fees and cash, and a reckoning that is neither's.

The exchange's ledger has its own arithmetic, and the third reckoning (`tests.positions.integers`, and what
came in less what went out) is fed with the broker's executions alone; a complaint tells which stands apart.
What a human or an inference explained has a price that nobody traded at: such a holding is left out, and the
cash with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from tests.positions.integers import FINE, IntegerHolding
from tests.world.witness import OURS

from tws.desk import DeskState
from tws.exchange import Exchange, ExecutionReport, PositionRow
from tws.positions import Holding, PositionBook, split_exec_id
from tws.positions.cash import cash_moved
from tws.positions.holding import MoveKind

__all__ = ["cash_of", "check_money"]

CENT = Decimal("0.01")
TICK = Decimal("0.01")
_ZERO = Decimal(0)


def cash_of(exchange: Exchange, account: str) -> Decimal:
    """The broker's figure, in dollars: nothing here is traded in another currency."""
    rows = exchange.account_values(account)
    return next(Decimal(row.value) for row in rows if (row.key, row.currency) == ("CashBalance", "USD"))


def check_money(exchange: Exchange, state: DeskState, opening: Decimal, met: Counter[str]) -> list[str]:
    """Both books against the ledger and the executions, as far as the desk has heard of them. `opening`: the
    cash at first; `met`: the faults of TWS.
    """
    found, whole = [], not met["deposit"]
    for row in exchange.positions(state.account):
        reports = [each for each in exchange.executions() if each.executed.con_id == row.con_id]
        ours = [each for each in reports if each.executed.client_id == OURS]
        for name, book, fills, ledger in (
            ("the account's", state.account_book, reports, _ledger(row, met)),
            ("our", state.ours, ours, None),
        ):
            holding = book.holdings.get(book.key(state.account, row.con_id))
            if holding is None or not _is_traded(holding, fills, book):
                whole = whole and not fills and (holding is None or not holding.moves)
                continue
            found += [f"{name} book of {row.con_id}: {text}"
                      for text in _compare(holding, book, fills, ledger)]
    moved = cash_moved(state.account_book, state.account).get("USD", _ZERO)
    true = cash_of(exchange, state.account) - opening
    if whole and abs(moved - true) > CENT / 2:
        found.append(f"cash moved by {moved} in our books, by {true} at the broker")
    return found


def _ledger(row: PositionRow, met: Counter[str]) -> PositionRow | None:
    """The ledger's row, where fills and splits alone have moved it. What is corrected after a split is booked
    at the cost of that moment (mishaps.py), since the fills no longer make what is held.
    """
    return None if met["transfer"] or (met["split"] and met["execution-correction"]) else row


def _is_traded(holding: Holding, reports: Sequence[ExecutionReport], book: PositionBook) -> bool:
    """Fills made it, those that the broker knows, each with its fee; and splits, which move no money."""
    ids = {report.executed.exec_id for report in reports}
    return (
        all(move.kind in (MoveKind.FILL, MoveKind.SPLIT) for move in holding.moves)
        and {move.exec_id for move in holding.fills.values()} == ids
        and all(split_exec_id(exec_id)[0] in book.fees for exec_id in ids)
    )


def _compare(
    holding: Holding, book: PositionBook, reports: Sequence[ExecutionReport], row: PositionRow | None
) -> list[str]:
    fees = sum((report.commission.amount for report in reports), _ZERO)
    figures = [("fees", holding.fees, fees, "the executions")]
    fills = [move.exec_id for move in holding.moves if move.kind is MoveKind.FILL]
    in_order = fills == [each.executed.exec_id for each in reports]
    if row is not None and (in_order or not holding.quantity):
        figures += [
            ("profit", holding.realized_net, row.realized_pnl, "the ledger"),
            ("cost", holding.net_cost, row.average_cost * row.quantity, "the ledger"),
        ]
    if in_order and len(fills) == len(holding.moves):  # an average depends on the order of a second's fills
        third = _third(reports)
        profit = third.gain * TICK / FINE - Decimal(third.fee_gone) / FINE
        cost = third.cost * TICK / FINE + Decimal(third.fee_held) / FINE
        figures += [
            ("profit", holding.realized_net, profit, "whole numbers"),
            ("cost", holding.net_cost, cost, "whole numbers"),
        ]
    elif not holding.quantity:
        figures.append(("profit", holding.realized_net, _flow(reports), "what came in and went out"))
    return [
        f"{what} {ours}, by {whose} {true}"
        for what, ours, true, whose in figures
        if abs(ours - true) > CENT / 2
    ]


def _third(reports: Sequence[ExecutionReport]) -> IntegerHolding:
    third = IntegerHolding()
    for report in reports:
        ticks = int(report.executed.price / TICK)
        third.fill(int(_signed(report)), ticks, int(report.commission.amount * FINE))
    return third


def _flow(reports: Sequence[ExecutionReport]) -> Decimal:
    paid = (_signed(report) * report.executed.price + report.commission.amount for report in reports)
    return -sum(paid, _ZERO)


def _signed(report: ExecutionReport) -> Decimal:
    done = report.executed
    return done.quantity if done.side == "BOT" else -done.quantity
