"""How far every limit is, for `tws risk` and the dashboard: the account's once, the others by contract.

`report(desk, now_ns)` looks and moves nothing. It measures each contract that we hold or work, by the limits
in force, narrowed to the account and the symbol (a strategy's own bounds hold besides, for its orders alone).
"""

from __future__ import annotations

from tws.desk.desk import Desk
from tws.desk.limits import limits_in_force
from tws.desk.submit import situation
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.order import Side
from tws.risk.distance import Distance, distances

__all__ = ["report"]


def report(desk: Desk, now_ns: int) -> list[Distance]:
    """Each limit that is a figure, for the account and for each contract that we hold or work."""
    turn = desk.look(now_ns)
    found: list[Distance] = []
    for number, contract in enumerate(_contracts(desk)):
        where = {side: situation(turn, contract, side) for side in Side}
        limits = desk.gate.limits_of(limits_in_force(turn), desk.state.account, contract.symbol, "")
        found += distances(Instrument(contract=contract), where, limits, account_wide=number == 0)
    return found


def _contracts(desk: Desk) -> list[Contract]:
    """Those that we hold or work; where there are none, a contract that is none stands for the account."""
    state = desk.state
    live = [each.contract for each in state.totals.contracts.values() if each.parts]
    held = [each.contract for each in state.ours.exposed() if each.account == state.account]
    found = {each.con_id: each for each in (*live, *held)}
    return list(found.values()) or [Contract()]
