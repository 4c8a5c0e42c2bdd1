"""What the tests of the emergency stop share: a held position, wishes, the broker's answers, the report."""

from __future__ import annotations

from decimal import Decimal

from tws.desk import Place, SubmitBracket, SubmitOrder, kill_report
from tws.model.contract import Contract
from tws.model.facts import BrokerOrder
from tws.model.instrument import Instrument
from tws.model.order import Role, Side, bracket
from tws.model.stop import EVERYTHING, KillState, Scope, ScopeKind

SPY = Contract(con_id=756733, symbol="SPY")
AAPL = Contract(con_id=265598, symbol="AAPL")
SPY_ONLY = Scope(kind=ScopeKind.SYMBOL, name="SPY")


def hold(bench, quantity: int = 100, contract: Contract = SPY, strategy: str = ""):
    """A long position with a working stop and target."""
    bench.quote(contract=contract)
    bench.tell(
        SubmitBracket(
            bracket=bracket(contract, "BUY", quantity, stop=98, target=104, strategy=strategy),
            instrument=Instrument(contract=contract),
        )
    )
    entry, target, stop = (bench.order(place.intent_id) for place in bench.written())
    for order, status in ((entry, "Submitted"), (target, "PreSubmitted"), (stop, "PreSubmitted")):
        bench.pair(order, status)
    bench.fill(entry, quantity)
    for order in (target, stop):
        bench.pair(order, "Submitted" if order is target else "PreSubmitted")
    return type("Held", (), {"entry": entry, "target": target, "stop": stop})


def sell(
    quantity: int, role: Role = Role.ENTRY, side: Side = Side.SELL, contract: Contract = SPY
) -> SubmitOrder:
    return SubmitOrder(
        instrument=Instrument(contract=contract), side=side, quantity=Decimal(quantity), role=role
    )


def by_hand() -> BrokerOrder:
    """An order that a human placed in TWS."""
    return BrokerOrder(
        order_id=0,
        perm_id=77,
        client_id=0,
        account="DU1234567",
        contract=AAPL,
        side="BUY",
        quantity=Decimal(5),
        order_type="LMT",
        limit_price=Decimal(90),
        stop_price=None,
        status="Submitted",
        tif="DAY",
        order_ref="",
        parent_id=0,
        completed=False,
        filled=None,
    )


def end_exits(bench, *trades) -> None:
    for trade in trades:
        for order in (trade.target, trade.stop):
            if order.live:
                bench.pair(order, "Cancelled", remaining=0)


def close(bench, *positions) -> list[Place]:
    """Answer the re-reading, report the closing orders as written. A question that was on its way before the
    flatten began (a reconciliation's) does not count: it is put again.
    """
    bench.answer(positions=positions)
    placed = bench.written()
    if not placed:
        bench.answer(positions=positions)
        placed = bench.written()
    return list(placed)


def state_of(bench, scope: Scope = EVERYTHING) -> KillState:
    stop = bench.desk.state.kill.stops.get(scope.key)
    return stop.state if stop is not None else KillState.ACTIVE


def report(bench, scope: Scope = EVERYTHING):
    return kill_report(bench.desk.state, bench.now, scope)
