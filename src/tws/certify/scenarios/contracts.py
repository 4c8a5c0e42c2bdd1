"""Contracts and what is looked up about them. TWS-BEHAVIOUR.md E, A8."""

from __future__ import annotations

from msgspec.structs import replace

from tws.certify.register import scenario
from tws.certify.scene import NotPlayed, Scene
from tws.model.contract import Contract, forex, stock
from tws.wire import messages as m

case = scenario("contracts", "universe.md")
APPLE_2046 = "US037833BX70"
"""A bond of Apple's, 4.65 % until 2046; the universe of the simulated TWS has it too."""
NOWHERE = Contract(symbol="NOSUCHTHING", exchange="SMART", currency="USD")


@case("a stock by its symbol", "E contract details")
async def by_symbol(s: Scene) -> None:
    await s.ask(m.ContractDataEnd, "reqContractDetails", stock(s.stock.symbol))


@case("a stock by its conId", "E contract details")
async def by_con_id(s: Scene) -> None:
    wanted = Contract(con_id=s.stock.con_id, sec_type="", exchange="", currency="")
    await s.ask(m.ContractDataEnd, "reqContractDetails", wanted)


@case("an unknown symbol: 200", "A8 200")
async def unknown(s: Scene) -> None:
    await s.ask(m.ContractDataEnd, "reqContractDetails", NOWHERE)


@case("a security type that is none", "A8 321")
async def no_type(s: Scene) -> None:
    await s.ask(m.ContractDataEnd, "reqContractDetails", replace(stock(s.stock.symbol), sec_type="XYZ"))


@case("a currency pair", "E contract details")
async def pair(s: Scene) -> None:
    await s.ask(m.ContractDataEnd, "reqContractDetails", forex("EUR.USD"))


@case("an index", "E contract details")
async def index(s: Scene) -> None:
    wanted = Contract(symbol="SPX", sec_type="IND", exchange="CBOE", currency="USD")
    await s.ask(m.ContractDataEnd, "reqContractDetails", wanted)


@case("a metal", "E contract details")
async def metal(s: Scene) -> None:
    wanted = Contract(symbol="XAUUSD", sec_type="CMDTY", exchange="SMART", currency="USD")
    await s.ask(m.ContractDataEnd, "reqContractDetails", wanted)


@case("a crypto currency", "E contract details", since=163)
async def crypto(s: Scene) -> None:
    wanted = Contract(symbol="BTC", sec_type="CRYPTO", exchange="PAXOS", currency="USD")
    await s.ask(m.ContractDataEnd, "reqContractDetails", wanted)


@case("a contract for difference", "E contract details")
async def cfd(s: Scene) -> None:
    wanted = Contract(symbol="IBUS500", sec_type="CFD", exchange="SMART", currency="USD")
    await s.ask(m.ContractDataEnd, "reqContractDetails", wanted)


@case("a bond by its ISIN", "F6 18")
async def bond(s: Scene) -> None:
    wanted = Contract(sec_type="BOND", sec_id_type="ISIN", sec_id=APPLE_2046)
    await s.ask(m.ContractDataEnd, "reqContractDetails", wanted)


@case("the months of a future", "E contract details")
async def months(s: Scene) -> None:
    wanted = Contract(symbol="ES", sec_type="FUT", exchange="CME", currency="USD")
    await s.ask(m.ContractDataEnd, "reqContractDetails", wanted)


@case("the option chain of the stock", "E secDefOptParams")
async def chain(s: Scene) -> None:
    await s.ask(m.SecDefOptParameterEnd, "reqSecDefOptParams", s.stock.symbol, "", "STK", s.stock.con_id)


@case("the option chain of something that has none", "E secDefOptParams")
async def no_chain(s: Scene) -> None:
    await s.ask(m.SecDefOptParameterEnd, "reqSecDefOptParams", NOWHERE.symbol, "", "STK", 999999999)


@case("an option of the chain", "E contract details")
async def option(s: Scene) -> None:
    wanted = await option_of(s)
    await s.ask(m.ContractDataEnd, "reqContractDetails", wanted)


@case("symbols that begin alike", "F6 79")
async def symbols(s: Scene) -> None:
    await s.ask(m.SymbolSamples, "reqMatchingSymbols", s.stock.symbol[:2])


@case("symbols of a pattern that nothing fits", "F6 79")
async def no_symbols(s: Scene) -> None:
    await s.ask(m.SymbolSamples, "reqMatchingSymbols", NOWHERE.symbol)


@case("a market rule", "E market rule")
async def rule(s: Scene) -> None:
    named = s.details.market_rule_ids.split(",")[0]
    if not named.isdigit():
        raise NotPlayed(f"TWS names no market rule of {s.stock.symbol}")
    s.call("reqMarketRule", int(named))
    await s.hear(m.MarketRule)


@case("a market rule that is none", "A8 321")
async def no_rule(s: Scene) -> None:
    s.call("reqMarketRule", 987654)
    await s.hear(m.ErrorMessage, lambda error: error.id in (-1, 2**31 - 1) and error.error_code == 321)


@case("exchanges with depth", "F6 80")
async def depth_exchanges(s: Scene) -> None:
    s.call("reqMktDepthExchanges")
    await s.hear(m.MarketDepthExchanges)


@case("the exchanges behind SMART", "F6 82", market=True)
async def components(s: Scene) -> None:
    """By the key that a line of market data states, outside of what is compared there."""
    number = s.send("reqMktData", s.stock, "", False, False, [])
    told = await s.fed(number, m.TickReqParams)
    s.call("cancelMktData", number)
    await s.ask(m.SmartComponents, "reqSmartComponents", told.bbo_exchange)


@case("family codes", "F6 78")
async def families(s: Scene) -> None:
    s.call("reqFamilyCodes")
    await s.hear(m.FamilyCodes)


@case("soft-dollar tiers", "F6 77")
async def tiers(s: Scene) -> None:
    await s.ask(m.SoftDollarTiers, "reqSoftDollarTiers")


@case("display groups", "F6 67")
async def groups(s: Scene) -> None:
    await s.ask(m.DisplayGroupList, "queryDisplayGroups")


async def option_of(s: Scene) -> Contract:
    """A call of the nearest month but one, near the money; by the chain, outside of what is compared."""
    chains = await s.tell(s.connection.request_option_chain(s.stock))
    known = [each for each in chains or [] if each.exchange == "SMART" and each.strikes]
    if not known:
        raise NotPlayed(f"TWS knows no options of {s.stock.symbol}")
    best = max(known, key=lambda each: len(each.strikes))
    dates = sorted(best.expirations)
    price = float(s.bid) or sorted(best.strikes)[len(best.strikes) // 2]
    return Contract(
        symbol=s.stock.symbol,
        sec_type="OPT",
        last_trade_date=dates[min(1, len(dates) - 1)],
        strike=min(best.strikes, key=lambda strike: abs(strike - price)),
        right="C",
        exchange="SMART",
        currency=s.stock.currency,
        trading_class=best.trading_class,
    )
