"""kill -9 of the real process at random moments, again and again on one journal, against a real socket.

    python -m tests.crash.killing --kills 200 --seed 1 [--ledger]

Some kills fall into the start (replay, dial, reconciliation), most into the moments after signals were
written and the market moved. The market moves while no trader runs, too, so that stops and targets fill
unheard. At the end one more run comes up; then the journal is held against the simulator's books (`compare`).
`make crash` does it 200 times and writes a line into docs/crash-ledger.md.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.crash.compare import compare
from tests.crash.process import Desk

from tws.testing import HostedTWS

__all__ = ["Outcome", "play"]

SYMBOLS = ("SPY", "QQQ", "GLD", "SLV")
AT_START = 0.3
"""The part of the kills that may fall into the start."""

LEDGER = Path(__file__).resolve().parents[2] / "docs" / "crash-ledger.md"


class Outcome(NamedTuple):
    """What was played, and what did not agree at its end."""

    kills: int
    before_ready: int
    fills: int
    orders: int
    wrong: list[str]


def play(kills: int, seed: int, folder: Path) -> Outcome:
    """Kill so many times, then compare."""
    rng = random.Random(seed)
    with HostedTWS(hours="always") as tws:
        market = _Market(tws, rng)
        desk = Desk(folder, tws, SYMBOLS)
        early = 0
        for _ in range(kills):
            early += _kill_once(desk, market, rng)
            market.move()
        with desk.running() as last:
            try:
                desk.settle(last)
            except AssertionError as late:
                wrong = compare(desk.place.journal, tws, SYMBOLS)
                raise AssertionError(f"{late}: {desk.ask('status')}\n{wrong}\n{last.text}") from late
            report = desk.ask("stop", how="protected")
            assert report["good"], report
            last.wait()
        wrong = compare(desk.place.journal, tws, SYMBOLS)
        orders = len(tws.orders()) + len(tws.completed_orders())
        return Outcome(kills, early, len(tws.executions()), orders, wrong)


def _kill_once(desk: Desk, market: _Market, rng: random.Random) -> bool:
    """One run and its end; whether it had not come up yet."""
    _wish(desk, rng)
    process = desk.run()
    try:
        if rng.random() < AT_START:
            time.sleep(rng.uniform(0.2, 2.0))
        else:
            process.ready()
            for _ in range(rng.randint(1, 3)):
                _wish(desk, rng)
                market.move()
                time.sleep(rng.uniform(0.0, 0.25))
        return "trading\n" not in process.text
    finally:
        process.kill()


def _wish(desk: Desk, rng: random.Random) -> None:
    for symbol in rng.sample(SYMBOLS, rng.randint(1, 2)):
        desk.signal(symbol, "SELL" if rng.random() < 0.2 else "BUY")


class _Market:
    """Prices that jump past stops and targets, and come back."""

    def __init__(self, tws: HostedTWS, rng: random.Random) -> None:
        self._tws = tws
        self._rng = rng
        self._price = dict.fromkeys(SYMBOLS, 100.0)
        for symbol in SYMBOLS:
            self._quote(symbol)

    def move(self) -> None:
        """One symbol jumps by up to four percent, towards 100 when it is far away."""
        symbol = self._rng.choice(SYMBOLS)
        step = self._rng.uniform(-0.04, 0.04)
        price = self._price[symbol]
        if not 70 < price < 140:
            step = 0.04 if price < 100 else -0.04
        self._price[symbol] = round(price * (1 + step), 2)
        self._quote(symbol)

    def _quote(self, symbol: str) -> None:
        price = self._price[symbol]
        self._tws.quote(symbol, bid=round(price - 0.01, 2), ask=round(price + 0.01, 2))
        self._tws.trade(symbol, price)


def main() -> int:
    """The command; 1 when something did not agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ledger", action="store_true", help="add a line to docs/crash-ledger.md")
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tws-crash-", ignore_cleanup_errors=True) as folder:
        outcome = play(given.kills, given.seed, Path(folder))
    seconds = time.monotonic() - began
    result = "; ".join(outcome.wrong) or "nothing lost, nothing doubled"
    line = (
        f"| {time.strftime('%Y-%m-%d', time.gmtime())} | {given.seed} | {outcome.kills} | "
        f"{outcome.before_ready} | {outcome.orders} | {outcome.fills} | {seconds:.0f} | {result} |"
    )
    print(line)
    if given.ledger:
        with LEDGER.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
