"""Order types beyond market, limit and stop: touches, trailing stops, adjusted stops, trigger methods. What
follows the quote is in `test_pegs`.

The floor stands at 100.00 / 100.01 (300 x 60), last 100.00.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tws.exchange.kinds import KINDS, TIFS, Anchor
from tws.exchange.special import Peg, Special

D = Decimal
FILLED = "5 Filled #1 10/10"


def trailing_stop(floor: Any, order_id: int = 1) -> Decimal | None:
    return next(order.trail_stop for order in floor.exchange.open_orders() if order.order_id == order_id)


# -- touches --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "touch", "short_of"), [("BUY", 9950, 9951), ("SELL", 10050, 10049)])
def test_a_touch_waits_on_the_other_side_of_a_stop(floor: Any, side: str, touch: int, short_of: int) -> None:
    told = floor.place(1, side, 10, "MIT", stop=D(touch) / 100)
    assert told == ["5 PreSubmitted #1 0/10", "3 PreSubmitted #1 0/10"]
    assert floor.trade(short_of) == []
    told = floor.trade(touch)
    assert told[:2] == ["5 Submitted #1 0/10", "3 Submitted #1 0/10"] and FILLED in told


def test_a_touched_limit_rests_at_its_limit(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LIT", stop="99.50", limit="99.40")
    assert floor.trade(9950) == ["5 Submitted #1 0/10", "3 Submitted #1 0/10"]
    assert floor.quote(9939, 10, 9941, 10) == []
    assert "11 BOT #1 10@99.40" in floor.quote(9939, 10, 9940, 10)


# -- trigger methods ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "silent", "triggers"),
    [
        (0, ("quote", 9890), ("trade", 9900)),
        (2, ("quote", 9890), ("trade", 9900)),
        (4, ("trade", 9890), ("quote", 9900)),
        (7, ("trade", 9901), ("quote", 9900)),
        (7, ("quote", 9901), ("trade", 9900)),
        (8, ("trade", 9890), ("quote", 9900)),
    ],
)
def test_a_stop_listens_to_what_its_trigger_method_names(
    floor: Any, method: int, silent: tuple[str, int], triggers: tuple[str, int]
) -> None:
    def play(kind: str, price: int) -> list[str]:
        return floor.trade(price) if kind == "trade" else floor.quote(price - 1, 50, price, 50)  # type: ignore[no-any-return]

    floor.place(1, "SELL", 10, "STP", stop="99.00", trigger_method=method)
    assert play(*silent) == []
    assert "5 Submitted #1 0/10" in play(*triggers)


def test_a_middle_may_lie_between_two_ticks(floor: Any) -> None:
    floor.place(1, "BUY", 10, "STP", stop="101.00", trigger_method=8)
    assert floor.quote(10099, 50, 10100, 50) == [], "the middle is half a tick short"
    assert "5 Submitted #1 0/10" in floor.quote(10099, 50, 10101, 50)


@pytest.mark.parametrize("method", [1, 3])
def test_a_doubled_trigger_wants_two_in_a_row(floor: Any, method: int) -> None:
    def play(price: int) -> list[str]:
        return floor.trade(price) if method == 3 else floor.quote(price - 1, 50, price, 50)  # type: ignore[no-any-return]

    floor.place(1, "SELL", 10, "STP", stop="99.00", trigger_method=method)
    assert play(9900) == play(9901) == play(9890) == [], "once, not at all, once"
    assert "5 Submitted #1 0/10" in play(9895)


# -- trailing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("terms", [{"stop": "1.00"}, {"trailing_percent": D(1)}])
def test_a_trailing_sell_follows_the_rise_and_never_the_fall(floor: Any, terms: dict[str, Any]) -> None:
    assert floor.place(1, "SELL", 10, "TRAIL", **terms)[0] == "5 PreSubmitted #1 0/10"
    assert trailing_stop(floor) == D("99.00")
    assert floor.trade(10100) == []
    assert trailing_stop(floor) == (D("100.00") if "stop" in terms else D("99.99"))
    assert floor.trade(10050) == []
    assert trailing_stop(floor) == (D("100.00") if "stop" in terms else D("99.99"))
    assert "5 Submitted #1 0/10" in floor.trade(9999)


def test_a_trailing_buy_follows_the_fall(floor: Any) -> None:
    floor.place(1, "BUY", 10, "TRAIL", stop="0.50")
    floor.trade(9900)
    assert trailing_stop(floor) == D("99.50")
    assert floor.trade(9949) == []
    assert FILLED in floor.trade(9950)


def test_a_stated_trailing_stop_is_where_it_starts(floor: Any) -> None:
    floor.place(1, "SELL", 10, "TRAIL", stop="1.00", trail_stop_price=D("98.50"))
    assert trailing_stop(floor) == D("98.50")
    assert floor.trade(9940) == [], "not yet a dollar above its start"
    assert trailing_stop(floor) == D("98.50")
    floor.trade(9960)
    assert trailing_stop(floor) == D("98.60")


@pytest.mark.parametrize(
    "terms",
    [{"lmt_price_offset": D("0.10")}, {"limit": "98.90", "trail_stop_price": D("99.00")}],
)
def test_a_trailing_limit_lies_beyond_its_stop_by_the_offset(floor: Any, terms: dict[str, Any]) -> None:
    floor.place(1, "SELL", 10, "TRAIL LIMIT", stop="1.00", **terms)
    floor.trade(10100)
    floor.quote(9980, 10, 9981, 10)
    assert floor.trade(10000) == ["5 Submitted #1 0/10", "3 Submitted #1 0/10"], "its limit is 99.90"
    assert floor.quote(9989, 10, 9990, 10) == []
    assert "11 SLD #1 10@99.90" in floor.quote(9990, 10, 9991, 10)


def test_a_change_of_the_size_keeps_the_trailed_stop_and_another_amount_starts_anew(floor: Any) -> None:
    floor.place(1, "SELL", 10, "TRAIL", stop="1.00")
    floor.trade(10200)
    floor.trade(10150)
    floor.place(1, "SELL", 20, "TRAIL", stop="1.00")
    assert trailing_stop(floor) == D("101.00")
    floor.place(1, "SELL", 20, "TRAIL", stop="2.00")
    assert trailing_stop(floor) == D("99.50")


# -- adjusted stops -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("becomes", "more"),
    [
        ("STP", {}),
        ("STP LMT", {"adjusted_stop_limit_price": D("100.40")}),
        ("TRAIL", {"adjusted_trailing_amount": D("0.50")}),
        ("TRAIL", {"adjusted_trailing_amount": D("0.5"), "adjusted_trailing_percent": True}),
    ],
)
def test_a_stop_is_adjusted_when_the_market_moves_its_way(floor: Any, becomes: str, more: Any) -> None:
    floor.place(
        1, "SELL", 10, "STP", stop="99.00", trigger_price=D("101.00"), adjusted_order_type=becomes,
        adjusted_stop_price=D("100.50"), **more,
    )  # fmt: skip
    assert floor.trade(10099) == []
    assert floor.trade(10100)[:2] == ["5 PreSubmitted #1 0/10", "3 PreSubmitted #1 0/10"]
    order = floor.exchange.open_orders()[0]
    assert order.ticket.order_type == becomes and order.ticket.adjusted_order_type == ""
    if becomes == "TRAIL":
        floor.trade(10200)
        assert order.trail_stop == D("100.50") and trailing_stop(floor) > D("101.40")
    else:
        assert order.ticket.stop_price == D("100.50")
        assert floor.trade(10051) == []
        assert "5 Submitted #1 0/10" in floor.trade(10050)


def test_an_adjustable_stop_is_a_stop_until_then(floor: Any) -> None:
    floor.place(
        1, "SELL", 10, "STP", stop="99.00", trigger_price=D("101.00"), adjusted_order_type="STP",
        adjusted_stop_price=D("100.50"),
    )  # fmt: skip
    assert FILLED in floor.trade(9900)


# -- the whole table ------------------------------------------------------------------------------


def test_every_row_of_the_tables_can_be_placed(floor: Any) -> None:
    floor = type(floor)(max_working=1000)
    order_id = 0
    reference = Special(peg=Peg(reference=floor.IBM, per=D(1), change=D(1)))
    for kind in KINDS.values():
        if kind.anchor in (Anchor.STOCK, Anchor.VOLATILITY):
            continue  # of options alone: test_pegs
        for tif in TIFS.values():
            if tif.minutes:
                continue  # of coins alone: test_times
            order_id += 1
            more: dict[str, Any] = {"lmt_price_offset": D("0.1")} if kind.trails else {"limit": 90}
            told = floor.place(
                order_id, "BUY", 1, kind.text, tif=tif.text, stop=1 if kind.trails else 90,
                starting_price=D(90), good_till_ns=10**18, special=reference, **more,
            )  # fmt: skip
            allowed = not (kind.at_close and tif.text != "DAY") and not (tif.at_open and kind.waits)
            assert (told[0][0] == "5") == allowed, (kind.text, tif.text, told)


@pytest.mark.parametrize(
    ("code", "kind", "terms"),
    [
        (321, "TRAIL", {}),
        (321, "TRAIL", {"stop": 1, "trailing_percent": D(1)}),
        (321, "TRAIL", {"trailing_percent": D(100)}),
        (403, "TRAIL", {"stop": 1, "trail_stop_price": D(-1)}),
        (110, "TRAIL", {"stop": 1, "trail_stop_price": D("1.001")}),
        (321, "TRAIL LIMIT", {"stop": 1, "limit": 99}),
        (321, "MIT", {}),
        (110, "LIT", {"stop": "99.001", "limit": 99}),
        (321, "LOC", {}),
        (113, "MOC", {"tif": "GTC"}),
        (111, "STP", {"stop": 99, "tif": "OPG"}),
        (334, "LMT", {"limit": 99, "tif": "GTD"}),
        (146, "STP", {"stop": 99, "trigger_method": 5}),
        (387, "LMT", {"limit": 99, "adjusted_order_type": "STP"}),
        (387, "STP", {"stop": 99, "adjusted_order_type": "MKT"}),
        (361, "STP", {"stop": 99, "adjusted_order_type": "STP", "adjusted_stop_price": D(100)}),
        (362, "STP", {"stop": 99, "adjusted_order_type": "STP", "trigger_price": D(100)}),
        (363, "STP", {"stop": 99, "adjusted_order_type": "STP LMT", "trigger_price": D(100),
                      "adjusted_stop_price": D(100)}),
        (364, "STP", {"stop": 99, "adjusted_order_type": "TRAIL", "trigger_price": D(100),
                      "adjusted_stop_price": D(100)}),
    ],
)  # fmt: skip
def test_an_order_that_lacks_what_its_type_needs_is_one_error(
    floor: Any, code: int, kind: str, terms: dict[str, Any]
) -> None:
    assert floor.place(1, "SELL", 10, kind, **terms) == [f"4 {code} #1"]
    assert floor.open_ids() == []


def test_a_trailing_touch_follows_the_fall_and_waits_for_the_turn(floor: Any) -> None:
    """A sale that wants the market to turn up by so much: its trigger only falls."""
    floor.place(1, "SELL", 10, "TRAIL MIT", stop="1.00")
    assert trailing_stop(floor) == D("101.00")
    assert floor.trade(9800) == [] and trailing_stop(floor) == D("99.00")
    assert floor.trade(9899) == [] and trailing_stop(floor) == D("99.00")
    assert FILLED in floor.trade(9900)
