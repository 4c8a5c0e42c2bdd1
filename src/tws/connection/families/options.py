"""What TWS reckons of options: greeks on a stream of quotes, and its arithmetic on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tws.connection.families.base import Asking, Handlers, first
from tws.connection.hearing.replies import Reply
from tws.model.contract import Contract
from tws.model.options import OptionGreeks
from tws.wire.messages import TickOptionComputation

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["OptionQuestions", "hear"]

_PLACES = {
    10: "bid", 11: "ask", 12: "last", 13: "model", 80: "bid", 81: "ask", 82: "last", 83: "model"
}  # fmt: skip
"""Tick types of answer 21, live and delayed (TWS-BEHAVIOUR.md E)."""


class OptionQuestions(Asking):
    """Arithmetic that TWS does for whoever asks. A result that can't be computed has None in its fields."""

    def request_implied_volatility(
        self, contract: Contract, *, option_price: float, under_price: float
    ) -> Reply[OptionGreeks]:
        """The volatility at which the option costs this much, with its greeks; prices in currency.

        RequestError for a contract that is no option.
        """
        official = self._engine.official
        return self._request(
            "implied volatility",
            first,
            lambda number: official.calculateImpliedVolatility(
                number, self._ib(contract), option_price, under_price, []
            ),
            lambda number: official.cancelCalculateImpliedVolatility(number),
        )

    def request_option_price(
        self, contract: Contract, *, volatility: float, under_price: float
    ) -> Reply[OptionGreeks]:
        """What the option costs at this volatility (0.25 is 25 % a year), with its greeks.

        RequestError for a contract that is no option.
        """
        official = self._engine.official
        return self._request(
            "option price",
            first,
            lambda number: official.calculateOptionPrice(
                number, self._ib(contract), volatility, under_price, []
            ),
            lambda number: official.cancelCalculateOptionPrice(number),
        )


def hear(answers: Answers) -> Handlers:
    """Answer 21."""
    quotes, requests, stamp = answers.quotes, answers.requests, answers.stamp

    def computation(message: TickOptionComputation) -> None:
        found = OptionGreeks(
            implied_volatility=message.implied_vol,
            delta=message.delta,
            gamma=message.gamma,
            vega=message.vega,
            theta=message.theta,
            price=message.opt_price,
            pv_dividend=message.pv_dividend,
            under_price=message.und_price,
            time_ns=stamp.now_ns,
        )
        stream = quotes.get(message.req_id)
        place = _PLACES.get(message.tick_type)
        if stream is not None and place is not None:
            setattr(stream.greeks, place, found)
            stream.changed(stamp.now_ns)
        elif requests.row(message.req_id, found):
            requests.end(message.req_id)

    return {TickOptionComputation: computation}
