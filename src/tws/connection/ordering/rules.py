"""Market rules as TWS names and answers them: which rule a contract has at an exchange, and what it says.

    rules = Rules()
    rules.wanted(details, "SMART")            # 26: ask for it (request 91); None: nothing to ask
    rules.learn(26, rows)                     # its answer (93)
    rules.instrument(contract, details)       # the contract with its grid, as far as it is known

`marketRuleIds` has one id for each of `validExchanges`, by position (TWS-BEHAVIOUR.md E; official, H).
Lists of different lengths name nothing. While a rule is not known, minTick is the grid: the smallest step
at any exchange and price, so that at worst the broker refuses what we let through (110). No I/O: whoever
has the connection asks.
"""

from __future__ import annotations

from collections.abc import Iterable

from tws.model.contract import Contract, ContractDetails
from tws.model.instrument import Instrument, Number, decimal, market_rule
from tws.model.marketrule import MarketRule

__all__ = ["Rules", "instrument_of", "rule_id_of"]

_FINEST = decimal("0.00000001")  # TWS has no finer step of price or size
_MOST_RULES = 10_000  # the ids that public code shows have four digits at most


def rule_id_of(details: ContractDetails, exchange: str) -> int | None:
    """The id of the contract's rule at this exchange; None when the details do not say."""
    exchanges = [name.strip() for name in details.valid_exchanges.split(",")]
    ids = [number.strip() for number in details.market_rule_ids.split(",")]
    if len(ids) != len(exchanges) or exchange not in exchanges:
        return None
    found = ids[exchanges.index(exchange)]
    return int(found) if found.isascii() and found.isdigit() else None


class Rules:
    """The rules that TWS has answered, by id. Asked about once each: a rule does not change in a session."""

    def __init__(self) -> None:
        self._known: dict[int, MarketRule | None] = {}

    def learn(self, rule_id: int, rows: Iterable[tuple[Number, Number]]) -> MarketRule:
        """Keep answer 93: (low edge, increment) of each band.

        Raises ValueError for a table that is none; it counts as answered, and minTick serves.
        """
        if rule_id not in self._known and len(self._known) >= _MOST_RULES:
            del self._known[next(iter(self._known))]
        self._known[rule_id] = None
        rule = self._known[rule_id] = market_rule(rule_id, rows)
        return rule

    def get(self, rule_id: int) -> MarketRule | None:
        """The rule of this id, if it was answered and is one."""
        return self._known.get(rule_id)

    def wanted(self, details: ContractDetails, exchange: str = "") -> int | None:
        """The id of the rule at `exchange` (the contract's own when empty), when it was not answered yet."""
        rule_id = rule_id_of(details, exchange or details.contract.exchange)
        return None if rule_id in self._known else rule_id

    def rule_of(self, details: ContractDetails, exchange: str = "") -> MarketRule | None:
        """The rule of the contract at `exchange` (its own when empty), as far as it is known."""
        rule_id = rule_id_of(details, exchange or details.contract.exchange)
        return None if rule_id is None else self.get(rule_id)

    def instrument(self, contract: Contract, details: ContractDetails | None) -> Instrument:
        """The contract with its grid: its rule's at its exchange, minTick, or the finest that TWS has."""
        rule = None if details is None else self.rule_of(details, contract.exchange)
        return instrument_of(contract, details, rule)


def instrument_of(
    contract: Contract, details: ContractDetails | None, rule: MarketRule | None = None
) -> Instrument:
    """The contract with its grid. Unknown steps are as fine as TWS has any, so that the broker judges
    instead of us.
    """
    tick = lot = _FINEST
    if details is not None:
        if details.min_tick > 0:
            tick = decimal(details.min_tick)
        if details.size_increment:
            lot = decimal(details.size_increment)
    return Instrument(contract=contract, tick=tick if rule is None else rule.step, lot=lot, rule=rule)
