"""What an order would cost: asked past the same lock as an order, counted nowhere, answered or refused."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from tests.connection.peers import RecorderServer, config_of, port_of, unkept, until

from tws.connection import TWSConnection
from tws.connection.ordering.calls import MoneyKind
from tws.connection.ordering.outbound import Sending
from tws.errors import LinkLostError, OrderDeniedError, RequestError
from tws.model.contract import stock
from tws.model.facts import BrokerOrder, BrokerReply, Fact
from tws.model.order import Order, OrderType, Side
from tws.risk import Denial
from tws.simulator import SimulatedTWS
from tws.wire import codec
from tws.wire.messages import (
    AutoOpenOrdersRequest,
    ErrorMessage,
    GlobalCancelRequest,
    OpenOrder,
    PlaceOrderRequest,
    WireContract,
    WireOrder,
    WireOrderState,
)

SPY = stock("SPY")
ORDER = Order(side=Side.BUY, quantity=Decimal(100), order_type=OrderType.LIMIT, limit_price=Decimal(100))


async def test_margin_and_fees(tws: SimulatedTWS, client: TWSConnection, journal: Path) -> None:
    tws.quote("SPY", bid=100.00, ask=100.02)
    contract = (await client.request_contract(SPY)).contract
    facts: list[Fact] = []
    client.facts(facts.append)
    sent: list[Sending] = []
    client.outbound.on_sent(sent.append)
    first = client.get_next_order_id()
    cost = await client.request_what_if(contract, ORDER)
    assert [sending.call.kind for sending in sent] == [MoneyKind.WHAT_IF]
    assert cost.initial.change and cost.initial.change > 0
    assert cost.initial.before is not None and cost.initial.after is not None
    assert cost.initial.after - cost.initial.before == cost.initial.change
    assert cost.maintenance.after and cost.equity.before
    assert cost.commission and cost.commission >= 1 and cost.currency == "USD"
    assert not [fact for fact in facts if isinstance(fact, BrokerOrder | BrokerReply)]
    assert await client.request_all_open_orders() == []
    assert await client.request_completed_orders() == []
    assert not journal.exists()
    assert first is not None and client.get_next_order_id() == first + 2
    # an order afterwards is no change of it
    await client.place_order(contract, ORDER)
    assert len(await client.request_open_orders()) == 1
    client.cancel_all_orders()
    assert await client.request_open_orders() == []


async def test_what_tws_would_refuse(tws: SimulatedTWS, client: TWSConnection) -> None:
    contract = (await client.request_contract(SPY)).contract
    tws.quote("SPY", bid=100.00, ask=100.02)
    huge = Order(side=Side.BUY, quantity=Decimal(10**7), order_type=OrderType.LIMIT, limit_price=Decimal(100))
    facts: list[Fact] = []
    client.facts(facts.append)
    with pytest.raises(RequestError) as caught:
        await client.request_what_if(contract, huge)
    assert caught.value.code == 201
    assert not [fact for fact in facts if isinstance(fact, BrokerReply) and fact.order_id > 0]


async def test_the_first_answer_may_be_empty_and_a_notice_ends_nothing(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        facts: list[Fact] = []
        connection.facts(facts.append)
        reply = connection.request_what_if(SPY, ORDER)
        await recorder.caught_up(connection)
        asked = codec.decode_request(recorder.payloads[0], 200)
        assert isinstance(asked, PlaceOrderRequest) and asked.order.what_if and asked.order.transmit
        peer, wire = recorder.clients[0], WireOrder(client_id=1, action="BUY", order_type="LMT", what_if=True)
        peer.say(ErrorMessage(asked.order_id, 0, 10349, "Order TIF was set to DAY based on order preset."))
        peer.say(OpenOrder(asked.order_id, WireContract(), wire, WireOrderState(status="PreSubmitted")))
        peer.say(
            OpenOrder(
                asked.order_id,
                WireContract(),
                wire,
                WireOrderState(
                    status="PreSubmitted",
                    init_margin_after=7.5,
                    min_commission_and_fees=1.0,
                    max_commission_and_fees=2.0,
                    init_margin_after_outside_rth=8.0,
                    warning_text="mind the gap",
                ),
            )
        )
        cost = await reply
        assert (cost.initial.after, cost.initial.change) == (Decimal("7.5"), None)
        assert (cost.commission, cost.least_commission, cost.most_commission) == (None, 1, 2)
        assert cost.outside_hours is not None and cost.outside_hours[0].after == 8
        assert cost.warning == "mind the gap"
        peer.say(OpenOrder(asked.order_id, WireContract(), wire, WireOrderState(init_margin_after=1.0)))
        peer.say(ErrorMessage(-1, 0, 2104, "mark"))
        await until(lambda: len(facts) and isinstance(facts[-1], BrokerReply))
        assert [fact for fact in facts if isinstance(fact, BrokerOrder)] == []
        assert not connection._engine.answers.knows_order(asked.order_id)


async def test_the_lock_and_the_brake_stand_before_it(recorder: RecorderServer) -> None:
    recorder.greeting[0] = type(recorder.greeting[0])("U7654321")  # a live account
    async with unkept(config_of(recorder.port)) as connection:
        with pytest.raises(OrderDeniedError, match="live"):
            connection.request_what_if(SPY, ORDER)
        assert len(connection._engine.answers.requests) == 0
        await recorder.caught_up(connection)
        assert recorder.payloads == []


async def test_the_brake_keeps_it_back(recorder: RecorderServer) -> None:
    denial = Denial(limit="latch", figure="an order", bound="none", reason="the switch was thrown")
    async with unkept(config_of(recorder.port), brake=lambda call: denial) as connection:
        with pytest.raises(OrderDeniedError, match="switch"):
            connection.request_what_if(SPY, ORDER)
        connection.outbound.hold()
        reply = connection.request_what_if(SPY, ORDER)
        connection.outbound.release()
        with pytest.raises(OrderDeniedError, match="switch"):
            await reply
        await recorder.caught_up(connection)
        assert recorder.payloads == []


async def test_a_lost_link_ends_it(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        reply = connection.request_what_if(SPY, ORDER)
        recorder.clients[0].transport.abort()
        with pytest.raises(LinkLostError):
            await reply


async def test_its_cancel_is_none(recorder: RecorderServer) -> None:
    """Nothing lives that could be cancelled, and the id is not known as an order's."""
    async with unkept(config_of(recorder.port)) as connection:
        connection.outbound.hold()
        connection.request_what_if(SPY, ORDER)
        connection.cancel_order(1)
        connection.outbound.release()
        await recorder.caught_up(connection)
        assert recorder.payloads == []


