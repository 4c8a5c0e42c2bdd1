"""Whatever happens, in whatever order: the journal rebuilds the state, ids are unique, books add up.

The sequences are random and mostly absurd on purpose: the desk may be told anything by a broker that
repeats, skips and contradicts itself, and must neither crash nor remember what it has not written down.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tws.clock import NS_PER_S
from tws.desk import (
    Adopt,
    CancelAll,
    CancelIntent,
    DeclareGone,
    Desk,
    DeskState,
    Flatten,
    ModifyOrder,
    NotWritten,
    Place,
    ReserveIds,
    SubmitBracket,
    SubmitExercise,
    SubmitOrder,
    TimerTick,
    Withdrawn,
    Written,
)
from tws.desk.apply import apply
from tws.model.contract import Contract
from tws.model.execution import Commission
from tws.model.exercise import Exercise, ExerciseAction
from tws.model.facts import Answer, AnswerKind, BrokerReply, Link, LinkState, NextOrderId
from tws.model.instrument import Instrument
from tws.model.order import Role, Side, bracket
from tws.model.records import Booked, Exercised, Intended, Retired
from tws.model.signalrecords import SignalJudged
from tws.orders import STATUS_EVENTS
from tws.positions import split_exec_id

SPY = Contract(con_id=756733, symbol="SPY")
CALL = Contract(con_id=7, symbol="SPY", sec_type="OPT", multiplier="10", strike=90.0, right="C")
CODES = (103, 104, 110, 135, 161, 200, 201, 202, 399, 404, 504, 2109, 10006, 10147, 10148, 10349, 77777)

which = st.integers(0, 7)
small = st.integers(1, 120)
events = st.one_of(
    st.tuples(st.just("enter"), st.sampled_from(["BUY", "SELL"]), st.sampled_from([1, 50, 100])),
    st.tuples(st.just("add"), st.booleans(), small),
    st.tuples(st.just("exit"), st.sampled_from(list(Side)), small),
    st.tuples(st.just("status"), which, st.sampled_from([*STATUS_EVENTS, "Nonsense"]), small, st.booleans()),
    st.tuples(st.just("row"), which, st.sampled_from(list(STATUS_EVENTS)), st.booleans(), st.booleans()),
    st.tuples(st.just("fill"), which, small, st.integers(1, 6), st.integers(1, 2)),
    st.tuples(st.just("fee"), st.integers(1, 6), st.integers(1, 2)),
    st.tuples(st.just("reply"), which, st.sampled_from(CODES)),
    st.tuples(st.just("cancel"), which),
    st.tuples(st.just("cancel all"), st.booleans()),
    st.tuples(st.just("flatten"), st.sampled_from(["SPY", None]), st.sampled_from(["", "eod"])),
    st.tuples(st.just("link"), st.sampled_from(list(LinkState)), st.booleans()),
    st.tuples(st.just("answer"), st.sampled_from(list(AnswerKind)), st.integers(-100, 100)),
    st.tuples(st.just("next id"), st.integers(1, 40)),
    st.tuples(st.just("report"), st.sampled_from(["written", "withdrawn", "denied", "unsure"]), which),
    st.tuples(st.just("human"), st.sampled_from(["adopt", "gone", "reserve"]), which),
    st.tuples(st.just("modify"), which, st.sampled_from(["quantity", "limit_price", "stop_price"]), small),
    st.tuples(st.just("exercise"), st.integers(1, 3), st.booleans()),
    st.tuples(st.just("carried out"), st.booleans()),
    st.tuples(st.just("wait"), st.integers(1, 40)),
    st.tuples(st.just("days"), st.integers(1, 9)),
    st.tuples(st.just("restart")),
)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(script=st.lists(events, max_size=40))
def test_the_journal_rebuilds_the_state(new_bench, script) -> None:
    bench = new_bench()
    bench.begin()
    for step in script:
        _play(bench, *step)
    bench.check()
    _ids_are_unique(bench)
    _books_add_up(bench)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(script=st.lists(events, max_size=20))
def test_deciding_on_a_copy_moves_nothing_and_says_the_same(new_bench, script) -> None:
    bench = new_bench()
    bench.begin()
    for step in script:
        _play(bench, *step)
    before = bench.rebuilt().state
    twin: Desk = bench.desk
    decided = twin.decide(twin.state, TimerTick(), bench.now + 5_000_000_000)
    assert twin.state == before
    assert twin.step(TimerTick(), bench.now + 5_000_000_000) == decided


def _add(bench, follows: bool, quantity: int) -> None:  # type: ignore[no-untyped-def]
    """To the newest trade that holds, filled at once; or one whose exits follow what is added."""
    state = bench.desk.state
    groups = [state.groups[each] for each in state.open_groups]
    held = [each for each in groups if each.contract == SPY and not each.joins and state.held(each) > 0]
    if not held:
        moves = {"break_even": 3} if quantity % 2 else {"trail": 2}
        bench.enter(50, target_follows=True, stop_follows=follows, **moves)
        return
    base = held[-1]
    bench.quote()
    low, high = (98, 104) if base.side is Side.BUY else (102, 96)
    more = bracket(SPY, base.side, quantity, limit=100 - base.side.sign, stop=low, target=high)
    bench.tell(SubmitBracket(bracket=more, instrument=Instrument(contract=SPY), joins=base.group_id))
    bench.written()
    newest = state.groups[next(reversed(state.groups))]
    if newest.joins == base.group_id and follows:
        bench.fill(bench.order(newest.intents[0]), quantity, str(100 - base.side.sign))


def _exercise(bench, quantity: int, lapses: bool) -> None:  # type: ignore[no-untyped-def]
    """Of options that are bought when none are held."""
    bench.quote(contract=CALL)
    bench.quote()
    option = Instrument(contract=CALL)
    if bench.net(CALL) <= 0:
        bench.tell(SubmitOrder(instrument=option, side=Side.BUY, quantity=Decimal(3)))
        for place in bench.written():
            if place.contract == CALL:
                bench.fill(bench.order(place.intent_id), 3, "10")
    action = ExerciseAction.LAPSE if lapses else ExerciseAction.EXERCISE
    wish = Exercise(quantity=quantity, action=action)
    bench.tell(SubmitExercise(instrument=option, wish=wish, underlying=Instrument(contract=SPY)))
    bench.written()


def _carry_out(bench, told: bool) -> None:  # type: ignore[no-untyped-def]
    """The broker carries the first one that waits out: the positions, and perhaps the word, say so."""
    state = bench.desk.state
    waiting = [state.book.orders[each] for each in state.book.exercises if state.book.orders[each].live]
    for order in waiting[:1]:
        moves = {CALL: -order.order.quantity, SPY: order.exercise.each * order.order.quantity}
        for contract, change in moves.items():
            quantity = state.account_book.quantity(state.account, contract.con_id) + change
            bench.tell(replace(bench.position(0, contract), quantity=quantity))
        if told:
            bench.tell(replace(bench.row(order, "Filled"), order_ref=""))


def _play(bench, kind: str, *args) -> None:  # type: ignore[no-untyped-def]
    bench.ever.update(bench.desk.state.book.orders)
    orders = list(bench.ever.values())  # those that were packed away meanwhile too
    match kind, args:
        case "enter", (side, quantity):
            bench.enter(quantity, side)
        case "add", (follows, quantity):
            _add(bench, follows, quantity)
        case "exit", (side, quantity):
            bench.tell(
                SubmitOrder(
                    instrument=Instrument(contract=SPY),
                    side=side,
                    quantity=Decimal(quantity),
                    role=Role.CLOSE,
                )
            )
        case "exercise", (quantity, lapses):
            _exercise(bench, quantity, lapses)
        case "carried out", (told,):
            _carry_out(bench, told)
        case "link", (state, new):
            bench.session += new
            bench.tell(Link(state=state, session=bench.session, accounts=("DU1234567",)))
        case "answer", (answer_kind, quantity):
            rows = tuple(
                bench.row(order, "Submitted")
                for order in orders[::2]
                if answer_kind is AnswerKind.OPEN_ORDERS
            )
            positions = (bench.position(quantity),) if answer_kind is AnswerKind.POSITIONS else ()
            bench.tell(Answer(kind=answer_kind, session=bench.session, orders=rows, positions=positions))
        case "next id", (number,):
            bench.tell(NextOrderId(order_id=number))
        case "wait", (seconds,):
            bench.wait(seconds)
        case "days", (days,):
            bench.now += days * 24 * 3600 * NS_PER_S
            bench.tell(TimerTick())
        case "restart", ():
            bench.restart()
        case "flatten", (symbol, key):
            bench.tell(Flatten(symbol=symbol, reason="test", key=key))
        case "cancel all", (entries,):
            bench.tell(CancelAll(reason="test", entries_only=entries))
        case "fee", (number, revision):
            bench.tell(
                Commission(exec_id=f"x.{number}.0{revision}", amount=Decimal(revision), currency="USD")
            )
        case "human", ("reserve", _):
            bench.tell(ReserveIds(count=2))
        case "human", ("adopt", number):
            bench.tell(Adopt(perm_id=9000 + number, role=Role.ENTRY, operator="me", reason="test"))
        case _ if orders:
            number = next(arg for arg in args if isinstance(arg, int))
            _about(bench, orders[number % len(orders)], kind, args)


def _about(bench, order, kind: str, args) -> None:  # type: ignore[no-untyped-def]
    match kind, args:
        case "status", (number, status, filled, known):
            bench.tell(
                bench.status(
                    order,
                    status,
                    filled=min(filled, int(order.order.quantity)),
                    perm=None if known else 9000 + number,
                )
            )
        case "row", (number, status, completed, foreign):
            bench.tell(bench.row(order, status, perm=9000 + number if foreign else None, completed=completed))
        case "fill", (_, quantity, number, revision):
            bench.tell(bench.execution(order, quantity, exec_id=f"x.{number}.0{revision}"))
        case "reply", (_, code):
            bench.tell(BrokerReply(order_id=order.order_id, code=code, text="text"))
        case "modify", (_, name, value):
            if order.order.stop_price is not None or order.order.limit_price is not None:
                bench.tell(ModifyOrder(intent_id=order.intent_id, **{name: Decimal(value)}))
        case "cancel", _:
            bench.tell(CancelIntent(intent_id=order.intent_id, reason="test"))
        case "human", _:
            bench.tell(DeclareGone(intent_id=order.intent_id, operator="me", reason="test"))
        case "report", ("written", _):
            bench.tell(Written(order_id=order.order_id))
        case "report", ("withdrawn", _):
            bench.tell(Withdrawn(order_id=order.order_id))
        case "report", (how, _):
            bench.tell(NotWritten(order_id=order.order_id, reason="test", any_byte_left=how == "unsure"))


def _ids_are_unique(bench) -> None:  # type: ignore[no-untyped-def]
    intended = [record for record in bench.all_records if isinstance(record, Intended)]
    assert len({record.intent_id for record in intended}) == len(intended)
    assert len({record.order_id for record in intended}) == len(intended)
    placed = [(place.order_id, place.order.quantity) for place in bench.take(Place) if not place.modifies]
    assert len({order_id for order_id, _ in placed}) == len(placed), "an order was placed twice"


def _books_add_up(bench) -> None:  # type: ignore[no-untyped-def]
    """Our position is the sum of the latest version of each distinct execution that was attributed to us."""
    latest: dict[str, tuple[int, Decimal]] = {}
    for record in bench.all_records:
        ours = isinstance(record, Booked) and record.intent_id
        if ours and record.execution.contract.con_id == SPY.con_id:
            base, revision = split_exec_id(record.execution.exec_id)
            if base not in latest or latest[base][0] < revision:
                latest[base] = (revision, record.execution.signed_quantity)
    exercised = sum((each.shares for each in bench.all_records if isinstance(each, Exercised)), Decimal(0))
    assert bench.net() == sum((quantity for _, quantity in latest.values()), exercised)
    state = bench.desk.state
    packed = [order for key in state.shelf.bundles for order in state.shelf.look(key).orders]
    orders = [*state.book.orders.values(), *packed]
    shares = [order for order in orders if order.contract.con_id == SPY.con_id]
    by_intents = sum((order.filled * order.order.side.sign for order in shares), exercised)
    if not any(isinstance(record, Retired) and record.forgotten for record in bench.all_records):
        assert by_intents == bench.net()


def test_a_gate_knows_an_id_that_was_refused_before_for_what_it_was() -> None:
    """Found by seed 102 of the automation: one id for a foreign symbol, then for one that is traded."""
    foreign = SignalJudged(
        at_ns=1, source="s", signal_id="f12", symbol="ZZZZ", passed=False, model="m", reason="symbol"
    )
    passed = SignalJudged(at_ns=2, source="s", signal_id="f12", symbol="SPY", passed=True, model="m")
    again = replace(passed, at_ns=3, passed=False, reason="duplicate")
    state = DeskState()
    for record in (foreign, passed, again, replace(foreign, at_ns=4)):
        apply(state, record)
    assert list(state.judged.values()) == [passed]
