"""A trader in a process of its own, that enters one trade and is killed.

    python mortal.py JOURNAL PORT WISH

The wish is a bracket as JSON. It says `filled` when its entry is, and waits for its death.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec

from tws.config import TWSConfig
from tws.model.order import Bracket
from tws.risk import Limits
from tws.runtime import Trader, TraderParts

PATIENCE_S = 120.0


async def _trade(journal: Path, port: int, wish: Bracket) -> None:
    config, limits = TWSConfig(port=port, client_id=1), Limits(stale_quote_s=86_400)
    async with Trader(config, limits=limits, parts=TraderParts(journal=journal)) as trader:
        await trader.quote(wish.contract)
        trade = await trader.submit(wish)
        await trade.entry_filled(PATIENCE_S)
        print("filled", flush=True)
        await asyncio.sleep(10 * PATIENCE_S)  # killed long before, unless the test died


if __name__ == "__main__":
    asyncio.run(_trade(Path(sys.argv[1]), int(sys.argv[2]), msgspec.json.decode(sys.argv[3], type=Bracket)))
