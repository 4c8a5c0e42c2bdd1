"""How far each limit is: its figure now, its bound, and the part of the bound that is used.

    for each in distances(instrument, situation, limits): print(each.name, each.figure, each.bound, each.part)

Measured for an order of nothing on both sides, of which the fuller counts: what is shown is what the next
order would be judged by. A limit of one order (its shares, its money) stands at 0; one that is off has no
bound.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from tws.model.instrument import Instrument
from tws.model.order import Order, Role, Side
from tws.risk.controls import CONTROLS, Control, Reach
from tws.risk.limits import Limits
from tws.risk.situation import Proposal, Situation

__all__ = ["Distance", "distances"]

_ZERO = Decimal(0)
_ONE = Decimal(1)


class Distance(Struct, frozen=True, kw_only=True):
    """One limit now. `about` is the symbol or the account that it is measured for.

    `figure` None: it can't be known (no price), and an entry would be denied. `bound` None: the limit is off.
    """

    name: str
    reach: Reach
    about: str
    figure: Decimal | None
    bound: Decimal | None
    latched: bool = False

    @property
    def part(self) -> Decimal | None:
        """The part of the bound that is used: 1 at the bound, more beyond; None where there is no figure."""
        if self.figure is None or self.bound is None:
            return None
        if self.bound == 0:
            return _ZERO if self.figure == 0 else _ONE
        return self.figure / self.bound


def distances(
    instrument: Instrument, where: dict[Side, Situation], limits: Limits, *, account_wide: bool = True
) -> list[Distance]:
    """Each limit that is a figure, for one contract, at the fuller of its two sides.

    `where` holds the situation for either side; without `account_wide` only what is the contract's own.
    """
    found = []
    for control in CONTROLS:
        if control.figure is None or control.bound is None:
            continue
        if control.reach is Reach.ACCOUNT and not account_wide:
            continue
        found.append(_fuller(control, instrument, where, limits))
    return found


def _fuller(
    control: Control, instrument: Instrument, where: dict[Side, Situation], limits: Limits
) -> Distance:
    assert control.figure is not None and control.bound is not None
    one = next(iter(where.values()))
    figures = [control.figure(_nothing(instrument, side, situation.account), situation, limits)
               for side, situation in where.items()]
    known = [figure for figure in figures if figure is not None]
    return Distance(
        name=control.name,
        reach=control.reach,
        about=one.account if control.reach is Reach.ACCOUNT else instrument.contract.symbol,
        figure=max(known) if len(known) == len(figures) else None,
        bound=control.bound(limits),
        latched=control.name in one.latches,
    )


def _nothing(instrument: Instrument, side: Side, account: str) -> Proposal:
    """An order of no shares, for which nothing would be sent."""
    order = Order(side=side, quantity=_ZERO, account=account)
    return Proposal(instrument=instrument, order=order, role=Role.ENTRY, messages=0)
