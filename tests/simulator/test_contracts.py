"""Questions about contracts over a real socket: details of every type, ambiguity, symbols, rules, chains."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.simulator.client import Client, Connect, Start, stock

from tws.simulator.limits import Limits
from tws.simulator.market import ManualMarket
from tws.simulator.universe import RULES, UNIVERSE
from tws.wire.messages import (
    ContractData,
    ContractDataEnd,
    ContractDataRequest,
    ErrorMessage,
    MarketDataRequest,
    MarketRule,
    MarketRuleRequest,
    MatchingSymbolsRequest,
    SecDefOptParameter,
    SecDefOptParameterEnd,
    SecDefOptParamsRequest,
    SymbolSamples,
    WireContract,
)

T0 = 1_795_443_000_000_000_000  # 2026-11-23 09:30 in New York
EUR = WireContract(symbol="EUR", sec_type="CASH", exchange="IDEALPRO", currency="USD")
NOT_FOUND = "No security definition has been found for the request"


@pytest.fixture
async def client(start: Start, connect: Connect) -> Client:
    simulator = await start(market=ManualMarket(UNIVERSE, T0), hours="exchange")
    client = await connect(simulator)
    await client.expect(ErrorMessage, lambda m: m.error_code == 2158)
    return client


def future(symbol: str, exchange: str = "CME", **fields: str) -> WireContract:
    return WireContract(symbol=symbol, sec_type="FUT", exchange=exchange, **fields)


async def details(client: Client, contract: WireContract, req_id: int = 1) -> list[ContractData]:
    client.send(ContractDataRequest(req_id, contract))
    await client.expect(ContractDataEnd, lambda m: m.req_id == req_id)
    return [m for m in client.all(ContractData) if m.req_id == req_id]


async def refusal(client: Client, contract: WireContract, req_id: int = 5) -> tuple[int, str]:
    """What a request for data, which needs exactly one contract, is told."""
    client.send(MarketDataRequest(req_id, contract))
    said = await client.expect(ErrorMessage, lambda m: m.id == req_id)
    return said.error_code, said.error_msg


# -- details by type -------------------------------------------------------------------------------


async def test_a_future_s_details(client: Client) -> None:
    (found,) = await details(client, future("ES", last_trade_date_or_contract_month="202612"))
    contract, known = found.contract, found.contract_details
    assert (contract.con_id, contract.local_symbol, contract.trading_class) == (515416632, "ESZ6", "ES")
    assert (contract.multiplier, contract.exchange, contract.currency) == ("50", "CME", "USD")
    assert contract.last_trade_date_or_contract_month.startswith("20261218")
    assert (known.min_tick, known.market_rule_ids, known.valid_exchanges) == (0.25, "67", "CME")
    assert (known.contract_month, known.real_expiration_date) == ("202612", "20261218")
    assert (known.under_con_id, known.under_symbol, known.under_sec_type) == (416904, "SPX", "IND")
    assert known.time_zone_id == "America/Chicago"
    assert known.trading_hours.startswith("20261122:1700-20261123:1600;")
    assert known.stock_type == ""


async def test_a_future_without_a_month_is_all_months(client: Client) -> None:
    found = await details(client, future("CL", "NYMEX"))
    months = [m.contract_details.contract_month for m in found]
    assert len(found) == 12 and months == sorted(months) and months[0] == "202701"
    assert len({m.contract.con_id for m in found}) == 12


async def test_an_option_s_ladder_and_one_of_it(client: Client) -> None:
    chain = WireContract(
        symbol="AAPL", sec_type="OPT", exchange="SMART", last_trade_date_or_contract_month="20261218"
    )
    found = await details(client, chain)
    strikes = {m.contract.strike for m in found}
    assert len(found) == 2 * len(strikes) > 40
    one = next(m for m in found if (m.contract.strike, m.contract.right) == (225.0, "C"))
    assert one.contract.local_symbol == "AAPL  261218C00225000"
    assert (one.contract_details.under_con_id, one.contract.multiplier) == (265598, "100")
    assert "CBOE" in one.contract_details.valid_exchanges.split(",")
    rules = one.contract_details.market_rule_ids.split(",")
    assert len(rules) == len(one.contract_details.valid_exchanges.split(","))
    (again,) = await details(client, WireContract(con_id=one.contract.con_id), 2)
    assert again.contract.local_symbol == one.contract.local_symbol


async def test_a_whole_chain_comes_whole_and_others_are_answered_meanwhile(client: Client) -> None:
    whole = WireContract(symbol="BAC", sec_type="OPT", exchange="SMART", right="C")
    client.send(ContractDataRequest(1, whole), MarketRuleRequest(26))
    await client.expect(ContractDataEnd, lambda m: m.req_id == 1)
    await client.expect(MarketRule)
    found = client.all(ContractData)
    assert len({m.contract.con_id for m in found}) == len(found) > 400
    assert client.heard.index(client.all(ContractDataEnd)[0]) > client.heard.index(found[-1])


async def test_currencies_crypto_indexes_and_cfds(client: Client) -> None:
    (pair,) = await details(client, EUR, 1)
    assert (pair.contract.con_id, pair.contract.local_symbol) == (12087792, "EUR.USD")
    assert (pair.contract_details.min_tick, pair.contract_details.market_rule_ids) == (0.00005, "239")
    coin = WireContract(symbol="BTC", sec_type="CRYPTO", exchange="PAXOS", currency="USD")
    (bitcoin,) = await details(client, coin, 2)
    assert (bitcoin.contract.con_id, bitcoin.contract_details.min_size) == (479624278, Decimal("0.00000001"))
    (index,) = await details(client, WireContract(symbol="SPX", sec_type="IND", exchange="CBOE"), 3)
    assert index.contract.con_id == 416904
    assert len(index.contract_details.liquid_hours.split(";")) == 6
    cfd = WireContract(symbol="IBUS500", sec_type="CFD", exchange="SMART", currency="USD")
    (found,) = await details(client, cfd, 4)
    assert found.contract.con_id == 111767871


async def test_pence_are_magnified_and_hours_are_london_s(client: Client) -> None:
    vodafone = WireContract(symbol="VOD", sec_type="STK", exchange="SMART", currency="GBP")
    (found,) = await details(client, vodafone)
    known = found.contract_details
    assert (known.price_magnifier, found.contract.primary_exch) == (100, "LSE")
    assert (known.time_zone_id, known.liquid_hours[:27]) == ("Europe/London", "20261123:0800-20261123:1630")
    assert known.sec_id_list == (("ISIN", "GB00BH4HKS39"),)


async def test_a_bare_symbol_is_every_listing_at_every_exchange(client: Client) -> None:
    found = await details(client, WireContract(symbol="AAPL", sec_type="STK"))
    assert {m.contract.con_id for m in found} == {265598, 38708077, 273982664, 532640894}
    apple = [m.contract.exchange for m in found if m.contract.con_id == 265598]
    assert apple[0] == "SMART" and len(set(apple)) == len(apple) == 8
    (one,) = await details(client, stock("AAPL"), 2)
    assert (one.contract.exchange, one.contract_details.stock_type) == ("SMART", "COMMON")


async def test_securities_by_their_numbers(client: Client) -> None:
    by_isin = WireContract(sec_id_type="ISIN", sec_id="US0378331005", exchange="SMART", currency="USD")
    (found,) = await details(client, by_isin)
    assert found.contract.con_id == 265598
    (cusip,) = await details(
        client, WireContract(sec_id_type="CUSIP", sec_id="594918104", currency="USD", exchange="SMART"), 2
    )
    assert cusip.contract.symbol == "MSFT"


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "contract",
    [
        stock("NOSUCH"),
        WireContract(symbol="SPY", sec_type="SHARE", exchange="SMART", currency="USD"),
        WireContract(symbol="SPY", sec_type="STK", exchange="NOWHERE", currency="USD"),
        WireContract(symbol="SPY", sec_type="STK", exchange="SMART", currency="XXX"),
        WireContract(symbol="SPY", sec_type="STK", exchange="SMART", currency="USD", primary_exch="NYSE"),
        future("ES", "NYMEX", last_trade_date_or_contract_month="202612"),
        future("ES", last_trade_date_or_contract_month="202611"),
        future("ES", last_trade_date_or_contract_month="202612", multiplier="5"),
        future("", local_symbol="ESZ9X"),
        WireContract(con_id=999),
        WireContract(con_id=2_099_999_999),
        WireContract(sec_id_type="ISIN", sec_id="US0000000000", exchange="SMART"),
        WireContract(sec_id_type="FIGI", sec_id="US0378331005", exchange="SMART"),
    ],
    ids=range(13),
)
async def test_what_fits_nothing_is_200(client: Client, contract: WireContract) -> None:
    client.send(ContractDataRequest(3, contract))
    said = await client.expect(ErrorMessage, lambda m: m.id == 3)
    assert (said.error_code, said.error_msg) == (200, NOT_FOUND)
    assert await refusal(client, contract) == (200, NOT_FOUND)


@pytest.mark.parametrize(
    ("contract", "text"),
    [
        (WireContract(symbol="KWEB", sec_type="STK", exchange="SMART", currency="USD"), "KWEB is ambiguous."),
        (WireContract(symbol="AAPL", sec_type="STK", exchange="SMART"), "AAPL is ambiguous."),
        (
            future("SI", "COMEX", last_trade_date_or_contract_month="202612"),
            "SI is ambiguous; you must specify the multiplier or trading class.",
        ),
        (
            WireContract(
                symbol="SPX",
                sec_type="OPT",
                exchange="SMART",
                last_trade_date_or_contract_month="20261218",
                strike=5600.0,
                right="C",
            ),
            "SPX is ambiguous; you must specify the multiplier or trading class.",
        ),
    ],
    ids=["two listings", "no currency", "two futures", "two classes"],
)
async def test_where_one_is_needed_several_are_ambiguous(
    client: Client, contract: WireContract, text: str
) -> None:
    assert await refusal(client, contract) == (200, f"The contract description specified for {text}")


async def test_what_expires_must_say_when(client: Client) -> None:
    code, text = await refusal(client, future("ES"))
    assert (code, text.endswith("Please enter a local symbol or an expiry")) == (321, True)


# -- symbols, rules, chains ------------------------------------------------------------------------


async def samples(client: Client, pattern: str, req_id: int) -> SymbolSamples:
    client.send(MatchingSymbolsRequest(req_id, pattern))
    return await client.expect(SymbolSamples, lambda m: m.req_id == req_id)


async def test_symbols_match_by_beginning_and_by_name(start: Start, connect: Connect) -> None:
    simulator = await start(market=ManualMarket(UNIVERSE, T0), limits=Limits.off())
    client = await connect(simulator)
    await client.expect(ErrorMessage, lambda m: m.error_code == 2158)
    rows = (await samples(client, "aapl", 1)).contract_descriptions
    assert [(r.contract.con_id, r.contract.primary_exch, r.contract.currency) for r in rows][:2] == [
        (265598, "NASDAQ", "USD"),
        (38708077, "MEXI", "MXN"),
    ]
    assert "OPT" in rows[0].derivative_sec_types and rows[1].derivative_sec_types == ()
    assert rows[0].contract.description == "APPLE INC"
    named = (await samples(client, "micros", 2)).contract_descriptions
    assert {r.contract.symbol for r in named} == {"MSFT"}
    many = (await samples(client, "A", 3)).contract_descriptions
    assert len(many) == 16 and many[0].contract.symbol.startswith("A")
    assert (await samples(client, "QQZZ", 4)).contract_descriptions == ()


async def test_a_market_rule_has_its_steps(client: Client) -> None:
    for rule, steps in ((26, [(0.0, 0.01)]), (239, [(0.0, 0.00005)]), (109, [(0.0, 0.01), (3.0, 0.05)])):
        client.send(MarketRuleRequest(rule))
        said = await client.expect(MarketRule, lambda m, rule=rule: m.market_rule_id == rule)
        assert [(row.low_edge, row.increment) for row in said.price_increments] == steps
    client.send(MarketRuleRequest(4711))
    assert (await client.expect(ErrorMessage, lambda m: "4711" in m.error_msg)).error_code == 321
    assert all(list(steps) == sorted(steps) and steps[0][0] == 0 for steps in RULES.values())


async def test_the_parameters_of_chains(client: Client) -> None:
    client.send(SecDefOptParamsRequest(1, "AAPL", "", "STK", 265598))
    await client.expect(SecDefOptParameterEnd, lambda m: m.req_id == 1)
    rows = [m for m in client.all(SecDefOptParameter) if m.req_id == 1]
    assert {"SMART", "CBOE", "PHLX"} <= {row.exchange for row in rows}
    assert {(row.trading_class, row.multiplier, row.underlying_con_id) for row in rows} == {
        ("AAPL", "100", 265598)
    }
    assert "20261218" in rows[0].expirations and 225.0 in rows[0].strikes
    client.send(SecDefOptParamsRequest(2, "ES", "CME", "FUT", 515416632))
    await client.expect(SecDefOptParameterEnd, lambda m: m.req_id == 2)
    (future_row,) = [m for m in client.all(SecDefOptParameter) if m.req_id == 2]
    assert (future_row.exchange, future_row.expirations) == ("CME", ("20261218",))
    client.send(
        SecDefOptParamsRequest(3, "AAPL", "", "STK", 272093), SecDefOptParamsRequest(4, "AAPL", "", "STK", 0)
    )
    await client.expect(SecDefOptParameterEnd, lambda m: m.req_id == 3)
    assert [m for m in client.all(SecDefOptParameter) if m.req_id == 3] == []
    assert (await client.expect(ErrorMessage, lambda m: m.id == 4)).error_code == 321
