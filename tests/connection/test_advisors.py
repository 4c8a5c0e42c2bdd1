"""An advisor's groups, profiles and aliases: read, replaced past the gate, and orders that follow them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from ibapi.order import Order as IbOrder
from tests.connection.peers import Recorder, RecorderServer, config_of, port_of, unkept
from tests.connection.test_outbound import CALLS
from tests.connection.words import ib_contract

from tws.connection import PacingOptions, SyncConnection, TWSConnection
from tws.connection.ordering.calls import MoneyCall
from tws.errors import ConfigError, DecodeError, NotSentError, OrderDeniedError, RequestError
from tws.model.account import AccountValue
from tws.model.advisor import AccountAlias, AdvisorGroup, AdvisorProfile, AdvisorShare
from tws.risk import Denial
from tws.simulator import Limits, SimulatedTWS, SimulatorOptions
from tws.wire import codec
from tws.wire.messages import ErrorMessage, FAReplace, FARequest, ManagedAccounts, ReceiveFA

ADVISOR, ONE, TWO, THREE = "DF100", "DU101", "DU102", "DU103"
EQUAL = AdvisorGroup(name="all of them", method="Equal", shares=tuple(map(AdvisorShare, (ONE, TWO, THREE))))
PARTS = (AdvisorShare(ONE, Decimal(1)), AdvisorShare(TWO, Decimal("2.0")))
RATIO = AdvisorGroup(name="one to two", method="Ratio", shares=PARTS)
ALLOWED = {"allow": {"replaceFA"}, "pacing": PacingOptions.off()}


@pytest.fixture(params=[176, 200, 225])
async def tws(request: pytest.FixtureRequest) -> AsyncIterator[SimulatedTWS]:
    options = SimulatorOptions(
        server_version=request.param, paused=True, limits=Limits.off(), symbols=("SPY",),
        accounts=(ADVISOR, ONE, TWO, THREE), advisor=True,
    )  # fmt: skip
    server = SimulatedTWS(options)
    server.address = await server.start()  # type: ignore[attr-defined]
    yield server
    await server.stop()


@pytest.fixture
async def client(tws: SimulatedTWS, journal: Path) -> AsyncIterator[TWSConnection]:
    async with TWSConnection(config_of(port_of(tws)), journal=journal, **ALLOWED) as made:  # type: ignore[arg-type]
        yield made


def test_an_advisor_has_clients() -> None:
    with pytest.raises(ConfigError, match="clients"):
        SimulatorOptions(advisor=True).check()


async def test_groups_are_replaced_and_read(client: TWSConnection) -> None:
    assert await client.request_advisor_groups() == []
    assert await client.replace_advisor_groups([EQUAL, RATIO]) == "Success"
    kept = await client.request_advisor_groups()
    assert kept[0] == EQUAL and kept[1].accounts == (ONE, TWO)
    if client.server_version >= 177:  # older builds have no amounts in groups
        assert kept[1] == RATIO
    stranger = AdvisorGroup(name="x", method="Equal", shares=(AdvisorShare("DU999"),))
    with pytest.raises(RequestError, match="DU999") as refused:
        await client.replace_advisor_groups([stranger])
    assert refused.value.code == 10231
    assert len(await client.request_advisor_groups()) == 2, "nothing was replaced"
    for names in (("a", "a"), (" ",)):
        with pytest.raises(ValueError, match="twice"):
            client.replace_advisor_groups([AdvisorGroup(name=name) for name in names])


async def test_profiles_belong_to_older_versions(client: TWSConnection) -> None:
    profile = AdvisorProfile(name="one to two", kind=2, shares=PARTS)
    if client.server_version >= 177:
        for call in (client.request_advisor_profiles, lambda: client.replace_advisor_profiles([profile])):
            with pytest.raises(NotSentError) as unsent:
                call()
            assert unsent.value.code == 585
        return
    await client.replace_advisor_profiles([profile])
    assert await client.request_advisor_profiles() == [profile]


async def test_aliases(client: TWSConnection) -> None:
    assert [one.account for one in await client.request_account_aliases()] == [ADVISOR, ONE, TWO, THREE]
    aliases = [AccountAlias(ONE, "Señora <Müller> & Söhne"), AccountAlias(TWO, "two")]
    await client.replace_account_aliases(aliases)
    assert await client.request_account_aliases() == aliases


async def test_a_summary_of_a_group(client: TWSConnection) -> None:
    await client.replace_advisor_groups([RATIO])
    rows = await client.request_account_summary(("NetLiquidation",), group="one to two")
    assert [row.account for row in rows if isinstance(row, AccountValue)] == [ONE, TWO]


def for_group(side: str, quantity: int, group: str, method: str = "") -> IbOrder:
    order = IbOrder()
    order.action, order.orderType, order.tif, order.totalQuantity = side, "MKT", "DAY", Decimal(quantity)
    order.faGroup, order.faMethod = group, method
    return order


async def test_an_order_for_a_group_is_shared_out(tws: SimulatedTWS, client: TWSConnection) -> None:
    """By equal parts, the odd share to the first, at what they cost; then two of them sell."""
    tws.quote("SPY", bid=100.0, ask=100.02)
    await client.replace_advisor_groups([EQUAL, RATIO])
    config = config_of(port_of(tws), client_id=6)
    async with TWSConnection(config, guard="off", pacing=PacingOptions.off()) as free:

        async def held_after(number: int, order: IbOrder) -> dict[str, Decimal]:
            free.official.placeOrder(number, ib_contract(), order)
            assert (await free.wait_order(number)).status == "Filled"
            rows = await free.request_positions()
            assert all(row.average_cost and 100 < row.average_cost < 101 for row in rows)
            return {row.account: row.quantity for row in rows}

        bought = await held_after(1, for_group("BUY", 100, "all of them"))
        assert bought == {ONE: 34, TWO: 33, THREE: 33}
        sold = await held_after(2, for_group("SELL", 30, "one to two", "Equal"))
        assert sold == {ONE: 19, TWO: 18, THREE: 33}
        free.official.placeOrder(3, ib_contract(), for_group("BUY", 1, "nobody"))
        refusal = (await free.wait_order(3)).refusal
        assert refusal is not None and "Invalid FA group" in refusal[1]
        rows = await free.request_executions()
        rows = [row for row in rows if row.order_id == 1]
        assert [(row.account, row.quantity, row.price) for row in rows] == [
            (name, shares, Decimal("100.02"))
            for name, shares in ((ADVISOR, 100), (ONE, 34), (TWO, 33), (THREE, 33))
        ], "first the order's own, then each account's part"
        seen = await free.wait_order(1, timeout_s=3)
        assert seen.filled == 100, "the parts are no more fills of the order"
    books = {row.account: row for row in tws.exchange.positions()}
    assert books[ADVISOR].quantity == 0 and books[ADVISOR].realized_pnl == 0
    assert books[ONE].realized_pnl < 0, "who sold below the cost lost it"


async def test_a_percentage_of_what_each_account_holds(tws: SimulatedTWS, client: TWSConnection) -> None:
    """PctChange states no size: purchases add to who is long, or with a minus take from who is short."""
    tws.quote("SPY", bid=100.0, ask=100.02, bid_size=1000, ask_size=1000)
    await client.replace_advisor_groups([EQUAL])
    con_id = tws.con_id("SPY")
    for account, shares in ((ONE, 100), (TWO, 401), (THREE, -200)):
        held = tws.exchange.corporate.transfer(account, con_id, Decimal(shares), Decimal(90), tws.now_ns())
        tws.core.tell(held)
    config = config_of(port_of(tws), client_id=6)
    async with TWSConnection(config, guard="off", pacing=PacingOptions.off()) as free:

        async def held_after(number: int, side: str, percent: str, **more: str) -> dict[str, Decimal]:
            order = for_group(side, 0, EQUAL.name, "PctChange")
            order.totalQuantity, order.faPercentage = IbOrder().totalQuantity, percent
            for name, value in more.items():
                setattr(order, name, value)
            free.official.placeOrder(number, ib_contract(), order)
            done = await free.wait_order(number, timeout_s=3)
            refused[number] = done.refusal
            return {row.account: row.quantity for row in await free.request_positions() if row.quantity}

        refused: dict[int, tuple[int, str] | None] = {}
        assert await held_after(1, "BUY", "50") == {ONE: 150, TWO: 601, THREE: -200}
        seen = await free.wait_order(1, timeout_s=3)
        assert seen.order is not None and seen.order.quantity == 250, "TWS reckons the size"
        assert await held_after(2, "BUY", "-50") == {ONE: 150, TWO: 601, THREE: -100}
        assert await held_after(3, "SELL", "100") == {ONE: 150, TWO: 601, THREE: -200}
        flat = await held_after(4, "SELL", "-100")
        assert flat == {THREE: -200}
        for number, side, percent, code in ((5, "SELL", "-100", 321), (6, "BUY", "much", 321)):
            assert await held_after(number, side, percent) == flat
            assert (refused[number] or (0, ""))[0] == code
        await held_after(7, "BUY", "-10", account=ONE)
        assert (refused[7] or (0, ""))[0] == 201, "an account and a group at once"


async def test_parts_follow_the_weights(tws: SimulatedTWS, client: TWSConnection) -> None:
    advisors, lot = tws.core.desk.advisors, Decimal(1)
    shares = tuple(AdvisorShare(name, amount) for name, amount in ((ONE, Decimal(60)), (TWO, Decimal(40))))
    group = AdvisorGroup(name="g", method="Percent", shares=shares)
    assert advisors._parts(group, Decimal(300), lot) == [(ONE, 180), (TWO, 120)]
    assert advisors._parts(group, Decimal(1), lot) == [(ONE, 1)]
    tws.core.tell(tws.exchange.corporate.deposit(ONE, "USD", Decimal(1_000_000), tws.now_ns()))
    net = AdvisorGroup(name="g", method="NetLiq", shares=shares)
    assert advisors._parts(net, Decimal(300), lot) == [(ONE, 200), (TWO, 100)]


async def test_another_login_has_no_groups(journal: Path) -> None:
    for version in (176, 200, 225):
        tws = SimulatedTWS(SimulatorOptions(server_version=version, paused=True, symbols=("SPY",)))
        tws.address = await tws.start()  # type: ignore[attr-defined]
        try:
            async with TWSConnection(config_of(port_of(tws)), journal=journal, **ALLOWED) as client:  # type: ignore[arg-type]
                orders = client.request_open_orders()
                for call in (client.request_advisor_groups, lambda: client.replace_advisor_groups([])):
                    with pytest.raises(RequestError, match="non FA customers") as refused:
                        await call()
                    assert refused.value.code == 321
                assert await orders == [], "the refusal ended no other question"
        finally:
            await tws.stop()


async def test_a_synchronous_advisor(tws: SimulatedTWS, client: TWSConnection, journal: Path) -> None:
    def program() -> list[AdvisorGroup]:
        config = config_of(port_of(tws), client_id=5)
        with SyncConnection(config, journal=journal, **ALLOWED) as connection:
            connection.replace_advisor_groups([EQUAL])
            found: list[AdvisorGroup] = connection.request_advisor_groups()
            return found

    assert await asyncio.to_thread(program) == [EQUAL]


async def test_no_byte_of_a_replacement_leaves_unapproved(journal: Path) -> None:
    """Not allowed, latched, on a live login: through our call and the official client's alike."""
    latched = Denial(limit="latch", figure="a change", bound="none", reason="latched")

    def brake(call: MoneyCall) -> Denial | None:
        return latched

    tries: list[tuple[str, dict[str, object], str]] = [
        (ADVISOR, {}, "guard"),
        (ADVISOR, {"allow": {"updateConfig"}}, "guard"),
        (ADVISOR, {"allow": {"replaceFA"}, "brake": brake}, "latch"),
        ("F1234567", {"allow": {"replaceFA"}}, "live"),
    ]
    for version in (176, 200, 225):
        async with RecorderServer(version=version) as server:
            for accounts, options, word in tries:
                server.greeting[0] = ManagedAccounts(accounts)
                async with unkept(config_of(server.port), journal=journal, **options) as connection:
                    with pytest.raises(OrderDeniedError, match=word):
                        connection.replace_advisor_groups([EQUAL])
                    for call in ("replaceFA", "replaceFAProtoBuf"):
                        with pytest.raises((OrderDeniedError, NotSentError)):
                            CALLS[call](connection.official)
            assert server.payloads == []


