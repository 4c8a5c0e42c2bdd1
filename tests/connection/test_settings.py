"""TWS's own settings, asked for, read and changed: by a simulated TWS, and by one that leaves things out."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from ibapi.protobuf.UpdateConfigRequest_pb2 import UpdateConfigRequest as OfficialUpdate
from tests.connection.peers import Recorder, RecorderServer, config_of, port_of, unkept
from tests.connection.test_outbound import CALLS
from tests.connection.words import Desk
from tests.wire.binary import binary_messages

from tws.connection import SyncConnection, TWSConnection
from tws.connection.families.settings import outcome_of
from tws.connection.ordering.calls import MoneyCall
from tws.errors import ConfigError, NotSentError, OrderDeniedError, RequestError
from tws.model.contract import stock
from tws.model.exercise import Exercise
from tws.model.order import Order, OrderType, Side
from tws.model.settings import MessageSetting, SettingsChange, SettingsOutcome, TWSSettings, Verdict
from tws.risk import Denial
from tws.simulator import SimulatedTWS, SimulatorOptions, ToldSettings
from tws.wire import codec
from tws.wire.messages import (
    ConfigResponse,
    ManagedAccounts,
    UpdateConfigRequest,
    UpdateConfigResponse,
    VerifyAndAuthCompleted,
    VerifyAndAuthMessageApi,
    VerifyAndAuthMessageRequest,
    VerifyAndAuthRequest,
    VerifyCompleted,
    VerifyMessageApi,
    VerifyMessageRequest,
    VerifyRequest,
    WireApiConfig,
)


async def asked(options: SimulatorOptions) -> TWSSettings:
    sim = SimulatedTWS(options)
    sim.address = await sim.start()  # type: ignore[attr-defined]
    try:
        async with TWSConnection(config_of(port_of(sim))) as connection:
            return await connection.request_settings()
    finally:
        await sim.stop()


async def test_what_tws_is_set_to() -> None:
    told = ToldSettings(bypass_precautions=True, auto_restart=False, dialogs=("Sizes",))
    settings = await asked(SimulatorOptions(symbols=("SPY",), settings=told, master_client_id=4))
    assert settings == TWSSettings(
        read_only=False,
        bypass_precautions=True,
        sends_open_orders=True,
        keeps_orders=True,
        sizes_in_lots=False,
        localhost_only=True,
        master_client_id=4,
        auto_logoff="11:45 PM",
        auto_restart=False,
        dialogs=("Sizes",),
        messages=(MessageSetting(id=1, title="Sizes", enabled=True),),
        exercise_requests="final",
    )


async def test_a_read_only_tws_refuses_to_tell_them() -> None:
    with pytest.raises(RequestError) as refused:
        await asked(SimulatorOptions(symbols=("SPY",), read_only=True))
    assert refused.value.code == 321


async def test_an_older_tws_cannot_be_asked() -> None:
    with pytest.raises(NotSentError) as unsent:
        await asked(SimulatorOptions(symbols=("SPY",), server_version=218))
    assert unsent.value.code == 503


@pytest.mark.parametrize(
    "answer",
    [ConfigResponse(req_id=0), ConfigResponse(req_id=0, api=WireApiConfig())],
)
async def test_what_tws_leaves_out_is_unknown(answer: ConfigResponse, journal: Path) -> None:
    def told(client: Recorder, payload: bytes) -> None:
        from msgspec.structs import replace

        from tws.wire.codec import decode_request
        from tws.wire.messages import ConfigRequest

        request = decode_request(payload, 225)
        if isinstance(request, ConfigRequest):
            client.say(replace(answer, req_id=request.req_id))

    async with RecorderServer(version=225) as server:
        server.heard = told
        async with TWSConnection(config_of(server.port), journal=journal) as connection:
            assert await connection.request_settings() == TWSSettings()


# -- changing them


@pytest.fixture
async def newest() -> AsyncIterator[SimulatedTWS]:
    told = ToldSettings(dialogs=("Sizes",))
    sim = SimulatedTWS(SimulatorOptions(symbols=("SPY",), paused=True, settings=told))
    sim.address = await sim.start()  # type: ignore[attr-defined]
    yield sim
    await sim.stop()


@pytest.fixture
async def allowed(newest: SimulatedTWS, journal: Path) -> AsyncIterator[TWSConnection]:
    config = config_of(port_of(newest))
    async with TWSConnection(config, allow={"updateConfig"}, journal=journal) as made:
        yield made


async def test_settings_are_changed(newest: SimulatedTWS, allowed: TWSConnection) -> None:
    """And the simulated TWS goes by them: another client hears of the first one's orders now."""
    wish = SettingsChange(master_client_id=9, sizes_in_lots=True, auto_restart=False, messages=((1, False),))
    outcome = await allowed.update_settings(wish)
    assert (outcome.status, outcome.errors, outcome.warnings) == ("Success", (), ())
    assert outcome.changed == (
        "lockAndExit.autoLogoffType", "api.settings.masterClientId",
        "api.settings.sendMarketDataInLotsForUsStocks", "messages.1.enabled",
    )  # fmt: skip
    told = await allowed.request_settings()
    assert (told.master_client_id, told.sizes_in_lots, told.auto_restart) == (9, True, False)
    assert told.dialogs == ()
    assert told.messages == (MessageSetting(id=1, title="Sizes", enabled=False),)
    assert newest.core.options.master_client_id == 9
    contract = (await allowed.request_contract(stock("SPY"))).contract
    async with TWSConnection(config_of(port_of(newest), client_id=9)) as master:
        order = Order(side=Side.BUY, quantity=1, order_type=OrderType.LIMIT, limit_price=1)  # type: ignore[arg-type]
        await allowed.place_order(contract, order)
        await allowed.request_open_orders()
        await master.request_current_time()
        assert [seen.client_id for seen in master.broker.orders] == [1]
    again = await allowed.update_settings(wish)
    assert (again.status, again.changed) == ("Success", ()), "nothing is different any more"


