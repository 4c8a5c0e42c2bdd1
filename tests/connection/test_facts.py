"""The fact lane: in the order of the bytes, never dropped, never beyond its bound; and frames that nobody
can read.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from tests.connection.peers import RecorderServer, config_of, unkept, until

from tws.connection import TWSConnection
from tws.connection.hearing.bars import PastBars
from tws.model.execution import Commission, Execution
from tws.model.facts import BrokerOrder, BrokerOrderStatus, BrokerReply, Fact, Link, LinkState, NextOrderId
from tws.model.order import Side
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.layouts import ANSWERS
from tws.wire.messages import (
    CommissionAndFeesReport,
    ErrorMessage,
    ExecutionDetails,
    OpenOrder,
    OrderStatus,
    WireContract,
    WireExecution,
    WireOrder,
    WireOrderState,
)

SPY = WireContract(con_id=756733, symbol="SPY", sec_type="STK", exchange="SMART", currency="USD")


def status(number: int) -> OrderStatus:
    return OrderStatus(number, "Submitted", Decimal(0), Decimal(1), client_id=1)


async def drained(connection: TWSConnection, lane: object, count: int) -> list[Fact]:
    found: list[Fact] = []
    while len(found) < count:
        await lane.wait()  # type: ignore[attr-defined]
        found += lane.drain()  # type: ignore[attr-defined]
    return found


async def test_the_facts_of_a_fill_in_the_order_of_the_bytes(recorder: RecorderServer) -> None:
    order = WireOrder(
        client_id=1,
        perm_id=77,
        action="BUY",
        total_quantity=Decimal(100),
        order_type="LMT",
        lmt_price=100.25,
        tif="DAY",
        account="DU1234567",
        order_ref="intent-1",
        parent_id=3,
        oca_group="g",
    )
    execution = WireExecution(
        order_id=4,
        exec_id="0001.01.01",
        time="20261120 09:31:00 US/Eastern",
        side="BOT",
        acct_number="DU1234567",
        shares=Decimal(100),
        price=100.25,
        perm_id=77,
        client_id=1,
        cum_qty=Decimal(100),
        avg_price=100.25,
        order_ref="intent-1",
        exchange="ARCA",
    )
    said = [
        OpenOrder(4, SPY, order, WireOrderState(status="PreSubmitted")),
        OrderStatus(4, "PreSubmitted", Decimal(0), Decimal(100), perm_id=77, client_id=1),
        ExecutionDetails(-1, SPY, execution),
        OrderStatus(4, "Filled", Decimal(100), Decimal(0), 100.25, 77, 3, 100.25, 1),
        CommissionAndFeesReport("0001.01.01", 1.0, "USD"),
        ErrorMessage(4, 0, 399, "Order Message"),
        ErrorMessage(-1, 0, 1100, "Connectivity lost"),
        ErrorMessage(-1, 0, 1102, "Connectivity restored"),
    ]
    async with unkept(config_of(recorder.port)) as connection:
        lane = connection.facts()
        heard: list[Fact] = []
        connection.facts(heard.append)
        for message in said:
            recorder.clients[0].say(message)
        facts = await drained(connection, lane, 10)
        assert facts == heard
        opened, first, fill, filled, fee, note, lost, down, back, up = facts
        assert isinstance(opened, BrokerOrder)
        assert (opened.order_id, opened.perm_id, opened.order_ref, opened.parent_id, opened.limit_price) == (
            4,
            77,
            "intent-1",
            3,
            Decimal("100.25"),
        )
        assert (opened.status, opened.stop_price, opened.contract.con_id) == ("PreSubmitted", None, 756733)
        assert isinstance(first, BrokerOrderStatus) and first.status == "PreSubmitted"
        assert isinstance(fill, Execution)
        assert (fill.side, fill.quantity, fill.price) == (Side.BUY, Decimal(100), Decimal("100.25"))
        assert fill.time_ns == 1_795_185_060 * 10**9  # 2026-11-20 14:31:00 UTC
        assert isinstance(filled, BrokerOrderStatus) and filled.average_price == Decimal("100.25")
        assert fee == Commission(
            exec_id="0001.01.01", amount=Decimal("1.0"), currency="USD", realized_pnl=None
        )
        assert note == BrokerReply(order_id=4, code=399, text="Order Message")
        assert isinstance(lost, BrokerReply) and lost.code == 1100
        assert down == Link(state=LinkState.BROKER_LOST, session=1, cause="Connectivity lost")
        assert isinstance(back, BrokerReply) and back.code == 1102
        assert up == Link(state=LinkState.RESTORED_KEPT, session=1, cause="Connectivity restored")


async def test_an_order_of_ours_moves_the_next_id(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        lane = connection.facts()
        for client_id, order_id in ((1, 50), (2, 900)):
            order = WireOrder(client_id=client_id, action="BUY", total_quantity=Decimal(1), order_type="MKT")
            recorder.clients[0].say(OpenOrder(order_id, SPY, order, WireOrderState(status="Submitted")))
        await drained(connection, lane, 2)
        assert connection.get_next_order_id() == 51


async def test_a_lane_made_before_the_connect_hears_the_begin(recorder: RecorderServer) -> None:
    connection = unkept(config_of(recorder.port))
    lane = connection.facts()
    await connection.connect()
    assert lane.drain() == [
        NextOrderId(order_id=1),
        Link(state=LinkState.CONNECTED, session=1, accounts=("DU1234567",)),
    ]
    connection.disconnect()
    assert lane.drain() == [Link(state=LinkState.DOWN, session=1, cause="closed by us")]


async def test_at_its_bound_the_socket_is_not_read_and_nothing_is_lost(recorder: RecorderServer) -> None:
    total = 60_000
    async with unkept(config_of(recorder.port)) as connection:
        lane = connection.facts(bound=100)
        for number in range(1, total + 1):
            recorder.clients[0].say(status(number))
        for _ in range(20):
            await asyncio.sleep(0.005)
            assert len(lane) <= 100
            assert connection._engine.router.pending <= 2**18  # what asyncio reads at once, no more
        received = connection.bytes_received
        await asyncio.sleep(0.05)
        assert connection.bytes_received == received  # nothing is read while nobody drains
        found: list[int] = []
        while len(found) < total:
            await lane.wait()
            found += [fact.order_id for fact in lane.drain(33) if isinstance(fact, BrokerOrderStatus)]
            assert len(lane) <= 100
        assert found == list(range(1, total + 1))


async def test_what_was_held_is_told_before_the_end_of_the_link(recorder: RecorderServer) -> None:
    connection = unkept(config_of(recorder.port))
    lane = connection.facts(bound=2)
    await connection.connect()
    lane.drain()
    for number in range(1, 11):
        recorder.clients[0].say(status(number))
    await until(lambda: lane.full)
    connection.disconnect()
    facts = lane.drain()
    assert [fact.order_id for fact in facts if isinstance(fact, BrokerOrderStatus)] == list(range(1, 11))
    assert isinstance(facts[-1], Link) and facts[-1].state is LinkState.DOWN


async def test_a_closed_lane_holds_nobody_back(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        full, other = connection.facts(bound=1), connection.facts()
        recorder.clients[0].say(status(1))
        recorder.clients[0].say(status(2))
        await other.wait()
        full.close()
        full.close()
        assert len(await drained(connection, other, 2)) == 2


def test_a_lane_holds_at_least_one_fact() -> None:
    with pytest.raises(ValueError, match="bound"):
        unkept(config_of(7400)).facts(bound=0)


# -- what nobody can read


UNREADABLE = [
    b"3\x00seven\x00Submitted\x00",
    b"5\x001\x00",
    b"11\x00\x00",
    b"9\x001\x00abc\x00",
    b"4\x002\x00",
    b"999\x00x\x00",
    b"30\x00x\x00",
    b"\xff\xfe\x00",
    b"\x00",
    b"no nul at all",
    b"101\x00\x00\x00",
    b"15\x00",
    b"61\x003\x00DU1\x00",
    b"17\x001\x00",
    b"46\x00\x00",
    b"1\x006\x001\x00",
    b"-3\x00",
    b"10\x00" + b"\x00" * 60,
    b"59\x001\x00id\x00x\x00USD\x00\x00\x00\x00",
]


@pytest.mark.parametrize("payload", UNREADABLE, ids=repr)
async def test_one_unreadable_frame_never_ends_a_session(recorder: RecorderServer, payload: bytes) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        lane = connection.facts()
        client = recorder.clients[0]
        client.transport.write(frame(payload))
        client.say(status(1))
        facts = await drained(connection, lane, 1)
        assert isinstance(facts[-1], BrokerOrderStatus)
        assert connection.is_connected()
        assert len(facts) == 1
        assert [each.payload for each in connection.unreadable] in ([payload], [])


async def test_a_flood_of_unreadable_frames_is_bounded(
    recorder: RecorderServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Three lines in the log, sixteen frames kept, and no account id in clear."""
    async with unkept(config_of(recorder.port)) as connection:
        lane = connection.facts()
        for _ in range(200):
            recorder.clients[0].transport.write(frame(b"9\x001\x00DU1234567\x00"))
        recorder.clients[0].say(status(1))
        await drained(connection, lane, 1)
        assert len(connection.unreadable) == 16
    assert caplog.text.count("unreadable") == 3
    assert "DU1234567" not in caplog.text


