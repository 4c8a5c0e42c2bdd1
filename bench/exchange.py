"""How many quotes and orders the exchange takes per second, without the simulator around it.

    python bench/exchange.py [--json] [--n 300000]

Each row plays one kind of input over eight instruments and reports the best of three runs, since
the slower ones measure the machine's other work. Inputs are made before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from time import perf_counter

from tws.exchange import AccountSetup, Exchange, Habits, Listing, OrderTicket
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.order import Side

IDS = tuple(range(1, 9))
CASH = Decimal(10**12)


def build() -> Exchange:
    """Eight instruments at 100.00 / 100.01, one account that can carry anything."""
    contracts = [Contract(con_id=con_id, symbol=f"S{con_id}") for con_id in IDS]
    listings = [Listing(instrument=Instrument(contract=contract)) for contract in contracts]
    habits = Habits(max_working=10**9)
    exchange = Exchange(listings, [AccountSetup(account="DU1", cash=CASH)], habits=habits)
    for con_id in IDS:
        exchange.quote(con_id, 10000, 300, 10001, 300, 1)
        exchange.trade(con_id, 10000, 1, 1)
    return exchange


def ticket(order_id: int, con_id: int, side: Side, kind: str, **prices: Decimal) -> OrderTicket:
    return OrderTicket(
        client_id=1, order_id=order_id, account="DU1", con_id=con_id, side=side, quantity=Decimal(100),
        order_type=kind, **prices,
    )  # fmt: skip


def resting(exchange: Exchange, per_instrument: int) -> None:
    """Limits and stops that no quote of the bench reaches."""
    order_id = 0
    for con_id in IDS:
        for at in range(per_instrument):
            order_id += 1
            price = Decimal(80) - Decimal(at % 500) / 100
            if at % 2:
                order = ticket(order_id, con_id, Side.SELL, "STP", stop_price=price)
            else:
                order = ticket(order_id, con_id, Side.BUY, "LMT", limit_price=price)
            exchange.place(order, 2)


def quotes(n: int, working: int) -> Callable[[], float]:
    def run() -> float:
        exchange = build()
        resting(exchange, working)
        prices = [9990 + i % 20 for i in range(n)]
        rows = [(IDS[i % 8], at, 100 + i % 7, at + 1, 100 + i % 5, 10 + i) for i, at in enumerate(prices)]
        quote = exchange.quote
        begin = perf_counter()
        for row in rows:
            quote(*row)
        return perf_counter() - begin

    return run


def trades(n: int, working: int) -> Callable[[], float]:
    def run() -> float:
        exchange = build()
        resting(exchange, working)
        rows = [(IDS[i % 8], 9990 + i % 20, 100, 10 + i) for i in range(n)]
        trade = exchange.trade
        begin = perf_counter()
        for row in rows:
            trade(*row)
        return perf_counter() - begin

    return run


def market_orders(n: int) -> Callable[[], float]:
    def run() -> float:
        exchange = build()
        tickets = [ticket(i + 1, IDS[i % 8], (Side.BUY, Side.SELL)[i // 8 % 2], "MKT") for i in range(n)]
        begin = perf_counter()
        for at, one in enumerate(tickets):
            exchange.quote(one.con_id, 10000, 300, 10001, 300, 10 + at)
            exchange.place(one, 10 + at)
        spent = perf_counter() - begin
        assert len(exchange.executions()) == n
        return spent

    return run


def place_and_cancel(n: int) -> Callable[[], float]:
    def run() -> float:
        exchange = build()
        tickets = [ticket(i + 1, IDS[i % 8], Side.BUY, "LMT", limit_price=Decimal(99)) for i in range(n)]
        begin = perf_counter()
        for at, one in enumerate(tickets):
            exchange.place(one, 10 + at)
            exchange.cancel(1, one.order_id, 10 + at)
        return perf_counter() - begin

    return run


def measure(n: int) -> list[dict[str, object]]:
    orders = max(n // 30, 100)
    cases = [
        ("quotes, no working orders", n, quotes(n, 0)),
        ("quotes, 10 working orders each", n, quotes(n, 10)),
        ("quotes, 1000 working orders each", n, quotes(n, 1000)),
        ("trades, no working orders", n, trades(n, 0)),
        ("trades, 1000 working orders each", n, trades(n, 1000)),
        ("market orders, filled", orders, market_orders(orders)),
        ("limit orders, placed and cancelled", orders, place_and_cancel(orders)),
    ]
    rows: list[dict[str, object]] = []
    for name, count, run in cases:
        best = min(run() for _ in range(3))
        each_us = round(best / count * 1e6, 2)
        rows.append({"case": name, "count": count, "per_s": round(count / best), "us_each": each_us})
    return rows


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=300_000, help="quotes per row")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    options = parser.parse_args(argv)
    rows = measure(options.n)
    if options.json:
        print(json.dumps({"bench": "exchange", "rows": rows}))
        return 0
    print(f"{'case':<38}{'per second':>12}{'us each':>10}")
    for row in rows:
        print(f"{row['case']:<38}{row['per_s']:>12,}{row['us_each']:>10}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
