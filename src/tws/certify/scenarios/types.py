"""Every kind of order that one share of a stock can be, far from the market, taken and cancelled: what TWS
makes of it, and whether it takes it at all. TWS-BEHAVIOUR.md C5, F5; docs/design/order-types.md.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TypeAlias

from tws import ordertypes as ot
from tws.certify.register import scenario
from tws.certify.scene import Scene
from tws.model.order import Side

case = scenario("order types", "order-types.md", orders=True)
Make: TypeAlias = Callable[[Scene], ot.FullOrder]
BUY = Side.BUY


def far(s: Scene) -> ot.FullOrder:
    """A limit ten percent under the market, to which things are added."""
    return ot.limit(BUY, 1, s.below, **s.words())


RESTING: tuple[tuple[str, str, Make], ...] = (
    ("market if touched", "C2 Stop", lambda s: ot.market_if_touched(BUY, 1, s.below, **s.words())),
    ("limit if touched", "C2 Stop", lambda s: ot.limit_if_touched(BUY, 1, s.below, s.below, **s.words())),
    ("a trailing stop by percent", "C2 Stop",
     lambda s: ot.trailing_stop(BUY, 1, percent=10, **s.words())),
    ("a trailing stop with a limit", "C2 Stop",
     lambda s: ot.trailing_stop_limit(BUY, 1, limit_offset=1, amount=s.tenth, **s.words())),
    ("a stop that is adjusted when the market moves away", "F5 adjusted",
     lambda s: ot.adjust_to_stop(ot.stop(BUY, 1, s.above, **s.words()), trigger_price=s.below,
                                 stop_price=s.above - 1)),
    ("at the close, at a limit", "F5 LOC", lambda s: ot.limit_on_close(BUY, 1, s.below, **s.words())),
    ("at the next opening, at a limit", "F5 OPG",
     lambda s: ot.limit_on_open(BUY, 1, s.below, **s.words())),
    ("relative, under a cap", "F5 REL", lambda s: ot.relative(BUY, 1, offset=0.01, cap=s.below, **s.words())),
    ("pegged to its own side, under a cap", "F5 PEG PRIM",
     lambda s: ot.pegged_to_primary(BUY, 1, offset=0.01, cap=s.below, **s.words())),
    ("pegged to the middle, under a cap", "F5 PEG MID",
     lambda s: ot.pegged_to_midpoint(BUY, 1, offset=0.01, cap=s.below, **s.words())),
    ("midprice, under a cap", "F5 MIDPRICE", lambda s: ot.midprice(BUY, 1, cap=s.below, **s.words())),
    ("hidden", "F5 hidden", lambda s: ot.hidden(far(s))),
    ("with discretion", "F5 discretionary", lambda s: ot.discretionary(far(s), Decimal("0.05"))),
    ("all or none", "F5 allOrNone", lambda s: ot.all_or_none(far(s))),
    ("swept", "F5 sweep", lambda s: ot.sweep_to_fill(far(s))),
    ("a stop that watches the bid and the ask", "F5 triggerMethod",
     lambda s: ot.triggered_by(ot.stop(BUY, 1, s.above, **s.words()), "bid ask")),
    ("good till a time", "F5 goodTill", lambda s: ot.good_till(far(s), s.tomorrow)),
    ("good after a time", "F5 goodAfter", lambda s: ot.good_after(far(s), s.tomorrow)),
    ("on a price", "F5 conditions", lambda s: ot.conditional(far(s), ot.price_above(s.stock, s.above * 2))),
    ("on a time", "F5 conditions", lambda s: ot.conditional(far(s), ot.time_after(s.tomorrow))),
    ("on a margin or a volume", "F5 conditions",
     lambda s: ot.conditional(far(s), ot.margin_below(1) | ot.volume_above(s.stock, 2_000_000_000))),
    ("on a change, cancelled by it", "F5 conditions",
     lambda s: ot.conditional(far(s), ot.change_above(s.stock, 90), cancel=True)),
    ("IB's adaptive algorithm", "F5 algo", lambda s: ot.adaptive(far(s), "Patient")),
    ("evenly over time", "F5 algo", lambda s: ot.twap(far(s))),
    ("at the volume's average price", "F5 algo", lambda s: ot.vwap(far(s), max_share=0.1)),
)  # fmt: skip


def resting(make: Make) -> Callable[[Scene], Awaitable[None]]:
    async def play(s: Scene) -> None:
        order_id = await s.place(make(s))
        if await s.works(order_id):
            await s.cancelled(order_id)

    return play


for _name, _row, _make in RESTING:
    case(_name, _row, market=True)(resting(_make))


@case("fill or kill that nobody meets", "F5 FOK", market=True)
async def fill_or_kill(s: Scene) -> None:
    order_id = await s.place(ot.limit(BUY, 1, s.below, **s.words("FOK")))
    await s.status(order_id, "Cancelled", "ApiCancelled", "Inactive")
    await s.error(order_id)


@case("market to limit", "C2 Market", market=True)
async def market_to_limit(s: Scene) -> None:
    await s.filled(await s.place(ot.market_to_limit(BUY, 1, **s.words())))
    await s.filled(await s.place(s.near(Side.SELL)))
