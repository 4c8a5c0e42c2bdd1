"""Scanners (22, 23, answer 20) and their parameters (24, answer 19).

Rows are computed from the simulated market (`tws.simulator.content.scans`), at once and then every thirty
seconds of market time. Texts and codes: 162 when a scanner is cancelled, is unknown or is not permitted, 165
for how many were found (`no items retrieved` alone when there are none), 322 for an eleventh, 365, 492:
reported by several users and clients. 385 and the bounds: official documentation. What a filter says that
this simulator does not compute is refused rather than ignored (assumed).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.simulator.content.catalogue import scanner_parameters
from tws.simulator.content.company import Company
from tws.simulator.content.scans import (
    FILTERS,
    INSTRUMENTS,
    LOCATIONS,
    MOST_ROWS,
    SCANS,
    STOCK_TYPES,
    Candidate,
    Wanted,
    find,
    instrument_fits,
)
from tws.simulator.session import Session
from tws.simulator.universe import Security
from tws.wire.messages import (
    CancelScannerSubscription,
    ScannerData,
    ScannerDataElement,
    ScannerParameters,
    ScannerParametersRequest,
    ScannerSubscription,
    ScannerSubscriptionRequest,
    WireContract,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["EVERY_S", "Scanners"]

EVERY_S = 30
"""So often is a scan told anew (reported: about every thirty seconds)."""
ERROR, QUERY = (
    "Historical Market Data Service error message:",
    "Historical Market Data Service query message:",
)
PRECISE = "You must subscribe for additional permissions to obtain precise results for scanner."
_FIELDS = {
    "above_price": ("PRICE", 0, 1.0),
    "below_price": ("PRICE", 1, 1.0),
    "above_volume": ("VOLUME", 0, 1.0),
    "market_cap_above": ("MKTCAP", 0, 1e-6),
    "market_cap_below": ("MKTCAP", 1, 1e-6),
    "average_option_volume_above": ("AVGOPTVOLUME", 0, 1.0),
}
"""Fields of a subscription: filter, lower or upper bound, factor (a field states capital in currency, the
filter in millions: assumed)."""
_TAGS = {
    tag: (name, side) for name, one in FILTERS.items() for side, tag in enumerate((one.above, one.below))
}


class _Open(Struct):
    """A scanner that runs."""

    wanted: Wanted
    due_ns: int


class Scanners:
    """All running scanners."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._open: dict[tuple[Session, int], _Open] = {}

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {
            ScannerSubscriptionRequest: self._subscribe,
            CancelScannerSubscription: self._cancel,
            ScannerParametersRequest: self._parameters,
        }

    def drop(self, session: Session) -> None:
        """The session ended."""
        for key in [key for key in self._open if key[0] is session]:
            del self._open[key]

    def elapse(self, now_ns: int) -> None:
        """Tell the scanners that are due."""
        for (session, req_id), one in self._open.items():
            if one.due_ns <= now_ns:
                one.due_ns = now_ns + EVERY_S * NS_PER_S
                self._tell(session, req_id, one.wanted)

    def _parameters(self, session: Session, request: ScannerParametersRequest) -> None:
        session.send(ScannerParameters(scanner_parameters()))

    def _subscribe(self, session: Session, request: ScannerSubscriptionRequest) -> None:
        core, req_id = self._core, request.req_id
        if (session, req_id) in self._open:
            session.error(req_id, 385, "Duplicate ticker ID for API scanner subscription.")
            return
        if not core.limiter.scanner(session, req_id, len(self._open)):
            return
        if not core.options.subscriptions.scanners:
            session.error(req_id, 162, f"{ERROR}No market data permissions for scanner")
            return
        try:
            wanted = _understood(request.scanner_subscription)
        except ValueError as error:
            session.error(req_id, 162, f"{ERROR}{error}")
            return
        if any(entry.partition("=")[0] == "STK" for entry in core.options.unsubscribed):
            session.error(req_id, 492, PRECISE)  # the rows come all the same (reported)
        self._open[session, req_id] = _Open(wanted, core.now_ns() + EVERY_S * NS_PER_S)
        found, total = self._tell(session, req_id, wanted)
        said = f"{found} out of {total} items retrieved" if found < total else f"{total} items retrieved"
        session.error(req_id, 165, f"{QUERY}{said if total else 'no items retrieved'}")

    def _tell(self, session: Session, req_id: int, wanted: Wanted) -> tuple[int, int]:
        """Send the rows, if there are any; how many were sent and found."""
        rows, total = find(self._candidates(), wanted)
        if rows:
            elements = tuple(_row(rank, security) for rank, security in enumerate(rows))
            session.send(ScannerData(req_id, elements))
        return len(rows), total

    def _candidates(self) -> list[Candidate]:
        """Everything that trades and has a price."""
        core = self._core
        minutes = max(1.0, core.now_ns() / 60e9 % 1440)
        found = []
        for con_id in core.trading:
            security, tape = core.universe.get(con_id), core.tapes.get(con_id)
            if security is not None and tape is not None and (tape.last or tape.close):
                company = Company(core.options.seed, security)
                found.append(Candidate(security, tape, company, core.halted.get(con_id, 0), minutes))
        return found

    def _cancel(self, session: Session, request: CancelScannerSubscription) -> None:
        req_id = request.req_id
        if self._open.pop((session, req_id), None) is None:
            session.error(req_id, 365, f"No scanner subscription found for ticker id:{req_id}")
        else:
            session.error(req_id, 162, f"{ERROR}API scanner subscription cancelled: {req_id}")


