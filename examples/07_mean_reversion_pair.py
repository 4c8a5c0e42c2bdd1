"""A mean-reverting pair: when its spread lies far from the mean, sell the dear one and buy the cheap one.

    tws sim --hours exchange --clock "2026-11-23 10:00" --speed 30
    python examples/07_mean_reversion_pair.py     in another terminal; Ctrl-C ends it flat

Two legs are two orders, and each has a stop of its own at the broker. One may fill while the risk gate or the
broker refuses the other: then this is no pair any more but a bet, and it is closed.
"""

from math import log
from pathlib import Path
from statistics import fmean, stdev

from tws import Strategy, Wish, run_strategy

FIRST, SECOND = "SPY", "QQQ"


class Pair(Strategy):
    symbols = (FIRST, SECOND)

    def __init__(self, bars: int = 60, enter: float = 1.5, leave: float = 0.3, patience: int = 3) -> None:
        self.count, self.enter, self.leave, self.patience = bars, enter, leave, patience
        self.bars_alone = 0

    def on_bar(self, symbol, bar):
        if symbol == SECOND:  # judged once for each pair of bars, when the second one is there
            yield from self.judge()

    def judge(self):
        z = self.z_score()
        held = [each for each in self.symbols if self.position(each)]
        self.bars_alone = self.bars_alone + 1 if len(held) == 1 else 0
        if z is None:
            return
        if not held and abs(z) > self.enter:  # said again while both fill: "in position" refuses the second
            dear, cheap = (FIRST, SECOND) if z > 0 else (SECOND, FIRST)
            print(f"z {z:+.2f}: sell {dear}, buy {cheap}", flush=True)
            yield self.signal(dear, Wish.SHORT)
            yield self.signal(cheap, Wish.BUY)
        elif len(held) == 2 and abs(z) < self.leave:
            yield from self.close(held, f"z {z:+.2f}: the spread is back")
        elif self.bars_alone > self.patience:
            self.bars_alone = 0  # the next try has its time, too
            yield from self.close(held, f"{held[0]} stands alone: its other leg was denied, or stopped out")

    def close(self, held, why):
        print(why, flush=True)
        for symbol in held:  # CLOSE opens nothing, should the stop have been faster
            yield self.signal(symbol, Wish.CLOSE)

    def z_score(self) -> float | None:
        """How many standard deviations the spread of the logarithms lies above its mean."""
        other = {bar.time_ns: bar.close for bar in self.bars(SECOND, self.count)}
        both = [bar for bar in self.bars(FIRST, self.count) if bar.time_ns in other]
        spread = [log(bar.close / other[bar.time_ns]) for bar in both]
        if len(spread) < self.count // 2:  # a link that was lost leaves gaps
            return None
        return (spread[-1] - fmean(spread)) / stdev(spread)

    def on_fill(self, fill):
        print(f"{fill.symbol} {fill.role}: {fill.quantity:+} at {fill.price}", flush=True)


if __name__ == "__main__":
    run_strategy(Pair(), Path(__file__).with_suffix(".toml"))
