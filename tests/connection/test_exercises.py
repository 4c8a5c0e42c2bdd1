"""Options exercised and let lapse: a simulated TWS moves its books, past every gate that orders pass."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from ibapi.client import EClient
from msgspec.structs import replace
from tests.connection.peers import RecorderServer, config_of, port_of, unkept
from tests.connection.test_outbound import CALLS
from tests.connection.words import Desk

from tws.connection import PacingOptions, SyncConnection, TWSConnection
from tws.connection.encoding.translate import ib_contract
from tws.errors import LinkLostError, NotSentError, OrderDeniedError, RequestError
from tws.model.contract import Contract, stock
from tws.model.exercise import Exercise, ExerciseAction
from tws.model.facts import BrokerReply, Fact
from tws.model.order import Order, OrderType, Side
from tws.risk import Denial
from tws.risk import Limits as RiskLimits
from tws.simulator import Limits, SimulatedTWS, SimulatorOptions, ToldSettings
from tws.wire import codec
from tws.wire.messages import ExerciseOptionsRequest, ManagedAccounts

FRIDAY_NS = int(datetime(2026, 1, 9, 15, tzinfo=UTC).timestamp()) * 10**9
CALL = Contract(
    con_id=7, symbol="SPY", sec_type="OPT", last_trade_date="20261218", strike=500.0, right="C",
    multiplier="100", exchange="SMART",
)  # fmt: skip
SPY, ONE = stock("SPY"), Exercise(quantity=1)


async def started(version: int = 225, **options: object) -> SimulatedTWS:
    """A paused simulated TWS on a Friday on which options expire; it paces nobody."""
    chosen = {"paused": True, "limits": Limits.off(), "start_ns": FRIDAY_NS, "symbols": ("SPY",)} | options
    server = SimulatedTWS(SimulatorOptions(server_version=version, **chosen))  # type: ignore[arg-type]
    server.address = await server.start()  # type: ignore[attr-defined]
    return server


@pytest.fixture(params=[176, 200, 225])
async def tws(request: pytest.FixtureRequest) -> AsyncIterator[SimulatedTWS]:
    server = await started(request.param)
    yield server
    await server.stop()


OPEN = {"pacing": PacingOptions.off(), "limits": RiskLimits(max_order_notional=1_000_000)}


@pytest.fixture
async def client(tws: SimulatedTWS, journal: Path) -> AsyncIterator[TWSConnection]:
    async with TWSConnection(config_of(port_of(tws)), journal=journal, **OPEN) as made:  # type: ignore[arg-type]
        yield made


async def an_option(tws: SimulatedTWS, client: TWSConnection, beyond: float, right: str = "C") -> Contract:
    """One that expires today, its strike so much above SPY's price; three of them are held."""
    price = tws.security("SPY").price
    tws.quote("SPY", bid=price, ask=price + 0.02)
    tws.trade("SPY", price)
    (chain,) = [one for one in await client.request_option_chain(SPY) if one.exchange == "SMART"]
    strike = min(chain.strikes, key=lambda one: abs(one - price - beyond))
    wish = Contract(symbol="SPY", sec_type="OPT", last_trade_date="20260109", strike=strike, right=right,
                    exchange="SMART", currency="USD")  # fmt: skip
    contract = (await client.request_contract(wish)).contract
    tws.core.listed(tws.security(contract.con_id))
    give = tws.exchange.corporate.transfer
    tws.core.tell(give("DU1234567", contract.con_id, Decimal(3), Decimal(2), tws.now_ns()))
    tws.core.flush()
    return contract


def held(tws: SimulatedTWS, con_id: int) -> Decimal:
    row = tws.exchange.position("DU1234567", con_id)
    return Decimal(0) if row is None else row.quantity