async def test_a_change_is_whole_or_it_is_not_made(allowed: TWSConnection) -> None:
    wish = SettingsChange(master_client_id=3, socket_port=7777, exercise_requests="whenever")
    outcome = await allowed.update_settings(wish)
    assert (outcome.status, len(outcome.errors), outcome.changed) == ("Failed", 2, ())
    assert (await allowed.request_settings()).master_client_id is None
    unknown = await allowed.update_settings(SettingsChange(messages=((77, True),)))
    assert unknown.status == "Failed" and "77" in unknown.errors[0]
    with pytest.raises(ValueError, match="nothing"):
        allowed.update_settings(SettingsChange())


async def test_a_warning_has_to_be_accepted(newest: SimulatedTWS, allowed: TWSConnection) -> None:
    wish = SettingsChange(read_only=True)
    outcome = await allowed.update_settings(wish)
    assert (outcome.status, outcome.changed) == ("Warning", ()) and len(outcome.warnings) == 1
    assert (await allowed.request_settings()).read_only is False
    accepted = await allowed.update_settings(wish, outcome.warnings)
    assert (accepted.status, accepted.changed) == ("Success", ("api.settings.readOnlyApi",))
    with pytest.raises(RequestError) as refused:
        await allowed.update_settings(SettingsChange(read_only=False))
    assert refused.value.code == 321, "a program can't change it back"


async def test_order_ids_begin_anew_unless_orders_live(newest: SimulatedTWS, allowed: TWSConnection) -> None:
    contract = (await allowed.request_contract(stock("SPY"))).contract
    order = Order(side=Side.BUY, quantity=1, order_type=OrderType.LIMIT, limit_price=1)  # type: ignore[arg-type]
    living = allowed.place_order(contract, order)
    reset = SettingsChange(reset_order_ids=True)
    assert (await allowed.update_settings(reset)).status == "Failed"
    allowed.cancel_order(living.order_id)
    warned = await allowed.update_settings(reset)
    assert (await allowed.update_settings(reset, warned.warnings)).changed == ("resetAPIOrderSequence",)
    assert newest.exchange.next_order_id(1) == 1


async def test_a_synchronous_program_changes_settings(newest: SimulatedTWS, journal: Path) -> None:
    def program() -> SettingsOutcome:
        config = config_of(port_of(newest), client_id=4)
        with SyncConnection(config, allow={"updateConfig"}, journal=journal) as connection:
            outcome: SettingsOutcome = connection.update_settings(SettingsChange(keeps_orders=False))
            return outcome

    assert (await asyncio.to_thread(program)).status == "Success"


CHANGE = SettingsChange(read_only=False)


async def test_no_byte_of_a_change_leaves_unapproved(journal: Path) -> None:
    """Not allowed, latched, on a live login: through our call and the official client's alike."""
    latched = Denial(limit="latch", figure="a change", bound="none", reason="latched")

    def brake(call: MoneyCall) -> Denial | None:
        return latched

    tries: list[tuple[str, dict[str, object], str]] = [
        ("DU1234567", {}, "guard"),
        ("DU1234567", {"allow": {"replaceFA"}}, "guard"),
        ("DU1234567", {"allow": {"updateConfig"}, "brake": brake}, "latch"),
        ("U1234567", {"allow": {"updateConfig"}}, "live"),
    ]
    async with RecorderServer(version=225) as server:
        for accounts, options, word in tries:
            server.greeting[0] = ManagedAccounts(accounts)
            async with unkept(config_of(server.port), journal=journal, **options) as connection:
                with pytest.raises(OrderDeniedError, match=word):
                    connection.update_settings(CHANGE)
                with pytest.raises(OrderDeniedError, match=word):
                    CALLS["updateConfigProtoBuf"](connection.official)
                await connection.wait_ready()
        assert server.payloads == []


