"""A permit is minted by a gate, for one order exactly, and opens once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tws.errors import OrderDeniedError
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.order import Order, OrderType, Side
from tws.risk import Gate, Limits, Permit, StandaloneGate
from tws.risk.permit import FramePermit, Mint

SPY = Contract(con_id=756733, symbol="SPY")
ORDER = Order(side=Side.BUY, quantity=Decimal(100), account="DU1", order_ref="t-1")


def approved(order: Order = ORDER, cap: int = 100, revision: int = 0) -> tuple[Gate, Permit]:
    gate = Gate(Limits())
    gate.approve(("t-1", revision), 7, SPY, order, Decimal(cap))
    permit = gate.mint(("t-1", revision))
    assert permit is not None
    return gate, permit


def test_it_opens_once() -> None:
    gate, permit = approved()
    assert gate.redeem(permit, 7, SPY, ORDER) is None
    again = gate.redeem(permit, 7, SPY, ORDER)
    assert again is not None and again.limit == "permit"


def test_an_approval_is_minted_once() -> None:
    gate, _ = approved()
    assert gate.mint(("t-1", 0)) is None
    assert gate.mint(("t-2", 0)) is None


@pytest.mark.parametrize(
    ("order_id", "contract", "order"),
    [
        (8, SPY, ORDER),
        (7, replace(SPY, con_id=1), ORDER),
        (7, replace(SPY, exchange="IEX"), ORDER),
        (7, SPY, replace(ORDER, quantity=Decimal(101))),
        (7, SPY, replace(ORDER, quantity=Decimal(99))),
        (7, SPY, replace(ORDER, side=Side.SELL)),
        (7, SPY, replace(ORDER, order_type=OrderType.LIMIT, limit_price=Decimal(1))),
        (7, SPY, replace(ORDER, account="DU2")),
        (7, SPY, replace(ORDER, transmit=False)),
    ],
)
def test_it_opens_nothing_else_and_is_used_up_by_trying(
    order_id: int, contract: Contract, order: Order
) -> None:
    gate, permit = approved()
    denial = gate.redeem(permit, order_id, contract, order)
    assert denial is not None and denial.limit == "permit"
    assert gate.redeem(permit, 7, SPY, ORDER) is not None


def test_more_than_the_intent_is_never_sent() -> None:
    gate, permit = approved(cap=99)
    denial = gate.redeem(permit, 7, SPY, ORDER)
    assert denial is not None and denial.limit == "children"


def test_it_can_not_be_made_by_hand() -> None:
    with pytest.raises(OrderDeniedError, match="only a gate"):
        Permit(object(), 7, SPY, ORDER, intent_id="t-1", cap=Decimal(100), modifies=False)


def test_a_forged_or_copied_one_opens_nothing() -> None:
    gate, permit = approved()
    forged: Any = object.__new__(Permit)
    for name in ("order_id", "contract", "order", "intent_id", "cap", "modifies"):
        setattr(forged, name, getattr(permit, name))
    assert gate.redeem(forged, 7, SPY, ORDER) is not None
    assert gate.redeem(permit, 7, SPY, ORDER) is None


def test_one_gate_does_not_take_anothers() -> None:
    gate, _ = approved()
    _, permit = approved()
    assert gate.redeem(permit, 7, SPY, ORDER) is not None


def test_a_revision_modifies() -> None:
    assert not approved()[1].modifies
    assert approved(revision=1)[1].modifies


def test_the_mint_is_bounded_and_the_oldest_permit_dies() -> None:
    mint = Mint(capacity=2)
    permits = [
        mint.issue(number, SPY, ORDER, intent_id="t", cap=Decimal(100), modifies=False) for number in range(3)
    ]
    assert mint.redeem(permits[0], 0, SPY, ORDER) is not None
    assert mint.redeem(permits[2], 2, SPY, ORDER) is None


def test_the_standalone_gate_mints_for_what_it_judged() -> None:
    gate = StandaloneGate(Limits(), port=7497, account="DU1")
    order = replace(ORDER, order_type=OrderType.LIMIT, limit_price=Decimal(10))
    permit = gate.permit(7, Instrument(contract=SPY), order)
    assert isinstance(permit, Permit)
    assert gate.redeem(permit, 7, SPY, order) is None
    assert gate.redeem(permit, 7, SPY, order) is not None


def test_a_permit_for_bytes_opens_once_and_for_its_own_bytes() -> None:
    gate = StandaloneGate(Limits(), port=7400)
    permit, other = gate.permit_frame(b"exercise"), StandaloneGate(Limits(), port=7400)
    foreign = other.redeem_frame(permit, b"exercise")
    assert foreign is not None and foreign.limit == "permit"
    assert gate.redeem_frame(permit, b"exercise") is None
    assert gate.redeem_frame(permit, b"exercise") is not None
    differs = gate.redeem_frame(gate.permit_frame(b"exercise"), b"exercise more")
    assert differs is not None and differs.figure == "other bytes"
    with pytest.raises(OrderDeniedError):
        FramePermit(object(), b"exercise")


def test_a_permit_of_one_kind_is_none_of_the_other() -> None:
    gate = StandaloneGate(Limits(), port=7400)
    assert gate.redeem(gate.permit_frame(b"exercise"), 7, SPY, ORDER) is not None  # type: ignore[arg-type]
