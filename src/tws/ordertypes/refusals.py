"""All local refusals, and the one function that tries them."""

from __future__ import annotations

from tws.errors import BadOrderError
from tws.model.contract import Contract
from tws.model.fullorder import FullOrder
from tws.ordertypes.algorules import ALGO_RULES
from tws.ordertypes.plainrules import PLAIN_RULES
from tws.ordertypes.rule import Rule
from tws.ordertypes.specialrules import SPECIAL_RULES

__all__ = ["RULES", "checked"]

RULES: tuple[Rule, ...] = PLAIN_RULES + SPECIAL_RULES + ALGO_RULES
"""docs/design/builders.md shows this table; a test holds the two equal, and has a case for each."""


def checked(order: FullOrder, contract: Contract | None = None) -> FullOrder:
    """The order itself. Raises BadOrderError for the first thing that TWS is known to refuse.

    Every builder ends with it; `place_order` asks once more, with the contract.
    """
    for rule in RULES:
        reason = rule.fault(order, contract)
        if reason:
            raise BadOrderError(rule.attribute, reason, rule.cure, rule.code)
    return order