async def test_an_exercised_call_becomes_shares_at_the_strike(
    tws: SimulatedTWS, client: TWSConnection, journal: Path
) -> None:
    call = await an_option(tws, client, -20.0)
    taken = await client.exercise_options(call, Exercise(quantity=2))
    assert (taken.status, taken.contract.con_id, taken.quantity) == ("PreSubmitted", call.con_id, 2)
    rows = {row.contract.con_id: row for row in await client.request_positions()}
    assert rows[call.con_id].quantity == 1
    spy = rows[tws.con_id("SPY")]
    assert (spy.quantity, float(spy.average_cost)) == (200, call.strike)
    told = {row.contract.con_id for row in await client.request_portfolio()}
    assert told >= {call.con_id, tws.con_id("SPY")}
    seen = await client.wait_order(taken.order_id)
    assert seen.status == "Filled"
    put = await an_option(tws, client, 20.0, "P")
    await client.exercise_options(put, ONE)
    rows = {row.contract.con_id: row for row in await client.request_positions()}
    assert rows[tws.con_id("SPY")].quantity == 100, "a put sells"
    with sqlite3.connect(journal) as base:
        (line,) = next(base.execute("SELECT line FROM sent ORDER BY id"))
    assert (json.loads(line)["kind"], json.loads(line)["quantity"]) == ("exercise", "2")


async def test_against_the_natural_action_by_override_alone(tws: SimulatedTWS, client: TWSConnection) -> None:
    far, near = await an_option(tws, client, 20.0), await an_option(tws, client, -20.0)
    with pytest.raises(RequestError, match="Exercise ignored because option is not in-the-money") as refused:
        await client.exercise_options(far, ONE)
    assert refused.value.code == 322
    with pytest.raises(RequestError, match="Lapse ignored because option is in-the-money"):
        await client.lapse_options(near, ONE)
    assert (held(tws, far.con_id), held(tws, near.con_id)) == (3, 3)
    await client.exercise_options(far, Exercise(quantity=1, override=True))
    assert (held(tws, far.con_id), held(tws, tws.con_id("SPY"))) == (2, 100)
    lapsing = await client.lapse_options(near, Exercise(quantity=1, override=True))
    assert (await client.request_open_orders())[0].order_id == lapsing.order_id, "it waits for the clearing"
    tws.core.new_day(tws.now_ns())
    tws.core.flush()
    assert (await client.wait_order(lapsing.order_id)).status == "Filled"
    assert (held(tws, near.con_id), held(tws, tws.con_id("SPY"))) == (2, 100)


@pytest.mark.parametrize(
    ("is_option", "wish", "code"),
    [
        (True, Exercise(quantity=4), 201),
        (True, Exercise(quantity=1, account="DU999"), 0),
        (False, ONE, 0),
    ],
)
async def test_what_is_refused(
    tws: SimulatedTWS, client: TWSConnection, is_option: bool, wish: Exercise, code: int
) -> None:
    """More than is held by TWS; another account, and what can't be valued, by our own gate."""
    call = await an_option(tws, client, -20.0)
    asked = call if is_option else SPY
    with pytest.raises(RequestError if code else OrderDeniedError) as refused:
        await client.exercise_options(asked, wish)
    assert getattr(refused.value, "code", 0) == code
    assert held(tws, call.con_id) == 3


@pytest.mark.parametrize("version", [176, 200, 225])
async def test_an_editable_exercise_is_taken_back(version: int, journal: Path) -> None:
    tws = await started(version, settings=ToldSettings(exercise="editable"), preset_notice=True)
    try:
        async with TWSConnection(config_of(port_of(tws)), journal=journal, **OPEN) as client:  # type: ignore[arg-type]
            call = await an_option(tws, client, -20.0)
            facts: list[Fact] = []
            client.facts(facts.append)
            first = await client.exercise_options(call, ONE)
            second = await client.exercise_options(call, ONE)
            with pytest.raises(RequestError, match="No such long position"):
                await client.exercise_options(call, Exercise(quantity=2))
            client.cancel_order(first.order_id)
            assert (await client.wait_order(first.order_id)).status == "Cancelled"
            replies = [fact for fact in facts if isinstance(fact, BrokerReply)]
            assert [one.code for one in replies if one.order_id == first.order_id][-2:] == [322, 202]
            assert held(tws, call.con_id) == 3
            tws.core.new_day(tws.now_ns())
            tws.core.flush()
            assert (await client.wait_order(second.order_id)).status == "Filled"
            assert (held(tws, call.con_id), held(tws, tws.con_id("SPY"))) == (2, 100)
            third = await client.exercise_options(call, ONE)
            client.cancel_all_orders()
            assert (await client.wait_order(third.order_id)).status == "Cancelled"
    finally:
        await tws.stop()


async def test_a_synchronous_program_exercises(
    tws: SimulatedTWS, client: TWSConnection, journal: Path
) -> None:
    call = await an_option(tws, client, -20.0)

    def program() -> str:
        with SyncConnection(config_of(port_of(tws), client_id=5), **OPEN, journal=journal) as connection:
            return str(connection.exercise_options(call, ONE).status)

    assert await asyncio.to_thread(program) == "PreSubmitted"
    assert held(tws, call.con_id) == 2


