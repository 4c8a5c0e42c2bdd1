"""Which trades hold what orders outside any trade closed: a flatten's, or a user's own.

`hand_back`: what a flatten could not close goes back to its trades, which guard it again.

A flatten closes with orders of its own, so its trades still count as theirs what it has closed. When it
ends NOT FLAT, what is left is divided among them: what was closed is taken from the newest trade first, as
`DeskState.in_account` reckons what is missing, and a trade from which more was taken than it held is made
good by the others. A stop for more than is left would open the other way, and reduce-only would refuse it.

`charge`: a fill of such an order while no flatten has the symbol in hand (after the flatten was over, or of a
close that the user placed) is taken from the trades that it closes. What it took beyond them, the newest of
those trades has taken too much, open or over: it is looked after again, and gives the excess back.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tws.desk.state import Group
from tws.desk.turn import Turn
from tws.model.contract import Contract
from tws.model.records import FlattenPhase, HandedBack

__all__ = ["charge", "hand_back"]

_RESTS = (FlattenPhase.ARMED, FlattenPhase.NOT_FLAT)

_ZERO = Decimal(0)


def hand_back(turn: Turn, trades: list[Group], left: Mapping[int, Decimal]) -> None:
    """`left`: the signed shares of each contract that the flatten did not close."""
    for con_id in dict.fromkeys(group.contract.con_id for group in trades):
        mine = [group for group in trades if group.contract.con_id == con_id]
        before = [turn.state.held(group) * group.side.sign for group in mine]
        after = _divided(mine, before, left.get(con_id, _ZERO))
        for group, old, new in zip(mine, before, after, strict=True):
            if new != old:
                turn.emit(HandedBack(at_ns=turn.now_ns, group_id=group.group_id,
                                     moved=(new - old) * group.side.sign))


def charge(turn: Turn, contract: Contract, quantity: Decimal, *, excess: bool = True) -> None:
    """An order outside any trade has moved our shares by `quantity`, signed. Without `excess` what lies
    beyond the trades that it closes is no trade's: shares that an exercise brings.
    """
    state = turn.state
    job = state.flattens.get(contract.symbol)
    if not quantity or (job is not None and not job.strategy and job.phase not in _RESTS):
        return  # the flatten sees to it when it ends
    trades = [group for group in state.groups.values() if group.contract.con_id == contract.con_id]
    trades.sort(key=lambda group: group.group_id in state.open_groups)  # those that are guarded give first
    held = [state.held(group) * group.side.sign for group in trades]
    loose = [state.net(contract) - quantity - sum(held, _ZERO)]  # what no trade held of ours goes before
    after = list(held)
    beyond = quantity + _take(loose, -quantity)
    beyond += _take(after, -beyond)
    fit = [at for at, group in enumerate(trades) if group.settled or group.group_id in state.open_groups]
    closed = [at for at in fit if trades[at].side.sign * quantity < 0] or fit
    if beyond and closed and excess:
        after[closed[-1]] += beyond
    for group, old, new in zip(trades, held, after, strict=True):
        if new != old:
            turn.emit(HandedBack(at_ns=turn.now_ns, group_id=group.group_id,
                                 moved=(new - old) * group.side.sign))


def _divided(trades: list[Group], before: list[Decimal], left: Decimal) -> list[Decimal]:
    """What each trade holds of `left`, signed; oldest first, like `before`, what each held."""
    after = list(before)
    for at, group in enumerate(trades):
        if after[at] * group.side.sign < 0:  # more was taken from it than it held
            after[at] += _take(after, -after[at])
    _take(after, sum(after, _ZERO) - left)
    return after


def _take(after: list[Decimal], wanted: Decimal) -> Decimal:
    """Take so many signed shares from those that hold on that side, newest first; how many it could."""
    missing = wanted
    for at in reversed(range(len(after))):
        if after[at] * missing > 0:
            part = min(abs(after[at]), abs(missing)).copy_sign(missing)
            after[at] -= part
            missing -= part
    return wanted - missing
