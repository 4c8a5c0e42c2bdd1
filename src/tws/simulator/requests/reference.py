"""What a client looks up besides contracts and lists: histograms (88), the arithmetic of options (54, 55),
display groups (67 to 70).

TWS-BEHAVIOUR.md F4, F6; the official client and documentation. No linked window exists here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tws.clock import NS_PER_S
from tws.simulator.bars import Week, parse_duration
from tws.simulator.grid import grid_of
from tws.simulator.requests.contracts import resolve
from tws.simulator.requests.greeks import OPTIONS, implied, priced
from tws.simulator.requests.history import History
from tws.simulator.session import Session
from tws.wire.messages import (
    CalculateImpliedVolatilityRequest,
    CalculateOptionPriceRequest,
    CancelCalculateImpliedVolatility,
    CancelCalculateOptionPrice,
    CancelContractData,
    CancelHistogramData,
    CancelHistoricalTicks,
    DisplayGroupList,
    DisplayGroupUpdated,
    HistogramData,
    HistogramDataEntry,
    HistogramDataRequest,
    QueryDisplayGroupsRequest,
    SubscribeToGroupEventsRequest,
    UnsubscribeFromGroupEventsRequest,
    UpdateDisplayGroupRequest,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Reference"]

GROUPS = "1|2|3|4|5|6|7"
"""The colours of TWS's linked windows (official documentation)."""


class Reference:
    """Answers at once; only the display groups are remembered."""

    def __init__(self, core: Core, history: History) -> None:
        self._core = core
        self._history = history
        self._shown: dict[int, str] = {}
        self._watched: dict[tuple[Session, int], int] = {}

    def drop(self, session: Session) -> None:
        """The session ended."""
        for key in [key for key in self._watched if key[0] is session]:
            del self._watched[key]

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        silent = (
            CancelCalculateImpliedVolatility, CancelCalculateOptionPrice, CancelContractData,
            CancelHistogramData, CancelHistoricalTicks,
        )  # fmt: skip
        return {
            HistogramDataRequest: self._histogram,
            CalculateImpliedVolatilityRequest: self._implied,
            CalculateOptionPriceRequest: self._priced,
            QueryDisplayGroupsRequest: lambda session, request: session.send(
                DisplayGroupList(request.req_id, GROUPS)
            ),
            SubscribeToGroupEventsRequest: self._group,
            UpdateDisplayGroupRequest: self._show,
            UnsubscribeFromGroupEventsRequest: self._unwatch,
            **dict.fromkeys(silent, lambda session, request: None),  # all was answered at once before
        }

    # -- arithmetic -------------------------------------------------------------------------------

    def _histogram(self, session: Session, request: HistogramDataRequest) -> None:
        """Volume by price over trading days, prices on the grid."""
        core, req_id = self._core, request.req_id
        security = resolve(core, session, req_id, request.contract)
        if security is None:
            return
        number, _, unit = request.time_period.strip().partition(" ")
        week = Week(core.options.hours, security.hours)
        now_s = core.now_ns() // NS_PER_S
        try:  # "3 days" and "3 D" alike
            start_s = parse_duration(f"{number} {unit[:1]}", now_s, week)
        except ValueError:
            said = f"Invalid time period '{request.time_period[:40]}'"
            session.error(req_id, 321, f"Error validating request.-'bU' : cause - {said}")
            return
        volumes: dict[float, int] = {}
        for row in self._history.rows(security, start_s, now_s + 1, 60):
            if row.volume and (not request.use_rth or week.is_liquid(row.time_s)):
                volumes[row.close] = volumes.get(row.close, 0) + row.volume
        if not volumes:
            said = "Historical Market Data Service error message:No histogram data"
            session.error(req_id, 162, said)
            return
        grid = grid_of(security.tick, security.lot)
        rows = tuple(HistogramDataEntry(price, grid.quantity(volumes[price])) for price in sorted(volumes))
        session.send(HistogramData(req_id, rows))

    def _implied(self, session: Session, request: CalculateImpliedVolatilityRequest) -> None:
        security = resolve(self._core, session, request.req_id, request.contract)
        if security is None:
            return
        if security.sec_type not in OPTIONS:
            session.error(request.req_id, 321, NO_OPTION)
            return
        session.send(
            implied(self._core, request.req_id, security, request.option_price, request.under_price)
        )

    def _priced(self, session: Session, request: CalculateOptionPriceRequest) -> None:
        security = resolve(self._core, session, request.req_id, request.contract)
        if security is None:
            return
        if security.sec_type not in OPTIONS:
            session.error(request.req_id, 321, NO_OPTION)
            return
        session.send(priced(self._core, request.req_id, security, request.volatility, request.under_price))

    # -- display groups ---------------------------------------------------------------------------

    def _group(self, session: Session, request: SubscribeToGroupEventsRequest) -> None:
        shown = self._shown.get(request.group_id, "none")
        session.send(DisplayGroupUpdated(request.req_id, shown))
        self._watched[session, request.req_id] = request.group_id

    def _unwatch(self, session: Session, request: UnsubscribeFromGroupEventsRequest) -> None:
        self._watched.pop((session, request.req_id), None)

    def _show(self, session: Session, request: UpdateDisplayGroupRequest) -> None:
        group = self._watched.get((session, request.req_id))
        if group is None:
            said = "Error validating request.-'bX' : cause - No subscription to group events with this id"
            session.error(request.req_id, 321, said)
            return
        self._shown[group] = request.contract_info
        for (other, req_id), wanted in self._watched.items():
            if wanted == group:
                other.send(DisplayGroupUpdated(req_id, request.contract_info))


NO_OPTION = "Error validating request.-'bZ' : cause - Only options have an implied volatility"

