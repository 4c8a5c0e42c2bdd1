"""What is looked up beside contracts: exchanges with depth, those behind SMART, families, soft dollars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tws.connection.families.base import Asking, Handlers, first, hear_rows
from tws.connection.hearing.replies import Reply
from tws.model.reference import DepthExchange, FamilyCode, SmartComponent, SoftDollarTier
from tws.wire.messages import FamilyCodes, MarketDepthExchanges, SmartComponents, SoftDollarTiers

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["ReferenceQuestions", "hear"]

DEPTH_EXCHANGES, FAMILIES = "depth exchanges", "family codes"


class ReferenceQuestions(Asking):
    """Questions about lists that TWS keeps."""

    def request_depth_exchanges(self) -> Reply[list[DepthExchange]]:
        """Every exchange with market depth, and for which types of securities."""
        return self._question(
            DEPTH_EXCHANGES, "depth exchanges", first, self._engine.official.reqMktDepthExchanges
        )

    def request_smart_components(self, bbo_exchange: str) -> Reply[list[SmartComponent]]:
        """The exchanges behind one key, which a stream of quotes has as `bbo_exchange` ("9c0001").

        Raises ValueError for an empty key.
        """
        if not bbo_exchange:
            raise ValueError('bbo_exchange is empty: take it from a stream of quotes, such as "9c0001"')
        return self._request(
            "smart components",
            lambda rows: [
                SmartComponent(bit=one.bit_number, exchange=one.exchange, letter=one.exchange_letter)
                for one in first(rows).smart_components
            ],
            lambda number: self._engine.official.reqSmartComponents(number, bbo_exchange),
        )

    def request_family_codes(self) -> Reply[list[FamilyCode]]:
        """Which family each account of the login belongs to; "" for none."""
        return self._question(FAMILIES, "family codes", first, self._engine.official.reqFamilyCodes)

    def request_soft_dollar_tiers(self) -> Reply[list[SoftDollarTier]]:
        """The soft-dollar tiers of the login; [] when it has none."""
        return self._request(
            "soft dollar tiers",
            lambda rows: [
                SoftDollarTier(name=one.name, value=one.value, display_name=one.display_name)
                for one in first(rows).soft_dollar_tiers
            ],
            lambda number: self._engine.official.reqSoftDollarTiers(number),
        )


def hear(answers: Answers) -> Handlers:
    """Answers 77, 78, 80 and 82."""
    questions = answers.questions

    def exchanges(message: MarketDepthExchanges) -> None:
        rows = [
            DepthExchange(
                exchange=one.exchange,
                sec_type=one.sec_type,
                listing_exchange=one.listing_exch,
                service=one.service_data_type,
                group=one.agg_group,
            )
            for one in message.depth_market_data_descriptions
        ]
        questions.row(DEPTH_EXCHANGES, rows)
        questions.end(DEPTH_EXCHANGES)

    def families(message: FamilyCodes) -> None:
        rows = [FamilyCode(account=one.account_id, family=one.family_code) for one in message.family_codes]
        questions.row(FAMILIES, rows)
        questions.end(FAMILIES)

    return {
        MarketDepthExchanges: exchanges,
        FamilyCodes: families,
        **hear_rows(answers, alone=(SmartComponents, SoftDollarTiers)),
    }
