"""Typed builders for every order type, attribute, condition and algorithm of IB, checked locally.

    from tws import ordertypes as ot

    order = ot.adaptive(ot.limit("BUY", 100, 99.5), "Patient")
    order = ot.conditional(order, ot.price_above(spy, 560) | ot.time_after("20261201 15:00:00 US/Eastern"))
    connection.place_order(contract, order)

    plain.py       at the market, at a limit, behind a stop or a touch, in the auctions
    pegged.py      what follows the quote, a stock, a benchmark, a volatility
    changes.py     what may be added to an order
    conditions.py  what an order may wait for
    algos.py       what works it at IB
    combos.py      the contract of a combination
    refusals.py    what is known to be refused; rule.py says on what authority

Each gives a `FullOrder` and raises BadOrderError for what TWS is known to refuse. docs/design/builders.md
lists them all. Pure.
"""

from __future__ import annotations

from tws.errors import BadOrderError
from tws.model.algos import Algo
from tws.model.attributes import (
    Attributes,
    Benchmark,
    Clearing,
    Compliance,
    DeltaNeutral,
    PegOffsets,
    Scale,
)
from tws.model.conditions import Conditions
from tws.model.contract import ComboLeg
from tws.model.fullorder import FullOrder, full_order
from tws.ordertypes import algos, changes, combos, conditions, pegged, plain
from tws.ordertypes.algos import *  # noqa: F403
from tws.ordertypes.build import Common
from tws.ordertypes.changes import *  # noqa: F403
from tws.ordertypes.combos import *  # noqa: F403
from tws.ordertypes.conditions import *  # noqa: F403
from tws.ordertypes.pegged import *  # noqa: F403
from tws.ordertypes.plain import *  # noqa: F403
from tws.ordertypes.refusals import RULES, checked

__all__ = [
    "RULES",
    "Algo",
    "Attributes",
    "BadOrderError",
    "Benchmark",
    "Clearing",
    "ComboLeg",
    "Common",
    "Compliance",
    "Conditions",
    "DeltaNeutral",
    "FullOrder",
    "PegOffsets",
    "Scale",
    "checked",
    "full_order",
]
__all__ += plain.__all__
__all__ += pegged.__all__
__all__ += changes.__all__
__all__ += conditions.__all__
__all__ += algos.__all__
__all__ += combos.__all__
