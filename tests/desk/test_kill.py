"""The emergency stop in the desk: what each state lets pass, scopes, reset, restart.

Named scenario: INCIDENTS.md 19 (a reduce-only mode that flips a position, a halt that traps one).
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.desk.killing import AAPL, SPY, SPY_ONLY, by_hand, close, end_exits, hold, report, sell, state_of

from tws.desk import (
    CancelEverything,
    Kill,
    Place,
    ReduceOnly,
    ResetKill,
    Verdict,
)
from tws.model.facts import Link, LinkState
from tws.model.order import Role, Side
from tws.model.records import FlattenPhase, KillMoved, OrderState
from tws.model.stop import KillState, Scope, ScopeKind

# -- what each state lets pass


def test_a_kill_cancels_entries_keeps_stops_and_latches(bench) -> None:
    held = hold(bench)
    waits = bench.enter(50, contract=AAPL, limit=99.0)
    bench.work(waits)
    bench.cancels()
    bench.tell(Kill(reason="odd fills", operator="ann"))
    assert state_of(bench) is KillState.HALTED
    assert bench.cancels() == [waits.entry.order_id], "stops stay"
    for order in (waits.entry, waits.target, waits.stop):
        bench.pair(order, "Cancelled", remaining=0)
    bench.answer(positions=(bench.position(100),))
    assert state_of(bench) is KillState.LATCHED
    assert held.stop.live and held.target.live
    answer = report(bench)
    assert answer.verdict is Verdict.NOT_FLAT and answer.settled
    assert "kept as ordered, with stops for 100" in answer.remainders[0].reason
    bench.check()


@pytest.mark.parametrize("flatten", [False, True])
def test_no_entry_passes_a_stop_and_the_denial_says_who_and_why(bench, flatten: bool) -> None:
    bench.tell(Kill(reason="odd fills", operator="ann", flatten=flatten))
    assert bench.enter().entry is None
    assert bench.denials()[-1].limit == "entries_blocked"
    assert "by ann" in bench.denials()[-1].reason and "odd fills" in bench.denials()[-1].reason
    bench.quote()
    bench.tell(sell(10))
    assert bench.take(Place) == []


def test_incident_19_a_verified_exit_passes_a_halt(bench) -> None:
    held = hold(bench)
    bench.tell(Kill(reason="halt"))
    end_exits(bench, held)  # by hand in TWS: nothing guards the shares now
    bench.take(Place)
    bench.tell(sell(100, Role.CLOSE))
    (exit_,) = bench.take(Place)
    assert exit_.order.quantity == 100, "a halt must not trap a position"


def test_incident_19_no_exit_flips_a_position_under_a_halt(bench) -> None:
    hold(bench)
    bench.tell(Kill(reason="halt"))
    bench.tell(sell(150, Role.CLOSE), sell(1, Role.CLOSE))
    assert bench.take(Place) == [], "the working stop can take all 100 already"
    assert [denied.limit for denied in bench.denials()] == ["reduce_only", "reduce_only"]


@pytest.mark.parametrize(
    ("side", "quantity", "passes"),
    [(Side.SELL, 40, True), (Side.SELL, 100, True), (Side.SELL, 101, False), (Side.BUY, 1, False)],
)
def test_incident_19_reduce_only_counts_quantity(bench, side: Side, quantity: int, passes: bool) -> None:
    bench.quote()
    bench.tell(sell(100, side=Side.BUY))
    (place,) = bench.written()
    bench.pair(bench.order(place.intent_id), "Submitted")
    bench.fill(bench.order(place.intent_id), 100)
    bench.tell(ReduceOnly(reason="calm down"))
    bench.tell(sell(quantity, side=side))
    assert bool(bench.take(Place)) is passes


def test_incident_19_reduce_only_counts_other_working_exits(bench) -> None:
    bench.quote()
    bench.tell(sell(100, side=Side.BUY))
    (place,) = bench.written()
    bench.fill(bench.order(place.intent_id), 100)
    bench.tell(ReduceOnly(reason="calm down"))
    bench.tell(sell(60))
    (first,) = bench.written()
    bench.pair(bench.order(first.intent_id), "Submitted")
    bench.tell(sell(41))
    assert bench.take(Place) == []
    bench.tell(sell(40))
    assert len(bench.take(Place)) == 1
    bench.check()


def test_reduce_only_cancels_entries_and_refuses_brackets(bench) -> None:
    held = hold(bench)
    waits = bench.enter(50, contract=AAPL, limit=99.0)
    bench.work(waits)
    bench.cancels()
    bench.tell(ReduceOnly(reason="calm down"))
    assert bench.cancels() == [waits.entry.order_id]
    assert bench.enter(10, side="SELL").entry is None, "its own exits would buy more than is short"
    assert held.stop.live and state_of(bench) is KillState.REDUCE_ONLY


def test_a_lighter_stop_never_lowers_a_heavier_one(bench) -> None:
    bench.tell(Kill(reason="first", flatten=True), ReduceOnly(reason="later"))
    bench.answer()
    assert state_of(bench) is KillState.LATCHED
    bench.tell(Kill(reason="again"))
    assert bench.desk.state.kill.stops["all"].flatten, "a flatten stays a flatten"


def test_an_entry_that_turns_up_late_is_cancelled(bench) -> None:
    """Of unknown outcome when the stop comes, found alive by the broker's list afterwards."""
    waits = bench.enter(50, limit=99.0)
    bench.work(waits)
    bench.tell(Link(state=LinkState.BROKER_LOST, session=1))
    bench.tell(Kill(reason="halt"))
    bench.cancels()
    bench.tell(Link(state=LinkState.RESTORED_KEPT, session=1))
    bench.answer(orders=tuple(bench.row(o, "Submitted") for o in (waits.entry, waits.target, waits.stop)))
    bench.wait(1)
    assert waits.entry.order_id in bench.cancels()
    assert state_of(bench) is KillState.HALTED, "latched only when no entry lives"


