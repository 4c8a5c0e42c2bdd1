"""Where a client differs by its own code, found in its source: listed, never worked around in the simulator.

A listed deviation must still happen: when a client is mended, the run fails until its row is gone.
"""

from __future__ import annotations

__all__ = ["DEVIATIONS", "reason_of"]

_UNDER = (
    "writes the conId of the underlying to a misspelt attribute (`underConid`), so that `underConId` stays 0"
)
_ZERO = "takes the tick type 0 of the bid's size for none, and says no size of a bid that came with its price"
_DEAD = "takes the notice 10349 for the order's end, and calls an order that lives Cancelled"
_MIN_TICK = "reads the minimum tick as an integer: 0.01 becomes 0"
_COUPON = "reads a bond's coupon as an integer, and the message is lost where it is none"
_MATURITY = "takes the protobuf of a bond for that of another contract, so that its maturity stays empty"

DEVIATIONS: dict[tuple[str, str], str] = {
    ("ibapi 10.43.2", "details of futures: every expiry of a symbol"): _UNDER,
    ("ibapi 10.43.2", "details of one option of a chain"): _UNDER,
    ("ibapi 10.43.2", "details of a CFD"): _UNDER,
    ("ibapi 9.81.1", "details of a bond by its ISIN"): _COUPON + "; its reading thread ends, and the session",
    ("ibapi 10.43.2", "details of a bond by its ISIN"): _MATURITY,
    ("ib_async 2.1.0", "details of a bond by its ISIN"): _COUPON,
    ("ib_insync 0.9.86", "details of a bond by its ISIN"): _COUPON,
    ("ib_insync 0.9.86", "a preset changes the time in force: 10349, the order lives"): _DEAD,
    ("ib_async 2.1.0", "a preset changes the time in force: 10349, the order lives"): _DEAD,
    ("@stoqey/ib 1.6.10", "sizes ride with their prices"): _ZERO,
    ("@stoqey/ib 1.6.10", "tick parameters: minimum tick and exchange"): _MIN_TICK,
}
"""(client, scenario): what the client's own code does."""


def reason_of(client: str, scenario: str) -> str | None:
    """Why this client deviates in this scenario; None when it should not."""
    return DEVIATIONS.get((client, scenario))
