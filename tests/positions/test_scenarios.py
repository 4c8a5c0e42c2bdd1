"""Named scenarios: what moves a position while nobody watches, with the whole trader and the simulator."""

from __future__ import annotations

from decimal import Decimal

from tests.positions.stage import EVENING_NS, Stage

from tws.desk import AdjustCash, ConfirmOpening

D = Decimal


def compare_with_the_broker(stage: Stage) -> None:
    """The account's book beside the broker's own ledger: quantity and, to the cent, cost."""
    for row in stage.sim.exchange.positions("DU1234567"):
        key = stage.state.ours.key(row.account, row.con_id)
        held = stage.state.account_book.holdings[key]
        assert held.quantity == row.quantity
        assert abs(held.average_cost - row.average_cost) < D("0.005")


def test_an_outage_over_midnight_in_which_the_entry_fills() -> None:
    """Gateway mode: the executions of yesterday come in no answer (INCIDENTS.md 4, 5)."""

    async def play(stage: Stage) -> None:
        trade = await stage.enter(100, limit=99.5)
        await stage.wait(5)
        stage.go_dark()
        await stage.wait(60)
        stage.quote(99.4)  # 23:51: the entry fills, and nobody hears of it
        stage.quote(100.0)
        assert len(stage.sim.exchange.executions()) == 1
        await stage.wait(1200)
        await stage.light()
        assert stage.sim.exchange.executions() != (), "the exchange knows, the Gateway no longer tells"
        assert await stage.trader.connection.request_completed_orders() == [], "those of today alone"
        await stage.wait(60)
        (record,) = stage.inferred()
        assert (record.intent_id, record.quantity) == (trade.intent_id, 100)
        assert (stage.ours(), stage.account()) == (100, 100)
        assert any("without an execution" in alert.text for alert in stage.alerts)
        assert stage.stops_at_the_broker() == [(100, D(95))], "the stop is still there, and ours"
        assert stage.blocking() == []
        compare_with_the_broker(stage)

    Stage(EVENING_NS, execution_days=1).run(play)


def test_the_same_with_a_tws_that_remembers_a_week_needs_no_inference() -> None:
    async def play(stage: Stage) -> None:
        await stage.enter(100, limit=99.5)
        await stage.wait(5)
        stage.go_dark()
        stage.quote(99.4)
        stage.quote(100.0)
        await stage.wait(1200)
        await stage.light()
        await stage.wait(60)
        assert stage.inferred() == []
        assert (stage.ours(), stage.account()) == (100, 100)
        compare_with_the_broker(stage)

    Stage(EVENING_NS, execution_days=7).run(play)


def test_an_outage_over_midnight_in_which_the_stop_fills() -> None:
    async def play(stage: Stage) -> None:
        trade = await stage.enter(100)
        await stage.wait(5)
        assert stage.ours() == 100
        stage.go_dark()
        stage.quote(94.0)
        stage.sim.trade("SPY", 94.0)
        stage.quote(94.0)
        await stage.wait(1200)
        await stage.light()
        await stage.wait(90)
        (record,) = stage.inferred()
        assert (record.quantity, record.price, record.priced) == (-100, D(95), "its stop price")
        assert (stage.ours(), stage.account()) == (0, 0)
        assert trade.over and stage.blocking() == []
        assert stage.stops_at_the_broker() == []

    Stage(EVENING_NS, execution_days=1).run(play)


def test_a_split_of_four_to_one_with_a_working_stop() -> None:
    """The broker cancels the stop and quadruples the shares, without an execution. No stop leaves at the old
    price; after `tws adjust` one protects all 400 at a quarter of it.
    """

    async def play(stage: Stage) -> None:
        await stage.enter(100)
        await stage.wait(5)
        cost = stage.state.ours.exposed()[0].net_cost
        stage.price = 25.0
        stage.broker(stage.sim.exchange.corporate.split(stage.con_id("SPY"), D(4), stage.sim.now_ns()))
        stage.quote(25.0)
        await stage.wait(60)
        assert (stage.ours(), stage.account(), stage.blocking()) == (100, 100, ["position"])
        assert stage.stops_at_the_broker() == [] and stage.sim.exchange.positions()[0].quantity == 400
        assert any("NOT PROTECTED" in alert.text for alert in stage.alerts)
        denied = await stage.enter(10, limit=99.0)
        assert denied.denial is not None and denied.denial.limit in ("entries_blocked", "bracket_sides")
        await stage.adjust(ratio=D(4), ours=True)
        await stage.wait(30)
        assert (stage.ours(), stage.account(), stage.blocking()) == (400, 400, [])
        assert stage.state.ours.exposed()[0].net_cost == cost
        assert stage.stops_at_the_broker() == [(400, D("23.75"))]
        compare_with_the_broker(stage)

    Stage().run(play)


def test_an_assignment() -> None:
    """A sold put is assigned: the option goes and shares come, without an execution of either."""

    def sell_a_put(stage: Stage) -> None:
        put = stage.put()
        stage.broker(stage.sim.exchange.corporate.transfer("DU1234567", put.con_id, D(-1), D("1.50"),
                                                           stage.sim.now_ns()))  # fmt: skip

    async def play(stage: Stage) -> None:
        put = stage.put()
        assert stage.state.account_book.quantity("DU1234567", put.con_id) == -1
        stage.broker(stage.sim.exchange.corporate.exercise("DU1234567", put.con_id, D(1), stage.con_id("SPY"),
                                                           stage.sim.now_ns()))  # fmt: skip
        await stage.wait(30)
        assert stage.blocking() == ["position", "position"]
        denied = await stage.enter(10)
        assert denied.denial is not None and denied.denial.limit == "entries_blocked"
        await stage.adjust(1, contract=put)
        await stage.adjust(100, price=D(560))
        await stage.wait(5)
        assert stage.blocking() == []
        compare_with_the_broker(stage)

    Stage().run(play, sell_a_put)


