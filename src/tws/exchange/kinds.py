"""THE table of order types: TWS's text of each, and how it is worked here.

An order may wait for a trigger (a stop, a touch, a stop that trails), for an auction (the close), and then
works at the market or at a limit. Types that act as documented have no `nearest`; each of the others is
worked as the simple type that `nearest` names, with a limit taken once, when it starts to work, from where
`anchor` says. `docs/design/order-types.md` shows the same table; a test holds the two equal.

Sources: official documentation (basic_orders) for what the types do; what `nearest` says is our choice.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tws.model.order import TimeInForce

__all__ = ["KINDS", "TIFS", "Anchor", "OrderKind", "TifRule"]


class Anchor(StrEnum):
    """Where a limit comes from that the client doesn't state: a side of the quote, or the order itself."""

    STATED = "its limit price"
    OWN_SIDE = "its own side of the quote"
    FAR_SIDE = "the other side of the quote"
    MIDDLE = "the middle of the quote"
    START = "its starting price"


class OrderKind(Struct, frozen=True, kw_only=True):
    """How a type is worked.

    limit     works at a limit, else at the market
    stop      waits for its stop price first; `touch`: for a price on the other side, as MIT does
    trails    the price that it waits for follows the market
    at_close  takes part in the closing auction alone
    anchor    see Anchor; a stated limit price is the worst at which it may trade
    nearest   the simple type as which it is worked; empty: it acts as documented
    """

    text: str
    limit: bool = False
    stop: bool = False
    touch: bool = False
    trails: bool = False
    at_close: bool = False
    anchor: Anchor = Anchor.STATED
    nearest: str = ""

    @property
    def waits(self) -> bool:
        """Whether it waits for a trigger before it works."""
        return self.stop or self.touch


def _pegged(text: str, anchor: Anchor) -> OrderKind:
    return OrderKind(text=text, limit=True, anchor=anchor, nearest="LMT")


_ROWS = (
    OrderKind(text="MKT"),
    OrderKind(text="LMT", limit=True),
    OrderKind(text="STP", stop=True),
    OrderKind(text="STP LMT", stop=True, limit=True),
    OrderKind(text="MIT", touch=True),
    OrderKind(text="LIT", touch=True, limit=True),
    OrderKind(text="TRAIL", stop=True, trails=True),
    OrderKind(text="TRAIL LIMIT", stop=True, trails=True, limit=True),
    OrderKind(text="TRAIL MIT", touch=True, trails=True),
    OrderKind(text="TRAIL LIT", touch=True, trails=True, limit=True),
    OrderKind(text="MOC", at_close=True),
    OrderKind(text="LOC", at_close=True, limit=True),
    OrderKind(text="MTL", nearest="MKT"),
    OrderKind(text="MKT PRT", nearest="MKT"),
    OrderKind(text="STP PRT", stop=True, nearest="STP"),
    OrderKind(text="BOX TOP", nearest="MKT"),
    OrderKind(text="LMT + MKT", nearest="MKT"),
    OrderKind(text="REL + MKT", nearest="MKT"),
    _pegged("REL + LMT", Anchor.OWN_SIDE),
    _pegged("REL", Anchor.OWN_SIDE),
    _pegged("PASSV REL", Anchor.OWN_SIDE),
    _pegged("PEG PRIM", Anchor.OWN_SIDE),
    _pegged("PEG BEST", Anchor.OWN_SIDE),
    _pegged("PEGBEST", Anchor.OWN_SIDE),
    _pegged("PEG MKT", Anchor.FAR_SIDE),
    _pegged("PEG MID", Anchor.MIDDLE),
    _pegged("PEGMID", Anchor.MIDDLE),
    _pegged("MIDPRICE", Anchor.MIDDLE),
    _pegged("PEG BENCH", Anchor.START),
    _pegged("PEGBENCH", Anchor.START),
    _pegged("PEG STK", Anchor.START),
    _pegged("SNAP PRIM", Anchor.OWN_SIDE),
    _pegged("SNAP MKT", Anchor.FAR_SIDE),
    _pegged("SNAP MID", Anchor.MIDDLE),
    _pegged("VOL", Anchor.MIDDLE),
)
KINDS: dict[str, OrderKind] = {row.text: row for row in _ROWS}
"""By TWS's text. What is not here is refused with 387."""


class TifRule(Struct, frozen=True, kw_only=True):
    """How a time in force is worked.

    ends_with_session  what is left is cancelled when its trading ends
    at_once            what does not fill on arrival is cancelled; `whole`: nothing fills unless all does
    until              lives until good_till_ns
    at_open            takes part in the opening auction alone
    outside            trades outside regular hours whatever the flag says
    nearest            see OrderKind
    """

    text: str
    ends_with_session: bool = False
    at_once: bool = False
    whole: bool = False
    until: bool = False
    at_open: bool = False
    outside: bool = False
    nearest: str = ""


_TIFS = (
    TifRule(text=TimeInForce.DAY, ends_with_session=True),
    TifRule(text=TimeInForce.GTC),
    TifRule(text=TimeInForce.IOC, at_once=True, ends_with_session=True),
    TifRule(text="FOK", at_once=True, whole=True, ends_with_session=True),
    TifRule(text="GTD", until=True),
    TifRule(text="OPG", at_open=True),
    TifRule(text="AUC", at_open=True, nearest="OPG"),
    TifRule(text="DTC", ends_with_session=True, nearest="DAY"),
    TifRule(text="GTX", nearest="GTC"),
    TifRule(text="OVERNIGHT", ends_with_session=True, outside=True, nearest="DAY"),
    TifRule(text="OVERNIGHT + DAY", ends_with_session=True, outside=True, nearest="DAY"),
)
TIFS: dict[str, TifRule] = {row.text: row for row in _TIFS}
"""By TWS's text. What is not here is refused with 321."""
