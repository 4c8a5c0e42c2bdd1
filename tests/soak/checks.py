"""What must hold after the faults have stopped, by the simulated TWS's own truth. Each answers complaints.

`open_points` is asked again and again until nothing is left or time is up; the rest is asked once, at the
end. What a fault makes unknowable stands in `UNTOLD` and `NEVER_TOLD`.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

from tests.soak.user import User
from tests.soak.watching import Watching

from tws.connection import QuoteStream, SendState, Stream, TWSConnection
from tws.connection.keeping.events import ConnectionState
from tws.connection.streaming.statestreams import AccountStream
from tws.exchange import Exchange
from tws.simulator import SimulatedTWS
from tws.world import Domain, World

__all__ = [
    "CLIENT",
    "NEVER_TOLD",
    "UNTOLD",
    "check_arrivals",
    "check_ids",
    "check_leaks",
    "check_pace",
    "check_served",
    "check_streams",
    "open_points",
]

CLIENT = 1
FILLS, ORDERS, POSITIONS = "fills", "orders", "positions"
UNTOLD = {
    "manual-order": (ORDERS, "orders of TWS itself are told to client 0 alone"),
    "missing-status": (ORDERS, "the one word that would have ended the order was never sent"),
    "modify-forks": (ORDERS, "the old order works on under an id that now means the new one"),
    "order-vanishes": (ORDERS, "it is gone without a word; only two complete answers that lack it show it"),
    "bad-position": (POSITIONS, "the last position told was wrong, and nothing says so"),
}
"""Faults after which a book of ours may lag behind the broker's until it is asked for again, and why."""
NEVER_TOLD = {"execution-bust": "no message tells of a bust, and no answer names the execution any more"}
"""Faults whose effect a client can't learn at all: of fills that we have and the broker does not, those that
it has annulled are no complaint.
"""


def open_points(
    connection: TWSConnection,
    user: User,
    marks: dict[Any, int],
    exchange: Exchange,
    watching: Watching,
    *,
    asked: bool,
) -> list[str]:
    """What keeps the run from being done. `marks`: how much had come of each stream when calm began. `asked`:
    the books were asked for since then, so nothing is excused but a bust.
    """
    found = []
    if connection.state is not ConnectionState.READY:
        found.append(f"state {connection.state}")
    for name, stream in user.streams:
        if not (stream.closed or _is_fed(stream, marks.get(stream, 0))):
            found.append(f"stream {name} is not fed since the calm began")
    waiting = Counter(name for name, reply in user.replies if not reply.done())
    found += [f"{count} requests wait: {name}" for name, count in waiting.items()]
    return found + check_books(connection, exchange, watching, asked=asked)


def _is_fed(stream: Stream, mark: int) -> bool:
    """Something has come since the calm began; or TWS has said all of an account and nothing has changed."""
    if stream.count > mark:
        return True
    return stream.gap is None and bool(getattr(stream, "is_complete", False))


def check_books(
    connection: TWSConnection, exchange: Exchange, watching: Watching, *, asked: bool
) -> list[str]:
    """Executions, open orders and positions: the broker's and ours. Until the books are asked for, what the
    broker does not tell this client is not held against it.
    """
    excused = set() if asked else {book for name, (book, _) in UNTOLD.items() if watching.met[name]}
    if watching.is_read_only:  # such a TWS tells nobody which orders work
        excused.add(ORDERS)
    found = _fills(connection, exchange, watching, ours_alone=not asked)
    if ORDERS not in excused:
        found += _orders(connection, exchange, own_alone=not asked)
    if POSITIONS not in excused:
        found += _positions(connection, exchange)
    return found


def _fills(
    connection: TWSConnection, exchange: Exchange, watching: Watching, *, ours_alone: bool
) -> list[str]:
    truth = {
        report.executed.exec_id.rpartition(".")[0]: report.executed
        for report in exchange.executions()
        if not ours_alone or report.executed.client_id == CLIENT
    }
    rows = connection.broker.executions
    known = {one.base_id: one for one in rows}
    twice = [base for base, count in Counter(one.base_id for one in rows).items() if count > 1]
    found = [f"fill {base} is in our book more than once" for base in twice]
    found += [f"fill {base} is not known" for base in truth.keys() - known.keys()]
    for base, mine in known.items():
        true = truth.get(base)
        if true is None:
            if base not in watching.busted and not (ours_alone and mine.client_id != CLIENT):
                found.append(f"fill {base} is none of the broker's")
            continue
        if (mine.exec_id, mine.quantity, mine.price, mine.side.value[0], mine.order_ref) != (
            true.exec_id,
            true.quantity,
            true.price,
            true.side[0],
            true.order_ref,
        ):
            found.append(f"fill {mine.exec_id}: {mine.quantity} at {mine.price}, the broker says {true}")
    if not ours_alone:
        found += _fees(connection, exchange)
    return sorted(found)


