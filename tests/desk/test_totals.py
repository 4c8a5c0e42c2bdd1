"""The running totals equal a plain recount, whatever happens and in whatever order."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.desk.test_replay import _play, events

from tws.desk import Adjust, Desk, ModifyOrder
from tws.desk.losses import money_of
from tws.desk.rates import Money
from tws.desk.submit import situation
from tws.desk.worth import Others, Worth
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.order import OrderType, Role, Side
from tws.model.records import OrderState
from tws.orders import OurOrder
from tws.positions.book import multiplier

SPY = Contract(con_id=756733, symbol="SPY")
AAPL = Contract(con_id=265598, symbol="AAPL")
OPTION = Contract(con_id=77, symbol="SPY", sec_type="OPT", multiplier="100")
CONTRACTS = [SPY, AAPL, OPTION]
ACCOUNT = "DU1234567"
ZERO = Decimal(0)

more = st.one_of(
    st.tuples(
        st.just("enter on"),
        st.sampled_from(CONTRACTS),
        st.sampled_from(["BUY", "SELL"]),
        st.sampled_from([1, 50, 100]),
        st.sampled_from([None, 99.5, 100.0]),
    ),
    st.tuples(st.just("market"), st.sampled_from(CONTRACTS), st.sampled_from([99.0, 100.0, 101.5])),
    st.tuples(st.just("adjust"), st.sampled_from([-100, -10, 10, 100])),
    st.tuples(st.just("split"), st.sampled_from(["2", "4", "0.5"])),
    st.tuples(st.just("modify"), st.integers(0, 7), st.sampled_from(["99.4", "100.1"])),
)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(script=st.lists(events | more, max_size=40))
def test_the_totals_are_those_of_a_recount(new_bench, script) -> None:
    bench = new_bench()
    bench.begin()
    for step in script:
        match step:
            case "enter on", contract, side, quantity, limit:
                bench.enter(quantity, side, contract=contract, limit=limit)
            case "market", contract, price:
                bench.quote(price, price + 0.02, contract)
            case "adjust", quantity:
                bench.tell(adjusted(quantity=Decimal(quantity), price=Decimal(100)))
            case "split", ratio:
                bench.tell(adjusted(ratio=Decimal(ratio)))
            case "modify", number, price:
                orders = list(bench.desk.state.book.orders)
                if orders:
                    intent_id = orders[number % len(orders)]
                    bench.tell(ModifyOrder(intent_id=intent_id, limit_price=Decimal(price)))
            case _:
                _play(bench, *step)
        recount(bench.desk, bench.now, SPY)
        recount(bench.desk, bench.now, AAPL)
    recount(bench.desk, bench.now, OPTION)
    bench.check()


def adjusted(**fields: Decimal) -> Adjust:
    return Adjust(
        account=ACCOUNT,
        instrument=Instrument(contract=SPY),
        operator="ann",
        reason="test",
        ours=True,
        **fields,
    )


def recount(desk: Desk, now_ns: int, contract: Contract) -> None:
    """What the gate is told, against loops over every order there is."""
    state = desk.state
    for side in Side:
        turn = desk.look(now_ns)
        where = situation(turn, contract, side)
        mine = [
            order
            for order in state.book.orders.values()
            if (order.live or order.missing) and order.contract.con_id == contract.con_id
        ]
        entries, brought = entering(desk, contract.con_id), bringing(desk, contract.con_id)
        assert where.working_buys == shares_of(entries, Side.BUY)
        assert where.working_sells == shares_of(entries, Side.SELL)
        assert where.orders_on_side == sum(each.order.side is side for each in mine) + sum(
            each.exercise.each * side.sign > 0 for each in brought
        )
        assert set(where.unknown_orders) == {
            each.intent_id for each in (*mine, *brought) if each.state is OrderState.UNKNOWN
        }
        assert where.working_exits == exits(desk, mine, side)
        assert (where.own_bid, where.own_ask) == resting(desk, mine)
    money = money_of(desk.look(now_ns), contract.currency)
    kept = desk._beside.reckoned.worth.others(state, desk.quotes, contract, money)
    anew = Worth().others(state, desk.quotes, contract, money)
    assert replace(kept, unrated=()) == replace(anew, unrated=()), "what was moved is what is made anew"
    assert kept == worth(desk, contract, money, kept)


def bringing(desk: Desk, con_id: int) -> list[OurOrder]:
    """The exercises under way that bring shares of a contract."""
    open_ = [each for each in desk.state.book.orders.values() if each.live or each.missing]
    return [each for each in open_ if each.exercise and each.exercise.underlying
            and each.exercise.underlying.con_id == con_id]  # fmt: skip


def entering(desk: Desk, con_id: int) -> list[tuple[Side, Decimal, Decimal | None]]:
    """Side, open quantity and limit of what may still open: entries, and exercises at their strike."""
    found = [
        (each.order.side, each.open_quantity, each.order.limit_price)
        for each in desk.state.book.orders.values()
        if each.role is Role.ENTRY and each.contract.con_id == con_id and (each.live or each.missing)
    ]
    for order in bringing(desk, con_id):
        shares = order.exercise.each * order.open_quantity
        side = Side.BUY if shares > 0 else Side.SELL
        found.append((side, abs(shares), order.exercise.strike))
    return found


def shares_of(entries: list[tuple[Side, Decimal, Decimal | None]], side: Side) -> Decimal:
    return sum((quantity for of, quantity, _ in entries if of is side), ZERO)


def exits(desk: Desk, mine: list, side: Side) -> Decimal:  # type: ignore[type-arg]
    """Exits of one trade end each other; a child takes no more than its parent filled."""
    reach: dict[str, Decimal] = defaultdict(Decimal)
    for order in mine:
        if order.role is Role.ENTRY or order.order.side is not side:
            continue
        group = desk.state.groups.get(order.group_id)
        takes = order.open_quantity
        if group is not None and order.order.parent_id:
            takes = min(takes, max(desk.state.held(group), ZERO))
        key = order.group_id or order.intent_id
        reach[key] = max(reach[key], takes)
    return sum(reach.values(), ZERO)


def resting(desk: Desk, mine: list) -> tuple[Decimal | None, Decimal | None]:  # type: ignore[type-arg]
    prices: dict[Side, list[Decimal]] = {Side.BUY: [], Side.SELL: []}
    for order in mine:
        group = desk.state.groups.get(order.group_id)
        asleep = bool(order.order.parent_id) and group is not None and desk.state.held(group) <= 0
        if order.live and order.order.order_type is OrderType.LIMIT and not asleep:
            prices[order.order.side].append(order.order.limit_price)
    return max(prices[Side.BUY], default=None), min(prices[Side.SELL], default=None)


def worth(desk: Desk, contract: Contract, money: Money, kept: Others) -> Others:
    """The worst values, contract by contract."""
    state = desk.state
    found: dict[int, tuple[Contract, Decimal, Decimal, Decimal]] = {}
    lacking: dict[int, tuple[str, str]] = {}
    contracts = {each.contract.con_id: each.contract for each in state.book.orders.values()}
    contracts.update({each.exercise.underlying.con_id: each.exercise.underlying
                      for each in state.book.orders.values()
                      if each.exercise and each.exercise.underlying})  # fmt: skip
    contracts.update({each.contract.con_id: each.contract for each in state.ours.holdings.values()})
    for con_id, each in contracts.items():
        entries, net = entering(desk, con_id), state.net(each)
        buys, sells = shares_of(entries, Side.BUY), shares_of(entries, Side.SELL)
        mine = [
            order
            for order in state.book.orders.values()
            if order.contract.con_id == con_id and (order.live or order.missing)
        ]
        most, least = net + buys + exits(desk, mine, Side.BUY), net - sells - exits(desk, mine, Side.SELL)
        quote = desk.quotes.get(con_id)
        holding = state.ours.holdings.get(state.ours.key(state.account, con_id))
        price = round(holding.average_price, 8) if holding else ZERO
        if quote:
            known = [each for each in (quote.ask, quote.last, quote.bid) if each and 0 < each < float("inf")]
            price = Decimal(repr(known[0])) if known else price
        limits = [limit for _, _, limit in entries if limit is not None]
        price = max(price, *limits, ZERO) * multiplier(each)
        rate = money.rate(each.currency)
        if rate is None and (most or least or buys or sells):
            lacking[con_id] = (each.symbol, each.currency)
        price = round(price * (rate or ZERO), 8)
        found[con_id] = (each, most * price, least * price, (buys + sells) * price)
    other = [row for con_id, row in found.items() if con_id != contract.con_id]
    lacking.pop(contract.con_id, None)
    assert set(kept.unrated) == set(lacking.values())
    return Others(
        unrated=kept.unrated,
        gross=sum((max(abs(row[1]), abs(row[2])) for row in other), ZERO),
        if_bought=sum((row[1] for row in other), ZERO),
        if_sold=sum((row[2] for row in other), ZERO),
        symbol=sum(
            (max(abs(row[1]), abs(row[2])) for row in other if row[0].symbol == contract.symbol), ZERO
        ),
        working=sum((row[3] for row in found.values()), ZERO),
    )
