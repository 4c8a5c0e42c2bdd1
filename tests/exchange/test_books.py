"""The books over every type, currency and combo: nothing appears from nowhere, to the last digit.

A run is a list of drawn steps on a floor with stocks in dollars and euros, an option, a future, a CFD, a
currency pair, crypto and combos of two. After each the cash of every currency must be what the rule of
`tws.exchange.ledger` says, and what the executions say on their own.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tws.exchange import (
    AccountSetup,
    CommissionCharged,
    Event,
    Exchange,
    Executed,
    Habits,
    Leg,
    Listing,
    OrderTicket,
)
from tws.exchange.ledger import Kind
from tws.exchange.matching import trade_at
from tws.exchange.special import Special
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.order import Side

STOCK, EURO, OPTION, FUTURE, CFD, PAIR, COIN, YEN = range(1, 9)
START = Decimal(10_000_000)


def listing(con_id: int, sec_type: str, tick: str = "0.01", lot: str = "1", **fields: object) -> Listing:
    contract = Contract(con_id=con_id, sec_type=sec_type, **({"symbol": f"S{con_id}"} | fields))  # type: ignore[arg-type]
    return Listing(instrument=Instrument(contract=contract, tick=Decimal(tick), lot=Decimal(lot)))


LISTINGS = (
    listing(STOCK, "STK"),
    listing(EURO, "STK", currency="EUR"),
    listing(OPTION, "OPT", "0.05", multiplier="100", strike=100.0, right="C"),
    listing(FUTURE, "FUT", "0.25", multiplier="50"),
    listing(CFD, "CFD"),
    listing(PAIR, "CASH", "0.00005", symbol="EUR", currency="USD"),
    listing(COIN, "CRYPTO", "0.25", "0.0001", symbol="BTC"),
    listing(YEN, "CASH", "0.005", symbol="USD", currency="JPY"),
)
COMBOS = (
    (Leg(con_id=STOCK, ratio=100, side=Side.BUY), Leg(con_id=OPTION, ratio=1, side=Side.SELL)),
    (Leg(con_id=OPTION, ratio=2, side=Side.BUY), Leg(con_id=FUTURE, ratio=3, side=Side.SELL)),
    (Leg(con_id=CFD, ratio=1, side=Side.BUY), Leg(con_id=COIN, ratio=1, side=Side.BUY)),
)


class Run:
    """An exchange with all of them quoted, and an order id that counts."""

    def __init__(self, cash: Decimal = START, **habits: object) -> None:
        setups = [AccountSetup(account="DU1", cash=cash)]
        settings = Habits(**({"check_margin": False} | habits))  # type: ignore[arg-type]
        self.exchange = Exchange(LISTINGS, setups, habits=settings)
        self.ledger = self.exchange._core.ledgers["DU1"]
        self.order_id = self.now = 0
        self.events: list[Event] = []
        for one in LISTINGS:
            self.quote(one.instrument.contract.con_id, 400, 3)

    def quote(self, con_id: int, bid: int, spread: int) -> None:
        self.now += 1
        self.events += self.exchange.quote(con_id, bid, 10_000_000, bid + spread, 10_000_000, self.now)

    def place(
        self, what: int | tuple[Leg, ...], side: Side, quantity: Decimal, **more: object
    ) -> list[Event]:
        self.order_id, self.now = self.order_id + 1, self.now + 1
        named = {"legs": what} if isinstance(what, tuple) else {"con_id": what}
        fields = {"con_id": 0, "order_type": "MKT"} | named | more
        ticket = OrderTicket(
            client_id=1,
            order_id=self.order_id,
            account="DU1",
            side=side,
            quantity=quantity,
            **fields,  # type: ignore[arg-type]
        )
        said = list(self.exchange.place(ticket, self.now))
        self.events += said
        return said


def identity(run: Run) -> None:
    """cash - deposits = sum of (realised - cost + unpaid) + quantities of pairs, per currency."""
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for con_id, row in run.ledger.holdings.items():
        contract = run.ledger.contract_of(con_id)
        expected[contract.currency] += row.realized + row.realized_before - row.cost + row.unpaid
        if row.kind is Kind.EXCHANGED:
            expected[contract.symbol] += row.quantity
    for currency in {**run.ledger.cash, **expected}:
        moved = run.ledger.cash.get(currency, Decimal(0)) - run.ledger.deposits.get(currency, Decimal(0))
        assert moved == expected[currency], currency


def told_fills(run: Run) -> tuple[dict[int, Decimal], dict[str, Decimal]]:
    """Positions and fees as the executions tell them; combos' own rows don't count."""
    shares: dict[int, Decimal] = defaultdict(Decimal)
    fees: dict[str, Decimal] = defaultdict(Decimal)
    for event in run.events:
        if isinstance(event, Executed) and event.con_id > 0:
            shares[event.con_id] += event.quantity if event.side == "BOT" else -event.quantity
        elif isinstance(event, CommissionCharged):
            fees[event.currency] += event.amount
    return dict(shares), {currency: fee for currency, fee in fees.items() if fee}


steps = st.lists(
    st.tuples(
        st.sampled_from(["place", "place", "combo", "quote", "split", "day", "deposit", "transfer"]),
        st.integers(1, 8), st.sampled_from(Side), st.integers(1, 60), st.integers(0, 2),
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(many=steps)
def test_cash_of_every_currency_is_what_was_paid_in_plus_profit_less_cost(many: list[tuple]) -> None:  # type: ignore[type-arg]
    run, moved = Run(), False
    for kind, con_id, side, number, which in many:
        if kind == "place":
            lot = LISTINGS[con_id - 1].instrument.lot
            tif = "IOC" if con_id == COIN else "DAY"
            run.place(con_id, side, number * lot, order_type="MKT", tif=tif)
        elif kind == "combo":
            apart = Special(apart=number % 2 == 0 and len(COMBOS[which]) == 2)
            run.place(COMBOS[which], side, Decimal(number), special=apart)
        elif kind == "quote":
            run.quote(con_id, 300 + 7 * number, 1 + which)
        elif kind == "day":
            run.exchange.new_day(run.now)
        elif kind == "deposit":
            run.exchange.corporate.deposit("DU1", "EUR", Decimal(number), run.now)
        elif kind == "split" and con_id == STOCK:
            moved = True
            run.exchange.corporate.split(STOCK, Decimal(number) / (1 + which), run.now)
            run.quote(STOCK, 400, 3)
        elif kind == "transfer":
            moved = True
            run.exchange.corporate.transfer("DU1", con_id, Decimal(number), Decimal("3.25"), run.now)
        identity(run)
    shares, fees = told_fills(run)
    assert {c: fee for c, fee in run.ledger.fees.items() if fee} == fees
    if not moved:
        held = {con_id: row.quantity for con_id, row in run.ledger.holdings.items()}
        assert {c: q for c, q in held.items() if q} == {c: q for c, q in shares.items() if q}


@settings(max_examples=60, deadline=None)
@given(which=st.integers(0, 2), side=st.sampled_from(Side), units=st.integers(1, 40), bid=st.integers(1, 900))
def test_a_combos_legs_add_up_to_its_price(which: int, side: Side, units: int, bid: int) -> None:
    run = Run()
    run.quote(OPTION, bid, 2)
    said = run.place(COMBOS[which], side, Decimal(units))
    whole, *legs = [event for event in said if isinstance(event, Executed)]
    book = run.exchange._core.books[whole.con_id]
    worth = Decimal(0)
    for leg in legs:
        multiplier = run.exchange._core.books[leg.con_id].multiplier
        worth += leg.price * leg.quantity * multiplier * (1 if leg.side == "BOT" else -1)
    sign = 1 if side is Side.BUY else -1
    assert whole.price * whole.quantity * book.multiplier * sign == worth


def test_what_a_combo_trades_at_apart_from_its_legs_is_laid_on_the_first() -> None:
    run = Run()
    run.place(COMBOS[0], Side.BUY, Decimal(2), order_type="LMT", limit_price=Decimal("-16.50"))
    core = run.exchange._core
    (order,) = core.live.values()
    trade_at(core, order, order.limit, 2)
    whole, first, second = (event for event in run.exchange._core.take() if isinstance(event, Executed))
    assert (whole.price, second.price) == (Decimal("-16.50"), Decimal(20))
    assert first.price == Decimal("3.50"), "3.50 less 20.00"
    identity(run)


def test_a_combo_is_told_as_one_and_as_its_legs() -> None:
    run = Run()
    said = run.place(COMBOS[0], Side.BUY, Decimal(2))
    rows = [event for event in said if isinstance(event, Executed)]
    assert [(row.con_id > 0, row.side, row.quantity, row.price) for row in rows] == [
        (False, "BOT", 2, Decimal("-15.97")),  # the share at 4.03 less the option at 20.00
        (True, "BOT", 200, Decimal("4.03")),
        (True, "SLD", 2, Decimal("20")),
    ]
    whole, first, second = (row.exec_id for row in rows)
    assert whole.count(".") == 3 and first.count(".") == second.count(".") == 4
    assert first[:-6] == whole[:-3] == second[:-6] or len({first, second, whole}) == 3
    charged = [event.exec_id for event in said if isinstance(event, CommissionCharged)]
    assert charged == [first, second], "the fees are the legs'"
    assert {row.con_id: row.quantity for row in run.exchange.positions()} == {STOCK: 200, OPTION: -2}
    assert [len(run.exchange.executions()), len(run.exchange.completed_orders())] == [3, 1]


def test_a_combo_rests_at_a_price_below_zero_until_its_legs_reach_it() -> None:
    run = Run()
    said = run.place(COMBOS[0], Side.BUY, Decimal(1), order_type="LMT", limit_price=Decimal("-16.50"))
    assert not [event for event in said if isinstance(event, Executed)]
    run.events.clear()
    run.quote(OPTION, 411, 2)  # bid 20.55
    assert next(event.price for event in run.events if isinstance(event, Executed)) == Decimal("-16.52")


def test_a_combo_of_unknown_mixed_or_single_legs_is_no_contract() -> None:
    run = Run()
    legs = COMBOS[0]
    wrong = (
        (legs[0], Leg(con_id=99, ratio=1, side=Side.BUY)),
        (legs[0], Leg(con_id=EURO, ratio=1, side=Side.BUY)),
        (legs[0],),
        (legs[0], Leg(con_id=OPTION, ratio=0, side=Side.BUY)),
    )
    for each in wrong:
        assert [event.code for event in run.place(each, Side.BUY, Decimal(1))] == [200]  # type: ignore[union-attr]


def test_margin_of_a_combo_is_that_of_its_legs() -> None:
    run = Run(cash=Decimal(500), check_margin=True)
    said = run.place(COMBOS[0], Side.BUY, Decimal(1), what_if=True)
    assert [getattr(event, "code", 0) for event in said] == [201], "the sold option wants more than there is"
    run = Run(cash=Decimal(50_000), check_margin=True)
    (answer,) = run.place(COMBOS[0], Side.BUY, Decimal(1), what_if=True)
    # half of 100 shares at 4.03, the option's 2000, and 15 % of its strike times 100
    assert answer.margin.init_change == Decimal("201.50") + 2000 + 1500  # type: ignore[union-attr]


# -- types --------------------------------------------------------------------------------------


def values(run: Run, currency: str = "USD") -> dict[str, str]:
    rows = run.exchange.account_values("DU1")
    return {row.key: row.value for row in rows if row.currency in (currency, "")}


def test_a_future_costs_its_fee_until_it_is_closed() -> None:
    run = Run()
    run.place(FUTURE, Side.BUY, Decimal(2))
    assert run.ledger.cash["USD"] == START - Decimal("1.70")
    assert values(run)["GrossPositionValue"] == "0.00"
    run.quote(FUTURE, 500, 3)
    assert values(run)["NetLiquidation"] == f"{START - Decimal('1.70') + (501 - 403) * 25 * 1:.2f}"
    run.place(FUTURE, Side.SELL, Decimal(2))
    assert run.ledger.cash["USD"] == START - Decimal("3.40") + (500 - 403) * Decimal("0.25") * 100


def test_a_pair_exchanges_two_currencies() -> None:
    run = Run()
    run.quote(PAIR, 22_000, 2)  # 1.10000 / 1.10010
    run.place(PAIR, Side.BUY, Decimal(100_000))
    assert run.ledger.cash == {"USD": START - Decimal("110010") - Decimal("2.20"), "EUR": Decimal(100_000)}
    rows = {(row.key, row.currency): row.value for row in run.exchange.account_values("DU1")}
    assert rows["CashBalance", "EUR"] == "100000.00"
    assert rows["ExchangeRate", "EUR"] == "1.1000500"
    assert rows["CashBalance", "BASE"] == rows["TotalCashValue", "USD"] == rows["NetLiquidation", "USD"]


def test_a_foreign_stock_needs_a_rate_and_is_worth_it() -> None:
    exchange = Exchange([LISTINGS[EURO - 1]], [AccountSetup(account="DU1", cash=START)])
    exchange.quote(EURO, 1000, 1000, 1001, 1000, 1)
    ticket = OrderTicket(
        client_id=1,
        order_id=1,
        account="DU1",
        con_id=EURO,
        side=Side.BUY,
        quantity=Decimal(100),
        order_type="MKT",
    )
    codes = [getattr(event, "code", 0) for event in exchange.place(ticket, 2)]
    assert codes[0] == 201
    exchange.rate("EUR", Decimal("1.5"))
    exchange.place(
        OrderTicket(**{f: getattr(ticket, f) for f in ticket.__struct_fields__} | {"order_id": 2}), 3
    )
    (row,) = exchange.positions()
    assert (row.market_value, row.rate) == (1000, Decimal("1.5"))
    rows = {(row.key, row.currency): row.value for row in exchange.account_values("DU1")}
    assert rows["StockMarketValue", "EUR"] == "1000.00" and rows["StockMarketValue", "BASE"] == "1500.00"
    assert rows["GrossPositionValue", "USD"] == "1500.00"


def test_an_index_is_not_traded() -> None:
    exchange = Exchange([listing(1, "IND")], [AccountSetup(account="DU1")])
    ticket = OrderTicket(
        client_id=1, order_id=1, account="DU1", con_id=1, side=Side.BUY, quantity=Decimal(1), order_type="MKT"
    )
    assert [event.code for event in exchange.place(ticket, 1)] == [387]  # type: ignore[union-attr]


def test_segments_add_up() -> None:
    run = Run()
    run.place(STOCK, Side.BUY, Decimal(100))
    run.place(FUTURE, Side.SELL, Decimal(3))
    rows = values(run)
    assert Decimal(rows["InitMarginReq-C"]) > 0
    for key in ("NetLiquidation", "AvailableFunds", "InitMarginReq", "TotalCashValue", "ExcessLiquidity"):
        assert Decimal(rows[key]) == Decimal(rows[key + "-C"]) + Decimal(rows[key + "-S"]), key