# -- scopes


def test_a_symbol_s_stop_leaves_the_others(bench) -> None:
    spy, aapl = hold(bench), hold(bench, 50, AAPL)
    bench.tell(Kill(reason="out", flatten=True, scope=SPY_ONLY))
    assert set(bench.cancels()) == {spy.target.order_id, spy.stop.order_id}
    assert aapl.stop.live
    assert bench.desk.state.kill.state is KillState.ACTIVE, "the trader as a whole trades on"
    end_exits(bench, spy)
    positions = (bench.position(100), bench.position(50, AAPL))
    (closing,) = close(bench, *positions)
    bench.fill(bench.order(closing.intent_id), 100, "99.00")
    bench.answer(positions=(bench.position(50, AAPL),))
    assert report(bench, SPY_ONLY).flat
    assert bench.enter(10, contract=SPY).entry is None
    assert bench.enter(10, contract=AAPL).entry is not None
    bench.check()


def test_a_strategy_s_stop_closes_what_its_trades_hold_and_no_more(bench) -> None:
    mine, other = hold(bench, 100, strategy="orb"), hold(bench, 60, strategy="fade")
    orb = Scope(kind=ScopeKind.STRATEGY, name="orb")
    bench.tell(Kill(reason="out", flatten=True, scope=orb))
    assert set(bench.cancels()) == {mine.target.order_id, mine.stop.order_id}
    end_exits(bench, mine)
    (closing,) = close(bench, bench.position(160))
    assert closing.order.quantity == 100
    bench.fill(bench.order(closing.intent_id), 100, "99.00")
    bench.answer(positions=(bench.position(60),))
    assert report(bench, orb).flat and other.stop.live and bench.net() == 60
    assert bench.take(Place) == []
    bench.check()


def test_a_whole_stop_widens_a_strategy_s_flatten_of_the_same_symbol(bench) -> None:
    mine, other = hold(bench, 100, strategy="orb"), hold(bench, 60, strategy="fade")
    bench.tell(Kill(reason="out", flatten=True, scope=Scope(kind=ScopeKind.STRATEGY, name="orb")))
    bench.tell(Kill(reason="all out", flatten=True))
    end_exits(bench, mine, other)
    (closing,) = close(bench, bench.position(160))
    assert closing.order.quantity == 160
    bench.check()


def test_the_account_s_scope_wants_its_id_and_cancels_everything(bench) -> None:
    bench.tell(Kill(reason="all", scope=Scope(kind=ScopeKind.ACCOUNT, name="DU7654321")))
    assert bench.denials()[-1].limit == "kill" and not bench.desk.state.kill.stops
    scope = Scope(kind=ScopeKind.ACCOUNT, name="DU1234567")
    manual = by_hand()
    bench.tell(manual)
    bench.tell(Kill(reason="all", scope=scope))
    assert len(bench.take(CancelEverything)) == 1
    assert state_of(bench, scope) is KillState.HALTED, "a foreign order is still open"
    bench.wait(11)
    assert len(bench.take(CancelEverything)) == 1, "asked again while it is"
    bench.tell(
        bench.status(
            type(
                "O",
                (),
                {
                    "order_id": 0,
                    "perms": {77: None},
                    "filled": Decimal(0),
                    "order": type("Q", (), {"quantity": Decimal(5)}),
                },
            ),
            "Cancelled",
            remaining=0,
            perm=77,
        )
    )
    bench.answer()
    bench.wait(1)
    assert state_of(bench, scope) is KillState.LATCHED
    bench.check()