async def test_a_read_only_tws_takes_none(journal: Path) -> None:
    tws = await started(read_only=True)
    try:
        async with TWSConnection(config_of(port_of(tws)), journal=journal, keep=False) as client:
            with pytest.raises(RequestError) as refused:
                await client.exercise_options(CALL, ONE)
            assert refused.value.code == 321
    finally:
        await tws.stop()


# -- the gates, seen from the other side of the socket


LIMITS: dict[str, RiskLimits] = {
    "quantity": RiskLimits(max_order_quantity=1),
    "notional": RiskLimits(max_order_notional=99_999),
    "allow-list": RiskLimits(allow=("AAPL",)),
}


@pytest.mark.parametrize("case", LIMITS)
async def test_a_limit_keeps_it_back(recorder: RecorderServer, journal: Path, case: str) -> None:
    """Two contracts at a strike of 500 are 100,000 dollars."""
    async with unkept(config_of(recorder.port), limits=LIMITS[case], journal=journal) as connection:
        with pytest.raises(OrderDeniedError):
            connection.exercise_options(CALL, Exercise(quantity=2))
        with pytest.raises(OrderDeniedError):
            connection.official.exerciseOptions(1, ib_contract(CALL), 1, 2, "DU1234567", 0)
        await recorder.caught_up(connection)
        assert recorder.payloads == []


async def test_a_strike_is_what_tws_says_it_is(tws: SimulatedTWS, journal: Path) -> None:
    """A frame that states another one can't make an exercise look small, once the details are known."""
    async with TWSConnection(config_of(port_of(tws)), journal=journal, pacing=PacingOptions.off()) as client:
        call = await an_option(tws, client, -20.0)
        for lie in (replace(call, strike=1.0), replace(call, multiplier="1")):
            with pytest.raises(OrderDeniedError, match="max_order_notional"):
                await client.exercise_options(lie, Exercise(quantity=2))
        assert held(tws, call.con_id) == 3


async def test_what_passes_leaves_alike_from_both_doors(recorder: RecorderServer, journal: Path) -> None:
    limits = RiskLimits(max_order_quantity=2, max_order_notional=100_000)
    async with unkept(config_of(recorder.port), limits=limits, journal=journal) as connection:
        waiting = connection.exercise_options(CALL, Exercise(quantity=2, override=True))
        connection.official.exerciseOptions(2, ib_contract(CALL), 1, 2, "DU1234567", 1)
        await recorder.caught_up(connection)
        ours, theirs = (codec.decode_request(payload, 200) for payload in recorder.payloads)
        assert isinstance(ours, ExerciseOptionsRequest) and isinstance(theirs, ExerciseOptionsRequest)
        assert (ours.order_id, theirs.order_id) == (1, 2)
        assert ours.contract == theirs.contract and ours.account == theirs.account == "DU1234567"
        assert ours.override and theirs.override
        assert not waiting.done()
    with pytest.raises(LinkLostError):
        await waiting


@pytest.mark.parametrize("account", ["U1234567", ""])
async def test_a_live_login_is_locked(recorder: RecorderServer, journal: Path, account: str) -> None:
    recorder.greeting[0] = ManagedAccounts("U1234567")
    async with unkept(config_of(recorder.port), journal=journal) as connection:
        with pytest.raises(OrderDeniedError, match="live"):
            connection.exercise_options(CALL, Exercise(quantity=1, account=account))
        await recorder.caught_up(connection)
        assert recorder.payloads == []


async def test_the_brake_is_read_before_its_bytes(recorder: RecorderServer, journal: Path) -> None:
    latched = Denial(limit="latch", figure="an entry", bound="none", reason="latched")
    async with unkept(config_of(recorder.port), brake=lambda call: latched, journal=journal) as connection:
        with pytest.raises(OrderDeniedError, match="latch"):
            connection.exercise_options(CALL, ONE)
        connection.outbound.hold()
        with pytest.raises(OrderDeniedError):
            waiting = connection.exercise_options(CALL, ONE)
            connection.outbound.release()
            await waiting
        await recorder.caught_up(connection)
        assert recorder.payloads == []


