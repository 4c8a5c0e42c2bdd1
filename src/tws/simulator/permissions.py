"""Which market data this TWS subscribes to, and of what kind a stream therefore is.

`SimulatorOptions.unsubscribed` names symbols or security types, each with the code that their refusal
carries: "AAPL", "OPT", "SPY=10089". A client that asked for delayed data (reqMarketDataType 3 or 4) gets
it there, after 10167; who has the live data gets that whatever it asked for, except that 2 and 4 show the
last quote of a closed market instead of none (TWS-BEHAVIOUR.md A8, E; official documentation).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tws.simulator.hours import TEMPLATES, day_of, local_date
from tws.simulator.universe import Security

if TYPE_CHECKING:
    from tws.simulator.core import Core
    from tws.simulator.session import Session

__all__ = ["DELAYED", "DELAYED_FROZEN", "FROZEN", "LIVE", "PARTIAL", "is_closed", "is_refused", "stream_type"]

LIVE, FROZEN, DELAYED, DELAYED_FROZEN = 1, 2, 3, 4
PARTIAL = 0
"""10090 was said: only what needs no subscription flows."""

NOT_SUBSCRIBED = "Requested market data is not subscribed."
_TEXTS = {
    354: NOT_SUBSCRIBED,
    10089: "Requested market data requires additional subscription for API. "
    "See link in 'Market Data Connections' dialog for more details.",
    10090: "Part of requested market data is not subscribed. "
    "Subscription-independent ticks are still active.",
}


def refusal(core: Core, security: Security) -> int | None:
    """The code with which live data are refused; None where they are subscribed."""
    if not core.trades(security):
        return 354
    for entry in core.options.unsubscribed:
        name, _, code = entry.partition("=")
        if name in (security.symbol, security.sec_type):
            return int(code or 354)
    return None


def is_refused(core: Core, security: Security) -> bool:
    """Whether what knows no delay (depth, tick by tick, real-time bars) must be refused."""
    return refusal(core, security) is not None


def stream_type(core: Core, session: Session, req_id: int, security: Security, wanted: int) -> int | None:
    """What message 58 says of a new stream, or `PARTIAL`; None after the refusal was said."""
    code, closed = refusal(core, security), is_closed(core, security)
    if code is None:
        return FROZEN if closed and wanted in (FROZEN, DELAYED_FROZEN) else LIVE
    delayed = core.options.delayed_data and core.trades(security)
    if wanted in (DELAYED, DELAYED_FROZEN):
        if not delayed:
            session.error(req_id, 10168, f"{NOT_SUBSCRIBED} Delayed market data is not enabled.")
            return None
        session.error(req_id, 10167, f"{NOT_SUBSCRIBED} Displaying delayed market data.")
        return DELAYED_FROZEN if closed and wanted == DELAYED_FROZEN else DELAYED
    text = _TEXTS[code]
    if delayed:
        text += f"Delayed market data is available.{_details(security)}"
    session.error(req_id, code, text)
    return PARTIAL if code == 10090 else None


def is_closed(core: Core, security: Security) -> bool:
    """Whether its market is closed, extended hours included."""
    if core.options.hours == "always":
        return False
    now_ns = core.now_ns()
    today = local_date(now_ns, TEMPLATES[security.hours].zone)
    for day in (today, today + timedelta(days=1)):  # a Globex day begins on the evening before
        known = day_of(day, "exchange", security.hours)
        if known is not None and known.pre_ns <= now_ns < known.post_ns:
            return False
    return True


def _details(security: Security) -> str:
    """What a refusal ends with, such as `AAPL NASDAQ.NMS/TOP/ALL` (reported)."""
    place = security.primary_exchange or security.exchange
    group = ".NMS" if place == "NASDAQ" else ""
    return f"{security.symbol} {place}{group}/TOP/ALL"
