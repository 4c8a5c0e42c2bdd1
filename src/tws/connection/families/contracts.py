"""Contracts: what TWS knows about those that fit a description, or a pattern, and which prices they take."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tws.connection.families.base import Asking, Handlers, first, hear_rows
from tws.connection.hearing.details import contract_details_of
from tws.connection.hearing.reading import contract_of
from tws.connection.hearing.replies import Reply
from tws.connection.ordering.rules import Rules
from tws.errors import AmbiguousContractError, NoContractError, RequestError
from tws.model.contract import Contract, ContractDetails
from tws.model.instrument import Instrument
from tws.model.marketrule import MarketRule
from tws.model.reference import SymbolMatch
from tws.wire.messages import BondContractData, ContractData, ContractDataEnd, SymbolSamples
from tws.wire.messages import MarketRule as WireMarketRule

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["ContractQuestions", "hear"]

_NAMED = 5  # contracts that the error about too many names


class ContractQuestions(Asking):
    """Questions about contracts; what was told is kept for `details_of`."""

    _details: dict[int, ContractDetails]
    _rules: Rules

    def request_contract_details(self, contract: Contract) -> Reply[list[ContractDetails]]:
        """Every contract that fits the description. NoContractError when none does."""
        return self._request(
            "contract details",
            self._learn,
            lambda number: self._engine.official.reqContractDetails(number, self._ib(contract)),
            self._cancel_details,
        )

    def request_contract(self, contract: Contract) -> Reply[ContractDetails]:
        """The one contract that fits. NoContractError, or AmbiguousContractError when several do."""

        def finish(rows: list[ContractData]) -> ContractDetails:
            found = self._learn(rows)
            if not found:
                raise NoContractError(200, f"nothing fits {contract.symbol or contract.con_id}")
            if len(found) > 1:
                places = ", ".join(
                    f"{row.contract.con_id} on {row.contract.primary_exchange}" for row in found[:_NAMED]
                )
                raise AmbiguousContractError(200, f"{len(found)} contracts fit: {places}")
            return found[0]

        return self._request(
            "contract",
            finish,
            lambda number: self._engine.official.reqContractDetails(number, self._ib(contract)),
            self._cancel_details,
        )

    def request_matching_symbols(self, pattern: str) -> Reply[list[SymbolMatch]]:
        """Contracts whose symbol begins with the pattern or whose name holds it, at most 16; [] for none.

        TWS wants a second between two of these (TWS-BEHAVIOUR.md B). Raises ValueError for an empty pattern.
        """
        if not pattern.strip():
            raise ValueError("the pattern is empty: give the beginning of a symbol or part of a name")
        return self._request(
            "matching symbols",
            lambda rows: [
                SymbolMatch(
                    contract=contract_of(row.contract),
                    derivative_types=row.derivative_sec_types,
                    description=row.contract.description,
                )
                for row in first(rows).contract_descriptions
            ],
            lambda number: self._engine.official.reqMatchingSymbols(number, pattern),
        )

    def request_market_rule(self, rule_id: int) -> Reply[MarketRule]:
        """Which prices a rule allows (answer 93); `ContractDetails.market_rule_ids` has the ids, one for each
        of `valid_exchanges`. RequestError (321) for an id that TWS does not know.
        """
        return self._question(
            _rule(rule_id),
            f"market rule {rule_id}",
            lambda rows: self._market_rule_of(first(rows)),
            lambda: self._engine.official.reqMarketRule(rule_id),
        )

    def request_instrument(self, contract: Contract) -> Reply[Instrument]:
        """The one contract that fits, with its grid: the market rule at its exchange is asked for when it is
        not known. `place_order` holds orders to it from then on. Errors as of `request_contract`.
        """
        self._must_be_ready()
        return self._task(self._instrument(contract))

    async def _instrument(self, contract: Contract) -> Instrument:
        details = await self.request_contract(contract)
        found = details.contract
        wanted = self._rules.wanted(details, contract.exchange or found.exchange)
        if wanted is not None:
            await self.request_market_rule(wanted)
        return self._rules.instrument(found, details)

    def instrument_of(self, contract: Contract) -> Instrument:
        """The contract with its grid, as far as it was asked for; unknown steps are the finest that TWS has,
        so that the broker judges.
        """
        return self._rules.instrument(contract, self.details_of(contract))

    def details_of(self, contract: Contract) -> ContractDetails | None:
        """What a request for details has told of this contract, None when nobody asked."""
        return self._details.get(contract.con_id) if contract.con_id else None

    def _learn(self, rows: list[ContractData]) -> list[ContractDetails]:
        found = [contract_details_of(row) for row in rows]
        for details in found:
            if len(self._details) >= _MOST_DETAILS and details.contract.con_id not in self._details:
                del self._details[next(iter(self._details))]
            self._details[details.contract.con_id] = details
        return found

    def _market_rule_of(self, row: WireMarketRule) -> MarketRule:
        """Raises ValueError for a table that is none."""
        rows = [(one.low_edge, one.increment) for one in row.price_increments]
        return self._rules.learn(row.market_rule_id, rows)

    def _cancel_details(self, number: int) -> None:
        """From server version 215 on; before, TWS goes on and nobody listens."""
        if self._engine.server_version >= _CANCEL_SINCE:
            self._engine.official.cancelContractData(number)


_CANCEL_SINCE = 215
_MOST_DETAILS = 50_000
"""Kept: two chains of the largest index; about 2 kB each. The oldest go first, and may be asked for again."""
_RULE_ID = re.compile(r"-?\d+")


def _rule(rule_id: int) -> str:
    return f"market rule {rule_id}"


def hear(answers: Answers) -> Handlers:
    """Answers 10, 18, 52, 79 and 93; an error about a market rule, which names no request."""
    questions = answers.questions

    def rule(message: WireMarketRule) -> None:
        questions.row(_rule(message.market_rule_id), message)
        questions.end(_rule(message.market_rule_id))

    def refused(code: int, text: str) -> bool:
        said = text.lower()
        _, found, behind = said.partition("market rule")
        number = _RULE_ID.search(behind) if found else None
        return number is not None and questions.fail(_rule(int(number.group())), RequestError(code, text))

    answers.unaddressed.append(refused)
    return {
        WireMarketRule: rule,
        **hear_rows(
            answers, rows=(ContractData, BondContractData), ends=(ContractDataEnd,), alone=(SymbolSamples,)
        ),
    }
