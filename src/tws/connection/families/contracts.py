"""Contracts: what TWS knows about those that fit a description."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tws.connection.families.base import Asking, Handlers, hear_rows
from tws.connection.reading import contract_details_of
from tws.connection.replies import Reply
from tws.errors import AmbiguousContractError, NoContractError
from tws.model.contract import Contract, ContractDetails
from tws.wire.messages import BondContractData, ContractData, ContractDataEnd

if TYPE_CHECKING:
    from tws.connection.answers import Answers

__all__ = ["ContractQuestions", "hear"]


class ContractQuestions(Asking):
    """Questions about contracts; what was told is kept for `details_of`."""

    _details: dict[int, ContractDetails]

    def request_contract_details(self, contract: Contract) -> Reply[list[ContractDetails]]:
        """Every contract that fits the description. NoContractError when none does."""
        return self._request(
            "contract details",
            self._learn,
            lambda number: self._engine.official.reqContractDetails(number, self._ib(contract)),
        )

    def request_contract(self, contract: Contract) -> Reply[ContractDetails]:
        """The one contract that fits. NoContractError, or AmbiguousContractError when several do."""

        def finish(rows: list[ContractData]) -> ContractDetails:
            found = self._learn(rows)
            if not found:
                raise NoContractError(200, f"nothing fits {contract.symbol or contract.con_id}")
            if len(found) > 1:
                places = ", ".join(
                    f"{row.contract.con_id} on {row.contract.primary_exchange}" for row in found[:5]
                )
                raise AmbiguousContractError(200, f"{len(found)} contracts fit: {places}")
            return found[0]

        return self._request(
            "contract",
            finish,
            lambda number: self._engine.official.reqContractDetails(number, self._ib(contract)),
        )

    def details_of(self, contract: Contract) -> ContractDetails | None:
        """What a request for details has told of this contract, None when nobody asked."""
        return self._details.get(contract.con_id) if contract.con_id else None

    def _learn(self, rows: list[ContractData]) -> list[ContractDetails]:
        found = [contract_details_of(row) for row in rows]
        self._details.update((details.contract.con_id, details) for details in found)
        return found


def hear(answers: Answers) -> Handlers:
    """Answers 10, 18 and 52."""
    return hear_rows(answers, rows=(ContractData, BondContractData), ends=(ContractDataEnd,))
