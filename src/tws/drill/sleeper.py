"""The trader that the drill freezes: a process of its own with journal and safety file in a folder.

    python -m tws.drill.sleeper FOLDER PORT
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tws.config import TWSConfig
from tws.drill.stage import PATIENCE_S
from tws.model.contract import stock
from tws.model.order import bracket
from tws.risk import Limits
from tws.runtime import Trader, TraderParts
from tws.safety import SafetyFile


async def _trade(folder: Path, port: int) -> None:
    """Hold SPY with stop and target, and wait for what comes."""
    with SafetyFile(folder / "safety") as safety:
        parts = TraderParts(journal=folder / "journal.sqlite3", safety=safety)
        limits = Limits(stale_quote_s=86_400)
        async with Trader(TWSConfig(port=port, client_id=1), limits=limits, parts=parts) as trader:
            await trader.quote(stock("SPY"))
            trade = await trader.submit(bracket(stock("SPY"), "BUY", 100, stop=97.0, target=103.0))
            await trade.entry_filled(PATIENCE_S)
            await asyncio.sleep(10 * PATIENCE_S)  # ended long before, unless the drill died


if __name__ == "__main__":
    asyncio.run(_trade(Path(sys.argv[1]), int(sys.argv[2])))
