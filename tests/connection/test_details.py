"""Contract details of every type, at three server versions; what is damaged in them is never guessed at."""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ibapi.wrapper import EWrapper
from tests.connection.peers import Recorder, RecorderServer, config_of, unkept, until

from tws.connection import Reply, TWSConnection
from tws.connection.encoding.translate import ib_contract
from tws.connection.hearing.details import contract_details_of
from tws.errors import NoContractError, RequestError, RequestTimeoutError, TWSError
from tws.model.contract import Contract, stock
from tws.model.order import Order, OrderType, Side, TimeInForce
from tws.model.terms import EventTerms, FundAsset, FundPolicy, Ineligibility
from tws.simulator import SimulatedTWS
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import (
    Answer,
    BondContractData,
    ContractData,
    ContractDataEnd,
    DepthMarketDataDescription,
    FamilyCode,
    FamilyCodes,
    FundDetails,
    HistoricalTickLast,
    HistoricalTicksLast,
    MarketDepthExchanges,
    SmartComponent,
    SmartComponents,
    SoftDollarTier,
    SoftDollarTiers,
    WireContract,
    WireContractDetails,
)

APPLE_BOND = Contract(symbol="037833BX7", sec_type="BOND")


def sought(sec_type: str, symbol: str, exchange: str = "SMART", currency: str = "USD") -> Contract:
    return Contract(symbol=symbol, sec_type=sec_type, exchange=exchange, currency=currency)


def limited(quantity: Decimal, price: str) -> Order:
    return Order(
        side=Side.BUY, quantity=quantity, order_type=OrderType.LIMIT, limit_price=Decimal(price),
        tif=TimeInForce.GTC,
    )  # fmt: skip


async def test_a_bond(client: TWSConnection) -> None:
    """By its CUSIP in place of the symbol, as the official samples ask."""
    found = await client.request_contract(APPLE_BOND)
    bond = found.bond
    assert bond is not None and found.fund is None and found.ineligibilities == ()
    assert (found.contract.symbol, found.contract.sec_type, bond.cusip) == ("AAPL", "BOND", "037833BX7")
    assert (bond.coupon, bond.coupon_type, bond.bond_type) == (4.65, "FIXED", "CORP")
    assert (bond.maturity, bond.issue_date, bond.ratings) == ("20460223", "20160223", "Aaa/AA+")
    assert (bond.is_callable, bond.is_puttable, bond.is_convertible) == (True, False, False)
    assert (bond.next_option_date, bond.next_option_type) == ("20450823", "CALL")
    assert bond.next_option_is_partial and bond.notes == "Make-whole call"
    assert found.identifiers == (("ISIN", "US037833BX70"),) and found.contract.last_trade_date == ""
    assert found.min_size == (10.0 if client.server_version >= 164 else None)
    assert bool(found.trading_hours) == (client.server_version >= 188)


async def test_bonds_by_issuer_by_isin_and_by_maturity(client: TWSConnection) -> None:
    matches = await client.request_matching_symbols("United States")
    (issuer,) = {one.contract.issuer_id for one in matches if one.contract.sec_type == "BOND"}
    bonds = await client.request_contract_details(Contract(sec_type="BOND", issuer_id=issuer))
    coupons = {row.bond.coupon for row in bonds if row.bond is not None}
    assert coupons == {4.5, 1.25}
    by_isin = Contract(sec_type="BOND", sec_id_type="ISIN", sec_id="US91282CJJ18")
    assert (await client.request_contract(by_isin)).contract == bonds[0].contract
    dated = Contract(symbol="US-T", sec_type="BOND", last_trade_date="2050")
    assert (await client.request_contract(dated)).contract == bonds[1].contract
    zero = (await client.request_contract(sought("BOND", "CVNA"))).bond
    assert zero is not None and zero.coupon is None and zero.is_puttable and zero.next_option_type == "PUT"


