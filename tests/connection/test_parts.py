"""The small parts: ids, times, the translation of the official client's classes, and what an import loads."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibapi.const import UNSET_DOUBLE
from ibapi.order import Order as IbOrder
from msgspec.structs import replace

from tws.clock import to_ns
from tws.connection.encoding.translate import contract_of, ib_contract, ib_order, money_call_of
from tws.connection.hearing.reading import bar_of
from tws.connection.hearing.tws_time import instant_ns, login_zone
from tws.connection.ids import LARGEST_ORDER_ID, OURS_FIRST, IdSet, OrderIds, RequestIds
from tws.model.contract import Contract, stock
from tws.model.order import Order, OrderType, Side, TimeInForce
from tws.wire.messages import HistoricalDataBar

NEW_YORK = ZoneInfo("America/New_York")


def ns(*parts: int) -> int:
    return to_ns(datetime(*parts, tzinfo=UTC))  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20250708 02:35:00 America/New_York", ns(2025, 7, 8, 6, 35)),
        ("20250708 02:35:00 US/Eastern", ns(2025, 7, 8, 6, 35)),
        ("20230224  12:04:56", ns(2023, 2, 24, 17, 4, 56)),
        ("20230224 12:04:56 EST", ns(2023, 2, 24, 17, 4, 56)),
        ("20250708-06:35:00", ns(2025, 7, 8, 6, 35)),
        ("20250708-06:35:00Z", ns(2025, 7, 8, 6, 35)),
        ("1700000000", 1_700_000_000 * 10**9),
        ("20250708", ns(2025, 7, 8, 4)),
    ],
)
def test_the_forms_of_an_instant(text: str, expected: int) -> None:
    assert instant_ns(text, NEW_YORK) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "20250708 02:35:00 Nowhere/Land", "20251308 02:35:00"])
def test_an_instant_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError):
        instant_ns(text, NEW_YORK)


@pytest.mark.parametrize(
    ("said", "hour"),
    [
        ("20250425 15:23:54 EST", 19),
        ("20221216 17:29:41 CET", 15),
        ("20250415 19:38:30 British Summer Time", 18),
        ("20250323 22:21:01 Phantasialand Sommerzeit", 19 + 0),
        ("20250323 22:21:01", 19),
    ],
)
def test_the_login_zone(said: str, hour: int) -> None:
    zone = login_zone(said)
    if "Phantasialand" in said or said.endswith("01"):
        assert zone is UTC
    else:
        assert (
            datetime(2025, 4, 25, 15 if "EST" in said else 17 if "CET" in said else 19, tzinfo=zone)
            .astimezone(UTC)
            .hour
            == hour
        )


def test_order_ids_never_come_twice() -> None:
    ids = OrderIds()
    assert ids.take() is None
    ids.learn(100)
    assert [ids.take(), ids.take(3), ids.take()] == [100, 101, 104]
    ids.learn(90)  # TWS rolled back (INCIDENTS.md 1)
    assert ids.take() == 105
    ids.saw(200)
    ids.saw(-5)
    ids.saw(2**31 - 1)  # placed by hand
    assert ids.take() == 201
    ids.raise_floor(150)
    assert ids.take() == 202
    ids.saw(LARGEST_ORDER_ID - 1)
    assert ids.take() == LARGEST_ORDER_ID


def test_request_ids_stay_in_their_range() -> None:
    ids = RequestIds(OURS_FIRST)
    assert [ids.take(), ids.take()] == [OURS_FIRST, OURS_FIRST + 1]
    ids._next = OURS_FIRST + 99_999_999
    assert [ids.take(), ids.take()] == [OURS_FIRST + 99_999_999, OURS_FIRST]
    assert ids.holds(OURS_FIRST) and not ids.holds(OURS_FIRST - 1) and not ids.holds(OURS_FIRST + 100_000_000)


@given(st.lists(st.integers(-3, 40)))
def test_a_set_of_ids_holds_what_was_put_into_it(numbers: list[int]) -> None:
    ids = IdSet()
    for number in numbers:
        ids.add(number)
    assert [number for number in range(-5, 43) if number in ids] == sorted(set(numbers))
    ranges = ids.ranges
    assert all(one[1] + 1 < other[0] for one, other in pairwise(ranges)), "neighbours are one range"


def test_a_set_of_ids_is_small_and_forgets_none() -> None:
    ids = IdSet()
    for number in range(1, 100_001):
        ids.add(number)
    assert ids.ranges == [(1, 100_000)]
    for number in range(200_000, 205_000, 2):  # each a gap: what was never met is taken for met, no more
        ids.add(number)
        assert number in ids
    assert len(ids.ranges) == 1000 and 1 in ids and 204_999 not in ids


prices = st.decimals("0.0001", 10**6, places=4)
orders = st.builds(
    Order,
    side=st.sampled_from(Side),
    quantity=st.decimals("0.0001", 10**6, places=4),
    order_type=st.sampled_from(OrderType),
    limit_price=st.none() | prices,
    stop_price=st.none() | prices,
    tif=st.sampled_from(TimeInForce),
    account=st.sampled_from(["", "DU1"]),
    order_ref=st.sampled_from(["", "intent"]),
    parent_id=st.integers(0, 9),
    oca_group=st.sampled_from(["", "g"]),
    oca_type=st.integers(0, 3),
    transmit=st.booleans(),
    outside_rth=st.booleans(),
)


trailing = st.builds(
    replace,
    orders,
    order_type=st.just(OrderType.TRAIL),
    trail=st.none() | prices,
    trail_percent=st.none() | prices,
)
adjustable = st.builds(
    replace, orders, order_type=st.just(OrderType.STOP), trigger_price=prices, adjusted_stop_price=prices
)


@given(orders | trailing | adjustable)
def test_an_order_survives_the_official_class(order: Order) -> None:
    """Exactly, prices included: a double holds four decimals of a million."""
    call = money_call_of(7, ib_contract(stock("SPY")), ib_order(order))
    assert (call.beyond, call.order, call.contract, call.order_id) == ("", order, stock("SPY"), 7)


def test_unset_stays_unset() -> None:
    official = ib_order(Order(side=Side.BUY, quantity=Decimal(1)))
    assert (official.lmtPrice, official.auxPrice) == (UNSET_DOUBLE, UNSET_DOUBLE)
    assert official.totalQuantity == Decimal(1)
    assert vars(official).keys() == vars(IbOrder()).keys()


def test_an_option_survives_the_official_class() -> None:
    option = Contract(
        con_id=1,
        symbol="SPY",
        sec_type="OPT",
        last_trade_date="20261218",
        strike=612.5,
        right="C",
        multiplier="100",
        exchange="SMART",
        trading_class="SPYW",
        local_symbol="SPY C612.5",
    )
    assert contract_of(ib_contract(option)) == option


def test_bars() -> None:
    minute = bar_of(HistoricalDataBar("1700000040", 1.0, 2.0, 0.5, 1.5, Decimal("10.5"), None, -1), 60, UTC)
    assert (minute.time_ns, minute.seconds, minute.volume, minute.wap, minute.count, minute.date) == (
        1_700_000_040 * 10**9,
        60,
        10.5,
        None,
        0,
        "",
    )
    day = bar_of(HistoricalDataBar("20261120", 1.0, 2.0, 0.5, 1.5, None, Decimal("1.2"), 3), 86400, NEW_YORK)
    assert (day.date, day.time_ns, day.volume, day.wap) == ("20261120", ns(2026, 11, 20), 0.0, 1.2)


def test_the_import_loads_no_official_client_and_a_connection_does() -> None:
    program = """
import sys
import tws.connection
assert not [name for name in sys.modules if name.startswith(("ibapi", "google"))], "quick"
from tws.config import TWSConfig
tws.connection.TWSConnection(TWSConfig())
assert "ibapi.client" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=240)