def test_300_shares_held_before_us_stay_as_they_are() -> None:
    def before(stage: Stage) -> None:
        stage.by_hand("BUY", 300)

    async def play(stage: Stage) -> None:
        assert (stage.ours(), stage.account()) == (0, 300)
        await stage.trader.ask(ConfirmOpening(account="DU1234567", operator="ann", reason="my own shares"))
        await stage.enter(100)
        await stage.wait(5)
        assert (stage.ours(), stage.account()) == (100, 400)
        assert [(row.ours, row.others) for row in stage.trader.holdings()] == [(100, 300)]
        compare_with_the_broker(stage)
        assert await stage.trader.flatten("SPY")
        await stage.wait(5)
        assert (stage.ours(), stage.account()) == (0, 300)
        assert stage.sim.exchange.positions()[0].quantity == 300
        assert stage.standing() == ()

    Stage().run(play, before)


def test_a_manual_sale_of_half_of_ours() -> None:
    """Our stop would sell more than is left and turn the account short: it shrinks before a human speaks."""

    async def play(stage: Stage) -> None:
        await stage.enter(100)
        await stage.wait(5)
        stage.by_hand("SELL", 50)
        await stage.wait(20)
        assert (stage.ours(), stage.account(), stage.blocking()) == (100, 50, ["shortfall"])
        assert stage.stops_at_the_broker() == [(50, D(95))]
        await stage.adjust(-50, ours=True, account_too=False, price=D(100))
        await stage.wait(5)
        assert (stage.ours(), stage.account(), stage.blocking()) == (50, 50, [])
        stage.quote(94.0)
        stage.sim.trade("SPY", 94.0)
        await stage.wait(5)
        assert (stage.ours(), stage.account()) == (0, 0)
        assert stage.sim.exchange.positions()[0].quantity == 0, "and not short"

    Stage().run(play)


def test_a_bust_of_one_of_our_fills() -> None:
    async def play(stage: Stage) -> None:
        stage.by_hand("BUY", 10)
        await stage.wait(2)
        trade = await stage.enter(100)
        await stage.wait(5)
        entry = stage.state.book.orders[trade.intent_id]
        fill = next(row.executed for row in stage.sim.exchange.executions() if row.executed.order_ref)
        stage.broker(stage.sim.exchange.mishaps.bust(fill.exec_id, stage.sim.now_ns()))
        await stage.wait(60)
        assert (stage.ours(), stage.account(), entry.filled) == (0, 10, 0)
        assert any("taken back" in alert.text for alert in stage.alerts)
        assert stage.stops_at_the_broker() == [] and stage.blocking() == []
        compare_with_the_broker(stage)

    Stage().run(play)


def test_a_correction_of_one_of_our_fills() -> None:
    async def play(stage: Stage) -> None:
        await stage.enter(100)
        await stage.wait(5)
        fill = stage.sim.exchange.executions()[0].executed
        stage.broker(stage.sim.exchange.mishaps.correct(fill.exec_id, D("99.00"), stage.sim.now_ns()))
        await stage.wait(5)
        holding = stage.state.ours.exposed()[0]
        assert (holding.quantity, holding.average_price) == (100, D("99.00"))
        assert stage.standing() == ()
        compare_with_the_broker(stage)

    Stage().run(play)


def test_cash_that_comes_from_outside_is_shown_and_explained() -> None:
    """Trades, ours and a human's, make no difference; a deposit does, and stops nothing."""

    async def play(stage: Stage) -> None:
        await stage.enter(100)
        await stage.wait(5)
        assert await stage.trader.flatten("SPY")
        stage.by_hand("BUY", 70, "QQQ")
        await stage.wait(1000)
        cash = stage.state.cash["DU1234567/USD"]
        assert (cash.difference, stage.standing()) == (0, ())
        assert cash.stated != cash.base, "the trades have moved it"
        stage.broker(stage.sim.exchange.corporate.deposit("DU1234567", "USD", D(500), stage.sim.now_ns()))
        await stage.wait(1000)
        (row,) = stage.standing()
        assert (row.kind, row.blocks) == ("cash", False)
        await stage.trader.ask(AdjustCash(account="DU1234567", currency="USD", amount=D(500), operator="ann",
                                          reason="my deposit"))  # fmt: skip
        await stage.wait(1000)
        assert stage.standing() == ()

    Stage().run(play)


def test_two_accounts_of_one_login_are_kept_apart() -> None:
    def before(stage: Stage) -> None:
        for account, shares in (("DU1234567", 30), ("DU7654321", 70)):
            stage.broker(stage.sim.exchange.corporate.transfer(account, stage.con_id("QQQ"), D(shares), D(40),
                                                               stage.sim.now_ns()))  # fmt: skip

    async def play(stage: Stage) -> None:
        await stage.enter(100)
        await stage.wait(5)
        book, con_id = stage.state.account_book, stage.con_id("QQQ")
        assert [book.quantity(account, con_id) for account in ("DU1234567", "DU7654321")] == [30, 70]
        assert book.quantity("DU7654321", stage.con_id("SPY")) == 0
        stage.broker(stage.sim.exchange.corporate.transfer("DU7654321", con_id, D(-20), D(40),
                                                           stage.sim.now_ns()))  # fmt: skip
        await stage.wait(30)
        (row,) = [each for each in stage.standing() if each.kind == "position"]
        assert (row.account, row.ours, row.theirs, row.blocks) == ("DU7654321", "70", "50", False)
        compare_with_the_broker(stage)

    accounts = ("DU1234567", "DU7654321")
    Stage(accounts=accounts).run(play, before)