async def test_a_metal_a_warrant_an_option_on_a_future(client: TWSConnection) -> None:
    gold = await client.request_contract(sought("CMDTY", "XAUUSD"))
    assert (gold.contract.con_id, gold.min_tick, gold.valid_exchanges) == (69067924, 0.01, "SMART,IBCMDTY")
    assert gold.bond is gold.fund is gold.event is None
    wanted = Contract(symbol="SAP", sec_type="WAR", exchange="FWB", currency="EUR", right="C", strike=220.0)
    warrant = await client.request_contract(wanted)
    assert (warrant.contract.last_trade_date, warrant.contract.multiplier) == ("20271217", "1")
    assert (warrant.under_con_id, warrant.under_symbol, warrant.under_sec_type) == (14204, "SAP", "STK")
    assert warrant.real_expiration_date == "20271217"
    (future, *_) = await client.request_contract_details(sought("FUT", "ES", "CME"))
    chain = await client.request_option_chain(future.contract)
    assert chain[0].sec_type == "FOP" and chain[0].under_con_id == future.contract.con_id
    at = {"expirations": chain[0].expirations[:1], "strikes": chain[0].strikes[:1], "rights": "C"}
    (call,) = await client.request_option_contracts(chain[0], **at)  # type: ignore[arg-type]
    assert (call.contract.sec_type, call.contract.multiplier) == ("FOP", "50")
    assert (call.under_con_id, call.under_sec_type) == (future.contract.con_id, "FUT")


async def test_a_fund_that_may_not_be_traded(client: TWSConnection) -> None:
    found = await client.request_contract(sought("FUND", "VINIX", "FUNDSERV"))
    barred = Ineligibility(id="FUND_API", description="Mutual funds cannot be traded through the API")
    assert found.ineligibilities == ((barred,) if client.server_version >= 186 else ())
    fund = found.fund
    if client.server_version < 179:
        assert fund is None
    else:
        assert fund is not None
        assert (fund.name, fund.family) == ("Vanguard Institutional Index Fund", "Vanguard")
        assert (fund.asset, fund.policy) == (FundAsset.EQUITY, FundPolicy.INCOME)
        assert (fund.minimum_initial_purchase, fund.back_load_interval) == ("5000000", None)
        assert not fund.is_closed
    with pytest.raises(RequestError) as caught:
        await client.request_quote(found.contract)
    assert caught.value.code == 354
    lane = client.facts()
    sent = await client.place_order(found.contract, limited(Decimal(1), "480"))
    await client.request_current_time()
    refusals = [fact for fact in lane.drain() if getattr(fact, "code", None) == 201]
    assert [(fact.order_id, fact.text) for fact in refusals] == [  # type: ignore[attr-defined]
        (sent.order_id, f"Order rejected - reason:{barred.description}")
    ]


async def test_an_event_contract(client: TWSConnection) -> None:
    found = await client.request_contract(sought("OPT", "FF", "FORECASTX"))
    told = EventTerms(
        name="FF 16DEC26 3.625 YES",
        descriptions=("Above 3.625 %", "The target rate after the meeting of 16 December 2026"),
    )
    assert found.event == (told if client.server_version >= 205 else None)


async def test_a_combination(client: TWSConnection) -> None:
    """A request in text carries no legs, so a name is all that it can be asked by."""
    found = await client.request_contract(sought("BAG", "SPY,AAPL"))
    assert (found.contract.con_id, found.contract.trading_class) == (28812380, "COMB")
    with pytest.raises(NoContractError):
        await client.request_contract(sought("BAG", "SPY,NOSUCH"))


