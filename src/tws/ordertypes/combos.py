"""The contract of a combination: legs that are bought and sold as one."""

from __future__ import annotations

from collections.abc import Iterable

from tws.errors import BadOrderError
from tws.model.contract import ComboLeg, Contract
from tws.model.order import Side

__all__ = ["combination", "leg"]


def leg(contract: Contract, side: Side | str, ratio: int = 1) -> ComboLeg:
    """`ratio` of this contract in each unit of the combination, bought or sold. Raises BadOrderError for one
    without con_id.
    """
    if contract.con_id <= 0 or ratio < 1:
        reason = f"{contract.symbol} has con_id {contract.con_id}, ratio {ratio}"
        raise BadOrderError("contract.combo_legs", reason,
                            "Ask for the contract first (request_contract), and give a ratio from 1 up.", 313)
    return ComboLeg(con_id=contract.con_id, ratio=ratio, side=str(Side(side)), exchange=contract.exchange)


def combination(
    symbol: str, legs: Iterable[ComboLeg], *, exchange: str = "SMART", currency: str = "USD"
) -> Contract:
    """The BAG of these legs: `combination("SPY", [leg(near, "SELL"), leg(far, "BUY")])`."""
    rows = tuple(legs)
    if len(rows) < 2:
        raise BadOrderError("contract.combo_legs", f"{len(rows)} legs", "Give two at least.", 312)
    return Contract(symbol=symbol, sec_type="BAG", exchange=exchange, currency=currency, combo_legs=rows)
