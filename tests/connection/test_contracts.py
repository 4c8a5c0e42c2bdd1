"""What can be asked about contracts, chains and exchanges, in text and protobuf."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.connection.peers import Recorder, RecorderServer, config_of, unkept, until

from tws.connection import TWSConnection
from tws.connection.families.chains import AT_ONCE
from tws.errors import AmbiguousContractError, NoContractError, NotSentError, RequestError
from tws.model.contract import Contract, stock
from tws.model.progress import Progress
from tws.model.reference import DisplayGroup, SoftDollarTier
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.wire import codec
from tws.wire.messages import (
    ContractData,
    ContractDataEnd,
    ContractDataRequest,
    SecDefOptParameter,
    SecDefOptParameterEnd,
    SecDefOptParamsRequest,
    WireContract,
    WireContractDetails,
)

SPY = stock("SPY")


async def test_symbols(client: TWSConnection) -> None:
    found = await client.request_matching_symbols("AAP")
    (apple,) = [match for match in found if match.contract.con_id == 265598]
    assert (apple.contract.symbol, apple.contract.sec_type) == ("AAPL", "STK")
    assert "OPT" in apple.derivative_types
    assert bool(apple.description) is (client.server_version >= 176)
    assert await client.request_matching_symbols("NOSUCHTHING") == []
    with pytest.raises(ValueError, match="empty"):
        client.request_matching_symbols(" ")


async def test_market_rules(client: TWSConnection) -> None:
    details = await client.request_contract(SPY)
    rule_id = int(details.market_rule_ids.split(",")[0])
    first, second = client.request_market_rule(rule_id), client.request_market_rule(rule_id)
    rule = await first
    assert (rule.rule_id, rule.increments[0]) == (rule_id, (Decimal(0), Decimal("0.01")))
    assert await second == rule
    with pytest.raises(RequestError, match="market rule") as caught:
        await client.request_market_rule(999_999)
    assert caught.value.code == 321


async def test_the_refusal_of_one_rule_ends_no_other_question(client: TWSConnection) -> None:
    wrong = client.request_market_rule(999_999)
    orders = client.request_open_orders()
    with pytest.raises(RequestError):
        await wrong
    assert await orders == []


async def test_lists(client: TWSConnection) -> None:
    places = await client.request_depth_exchanges()
    rows = {(one.exchange, one.sec_type): (one.listing_exchange, one.service, one.group) for one in places}
    assert len(rows) == len(places) > 40
    assert rows["NASDAQ", "STK"] == ("NASDAQ", "Deep2", 1)
    assert rows["SMART", "CMDTY"] == ("", "Deep", None) and rows["FWB", "WAR"][1] == "Deep"
    assert not {"BOND", "IND", "FUND"} & {kind for _, kind in rows}
    letters = {one.exchange: one.letter for one in await client.request_smart_components("9c0001")}
    assert len(set(letters.values())) == len(letters) > 3 and letters["ARCA"] == "P"
    bits = {one.bit: one.exchange for one in await client.request_smart_components("b50001")}
    assert sorted(bits) == list(range(len(bits))) and {"CBOE", "ISE", "PHLX"} < set(bits.values())
    assert await client.request_smart_components("a60001") == []
    with pytest.raises(ValueError, match="bbo_exchange"):
        client.request_smart_components("")
    assert [(one.account, one.family) for one in await client.request_family_codes()] == [("DU1234567", "")]
    assert await client.request_soft_dollar_tiers() == []


@pytest.mark.parametrize("version", [176, 200, 225])
async def test_families_and_tiers_of_a_login_that_has_them(version: int, journal: Path) -> None:
    tier = SoftDollarTier(name="T1", value="0.5", display_name="Research")
    told: dict[str, Any] = {"families": {"DU2": "F77"}, "soft_dollar_tiers": (tier,)}
    server = SimulatedTWS(SimulatorOptions(server_version=version, accounts=("DU1", "DU2"), **told))
    await server.start()
    try:
        async with TWSConnection(config_of(server.port, account_id="DU1"), journal=journal) as connection:
            families = await connection.request_family_codes()
            assert {one.account: one.family for one in families} == {"DU1": "", "DU2": "F77"}
            assert await connection.request_soft_dollar_tiers() == [tier]
    finally:
        await server.stop()


async def test_linked_windows(client: TWSConnection) -> None:
    groups = await client.request_display_groups()
    assert groups == list(range(1, 8))
    async with client.stream_display_group(3) as stream, client.stream_display_group(3) as other:
        assert await anext(stream) == DisplayGroup(text="none") == await anext(other)
        stream.show(265598)
        shown = DisplayGroup(text="265598@SMART", con_id=265598, exchange="SMART")
        assert await anext(stream) == shown == await anext(other)
        assert stream.last == shown
        other.show(0)
        assert (await anext(stream)).con_id == 0


async def test_the_session_itself(tws: SimulatedTWS, client: TWSConnection) -> None:
    assert await client.request_user_info() == ""
    client.set_server_log_level(5)
    with pytest.raises(ValueError, match="1 to 5"):
        client.set_server_log_level(6)
    if client.server_version < 197:
        with pytest.raises(NotSentError) as caught:
            client.request_current_time_millis()
        assert caught.value.code == 503
    else:
        assert (await client.request_current_time_millis()).timestamp() * 1e9 == pytest.approx(
            tws.now_ns(), abs=1e6
        )


async def test_a_chain(client: TWSConnection) -> None:
    details = await client.request_contract(SPY)
    chains = await client.request_option_chain(details.contract)
    assert chains == await client.request_option_chain(SPY)  # looked up first
    (smart,) = [chain for chain in chains if chain.exchange == "SMART"]
    assert (smart.under_con_id, smart.trading_class, smart.multiplier) == (756733, "SPY", "100")
    assert list(smart.expirations) == sorted(smart.expirations)
    assert list(smart.strikes) == sorted(smart.strikes)
    with pytest.raises(NoContractError):
        await client.request_option_chain(stock("NOSUCH"))


async def test_the_contracts_of_a_chain_come_by_expiration_and_are_kept(client: TWSConnection) -> None:
    (chain,) = [one for one in await client.request_option_chain(SPY) if one.exchange == "SMART"]
    dates, middle = chain.expirations[:3], len(chain.strikes) // 2
    strikes = chain.strikes[middle : middle + 3]
    steps: list[Progress] = []
    wish = {"expirations": dates, "strikes": strikes, "rights": ["C"], "on_progress": steps.append}
    found = await client.request_option_contracts(chain, **wish)  # type: ignore[arg-type]
    described = [(row.contract.last_trade_date, row.contract.strike, row.contract.right) for row in found]
    assert described == [(date, strike, "C") for date in dates for strike in strikes]
    assert len({row.contract.con_id for row in found}) == 9
    assert [(step.done, step.total) for step in steps] == [(1, 3), (2, 3), (3, 3)]
    assert client.details_of(found[0].contract) == found[0]
    sent = client.bytes_sent
    assert (
        await client.request_option_contracts(chain, expirations=dates, strikes=strikes, rights="C") == found
    )
    assert client.bytes_sent == sent
    both = await client.request_option_contracts(chain, expirations=dates[:1], strikes=strikes[:1])
    assert [row.contract.right for row in both] == ["C", "P"]


async def test_a_chain_of_thousands_keeps_the_pace_of_tws(
    sim: SimulatedTWS, connection: TWSConnection
) -> None:
    """Both sides with their usual limits: nothing is refused, and progress comes by expiration."""
    steps: list[Progress] = []
    (chain,) = [one for one in await connection.request_option_chain(SPY) if one.exchange == "SMART"]
    dates = chain.expirations[:11]
    found = await connection.request_option_contracts(chain, expirations=dates, on_progress=steps.append)
    assert len({row.contract.con_id for row in found}) == len(found) > 4000
    assert len(found) == len(dates) * len(chain.strikes) * 2
    assert [(step.done, step.total) for step in steps] == [(count, 11) for count in range(1, 12)]
    assert steps[-1].rows == len(found)


async def test_wishes_that_no_chain_has(client: TWSConnection) -> None:
    with pytest.raises(ValueError, match="expirations: 20000101"):
        await client.request_option_contracts(SPY, expirations=["20000101"])
    with pytest.raises(ValueError, match="strikes"):
        await client.request_option_contracts(SPY, strikes=[1.2345])
    with pytest.raises(NoContractError, match="class NONE"):
        await client.request_option_contracts(SPY, trading_class="NONE")


class Sections:
    """A TWS with options of two classes, which counts how many questions wait."""

    def __init__(self, dates: tuple[str, ...], twice: bool = False) -> None:
        self.dates, self.twice = dates, twice
        self.waiting: list[tuple[Recorder, ContractDataRequest]] = []
        self.most = 0

    def heard(self, client: Recorder, payload: bytes) -> None:
        asked = codec.decode_request(payload, 200)
        if isinstance(asked, SecDefOptParamsRequest):
            for name in ("SPX", "SPXW"):
                client.say(SecDefOptParameter(asked.req_id, "SMART", 9, name, "100", self.dates, (100.0,)))
            client.say(SecDefOptParameterEnd(asked.req_id))
        elif isinstance(asked, ContractDataRequest):
            self.waiting.append((client, asked))
            self.most = max(self.most, len(self.waiting))
            if len(self.waiting) == AT_ONCE or self.twice:
                self.answer()

    def answer(self) -> None:
        waiting, self.waiting = self.waiting, []
        for client, asked in waiting:
            for con_id in (1, 2) if self.twice else (int(asked.contract.last_trade_date_or_contract_month),):
                contract = WireContract(
                    con_id=con_id,
                    symbol="SPX",
                    sec_type="OPT",
                    strike=100.0,
                    right="C",
                    last_trade_date_or_contract_month=asked.contract.last_trade_date_or_contract_month,
                )
                client.say(ContractData(asked.req_id, contract, WireContractDetails()))
            client.say(ContractDataEnd(asked.req_id))


INDEX = Contract(con_id=9, symbol="SPX", sec_type="IND", exchange="CBOE")


async def test_an_underlying_with_two_classes_is_ambiguous(recorder: RecorderServer) -> None:
    recorder.heard = Sections(("20261218",)).heard
    async with unkept(config_of(recorder.port)) as connection:
        with pytest.raises(AmbiguousContractError, match="SPX x 100 at SMART, SPXW x 100"):
            await connection.request_option_contracts(INDEX)


async def test_two_contracts_in_one_place_are_ambiguous(recorder: RecorderServer) -> None:
    recorder.heard = Sections(("20261218",), twice=True).heard
    async with unkept(config_of(recorder.port)) as connection:
        with pytest.raises(AmbiguousContractError, match="1 and 2"):
            await connection.request_option_contracts(INDEX, trading_class="SPX")


async def test_a_chain_is_asked_for_a_few_expirations_at_a_time(recorder: RecorderServer) -> None:
    peer = Sections(tuple(f"202612{day:02d}" for day in range(10, 10 + 3 * AT_ONCE)))
    recorder.heard = peer.heard
    async with unkept(config_of(recorder.port)) as connection:
        found = await connection.request_option_contracts(INDEX, trading_class="SPXW")
        assert [str(row.contract.con_id) for row in found] == list(peer.dates)
        assert peer.most == AT_ONCE


async def test_an_abandoned_chain_asks_no_further(recorder: RecorderServer) -> None:
    peer = Sections(tuple(f"202612{day:02d}" for day in range(10, 10 + 3 * AT_ONCE)))
    recorder.heard = peer.heard
    peer.answer = lambda: None  # type: ignore[method-assign]
    async with unkept(config_of(recorder.port)) as connection:
        reply = connection.request_option_contracts(INDEX, trading_class="SPX")
        await until(lambda: len(peer.waiting) == AT_ONCE)
        reply.cancel()
        await recorder.caught_up(connection)
        assert len(peer.waiting) == AT_ONCE
        assert len(connection._engine.answers.requests) == 0
