"""Scale orders, by the examples of IB's guide to its ScaleTrader.

The floor stands at 100.00 / 100.01 (300 x 60), last 100.00.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tws.exchange.special import Scale, Special

D = Decimal
PROFIT = {"increment": D("0.02"), "profit": D("0.20")}


def scale(initial: object = 400, **terms: Any) -> Special:
    def exact(name: str, value: Any) -> Any:
        return value if name == "adjust_ns" or type(value) not in (int, str) else D(value)

    terms = {name: exact(name, value) for name, value in terms.items()}
    return Special(scale=Scale(initial=None if initial is None else D(str(initial)), **terms))


def bought(told: list[str]) -> list[str]:
    return [line for line in told if line.startswith("11")]


def profits(floor: Any) -> list[tuple[Decimal, Decimal]]:
    """Size and price of the orders that take profit."""
    return [
        (order.remaining, order.ticket.limit_price)
        for order in floor.exchange.open_orders() if order.order_id == 0
    ]  # fmt: skip


def test_a_component_is_followed_by_the_next_an_increment_away_and_by_its_profit(floor: Any) -> None:
    """Example 2: NBBO 26.31 - 26.32, 10000 in 400s from 26.28 by 0.02, profit 0.20."""
    floor.quote(2631, 500, 2632, 500)
    floor.place(1, "BUY", 10000, "LMT", limit="26.28", special=scale(**PROFIT))
    assert bought(floor.quote(2627, 500, 2628, 1000)) == ["11 BOT #1 400@26.28"], "one component at a time"
    assert profits(floor) == [(400, D("26.48"))]
    assert bought(floor.quote(2625, 500, 2626, 1000)) == ["11 BOT #1 400@26.26"]
    assert profits(floor) == [(400, D("26.48")), (400, D("26.46"))]
    assert bought(floor.quote(2646, 500, 2647, 500)) == ["11 SLD #2147483647 400@26.46"]


def test_a_larger_first_component_takes_profit_as_if_it_had_been_several(floor: Any) -> None:
    """Example 3: the first component has 800, the later ones 400: sales of 400 at 26.48 and at 26.46."""
    floor.quote(2631, 500, 2632, 500)
    floor.place(1, "BUY", 10000, "LMT", limit="26.28", special=scale(800, later=400, **PROFIT))
    assert bought(floor.quote(2627, 500, 2628, 900)) == ["11 BOT #1 800@26.28"]
    assert profits(floor) == [(400, D("26.48")), (400, D("26.46"))]


def test_what_took_its_profit_is_wanted_again_before_the_deeper_component(floor: Any) -> None:
    """Example 4: NBBO 412.66 - 412.69, from 413.02 by 0.02, profit 0.20, restored."""
    floor = type(floor)(cash="100000000")
    floor.quote(41320, 500, 41330, 500)
    floor.place(1, "BUY", 10000, "LMT", limit="413.02", special=scale(restores=True, **PROFIT))
    floor.quote(41301, 500, 41302, 400)
    order = floor.exchange._core.orders[1, 1]
    assert order.limit == 41300 and profits(floor) == [(400, D("413.22"))]
    floor.quote(41322, 500, 41330, 500)
    assert profits(floor) == [] and order.limit == 41302 and order.portion.left == 400
    assert bought(floor.quote(41301, 500, 41302, 900)) == ["11 BOT #1 400@413.02"]
    assert order.limit == 41300 and order.total == 10400


def test_the_components_of_a_relative_scale_stand_behind_the_quote(floor: Any) -> None:
    floor.quote(10000, 500, 10020, 500)
    special = scale(50, increment="0.05", profit="0.10")
    floor.place(1, "BUY", 200, "REL", stop="0.01", special=special)
    order = floor.exchange._core.orders[1, 1]
    assert order.limit == 10001
    assert bought(floor.quote(9990, 500, 10001, 500)) == ["11 BOT #1 50@100.01"]
    assert order.limit == 9986 and profits(floor) == [(50, D("100.11"))], "99.90 and 0.01 less 0.05"
    floor.quote(9995, 500, 10005, 500)
    assert order.limit == 9991


def test_the_price_of_all_components_moves_with_time(floor: Any) -> None:
    special = scale(increment="0.02", adjust="0.05", adjust_ns=10)
    floor.place(1, "BUY", 1000, "LMT", limit="99.00", special=special)
    floor.advance(floor.now + 25)
    assert floor.exchange._core.orders[1, 1].limit == 9910


def test_a_position_held_before_counts_as_components_that_filled(floor: Any) -> None:
    special = scale(position=800, filled=100, increment="0.10")
    floor.place(1, "BUY", 5000, "LMT", limit="99.00", special=special)
    order = floor.exchange._core.orders[1, 1]
    assert order.limit == 9880 and order.portion.left == 300, "two are done, and a hundred of the third"


def test_a_huge_position_or_component_costs_no_more_than_a_small_one(floor: Any) -> None:
    floor = type(floor)(cash="1000000000000", check_margin=False, max_working=1000)
    special = scale(100_000_000, later=1, position=99_999_999, increment="0.01", profit="0.10")
    floor.place(1, "BUY", 900_000_000, "LMT", limit="99.00", special=special)
    assert floor.exchange._core.orders[1, 1].portion.left == 1
    floor.quote(9899, 500, 9900, 1)
    assert len(profits(floor)) == 20, "of five millions each"


def test_client_0_does_not_bind_what_tws_sent_for_another(floor: Any) -> None:
    floor.place(1, "BUY", 800, "LMT", limit="99.00", special=scale(**PROFIT))
    floor.quote(9890, 500, 9900, 400)
    assert list(floor.exchange.by_hand.bind(floor.now)) == [] and profits(floor) == [(400, D("99.20"))]


def test_a_cancelled_scale_takes_its_profit_orders_along_and_a_filled_one_leaves_them(floor: Any) -> None:
    for order_id in (1, 2):
        floor.place(order_id, "BUY", 800, "LMT", limit="99.00", special=scale(**PROFIT))
        floor.quote(9890, 500, 9898 if order_id == 2 else 9900, 400)
        if order_id == 2:
            floor.quote(9890, 500, 9898, 800)
        else:
            floor.cancel(1)
            assert profits(floor) == []
    assert profits(floor) == [(400, D("99.20")), (400, D("99.18"))]


@pytest.mark.parametrize(
    ("code", "special", "kind"),
    [
        (408, scale(increment=-1), "LMT"), (408, scale(increment="0.001"), "LMT"),
        (419, scale(None, increment=1), "LMT"), (417, scale(0, increment=1), "LMT"),
        (417, scale("0.5", increment=1), "LMT"), (410, scale(later=-1, increment=1), "LMT"),
        (418, scale(increment=1, profit=-1), "LMT"), (446, scale(increment=1, restores=True), "LMT"),
        (447, scale(increment=1, adjust=1), "LMT"), (447, scale(increment=1, adjust_ns=1), "LMT"),
        (448, scale(increment=1, adjust=1, adjust_ns=-1), "LMT"), (387, scale(increment=1), "MKT"),
    ],
)  # fmt: skip
def test_a_scale_that_makes_no_sense_is_refused(floor: Any, code: int, special: Special, kind: str) -> None:
    assert floor.place(1, "BUY", 1000, kind, limit=99, special=special) == [f"4 {code} #1"]


def test_a_transmitted_scale_cannot_be_changed(floor: Any) -> None:
    floor.place(1, "BUY", 1000, "LMT", limit=99, special=scale(increment=1))
    assert floor.place(1, "BUY", 1000, "LMT", limit=98, special=scale(increment=1)) == ["4 105 #1"]


@given(
    size=st.integers(1, 60),
    initial=st.integers(1, 20),
    later=st.integers(0, 20),
    side=st.sampled_from(["BUY", "SELL"]),
    restores=st.booleans(),
    random=st.booleans(),
    market=st.lists(st.tuples(st.integers(9980, 10020), st.integers(0, 30), st.integers(0, 30)), max_size=25),
)
@settings(max_examples=80, deadline=None)
def test_a_scale_holds_its_size_and_never_pays_more_than_its_component(
    Floor_: Any, size: int, initial: int, later: int, side: str, restores: bool, random: bool, market: Any
) -> None:
    floor = Floor_(max_working=1000, check_margin=False)
    sign = 1 if side == "BUY" else -1
    terms = {"increment": D("0.01"), "profit": D("0.03"), "restores": restores, "random": random}
    special = scale(min(initial, size), later=later or None, **terms)
    floor.place(1, side, size, "LMT", limit="100.00", special=special)
    for price, bids, asks in market:
        floor.quote(price, bids, price + 1, asks)
        assert 0 <= floor.position() * sign <= size
        waiting = sum(order.remaining for order in floor.exchange.open_orders() if order.order_id == 0)
        order = floor.exchange._core.orders.get((1, 1))
        if order is not None:
            partly = sum(order.portion.done.values())
            assert waiting + partly == floor.position() * sign, "each component that filled takes its profit"
            assert sum(order.portion.open.values()) <= order.remaining
    fills = [report.executed for report in floor.exchange.executions()]
    assert all((fill.price - 100) * sign <= 0 for fill in fills if fill.order_id == 1)
