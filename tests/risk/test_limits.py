"""Each limit at, below and above its bound; what exits pass; what a denial says."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.risk.proposals import NOW, QUOTE, SPY, WHERE, entry, exit_, limit_of

from tws.clock import NS_PER_S, to_datetime
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.market import MarketDataType, Quote
from tws.model.order import Order, OrderType, Role, Side
from tws.risk import Denial, Gate, Limits, StandaloneGate, live_lock, reduces
from tws.risk.checks import stale


def test_an_ordinary_entry_passes_the_defaults() -> None:
    assert Gate(Limits()).judge(entry(), WHERE) is None


@pytest.mark.parametrize(("quantity", "denied"), [(499, False), (500, False), (501, True)])
def test_order_quantity(quantity: int, denied: bool) -> None:
    assert limit_of(entry(quantity), max_order_quantity=500) == ("max_order_quantity" if denied else None)


@pytest.mark.parametrize(("bound", "denied"), [("10001.01", False), ("10001", False), ("10000.99", True)])
def test_order_notional_at_the_side_of_the_market_that_is_met(bound: str, denied: bool) -> None:
    assert limit_of(entry(100), max_order_notional=Decimal(bound)) == (
        "max_order_notional" if denied else None
    )


def test_order_notional_of_a_limit_order_and_its_multiplier() -> None:
    assert limit_of(entry(100, limit="90.00"), max_order_notional=9000) is None
    assert limit_of(entry(100, limit="90.01"), max_order_notional=9000) == "max_order_notional"
    option = Instrument(contract=Contract(con_id=5, symbol="SPY", sec_type="OPT", multiplier="100"))
    assert (
        limit_of(replace(entry(1, limit="90.01"), instrument=option), max_order_notional=9000)
        == "max_order_notional"
    )


def test_a_sale_counts_at_the_market_when_its_limit_lies_below() -> None:
    assert limit_of(entry(100, Side.SELL, limit="1.00"), max_order_notional=9000) == "max_order_notional"


@pytest.mark.parametrize(
    ("buys", "net", "denied"),
    [(0, 100, False), (99, 100, False), (100, 100, False), (101, 100, True), (0, 201, True)],
)
def test_position_counts_filled_and_working_together(buys: int, net: int, denied: bool) -> None:
    where = replace(WHERE, working_buys=Decimal(buys), net=Decimal(net))
    assert limit_of(entry(100), where, max_position=300) == ("max_position" if denied else None)


def test_position_of_a_short_and_of_a_reversal() -> None:
    short = replace(WHERE, net=Decimal(-250), working_sells=Decimal(50))
    assert limit_of(entry(1, Side.SELL), short, max_position=300) == "max_position"
    assert limit_of(entry(100, Side.BUY), short, max_position=300) is None
    assert limit_of(entry(600, Side.BUY), short, max_position=300) == "max_position"


def test_position_value_and_the_sum_of_all() -> None:
    where = replace(WHERE, net=Decimal(100))
    assert limit_of(entry(100), where, max_position_notional=20002) is None
    assert limit_of(entry(100), where, max_position_notional=Decimal("20001.99")) == "max_position_notional"
    others = replace(where, other_gross_notional=Decimal(5000))
    assert limit_of(entry(100), others, max_gross_notional=25002) is None
    assert limit_of(entry(100), others, max_gross_notional=Decimal("25001.99")) == "max_gross_notional"


@pytest.mark.parametrize(
    ("age_s", "denied"), [(4.999, False), (5.0, False), (5.001, True), (-5.0, False), (-5.001, True)]
)
def test_a_quote_must_be_fresh_and_not_from_the_future(age_s: float, denied: bool) -> None:
    where = replace(WHERE, quote=replace(QUOTE, time_ns=NOW - int(age_s * NS_PER_S)))
    assert limit_of(entry(), where) == ("stale_quote_s" if denied else None)


@pytest.mark.parametrize(
    "quote",
    [
        None,
        replace(QUOTE, bid=None),
        replace(QUOTE, ask=None),
        replace(QUOTE, ask=float("nan")),
        replace(QUOTE, bid=0.0),
        replace(QUOTE, bid=-1.0),
        replace(QUOTE, kind=MarketDataType.DELAYED),
        replace(QUOTE, kind=MarketDataType.FROZEN),
        replace(QUOTE, kind=MarketDataType.NONE),
    ],
)
def test_a_market_that_is_not_known_carries_no_entry(quote: Quote | None) -> None:
    assert limit_of(entry(), replace(WHERE, quote=quote)) == "stale_quote_s"


def test_delayed_data_carry_an_entry_where_that_is_allowed_and_on_paper_alone() -> None:
    where = replace(WHERE, quote=replace(QUOTE, kind=MarketDataType.DELAYED))
    assert limit_of(entry(), where, delayed_quotes=True) is None
    live = replace(where, port=7496)
    assert stale(entry(), live, Limits(delayed_quotes=True)) is not None
    frozen = replace(WHERE, quote=replace(QUOTE, kind=MarketDataType.DELAYED_FROZEN))
    assert limit_of(entry(), frozen, delayed_quotes=True) == "stale_quote_s"
    allowed = Limits(delayed_quotes=True)
    assert Limits.from_plain(allowed.to_plain()) == allowed != Limits.from_plain(Limits().to_plain())


@pytest.mark.parametrize(
    ("symbols", "denied"), [(None, False), (("SPY",), False), (("AAPL",), True), ((), True)]
)
def test_allow_list(symbols: tuple[str, ...] | None, denied: bool) -> None:
    assert limit_of(entry(), allow=symbols) == ("allow" if denied else None)


@pytest.mark.parametrize(
    ("port", "account", "locked"),
    [
        (7497, "DU1", False),
        (4002, "DU1", False),
        (7400, "DF1", False),
        (7496, "DU1", True),
        (4001, "DU1", True),
        (7497, "U1", True),
        (7497, "", True),
        (7400, "du1", True),
    ],
)
def test_live_lock(port: int, account: str, locked: bool) -> None:
    denial = live_lock(port, account)
    assert (denial is not None) is locked
    where = replace(WHERE, port=port, account=account, managed_accounts=(account,))
    own = entry()
    own = replace(own, order=replace(own.order, account=account))
    assert limit_of(own, where) == ("live_lock" if locked else None)
    assert limit_of(
        replace(own, role=Role.CLOSE, order=replace(own.order, side=Side.SELL)),
        replace(where, net=Decimal(100)),
    ) == ("live_lock" if locked else None), "exits too"


def test_the_account_must_be_the_one_we_trade_and_one_that_tws_manages() -> None:
    other = replace(entry(), order=replace(entry().order, account="DU2"))
    assert limit_of(other) == "account"
    assert limit_of(entry(), replace(WHERE, managed_accounts=())) == "account"


@pytest.mark.parametrize(
    "order",
    [
        Order(side=Side.BUY, quantity=Decimal("0.5")),
        Order(side=Side.BUY, quantity=Decimal(0)),
        Order(side=Side.BUY, quantity=Decimal(-1)),
        Order(side=Side.BUY, quantity=Decimal("NaN")),
        Order(side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT),
        Order(side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal("10.001")),
        Order(side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal(0)),
        Order(
            side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal("Infinity")
        ),
        Order(side=Side.BUY, quantity=Decimal(1), order_type=OrderType.STOP),
        Order(side=Side.BUY, quantity=Decimal(1), limit_price=Decimal(10)),
        Order(side=Side.BUY, quantity=Decimal(1), order_type=OrderType.STOP, stop_price=Decimal("9.999")),
    ],
)
def test_market_rule(order: Order) -> None:
    proposal = replace(entry(), order=replace(order, account="DU1"))
    assert limit_of(proposal) == "market_rule"


def test_a_contract_without_its_con_id_is_no_identity() -> None:
    assert limit_of(replace(entry(), instrument=Instrument(contract=Contract(symbol="SPY")))) == "market_rule"


@pytest.mark.parametrize(("price", "denied"), [("105.00", False), ("105.01", True), ("50.00", False)])
def test_price_collar_of_a_buy(price: str, denied: bool) -> None:
    assert limit_of(entry(1, limit=price), price_collar=Decimal("0.05")) == (
        "price_collar" if denied else None
    )


@pytest.mark.parametrize(("price", "denied"), [("95.00", False), ("94.99", True), ("150.00", False)])
def test_price_collar_of_a_sale(price: str, denied: bool) -> None:
    assert limit_of(entry(1, Side.SELL, limit=price), price_collar=Decimal("0.05")) == (
        "price_collar" if denied else None
    )


@pytest.mark.parametrize(("working", "denied"), [(13, False), (14, False), (15, True)])
def test_orders_per_side(working: int, denied: bool) -> None:
    where = replace(WHERE, orders_on_side=working)
    assert limit_of(entry(), where, max_orders_per_side=15) == ("max_orders_per_side" if denied else None)


def test_short_sales() -> None:
    where = replace(WHERE, net=Decimal(100))
    assert limit_of(entry(100, Side.SELL), where, short_sales=False) is None
    assert limit_of(entry(101, Side.SELL), where, short_sales=False) == "short_sales"
    assert limit_of(entry(101, Side.SELL), where) is None


def test_duplicates_unknown_orders_and_blocks() -> None:
    assert limit_of(entry(signal_id="s"), replace(WHERE, signal_used=True)) == "duplicate"
    assert limit_of(entry(), replace(WHERE, unknown_orders=("t-1",))) == "unknown_orders"
    assert limit_of(entry(), replace(WHERE, entries_blocked="the link is down")) == "entries_blocked"


def test_a_child_never_holds_more_than_its_parent() -> None:
    child = replace(exit_(100), role=Role.STOP, parent_quantity=Decimal(100))
    assert limit_of(child) is None
    assert limit_of(replace(child, parent_quantity=Decimal(99))) == "children"


TRAPS: dict[str, Any] = {
    "entries_blocked": replace(WHERE, entries_blocked="halt"),
    "unknown_orders": replace(WHERE, unknown_orders=("t-1",)),
    "stale_quote_s": replace(WHERE, quote=None),
    "max_orders_per_side": replace(WHERE, orders_on_side=99),
}


@pytest.mark.parametrize("name", TRAPS)
def test_no_limit_traps_a_position(name: str) -> None:
    gate = Gate(
        Limits(
            max_order_quantity=1,
            max_order_notional=1,
            max_position=1,
            max_position_notional=1,
            max_gross_notional=1,
            allow=(),
        )
    )
    assert gate.judge(exit_(100), replace(TRAPS[name], net=Decimal(100))) is None


@pytest.mark.parametrize(
    ("net", "side", "quantity", "others", "allowed"),
    [
        (100, Side.SELL, 99, 0, True),
        (100, Side.SELL, 100, 0, True),
        (100, Side.SELL, 101, 0, False),
        (100, Side.SELL, 40, 60, True),
        (100, Side.SELL, 41, 60, False),
        (100, Side.BUY, 1, 0, False),
        (0, Side.SELL, 1, 0, False),
        (-100, Side.BUY, 100, 0, True),
        (-100, Side.BUY, 101, 0, False),
        (-100, Side.SELL, 1, 0, False),
    ],
)
def test_reduce_only(net: int, side: Side, quantity: int, others: int, allowed: bool) -> None:
    where = replace(WHERE, net=Decimal(net), working_exits=Decimal(others))
    assert reduces(exit_(quantity, side), where) is allowed
    assert limit_of(exit_(quantity, side), where) == (None if allowed else "reduce_only")


def test_a_change_of_an_exit_counts_what_it_adds() -> None:
    where = replace(WHERE, net=Decimal(100))
    assert reduces(exit_(500, grows_by=Decimal(-1)), where)
    assert not reduces(exit_(500, grows_by=Decimal(101)), where)


@pytest.mark.parametrize("bad", [-1, "x", float("nan"), True])
def test_a_bound_is_a_number_and_not_negative(bad: Any) -> None:
    with pytest.raises(ValueError, match="max_order_quantity"):
        Limits(max_order_quantity=bad)


def test_stale_seconds_are_bounded() -> None:
    with pytest.raises(ValueError, match="stale_quote_s"):
        Limits(stale_quote_s=0)


class TestStandalone:
    """The gate of whoever has no desk."""

    gate = StandaloneGate(
        Limits(max_order_quantity=100, max_order_notional=5000, allow=("SPY",)), port=7497, account="DU1"
    )

    def judge(self, order: Order, quote: Quote | None = None, symbol: str = "SPY") -> str | None:
        instrument = Instrument(contract=Contract(con_id=1, symbol=symbol))
        denial = self.gate.judge(instrument, order, quote)
        return denial.limit if denial else None

    def test_what_it_lets_through_and_what_not(self) -> None:
        fine = Order(
            side=Side.BUY, quantity=Decimal(50), order_type=OrderType.LIMIT, limit_price=Decimal(100)
        )
        assert self.judge(fine) is None
        assert self.judge(replace(fine, quantity=Decimal(51))) == "max_order_notional"
        assert (
            self.judge(replace(fine, quantity=Decimal(101), limit_price=Decimal(1))) == "max_order_quantity"
        )
        assert self.judge(fine, symbol="AAPL") == "allow"
        assert self.judge(replace(fine, account="DU2")) == "account"
        assert self.judge(replace(fine, limit_price=Decimal("1.001"))) == "market_rule"

    def test_a_market_order_wants_a_quote(self) -> None:
        order = Order(side=Side.BUY, quantity=Decimal(49))
        assert self.judge(order) == "max_order_notional"
        assert self.judge(order, QUOTE) is None

    def test_live_is_locked_and_so_is_an_account_that_nobody_named(self) -> None:
        order = Order(side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal(1))
        for port, account in ((7496, "DU1"), (7497, "U1"), (7497, "")):
            gate = StandaloneGate(Limits(), port=port, account=account)
            denial = gate.judge(SPY, order)
            assert isinstance(denial, Denial) and denial.limit == "live_lock"


@pytest.mark.parametrize("price", ["NaN", "1E+30", "0", "-1"])
def test_a_price_that_is_none_is_a_denial_not_an_error(price: str) -> None:
    order = Order(side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal(price),
                  account="DU1")
    assert limit_of(replace(entry(), order=order)) == "market_rule"


@pytest.mark.parametrize(("days", "last_days", "denied"), [
    (1, 1, False), (0, 1, True), (-3, 1, True), (2, 3, True), (3, 3, False), (0, None, False), (0, 0, False),
])  # fmt: skip
def test_a_future_is_not_entered_in_its_last_days(days: int, last_days: int | None, denied: bool) -> None:
    last = to_datetime(NOW) + timedelta(days=days)
    ends = replace(SPY, contract=replace(SPY.contract, sec_type="FUT", last_trade_date=f"{last:%Y%m%d}"))
    where = replace(WHERE, net=Decimal(100))
    found = limit_of(replace(entry(), instrument=ends), last_days=last_days)
    assert found == ("last_days" if denied else None)
    assert limit_of(replace(exit_(100), instrument=ends), where, last_days=last_days) is None
    assert limit_of(entry(), last_days=last_days) is None, "a share has no last day"
