"""What an order would cost, and what else is asked about orders without placing one.

A what-if is a placeOrder that says that it is a question. It goes through `Outbound`, past the live lock and
the brake, and is counted nowhere: TWS answers it with openOrder, once its figures are filled in, and sends no
status. Its answer is no fact, since no order lives.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tws.connection.families.base import Asking, first
from tws.connection.hearing.reading import money_of
from tws.connection.hearing.replies import Reply
from tws.connection.ordering.calls import SendState
from tws.connection.ordering.fit import AnyOrder
from tws.errors import NotSentError, RequestError, TWSError
from tws.model.contract import Contract
from tws.model.fullorder import FullOrder
from tws.model.whatif import Margin, WhatIf
from tws.wire.messages import OpenOrder, WireOrderState

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers
    from tws.connection.ordering.sending import Sending

__all__ = ["WhatIfQuestions", "take_what_if"]

_BIND_REFUSED = (
    327,
    "Only API connections with clientId set to 0 can set the auto bind TWS orders property.",
)
"""TWS's own words (TWS-BEHAVIOUR.md A4); said here, since TWS would answer under no id."""


class WhatIfQuestions(Asking):
    """Questions in the neighbourhood of orders."""

    def request_what_if(self, contract: Contract, order: AnyOrder) -> Reply[WhatIf]:
        """Margin and fees of this order, which is not placed. It takes an order id, as TWS wants one.

        TWS asks for no more than one a minute (TWS-BEHAVIOUR.md B). OrderDeniedError when the live lock or
        the brake keeps it back, RequestError (201 and others) when TWS would not take the order,
        BadOrderError when it is known here that TWS would not.
        """
        self._must_be_ready()
        engine = self._engine
        number = engine.order_ids.take()
        assert number is not None  # a ready session has one
        asked = replace(order, transmit=True)  # 413 without (C2)
        if isinstance(asked, FullOrder):
            from tws.ordertypes import checked

            checked(asked, contract)

        def send() -> None:
            self._until_written(number, engine.outbound.what_if(number, contract, asked))

        requests = engine.answers.requests
        return requests.ask(number, "what-if", lambda rows: _what_if_of(first(rows)), send)

    def _until_written(self, number: int, sending: Sending) -> None:
        """A frame that has not left yet may be refused later, and then its request is. One that nobody waits
        for any more does not leave.
        """
        if sending.state is SendState.QUEUED:
            self._engine.answers.requests.unless(number, lambda: self._engine.outbound.withdraw(sending))
            self._task(self._until_sent(sending, number))

    async def _until_sent(self, sending: Sending, number: int) -> None:
        requests = self._engine.answers.requests
        try:
            await sending
        except TWSError as error:
            requests.fail(number, error)
        else:
            if sending.state is SendState.WITHDRAWN:
                requests.fail(number, NotSentError(512, "it was withdrawn before any byte left"))

    def bind_manual_orders(self, on: bool = True) -> None:
        """Client 0 alone: take over the orders placed by hand in TWS from now on (`on` False: no more).

        They come as open orders with (by default negative) ids of ours, which can be changed and cancelled.
        RequestError (327) for any other client id; orders that exist are taken over by
        `request_open_orders` of client 0.
        """
        self._must_be_ready()
        if self._engine.client_id != 0:
            raise RequestError(*_BIND_REFUSED)
        self._engine.official.reqAutoOpenOrders(on)


def take_what_if(answers: Answers, message: OpenOrder) -> bool:
    """Whether an openOrder is the answer to a what-if, which is then taken; while its figures are not filled
    in, the next one is waited for (C2).
    """
    number = message.order_id
    if not message.order.what_if:
        return False
    if _is_filled(message.order_state) and answers.requests.row(number, message.order_state):
        answers.requests.end(number)
    return True


def _is_filled(state: WireOrderState) -> bool:
    figures = (
        state.init_margin_after,
        state.init_margin_change,
        state.commission_and_fees,
        state.max_commission_and_fees,
    )
    return any(figure is not None for figure in figures) or bool(state.reject_reason)


def _what_if_of(state: WireOrderState) -> WhatIf:
    inside = _margins(state, "")
    outside = _margins(state, "_outside_rth")
    return WhatIf(
        initial=inside[0],
        maintenance=inside[1],
        equity=inside[2],
        commission=money_of(state.commission_and_fees),
        least_commission=money_of(state.min_commission_and_fees),
        most_commission=money_of(state.max_commission_and_fees),
        currency=state.commission_and_fees_currency,
        margin_currency=state.margin_currency,
        outside_hours=None if outside == (Margin(), Margin(), Margin()) else outside,
        suggested_quantity=state.suggested_size,
        warning=state.warning_text,
        reject_reason=state.reject_reason,
    )


def _margins(state: WireOrderState, suffix: str) -> tuple[Margin, Margin, Margin]:
    def money(figure: str, when: str) -> Decimal | None:
        return money_of(getattr(state, f"{figure}_{when}{suffix}"))

    def margin(figure: str) -> Margin:
        return Margin(
            before=money(figure, "before"), change=money(figure, "change"), after=money(figure, "after")
        )

    return margin("init_margin"), margin("maint_margin"), margin("equity_with_loan")
