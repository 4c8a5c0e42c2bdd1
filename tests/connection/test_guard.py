"""The built-in guard and the live lock: what they refuse, and what is written before anything leaves."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ibapi.order import Order as IbOrder
from tests.connection.peers import RecorderServer, config_of, unkept
from tests.connection.words import LIMIT, SPY, Desk, ib_contract, ib_order

from tws.connection import SendState
from tws.errors import ConfigError, OrderDeniedError
from tws.model.contract import Contract
from tws.model.order import Order, OrderType, Side
from tws.risk import Limits
from tws.wire import codec
from tws.wire.messages import ManagedAccounts
from tws.wire.messages import PlaceOrderRequest as WirePlace

# -- the built-in guard


async def test_an_order_leaves_as_the_official_client_writes_it(
    recorder: RecorderServer, journal: Path
) -> None:
    async with unkept(config_of(recorder.port), journal=journal) as connection:
        sending = connection.place_order(SPY, LIMIT)
        assert (await sending).state is SendState.WRITTEN
        connection.official.placeOrder(2, ib_contract(), ib_order())
        await recorder.caught_up(connection)
        assert recorder.ids == [b"3", b"3"]
        ours, theirs = (codec.decode_request(payload, 200) for payload in recorder.payloads)
        assert isinstance(ours, WirePlace) and isinstance(theirs, WirePlace)
        assert (ours.order_id, theirs.order_id) == (1, 2)
        assert ours.order == theirs.order and ours.contract == theirs.contract
        assert (ours.order.lmt_price, ours.order.total_quantity) == (100.25, Decimal(10))


async def test_it_is_in_the_journal_before_its_bytes_leave(recorder: RecorderServer, journal: Path) -> None:
    seen: list[list[str]] = []
    recorder.heard = lambda client, payload: (
        seen.append(lines(journal)) if payload.startswith(b"3\0") else None
    )
    async with unkept(config_of(recorder.port), journal=journal) as connection:
        connection.place_order(SPY, LIMIT)
        await recorder.caught_up(connection)
    assert len(seen) == 1 and len(seen[0]) == 1
    line = json.loads(seen[0][0])
    assert (line["kind"], line["symbol"], line["quantity"], line["limit"]) == ("place", "SPY", "10", "100.25")
    assert "DU1234567" not in seen[0][0]


def lines(journal: Path) -> list[str]:
    with sqlite3.connect(journal) as base:
        return [line for (line,) in base.execute("SELECT line FROM sent ORDER BY id")]


async def test_a_journal_that_cannot_be_written_keeps_orders_back(
    recorder: RecorderServer, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    async with unkept(config_of(recorder.port), journal=tmp_path / "folder") as connection:
        with pytest.raises(OrderDeniedError, match="journal"):
            connection.place_order(SPY, LIMIT)
        await recorder.caught_up(connection)
        assert recorder.payloads == []


REFUSED: dict[str, tuple[Limits, Contract, Order]] = {
    "quantity": (Limits(max_order_quantity=9), SPY, LIMIT),
    "notional": (Limits(max_order_notional=1000), SPY, LIMIT),
    "allow-list": (Limits(allow=("AAPL",)), SPY, LIMIT),
    "a market order without a quote": (Limits(), SPY, Order(side=Side.BUY, quantity=Decimal(1))),
    "another account": (
        Limits(),
        SPY,
        Order(
            side=Side.BUY,
            quantity=Decimal(1),
            order_type=OrderType.LIMIT,
            limit_price=Decimal(1),
            account="DU999",
        ),
    ),
    "a combination": (Limits(), Contract(con_id=1, symbol="SPY", sec_type="BAG"), LIMIT),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_the_guard_refuses(recorder: RecorderServer, journal: Path, case: str) -> None:
    limits, contract, order = REFUSED[case]
    async with unkept(config_of(recorder.port), limits=limits, journal=journal) as connection:
        with pytest.raises(OrderDeniedError):
            connection.place_order(contract, order)
        await recorder.caught_up(connection)
        assert recorder.payloads == []


BEYOND: dict[str, Callable[[IbOrder], None]] = {
    "cash": lambda order: setattr(order, "cashQty", 1e6),
    "trailing": lambda order: setattr(order, "orderType", "TRAIL"),
    "percent": lambda order: setattr(order, "trailingPercent", 5.0),
    "hedge": lambda order: setattr(order, "hedgeType", "D"),
    "no quantity": lambda order: setattr(order, "totalQuantity", Decimal(2**127 - 1)),
}


@pytest.mark.parametrize("case", BEYOND)
async def test_the_guard_refuses_what_it_cannot_read(
    recorder: RecorderServer, journal: Path, case: str
) -> None:
    order = ib_order()
    BEYOND[case](order)
    async with unkept(config_of(recorder.port), journal=journal) as connection:
        with pytest.raises(OrderDeniedError):
            connection.official.placeOrder(1, ib_contract(), order)
        await recorder.caught_up(connection)
        assert recorder.payloads == []


# -- live is locked


@pytest.mark.parametrize(
    "fields", [{"port": 7496}, {"port": 4001}, {"trading_mode": "live"}, {"account_id": "U1"}]
)
def test_guard_off_is_refused_for_anything_live(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="guard"):
        unkept(config_of(**({"port": 7400} | fields)), guard="off")


@pytest.mark.parametrize("guard", ["default", "off"])
@pytest.mark.parametrize("accounts", ["U1234567", "DU1,U2"])
async def test_a_live_account_is_read_only(
    recorder: RecorderServer, journal: Path, accounts: str, guard: Any
) -> None:
    recorder.greeting[0] = ManagedAccounts(accounts)
    async with unkept(config_of(recorder.port), guard=guard, journal=journal) as connection:
        with pytest.raises(OrderDeniedError, match="live"):
            connection.place_order(SPY, LIMIT)
        with pytest.raises(OrderDeniedError, match="live"):
            connection.official.placeOrder(1, ib_contract(), ib_order())
        await recorder.caught_up(connection)
        assert recorder.payloads == []
        connection.cancel_order(5)  # cancels need no approval
        await recorder.caught_up(connection)
        assert recorder.ids == [b"4"]


async def test_a_desk_cannot_open_the_live_lock(recorder: RecorderServer) -> None:
    """Whatever its gate approves: the lock is read beside it, directly before the bytes."""

    class Generous:
        def redeem(self, *_: object) -> None:
            return None

    recorder.greeting[0] = ManagedAccounts("U1234567")
    async with unkept(config_of(recorder.port), guard=Generous()) as connection:
        with pytest.raises(OrderDeniedError, match="live"):
            connection.outbound.place(1, SPY, LIMIT, Desk().permit(1))
        await recorder.caught_up(connection)
        assert recorder.payloads == []


@pytest.mark.parametrize("guard", ["default", "off"])
async def test_an_unknown_account_is_locked(recorder: RecorderServer, journal: Path, guard: Any) -> None:
    del recorder.greeting[0]
    async with unkept(config_of(recorder.port), guard=guard, journal=journal) as connection:
        with pytest.raises(OrderDeniedError, match="live_lock"):
            connection.place_order(SPY, LIMIT)


@pytest.mark.parametrize("fields", [{"port": 7496}, {"port": 4001}, {"trading_mode": "live"}])
async def test_a_live_port_or_mode_is_read_only(
    recorder: RecorderServer, journal: Path, fields: dict[str, Any]
) -> None:
    real = asyncio.get_running_loop().create_connection

    async def dial(factory: Any, host: str, port: int) -> Any:
        return await real(factory, host, recorder.port)

    async with unkept(
        config_of(**({"port": 7400} | fields)), dial=dial, journal=journal
    ) as connection:
        with pytest.raises(OrderDeniedError, match="live"):
            connection.place_order(SPY, LIMIT)
        await recorder.caught_up(connection)
        assert recorder.payloads == []
