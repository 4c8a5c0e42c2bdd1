"""What an advisor's order filled goes to its clients: told to each, and to the last digit at its cost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.exchange.conftest import Floor

from tws.exchange import CommissionCharged, Executed

D = Decimal
MASTER, ONE, TWO = "DF1", "DU1", "DU2"


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_each_account_is_told_of_its_part_at_its_cost(side: str) -> None:
    floor = Floor(accounts=(MASTER, ONE, TWO))
    floor.place(1, "BUY", 3, account=ONE)
    floor.place(2, side, 7, account=MASTER)
    (done,) = [row.order for row in floor.exchange.completed_orders() if row.order.order_id == 2]
    assert done.fees == 1
    parts = [(ONE, D(4)), (MASTER, D(1)), (TWO, D(2))]
    said = floor.exchange.allotments.share_out(done, parts, floor.now)
    told = [event for event in said if isinstance(event, Executed)]
    word, price = ("BOT", D("100.01")) if side == "BUY" else ("SLD", D("100.00"))
    assert [(row.account, row.side, row.quantity, row.price) for row in told] == [
        (ONE, word, 4, price), (TWO, word, 2, price),
    ]  # fmt: skip
    assert {(row.order_id, row.perm_id, row.client_id) for row in told} == {(2, done.perm_id, 1)}
    fees = [event for event in said if isinstance(event, CommissionCharged)]
    assert [fee.exec_id for fee in fees] == [row.exec_id for row in told]
    assert sum(fee.amount for fee in fees) == 1 - (D(1) / 7).quantize(D("1E-8"))
    assert (fees[0].realized_pnl is None) == (side == "BUY"), "who sells what it holds has a profit"
    sign = 1 if side == "BUY" else -1
    assert [floor.position(account=name) for name in (MASTER, ONE, TWO)] == [sign, 3 + 4 * sign, 2 * sign]
    ledgers = floor.exchange._core.ledgers
    assert ledgers[MASTER].holdings[floor.SPY].realized == 0
    for ledger in ledgers.values():
        moved = sum(ledger.cash.values()) - sum(ledger.deposits.values())
        assert moved == sum(one.realized - one.cost for one in ledger.holdings.values())
    assert sum(ledger.fees["USD"] for ledger in ledgers.values()) == 2
    kept = [row.executed.exec_id for row in floor.exchange.executions()]
    assert kept[-2:] == [row.exec_id for row in told]
