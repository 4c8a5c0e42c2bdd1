"""What no call takes: a wrong type, a number that is none. Each is an error at the call; nothing leaves."""

from __future__ import annotations

import inspect
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.connection.peers import RecorderServer, config_of, unkept

from tws.connection import TWSConnection
from tws.connection.families.arguments import CALLS
from tws.connection.ids import LARGEST_ORDER_ID
from tws.errors import RequestError
from tws.model.contract import ComboLeg, Contract
from tws.model.exercise import Exercise
from tws.model.order import Order, OrderType, Side
from tws.model.scanner import Scan
from tws.model.settings import SettingsChange

SPY = Contract(con_id=756733, symbol="SPY", sec_type="STK", exchange="SMART", currency="USD")
BUY = Order(side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal(10))
LEG = ComboLeg(con_id=1, ratio=1, side=b"BUY")  # type: ignore[arg-type]
NAN, INFINITY = float("nan"), float("inf")


def calls() -> list[tuple[str, str]]:
    """Each call with each of its parameters."""
    named = {name: getattr(TWSConnection, name) for name in dir(TWSConnection) if name.startswith(CALLS)}
    names = [name for name, one in named.items() if callable(one)]
    return [(name, each) for name in names
            for each in inspect.signature(getattr(TWSConnection, name)).parameters if each != "self"]


WRONG: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("request_next_order_id", {"n": NAN}, TypeError, "n is nan: int"),
    ("request_next_order_id", {"n": True}, TypeError, "n is True: int"),
    ("request_next_order_id", {"n": 10**7}, ValueError, "n is 10+: 1 to"),
    ("raise_order_id_floor", {"floor": LARGEST_ORDER_ID + 1}, ValueError, "largest order id"),
    ("request_market_rule", {"rule_id": 10**12}, ValueError, "32 bits"),
    ("stream_quotes", {"contract": replace(SPY, con_id=2**31)}, ValueError, r"contract\.con_id .*32 bits"),
    ("wait_order", {"order": None}, TypeError, "order is None: Sending or int"),
    ("cancel_order", {"order_id": 1.5}, TypeError, "order_id is 1.5: int"),
    ("request_contract", {"contract": None}, TypeError, "contract is None: Contract is meant"),
    ("request_instrument", {"contract": "SPY"}, TypeError, "contract is 'SPY': Contract"),
    ("stream_quotes", {"contract": replace(SPY, strike=NAN)}, ValueError, r"contract\.strike is nan"),
    ("stream_quotes", {"contract": replace(SPY, con_id="756733")}, TypeError, r"con_id is '756733'"),
    ("stream_quotes", {"contract": replace(SPY, symbol="SP\0Y")}, ValueError, r"contract\.symbol .*NUL"),
    ("stream_quotes", {"contract": replace(SPY, combo_legs=(LEG,))}, TypeError,
     r"contract\.combo_legs\[0\]\.side is b"),
    ("stream_quotes", {"contract": SPY, "generic_ticks": "233"}, TypeError, "Iterable of int"),
    ("request_historical_news", {"contract": SPY, "providers": "BRFG"}, TypeError, "Iterable of str"),
    ("request_account_summary", {"tags": "NetLiquidation"}, TypeError, "Iterable of str"),
    ("request_historical_ticks", {"contract": SPY, "kind": "LAST"}, ValueError, "one of 'TRADES'"),
    ("request_market_data_type", {"kind": 7}, ValueError, "one of MarketDataType"),
    ("request_historical_bars", {"contract": SPY, "use_rth": "no"}, TypeError, "use_rth is 'no': bool"),
    ("request_option_price", {"contract": SPY, "volatility": INFINITY, "under_price": 5}, ValueError, "inf"),
    ("request_scan", {"scan": Scan("TOP_PERC_GAIN", rows="5")}, TypeError, r"scan\.rows is '5'"),  # type: ignore[arg-type]
    ("request_scan", {"scan": Scan("TOP_PERC_GAIN", filters=(("priceAbove", 5),))}, TypeError,  # type: ignore[arg-type]
     r"scan\.filters\[0\]\[1\] is 5: str"),
    ("update_settings", {"change": SettingsChange(messages=((1, "no"),))}, TypeError,  # type: ignore[arg-type]
     r"change\.messages\[0\]\[1\] is 'no': bool"),
    ("stream_ticks", {"contract": SPY, "bound": 0}, ValueError, "bound is 0"),
    ("exercise_options", {"contract": SPY, "wish": Exercise(quantity=1, account=5)}, TypeError,  # type: ignore[arg-type]
     r"wish\.account is 5"),
    ("place_order", {"contract": replace(SPY, symbol=b"x"), "order": BUY}, TypeError, r"symbol is b'x'"),
    ("place_order", {"contract": SPY, "order": replace(BUY, oca_type=NAN)}, TypeError, "oca_type is nan"),
    ("place_order", {"contract": SPY, "order": replace(BUY, transmit="")}, TypeError, "transmit is ''"),
    ("place_order", {"contract": SPY, "order": BUY, "off_grid": "up"}, ValueError, "one of 'refuse'"),
    ("request_what_if", {"contract": SPY, "order": replace(BUY, account=None)}, TypeError, "account is None"),
]  # fmt: skip


async def test_what_no_call_takes(recorder: RecorderServer, journal: Path) -> None:
    connection = unkept(config_of(recorder.port), journal=journal)
    assert await connection.connect()
    for name, parameter in calls():
        with pytest.raises(TypeError, match=rf"^{parameter} is <object.*is meant$"):
            getattr(connection, name)(**{parameter: object()})
    for name, given, error, words in WRONG:
        with pytest.raises(error, match=words):
            getattr(connection, name)(**given)
    await recorder.caught_up(connection)
    assert recorder.payloads == []
    assert connection.get_next_order_id() == 1
    connection.disconnect()


async def test_numbers_of_numpy_are_numbers(client: TWSConnection) -> None:
    """A con_id of a table once stood in the way of every later order: the guard's book could not tell it."""
    numpy = pytest.importorskip("numpy")
    spy = (await client.request_contract(Contract(con_id=numpy.int64(756733)))).contract
    order = Order(side=Side.BUY, quantity=numpy.int64(1), order_type=OrderType.LIMIT,
                  limit_price=numpy.float64(10.25))  # fmt: skip
    assert order.limit_price == Decimal("10.25")
    for number in (numpy.int64(spy.con_id), spy.con_id):
        sending = client.place_order(replace(spy, con_id=number), order)
        assert (await client.wait_order(sending, until="acknowledged", timeout_s=5)).is_open


async def test_a_rule_below_zero_is_refused_as_others_are(client: TWSConnection) -> None:
    with pytest.raises(RequestError, match="321"):
        await client.request_market_rule(-1)
