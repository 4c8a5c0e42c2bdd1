"""Contracts: what fits a description (9), a pattern (81), the price steps of a rule (91), option chains (78).

A description may fit several contracts: contract details then answer with one message 10 for each; whoever
needs exactly one (data, orders, history) asks `resolve`, which refuses in TWS's words.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tws.simulator import combos, words
from tws.simulator.content.feeds import feeds
from tws.simulator.hours import local_date
from tws.simulator.session import Session
from tws.simulator.universe import RULES, Chain, Security, Universe, Wanted
from tws.wire.messages import (
    ContractDataEnd,
    ContractDataRequest,
    ContractDescription,
    MarketRule,
    MarketRuleRequest,
    MatchingSymbolsRequest,
    PriceIncrement,
    SecDefOptParameter,
    SecDefOptParameterEnd,
    SecDefOptParamsRequest,
    SymbolSamples,
    WireContract,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["NOT_FOUND", "Contracts", "resolve", "wanted_of"]

NOT_FOUND = "No security definition has been found for the request"
NO_EXPIRY = "Error validating request.-'bH' : cause - Please enter a local symbol or an expiry"
NAMES = ("symbol", "local_symbol", "sec_id", "trading_class", "issuer_id")
"""A description without any of these, or a conId, is none."""
EXPIRING = ("FUT", "OPT", "FOP")
MOST_SAMPLES = 16
"""Rows of an answer to a pattern (B)."""
EVERYWHERE = 50
"""A description without an exchange is answered once for each exchange, as long as so few contracts fit it
(a whole chain is not: assumed).
"""


def wanted_of(contract: WireContract) -> Wanted:
    """The description that a request carries."""
    return Wanted(
        con_id=contract.con_id,
        symbol=contract.symbol.strip(),
        sec_type=contract.sec_type.strip().upper(),
        exchange=contract.exchange.strip(),
        primary=contract.primary_exch.strip(),
        currency=contract.currency.strip(),
        local_symbol=contract.local_symbol,
        trading_class=contract.trading_class,
        expiry=contract.last_trade_date_or_contract_month.strip(),
        strike=contract.strike,
        right=contract.right.strip(),
        multiplier=contract.multiplier.strip(),
        include_expired=contract.include_expired,
        sec_id_type=contract.sec_id_type.strip().upper(),
        sec_id=contract.sec_id,
        issuer_id=contract.issuer_id,
    )


def resolve(core: Core, session: Session, req_id: int, contract: WireContract) -> Security | None:
    """The one security that is meant; None after error 200 or 321 was said (TWS-BEHAVIOUR.md A8)."""
    wanted = wanted_of(contract)
    if not wanted.con_id and _says_too_little(wanted):
        session.error(req_id, 321, NO_EXPIRY)
        return None
    found = _universe(core).find(wanted)
    if not found:
        session.error(req_id, 200, NOT_FOUND)
        return None
    apart = {security.con_id for security in found}
    if len(apart) > 1 or not (wanted.con_id or wanted.exchange or wanted.primary):
        # without an exchange a symbol may mean several listings; orders and data want one
        session.error(req_id, 200, _ambiguous(wanted, found))
        return None
    return found[0]


def _says_too_little(wanted: Wanted) -> bool:
    """Nothing that names a contract, or one that expires without saying when."""
    if not (wanted.symbol or wanted.local_symbol or wanted.sec_id):
        return True
    return wanted.sec_type in EXPIRING and not (wanted.local_symbol or wanted.expiry or wanted.sec_id)


def _ambiguous(wanted: Wanted, found: Sequence[Security]) -> str:
    said = f"The contract description specified for {wanted.symbol or wanted.local_symbol} is ambiguous"
    families = {(security.trading_class, security.multiplier) for security in found}
    if len(families) > 1 and found[0].sec_type in EXPIRING:
        return f"{said}; you must specify the multiplier or trading class."
    return f"{said}."


def _universe(core: Core) -> Universe:
    """The universe on the session's date: its expiries roll with the market's time."""
    core.universe.today = local_date(core.now_ns())
    return core.universe


class Contracts:
    """Questions about contracts."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {
            ContractDataRequest: self._details,
            MatchingSymbolsRequest: self._matching,
            MarketRuleRequest: self._rule,
            SecDefOptParamsRequest: self._chains,
        }

    def _details(self, session: Session, request: ContractDataRequest) -> None:
        wanted = wanted_of(request.contract)
        is_feed = wanted.sec_type == "NEWS"
        if not (is_feed or wanted.con_id or any(getattr(wanted, name) for name in NAMES)):
            session.error(request.req_id, 321, NO_EXPIRY)
            return
        universe = _universe(self._core)
        found = feeds(wanted) if is_feed else universe.find(wanted)
        if wanted.sec_type == "BAG":
            found = combos.found(request.contract, wanted.currency, universe)
        if not found:
            session.error(request.req_id, 200, NOT_FOUND)
            return
        now_ns, hours = self._core.now_ns(), self._core.options.hours
        everywhere = not (wanted.exchange or wanted.con_id) and len(found) <= EVERYWHERE
        rows = (
            words.contract_data(request.req_id, security, now_ns, hours, exchange)
            for security in found
            for exchange in (security.exchanges if everywhere else (wanted.exchange,))
        )
        session.stream(itertools.chain(rows, [ContractDataEnd(request.req_id)]))  # a chain is 10,000 rows

    def _matching(self, session: Session, request: MatchingSymbolsRequest) -> None:
        universe = _universe(self._core)
        optioned = {chain.under.con_id for chain in universe.chains}
        rows = [_sample(s, s.con_id in optioned) for s in universe.matching(request.pattern)]
        rows += map(_issuer, universe.issuers(request.pattern))
        session.send(SymbolSamples(request.req_id, tuple(rows[:MOST_SAMPLES])))

    def _rule(self, session: Session, request: MarketRuleRequest) -> None:
        steps = RULES.get(request.market_rule_id)
        if steps is None:
            session.error(
                -1,
                321,
                f"Error validating request.-'ea' : cause - Invalid market rule id {request.market_rule_id}",
            )
            return
        rows = tuple(PriceIncrement(low_edge=edge, increment=step) for edge, step in steps)
        session.send(MarketRule(request.market_rule_id, rows))

    def _chains(self, session: Session, request: SecDefOptParamsRequest) -> None:
        """One 75 for each class and exchange, then 76; an underlying without options brings 76 alone."""
        if request.underlying_con_id <= 0:
            session.error(request.req_id, 321, "Error validating request.-'bF' : cause - Invalid contract id")
            return
        universe = _universe(self._core)
        for chain in universe.chains_of("FOP" if request.underlying_sec_type == "FUT" else "OPT"):
            if _is_under(chain, request):
                for exchange in chain.exchanges:
                    if request.fut_fop_exchange in ("", exchange):
                        session.send(_parameters(request.req_id, chain, exchange, universe))
        session.send(SecDefOptParameterEnd(request.req_id))