class Witness(EWrapper):  # type: ignore[misc]
    """What the official client itself makes of the simulator's bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[Any]] = {"bond": [], "other": []}
        self.ends = 0

    def contractDetails(self, reqId: int, contractDetails: Any) -> None:
        self.found["other"].append(contractDetails)

    def bondContractDetails(self, reqId: int, contractDetails: Any) -> None:
        self.found["bond"].append(contractDetails)

    def contractDetailsEnd(self, reqId: int) -> None:
        self.ends += 1


async def test_the_official_client_reads_the_same(client: TWSConnection) -> None:
    witness = Witness()
    detach = client.attach(witness)
    for wanted in (APPLE_BOND, sought("FUND", "VINIX", "FUNDSERV"), sought("OPT", "FF", "FORECASTX")):
        client.official.reqContractDetails(client.official_request_id(), ib_contract(wanted))
    await until(lambda: witness.ends == 3)
    detach()
    (bond,), (fund, event) = witness.found["bond"], witness.found["other"]
    ours = (await client.request_contract(APPLE_BOND)).bond
    assert ours is not None
    assert (bond.cusip, bond.coupon, bond.maturity) == (ours.cusip, ours.coupon, ours.maturity)
    assert (bond.callable, bond.putable, bond.nextOptionPartial) == (True, False, True)
    assert (bond.ratings, bond.notes) == (ours.ratings, ours.notes)
    version = client.server_version
    assert fund.fundAssetType.name == ("Equity" if version >= 179 else "NoneItem")
    assert bool(fund.ineligibilityReasonList) == (version >= 186)
    assert event.eventContract1 == ("FF 16DEC26 3.625 YES" if version >= 205 else "")


@pytest.mark.parametrize(
    "wanted",
    [
        APPLE_BOND,
        sought("CMDTY", "XAUUSD"),
        Contract(sec_type="WAR", local_symbol="SD4X7Q", exchange="FWB", currency="EUR"),
    ],
    ids=lambda wanted: wanted.sec_type,
)
async def test_they_are_quoted_and_traded(
    tws: SimulatedTWS, client: TWSConnection, wanted: Contract
) -> None:
    details = await client.request_contract(wanted)
    quote = await client.request_quote(details.contract)
    assert quote.bid is not None and quote.ask is not None and quote.bid < quote.ask
    bars = await client.request_historical_bars(details.contract, bar_size="1 hour", what="MIDPOINT")
    assert bars
    size = Decimal(str(details.min_size))
    sent = await client.place_order(details.contract, limited(size, f"{quote.ask * 1.1:.1f}"))
    await tws.set_clock(tws.now_ns() + 5 * 10**9)
    (fill, *_) = await client.request_executions()
    assert (fill.order_id, fill.contract.con_id) == (sent.order_id, details.contract.con_id)
    (held, *_) = await client.request_positions()
    assert (held.contract.con_id, held.quantity) == (details.contract.con_id, size)


# -- damage


TEXT = st.text("aZ09 ,;.-|", max_size=6)
FUNDS = st.builds(FundDetails, fund_asset_type=TEXT, fund_distribution_policy_indicator=TEXT, fund_name=TEXT)
DETAILS = st.builds(
    WireContractDetails,
    fund=st.none() | FUNDS,
    coupon=st.none() | st.floats(-1, 99),
    ratings=TEXT,
    next_option_type=TEXT,
    under_symbol=TEXT,
    agg_group=st.sampled_from([0, 1, 2147483647]),
    min_size=st.none() | st.decimals(0, 9, places=2),
    last_price_precision=st.none() | st.decimals(0, 9, places=1),
    event_contract1=TEXT,
)
DATES = st.sampled_from(["", "20261218", "20261218 08:30 US/Central", "20261218-08:30-EST", "soon"])
CONTRACTS = st.builds(
    WireContract,
    con_id=st.just(7),
    sec_type=st.sampled_from(["FUND", "STK", "BOND", "NEW"]),
    last_trade_date_or_contract_month=DATES,
)


@settings(max_examples=120)
@given(CONTRACTS, DETAILS, st.booleans(), st.sampled_from([157, 176, 179, 186, 200, 225]))
def test_what_is_absent_is_none_and_what_is_unknown_stays_raw(
    contract: WireContract, details: WireContractDetails, is_bond: bool, version: int
) -> None:
    kind = BondContractData if is_bond else ContractData
    sent = kind(1, contract, details)
    row = codec.decode_answer(codec.encode(sent, version), version)
    assert isinstance(row, ContractData | BondContractData)
    found, told = contract_details_of(row), row.contract_details
    assert found.min_size == (None if told.min_size is None else float(told.min_size))
    assert found.under_symbol == (told.under_symbol or None)
    assert found.agg_group == (1 if told.agg_group == 1 else None)
    assert (found.bond is not None) == is_bond
    if found.bond is not None:
        assert found.bond.coupon == told.coupon
        assert found.bond.next_option_type == (told.next_option_type or None)
    assert (found.fund is None) == (told.fund is None)
    if found.fund is not None and told.fund is not None:
        assert (found.fund.asset or "") in (told.fund.fund_asset_type, "")
        assert found.fund.name == (told.fund.fund_name or None)
    date, time = contract.last_trade_date_or_contract_month, None
    if date.startswith("2") and len(date) > 8:
        date, time = date[:8], date[9:].replace("-", " ")
    if found.bond is None:
        assert (found.contract.last_trade_date, found.last_trade_time) == (date, time)
    else:
        assert (found.bond.maturity, found.bond.maturity_time) == (date or None, time)


WHOLE = WireContract(con_id=7, symbol="SPY", sec_type="STK", exchange="SMART")
QUESTIONS: list[tuple[str, Callable[[TWSConnection], Reply[Any]], Callable[[Any], Answer]]] = [
    ("10", lambda asked: asked.request_contract_details(stock("SPY")),
     lambda r: ContractData(r.req_id, WHOLE)),
    ("18", lambda asked: asked.request_contract_details(APPLE_BOND),
     lambda r: BondContractData(r.req_id, WHOLE, WireContractDetails(coupon=4.5, cusip="037833BX7"))),
    ("77", lambda asked: asked.request_soft_dollar_tiers(),
     lambda r: SoftDollarTiers(r.req_id, (SoftDollarTier("T1", "0.5", "Research"),))),
    ("78", lambda asked: asked.request_family_codes(), lambda r: FamilyCodes((FamilyCode("DU1", "F77"),))),
    ("80", lambda asked: asked.request_depth_exchanges(),
     lambda r: MarketDepthExchanges((DepthMarketDataDescription("CME", "FUT", "CME", "Deep", 1),))),
    ("82", lambda asked: asked.request_smart_components("9c0001"),
     lambda r: SmartComponents(r.req_id, (SmartComponent(0, "NYSE", "N"), SmartComponent(1, "ARCA", "P")))),
    ("98", lambda asked: asked.request_historical_ticks(stock("SPY")),
     lambda r: HistoricalTicksLast(r.req_id, (HistoricalTickLast(9, 2, 1.5, Decimal(5), "N", "I"),), True)),
]  # fmt: skip
"""Its number, how it is asked for, a whole answer."""


@pytest.mark.parametrize("version", [176, 225])
@pytest.mark.parametrize("question", QUESTIONS, ids=[name for name, *_ in QUESTIONS])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, 400), harm=st.binary(min_size=1, max_size=3))
async def test_a_damaged_answer_is_named_and_harms_nothing(
    caplog: pytest.LogCaptureFixture,
    version: int,
    question: tuple[str, Callable[[TWSConnection], Reply[Any]], Callable[[Any], Answer]],
    place: int,
    harm: bytes,
) -> None:
    """Cut short or changed behind its id, an answer is read or named in a warning, by its number and length,
    since a payload may hold an account; the bytes are kept for a report, and the whole answer that follows
    is heard.
    """
    number, ask, whole = question

    def heard(client: Recorder, payload: bytes) -> None:
        asked = codec.decode_request(payload, version)
        said = codec.encode(whole(asked), version)
        head = 4 if version > 200 else len(number) + 1
        at = head + place % (len(said) - head)
        damaged = said[:at] + harm + said[at + len(harm) :] if place % 2 else said[:at]
        client.transport.write(frame(damaged) + frame(said))
        if number in ("10", "18"):
            client.say(ContractDataEnd(asked.req_id))  # type: ignore[union-attr]

    caplog.clear()
    async with RecorderServer(version) as recorder, unkept(config_of(recorder.port)) as connection:
        recorder.heard = heard
        with caplog.at_level(logging.WARNING):
            try:
                assert isinstance(await ask(connection), list)  # an empty body is an empty list
            except TWSError as error:
                assert not isinstance(error, RequestTimeoutError)
        for lost in connection.unreadable:
            assert f"message='message {number}' bytes={len(lost.payload)}" in caplog.text
