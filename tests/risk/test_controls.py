"""The controls that came after the first gate, each at, below and beyond its bound."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.risk.proposals import NOW, QUOTE, SPY, WHERE, entry, exit_, limit_of

from tws.clock import NS_PER_S
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.order import Order, OrderType, Role, Side
from tws.model.records import HoursStated
from tws.model.session import Session
from tws.risk import Gate, Limits, Proposal, Reference, Situation, fingerprint

WIDE = (Session(NOW - 9 * NS_PER_S, NOW + 9 * NS_PER_S),)
LIVE = replace(
    WHERE,
    port=7496,
    account="U1",
    managed_accounts=("U1",),
    unlocked_until_ns=NOW + NS_PER_S,
    buying_power=Decimal(10**9),
    hours=HoursStated(at_ns=NOW, con_id=1, symbol="SPY", liquid=WIDE, trading=WIDE),
)


def hours(*liquid: Session) -> HoursStated:
    return HoursStated(at_ns=NOW, con_id=1, symbol="SPY", liquid=liquid, trading=WIDE)


def ago(*seconds: float) -> list[int]:
    return [NOW - int(each * NS_PER_S) for each in seconds]


def live(proposal: Proposal) -> Proposal:
    order = replace(proposal.order, account="U1")
    return replace(proposal, order=order)


def live_limit(proposal: Proposal, where: Situation = LIVE, **limits: Any) -> str | None:
    limits = {"allow": ("SPY",), **limits}
    denial = Gate(Limits(**limits)).judge(live(proposal), where)
    return None if denial is None else denial.limit


# -- deny-list, duplicates, self-trade


@pytest.mark.parametrize(("symbols", "denied"), [((), False), (("AAPL",), False), (("AAPL", "SPY"), True)])
def test_deny_list(symbols: tuple[str, ...], denied: bool) -> None:
    assert limit_of(entry(), deny=symbols) == ("deny" if denied else None)
    assert limit_of(exit_(1), replace(WHERE, net=Decimal(1)), deny=symbols) is None


@pytest.mark.parametrize(("age_s", "denied"), [(0.0, True), (0.999, True), (1.0, False), (60.0, False)])
def test_the_same_wish_under_another_signal(age_s: float, denied: bool) -> None:
    wish = entry(100, limit="100.00", strategy="momentum", signal_id="second")
    seen = {fingerprint(wish.contract, wish.order, "momentum"): ago(age_s)[0]}
    where = replace(WHERE, fingerprints=seen)
    assert limit_of(wish, where, duplicate_window_s=1.0) == ("duplicate" if denied else None)
    assert limit_of(wish, where, duplicate_window_s=None) is None
    for other in (
        replace(wish, strategy="another"),
        replace(wish, order=replace(wish.order, quantity=Decimal(101))),
        replace(wish, order=replace(wish.order, limit_price=Decimal("100.01"))),
        replace(wish, order=replace(wish.order, side=Side.SELL)),
    ):
        assert limit_of(other, where, duplicate_window_s=1.0) is None


def test_an_addition_is_told_apart_by_its_trade_and_signal() -> None:
    """However much it is like the entry that left a moment ago."""
    wish = entry(100, limit="100.00", strategy="momentum", signal_id="second", joins="t-1")
    for adds, denied in (("", False), ("t-1/first", False), ("t-2/second", False), ("t-1/second", True)):
        seen = {fingerprint(wish.contract, wish.order, "momentum", adds): ago(0.5)[0]}
        found = limit_of(wish, replace(WHERE, fingerprints=seen), duplicate_window_s=1.0)
        assert found == ("duplicate" if denied else None), adds


@pytest.mark.parametrize(
    ("side", "limit", "own", "denied"),
    [
        (Side.BUY, "100.00", {"own_ask": Decimal("100.01")}, False),
        (Side.BUY, "100.01", {"own_ask": Decimal("100.01")}, True),
        (Side.BUY, "100.02", {"own_ask": Decimal("100.01")}, True),
        (Side.SELL, "100.00", {"own_bid": Decimal("99.99")}, False),
        (Side.SELL, "99.99", {"own_bid": Decimal("99.99")}, True),
        (Side.SELL, "99.98", {"own_bid": Decimal("99.99")}, True),
        (Side.BUY, None, {"own_ask": Decimal("100.02")}, False),
        (Side.BUY, None, {"own_ask": Decimal("100.01")}, True),
        (Side.SELL, None, {"own_bid": Decimal("99.99")}, True),
        (Side.SELL, None, {"own_bid": Decimal("99.98")}, False),
        (Side.BUY, None, {"own_bid": Decimal("200"), "own_market_buys": 3}, False),
        (Side.BUY, "99.98", {"own_market_sells": 1}, False),
        (Side.BUY, "99.99", {"own_market_sells": 1}, True),
        (Side.SELL, None, {"own_market_buys": 1}, True),
    ],
)
def test_self_trade(side: Side, limit: str | None, own: dict[str, Any], denied: bool) -> None:
    where = replace(WHERE, **own)
    assert limit_of(entry(1, side, limit=limit), where) == ("self_trade" if denied else None)
    closing = replace(where, net=Decimal(-1 if side is Side.BUY else 1))
    close = replace(entry(1, side, limit=limit), role=Role.CLOSE)
    assert limit_of(close, closing) == ("self_trade" if denied else None), "exits too"


def test_a_stop_sleeps_and_so_does_a_child() -> None:
    where = replace(WHERE, own_bid=Decimal(100), own_market_buys=1, net=Decimal(1))
    stop = Order(
        side=Side.SELL, quantity=Decimal(1), account="DU1", order_type=OrderType.STOP, stop_price=Decimal(99)
    )
    assert limit_of(Proposal(instrument=SPY, order=stop, role=Role.STOP), where) is None
    child = replace(exit_(1), parent_quantity=Decimal(1), attached=True)
    assert limit_of(child, where) is None
    assert limit_of(replace(child, attached=False), where) == "self_trade", "one whose parent has filled"


def test_a_market_exit_without_a_market_is_not_trapped() -> None:
    where = replace(WHERE, net=Decimal(1), own_bid=Decimal(1), own_market_buys=1, quote=None)
    assert limit_of(exit_(1), where) is None


# -- prices


@pytest.mark.parametrize(
    ("last", "price", "denied"),
    [
        (None, "105.00", False),
        (99.0, "103.95", False),
        (99.0, "103.96", True),
        (120.0, "105.00", False),
        (float("nan"), "105.00", False),
    ],
)
def test_the_collar_looks_at_the_last_trade_too(last: float | None, price: str, denied: bool) -> None:
    where = replace(WHERE, quote=replace(QUOTE, last=last))
    assert limit_of(entry(1, limit=price), where, price_collar=Decimal("0.05")) == (
        "price_collar" if denied else None
    )


@pytest.mark.parametrize(("ask", "denied"), [(110.0, False), (110.52, False), (110.54, True), (150.0, True)])
def test_a_market_order_pays_the_ask_so_the_ask_is_held_to_the_middle(ask: float, denied: bool) -> None:
    where = replace(WHERE, quote=replace(QUOTE, bid=100.0, ask=ask))
    assert limit_of(entry(1), where, price_collar=Decimal("0.05")) == ("price_collar" if denied else None)


def test_the_collar_of_a_stop_and_of_a_stop_limit() -> None:
    order = Order(
        side=Side.BUY,
        quantity=Decimal(1),
        account="DU1",
        order_type=OrderType.STOP,
        stop_price=Decimal("105.01"),
    )
    assert limit_of(replace(entry(), order=order), price_collar=Decimal("0.05")) == "price_collar"
    both = replace(order, order_type=OrderType.STOP_LIMIT, stop_price=Decimal(101), limit_price=Decimal(106))
    assert limit_of(replace(entry(), order=both), price_collar=Decimal("0.05")) == "price_collar"
    assert (
        limit_of(
            replace(entry(), order=replace(both, limit_price=Decimal(105))), price_collar=Decimal("0.05")
        )
        is None
    )


@pytest.mark.parametrize(
    ("side", "price", "reference", "age_s", "denied"),
    [
        (Side.BUY, "100.00", "90.91", 10, False),
        (Side.BUY, "100.00", "90.90", 10, True),
        (Side.BUY, "100.00", "90.90", 299.9, True),
        (Side.BUY, "100.00", "90.90", 300, False),
        (Side.SELL, "100.00", "111.11", 10, False),
        (Side.SELL, "100.00", "111.12", 10, True),
        (Side.SELL, "100.00", "50.00", 10, False),
    ],
)
def test_our_entries_do_not_walk_the_market(
    side: Side, price: str, reference: str, age_s: float, denied: bool
) -> None:
    where = replace(
        WHERE,
        references=[
            Reference(at_ns=ago(age_s)[0], price=Decimal(reference)),
            Reference(at_ns=NOW, price=Decimal(100)),
        ],
    )
    assert limit_of(entry(1, side, limit=price), where, price_drift=Decimal("0.1")) == (
        "price_drift" if denied else None
    )


# -- sums over all contracts


@pytest.mark.parametrize(("bound", "denied"), [("15001", False), ("15000.99", True)])
def test_the_symbol_counts_all_its_contracts(bound: str, denied: bool) -> None:
    where = replace(WHERE, other_symbol_notional=Decimal(5000))
    assert limit_of(entry(100), where, max_symbol_notional=Decimal(bound)) == (
        "max_symbol_notional" if denied else None
    )


@pytest.mark.parametrize(
    ("side", "others", "bound", "denied"),
    [
        (Side.BUY, -4000, "6001", False),
        (Side.BUY, -4000, "6000.99", True),
        (Side.SELL, 4000, "5999", False),
        (Side.SELL, 4000, "5998.99", True),
        (Side.BUY, -99999, "0", False),
        (Side.SELL, 99999, "0", False),
    ],
)
def test_net_sets_shorts_off(side: Side, others: int, bound: str, denied: bool) -> None:
    where = replace(WHERE, other_if_bought=Decimal(others), other_if_sold=Decimal(others))
    assert limit_of(entry(100, side), where, max_net_notional=Decimal(bound)) == (
        "max_net_notional" if denied else None
    )


# -- money


@pytest.mark.parametrize(
    ("stated", "denied"), [(None, False), ("15001", False), ("15000.99", True), ("-1", True)]
)
def test_buying_power_carries_this_and_what_works(stated: str | None, denied: bool) -> None:
    where = replace(
        WHERE, working_notional=Decimal(5000), buying_power=None if stated is None else Decimal(stated)
    )
    assert limit_of(entry(100), where) == ("buying_power" if denied else None)
    assert limit_of(entry(100), where, buying_power=False) is None
    future = Instrument(contract=Contract(con_id=9, symbol="ES", sec_type="FUT", multiplier="50"))
    assert limit_of(replace(entry(1), instrument=future), where) is None, "its margin is the broker's to know"


@pytest.mark.parametrize(("left", "denied"), [(None, False), (-1, False), (1, False), (0, True)])
def test_day_trades(left: int | None, denied: bool) -> None:
    where = replace(WHERE, day_trades=left)
    assert limit_of(entry(), where) == ("day_trades" if denied else None)
    assert limit_of(entry(), where, day_trades=False) is None
    assert limit_of(exit_(1), replace(where, net=Decimal(1))) is None


@pytest.mark.parametrize("name", ["max_daily_loss", "max_drawdown", "max_entries"])
def test_a_latched_limit_lets_exits_out_alone(name: str) -> None:
    where = replace(WHERE, latches=(name,), net=Decimal(1))
    assert limit_of(entry(), where) == name
    assert limit_of(exit_(1), where) is None


# -- counts


@pytest.mark.parametrize(("before", "denied"), [(1, False), (2, False), (3, True)])
def test_entries_within_a_window(before: int, denied: bool) -> None:
    where = replace(WHERE, entries=[*ago(60, 60), *ago(59.9)[:1] * before])
    assert limit_of(entry(), where, max_entries=3) == ("max_entries" if denied else None)


@pytest.mark.parametrize(
    ("sent", "messages", "denied"), [(7, 1, False), (6, 3, True), (5, 3, False), (8, 1, True), (9, 1, True)]
)
def test_messages_keep_a_reserve(sent: int, messages: int, denied: bool) -> None:
    where = replace(WHERE, messages=[*ago(1.0), *ago(0.9) * sent], net=Decimal(1))
    limits = {"max_messages_per_s": 10, "message_reserve": 2}
    assert limit_of(entry(messages=messages), where, **limits) == ("max_messages_per_s" if denied else None)
    assert limit_of(exit_(1), where, **limits) is None


# -- sessions


@pytest.mark.parametrize(
    ("begin", "end", "denied"), [(-1, 1, False), (0, 1, False), (-1, 0, True), (1, 2, True)]
)
def test_session_hours(begin: int, end: int, denied: bool) -> None:
    later = Session(NOW + 5 * NS_PER_S, NOW + 6 * NS_PER_S)
    where = replace(WHERE, hours=hours(Session(NOW + begin * NS_PER_S, NOW + end * NS_PER_S), later))
    assert limit_of(entry(), where) == ("session_hours" if denied else None)
    assert limit_of(entry(), where, session_hours=False) is None
    outside = replace(entry(), order=replace(entry().order, outside_rth=True))
    assert limit_of(outside, where) is None
    assert limit_of(exit_(100), replace(where, net=Decimal(100))) is None


@pytest.mark.parametrize("stated", [None, hours(), hours(Session(0, NOW))])
def test_hours_that_are_not_stated_for_now_pass_on_paper_alone(stated: HoursStated | None) -> None:
    assert limit_of(entry(), replace(WHERE, hours=stated)) is None
    assert live_limit(entry(), replace(LIVE, hours=stated)) == "session_hours"
    assert live_limit(entry()) is None


# -- live


@pytest.mark.parametrize(
    ("changes", "denied"),
    [
        ({}, None),
        ({"unlocked_until_ns": None}, "live_lock"),
        ({"unlocked_until_ns": NOW}, "live_lock"),
        ({"unlocked_until_ns": NOW + 1}, None),
        ({"port": 7497}, "live_lock"),
        ({"port": 4002}, "live_lock"),
        ({"port": 7400}, None),
        ({"account": "DU1", "managed_accounts": ("DU1",)}, "live_lock"),
        ({"buying_power": None}, "buying_power"),
    ],
)
def test_live_wants_an_unlock_that_agrees(changes: dict[str, Any], denied: str | None) -> None:
    assert live_limit(entry(), replace(LIVE, **changes)) == denied


def test_an_expired_unlock_stops_entries_alone() -> None:
    where = replace(LIVE, unlocked_until_ns=NOW - NS_PER_S, net=Decimal(100))
    assert live_limit(entry(), where) == "live_lock"
    assert live_limit(exit_(100), where) is None
    assert live_limit(exit_(100), replace(where, unlocked_until_ns=None)) == "live_lock"


@pytest.mark.parametrize("name", ["max_order_quantity", "max_order_notional", "allow"])
def test_live_requires_its_first_limits(name: str) -> None:
    assert live_limit(entry(), **{name: None}) == name
    assert limit_of(entry(), **{name: None}) is None, "paper does not"


@pytest.mark.parametrize(
    ("permitted", "paper", "real"),
    [(None, None, "short_sales"), (True, None, None), (False, "short_sales", "short_sales")],
)
def test_a_short_sale_wants_a_word_when_live(
    permitted: bool | None, paper: str | None, real: str | None
) -> None:
    assert limit_of(entry(1, Side.SELL), short_sales=permitted) == paper
    assert live_limit(entry(1, Side.SELL), short_sales=permitted) == real


def test_a_live_call_wants_no_word_when_shares_cover_it_and_their_sale_does() -> None:
    covered = replace(LIVE, cover=Decimal(1), owed=Decimal(0))
    assert live_limit(entry(1, Side.SELL), covered, short_sales=None) is None
    assert live_limit(entry(2, Side.SELL), covered, short_sales=None) == "short_sales"
    under = replace(LIVE, net=Decimal(150), owed=Decimal(100))
    assert live_limit(entry(50, Side.SELL), under, short_sales=None) is None
    assert live_limit(entry(51, Side.SELL), under, short_sales=None) == "short_sales"
    assert live_limit(exit_(150), under, short_sales=None) is None, "no exit is trapped"
