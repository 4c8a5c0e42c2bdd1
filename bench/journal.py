"""The journal's numbers: a commit beside the disk's own sync, and the recovery of a million records.

    python bench/journal.py [--records 1000000] [--commits 3000] [--folder FOLDER]

The records are those of brackets that a real desk submits, works and fills, over 50 symbols, one in twenty
seconds: a million records are a week. The recovery opens the journal, proves every hash, decodes and
applies every record; then once more from a snapshot with a tail of 1,000 records. The folder decides
which disk is measured. Numbers belong here, never into a test.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path

import psutil

from tws.desk import Begin, Desk, SubmitBracket, TimerTick, Written
from tws.journal import SQLiteStore, read_journal, recover, recover_file
from tws.journal.chain import Chain
from tws.journal.snapshot import snapshot_path
from tws.model.contract import Contract
from tws.model.execution import Commission, Execution
from tws.model.facts import Answer, AnswerKind, BrokerOrder, BrokerOrderStatus, Link, LinkState, NextOrderId
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import bracket
from tws.model.records import Record, decode_records, encode_record
from tws.orders import OurOrder
from tws.risk import Gate, Limits

ACCOUNT = "DU1234567"
SYMBOLS = [Contract(con_id=1000 + number, symbol=f"SYM{number}") for number in range(50)]


class Day:
    """A desk that trades one bracket after the other, and the records that it makes."""

    def __init__(self) -> None:
        self.desk = Desk(Gate(Limits()))
        self.now_ns = 1_700_000_000 * 10**9
        self.perm = self.fill = 0

    def records(self) -> Iterator[Record]:
        """Without an end."""
        yield from self.tell(Begin(prefix="b", client_id=1, account=ACCOUNT, port=7497))
        yield from self.tell(NextOrderId(order_id=1))
        yield from self.tell(Link(state=LinkState.CONNECTED, session=1, accounts=(ACCOUNT,)))
        for kind in AnswerKind:
            yield from self.tell(Answer(kind=kind, session=1))
        number = 0
        while True:
            yield from self.trade(SYMBOLS[number % len(SYMBOLS)])
            number += 1

    def tell(self, event: object) -> list[Record]:
        self.now_ns += 500_000_000
        records = self.desk.step(event, self.now_ns)  # type: ignore[arg-type]
        for record in records:
            self.desk.effects(record)
        return records

    def trade(self, contract: Contract) -> Iterator[Record]:
        """Submitted, acknowledged, filled in two parts, closed by its target; the stop is cancelled."""
        self.tell(Quote(con_id=contract.con_id, symbol=contract.symbol, time_ns=self.now_ns, bid=99.99,
                        ask=100.01))
        yield from self.tell(SubmitBracket(bracket=bracket(contract, "BUY", 100, stop=98, target=104),
                                           instrument=Instrument(contract=contract)))
        group = next(reversed(self.desk.state.groups.values()))
        entry, target, stop = (self.desk.state.book.orders[intent] for intent in group.intents)
        for order in (entry, target, stop):
            yield from self.tell(Written(order_id=order.order_id))
            yield from self.word(order, "Submitted" if order is entry else "PreSubmitted")
        for quantity in (60, 40):
            yield from self.filled(entry, quantity, "100.01")
        yield from self.filled(target, 100, "104")
        yield from self.word(stop, "Cancelled")
        yield from self.tell(TimerTick())

    def word(self, order: OurOrder, status: str) -> Iterator[Record]:
        if not order.perms:
            self.perm += 1
        perm = next(iter(order.perms), self.perm)
        wish = order.order
        yield from self.tell(BrokerOrder(
            order_id=order.order_id, perm_id=perm, client_id=1, account=ACCOUNT, contract=order.contract,
            side=wish.side, quantity=wish.quantity, order_type=wish.order_type, limit_price=wish.limit_price,
            stop_price=wish.stop_price, tif="DAY", order_ref=order.intent_id, parent_id=wish.parent_id,
            status=status))
        yield from self.tell(BrokerOrderStatus(
            order_id=order.order_id, perm_id=perm, client_id=1, status=status, filled=order.filled,
            remaining=wish.quantity - order.filled))

    def filled(self, order: OurOrder, quantity: int, price: str) -> Iterator[Record]:
        self.fill += 1
        exec_id = f"0000e0d5.{self.fill:08x}.01.01"
        yield from self.tell(Execution(
            exec_id=exec_id, order_id=order.order_id, perm_id=next(iter(order.perms)), client_id=1,
            account=ACCOUNT, contract=order.contract, side=order.order.side, quantity=Decimal(quantity),
            price=Decimal(price), time_ns=self.now_ns, cumulative=order.filled + quantity,
            average_price=Decimal(price), order_ref=order.intent_id))
        yield from self.word(order, "Filled" if order.filled >= order.order.quantity else "Submitted")
        yield from self.tell(Commission(exec_id=exec_id, amount=Decimal("1.05"), currency="USD"))


def percentiles(times_s: list[float]) -> str:
    cuts = statistics.quantiles(times_s, n=100)
    return f"p50 {cuts[49] * 1e3:.3f} ms  p99 {cuts[98] * 1e3:.3f} ms"


def disk_sync(folder: Path, count: int) -> list[float]:
    """The disk by itself: 4 KiB appended and synced."""
    times = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(count):
            file.write(b"\1" * 4096)
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return times


async def commits(folder: Path, rows: list[bytes], count: int) -> list[float]:
    """Groups of ten records, each committed before the next."""
    store = SQLiteStore(folder / "commits.sqlite3")
    times = []
    for number in range(count):
        group = rows[number * 10 % 10_000 :][:10]
        began = time.perf_counter()
        store.append(group)
        await store.commit()
        times.append(time.perf_counter() - began)
    store.close()
    return times


def timed(what: str, call: Callable[[], object], records: int) -> float:
    began, busy = time.perf_counter(), time.process_time()
    call()
    took, busy = time.perf_counter() - began, time.process_time() - busy
    print(f"{what:<44} {took:8.2f} s (of the processor {busy:.2f})  {records / took:>10,.0f} records/s")
    return took


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--commits", type=int, default=3_000)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        rows = [encode_record(record) for record in islice(Day().records(), 10_000)]
        print(f"disk alone, 4 KiB and fsync:  {percentiles(disk_sync(folder, options.commits))}")
        taken = asyncio.run(commits(folder, rows, options.commits))
        print(f"commit of ten records:        {percentiles(taken)}")
        recovery(folder, options.records)


def recovery(folder: Path, count: int) -> None:
    path = folder / "journal.sqlite3"
    more = write(path, count)
    size = path.stat().st_size / 2**20
    print(f"{count:,} records, {size:.0f} MiB")
    timed("read, hashes checked", lambda: sum(len(page) for page in Chain(path).pages()), count)
    timed("read and decoded", lambda: sum(1 for _ in decode_records(read_journal(path))), count)
    desk = Desk(Gate(Limits()))
    timed("recovery without a snapshot", lambda: recover_file(desk, path, use_snapshot=False), count)
    store = SQLiteStore(path)
    recover(Desk(Gate(Limits())), store)  # writes the snapshot
    print(f"snapshot: {snapshot_path(path).stat().st_size / 2**20:.0f} MiB")
    store.append([encode_record(record) for record in islice(more, 1_000)])
    store.close()
    again = Desk(Gate(Limits()))
    timed("recovery from a snapshot and 1,000 records", lambda: recover_file(again, path), count + 1_000)
    print(f"memory at the end: {psutil.Process().memory_info().rss / 2**20:.0f} MiB")


def write(path: Path, count: int) -> Iterator[Record]:
    """A journal of that many records; answers those that would follow."""
    endless = Day().records()
    records = islice(endless, count)
    store = SQLiteStore(path)

    async def all_of_it() -> None:
        while group := [encode_record(record) for record in islice(records, 5_000)]:
            store.append(group)
            await store.commit()

    asyncio.run(all_of_it())
    store.close()
    return endless


if __name__ == "__main__":
    main()
