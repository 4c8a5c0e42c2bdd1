"""News feeds as contracts of type NEWS: `BRFG:BRFG_ALL` at BRFG is all that the provider BRFG tells (official
documentation). They have details and headlines, no market; their conIds are invented.
"""

from __future__ import annotations

from tws.simulator.subscriptions import PROVIDERS
from tws.simulator.universe import SYNTHETIC_FROM, Security, Wanted

__all__ = ["FEEDS", "feeds"]

_FIRST = SYNTHETIC_FROM + 47_000_000
"""Above all that a universe file invents."""
FEEDS = tuple(
    Security(
        con_id=_FIRST + place,
        symbol=f"{code}:{code}_ALL",
        long_name=name,
        sec_type="NEWS",
        exchange=code,
        exchanges=(code,),
        currency="",
        stock_type="",
    )
    for place, (code, name) in enumerate(PROVIDERS.items())
)


def feeds(wanted: Wanted) -> list[Security]:
    """Those that fit a description by conId, symbol and exchange; what it leaves out fits all."""
    return [
        one
        for one in FEEDS
        if wanted.con_id in (0, one.con_id)
        and wanted.symbol in ("", one.symbol)
        and wanted.exchange in ("", one.exchange)
    ]
