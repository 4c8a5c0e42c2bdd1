"""What moves money leaves by one door: seen from the other side of the socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ibapi.client import EClient
from ibapi.order_cancel import OrderCancel
from ibapi.protobuf.ExerciseOptionsRequest_pb2 import ExerciseOptionsRequest
from ibapi.protobuf.FAReplace_pb2 import FAReplace
from ibapi.protobuf.PlaceOrderRequest_pb2 import PlaceOrderRequest
from ibapi.protobuf.UpdateConfigRequest_pb2 import UpdateConfigRequest
from tests.connection.peers import RecorderServer, config_of, unkept
from tests.connection.words import LIMIT, SPY, Desk, ib_contract, ib_order

from tws.connection import Sending, SendState
from tws.connection.encoding.official import MONEY_FRAMES
from tws.connection.ordering.calls import MoneyCall
from tws.errors import LinkLostError, NotSentError, OrderDeniedError, TWSError
from tws.model.order import Order, OrderType, Side
from tws.risk import Denial, Gate, Limits
from tws.wire import codec
from tws.wire.framing import frame, frame_id
from tws.wire.messages import CancelOrderRequest
from tws.wire.messages import PlaceOrderRequest as WirePlace


def raw_frames() -> list[bytes]:
    """Frames that move money in each of the three forms, as a determined bypass would make them."""
    frames = [frame(b"x3\x00"), frame(b"\xd9\xa3\x00"), frame(b"3"), frame(b"3,\x00")]
    for number in MONEY_FRAMES:
        frames.append(frame(b"%d\x00rest\x00" % number))
        frames.append(frame(b"+%d\x00rest\x00" % number))
        frames.append(frame(b" %d\x00rest\x00" % number))
        frames.append(frame(number.to_bytes(4, "big") + b"rest\x00"))
        frames.append(frame((number + 200).to_bytes(4, "big") + b"\x08\x01"))
    return frames


CALLS: dict[str, Callable[[Any], object]] = {
    "placeOrder": lambda it: it.placeOrder(1, ib_contract(), ib_order()),
    "exerciseOptions": lambda it: it.exerciseOptions(1, ib_contract(), 1, 1, "DU1234567", 0, "", "", False),
    "replaceFA": lambda it: it.replaceFA(1, 1, "<xml/>"),
    "placeOrderProtoBuf": lambda it: it.placeOrderProtoBuf(PlaceOrderRequest(orderId=1)),
    "exerciseOptionsProtoBuf": lambda it: it.exerciseOptionsProtoBuf(ExerciseOptionsRequest(orderId=1)),
    "replaceFAProtoBuf": lambda it: it.replaceFAProtoBuf(FAReplace(reqId=1)),
    "updateConfigProtoBuf": lambda it: it.updateConfigProtoBuf(UpdateConfigRequest(reqId=1)),
    "sendMsg": lambda it: it.sendMsg(3, "1\x00"),
    "sendMsgProtoBuf": lambda it: it.sendMsgProtoBuf(203, b"\x08\x01"),
    "the base class": lambda it: EClient.placeOrder(it, 1, ib_contract(), ib_order()),
    "conn.sendMsg": lambda it: it.conn.sendMsg(frame(b"3\x001\x00")),
}


def test_no_call_of_the_official_client_is_forgotten() -> None:
    """Each method of EClient that names a money-moving request is among those that are tried here."""
    import inspect
    import re

    words = "PLACE_ORDER|REPLACE_FA|EXERCISE_OPTIONS|UPDATE_CONFIG"
    senders = {
        name
        for name, method in inspect.getmembers(EClient, inspect.isfunction)
        if re.search(rf"OUT\.({words})\b", inspect.getsource(method))
    }
    assert senders - {"useProtoBuf"} <= set(CALLS), "the official client has a new way to move money"


@pytest.mark.parametrize("call", CALLS)
async def test_without_an_approval_no_byte_arrives(
    recorder: RecorderServer, journal: Path, call: str
) -> None:
    """A desk's gate that approved nothing, and each way in which the official client could send."""
    async with unkept(config_of(recorder.port), guard=Gate(Limits()), journal=journal) as connection:
        with pytest.raises((OrderDeniedError, NotSentError)):
            CALLS[call](connection.official)
        await recorder.caught_up(connection)
        assert recorder.payloads == []


@pytest.mark.parametrize("raw", raw_frames(), ids=repr)
async def test_no_raw_frame_passes(recorder: RecorderServer, raw: bytes) -> None:
    async with unkept(config_of(recorder.port), guard="off") as connection:
        for smuggled in (raw, bytearray(raw), frame(b"49\x001\x00") + raw):
            with pytest.raises(NotSentError):
                connection.official.conn.sendMsg(smuggled)
        await recorder.caught_up(connection)
        assert recorder.payloads == []