async def test_an_order_of_its_id_is_none_that_tws_knows(recorder: RecorderServer) -> None:
    """So that its cancel takes it back here, and no byte of either leaves."""
    async with unkept(config_of(recorder.port), guard="off") as connection:
        connection.request_what_if(SPY, ORDER)
        connection.outbound.hold()
        connection.place_order(SPY, ORDER, order_id=1)
        connection.cancel_order(1)
        connection.outbound.release()
        await recorder.caught_up(connection)
        (asked,) = (codec.decode_request(payload, 200) for payload in recorder.payloads)
        assert isinstance(asked, PlaceOrderRequest) and asked.order.what_if


async def test_orders_by_hand_are_bound_by_client_0_alone(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port, client_id=1)) as connection:
        with pytest.raises(RequestError) as caught:
            connection.bind_manual_orders()
        assert caught.value.code == 327
    async with unkept(config_of(recorder.port, client_id=0)) as connection:
        connection.bind_manual_orders()
        connection.cancel_all_orders()
        await recorder.caught_up(connection)
        asked = [codec.decode_request(payload, 200) for payload in recorder.payloads]
        assert asked == [AutoOpenOrdersRequest(True), GlobalCancelRequest()]


async def test_an_order_by_hand_comes_under_an_id_of_ours(tws: SimulatedTWS) -> None:
    async with unkept(config_of(port_of(tws), client_id=0), guard="off") as connection:
        connection.bind_manual_orders()
        await connection.request_current_time()
        tws.faults.play("manual-order", symbol="SPY", side="BUY", quantity=1, price=10.0)
        await asyncio.sleep(0)
        (order,) = await connection.request_open_orders()
        assert order.order_id < 0
        connection.cancel_order(order.order_id)
        assert await connection.request_open_orders() == []
