"""What holds over any sequence of inputs: nothing appears from nowhere, nothing is lost, nothing ends twice.

A run is a list of drawn steps, played on a floor with two clients, two stocks and every kind of
order, hours that open and close, and both habits of children. The books are reckoned again from
the events alone and compared with what the exchange answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from tws.exchange import (
    ChildrenWork,
    CommissionCharged,
    Condition,
    ConditionKind,
    Event,
    Executed,
    FarPrice,
    Habits,
    OrderOpened,
    Session,
    StatusChanged,
)
from tws.exchange.algos import Algo
from tws.exchange.kinds import KINDS, TIFS
from tws.exchange.special import Peg, Scale, Special
from tws.exchange.working import ARCS, Stage

SPY, IBM = 756733, 8314
ALGOS = ("Twap", "Vwap", "AD", "PctVol", "Adaptive")
NUMBERS = {
    "maxPctVol": Decimal("0.5"), "pctVol": Decimal("0.3"), "componentSize": Decimal(3),
    "timeBetweenOrders": Decimal(1), "noTakeLiq": Decimal(1),
}  # fmt: skip
ENDS = ("Filled", "Cancelled", "ApiCancelled", "Inactive")
HOURS = Session(regular=((1_000, 2_000), (3_000, 4_000)), extended=((500, 1_000),))


class Step(NamedTuple):
    kind: str
    client: int
    con_id: int
    a: int
    b: int
    c: int


steps = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from(
            (*["quote"] * 3, *["trade"] * 2, *["place"] * 3, "bracket", "oca", "change", "cancel",
             "cancel_all", "advance", "restart", "dialog", "short")
        ),
        client=st.integers(1, 2),
        con_id=st.sampled_from([SPY, IBM]),
        a=st.integers(0, 30),
        b=st.integers(0, 30),
        c=st.integers(0, 30),
    ),
    max_size=40,
)  # fmt: skip
habits = st.builds(
    Habits,
    duplicate_filled=st.booleans(),
    presubmitted_first=st.booleans(),
    children=st.sampled_from(ChildrenWork),
    cancel_latency_ns=st.sampled_from([0, 0, 15]),
    check_margin=st.booleans(),
    max_working=st.sampled_from([3, 20]),
    far_price=st.sampled_from(FarPrice),
    far_share=st.just(Decimal("0.001")),
)
sessions = st.sampled_from([Session(), HOURS])
METHODS = (0, 1, 2, 3, 4, 7, 8)
ADJUSTED: dict[str, Any] = {
    "trigger_price": Decimal("100.05"), "adjusted_order_type": "TRAIL",
    "adjusted_stop_price": Decimal("99.95"), "adjusted_trailing_amount": Decimal("0.05"),
}  # fmt: skip
PLAIN = ("MKT", "LMT", "STP", "STP LMT")
TYPES, TERMS = tuple(KINDS.values()), tuple(TIFS.values())


class Run:
    """Plays steps and keeps every event; no fill may exceed what the quote displayed."""

    def __init__(self, floor_type: Any, session: Session, habit: Habits) -> None:
        self.floor = floor_type(session, habits=habit, start=1_000, cash="20000")
        self.exchange = self.floor.exchange
        self.now = 1_000
        self.next_id = {1: 1, 2: 1}
        self.events: list[Event] = []
        self.shown = {SPY: {"BOT": 60, "SLD": 300}, IBM: {"BOT": 60, "SLD": 300}}
        self.taken: dict[tuple[int, str], int] = defaultdict(int)
        self.auctioned: set[tuple[int, int]] = set()  # fill in an auction, which is deep enough for all
        self.whole: set[tuple[int, int]] = set()  # fill whole or not at all

    def play(self, many: Sequence[Step]) -> list[Event]:
        for step in many:
            self.now += 7
            getattr(self, step.kind)(step)
        return self.events

    def hear(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Executed) and (event.client_id, event.order_id) not in self.auctioned:
                key = (event.con_id, event.side)
                self.taken[key] += int(event.quantity)
                assert self.taken[key] <= self.shown[event.con_id][event.side], "beyond the displayed size"
        self.events.extend(events)

    def quote(self, step: Step) -> None:
        self.hear(self.exchange.advance(self.now))
        bid, ask = 9985 + step.a, 9985 + step.a + 1 + step.c % 3
        self.shown[step.con_id] = {"SLD": step.b, "BOT": step.c}
        self.taken[step.con_id, "SLD"] = self.taken[step.con_id, "BOT"] = 0
        self.hear(self.exchange.quote(step.con_id, bid, step.b, ask, step.c, self.now))

    def trade(self, step: Step) -> None:
        self.hear(self.exchange.trade(step.con_id, 9985 + step.a, 1, self.now))

    def ticket(self, step: Step, order_id: int, side: str, kind: str, **more: Any) -> None:
        price = Decimal(9985 + step.a) / 100
        fields: dict[str, Any] = {
            "limit": price,
            "stop": price,
            "tif": ("DAY", "GTC", "IOC")[step.c % 3],
        } | more
        ticket = self.floor.ticket(
            order_id, side, more.pop("quantity", step.b), kind, client_id=step.client, con_id=step.con_id,
            **{"outside_rth": bool(step.a % 2)} | {key: fields[key] for key in fields if key != "quantity"},
        )  # fmt: skip
        self.hear(self.exchange.place(ticket, self.now))

    def fresh(self, step: Step) -> int:
        self.next_id[step.client] += 1
        return self.next_id[step.client] - 1

    def place(self, step: Step) -> None:
        order_id = self.fresh(step)
        kind, rule = TYPES[(step.a * 7 + step.b) % len(TYPES)], TERMS[(step.b + step.c) % len(TERMS)]
        if step.c % 3 == 0:
            kind = KINDS[("LMT", "MKT", "LMT", "REL")[step.a % 4]]
        whole = step.a % 5 == 0
        if kind.at_close or rule.at_open:
            self.auctioned.add((step.client, order_id))
        elif whole or rule.whole:
            self.whole.add((step.client, order_id))
        more: dict[str, Any] = {"stop": Decimal(step.c + 1) / 100} if kind.trails else {}
        self.ticket(
            step, order_id, ("BUY", "SELL")[step.a % 2], kind.text, tif=rule.text, all_or_none=whole,
            lmt_price_offset=Decimal(step.b) / 100, good_till_ns=self.now + 10 * step.b,
            good_after_ns=self.now + 20 * step.a if step.b % 4 == 0 else 0,
            trigger_method=METHODS[step.c % 7], min_qty=Decimal(step.c) if step.b % 3 == 0 else None,
            conditions=self.conditions(step), conditions_cancel_order=step.a % 3 == 0,
            conditions_ignore_rth=step.a % 2 == 0, special=self.special(step, kind.text), **more,
            **(ADJUSTED if kind.stop and step.c % 2 else {}),
        )  # fmt: skip

    def special(self, step: Step, kind: str) -> Special:
        """Some are shown in part, hidden, discreet, scaled or worked by an algo; references are IBM."""
        price, size, cent = Decimal(step.c % 4) / 100, Decimal(1 + step.a % 5), Decimal("0.01")
        peg = Peg(reference=IBM, per=cent * 2, change=cent, percent_offset=Decimal(step.c) / 50)
        parts: tuple[dict[str, Any], ...] = (
            {"shown": size}, {"hidden": True}, {"discretion": price or None}, {"min_trade": size},
            {"scale": Scale(initial=size, increment=cent, profit=price or None, restores=bool(price))},
            {"algo": Algo(strategy=ALGOS[step.a % 5], numbers=NUMBERS, times={"endTime": self.now + 100})},
        )  # fmt: skip
        if step.c % 3 or kind not in ("LMT", "MKT", "REL"):
            return Special(peg=peg)
        choices = {"LMT": 6, "REL": 5, "MKT": 2}[kind]
        return Special(peg=peg, to_limit=kind == "REL", **parts[step.b % choices])

    def conditions(self, step: Step) -> tuple[Condition, ...]:
        """Some orders have one or two."""
        price = Condition(
            kind=ConditionKind.PRICE, con_id=IBM, price=Decimal(9985 + step.c) / 100, is_more=step.a % 2 == 0,
            trigger_method=METHODS[step.b % 7], joins_and=step.b % 2 == 0,
        )  # fmt: skip
        others = (
            Condition(kind=ConditionKind.TIME, time_ns=self.now + 30 * step.b),
            Condition(kind=ConditionKind.EXECUTION, symbol="SPY", sec_type="STK", exchange="SMART"),
            Condition(kind=ConditionKind.MARGIN, amount=Decimal(90), is_more=False),
            Condition(kind=ConditionKind.VOLUME, con_id=SPY, amount=Decimal(step.c)),
            Condition(kind=ConditionKind.PERCENT_CHANGE, con_id=SPY, amount=Decimal(step.b - 15) / 100),
        )
        return ((), (), (price,), (price, others[step.c % 5]), (others[step.a % 5],))[step.c % 5]

    def dialog(self, step: Step) -> None:
        mishaps, order_id = self.exchange.mishaps, max(1, self.next_id[step.client] - 1 - step.a % 3)
        play = mishaps.hold if step.b % 2 else mishaps.release
        self.hear(play(step.client, order_id, self.now))

    def short(self, step: Step) -> None:
        self.hear(self.exchange.hold_short(step.con_id, step.b % 2 == 0, self.now))

    def bracket(self, step: Step) -> None:
        side, other = ("BUY", "SELL") if step.a % 2 else ("SELL", "BUY")
        parent = self.fresh(step)
        self.ticket(step, parent, side, PLAIN[step.c % 2], transmit=False)
        self.ticket(
            step, self.fresh(step), other, "LMT", parent_id=parent, transmit=False, oca_type=step.c % 4
        )
        self.ticket(step, self.fresh(step), other, "STP", parent_id=parent, transmit=step.b % 5 > 0)

    def oca(self, step: Step) -> None:
        for at in range(2):
            self.ticket(step, self.fresh(step), "SELL", ("LMT", "STP")[at], quantity=10 * (at + 1),
                        oca_group=f"G{step.c % 3}", oca_type=step.b % 4)  # fmt: skip

    def change(self, step: Step) -> None:
        order_id = max(1, self.next_id[step.client] - 1 - step.c % 4)
        self.whole.discard((step.client, order_id))
        kind = ("LMT", "LMT", "STP", "MKT", "TRAIL")[step.b % 5]
        self.ticket(step, order_id, ("BUY", "SELL")[step.a % 2], kind)

    def cancel(self, step: Step) -> None:
        self.hear(self.exchange.cancel(step.client, max(1, self.next_id[step.client] - step.a % 5), self.now))

    def cancel_all(self, step: Step) -> None:
        if step.a > 25:
            self.hear(self.exchange.global_cancel(self.now))

    def advance(self, step: Step) -> None:
        self.now += step.a * step.b
        self.hear(self.exchange.advance(self.now))

    def restart(self, step: Step) -> None:
        self.hear(self.exchange.advance(self.now))
        self.exchange.restart(self.now)


@given(many=steps, session=sessions, habit=habits)
@settings(max_examples=150, deadline=None)
def test_positions_cash_and_fees_are_the_sum_of_the_fills(
    Floor_: Any, many: Any, session: Any, habit: Any
) -> None:
    run = Run(Floor_, session, habit)
    events = run.play(many)
    shares: dict[int, Decimal] = defaultdict(Decimal)
    cash = Decimal(20_000)
    seen = set()
    for event in events:
        if isinstance(event, Executed):
            sign = 1 if event.side == "BOT" else -1
            shares[event.con_id] += sign * event.quantity
            cash -= sign * event.quantity * event.price
            assert event.exec_id not in seen
            seen.add(event.exec_id)
        elif isinstance(event, CommissionCharged):
            assert event.amount >= 0
            cash -= event.amount
    rows = {row.con_id: row for row in run.exchange.positions()}
    assert {con_id: row.quantity for con_id, row in rows.items()} == dict(shares)
    ledger = run.exchange._core.ledgers["DU1"]
    assert ledger.cash == {"USD": cash}, "to the last digit"
    costs = sum((holding.cost for holding in ledger.holdings.values()), Decimal(0))
    realised = sum((row.realized_pnl for row in rows.values()), Decimal(0))
    assert cash - 20_000 == realised - costs, "cash = realised less what the holdings cost"
    told = [event.realized_pnl for event in events if isinstance(event, CommissionCharged)]
    assert sum((pnl for pnl in told if pnl is not None), Decimal(0)) == realised
    for holding in ledger.holdings.values():
        assert holding.quantity or not holding.cost, "a closed holding keeps no cost"


@given(many=steps, session=sessions, habit=habits)
@settings(max_examples=150, deadline=None)
def test_no_order_ends_twice_or_speaks_after_its_end(
    Floor_: Any, many: Any, session: Any, habit: Any
) -> None:
    run = Run(Floor_, session, habit)
    ended: dict[Any, str] = {}
    filled: dict[int, Decimal] = defaultdict(Decimal)
    for event in run.play(many):
        if isinstance(event, Executed):
            assert event.perm_id not in ended, "a fill after the end"
            filled[event.perm_id] += event.quantity
            assert event.cumulative == filled[event.perm_id]
        if isinstance(event, OrderOpened | StatusChanged):
            order = event.order
            assert order.filled + order.remaining == order.total and order.filled >= 0
            assert order.filled == filled[order.perm_id], (
                "a status tells neither more nor less than the executions"
            )
            assert (order.status == "Filled") == (order.remaining == 0)
            key = order.perm_id or (order.client_id, order.order_id)
            if key in ended:
                assert ended[key] == order.status == "Filled", (
                    "only the deliberate duplicate speaks after an end"
                )
            if isinstance(event, StatusChanged) and order.status in ENDS:
                ended[key] = order.status
    done = [row.order.perm_id for row in run.exchange.completed_orders()]
    living = [order.perm_id for order in run.exchange.open_orders()]
    assert sorted(done) == sorted(key for key in ended if isinstance(key, int))
    assert not set(done) & set(living) and len(set(living)) == len(living)
    members = [order for group in run.exchange._core.groups.values() for order in group]
    assert all(order.live for order in members), "the dead leave their group"
    assert all(
        not order.live or order.stage is not Stage.ACCEPTED for order in run.exchange._core.orders.values()
    )


@given(many=steps, session=sessions, habit=habits)
@settings(max_examples=150, deadline=None)
def test_what_fills_whole_has_one_execution_and_whoever_ended_watches_nothing(
    Floor_: Any, many: Any, session: Any, habit: Any
) -> None:
    run = Run(Floor_, session, habit)
    for event in run.play(many):
        if isinstance(event, OrderOpened) and (event.order.client_id, event.order.order_id) in run.whole:
            assert not event.order.filled or not event.order.remaining
    for book in run.exchange._core.books.values():
        assert all(order.live and book in order.watched for order in book.watchers)


@given(many=steps, session=sessions, habit=habits)
@settings(max_examples=150, deadline=None)
def test_equal_inputs_give_equal_events(Floor_: Any, many: Any, session: Any, habit: Any) -> None:
    assert Run(Floor_, session, habit).play(many) == Run(Floor_, session, habit).play(many)


@given(
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=4),
    kind=st.integers(1, 3),
    quotes=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 15)), max_size=30),
)
@settings(max_examples=150, deadline=None)
def test_a_group_never_fills_more_than_one_whole(Floor_: Any, sizes: Any, kind: int, quotes: Any) -> None:
    floor = Floor_(check_margin=False)
    for at, size in enumerate(sizes):
        floor.place(at + 1, "SELL", size, "LMT", limit=101 + at, oca_group="G", oca_type=kind)
    for step, lots in quotes:
        floor.quote(10000 + 100 * step, lots, 11000, 10)
    parts: dict[int, Fraction] = defaultdict(Fraction)
    for report in floor.exchange.executions():
        order_id = report.executed.order_id
        parts[order_id] += Fraction(int(report.executed.quantity), sizes[order_id - 1])
    assert sum(parts.values()) <= 1
    if kind == 1:
        assert len(parts) <= 1, "type 1 leaves one order alone in the field"


@given(
    size=st.integers(1, 50),
    habit=st.sampled_from(ChildrenWork),
    market=st.lists(st.tuples(st.integers(9750, 10250), st.integers(0, 20), st.integers(0, 20)), max_size=30),
)
@settings(max_examples=150, deadline=None)
def test_a_bracket_never_sells_more_than_it_bought(Floor_: Any, size: int, habit: Any, market: Any) -> None:
    floor = Floor_(children=habit)
    floor.bracket(size)
    for price, bid_lots, ask_lots in market:
        floor.trade(price)
        floor.quote(price, bid_lots, price + 1, ask_lots)
        assert floor.position() >= 0
        if not floor.open_ids():
            assert floor.position() == 0, "an ended bracket leaves nothing"


def test_the_table_of_stages_is_closed_and_every_end_is_final() -> None:
    assert set(ARCS) == set(Stage)
    assert ARCS[Stage.DONE] == ()
    assert all(Stage.DONE in after for stage, after in ARCS.items() if stage is not Stage.DONE)
    assert all(Stage.UNTRANSMITTED not in after for after in ARCS.values()), "nothing is untransmitted again"
