"""What no execution, position or fee can say: such a fact is refused with a sentence, and booked nowhere.

A number that is none (NaN, infinity) stops at the connection already (`model.instrument.decimal`); these
checks stand before the books all the same, since a book that holds a NaN compares with nothing ever after.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from tws.model.account import Position
from tws.model.contract import Contract
from tws.model.execution import Commission, Execution

__all__ = ["fault_of_commission", "fault_of_contract", "fault_of_execution", "fault_of_position"]

_MAY_BE_NEGATIVE = frozenset({"BAG", "FUT", "FOP", "CFD"})
"""Types whose price may lie below zero: combos by nature (official), futures and what follows them since
April 2020 (reported: CME's WTI contract). That no share or option does is assumed."""

_MOST = Decimal("1E15")
"""More than any position or price: the same bound as `model.marketrule.FARTHEST`."""


def fault_of_contract(contract: Contract) -> str:
    """Why nothing can be reckoned in it; empty when it can."""
    if not contract.con_id:
        return "its contract has no con_id"
    text = contract.multiplier.strip()
    try:
        value = Decimal(text) if text else Decimal(1)
    except InvalidOperation:
        value = Decimal("NaN")
    if value.is_finite() and 0 < value <= _MOST:
        return ""
    return f"its contract's multiplier is {text!r}, no number above 0"


def fault_of_execution(execution: Execution) -> str:
    """Why this can be no fill; empty when it can. A correction may set a quantity to 0, a fill is above."""
    if not execution.exec_id:
        return "it has no exec id"
    if not execution.account:
        return "it names no account"
    return (
        fault_of_contract(execution.contract)
        or _wild("its quantity", execution.quantity)
        or _wild("its price", execution.price)
        or _below("its quantity", execution.quantity)
        or _negative(execution.contract, execution.price)
    )


def fault_of_position(position: Position) -> str:
    """Why the broker's list can't mean this; empty when it can. An average cost below 0 is possible: an
    option that was sold for less than its fee.
    """
    if not position.account:
        return "it names no account"
    return (
        fault_of_contract(position.contract)
        or _wild("its quantity", position.quantity)
        or _wild("its average cost", position.average_cost)
    )


def fault_of_commission(commission: Commission) -> str:
    """Why this can be no fee; empty when it can. A fee below zero is a rebate, and ordinary."""
    if not commission.exec_id:
        return "it has no exec id"
    return _wild("its amount", commission.amount)


def _wild(what: str, value: Decimal) -> str:
    if not value.is_finite():
        return f"{what} is {value}"
    return f"{what} is {value}, beyond {_MOST:E}" if abs(value) > _MOST else ""


def _below(what: str, value: Decimal) -> str:
    return f"{what} is {value}, below 0" if value < 0 else ""


def _negative(contract: Contract, price: Decimal) -> str:
    if price >= 0 or contract.sec_type in _MAY_BE_NEGATIVE:
        return ""
    return f"a {contract.sec_type} at {price} is below 0"
