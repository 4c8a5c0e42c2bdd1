"""Our books beside the simulated broker's over random days: equal to the cent after every step.

The exchange keeps its own books, from its own fills, with its own arithmetic (it imports nothing of ours).
What it tells is what we book: executions in pieces, repeated, late, corrected, busted, and their fees before
or after them. The contracts are a share in dollars and one in euros, a future, an option, a CFD, a pair of
currencies and a coin; the accounts are two. Beside both runs a third reckoning, in integers (`integers.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.positions.integers import FINE, IntegerHolding

from tws.exchange import (
    AccountSetup,
    CommissionCharged,
    Event,
    Exchange,
    Executed,
    Habits,
    Listing,
    OrderTicket,
)
from tws.model.contract import Contract
from tws.model.execution import Commission, Execution
from tws.model.instrument import Instrument
from tws.model.order import Side
from tws.positions import PositionBook, split_exec_id

SHARE, EURO, FUTURE, OPTION, CFD, PAIR, COIN = range(1, 8)
ACCOUNTS = ("DU1", "DU2")
NEAR = Decimal("0.0001")  # far below a cent; the broker rounds to 1E-8 at each partial close


def listing(con_id: int, sec_type: str, tick: str = "0.01", lot: str = "1", **fields: Any) -> Listing:
    contract = Contract(con_id=con_id, sec_type=sec_type, **({"symbol": f"S{con_id}"} | fields))
    return Listing(instrument=Instrument(contract=contract, tick=Decimal(tick), lot=Decimal(lot)))


LISTINGS = {
    SHARE: listing(SHARE, "STK"),
    EURO: listing(EURO, "STK", currency="EUR"),
    FUTURE: listing(FUTURE, "FUT", "0.25", multiplier="50"),
    OPTION: listing(OPTION, "OPT", "0.05", multiplier="100", strike=100.0, right="C"),
    CFD: listing(CFD, "CFD"),
    PAIR: listing(PAIR, "CASH", "0.00005", symbol="EUR", currency="USD"),
    COIN: listing(COIN, "CRYPTO", "0.25", "0.0001", symbol="BTC"),
}


def as_execution(told: Executed) -> Execution:
    """What the connection would hand on."""
    return Execution(
        exec_id=told.exec_id,
        order_id=told.order_id,
        perm_id=told.perm_id,
        client_id=told.client_id,
        account=told.account,
        contract=LISTINGS[told.con_id].instrument.contract,
        side=Side.BUY if told.side == "BOT" else Side.SELL,
        quantity=told.quantity,
        price=told.price,
        time_ns=told.time_ns,
        cumulative=told.cumulative,
        average_price=told.average_price,
    )


def as_commission(told: CommissionCharged) -> Commission:
    return Commission(exec_id=told.exec_id, amount=told.amount, currency=told.currency)


class Day:
    """A broker, and our book of what he tells."""

    def __init__(self) -> None:
        setups = [AccountSetup(account=account, cash=Decimal(10_000_000)) for account in ACCOUNTS]
        self.exchange = Exchange(LISTINGS.values(), setups, habits=Habits(check_margin=False))
        self.exchange.rate("EUR", Decimal("1.10"))
        self.book = PositionBook()
        self.told: list[Executed] = []
        self.right: dict[str, tuple[Executed, Decimal] | None] = {}
        self.order_id = self.now = 0
        for con_id in LISTINGS:
            self.quote(con_id, 400, 3, 1_000)

    def quote(self, con_id: int, bid: int, spread: int, lots: int) -> None:
        self.now += 1
        self.hear(self.exchange.quote(con_id, bid, lots, bid + spread, lots, self.now))

    def trade(self, account: str, con_id: int, side: Side, quantity: int) -> None:
        self.order_id, self.now = self.order_id + 1, self.now + 1
        ticket = OrderTicket(
            client_id=1,
            order_id=self.order_id,
            account=account,
            con_id=con_id,
            side=side,
            quantity=Decimal(quantity),
            order_type="MKT",
        )
        self.hear(self.exchange.place(ticket, self.now))

    def hear(self, events: Iterable[Event]) -> None:
        for event in events:
            self.hear_one(event)

    def hear_one(self, event: Event) -> None:
        if isinstance(event, Executed):
            self.book.book(as_execution(event))
            self.told.append(event)
            base = split_exec_id(event.exec_id)[0]
            known = self.right.get(base)
            self.right[base] = (event, known[1] if known else Decimal(0))
        elif isinstance(event, CommissionCharged):
            self.book.charge(as_commission(event))
            base = split_exec_id(event.exec_id)[0]
            known = self.right[base]
            assert known is not None
            self.right[base] = (known[0], event.amount)

    def correct(self, which: int, ticks: int) -> None:
        told = self._one(which)
        if told is not None:
            self.now += 1
            price = LISTINGS[told.con_id].instrument.price(ticks)
            self.hear(self.exchange.mishaps.correct(told.exec_id, price, self.now))

    def bust(self, which: int) -> None:
        told = self._one(which)
        if told is not None:
            self.now += 1
            self.hear(self.exchange.mishaps.bust(told.exec_id, self.now))
            self.right[split_exec_id(told.exec_id)[0]] = None
            self.book.bust(told.exec_id)

    def repeat(self) -> None:
        """The whole answer to reqExecutions once more, newest first."""
        for report in reversed(self.exchange.executions()):
            self.book.book(as_execution(report.executed))
            self.book.charge(as_commission(report.commission))

    def _one(self, which: int) -> Executed | None:
        living = [row for row in self.right.values() if row is not None]
        return living[which % len(living)][0] if living else None

    # -- what must agree

    def compare(self) -> None:
        for row in self.exchange.positions():
            ours = self.book.holding(row.account, LISTINGS[row.con_id].instrument.contract)
            assert ours.quantity == row.quantity
            assert abs(ours.average_cost - row.average_cost) < NEAR
            assert abs(ours.realized_net - row.realized_pnl) < NEAR
            assert abs(ours.unrealized_net(row.market_price) - row.unrealized_pnl) < NEAR
            assert abs(ours.market_value(row.market_price) - row.market_value) < NEAR

    def compare_integers(self) -> None:
        """The third reckoning, and one without any average: what came in, what went out, what is held."""
        for key, ours in self.book.holdings.items():
            contract = ours.contract
            grid, times = LISTINGS[contract.con_id].instrument, Decimal(contract.multiplier or "1")
            third, flow = IntegerHolding(), Decimal(0)
            mine = [row for row in self.right.values() if row is not None]
            for told, fee in (row for row in mine if self.book.key(row[0].account, row[0].con_id) == key):
                sign = 1 if told.side == "BOT" else -1
                third.fill(sign * grid.lots(told.quantity), grid.ticks(told.price), int(fee * FINE))
                flow -= sign * told.quantity * told.price * times + fee
            unit = grid.tick * grid.lot * times / FINE
            assert ours.quantity == third.lots * grid.lot
            assert abs(ours.realized_pnl - third.gain * unit) < NEAR
            assert abs(ours.realized_net - (third.gain * unit - Decimal(third.fee_gone) / FINE)) < NEAR
            assert abs(ours.net_cost - (third.cost * unit + Decimal(third.fee_held) / FINE)) < NEAR
            price = Decimal("4.20")
            total = ours.realized_net + ours.unrealized_net(price)
            assert abs(total - (flow + ours.market_value(price))) < NEAR


which = st.integers(0, 200)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("trade"), st.sampled_from(ACCOUNTS), st.sampled_from(list(LISTINGS)),
                  st.sampled_from(list(Side)), st.integers(1, 900)),
        st.tuples(st.just("quote"), st.sampled_from(list(LISTINGS)), st.integers(300, 500),
                  st.integers(1, 5), st.integers(1, 300)),
        st.tuples(st.just("correct"), which, st.integers(300, 500)),
        st.tuples(st.just("bust"), which),
        st.tuples(st.just("repeat")),
    ),
    min_size=5, max_size=40,
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_both_books_and_the_third_agree_to_the_cent_after_every_step(steps: list[tuple[Any, ...]]) -> None:
    day = Day()
    for name, *arguments in steps:
        getattr(day, name)(*arguments)
        day.compare()
        day.compare_integers()


@settings(max_examples=80, deadline=None)
@given(steps, st.randoms(use_true_random=False))
def test_the_books_do_not_depend_on_when_anything_was_told(steps: list[tuple[Any, ...]], chance: Any) -> None:
    """All of a day's executions and fees, in any order: fees before their fills, a day in reverse. Equal to
    the last digit with the book that heard it as it happened.
    """
    day = Day()
    for name, *arguments in steps:
        getattr(day, name)(*arguments)
    facts: list[Execution | Commission] = []
    for number, report in enumerate(day.exchange.executions()):  # TWS tells whole seconds: here all differ
        facts.append(replace(as_execution(report.executed), time_ns=number))
        facts.append(as_commission(report.commission))
    shuffled = chance.sample(facts * 2, 2 * len(facts))
    first, second = PositionBook(), PositionBook()
    for book, heard in ((first, facts), (second, shuffled)):
        for fact in heard:
            if isinstance(fact, Execution):
                book.book(fact)
            else:
                book.charge(fact)
    for key, holding in first.holdings.items():
        assert holding.balance == second.holdings[key].balance


def test_a_bust_and_a_correction_are_as_if_it_had_been_right_at_once() -> None:
    day = Day()
    day.trade("DU1", SHARE, Side.BUY, 100)
    day.quote(SHARE, 500, 3, 1_000)
    day.trade("DU1", SHARE, Side.SELL, 60)
    day.correct(0, 450)
    holding = day.book.holding("DU1", LISTINGS[SHARE].instrument.contract)
    assert (holding.quantity, holding.average_price) == (40, Decimal("4.50"))
    assert holding.realized_pnl == 60 * (Decimal("5.00") - Decimal("4.50"))
    day.compare()
    day.bust(1)
    assert (holding.quantity, holding.realized_pnl) == (100, 0)
    day.compare()


def test_a_fee_in_another_currency_is_kept_apart_from_cost_and_profit() -> None:
    day = Day()
    day.trade("DU1", EURO, Side.BUY, 100)
    told = day.told[0]
    holding = day.book.holding("DU1", LISTINGS[EURO].instrument.contract)
    cost = holding.net_cost - holding.balance.fees_held
    other = PositionBook()
    other.book(as_execution(told))
    other.charge(Commission(exec_id=told.exec_id, amount=Decimal("2.00"), currency="USD"))
    apart = other.holding("DU1", LISTINGS[EURO].instrument.contract)
    assert apart.net_cost == cost
    assert apart.other_fees == {"USD": Decimal("2.00")}
