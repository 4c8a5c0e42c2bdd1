"""What the API predicts: the demo's own drawn predictions, some of them said again, or dated wrongly.

Everything is drawn by seed, ticker and minute, so that a run repeats. Of a hundred minutes some say once more
what was said before (a duplicate), or bring a prediction that is five minutes old, or one dated ahead.
"""

from __future__ import annotations

import random
from typing import Any

from tws.clock import NS_PER_S, to_datetime
from tws.signals.demo_api import SeededPredictions

__all__ = ["Oracle"]

WINDOW_NS = 60 * NS_PER_S
AGAIN, STALE, AHEAD = 0.06, 0.04, 0.01
OLD_NS, EARLY_NS = 300 * NS_PER_S, 120 * NS_PER_S


class Oracle:
    """Predictions of `tickers`, as `tws.signals.demo_api` asks for them."""

    def __init__(self, seed: int, tickers: tuple[str, ...]) -> None:
        self._seed = seed
        self._drawn = SeededPredictions(seed, tickers)

    def latest(self, ticker: str, now_ns: int) -> dict[str, Any] | None:
        window = now_ns // WINDOW_NS
        chance = random.Random(f"oracle {self._seed}:{ticker}:{window}").random()
        if chance < AGAIN:
            return self._drawn.latest(ticker, now_ns - 2 * WINDOW_NS)
        said = self._drawn.latest(ticker, now_ns)
        if said is not None and chance < AGAIN + STALE + AHEAD:
            shift_ns = -OLD_NS if chance < AGAIN + STALE else EARLY_NS
            said["timestamp"] = to_datetime(window * WINDOW_NS + shift_ns).isoformat()
        return said
