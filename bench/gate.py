"""The gate with all limits: how long one judgement takes, with many orders in the book.

    python bench/gate.py [--symbols 50] [--orders 1000] [--judgements 20000] [--cpu]

A desk without I/O fills its book with working brackets on `symbols` contracts, some of them filled. Then, for
entries on all contracts in turn, three times are taken:

  judge                Gate.judge alone: every control, on a situation that is known
  situation + judge    what the desk does for a wish: the sums over all contracts, then the judgement
  the same, all moved  likewise after the quotes of all contracts have changed since the last one

Beside them stands what one quote of such a contract costs the desk, which folds it into its sums. Half of the
contracts are in another currency than the account. `--cpu` counts this thread's own time alone, for a
machine on which others work as well.

Numbers belong here, never into a test.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tws.clock import NS_PER_S
from tws.desk import Begin, Desk, StateHours, SubmitBracket
from tws.desk.submit import situation
from tws.desk.turn import Turn
from tws.model.account import AccountValue
from tws.model.contract import Contract
from tws.model.execution import Execution
from tws.model.facts import Answer, AnswerKind, Link, LinkState, NextOrderId
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import Order, OrderType, Role, Side, bracket
from tws.model.session import Session
from tws.orders import OurOrder
from tws.risk import FIELDS, Denial, Gate, Limits, Proposal

ACCOUNT = "DU1"
START = 1_795_000_000 * NS_PER_S
ALWAYS_OPEN = (Session(0, 2**62),)


def wide_limits(contracts: list[Instrument]) -> Limits:
    """Every limit on, none in the way; with an override for each symbol, so that narrowing counts too."""
    wide: dict[str, Any] = {
        name: Decimal(10**12) for name, kind in FIELDS.items()
        if kind.highest > 10**12 and name.startswith("max_")
    }
    symbols = {each.contract.symbol: {"max_position": 10**6} for each in contracts}
    return Limits(**wide, max_orders_per_side=20, max_messages_per_s=1000, max_entries=1000, price_collar=1,
                  price_drift=1, duplicate_window_s=0.005, allow=tuple(symbols), deny=("NONE",),
                  short_sales=True, symbols=symbols)


class Scene:
    """A desk whose book is full."""

    def __init__(self, symbols: int, orders: int) -> None:
        self.instruments = [
            Instrument(contract=Contract(con_id=1000 + n, symbol=f"S{n:02d}",
                                         currency="USD" if n % 2 else "EUR")) for n in range(symbols)
        ]
        self.limits = wide_limits(self.instruments)
        self.desk = Desk(Gate(self.limits))
        self.now = START
        self.moves = 0
        self._begin()
        self._fill(orders)
        self._looking = self.desk.look(self.now)

    def tell(self, *events: object) -> None:
        for event in events:
            self.desk.step(event, self.now)  # type: ignore[arg-type]

    def quotes(self) -> list[Quote]:
        """All markets move by a cent."""
        self.moves += 1
        bid = round(100 + (self.moves % 97) / 100, 2)
        return [Quote(con_id=each.contract.con_id, symbol=each.contract.symbol, time_ns=self.now,
                      bid=bid, ask=round(bid + 0.01, 2), last=bid) for each in self.instruments]

    def _begin(self) -> None:
        self.tell(Begin(prefix="b", client_id=1, account=ACCOUNT, port=7497), NextOrderId(order_id=1),
                  Link(state=LinkState.CONNECTED, session=1, accounts=(ACCOUNT,)),
                  *(Answer(kind=kind, session=1) for kind in (
                      AnswerKind.EXECUTIONS, AnswerKind.COMPLETED_ORDERS, AnswerKind.OPEN_ORDERS,
                      AnswerKind.POSITIONS)),
                  AccountValue(account=ACCOUNT, key="BuyingPower", value="1000000000000", currency="USD"),
                  AccountValue(account=ACCOUNT, key="ExchangeRate", value="1.0845210", currency="EUR"),
                  AccountValue(account=ACCOUNT, key="DayTradesRemaining", value="-1"),
                  *(StateHours(con_id=each.contract.con_id, symbol=each.contract.symbol, liquid=ALWAYS_OPEN,
                               trading=ALWAYS_OPEN) for each in self.instruments))

    def _fill(self, orders: int) -> None:
        """Brackets in turn over all contracts; every third entry is half filled."""
        self.tell(*self.quotes())
        for number in range(orders // 3):
            self.now += NS_PER_S // 100
            instrument = self.instruments[number % len(self.instruments)]
            wish = bracket(instrument.contract, Side.BUY, 100, limit="99.50", stop="95", target="110")
            self.tell(SubmitBracket(bracket=wish, instrument=instrument))
            if number % 3 == 0:
                self._execute(list(self.desk.state.book.orders.values())[-3], number)

    def _execute(self, entry: OurOrder, number: int) -> None:
        self.tell(Execution(
            exec_id=f"x.{number}.01", order_id=entry.order_id, perm_id=0, client_id=1, account=ACCOUNT,
            contract=entry.contract, side=Side.BUY, quantity=Decimal(50), price=Decimal("99.50"),
            time_ns=self.now, cumulative=Decimal(50), average_price=Decimal("99.50"),
            order_ref=entry.intent_id))

    def proposal(self, number: int) -> Proposal:
        order = Order(side=Side.BUY, quantity=Decimal(100), order_type=OrderType.LIMIT,
                      limit_price=Decimal("99.75"), account=ACCOUNT)
        return Proposal(instrument=self.instruments[number % len(self.instruments)], order=order,
                        role=Role.ENTRY, strategy="bench", signal_id=str(number), messages=3)

    def turn(self) -> Turn:
        """One turn for all: what it remembers of one judgement serves the next, as in a desk."""
        self._looking.now_ns = self.now
        return self._looking


def measure(scene: Scene, judgements: int, clock: Callable[[], int]) -> dict[str, list[int]]:
    """Nanoseconds of each judgement, by what was measured; of the quotes the mean of all contracts'."""
    times: dict[str, list[int]] = {"judge": [], "situation + judge": [], "the same, all moved": [],
                                   "a quote": []}
    for number in range(judgements):
        scene.now += 10_000_000
        proposal = scene.proposal(number)
        turn = scene.turn()
        moved = number % 2 == 1
        if moved or number % 50 == 0:
            quotes = scene.quotes()
            begin = clock()
            scene.tell(*quotes)
            times["a quote"].append((clock() - begin) // len(quotes))
        if not moved:
            situation(turn, proposal.contract, Side.BUY)  # what the quotes have moved is reckoned before
        begin = clock()
        where = situation(turn, proposal.contract, Side.BUY, signal=("bench", proposal.signal_id))
        known = clock()
        denial = scene.desk.gate.judge(proposal, where)
        end = clock()
        if isinstance(denial, Denial):
            raise SystemExit(f"the bench wants approvals: {denial}")
        times["judge"].append(end - known)
        times["the same, all moved" if moved else "situation + judge"].append(end - begin)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--symbols", type=int, default=50)
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--judgements", type=int, default=20_000)
    parser.add_argument("--cpu", action="store_true", help="this thread's time alone")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    scene = Scene(args.symbols, args.orders)
    clock = time.thread_time_ns if args.cpu else time.perf_counter_ns
    measure(scene, 1000, clock)  # warm
    times = measure(scene, args.judgements, clock)
    living = len(scene.desk.state.book.alive)
    figures = {}
    for what, taken in times.items():
        taken.sort()
        figures[what] = {part: taken[min(int(len(taken) * share), len(taken) - 1)] / 1000
                         for part, share in (("p50_us", 0.5), ("p99_us", 0.99), ("p99.9_us", 0.999))}
    if args.json:
        print(json.dumps({"symbols": args.symbols, "orders": living, "figures": figures}))
        return
    print(f"{args.symbols} symbols, {living} living orders, {args.judgements} judgements, all limits on")
    for what, parts in figures.items():
        print(f"  {what:22} " + "   ".join(f"{part[:-3]} {value:7.1f} us" for part, value in parts.items()))


if __name__ == "__main__":
    main()
