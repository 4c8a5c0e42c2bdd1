"""How fast the desk steps, without I/O: 50 symbols, 95% quotes and 5% order events, as in a busy session.

    .venv/bin/python bench/desk.py [--events 400000] [--profile]

Each symbol runs through trades: a bracket, its acknowledgements, a partial and a full fill with their fees,
a target that fills, the sibling's end, and then the next trade; fifty are open at once. Between two order
events come nineteen quotes; once in a second of market time the desk is told that time has passed. Events are
made while the clock stands.

Two lines come out: events a second, and the same for order events alone. The goal is 100,000 events a second
(issue "The desk").
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from tws.clock import NS_PER_S
from tws.desk import Begin, Desk, SubmitBracket, TimerTick, Written
from tws.desk.commands import Event
from tws.model.contract import Contract
from tws.model.execution import Commission, Execution
from tws.model.facts import (
    Answer,
    AnswerKind,
    BrokerOrder,
    BrokerOrderStatus,
    Link,
    LinkState,
    NextOrderId,
)
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import Role, Side, bracket
from tws.model.records import Intended, Record
from tws.orders import OurOrder
from tws.risk import Gate, Limits

SYMBOLS = 50
QUOTES_BETWEEN = 19
ACCOUNT = "DU1234567"
T0 = 1_700_000_000 * NS_PER_S


@dataclass
class Clock:
    """What the steps cost; it runs only while a step does."""

    desk: Desk
    now_ns: int = T0
    took_s: float = 0.0
    orders_s: float = 0.0
    events: int = 0
    order_events: int = 0
    records: int = 0
    profile: cProfile.Profile | None = None

    def quotes(self, batch: list[Quote]) -> None:
        step, now_ns = self.desk.step, self.now_ns
        began = time.perf_counter()
        for quote in batch:
            step(quote, now_ns)
        self.took_s += time.perf_counter() - began
        self.events += len(batch)

    def order(self, event: Event) -> list[Record]:
        if self.profile is not None:
            self.profile.enable()
        began = time.perf_counter()
        records = self.desk.step(event, self.now_ns)
        took = time.perf_counter() - began
        if self.profile is not None:
            self.profile.disable()
        self.took_s += took
        self.orders_s += took
        self.events += 1
        self.order_events += 1
        self.records += len(records)
        for record in records:
            self.desk.effects(record)
        return records


@dataclass
class Symbol:
    """One symbol's trades, an order event at a time."""

    number: int
    clock: Clock
    contract: Contract = field(init=False)
    fills: int = 0

    def __post_init__(self) -> None:
        self.contract = Contract(con_id=1000 + self.number, symbol=f"S{self.number:02d}")

    def quote(self, tick: int) -> Quote:
        off = tick % 3 / 100  # most quotes move the price by which the position is valued
        return Quote(con_id=self.contract.con_id, symbol=self.contract.symbol, time_ns=self.clock.now_ns,
                     bid=99.98 + off, ask=100.00 + off, bid_size=100.0 + tick)

    def live(self) -> Generator[Event, list[Record], None]:
        """Trade after trade; each yield is one order event."""
        state = self.clock.desk.state
        while True:
            wish = bracket(self.contract, Side.BUY, 100, limit=100, stop=98, target=104)
            instrument = Instrument(contract=self.contract)
            records = yield SubmitBracket(bracket=wish, instrument=instrument)
            made = [state.book.orders[r.intent_id] for r in records if isinstance(r, Intended)]
            assert len(made) == 3, records
            for order in made:
                yield Written(order_id=order.order_id)
            by_role = {order.role: order for order in made}
            entry, target, stop = by_role[Role.ENTRY], by_role[Role.TARGET], by_role[Role.STOP]
            for order, status in ((entry, "Submitted"), (target, "PreSubmitted"), (stop, "PreSubmitted")):
                yield from self.pair(order, status)
            yield from self.fill(entry, 40, "Submitted", 60)
            yield from self.fill(entry, 60, "Filled", 0)
            yield from self.pair(entry, "Filled", 0)  # TWS says it twice
            for _ in range(6):
                yield from self.pair(stop, "PreSubmitted")  # repeated, as after each question
            yield from self.fill(target, 100, "Filled", 0)
            yield from self.pair(stop, "Cancelled", 100)

    def pair(self, order: OurOrder, status: str, remaining: int | None = None) -> Iterator[Event]:
        asked = order.order
        perm_id = 10_000 + order.order_id
        yield BrokerOrder(
            order_id=order.order_id, perm_id=perm_id, client_id=1, account=ACCOUNT, contract=self.contract,
            side=asked.side.value, quantity=asked.quantity, order_type=asked.order_type.value,
            limit_price=asked.limit_price, stop_price=asked.stop_price, tif="DAY", order_ref=order.intent_id,
            parent_id=asked.parent_id, status=status)
        rest = asked.quantity - order.filled if remaining is None else Decimal(remaining)
        yield BrokerOrderStatus(order_id=order.order_id, perm_id=perm_id, client_id=1, status=status,
                                filled=order.filled, remaining=rest)

    def fill(self, order: OurOrder, quantity: int, status: str, remaining: int) -> Iterator[Event]:
        self.fills += 1
        exec_id = f"{self.number:08x}.{self.fills:08x}.01.01"
        price = Decimal("100.00")
        yield Execution(
            exec_id=exec_id, order_id=order.order_id, perm_id=10_000 + order.order_id, client_id=1,
            account=ACCOUNT, contract=self.contract, side=order.order.side, quantity=Decimal(quantity),
            price=price, time_ns=self.clock.now_ns, cumulative=order.filled + quantity, average_price=price,
            order_ref=order.intent_id)
        yield from self.pair(order, status, remaining)
        yield Commission(exec_id=exec_id, amount=Decimal("1.00"), currency="USD")