def _fees(connection: TWSConnection, exchange: Exchange) -> list[str]:
    found = []
    for report in exchange.executions():
        exec_id, true = report.executed.exec_id, report.commission
        mine = connection.broker.commission(exec_id)
        if mine is None or mine.amount != true.amount:
            found.append(f"fee of {exec_id}: {mine and mine.amount}, the broker says {true.amount}")
    return found


def _orders(connection: TWSConnection, exchange: Exchange, *, own_alone: bool) -> list[str]:
    truth = {
        view.perm_id: view for view in exchange.open_orders() if not own_alone or view.client_id == CLIENT
    }
    known = {order.perm_id: order for order in connection.broker.open_orders}
    found = [
        f"order {perm} ({truth[perm].status}) is not known as open" for perm in truth.keys() - known.keys()
    ]
    for perm, order in known.items():
        if perm not in truth and (order.perm_id or not own_alone):
            found.append(f"{order!r} is none that works at the broker")
    return sorted(found)


def _positions(connection: TWSConnection, exchange: Exchange) -> list[str]:
    truth = {row.con_id: row.quantity for row in exchange.positions() if row.quantity}
    known = {row.contract.con_id: row.quantity for row in connection.broker.positions}
    return [] if truth == known else [f"positions {known}, the broker holds {truth}"]


def check_streams(user: User, sim: SimulatedTWS) -> list[str]:
    """What open streams hold is what the market and the account say, and no bar was given twice."""
    found = []
    held = {row.con_id: row.quantity for row in sim.exchange.positions() if row.quantity}
    for name, stream in user.streams:
        if stream.closed:
            continue
        if isinstance(stream, QuoteStream):
            tape = sim.core.tapes[sim.con_id(stream.contract.symbol)]
            true = tape.grid.price(tape.bid), tape.grid.price(tape.ask)
            mine = stream.quote.bid, stream.quote.ask
            if mine != true and tape.bid_size and tape.ask_size:
                found.append(f"stream {name}: {mine}, the market says {true}")
        elif isinstance(stream, AccountStream):
            ours = {key: item.quantity for key, item in stream.portfolio.items() if item.quantity}
            if ours != held:
                found.append(f"stream {name} holds {ours}, the broker {held}")
    for name, times in user.bars.items():
        if any(later <= earlier for earlier, later in pairwise(times)):
            found.append(f"stream {name} gave a finished bar twice, or one after a later one")
    return found


def check_served(user: User, watching: Watching) -> list[str]:
    """TWS feeds what is open and nothing else. The one feed of an account has no id."""
    wanted = {
        stream.request_id
        for _, stream in user.streams
        if not (stream.closed or isinstance(stream, AccountStream))
    }
    served = watching.served()
    found = [f"request {number} is fed and nobody reads it" for number in served - wanted]
    return found + [f"request {number} is open and TWS does not know it" for number in wanted - served]


def check_pace(watching: Watching) -> list[str]:
    """The simulator refused nothing for being too much or too soon; a place whose cancel it has lost is its
    own fault.
    """
    lines = [line for line in watching.over_limit if not (watching.lost_cancels and "places" in line)]
    found = [f"beyond a limit: {line}" for line in lines]
    return found + ([f"{watching.hasty} messages beyond the rate of a second"] if watching.hasty else [])


def check_arrivals(user: User, watching: Watching) -> list[str]:
    """Each order arrived under its own id, and no more often than it was written."""
    written = Counter(one.order_id for one in user.sendings if one.state is SendState.WRITTEN)
    found = []
    for order_id, ref in sorted(set(watching.arrived)):
        if user.refs.get(ref) != order_id:
            found.append(f"order {order_id} arrived as {ref!r}, which we placed as {user.refs.get(ref)}")
    for order_id, count in Counter(order_id for order_id, _ in watching.arrived).items():
        if count > written[order_id]:
            found.append(f"order {order_id} arrived {count} times, {written[order_id]} were written")
    return found


def check_ids(user: User) -> list[str]:
    """No order id was given twice."""
    return [f"order id {number} was given {count} times" for number, count in user.given.items() if count > 1]


def check_leaks(world: World, domain: Domain, sessions: int) -> list[str]:
    """Of the program nothing is left: no task, no timer, no end of a link; and none at the simulator."""
    loop = world.loop
    tasks = [task.get_name() for task, owner in loop._tasks if owner is domain and not task.done()]
    timers = [
        repr(timer._callback)
        for *_, timer in loop._timers
        if timer.domain is domain and not timer.cancelled() and "tws.world" not in repr(timer._callback)
    ]
    found = [f"a task is left: {name}" for name in tasks] + [f"a timer is left: {name}" for name in timers]
    if world.network.ends:
        found.append(f"{len(world.network.ends)} ends of links are left")
    return found + ([f"{sessions} sessions are left at the simulator"] if sessions else [])