async def test_a_stream_that_lost_its_step_ends_the_session(recorder: RecorderServer) -> None:
    connection = unkept(config_of(recorder.port))
    lost = asyncio.Event()
    connection.set_callbacks(on_disconnected=lost.set)
    await connection.connect()
    recorder.clients[0].transport.write(b"\xff\xff\xff\xffgarbage")
    await lost.wait()
    assert not connection.is_connected()
    await recorder.gone.wait()


def test_the_wire_can_read_each_message_of_the_official_client() -> None:
    """Whatever TWS answers has a layout, but for what comes only when the official client itself asks:
    scanner rows, EFP ticks, delta-neutral validations, the older verification, the configuration.
    """
    from ibapi.message import IN

    numbers = {value for name, value in vars(IN).items() if name.isupper()}
    known = {int(number) for number in codec._ANSWER_IDS}
    assert numbers - known <= {20, 47, 56, 69, 70, 110, 111}


async def test_each_handler_is_for_an_answer(recorder: RecorderServer) -> None:
    connection = unkept(config_of(recorder.port))
    layouts = {layout.message for layout in ANSWERS}
    short = {BrokerOrder, BrokerOrderStatus, PastBars}  # what is made of answers 5, 3 and 17 on a shorter way
    assert set(connection._engine.answers.handlers) <= layouts | short
