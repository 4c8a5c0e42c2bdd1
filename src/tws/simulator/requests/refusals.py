"""The answer to everything that this TWS has no subscription for: what a TWS without it says.

A table from the class of a request to code and text (TWS-BEHAVIOUR.md A8; where none is known, 321 with the
reason, assumed). A request that the codec does not know at all is refused with the id that its first
fields hold, if they hold one.
"""

from __future__ import annotations

from typing import NamedTuple

from tws.log import get_logger
from tws.simulator.session import Session
from tws.wire import messages as m
from tws.wire.codec import Unknown

__all__ = ["ANSWERED_BY_SILENCE", "REFUSED_BY_CLASS", "refuse"]

log = get_logger("tws.simulator")


class Refusal(NamedTuple):
    """Message 4."""

    code: int
    text: str


_HEAD = "Error validating request.-'bX' : cause - "
_NO_NEWS = Refusal(10276, "News feed is not allowed.")
_REFUSED: dict[type, Refusal] = {
    m.NewsArticleRequest: _NO_NEWS,
    m.HistoricalNewsRequest: _NO_NEWS,
    m.WshMetaDataRequest: _NO_NEWS,
    m.WshEventDataRequest: _NO_NEWS,
    m.FundamentalsDataRequest: Refusal(
        430, "We are sorry, but fundamentals data for the security specified is not available."
    ),
    m.ScannerSubscriptionRequest: Refusal(
        162, "Historical Market Data Service error message:No market data permissions for the scanner"
    ),
    m.ScannerParametersRequest: Refusal(321, _HEAD + "Scanner parameters are not available"),
}
ANSWERED_BY_SILENCE = frozenset((
    m.NewsBulletinsRequest,  # a subscription: there is an answer only when there is a bulletin
    m.CancelNewsBulletins, m.CancelScannerSubscription, m.CancelFundamentalsData,
    m.CancelWshMetaData, m.CancelWshEventData,
))  # fmt: skip
"""To these a TWS says nothing either."""
REFUSED_BY_CLASS = frozenset({*_REFUSED, *ANSWERED_BY_SILENCE, m.NewsProvidersRequest})
"""Every class that is answered here knowingly, not for want of a handler."""


def refuse(session: Session, request: object) -> None:
    """Say no in TWS's words."""
    kind = type(request)
    if kind in ANSWERED_BY_SILENCE:
        return
    if kind is m.NewsProvidersRequest:
        session.send(m.NewsProviders())  # a list, and it is empty
        return
    name = str(request.message_id) if isinstance(request, Unknown) else kind.__name__
    known = _REFUSED.get(kind, Refusal(321, f"{_HEAD}Request {name} is not served by the simulated TWS"))
    session.error(_request_id(request), known.code, known.text)
    log.info("request refused", client_id=session.client_id, request=name)


def _request_id(request: object) -> int:
    """The id that the refusal names: -1 where a request has none."""
    if not isinstance(request, Unknown):
        return int(getattr(request, "req_id", getattr(request, "order_id", -1)))
    first = request.fields[0] if request.fields else b""
    if first[:1] == b"\x08":  # protobuf: field 1, a whole number
        return _varint(first[1:11])
    return int(first) if first.lstrip(b"-").isdigit() and len(first) < 11 else -1


def _varint(data: bytes) -> int:
    value = 0
    for place, byte in enumerate(data):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value if value < 2**31 else -1
    return -1