def limits() -> Limits:
    """All limits but those that two hundred order events in a second of market time would break."""
    pace = ("max_messages_per_s", "message_reserve", "max_entries", "duplicate_window_s")
    off = {name: None for name in pace if name in Limits.__struct_fields__}
    return Limits(stale_quote_s=3600, **off)


def ready(clock: Clock) -> None:
    """A desk that is connected and has read everything."""
    clock.order(Begin(prefix="b", client_id=1, account=ACCOUNT, port=7497))
    clock.order(NextOrderId(order_id=1))
    clock.order(Link(state=LinkState.CONNECTED, session=1, accounts=(ACCOUNT,)))
    for kind in ("executions", "completed orders", "open orders", "positions"):
        clock.order(Answer(kind=AnswerKind(kind), session=1))


def run(events: int, profile: cProfile.Profile | None) -> Clock:
    clock = Clock(Desk(Gate(limits())))
    ready(clock)
    symbols = [Symbol(number, clock) for number in range(SYMBOLS)]
    clock.quotes([symbol.quote(0) for symbol in symbols])
    lives = [symbol.live() for symbol in symbols]
    nexts: list[Event] = [next(life) for life in lives]
    clock.took_s = clock.orders_s = 0.0
    clock.events = clock.order_events = clock.records = 0
    clock.profile = profile
    gc.collect()
    turn = 0
    while clock.events < events:
        number = (turn * 7) % SYMBOLS
        batch = [symbols[(turn + k) % SYMBOLS].quote(turn + k) for k in range(QUOTES_BETWEEN)]
        clock.quotes(batch)
        records = clock.order(nexts[number])
        nexts[number] = lives[number].send(records)
        turn += 1
        clock.now_ns += NS_PER_S // 250
        if turn % 250 == 0:
            clock.order(TimerTick())
    return clock


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--profile", action="store_true", help="where the order events' time goes")
    args = parser.parse_args()
    profile = cProfile.Profile() if args.profile else None
    clock = run(args.events, profile)
    if profile is not None:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    state = clock.desk.state
    print(f"desk step: {clock.events / clock.took_s:,.0f} events/s "
          f"({clock.events - clock.order_events:,} quotes, {clock.order_events:,} order events, "
          f"{len(state.open_groups)} trades open, {clock.records:,} records)")
    print(f"order events alone: {clock.order_events / clock.orders_s:,.0f}/s, "
          f"{clock.orders_s / clock.order_events * 1e6:.0f} us each")


if __name__ == "__main__":
    main()