async def test_what_is_allowed_leaves_once_and_as_it_was_approved(journal: Path) -> None:
    async with RecorderServer(version=225) as server:
        options = {"allow": {"updateConfig"}, "journal": journal}
        async with unkept(config_of(server.port), **options) as connection:
            connection.update_settings(CHANGE)
            official = OfficialUpdate(reqId=5)
            official.api.settings.readOnlyApi = False
            connection.official.updateConfigProtoBuf(official)
            while len(server.payloads) < 2:  # noqa: ASYNC110  # nothing tells of it but the bytes themselves
                await asyncio.sleep(0.001)
            ours, theirs = (codec.decode_request(payload, 225) for payload in server.payloads)
            assert isinstance(ours, UpdateConfigRequest) and isinstance(theirs, UpdateConfigRequest)
            assert ours.api == theirs.api and ours.api is not None
            assert ours.api.settings is not None and ours.api.settings.read_only_api is False


async def test_an_older_tws_is_told_of_no_change(journal: Path) -> None:
    async with RecorderServer(version=220) as server, unkept(
        config_of(server.port), allow={"updateConfig"}, journal=journal
    ) as connection:
        with pytest.raises(NotSentError) as unsent:
            connection.update_settings(CHANGE)
        assert unsent.value.code == 503
        with pytest.raises(NotSentError):
            CALLS["updateConfigProtoBuf"](connection.official)
        assert server.payloads == []


def test_only_kinds_without_figures_are_allowed_by_name() -> None:
    with pytest.raises(ConfigError, match="place"):
        TWSConnection(config_of(7497), allow={"place"})


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(binary_messages(UpdateConfigResponse))
def test_any_outcome_is_read(told: UpdateConfigResponse) -> None:
    """Whatever words TWS uses are kept as they came; what it leaves out is empty or None."""
    read = outcome_of(told)
    assert (read.status, read.text, read.changed, read.errors) == (
        told.status, told.message, told.changed_fields, told.errors,
    )  # fmt: skip
    assert [(one.id, one.text) for one in read.warnings] == [
        (one.message_id, one.message) for one in told.warnings
    ]


# -- verification


async def test_a_program_that_tws_does_not_know(client: TWSConnection) -> None:
    for key in ("", "secret"):
        asked = client.request_verification("mine", "1.0", lambda data, challenge: ("", ""), key)
        assert await asked == Verdict(verified=False, text="Program 'mine' is not registered")


@pytest.mark.parametrize("version", [176, 200, 225])
@pytest.mark.parametrize("key", ["", "secret"])
async def test_a_challenge_is_answered(version: int, key: str) -> None:
    def heard(client: Recorder, payload: bytes) -> None:
        request = codec.decode_request(payload, version)
        if isinstance(request, VerifyRequest | VerifyAndAuthRequest):
            client.say(VerifyAndAuthMessageApi("data", "riddle") if key else VerifyMessageApi("data"))
        elif isinstance(request, VerifyAndAuthMessageRequest):
            client.say(VerifyAndAuthCompleted(request == VerifyAndAuthMessageRequest("DATA", "riddle!"), ""))
        elif isinstance(request, VerifyMessageRequest):
            client.say(VerifyCompleted(request.api_data == "DATA", ""))

    async with RecorderServer(version=version) as server:
        server.heard = heard
        async with unkept(config_of(server.port)) as connection:

            def solved(data: str, riddle: str) -> tuple[str, str]:
                return data.upper(), f"{riddle}!"

            assert await connection.request_verification("mine", "1", solved, key) == Verdict(verified=True)

            def broken(data: str, riddle: str) -> tuple[str, str]:
                raise LookupError(data)

            with pytest.raises(LookupError):
                await connection.request_verification("mine", "1", broken, key)


# -- beside a desk


async def test_a_desk_refuses_them_and_says_the_way_and_the_way_works(
    newest: SimulatedTWS, journal: Path
) -> None:
    """Another client id without a desk, while the desk's session stays as it is."""
    change = SettingsChange(exercise_requests="editable")
    async with TWSConnection(config_of(port_of(newest)), guard=Desk().gate) as traded:
        with pytest.raises(OrderDeniedError, match=r"another client id, made with allow=\{'updateConfig'\}"):
            await traded.update_settings(change)
        with pytest.raises(OrderDeniedError, match=r"allow=\{'replaceFA'\}"):
            await traded.replace_account_aliases([])
        with pytest.raises(OrderDeniedError, match=r"give it an intent \(Trader.exercise\)"):
            await traded.exercise_options(stock("SPY"), Exercise(quantity=1))
        config = config_of(port_of(newest), client_id=9)
        async with TWSConnection(config, journal=journal, allow={"updateConfig"}) as beside:
            assert not (await beside.update_settings(change)).errors
            assert (await beside.request_settings()).exercise_requests == "editable"
        assert await traded.request_open_orders() == []
    with sqlite3.connect(journal) as base:
        assert "updateConfig" in next(base.execute("SELECT line FROM sent"))[0]
