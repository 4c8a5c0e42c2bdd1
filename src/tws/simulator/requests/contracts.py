"""Contracts: what fits a description (9), a pattern (81), the price steps of a rule (91), option chains
(78: none).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tws.simulator import words
from tws.simulator.session import Session
from tws.simulator.universe import CENT_RULE, Security
from tws.wire.messages import (
    ContractDataEnd,
    ContractDataRequest,
    ContractDescription,
    MarketRule,
    MarketRuleRequest,
    MatchingSymbolsRequest,
    PriceIncrement,
    SecDefOptParameterEnd,
    SecDefOptParamsRequest,
    SymbolSamples,
    WireContract,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Contracts", "resolve"]

NOT_FOUND = "No security definition has been found for the request"


def resolve(core: Core, session: Session, req_id: int, contract: WireContract) -> Security | None:
    """The one security that is meant; None after error 200 was said."""
    if not contract.con_id and not contract.symbol and not contract.local_symbol:
        session.error(
            req_id, 321, "Error validating request.-'bH' : cause - Please enter a local symbol or an expiry"
        )
        return None
    found = core.universe.find(
        con_id=contract.con_id,
        symbol=contract.symbol,
        sec_type=contract.sec_type,
        exchange=contract.exchange,
        primary=contract.primary_exch,
        currency=contract.currency,
        local_symbol=contract.local_symbol,
    )
    if not found:
        session.error(req_id, 200, NOT_FOUND)
        return None
    if not contract.con_id and not (contract.exchange or contract.primary_exch):
        # without an exchange a symbol may mean several listings; orders and data want one (200, ambiguity)
        session.error(req_id, 200, f"The contract description specified for {contract.symbol} is ambiguous.")
        return None
    return found[0]


class Contracts:
    """Questions about contracts."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {
            ContractDataRequest: self._details,
            MatchingSymbolsRequest: self._matching,
            MarketRuleRequest: self._rule,
            SecDefOptParamsRequest: lambda session, request: session.send(
                SecDefOptParameterEnd(request.req_id)
            ),
        }

    def _details(self, session: Session, request: ContractDataRequest) -> None:
        asked = request.contract
        found = self._core.universe.find(
            con_id=asked.con_id,
            symbol=asked.symbol,
            sec_type=asked.sec_type,
            exchange=asked.exchange,
            primary=asked.primary_exch,
            currency=asked.currency,
            local_symbol=asked.local_symbol,
        )
        if not found:
            session.error(request.req_id, 200, NOT_FOUND)
            return
        now_ns, hours = self._core.now_ns(), self._core.options.hours
        for security in found:
            session.send(words.contract_data(request.req_id, security, now_ns, hours, asked.exchange))
        session.send(ContractDataEnd(request.req_id))

    def _matching(self, session: Session, request: MatchingSymbolsRequest) -> None:
        rows = tuple(
            ContractDescription(
                contract=WireContract(
                    con_id=s.con_id,
                    symbol=s.symbol,
                    sec_type="STK",
                    currency="USD",
                    primary_exch=s.primary_exchange,
                ),
                derivative_sec_types=("CFD", "OPT", "IOPT", "WAR", "BAG"),
            )
            for s in self._core.universe.matching(request.pattern)
        )
        self._core.limiter.matching(lambda: session.send(SymbolSamples(request.req_id, rows)))

    def _rule(self, session: Session, request: MarketRuleRequest) -> None:
        if request.market_rule_id != CENT_RULE:
            session.error(
                -1,
                321,
                f"Error validating request.-'ea' : cause - Invalid market rule id {request.market_rule_id}",
            )
            return
        session.send(MarketRule(request.market_rule_id, (PriceIncrement(low_edge=0.0, increment=0.01),)))