async def test_another_frame_passes(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        connection.official.conn.sendMsg(frame(b"49\x001\x00"))
        await recorder.caught_up(connection)
        assert recorder.payloads == [b"49\x001\x00"]


def test_frame_ids() -> None:
    assert frame_id(frame(b"3\x00")) == 3
    assert frame_id(frame((203).to_bytes(4, "big"))) == 3
    assert frame_id(frame((3).to_bytes(4, "big"))) == 3
    assert frame_id(frame(b"abc\x00")) is None
    assert frame_id(b"\0\0\0\0") is None


# -- the desk's permits


async def test_a_permit_opens_once_and_for_its_own_order(recorder: RecorderServer) -> None:
    desk = Desk()
    async with unkept(config_of(recorder.port), guard=desk.gate) as connection:
        permit = desk.permit(4)
        assert connection.outbound.place(4, SPY, LIMIT, permit).state is SendState.WRITTEN
        with pytest.raises(OrderDeniedError):
            connection.outbound.place(4, SPY, LIMIT, permit)
        other = desk.permit(5)
        with pytest.raises(OrderDeniedError):
            connection.outbound.place(6, SPY, LIMIT, other)
        with pytest.raises(OrderDeniedError):  # the refusal used it up
            connection.outbound.place(5, SPY, LIMIT, other)
        with pytest.raises(OrderDeniedError):
            connection.place_order(SPY, LIMIT)
        await recorder.caught_up(connection)
        assert recorder.ids == [b"3"]


async def test_latch_and_epoch_are_read_right_before_the_bytes(recorder: RecorderServer) -> None:
    desk, latched = Desk(), False

    def brake(call: MoneyCall) -> Denial | None:
        return (
            Denial(limit="latch", figure="set", bound="open", reason="the kill switch is on")
            if latched
            else None
        )

    async with unkept(config_of(recorder.port), guard=desk.gate, brake=brake) as connection:
        connection.outbound.hold()
        sending = connection.outbound.place(1, SPY, LIMIT, desk.permit(1))
        assert sending.state is SendState.QUEUED
        latched = True  # after the approval, before the bytes
        connection.outbound.release()
        assert sending.state is SendState.REFUSED
        with pytest.raises(OrderDeniedError, match="kill switch"):
            await sending
        latched = False
        connection.outbound.release()
        await recorder.caught_up(connection)
        assert recorder.payloads == []


async def test_a_cancel_withdraws_what_has_not_left(recorder: RecorderServer) -> None:
    desk, decided = Desk(), list[Sending]()
    async with unkept(config_of(recorder.port), guard=desk.gate) as connection:
        connection.outbound.on_sent(decided.append)
        connection.outbound.hold()
        permit = desk.permit(1)
        first = connection.outbound.place(1, SPY, LIMIT, permit)
        second = connection.outbound.place(2, SPY, LIMIT, desk.permit(2))
        assert connection.outbound.cancel(1).state is SendState.WITHDRAWN
        connection.outbound.release()
        assert (first.state, second.state) == (SendState.WITHDRAWN, SendState.WRITTEN)
        assert [(each.order_id, each.state) for each in decided if each.call.kind != "cancel"] == [
            (1, SendState.WITHDRAWN),
            (2, SendState.WRITTEN),
        ]
        with pytest.raises(OrderDeniedError):  # its permit died with it
            connection.outbound.place(1, SPY, LIMIT, permit)
        await recorder.caught_up(connection)
        assert recorder.ids == [b"3"]


async def test_a_cancel_of_a_waiting_change_leaves(recorder: RecorderServer) -> None:
    """The order itself is at TWS: withdrawing only the change would leave it working."""
    desk = Desk()
    async with unkept(config_of(recorder.port), guard=desk.gate) as connection:
        connection.outbound.place(1, SPY, LIMIT, desk.permit(1))
        connection.outbound.hold()
        change = connection.outbound.place(1, SPY, LIMIT, desk.permit(1, changes=True))
        assert connection.outbound.cancel(1).state is SendState.WRITTEN
        assert change.state is SendState.WITHDRAWN
        connection.outbound.release()
        await recorder.caught_up(connection)
        assert recorder.ids == [b"3", b"4"]
        cancel = codec.decode_request(recorder.payloads[1], 200)
        assert isinstance(cancel, CancelOrderRequest) and cancel.order_id == 1


async def test_an_order_that_tws_has_spoken_of_is_cancelled_for_real(recorder: RecorderServer) -> None:
    """After a restart of ours, an adopted order's bytes left in another life."""
    from tws.wire.messages import OrderStatus

    desk = Desk()
    async with unkept(config_of(recorder.port), guard=desk.gate) as connection:
        lane = connection.facts()
        recorder.clients[0].say(OrderStatus(1, "Submitted", Decimal(0), Decimal(10), client_id=1))
        await lane.wait()
        connection.outbound.hold()
        connection.outbound.place(1, SPY, LIMIT, desk.permit(1))
        assert connection.official.cancelOrder(1, OrderCancel()) is None
        await recorder.caught_up(connection)
        assert recorder.ids == [b"4"]


async def test_orders_of_one_id_keep_their_order(recorder: RecorderServer) -> None:
    desk = Desk()
    async with unkept(config_of(recorder.port), guard=desk.gate) as connection:
        connection.outbound.hold()
        for price in (1, 2, 3):
            order = Order(
                side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal(price)
            )
            connection.outbound.place(1, SPY, order, desk.permit(1, order, changes=price > 1))
        connection.outbound.release()
        await recorder.caught_up(connection)
        requests = [codec.decode_request(payload, 200) for payload in recorder.payloads]
        assert [request.order.lmt_price for request in requests if isinstance(request, WirePlace)] == [
            1,
            2,
            3,
        ]


async def test_what_waits_when_the_link_goes_is_refused_and_never_sent(recorder: RecorderServer) -> None:
    desk = Desk()
    connection = unkept(config_of(recorder.port), guard=desk.gate)
    await connection.connect()
    connection.outbound.hold()
    sending = connection.outbound.place(1, SPY, LIMIT, desk.permit(1))
    connection.disconnect()
    with pytest.raises(LinkLostError):
        await sending
    connection.outbound.release()
    assert await connection.connect()
    await recorder.caught_up(connection)
    assert recorder.payloads == []
    connection.disconnect()


async def test_a_slow_tws_holds_orders_back_and_a_cancel_withdraws_them(recorder: RecorderServer) -> None:
    """While TWS does not read, an order has not left, whatever asyncio's buffer could take."""
    desk = Desk()
    async with unkept(config_of(recorder.port), guard=desk.gate) as connection:
        recorder.clients[0].transport.pause_reading()
        filler = frame(b"0\x00" + b"x" * 100_000)
        while not connection._engine.wire.is_full():
            connection.official.conn.sendMsg(filler)
        sending = connection.outbound.place(1, SPY, LIMIT, desk.permit(1))
        kept = connection.outbound.place(2, SPY, LIMIT, desk.permit(2))
        assert sending.state is SendState.QUEUED
        assert connection.outbound.cancel(1).state is SendState.WITHDRAWN
        recorder.clients[0].transport.resume_reading()
        assert (await kept).state is SendState.WRITTEN
        await recorder.caught_up(connection)
        assert [number for number in recorder.ids if number != b"0"] == [b"3"]


async def test_calls_from_another_thread(recorder: RecorderServer, journal: Path) -> None:
    async with unkept(config_of(recorder.port), journal=journal) as connection:
        denied: list[TWSError] = []

        def work() -> None:
            connection.official.placeOrder(1, ib_contract(), ib_order())
            connection.official.cancelOrder(7, OrderCancel())
            try:
                connection.official.placeOrder(2, ib_contract(), ib_order(quantity=10**6))
            except TWSError as error:
                denied.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        await asyncio.get_running_loop().run_in_executor(None, thread.join)
        await recorder.caught_up(connection)
        assert recorder.ids == [b"3", b"4"]
        assert isinstance(denied[0], OrderDeniedError)


async def test_a_global_cancel_withdraws_and_leaves(recorder: RecorderServer) -> None:
    desk = Desk()
    async with unkept(config_of(recorder.port), guard=desk.gate) as connection:
        connection.outbound.hold()
        sending = connection.outbound.place(1, SPY, LIMIT, desk.permit(1))
        connection.outbound.global_cancel()
        assert sending.state is SendState.WITHDRAWN
        connection.outbound.release()
        await recorder.caught_up(connection)
        assert recorder.ids == [b"58"]


async def test_no_session_no_bytes(recorder: RecorderServer, journal: Path) -> None:
    connection = unkept(config_of(recorder.port), guard="off", journal=journal)
    for call in (
        lambda: connection.place_order(SPY, LIMIT),
        lambda: connection.cancel_order(1),
        lambda: connection.official.placeOrder(1, ib_contract(), ib_order()),
        lambda: connection.official.reqCurrentTime(),
    ):
        with pytest.raises(NotSentError):
            call()