def _is_under(chain: Chain, request: SecDefOptParamsRequest) -> bool:
    under = chain.under
    return (under.con_id, under.symbol, under.sec_type) == (
        request.underlying_con_id,
        request.underlying_symbol.strip().upper(),
        request.underlying_sec_type.strip().upper(),
    )


def _parameters(req_id: int, chain: Chain, exchange: str, universe: Universe) -> SecDefOptParameter:
    return SecDefOptParameter(
        req_id,
        exchange,
        chain.under.con_id,
        chain.trading_class,
        chain.multiplier,
        tuple(f"{day:%Y%m%d}" for day in chain.dates(universe.today)),
        tuple(chain.strikes()),
    )


def _issuer(bond: Security) -> ContractDescription:
    """Who issued bonds, by whose id they can be asked for."""
    return ContractDescription(
        contract=WireContract(
            symbol=bond.symbol, sec_type="BOND", description=bond.long_name, issuer_id=bond.issuer_id
        ),
        derivative_sec_types=("BOND",),
    )


def _sample(security: Security, optioned: bool) -> ContractDescription:
    """A row of message 79; what stands on a US stock is as recorded."""
    kinds: tuple[str, ...] = ()
    if security.sec_type == "STK" and security.currency == "USD" and "NYSE" in security.exchanges:
        kinds = ("CFD", "OPT", "IOPT", "WAR", "BAG")
    elif optioned:
        kinds = ("OPT", "FUT", "BAG") if security.sec_type == "IND" else ("OPT", "BAG")
    return ContractDescription(
        contract=WireContract(
            con_id=security.con_id,
            symbol=security.symbol,
            sec_type=security.sec_type,
            currency=security.currency,
            primary_exch=security.primary_exchange or security.exchange,
            description=security.long_name,
        ),
        derivative_sec_types=kinds,
    )
