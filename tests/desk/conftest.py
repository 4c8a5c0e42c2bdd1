"""A bench for the desk: a clock turned by hand, the broker's words as one-liners, the journal replayed.

Every record goes through its bytes; `check()` compares the live state with one rebuilt from them.
"""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest

from tws.clock import NS_PER_S
from tws.desk import (
    Ask,
    Begin,
    Cancel,
    Desk,
    Place,
    SubmitBracket,
    TimerTick,
    Written,
)
from tws.model.account import Position
from tws.model.contract import Contract
from tws.model.execution import Commission, Execution
from tws.model.facts import (
    Answer,
    AnswerKind,
    BrokerOrder,
    BrokerOrderStatus,
    BrokerReply,
    Link,
    LinkState,
    NextOrderId,
)
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import Order, bracket
from tws.model.records import Alarmed, Denied, decode_record, encode_record
from tws.risk import Gate, Limits

SPY = Contract(con_id=756733, symbol="SPY")
AAPL = Contract(con_id=265598, symbol="AAPL")
T0 = 1_700_000_000 * NS_PER_S
ACCOUNT = "DU1234567"


class Bench:
    def __init__(self, limits: Limits | None = None) -> None:
        # Scenes enter the same twice, and dozens at one instant.
        self.limits = limits or Limits(duplicate_window_s=None, max_messages_per_s=None)
        self.desk = Desk(Gate(self.limits))
        self.now = T0
        self.rows: list[bytes] = []
        self.effects: list[object] = []
        self.all_records: list[object] = []
        self.session = 1
        self.fills = 0
        self.perms = 1000
        self.ever: dict[str, object] = {}

    # -- time and events

    def tell(self, *events: object) -> list[object]:
        """Step on each event; the effects are collected, `Written` is reported for each order that leaves."""
        heard: list[object] = []
        for event in events:
            records = self.desk.step(event, self.now)
            self.rows += [encode_record(record) for record in records]
            heard += records
            for record in records:
                self.effects += self.desk.effects(record)
        self.all_records += heard
        return heard

    def wait(self, seconds: float) -> list[object]:
        """Pass time with a tick each second."""
        heard: list[object] = []
        end = self.now + int(seconds * NS_PER_S)
        while self.now < end:
            self.now = min(self.now + NS_PER_S, end)
            heard += self.tell(TimerTick())
        return heard

    def take(self, kind: type) -> list:
        """The effects of one kind so far, taken out."""
        found = [effect for effect in self.effects if isinstance(effect, kind)]
        self.effects = [effect for effect in self.effects if not isinstance(effect, kind)]
        return found

    def alarms(self) -> list[str]:
        return [record.text for record in self.all_records if isinstance(record, Alarmed)]

    def denials(self) -> list[Denied]:
        return [record for record in self.all_records if isinstance(record, Denied)]

    # -- the start of a session

    def begin(
        self, port: int = 7497, account: str = ACCOUNT, next_id: int = 1, positions: tuple = ()
    ) -> None:
        self.tell(Begin(prefix="t", client_id=1, account=account, port=port))
        self.connect(next_id=next_id, positions=positions, accounts=(account,))

    def connect(
        self,
        next_id: int = 1,
        positions: tuple = (),
        accounts: tuple = (ACCOUNT,),
        orders: tuple = (),
        executions: tuple = (),
        completed: tuple = (),
    ) -> None:
        self.tell(
            NextOrderId(order_id=next_id),
            Link(state=LinkState.CONNECTED, session=self.session, accounts=accounts),
        )
        self.answer(positions=positions, orders=orders, executions=executions, completed=completed)

    def answer(
        self, positions: tuple = (), orders: tuple = (), executions: tuple = (), completed: tuple = ()
    ) -> None:
        """Answer whatever was asked."""
        for ask in self.take(Ask):
            rows = {
                AnswerKind.OPEN_ORDERS: {"orders": orders},
                AnswerKind.COMPLETED_ORDERS: {"orders": completed},
                AnswerKind.EXECUTIONS: {"executions": executions},
                AnswerKind.POSITIONS: {"positions": positions},
            }[ask.kind]
            self.tell(Answer(kind=ask.kind, session=self.session, **rows))

    def drop(self) -> None:
        self.tell(Link(state=LinkState.DOWN, session=self.session, cause="reset"))
        self.session += 1

    def quote(self, bid: float = 99.99, ask: float = 100.01, contract: Contract = SPY) -> None:
        self.tell(Quote(con_id=contract.con_id, symbol=contract.symbol, time_ns=self.now, bid=bid, ask=ask))

    # -- orders

    def enter(
        self,
        quantity: int = 100,
        side: str = "BUY",
        signal: str = "",
        contract: Contract = SPY,
        limit: float | None = None,
        **moves: float,
    ) -> SimpleNamespace:
        """A bracket around 100 and its three placements (None when it was denied); how its stop moves."""
        self.quote(contract=contract)
        low, high = (98, 104) if side == "BUY" else (102, 96)
        earlier = self.take(Place)
        self.tell(
            SubmitBracket(
                bracket=bracket(
                    contract, side, quantity, stop=low, target=high, limit=limit, signal_id=signal, **moves
                ),
                instrument=Instrument(contract=contract),
            )
        )
        placed = self.take(Place)[:3]
        self.effects += earlier
        if len(placed) < 3:
            return SimpleNamespace(entry=None, target=None, stop=None, placed=[])
        for place in placed:
            self.tell(Written(order_id=place.order_id))
        entry, target, stop = (self.order(place.intent_id) for place in placed)
        return SimpleNamespace(entry=entry, target=target, stop=stop, placed=placed)

    def written(self) -> list[Place]:
        """Take the placements and report their bytes as gone."""
        placed = self.take(Place)
        for place in placed:
            self.tell(Written(order_id=place.order_id))
        return placed

    def order(self, intent_id: str):  # type: ignore[no-untyped-def]
        return self.desk.state.book.orders[intent_id]

    def cancels(self) -> list[int]:
        return [cancel.order_id for cancel in self.take(Cancel)]

    # -- the broker's words

    def perm(self, order) -> int:  # type: ignore[no-untyped-def]
        if order.perms:
            return next(iter(order.perms))
        self.perms += 1
        return self.perms

    def row(
        self,
        order,
        status: str,
        perm: int | None = None,
        order_id: int | None = None,  # type: ignore[no-untyped-def]
        quantity: int | None = None,
        completed: bool = False,
        filled: int | None = None,
    ) -> BrokerOrder:
        asked: Order = order.order
        return BrokerOrder(
            order_id=0 if completed else order.order_id if order_id is None else order_id,
            perm_id=self.perm(order) if perm is None else perm,
            client_id=1,
            account=ACCOUNT,
            contract=order.contract,
            side=asked.side.value,
            quantity=Decimal(quantity or asked.quantity),
            order_type=asked.order_type.value,
            limit_price=asked.limit_price,
            stop_price=asked.stop_price,
            tif=asked.tif.value,
            order_ref=order.intent_id,
            parent_id=asked.parent_id,
            status=status,
            completed=completed,
            filled=None if filled is None else Decimal(filled),
            trail=asked.trail,
            trail_percent=asked.trail_percent,
            trigger_price=asked.trigger_price,
            adjusted_stop_price=asked.adjusted_stop_price,
        )

    def status(
        self,
        order,
        status: str,
        filled: int | None = None,
        remaining: int | None = None,  # type: ignore[no-untyped-def]
        perm: int | None = None,
    ) -> BrokerOrderStatus:
        done = order.filled if filled is None else Decimal(filled)
        rest = order.order.quantity - done if remaining is None else Decimal(remaining)
        return BrokerOrderStatus(
            order_id=order.order_id,
            perm_id=self.perm(order) if perm is None else perm,
            client_id=1,
            status=status,
            filled=done,
            remaining=rest,
        )

    def pair(self, order, status: str, **figures: int) -> None:  # type: ignore[no-untyped-def]
        """openOrder and orderStatus, as TWS sends them."""
        self.tell(self.row(order, status))
        self.tell(self.status(order, status, **figures))

    def execution(
        self,
        order,
        quantity: int,
        price: str = "100.01",
        exec_id: str = "",  # type: ignore[no-untyped-def]
        **changes: object,
    ) -> Execution:
        self.fills += 1
        fields: dict[str, object] = {
            "exec_id": exec_id or f"0000e0d5.{self.fills:08x}.01.01",
            "order_id": order.order_id,
            "perm_id": self.perm(order),
            "client_id": 1,
            "account": ACCOUNT,
            "contract": order.contract,
            "side": order.order.side,
            "quantity": Decimal(quantity),
            "price": Decimal(price),
            "time_ns": self.now,
            "cumulative": order.filled + quantity,
            "average_price": Decimal(price),
            "order_ref": order.intent_id,
        }
        return Execution(**{**fields, **changes})  # type: ignore[arg-type]

    def fill(self, order, quantity: int, price: str = "100.01") -> None:  # type: ignore[no-untyped-def]
        """A fill as TWS says it: execution, openOrder, orderStatus, fee."""
        execution = self.execution(order, quantity, price)
        self.tell(execution)
        done = order.filled >= order.order.quantity
        self.pair(order, "Filled" if done else "Submitted")
        self.tell(Commission(exec_id=execution.exec_id, amount=Decimal("1.00"), currency="USD"))

    def reply(self, order, code: int, text: str = "") -> None:  # type: ignore[no-untyped-def]
        self.tell(BrokerReply(order_id=order.order_id, code=code, text=text))

    def work(self, trade: SimpleNamespace) -> None:
        """All three of a bracket acknowledged, the entry working."""
        self.pair(trade.entry, "Submitted")
        self.pair(trade.target, "PreSubmitted")
        self.pair(trade.stop, "PreSubmitted")

    def position(self, quantity: int, contract: Contract = SPY) -> Position:
        return Position(
            account=ACCOUNT, contract=contract, quantity=Decimal(quantity), average_cost=Decimal(100)
        )

    def net(self, contract: Contract = SPY) -> Decimal:
        return self.desk.state.net(contract)

    # -- the proof

    def rebuilt(self) -> Desk:
        desk = Desk(Gate(self.limits))
        desk.recover(decode_record(row) for row in self.rows)
        return desk

    def restart(self, prefix: str = "t") -> None:
        """The program dies and starts anew from its journal."""
        self.desk = self.rebuilt()
        self.effects = []
        self.session += 1
        self.tell(Begin(prefix=prefix, client_id=1, account=ACCOUNT, port=7497))

    def check(self) -> None:
        """The journal alone rebuilds the very state."""
        assert self.rebuilt().state == self.desk.state


@pytest.fixture
def bench() -> Bench:
    """A desk on a paper account, connected and reconciled, flat."""
    bench = Bench()
    bench.begin()
    return bench


@pytest.fixture
def new_bench() -> type[Bench]:
    return Bench
