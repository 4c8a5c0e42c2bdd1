"""Sizes: what each kind reckons, and that none exceeds what was asked for."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tws.strategy import (
    Allocation,
    AnySizing,
    Basis,
    Kelly,
    RiskFraction,
    Shares,
    VolatilityTarget,
    quantity_for,
)

D = Decimal
BASIS = Basis(
    price=D(100), risk=D(2), reward=D(4), equity=D(100_000), volatility=0.25, confidence=0.6, lot=D(1)
)


@pytest.mark.parametrize(
    ("sizing", "quantity"),
    [
        (Shares(D(7)), 7),
        (Allocation(D(10_050)), 100),
        (RiskFraction(D("0.01")), 500),  # 1,000 at risk, 2 a share
        (VolatilityTarget(D("0.10")), 400),  # 40% of the equity moves by 25% a year
        (VolatilityTarget(D("0.50")), 1000),  # no more than the equity
        (Kelly(D("0.25"), D("0.5")), 5000),  # 0.6 - 0.4 / 2 = 0.4, a quarter of it is a tenth: 10,000 at risk
        (Kelly(D("0.25"), D("0.02")), 1000),  # the cap
    ],
)
def test_each_kind(sizing: AnySizing, quantity: int) -> None:
    assert quantity_for(sizing, BASIS) == quantity


@pytest.mark.parametrize(
    ("sizing", "basis"),
    [
        (RiskFraction(D("0.01")), replace(BASIS, equity=None)),
        (VolatilityTarget(D("0.1")), replace(BASIS, volatility=None)),
        (VolatilityTarget(D("0.1")), replace(BASIS, volatility=float("nan"))),
        (VolatilityTarget(D("0.1")), replace(BASIS, volatility=0.0)),
        (Kelly(D("0.5"), D("0.1")), replace(BASIS, confidence=0.3)),  # no edge
        (Kelly(D("0.5"), D("0.1")), replace(BASIS, reward=D(0))),
        (Kelly(D("0.5"), D("0.1")), replace(BASIS, equity=None)),
        (Allocation(D(99)), BASIS),
    ],
)
def test_what_is_not_known_gives_no_size(sizing: AnySizing, basis: Basis) -> None:
    assert quantity_for(sizing, basis) == 0


@given(
    confidence=st.floats(0, 1),
    volatility=st.floats(0.001, 5),
    price=st.decimals(1, 1000, places=2),
    risk=st.decimals("0.01", 50, places=2),
    lot=st.sampled_from([D(1), D(100)]),
)
def test_no_size_exceeds_its_bound(
    confidence: float, volatility: float, price: Decimal, risk: Decimal, lot: Decimal
) -> None:
    basis = replace(BASIS, confidence=confidence, volatility=volatility, price=price, risk=risk, lot=lot)
    kelly = quantity_for(Kelly(D("0.5"), D("0.02")), basis)
    assert kelly * risk <= D(2000) and kelly % lot == 0
    target = quantity_for(VolatilityTarget(D("0.1")), basis)
    assert target * price <= D(100_000) and target * price * D(repr(volatility)) <= D("10000.000001")
