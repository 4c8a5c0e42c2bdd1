"""A spilled session answers what one in memory answers."""

from __future__ import annotations

from decimal import Decimal
from threading import Thread
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tws.exchange import AccountSetup, Archive, Exchange, ExecutionFilter, Habits, Listing, OrderTicket
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.order import Side
from tws.simulator.archive import SpillingArchive

DAY_NS = 86_400 * 10**9
steps = st.lists(
    st.tuples(
        st.sampled_from(["fill", "fill", "rest", "cancel", "change", "child", "held", "duplicate", "day"]),
        st.integers(1, 30), st.integers(1, 2),
    ),
    max_size=40,
)  # fmt: skip


def play(many: list[tuple[str, int, int]], archive: Archive | None) -> list[Any]:
    """Everything that an exchange says and answers over such a run."""
    listing = Listing(instrument=Instrument(contract=Contract(con_id=1, symbol="SPY")))
    exchange = Exchange(
        [listing], [AccountSetup(account="DU1")], archive=archive, habits=Habits(max_working=999)
    )
    said: list[Any] = list(exchange.quote(1, 10000, 10**6, 10001, 10**6, 1))
    now, next_id = 1, {1: 1, 2: 1}
    for kind, number, client in many:
        now += DAY_NS * 3 if kind == "day" else 1
        old = max(1, next_id[client] - number)
        if kind == "day":
            said += exchange.new_day(now)
        elif kind == "cancel":
            said += exchange.cancel(client, old, now)
        else:
            new = kind in ("fill", "rest", "child", "held")
            rests = kind in ("rest", "change", "child")
            ticket = OrderTicket(
                client_id=client, order_id=next_id[client] if new else old, account="DU1", con_id=1,
                side=Side.BUY,
                quantity=Decimal(10 + number), order_type="LMT" if rests else "MKT",
                limit_price=Decimal(90) if rests else None, tif="GTC", transmit=kind != "held",
                parent_id=old if kind == "child" else 0, carried=("as it came", number),
            )  # fmt: skip
            next_id[client] += new
            said += exchange.place(ticket, now)
    since = now - DAY_NS
    for wanted in (ExecutionFilter(), ExecutionFilter(client_id=2), ExecutionFilter(since_ns=since)):
        said += exchange.executions(wanted)
    said += exchange.completed_orders()
    for client in (1, 2):
        for order_id in range(next_id[client] + 1):
            said += exchange.cancel(client, order_id, now)
    return said


@settings(max_examples=80, deadline=None)
@given(many=steps, keep=st.integers(1, 4))
def test_a_spilled_session_answers_as_one_in_memory(many: list[tuple[str, int, int]], keep: int) -> None:
    archive = SpillingArchive(keep)
    assert play(many, archive) == play(many, None)
    archive.close()


def test_memory_holds_no_more_than_twice_what_is_kept() -> None:
    archive = SpillingArchive(5)
    many = [("fill", 1, 1)] * 200
    play(many, archive)
    assert len(archive._reports) < 10 and len(archive._done) < 10 and len(archive._recent) < 10
    assert len(list(archive.executions())) == 200
    rows = archive.executions()
    next(rows)
    archive.forget(10**18)
    assert len(list(rows)) < 200 and not list(archive.completed()), "a reader of what is forgotten just ends"
    archive.close()


def test_an_exchange_forgets_living_lists_of_what_ended() -> None:
    listing = Listing(instrument=Instrument(contract=Contract(con_id=1, symbol="SPY")))
    exchange = Exchange([listing], [AccountSetup(account="DU1")])
    exchange.quote(1, 10000, 100, 10001, 100, 1)
    for order_id in range(1, 400):
        price = Decimal(99 if order_id == 1 else 50)
        exchange.place(OrderTicket(
            client_id=1, order_id=order_id, account="DU1", con_id=1, side=Side.BUY, quantity=Decimal(1),
            limit_price=price,
        ), 2)  # fmt: skip
        if order_id > 1:  # the first lives, on top of all that die below it
            exchange.cancel(1, order_id, 2)
    core, book = exchange._core, exchange._core.books[1]
    assert len(core.orders) == len(core.live) == len(core.crowd) == 1 and not core.groups
    assert len(book.buys._heap) < 150, "dead entries are swept"


def test_whoever_ends_last_frees_the_disk() -> None:
    archive = SpillingArchive(5)
    writer = Thread(target=play, args=([("fill", 1, 1)] * 100, archive))
    writer.start()
    writer.join()
    assert len(list(archive.executions())) == 100
    archive.close()