async def test_reading_is_allowed_on_a_live_login(journal: Path) -> None:
    async with RecorderServer() as server:
        server.greeting[0] = ManagedAccounts("F1234567")
        async with unkept(config_of(server.port), journal=journal) as connection:
            connection.request_advisor_groups()
            await server.caught_up(connection)
            assert [type(codec.decode_request(one, 200)) for one in server.payloads] == [FARequest]


async def test_what_is_allowed_leaves_as_it_was_approved(journal: Path) -> None:
    async with RecorderServer() as server:
        connection = unkept(config_of(server.port), allow={"replaceFA"}, journal=journal)
        async with connection:
            connection.replace_advisor_groups([EQUAL])
            connection.official.replaceFA(7, 1, "<xml/>")
            await server.caught_up(connection)
        ours, theirs = (codec.decode_request(one, 200) for one in server.payloads)
        assert isinstance(ours, FAReplace) and "<name>all of them</name>" in ours.xml
        assert theirs == FAReplace(7, 1, "<xml/>")


@pytest.mark.parametrize("version", [176, 200, 225])
async def test_what_can_not_be_read_ends_its_question_alone(version: int) -> None:
    answers = [
        ReceiveFA(1, '<!DOCTYPE a [<!ENTITY e "x">]><ListOfGroups/>'),
        ReceiveFA(1, "<ListOfGroups>"),
        ReceiveFA(3, "<ListOfGroups/>"),
        ErrorMessage(-1, 0, 10230, "You have unsaved FA changes."),
    ]

    def heard(client: Recorder, payload: bytes) -> None:
        if isinstance(codec.decode_request(payload, version), FARequest):
            client.say(answers.pop(0))

    async with RecorderServer(version=version) as server:
        server.heard = heard
        async with unkept(config_of(server.port)) as connection:
            for error in (DecodeError, DecodeError):
                with pytest.raises(error):
                    await connection.request_advisor_groups()
            with pytest.raises(DecodeError):
                await connection.request_account_aliases()
            with pytest.raises(RequestError) as unsaved:
                await connection.request_advisor_groups()
            assert unsaved.value.code == 10230
