"""The answer to everything that this TWS can't serve: the error that a TWS without that subscription
gives.

A request that the codec knows carries its id in `req_id`; of one that it does not know, a table says
which field holds the id. Codes and texts: TWS-BEHAVIOUR.md A8; where none is known, 321 with the reason
(assumed).
"""

from __future__ import annotations

from typing import NamedTuple

from tws.log import get_logger
from tws.simulator.session import Session
from tws.wire.codec import Unknown

__all__ = ["refuse"]

log = get_logger("tws.simulator")


class Refusal(NamedTuple):
    """`field` is the place of the request id behind the message id, -1 where there is none."""

    field: int
    code: int
    text: str


_NO_NEWS = "No news subscription is available for this user."
_FA = "Error validating request.-'cb' : cause - Account is not an FA account"
_UNKNOWN: dict[int, Refusal | None] = {
    10: Refusal(1, 354, "Requested market data is not subscribed."),
    11: Refusal(1, 310, "Can't find the subscribed market depth with tickerId"),
    12: None,
    13: None,  # news bulletins: there are none, and TWS says nothing
    18: Refusal(-1, 321, _FA),
    19: Refusal(-1, 321, _FA),
    21: Refusal(1, 321, "Error validating request.-'bW' : cause - No options can be exercised here"),
    22: Refusal(0, 162, "Historical Market Data Service error message:No scanner subscription"),
    23: None,
    24: Refusal(-1, 321, "Error validating request.-'bX' : cause - Scanner parameters are not available"),
    52: Refusal(1, 430, "We are sorry, but fundamentals data for the security specified is not available."),
    53: None,
    54: Refusal(1, 200, "No security definition has been found for the request"),
    55: Refusal(1, 200, "No security definition has been found for the request"),
    56: None,
    57: None,
    67: Refusal(1, 321, "Error validating request.-'bX' : cause - Display groups are not available"),
    68: Refusal(1, 321, "Error validating request.-'bX' : cause - Display groups are not available"),
    69: None,
    70: None,
    79: Refusal(0, 321, "Error validating request.-'bX' : cause - Soft dollar tiers are not available"),
    80: Refusal(-1, 321, "Error validating request.-'bX' : cause - Family codes are not available"),
    82: Refusal(-1, 321, "Error validating request.-'bX' : cause - Market depth is not available"),
    83: Refusal(0, 321, "Error validating request.-'bX' : cause - Smart components are not available"),
    84: Refusal(0, 321, "Error validating request.-'bX' : cause - " + _NO_NEWS),
    85: Refusal(-1, 321, "Error validating request.-'bX' : cause - " + _NO_NEWS),
    86: Refusal(0, 321, "Error validating request.-'bX' : cause - " + _NO_NEWS),
    88: Refusal(0, 162, "Historical Market Data Service error message:No histogram data"),
    89: None,
    100: Refusal(0, 10276, "News feed is not allowed."),
    101: None,
    102: Refusal(0, 10276, "News feed is not allowed."),
    103: None,
}
_KNOWN: dict[str, Refusal] = {
    "MarketDepthRequest": Refusal(0, 354, "Requested market data is not subscribed."),
    "CancelMarketDepth": Refusal(0, 310, "Can't find the subscribed market depth with tickerId"),
}


def refuse(session: Session, request: object) -> None:
    """Say no in TWS's words."""
    if isinstance(request, Unknown):
        refusal = _UNKNOWN.get(request.message_id, Refusal(0, 321, _unserved(str(request.message_id))))
        if refusal is not None:
            session.error(_request_id(request, refusal.field), refusal.code, refusal.text)
        log.info("request refused", client_id=session.client_id, message_id=request.message_id)
        return
    name = type(request).__name__
    known = _KNOWN.get(name, Refusal(0, 321, _unserved(name)))
    session.error(getattr(request, "req_id", -1), known.code, known.text)
    log.info("request refused", client_id=session.client_id, request=name)


def _unserved(what: str) -> str:
    return f"Error validating request.-'bX' : cause - Request {what} is not served by the simulated TWS"


def _request_id(request: Unknown, field: int) -> int:
    if field < 0 or field >= len(request.fields):
        return -1
    text = request.fields[field]
    return int(text) if text.lstrip(b"-").isdigit() and len(text) < 11 else -1
