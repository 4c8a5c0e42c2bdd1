"""THE table of order types: TWS's text of each, and how it is worked here.

An order may wait for a trigger (a stop, a touch, a stop that trails), for an auction (the close), and then
works at the market or at a limit. A limit that the client doesn't state comes from where `anchor` says, once
or following it (`follows`). `docs/design/order-types.md` shows the same table; a test holds the two equal.

Sources: official documentation (basic_orders, the pages of each order type) for what the types do; `rests_on`
says what of a row is ours.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tws.model.order import TimeInForce

__all__ = ["KINDS", "TIFS", "Anchor", "OrderKind", "TifRule"]


class Anchor(StrEnum):
    """Where a limit comes from that the client doesn't state: a side of the quote, or something else."""

    STATED = "its limit price"
    OWN_SIDE = "its own side of the quote"
    FAR_SIDE = "the other side of the quote"
    MIDDLE = "the middle of the quote"
    BEST = "one tick before its own side of the quote, up to the middle"
    PROTECTED = "the other side of the quote, or its stop, and the points of protection beyond"
    REFERENCE = "its starting price, moved with a reference contract"
    STOCK = "its starting price, moved by delta with the underlying"
    VOLATILITY = "the option's price by its volatility"


class OrderKind(Struct, frozen=True, kw_only=True):
    """How a type is worked.

    limit     works at a limit, else at the market
    stop      waits for its stop price first; `touch`: for a price on the other side, as MIT does
    trails    the price that it waits for follows the market
    at_close  takes part in the closing auction alone
    anchor    see Anchor; a stated limit price is the worst at which it may trade, unless `caps` is off
    offset    +1: its offset (auxPrice) makes it more aggressive than its anchor, -1: less
    follows   the limit follows its anchor; `ratchets`: to the more aggressive side alone
    legs_follow  of legs that fill apart the first waits for the price, the others then trade at the market
    rests_on  official, or what of it is assumed
    """

    text: str
    limit: bool = False
    stop: bool = False
    touch: bool = False
    trails: bool = False
    at_close: bool = False
    anchor: Anchor = Anchor.STATED
    caps: bool = True
    offset: int = 0
    follows: bool = False
    ratchets: bool = False
    legs_follow: bool = False
    rests_on: str = "official"

    @property
    def waits(self) -> bool:
        """Whether it waits for a trigger before it works."""
        return self.stop or self.touch


def _at(text: str, anchor: Anchor, rests_on: str, offset: int = 0, *, stop: bool = False) -> OrderKind:
    """A limit taken once."""
    return OrderKind(text=text, limit=True, stop=stop, anchor=anchor, offset=offset, rests_on=rests_on)


def _pegged(
    text: str, anchor: Anchor, rests_on: str, offset: int = 0, *, ratchets: bool = False, caps: bool = True,
    legs_follow: bool = False,
) -> OrderKind:  # fmt: skip
    return OrderKind(
        text=text, limit=True, anchor=anchor, offset=offset, follows=True, ratchets=ratchets, caps=caps,
        legs_follow=legs_follow, rests_on=rests_on,
    )  # fmt: skip


