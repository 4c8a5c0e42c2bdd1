"""Several accounts, models and their profit: what TWS answers about accounts under a request id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tws.connection.families.base import Asking, Handlers, hear_rows
from tws.connection.hearing.reading import money_of, position_of
from tws.connection.hearing.replies import Reply
from tws.connection.streaming.statestreams import LatestStream, SummaryStream
from tws.model.account import SUMMARY_TAGS, AccountSource, AccountValue, PnL, Position, PositionPnL
from tws.wire.messages import (
    AccountSummary,
    AccountSummaryEnd,
    AccountUpdateMulti,
    AccountUpdateMultiEnd,
    PnLSingle,
    PositionMulti,
    PositionMultiEnd,
)
from tws.wire.messages import PnL as WirePnL

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["PnLStream", "PositionPnLStream", "SummaryQuestions", "hear"]


class PnLStream(LatestStream[PnL]):
    """Profit and loss of an account or model, about once a second; `last` is the newest."""

    account, model = "", ""

    @property
    def owed(self) -> bool:
        return self.last is None


class PositionPnLStream(LatestStream[PositionPnL]):
    """Profit and loss of one position, about once a second; `last` is the newest."""

    account, model, con_id = "", "", 0


class SummaryQuestions(Asking):
    """Questions about accounts and models, each under an id of its own."""

    def request_account_summary(
        self, tags: Iterable[str] = SUMMARY_TAGS, *, group: str = "All", currency: str = ""
    ) -> Reply[list[AccountValue]]:
        """Values of all accounts of a group ("All", or an adviser's), once.

        tags      which; all unless told
        currency  also the cash ledger: "USD" that one's, "BASE" the sum in base currency, "ALL" every one

        Two summaries may be open at a time, streams included: NotSentError for a third.
        """
        official, wish = self._engine.official, _tags(tags, currency)
        return self._request(
            "account summary",
            list,
            lambda number: official.reqAccountSummary(number, group, wish),
            lambda number: official.cancelAccountSummary(number),
            lasting=True,
        )

    def stream_account_summary(
        self, tags: Iterable[str] = SUMMARY_TAGS, *, group: str = "All", currency: str = ""
    ) -> SummaryStream:
        """The same from now on: TWS tells every three minutes what has changed (TWS-BEHAVIOUR.md D)."""
        official, wish = self._engine.official, _tags(tags, currency)
        stream = SummaryStream(self._engine.lanes.isolate)
        self._subscribe(
            stream,
            lambda number: official.reqAccountSummary(number, group, wish),
            lambda number: official.cancelAccountSummary(number),
        )
        return stream

    def request_positions_of(self, account: str = "", model: str = "") -> Reply[list[Position]]:
        """The positions of one account ("" all) or of one model, once. RequestError for an unknown one."""
        official = self._engine.official
        return self._request(
            "positions",
            list,
            lambda number: official.reqPositionsMulti(number, account, model),
            lambda number: official.cancelPositionsMulti(number),
            lasting=True,
        )

    def request_account_values_of(
        self, account: str = "", model: str = "", *, ledger_only: bool = False
    ) -> Reply[list[AccountValue]]:
        """The values of one account or model, once; any number at a time. RequestError for an unknown one.

        `ledger_only`: the cash ledger and the net liquidation value alone.
        """
        official = self._engine.official
        return self._request(
            "account values",
            list,
            lambda number: official.reqAccountUpdatesMulti(number, account, model, ledger_only),
            lambda number: official.cancelAccountUpdatesMulti(number),
            lasting=True,
        )

    def stream_pnl(self, account: str = "", model: str = "") -> PnLStream:
        """Profit and loss of an account ("" the configured or first one) or of a model in it.

        In base currency. RequestError ends it for an account that TWS does not know.
        """
        stream = PnLStream(self._engine.lanes.isolate)
        stream.account, stream.model = account, model

        def send(number: int) -> None:
            stream.account = self._account_or_first(account)
            self._engine.official.reqPnL(number, stream.account, model)

        self._subscribe(
            stream,
            send,
            lambda number: self._engine.official.cancelPnL(number),
        )
        return stream

    def stream_pnl_of(self, account: str, con_id: int, model: str = "") -> PositionPnLStream:
        """Profit and loss of one position, in the contract's currency.

        TWS says nothing at all about a contract that is not held (TWS-BEHAVIOUR.md D): `last` stays None.
        """
        stream = PositionPnLStream(self._engine.lanes.isolate)
        stream.account, stream.model, stream.con_id = account, model, con_id

        def send(number: int) -> None:
            stream.account = self._account_or_first(account)
            self._engine.official.reqPnLSingle(number, stream.account, model, con_id)

        self._subscribe(
            stream,
            send,
            lambda number: self._engine.official.cancelPnLSingle(number),
        )
        return stream


def _tags(tags: Iterable[str], currency: str) -> str:
    """As TWS wants them; `$LEDGER` alone is the base currency's."""
    wish = list(tags)
    if currency:
        wish.append("$LEDGER" if currency == "BASE" else f"$LEDGER:{currency}")
    return ",".join(wish)


def hear(answers: Answers) -> Handlers:
    """Answers 63, 64, 71 to 74, 94 and 95."""
    requests, streams, stamp = answers.requests, answers.subscriptions.streams, answers.stamp

    def summary(message: AccountSummary) -> None:
        value = AccountValue(
            account=message.account,
            key=message.tag,
            value=message.value,
            currency=message.currency,
            time_ns=stamp.now_ns,
            source=AccountSource.SUMMARY,
        )
        stream = streams.get(message.req_id)
        if isinstance(stream, SummaryStream):
            stream.put(value, stamp.now_ns)
        else:
            requests.row(message.req_id, value)

    def summary_end(message: AccountSummaryEnd) -> None:
        stream = streams.get(message.req_id)
        if isinstance(stream, SummaryStream):
            stream.completed(stamp.now_ns)
        else:
            requests.end(message.req_id)

    def position(message: PositionMulti) -> None:
        requests.row(message.req_id, position_of(message, stamp.now_ns))

    def value(message: AccountUpdateMulti) -> None:
        row = AccountValue(
            account=message.account,
            key=message.key,
            value=message.value,
            currency=message.currency,
            model=message.model_code,
            time_ns=stamp.now_ns,
            source=AccountSource.MULTI,
        )
        requests.row(message.req_id, row)

    def pnl(message: WirePnL) -> None:
        stream = streams.get(message.req_id)
        if isinstance(stream, PnLStream):
            stream.put(_pnl_of(message, stream, stamp.now_ns), stamp.now_ns)

    def pnl_of_position(message: PnLSingle) -> None:
        stream = streams.get(message.req_id)
        if isinstance(stream, PositionPnLStream):
            stream.put(_position_pnl_of(message, stream, stamp.now_ns), stamp.now_ns)

    return {
        AccountSummary: summary,
        AccountSummaryEnd: summary_end,
        PositionMulti: position,
        AccountUpdateMulti: value,
        WirePnL: pnl,
        PnLSingle: pnl_of_position,
        **hear_rows(answers, ends=(PositionMultiEnd, AccountUpdateMultiEnd)),
    }


def _pnl_of(message: WirePnL, stream: PnLStream, now_ns: int) -> PnL:
    return PnL(
        account=stream.account,
        model=stream.model,
        daily=money_of(message.daily_pnl),
        unrealized=money_of(message.unrealized_pnl),
        realized=money_of(message.realized_pnl),
        time_ns=now_ns,
        source=AccountSource.PNL,
    )


def _position_pnl_of(message: PnLSingle, stream: PositionPnLStream, now_ns: int) -> PositionPnL:
    return PositionPnL(
        account=stream.account,
        model=stream.model,
        con_id=stream.con_id,
        quantity=message.position,
        daily=money_of(message.daily_pnl),
        unrealized=money_of(message.unrealized_pnl),
        realized=money_of(message.realized_pnl),
        value=money_of(message.value),
        time_ns=now_ns,
        source=AccountSource.PNL,
    )