@pytest.mark.parametrize("kind", [ScopeKind.SYMBOL, ScopeKind.STRATEGY])
def test_a_scope_without_a_name_is_refused(bench, kind: ScopeKind) -> None:
    bench.tell(Kill(reason="out", scope=Scope(kind=kind)))
    assert bench.denials()[-1].limit == "kill" and not bench.desk.state.kill.stops


# -- reset


def test_a_reset_wants_a_name_a_reason_and_a_flat_account(bench) -> None:
    hold(bench)
    bench.tell(Kill(reason="halt"))
    bench.answer(positions=(bench.position(100),))
    for wrong in (
        ResetKill(operator="", reason="seen"),
        ResetKill(operator="ann", reason=" "),
        ResetKill(operator="ann", reason="seen"),
        ResetKill(operator="ann", reason="seen", scope=SPY_ONLY, accept=True),
    ):
        bench.tell(wrong)
        assert bench.denials()[-1].limit == "reset" and state_of(bench) is KillState.LATCHED
    bench.tell(ResetKill(operator="ann", reason="seen", accept=True))
    assert state_of(bench) is KillState.ACTIVE
    moved = [record for record in bench.all_records if isinstance(record, KillMoved)][-1]
    assert (moved.operator, moved.reason, moved.state) == ("ann", "seen", KillState.ACTIVE)
    bench.check()


def test_a_flat_account_is_reset_without_more(bench) -> None:
    bench.tell(Kill(reason="halt", flatten=True))
    bench.answer()
    bench.tell(ResetKill(operator="ann", reason="seen"))
    assert state_of(bench) is KillState.ACTIVE
    assert bench.enter().entry is not None


def test_no_reset_while_it_flattens_and_an_accepted_remainder_frees_the_symbol(bench) -> None:
    held = hold(bench)
    bench.tell(Kill(reason="out", flatten=True))
    bench.tell(ResetKill(operator="ann", reason="seen", accept=True))
    assert bench.denials()[-1].limit == "reset" and "being flattened" in bench.denials()[-1].figure
    end_exits(bench, held)
    for _ in range(11):
        bench.answer(positions=(bench.position(-100),))
        bench.wait(1)
    assert bench.desk.state.flattens["SPY"].phase is FlattenPhase.NOT_FLAT
    assert report(bench).settled and report(bench).verdict is Verdict.NOT_FLAT
    bench.tell(ResetKill(operator="ann", reason="seen", accept=True))
    assert bench.desk.state.flattens == {} and state_of(bench) is KillState.ACTIVE
    bench.check()


# -- it survives


@pytest.mark.parametrize("flatten", [False, True])
def test_a_stop_survives_a_restart(bench, flatten: bool) -> None:
    held = hold(bench)
    bench.tell(Kill(reason="out", operator="ann", flatten=flatten))
    bench.restart()
    assert state_of(bench) is not KillState.ACTIVE
    rows = tuple(bench.row(order, "PreSubmitted") for order in (held.target, held.stop))
    bench.connect(positions=(bench.position(100),), orders=rows)
    assert bench.enter(contract=AAPL).entry is None
    stop = bench.order(held.stop.intent_id)
    assert stop.cancel_wanted is flatten
    bench.check()


def test_flat_is_not_said_while_the_link_is_down(bench) -> None:
    bench.tell(Kill(reason="out", flatten=True))
    bench.answer()
    assert report(bench).flat
    bench.drop()
    answer = report(bench)
    assert not answer.flat and "since the link came up" in answer.reason


def test_an_order_of_unknown_outcome_is_a_remainder_with_its_reason(bench) -> None:
    held = hold(bench)
    bench.tell(Link(state=LinkState.BROKER_LOST, session=1))
    bench.tell(Kill(reason="out", flatten=True))
    assert "broker lost" in report(bench).remainders[0].reason
    assert held.stop.state is OrderState.UNKNOWN
    bench.wait(31)
    assert any("NOT FLAT" in text for text in bench.alarms())
