"""What an approval stands on: every limit that is a figure, as it was when the order was let out.

    measure(proposal, situation, limits)      {"max_position": ("110", "500"), "max_order_quantity": ...}

The gate's answer to an order that passes is no more than None; this is asked once it has passed, so that
`tws explain` can say how near each limit was, for an approval as well as for a denial. What is no figure (the
live lock, the allow-list, the market rule) has held too, or nothing would have been approved.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from tws.model.order import Role
from tws.risk.controls import CONTROLS
from tws.risk.limits import Limits
from tws.risk.situation import Proposal, Situation

__all__ = ["measure"]

_PLACES = 6
"""Of a figure: a collar of a hundredth of a basis point is more than anybody reads."""

_MEASURED = tuple(each for each in CONTROLS if each.figure is not None and each.bound is not None)


def measure(proposal: Proposal, situation: Situation, limits: Limits) -> Mapping[str, tuple[str, str]]:
    """Figure and bound by the limit's name; limits that are off are left out. An entry has those of entries,
    an exit its size beside that of what it may close at most.
    """
    if proposal.role is not Role.ENTRY:
        most = proposal.parent_quantity
        return {} if most is None else {"children": (_text(proposal.order.quantity), _text(most))}
    found = {}
    for control in _MEASURED:
        assert control.figure is not None and control.bound is not None
        bound = control.bound(limits)
        if bound is not None:
            figure = control.figure(proposal, situation, limits)
            found[control.name] = ("unknown" if figure is None else _text(figure), _text(bound))
    return found


@lru_cache(maxsize=1024)  # bounds are the same at each approval, and so are most figures
def _text(value: Decimal) -> str:
    short = round(value, _PLACES).normalize()
    return f"{short:f}" if short else "0"