def _row(rank: int, security: Security) -> ScannerDataElement:
    """The last four texts are empty in recorded rows."""
    contract = WireContract(
        con_id=security.con_id,
        symbol=security.symbol,
        sec_type=security.sec_type,
        last_trade_date_or_contract_month=security.last_trade_date,
        strike=security.strike,
        right=security.right,
        exchange=security.exchange,
        currency=security.currency,
        local_symbol=security.local_symbol,
        trading_class=security.trading_class,
    )
    return ScannerDataElement(rank, contract, security.trading_class)


def _understood(asked: ScannerSubscription) -> Wanted:
    """What is looked for. Raises ValueError with TWS's words, or with ours where none are known."""
    if asked.scan_code not in SCANS:
        raise ValueError(f"Scanner type with code {asked.scan_code[:40]} is disabled.")
    if asked.instrument not in INSTRUMENTS:
        raise ValueError(f"Unknown scanner instrument {asked.instrument[:40]}")
    if asked.location_code not in LOCATIONS or not instrument_fits(asked.instrument, asked.location_code):
        raise ValueError(f"Unknown scanner location {asked.location_code[:40]}")
    bounds: dict[str, list[float | None]] = {}
    for field, (name, side, factor) in _FIELDS.items():
        value = getattr(asked, field)
        if value is not None:
            bounds.setdefault(name, [None, None])[side] = value * factor
    types = asked.stock_type_filter
    for tag, text in asked.scanner_subscription_filter_options:
        if tag == "stkTypes":
            types = text
            continue
        if tag not in _TAGS:
            raise ValueError(f"Unknown scanner filter {tag[:40]}")
        name, side = _TAGS[tag]
        bounds.setdefault(name, [None, None])[side] = _number(tag, text)
    rows = asked.number_of_rows
    return Wanted(
        asked.instrument,
        asked.location_code,
        asked.scan_code,
        MOST_ROWS if rows is None or not 0 < rows < MOST_ROWS else rows,
        tuple((name, low, high) for name, (low, high) in bounds.items()),
        _stock_types(types),
    )


def _number(tag: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"Invalid value of scanner filter {tag}")
    return value


def _stock_types(text: str) -> frozenset[str] | None:
    """`CORP`, or `inc:CORP` and `exc:ETF` in a row (public copies of the parameters); None: all."""
    included: set[str] = set()
    excluded: set[str] = set()
    for word in text.replace(";", ",").split(","):
        way, colon, name = word.strip().upper().rpartition(":")
        if not name or name == "ALL":
            continue
        if name not in STOCK_TYPES:
            raise ValueError(f"Invalid value of scanner filter stkTypes: {name[:40]}")
        (excluded if colon and way == "EXC" else included).update(STOCK_TYPES[name])
    if not included and not excluded:
        return None
    everything = {kind for kinds in STOCK_TYPES.values() for kind in kinds}
    return frozenset((included or everything) - excluded)
