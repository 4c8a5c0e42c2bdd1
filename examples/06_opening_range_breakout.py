"""Opening-range breakout: the first close beyond the range of the session's first 15 minutes is followed.

    tws sim --hours exchange --clock "2026-11-23 09:45" --speed 30
    python examples/06_opening_range_breakout.py      in another terminal; Ctrl-C ends it flat

`tws run examples/06_opening_range_breakout.toml` trades the same. (The built-in kind = "breakout" has this
range too; here it is written out.)
"""

from pathlib import Path

from tws import Strategy, Wish, run_strategy


class OpeningRange(Strategy):
    symbols = ("SPY", "QQQ", "IWM")

    def __init__(self, minutes: int = 15) -> None:
        self.range_ns = minutes * 60 * 1_000_000_000
        self.wished: dict[str, int] = {}  # what was wished, and the session in which it was

    def on_bar(self, symbol, bar):
        session = self.session(symbol)  # as the broker states it: holidays and early closes are in it
        if session is None:
            return
        ends_ns = session.open_ns + self.range_ns
        # The bars of before the start came as history, so a program that starts late knows the range too.
        opening = [each for each in self.bars(symbol, 500) if session.open_ns <= each.time_ns < ends_ns]
        if bar.time_ns < ends_ns or not opening:
            return
        low, high = min(each.low for each in opening), max(each.high for each in opening)
        wish = Wish.BUY if bar.close > high else Wish.SHORT if bar.close < low else None
        key = f"{symbol} {wish}"
        if wish is not None and self.wished.get(key) != session.open_ns:  # each side once a session
            self.wished[key] = session.open_ns
            print(f"{symbol} closed at {bar.close}, beyond {low} to {high}: {wish}", flush=True)
            yield self.signal(symbol, wish, confidence=0.7)

    def on_fill(self, fill):
        print(f"{fill.symbol} {fill.role}: {fill.quantity:+} at {fill.price}", flush=True)

    # A restart in the middle of the day must not follow the same breakout a second time.
    def save(self):
        return self.wished

    def restore(self, value):
        self.wished = value


if __name__ == "__main__":
    run_strategy(OpeningRange(), Path(__file__).with_suffix(".toml"))
