"""Rules in Python: the same engine, conditions as values, ready-made ones beside those of one's own.

    tws sim --hours exchange --clock "2026-11-23 10:00" --speed 60
    python examples/11_rules.py      in another terminal; Ctrl-C ends it flat

The strategy wishes, the rules decide. Ready-made ones can be taken, looked at and changed like any value.
"""

from decimal import Decimal
from pathlib import Path

from tws import Strategy, Wish, run_strategy
from tws.model.sizing import Allocation
from tws.rules import Alert, Enter, Rule, flag, indicator, number, percent, rules_toml, word
from tws.rules.ready import Plan, break_even, standard

TEN_THOUSAND = Allocation(Decimal(10_000))
PLAN = Plan(confidence=0.6, size=TEN_THOUSAND, stop=percent(1), target=percent(2), cooldown_s=60)

is_flat = word("position.side", "flat") & ~flag("position.entering") & (number("cooldown") <= 0)
oversold = (number("close") < indicator("bollinger(20, 2).lower")) | (indicator("rsi(14)") < 30)

RULES = [
    *standard(PLAN),  # enter on a signal, ignore the same side, reverse, close, flat before the close
    break_even(profit_atr=4),
    Rule(
        name="oversold",
        when=word("event", "bar") & is_flat & oversold,
        then=Enter("long", PLAN.size, PLAN.stop, PLAN.target) + Alert("bought what is oversold"),
        per_day=5,
    ),
]


class Momentum(Strategy):
    symbols = ("SPY", "QQQ")
    studies = ("rsi(14)",)  # known from the first bar on

    def on_bar(self, symbol, bar):
        strength = self.indicator(symbol, "rsi(14)")
        if strength is not None and strength > 60:
            yield self.signal(symbol, Wish.BUY, confidence=strength / 100)

    def on_fill(self, fill):
        print(f"{fill.symbol} {fill.role}: {fill.quantity:+} at {fill.price}", flush=True)


if __name__ == "__main__":
    print(rules_toml(RULES[-1:]))  # each rule can be written as a file has it, and read back
    run_strategy(Momentum(), Path(__file__).with_suffix(".toml"), rules=RULES)