async def test_a_desk_s_exercise_leaves_whole_or_not_at_all(journal: Path) -> None:
    """Under its permit alone; a version that has no field for a part of it says so, and no byte leaves."""
    desk, wish = Desk(), Exercise(quantity=1, account="DU1234567", manual_order_time="20261123-15:00:00")
    async with RecorderServer(version=176) as server, unkept(config_of(server.port), guard=desk.gate) as made:
        for number, asked in ((1, wish), (2, replace(wish, manual_order_time=""))):
            permit = desk.gate._mint.issue(number, CALL, asked, intent_id="x", cap=Decimal(1), modifies=False)
            other = asked if number == 1 else replace(asked, quantity=2)
            with pytest.raises(NotSentError if number == 1 else OrderDeniedError):
                made.outbound.place(number, CALL, other, permit)
        await server.caught_up(made)
        assert server.payloads == []
        permit = desk.gate._mint.issue(3, CALL, asked, intent_id="y", cap=Decimal(1), modifies=False)
        await made.outbound.place(3, CALL, asked, permit)
        with pytest.raises(OrderDeniedError):
            made.outbound.place(3, CALL, asked, permit)
        await server.caught_up(made)
        (payload,) = server.payloads
        sent = codec.decode_request(payload, 176)
        assert isinstance(sent, ExerciseOptionsRequest) and sent.order_id == 3


async def test_a_cancel_withdraws_one_that_waits(recorder: RecorderServer, journal: Path) -> None:
    async with unkept(config_of(recorder.port), journal=journal) as connection:
        connection.outbound.hold()
        waiting = connection.exercise_options(CALL, ONE)
        connection.cancel_order(1)
        with pytest.raises(NotSentError, match="withdrawn"):
            await waiting
        given_up = connection.exercise_options(CALL, ONE)
        given_up.cancel()
        await asyncio.sleep(0)  # the loop tells of it
        connection.outbound.release()
        await recorder.caught_up(connection)
        assert recorder.payloads == [] and len(connection.outbound) == 0


async def test_what_a_lost_link_kept_back_is_never_sent_later(
    tws: SimulatedTWS, client: TWSConnection
) -> None:
    """Once before its bytes, once after them: LinkLostError both times, and the positions know."""
    call = await an_option(tws, client, -20.0)
    client.outbound.hold()
    early = client.exercise_options(call, ONE)
    (session,) = tws.sessions
    session.cut()
    with pytest.raises(LinkLostError):
        await early
    client.outbound.release()
    await client.wait_ready()
    assert held(tws, call.con_id) == 3
    late = client.exercise_options(call, ONE)
    client._engine.drop("the test pulls the plug")
    with pytest.raises(LinkLostError):
        await late
    await client.wait_ready()
    assert held(tws, call.con_id) in (2, 3), "it was sent once at the most"
    rows = {row.contract.con_id: row.quantity for row in await client.request_positions()}
    assert rows[call.con_id] == held(tws, call.con_id)


async def test_the_guard_refuses_what_it_can_not_read(recorder: RecorderServer, journal: Path) -> None:
    async with unkept(config_of(recorder.port), journal=journal) as connection:
        for action, quantity in ((3, 1), (1, 0)):
            with pytest.raises(OrderDeniedError, match="can't tell"):
                connection.official.exerciseOptions(1, ib_contract(CALL), action, quantity, "DU1234567", 0)
        with pytest.raises((OrderDeniedError, NotSentError)):
            CALLS["exerciseOptionsProtoBuf"](connection.official)
        with pytest.raises(NotSentError):
            EClient.exerciseOptions(connection.official, 1, ib_contract(CALL), 1, 1, "", 0, "", "", False)
        await recorder.caught_up(connection)
        assert recorder.payloads == []


def test_at_least_one_contract() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Exercise(quantity=0)
    assert ExerciseAction(2) is ExerciseAction.LAPSE


async def test_an_order_of_another_client_is_no_answer(tws: SimulatedTWS, client: TWSConnection) -> None:
    """Though it has the id of an exercise of ours."""
    contract = (await client.request_contract(SPY)).contract
    waiting = client._engine.answers.requests.add(41, "exercise", lambda rows: rows)
    async with TWSConnection(config_of(port_of(tws), client_id=8), guard="off") as other:
        order = Order(side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal(1))
        await other.wait_order(other.place_order(contract, order, 41), until="acknowledged")
        assert 41 in [seen.order_id for seen in await client.request_all_open_orders()]
    assert not waiting.done()