_REST = "official; the rest stands at the price of the quote it took"
_POINTS = "official; 12 ticks of protection, as in IB's one example, assumed for all"
_REL = "official; rounded away from the market"
_MIDDLE = "official that it follows both ways (the API's page: only to the better); rounding assumed"
_COMBO = "official; what the first leg waits for is the price of the whole, assumed"
_BENCH = "official; whole steps of the reference alone, assumed"
_SNAP = "official"
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
    _at("MTL", Anchor.FAR_SIDE, _REST),
    _at("BOX TOP", Anchor.FAR_SIDE, _REST),
    _at("MKT PRT", Anchor.PROTECTED, _POINTS),
    _at("STP PRT", Anchor.PROTECTED, _POINTS, stop=True),
    OrderKind(text="LMT + MKT", limit=True, legs_follow=True, rests_on=_COMBO),
    _pegged("REL + MKT", Anchor.OWN_SIDE, _COMBO, 1, ratchets=True, caps=False, legs_follow=True),
    _pegged("REL + LMT", Anchor.OWN_SIDE, _COMBO, 1, ratchets=True),
    _pegged("REL", Anchor.OWN_SIDE, _REL, 1, ratchets=True),
    _pegged("PASSV REL", Anchor.OWN_SIDE, _REL, -1, ratchets=True),
    _pegged("PEG PRIM", Anchor.OWN_SIDE, _REL, 1, ratchets=True),
    _pegged("PEG BEST", Anchor.BEST, "official; stays at its own side where nobody competes, assumed"),
    _pegged("PEGBEST", Anchor.BEST, "as `PEG BEST`"),
    _pegged("PEG MKT", Anchor.FAR_SIDE, "official", -1),
    _pegged("PEG MID", Anchor.MIDDLE, _MIDDLE, -1),
    _pegged("PEGMID", Anchor.MIDDLE, "as `PEG MID`", -1),
    _pegged("MIDPRICE", Anchor.MIDDLE, "official that it seeks the middle; here by `PEG MID` alone"),
    _pegged("PEG BENCH", Anchor.REFERENCE, _BENCH),
    _pegged("PEGBENCH", Anchor.REFERENCE, "as `PEG BENCH`"),
    _pegged("PEG STK", Anchor.STOCK, "official; rounded to the better price", caps=False),
    _at("SNAP PRIM", Anchor.OWN_SIDE, _SNAP, 1),
    _at("SNAP MKT", Anchor.FAR_SIDE, _SNAP, -1),
    _at("SNAP MID", Anchor.MIDDLE, _SNAP, -1),
    _pegged("VOL", Anchor.VOLATILITY, "official; European prices, a day of 252 in a year, assumed"),
)
KINDS: dict[str, OrderKind] = {row.text: row for row in _ROWS}
"""By TWS's text. What is not here is refused with 387."""


class TifRule(Struct, frozen=True, kw_only=True):
    """How a time in force is worked.

    ends_with_session  what is left is cancelled when its trading ends
    at_once            what does not fill on arrival is cancelled; `whole`: nothing fills unless all does
    until              lives until good_till_ns; `minutes`: that is so many minutes after it came
    at_open            takes part in the opening auction; `stays`: what it left works on as a limit
    outside            trades outside regular hours whatever the flag says
    rests_on           as in OrderKind
    """

    text: str
    ends_with_session: bool = False
    at_once: bool = False
    whole: bool = False
    until: bool = False
    minutes: int = 0
    at_open: bool = False
    stays: bool = False
    outside: bool = False
    rests_on: str = "official"


_NIGHT = "official; no session of its own here, the extended hours stand for the night, assumed"
_TIFS = (
    TifRule(text=TimeInForce.DAY, ends_with_session=True),
    TifRule(text=TimeInForce.GTC),
    TifRule(text=TimeInForce.IOC, at_once=True, ends_with_session=True),
    TifRule(text="FOK", at_once=True, whole=True, ends_with_session=True),
    TifRule(text="GTD", until=True),
    TifRule(text="Minutes", until=True, minutes=5,
            rests_on="official for coins at a limit; how many minutes, assumed"),
    TifRule(text="OPG", at_open=True),
    TifRule(text="AUC", at_open=True, stays=True, ends_with_session=True),
    TifRule(text="DTC", ends_with_session=True,
            rests_on="official; TWS deactivates it at the end of the day, here it is cancelled, assumed"),
    TifRule(text="GTX", rests_on="that it crosses the night as GTC does, assumed: no public page tells more"),
    TifRule(text="OVERNIGHT", ends_with_session=True, outside=True, rests_on=_NIGHT),
    TifRule(text="OVERNIGHT + DAY", ends_with_session=True, outside=True, rests_on=_NIGHT),
)  # fmt: skip
TIFS: dict[str, TifRule] = {row.text: row for row in _TIFS}
"""By TWS's text. What is not here is refused with 321."""
