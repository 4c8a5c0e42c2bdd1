"""A trend in a future: the front month is looked up, sized by its multiplier, and left before its last day.

    tws sim --hours exchange --clock "2026-11-23 10:00" --speed 60
    python examples/09_futures_trend.py     in another terminal; Ctrl-C ends it flat
"""

from datetime import datetime, timedelta
from pathlib import Path

from tws import ContractDetails, Strategy, SyncConnection, TWSConfig, Wish, future, run_strategy

ROLL = timedelta(days=8)  # of equity indexes: from that Thursday on, the next month trades more


class Trend(Strategy):
    symbols = ("ES",)

    def __init__(self, month: str, fast: int = 8, slow: int = 24) -> None:
        # A symbol means a stock unless the class says otherwise (or [contracts] of the file).
        self.contracts = {"ES": future("ES", month, "CME")}
        self.fast, self.slow = fast, slow

    def on_bar(self, symbol, bar):
        fast, slow = self.ema(symbol, self.fast), self.ema(symbol, self.slow)
        if fast is None or slow is None:
            return
        held = self.position(symbol)
        if fast > slow and held <= 0:  # an opposite signal reverses: closed in the stop's group, then entered
            yield self.signal(symbol, Wish.BUY, confidence=0.6)
        elif fast < slow and held >= 0:
            yield self.signal(symbol, Wish.SHORT, confidence=0.6)

    def on_fill(self, fill):
        print(f"{fill.symbol} {fill.role}: {fill.quantity:+} at {fill.price}", flush=True)


def front_month(connection: SyncConnection) -> tuple[ContractDetails, datetime]:
    """The nearest month that is not about to expire, and the day on which to leave it."""
    today = connection.request_current_time()
    months = connection.request_contract_details(future("ES", "", "CME"))  # without a month: all of them
    for each in sorted(months, key=lambda month: month.contract.last_trade_date):
        last = datetime.strptime(each.contract.last_trade_date, "%Y%m%d").replace(tzinfo=today.tzinfo)
        if today < last - ROLL:
            return each, last - ROLL
    raise SystemExit("TWS lists no month that lasts longer")


if __name__ == "__main__":
    with SyncConnection(TWSConfig(port=7400, client_id=19)) as connection:
        front, roll = front_month(connection)
    es = front.contract
    print(f"front month {es.local_symbol}, last day {es.last_trade_date}, to be left by {roll:%Y-%m-%d}")
    print(f"one point of one contract is {es.multiplier} {es.currency}, the tick {front.min_tick}")
    print(f"sessions, {front.time_zone_id}: {front.liquid_hours.split(';')[0]}")
    run_strategy(Trend(es.last_trade_date), Path(__file__).with_suffix(".toml"))
